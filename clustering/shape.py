"""How well clusters hold together: what is worth a look before it is believed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pehchan.clustering.components import LARGE, Nodes, components
from pehchan.clustering.mixing import mixed

#: Share of the edges from which on it is worth another look which of them lead to nothing else.
WORTH_A_LOOK = 0.05


@dataclass(frozen=True)
class Shape:
    """A cluster of two records or more, by the pairs under the cutoff that are within it.

    size      records
    pairs     pairs
    farthest  largest distance of these
    bridges   pairs without which the cluster would fall into two
    """

    size: int
    pairs: int
    farthest: int
    bridges: int

    @property
    def density(self) -> float:
        """The share of all pairs of its records that are under the cutoff, from 0 to 1."""
        return self.pairs / (self.size * (self.size - 1) / 2)


def bridges(nodes: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The positions of edges that join what nothing else joins, ascending.

    nodes are numbered from 0; edges are pairs of two of them, each two once. R. Tarjan, "A note on finding the
    bridges of a graph", 1974; without recursion, as clusters may be long chains.
    """
    beside: list[list[tuple[int, int]]] = [[] for _ in range(nodes)]
    for number, (a, b) in enumerate(edges):
        beside[a].append((b, number))
        beside[b].append((a, number))
    #: When a node was reached, and the first one that it and all behind it lead back to.
    reached, back = [-1] * nodes, [0] * nodes
    found, time = [], 0
    for start in range(nodes):
        if reached[start] >= 0:
            continue
        reached[start] = back[start] = time
        time += 1
        path = [(start, -1, iter(beside[start]))]
        while path:
            node, came_by, rest = path[-1]
            for other, number in rest:
                if number == came_by:
                    continue
                if reached[other] >= 0:
                    back[node] = min(back[node], reached[other])
                    continue
                reached[other] = back[other] = time
                time += 1
                path.append((other, number, iter(beside[other])))
                break
            else:
                path.pop()
                if path:
                    before = path[-1][0]
                    back[before] = min(back[before], back[node])
                    if back[node] > reached[before]:
                        found.append(came_by)
    return sorted(found)


def bridges_of_many(nodes: int, a: Nodes, b: Nodes) -> NDArray[np.int64]:
    """The same of many edges, a[k] with b[k], with a chance of 2**-64 an edge to name one that is none.

    Edges to nodes with nothing else are bridges, and left out of what follows. Of the others, each beside a spanning
    forest has a number of 64 bits, and is xored to both of its nodes; of an edge of the forest, the nodes on one side
    then have 0 together just where no other edge leads across. D. Pritchard and R. Thurimella, "Fast computation of
    small cuts via cycle space sampling", 2011.
    """
    left = np.arange(len(a), dtype=np.int32)
    found = []
    while len(left):
        edges_of = np.bincount(a[left], minlength=nodes) + np.bincount(b[left], minlength=nodes)
        ends = (edges_of[a[left]] == 1) | (edges_of[b[left]] == 1)
        del edges_of
        found.append(left[ends])
        before, left = len(left), left[~ends]
        # A chain loses one at a time.
        if before - len(left) < WORTH_A_LOOK * before:
            break
    if len(left):
        place = np.zeros(nodes, dtype=np.int32)
        place[a[left]] = place[b[left]] = 1
        used = int(np.count_nonzero(place))
        np.cumsum(place, out=place)
        place -= 1
        found.append(left[_bridges_by_hash(used, place[a[left]], place[b[left]])])
    return np.sort(np.concatenate(found)).astype(np.int64) if found else np.zeros(0, dtype=np.int64)


def _bridges_by_hash(nodes: int, a: Nodes, b: Nodes) -> NDArray[np.int64]:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    # From a node of its own all components are reached.
    smallest = components(nodes, a, b)
    first = np.flatnonzero(smallest == np.arange(nodes, dtype=np.int32)).astype(np.int32)
    del smallest
    root = np.full(len(first), nodes, dtype=np.int32)
    ends = np.concatenate([a, b, root]), np.concatenate([b, a, first])
    joined = csr_array((np.ones(len(ends[0]), dtype=np.int8), ends), (nodes + 1, nodes + 1))
    del ends, root, first
    order, before = breadth_first_order(joined, nodes)
    del joined
    in_forest = (before[a] == b) | (before[b] == a)
    beside = np.flatnonzero(~in_forest)
    numbers = mixed(beside.astype(np.uint64))
    behind = np.zeros(nodes + 1, dtype=np.uint64)
    np.bitwise_xor.at(behind, a[beside], numbers)
    np.bitwise_xor.at(behind, b[beside], numbers)
    del numbers, beside
    _gather(behind, order, before)
    return np.flatnonzero(in_forest & (behind[np.where(before[a] == b, a, b)] == 0))


def _gather(behind: NDArray[np.uint64], order: Nodes, before: Nodes) -> None:
    """Xor what each node has to the one before it, the last nodes of an order first."""
    upwards = order[:0:-1]
    # Plain numbers, one after the other: a chain has as many steps as nodes.
    step = 100_000
    view = memoryview(behind)
    for start in range(0, len(upwards), step):
        some = upwards[start : start + step]
        for node, upper in zip(some.tolist(), before[some].tolist(), strict=True):
            view[upper] ^= view[node]


@dataclass(frozen=True)
class Shapes:
    """The shapes of many clusters; int64[k] each.

    first  the smallest node of each, ascending
    """

    first: NDArray[np.int64]
    size: NDArray[np.int64]
    pairs: NDArray[np.int64]
    farthest: NDArray[np.int64]
    bridges: NDArray[np.int64]

    @classmethod
    def of(cls, cluster: Nodes, a: Nodes, b: Nodes, distance: Nodes) -> "Shapes":
        """Of clusters of two nodes or more.

        cluster   by node, the smallest one of its cluster
        a, b      the two nodes of each pair within a cluster, each pair once, and its distance
        """
        # Clusters are numbered, as there may be far fewer of them than nodes.
        is_first = cluster == np.arange(len(cluster), dtype=np.int32)
        first = np.flatnonzero(is_first)
        number = (np.cumsum(is_first, dtype=np.int32) - 1)[cluster]
        size = np.bincount(number, minlength=len(first))
        of_edge = number[a]
        del is_first, number
        pairs = np.bincount(of_edge, minlength=len(first))
        farthest = np.full(len(first), np.iinfo(np.int64).min)
        np.maximum.at(farthest, of_edge, distance)
        # A tree has nothing but bridges, and what is joined throughout has none.
        alone = np.where(pairs == size - 1, pairs, 0)
        is_open = ((pairs > size - 1) & (pairs < size * (size - 1) // 2))[of_edge]
        if is_open.any():
            some = is_open if not is_open.all() else slice(None)
            which = of_edge[some][_bridges(len(cluster), a[some], b[some])]
            np.add.at(alone, which, 1)
        several = size > 1
        return cls(first[several], size[several], pairs[several], farthest[several], alone[several])


def _bridges(nodes: int, a: Nodes, b: Nodes) -> NDArray[np.int64]:
    if len(a) >= LARGE:
        return bridges_of_many(nodes, a, b)
    used, ends = np.unique(np.concatenate([a, b]), return_inverse=True)
    edges = list(zip(ends[: len(a)].tolist(), ends[len(a) :].tolist(), strict=True))
    return np.array(bridges(len(used), edges), dtype=np.int64)
