"""Connected components: records that a chain of pairs joins."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

R = TypeVar("R", bound=Hashable)


class Forest:
    """Nodes 0..nodes-1 in groups that grow; each group goes by its smallest node."""

    def __init__(self, nodes: int):
        self._parent = list(range(nodes))

    def smallest(self, node: int) -> int:
        """The smallest node of the group of a node."""
        parent = self._parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(self, low: int, high: int) -> None:
        """Make one group of those of two smallest nodes, the smaller one first."""
        self._parent[high] = low

    def all(self) -> list[int]:
        """For each node the smallest one of its group."""
        return list(map(self.smallest, range(len(self._parent))))


def components(nodes: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """For each node 0..nodes-1 the smallest node of its component.

    edges are pairs of nodes, in any order, with repetitions and loops allowed.
    """
    forest = Forest(nodes)
    for a, b in edges:
        low, high = sorted((forest.smallest(a), forest.smallest(b)))
        forest.join(low, high)
    return forest.all()


def smallest_joined(
    pairs: Iterable[tuple[R, R]], in_order: Callable[[R], Any] = lambda record: record
) -> dict[R, R]:
    """The records of pairs, in order, each with the smallest record that a chain of pairs connects it to."""
    edges = list(pairs)
    ordered = sorted({record for pair in edges for record in pair}, key=in_order)
    place = {record: number for number, record in enumerate(ordered)}
    smallest = components(len(ordered), ((place[a], place[b]) for a, b in edges))
    return {record: ordered[first] for record, first in zip(ordered, smallest, strict=True)}
