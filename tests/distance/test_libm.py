import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance import libm


@given(st.lists(st.floats(-1000, 700), min_size=1, max_size=40))
def test_exponentials_are_those_of_math(xs):
    assert libm.exp(np.array(xs)).tolist() == [math.exp(x) for x in xs]


@given(st.lists(st.floats(0, 10), min_size=1, max_size=40), st.floats(0, 20))
def test_powers_are_those_of_math(xs, p):
    assert libm.power(np.array(xs), p).tolist() == [math.pow(x, p) for x in xs]


def test_what_math_refuses_is_infinite_or_no_number():
    assert libm.exp(np.array([1000.0, math.inf, -math.inf])).tolist() == [math.inf, math.inf, 0]
    assert libm.power(np.array([1e300, math.inf]), 3.0).tolist() == [math.inf, math.inf]
    assert np.isnan(libm.power(np.array([-0.5]), 0.5)).all()
