"""Clusters of records from the pairs under a cutoff."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from pehchan.clustering.cutting import WAYS, Edge, Graph
from pehchan.clustering.shape import Shape, shape_of

R = TypeVar("R", bound=Hashable)


class Member(NamedTuple):
    """A record in its cluster.

    cluster   the smallest record of the cluster
    nearest   smallest distance to a cluster-mate among the pairs given, None for a singleton
    farthest  largest such distance
    mates     how many cluster-mates it has a pair with
    """

    cluster: Any
    record: Any
    nearest: int | None
    farthest: int | None
    mates: int


class Cluster(NamedTuple):
    """The members, by record; shape is None for a record alone."""

    members: Sequence[Member]
    shape: Shape | None


@dataclass(frozen=True)
class Clustering(Generic[R]):
    """How clusters are made of pairs.

    by         a way of cutting.WAYS
    cutoff     the largest distance of a pair
    far        the distance of two records without a pair
    turn_of    when `pivot` comes to a record, the smallest first
    source_of  the source without duplicates that a record is from, None for another; None: there is no such source
    """

    by: str
    cutoff: int
    far: int
    turn_of: Callable[[R], int]
    source_of: Callable[[R], Hashable] | None = None

    def clusters(self, records: Iterable[R], pairs: Collection[tuple[R, R, int]]) -> Iterator[Cluster]:
        """All clusters, by their smallest record; every record is in one.

        records  those that may be alone; records of pairs need not be among them
        pairs    (record, record, distance) of pairs that belong together; of one that is there several times the
                 smallest distance counts, and a record with itself is none
        """
        both = {record for pair in pairs for record in pair[:2]}
        ordered = sorted({*records, *both})  # type: ignore[type-var]
        place = {record: number for number, record in enumerate(ordered)}
        edges = _edges((place[a], place[b], distance) for a, b, distance in pairs)
        source_of, turn_of = self.source_of, self.turn_of
        smallest = WAYS[self.by](
            Graph(
                len(ordered),
                edges,
                self.cutoff,
                self.far,
                [turn_of(record) for record in ordered] if self.by == "pivot" else (),
                [source_of(record) for record in ordered] if source_of else (),
            )
        )
        within: dict[int, list[Edge]] = {}
        for edge in edges:
            if smallest[edge[0]] == smallest[edge[1]]:
                within.setdefault(smallest[edge[0]], []).append(edge)
        members: dict[int, list[int]] = {}
        for number, first in enumerate(smallest):
            members.setdefault(first, []).append(number)
        # The smallest record of each cluster comes before the others, so that the clusters are in order.
        for first, numbers in members.items():
            if len(numbers) == 1:
                record = ordered[first]
                yield Cluster((Member(record, record, None, None, 0),), None)
            else:
                yield _cluster(ordered, numbers, within[first])


def _edges(pairs: Iterable[tuple[int, int, int]]) -> list[Edge]:
    """Each two once, with their smallest distance."""
    nearest: dict[tuple[int, int], int] = {}
    for a, b, distance in pairs:
        if a != b:
            both = (a, b) if a < b else (b, a)
            nearest[both] = min(distance, nearest.get(both, distance))
    return [(a, b, distance) for (a, b), distance in nearest.items()]


def _cluster(ordered: Sequence[R], numbers: Sequence[int], edges: Sequence[Edge]) -> Cluster:
    """The cluster of the records with these numbers, the smallest first, and the edges within it."""
    place = {number: k for k, number in enumerate(numbers)}
    distances: list[list[int]] = [[] for _ in numbers]
    for a, b, distance in edges:
        distances[place[a]].append(distance)
        distances[place[b]].append(distance)
    members = [
        Member(
            ordered[numbers[0]],
            ordered[number],
            min(distances[k], default=None),
            max(distances[k], default=None),
            len(distances[k]),
        )
        for k, number in enumerate(numbers)
    ]
    return Cluster(
        members, shape_of(len(numbers), [(place[a], place[b], distance) for a, b, distance in edges])
    )
