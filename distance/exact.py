"""Equal or not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pehchan.distance.elementwise import Elementwise, Readings
from pehchan.distance.measure import Distances


@dataclass(frozen=True)
class Exact(Elementwise):
    """0 where the values are equal, character for character, else 1."""

    cost = 0.002
    listed_cost = 0.01

    def read(self, values: Sequence[str]) -> Readings:
        number: dict[str, int] = {}
        codes = [number.setdefault(value, len(number)) for value in values]
        return (np.array(codes, dtype=np.int64),)

    def between(self, a: Readings, b: Readings) -> Distances:
        return (a[0] != b[0]).astype(np.float64)
