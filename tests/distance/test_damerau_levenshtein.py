import plain
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.damerau_levenshtein import DamerauLevenshtein

texts = st.text("abc", min_size=1, max_size=7)


@given(texts, texts)
def test_edits_divided_by_the_longer_length(a, b):
    assert DamerauLevenshtein().distance(a, b) == plain.damerau_levenshtein(a, b, {})


def test_a_swap_takes_one_edit():
    assert DamerauLevenshtein().distance("ab", "ba") == 0.5


def test_letters_between_swapped_ones_may_be_edited():
    assert DamerauLevenshtein().distance("ca", "abc") == 2 / 3
