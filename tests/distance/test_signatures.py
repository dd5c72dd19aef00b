"""Signatures: an index finds the pairs that tiles find, to the last bit, and compares few others."""

from random import Random

import pytest
from comparisons import (
    CROWDED,
    Compared,
    block_of,
    comparison_at_the_edge,
    comparison_of,
    crowd,
    pairs_of,
    pairs_within,
    parts_of,
    some_comparison,
)
from hypothesis import given, note, settings
from hypothesis import strategies as st

from pehchan.distance import choice

by_chance = st.randoms(use_true_random=True)


def by_signatures(comparison, cutoff):
    return comparison.by(cutoff, search="signatures")


#: Kinds of which at least some are looked up.
EDGED = ["words", "whole", "levenshtein", "exact", "dice", "jaccard", "cosine", "char-pair"]


@settings(max_examples=600)
@given(by_chance, st.booleans())
def test_an_index_finds_what_the_oracle_finds(chance, edge):
    if edge:
        comparison = comparison_at_the_edge(chance, EDGED)
        cutoffs = sorted({apart for apart in comparison.expected.values() if apart < 1000})
    else:
        comparison = some_comparison(chance, compat=False, most=9)
        cutoffs = comparison.cutoffs(chance, 3)
    for cutoff in cutoffs:
        note(f"cutoff {cutoff}: {comparison}")
        found, _ = pairs_within(by_signatures(comparison, cutoff), comparison.records)
        assert found == comparison.within(cutoff)


@settings(max_examples=200)
@given(by_chance, st.integers(0, 9))
def test_an_index_finds_the_pairs_between_two_blocks(chance, cut):
    comparison = some_comparison(chance, compat=False, most=9)
    (cutoff,) = comparison.cutoffs(chance, 1)
    distance = by_signatures(comparison, cutoff)
    left, right = comparison.records[:cut], comparison.records[cut:]
    rows, columns = parts_of(block_of(distance, comparison.records), cut)
    found, _ = pairs_of(distance, rows, left, columns, right)
    names = {record[0] for record in left}
    assert found == {
        pair: apart for pair, apart in comparison.within(cutoff).items() if len(names.intersection(pair)) == 1
    }


def planned_by(chance, some):
    """A comparison, a cutoff, and the indexes that the first records plan."""
    comparison = some_comparison(chance, compat=False, most=9)
    (cutoff,) = comparison.cutoffs(chance, 1)
    planning = by_signatures(comparison, cutoff)
    sample = block_of(planning, comparison.records[:some])
    # A closer look at all of them or at none.
    more = block_of(planning, comparison.records) if chance.random() < 0.5 else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "WORTH_A_CLOSER_LOOK", 0.0)
        foresee = planning.foresee(sample, sample, more and (more, more))
        return comparison, cutoff, foresee(1.0, some * (some - 1) / 2, 1e9)[1]


@settings(max_examples=300)
@given(by_chance, st.integers(2, 9))
def test_indexes_planned_by_some_records_lose_nothing_of_all(chance, some):
    comparison, cutoff, indexes = planned_by(chance, some)
    for index in indexes:
        note(f"{index}: {comparison}")
        found, _ = pairs_within(comparison.by(cutoff, index=index), comparison.records)
        assert found == comparison.within(cutoff)


@settings(max_examples=300)
@given(by_chance, st.integers(2, 9), st.integers(1, 4))
def test_the_parts_of_an_index_find_each_pair_once(chance, some, parts):
    comparison, cutoff, indexes = planned_by(chance, some)
    for index in indexes:
        shared = index.shared_by(parts)
        note(f"{shared}: {comparison}")
        distance = comparison.by(cutoff, index=shared)
        whole = block_of(distance, comparison.records)
        found = [
            (int(i), int(j), int(apart))
            for part in range(parts)
            for each in distance.compare(whole, whole, part=part)
            for i, j, apart in zip(each.rows, each.columns, each.distances, strict=True)
        ]
        assert len({(i, j) for i, j, _ in found}) == len(found)
        names = [record[0] for record in comparison.records]
        pairs = {tuple(sorted((names[i], names[j]))): apart for i, j, apart in found}
        assert pairs == {tuple(sorted(pair)): apart for pair, apart in comparison.within(cutoff).items()}
        # What is counted is counted by one of them.
        alone = comparison.by(cutoff, index=index)
        for _ in alone.compare(whole := block_of(alone, comparison.records), whole):
            pass
        assert distance.counters == alone.counters


#: For the fields of a crowd: all of them can be looked up, by other ways.
LOOKED_UP = [
    Compared("damerau", missing="skip"),
    Compared("colours", 0.5),
    Compared("words", 2.0, curve=("sigmoid", 3.0, 0.1), missing="skip"),
    Compared("integer", 0.5, threshold=0.3),
    Compared("date", missing="skip"),
    Compared("whole"),
]

#: The same by what they share.
SHARED = [
    Compared("char-pair", missing="skip"),
    Compared("exact", 0.5),
    Compared("jaccard", 2.0, curve=("nonLinear", 2.0, 0.5), missing="skip"),
    Compared("integer", 0.5),
    Compared("exact"),
    Compared("cosine", threshold=0.7),
]


@pytest.mark.parametrize("aggregation", ["manhattan", "euclidean", "minkowski"])
@pytest.mark.parametrize("fields", [LOOKED_UP, SHARED, *CROWDED.values()])
def test_a_crowd_is_found_by_an_index(aggregation, fields):
    records = crowd(330)
    ids = Random(1).sample(range(len(records)), len(records))
    comparison = comparison_of(fields, records, ids, aggregation, 3.0)
    apart = sorted(comparison.expected.values())
    for cutoff in (0, apart[30], apart[300], apart[len(apart) // 100], apart[len(apart) // 4] - 1, 999):
        found, _ = pairs_within(by_signatures(comparison, cutoff), comparison.records)
        assert found == comparison.within(cutoff)


def test_values_of_ten_thousand_letters_are_looked_up():
    chance = Random(4)
    long = "".join(chance.choices("abcdefgh ", k=10_000))
    values = [long, long[:-3], long[:5000] + "é" + long[5000:], long[::-1], "short", "shorter", "s"]
    for kind in ("words", "whole", "levenshtein", "char-pair", "jaccard", "cosine"):
        comparison = comparison_of([Compared(kind)], [[value] for value in values], list(range(len(values))))
        for cutoff in (0, 1, 50, 300):
            found, _ = pairs_within(by_signatures(comparison, cutoff), comparison.records)
            tiles, _ = pairs_within(comparison.by(cutoff, search="tiles"), comparison.records)
            assert found == tiles


def test_few_pairs_are_compared_where_an_index_costs_less():
    chance = Random(8)
    names = ["".join(chance.choices("abcdefghijklmnop", k=14)) for _ in range(20_000)]
    names += [name[:5] + "x" + name[6:] for name in names[:500]]
    records = [[f"{number:05}", name, str(number % 20_000 % 97)] for number, name in enumerate(names)]
    fields = [Compared("whole", 3.0), Compared("exact")]
    comparison = comparison_of(fields, [], [])
    found, compared = pairs_within(comparison.by(60), records)
    assert len(found) >= 400
    assert compared < 100 * len(records)
    assert found == pairs_within(comparison.by(60, search="tiles"), records)[0]
