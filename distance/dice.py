"""Dice distance of the words of two values. L. R. Dice, 1945; T. Sørensen, 1948."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.jaccard import Jaccard
from pehchan.distance.measure import Distances
from pehchan.distance.overlap import Counts, Overlap


@dataclass(frozen=True)
class Dice(Overlap):
    """1 - 2 |A & B| / (|A| + |B|) over the sets of words; in [0, 1]. Case counts, order does not.

    Two values without words are 0 apart.

    compat  sifarish's class of that name: max(0, 2 j - 1), with j its Jaccard distance
    """

    compat: bool = False

    cost = 0.03
    listed_cost = 1.0

    @property
    def bounded(self) -> bool:
        return not self.compat

    @property
    def zero_on_equal(self) -> bool:
        return not self.compat

    @property
    def by_parts(self) -> bool:
        return not self.compat

    def parts(self, value: str) -> Counter[Hashable]:
        return Jaccard(compat=self.compat).parts(value)

    def of_shared(self, shared: NDArray[Any], a: Counts, b: Counts) -> Distances:
        if self.compat:
            jaccard = Jaccard(compat=True).of_shared(shared, a, b)
            return np.maximum(0.0, 1 - 2 * (1 - jaccard))
        return 1 - 2 * shared / (a + b)
