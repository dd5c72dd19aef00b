"""Ways to make clusters of what pairs join: all that is connected, or less where chains join strangers.

Nodes are records, numbered in their order from 0; edges are pairs that belong together. All ways give for each node
the smallest one of its cluster, whatever the order of the edges. Edges are taken the shortest first, and of those
equally long the one of the smaller nodes.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import islice

from pehchan.clustering.components import Forest, components

#: (node, node, distance), the smaller node first.
Edge = tuple[int, int, int]


@dataclass(frozen=True)
class Graph:
    """What is to be cut.

    nodes    how many there are
    edges    each two nodes once, no node with itself
    cutoff   the largest distance of an edge
    far      the distance of two nodes without an edge, for `average`
    turns    by node, what says when `pivot` comes to it, the smallest first
    sources  by node, the source without duplicates that it is from, None for another one: a cluster holds at most
             one node of each of them. Nothing: there is no such source
    mean     the largest mean distance of two clusters that `average` merges; None: the cutoff
    absent   (nodes, nodes) -> their distances, for `average`; None: two nodes without an edge are `far` apart
    """

    nodes: int
    edges: Sequence[Edge]
    cutoff: int
    far: int
    turns: Sequence[int] = ()
    sources: Sequence[Hashable] = ()
    mean: int | None = None
    absent: Callable[[Sequence[int], Sequence[int]], Sequence[int]] | None = None

    @cached_property
    def shortest_first(self) -> list[Edge]:
        """The edges in the order in which they are taken."""
        return sorted(self.edges, key=lambda edge: (edge[2], edge[0], edge[1]))

    @cached_property
    def neighbours(self) -> list[list[int]]:
        """By node, those that it has an edge to."""
        found: list[list[int]] = [[] for _ in range(self.nodes)]
        for a, b, _ in self.edges:
            found[a].append(b)
            found[b].append(a)
        return found


class _Clusters(Forest):
    """Clusters that grow, and of which none gets two nodes of one source."""

    def __init__(self, graph: Graph):
        super().__init__(graph.nodes)
        self.size = [1] * graph.nodes
        self._sources: list[frozenset[Hashable]] = [
            frozenset() if source is None else frozenset((source,)) for source in graph.sources
        ]

    def may_merge(self, a: int, b: int) -> bool:
        """Whether two clusters have no source in common."""
        return not self._sources or self._sources[a].isdisjoint(self._sources[b])

    def merge(self, a: int, b: int) -> None:
        """Make one of two clusters."""
        low, high = min(a, b), max(a, b)
        self.join(low, high)
        self.size[low] += self.size[high]
        if self._sources:
            self._sources[low] |= self._sources[high]


def connected(graph: Graph) -> list[int]:
    """What a chain of edges joins; with sources, edge by edge as far as these allow."""
    if not graph.sources:
        a, b = ([edge[side] for edge in graph.edges] for side in (0, 1))
        return components(graph.nodes, a, b).tolist()
    clusters = _Clusters(graph)
    for a, b, _ in graph.shortest_first:
        first, second = clusters.smallest(a), clusters.smallest(b)
        if first != second and clusters.may_merge(first, second):
            clusters.merge(first, second)
    return clusters.all()


def centre(graph: Graph) -> list[int]:
    """Stars: of the first edge of two nodes that are in no cluster the smaller is a centre, and all others of its
    cluster have an edge to it.

    The CENTER algorithm of O. Hassanzadeh and R. Miller, "Creating probabilistic databases from duplicated data",
    2009.
    """
    clusters = _Clusters(graph)
    centre_of: dict[int, int] = {}
    for a, b, _ in graph.shortest_first:
        first, second = clusters.smallest(a), clusters.smallest(b)
        if first == second or not clusters.may_merge(first, second):
            continue
        if a not in centre_of and b not in centre_of:
            centre_of[a] = centre_of[b] = a
        elif a not in centre_of and centre_of[b] == b:
            centre_of[a] = b
        elif b not in centre_of and centre_of[a] == a:
            centre_of[b] = a
        else:
            continue
        clusters.merge(first, second)
    return clusters.all()


def average(graph: Graph) -> list[int]:
    """Two clusters at a time become one, those of the smallest mean distance first, while that is at most the `mean`.

    The mean is over all pairs of a node of one and a node of the other; of those without an edge the distance is
    `far`, or what `absent` says. Average linkage (R. Sokal and C. Michener, 1958) that never looks at two clusters
    without an edge between them. Memory grows with the edges, and not with the square of the nodes: absent pairs are
    measured when the mean of two clusters hangs on them, and only their sum is kept.
    """
    clusters = _Clusters(graph)
    most = graph.cutoff if graph.mean is None else graph.mean
    #: By cluster and neighbour, how much nearer than far all pairs of them are: the sum of far - distance.
    nearer: list[dict[int, int]] = [{} for _ in range(graph.nodes)]
    for a, b, distance in graph.edges:
        nearer[a][b] = nearer[b][a] = graph.far - distance
    members = [[node] for node in range(graph.nodes)]

    def mean(a: int, b: int) -> float:
        return graph.far - nearer[a][b] / (clusters.size[a] * clusters.size[b])

    def measure(a: int, others: Sequence[int]) -> None:
        """Make others neighbours of a, by what their pairs measure."""
        sides = [(one, two) for other in others for one in members[a] for two in members[other]]
        distances = iter(graph.absent(*zip(*sides, strict=True)) if graph.absent and sides else ())
        for other in others:
            pairs = len(members[a]) * len(members[other])
            by = sum(graph.far - distance for distance in islice(distances, pairs))
            nearer[a][other] = nearer[other][a] = by

    waiting = [(mean(a, b), a, b) for a, b, _ in graph.edges]
    heapify(waiting)
    while waiting:
        apart, a, b = heappop(waiting)
        # What merged since with another one waits anew.
        if apart > most or b not in nearer[a] or apart != mean(a, b):
            continue
        if not clusters.may_merge(a, b):
            del nearer[a][b], nearer[b][a]
            continue
        if graph.absent is not None:
            for one, two in ((a, b), (b, a)):
                lacking = nearer[two].keys() - nearer[one].keys() - {one}
                measure(one, sorted(other for other in lacking if clusters.may_merge(one, other)))
        clusters.merge(a, b)
        members[a] += members[b]
        members[b] = []
        for other, by in nearer[b].items():
            del nearer[other][b]
            if other != a:
                nearer[a][other] = nearer[other][a] = nearer[a].get(other, 0) + by
        nearer[b] = {}
        for other in nearer[a]:
            if (again := mean(a, other)) <= most:
                heappush(waiting, (again, min(a, other), max(a, other)))
    return clusters.all()


def pivot(graph: Graph) -> list[int]:
    """Node after node by its turn: one that is in no cluster takes all its neighbours that are in none.

    N. Ailon, M. Charikar and A. Newman, "Aggregating inconsistent information: ranking and clustering", 2008, where
    turns are drawn at random.
    """
    clusters = _Clusters(graph)
    taken = [False] * graph.nodes
    for node in sorted(range(graph.nodes), key=lambda node: (graph.turns[node], node)):
        if taken[node]:
            continue
        taken[node] = True
        for other in sorted(graph.neighbours[node]):
            first, second = clusters.smallest(node), clusters.smallest(other)
            if not taken[other] and clusters.may_merge(first, second):
                taken[other] = True
                clusters.merge(first, second)
    return clusters.all()


def assignment(graph: Graph) -> list[int]:
    """The pairs of two sources without duplicates that together are nearest.

    Each pair is worth how much nearer than the cutoff it is, and one more; taken are those of the largest sum, found
    by scipy (H. Kuhn, "The Hungarian method for the assignment problem", 1955). Raises ValueError where there are
    more than two sources, or an edge within one.
    """
    # Only here, as it takes longer to import than most clusterings take.
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    sources = sorted({graph.sources[node] for edge in graph.edges for node in edge[:2]}, key=str)
    if len(sources) > 2 or any(graph.sources[a] == graph.sources[b] for a, b, _ in graph.edges):
        raise ValueError("an assignment is between the records of two sets without duplicates")
    found = list(range(graph.nodes))
    if not graph.edges:
        return found
    rows, columns = (
        np.array([node for node in range(graph.nodes) if graph.sources[node] == source]) for source in sources
    )
    place = np.zeros(graph.nodes, dtype=np.int64)
    place[rows], place[columns] = np.arange(len(rows)), np.arange(len(columns))
    edges = np.array(graph.edges, dtype=np.int64)
    swapped = np.array([graph.sources[a] != sources[0] for a, _, _ in graph.edges])
    first, second = np.where(swapped[:, None], edges[:, 1::-1], edges[:, :2]).T
    # A row without a partner gets one of its own, for the price of a pair one beyond the cutoff.
    alone = np.arange(len(rows))
    prices = csr_array(
        (
            np.concatenate([edges[:, 2] + 1.0, np.full(len(rows), graph.cutoff + 2.0)]),
            (np.concatenate([place[first], alone]), np.concatenate([place[second], len(columns) + alone])),
        ),
        shape=(len(rows), len(columns) + len(rows)),
    )
    for row, column in zip(*min_weight_full_bipartite_matching(prices), strict=True):
        if column < len(columns):
            low, high = sorted((int(rows[row]), int(columns[column])))
            found[high] = low
    return found


#: By its name in `cluster.by`.
WAYS: Mapping[str, Callable[[Graph], list[int]]] = {
    "connected": connected,
    "centre": centre,
    "average": average,
    "pivot": pivot,
    "assignment": assignment,
}
