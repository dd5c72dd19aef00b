"""Character-pair distance: 1 minus the Dice coefficient of adjacent letter pairs.

S. White, "How to Strike a Match", 1992. Pairs do not cross words; case counts.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from pehchan.distance.measure import Distances
from pehchan.distance.overlap import Counts, Overlap, numbered
from pehchan.distance.tokens import tokens


@dataclass(frozen=True)
class CharPair(Overlap):
    """1 - 2 |pairs(a) & pairs(b)| / (|pairs(a)| + |pairs(b)|), as multisets; in [0, 1].

    Equal values are 0 apart, also where they have no pairs; otherwise a value without pairs is 1 apart.
    """

    cost = 0.03
    listed_cost = 1.3
    prepared_bytes = 50

    @property
    def by_parts(self) -> bool:
        return True

    def parts(self, value: str) -> Counter[Hashable]:
        pairs = [word[k : k + 2] for word in tokens(value) for k in range(len(word) - 1)]
        # Without pairs a value is its own only part, of a type that no pair is.
        return numbered(pairs) if pairs else Counter({value: 1})

    def of_shared(self, shared: NDArray[Any], a: Counts, b: Counts) -> Distances:
        return 1 - 2 * shared / (a + b)
