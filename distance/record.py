"""How far apart two records are: the distances of their fields, cut by thresholds, aggregated to one number.

Works on blocks of records as columns, in tiles, so that a measure sees each pair of distinct values once.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pehchan.distance import registry
from pehchan.distance.aggregation import WeightedDistance
from pehchan.distance.cascade import Cascade
from pehchan.distance.columns import Column, Mask, distinct
from pehchan.distance.fold import fold
from pehchan.distance.measure import Distances, Measure
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.schema import Schema

Positions = NDArray[np.int64]

#: Rows and columns of a tile: large enough for the measures to run at full speed, small enough for the cache.
TILE = 1024


@dataclass(frozen=True)
class Block:
    """n records as columns.

    columns  one a compared field, in schema order
    rank     int64[n], distinct: of two records the one with the smaller rank comes first in their pair
    """

    columns: Sequence[Column]
    rank: Positions

    def __len__(self) -> int:
        return len(self.rank)

    def take(self, records: Positions) -> "Block":
        """The block of some of the records (int64[m], positions)."""
        return Block([column.take(records) for column in self.columns], self.rank[records])


@dataclass(frozen=True)
class Found:
    """Pairs of a tile at or under the cutoff: positions int64[m] in both blocks, scaled distances int64[m].

    compared is the number of pairs of the tile.
    """

    rows: Positions
    columns: Positions
    distances: NDArray[np.int64]
    compared: int


def check_measures(schema: Schema, compat: bool, mistakes: Mistakes) -> None:
    """Add a mistake for every field whose measure or parameters are not as the registry has them."""
    for field in schema.fields:
        try:
            registry.build(field.measure, field.parameters, compat=compat)
        except ValueError as error:
            mistakes.add(field.where or f'field "{field.name}"', str(error))


class RecordDistance:
    """Compares blocks of records as a schema says.

    cutoff is the largest scaled distance that is kept. compat gives sifarish's answer where it is known to be
    wrong. `counters` gathers what happened, under sifarish's names: (group, name) -> pairs.
    """

    def __init__(self, schema: Schema, scale: int, cutoff: int, compat: bool = False):
        self.fields = schema.fields
        self.measures: list[Measure] = [
            registry.build(field.measure, field.parameters, compat=compat) for field in schema.fields
        ]
        self.cutoff = cutoff
        self.score = WeightedDistance.of(schema, scale, compat)
        self.counters: Counter[tuple[str, str]] = Counter()
        # With compat a measure may give NaN, and counters are those of sifarish, which goes field by field.
        in_order = compat or any(field.missing == "previous" for field in schema.fields)
        self._cascade = None if in_order else Cascade(self.fields, self.measures, self.score, cutoff)

    def column(self, number: int, values: Sequence[str]) -> Column:
        """The column of field `number` (in schema order) for records with these raw values, "" for missing."""
        field, measure = self.fields[number], self.measures[number]
        raw, codes = distinct(values)
        compared = fold(raw, field.fold) if field.fold else raw
        empty = np.array([value == "" for value in compared], dtype=bool)
        unfit = np.array([value != "" and measure.fault(value) is not None for value in compared], dtype=bool)
        faulty = np.array([value != "" and measure.format_error(value) for value in compared], dtype=bool)
        return Column(compared, codes, empty | unfit, faulty)

    def compare(self, rows: Block, columns: Block, tile: int = TILE) -> Iterator[Found]:
        """The pairs of a row and a column that are at or under the cutoff, tile by tile.

        Where both are the same block, each pair of two different records once; else every row meets every
        column.
        """
        same = rows is columns
        if self._cascade is not None:
            self._cascade.choose_order(rows.columns, columns.columns, tile)
            self._count_all(rows, columns)
        for top in range(0, len(rows), tile):
            upper = np.arange(top, min(top + tile, len(rows)))
            for left in range(top if same else 0, len(columns), tile):
                across = np.arange(left, min(left + tile, len(columns)))
                if self._cascade is not None:
                    a, b = rows.take(upper), columns.take(across)
                    triangle = same and left == top
                    i, j, distances = self._cascade.compare(a.columns, b.columns, (a.rank, b.rank), triangle)
                    size = len(upper) * len(across)
                    compared = len(upper) * (len(upper) - 1) // 2 if triangle else size
                    yield Found(i + top, j + left, distances, compared)
                    continue
                if same and left == top:
                    i, j = np.triu_indices(len(upper), k=1)
                else:
                    i = np.repeat(np.arange(len(upper)), len(across))
                    j = np.tile(np.arange(len(across)), len(upper))
                found_rows, found_columns, distances = self._compare_tile(
                    rows.take(upper), columns.take(across), i, j
                )
                yield Found(found_rows + top, found_columns + left, distances, len(i))

    def _count_all(self, rows: Block, columns: Block) -> None:
        """Count the pairs in which the value of a field is missing, or cannot be read."""

        def pairs_with(left: Mask, right: Mask) -> int:
            without = int(np.count_nonzero(~left)), int(np.count_nonzero(~right))
            if rows is columns:
                return (len(left) * (len(left) - 1) - without[0] * (without[0] - 1)) // 2
            return len(left) * len(right) - without[0] * without[1]

        for field, left, right in zip(self.fields, rows.columns, columns.columns, strict=True):
            column = f"Field:{field.ordinal}"
            if missing := pairs_with(left.missing[left.codes], right.missing[right.codes]):
                self.counters["Missing Data", column] += missing
                policy = "Distance Set at Max" if field.missing == "max" else "FieldSkipped"
                self.counters["Missing Data", policy] += missing
            if faulty := pairs_with(left.faulty[left.codes], right.faulty[right.codes]):
                self.counters["Invalid Data Format", column] += faulty

    def _compare_tile(
        self, rows: Block, columns: Block, i: Positions, j: Positions
    ) -> tuple[Positions, Positions, NDArray[np.int64]]:
        """Those of the pairs (i[k], j[k]) of a tile that are at or under the cutoff, and their distances."""
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
