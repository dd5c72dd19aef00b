"""Distances of record pairs.

in   settled records (tagged lines of settle_records), or lines as the schema says: then they are settled first
out  tagged lines: `pairs`, batches of pairs at or under the cutoff, each pair of records once; `rejected`,
     lines set aside with their reason
"""

from collections.abc import Iterator
from functools import cached_property, partial
from zlib import crc32

import orjson
from mrjob.step import MRStep

from pehchan.metadata.records import ascii_json
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.joins.blocking import Blocking
from pehchan.mrjobs.routing import RoutesRecords
from pehchan.mrjobs.settling import SettlesRecords
from pehchan.mrjobs.wire import ASIDE, CELL, NEIGHBOURS, PAIRS, REJECTED, Batch, Pairs

#: Groups of lines that only pass through the last step, so that several reducers share them.
PASSING = 256


class RecordSimilarity(SettlesRecords, RoutesRecords):
    def steps(self) -> list[MRStep]:
        compare = MRStep(
            mapper_init=self.start_routing,
            mapper=self.route_records,
            mapper_final=self.stop_routing,
            reducer_init=self.start_comparing,
            reducer=self.compare_cell,
            reducer_final=self.stop_comparing,
        )
        steps = [compare] if self.plan.input == "settled" else [self.settle_step(), compare]
        if self._neighbours_again:
            steps.append(
                MRStep(
                    mapper=self.to_first_record,
                    reducer=self.each_pair_once,
                    reducer_final=self.send_counters,
                )
            )
        return steps

    @cached_property
    def _neighbours_again(self) -> bool:
        """Whether two records may be neighbours in several orders, which no reducer sees all of."""
        join = join_of(self.plan)
        return isinstance(join, Blocking) and join.windows > 1

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
        *of_cell, part = cell
        again = self._neighbours_again and self._cells.of_neighbours(tuple(of_cell))
        for pairs in self._cells.pairs(tuple(of_cell), map(Batch.decode, values), part):
            yield NEIGHBOURS if again else PAIRS, pairs.encode()

    def stop_comparing(self) -> None:
        self._cells.finish()
        self.send_counters()

    def to_first_record(self, tag: bytes, payload: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs of neighbours -> the first record of each; all others pass."""
        if tag != NEIGHBOURS:
            yield ascii_json([ASIDE, tag.decode(), crc32(payload) % PASSING]), payload
            return
        of_first: dict[tuple[str, str], Pairs] = {}
        for pair in Pairs.decode(payload):
            of_first.setdefault(pair.first, Pairs()).append(pair)
        for first, pairs in of_first.items():
            yield ascii_json([CELL, *first]), pairs.encode()

    def each_pair_once(self, key: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The pairs of a first record, from all orders in which it has neighbours -> each of them once."""
        kind, *rest = orjson.loads(key)
        if kind == ASIDE:
            yield from ((rest[0].encode(), value) for value in values)
            return
        once = {}
        for pair in (pair for value in values for pair in Pairs.decode(value)):
            if pair.second in once:
                self.count("Pairs", "Kept", -1)
            once[pair.second] = pair
        yield PAIRS, Pairs.of([once[second] for second in sorted(once)]).encode()


if __name__ == "__main__":
    RecordSimilarity.run()
