"""Sets whose ids agree once the set id is peeled off: keyed by the entity id, so the work is O(n)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pehchan.metadata.records import Record

#: Where a record goes: (partition, set, entity id).
Route = tuple[str, str, str]
#: Where routes meet: (partition, entity id).
Cell = tuple[str, str]


@dataclass(frozen=True)
class SameId:
    """Records of different sets meet where their partition and their entity id are the same.

    id_ordinal    the column of the id as it was read: a suffix given to a duplicate id is not part of it
    set_id_size   characters of the set id, the first ones of the id
    """

    id_ordinal: int
    set_id_size: int
    partition_ordinal: int | None = None

    def route(self, record: Record) -> Route:
        """Where a record goes."""
        partition = "" if self.partition_ordinal is None else record.items[self.partition_ordinal]
        return partition, record.set, record.items[self.id_ordinal][self.set_id_size :]

    def cells(self, route: Route) -> Iterator[Cell]:
        """The cell that a batch of this route is sent to."""
        # A record without an id of its own meets nothing.
        if route[2]:
            yield route[0], route[2]

    def meetings(self, cell: Cell, routes: Sequence[Route]) -> Iterator[tuple[Route, Route]]:
        """The pairs of routes whose records meet in this cell."""
        yield from ((a, b) for a in routes for b in routes if a[1] < b[1])
