"""Clusters from pairs, by every way to make them: against plain definitions, and whatever the order of the pairs."""

import random
from collections import defaultdict
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from pehchan.clustering.cutting import WAYS, Graph
from pehchan.clustering.shape import bridges, shape_of

FAR, CUTOFF = 1000, 300


@st.composite
def graphs(draw, distances=None, sources=False):
    """A graph of a few nodes, with an edge between some of them."""
    nodes = draw(st.integers(0, 9))
    pairs = draw(st.lists(st.sampled_from(list(combinations(range(nodes), 2)) or [None]), unique=True))
    far = draw(distances or st.lists(st.integers(0, 5), min_size=len(pairs), max_size=len(pairs)))
    edges = [(*pair, apart) for pair, apart in zip(pairs, far, strict=False) if pair is not None]
    names = ["a", "b", None]
    return Graph(
        nodes,
        edges,
        CUTOFF,
        FAR,
        draw(st.permutations(range(nodes))),
        [draw(st.sampled_from(names)) for _ in range(nodes)] if sources else (),
    )


def clusters(found):
    """The nodes of each cluster, by its smallest."""
    together = defaultdict(list)
    for node, smallest in enumerate(found):
        together[smallest].append(node)
    assert all(members[0] == smallest for smallest, members in together.items())
    return dict(together)


def component(graph):
    """By node, a number for the component."""
    if not graph.edges:
        return list(range(graph.nodes))
    a, b, _ = zip(*graph.edges, strict=True)
    return connected_components(coo_array((np.ones(len(a)), (a, b)), (graph.nodes, graph.nodes)))[1].tolist()


@given(graphs())
def test_connected_are_the_components(graph):
    of_node = component(graph)
    assert WAYS["connected"](graph) == [of_node.index(number) for number in of_node]


@pytest.mark.parametrize("by", ["connected", "centre", "average", "pivot"])
@given(graph=graphs(sources=True), shuffled=st.randoms(use_true_random=False), clean=st.booleans())
def test_clusters_do_not_depend_on_the_order_of_pairs_and_lie_within_components(by, graph, shuffled, clean):
    if not clean:
        graph = Graph(graph.nodes, graph.edges, graph.cutoff, graph.far, graph.turns)
    found = WAYS[by](graph)
    edges = list(graph.edges)
    shuffled.shuffle(edges)
    assert WAYS[by](Graph(graph.nodes, edges, CUTOFF, FAR, graph.turns, graph.sources)) == found
    of_node = component(graph)
    for members in clusters(found).values():
        assert len({of_node[node] for node in members}) == 1
        if clean:
            names = [graph.sources[node] for node in members if graph.sources[node]]
            assert len(set(names)) == len(names)


@given(graphs(sources=True))
def test_with_sources_pairs_join_clusters_the_nearest_first_as_far_as_these_allow(graph):
    together = [{node} for node in range(graph.nodes)]
    for _, a, b in sorted((distance, a, b) for a, b, distance in graph.edges):
        first, second = (next(each for each in together if node in each) for node in (a, b))
        names = [graph.sources[node] for node in first | second if graph.sources[node]]
        if first is not second and len(set(names)) == len(names):
            together = [each for each in together if each not in (first, second)] + [first | second]
    assert sorted(clusters(WAYS["connected"](graph)).values()) == sorted(map(sorted, together))


@given(graphs())
def test_centres_are_stars_of_the_nearest_pairs(graph):
    centres, of_node = set(), {}
    for _, a, b in sorted((distance, a, b) for a, b, distance in graph.edges):
        if a not in of_node and b not in of_node:
            centres.add(a)
            of_node[a] = of_node[b] = a
        for node, other in ((a, b), (b, a)):
            if node not in of_node and other in centres:
                of_node[node] = other
    expected = defaultdict(list)
    for node in range(graph.nodes):
        expected[of_node.get(node, ("alone", node))].append(node)
    assert sorted(clusters(WAYS["centre"](graph)).values()) == sorted(expected.values())


