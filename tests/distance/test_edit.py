import math
import random
from itertools import permutations

import numpy as np
import plain
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.edit import Edit

words = st.text("abcé", min_size=1, max_size=5)
values = st.lists(words, min_size=1, max_size=4).map(" ".join)


def indel(a, b):
    """(|a| + |b| - 2 LCS) / (|a| + |b|) by dynamic programming."""
    row = [0] * (len(b) + 1)
    for x in a:
        before = row
        row = [0]
        for j, y in enumerate(b):
            row.append(before[j] + 1 if x == y else max(before[j + 1], row[j]))
    return (len(a) + len(b) - 2 * row[-1]) / (len(a) + len(b))


def by_words(a, b):
    a, b = a.split(), b.split()
    if len(a) != len(b):
        return 1.0
    total = 0.0
    for x, y in zip(a, b, strict=True):
        total += indel(x, y)
    return total / len(a)


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


@given(st.lists(st.tuples(values, values), max_size=6))
def test_word_by_word_it_is_the_mean_of_indel_distances(examples):
    found = Edit().pairs([a for a, _ in examples], [b for _, b in examples])
    assert found.tolist() == [by_words(a, b) for a, b in examples]


@given(st.text("ab ", min_size=1, max_size=8), st.text("ab ", min_size=1, max_size=8))
def test_of_whole_values_it_is_the_indel_distance(a, b):
    assert Edit(tokens=False).distance(a, b) == indel(a, b)


@pytest.mark.parametrize(("algorithm", "tokens"), [("editDistance", True), ("editDistance_fieldwise", False)])
def test_compat_agrees_with_java_to_the_last_bit(java_distances, algorithm, tokens):
    measure = Edit(tokens=tokens, compat=True)
    rows = java_distances(algorithm)
    assert len(rows) == (780 if tokens else 1024)
    assert [row for row in rows if not same(measure.distance(*row[:2]), row[2])] == []


def test_of_whole_values_nothing_is_corrected(java_distances):
    for a, b, expected in java_distances("editDistance_fieldwise"):
        assert Edit(tokens=False).distance(a, b) == expected, (a, b)


# Why the default differs from Java.
CORRECTIONS = {
    "a leading blank made an empty word": lambda a, b: " " in (a[0], b[0]),
    "the second of two words is one letter": lambda a, b: any(
        len(y) == 1 and len(x) > 1 for x, y in zip(a.split(), b.split(), strict=False)
    ),
}


def test_word_by_word_the_default_corrects_java_for_two_reasons(java_distances):
    counts = dict.fromkeys(CORRECTIONS, 0)
    for a, b, expected in java_distances("editDistance"):
        found = Edit().distance(a, b)
        if not same(found, expected):
            reason = next((reason for reason, holds in CORRECTIONS.items() if holds(a, b)), None)
            assert reason, (a, b, expected, found)
            counts[reason] += 1
    assert list(counts.values()) == [36, 24]


def test_a_letter_beyond_the_basic_plane_is_one_letter_and_with_compat_two():
    assert Edit().distance("a😀", "ab") == indel("a😀", "ab") == 0.5
    assert Edit(compat=True).distance("a😀", "ab") == indel("a\ud83d\ude00", "ab") == 0.6
    assert Edit(tokens=False, compat=True).distance("a😀", "ab") == 0.6
    # Both emoji begin with the same surrogate.
    assert Edit(compat=True).distance("😀", "😁") == 0.5
    assert Edit().distance("😀", "😁") == 1.0


def test_only_ascii_blanks_part_words():
    assert Edit().distance("a b\tc\nd\x0be\ff\rg", "a b c d e f g") == 0
    assert Edit().distance("a\u00a0b", "a b") == 1
    assert Edit().distance("a\x1cb", "a b") == 1


def test_blanks_around_words_do_not_count():
    assert Edit().distance("  Al   Bo ", "Al Bo") == 0
    assert Edit().distance(" Al", " Bo") == 1


def test_values_of_blanks_only_have_no_words():
    assert Edit().distance(" ", "\t ") == 0
    assert Edit().distance(" ", "a") == 1
    assert math.isnan(Edit(compat=True).distance(" ", " "))
    assert Edit(compat=True).distance(" ", "a") == 1


