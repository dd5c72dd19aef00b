"""The entities of a state, with the records that are in them now.

in   kept-members lines of state_lines, of all versions
out  tagged lines `members`, the records of an entity one after the other
"""

from collections import defaultdict
from collections.abc import Iterator, Set
from functools import cached_property
from pathlib import Path

import orjson
from mrjob.step import MRStep

from pehchan.metadata.records import ascii_json
from pehchan.mrjobs.coded import A_LINE
from pehchan.mrjobs.joins.all_pairs import hashed
from pehchan.mrjobs.newest import PARTS, NewestRows
from pehchan.mrjobs.state_lines import KeptMembers
from pehchan.mrjobs.wire import MEMBERS, Members


class CurrentMembers(NewestRows):
    kind = KeptMembers

    def configure_args(self) -> None:
        super().configure_args()
        self.add_file_arg("--entities", help="a JSON list of those that are asked for (all)")

    def steps(self) -> list[MRStep]:
        return [
            MRStep(mapper=self.to_parts, reducer=self.to_entities),
            MRStep(reducer=self.of_entities, reducer_final=self.send_counters),
        ]

    @cached_property
    def _asked(self) -> Set[str] | None:
        path = self.options.entities
        return frozenset(orjson.loads(Path(path).read_bytes())) if path else None

    def to_entities(self, _: bytes, lines: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """All that was written of some records -> those that are there, to the part of their entity."""
        of_part: dict[int, list[str]] = defaultdict(list)
        for record, entity in map(orjson.loads, self.newest(lines)):
            if entity and (self._asked is None or entity in self._asked):
                of_part[hashed(entity) % PARTS] += (entity, record)
        for part, found in sorted(of_part.items()):
            yield b"%d" % part, ascii_json(found)

    def of_entities(self, _: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The records of some entities -> in the order of these, and of their ids."""
        found: list[tuple[str, str]] = []
        for value in map(orjson.loads, values):
            found += zip(value[::2], value[1::2], strict=True)
        found.sort()
        self.count("Entities", "Records", len(found))
        self.count("Entities", "All", len({entity for entity, _ in found}))
        for start in range(0, len(found), A_LINE):
            entities, records = map(list, zip(*found[start : start + A_LINE], strict=True))
            yield MEMBERS, Members(entities, records).encode()


if __name__ == "__main__":
    CurrentMembers.run()
