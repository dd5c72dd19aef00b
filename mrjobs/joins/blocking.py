"""Blocking: records meet only where they share a blocking key, and each two of them once.

The records that share one value of one key are a block; a record is in as many blocks as it has values of keys.
Two records that share several blocks meet in the first of them, by key and value: a batch brings the blocks of each
record along up to the one it is sent for, so that where two meet it can be told whether they met before. A large
block is cut into buckets that meet in cells, like all pairs; of the others each is whole in one of the cells that
they share.

In some blocks only neighbours meet, in a defined order (see neighbours.py). Neighbours that share another block meet
in that alone; those of several orders meet in each of them, as no record knows who is next to it elsewhere.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

import orjson

from pehchan.metadata.blocking_keys import BlockingKey
from pehchan.metadata.records import Record
from pehchan.mrjobs.joins.all_pairs import AllPairs, Cell, Route, bucket_of, hashed
from pehchan.mrjobs.joins.key_values import key_values
from pehchan.mrjobs.joins.neighbours import Order, order_of

#: In place of a block, in the route to a cell that several share and in the cell; a block's own text begins with [.
SHARED = ""

#: A block as its records know it: [key, partition, value] or, of a divided block, [key, partition, value, value
#: of the next key] and so on, as JSON, so that no two make the same text. That of the order of a neighbours key is
#: [key, partition]; its records know it with the value that puts them in order.
Block = str


@dataclass(frozen=True)
class Blocking(AllPairs):
    """Every two records that share a block, once, whatever the number of buckets. A block is a group.

    keys           of which records must share one
    compared       the compared values of a record
    divided        blocks that are too large, and parts of them: of their records those meet that share the next
                   key as well
    shared_cells   how many cells those blocks share that have no buckets of their own
    ranges         by block in which only neighbours meet, where its ranges begin, without the first
    following      how many records a record meets in a block that is no order of a neighbours key
    """

    keys: tuple[BlockingKey, ...] = ()
    compared: Callable[[Record], Sequence[str]] = lambda record: record.items
    divided: frozenset[Block] = field(default_factory=frozenset)
    shared_cells: int = 1
    ranges: Mapping[Block, Sequence[Order]] = field(default_factory=dict)
    following: int = 1

    @cached_property
    def _values(self) -> list[Callable[[Sequence[str]], list[tuple[str, ...]]]]:
        return [key_values(key) for key in self.keys]

    def groups(self, record: Record) -> list[Block]:
        """The blocks of a record, each once, in order; those in which only neighbours meet come last."""
        meeting, ordered = self.blocks(record)
        return [*meeting, *(block for block, _ in ordered)]

    def blocks(self, record: Record) -> tuple[list[Block], list[tuple[Block, Block]]]:
        """The blocks of a record in which all meet, and those in which only neighbours do: as all of its records
        know it, and as this one does.
        """
        partition = "" if self.partition_ordinal is None else record.items[self.partition_ordinal]
        values = [of_key(record.items) for of_key in self._values]
        found: list[Block] = []
        ordered: list[tuple[Block, Block]] = []
        for number, of_key in enumerate(values):
            for value in of_key:
                block = _text([number, partition, value])
                if self.keys[number].following is not None:
                    ordered.append((_text([number, partition]), block))
                    continue
                if block in self.ranges:
                    ordered.append((block, block))
                    continue
                if block in self.divided:
                    found += self._parts(values, number, partition, [value])
                else:
                    found.append(block)
        return found, ordered

    def _parts(
        self, values: Sequence[Sequence[tuple[str, ...]]], number: int, partition: str, of_block: list[Any]
    ) -> Iterator[Block]:
        """The parts that a record is in, of the divided block with these values of a key and those after it."""
        following = _next_keys(self.keys, number)[len(of_block) - 1]
        for value in values[following]:
            # Records that share a block which is not divided meet there.
            if _text([following, partition, value]) not in self.divided:
                continue
            part = _text([number, partition, *of_block, value])
            if part in self.divided:
                yield from self._parts(values, number, partition, [*of_block, value])
            else:
                yield part

    def routes(self, record: Record) -> Iterator[tuple[Route, list[Block]]]:
        """Where a record goes, and for each place its blocks up to the one it is sent there for."""
        blocks, ordered = self.blocks(record)
        for number, block in enumerate(blocks, 1):
            buckets = self.buckets.get(block)
            if buckets is None:
                route = SHARED, record.set, hashed(block) % self.shared_cells
            else:
                count = buckets[self.sets.index(record.set)] if len(self.sets) == 2 else buckets[0]
                route = block, record.set, bucket_of(record, count)
            yield route, blocks[:number]
        for block, own in ordered:
            order = order_of(own, self.compared(record), record.id, record.set)
            yield (block, record.set, bisect_right(self.ranges.get(block, ()), order)), [*blocks, own]

    def cells(self, route: Route) -> Iterator[Cell]:
        """The cells that a batch of this route is sent to."""
        if route[0] == SHARED:
            yield SHARED, route[2], route[2]
        elif self._ordered(route[0]):
            yield route[0], range_of(route), range_of(route)
        else:
            yield from super().cells(route)

    def meetings(self, cell: Cell, routes: Sequence[Route]) -> Iterator[tuple[Route, Route]]:
        """The pairs of routes whose records meet in this cell; a route with itself for the pairs inside it.

        In a shared cell a route is (block, set, 0).
        """
        if cell[0] != SHARED:
            yield from super().meetings(cell, routes)
            return
        for block, of_block in groupby(routes, key=lambda route: route[0]):
            yield from super().meetings((block, 0, 0), list(of_block))

    @property
    def windows(self) -> int:
        """In how many orders two records may be neighbours: of each key, and of each block too large."""
        return sum(key.following is not None for key in self.keys) + sum(
            not is_order(block) for block in self.ranges
        )

    def _ordered(self, block: Block) -> bool:
        """Whether only neighbours meet in a block."""
        return block in self.ranges or is_order(block)

    def window(self, cell: Cell) -> int | None:
        """How many of those that follow it a record of this cell meets, where it meets its neighbours; else None."""
        if cell[0] == SHARED or not self._ordered(cell[0]):
            return None
        return self.keys[number_and_value(cell[0])[0]].following or self.following


def beyond_range(block: Block, set_name: str, number: int) -> Route:
    """The route of records that are beyond a range of a block, to its cell."""
    return block, set_name, -1 - number


def range_of(route: Route) -> int:
    """The range of a route in a block where neighbours meet."""
    return route[2] if route[2] >= 0 else -1 - route[2]


def is_beyond(route: Route) -> bool:
    """Whether the records of a route are beyond the range whose cell they go to."""
    return route[2] < 0


def _text(parts: list[Any]) -> Block:
    return orjson.dumps(parts).decode()


def _next_keys(keys: Sequence[BlockingKey], number: int) -> list[int]:
    """The numbers of the keys that divide the blocks of a key, one after the other, the first after the last."""
    return [each for each in (*range(number + 1, len(keys)), *range(number)) if keys[each].following is None]


def number_and_value(block: Block) -> tuple[int, str]:
    """The number of the key of a block, and its value for people; that of a part with all of its values."""
    number, _, *values = orjson.loads(block)
    return number, " / ".join(" + ".join(value) for value in values)


def key_text(keys: Sequence[BlockingKey], block: Block) -> str:
    """The key of a block for people; that of a part with those that it is divided by."""
    number, _, *values = orjson.loads(block)
    return " / ".join(keys[each].text for each in [number, *_next_keys(keys, number)][: max(1, len(values))])


def is_divisible(keys: Sequence[BlockingKey], block: Block) -> bool:
    """Whether there is one more key to divide a block by."""
    number, _, *values = orjson.loads(block)
    return len(values) <= len(_next_keys(keys, number))


def is_order(block: Block) -> bool:
    """Whether this is the order of a neighbours key."""
    return len(orjson.loads(block)) == 2


def is_part(block: Block) -> bool:
    """Whether this is a part of a divided block."""
    return len(orjson.loads(block)) > 3
