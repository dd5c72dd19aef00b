"""The clusters and pairs of a report side by side: all that shows values of records."""

from collections.abc import Sequence
from typing import Any

from rapidfuzz.distance import Prefix

from pehchan.console.clusters_shown import Doubt
from pehchan.console.explaining import Part
from pehchan.console.masking import Masking
from pehchan.console.report import ShownPair
from pehchan.console.scale_words import ScaleWords
from pehchan.console.side_by_side import marked
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.wire import Identity

#: Characters of a value that are shown.
LONGEST = 300

#: Fields of a cluster, and of a pair, that are shown: first of all those that tell its records apart.
COLUMNS, PARTS = 20, 20

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
        columns = self._told_apart([values for _, values in records])
        starts = {k: start_of([values[k] for _, values in records]) for k in columns}
        rows = [
            (self._id(record), [self._value(first[k], values[k], starts[k]) for k in columns])
            for record, values in records
        ]
        said = doubt.text(self._scale.farthest)
        of = "" if len(columns) == len(first) else f"{len(columns)} of {len(first):,} fields are shown, "
        return {
            "said": said,
            "names": [self._fields[k] for k in columns],
            "rows": rows,
            "more": doubt.shape.size - len(records),
            "of": of and f"{of}first of all those in which these records differ.",
        }

    def _told_apart(self, records: Sequence[Sequence[str]]) -> list[int]:
        """The fields that are shown of some records: of many first of all those in which they differ."""
        fields = range(len(records[0]))
        same = [all(values[k] == records[0][k] for values in records) for k in fields]
        if len(fields) <= COLUMNS:
            return list(fields)
        return sorted(fields, key=lambda k: same[k])[:COLUMNS]

    def pair(self, shown: ShownPair) -> dict[str, Any]:
        """A pair with what makes its distance, as the template shows it."""
        first, second, distance = shown.near
        why, scale = shown.why, self._scale
        where = "refused" if shown.refused else "kept"
        ids = (self._id(first), self._id(second))
        values = dict(zip(self._fields, zip(*shown.values, strict=True), strict=True))
        told = _most(why.parts)
        low, high = scale.reach([part.share for part in told])
        parts, running = [], 0.0
        for part in told:
            before, running = running, running + part.share
            left, right = (
                WIDE * (min(max(end, low), high) - low) / (high - low) for end in sorted((before, running))
            )
            a, b = values.get(part.name, ("", ""))
            start = start_of((a, b))
            parts.append(
                {
                    "name": part.name,
                    "first": self._value(a, a, start),
                    "second": self._value(a, b, start),
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

    def _value(self, reference: str, value: str, start: int) -> Shown:
        """A value from some character on, and what of it is marked."""
        if self._mask is not None:
            return [(self._mask(value) or "missing", value != reference)]
        if max(len(value), len(reference)) <= LONGEST:
            return marked(reference, value)
        end = start + LONGEST
        before = [("…", False)] if start else []
        # Marked as well where what is not shown differs.
        after = [("…", value[end:] != reference[end:])] if len(value) > end else []
        length = [(f" ({len(value):,} characters)", False)] if before or after else []
        return [*before, *marked(reference[start:end], value[start:end]), *after, *length]

    def _id(self, record: Identity) -> str:
        set_name, record_id = record
        if self._mask is not None:
            record_id = self._mask(record_id)
        else:
            record_id = "".join(text for text, _ in marked(record_id, record_id))
        return f"{set_name}:{record_id}" if len(self._sets) > 1 else record_id


def start_of(values: Sequence[str]) -> int:
    """Where long values begin to be shown: at their beginning, or a little before they first differ."""
    longest = max(map(len, values))
    if longest <= LONGEST or all(value == values[0] for value in values):
        return 0
    shared = min(Prefix.similarity(values[0], value) for value in values)
    return max(0, min(shared - LONGEST // 3, longest - LONGEST))


def _most(parts: Sequence[Part]) -> list[Part]:
    """The parts of a sum, as they are shown: of many those that add or take most, and the others as one."""
    if len(parts) <= PARTS:
        return list(parts)
    most = sorted(range(len(parts)), key=lambda k: -abs(parts[k].share))[: PARTS - 1]
    shown = sorted(k for k in most if parts[k].share)
    others = [part.share for k, part in enumerate(parts) if k not in shown]
    return [*(parts[k] for k in shown), Part(f"{len(others):,} other fields", None, sum(others), "")]
