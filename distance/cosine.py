"""Cosine distance of two values as vectors of word counts."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.measure import Distances
from pehchan.distance.overlap import Counts, Overlap
from pehchan.distance.tokens import java_tokens, tokens


@dataclass(frozen=True)
class Cosine(Overlap):
    """1 - a.b / (|a| |b|), with the number of times each word occurs as the vectors; in [0, 1].

    Case counts, order does not. Two values without words are 0 apart.

    compat  sifarish returns the cosine itself, so that equal values are farthest; a leading blank makes an
            empty word; a value without words gives NaN
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

    def parts(self, value: str) -> Counter[Hashable]:
        if self.compat:
            return Counter(java_tokens(value))
        # Values without words share the empty one, so they are equal, and nothing is divided by 0.
        return Counter(tokens(value) or [""])

    def size(self, parts: Counter[Hashable]) -> int:
        """The square of the vector's length."""
        return sum(count * count for count in parts.values())

    def of_shared(self, shared: NDArray[Any], a: Counts, b: Counts) -> Distances:
        if self.compat:
            with np.errstate(invalid="ignore"):
                return shared / (np.sqrt(a) * np.sqrt(b))
        # One root of the product: exact for equal values, and never below the shared part.
        return 1 - shared / np.sqrt(a * b)

    def most_shared(self, a: Counts, b: Counts) -> NDArray[Any]:
        """By Cauchy's and Schwarz's inequality."""
        return np.sqrt(a * b)
