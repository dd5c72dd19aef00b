"""Where records go to meet others: the mapper of record_similarity. It needs neither numpy nor a measure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pehchan.metadata.records import Record, ascii_json, decode_record
from pehchan.mrjobs.job import PlannedJob
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.joins.all_pairs import Route
from pehchan.mrjobs.joins.blocking import Blocking, beyond_range
from pehchan.mrjobs.joins.neighbours import Following, order_of
from pehchan.mrjobs.wire import ASIDE, CELL, RECORD, REJECTED, Batch, tagged

#: Batches a mapper may hold open at a time, as a multiple of the size of one.
BATCHES_HELD = 64

#: What an open batch takes besides its records, in bytes.
OPEN_BATCH = 1000


@dataclass
class Gathered:
    """Records of one route that wait in a mapper.

    ids     one a record
    values  what is compared, record after record: adding to one list is cheaper than to one a field
    items   the whole records where the output needs them, else empty
    blocks  with blocking, of each record the block it is sent for, and those before it; else empty
    size    bytes of the lines that they came in
    """

    ids: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    items: list[Sequence[str]] = field(default_factory=list)
    blocks: list[Sequence[str]] = field(default_factory=list)
    size: int = 0

    def batch(self, route: Route) -> Batch:
        """The records as columns."""
        width = len(self.values) // len(self.ids)
        columns = [self.values[number::width] for number in range(width)]
        return Batch(route, self.ids, columns, self.items, self.blocks)


class RoutesRecords(PlannedJob):
    """Mapper that sends settled records, in batches, to the cells where they meet others."""

    def start_routing(self) -> None:
        self._join = join_of(self.plan)
        self._compared = self.plan.compared
        self._items_needed = self.plan.items_needed
        self._routes = self._join.routes if isinstance(self._join, Blocking) else None
        #: By block of several ranges in which neighbours meet.
        self._following = {
            block: Following(self._join.window((block, 0, 0)) or 1)
            for block, begins in self.plan.ranges.items()
            if begins
        }
        self._batch_bytes = self.plan.settings.batch_bytes
        self._gathered: dict[Route, Gathered] = {}
        self._held = 0

    def route_record(self, tag: bytes | None, payload: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Settled record -> batches for the cells where it meets others."""
        if tag is None:
            # A line of an earlier job; from an earlier step of this one the tag comes as the key.
            tag, payload = tagged(payload)
        if tag == REJECTED:
            yield ascii_json([ASIDE]), payload
        if tag != RECORD:
            return
        record = decode_record(payload)
        if self._routes is not None:
            yield from self._route_to_blocks(self._routes(record), record, len(payload))
            return
        # What follows is written out, as a call a record counts.
        route = self._join.route(record)
        if route is None:
            return
        gathered = self._gathered.get(route)
        if gathered is None:
            gathered = self._gathered[route] = Gathered()
            self._held += OPEN_BATCH
        gathered.ids.append(record.id)
        gathered.values += self._compared(record)
        if self._items_needed:
            gathered.items.append(record.items)
        size = len(payload)
        gathered.size += size
        self._held += size
        if gathered.size >= self._batch_bytes:
            yield from self._send(route, self._gathered.pop(route))
        elif self._held >= self._batch_bytes * BATCHES_HELD:
            yield from self._send_all()

    def _route_to_blocks(
        self, routes: Iterable[tuple[Route, Sequence[str]]], record: Record, size: int
    ) -> Iterator[tuple[bytes, bytes]]:
        """The same for a record that goes to several places, and brings its blocks along."""
        compared = self._compared(record)
        for route, blocks in routes:
            if route[2] and route[0] in self._following:
                order = order_of(blocks[-1], compared, record.id, record.set)
                self._following[route[0]].see(route[2], order, (record, blocks, size))
            yield from self._route_to_block(route, record, compared, blocks, size)

    def _route_to_block(
        self, route: Route, record: Record, compared: Sequence[str], blocks: Sequence[str], size: int
    ) -> Iterator[tuple[bytes, bytes]]:
        gathered = self._gathered.get(route)
        if gathered is None:
            gathered = self._gathered[route] = Gathered()
            self._held += OPEN_BATCH
        gathered.ids.append(record.id)
        gathered.values += compared
        gathered.blocks.append(blocks)
        if self._items_needed:
            gathered.items.append(record.items)
        whole = size + sum(map(len, blocks))
        gathered.size += whole
        self._held += whole
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
            for number, (record, blocks, size) in following.beyond():
                route = beyond_range(block, record.set, number)
                yield from self._route_to_block(route, record, self._compared(record), blocks, size)
        yield from self._send_all()
