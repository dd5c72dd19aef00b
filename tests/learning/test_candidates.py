"""Candidate pairs of keys, against brute force."""

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_persons import named_pairs, permuted, persons, table_of

from pehchan.learning.candidates import candidate_pairs
from pehchan.learning.keys import Keys
from pehchan.learning.predicates import Key, Part, key_hashes
from pehchan.learning.table import Table


def _keys(table: Table) -> Keys:
    """One coarse key, one of two parts, and what splits blocks."""
    refinements = (Part(1, "exact"), Part(0, "exact")) if len(table.fields) > 1 else ()
    keys = [Key((Part(0, "exact"),))]
    if len(table.fields) > 1:
        keys.append(Key((Part(0, "prefix3"), Part(1, "exact"))))
    return Keys(tuple(keys), refinements, 1.0, 1.0)


_RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["", "anna", "annb", "bob"]), st.sampled_from(["", "x", "y", "z"]), st.integers(0, 1)
    ),
    min_size=2,
    max_size=25,
)


def _table(records: list[tuple[str, str, int]], two_sets: bool) -> Table:
    # Two more, so that no field is constant.
    one, two, sets = zip(*records, ("kim", "u", 0), ("lee", "v", 1), strict=True)
    table = table_of([one, two], sets if two_sets else None)
    assert [field.name for field in table.fields] == ["c0", "c1"]
    return table


@given(_RECORDS, st.booleans(), st.booleans(), st.randoms(use_true_random=False))
def test_candidates_are_the_pairs_that_share_a_hash(
    records: list[tuple[str, str, int]], two_sets: bool, within: bool, chance: random.Random
) -> None:
    table = _table(records, two_sets)
    keys = _keys(table)
    hashes = key_hashes(table, keys.keys)
    expected = {
        frozenset((table.ids[a], table.ids[b]))
        for a, b in combinations(range(len(table)), 2)
        if ((hashes[a] == hashes[b]) & (hashes[a] != 0)).any()
        and (not table.two_sets or (table.sets[a] == table.sets[b]) == within)
    }
    i, j = candidate_pairs(table, keys, within=within)
    assert (i < j).all()
    assert (np.diff(i * len(table) + j) > 0).all()
    assert named_pairs(table, i, j) == expected
    order = list(range(len(table)))
    chance.shuffle(order)
    other = permuted(table, order)
    assert named_pairs(other, *candidate_pairs(other, keys, within=within)) == expected


@settings(max_examples=50)
@given(_RECORDS, st.integers(2, 4), st.integers(1, 3), st.randoms(use_true_random=False))
def test_large_blocks_lose_pairs_but_make_none_and_do_not_depend_on_the_order(
    records: list[tuple[str, str, int]], cap: int, window: int, chance: random.Random
) -> None:
    table = _table(records, False)
    keys = _keys(table)
    everything = named_pairs(table, *candidate_pairs(table, keys))
    some = named_pairs(table, *candidate_pairs(table, keys, cap=cap, window=window))
    assert some <= everything
    order = list(range(len(table)))
    chance.shuffle(order)
    other = permuted(table, order)
    assert named_pairs(other, *candidate_pairs(other, keys, cap=cap, window=window)) == some


def test_a_block_that_cannot_be_split_has_pairs_in_proportion_to_its_records() -> None:
    """All records equal: each meets the next few."""
    table = table_of([["a"] * 500 + ["b"], ["x"] * 500 + ["y"]])
    i, _ = candidate_pairs(table, _keys(table), cap=100, window=5)
    assert 500 <= len(i) <= 10 * 500


def test_a_large_block_is_split_by_what_else_its_records_share() -> None:
    raw, _ = persons(400, 0, seed=1)
    table = table_of([["a"] * 399 + ["b"], raw[1]])
    keys = _keys(table)
    found = named_pairs(table, *candidate_pairs(table, keys, cap=50))
    same = {
        frozenset((table.ids[a], table.ids[b]))
        for a, b in combinations(range(399), 2)
        if table.columns[1].codes[a] == table.columns[1].codes[b]
    }
    assert found == same


@pytest.mark.parametrize("columns", [[[], []], [["a"], ["b"]]])
def test_too_few_records_have_no_candidates(columns: list[list[str]]) -> None:
    table = table_of(columns)
    i, j = candidate_pairs(table, Keys((), (), 0.0, 0.0))
    assert (len(i), len(j)) == (0, 0)
