"""What a run found, as a state of entities keeps it: a map-only job.

in   tagged lines of one kind: `records` of settle_records, `pairs`, or `clustered` with components
out  lines of state_lines: the records with their addresses, the pairs, or the records with their entities
"""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from mrjob.protocol import BytesValueProtocol
from mrjob.step import MRStep

from pehchan.metadata.records import Record, Records
from pehchan.mrjobs.coded import as_bytes, codes_of, names_of
from pehchan.mrjobs.job import PlannedJob
from pehchan.mrjobs.state_lines import Kept, KeptMembers, KeptPairs, KeptRecords, in_lines
from pehchan.mrjobs.wire import CLUSTERED, PAIRS, RECORDS, Clustered, Pairs, tagged

#: Records that have their addresses made at a time.
AT_ONCE = 20_000


class KeepState(PlannedJob):
    OUTPUT_PROTOCOL = BytesValueProtocol

    #: Hadoop takes a line for a key and a value, and writes a tab between the two; here the whole line is the key.
    JOBCONF: ClassVar = {"stream.map.output": "keyonlytext"}

    def configure_args(self) -> None:
        super().configure_args()
        self.add_passthru_arg("--salt", type=int, default=0, help="of the codes of records")
        self.add_passthru_arg("--lineage", default="", help="of the ids of entities")
        self.add_passthru_arg("--state-version", type=int, default=1, help="of the state that is made (1)")

    def steps(self) -> list[MRStep]:
        return [MRStep(mapper_init=self.start, mapper=self.keep, mapper_final=self.stop)]

    def start(self) -> None:
        self._waiting: list[Record] = []
        self._addressing = None

    def keep(self, _: None, line: bytes) -> Iterator[tuple[None, bytes]]:
        """Tagged line -> lines of a state."""
        tag, payload = tagged(line)
        version = self.options.state_version
        if tag == RECORDS:
            self._waiting += Records.decode(payload)
            if len(self._waiting) >= AT_ONCE:
                yield from self._records()
        elif tag == PAIRS:
            pairs = Pairs.decode(payload).within(self.plan.cutoff)
            a, b = (
                self._codes(names_of(*each))
                for each in ((pairs.first_sets, pairs.first_ids), (pairs.second_sets, pairs.second_ids))
            )
            yield None, KeptPairs.of(version, a, b, np.array(pairs.distances, np.int64)).encode()
        elif tag == CLUSTERED:
            yield from _encoded(self._members(Clustered.decode(payload)))

    def stop(self) -> Iterator[tuple[None, bytes]]:
        if self._waiting:
            yield from self._records()

    def _codes(self, names: list[str]):  # type: ignore[no-untyped-def]
        return codes_of(as_bytes(names), self.options.salt)

    def _records(self) -> Iterator[tuple[None, bytes]]:
        # Here, as what finds addresses takes a task longer to import than all else.
        from pehchan.mrjobs.addressed import addressing_of, of_each

        records, self._waiting = self._waiting, []
        if self._addressing is None:
            self._addressing = addressing_of(self.plan)
        codes = self._codes([record.id for record in records])
        none = [np.zeros(0, np.uint32)] * len(records)
        at = none if self._addressing is None else of_each(self._addressing.of(records), len(records))
        version = self.options.state_version
        yield from _encoded(
            KeptRecords.of(version, codes[some], at[some], records[some]) for some in in_lines(len(records))
        )

    def _members(self, clustered: Clustered) -> Iterator[KeptMembers]:
        from pehchan.mrjobs.entity_ids import entity_ids

        version = self.options.state_version
        codes = self._codes(names_of(clustered.sets, clustered.ids))
        components = np.array(clustered.components, np.uint64)
        entities = entity_ids(
            self.options.lineage, version, names_of(clustered.cluster_sets, clustered.cluster_ids)
        )
        members = list(zip(clustered.ids, entities, strict=True))
        since = np.full(len(codes), version, np.uint32)
        for some in in_lines(len(codes)):
            yield KeptMembers.of(version, codes[some], components[some], since[some], members[some])


def _encoded(lines: Iterator[Kept]) -> Iterator[tuple[None, bytes]]:
    return ((None, line.encode()) for line in lines)


if __name__ == "__main__":
    KeepState.run()
