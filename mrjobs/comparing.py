"""How the records of a cell are compared: the reducer of record_similarity."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.arrays import Positions
from pehchan.distance.columns import Block, pairs_between
from pehchan.distance.index import Index
from pehchan.distance.record import Found, RecordDistance
from pehchan.metadata.java import bucket as java_bucket
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.joins.all_pairs import Cell, Route
from pehchan.mrjobs.joins.blocking import SHARED, is_beyond
from pehchan.mrjobs.joins.neighbours import order_of
from pehchan.mrjobs.listed import LISTED_PAIRS, neighbours_of, pairs_of
from pehchan.mrjobs.met_before import MetBefore
from pehchan.mrjobs.wire import Batch, Pairs

#: Pairs a line of output holds at the most, and about how many characters of their records.
PAIRS_A_LINE = 1000
LINE_CHARACTERS = 1_000_000


class CellComparison:
    """Compares the records of one cell after the other.

    count         is told (group, name, amount) for the counters
    sign_of_life  is told of how many pairs more it is known whether they are kept
    """

    def __init__(
        self,
        plan: Plan,
        count: Callable[[str, str, int], None],
        sign_of_life: Callable[[int], None],
    ):
        self.plan = plan
        self._count, self._sign_of_life = count, sign_of_life
        self._join = join_of(plan)
        settings = plan.settings
        self._distance = RecordDistance(
            plan.schema,
            settings.scale,
            plan.cutoff,
            settings.compat,
            settings.search,
            plan.index_room,
            Index(plan.index_limits, loose=frozenset(plan.index_loose), parts=plan.index_parts)
            if plan.index_limits
            else None,
        )

    def of_neighbours(self, cell: Cell) -> bool:
        """Whether in this cell only neighbours meet, which may be neighbours elsewhere as well."""
        return self._join.window(cell) is not None

    def pairs(self, cell: Cell, batches: Iterable[Batch], part: int = 0) -> Iterator[Pairs]:
        """The pairs of a cell at or under the cutoff; of several tasks that share them, those of one part."""
        batches = list(batches)
        window = self._join.window(cell)
        if window is not None:
            yield from self._neighbours(batches, window)
            return
        routes = sorted({route for batch in batches for route in routes_of(batch)})
        meetings = list(self._join.meetings(cell, routes))
        if not meetings:
            return
        records = CellRecords(self.plan, self._distance, batches, routes)
        del batches
        if records.met_before is not None:
            few = [meeting for meeting in meetings if records.size(*meeting) <= LISTED_PAIRS]
            meetings = [meeting for meeting in meetings if records.size(*meeting) > LISTED_PAIRS]
            yield from self._few_pairs(records, records.met_before, few)
        for first, second in meetings:
            if records.met_before is not None:
                yield from self._new_pairs(records, records.met_before, first, second)
                continue
            rows = records.block(first)
            columns = records.block(second)
            left, right = records.places[first], records.places[second]
            for found in self._distance.compare(rows, columns, part=part):
                yield from self._kept(records, left[found.rows], right[found.columns], found)
        if records.same_given_id:
            self._count("Distance Data", "Same ID", records.same_given_id)

    def _neighbours(self, batches: Sequence[Batch], window: int) -> Iterator[Pairs]:
        """The pairs of the records of a range with the next in their order, without those that met before."""
        order, own = in_order(batches, window)
        records = CellRecords(self.plan, self._distance, batches, sorted({batch.route for batch in batches}))
        sets, met_before = records.sets, records.met_before

        def new_pairs() -> Iterator[tuple[Positions, Positions]]:
            for i, j in neighbours_of(order, own, window):
                if self.plan.sets != ("",):
                    of_two = sets[i] != sets[j]
                    i, j = i[of_two], j[of_two]
                assert met_before is not None
                new = ~met_before.met(i, j)
                self._count("Pairs", "Met before", len(i) - int(np.count_nonzero(new)))
                yield i[new], j[new]

        for found in self._distance.listed(records.whole, new_pairs()):
            yield from self._kept(records, found.rows, found.columns, found)
        if records.same_given_id:
            self._count("Distance Data", "Same ID", records.same_given_id)

    def _few_pairs(
        self, records: "CellRecords", met_before: MetBefore, meetings: Sequence[tuple[Route, Route]]
    ) -> Iterator[Pairs]:
        """The pairs of many small meetings, without those that met before."""

        def new_pairs() -> Iterator[tuple[Positions, Positions]]:
            places = records.places
            for i, j in pairs_of([(places[first], places[second]) for first, second in meetings]):
                new = ~met_before.met(i, j)
                self._count("Pairs", "Met before", len(i) - int(np.count_nonzero(new)))
                yield i[new], j[new]

        for found in self._distance.listed(records.whole, new_pairs()):
            yield from self._kept(records, found.rows, found.columns, found)

    def _new_pairs(
        self, records: "CellRecords", met_before: MetBefore, first: Route, second: Route
    ) -> Iterator[Pairs]:
        """The pairs of a meeting, without those that met before; in a large one these are compared all the same."""
        left, right, again = met_before.unmet(records.places[first], records.places[second])
        new_pairs = pairs_between(left, right) - again
        self._count("Pairs", "Met before", records.size(first, second) - new_pairs)
        if not new_pairs:
            return
        rows = records.whole.take(left)
        columns = rows if left is right else records.whole.take(right)
        compared = 0
        for found in self._distance.compare(rows, columns):
            compared += found.compared
            a, b = left[found.rows], right[found.columns]
            new = ~met_before.met(a, b)
            only = replace(
                found, rows=found.rows[new], columns=found.columns[new], distances=found.distances[new]
            )
            yield from self._kept(records, a[new], b[new], only)
        if compared == new_pairs + again:
            # Found by an index they are not all compared, and nobody knows how many of them met before.
            self._count("Pairs", "Compared", -again)

    def _kept(self, records: "CellRecords", a: Positions, b: Positions, found: Found) -> Iterator[Pairs]:
        """The pairs found, of the records at positions a[k] and b[k]."""
        a, b, distances = records.in_order(a, b, found.distances)
        for start in range(0, len(a), records.pairs_a_line):
            some = slice(start, start + records.pairs_a_line)
            yield records.pairs(a[some], b[some], distances[some])
        self._count("Pairs", "Kept", len(a))
        self._count("Pairs", "Compared", found.compared)
        self._sign_of_life(found.decided)

    def finish(self) -> None:
        """Hand on what was counted while records were compared."""
        for (group, name), amount in self._distance.counters.items():
            self._count(group, name, amount)


class CellRecords:
    """The records of one cell, in a defined order, as blocks by route."""

    def __init__(
        self, plan: Plan, distance: RecordDistance, batches: Sequence[Batch], routes: Sequence[Route]
    ):
        self.plan = plan
        self._as_java = plan.settings.compat and plan.sets == ("",)
        #: Pairs left out because both records were given the same id, as sifarish does.
        self.same_given_id = 0
        sizes = [len(batch.ids) for batch in batches]
        # Taking many from an array is faster than from a list.
        self._ids = _objects(chain.from_iterable(batch.ids for batch in batches))
        #: The set of each record.
        self.sets = _objects(batch.route[1] for batch in batches).repeat(sizes)
        self._items = _objects(chain.from_iterable(batch.items for batch in batches))
        ordinal = plan.schema.id_ordinal
        self._given_ids = None
        if self._as_java and ordinal is not None:
            self._given_ids = _objects(items[ordinal] for items in self._items)
        #: As many as fit where all of them are of the longest records.
        longest = max((len("".join(items)) for items in self._items), default=0)
        self.pairs_a_line = max(1, min(PAIRS_A_LINE, LINE_CHARACTERS // max(1, 2 * longest)))
        order = self._order()
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        columns = (
            list(chain.from_iterable(batch.columns[number] for batch in batches))
            for number in range(len(plan.schema.fields))
        )
        self.whole = distance.block(columns, rank)
        #: None where records meet in one group only.
        self.met_before = None
        if any(batch.blocks for batch in batches):
            self.met_before = MetBefore([blocks[:-1] for batch in batches for blocks in batch.blocks])
        self._rank = rank
        number_of = {each: number for number, each in enumerate(routes)}
        of_batches = [
            np.broadcast_to([number_of[each] for each in routes_of(batch)], len(batch.ids))
            for batch in batches
        ]
        route = np.concatenate(of_batches)[order]
        of_each = np.split(order[np.argsort(route, kind="stable")], np.bincount(route).cumsum()[:-1])
        #: The positions of the records of each route.
        self.places = dict(zip(routes, of_each, strict=True))
        self._blocks: dict[Route, Block] = {}

    def _order(self) -> Positions:
        """int64[n]: the positions of the records in their order; of two, the earlier comes first in their pair."""
        ids, sets = self._ids.tolist(), self.sets.tolist()
        keys: Sequence[object] = ids if len(set(sets)) == 1 else list(zip(sets, ids, strict=True))
        if self._as_java:
            # sifarish: the record of the higher bucket comes first.
            count = self.plan.settings.bucket_count or 1000
            keys = [(-java_bucket(record_id, count), record_id) for record_id in ids]
        return np.array(sorted(range(len(ids)), key=keys.__getitem__), dtype=np.int64)

    def size(self, first: Route, second: Route) -> int:
        """How many pairs there are between two routes, or within one."""
        return pairs_between(self.places[first], self.places[second])

    def block(self, route: Route) -> Block:
        """The records of a route."""
        if route not in self._blocks:
            self._blocks[route] = self.whole.take(self.places[route])
        return self._blocks[route]

    def in_order(
        self, a: Positions, b: Positions, distances: NDArray[np.int64]
    ) -> tuple[Positions, Positions, NDArray[np.int64]]:
        """int64[m] each: pairs found, as positions of their records, the first of them first; distances."""
        swapped = self._rank[a] > self._rank[b]
        a, b = np.where(swapped, b, a), np.where(swapped, a, b)
        if self._given_ids is None:
            return a, b, distances
        same = (self._given_ids[a] == self._given_ids[b]) & (self._given_ids[a] != "")
        self.same_given_id += int(np.count_nonzero(same))
        return a[~same], b[~same], distances[~same]

    def pairs(self, a: Positions, b: Positions, distances: NDArray[np.int64]) -> Pairs:
        """The pairs of the records at positions a[k] and b[k]."""
        return Pairs(
            *(column[side].tolist() for side in (a, b) for column in (self.sets, self._ids)),
            distances.tolist(),
            *(self._items[side].tolist() if len(self._items) else [] for side in (a, b)),
        )


def in_order(batches: Sequence[Batch], window: int) -> tuple[Positions, int]:
    """int64[n]: the positions of the records of a range in their order, and the first of those beyond it, as many as
    a window holds; how many of them are its own.
    """
    own: list[tuple[tuple[str, ...], int]] = []
    following: list[tuple[tuple[str, ...], int]] = []
    position = 0
    for batch in batches:
        side = following if is_beyond(batch.route) else own
        for k, record_id in enumerate(batch.ids):
            compared = [column[k] for column in batch.columns]
            side.append((order_of(batch.blocks[k][-1], compared, record_id, batch.route[1]), position))
            position += 1
    own.sort()
    following.sort()
    return np.array([each for _, each in own + following[:window]], dtype=np.int64), len(own)


def routes_of(batch: Batch) -> list[Route]:
    """The route of all records of a batch; in a shared cell, where blocks have routes of their own, of each."""
    if batch.route[0] != SHARED or not batch.blocks:
        return [batch.route]
    return [(blocks[-1], batch.route[1], 0) for blocks in batch.blocks]


def _objects(values: Iterable[object]) -> NDArray[np.object_]:
    """One object each, also where these are lists."""
    listed = list(values)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array
