"""All records of a state of entities, as they are now.

in   kept-records lines of state_lines, of all versions
out  tagged lines `records`, as settle_records makes them; with --lines record lines, to be settled again
"""

from collections.abc import Iterator

import numpy as np
from mrjob.protocol import BytesProtocol, BytesValueProtocol
from mrjob.step import MRStep

from pehchan.metadata.records import Record, encode_record, on_lines
from pehchan.mrjobs.job import PlannedJob
from pehchan.mrjobs.settling import RECORDS_A_LINE
from pehchan.mrjobs.state_lines import KeptRecords, record_of
from pehchan.mrjobs.wire import RECORDS

#: Parts in which records are looked for that were written several times.
PARTS = 64


class CurrentRecords(PlannedJob):
    def configure_args(self) -> None:
        super().configure_args()
        self.add_passthru_arg("--lines", action="store_true", help="record lines, and not settled records")

    def output_protocol(self) -> BytesProtocol | BytesValueProtocol:
        return BytesValueProtocol() if self.options.lines else BytesProtocol()

    def steps(self) -> list[MRStep]:
        return [MRStep(mapper=self.to_parts, reducer=self.newest, reducer_final=self.send_counters)]

    def to_parts(self, _: None, line: bytes) -> Iterator[tuple[bytes, bytes]]:
        """A line -> its records, to the parts of their codes."""
        kept = KeptRecords.decode(line)
        part = kept.codes % np.uint64(PARTS)
        for number in np.unique(part).tolist():
            yield b"%d" % number, kept.take(part == number).encode()

    def newest(self, _: bytes, lines: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """All that was written of some records -> those that are there, as they were written last."""
        newest: dict[int, tuple[int, bytes]] = {}
        for kept in map(KeptRecords.decode, lines):
            for code, row in zip(kept.codes.tolist(), kept.rows, strict=True):
                if code not in newest or newest[code][0] < kept.version:
                    newest[code] = kept.version, row
        rows = [row for _, row in sorted(newest.values(), key=lambda each: each[1])]
        records = [record for record in map(record_of, rows) if isinstance(record, Record)]
        if self.options.lines:
            yield from ((b"", encode_record(record)) for record in records)
            return
        for record in records:
            self._count(record)
        yield from ((RECORDS, some.encode()) for some in on_lines(records, RECORDS_A_LINE))

    def _count(self, record: Record) -> None:
        characters, held = self.plan.size(record, self.plan.compared(record))
        self.count("Records", "Read")
        self.count("Records", "Characters", characters)
        self.count("Records", "Bytes held", held)


if __name__ == "__main__":
    CurrentRecords.run()
