"""How records meet and are compared: the parts of record_similarity."""

from collections.abc import Iterator, Sequence

import numpy as np
import orjson

from pehchan.distance.columns import Block
from pehchan.distance.record import Found, RecordDistance
from pehchan.metadata.java import bucket as java_bucket
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import ascii_json, decode_record
from pehchan.mrjobs.job import PlannedJob
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.joins.all_pairs import Route
from pehchan.mrjobs.wire import (
    PAIRS,
    RECORD,
    REJECTED,
    Batch,
    Identity,
    Pair,
    encode_pairs,
    read_tagged,
)

#: Batches a mapper may hold open at a time, as a multiple of the size of one.
BATCHES_HELD = 64

#: What an open batch takes besides its records, in characters.
OPEN_BATCH = 1000

#: Pairs a line of output holds at the most.
PAIRS_A_LINE = 1000


class ComparesRecords(PlannedJob):
    """Mapper and reducer that bring settled records together and compare them."""

    def start_routing(self) -> None:
        self._join = join_of(self.plan)
        self._batches: dict[Route, Batch] = {}
        self._held = 0

    def route_record(self, tag: bytes | None, payload: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Settled record -> batches for the cells where it meets others."""
        if tag is None:
            # A line of an earlier job; from an earlier step of this one the tag comes as the key.
            ((tag, payload),) = read_tagged((payload,))
        if tag == REJECTED:
            yield ascii_json(["x"]), payload
        if tag != RECORD:
            return
        record = decode_record(payload)
        route = self._join.route(record)
        if route is None:
            return
        batch = self._batches.get(route)
        if batch is None:
            batch = self._batches[route] = Batch(route, columns=[[] for _ in self.plan.schema.fields])
            self._held += OPEN_BATCH
        values = [record.items[field.ordinal or 0] for field in self.plan.schema.fields]
        for column, value in zip(batch.columns, values, strict=True):
            column.append(value)
        batch.ids.append(record.id)
        if self.plan.items_needed:
            batch.items.append(record.items)
        size = self.plan.characters(record)
        batch.size += size
        self._held += size
        limit = self.plan.settings.batch_bytes
        if batch.size >= limit:
            yield from self._send(self._batches.pop(route))
        elif self._held >= limit * BATCHES_HELD:
            yield from self._send_all()

    def _send(self, batch: Batch) -> Iterator[tuple[bytes, bytes]]:
        self._held -= batch.size + OPEN_BATCH
        encoded = batch.encode()
        for cell in self._join.cells(batch.route):
            yield ascii_json(["c", *cell]), encoded

    def _send_all(self) -> Iterator[tuple[bytes, bytes]]:
        while self._batches:
            yield from self._send(self._batches.popitem()[1])

    def stop_routing(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self._send_all()

    def start_comparing(self) -> None:
        plan = self.plan
        self._join = join_of(plan)
        self._distance = RecordDistance(
            plan.schema, plan.settings.scale, plan.cutoff, compat=plan.settings.compat
        )

    def compare_cell(self, key: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """A cell's batches -> pairs at or under the cutoff."""
        kind, *cell = orjson.loads(key)
        if kind == "x":
            yield from ((REJECTED, value) for value in values)
            return
        records = CellRecords(self.plan, self._distance, map(Batch.decode, values))
        for first, second in self._join.meetings(tuple(cell), records.routes):
            rows = records.blocks[first]
            columns = rows if first == second else records.blocks[second]
            for found in self._distance.compare(rows, columns):
                pairs = records.pairs(first, second, found)
                for start in range(0, len(pairs), PAIRS_A_LINE):
                    yield PAIRS, encode_pairs(pairs[start : start + PAIRS_A_LINE])
                self.count("Pairs", "Kept", len(pairs))
                self.count("Pairs", "Compared", found.compared)
                self.sign_of_life("compare", found.compared)
        if records.same_given_id:
            self.count("Distance Data", "Same ID", records.same_given_id)

    def stop_comparing(self) -> None:
        for (group, name), amount in self._distance.counters.items():
            self.count(group, name, amount)
        self.send_counters()


class CellRecords:
    """The records of one cell, in a defined order, as blocks by route."""

    def __init__(self, plan: Plan, distance: RecordDistance, batches: Iterator[Batch]):
        self.plan = plan
        self._as_java = plan.settings.compat and plan.sets == ("",)
        #: Pairs left out because both records were given the same id, as sifarish does.
        self.same_given_id = 0
        routes: list[Route] = []
        identities: list[Identity] = []
        items: list[Sequence[str]] = []
        columns: list[list[str]] = [[] for _ in plan.schema.fields]
        for batch in batches:
            routes.extend([batch.route] * len(batch.ids))
            identities.extend((batch.route[1], record_id) for record_id in batch.ids)
            items.extend(batch.items)
            for column, more in zip(columns, batch.columns, strict=True):
                column.extend(more)
        order = sorted(range(len(identities)), key=self._order(identities))
        self._identities = [identities[k] for k in order]
        self._items = [items[k] for k in order] if items else []
        coded = [distance.column(number, [column[k] for k in order]) for number, column in enumerate(columns)]
        whole = Block(coded, np.arange(len(order), dtype=np.int64))
        places: dict[Route, list[int]] = {}
        for place, k in enumerate(order):
            places.setdefault(routes[k], []).append(place)
        self.routes: list[Route] = sorted(places)
        self.places = {route: np.array(places[route], dtype=np.int64) for route in self.routes}
        self.blocks = {route: whole.take(self.places[route]) for route in self.routes}

    def _order(self, identities: list[Identity]):  # type: ignore[no-untyped-def]
        """Sort key of a record: of two, the smaller comes first in their pair."""
        settings = self.plan.settings
        if self._as_java:
            # sifarish: the record of the higher bucket comes first.
            count = settings.bucket_count or 1000
            return lambda k: (-java_bucket(identities[k][1], count), identities[k])
        return lambda k: identities[k]

    def pairs(self, first: Route, second: Route, found: Found) -> list[Pair]:
        """The pairs found between the blocks of two routes, each with its records in their order."""
        rows, columns = self.places[first][found.rows], self.places[second][found.columns]
        pairs = []
        for a, b, distance in zip(
            np.minimum(rows, columns).tolist(),
            np.maximum(rows, columns).tolist(),
            found.distances.tolist(),
            strict=True,
        ):
            if self._items:
                if self._as_java and self._same_given_id(a, b):
                    self.same_given_id += 1
                    continue
                pairs.append(
                    Pair(self._identities[a], self._identities[b], distance, self._items[a], self._items[b])
                )
            else:
                pairs.append(Pair(self._identities[a], self._identities[b], distance))
        return pairs

    def _same_given_id(self, a: int, b: int) -> bool:
        ordinal = self.plan.schema.id_ordinal
        return ordinal is not None and self._items[a][ordinal] == self._items[b][ordinal] != ""
