import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.categorical import Categorical

values = st.sampled_from(["red", "crimson", "rose", "blue", "navy", "Blue", "colour"])
DISTANCES = (("red", "rose", 0.5), ("rose", "red", 0.9), ("blue", "navy", 0.25), ("crimson", "red", 1.0))
HIERARCHY = (("red", ("crimson", "rose")), ("colour", ("red", "blue", "crimson")))


def plain(a, b):
    if a == b:
        return 0.0
    for this, that, apart in DISTANCES:
        if {this, that} == {a, b}:
            return apart
    parents = {(top, child) for top, children in HIERARCHY for child in children}
    return 0.0 if (a, b) in parents or (b, a) in parents else 1.0


@given(st.lists(values), st.lists(values))
def test_equal_then_listed_then_parent_and_child(a, b):
    found = Categorical(DISTANCES, HIERARCHY).matrix(a, b)
    assert found.tolist() == [[plain(x, y) for y in b] for x in a]


def test_the_first_distance_listed_holds_in_both_orders():
    measure = Categorical(DISTANCES)
    assert measure.distance("red", "rose") == measure.distance("rose", "red") == 0.5


def test_a_listed_distance_comes_before_the_hierarchy():
    assert Categorical(DISTANCES, HIERARCHY).distance("red", "crimson") == 1


def test_siblings_and_grandparents_are_apart_and_case_counts():
    measure = Categorical(hierarchy=HIERARCHY)
    assert measure.distance("crimson", "rose") == 1
    assert measure.distance("colour", "rose") == 1
    assert measure.distance("blue", "Blue") == 1


def test_compat_knows_only_the_first_parent_and_only_from_the_parent_to_the_child():
    measure = Categorical(hierarchy=HIERARCHY, compat=True)
    assert measure.distance("red", "crimson") == 0
    assert measure.distance("crimson", "red") == 1
    assert measure.distance("colour", "crimson") == 1
    assert Categorical(hierarchy=HIERARCHY).distance("colour", "crimson") == 0


def test_parameters_as_json_has_them():
    measure = Categorical(DISTANCES, HIERARCHY)
    listed = [{"this": a, "that": b, "distance": d} for a, b, d in DISTANCES]
    assert Categorical([list(item) for item in DISTANCES], dict(HIERARCHY)) == measure
    concepts = [{"parent": top, "children": list(children)} for top, children in HIERARCHY]
    assert Categorical(listed, concepts) == measure
    assert hash(Categorical(listed, concepts)) == hash(measure)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"distances": [["a", "b"]]}, "two values and their distance"),
        ({"distances": [["a", "b", "c"]]}, "two values and their distance"),
        ({"distances": [{"this": "a", "distance": 1}]}, "not texts"),
        ({"distances": "ab"}, "not a list"),
        ({"hierarchy": [["a", "b"]]}, "children"),
        ({"hierarchy": [["a", [1]]]}, "not texts"),
        ({"hierarchy": 3}, "not a list"),
    ],
)
def test_parameters_that_cannot_be_read_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        Categorical(**parameters)


def test_a_listed_distance_outside_the_unit_interval_is_refused():
    assert "not between 0 and 1" in Categorical([("a", "b", 2)]).check()
    compat = Categorical([("a", "b", 2)], compat=True)
    assert compat.check() is None
    assert compat.distance("b", "a") == 2
    assert not compat.bounded


def test_values_repeated_in_pairs():
    found = Categorical(DISTANCES).pairs(["red", "navy", "red", "x"], ["rose", "blue", "rose", "x"])
    assert np.array_equal(found, [0.5, 0.25, 0.5, 0])
