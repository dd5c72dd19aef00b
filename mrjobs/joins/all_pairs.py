"""All pairs by hashed buckets: every pair of buckets is a cell, and meets in one reducer.

Self-join of one set: a record of bucket b goes to the cells {b, k} for every bucket k of its group, and nowhere
else. Join of two sets: base buckets are rows, other buckets columns, and a cell is one of each.
Join of three sets or more, and of those that ids tell apart: the cells of a self-join, in which only different sets
meet.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from pehchan.metadata.records import Record

#: Where a record goes: (group, set, bucket). The same for all records of a batch.
Route = tuple[str, str, int]
#: Where routes meet: (group, row bucket, column bucket).
Cell = tuple[str, int, int]


@dataclass(frozen=True)
class AllPairs:
    """Every pair of a group once, whatever the number of buckets. A group is a partition, or all records.

    sets               ("",) for a self-join; (base, other) for the join of two sets, or the names of more; () for
                       the join of all sets that occur
    partition_ordinal  the column whose value is the partition, None for one partition
    buckets            buckets for groups that have more than the default: of each of two sets, else one number
                       for all records
    default            buckets elsewhere
    """

    sets: tuple[str, ...]
    partition_ordinal: int | None
    buckets: Mapping[str, Sequence[int]]
    default: Sequence[int]

    def group(self, record: Record) -> str | None:
        """What records have in common that meet; None for a record that meets nothing."""
        return "" if self.partition_ordinal is None else record.items[self.partition_ordinal]

    def route(self, record: Record) -> Route | None:
        """Where a record goes; None where it meets nothing."""
        group = self.group(record)
        if group is None:
            return None
        return group, record.set, bucket_of(record, self._count(group, record.set))

    def route_of_all(self, set_name: str) -> Route | None:
        """The route of all records of a set, where they have but one; else None."""
        if self.partition_ordinal is not None or self._count("", set_name) > 1:
            return None
        return "", set_name, 0

    def _count(self, group: str, set_name: str) -> int:
        """How many buckets the records of a set have in a group."""
        buckets = self.buckets.get(group, self.default)
        return buckets[self.sets.index(set_name)] if len(self.sets) == 2 else buckets[0]

    def groups(self, record: Record) -> Sequence[str]:
        """The groups of a record: one, or none."""
        group = self.group(record)
        return () if group is None else (group,)

    def cells(self, route: Route) -> Iterator[Cell]:
        """The cells that a batch of this route is sent to."""
        group, set_name, bucket = route
        buckets = self.buckets.get(group, self.default)
        if len(self.sets) != 2:
            for other in range(buckets[0]):
                yield group, min(bucket, other), max(bucket, other)
        elif set_name == self.sets[0]:
            for other in range(buckets[1]):
                yield group, bucket, other
        else:
            for base in range(buckets[0]):
                yield group, base, bucket

    def meetings(self, cell: Cell, routes: Sequence[Route]) -> Iterator[tuple[Route, Route]]:
        """The pairs of routes whose records meet in this cell; a route with itself for the pairs inside it."""
        _, row, column = cell
        if len(self.sets) == 2:
            base, other = self.sets
            rows = [route for route in routes if route[1] == base]
            columns = [route for route in routes if route[1] == other]
            yield from ((a, b) for a in rows for b in columns)
        elif self.sets == ("",):
            rows = [route for route in routes if route[2] == row]
            columns = [route for route in routes if route[2] == column]
            yield from ((a, b) for a in rows for b in columns)
        else:
            # Within the cell of one bucket both routes are in it: take each two of them once.
            yield from (
                (a, b)
                for a in routes
                for b in routes
                if a[1] != b[1] and a[2] == row and b[2] == column and (row != column or a[1] < b[1])
            )

    def window(self, cell: Cell) -> int | None:
        """None: it is by `meetings` that the routes of this cell meet."""
        return None


def bucket_of(record: Record, count: int) -> int:
    """A bucket from 0 to count - 1 by a hash of (set, id) that is the same on every machine and run."""
    if count == 1:
        return 0
    return hashed(f"{record.set}\0{record.id}") % count


def hashed(text: str) -> int:
    """A number that is the same for a text on every machine and run."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
