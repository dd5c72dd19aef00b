"""Neighbours by words, against brute force."""

import math
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_persons import named_pairs, permuted, table_of

from pehchan.learning.neighbours import best, nearest, neighbour_pairs, word_vectors
from pehchan.learning.table import Table

_WORDS = ["red", "green", "blue", "big", "small", "box", "cup", "x1", "x2"]


def _texts(count: int, seed: int) -> Table:
    chance = random.Random(seed)
    texts = [" ".join(chance.choices(_WORDS, k=chance.randrange(5, 8))) for _ in range(count)]
    return table_of([texts])


def _cosines(table: Table) -> np.ndarray:
    """Plainly: each word of a record once, by its inverse document frequency over the counts of the field."""
    values = [[column.values[code] for code in column.codes] for column in table.columns]
    counts: Counter[str] = Counter()
    for column in values:
        for text in column:
            counts.update(set(text.split()))
    n = len(table)
    vectors = [
        {word: math.log((n + 1) / (counts[word] + 1)) + 0.1 for word in " ".join(texts).split()}
        for texts in zip(*values, strict=True)
    ]
    lengths = [math.sqrt(sum(w * w for w in vector.values())) for vector in vectors]
    return np.array(
        [
            [
                sum(a[word] * b[word] for word in a if word in b) / (x * y)
                for b, y in zip(vectors, lengths, strict=True)
            ]
            for a, x in zip(vectors, lengths, strict=True)
        ]
    )


@settings(max_examples=25)
@given(st.integers(2, 40), st.integers(0, 10**6), st.integers(1, 4))
def test_neighbours_are_those_with_the_largest_cosines(count: int, seed: int, k: int) -> None:
    table = _texts(count, seed)
    if not table.fields:
        return
    cosines = _cosines(table)
    np.fill_diagonal(cosines, -1)
    i, j, cosine = nearest(table, word_vectors(table), np.arange(count), np.arange(count), k)
    assert cosine == pytest.approx(cosines[i, j])
    for row in range(count):
        largest = sorted((value for value in cosines[row] if value > 0.1 + 1e-9), reverse=True)[:k]
        assert cosine[i == row] == pytest.approx(largest)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_neighbours_do_not_depend_on_the_order_or_on_how_the_search_is_split(seed: int, parts: int) -> None:
    table = _texts(30, seed)
    chance = random.Random(seed)
    order = list(range(30))
    chance.shuffle(order)
    other = permuted(table, order)
    expected = named_pairs(table, *neighbour_pairs(table, 3))
    assert named_pairs(other, *neighbour_pairs(other, 3)) == expected
    # As cells of buckets do it: the best of each cell, then of all.
    vectors = word_vectors(table)
    buckets = [np.arange(30)[k::parts] for k in range(parts)]
    cells = [nearest(table, vectors, one, two, 3) for one in buckets for two in buckets]
    i, j, _ = best(table, *(np.concatenate(each) for each in zip(*cells, strict=True)), 3)
    assert {frozenset((table.ids[a], table.ids[b])) for a, b in zip(i, j, strict=True)} == expected


def test_of_two_sets_neighbours_are_of_the_other_or_of_the_own() -> None:
    chance = random.Random(4)
    texts = [" ".join(chance.choices(_WORDS, k=6)) for _ in range(40)]
    table = table_of([texts], [0] * 15 + [1] * 25)
    across, within = neighbour_pairs(table), neighbour_pairs(table, within=True)
    assert (table.sets[across[0]] != table.sets[across[1]]).all()
    assert (table.sets[within[0]] == table.sets[within[1]]).all()
    assert min(len(across[0]), len(within[0])) > 15


def test_no_record_and_no_word_have_no_neighbours() -> None:
    assert [len(rows) for rows in neighbour_pairs(table_of([[]]))] == [0, 0]
    assert [len(rows) for rows in neighbour_pairs(table_of([["a b c d e", "", ""]]))] == [0, 0]
