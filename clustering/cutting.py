"""Ways to make clusters of what pairs join: all that is connected, or less where chains join strangers.

Nodes are records, numbered in their order from 0; edges are pairs that belong together. All ways give for each node
the smallest one of its cluster, whatever the order of the edges. Edges are taken the shortest first, and of those
equally long the one of the smaller nodes.

What a person decided comes before any distance: nodes that are `together` are one from the start, a unit that goes by
its smallest node, and has the edges of all of them; clusters of which nodes are `apart` never become one.
"""

from collections import defaultdict
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
    together pairs of nodes that are in one cluster, and so is what a chain of these joins: also two of one source
             without duplicates, as a person said so
    apart    pairs of nodes that are not in one cluster; of what is together they part nothing
    """

    nodes: int
    edges: Sequence[Edge]
    cutoff: int
    far: int
    turns: Sequence[int] = ()
    sources: Sequence[Hashable] = ()
    mean: int | None = None
    absent: Callable[[Sequence[int], Sequence[int]], Sequence[int]] | None = None
    together: Sequence[tuple[int, int]] = ()
    apart: Sequence[tuple[int, int]] = ()

    @cached_property
    def unit(self) -> Sequence[int]:
        """By node, the smallest of those that it is together with."""
        if not self.together:
            return range(self.nodes)
        a, b = ([pair[side] for pair in self.together] for side in (0, 1))
        return components(self.nodes, a, b).tolist()

    @cached_property
    def between(self) -> Sequence[Edge]:
        """The edges of two units, by these: there may be several of the same two."""
        if not self.together:
            return self.edges
        ends = ((*sorted((self.unit[a], self.unit[b])), distance) for a, b, distance in self.edges)
        return [(a, b, distance) for a, b, distance in ends if a != b]

    @cached_property
    def shortest_first(self) -> list[Edge]:
        """The edges of two units in the order in which they are taken."""
        return sorted(self.between, key=lambda edge: (edge[2], edge[0], edge[1]))

    @cached_property
    def neighbours(self) -> list[list[int]]:
        """By unit, those that it has an edge to."""
        found: list[list[int]] = [[] for _ in range(self.nodes)]
        for a, b, _ in self.between:
            found[a].append(b)
            found[b].append(a)
        return found


class _Clusters(Forest):
    """Clusters that grow from units, and of which none gets two nodes of one source, or two that are apart."""

    def __init__(self, graph: Graph):
        super().__init__(graph.nodes)
        self.size = [1] * graph.nodes
        self._sources: list[frozenset[Hashable]] = [
            frozenset() if source is None else frozenset((source,)) for source in graph.sources
        ]
        #: By cluster, those that it must not become one with.
        self._apart: dict[int, set[int]] = defaultdict(set)
        if graph.together:
            for node, unit in enumerate(graph.unit):
                if node != unit:
                    self.merge(unit, node)
        for pair in graph.apart:
            a, b = (graph.unit[node] for node in pair)
            if a != b:
                self._apart[a].add(b)
                self._apart[b].add(a)

    def may_merge(self, a: int, b: int) -> bool:
        """Whether two clusters have no source in common, and nothing that is apart."""
        if self._apart and b in self._apart.get(a, ()):
            return False
        return not self._sources or self._sources[a].isdisjoint(self._sources[b])

    def merge(self, a: int, b: int) -> None:
        """Make one of two clusters."""
        low, high = min(a, b), max(a, b)
        self.join(low, high)
        self.size[low] += self.size[high]
        if self._sources:
            self._sources[low] |= self._sources[high]
        for other in self._apart.pop(high, ()) if self._apart else ():
            self._apart[other].discard(high)
            self._apart[other].add(low)
            self._apart[low].add(other)


def connected(graph: Graph) -> list[int]:
    """What a chain of edges joins; with sources, or nodes apart, edge by edge as far as these allow."""
    if not graph.sources and not graph.apart:
        a, b = ([edge[side] for edge in graph.edges] for side in (0, 1))
        for side, of_both in ((0, a), (1, b)):
            of_both += [pair[side] for pair in graph.together]
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
    for a, b, distance in graph.between:
        nearer[a][b] = nearer[b][a] = nearer[a].get(b, 0) + graph.far - distance
    members: list[list[int]] = [[] for _ in range(graph.nodes)]
    for node, unit in enumerate(graph.unit):
        members[unit].append(node)

    def mean(a: int, b: int) -> float:
        return graph.far - nearer[a][b] / (clusters.size[a] * clusters.size[b])

    if graph.absent is not None and graph.together:
        for (a, b), by in _of_units(graph, members).items():
            nearer[a][b] += by
            nearer[b][a] += by

    def measure(a: int, others: Sequence[int]) -> None:
        """Make others neighbours of a, by what their pairs measure."""
        sides = [(one, two) for other in others for one in members[a] for two in members[other]]
        distances = iter(graph.absent(*zip(*sides, strict=True)) if graph.absent and sides else ())
        for other in others:
            pairs = len(members[a]) * len(members[other])
            by = sum(graph.far - distance for distance in islice(distances, pairs))
            nearer[a][other] = nearer[other][a] = by

    waiting = [(mean(a, b), a, b) for a, b, _ in graph.between]
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


def _of_units(graph: Graph, members: Sequence[Sequence[int]]) -> dict[tuple[int, int], int]:
    """Of two units with an edge, how much nearer than far those of their pairs are that have none."""
    assert graph.absent is not None
    there = {(a, b) for a, b, _ in graph.edges} | {(b, a) for a, b, _ in graph.edges}
    sides = [
        (a, b, one, two)
        for a, b in sorted({(a, b) for a, b, _ in graph.between})
        for one in members[a]
        for two in members[b]
        if (one, two) not in there
    ]
    found: dict[tuple[int, int], int] = defaultdict(int)
    distances = graph.absent([side[2] for side in sides], [side[3] for side in sides]) if sides else ()
    for (a, b, _, _), distance in zip(sides, distances, strict=True):
        found[a, b] += graph.far - distance
    return found


def pivot(graph: Graph) -> list[int]:
    """Unit after unit by its turn, the first that one of its nodes has: one that is in no cluster takes all its
    neighbours that are in none.

    N. Ailon, M. Charikar and A. Newman, "Aggregating inconsistent information: ranking and clustering", 2008, where
    turns are drawn at random.
    """
    clusters = _Clusters(graph)
    turns, taken = graph.turns, [False] * graph.nodes
    if graph.together:
        # The other nodes of a unit have no neighbours.
        turns = list(turns)
        for node, unit in enumerate(graph.unit):
            turns[unit] = min(turns[unit], turns[node])
    for node in sorted(range(graph.nodes), key=lambda node: (turns[node], node)):
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
    by scipy (H. Kuhn, "The Hungarian method for the assignment problem", 1955). What is together comes first: with
    nodes of both sources it is whole, and with those of one it is as near to others as the nearest of them. Raises
    ValueError where there are more than two sources, or an edge within one.
    """
    # Only here, as it takes longer to import than most clusterings take.
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    clusters = _Clusters(graph)
    edges = _to_assign(graph) if graph.together or graph.apart else graph.edges
    sources = sorted({graph.sources[node] for edge in edges for node in edge[:2]}, key=str)
    if len(sources) > 2 or any(graph.sources[a] == graph.sources[b] for a, b, _ in edges):
        raise ValueError("an assignment is between the records of two sets without duplicates")
    if not edges:
        return clusters.all()
    rows, columns = (
        np.array([node for node in range(graph.nodes) if graph.sources[node] == source]) for source in sources
    )
    place = np.zeros(graph.nodes, dtype=np.int64)
    place[rows], place[columns] = np.arange(len(rows)), np.arange(len(columns))
    ends = np.array(edges, dtype=np.int64)
    swapped = np.array([graph.sources[a] != sources[0] for a, _, _ in edges])
    first, second = np.where(swapped[:, None], ends[:, 1::-1], ends[:, :2]).T
    # A row without a partner gets one of its own, for the price of a pair one beyond the cutoff.
    alone = np.arange(len(rows))
    prices = csr_array(
        (
            np.concatenate([ends[:, 2] + 1.0, np.full(len(rows), graph.cutoff + 2.0)]),
            (np.concatenate([place[first], alone]), np.concatenate([place[second], len(columns) + alone])),
        ),
        shape=(len(rows), len(columns) + len(rows)),
    )
    for row, column in zip(*min_weight_full_bipartite_matching(prices), strict=True):
        if column < len(columns):
            clusters.merge(int(rows[row]), int(columns[column]))
    return clusters.all()


def _to_assign(graph: Graph) -> list[Edge]:
    """The nearest edge of each two units that decisions leave open, by these."""
    sources: dict[int, set[Hashable]] = defaultdict(set)
    for node, unit in enumerate(graph.unit):
        sources[unit].add(graph.sources[node])
    apart = {tuple(sorted((graph.unit[a], graph.unit[b]))) for a, b in graph.apart}
    nearest: dict[tuple[int, int], int] = {}
    for a, b, distance in graph.shortest_first:
        if len(sources[a]) == len(sources[b]) == 1 and (a, b) not in apart:
            nearest.setdefault((a, b), distance)
    return [(a, b, nearest[a, b]) for a, b in sorted(nearest)]


#: By its name in `cluster.by`.
WAYS: Mapping[str, Callable[[Graph], list[int]]] = {
    "connected": connected,
    "centre": centre,
    "average": average,
    "pivot": pivot,
    "assignment": assignment,
}
