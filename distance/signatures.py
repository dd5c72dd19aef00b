"""The pairs under a cutoff without comparing all: what the cutoff allows each field is an index.

Where the shares of the fields in the sum may add up to T, and each field k is allotted a part s_k of it with
sum(s_k) >= T, every pair that is kept has a field whose share is at most s_k: one whose raw distance is within a
limit t_k. So it is enough to find, field by field, the pairs of values that are within their limit, and to compare
the records that have them. None is lost, and each pair is taken from the first of the fields that find it.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from pehchan.distance.arrays import Keys, Mask, Positions, places_of_each, unpacked
from pehchan.distance.cascade import Cascade
from pehchan.distance.choice import A_SAMPLED_PAIR, Choice, loose
from pehchan.distance.columns import Block, Column, pairs_between
from pehchan.distance.index import Index
from pehchan.distance.near import near_values, values_within
from pehchan.distance.tiles import Close

#: Records of a sample at the least and at the most, and the share of a comparison of all that it may cost.
SAMPLES, SAMPLE_SHARE = (200, 1000), 0.05

#: Pairs of records that are compared at a time.
AT_ONCE = 200_000


class Signatures:
    """Finds the pairs of two blocks that a cascade keeps, which has begun with them, without comparing all.

    room  bytes that an index may hold, about
    """

    def __init__(self, cascade: Cascade, room: float):
        self._cascade, self._room = cascade, room

    def index(
        self, rows: Block, columns: Block, asked: bool = False, planned: Index | None = None
    ) -> Index | None:
        """The index of two blocks that costs least; None where there is none, or to compare all costs less.

        asked    takes it whatever it costs
        planned  one that is taken if it loses nothing of these blocks
        """
        cascade = self._cascade
        all_pairs = pairs_between(rows, columns)
        if planned is not None and planned.loose.issuperset(loose(cascade, rows, columns)):
            return replace(planned, all_pairs=all_pairs)
        at_most = math.inf if asked else all_pairs * cascade.pair_cost
        fewest, most = SAMPLES
        if not asked:
            a_field = SAMPLE_SHARE * at_most / max(1, len(cascade.fields))
            most = min(most, math.isqrt(int(min(a_field, 1e12) / A_SAMPLED_PAIR)))
        if not all_pairs or (most < fewest and not asked):
            return None
        found = Choice(cascade, rows, columns, most).cheapest(1.0, all_pairs, at_most, self._room)
        return found[0] if found else None

    def foresee(
        self, rows: Block, columns: Block, more: tuple[Block, Block] | None = None, asked: bool = False
    ) -> Callable[[float, float, float], list[Index]]:
        """Indexes of blocks that are so many times as large, of which these are a sample, and so are more.

        The function gives for a number of times, the pairs that then meet, and the bytes that an index may hold, the
        cheapest first, and after it those of other limits; none that costs more than to compare all pairs, unless it
        is asked for.
        """
        choice = Choice(self._cascade, rows, columns, max(len(rows), len(columns)), more)

        def indexes(times: float, pairs: float, room: float) -> list[Index]:
            return choice.cheapest(times, pairs, math.inf if asked else pairs * self._cascade.pair_cost, room)

        return indexes

    def close(self, rows: Block, columns: Block, index: Index, part: int = 0) -> Iterator[tuple[Close, int]]:
        """The pairs that are close, each once in all parts, and how many were compared for them.

        Of one block with itself i < j.
        """
        in_part = index.parts[part] if index.parts else index.limits
        earlier: list[tuple[int, float]] = []
        for number, limit in index.limits.items():
            found_here = self._candidates(number, limit, rows, columns) if number in in_part else ()
            for candidates in found_here:
                i, j, distances = self._cascade.listed(rows, columns, *candidates)
                first = np.ones(len(i), dtype=bool)
                for other, its_limit in earlier:
                    raw, absent = self._cascade.measured(other, rows, columns, i, j)
                    found = raw <= its_limit
                    first &= ~(found if absent is None else found & ~absent)
                yield (i[first], j[first], distances[first]), len(candidates[0])
            earlier.append((number, limit))

    def _candidates(
        self, number: int, limit: float, rows: Block, columns: Block
    ) -> Iterator[tuple[Positions, Positions]]:
        """The pairs of records whose values of a field are there, and within a limit."""
        measure = self._cascade.measures[number]
        column, across = rows.columns[number], columns.columns[number]
        left = _ByValue(column)
        right = left if rows is columns else _ByValue(across)
        equal = np.flatnonzero((left.count > 0) & (right.count > 0))
        if not measure.zero_on_equal:
            # Farther apart they are not of this field, and others may find them.
            equal = equal[column.prepared.pairs(equal, equal, limit) <= limit]
        if rows is columns:
            for i, j in _expanded(left, right, equal, equal):
                each_two = i < j
                yield i[each_two], j[each_two]
        else:
            yield from _expanded(left, right, equal, equal)
        near = self._near(number, limit, column, left, right)
        for start in range(0, len(near), AT_ONCE):
            a, b = unpacked(near[start : start + AT_ONCE])
            for i, j in _expanded(left, right, a, b):
                yield (np.minimum(i, j), np.maximum(i, j)) if rows is columns else (i, j)
            if rows is not columns:
                yield from _expanded(left, right, b, a)

    def _near(self, number: int, limit: float, column: Column, left: "_ByValue", right: "_ByValue") -> Keys:
        """Different values within a limit, packed, each two once, as far as records of both sides have them."""

        def meet(a: Positions, b: Positions) -> Mask:
            met: Mask = (left.count[a] > 0) & (right.count[b] > 0)
            return met if left is right else met | (left.count[b] > 0) & (right.count[a] > 0)

        near = near_values(column.prepared, column.present, self._cascade.measures[number].cost, limit)
        return values_within(column.prepared, near, limit, meet)


class _ByValue:
    """The records of a column by their value: those of value v are records[start[v] : start[v] + count[v]]."""

    def __init__(self, column: Column):
        there = np.flatnonzero(~column.missing)
        codes = column.codes[there]
        self.records: Positions = there[np.argsort(codes, kind="stable")]
        self.count: Positions = np.bincount(codes, minlength=column.present).astype(np.int64)
        self.start: Positions = np.cumsum(self.count) - self.count


def _expanded(
    left: _ByValue, right: _ByValue, a: Positions, b: Positions
) -> Iterator[tuple[Positions, Positions]]:
    """All pairs of a record with value a[k] and one with value b[k], some at a time."""
    for which, place in places_of_each(left.count[a] * right.count[b], AT_ONCE):
        first, second = np.divmod(place, right.count[b[which]])
        yield left.records[left.start[a[which]] + first], right.records[right.start[b[which]] + second]
