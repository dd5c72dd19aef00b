import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.location import Location

parts = st.sampled_from(["Park", "PARK ", " park", "Main  Street", "main street", "Fresno"])
places = st.tuples(parts, parts, parts).map("::".join)


def differing(a, b):
    pairs = zip(a.lower().split("::"), b.lower().split("::"), strict=True)
    return sum(" ".join(x.split()) != " ".join(y.split()) for x, y in pairs)


@given(places, places)
def test_how_many_parts_differ(a, b):
    assert Location(by="manhattan").distance(a, b) == differing(a, b) / 3
    assert Location(by="euclidean").distance(a, b) == math.sqrt(differing(a, b)) / 3


@given(places, places)
def test_weights_change_nothing(a, b):
    assert Location((0.6, 1.2, 3)).distance(a, b) == Location().distance(a, b)


def test_manhattan_is_always_0_with_compat():
    assert Location(by="manhattan", compat=True).distance("a::b::c", "x::y::z") == 0
    assert Location(compat=True).distance("a::b::c", "x::y::c") == math.sqrt(2) / 3


@pytest.mark.parametrize("value", ["Park", "Park::Fresno", "Park::Fresno::CA::USA"])
def test_a_place_has_three_parts(value):
    assert "landmark, city and state" in Location().fault(value)
    assert Location().fault("Park::Fresno::CA") is None
    with pytest.raises(ValueError, match="parts"):
        Location().distance(value, value)


def test_another_delimiter():
    assert Location(delimiter=r"\|").distance("a|b|c", "A|B|d") == 1 / 3


def test_parameters_are_checked():
    assert "euclidian" in Location(by="euclidian").check()
    assert "2 numbers" in Location((1, 1)).check()
    assert "above 0" in Location((1, 1, 0)).check()
    assert "all numbers" in Location((1, 1, "x")).check()
    assert Location([0.6, 1.2, 1.2]).check() is None
