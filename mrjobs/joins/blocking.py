"""Blocking: records meet only where they share a blocking key, and each two of them once.

The records that share one value of one key are a block; a record is in as many blocks as it has values of keys.
Two records that share several blocks meet in the first of them, by key and value: a batch brings the blocks of each
record along up to the one it is sent for, so that where two meet it can be told whether they met before. A large
block is cut into buckets that meet in cells, like all pairs; of the others each is whole in one of the cells that
they share.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

import orjson

from pehchan.metadata.blocking_keys import BlockingKey
from pehchan.metadata.records import Record
from pehchan.mrjobs.joins.all_pairs import AllPairs, Cell, Route, bucket_of, hashed
from pehchan.mrjobs.joins.key_values import key_values

#: In place of a block, in the route to a cell that several share and in the cell; a block's own text begins with [.
SHARED = ""

#: A block as its records know it: [key, partition, value] or, of a divided block, [key, partition, value, value
#: of the next key] as JSON, so that no two make the same text.
Block = str


@dataclass(frozen=True)
class Blocking(AllPairs):
    """Every two records that share a block, once, whatever the number of buckets. A block is a group.

    keys           of which records must share one
    divided        blocks that are too large: of their records those meet that share the next key as well
    shared_cells   how many cells those blocks share that have no buckets of their own
    count_parts    `groups` names also the parts that blocks would be divided into
    """

    keys: tuple[BlockingKey, ...] = ()
    divided: frozenset[Block] = field(default_factory=frozenset)
    shared_cells: int = 1
    count_parts: bool = False

    @cached_property
    def _values(self) -> list[Callable[[Sequence[str]], list[tuple[str, ...]]]]:
        return [key_values(key) for key in self.keys]

    def groups(self, record: Record) -> list[Block]:
        """The blocks of a record, each once, in order; with `count_parts` also the parts that they may have."""
        partition = "" if self.partition_ordinal is None else record.items[self.partition_ordinal]
        values = [of_key(record.items) for of_key in self._values]
        found = []
        for number, of_key in enumerate(values):
            for value in of_key:
                block = _text([number, partition, value])
                whole = self.count_parts or block not in self.divided
                if whole:
                    found.append(block)
                if not whole or (self.count_parts and len(self.keys) > 1):
                    following = (number + 1) % len(self.keys)
                    for other in values[following]:
                        # Records that share a block which is not divided meet there.
                        if self.count_parts or _text([following, partition, other]) in self.divided:
                            found.append(_text([number, partition, value, other]))
        return found

    def routes(self, record: Record) -> Iterator[tuple[Route, list[Block]]]:
        """Where a record goes, and for each place its blocks up to the one it is sent there for."""
        blocks = self.groups(record)
        for number, block in enumerate(blocks, 1):
            buckets = self.buckets.get(block)
            if buckets is None:
                route = SHARED, record.set, hashed(block) % self.shared_cells
            else:
                count = buckets[self.sets.index(record.set)] if len(self.sets) == 2 else buckets[0]
                route = block, record.set, bucket_of(record, count)
            yield route, blocks[:number]

    def cells(self, route: Route) -> Iterator[Cell]:
        """The cells that a batch of this route is sent to."""
        if route[0] == SHARED:
            yield SHARED, route[2], route[2]
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


def _text(parts: list[Any]) -> Block:
    return orjson.dumps(parts).decode()


def number_and_value(block: Block) -> tuple[int, str]:
    """The number of the key of a block, and its value for people; that of a divided block with both values."""
    number, _, *values = orjson.loads(block)
    return number, " / ".join(" + ".join(value) for value in values)


def parents(part: Block, keys: int) -> tuple[Block, Block]:
    """The block that a part belongs to, and that of the next of so many keys, which its records share as well."""
    number, partition, value, other = orjson.loads(part)
    return _text([number, partition, value]), _text([(number + 1) % keys, partition, other])


def is_part(block: Block) -> bool:
    """Whether this is a part of a divided block."""
    return len(orjson.loads(block)) == 4
