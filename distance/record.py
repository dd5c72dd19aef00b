"""How far apart two records are: the distances of their fields, cut by thresholds, aggregated to one number.

Works on blocks of records as columns, in tiles, so that a measure sees each pair of distinct values once.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pehchan.distance import registry
from pehchan.distance.aggregation import WeightedDistance
from pehchan.distance.arrays import Mask, Positions, distinct, uncollected
from pehchan.distance.cascade import LEAST_PAIR_COST, Cascade
from pehchan.distance.columns import Block, Column, pairs_between
from pehchan.distance.fold import fold
from pehchan.distance.in_order import InOrder
from pehchan.distance.index import Index
from pehchan.distance.measure import Distances, Measure
from pehchan.distance.signatures import Signatures
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.schema import Schema

#: Rows and columns of a tile: large enough for the measures to run at full speed, small enough for the cache.
TILE = 1024

#: Fields from which on tiles are smaller: the distances of each are held for a whole tile, 8 MB of a large one.
TILE_FIELDS = 10

#: Bytes that an index may hold where nobody says how many.
ROOM = 250_000_000

#: Pairs on which the steps of a comparison are looked at.
STEP_PAIRS = 20_000


@dataclass(frozen=True)
class Found:
    """Pairs of a tile at or under the cutoff: positions int64[m] in both blocks, scaled distances int64[m].

    compared  pairs that were compared for it
    decided   pairs of which it is known now whether they are kept
    """

    rows: Positions
    columns: Positions
    distances: NDArray[np.int64]
    compared: int
    decided: int


@dataclass(frozen=True)
class Step:
    """What one field does in its turn, or the sketches of several before all distances.

    numbers  of the field, or of the fields, in the schema, from 0
    limit    raw distance above which the field cuts a pair, inf for none
    left     share of all pairs that is left after it, in [0, 1]
    sketch   whether it is sketches
    """

    numbers: tuple[int, ...]
    limit: float
    left: float
    sketch: bool = False


def check_measures(schema: Schema, compat: bool, mistakes: Mistakes) -> None:
    """Add a mistake for every field whose measure or parameters are not as the registry has them."""
    for field in schema.fields:
        try:
            registry.build(field.measure, field.parameters, compat=compat)
        except ValueError as error:
            mistakes.add(field.where or f'field "{field.name}"', str(error))


def prepared_bytes(schema: Schema) -> tuple[int, ...]:
    """`Measure.prepared_bytes` of each field; 0 where its measure is none."""
    known = registry.MEASURES
    return tuple(
        known[field.measure].prepared_bytes if field.measure in known else 0 for field in schema.fields
    )


class RecordDistance:
    """Compares blocks of records as a schema says.

    cutoff is the largest scaled distance that is kept. compat gives sifarish's answer where it is known to be
    wrong. `tile` is how many rows and columns are compared at a time. `counters` gathers what happened, under
    sifarish's names: (group, name) -> pairs.

    search  "tiles" compares all pairs, "signatures" only those that an index finds wherever there is one, "auto"
            does what costs less; the pairs that are found are the same
    room    bytes that an index may hold, about
    index   the index that was planned; None where none was
    """

    def __init__(
        self,
        schema: Schema,
        scale: int,
        cutoff: int,
        compat: bool = False,
        search: str = "auto",
        room: float = ROOM,
        index: Index | None = None,
    ):
        self.fields = schema.fields
        self.measures: list[Measure] = [
            registry.build(field.measure, field.parameters, compat=compat) for field in schema.fields
        ]
        self.cutoff = cutoff
        self.tile = min(TILE, math.isqrt(TILE * TILE * TILE_FIELDS // max(1, len(self.fields))))
        self.score = WeightedDistance.of(schema, scale, compat)
        self.counters: Counter[tuple[str, str]] = Counter()
        in_order = compat or any(field.missing == "previous" for field in schema.fields)
        compared = self.fields, self.measures, self.score, cutoff, self.counters
        self._tiles = InOrder(*compared) if in_order else Cascade(*compared)
        self._search, self._room, self._planned = search, room, index

    def column(self, number: int, values: Sequence[str]) -> Column:
        """The column of field `number` (in schema order) for records with these raw values, "" for missing."""
        field, measure = self.fields[number], self.measures[number]
        raw, codes = distinct(values)
        compared = fold(raw, field.fold) if field.fold else raw
        # Most measures can read every value: not to ask them is faster.
        may_fail = type(measure).fault is not Measure.fault
        absent: set[int] = set()
        if may_fail or "" in compared:
            absent = {
                k
                for k, value in enumerate(compared)
                if not value or (may_fail and measure.fault(value) is not None)
            }
        present = len(compared) - len(absent)
        if absent:
            # The values that are there come first.
            order = sorted(range(len(compared)), key=absent.__contains__)
            place = np.empty(len(order), dtype=np.int32)
            place[order] = np.arange(len(order), dtype=np.int32)
            compared, codes = [compared[k] for k in order], place[codes]
        faulty = np.zeros(len(compared), dtype=bool)
        # What is there can be read, but sifarish compares also what it cannot read.
        for k in range(0 if self.score.compat else present, len(compared)):
            faulty[k] = compared[k] != "" and measure.format_error(compared[k])
        return Column(compared, codes, present, faulty, measure.prepare(compared[:present]))

    def block(self, columns: Iterable[Sequence[str]], rank: Positions) -> Block:
        """The block of records with these raw values, a column a field in schema order, and with these ranks.

        The columns are read one after the other, so that no two of their lists need be there at a time.
        """
        with uncollected():
            return Block([self.column(number, values) for number, values in enumerate(columns)], rank)

    def compare(self, rows: Block, columns: Block, tile: int | None = None, part: int = 0) -> Iterator[Found]:
        """The pairs of a row and a column that are at or under the cutoff, some at a time.

        part  of the planned index: its pairs alone; what has no parts is all in the first of them

        Where both are the same block, each pair of two different records once; else every row meets every
        column. The two are parts of one block (`Block.take`), whose values were read together; raises ValueError
        for others.
        """
        if any(a.prepared is not b.prepared for a, b in zip(rows.columns, columns.columns, strict=True)):
            raise ValueError("rows and columns are not of one block")
        tile = tile or self.tile
        self._tiles.begin(rows, columns, tile)
        if not part:
            self._tiles.count(rows, columns)
        index = self._index(rows, columns)
        if part and (index is None or not index.parts):
            return
        if index is not None and isinstance(self._tiles, Cascade):
            for (i, j, distances), compared in Signatures(self._tiles, self._room).close(
                rows, columns, index, part
            ):
                yield Found(i, j, distances, compared, 0)
            nothing = np.zeros(0, dtype=np.int64)
            if not part:
                yield Found(nothing, nothing, nothing, 0, int(index.all_pairs))
            return
        upper = _cut(rows, tile)
        across = upper if rows is columns else _cut(columns, tile)
        for top, above in upper:
            for left, beside in across:
                if rows is columns and left < top:
                    continue
                i, j, distances = self._tiles.compare(above, beside)
                compared = pairs_between(above, beside)
                yield Found(i + top, j + left, distances, compared, compared)

    def listed(self, block: Block, pairs: Iterable[tuple[Positions, Positions]]) -> Iterator[Found]:
        """Of the pairs of records i[k] and j[k] of a block, list by list, those at or under the cutoff."""
        self._tiles.begin(block, block, self.tile)
        for i, j in pairs:
            self._tiles.count_listed(block, i, j)
            yield Found(*self._tiles.listed(block, block, i, j), len(i), len(i))

    def by_field(self, block: Block, i: Positions, j: Positions) -> list[tuple[Distances, Mask]]:
        """float64[n] and bool[n] of each field: raw distances of pairs of records, and where a value is missing."""
        found = []
        for column in block.columns:
            a, b = column.codes[i], column.codes[j]
            missing = column.missing[i] | column.missing[j]
            there = np.flatnonzero(~missing)
            raw = np.ones(len(i))
            raw[there] = column.prepared.pairs(a[there].astype(np.int64), b[there].astype(np.int64), 1.0)
            found.append((raw, missing))
        return found

    def _index(self, rows: Block, columns: Block) -> Index | None:
        """The index that finds the pairs of two blocks; None where all of them are compared, with sketches or not."""
        if not isinstance(self._tiles, Cascade) or self._search == "tiles":
            self._tiles.sketch(rows, columns)
            return None
        index = Signatures(self._tiles, self._room).index(rows, columns, self._asked, self._planned)
        # Where all pairs would cost more even with the best of sketches, none are made.
        if index is not None and (
            self._asked or self._planned or index.cost < index.all_pairs * LEAST_PAIR_COST
        ):
            return index
        self._tiles.sketch(rows, columns)
        return index if index is not None and index.cost < index.all_pairs * self._tiles.pair_cost else None

    @property
    def _asked(self) -> bool:
        return self._search == "signatures"

    def foresee(
        self, rows: Block, columns: Block, more: tuple[Block, Block] | None = None
    ) -> Callable[[float, float, float], tuple[float, list[Index]]]:
        """What it costs to compare blocks that are so many times as large, of which these are a sample.

        The function gives for a number of times, the pairs that then meet, and bytes that an index may hold, the
        microseconds, about, to compare all pairs, and the indexes that cost less, the cheapest first. Those that may
        be chosen are looked at in more records, of which rows and columns are some. No other blocks may be compared
        meanwhile.
        """
        self._tiles.begin(rows, columns, self.tile)
        self._tiles.sketch(rows, columns)
        indexes = None
        if isinstance(self._tiles, Cascade) and self._search != "tiles":
            indexes = Signatures(self._tiles, self._room).foresee(rows, columns, more, self._asked)

        def cost(times: float, pairs: float, room: float) -> tuple[float, list[Index]]:
            return pairs * self._tiles.pair_cost, indexes(times, pairs, room) if indexes else []

        return cost

    def steps(self, block: Block) -> list[Step]:
        """What sketches and each field do in their turn, by some pairs of a block of two records or more."""
        self._tiles.begin(block, block, self.tile)
        self._tiles.sketch(block, block)
        # Pairs spread over the block, and the same on every machine.
        i = np.arange(STEP_PAIRS, dtype=np.int64) % len(block)
        j = (i + 1 + np.arange(STEP_PAIRS) // len(block) % (len(block) - 1)) % len(block)
        total = np.zeros(STEP_PAIRS)
        left = np.ones(STEP_PAIRS, dtype=bool)
        steps = []
        if self._tiles.sketches is not None:
            left = self._tiles.sketches.beyond(block.take(i), block.take(j)) <= 0
            steps.append(Step(self._tiles.sketches.numbers, math.inf, float(left.mean()), sketch=True))
        for number in self._tiles.order:
            raw, absent = self._tiles.measured(number, block, block, i, j)
            total += self.score.share(self.fields[number], raw, absent)
            left &= (raw <= self._tiles.limits[number]) & (total <= self._tiles.largest_total)
            steps.append(Step((number,), self._tiles.limits[number], float(left.mean())))
        return steps


def _cut(block: Block, tile: int) -> list[tuple[int, Block]]:
    """Tiles of a block, each with the position where it begins."""
    return [
        (start, block.take(np.arange(start, min(start + tile, len(block)))))
        for start in range(0, len(block), tile)
    ]
