import dataclasses

import pytest

from pehchan.distance.date import Date
from pehchan.distance.edit import Edit
from pehchan.distance.jaccard import Jaccard
from pehchan.distance.location import Location
from pehchan.distance.measure import Measure
from pehchan.distance.registry import MEASURES, build

NEEDED = {"date": {"max_days": 10}, "geo": {"max_km": 5}}


@pytest.mark.parametrize("compat", [False, True])
@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_can_be_built_and_is_a_frozen_dataclass(name, compat):
    measure = build(name, NEEDED.get(name, {}), compat)
    assert type(measure) is MEASURES[name]
    assert isinstance(measure, Measure)
    assert hash(measure) == hash(build(name, NEEDED.get(name, {}), compat))
    assert getattr(measure, "compat", compat) == compat
    with pytest.raises(dataclasses.FrozenInstanceError):
        measure.compat = not compat


def test_parameters_reach_the_measure():
    assert build("edit", {"tokens": False}) == Edit(tokens=False)
    assert build("jaccard", {"a_weight": 2}, compat=True) == Jaccard(2, 1.0, compat=True)
    assert build("location", {"weights": [1, 2, 3]}) == Location((1, 2, 3))


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("edti", {}, 'unknown measure "edti". Did you mean "edit"? Known: edit, levenshtein'),
        ("Jaro-Winkler", {}, 'Did you mean "jaro-winkler"?'),
        ("xyz", {}, 'unknown measure "xyz". Known: edit, '),
        ("edit", {"token": True}, 'unknown parameter "token". Did you mean "tokens"? Known: tokens, align.'),
        ("exact", {"tokens": True}, 'unknown parameter "tokens". It has none.'),
        ("edit", {"compat": True}, 'unknown parameter "compat". Known: tokens, align.'),
        ("edit", {"tokens": 1}, "tokens is 1, not true or false"),
        ("edit", {"tokens": "no"}, "tokens is 'no', not true or false"),
        ("jaccard", {"a_weight": True}, "a_weight is True, not a number"),
        ("jaccard", {"a_weight": "0.8"}, "a_weight is '0.8', not a number"),
        ("jaccard", {"a_weight": float("nan")}, "a_weight is nan, not a number"),
        ("date", {"max_days": 1.5}, "max_days is 1.5, not a whole number"),
        ("date", {"max_days": True}, "max_days is True, not a whole number"),
        ("date", {}, "max_days is missing"),
        ("date", {"max_days": 0}, "max_days 0 is not above 0"),
        ("location", {"weights": "111"}, "weights is '111', not a list"),
        ("location", {"weights": [1, True, 1]}, "not all numbers"),
        ("number", {"unit": 5}, "unit is 5, not a text"),
        ("hour-window", {"delimiter": "("}, "not a regular expression"),
        ("categorical", {"distances": [["a", "b"]]}, "two values and their distance"),
        ("geo", {}, "max_km 0 is not above 0"),
    ],
)
def test_mistakes_are_told_to_a_person(name, parameters, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        build(name, parameters)
    assert message in str(error.value)
    if name in MEASURES:
        assert f'measure "{name}": ' in str(error.value)


def test_a_whole_number_does_for_a_number():
    assert build("date", {"max_days": 3, "format": "%Y"}) == Date(3, "%Y")
    assert build("number", {"max": 10}).distance("0", "5") == 0.5
