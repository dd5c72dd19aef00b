"""Clusters of records from the pairs under a cutoff, as arrays: a record is its number in the order of all."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pehchan.clustering.components import Nodes, components
from pehchan.clustering.cutting import WAYS, Graph
from pehchan.clustering.shape import Shapes

#: Records of a component up to which all of its pairs are measured, where absent pairs are; of a larger one those
#: are that a decision hangs on.
MEASURED_WHOLE = 300

#: Absent pairs that are measured at a time, about.
MEASURED_AT_ONCE = 500_000

Distances = NDArray[np.int32] | NDArray[np.int64]

#: (nodes, nodes) -> how far apart the records of each two are.
Measure = Callable[[Nodes, Nodes], Distances]


@dataclass(frozen=True)
class Links:
    """Pairs that belong together, each two nodes once: a[k] < b[k] as int32[m], and their distance as int64[m], or
    less where that will do.
    """

    a: Nodes
    b: Nodes
    distance: Distances

    def __len__(self) -> int:
        return len(self.a)

    @classmethod
    def of(cls, a: Nodes, b: Nodes, distance: Distances) -> "Links":
        """Of pairs in any order: of one that is there several times the smallest distance counts, and a record with
        itself is none.
        """
        # Two nodes as one number, which is sorted faster.
        key = np.minimum(a, b).astype(np.int64)
        key <<= 32
        key |= np.maximum(a, b)
        del a, b
        order = np.argsort(key, kind="stable")
        key, distance = key[order], distance[order]
        del order
        first = np.ones(len(key), dtype=bool)
        first[1:] = key[1:] != key[:-1]
        if not first.all():
            distance = np.minimum.reduceat(distance, np.flatnonzero(first))
            key = key[first]
        low, high = (key >> 32).astype(np.int32), (key & 0xFFFFFFFF).astype(np.int32)
        del key, first
        kept = low != high
        return cls(low, high, distance) if kept.all() else cls(low[kept], high[kept], distance[kept])

    def take(self, which: NDArray[np.bool_] | slice) -> "Links":
        """Some of them."""
        return Links(self.a[which], self.b[which], self.distance[which])


@dataclass(frozen=True)
class Decided:
    """Records of which people decided: a[k] and b[k] of `together` are in one cluster, those of `apart` never are.

    As int64[n, 2] each, in any order, with repetitions allowed; that no chain of the first joins two of the second
    is for clustering.decisions to see.
    """

    together: NDArray[np.int64]
    apart: NDArray[np.int64]

    def links(self, links: Links) -> Links:
        """The pairs, with those that are together 0 apart. A pair that is apart stays: it joins nothing."""
        if not len(self.together):
            return links
        a, b = self.together.T.astype(np.int32)
        distance = np.zeros(len(a), dtype=links.distance.dtype)
        both = ((links.a, a), (links.b, b), (links.distance, distance))
        return Links.of(*(np.concatenate(each) for each in both))

    def within(self, component: Nodes) -> "dict[int, Decided]":
        """By the smallest node of a component, those of its nodes."""
        found: dict[int, tuple[list[list[int]], list[list[int]]]] = {}
        for side, pairs in enumerate((self.together, self.apart)):
            for a, b in pairs.tolist():
                if component[a] == component[b]:
                    found.setdefault(int(component[a]), ([], []))[side].append([a, b])
        return {first: Decided(*map(_pairs, both)) for first, both in found.items()}


def _pairs(pairs: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


@dataclass(frozen=True)
class Clusters:
    """Every record in its cluster; of n integers each. Two of which was decided that they are the same are a pair.

    component  the smallest record of all that pairs join to it, some of which may be in other clusters
    cluster    the smallest record of the cluster
    nearest    smallest distance to a cluster-mate among the pairs given; any number where there is none
    farthest   largest such distance
    mates      how many cluster-mates it has a pair with
    shapes     of the clusters of two records or more
    """

    component: Nodes
    cluster: Nodes
    nearest: Distances
    farthest: Distances
    mates: Nodes
    shapes: Shapes


@dataclass(frozen=True)
class Clustering:
    """How clusters are made of pairs.

    by         a way of cutting.WAYS
    mean       the largest mean distance of two clusters that `average` merges
    cutoff     the largest distance of a pair
    far        the distance of two records without a pair
    turn_of    when `pivot` comes to a node, the smallest first
    source_of  the source without duplicates that a node is from, None for another; None: there is no such source
    measure    for `average`, how far apart two records without a pair are; None: `far`
    """

    by: str
    cutoff: int
    mean: int
    far: int
    turn_of: Callable[[int], int]
    source_of: Callable[[int], Hashable] | None = None
    measure: Measure | None = None

    def clusters(self, nodes: int, links: Links, decided: Decided | None = None) -> Clusters:
        """The clusters of records 0..nodes-1."""
        if decided is not None:
            links = decided.links(links)
        cluster = component = components(nodes, links.a, links.b)
        by_component = {} if decided is None else decided.within(cluster)
        if self.by != "connected" or self.source_of is not None:
            cluster = self._cut(cluster, links, by_component)
        elif to_part := [first for first, of_it in by_component.items() if len(of_it.apart)]:
            # All others are as they are.
            some = np.zeros(nodes, dtype=bool)
            some[to_part] = True
            cluster = self._cut(cluster, links.take(some[cluster[links.a]]), by_component)
        within = cluster[links.a] == cluster[links.b]
        if not within.all():
            links = links.take(within)
        shapes = Shapes.of(cluster, links.a, links.b, links.distance)
        kind = links.distance.dtype
        nearest = np.full(nodes, np.iinfo(kind).max, dtype=kind)
        farthest = np.full(nodes, np.iinfo(kind).min, dtype=kind)
        mates = np.zeros(nodes, dtype=np.int32)
        for ends in (links.a, links.b):
            np.minimum.at(nearest, ends, links.distance)
            np.maximum.at(farthest, ends, links.distance)
            mates += np.bincount(ends, minlength=nodes).astype(np.int32)
        return Clusters(component, cluster, nearest, farthest, mates, shapes)

    def _cut(self, component: Nodes, links: Links, decided: dict[int, Decided]) -> Nodes:
        """By node, the smallest one of the cluster, which is all of its component or less.

        decided  by the smallest node of a component, what was decided of its nodes
        """
        found = component.copy()
        # Most components are two records, which need no graph.
        plain = np.bincount(component, minlength=len(component)) == 2
        plain[list(decided)] = False
        two = plain[component[links.a]]
        parted = self._parted(links.take(two))
        found[parted] = parted
        for nodes, graph in self._measured(_parts(component, links.take(~two))):
            whole = self._graph(nodes, graph, decided.get(int(nodes[0])))
            found[nodes] = nodes[np.array(WAYS[self.by](whole))]
        return found

    def _parted(self, links: Links) -> Nodes:
        """Of two records each that nothing else is joined to, the second where they do not belong together."""
        apart = np.zeros(len(links), dtype=bool)
        if self.by == "average":
            apart |= links.distance > self.mean
        if self.source_of is not None:
            sources = ([self.source_of(node) for node in side.tolist()] for side in (links.a, links.b))
            apart |= np.array([a == b and a is not None for a, b in zip(*sources, strict=True)], dtype=bool)
        return links.b[apart]

    def _graph(self, nodes: Nodes, graph: Graph, decided: Decided | None) -> Graph:
        numbers = nodes.tolist()
        turns: Sequence[int] = [self.turn_of(node) for node in numbers] if self.by == "pivot" else ()
        sources: Sequence[Hashable] = [self.source_of(node) for node in numbers] if self.source_of else ()
        measure = self.measure
        absent = None
        if measure is not None and len(nodes) > MEASURED_WHOLE:

            def absent(a: Sequence[int], b: Sequence[int]) -> list[int]:
                assert measure is not None
                return measure(nodes[np.array(a)], nodes[np.array(b)]).tolist()

        whole = Graph(graph.nodes, graph.edges, self.cutoff, self.far, turns, sources, self.mean, absent)
        if decided is None:
            return whole
        both = (np.searchsorted(nodes, pairs).tolist() for pairs in (decided.together, decided.apart))
        together, apart = ([(a, b) for a, b in pairs] for pairs in both)
        return replace(whole, together=together, apart=apart)

    def _measured(self, parts: "Iterator[_Part]") -> "Iterator[tuple[Nodes, Graph]]":
        """The components as graphs, where asked with the pairs that they lack; of many at a time."""
        if self.measure is None or self.by != "average":
            for part in parts:
                yield part.nodes, part.graph(self)
            return
        waiting: list[tuple[_Part, Nodes, Nodes]] = []
        pairs = 0
        for part in parts:
            if len(part.nodes) > MEASURED_WHOLE:
                yield part.nodes, part.graph(self)
                continue
            rows, columns = part.absent()
            waiting.append((part, rows, columns))
            pairs += len(rows)
            if pairs >= MEASURED_AT_ONCE:
                yield from self._measure(waiting)
                waiting, pairs = [], 0
        yield from self._measure(waiting)

    def _measure(self, waiting: "Sequence[tuple[_Part, Nodes, Nodes]]") -> "Iterator[tuple[Nodes, Graph]]":
        if not waiting:
            return
        assert self.measure is not None
        rows = np.concatenate([part.nodes[rows] for part, rows, _ in waiting])
        columns = np.concatenate([part.nodes[columns] for part, _, columns in waiting])
        distances = self.measure(rows, columns) if len(rows) else rows
        ends = np.cumsum([len(rows) for _, rows, _ in waiting])[:-1]
        for (part, some, others), found in zip(waiting, np.split(distances, ends), strict=True):
            related = found < self.far
            more = zip(some[related].tolist(), others[related].tolist(), found[related].tolist(), strict=True)
            graph = part.graph(self)
            yield part.nodes, Graph(graph.nodes, [*graph.edges, *more], graph.cutoff, graph.far)


@dataclass(frozen=True)
class _Part:
    """A component of two nodes or more: its nodes ascending, and its links by their places among them."""

    nodes: Nodes
    links: Links

    def graph(self, clustering: Clustering) -> Graph:
        """All of it."""
        links = self.links
        edges = list(zip(links.a.tolist(), links.b.tolist(), links.distance.tolist(), strict=True))
        return Graph(len(self.nodes), edges, clustering.cutoff, clustering.far)

    def absent(self) -> tuple[Nodes, Nodes]:
        """The places of each two nodes without a pair."""
        rows, columns = np.triu_indices(len(self.nodes), 1)
        there = np.zeros((len(self.nodes), len(self.nodes)), dtype=bool)
        there[self.links.a, self.links.b] = True
        lacking = ~there[rows, columns]
        return rows[lacking], columns[lacking]


def _parts(component: Nodes, links: Links) -> Iterator[_Part]:
    """The components with links, one after the other."""
    by_component = np.argsort(component, kind="stable")
    ordered = component[by_component]
    begins = np.flatnonzero(np.diff(ordered, prepend=-1))
    sizes = np.diff(begins, append=len(ordered))
    # Where each node stands in its component.
    place = np.empty(len(component), dtype=np.int64)
    place[by_component] = np.arange(len(ordered)) - np.repeat(begins, sizes)
    of_link = component[links.a]
    order = np.argsort(of_link, kind="stable")
    whole = Links(place[links.a[order]], place[links.b[order]], links.distance[order])
    of_link = of_link[order]
    starts = np.flatnonzero(np.diff(of_link, prepend=-1))
    ends = np.append(starts, len(of_link))[1:]
    at = np.searchsorted(ordered[begins], of_link[starts])
    firsts = begins[at]
    lasts = firsts + sizes[at]
    for start, end, first, last in zip(
        starts.tolist(), ends.tolist(), firsts.tolist(), lasts.tolist(), strict=True
    ):
        yield _Part(by_component[first:last], whole.take(slice(start, end)))
