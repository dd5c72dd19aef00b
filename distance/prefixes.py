"""Values of many parts, words say, that are near each other, found by their rarest parts.

All parts have one order. Where two values within a limit share at least o parts, of the a parts of one of them, they
share one of its first a - o + 1: behind these it has only o - 1. As that holds for both, they have a part in common
that is in the prefixes of both; and where the parts that fewest values have come first, few others do. Prefix filter:
S. Chaudhuri et al., "A Primitive Operator for Similarity Joins in Data Cleaning", 2006. What the place of a common
part and the sizes of both tell besides: C. Xiao et al., "Efficient Similarity Joins for Near Duplicate Detection",
2008.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.arrays import Positions
from pehchan.distance.measure import Distances
from pehchan.distance.near import each_with_those_behind
from pehchan.distance.sketch import FieldSketch

Counts = NDArray[np.int64]

#: More than rounding can make of a distance: what is beyond the limit by less is looked at too.
SLACK = 1e-9

#: Microseconds, about: a part of a value, and two values that share a part of their prefixes.
A_PART, A_MEETING = 0.5, 0.1

#: The share of those that meet, about, whose distance is then measured, without sketches.
MEASURED = 0.4

#: Bytes, about, that are held for a part.
PART_BYTES = 100


class Shares(Protocol):
    """How measures of shared parts judge what is shared; sizes are sums of squared multiplicities."""

    listed_cost: float

    def of_shared(self, shared: NDArray[Any], a: Counts, b: Counts) -> Distances:
        """Distances of values of sizes a and b: the less, the more is shared and the smaller the values are."""

    def most_shared(self, a: Counts, b: Counts) -> NDArray[Any]:
        """The most that values of these sizes can share."""


@dataclass(frozen=True)
class Parts:
    """Which parts values have, in any order: int64[n] each.

    value    positions, from 0
    part     numbers, from 0; no part comes twice with a value
    squared  the square of how often the value has the part; their sum is the size of the value
    """

    value: Positions
    part: Positions
    squared: Counts


class NearByPrefixes:
    """Values that share a part of their prefixes, within a limit of their measure from 0 to below 1.

    With r what is left of a value of size a from some part on, this part included, it is in the prefix if even the
    smallest value that shares all of that, one of size r, is within the limit: of_shared(r, a, r) <= limit. So none
    is that shares only parts behind the prefix. With t the limit, the share of a that r then comes to at least is

        1 - t                      for Jaccard; w (1 - t) / (t + w (1 - t)) where parts that are not shared weigh w
        (1 - t) / (1 + t)          for Dice and character pairs
        (1 - t)^2                  for cosine

    The first two follow from m / (m + w (a + b - 2 m)) >= 1 - t and 2 m / (a + b) >= 1 - t, as b is at least what is
    shared, m. For cosine, by Cauchy's and Schwarz's inequality, the products that are shared from a part on come to
    at most sqrt(r b), which is less than (1 - t) sqrt(a b) where r is less than (1 - t)^2 a.

    From the first part on that two values share they share at most what is left of both. So of those that meet only
    such are kept that would be within the limit if they shared that much; and, where there are sketches, that these
    do not tell apart.
    """

    def __init__(
        self, parts: Parts, sizes: Counts, shares: Shares, limit: float, sketch: FieldSketch | None = None
    ):
        self._shares, self._limit, self._sketch = shares, limit + SLACK, sketch
        self.each = A_PART * len(parts.value)
        self.held = float(PART_BYTES * len(parts.value))
        self._sort(*self._prefixes(parts, sizes), sizes)
        self.signatures = float(len(self._value))
        met = A_MEETING + (MEASURED * shares.listed_cost if sketch is None else 0.0)
        self.each_two = met * float(self._behind.sum())

    def _prefixes(self, parts: Parts, sizes: Counts) -> tuple[Positions, Positions, Counts]:
        """The values, ranks and what is left from there on of the parts in prefixes."""
        # The rarest part has rank 0.
        by_rank = np.argsort(np.bincount(parts.part), kind="stable")
        rank = np.empty_like(by_rank)
        rank[by_rank] = np.arange(len(by_rank))
        of_parts = rank[parts.part]
        order = np.argsort(parts.value * len(rank) + of_parts)
        value, of_parts, squared = parts.value[order], of_parts[order], parts.squared[order]
        left = np.cumsum(sizes)[value] - np.cumsum(squared) + squared
        prefix = self._shares.of_shared(left, sizes[value], left) <= self._limit
        return value[prefix], of_parts[prefix], left[prefix]

    def _sort(self, value: Positions, part: Positions, left: Counts, sizes: Counts) -> None:
        """By part, and those that have it by size; with how many behind it each one meets."""
        known, step = np.unique(sizes[value], return_inverse=True)
        order = np.argsort(part * len(known) + step)
        self._value, self._left, part, step = value[order], left[order], part[order], step[order]
        self._size = sizes[self._value]
        # The largest value that is still within the limit, by bisection; one behind may be no smaller.
        low, high = step - 1, np.full(len(step), len(known) - 1)
        while (low < high).any():
            middle = (low + high + 1) // 2
            within = self._within(self._left, known[middle], self._size, known[middle])
            low, high = np.where(within, middle, low), np.where(within, high, middle - 1)
        last = np.searchsorted(part * len(known) + step, part * len(known) + low, side="right")
        self._behind = np.maximum(last - np.arange(len(last)) - 1, 0)

    def _within(self, left: Counts, other_left: Counts, size: Counts, other: Counts) -> NDArray[np.bool_]:
        """bool[n]: whether values of these sizes are within the limit if they share all that is left of both."""
        shared = self._shares.most_shared(left, other_left)
        return self._shares.of_shared(shared, size, other) <= self._limit

    def pairs(self) -> Iterator[tuple[Positions, Positions]]:
        for i, j in each_with_those_behind(self._behind):
            within = self._within(self._left[i], self._left[j], self._size[i], self._size[j])
            a, b = self._value[i[within]], self._value[j[within]]
            if self._sketch is not None:
                within = self._sketch.apart(a, b) <= self._limit
                a, b = a[within], b[within]
            if len(a):
                yield np.minimum(a, b), np.maximum(a, b)
