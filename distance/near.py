"""Which of many values may be near each other, found without a distance for each two of them where possible."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.arrays import Gathered, Keys, Mask, Positions, packed, places_of_each
from pehchan.distance.measure import Prepared

#: Pairs that are looked at a time.
AT_ONCE = 1_000_000

#: Pairs of values that are measured at a time, and that are gathered before repeated ones are left out.
MEASURED_AT_ONCE, GATHERED = 200_000, 4_000_000

#: Microseconds, about, to find a pair of a sorted window and to measure it.
IN_WINDOW = 0.05


class Near(Protocol):
    """The pairs of values that may be at most a limit apart.

    each, each_two  microseconds, about, for all values: what grows with their number, and what grows with its square
    held            bytes, about, that are held at a time; they grow with their number
    signatures      how many are made of the values; they grow with their number
    """

    each: float
    each_two: float
    held: float
    signatures: float

    def pairs(self) -> Iterator[tuple[Positions, Positions]]:
        """int64[m] each: pairs of different values, the smaller position first, among them all within the limit.

        Some may be farther apart, and some may come again.
        """


@runtime_checkable
class HasNear(Protocol):
    """Values that a measure has read, and that know which of them may be near each other."""

    def near(self, limit: float, times: float = 1.0) -> Near:
        """For a limit from 0 to below 1; where costs are asked of a sample, of so many times as many values."""


class Window:
    """A number with those that are not below it and within its reach.

    numbers  float64[n], or whole numbers
    reach    of all of them, or float64[n]: of each; below 0 it reaches none
    period   numbers that differ by so much are the same, like times of two days; they are from 0 to that
    """

    each = held = signatures = 0.0

    def __init__(
        self, numbers: NDArray[Any], reach: float | NDArray[np.float64], period: float | None = None
    ):
        self._count = len(numbers)
        reach = np.full(self._count, reach, dtype=np.float64)
        numbers = numbers.astype(np.float64)
        if period is not None:
            # A period later each is there once more, to be reached.
            numbers = np.concatenate((numbers, numbers + period))
            reach = np.concatenate((reach, np.full(self._count, -np.inf)))
        self._order = np.argsort(numbers, kind="stable")
        ordered, reach = numbers[self._order], reach[self._order]
        # Rounded up, as the reach is a product.
        last = np.searchsorted(ordered, ordered + reach * (1 + 1e-9) + np.abs(ordered) * 1e-12, side="right")
        self._behind = np.maximum(last - np.arange(len(ordered)) - 1, 0)
        self.each_two = IN_WINDOW * float(self._behind.sum())

    def pairs(self) -> Iterator[tuple[Positions, Positions]]:
        for first, second in each_with_those_behind(self._behind):
            a, b = self._order[first] % self._count, self._order[second] % self._count
            other = a != b
            if not other.all():
                a, b = a[other], b[other]
            yield np.minimum(a, b), np.maximum(a, b)


class Several:
    """The pairs of one way and of others."""

    def __init__(self, ways: Sequence[Near]):
        self._ways = ways
        self.each, self.each_two = sum(way.each for way in ways), sum(way.each_two for way in ways)
        self.held, self.signatures = max(way.held for way in ways), sum(way.signatures for way in ways)

    def pairs(self) -> Iterator[tuple[Positions, Positions]]:
        for way in self._ways:
            yield from way.pairs()


def cheapest(ways: Iterable[Near]) -> Near:
    """Of several ways that each have all pairs the one that costs least."""
    return min(ways, key=lambda way: way.each + way.each_two)


def each_with_those_behind(behind: Positions) -> Iterator[tuple[Positions, Positions]]:
    """int64[m] each: every place k from 0 with each of the behind[k] places that follow it, some at a time."""
    for first, further in places_of_each(behind, AT_ONCE):
        yield first, first + further + 1


class Exhaustive:
    """Each value compared with each, or only some of them with all."""

    each = held = signatures = 0.0

    def __init__(
        self, values: Prepared, count: int, cost: float, limit: float, some: Positions | None = None
    ):
        self._values, self._count, self._limit = values, count, limit
        self._some = np.arange(count) if some is None else some
        self.each_two = cost * len(self._some) * count

    def pairs(self) -> Iterator[tuple[Positions, Positions]]:
        everything = np.arange(self._count)
        rows = max(1, AT_ONCE // max(1, self._count))
        for start in range(0, len(self._some), rows):
            some = self._some[start : start + rows]
            i, j = np.nonzero(self._values.matrix(some, everything, self._limit) <= self._limit)
            a = some[i]
            # Each two once, where both are among those that are compared with all.
            other = a != j
            if other.any():
                a, j = a[other], j[other]
                yield np.minimum(a, j), np.maximum(a, j)


def values_within(
    values: Prepared, near: Near, limit: float, meet: Callable[[Positions, Positions], Mask] | None = None
) -> Keys:
    """The pairs of different values that are within a limit, packed, each two once, the smaller number first.

    meet  which of the pairs count; all where there is none
    """
    found = Gathered(GATHERED)
    for a, b in near.pairs():
        if meet is not None:
            met = meet(a, b)
            a, b = a[met], b[met]
        for start in range(0, len(a), MEASURED_AT_ONCE):
            first, second = a[start : start + MEASURED_AT_ONCE], b[start : start + MEASURED_AT_ONCE]
            within = values.pairs(first, second, limit) <= limit
            found.add(packed(first[within], second[within]))
    return found.distinct()


def near_values(values: Prepared, count: int, cost: float, limit: float, times: float = 1.0) -> Near:
    """Which of so many values may be near each other; cost is that of two of them in a matrix."""
    if isinstance(values, HasNear):
        return values.near(limit, times)
    return Exhaustive(values, count, cost, limit)
