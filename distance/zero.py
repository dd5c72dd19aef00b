"""No distance at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pehchan.distance.arrays import Positions
from pehchan.distance.measure import Distances, Measure


@dataclass(frozen=True)
class Zero(Measure):
    """Always 0: what sifarish does with fields of type "string".

    Such a field still counts in the mean of the fields, and so brings all records closer.
    """

    cost = 0.001
    listed_cost = 0.002

    def prepare(self, values: Sequence[str]) -> "NoDistances":
        return NoDistances()


class NoDistances:
    """Values that are all 0 apart."""

    def pairs(self, i: Positions, j: Positions, limit: float) -> Distances:
        return np.zeros(len(i))

    def matrix(self, i: Positions, j: Positions, limit: float) -> Distances:
        return np.zeros((len(i), len(j)))
