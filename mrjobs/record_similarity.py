"""Distances of record pairs.

in   settled records (tagged lines of settle_records), or lines as the schema says: then they are settled first
out  tagged lines: `pairs`, batches of pairs at or under the cutoff, each pair of records once; `rejected`,
     lines set aside with their reason
"""

from collections.abc import Iterator
from functools import partial

import orjson
from mrjob.step import MRStep

from pehchan.mrjobs.routing import RoutesRecords
from pehchan.mrjobs.settling import SettlesRecords
from pehchan.mrjobs.wire import ASIDE, PAIRS, REJECTED, Batch


class RecordSimilarity(SettlesRecords, RoutesRecords):
    def steps(self) -> list[MRStep]:
        compare = MRStep(
            mapper_init=self.start_routing,
            mapper=self.route_record,
            mapper_final=self.stop_routing,
            reducer_init=self.start_comparing,
            reducer=self.compare_cell,
            reducer_final=self.stop_comparing,
        )
        return [compare] if self.plan.input == "settled" else [self.settle_step(), compare]

    def start_comparing(self) -> None:
        # Here, as numpy and the measures take a task longer to import than all else.
        from pehchan.mrjobs.comparing import CellComparison

        self._cells = CellComparison(self.plan, self.count, partial(self.sign_of_life, "compare"))

    def compare_cell(self, key: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """A cell's batches -> pairs at or under the cutoff."""
        kind, *cell = orjson.loads(key)
        if kind == ASIDE:
            yield from ((REJECTED, value) for value in values)
            return
        for pairs in self._cells.pairs(tuple(cell), map(Batch.decode, values)):
            yield PAIRS, pairs.encode()

    def stop_comparing(self) -> None:
        self._cells.finish()
        self.send_counters()


if __name__ == "__main__":
    RecordSimilarity.run()
