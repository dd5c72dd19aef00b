"""Components are what a breadth-first walk finds; every record is in one cluster, named by its smallest."""

from collections import defaultdict, deque
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.clustering import components as components_module
from pehchan.clustering.clusters import Clustering, Links
from pehchan.clustering.components import components

EDGES = st.integers(1, 40).flatmap(
    lambda nodes: st.tuples(
        st.just(nodes),
        st.lists(st.tuples(st.integers(0, nodes - 1), st.integers(0, nodes - 1)), max_size=60),
    )
)


def walked(nodes, edges):
    """For each node the smallest that can be reached, breadth first."""
    beside = defaultdict(set)
    for a, b in edges:
        beside[a].add(b)
        beside[b].add(a)
    smallest = {}
    for start in nodes:
        if start in smallest:
            continue
        waiting, reached = deque([start]), {start}
        while waiting:
            for other in beside[waiting.popleft()] - reached:
                reached.add(other)
                waiting.append(other)
        smallest.update(dict.fromkeys(reached, min(reached)))
    return smallest


def joined(nodes, edges):
    a, b = (np.array([edge[side] for edge in edges], dtype=np.int64) for side in (0, 1))
    return components(nodes, a, b).tolist()


@pytest.mark.parametrize("large", [0, 20_000])
@given(EDGES)
def test_components_are_those_of_a_breadth_first_walk(large, graph):
    nodes, edges = graph
    with patch.object(components_module, "LARGE", large):
        found = joined(nodes, edges)
    assert found == [walked(range(nodes), edges)[node] for node in range(nodes)]


@pytest.mark.parametrize(
    "edges",
    [
        [(number, number + 1) for number in range(99_999)],
        [(number, number + 1) for number in reversed(range(99_999))],
        [(number, 99_999) for number in range(99_999)],
        [(0, number) for number in reversed(range(100_000))],
    ],
    ids=["chain", "chain from its end", "star around the last", "star around the first"],
)
def test_long_chains_and_large_stars_are_one_component(edges):
    assert set(joined(100_000, edges)) == {0}


def test_nodes_without_edges_stay_alone():
    assert joined(0, []) == []
    assert joined(3, []) == [0, 1, 2]
    assert joined(3, [(1, 1)]) == [0, 1, 2]


class Member(NamedTuple):
    cluster: str
    record: str
    nearest: int | None
    farthest: int | None
    mates: int


def connected_clusters(records, pairs):
    pairs = list(pairs)
    ordered = sorted({*records, *(pair[0] for pair in pairs), *(pair[1] for pair in pairs)})
    place = {record: number for number, record in enumerate(ordered)}
    columns = [[place[pair[0]] for pair in pairs], [place[pair[1]] for pair in pairs], [d for *_, d in pairs]]
    links = Links.of(*(np.array(column, dtype=np.int64) for column in columns))
    found = Clustering("connected", 10, 10, 1000, hash).clusters(len(ordered), links)
    return [
        Member(
            ordered[found.cluster[number]],
            record,
            int(found.nearest[number]) if found.mates[number] else None,
            int(found.farthest[number]) if found.mates[number] else None,
            found.mates[number],
        )
        for number, record in enumerate(ordered)
    ]


PAIRS = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh"), st.integers(0, 9)), max_size=12
)


@given(st.lists(st.sampled_from("abcdefghxyz"), max_size=12), PAIRS)
def test_every_record_is_in_one_cluster_named_by_its_smallest_record(records, pairs):
    members = list(connected_clusters(records, pairs))
    everyone = {*records, *(pair[0] for pair in pairs), *(pair[1] for pair in pairs)}
    assert {member.record: member.cluster for member in members} == walked(
        sorted(everyone), [pair[:2] for pair in pairs]
    )
    assert len(members) == len(everyone)


@given(st.lists(st.sampled_from("abcdefghxyz"), max_size=12), PAIRS)
def test_the_nearest_and_the_farthest_are_those_of_the_pairs_of_a_record(records, pairs):
    # Of a pair that is there several times the smallest distance counts.
    nearest = {frozenset((a, b)): d for a, b, d in sorted(pairs, key=lambda pair: -pair[2]) if a != b}
    for member in connected_clusters(records, pairs):
        own = [d for pair, d in nearest.items() if member.record in pair]
        assert (member.nearest, member.farthest) == ((min(own), max(own)) if own else (None, None))
        assert member.mates == len(own)


@given(st.lists(st.sampled_from("abcdefghxyz"), max_size=12), PAIRS, st.randoms(use_true_random=False))
def test_clusters_do_not_depend_on_the_order_of_records_or_pairs(records, pairs, shuffle):
    expected = list(connected_clusters(records, pairs))
    shuffle.shuffle(records)
    shuffle.shuffle(pairs)
    assert list(connected_clusters(iter(records), ((b, a, d) for a, b, d in pairs))) == expected


def test_no_records_make_no_clusters():
    assert list(connected_clusters([], [])) == []
