"""All records of a state of entities, as they are now.

in   kept-records lines of state_lines, of all versions
out  tagged lines `records`, as settle_records makes them; with --lines record lines, to be settled again
"""

from collections.abc import Iterator

from mrjob.protocol import BytesProtocol, BytesValueProtocol
from mrjob.step import MRStep

from pehchan.metadata.records import Record, encode_record, on_lines
from pehchan.mrjobs.newest import NewestRows
from pehchan.mrjobs.settling import RECORDS_A_LINE
from pehchan.mrjobs.state_lines import KeptRecords, record_of
from pehchan.mrjobs.wire import RECORDS


class CurrentRecords(NewestRows):
    kind = KeptRecords

    def configure_args(self) -> None:
        super().configure_args()
        self.add_passthru_arg("--lines", action="store_true", help="record lines, and not settled records")

    def output_protocol(self) -> BytesProtocol | BytesValueProtocol:
        return BytesValueProtocol() if self.options.lines else BytesProtocol()

    def steps(self) -> list[MRStep]:
        return [MRStep(mapper=self.to_parts, reducer=self.records_of, reducer_final=self.send_counters)]

    def records_of(self, _: bytes, lines: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """All that was written of some records -> those that are there, as they were written last."""
        records = [record for record in map(record_of, self.newest(lines)) if isinstance(record, Record)]
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
