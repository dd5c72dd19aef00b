"""The pairs under a cutoff without comparing all: what the cutoff allows each field is an index.

Where the shares of the fields in the sum may add up to T, and each field k is allotted a part s_k of it with
sum(s_k) >= T, every pair that is kept has a field whose share is at most s_k: one whose raw distance is within a
limit t_k. So it is enough to find, field by field, the pairs of values that are within their limit, and to compare
the records that have them. None is lost, and each pair is taken from the first of the fields that find it.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pehchan.distance.arrays import Positions, ascending, places_of_each, some_of
from pehchan.distance.cascade import Cascade
from pehchan.distance.columns import Block, Column, pairs_between
from pehchan.distance.curves import largest_raw
from pehchan.distance.measure import Distances, Prepared
from pehchan.distance.near import near_values
from pehchan.distance.tiles import Close

#: Parts in which the sum is allotted to the fields.
PARTS = 24

#: A little more than rounding can take from what is allotted.
MARGIN = 1 + 1e-9

#: Records of a sample at the least and at the most, and the share of a comparison of all that it may cost.
SAMPLES, SAMPLE_SHARE = (200, 1000), 0.05

#: Rows of the matrix of a sample that are computed at a time.
SAMPLED_ROWS = 500

#: Microseconds, about: a pair of records of a sample, by one field; and a pair that was found, besides its measures.
A_SAMPLED_PAIR, A_CANDIDATE = 0.05, 0.5

#: Bytes of a pair of values that was found.
CANDIDATE_BYTES = 32

#: Values from which it is told what it costs to look all of them up.
COSTED = 500

#: Pairs of records that are compared at a time.
AT_ONCE = 200_000


@dataclass(frozen=True)
class Index:
    """How the pairs of two blocks are found: field by field, those within a limit below 1 (by number).

    all_pairs   of the blocks
    candidates  pairs, about, that are then compared
    costs       microseconds, about, by number
    signatures  that are made, about
    held        bytes that are held at a time, about
    loose       fields that may not count in the sum where a value is missing: if any other may, pairs are lost
    parts       the numbers of those fields whose pairs are found together, where several tasks share the fields
    """

    limits: Mapping[int, float]
    all_pairs: float = 0.0
    candidates: float = 0.0
    costs: Mapping[int, float] = field(default_factory=dict)
    signatures: float = 0.0
    held: float = 0.0
    loose: frozenset[int] = frozenset()
    parts: Sequence[Sequence[int]] = ()

    @property
    def cost(self) -> float:
        """Microseconds, about."""
        return sum(self.costs.values())

    def shared_by(self, parts: int) -> "Index":
        """The index in so many parts, which cost about the same."""
        together: list[list[int]] = [[] for _ in range(parts)]
        for number in sorted(self.costs, key=lambda number: (-self.costs[number], number)):
            least = min(together, key=lambda part: sum(self.costs[each] for each in part))
            least.append(number)
        return replace(self, parts=together)

    @property
    def dearest_part(self) -> float:
        """Microseconds, about, of the part that costs most."""
        return max((sum(self.costs[number] for number in part) for part in self.parts), default=self.cost)

    def __add__(self, other: "Index") -> "Index":
        """Both, one after the other."""
        return Index(
            {**self.limits, **other.limits},
            self.all_pairs,
            self.candidates + other.candidates,
            {**self.costs, **other.costs},
            self.signatures + other.signatures,
            max(self.held, other.held),
            self.loose | other.loose,
        )


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
        if planned is not None and planned.loose.issuperset(_loose(cascade, rows, columns)):
            return replace(planned, all_pairs=all_pairs)
        at_most = math.inf if asked else all_pairs * cascade.pair_cost
        fewest, most = SAMPLES
        if not asked:
            a_field = SAMPLE_SHARE * at_most / max(1, len(cascade.fields))
            most = min(most, math.isqrt(int(min(a_field, 1e12) / A_SAMPLED_PAIR)))
        if not all_pairs or (most < fewest and not asked):
            return None
        found = _Choice(cascade, rows, columns, most).cheapest(1.0, at_most, self._room)
        return found[0] if found else None

    def foresee(
        self, rows: Block, columns: Block, asked: bool = False
    ) -> Callable[[float, float], list[Index]]:
        """Indexes of blocks that are so many times as large, of which these are a sample, within so many bytes.

        The cheapest first, and after it those of other limits; none that costs more than to compare all pairs,
        unless it is asked for.
        """
        choice = _Choice(self._cascade, rows, columns, max(len(rows), len(columns)))
        all_pairs = pairs_between(rows, columns)

        def indexes(times: float, room: float) -> list[Index]:
            of_all = math.inf if asked else all_pairs * times * times * self._cascade.pair_cost
            return choice.cheapest(times, of_all, room)

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
        a, b = self._near(number, limit, column, left, right)
        for i, j in _expanded(left, right, a, b):
            yield (np.minimum(i, j), np.maximum(i, j)) if rows is columns else (i, j)
        if rows is not columns:
            yield from _expanded(left, right, b, a)

    def _near(
        self, number: int, limit: float, column: Column, left: "_ByValue", right: "_ByValue"
    ) -> tuple[Positions, Positions]:
        """Different values within a limit, each two once, as far as records of both sides have them."""
        measure = self._cascade.measures[number]
        found = [np.zeros(0, dtype=np.uint64)]
        for a, b in near_values(column.prepared, column.present, measure.cost, limit).pairs():
            meet = (left.count[a] > 0) & (right.count[b] > 0)
            if left is not right:
                meet |= (left.count[b] > 0) & (right.count[a] > 0)
            a, b = a[meet], b[meet]
            for start in range(0, len(a), AT_ONCE):
                first, second = a[start : start + AT_ONCE], b[start : start + AT_ONCE]
                within = column.prepared.pairs(first, second, limit) <= limit
                pairs = first[within].astype(np.uint64) << np.uint64(32) | second[within].astype(np.uint64)
                found.append(pairs)
        pairs = ascending(np.concatenate(found))
        return (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)


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


class _Choice:
    """Chooses an index of two blocks by a sample of their records."""

    def __init__(self, cascade: Cascade, rows: Block, columns: Block, sample: int):
        self._cascade, self._rows, self._columns = cascade, rows, columns
        self._left, self._right = (some_of(len(block), sample) for block in (rows, columns))
        self._loose = _loose(cascade, rows, columns)
        self._samples: dict[int, _Sample] = {}

    def cheapest(self, times: float, at_most: float, room: float) -> list[Index]:
        """Indexes of so many times as many records, the cheapest first.

        at_most  microseconds that they may cost
        room     bytes that they may hold
        """
        self._times, self._at_most, self._room = times, at_most, room
        self._all_pairs = pairs_between(self._rows, self._columns) * times * times
        self._nothing = Index({}, self._all_pairs, loose=frozenset(self._loose))
        self._offers: dict[tuple[int, float], Index | None] = {}
        by_limits = {tuple(sorted(index.limits.items())): index for index in self._possible()}
        return sorted(
            (index for index in by_limits.values() if index.cost < at_most), key=lambda index: index.cost
        )

    def _possible(self) -> Iterator[Index]:
        cascade = self._cascade
        fields, total = cascade.fields, cascade.largest_total
        # A field that may not count takes its part of what the others may add up to with it.
        loose = self._loose
        firm = [number for number in range(len(fields)) if number not in loose]
        for number in firm:
            if (offer := self._alone(number)) is not None:
                yield offer
        besides = 1.0 if cascade.score.id_counted else 0.0
        # Two records of which nothing but the id counts are 0 apart, and have no values.
        if not (total < np.inf and (firm or not besides)) or (loose and cascade.score.exponent < 1):
            return
        weights = [field.weight for field in fields]
        counted = sum(weights) + besides
        needed = self._nothing
        for number in loose:
            offer = self._offer(number, self._limit(number, weights[number] / counted))
            if offer is None:
                return
            needed = needed + offer
        if not firm:
            yield needed
            return
        share = (sum(weights[number] for number in firm) + besides) / counted
        for left_out in (None, *firm):
            rest = [number for number in firm if number != left_out]
            if (several := self._shared_out(rest, share)) is not None:
                yield needed + several

    def _shared_out(self, numbers: Sequence[int], share: float) -> Index | None:
        """A share of the sum allotted to fields so that it costs least: a knapsack of PARTS."""
        best: dict[int, Index] = {0: self._nothing}
        for number in numbers:
            offers: list[tuple[int, Index]] = []
            for parts in range(1, PARTS + 1):
                offer = self._offer(number, self._limit(number, share * parts / PARTS))
                if offer is None:
                    break
                offers.append((parts, offer))
            better = dict(best)
            for parts, index in best.items():
                for more, offer in offers:
                    allotted, together = min(PARTS, parts + more), index + offer
                    if allotted not in better or together.cost < better[allotted].cost:
                        better[allotted] = together
            best = better
        return best.get(PARTS)

    def _alone(self, number: int) -> Index | None:
        """The pairs within what the field allows by itself."""
        return self._offer(number, self._cascade.limits[number])

    def _limit(self, number: int, part: float) -> float:
        """The raw distance above which a field's share is more than a part of the sum."""
        field, score = self._cascade.fields[number], self._cascade.score
        share = part * self._cascade.largest_total / field.weight * MARGIN
        return min(largest_raw(field.curve, score.effective_of(share)) * MARGIN, self._cascade.limits[number])

    def _offer(self, number: int, limit: float) -> Index | None:
        """What it costs to find the pairs within a limit of a field; None where that cannot be, or costs too much."""
        if (number, limit) not in self._offers:
            self._offers[number, limit] = self._looked_up(number, limit)
        return self._offers[number, limit]

    def _looked_up(self, number: int, limit: float) -> Index | None:
        measure = self._cascade.measures[number]
        if not limit < 1 or not measure.symmetric:
            return None
        if number not in self._samples:
            self._samples[number] = self._sample(number)
        sampled = self._samples[number]
        times = sampled.times * self._times
        near = near_values(sampled.values, sampled.count, measure.cost, limit, times)
        candidates = sampled.within(limit) * self._all_pairs
        held = max(near.held * times, CANDIDATE_BYTES * candidates)
        each = A_CANDIDATE + self._cascade.measures[self._cascade.order[0]].listed_cost
        cost = near.each * times + near.each_two * times**2 + candidates * each
        if held > self._room or cost > self._at_most:
            return None
        return replace(
            self._nothing,
            limits={number: limit},
            candidates=candidates,
            costs={number: cost},
            signatures=near.signatures * times,
            held=held,
        )

    def _sample(self, number: int) -> "_Sample":
        """The values of a field that records of the sample have."""
        measure, same = self._cascade.measures[number], self._rows is self._columns
        whole, across = self._rows.columns[number], self._columns.columns[number]
        left, right = whole.codes[self._left], across.codes[self._right]
        known = np.unique(np.concatenate((left, right)))
        known = known[known < whole.present]
        texts = [whole.values[code] for code in known.tolist()]
        values = measure.prepare(texts)
        # The same ones in whatever order the records came.
        in_order = sorted(texts)
        few = [in_order[place] for place in some_of(len(in_order), COSTED)]
        counts = [
            np.bincount(np.searchsorted(known, codes[codes < whole.present]), minlength=len(known))
            for codes in (left, right)
        ]
        here, there = (np.flatnonzero(count) for count in counts)
        limit = self._cascade.limits[number]
        distances, pairs = [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
        for start in range(0, len(here), SAMPLED_ROWS):
            rows = here[start : start + SAMPLED_ROWS]
            apart = values.matrix(rows, there, limit)
            near, beside = np.nonzero(apart <= min(limit, 1.0))
            a, b = rows[near], there[beside]
            distances.append(apart[near, beside])
            # Of a block with itself each two once, and none with itself.
            pairs.append(counts[0][a] * (counts[1][b] - (a == b) * same))
        nearest = np.concatenate(distances)
        order = np.argsort(nearest, kind="stable")
        every = len(left) * (len(right) - same)
        shares = np.cumsum(np.concatenate(pairs)[order]) / max(1, every)
        times = whole.present / max(1, len(few))
        return _Sample(measure.prepare(few), len(few), times, nearest[order], shares)


def _loose(cascade: Cascade, rows: Block, columns: Block) -> list[int]:
    """The fields that do not count where a value is missing, which is so in some of the records."""
    return [
        number
        for number, field in enumerate(cascade.fields)
        if field.missing == "skip"
        and (rows.columns[number].missing.any() or columns.columns[number].missing.any())
    ]


@dataclass(frozen=True)
class _Sample:
    """A few values of a field, as read, and so many of them; all are so many times as many. And of the whole sample:

    distances, shares  float64[n]: ascending raw distances, and the share of the pairs of records up to each
    """

    values: Prepared
    count: int
    times: float
    distances: Distances
    shares: Distances

    def within(self, limit: float) -> float:
        """The share of the pairs of records whose values are there, and within a limit."""
        place = int(np.searchsorted(self.distances, limit, side="right"))
        return float(self.shares[place - 1]) if place else 0.0
