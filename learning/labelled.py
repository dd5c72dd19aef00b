"""What people said of pairs of records."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pehchan.learning.labels import UNSURE
from pehchan.learning.patterns import Positions
from pehchan.learning.table import Table


@dataclass(frozen=True)
class LabelledPairs:
    """Labelled pairs. Their records are rows of a table of their own, so that they need not be there any more.

    table   with the fields of the records that are learnt from
    i, j    int64[n], rows of it
    labels  int8[n]: MATCH, NO_MATCH or UNSURE, which teaches nothing
    """

    table: Table
    i: Positions
    j: Positions
    labels: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.labels)

    def settled(self) -> "LabelledPairs":
        """Those that say yes or no, each pair once with either, in an order that rows do not decide."""
        hashes = self.table.record_hashes
        low, high = np.minimum(hashes[self.i], hashes[self.j]), np.maximum(hashes[self.i], hashes[self.j])
        order = np.lexsort((self.labels, high, low))
        order = order[self.labels[order] != UNSURE]
        keys = np.stack([low[order], high[order], self.labels[order].astype(np.uint64)])
        first = np.ones(len(order), dtype=bool)
        first[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
        order = order[first]
        return LabelledPairs(self.table, self.i[order], self.j[order], self.labels[order])

    def contradictions(self) -> int:
        """How many pairs are labelled both ways; of settled labels."""
        hashes = self.table.record_hashes
        low, high = np.minimum(hashes[self.i], hashes[self.j]), np.maximum(hashes[self.i], hashes[self.j])
        return int(((low[1:] == low[:-1]) & (high[1:] == high[:-1])).sum())
