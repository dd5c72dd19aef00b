"""Equal or not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pehchan.distance.arrays import Positions
from pehchan.distance.elementwise import Elementwise, Readings, ReadValues
from pehchan.distance.measure import Distances


@dataclass(frozen=True)
class Exact(Elementwise):
    """0 where the values are equal, character for character, else 1."""

    cost = 0.002
    listed_cost = 0.01

    def prepare(self, values: Sequence[str]) -> "Whole":
        return Whole(self, self.read(values))

    def read(self, values: Sequence[str]) -> Readings:
        number: dict[str, int] = {}
        codes = [number.setdefault(value, len(number)) for value in values]
        return (np.array(codes, dtype=np.int64),)

    def reach(self, limit: float) -> float:
        return 0.0

    def between(self, a: Readings, b: Readings) -> Distances:
        return (a[0] != b[0]).astype(np.float64)


class Whole(ReadValues):
    """Values that are equal or not."""

    def sizes(self) -> Distances | None:
        """1 each."""
        return np.ones(len(self.readings[0]))

    def features(self, start: int, stop: int) -> tuple[Positions, Positions]:
        """Itself is all that a value is made of."""
        return np.arange(start, stop), self.readings[0][start:stop]
