import math

from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.dice import Dice

values = st.lists(st.sampled_from("abcdé"), min_size=1, max_size=5).map(" ".join)


@given(values, values)
def test_sets_of_words(a, b):
    x, y = set(a.split()), set(b.split())
    assert Dice().distance(a, b) == 1 - 2 * len(x & y) / (len(x) + len(y))


def test_compat_agrees_with_java_to_the_last_bit(java_distances):
    rows = java_distances("dice")
    assert len(rows) == 780
    assert [row for row in rows if Dice(compat=True).distance(*row[:2]) != row[2]] == []


def test_compat_takes_javas_jaccard_where_it_is_off():
    assert Dice(compat=True).distance("a a a", "a a b") == 0
    assert math.isnan(Dice(compat=True).distance(" ", " "))


def test_values_without_words_are_alike():
    assert Dice().distance(" ", "\t") == 0
    assert Dice().distance(" ", "a") == 1
