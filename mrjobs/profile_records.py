"""What learning needs to know of all records: how often their values and words occur, and a sample of them.

in   settled records, tagged lines of settle_records
out  tagged lines: `profile`, what is counted of a part of the values; `records`, the sample
"""

import math
from collections.abc import Iterator, Sequence

import orjson
from mrjob.step import MRStep

from pehchan.metadata.records import Record, Records, ascii_json, on_lines
from pehchan.mrjobs.job import PlannedJob
from pehchan.mrjobs.wire import PROFILE, RECORDS, tagged

#: Parts in which values are counted, each by one reducer: the same of any input, so that what is kept of each is.
PARTS = 64

#: Records that a mapper counts at a time.
AT_ONCE = 20_000

#: Records of the sample that go on a line.
RECORDS_A_LINE = 100

#: A record of the sample with what puts it in order: the hash of its set and id, and these.
_Drawn = tuple[int, str, str, Record]


class ProfileRecords(PlannedJob):
    def configure_args(self) -> None:
        super().configure_args()
        self.add_passthru_arg("--sample", type=int, default=8000, help="records of the sample (8000)")

    def steps(self) -> list[MRStep]:
        return [
            MRStep(
                mapper_init=self.start,
                mapper=self.count_records,
                mapper_final=self.stop,
                reducer=self.merge,
            )
        ]

    def start(self) -> None:
        self._waiting: list[Record] = []
        self._sample: list[_Drawn] = []

    def count_records(self, _: None, line: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Settled records -> what is counted of them, from time to time."""
        tag, payload = tagged(line)
        if tag != RECORDS:
            return
        self._waiting += Records.decode(payload)
        if len(self._waiting) >= AT_ONCE:
            yield from self._count()

    def _count(self) -> Iterator[tuple[bytes, bytes]]:
        # Here, as numpy takes a task longer to import than all else.
        from pehchan.learning.profile import Profile

        records, self._waiting = self._waiting, []
        fields = self.plan.schema.fields
        columns = [[record.items[field.ordinal or 0] for record in records] for field in fields]
        counted = Profile.of([field.name for field in fields], columns, self.plan.set_numbers(records))
        for number, part in enumerate(counted.parts(PARTS)):
            yield ascii_json(["p", number]), ascii_json(part.to_dict())
        self._sample = self._least(records, self._sample)

    def stop(self) -> Iterator[tuple[bytes, bytes]]:
        if self._waiting:
            yield from self._count()
        for line in _lines(self._sample):
            yield ascii_json(["s"]), line

    def merge(self, key: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """What mappers counted of a part -> all of it; their samples -> the sample of all."""
        from pehchan.learning.profile import KEPT, Profile, merged

        if orjson.loads(key)[0] == "p":
            part = merged(Profile.from_dict(orjson.loads(value)) for value in values)
            # By their hash the most frequent of all are shared out to the parts, each about as many.
            yield PROFILE, ascii_json(part.trimmed(KEPT // PARTS * 2 + 100).to_dict())
            return
        sample: list[_Drawn] = []
        records: list[Record] = []
        for value in values:
            records += Records.decode(value)
            if len(records) >= AT_ONCE:
                sample, records = self._least(records, sample), []
        for line in _lines(self._least(records, sample)):
            yield RECORDS, line

    def _least(self, records: Sequence[Record], before: Sequence[_Drawn] = ()) -> list[_Drawn]:
        """Of some records and those before the ones with the least hashes of set and id, in order of these.

        The same whatever order the records come in.
        """
        from pehchan.learning.table import record_hashes

        most = self.options.sample
        largest = before[-1][0] if len(before) >= most else math.inf
        hashes = record_hashes(self.plan.set_numbers(records), [record.id for record in records]).tolist()
        more = [
            (number, record.set, record.id, record)
            for number, record in zip(hashes, records, strict=True)
            if number <= largest
        ]
        return sorted([*before, *more], key=lambda drawn: drawn[:3])[:most] if more else list(before)


def _lines(sample: Sequence[_Drawn]) -> Iterator[bytes]:
    """Records on lines, those of one set and width together."""
    records = (record for *_, record in sample)
    return (some.encode() for some in on_lines(records, RECORDS_A_LINE))


if __name__ == "__main__":
    ProfileRecords.run()
