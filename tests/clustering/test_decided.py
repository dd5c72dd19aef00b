"""What people decided wins over distances by every way to make clusters: against plain definitions."""

from collections import Counter, defaultdict
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, permutations
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pehchan.clustering import clusters as clusters_module
from pehchan.clustering.clusters import Clustering, Decided, Links
from pehchan.clustering.cutting import WAYS, Graph

FAR, CUTOFF = 20, 6

#: All ways but the one that is of two sources alone.
BY = ["connected", "centre", "average", "pivot"]


@st.composite
def decided_graphs(draw, sources=False):
    """A graph of a few nodes, with decisions that do not contradict each other, and some of them repeated."""
    nodes = draw(st.integers(2, 9))
    every = list(combinations(range(nodes), 2))
    pairs = draw(st.lists(st.sampled_from(every), unique=True))
    edges = [(*pair, draw(st.integers(0, CUTOFF))) for pair in pairs]
    # Whatever does not contradict itself is told by what the records are.
    truth = [draw(st.integers(0, 3)) for _ in range(nodes)]
    told = draw(st.lists(st.sampled_from(every + [(b, a) for a, b in every]), max_size=8))
    return Graph(
        nodes,
        edges,
        CUTOFF,
        FAR,
        draw(st.lists(st.integers(0, 5), min_size=nodes, max_size=nodes)),
        [draw(st.sampled_from(["a", "b", None])) for _ in range(nodes)] if sources else (),
        together=[(a, b) for a, b in told if truth[a] == truth[b]],
        apart=[(a, b) for a, b in told if truth[a] != truth[b]],
    )


def groups(found):
    """The nodes of each cluster."""
    together = defaultdict(list)
    for node, smallest in enumerate(found):
        together[smallest].append(node)
    assert all(members[0] == smallest for smallest, members in together.items())
    return sorted(together.values())


def units(graph):
    """The nodes of each unit, as sets that grow until nothing changes."""
    found = [{node} for node in range(graph.nodes)]
    for _ in range(graph.nodes):
        for a, b in graph.together:
            one, other = (next(each for each in found if node in each) for node in (a, b))
            if one is not other:
                found = [each for each in found if each not in (one, other)] + [one | other]
    return sorted(map(frozenset, found), key=min)


def may_be_one(graph, *some):
    """Whether some groups may be one: nothing is apart, and no source twice but within one of them."""
    whole = frozenset().union(*some)
    if any(a in whole and b in whole for a, b in graph.apart):
        return False
    if not graph.sources:
        return True
    names = [{graph.sources[node] for node in each} - {None} for each in some]
    return all(one.isdisjoint(other) for one, other in combinations(names, 2))


def edges_in_order(graph, of):
    """The units of each edge, the nearest first, then those of the smaller units."""
    found = []
    for a, b, distance in graph.edges:
        one, other = sorted((of[a], of[b]), key=min)
        if one != other:
            found.append((distance, min(one), min(other), one, other))
    return [each[3:] for each in sorted(found, key=lambda each: each[:3])]


def by_hand_connected(graph):
    of = {node: unit for unit in units(graph) for node in unit}
    cluster = dict(of)
    for one, other in edges_in_order(graph, dict(of)):
        first, second = cluster[min(one)], cluster[min(other)]
        if first != second and may_be_one(graph, *parts(of, first), *parts(of, second)):
            for node in first | second:
                cluster[node] = first | second
    return sorted(map(sorted, set(cluster.values())))


def parts(of, cluster):
    """The units of a cluster."""
    return sorted({of[node] for node in cluster}, key=min)


def by_hand_centre(graph):
    of = {node: unit for unit in units(graph) for node in unit}
    stars = {}
    centre_of = {}
    for one, other in edges_in_order(graph, of):
        if one not in centre_of and other not in centre_of:
            if may_be_one(graph, one, other):
                centre_of[one] = centre_of[other] = one
                stars[one] = [one, other]
            continue
        for unit, centre in ((one, other), (other, one)):
            if unit not in centre_of and centre in stars and may_be_one(graph, *stars[centre], unit):
                centre_of[unit] = centre
                stars[centre].append(unit)
    alone = [[unit] for unit in units(graph) if unit not in centre_of]
    return sorted(sorted(frozenset().union(*star)) for star in [*stars.values(), *alone])


def by_hand_pivot(graph):
    free, found = units(graph), []
    turn = {unit: (min(graph.turns[node] for node in unit), min(unit)) for unit in free}
    for unit in sorted(free, key=turn.get):
        if unit not in free:
            continue
        star = [unit]
        for other in units(graph):
            beside = any((a in unit and b in other) or (b in unit and a in other) for a, b, _ in graph.edges)
            if other in free and other != unit and beside and may_be_one(graph, *star, other):
                star.append(other)
        free = [each for each in free if each not in star]
        found.append(sorted(frozenset().union(*star)))
    return sorted(found)


