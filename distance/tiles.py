"""What the two ways of comparing a tile of records share."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.aggregation import WeightedDistance
from pehchan.distance.columns import Block, Positions, Side
from pehchan.distance.measure import Distances, Measure
from pehchan.metadata.schema import Field

#: Pairs (i[k], j[k]) of a tile at or under the cutoff, and their scaled distances: int64[n] each.
Close: TypeAlias = tuple[Positions, Positions, NDArray[np.int64]]


class TileComparison:
    """Compares tiles of records as a schema says, for a cutoff; `counters` gathers what happened, by pairs."""

    def __init__(
        self,
        fields: Sequence[Field],
        measures: Sequence[Measure],
        score: WeightedDistance,
        cutoff: int,
        counters: Counter[tuple[str, str]],
    ):
        self.fields, self.measures, self.score, self.cutoff = fields, measures, score, cutoff
        self.counters = counters

    def begin(self, rows: Block, columns: Block, tile: int) -> None:
        """Prepare for the tiles of two blocks, of so many rows and columns at the most."""

    def compare(self, rows: Block, columns: Block) -> Close:
        """The pairs of a row and a column that are close; of one block with itself each two records once, i < j."""
        raise NotImplementedError


def raw_distances(
    measure: Measure, left: Side, right: Side, i: Positions, j: Positions, limit: float
) -> Distances:
    """float64[len(i)]: of the values of records i[k] and j[k], distinct ones measured once; any number where absent.

    Of each two the record of the smaller rank comes first.
    """
    ours, theirs = left.values, right.values
    if not ours or not theirs:
        return np.zeros(len(i))
    a, b = left.code[i], right.code[j]
    backward = None
    # Where few of the pairs of a tile are left, a list of pairs is cheaper than the whole matrix.
    if len(i) * 2 >= len(ours) * len(theirs):
        raw = measure.matrix(ours, theirs, limit)[a, b]
        if not measure.symmetric:
            backward = measure.matrix(theirs, ours, limit)[b, a]
    else:
        pairs, place = np.unique(a * len(theirs) + b, return_inverse=True)
        first, second = (k.tolist() for k in np.divmod(pairs, len(theirs)))
        firsts, seconds = [ours[k] for k in first], [theirs[k] for k in second]
        raw = measure.pairs(firsts, seconds, limit)[place]
        if not measure.symmetric:
            backward = measure.pairs(seconds, firsts, limit)[place]
    return raw if backward is None else np.where(left.rank[i] < right.rank[j], raw, backward)
