import math
from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.char_pair import CharPair

texts = st.text("ab ", min_size=1, max_size=9)


def plain(a, b):
    if a == b:
        return 0.0
    pairs = []
    for value in (a, b):
        pairs.append(Counter(x + y for word in value.split() for x, y in pairwise(word)))
    if not pairs[0] or not pairs[1]:
        return 1.0
    shared = sum((pairs[0] & pairs[1]).values())
    return 1 - 2 * shared / (sum(pairs[0].values()) + sum(pairs[1].values()))


@given(texts, texts)
def test_dice_of_the_multisets_of_pairs(a, b):
    assert CharPair().distance(a, b) == plain(a, b)
    assert CharPair().matrix([a, b], [b])[0, 0] == plain(a, b)


def test_whites_examples():
    assert CharPair().distance("FRANCE", "FRENCH") == 0.6
    assert CharPair().distance("Healed", "Sealed") == 1 - 0.8


def test_pairs_do_not_cross_words_and_case_counts():
    assert CharPair().distance("ab cd", "cd ab") == 0
    assert CharPair().distance("abc", "ab c") == 1 - 2 * 1 / 3
    assert CharPair().distance("ab", "AB") == 1


def test_a_value_without_pairs_is_only_like_itself():
    assert CharPair().distance("x", "x") == 0
    assert CharPair().distance("x", " x") == 1
    assert CharPair().distance("x", "xy") == 1
    # The value that looks like a pair is no pair.
    assert CharPair().distance("a b", "ab") == 1


def test_java_is_corrected_only_where_neither_value_has_a_pair(java_distances):
    rows = java_distances("charPair")
    corrected = [(a, b, expected) for a, b, expected in rows if CharPair().distance(a, b) != expected]
    assert len(rows) == 117
    assert len(corrected) == 5
    for a, b, expected in corrected:
        assert math.isnan(expected)
        assert all(len(word) == 1 for word in (a + " " + b).split())
