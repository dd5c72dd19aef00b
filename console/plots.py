"""The plots of a report as Vega-Lite has them, and the script that draws them, without any network.

Colours are the page's own variables, so that they follow light and dark. Nothing is told by colour alone: what was
kept is filled, what was refused is an outline.
"""

import json
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pehchan.learning.whole_files import write_whole

#: Bars of a plot at the most, about.
BARS = 60

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_FILLED = {"fill": "var(--kept)", "stroke": "var(--kept)", "strokeWidth": 0.5}
_OUTLINED = {"fill": "transparent", "stroke": "var(--refused)", "strokeWidth": 1.5}
_CONFIG = {
    "background": "transparent",
    "view": {"stroke": "transparent"},
    "axis": {
        "labelColor": "var(--ink)",
        "titleColor": "var(--ink)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "gridColor": "var(--line)",
        "gridOpacity": 0.35,
        "labelOverlap": "greedy",
        "labelSeparation": 4,
        "titleFontWeight": "normal",
    },
    "text": {"fill": "var(--ink)"},
    "rule": {"stroke": "var(--ink)"},
}


def script() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script.

    It takes seconds to make, so it is kept for the next report, in the user's cache.
    """
    name = f"vega-{version('vl-convert-python')}.js"
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    kept = Path(base) / "pehchan" / name
    try:
        return kept.read_text(encoding="utf-8")
    except OSError:
        pass
    import vl_convert

    text: str = vl_convert.javascript_bundle()
    # It stands in a page, where this would end it.
    text = text.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, text.encode())
    except OSError:
        # A home that cannot be written costs seconds, and no report.
        return text
    return text


def as_json(value: object) -> str:
    """JSON that may stand within a script element of a page, whatever texts it holds."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _plot(description: str, height: int, width: int | str, **parts: Any) -> dict[str, Any]:
    return {
        "$schema": _SCHEMA,
        "description": description,
        "width": width,
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "config": _CONFIG,
        **parts,
    }


def _bars(mark: Mapping[str, Any], tooltip: Sequence[Mapping[str, Any]], y: Mapping[str, Any]) -> Any:
    return {
        "mark": {"type": "bar", "tooltip": True, **mark},
        "encoding": {
            "x": {"field": "from", "type": "quantitative"},
            "x2": {"field": "to"},
            "y": dict(y),
            "tooltip": list(tooltip),
        },
    }


def distances_plot(
    kept: Sequence[tuple[float, float, float]],
    sampled: Sequence[tuple[float, float, float]],
    cutoff: float,
    title: str,
) -> dict[str, Any]:
    """How many pairs there are at each distance: bars (from, to, pairs), on a scale of powers of ten."""
    most = max([count for _, _, count in [*kept, *sampled]], default=1)
    powers = [10**k for k in range(len(str(int(most))) + 1)]
    y = {
        "field": "pairs",
        "type": "quantitative",
        "title": "pairs",
        "scale": {"type": "log", "domain": [0.5, max(10, most * 1.5)]},
        "axis": {"values": powers, "format": "~s"},
    }
    tooltip = [
        {"field": "from", "type": "quantitative", "format": ",.4~f", "title": "from"},
        {"field": "to", "type": "quantitative", "format": ",.4~f", "title": "to"},
        {"field": "pairs", "type": "quantitative", "format": ",.0f", "title": "pairs"},
    ]
    layers = []
    for bars, mark, name in ((sampled, _OUTLINED, "sampled"), (kept, _FILLED, "kept")):
        if not bars:
            continue
        layer = _bars(mark, tooltip, y)
        layer["encoding"]["y2"] = {"datum": 0.5}
        layer["encoding"]["x"] |= {"title": title, "scale": {"nice": False}}
        values = [{"from": low, "to": high, "pairs": count} for low, high, count in bars]
        layers.append({"name": name, "data": {"values": values}, **layer})
    at = {"x": {"field": "cutoff", "type": "quantitative"}}
    here = {"values": [{"cutoff": cutoff}]}
    dashed = {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 2}
    layers.append({"name": "cutoff", "data": here, "mark": dashed, "encoding": at})
    layers.append(
        {
            "data": here,
            "mark": {"type": "text", "align": "left", "dx": 4, "y": 8, "text": "cutoff"},
            "encoding": at,
        }
    )
    return _plot("Pairs by their distance, with the cutoff", 240, "container", layer=layers)


