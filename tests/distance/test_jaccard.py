import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.jaccard import Jaccard

values = st.lists(st.sampled_from("abcdé"), min_size=1, max_size=5).map(" ".join)
ALGORITHMS = {"jaccard": (1.0, 1.0), "jaccard_0.8_0.2": (0.8, 0.2)}


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


@given(values, values, st.sampled_from([(1, 1), (2, 1), (0, 1), (4, 0), (3, 3)]))
def test_sets_of_words_with_weights_on_those_that_do_not_match(a, b, weights):
    x, y = set(a.split()), set(b.split())
    shared = len(x & y)
    whole = shared + weights[0] * len(x - y) + weights[1] * len(y - x)
    found = Jaccard(*map(float, weights)).distance(a, b)
    assert found == 1 - float(Fraction(shared, whole))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_compat_agrees_with_java_to_the_last_bit(java_distances, algorithm):
    measure = Jaccard(*ALGORITHMS[algorithm], compat=True)
    rows = java_distances(algorithm)
    assert len(rows) == 780
    assert [row for row in rows if not same(measure.distance(*row[:2]), row[2])] == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_java_is_corrected_only_for_repeated_words_and_leading_blanks(java_distances, algorithm):
    measure = Jaccard(*ALGORITHMS[algorithm])
    repeated = blank = 0
    for a, b, expected in java_distances(algorithm):
        if measure.distance(a, b) == expected:
            continue
        if len(set(a.split())) < len(a.split()) or len(set(b.split())) < len(b.split()):
            repeated += 1
        else:
            assert a[0] == " " or b[0] == " ", (a, b, expected)
            blank += 1
    assert (repeated, blank) == (33, 13)


def test_repeated_words_count_once_and_with_compat_as_in_java():
    assert Jaccard().distance("a a a", "a b b") == 0.5
    assert Jaccard().distance("a a a", "a a b") == 0.5
    assert Jaccard(compat=True).distance("a a a", "a b b") == 0
    assert Jaccard(compat=True).distance("a a a", "a a b") == -math.inf


def test_values_without_words_are_alike():
    assert Jaccard().distance(" ", "\t") == 0
    assert Jaccard().distance(" ", "a") == 1
    assert math.isnan(Jaccard(compat=True).distance(" ", " "))


def test_weights_tell_the_first_value_from_the_second():
    assert Jaccard(1, 0).distance("a", "a b c") == 0
    assert Jaccard(1, 0).distance("a b c", "a") == 1 - 1 / 3 == Jaccard(0, 1).distance("a", "a b c")


def test_equal_weights_are_symmetric_to_the_last_bit_also_when_fractional():
    measure = Jaccard(0.8, 0.8)
    sets = [" ".join("abcdefghijk"[i:j]) for i in range(10) for j in range(i + 1, 11)]
    matrix = measure.matrix(sets, sets)
    assert (matrix == matrix.T).all()


@pytest.mark.parametrize("weights", [(-1, 1), (0, 0)])
def test_weights_that_make_no_distance_are_refused(weights):
    assert "weight" in Jaccard(*weights).check()
    assert Jaccard(*weights, compat=True).check() is None
    assert Jaccard(0, 1).check() is None
