"""Base of the measures that read a value into numbers first, and then do plain arithmetic on those."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from numpy.typing import NDArray

from pehchan.distance.columns import distinct
from pehchan.distance.measure import Distances, Measure

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

    def pairs(self, a: Sequence[str], b: Sequence[str], limit: float = 1.0) -> Distances:
        left, right = self._read_both(a, b)
        return self.between(left, right)

    def matrix(self, a: Sequence[str], b: Sequence[str], limit: float = 1.0) -> Distances:
        left, right = self._read_both(a, b)
        return self.between(tuple(each[:, None] for each in left), right)

    def _read_both(self, a: Sequence[str], b: Sequence[str]) -> tuple[Readings, Readings]:
        """Both sides read together, each distinct value once."""
        values, codes = distinct([*a, *b])
        readings = self.read(values)
        left, right = codes[: len(a)], codes[len(a) :]
        return tuple(each[left] for each in readings), tuple(each[right] for each in readings)
