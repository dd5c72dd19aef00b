"""Base of the measures that read a value into numbers first, and then do plain arithmetic on those."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.arrays import Positions
from pehchan.distance.measure import Distances, Measure
from pehchan.distance.near import Exhaustive, Near, Window

#: What the values of a sequence are read into: arrays of n each.
Readings: TypeAlias = tuple[NDArray[Any], ...]


class Elementwise(Measure):
    """A measure whose arithmetic broadcasts over arrays.

    A subclass reads values (`read`) and gives the distances of what was read (`between`). It may use only
    arithmetic that numpy rounds alike in all its loops (+ - * / sqrt, comparisons), or round the result, so
    that a distance does not depend on its place in an array.
    """

    def read(self, values: Sequence[str]) -> Readings:
        """Arrays of len(values) each. Raises ValueError for a value that `fault` refuses."""
        raise NotImplementedError

    def between(self, a: Readings, b: Readings) -> Distances:
        """float64: distances of what was read; the arrays of a broadcast with those of b."""
        raise NotImplementedError

    def reach(self, limit: float) -> float | None:
        """How far apart each of the numbers that were read may be within a limit below 1; None where nothing says."""
        return None

    def prepare(self, values: Sequence[str]) -> "ReadValues":
        return ReadValues(self, self.read(values))


@dataclass(frozen=True)
class ReadValues:
    """Values that an elementwise measure has read."""

    measure: Elementwise
    readings: Readings

    def pairs(self, i: Positions, j: Positions, limit: float) -> Distances:
        return self.measure.between(self._taken(i), self._taken(j))

    def matrix(self, i: Positions, j: Positions, limit: float) -> Distances:
        return self.measure.between(self._taken(i[:, None]), self._taken(j))

    def near(self, limit: float, times: float = 1.0) -> Near:
        """By a window over the sorted numbers; of several, those of which fewest are near each other."""
        reach = self.measure.reach(limit)
        if reach is None:
            return Exhaustive(self, len(self.readings[0]), self.measure.cost, limit)
        windows = [Window(numbers.astype(np.float64), reach) for numbers in self.readings]
        return min(windows, key=lambda window: window.each_two)

    def _taken(self, positions: Positions) -> Readings:
        return tuple(each[positions] for each in self.readings)
