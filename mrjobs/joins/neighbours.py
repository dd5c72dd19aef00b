"""Neighbours: records in a defined order, of which each meets as many of those that follow as a window holds.

The order is that of a `neighbours` key, or of a block that is too large for all of its records to meet. It is cut
into ranges, and the records of a range are a cell. The last records of a range meet the first ones beyond it as well:
each mapper sends to a cell the first that it has seen beyond its range, as many as a window holds, and of those of
all mappers the reducer takes the first. So the same records meet for any ranges, of however many records.
"""

from bisect import insort
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import orjson

from pehchan.mrjobs.joins.key_values import folded

#: What records are put in order by: the value of the key, the compared values, id and set.
Order: TypeAlias = tuple[str, ...]


def order_of(block: str, compared: Sequence[str], record_id: str, set_name: str) -> Order:
    """The place of a record in the order of a block: no two have the same.

    A block that is too large has one value for all of its records; their compared values put them in order.
    """
    return *orjson.loads(block)[2], *map(folded, compared), record_id, set_name


class Following:
    """Of the records that a mapper sees, the first ones beyond each range of an order.

    Holds a window of records a range, whatever the number that it sees.
    """

    def __init__(self, window: int):
        self._window = window
        #: By range, the first of its records, in order.
        self._first: dict[int, list[tuple[Order, Any]]] = {}

    def see(self, number: int, order: Order, record: Any) -> None:
        """A record of a range."""
        first = self._first.setdefault(number, [])
        if len(first) < self._window or order < first[-1][0]:
            insort(first, (order, record), key=lambda each: each[0])
            del first[self._window :]

    def beyond(self) -> Iterator[tuple[int, Any]]:
        """(range, a record beyond it that its own may meet), for all ranges."""
        following: list[tuple[Order, Any]] = []
        for number in range(max(self._first, default=0), 0, -1):
            # Where a range has few records, those of the next ones follow as well.
            following = (self._first.get(number, []) + following)[: self._window]
            for _, record in following:
                yield number - 1, record
