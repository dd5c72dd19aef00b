"""Clusters from pairs, by every way to make them: against plain definitions, and whatever the order of the pairs."""

import random
from collections import defaultdict
from itertools import combinations, permutations
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from pehchan.clustering import clusters as clusters_module
from pehchan.clustering import shape as shape_module
from pehchan.clustering.clusters import Clustering, Links
from pehchan.clustering.cutting import WAYS, Graph
from pehchan.clustering.shape import Shape, Shapes, bridges, bridges_of_many

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


@pytest.mark.parametrize(("mean", "expected"), [(300, [0, 0, 0, 3, 3]), (299, [0, 0, 2, 3, 4])])
def test_average_merges_what_is_just_as_far_apart_as_may_be(mean, expected):
    edges = [(0, 1, 0), (0, 2, 200), (1, 2, 400), (3, 4, 300)]
    assert WAYS["average"](Graph(5, edges, CUTOFF, FAR, mean=mean)) == expected
    links = Links(*(np.array([edge[k] for edge in edges], dtype=np.int64) for k in range(3)))
    way = Clustering("average", CUTOFF, mean, FAR, lambda node: node)
    assert way.clusters(5, links).cluster.tolist() == expected


def test_of_those_whose_turn_comes_together_pivot_takes_the_smaller_node_first():
    assert WAYS["pivot"](Graph(3, [(0, 2, 1), (1, 2, 1)], CUTOFF, FAR, [5, 5, 6])) == [0, 1, 0]


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
        (min(a, b), max(a, b)): chance.choice([chance.randrange(CUTOFF + 1), CUTOFF])
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


@settings(max_examples=200)
@given(graphs())
def test_the_bridges_of_many_edges_are_those_of_few(graph):
    pairs = [(a, b) for a, b, _ in graph.edges]
    a, b = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    assert bridges_of_many(graph.nodes, a, b).tolist() == bridges(graph.nodes, pairs)


