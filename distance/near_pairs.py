"""How many pairs of records have values near each other, told from some of the records."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import truediv

import numpy as np

from pehchan.distance.arrays import Positions, unpacked
from pehchan.distance.measure import Distances, Measure, Prepared
from pehchan.distance.near import near_values, values_within

#: Rows of a matrix that are computed at a time.
ROWS = 500


@dataclass(frozen=True)
class NearPairs:
    """The values of a field that some records have, and which of them are near each other.

    count      of the values
    sides      int64[n] each: the value of each record, by number, `count` where it is missing; one side, of which
               all records meet each other, or two
    a, b       int64[m]: values of the first side and of the last within the limit; of one side both ways
    distances  float64[m], ascending
    limit      up to which they are all there
    """

    count: int
    sides: Sequence[Positions]
    a: Positions
    b: Positions
    distances: Distances
    limit: float

    @classmethod
    def by_matrix(cls, values: Prepared, count: int, sides: Sequence[Positions], limit: float) -> "NearPairs":
        """Of so many values, each compared with each."""
        first, last = (np.flatnonzero(each[:count]) for each in _counts(sides, count))
        found = []
        for start in range(0, len(first), ROWS):
            rows = first[start : start + ROWS]
            apart = values.matrix(rows, last, limit)
            near, beside = np.nonzero(apart <= min(limit, 1.0))
            found.append((rows[near], last[beside], apart[near, beside]))
        return cls._sorted(count, sides, found, limit)

    @classmethod
    def by_index(
        cls, measure: Measure, values: Prepared, count: int, sides: Sequence[Positions], limit: float
    ) -> "NearPairs":
        """Of so many values, as they are found where many are compared."""
        every = np.arange(count)
        equal = np.zeros(count) if measure.zero_on_equal else values.pairs(every, every, limit)
        here = np.flatnonzero(equal <= limit)
        a, b = unpacked(values_within(values, near_values(values, count, measure.cost, limit), limit))
        apart = values.pairs(a, b, limit)
        return cls._sorted(count, sides, [(here, here, equal[here]), (a, b, apart), (b, a, apart)], limit)

    @classmethod
    def _sorted(
        cls,
        count: int,
        sides: Sequence[Positions],
        found: Sequence[tuple[Positions, Positions, Distances]],
        limit: float,
    ) -> "NearPairs":
        nothing = np.zeros(0, dtype=np.int64)
        a, b, distances = (
            np.concatenate(each) for each in zip((nothing, nothing, np.zeros(0)), *found, strict=True)
        )
        order = np.argsort(distances, kind="stable")
        return cls(count, sides, a[order], b[order], distances[order], limit)

    def share(self, limit: float) -> float:
        """The share of the pairs of records whose values are there, and within a limit; about, beyond our own."""
        place = self._up_to(limit)
        return float(self._shares[place - 1]) if place else 0.0

    def degrees(self, limit: float) -> list[Distances]:
        """float64[n] of each side: with how many records each is within a limit."""
        place = self._up_to(limit)
        a, b, counts = self.a[:place], self.b[:place], self._records
        found: list[Distances] = []
        for own, others, other_counts in ((a, b, counts[-1]), (b, a, counts[0]))[: len(self.sides)]:
            met = (other_counts[others] - self._itself(own, others)).astype(np.float64)
            found.append(np.bincount(own, weights=met, minlength=self.count + 1).astype(np.float64))
        return [degrees[side] for degrees, side in zip(found, self.sides, strict=True)]

    def _up_to(self, limit: float) -> int:
        return int(np.searchsorted(self.distances, limit, side="right"))

    def _itself(self, a: Positions, b: Positions) -> Positions:
        """Of one side no record meets itself."""
        return ((a == b) & (len(self.sides) == 1)).astype(np.int64)

    @cached_property
    def _records(self) -> list[Positions]:
        """Of each side how many records have each value."""
        return _counts(self.sides, self.count)

    @cached_property
    def _shares(self) -> Distances:
        counts = self._records
        met = counts[0][self.a] * (counts[-1][self.b] - self._itself(self.a, self.b))
        every = len(self.sides[0]) * (len(self.sides[-1]) - (len(self.sides) == 1))
        return np.cumsum(met) / max(1, every)


def _counts(sides: Sequence[Positions], count: int) -> list[Positions]:
    """int64[count + 1] of the first side and the last: how many records have each value, and have none."""
    return [np.bincount(side, minlength=count + 1) for side in (sides[0], sides[-1])]


def variance(degrees: Sequence[Distances], records: Sequence[float]) -> float:
    """Variance of the number of pairs found among some of the records, drawn without replacement.

    degrees  float64[n] of each side: with how many others each of those records is
    records  how many there are in all, of each side

    Pairs do not come each by itself: those of a record come with it, all of a value that many have together. So it is
    told by the squares, E(T^2) - E(T)^2 for T pairs found, as D. Horvitz and D. Thompson estimate a sum ("A
    Generalization of Sampling Without Replacement from a Finite Universe", 1952): two pairs are both found where the
    records of both, three or four, are drawn, and each two that are found stand for as many as that is rare.
    """
    pairs = float(degrees[0].sum()) / (2 if len(degrees) == 1 else 1)
    # Where none is found there still may be some.
    found = max(1.0, pairs)
    # Of each two pairs found, those that have a record in common.
    common = [float((each * (each - 1)).sum()) for each in degrees]
    apart = found * (found - 1) - sum(common)

    def chances(drawn: int, all_of: float) -> list[float]:
        """That 0, 1, 2, 3, 4 records are drawn."""
        of_each = [1.0]
        for number in range(4):
            left = all_of - number
            of_each.append(of_each[-1] * (min(1.0, (drawn - number) / left) if left > 0 else 1.0))
        return of_each

    one, *others = (chances(len(each), all_of) for each, all_of in zip(degrees, records, strict=True))
    if others:
        (other,) = others
        of_pair, of_two, of_common = (
            one[1] * other[1],
            one[2] * other[2],
            [one[1] * other[2], one[2] * other[1]],
        )
    else:
        of_pair, of_two, of_common = one[2], one[4], [one[3]]
    if min(of_two, *of_common) <= 0:
        return found
    squared = found / of_pair + sum(map(truediv, common, of_common)) + apart / of_two
    return max(0.0, found**2 - of_pair**2 * squared)
