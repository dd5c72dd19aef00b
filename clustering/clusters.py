"""Clusters of records from the pairs under a cutoff."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from pehchan.clustering.components import components

R = TypeVar("R", bound=Hashable)


@dataclass(frozen=True)
class Member(Generic[R]):
    """A record in its cluster.

    cluster   the smallest record of the cluster
    nearest   smallest distance to a cluster-mate among the pairs given, None for a singleton
    farthest  largest such distance
    """

    cluster: R
    record: R
    nearest: int | None
    farthest: int | None


def connected_clusters(records: Iterable[R], pairs: Iterable[tuple[R, R, int]]) -> Iterator[Member[R]]:
    """Every record once, with the cluster that it belongs to, ordered by cluster and record.

    records  those that may be alone; records of pairs need not be among them
    pairs    (record, record, distance) of pairs that belong together
    """
    edges = list(pairs)
    ordered = sorted({*records, *(edge[0] for edge in edges), *(edge[1] for edge in edges)})  # type: ignore[type-var]
    place = {record: number for number, record in enumerate(ordered)}
    nearest: dict[R, int] = {}
    farthest: dict[R, int] = {}
    for a, b, distance in edges:
        if a == b:
            continue
        for record in (a, b):
            nearest[record] = min(distance, nearest.get(record, distance))
            farthest[record] = max(distance, farthest.get(record, distance))
    smallest = components(len(ordered), ((place[a], place[b]) for a, b, _ in edges))
    for number in sorted(range(len(ordered)), key=lambda number: (smallest[number], number)):
        record = ordered[number]
        yield Member(ordered[smallest[number]], record, nearest.get(record), farthest.get(record))
