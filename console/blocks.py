"""The blocks of records that are looked at before a run: how large they are, and how many pairs meet in them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from pehchan.console.tables import table
from pehchan.distance.columns import pairs_between
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Record
from pehchan.metadata.schema import Schema
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.joins.blocking import Block, Blocking, is_order, key_text, number_and_value
from pehchan.mrjobs.joins.neighbours import order_of
from pehchan.mrjobs.listed import neighbours_of
from pehchan.mrjobs.met_before import MetBefore
from pehchan.mrjobs.planner import Counted, Divided, pairs_within

#: Blocks that are listed.
LISTED = 20


class LookedAtBlocks:
    """The blocks of some records.

    members  positions of its records by block
    keyless  records that are in no block
    """

    def __init__(self, plan: Plan, records: Sequence[Record]):
        self.plan, self.records = plan, records
        self.members: dict[Block, list[int]] = defaultdict(list)
        self.keyless = 0
        join = join_of(plan)
        self._blocks = [join.groups(record) for record in records]
        for number, blocks in enumerate(self._blocks):
            self.keyless += not blocks
            for block in blocks:
                self.members[block].append(number)
        self._sizes = [plan.size(record, plan.compared(record)) for record in records]

    def counted(self, block: Block | None, factors: Mapping[str, float], factor: float) -> Counted:
        """What a block, or None for all records, has where there are so many times more records (by set)."""
        members = range(len(self.records)) if block is None else self.members[block]
        records: dict[str, int] = defaultdict(int)
        for number in members:
            records[self.records[number].set if self.plan.sets else ""] += 1
        characters, held = (sum(self._sizes[number][k] for number in members) for k in (0, 1))
        if block is not None:
            for number in members:
                before = self._blocks[number]
                for each in before[: before.index(block) + 1]:
                    characters += len(each)
                    held += self.plan.held_bytes_of_key(each)
        scaled = {name: round(count * factors.get(name, factor)) for name, count in records.items()}
        return Counted(scaled, round(characters * factor), round(held * factor))

    def pairs(self, divided: Divided) -> tuple[int, int]:
        """How many pairs of these records meet as they share a block, each once; and how many others as they are
        neighbours, each once an order.
        """
        windows = {block: () for block in divided.windows if not is_order(block)}
        join = join_of(replace(self.plan, divided=divided.blocks, ranges=windows))
        assert isinstance(join, Blocking)
        blocks = []
        members: dict[Block, list[int]] = defaultdict(list)
        orders: dict[Block, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
        for number, record in enumerate(self.records):
            meeting, ordered = join.blocks(record)
            blocks.append(meeting)
            for block in meeting:
                members[block].append(number)
            for block, own in ordered:
                order = order_of(own, self.plan.compared(record), record.id, record.set)
                orders[block].append((order, number))
        sharing = sum(self._new_pairs(block, numbers, blocks) for block, numbers in members.items())
        near = 0
        for block, of_order in orders.items():
            numbers = [number for _, number in sorted(of_order)]
            near += self._new_neighbours(numbers, join.window((block, 0, 0)) or 1, blocks)
        return sharing, near

    def _new_neighbours(self, numbers: Sequence[int], window: int, blocks: Sequence[Sequence[Block]]) -> int:
        met_before = MetBefore([blocks[number] for number in numbers])
        sets = np.array([self.records[number].set for number in numbers], dtype=object)
        found = 0
        for i, j in neighbours_of(np.arange(len(numbers)), len(numbers), window):
            new = ~met_before.met(i, j)
            if self.plan.sets != ("",):
                new &= sets[i] != sets[j]
            found += int(np.count_nonzero(new))
        return found

    def _new_pairs(self, block: Block, numbers: Sequence[int], blocks: Sequence[Sequence[Block]]) -> int:
        if len(numbers) < 2:
            return 0
        met_before = MetBefore([blocks[number][: blocks[number].index(block)] for number in numbers])
        of_set: dict[str, list[int]] = defaultdict(list)
        for place, number in enumerate(numbers):
            of_set["" if self.plan.sets == ("",) else self.records[number].set].append(place)
        places = {name: np.array(each) for name, each in of_set.items()}
        meeting = [("", "")] if self.plan.sets == ("",) else combinations(places, 2)
        found = 0
        for first, second in meeting:
            rows, columns, again = met_before.unmet(places[first], places[second])
            found += pairs_between(rows, columns) - again
        return found


def block_text(schema: Schema, block: Block) -> str:
    """The key and the value of a block for people, as zip = 12345."""
    return f"{key_text(schema.blocking, block)} = {number_and_value(block)[1]}"


def largest_blocks(plan: Plan, counted: Mapping[Block, Counted], whole: bool) -> str:
    """The largest blocks, one a line, with their records and pairs."""
    whole_blocks = [
        (sum(of_block.records.values()), pairs_within(plan, of_block.records), block)
        for block, of_block in counted.items()
        if not is_order(block)
    ]
    # The largest first, then by key and value.
    whole_blocks.sort(key=lambda each: (-each[0], each[2]))
    about = "" if whole else "about "
    rows = [("records", "pairs", "block")]
    rows += [
        (f"{about}{records:,}", f"{about}{pairs:,}", block_text(plan.schema, block))
        for records, pairs, block in whole_blocks[:LISTED]
    ]
    return "\n".join(table(rows))
