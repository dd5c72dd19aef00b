"""How well clusters hold together: what is worth a look before it is believed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pehchan.clustering.components import LARGE, Nodes, components
from pehchan.clustering.mixing import mixed


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


def bridges_of_many(nodes: int, a: Nodes, b: Nodes) -> Nodes:
    """The same of many edges, a[k] with b[k], with a chance of 2**-64 an edge to name one that is none.

    Each edge beside a spanning forest has a number of 64 bits, and is xored to both of its nodes; of an edge of the
    forest, the nodes on one side then have 0 together just where no other edge leads across. D. Pritchard and
    R. Thurimella, "Fast computation of small cuts via cycle space sampling", 2011.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    # From a node of its own all components are reached.
    first = np.unique(components(nodes, a, b))
    ends = np.concatenate([a, b, np.full(len(first), nodes)]), np.concatenate([b, a, first])
    joined = csr_array((np.ones(len(ends[0]), dtype=np.int8), ends), (nodes + 1, nodes + 1))
    del ends
    order, before = breadth_first_order(joined, nodes)
    del joined
    in_forest = (before[a] == b) | (before[b] == a)
    numbers = mixed(np.arange(len(a), dtype=np.uint64))
    numbers[in_forest] = 0
    behind = np.zeros(nodes + 1, dtype=np.uint64)
    np.bitwise_xor.at(behind, a, numbers)
    np.bitwise_xor.at(behind, b, numbers)
    _gather(behind, order, before)
    lower = np.where(before[a] == b, a, b)
    return np.flatnonzero(in_forest & (behind[lower] == 0))


def _gather(behind: NDArray[np.uint64], order: Nodes, before: Nodes) -> None:
    """Xor what each node has to the one before it, the last nodes of an order first."""
    upwards = order[:0:-1]
    # Plain numbers, one after the other: a chain has as many steps as nodes.
    step = 1_000_000
    view = memoryview(behind)
    for start in range(0, len(upwards), step):
        some = upwards[start : start + step]
        for node, upper in zip(some.tolist(), before[some].tolist(), strict=True):
            view[upper] ^= view[node]


@dataclass(frozen=True)
class Shapes:
    """The shapes of many clusters; int64[k] each.

    first     the smallest node of each, ascending
    """

    first: Nodes
    size: Nodes
    pairs: Nodes
    farthest: Nodes
    bridges: Nodes

    @classmethod
    def of(cls, cluster: Nodes, a: Nodes, b: Nodes, distance: Nodes) -> "Shapes":
        """Of clusters of two nodes or more.

        cluster   by node, the smallest one of its cluster
        a, b      the two nodes of each pair within a cluster, each pair once, and its distance
        """
        of_edge = cluster[a]
        size = np.bincount(cluster, minlength=len(cluster))
        first = np.flatnonzero(size > 1)
        pairs = np.bincount(of_edge, minlength=len(cluster))
        farthest = np.zeros(len(cluster), dtype=np.int64)
        np.maximum.at(farthest, of_edge, distance)
        # A tree has nothing but bridges, and what is joined throughout has none.
        alone = np.where(pairs == size - 1, pairs, 0)
        open_edges = np.flatnonzero(((pairs > size - 1) & (pairs < size * (size - 1) // 2))[of_edge])
        if len(open_edges):
            nodes, ends = np.unique(np.concatenate([a[open_edges], b[open_edges]]), return_inverse=True)
            left, right = ends[: len(open_edges)], ends[len(open_edges) :]
            if len(open_edges) < LARGE:
                listed = list(zip(left.tolist(), right.tolist(), strict=True))
                which = np.array(bridges(len(nodes), listed), dtype=np.int64)
            else:
                which = bridges_of_many(len(nodes), left, right)
            np.add.at(alone, of_edge[open_edges[which]], 1)
        return cls(first, size[first], pairs[first], farthest[first], alone[first])
