import plain
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.levenshtein import Levenshtein

texts = st.text("ab é", min_size=1, max_size=7)


@given(texts, texts)
def test_edits_divided_by_the_longer_length(a, b):
    assert Levenshtein().distance(a, b) == plain.levenshtein(a, b, {})


def test_a_known_example():
    assert Levenshtein().distance("kitten", "sitting") == 3 / 7


def test_a_swap_takes_two_edits():
    assert Levenshtein().distance("ab", "ba") == 1