def field_plot(accepted: Sequence[float], refused: Sequence[float]) -> dict[str, Any]:
    """The shares of pairs in equal parts of the distances from 0 to 1, of those kept and of those refused."""
    parts = max(len(accepted), len(refused), 1)
    tooltip = [
        {"field": "from", "type": "quantitative", "format": ".1f", "title": "from"},
        {"field": "to", "type": "quantitative", "format": ".1f", "title": "to"},
        {"field": "share", "type": "quantitative", "format": ".1%", "title": "of the pairs"},
    ]
    y = {
        "field": "share",
        "type": "quantitative",
        "title": None,
        "stack": None,
        "scale": {"domain": [0, 1]},
        "axis": {"format": ".0%", "tickCount": 3},
    }
    layers = []
    for shares, mark, name in ((accepted, _FILLED, "accepted"), (refused, _OUTLINED, "refused")):
        values = [
            {"from": k / parts, "to": (k + 1) / parts, "share": share} for k, share in enumerate(shares)
        ]
        layer = _bars(mark, tooltip, y)
        layer["encoding"]["y2"] = {"datum": 0}
        layer["encoding"]["x"] |= {"title": "distance", "scale": {"domain": [0, 1]}, "axis": {"tickCount": 5}}
        layers.append({"name": name, "data": {"values": values}, **layer})
    return _plot("Distances of a field, of pairs kept and refused", 130, 220, layer=layers)


def sizes_plot(sizes: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """How many clusters there are of each size."""
    most = max([count for _, count in sizes], default=1)
    return _plot(
        "Clusters by their number of records",
        180,
        "container",
        data={"values": [{"records": size, "clusters": count} for size, count in sizes]},
        mark={"type": "bar", "tooltip": True, "width": 24, **_FILLED},
        encoding={
            "x": {"field": "records", "type": "ordinal", "sort": None, "axis": {"labelAngle": 0}},
            "y": {
                "field": "clusters",
                "type": "quantitative",
                "scale": {"type": "log", "domain": [0.5, max(10, most * 1.5)]},
                "axis": {"values": [10**k for k in range(len(str(most)) + 1)], "format": "~s"},
            },
            "y2": {"datum": 0.5},
        },
    )


def curve_plot(points: Sequence[tuple[float, float, float]], chosen: float | None) -> dict[str, Any]:
    """Precision over recall: (cutoff, precision, recall); that of the cutoff in force is marked."""
    values = [{"cutoff": cutoff, "precision": p, "recall": r} for cutoff, p, r in points]
    tooltip = [
        {"field": "cutoff", "type": "quantitative"},
        {"field": "precision", "type": "quantitative", "format": ".4f"},
        {"field": "recall", "type": "quantitative", "format": ".4f"},
    ]
    scale = {"zero": False, "nice": True}
    encoding = {
        "x": {"field": "recall", "type": "quantitative", "scale": scale},
        "y": {"field": "precision", "type": "quantitative", "scale": scale},
        "order": {"field": "cutoff"},
        "tooltip": tooltip,
    }
    line = {"type": "line", "stroke": "var(--kept)", "point": {"fill": "var(--kept)", "size": 20}}
    layers: list[dict[str, Any]] = [{"name": "curve", "mark": line, "encoding": encoding}]
    if chosen is not None:
        here = {"test": f"datum.cutoff === {json.dumps(chosen)}"}
        mark = {"type": "point", "shape": "diamond", "size": 160, **_OUTLINED}
        layers.append({"transform": [{"filter": here["test"]}], "mark": mark, "encoding": encoding})
    return _plot("Precision over recall, by cutoff", 280, "container", data={"values": values}, layer=layers)