def test_compat_keeps_javas_rules_for_words_of_one_letter():
    compat = Edit(compat=True)
    assert compat.distance("a", "b") == 1
    assert compat.distance("b", "abc") == 0.5
    assert compat.distance("x", "abc") == 1
    assert compat.distance("abc", "x") == compat.distance("abc", "b") == 0.5
    # A leading blank: the words are "" and "ab"; "" against "x" is -1.
    assert compat.distance(" ab", "x ab") == -0.5
    assert compat.distance("x ab", " ab") == 0.5


class TestAligned:
    aligned = Edit(align=True)

    def test_order_does_not_count(self):
        assert self.aligned.distance("Li Jo", "Jo Li") == 0
        assert self.aligned.distance("St Oak 10", "10 Oak St") == 0

    def test_a_word_left_over_counts_one(self):
        assert self.aligned.distance("Antonio TX", "San Antonio TX") == 1 / 3
        assert self.aligned.distance("San Antonio TX", "TX") == 2 / 3
        assert self.aligned.distance(" ", "TX") == 1
        assert self.aligned.distance(" ", "  ") == 0

    def test_the_closest_words_are_matched_first(self):
        # ab-ab 0 goes first, so ac is left with xy, although ab-xy and ac-ab cost no more together.
        assert self.aligned.distance("ac ab", "ab xy") == 0.5

    def test_of_equally_close_words_those_nearest_in_position_are_matched(self):
        # ab-bc, ac-cd and ac-bc are 0.5 apart: the last, both second words, goes first, and leaves ab-cd.
        assert self.aligned.distance("ab ac", "cd bc") == self.aligned.distance("cd bc", "ab ac") == 0.75

    @given(values, values)
    def test_never_better_than_the_best_matching_and_never_worse_than_none(self, a, b):
        x, y = sorted((a.split(), b.split()), key=len)
        best = min(
            sum(indel(p, q) for p, q in zip(x, order, strict=False)) + len(y) - len(x)
            for order in permutations(y)
        ) / len(y)
        assert best - 1e-12 <= self.aligned.distance(a, b) <= 1

    @given(values, values)
    def test_greedy_by_distance_then_by_position(self, a, b):
        assert self.aligned.distance(a, b) == plain.aligned(a, b, {})

    def test_many_words_are_compared_in_parts(self, monkeypatch):
        a = ["a b c", "c b a x", "bb a"]
        whole = self.aligned.matrix(a, a), self.aligned.pairs(a * 3, sorted(a * 3))
        monkeypatch.setattr("pehchan.distance.edit.ALIGNED_AT_ONCE", 5)
        assert np.array_equal(self.aligned.matrix(a, a), whole[0])
        assert np.array_equal(self.aligned.pairs(a * 3, sorted(a * 3)), whole[1])


@pytest.mark.parametrize("tokens", [True, False])
def test_a_limit_that_is_a_distance_itself_loses_nothing(tokens):
    rng = random.Random(20)
    texts = ["".join(rng.choice("abc ") for _ in range(rng.randint(1, 14))) for _ in range(60)]
    measure = Edit(tokens=tokens)
    exact = measure.matrix(texts, texts)
    for limit in np.unique(exact):
        found = measure.matrix(texts, texts, limit)
        assert np.array_equal(found[exact <= limit], exact[exact <= limit])
        assert (found[exact > limit] > limit).all()


@pytest.mark.filterwarnings("error")
def test_without_a_limit_values_without_words_are_no_trouble():
    assert Edit().matrix([" ", "a"], [" ", "b"], np.inf).tolist() == [[0, 1], [1, 1]]
    assert Edit().pairs([" ", "a"], [" ", "b"], np.inf).tolist() == [0, 1]


def test_words_are_needed_to_align_them():
    assert "tokens" in Edit(tokens=False, align=True).check()
    assert "sifarish" in Edit(align=True, compat=True).check()
    assert Edit(align=True).check() is None


def test_a_thousand_values_of_one_shape_and_many():
    rng = random.Random(3)
    texts = [" ".join(rng.choices(["ann", "anna", "bo", "al"], k=rng.randint(1, 3))) for _ in range(300)]
    matrix = Edit().matrix(texts[:200], texts[200:])
    assert matrix.shape == (200, 100)
    for i, j in [(0, 0), (17, 42), (199, 99), (100, 3)]:
        assert matrix[i, j] == by_words(texts[i], texts[200 + j])
    assert not np.isnan(matrix).any()
