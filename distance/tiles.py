"""What the two ways of comparing a tile of records share."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.aggregation import WeightedDistance
from pehchan.distance.arrays import Mask, Positions, distinct_pairs
from pehchan.distance.columns import Block, Side
from pehchan.distance.measure import Distances, Measure, Prepared
from pehchan.distance.sketch import Sketches
from pehchan.metadata.schema import Field

#: Pairs (i[k], j[k]) of a tile at or under the cutoff, and their scaled distances: int64[n] each.
Close: TypeAlias = tuple[Positions, Positions, NDArray[np.int64]]


#: Listed pairs are worth a search for repeated ones from one in so many of the pairs that there can be.
REPEATED = 16


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

    #: The fields in the order in which they are measured, by number.
    order: Sequence[int]

    #: By field, the raw distance above which it cuts a pair; inf for none.
    limits: Sequence[float]

    #: What the shares of the fields in the sum may add up to in a pair that is kept; inf where no pair is cut for it.
    largest_total: float

    #: Microseconds, about, that a pair costs where all are compared.
    pair_cost: float = math.inf

    #: What cuts pairs before any distance is measured; None where nothing does.
    sketches: Sketches | None = None

    def begin(self, rows: Block, columns: Block, tile: int) -> None:
        """Decide on these for two blocks, and for tiles of so many rows and columns at the most."""
        raise NotImplementedError

    def count(self, rows: Block, columns: Block) -> None:
        """Count the pairs of two blocks in which a value is missing, or cannot be read, if `compare` does not."""

    def count_listed(self, block: Block, i: Positions, j: Positions) -> None:
        """The same for the pairs of records i[k] and j[k] of a block, if `listed` does not."""

    def sketch(self, rows: Block, columns: Block) -> None:
        """Sketch the records of two blocks whose comparison has begun, where that pays."""

    def compare(self, rows: Block, columns: Block) -> Close:
        """The pairs of a row and a column that are close; of one block with itself each two records once, i < j."""
        raise NotImplementedError

    def listed(self, rows: Block, columns: Block, i: Positions, j: Positions) -> Close:
        """Those of the pairs of a row i[k] and a column j[k] that are close."""
        raise NotImplementedError

    def measured(
        self, number: int, rows: Block, columns: Block, i: Positions, j: Positions
    ) -> tuple[Distances, Mask | None]:
        """The raw distances of one field for the pairs (i[k], j[k]), and where it does not count (None: nowhere)."""
        left, right = rows.sides[number], columns.sides[number]
        values, symmetric = rows.columns[number].prepared, self.measures[number].symmetric
        raw = raw_distances(values, symmetric, left, right, i, j, self.limits[number])
        return with_absent(raw, left, right, i, j, self.fields[number].missing != "max")


def raw_distances(
    values: Prepared, symmetric: bool, left: Side, right: Side, i: Positions, j: Positions, limit: float
) -> Distances:
    """float64[len(i)]: of the values of records i[k] and j[k]; any number where absent.

    Of each two the record of the smaller rank comes first, where the measure is not symmetric.
    """
    raw = _listed(values, left, right, i, j, limit)
    if symmetric:
        return raw
    return np.where(left.rank[i] < right.rank[j], raw, _listed(values, right, left, j, i, limit))


def _listed(
    values: Prepared, first: Side, second: Side, i: Positions, j: Positions, limit: float
) -> Distances:
    """The same with the record of the first side first."""
    if not len(first.values) or not len(second.values):
        return np.zeros(len(i))
    a, b = first.code[i], second.code[j]
    possible = len(first.values) * len(second.values)
    # Where few of the pairs of a tile are left, a list of pairs is cheaper than the whole matrix.
    if len(i) * 2 >= possible:
        return values.matrix(first.values, second.values, limit)[a, b]
    if len(i) * REPEATED < possible:
        return values.pairs(first.values[a], second.values[b], limit)
    a, b, place = distinct_pairs(a, b, len(second.values))
    return values.pairs(first.values[a], second.values[b], limit)[place]


def with_absent(
    raw: Distances, left: Side, right: Side, i: Positions, j: Positions, skipped: bool
) -> tuple[Distances, Mask | None]:
    """Raw distances with what absent values make of them, and where the field does not count."""
    if left.absent is None and right.absent is None:
        return raw, None
    absent = np.zeros(len(i), dtype=bool)
    for side, k in ((left, i), (right, j)):
        if side.absent is not None:
            absent |= side.absent[k]
    return np.where(absent, 0.0 if skipped else 1.0, raw), absent if skipped else None