def by_hand_average(graph, apart=None):
    """Two groups with an edge at a time, those of the smallest mean first. apart: distances of two nodes."""
    distance = {}
    for a, b, far in graph.edges:
        distance[a, b] = distance[b, a] = far
    whole = [[unit] for unit in units(graph)]

    def mean(one, other):
        sides = [(a, b) for a in frozenset().union(*one) for b in frozenset().union(*other)]
        if not any(side in distance for side in sides):
            return Fraction(10**6)
        measured = [distance.get(side, FAR if apart is None else apart[side]) for side in sides]
        return Fraction(sum(measured), len(measured))

    while True:
        ways = [
            (mean(one, other), *sorted((min(map(min, one)), min(map(min, other)))), one, other)
            for one, other in combinations(whole, 2)
            if may_be_one(graph, *one, *other)
        ]
        ways = [way for way in ways if way[0] <= CUTOFF]
        if not ways:
            return sorted(sorted(frozenset().union(*each)) for each in whole)
        *_, one, other = min(ways, key=lambda way: way[:3])
        whole = [each for each in whole if each not in (one, other)] + [one + other]


BY_HAND = {
    "connected": by_hand_connected,
    "centre": by_hand_centre,
    "average": by_hand_average,
    "pivot": by_hand_pivot,
}


@pytest.mark.parametrize("by", BY)
@settings(max_examples=200)
@given(graph=st.booleans().flatmap(lambda sources: decided_graphs(sources=sources)))
def test_each_way_makes_of_units_what_it_makes_of_nodes(by, graph):
    found = groups(WAYS[by](graph))
    assert found == BY_HAND[by](graph)
    for members in found:
        assert not any(a in members and b in members for a, b in graph.apart)
        assert not any((a in members) != (b in members) for a, b in graph.together)


@pytest.mark.parametrize("by", BY)
@given(graph=decided_graphs(sources=True), chance=st.randoms(use_true_random=False))
def test_clusters_do_not_depend_on_the_order_of_decisions(by, graph, chance):
    def mixed(pairs):
        found = [pair if chance.random() < 0.5 else pair[::-1] for pair in pairs]
        chance.shuffle(found)
        return found

    edges = list(graph.edges)
    chance.shuffle(edges)
    again = replace(graph, edges=edges, together=mixed(graph.together), apart=mixed(graph.apart))
    assert WAYS[by](again) == WAYS[by](graph)


@settings(max_examples=200)
@given(decided_graphs(), st.randoms(use_true_random=False))
def test_absent_pairs_of_units_are_measured(graph, chance):
    apart = {}
    for a, b in combinations(range(graph.nodes), 2):
        apart[a, b] = apart[b, a] = chance.randrange(CUTOFF + 1, FAR + 1)

    asked = []

    def absent(a, b):
        asked.extend(frozenset(pair) for pair in zip(a, b, strict=True))
        return [apart[pair] for pair in zip(a, b, strict=True)]

    found = groups(WAYS["average"](replace(graph, absent=absent)))
    assert found == by_hand_average(graph, apart)
    assert len(set(asked)) == len(asked), "a pair was measured twice"
    assert not {frozenset(edge[:2]) for edge in graph.edges} & set(asked)


@settings(max_examples=200)
@given(st.integers(0, 4), st.integers(0, 4), st.randoms(use_true_random=False))
def test_an_assignment_is_worth_most_of_what_decisions_leave(left, right, chance):
    nodes = list(range(left + right))
    chance.shuffle(nodes)
    rows, columns = nodes[:left], nodes[left:]
    edges = [
        (min(a, b), max(a, b), chance.choice([0, 3, CUTOFF]))
        for a in rows
        for b in columns
        if chance.random() < 0.6
    ]
    truth = [chance.randrange(4) for _ in nodes]
    told = [pair for pair in combinations(range(len(nodes)), 2) if chance.random() < 0.15]
    graph = Graph(
        len(nodes),
        edges,
        CUTOFF,
        FAR,
        sources=["a" if node in rows else "b" for node in range(len(nodes))],
        together=[(a, b) for a, b in told if truth[a] == truth[b]],
        apart=[(a, b) for a, b in told if truth[a] != truth[b]],
    )
    sides = {
        name: [unit for unit in units(graph) if {graph.sources[node] for node in unit} == {name}]
        for name in "ab"
    }

    def worth(one, other):
        within = [d for a, b, d in edges if {a, b} <= one | other and len({a, b} & one) == 1]
        return CUTOFF + 1 - min(within) if within and may_be_one(graph, one, other) else 0

    few, many = sorted(sides.values(), key=len)
    best = max(sum(map(worth, few, order)) for order in permutations(many, len(few)))
    found = groups(WAYS["assignment"](graph))
    of = {node: unit for unit in units(graph) for node in unit}
    total = 0
    for members in found:
        whole = parts(of, members)
        assert frozenset(members) == frozenset().union(*whole)
        assert len(whole) <= 2
        if len(whole) == 2:
            assert worth(*whole) > 0
            total += worth(*whole)
    assert total == best


