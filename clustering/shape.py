"""How well a cluster holds together: what is worth a look before it is believed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


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


def shape_of(size: int, edges: Iterable[tuple[int, int, int]]) -> Shape:
    """The shape of a cluster of so many records, numbered from 0, with these pairs (record, record, distance)."""
    known = list(edges)
    if size == 2:
        return Shape(2, 1, known[0][2], 1)
    return Shape(
        size,
        len(known),
        max(distance for _, _, distance in known),
        len(bridges(size, [(a, b) for a, b, _ in known])),
    )
