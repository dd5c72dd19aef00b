"""Base of the measures that read a value into numbers first, and then do plain arithmetic on those."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

from pehchan.distance.arrays import Positions
from pehchan.distance.measure import Distances, Measure
from pehchan.distance.near import Exhaustive, Near

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

    def near(self, values: Readings, limit: float) -> Near | None:
        """Which of the values may be within a limit from 0 to below 1; None where only a comparison of all tells."""
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
        """As the measure tells; else all are compared."""
        near = self.measure.near(self.readings, limit)
        return near or Exhaustive(self, len(self.readings[0]), self.measure.cost, limit)

    def _taken(self, positions: Positions) -> Readings:
        return tuple(each[positions] for each in self.readings)