def test_an_assignment_takes_what_is_together_for_as_near_as_its_nearest():
    edges = [(0, 2, 6), (1, 2, 0), (2, 3, 3)]
    graph = Graph(4, edges, CUTOFF, FAR, sources="aaba", together=[(0, 1)])
    assert WAYS["assignment"](graph) == [0, 0, 0, 3]


def arrays(graph):
    links = Links(*(np.array([edge[k] for edge in graph.edges], dtype=np.int64) for k in range(3)))
    both = (np.array(pairs, dtype=np.int64).reshape(-1, 2) for pairs in (graph.together, graph.apart))
    return Links.of(links.a, links.b, links.distance), Decided(*both)


def with_decided_pairs(graph):
    """The graph in which those that are the same are 0 apart, and different ones have no pair."""
    apart = {frozenset(pair) for pair in graph.apart}
    edges = {edge[:2]: edge[2] for edge in graph.edges if frozenset(edge[:2]) not in apart}
    edges |= {(min(pair), max(pair)): 0 for pair in graph.together}
    return replace(graph, edges=[(a, b, distance) for (a, b), distance in edges.items()])


@pytest.mark.parametrize("by", BY)
@settings(max_examples=200)
@given(graph=decided_graphs(sources=True), clean=st.booleans())
def test_clusters_component_by_component_are_those_of_the_whole(by, graph, clean):
    if not clean:
        graph = replace(graph, sources=())
    links, decided = arrays(graph)
    way = Clustering(
        by, CUTOFF, CUTOFF, FAR, graph.turns.__getitem__, graph.sources.__getitem__ if clean else None
    )
    found = way.clusters(graph.nodes, links, decided)
    whole = with_decided_pairs(graph)
    cluster = found.cluster.tolist()
    assert cluster == WAYS[by](whole)
    # Distances to cluster-mates, and the shapes, are of these pairs.
    within = [edge for edge in whole.edges if cluster[edge[0]] == cluster[edge[1]]]
    for node in range(graph.nodes):
        distances = [edge[2] for edge in within if node in edge[:2]]
        assert found.mates[node] == len(distances)
        if distances:
            assert (found.nearest[node], found.farthest[node]) == (min(distances), max(distances))
    sizes, pairs = Counter(cluster), Counter(cluster[edge[0]] for edge in within)
    expected = {first: (size, pairs[first]) for first, size in sizes.items() if size > 1}
    shapes = found.shapes
    rows = zip(shapes.first.tolist(), shapes.size.tolist(), shapes.pairs.tolist(), strict=True)
    assert {first: rest for first, *rest in rows} == {first: [*each] for first, each in expected.items()}


@pytest.mark.parametrize("by", BY)
@given(graph=decided_graphs(sources=True))
def test_no_decisions_are_no_decisions(by, graph):
    links, _ = arrays(graph)
    nothing = Decided(*(np.zeros((0, 2), dtype=np.int64),) * 2)
    way = Clustering(by, CUTOFF, CUTOFF, FAR, graph.turns.__getitem__, graph.sources.__getitem__)
    found = [way.clusters(graph.nodes, links, decided) for decided in (None, nothing)]
    for name in ("cluster", "nearest", "farthest", "mates"):
        one, other = (getattr(each, name) for each in found)
        assert (one.dtype, one.tolist()) == (other.dtype, other.tolist())
    assert found[0].cluster.tolist() == WAYS[by](replace(graph, together=(), apart=()))


@given(decided_graphs(sources=True), st.randoms(use_true_random=False), st.sampled_from([0, 300]))
def test_decisions_hold_where_absent_pairs_are_computed(graph, chance, most):
    def measure(a, b):
        return np.array([chance.randrange(FAR + 1) for _ in a], dtype=np.int64)

    links, decided = arrays(graph)
    way = Clustering("average", CUTOFF, CUTOFF, FAR, int, graph.sources.__getitem__, measure)
    with patch.object(clusters_module, "MEASURED_WHOLE", most):
        found = way.clusters(graph.nodes, links, decided).cluster.tolist()
    assert all(found[a] == found[b] for a, b in graph.together)
    assert all(found[a] != found[b] for a, b in graph.apart)


def test_one_decision_parts_its_own_component_alone():
    chain = [(k, k + 1, 1) for k in range(9) if k != 4]
    graph = Graph(10, chain, CUTOFF, FAR, apart=[(0, 4)])
    links, decided = arrays(graph)
    seen = []

    def watched(graph):
        seen.append(graph.nodes)
        return WAYS["connected"](graph)

    with patch.object(clusters_module, "WAYS", {"connected": watched}):
        found = Clustering("connected", CUTOFF, CUTOFF, FAR, int).clusters(10, links, decided).cluster
    assert found.tolist() == [0, 0, 0, 0, 4, 5, 5, 5, 5, 5]
    assert seen == [5]
