from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.levenshtein import Levenshtein

texts = st.text("ab é", min_size=1, max_size=7)


@cache
def edits(a, b):
    if not a or not b:
        return len(a) + len(b)
    if a[-1] == b[-1]:
        return edits(a[:-1], b[:-1])
    return 1 + min(edits(a[:-1], b), edits(a, b[:-1]), edits(a[:-1], b[:-1]))


@given(texts, texts)
def test_edits_divided_by_the_longer_length(a, b):
    assert Levenshtein().distance(a, b) == edits(a, b) / max(len(a), len(b))


def test_a_known_example():
    assert Levenshtein().distance("kitten", "sitting") == 3 / 7


def test_a_swap_takes_two_edits():
    assert Levenshtein().distance("ab", "ba") == 1
