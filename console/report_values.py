"""The clusters and pairs of a report side by side: all that shows values of records."""

from collections.abc import Sequence
from typing import Any

from pehchan.console.clusters_shown import Doubt
from pehchan.console.masking import Masking
from pehchan.console.report import ShownPair
from pehchan.console.scale_words import ScaleWords
from pehchan.console.side_by_side import marked
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.wire import Identity

#: Characters of a value that are shown.
LONGEST = 300

#: Pixels of the drawing of a sum.
WIDE = 200.0

#: Parts of a value as they are shown, and whether each is marked.
Shown = list[tuple[str, bool]]


class SideBySide:
    """Records beside each other, with what differs marked, or with masks in the place of values."""

    def __init__(self, plan: Plan, scale: ScaleWords, masking: Masking | None):
        self._scale, self._mask, self._sets = scale, masking, plan.sets
        self._fields = [field.name for field in plan.schema.fields]

    def cluster(self, doubt: Doubt, records: Sequence[tuple[Identity, Sequence[str]]]) -> dict[str, Any]:
        """A cluster, as the template shows it."""
        first = records[0][1]
        rows = [
            (self._id(record), [self._value(a, b) for a, b in zip(first, values, strict=True)])
            for record, values in records
        ]
        said = doubt.text(self._scale.farthest)
        return {"said": said, "rows": rows, "more": doubt.shape.size - len(records)}

    def pair(self, shown: ShownPair) -> dict[str, Any]:
        """A pair with what makes its distance, as the template shows it."""
        first, second, distance = shown.near
        why, scale = shown.why, self._scale
        where = "refused" if shown.refused else "kept"
        ids = (self._id(first), self._id(second))
        values = dict(zip(self._fields, zip(*shown.values, strict=True), strict=True))
        low, high = scale.reach([part.share for part in why.parts])
        parts, running = [], 0.0
        for part in why.parts:
            before, running = running, running + part.share
            left, right = (
                WIDE * (min(max(end, low), high) - low) / (high - low) for end in sorted((before, running))
            )
            a, b = values.get(part.name, ("", ""))
            parts.append(
                {
                    "name": part.name,
                    "first": self._value(a, a),
                    "second": self._value(a, b),
                    "distance": "" if part.distance is None else f"{part.distance:.3f}",
                    "share": scale.points(part.share),
                    "said": part.said,
                    "falls": part.share < 0,
                    "start": f"{left:.1f}",
                    "width": f"{max(right - left, 0.5):.1f}",
                }
            )
        sampled = ", of the sample" if shown.sampled else ""
        return {
            "title": f"{ids[0]} and {ids[1]}: {scale.shown(distance)}, {where}{sampled}",
            "ids": ids,
            "parts": parts,
            "line": f"{WIDE * (min(max(scale.line_at, low), high) - low) / (high - low):.1f}",
            "total": scale.points(why.total),
            "said": ", ".join(why.said),
        }

    def _value(self, reference: str, value: str) -> Shown:
        """A value, and what of it is marked."""
        if self._mask is not None:
            return [(self._mask(value) or "missing", value != reference)]
        cut = ""
        if len(value) > LONGEST or len(reference) > LONGEST:
            cut = f"… ({len(value):,} characters)" if len(value) > LONGEST else ""
            reference, value = reference[:LONGEST], value[:LONGEST]
        return [*marked(reference, value), *([(cut, False)] if cut else [])]

    def _id(self, record: Identity) -> str:
        set_name, record_id = record
        if self._mask is not None:
            record_id = self._mask(record_id)
        else:
            record_id = "".join(text for text, _ in marked(record_id, record_id))
        return f"{set_name}:{record_id}" if len(self._sets) > 1 else record_id
