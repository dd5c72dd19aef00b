"""Which pairs of a tile are close: all fields of all pairs, in the order of the schema, as sifarish goes.

For what depends on that order: counters of pairs that a threshold cuts, missing values that take the distance of the
field before, and measures that give NaN where sifarish does.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.aggregation import WeightedDistance
from pehchan.distance.columns import Block, Column, Mask, Positions
from pehchan.distance.measure import Distances, Measure
from pehchan.metadata.schema import Field


class InOrder:
    """Compares tiles of records as a schema says; `counters` gathers what happened, by pairs."""

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
        """Nothing is to be prepared for two blocks."""

    def compare(
        self, rows: Block, columns: Block, triangle: bool
    ) -> tuple[Positions, Positions, NDArray[np.int64]]:
        """The pairs (i, j) of a tile that are at or under the cutoff, and their scaled distances.

        triangle: rows and columns are the same records, and only the pairs i < j count.
        """
        if triangle:
            i, j = np.triu_indices(len(rows), k=1)
        else:
            i = np.repeat(np.arange(len(rows)), len(columns))
            j = np.tile(np.arange(len(columns)), len(rows))
        distances: list[Distances] = []
        missing: list[Mask] = []
        for number, field in enumerate(self.fields):
            left, right = rows.columns[number], columns.columns[number]
            absent = left.missing[left.codes][i] | right.missing[right.codes][j]
            raw = self._field_distances(number, rows, columns, i, j, absent)
            if field.missing == "previous":
                raw = np.where(absent, distances[-1] if distances else 0.0, raw)
            elif field.missing == "max":
                raw = np.where(absent, 1.0, raw)
            self._count_missing(number, left, right, i, j, absent)
            distances.append(raw)
            missing.append(absent if field.missing == "skip" else np.zeros(len(i), dtype=bool))
            if field.threshold is not None:
                kept = missing[-1] | ~(raw > field.threshold)
                cut = len(kept) - int(np.count_nonzero(kept))
                if cut:
                    self.counters["Distance Data", "Attribute distance threshold filter"] += cut
                    i, j = i[kept], j[kept]
                    distances = [each[kept] for each in distances]
                    missing = [each[kept] for each in missing]
        scores = self.score.score([], [], distances, missing)
        close = scores <= self.cutoff
        return i[close], j[close], scores[close].astype(np.int64)

    def _field_distances(
        self, number: int, rows: Block, columns: Block, i: Positions, j: Positions, absent: Mask
    ) -> Distances:
        """float64[len(i)]: raw distances of one field; 0 where it is absent."""
        measure, limit = self.measures[number], self._limit(number)
        left, right = rows.columns[number], columns.columns[number]
        if measure.symmetric:
            raw = _gathered(measure, left, right, i, j, limit)
        else:
            forward = _gathered(measure, left, right, i, j, limit)
            backward = _gathered(measure, right, left, j, i, limit)
            raw = np.where(rows.rank[i] < columns.rank[j], forward, backward)
        return np.where(absent, 0.0, raw)

    def _limit(self, number: int) -> float:
        """Beyond this raw distance a pair is cut, so the measure need not be exact there."""
        threshold = self.fields[number].threshold
        if threshold is not None:
            return threshold
        return 1.0 if self.measures[number].bounded else np.inf

    def _count_missing(
        self, number: int, left: Column, right: Column, i: Positions, j: Positions, absent: Mask
    ) -> None:
        field = self.fields[number]
        column = f"Field:{field.ordinal}"
        count = int(np.count_nonzero(absent))
        if count:
            self.counters["Missing Data", column] += count
            if field.missing == "max":
                self.counters["Missing Data", "Distance Set at Max"] += count
            elif field.missing == "skip":
                self.counters["Missing Data", "FieldSkipped"] += count
        if left.faulty.any() or right.faulty.any():
            faulty = np.flatnonzero(left.faulty[left.codes][i] | right.faulty[right.codes][j])
            a, b = left.codes[i[faulty]], right.codes[j[faulty]]
            errors = self.measures[number].format_errors(
                [left.values[k] for k in a], [right.values[k] for k in b]
            )
            self.counters["Invalid Data Format", column] += int(np.count_nonzero(errors))


def _gathered(
    measure: Measure, left: Column, right: Column, i: Positions, j: Positions, limit: float
) -> Distances:
    """Distances of the values of records i[k] and j[k], distinct values measured once; any number where missing."""
    rows, row_of = _present(left)
    columns, column_of = _present(right)
    if not len(rows) or not len(columns):
        return np.zeros(len(i))
    a, b = row_of[i], column_of[j]
    # Where few of the pairs of a tile are left, a list of pairs is cheaper than the whole matrix.
    if len(i) * 2 >= len(rows) * len(columns):
        return measure.matrix([left.values[k] for k in rows], [right.values[k] for k in columns], limit)[a, b]
    pairs, pair_of = np.unique(a * len(columns) + b, return_inverse=True)
    a, b = np.divmod(pairs, len(columns))
    return measure.pairs([left.values[rows[k]] for k in a], [right.values[columns[k]] for k in b], limit)[
        pair_of
    ]


def _present(column: Column) -> tuple[Positions, Positions]:
    """The distinct codes of a column that are not missing, and for each record its place among them (0: missing)."""
    codes, place = np.unique(column.codes, return_inverse=True)
    there = ~column.missing[codes]
    return codes[there].astype(np.int64), np.where(there, np.cumsum(there) - 1, 0)[place].astype(np.int64)
