"""Connected components: records that a chain of pairs joins."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

R = TypeVar("R", bound=Hashable)
#: Nodes by their numbers, of 32 bits each where there are many of them.
Nodes = NDArray[np.int32] | NDArray[np.int64]

#: Edges from which on scipy is worth the half second that it takes to import.
LARGE = 20_000


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


def components(nodes: int, a: Sequence[int] | Nodes, b: Sequence[int] | Nodes) -> Nodes:
    """int32[nodes]: for each node 0..nodes-1 the smallest node of its component.

    Edges are those of node a[k] and node b[k], in any order, with repetitions and loops allowed.
    """
    if len(a) < LARGE:
        forest = Forest(nodes)
        for one, other in zip(_listed(a), _listed(b), strict=True):
            low, high = sorted((forest.smallest(one), forest.smallest(other)))
            forest.join(low, high)
        return np.array(forest.all(), dtype=np.int32)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    joined = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), (nodes, nodes))
    number, label = connected_components(joined, directed=False)
    smallest = np.empty(number, dtype=np.int32)
    # Of what is written to one place several times the last stays.
    smallest[label[::-1]] = np.arange(nodes - 1, -1, -1, dtype=np.int32)
    return smallest[label]


def _listed(nodes: Sequence[int] | Nodes) -> Sequence[int]:
    return nodes.tolist() if isinstance(nodes, np.ndarray) else nodes


def smallest_joined(
    pairs: Iterable[tuple[R, R]], in_order: Callable[[R], Any] = lambda record: record
) -> dict[R, R]:
    """The records of pairs, in order, each with the smallest record that a chain of pairs connects it to."""
    edges = list(pairs)
    ordered = sorted({record for pair in edges for record in pair}, key=in_order)
    place = {record: number for number, record in enumerate(ordered)}
    a, b = ([place[pair[side]] for pair in edges] for side in (0, 1))
    smallest = components(len(ordered), a, b).tolist()
    return {record: ordered[first] for record, first in zip(ordered, smallest, strict=True)}
