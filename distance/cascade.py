"""Which pairs of a tile are close: the fields one after the other, the next only for pairs that may still be close.

The sum over the fields only grows. So a field alone says by how far its raw distance may go, and a pair is cut
once the sum so far exceeds what the cutoff allows. Where it pays, sketches of the records cut most pairs before any
distance is measured. Of what is left all raw distances are known, and the exact score decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import is_not

import numpy as np

from pehchan.distance.arrays import STRIP, Mask, Positions, spread
from pehchan.distance.columns import Block, Side
from pehchan.distance.curves import largest_raw
from pehchan.distance.measure import Distances, Measure, Prepared
from pehchan.distance.sketch import AT_ONCE, FieldSketch, Sketches, field_sketches
from pehchan.distance.tiles import Close, TileComparison, with_absent
from pehchan.metadata.schema import Field

#: More than what rounding can take from a bound, as a share of it.
ROUNDING = 1e-9

#: Microseconds, about, that a field of a pair costs besides its measure: in a tile, and in a list.
IN_TILE, IN_LIST = 0.01, 0.05

#: Microseconds, about, that a sketch costs a pair of a tile, besides each of its words of bits.
IN_SKETCH, IN_WORD = 0.001, 0.001

#: Share of the pairs that sketches leave, about, that the first field leaves to the others.
AFTER_THE_FIRST = 0.25

#: Microseconds, about, that a pair of a tile costs at the least.
LEAST_PAIR_COST = IN_SKETCH + IN_WORD

#: Pairs that a value has to be in, about, before it is worth sketching.
PAIRS_A_SKETCH = 500

#: Pairs of two blocks from which on it is looked at what the fields cut, and on how many of them.
WORTH_A_LOOK, SAMPLE = 100_000, 1000

#: What a field that brings pairs nearer to being cut is worth beside one that cuts them.
BRINGS_NEARER = 0.1


@dataclass(frozen=True)
class _Tile:
    """Raw distances of one field for all pairs of a tile: of the distinct values, and which record has which.

    skipped  what an absent value does: True, the field does not count; False, it is 1 apart
    """

    apart: Distances
    left: Side
    right: Side
    skipped: bool

    def within(self, limit: float) -> Mask:
        """bool[rows, columns]: which pairs this field does not cut."""
        kept = spread(self.apart <= limit, self.left.code, self.right.code)
        absent_kept = self.skipped or limit >= 1.0
        if self.left.absent is not None:
            kept[self.left.absent] = absent_kept
        if self.right.absent is not None:
            kept[:, self.right.absent] = absent_kept
        return kept

    def strip(self, rows: slice) -> tuple[Distances, Mask | None]:
        """float64[n * columns] raw distances of n rows with all columns, and bool where the field does not count."""
        left, right = self.left, self.right
        raw = spread(self.apart, left.code[rows], right.code)
        if left.absent is None and right.absent is None:
            return raw.ravel(), None
        absent = np.zeros(raw.shape, dtype=bool)
        if left.absent is not None:
            absent[left.absent[rows]] = True
        if right.absent is not None:
            absent[:, right.absent] = True
        raw[absent] = 0.0 if self.skipped else 1.0
        return raw.ravel(), absent.ravel() if self.skipped else None

    def listed(self, i: Positions, j: Positions) -> tuple[Distances, Mask | None]:
        """The same of the pairs (i[k], j[k])."""
        if not self.apart.size:
            raw = np.zeros(len(i))
        else:
            raw = self.apart[self.left.code[i], self.right.code[j]]
        return with_absent(raw, self.left, self.right, i, j, self.skipped)


class Cascade(TileComparison):
    """Compares tiles of records as a schema says, for a cutoff.

    Not for fields whose missing values take the distance of the field before, nor for measures that may give
    NaN or negative numbers: these need all fields in the order of the schema. `counters` gathers in how many pairs
    a value was missing.
    """

    #: What was sketched last, field by field, and of which values.
    _sketched: Mapping[int, FieldSketch] = {}
    _sketched_values: Sequence[Prepared] = ()

    def begin(self, rows: Block, columns: Block, tile: int) -> None:
        self.largest_total = self._largest_total()
        self.limits = [
            self._limit(field, measure) for field, measure in zip(self.fields, self.measures, strict=True)
        ]
        self._costs = [self._cost(number, rows, columns, tile) for number in range(len(self.fields))]
        self.order: Sequence[int] = range(len(self.fields))
        self._sum_after: int | None = None
        self.sketches = None
        #: Microseconds, about, that a pair costs where all are compared.
        self.pair_cost = sum(self._costs) + IN_TILE * len(self.fields)
        if len(rows) * len(columns) >= WORTH_A_LOOK:
            self.pair_cost = self._choose_order(*_some_pairs(rows, columns))

    def _largest_total(self) -> float:
        if self.cutoff >= self.score.scale:
            # An exploded field makes a pair no farther apart than the scale, however large the sum.
            return np.inf
        for field, measure in zip(self.fields, self.measures, strict=True):
            # An imploded field makes a pair 0 apart; beyond 1 such a curve falls below 0.
            falls = field.curve.kind == "nonLinear" and field.curve.w < 1 and not measure.bounded
            if field.implode > 0 or falls:
                return np.inf
        return self.score.largest_total(self.cutoff) * (1 + ROUNDING) + ROUNDING

    def _limit(self, field: Field, measure: Measure) -> float:
        largest = largest_raw(field.curve, self.score.effective_of(self.largest_total / field.weight))
        largest = np.inf if measure.bounded and largest >= 1 else largest * (1 + ROUNDING) + ROUNDING
        return largest if field.threshold is None else min(largest, field.threshold)

    def count(self, rows: Block, columns: Block) -> None:
        def pairs_with(left: Mask, right: Mask) -> int:
            without = int(np.count_nonzero(~left)), int(np.count_nonzero(~right))
            if rows is columns:
                return (len(left) * (len(left) - 1) - without[0] * (without[0] - 1)) // 2
            return len(left) * len(right) - without[0] * without[1]

        for field, left, right in zip(self.fields, rows.columns, columns.columns, strict=True):
            faulty = pairs_with(left.faulty[left.codes], right.faulty[right.codes])
            self._add(field, pairs_with(left.missing, right.missing), faulty)

    def count_listed(self, block: Block, i: Positions, j: Positions) -> None:
        def pairs_with(some: Mask) -> int:
            return int(np.count_nonzero(some[i] | some[j])) if some.any() else 0

        for field, column in zip(self.fields, block.columns, strict=True):
            self._add(field, pairs_with(column.missing), pairs_with(column.faulty[column.codes]))

    def _add(self, field: Field, missing: int, faulty: int) -> None:
        column = f"Field:{field.ordinal}"
        if missing:
            self.counters["Missing Data", column] += missing
            policy = "Distance Set at Max" if field.missing == "max" else "FieldSkipped"
            self.counters["Missing Data", policy] += missing
        if faulty:
            self.counters["Invalid Data Format", column] += faulty

    def _cost(self, number: int, rows: Block, columns: Block, tile: int) -> float:
        """Microseconds, about, that a field costs for each pair of a tile."""
        distinct = 1.0
        for block in (rows, columns):
            distinct *= min(1.0, len(block.columns[number].values) / max(1, min(len(block), tile)))
        return self.measures[number].cost * distinct + IN_TILE

    def _choose_order(self, left: Block, right: Block) -> float:
        """Each next field is the one that cuts most for what it costs, by a look at some pairs.

        Decides also after which field the sums so far are added up for all pairs of a tile, None for none.
        Returns the microseconds, about, that a pair of a tile then costs.
        """
        here = np.arange(len(left), dtype=np.int64)
        cuts, shares = [], []
        for number, field in enumerate(self.fields):
            raw, absent = self.measured(number, left, right, here, here)
            cuts.append(raw > self.limits[number])
            shares.append(self.score.share(field, raw, absent))
        order: list[int] = []
        rest = list(range(len(self.fields)))
        costs, listed = self._costs, [measure.listed_cost + IN_LIST for measure in self.measures]
        total, alive, by_limits = np.zeros(SAMPLE), np.ones(SAMPLE, dtype=bool), np.ones(SAMPLE, dtype=bool)

        def gain(number: int) -> float:
            cut = cuts[number] | (total + shares[number] > self.largest_total)
            nearer = 0.0
            if self.largest_total < np.inf:
                nearer = float(np.sum(np.minimum(shares[number][alive] / self.largest_total, 1.0)))
            return (float(np.sum(alive & cut)) + BRINGS_NEARER * nearer) / costs[number]

        cost, share = 0.0, 1.0
        while rest:
            best = max(rest, key=lambda number: (gain(number), -costs[number], -number))
            order.append(best)
            rest.remove(best)
            cost += share * costs[best]
            total = total + shares[best]
            by_limits = by_limits & ~cuts[best]
            alive = by_limits & (total <= self.largest_total)
            if costs is not listed and self._lists(float(np.mean(alive)), rest):
                # From here on pairs are listed.
                costs = listed
                if not self._lists(float(np.mean(by_limits)), rest):
                    self._sum_after = best
                    cost += IN_TILE * len(order)
                cost += float(np.mean(alive)) * IN_LIST * len(self.fields)
            if costs is listed:
                share = float(np.mean(alive))
        self.order = order
        return cost if costs is listed else cost + IN_TILE * len(order)

    def sketch(self, rows: Block, columns: Block) -> None:
        """Sketch the fields that so tell most pairs apart, if with sketches a pair costs less than without."""
        if len(rows) * len(columns) < WORTH_A_LOOK or self.score.exponent < 1 or self.largest_total == np.inf:
            return
        fields = self._field_sketches(rows, columns)
        if not fields:
            return
        left, right = _some_pairs(rows, columns)
        reach = {
            number: np.mean(np.minimum(sketch.sizes, AT_ONCE)[rows.columns[number].codes])
            / self.fields[number].weight ** (1 / self.score.exponent)
            for number, sketch in fields.items()
        }
        by_reach = sorted(fields, key=lambda number: (reach[number], number))
        clearest = -np.inf
        for count in range(1, len(by_reach) + 1):
            some = {number: fields[number] for number in by_reach[:count]}
            sketches = Sketches(some, self.fields, self.score.exponent, self.largest_total)
            beyond = sketches.beyond(left, right)
            clear = float(np.mean(beyond) / (np.std(beyond) + 1))
            if clear > clearest:
                clearest, best, share = clear, sketches, float(np.mean(beyond <= 0))
        # The first field cuts most of what sketches leave.
        costs = [self.measures[number].listed_cost + 2 * IN_LIST for number in self.order]
        listed = costs[0] + AFTER_THE_FIRST * sum(costs[1:])
        cost = IN_SKETCH + IN_WORD * best.words + share * listed
        if cost < self.pair_cost:
            self.sketches, self.pair_cost = best, cost

    def _field_sketches(self, rows: Block, columns: Block) -> dict[int, FieldSketch]:
        """The sketches of the fields that can have one, by number; made once for all parts of a block."""
        values = [column.prepared for column in rows.columns]
        if len(values) != len(self._sketched_values) or any(map(is_not, values, self._sketched_values)):
            most = max(len(column.values) for column in rows.columns)
            if len(rows) * len(columns) < PAIRS_A_SKETCH * most:
                return {}
            self._sketched_values = values
            self._sketched = field_sketches(
                {
                    number: rows.columns[number]
                    for number, field in enumerate(self.fields)
                    if field.curve.kind == "none"
                }
            )
        return {
            number: sketch
            for number, sketch in self._sketched.items()
            # What is left out of the sum is no distance.
            if self.fields[number].missing == "max"
            or not (rows.columns[number].missing.any() or columns.columns[number].missing.any())
        }

    def _lists(self, alive: float, rest: Sequence[int]) -> bool:
        """Whether such a share of the pairs of a tile costs less in a list, with the rest of the fields."""
        each = sum(self.measures[number].listed_cost + IN_LIST for number in rest) + IN_LIST * len(
            self.fields
        )
        return alive * each <= sum(self._costs[number] for number in rest) + IN_TILE * len(self.fields)

    def compare(self, rows: Block, columns: Block) -> Close:
        shape = len(rows), len(columns)
        alive = np.triu(np.ones(shape, dtype=bool), 1) if rows is columns else None
        tiles: dict[int, _Tile] = {}
        if self.sketches is not None:
            within = self.sketches.within(rows, columns)
            alive = within if alive is None else alive & within
            if self._lists(np.count_nonzero(alive) / alive.size, self.order):
                i, j = np.divmod(np.flatnonzero(alive), len(columns))
                return self._listed(tiles, rows, columns, i, j)
        for number in self.order:
            tiles[number] = self._tile(number, rows, columns)
            kept = None
            if self.limits[number] < np.inf:
                kept = tiles[number].within(self.limits[number])
                alive = kept if alive is None else alive & kept
            if number == self._sum_after:
                kept = self._within_sum(tiles, shape)
                alive = kept if alive is None else alive & kept
            if kept is not None and alive is not None:
                rest = [other for other in self.order if other not in tiles]
                if self._lists(np.count_nonzero(alive) / alive.size, rest):
                    i, j = np.divmod(np.flatnonzero(alive), len(columns))
                    return self._listed(tiles, rows, columns, i, j)
        return self._all_of(tiles, alive, len(columns))

    def _within_sum(self, tiles: dict[int, _Tile], shape: tuple[int, int]) -> Mask:
        """bool[rows, columns]: which pairs the sum over the fields with a tile does not cut."""
        kept = np.empty(shape, dtype=bool)
        for start in range(0, shape[0], STRIP):
            strip = slice(start, start + STRIP)
            total = np.zeros(kept[strip].size)
            for number, tile in tiles.items():
                total += self.score.share(self.fields[number], *tile.strip(strip))
            kept[strip] = (total <= self.largest_total).reshape(-1, shape[1])
        return kept

    def _all_of(self, tiles: dict[int, _Tile], alive: Mask | None, width: int) -> Close:
        """Those of the pairs of a tile that are alive and close."""
        height = len(tiles[0].left.code)
        found: list[Close] = []
        for start in range(0, height, STRIP):
            strip = slice(start, start + STRIP)
            raw, absent = zip(
                *(tiles[number].strip(strip) for number in range(len(self.fields))), strict=True
            )
            scores = self.score.score([], [], raw, absent)
            kept = scores <= self.cutoff
            if alive is not None:
                kept &= alive[strip].ravel()
            close = np.flatnonzero(kept)
            i, j = np.divmod(close, width)
            found.append((i + start, j, scores[close].astype(np.int64)))
        i, j, distances = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return i, j, distances

    def listed(self, rows: Block, columns: Block, i: Positions, j: Positions) -> Close:
        return self._listed({}, rows, columns, i, j)

    def _listed(
        self, tiles: dict[int, _Tile], rows: Block, columns: Block, i: Positions, j: Positions
    ) -> Close:
        """Those of listed pairs that are close; the fields that have no tile yet are measured for them alone."""
        total = np.zeros(len(i))
        found: dict[int, tuple[Distances, Mask | None]] = {}
        for number in self.order:
            field, limit = self.fields[number], self.limits[number]
            if number in tiles:
                raw, absent = tiles[number].listed(i, j)
            else:
                raw, absent = self.measured(number, rows, columns, i, j)
            found[number] = raw, absent
            if limit == np.inf and self.largest_total == np.inf:
                continue
            total += self.score.share(field, raw, absent)
            # A field that does not count has the distance 0 and cuts nothing.
            kept = (raw <= limit) & (total <= self.largest_total)
            if not kept.all():
                i, j, total = i[kept], j[kept], total[kept]
                found = {
                    each: (raw[kept], None if absent is None else absent[kept])
                    for each, (raw, absent) in found.items()
                }
        in_order = [found[number] for number in range(len(self.fields))]
        scores = self.score.score([], [], [raw for raw, _ in in_order], [absent for _, absent in in_order])
        close = scores <= self.cutoff
        return i[close], j[close], scores[close].astype(np.int64)

    def _tile(self, number: int, rows: Block, columns: Block) -> _Tile:
        """The raw distances of one field for all pairs of a tile."""
        left, right = rows.sides[number], columns.sides[number]
        values, limit = rows.columns[number].prepared, self.limits[number]
        skipped = self.fields[number].missing == "skip"
        if not len(left.values) or not len(right.values):
            return _Tile(np.zeros((0, 0)), left, right, skipped)
        forward = values.matrix(left.values, right.values, limit)
        if self.measures[number].symmetric:
            return _Tile(forward, left, right, skipped)
        # The record of the smaller rank comes first, so values alone do not tell the distance.
        backward = values.matrix(right.values, left.values, limit).T
        first = left.rank[:, None] < right.rank[None, :]
        apart = np.where(first, *(spread(each, left.code, right.code) for each in (forward, backward)))
        return _Tile(apart, _each_its_own(left), _each_its_own(right), skipped)


def _some_pairs(rows: Block, columns: Block) -> tuple[Block, Block]:
    """The two records of some pairs each, spread over both blocks, and the same on every machine."""
    here = np.arange(SAMPLE, dtype=np.int64)
    return rows.take(here * len(rows) // SAMPLE), columns.take((here * 40_503 + 1) % len(columns))


def _each_its_own(side: Side) -> Side:
    """The side with a value a record, for distances that are those of records and not of values."""
    each = np.arange(len(side.code))
    return Side(each, each, side.absent, side.rank)
