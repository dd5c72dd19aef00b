import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.cosine import Cosine

values = st.lists(st.sampled_from("abcé"), min_size=1, max_size=6).map(" ".join)


@given(values, values)
def test_one_minus_the_cosine_of_word_counts(a, b):
    x, y = Counter(a.split()), Counter(b.split())
    vectors = [[counts[word] for word in "abcé"] for counts in (x, y)]
    product = sum(p * q for p, q in zip(*vectors, strict=True))
    expected = 1 - product / (math.hypot(*vectors[0]) * math.hypot(*vectors[1]))
    assert Cosine().distance(a, b) == pytest.approx(expected, abs=1e-12)


def test_values_of_the_same_proportions_are_exactly_0_apart():
    assert Cosine().distance("a a b", "a b a") == 0
    assert Cosine().distance("a b c", " ".join(["a b c"] * 7)) == 0


def test_compat_agrees_with_java_to_the_last_bit(java_distances):
    rows = java_distances("cosine")
    assert len(rows) == 780
    for a, b, expected in rows:
        found = Cosine(compat=True).distance(a, b)
        assert found == expected or (math.isnan(found) and math.isnan(expected)), (a, b)


def test_without_leading_blanks_the_default_is_one_minus_what_java_returns(java_distances):
    compared = 0
    for a, b, expected in java_distances("cosine"):
        if a[0] != " " and b[0] != " ":
            compared += 1
            assert Cosine().distance(a, b) == pytest.approx(1 - expected, abs=1e-12)
    assert compared == 606


def test_values_without_words_are_alike():
    assert Cosine().distance(" ", "\t") == 0
    assert Cosine().distance(" ", "a") == 1
