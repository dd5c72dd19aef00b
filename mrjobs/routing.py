"""Where records go to meet others: the mapper of record_similarity. It needs neither numpy nor a measure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pehchan.metadata.records import Record, Records, ascii_json
from pehchan.mrjobs.job import PlannedJob
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.joins.all_pairs import Route
from pehchan.mrjobs.joins.blocking import Blocking, beyond_range
from pehchan.mrjobs.joins.neighbours import Following, order_of
from pehchan.mrjobs.wire import ASIDE, CELL, RECORDS, REJECTED, Batch, tagged

#: Batches a mapper may hold open at a time, as a multiple of the size of one.
BATCHES_HELD = 64

#: What an open batch takes besides its records, in bytes.
OPEN_BATCH = 1000


@dataclass
class Gathered:
    """Records of one route that wait in a mapper, as in a Batch; size: about how many bytes they came in."""

    ids: list[str] = field(default_factory=list)
    columns: list[list[str]] = field(default_factory=list)
    items: list[Sequence[str]] = field(default_factory=list)
    blocks: list[Sequence[str]] = field(default_factory=list)
    size: int = 0

    def extend(self, more: "Gathered") -> None:
        """Add records of the same route."""
        self.ids += more.ids
        for column, values in zip(self.columns, more.columns, strict=True):
            column += values
        self.items += more.items
        self.size += more.size

    def batch(self, route: Route) -> Batch:
        """What is sent of them."""
        return Batch(route, self.ids, self.columns, self.items, self.blocks)


class RoutesRecords(PlannedJob):
    """Mapper that sends settled records, in batches, to the cells where they meet others."""

    def start_routing(self) -> None:
        self._join = join_of(self.plan)
        #: By block of several ranges in which neighbours meet.
        self._following = {
            block: Following(self._join.window((block, 0, 0)) or 1)
            for block, begins in self.plan.ranges.items()
            if begins
        }
        self._ordinals = [field.ordinal or 0 for field in self.plan.schema.fields]
        self._batch_bytes = self.plan.settings.batch_bytes
        self._gathered: dict[Route, Gathered] = {}
        self._held = 0

    def route_records(self, tag: bytes | None, payload: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Settled records -> batches for the cells where they meet others."""
        if tag is None:
            # A line of an earlier job; from an earlier step of this one the tag comes as the key.
            tag, payload = tagged(payload)
        if tag == REJECTED:
            yield ascii_json([ASIDE]), payload
        if tag != RECORDS:
            return
        records = Records.decode(payload)
        size = len(payload) // len(records)
        if isinstance(self._join, Blocking):
            for record in records:
                yield from self._route_to_blocks(self._join, record, size)
            return
        route = self._join.route_of_all(records.set)
        if route is not None:
            yield from self._gather(route, self._compared(records, size))
            return
        by_route: dict[Route, Records] = {}
        for record in records:
            route = self._join.route(record)
            if route is not None:
                if route not in by_route:
                    by_route[route] = Records(records.set, records.width)
                by_route[route].append(record.id, record.items)
        for route, of_route in by_route.items():
            yield from self._gather(route, self._compared(of_route, size))

    def _route_to_blocks(self, join: Blocking, record: Record, size: int) -> Iterator[tuple[bytes, bytes]]:
        """The same for a record that goes to several places, and brings its blocks along."""
        records = Records(record.set, 1 + len(record.items), [record.id, *record.items])
        compared = self._compared(records, size)
        for route, blocks in join.routes(record):
            if route[2] and route[0] in self._following:
                order = order_of(blocks[-1], self.plan.compared(record), record.id, record.set)
                self._following[route[0]].see(route[2], order, (record.set, blocks, compared))
            yield from self._gather(route, compared, blocks)

    def _compared(self, records: Records, size: int) -> Gathered:
        """What is sent of records of so many bytes each."""
        return Gathered(
            records.ids,
            [records.column(ordinal) for ordinal in self._ordinals],
            [record.items for record in records] if self.plan.items_needed else [],
            size=size * len(records),
        )

    def _gather(
        self, route: Route, records: Gathered, blocks: Sequence[str] = ()
    ) -> Iterator[tuple[bytes, bytes]]:
        """Records on one route; with blocking one of them, and the blocks that it brings along."""
        gathered = self._gathered.get(route)
        if gathered is None:
            gathered = self._gathered[route] = Gathered(columns=[[] for _ in self._ordinals])
            self._held += OPEN_BATCH
        gathered.extend(records)
        self._held += records.size
        if blocks:
            gathered.blocks.append(blocks)
            of_blocks = sum(map(len, blocks))
            gathered.size += of_blocks
            self._held += of_blocks
        if gathered.size >= self._batch_bytes:
            yield from self._send(route, self._gathered.pop(route))
        elif self._held >= self._batch_bytes * BATCHES_HELD:
            yield from self._send_all()

    def _send(self, route: Route, gathered: Gathered) -> Iterator[tuple[bytes, bytes]]:
        self._held -= gathered.size + OPEN_BATCH
        encoded = gathered.batch(route).encode()
        for cell in self._join.cells(route):
            for part in range(self.plan.parts):
                yield ascii_json([CELL, *cell, part]), encoded

    def _send_all(self) -> Iterator[tuple[bytes, bytes]]:
        while self._gathered:
            yield from self._send(*self._gathered.popitem())

    def stop_routing(self) -> Iterator[tuple[bytes, bytes]]:
        for block, following in self._following.items():
            for number, (set_name, blocks, compared) in following.beyond():
                yield from self._gather(beyond_range(block, set_name, number), compared, blocks)
        yield from self._send_all()
