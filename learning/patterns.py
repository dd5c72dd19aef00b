"""Comparison patterns: what the levels of agreement of a pair's fields are, and how many pairs have them.

A level is 0 where a value is missing, 1 where two values are farthest apart, and the highest where they are equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.int8]
Floats = NDArray[np.float64]
Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Patterns:
    """Distinct comparison patterns in lexical order.

    levels  int8[p, f]
    counts  float64[p]: the pairs that have each of them; estimated where only a share of the pairs was compared
    place   int64[n]: the pattern of each compared pair
    """

    levels: Levels
    counts: Floats
    place: Positions

    @classmethod
    def of(cls, levels: Levels, inclusion: Floats | float = 1.0) -> "Patterns":
        """The patterns of pairs with these levels, int8[n, f].

        inclusion  how likely it was that a pair is among them, for each or for all, in (0, 1]: a pair counts as
                   1 / inclusion (D. Horvitz and D. Thompson, 1952)
        """
        pairs, fields = levels.shape
        keys = np.zeros(pairs, dtype=np.int64)
        bound = 1
        for field in range(fields):
            column = levels[:, field].astype(np.int64)
            width = int(column.max()) + 1 if pairs else 1
            if bound * width >= 2**62:
                keys = np.unique(keys, return_inverse=True)[1].reshape(-1)
                bound = pairs + 1
            keys, bound = keys * width + column, bound * width
        _, first, place = np.unique(keys, return_index=True, return_inverse=True)
        place = place.reshape(-1)
        weights = np.broadcast_to(1.0 / np.asarray(inclusion, dtype=np.float64), pairs)
        counts = np.bincount(place, weights=weights, minlength=len(first))
        return cls(levels[first], counts.astype(np.float64), place)


def scores(levels: Levels, tables: Sequence[Floats]) -> Floats:
    """For each row of levels the sum of its entries in the tables of the fields, added in their order.

    tables  by field float64[levels + 1]; what stands for level 0 counts for missing values
    """
    total = np.zeros(len(levels))
    for field, table in enumerate(tables):
        total += table[levels[:, field]]
    return total
