"""How large the parts are into which blocks are divided that are too large.

in   settled records, tagged lines of settle_records
out  tagged lines: `group` the number of records, characters and bytes of a part that needs a word in the plan
"""

from collections.abc import Iterator

import orjson
from mrjob.step import MRStep

from pehchan.metadata.records import Records
from pehchan.mrjobs.counting import CountsGroups
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.joins.blocking import is_part
from pehchan.mrjobs.wire import RECORDS, tagged


class CountParts(CountsGroups):
    def steps(self) -> list[MRStep]:
        return [
            MRStep(
                mapper_init=self.start,
                mapper=self.count_parts,
                mapper_final=self.send_groups,
                reducer=self.to_large_parts,
            )
        ]

    def start(self) -> None:
        self.start_counting()
        self._join = join_of(self.plan)

    def count_parts(self, _: None, line: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Settled records -> what was counted, from time to time."""
        tag, payload = tagged(line)
        if tag != RECORDS:
            return
        for record in Records.decode(payload):
            parts = list(filter(is_part, self._join.groups(record)))
            if parts:
                compared = self.plan.compared(record)
                yield from self.count_groups(parts, record.set, *self.plan.size(record, compared))

    def to_large_parts(self, key: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """A part and what was counted of it -> its counts, if it is large."""
        yield from self.large_group(orjson.loads(key)[1], values)


if __name__ == "__main__":
    CountParts.run()