@settings(max_examples=200)
@given(st.integers(1, 12), st.integers(0, 10**9), st.floats(0.2, 1))
def test_average_is_that_of_scipy(nodes, seed, share):
    # Hardly ever are two means equal, of which scipy takes another one first.
    chance = random.Random(seed)
    apart = np.full((nodes, nodes), float(FAR * 10**6))
    np.fill_diagonal(apart, 0)
    edges = []
    for a, b in combinations(range(nodes), 2):
        if chance.random() < share:
            distance = chance.randrange(CUTOFF * 10**6)
            edges.append((a, b, distance))
            apart[a, b] = apart[b, a] = distance
    found = WAYS["average"](Graph(nodes, edges, CUTOFF * 10**6, FAR * 10**6))
    if nodes == 1:
        assert found == [0]
        return
    labels = fcluster(linkage(squareform(apart), "average"), CUTOFF * 10**6, "distance").tolist()
    assert found == [labels.index(label) for label in labels]


@given(graphs())
def test_pivot_takes_the_free_neighbours_of_node_after_node(graph):
    beside = defaultdict(set)
    for a, b, _ in graph.edges:
        beside[a].add(b)
        beside[b].add(a)
    free, expected = set(range(graph.nodes)), []
    for node in sorted(free, key=lambda node: graph.turns[node]):
        if node in free:
            taken = {node} | beside[node] & free
            free -= taken
            expected.append(sorted(taken))
    assert sorted(clusters(WAYS["pivot"](graph)).values()) == sorted(expected)


@settings(max_examples=200)
@given(st.integers(0, 4), st.integers(0, 4), st.randoms(use_true_random=False))
def test_an_assignment_is_worth_most(left, right, chance):
    nodes = list(range(left + right))
    chance.shuffle(nodes)
    rows, columns = nodes[:left], nodes[left:]
    edges = {
        (min(a, b), max(a, b)): chance.randrange(CUTOFF + 1)
        for a in rows
        for b in columns
        if chance.random() < 0.6
    }
    sources = ["a" if node in rows else "b" for node in range(len(nodes))]
    graph = Graph(len(nodes), [(*pair, apart) for pair, apart in edges.items()], CUTOFF, FAR, (), sources)

    def worth(pairs):
        return sum(
            CUTOFF + 1 - edges[min(pair), max(pair)] for pair in pairs if (min(pair), max(pair)) in edges
        )

    few, many = sorted((rows, columns), key=len)
    best = max(worth(zip(few, order, strict=False)) for order in permutations(many, len(few)))
    found = [members for members in clusters(WAYS["assignment"](graph)).values() if len(members) > 1]
    assert all(tuple(members) in edges for members in found)
    assert worth(found) == best


def test_an_assignment_is_of_two_sets():
    with pytest.raises(ValueError, match="two sets without duplicates"):
        WAYS["assignment"](Graph(2, [(0, 1, 5)], CUTOFF, FAR, (), ["a", "a"]))


@pytest.mark.parametrize("by", ["connected", "centre", "average", "pivot"])
def test_long_chains_large_stars_and_cliques_are_no_trouble(by):
    chain = [(k, k + 1, 10) for k in range(10_000)]
    star = [(0, k, 10) for k in range(1, 10_000)]
    clique = [(a, b, 10) for a, b in combinations(range(200), 2)]
    for nodes, edges in ((10_001, chain), (10_000, star), (200, clique)):
        found = clusters(WAYS[by](Graph(nodes, edges, CUTOFF, FAR, range(nodes))))
        assert sum(map(len, found.values())) == nodes
        if edges is clique:
            assert len(found) == 1


# shape


@given(graphs())
def test_bridges_are_the_pairs_without_which_there_is_one_more_component(graph):
    pairs = [(a, b) for a, b, _ in graph.edges]
    whole = len(set(component(graph)))
    expected = [
        k
        for k in range(len(pairs))
        if len(set(component(Graph(graph.nodes, graph.edges[:k] + graph.edges[k + 1 :], CUTOFF, FAR))))
        > whole
    ]
    assert bridges(graph.nodes, pairs) == expected


def test_the_bridges_of_a_long_chain_are_all_of_its_pairs():
    chain = [(k, k + 1) for k in range(100_000)]
    random.Random(1).shuffle(chain)
    assert bridges(100_001, chain) == list(range(100_000))


def test_the_shape_of_a_cluster():
    # A triangle and a pair on one of its records.
    shape = shape_of(4, [(0, 1, 10), (1, 2, 20), (0, 2, 30), (2, 3, 25)])
    assert (shape.size, shape.pairs, shape.farthest, shape.bridges) == (4, 4, 30, 1)
    assert shape.density == pytest.approx(4 / 6)
