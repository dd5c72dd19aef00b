"""Which pairs of a tile are close: all fields of all pairs, in the order of the schema, as sifarish goes.

For what depends on that order: counters of pairs that a threshold cuts, missing values that take the distance of the
field before, and measures that give NaN where sifarish does.
"""

import numpy as np

from pehchan.distance.arrays import Mask, Positions
from pehchan.distance.columns import Block, Column
from pehchan.distance.measure import Distances
from pehchan.distance.tiles import Close, TileComparison, raw_distances


class InOrder(TileComparison):
    """Compares tiles of records as a schema says."""

    def begin(self, rows: Block, columns: Block, tile: int) -> None:
        self.order = range(len(self.fields))
        self.limits = [np.inf if field.threshold is None else field.threshold for field in self.fields]
        self.largest_total = np.inf

    def compare(self, rows: Block, columns: Block) -> Close:
        if rows is columns:
            i, j = np.triu_indices(len(rows), k=1)
        else:
            i = np.repeat(np.arange(len(rows)), len(columns))
            j = np.tile(np.arange(len(columns)), len(rows))
        return self.listed(rows, columns, i, j)

    def listed(self, rows: Block, columns: Block, i: Positions, j: Positions) -> Close:
        distances: list[Distances] = []
        missing: list[Mask] = []
        for number, field in enumerate(self.fields):
            left, right = rows.columns[number], columns.columns[number]
            absent = left.missing[i] | right.missing[j]
            symmetric, sides = self.measures[number].symmetric, (rows.sides[number], columns.sides[number])
            apart = raw_distances(left.prepared, symmetric, *sides, i, j, self._limit(number))
            raw = np.where(absent, 0.0, apart)
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

    def _limit(self, number: int) -> float:
        """Beyond this raw distance the measure need not be exact."""
        limit = self.limits[number]
        return 1.0 if limit == np.inf and self.measures[number].bounded else limit

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
