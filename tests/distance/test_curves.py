import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.curves import apply, largest_raw
from pehchan.metadata.schema import CURVES, Curve

raw = st.floats(0, 1)
weights = st.floats(0.01, 20)


def plain(kind, w, t, d):
    if kind == "nonLinear":
        return d / w + (1 - 1 / w) * d * d
    if kind == "sigmoid":
        return 1 / (1 + math.exp(-w * (d - t)))
    if kind == "step":
        return 0 if d < t else 1
    if kind == "ramp":
        return 0 if d < t else d
    return d


@pytest.mark.parametrize("kind", CURVES)
@given(d=raw, w=weights, t=raw)
def test_the_formulas(kind, d, w, t):
    assert apply(Curve(kind, w, t), np.array([d]))[0] == plain(kind, w, t, d)


@pytest.mark.parametrize("kind", CURVES)
@given(ds=st.lists(raw, min_size=1, max_size=40), w=weights, t=raw)
def test_a_distance_bends_alike_at_any_place_of_an_array(kind, ds, w, t):
    curve = Curve(kind, w, t)
    found = apply(curve, np.array(ds))
    assert found.tolist() == [apply(curve, np.array([d]))[0] for d in ds]


@pytest.mark.parametrize("kind", CURVES)
@given(d=raw | st.sampled_from([0.0, 0.5, 1.0]), e=st.floats(0, 2), w=weights, t=raw)
def test_no_distance_that_is_bent_to_so_little_is_above_the_largest(kind, d, e, w, t):
    curve = Curve(kind, w, t)
    bent = apply(curve, np.array([d]))[0]
    for most in {e, bent}:
        # Who asks allows for rounding, before and after.
        assert bent > most or d <= largest_raw(curve, most + 1e-9) + 1e-9


def test_no_distance_has_a_larger_effective_one_than_1_by_steps_and_sigmoids():
    for kind in ("step", "sigmoid"):
        assert largest_raw(Curve(kind), 1.0) == math.inf
        assert largest_raw(Curve(kind), 0.99) < math.inf
    assert largest_raw(Curve("nonLinear", 0.5), 1.0) == math.inf


def test_0_and_1_stay_where_they_are_under_a_weight():
    assert apply(Curve("nonLinear", 2.5), np.array([0.0, 1.0])).tolist() == [0, 1]


def test_the_threshold_itself_is_above():
    assert apply(Curve("step", t=0.5), np.array([0.5, 0.49])).tolist() == [1, 0]
    assert apply(Curve("ramp", t=0.5), np.array([0.5, 0.49])).tolist() == [0.5, 0]


def test_a_steep_sigmoid_does_not_overflow():
    with np.errstate(all="raise", under="ignore"):
        assert apply(Curve("sigmoid", 1e5, 0.5), np.array([0.0, 1.0])).tolist() == [0, 1]


def test_java_gives_0_for_a_curve_it_does_not_know():
    assert apply(Curve("cubic"), np.array([0.3, 1.0])).tolist() == [0, 0]


def test_the_table_of_java(java_table):
    """Scaled and truncated to thousandths, so it sees the formulas, not the last bits."""
    rows = java_table("effective")
    assert len(rows) == 200
    for aggregation, power, scale, kind, w, t, distances, expected in rows:
        raw = np.array([float(d) for d in distances.split(";")])
        e = apply(Curve(kind, float(w), float(t)), raw).tolist()
        p = {"manhattan": 1.0, "euclidean": 2.0, "minkwoski": float(power)}[aggregation]
        total = (
            sum(e)
            if p == 1
            else math.sqrt(sum(x * x for x in e))
            if p == 2
            else sum(x**p for x in e) ** (1 / p)
        )
        assert int(total * int(scale) / len(e)) == int(expected)
