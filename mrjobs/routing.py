"""Where records go to meet others: the mapper of record_similarity. It needs neither numpy nor a measure."""

from collections.abc import Iterator

from pehchan.metadata.records import ascii_json, decode_record
from pehchan.mrjobs.job import PlannedJob
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.joins.all_pairs import Route
from pehchan.mrjobs.wire import ASIDE, CELL, RECORD, REJECTED, Batch, read_tagged

#: Batches a mapper may hold open at a time, as a multiple of the size of one.
BATCHES_HELD = 64

#: What an open batch takes besides its records, in characters.
OPEN_BATCH = 1000


class RoutesRecords(PlannedJob):
    """Mapper that sends settled records, in batches, to the cells where they meet others."""

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
            yield ascii_json([ASIDE]), payload
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
        for column, value in zip(batch.columns, self.plan.compared(record), strict=True):
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
            yield ascii_json([CELL, *cell]), encoded

    def _send_all(self) -> Iterator[tuple[bytes, bytes]]:
        while self._batches:
            yield from self._send(self._batches.popitem()[1])

    def stop_routing(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self._send_all()