def test_the_bridges_of_a_large_graph_are_those_of_a_plain_walk():
    chance = np.random.default_rng(3)
    pairs = np.unique(np.sort(chance.integers(0, 30_000, (33_000, 2)), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    expected = bridges(30_000, list(map(tuple, pairs.tolist())))
    assert 1000 < len(expected) < 20_000
    assert bridges_of_many(30_000, *pairs.T).tolist() == expected


@given(graphs(), st.booleans())
def test_the_shapes_of_clusters_are_what_a_look_at_each_of_them_tells(graph, many):
    cluster = np.array(WAYS["connected"](graph), dtype=np.int64)
    a, b, distance = (np.array([edge[k] for edge in graph.edges], dtype=np.int64) for k in range(3))
    with patch.object(shape_module, "LARGE", 0 if many else 10**6):
        found = Shapes.of(cluster, a, b, distance)
    expected = []
    for first, members in clusters(cluster.tolist()).items():
        edges = [edge for edge in graph.edges if edge[0] in members]
        if len(members) > 1:
            alone = bridges(graph.nodes, [edge[:2] for edge in edges])
            farthest = max(edge[2] for edge in edges)
            expected.append((first, len(members), len(edges), farthest, len(alone)))
    columns = (found.first, found.size, found.pairs, found.farthest, found.bridges)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected


def test_the_density_of_a_cluster_is_the_share_of_its_pairs():
    assert Shape(4, 4, 30, 1).density == pytest.approx(4 / 6)


# absent pairs


def points(draw_seed, nodes):
    """How far apart some points on a line are, in thousandths; hardly ever two alike."""
    chance = random.Random(draw_seed)
    places = [chance.random() for _ in range(nodes)]
    return [[int(abs(a - b) * FAR * 10**6) for b in places] for a in places]


def clustering(by="average", mean=CUTOFF * 10**6, measure=None):
    return Clustering(by, CUTOFF * 10**6, mean, FAR * 10**6, lambda node: node, None, measure)


def near_links(apart):
    kept = [(a, b) for a, b in combinations(range(len(apart)), 2) if apart[a][b] <= CUTOFF * 10**6]
    columns = [[a for a, _ in kept], [b for _, b in kept], [apart[a][b] for a, b in kept]]
    return Links(*(np.array(column, dtype=np.int64) for column in columns))


def by_scipy(apart, most):
    if len(apart) < 2:
        return list(range(len(apart)))
    labels = fcluster(linkage(squareform(np.array(apart, dtype=float)), "average"), most, "distance").tolist()
    return [labels.index(label) for label in labels]


@settings(max_examples=150)
@given(st.integers(1, 14), st.integers(0, 10**9), st.sampled_from([0, 300]), st.integers(1, 600))
def test_average_of_computed_pairs_is_that_of_scipy_on_all_pairs(nodes, seed, whole, at_once):
    apart = points(seed, nodes)
    asked = []

    def measure(a, b):
        asked.extend(zip(a.tolist(), b.tolist(), strict=True))
        return np.array(
            [apart[one][two] for one, two in zip(a.tolist(), b.tolist(), strict=True)], dtype=np.int64
        )

    with patch.multiple(clusters_module, MEASURED_WHOLE=whole, MEASURED_AT_ONCE=at_once):
        found = clustering(measure=measure).clusters(nodes, near_links(apart)).cluster.tolist()
    assert found == by_scipy(apart, CUTOFF * 10**6)
    assert len({frozenset(pair) for pair in asked}) == len(asked), "a pair was measured twice"
    assert all(apart[a][b] > CUTOFF * 10**6 for a, b in asked)


def test_absent_pairs_hold_together_what_without_them_is_cut():
    # All four are within 330 of each other, but only the neighbours within the cutoff.
    apart = [[abs(a - b) * 110 * 10**6 for b in range(4)] for a in range(4)]
    links = near_links([[d + (d > 120 * 10**6) * CUTOFF * 10**6 for d in row] for row in apart])

    def measure(a, b):
        return np.array([apart[one][two] for one, two in zip(a, b, strict=True)], dtype=np.int64)

    assert clustering().clusters(4, links).cluster.tolist() == [0, 0, 2, 2]
    assert clustering(measure=measure).clusters(4, links).cluster.tolist() == [0, 0, 0, 0]


@given(st.integers(1, 12), st.integers(0, 10**9), st.integers(0, 600))
def test_the_mean_up_to_which_average_merges_may_be_another_than_the_cutoff(nodes, seed, mean):
    apart = points(seed, nodes)

    def measure(a, b):
        return np.array([apart[one][two] for one, two in zip(a, b, strict=True)], dtype=np.int64)

    found = clustering(mean=mean * 10**6, measure=measure).clusters(nodes, near_links(apart)).cluster
    # Within what pairs under the cutoff join.
    of_node = connected_of(near_links(apart), nodes)
    expected = by_scipy(
        [
            [d if of_node[a] == of_node[b] else FAR * 10**9 for b, d in enumerate(row)]
            for a, row in enumerate(apart)
        ],
        mean * 10**6,
    )
    assert found.tolist() == expected


def connected_of(links, nodes):
    return clustering("connected").clusters(nodes, links).cluster.tolist()


@given(graphs(sources=True), st.randoms(use_true_random=False), st.sampled_from([0, 300]))
def test_computed_pairs_keep_sources_without_duplicates_apart(graph, chance, whole):
    def measure(a, b):
        return np.array([chance.randrange(FAR + 1) for _ in a], dtype=np.int64)

    links = Links(*(np.array([edge[k] for edge in graph.edges], dtype=np.int64) for k in range(3)))
    with patch.object(clusters_module, "MEASURED_WHOLE", whole):
        found = Clustering(
            "average", CUTOFF, CUTOFF, FAR, lambda node: node, graph.sources.__getitem__, measure
        ).clusters(graph.nodes, links)
    for members in clusters(found.cluster.tolist()).values():
        names = [graph.sources[node] for node in members if graph.sources[node]]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("by", ["connected", "centre", "average", "pivot"])
@given(graph=graphs(sources=True), clean=st.booleans())
def test_clusters_component_by_component_are_those_of_the_whole(by, graph, clean):
    if not clean:
        graph = Graph(graph.nodes, graph.edges, CUTOFF, FAR, graph.turns)
    links = Links(*(np.array([edge[k] for edge in graph.edges], dtype=np.int64) for k in range(3)))
    way = Clustering(
        by, CUTOFF, CUTOFF, FAR, graph.turns.__getitem__, graph.sources.__getitem__ if clean else None
    )
    assert way.clusters(graph.nodes, links).cluster.tolist() == WAYS[by](graph)
