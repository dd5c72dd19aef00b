"""Connected components: records that a chain of pairs joins."""

from collections.abc import Iterable


def components(nodes: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """For each node 0..nodes-1 the smallest node of its component.

    edges are pairs of nodes, in any order, with repetitions and loops allowed.
    """
    parent = list(range(nodes))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in edges:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return [root(node) for node in range(nodes)]
