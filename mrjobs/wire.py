"""What travels between tasks and between jobs.

Between map and reduce: batches of records of one route, as JSON columns. Between jobs: tagged lines,
`tag TAB payload`, where the tag says what the payload is, so that one job can have several outputs. All of it
is ASCII without tab, LF or CR inside, which every runner passes on unharmed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from itertools import compress
from typing import Any, ClassVar, TypeVar

import orjson

from pehchan.metadata.records import ascii_json
from pehchan.mrjobs.joins.all_pairs import Route

BATCH_VERSION = 2
PAIRS_VERSION = 1
CLUSTERED_VERSION = 3
SHAPES_VERSION = 2
MEMBERS_VERSION = 1

RECORDS = b"records"
REJECTED = b"rejected"
GROUP = b"group"
PAIRS = b"pairs"
NEIGHBOURS = b"neighbours"
CLUSTERED = b"clustered"
SHAPE = b"shape"
EDGES = b"edges"
PROFILE = b"profile"
NEAR = b"near"
FROZEN = b"frozen"
GOLDEN = b"golden"
MEMBERS = b"members"

#: What the first word of a line of a job may be; that of another program may begin as it likes.
TAGS = frozenset(
    (
        RECORDS,
        REJECTED,
        GROUP,
        PAIRS,
        NEIGHBOURS,
        CLUSTERED,
        SHAPE,
        EDGES,
        PROFILE,
        NEAR,
        FROZEN,
        GOLDEN,
        MEMBERS,
    )
)

#: First in the key of what travels to a reducer: the records of a cell, and lines that only pass through.
CELL = "c"
ASIDE = "x"

#: A record's identity: its set and its id.
Identity = tuple[str, str]


class WireError(ValueError):
    """A line between jobs that is not what it should be: another version, or not written by a job."""


@dataclass
class Batch:
    """Records of one route as columns, on their way to a reducer.

    ids      one a record
    columns  one list of values a compared field, in schema order
    items    the whole records where the output needs them, else empty
    blocks   with blocking, one list a record: the block in which it meets others here, and before that all earlier
             blocks that it is in; else empty
    """

    route: Route
    ids: list[str] = field(default_factory=list)
    columns: list[list[str]] = field(default_factory=list)
    items: list[Sequence[str]] = field(default_factory=list)
    blocks: list[Sequence[str]] = field(default_factory=list)

    def encode(self) -> bytes:
        """One line, without the newline."""
        return ascii_json([BATCH_VERSION, self.route, self.ids, self.columns, self.items, self.blocks])

    @classmethod
    def decode(cls, line: bytes) -> "Batch":
        """The batch of an encoded line."""
        version, route, *columns = orjson.loads(line)
        if version != BATCH_VERSION:
            raise WireError(f"a batch of version {version!r}; this pehchan reads version {BATCH_VERSION}")
        return cls(tuple(route), *columns)


@dataclass(frozen=True)
class Pair:
    """Two records and their distance; items only where the output needs them."""

    first: Identity
    second: Identity
    distance: int
    first_items: Sequence[str] = ()
    second_items: Sequence[str] = ()


C = TypeVar("C", bound="_Columns")


@dataclass
class _Columns:
    """Columns that travel as one line, [version, list, list, ...]."""

    version: ClassVar[int]
    what: ClassVar[str]

    @property
    def _columns(self) -> list[list[Any]]:
        return [getattr(self, column.name) for column in fields(self)]

    def encode(self) -> bytes:
        """One line, without the newline: the version, and the columns in order."""
        return ascii_json([self.version, *self._columns])

    @classmethod
    def decode(cls: type[C], payload: bytes) -> C:
        """What an encoded line holds."""
        version, *columns = orjson.loads(payload)
        if version != cls.version:
            raise WireError(f"{cls.what} of version {version!r}; this pehchan reads version {cls.version}")
        return cls(*columns)


@dataclass
class Pairs(_Columns):
    """Pairs as columns: one list each, all as long; those of items are empty where the output needs none."""

    version, what = PAIRS_VERSION, "pairs"

    first_sets: list[str] = field(default_factory=list)
    first_ids: list[str] = field(default_factory=list)
    second_sets: list[str] = field(default_factory=list)
    second_ids: list[str] = field(default_factory=list)
    distances: list[int] = field(default_factory=list)
    first_items: list[Sequence[str]] = field(default_factory=list)
    second_items: list[Sequence[str]] = field(default_factory=list)

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> "Pairs":
        """The columns of pairs."""
        columns = cls()
        for pair in pairs:
            columns.append(pair)
        return columns

    def __len__(self) -> int:
        return len(self.distances)

    def __iter__(self) -> Iterator[Pair]:
        nothing: list[Sequence[str]] = [()] * len(self)
        for first_set, first_id, second_set, second_id, distance, left, right in zip(
            *self._columns[:5], self.first_items or nothing, self.second_items or nothing, strict=True
        ):
            yield Pair((first_set, first_id), (second_set, second_id), distance, left, right)

    def within(self, cutoff: int) -> "Pairs":
        """Those at or under a cutoff, without items."""
        kept = [distance <= cutoff for distance in self.distances]
        return Pairs(*(list(compress(column, kept)) for column in self._columns[:5]))

    def append(self, pair: Pair) -> None:
        """Add a pair of the same kind, with or without items."""
        self.first_sets.append(pair.first[0])
        self.first_ids.append(pair.first[1])
        self.second_sets.append(pair.second[0])
        self.second_ids.append(pair.second[1])
        self.distances.append(pair.distance)
        if pair.first_items or pair.second_items:
            self.first_items.append(pair.first_items)
            self.second_items.append(pair.second_items)

    def extend(self, more: "Pairs") -> None:
        """Add pairs of the same kind, with or without items."""
        for column, others in zip(self._columns, more._columns, strict=True):
            column.extend(others)


@dataclass
class Clustered(_Columns):
    """Records in their clusters, as columns: those of a cluster one after the other.

    nearest, farthest  smallest and largest distance to a cluster-mate that the record has a pair with, None for none
    mates              how many these are
    components         where they are asked for: a number that the records have in common that pairs join, also those
                       of other clusters; else empty
    """

    version, what = CLUSTERED_VERSION, "records in clusters"

    cluster_sets: list[str] = field(default_factory=list)
    cluster_ids: list[str] = field(default_factory=list)
    sets: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    nearest: list[int | None] = field(default_factory=list)
    farthest: list[int | None] = field(default_factory=list)
    mates: list[int] = field(default_factory=list)
    components: list[int] = field(default_factory=list)

    @property
    def _columns(self) -> list[list[Any]]:
        columns = super()._columns
        return columns if self.components else columns[:-1]

    def __iter__(self) -> Iterator[tuple[Identity, Identity]]:
        """Each record, after its cluster."""
        clusters = zip(self.cluster_sets, self.cluster_ids, strict=True)
        return zip(clusters, zip(self.sets, self.ids, strict=True), strict=True)


@dataclass
class Members(_Columns):
    """Records of a state in their entities, as columns: those of an entity one after the other."""

    version, what = MEMBERS_VERSION, "members"

    entities: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[Identity, Identity]]:
        """Each record, after its entity, as those of Clustered."""
        return ((("", entity), ("", record)) for entity, record in zip(self.entities, self.ids, strict=True))


@dataclass
class ClusterShapes(_Columns):
    """Clusters of two records or more, by their smallest record, with what clustering.shape.Shape has, as columns."""

    version, what = SHAPES_VERSION, "shapes of clusters"

    sets: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    pairs: list[int] = field(default_factory=list)
    farthest: list[int] = field(default_factory=list)
    bridges: list[int] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[Identity, tuple[int, int, int, int]]]:
        """Each cluster, and its shape."""
        clusters = zip(self.sets, self.ids, strict=True)
        shapes = zip(self.sizes, self.pairs, self.farthest, self.bridges, strict=True)
        return zip(clusters, shapes, strict=True)


def tagged(line: bytes) -> tuple[bytes, bytes]:
    """(tag, payload) of a tagged line."""
    tag, tab, payload = line.rstrip(b"\r\n").partition(b"\t")
    if not tab:
        raise WireError("a line without a tag where output of a pehchan job was expected")
    return tag, payload


def read_tagged(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """(tag, payload) of each tagged line."""
    return map(tagged, lines)
