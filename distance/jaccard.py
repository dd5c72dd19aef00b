"""Jaccard distance of the words of two values, with weights on the words that do not match.

P. Jaccard, 1901; the weights are sifarish's, a case of A. Tversky, "Features of Similarity", 1977.
"""

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
class Jaccard(Overlap):
    """1 - m / (m + a_weight (|A| - m) + b_weight (|B| - m)), m = |A & B|, over the sets of words; in [0, 1].

    Case counts, order does not. Two values without words are 0 apart.

    a_weight, b_weight  what a word of the first, of the second value counts that the other has not
    compat              sifarish counts the words with repetitions, and as m the pairs of equal words, so
                        that repeated words give wrong, negative and infinite distances; a leading blank
                        makes an empty word; two values without words give NaN
    """

    a_weight: float = 1.0
    b_weight: float = 1.0
    compat: bool = False

    cost = 0.025
    listed_cost = 0.8

    @property
    def symmetric(self) -> bool:
        if self.compat:
            # Java adds in the order of the values: fractional weights then differ in the last bit.
            return self.a_weight == self.b_weight and float(self.a_weight).is_integer()
        return self.a_weight == self.b_weight

    @property
    def bounded(self) -> bool:
        return not self.compat

    @property
    def zero_on_equal(self) -> bool:
        return not self.compat

    def check(self) -> str | None:
        if self.compat:
            return None
        if self.a_weight < 0 or self.b_weight < 0:
            return f"weights cannot be negative: a_weight {self.a_weight}, b_weight {self.b_weight}"
        if not self.a_weight and not self.b_weight:
            return "a_weight and b_weight are both 0: then nothing tells values apart"
        return None

    @property
    def by_parts(self) -> bool:
        return not self.compat and min(self.a_weight, self.b_weight) >= 1

    def parts(self, value: str) -> Counter[Hashable]:
        if self.compat:
            return Counter(java_tokens(value))
        # Values without words share the empty one, so they are equal, and nothing is divided by 0.
        return Counter(set(tokens(value) or [""]))

    def of_shared(self, shared: NDArray[Any], a: Counts, b: Counts) -> Distances:
        if self.a_weight == self.b_weight and not self.compat:
            unshared = self.a_weight * (a + b - 2 * shared)
            return 1 - shared / (shared + unshared)
        with np.errstate(divide="ignore", invalid="ignore"):
            return 1 - shared / (shared + self.a_weight * (a - shared) + self.b_weight * (b - shared))
