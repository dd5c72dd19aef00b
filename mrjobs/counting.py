"""How many records are in each group: what jobs share that count groups to tell how large they are."""

from collections.abc import Iterable, Iterator, Sequence

import orjson

from pehchan.metadata.records import ascii_json
from pehchan.mrjobs.job import PlannedJob
from pehchan.mrjobs.wire import GROUP

#: Groups that a mapper counts before it sends the counts on.
GROUPS_HELD = 100_000


class CountsGroups(PlannedJob):
    """Mapper and reducer that count the records of groups, and name those that need a word in the plan."""

    def start_counting(self) -> None:
        self._blocking = self.plan.join == "blocking"
        #: (group, set) -> records, characters, bytes where they are compared
        self._groups: dict[tuple[str, str], list[int]] = {}
        #: records, characters and bytes of all blocks together
        self.members = [0, 0, 0]

    def count_groups(
        self, groups: Sequence[str], set_name: str, characters: int, held: int
    ) -> Iterator[tuple[bytes, bytes]]:
        """A record of so many characters and bytes, in these groups."""
        for group in groups:
            if self._blocking:
                # A record travels with the blocks that it is in.
                characters += len(group)
                held += self.plan.held_bytes_of_key(group)
                self.members[0] += 1
                self.members[1] += characters
                self.members[2] += held
            # Sets that are told by their ids share the buckets of a group.
            counts = self._groups.setdefault((group, set_name if self.plan.sets else ""), [0, 0, 0])
            counts[0] += 1
            counts[1] += characters
            counts[2] += held
        if len(self._groups) > GROUPS_HELD:
            yield from self.send_groups()

    def send_groups(self) -> Iterator[tuple[bytes, bytes]]:
        """What was counted so far."""
        for (group, set_name), counts in self._groups.items():
            yield ascii_json(["g", group]), ascii_json([set_name, *counts])
        self._groups = {}

    def large_group(self, group: str, values: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """A group and what mappers counted of it -> its counts by set, if it needs a word in the plan."""
        by_set: dict[str, list[int]] = {}
        for set_name, *counts in map(orjson.loads, values):
            so_far = by_set.get(set_name, [0, 0, 0])
            by_set[set_name] = [a + b for a, b in zip(so_far, counts, strict=True)]
        records, _, held = (sum(each) for each in zip(*by_set.values(), strict=True))
        if self.plan.is_large(records, held):
            for set_name, counts in sorted(by_set.items()):
                yield GROUP, ascii_json([group, set_name, *counts])
