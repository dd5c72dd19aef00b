from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.exact import Exact


@given(st.text("ab\0", min_size=1, max_size=3), st.text("ab\0", min_size=1, max_size=3))
def test_equal_or_not(a, b):
    assert Exact().distance(a, b) == (a != b)


def test_nothing_is_folded_away():
    assert Exact().matrix(["a", "a ", "A", "a\0"], ["a"]).ravel().tolist() == [0, 1, 1, 1]
