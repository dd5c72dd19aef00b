"""What every measure promises, for every measure: on values drawn for it, with all it declares checked."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import SCRIPTS, SIZES, near_copy

from pehchan.distance.registry import MEASURES, build

# Few letters, so that values meet; blanks of all sorts, letters beyond the basic plane, long texts that are nearly
# the same; and anything at all.
texts = st.one_of(
    st.text("ab", min_size=1, max_size=5),
    st.lists(st.text("abcé", min_size=1, max_size=4), min_size=1, max_size=4).map(" ".join),
    st.text("abé\u0301😀😁 \t\u00a0\0", min_size=1, max_size=8),
    st.builds(
        near_copy, st.sampled_from(SCRIPTS), st.sampled_from(SIZES), st.randoms(use_true_random=True)
    ).filter(bool),
    st.text(min_size=1, max_size=8),
)
names = st.text("abé ", min_size=1, max_size=4)
whole_numbers = st.integers(-20, 20).map(str)
numbers = st.one_of(
    whole_numbers,
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from([" 5", "2.5f", "+3", "1e3", "-0", ".5 "]),
)
readable_or_not = st.one_of(
    numbers, st.sampled_from(["abc", "7 oz", "8 oz", "oz", " ", "NaN", "Infinity", "-Infinity"])
)
colours = st.sampled_from(["red", "rose", "blue", "navy", "colour", "other"])
hours = st.builds("{:02}{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 59]))
hour_windows = st.builds("{}::{}".format, hours, st.one_of(hours, st.just("2400")))
ordered_hours = hour_windows.filter(lambda window: window[:4] <= window[6:])
moments = st.integers(0, 400).map(lambda n: datetime(2024, 2, 28) + timedelta(minutes=17 * n, seconds=n % 60))
time_windows = st.lists(moments, min_size=2, max_size=2).map(sorted).map(lambda pair: f"{pair[0]}::{pair[1]}")
places = st.builds("{}::{}::{}".format, names, names, names)
points = st.builds("{}:{}".format, st.floats(-90, 90), st.floats(-180, 180))
near_points = st.builds("{:.3f}:{:.3f}".format, st.floats(50, 50.1), st.floats(5, 5.1))
events = st.builds("{}::{}::{}".format, names, places, time_windows)
dates = st.dates().map(str)

VALUE_OF = {
    texts: "a b",
    numbers: "1",
    whole_numbers: "1",
    readable_or_not: "1",
    colours: "red",
    hour_windows: "0100::0200",
    ordered_hours: "0100::0200",
    time_windows: "2024-01-01 00:00:00::2024-01-01 01:00:00",
    places: "a::b::c",
    points: "1:2",
    near_points: "50.01:5.01",
    events: "a::b::c::d::2024-01-01 00:00:00::2024-01-01 01:00:00",
    dates: "2024-01-01",
}

DISTANCES = [["red", "rose", 0.3], ["blue", "navy", 1]]
HIERARCHY = {"colour": ["red", "blue"], "red": ["rose"]}


@dataclass
class Case:
    """A measure with parameters, and values that it reads."""

    name: str
    values: st.SearchStrategy[str]
    parameters: dict[str, object] = field(default_factory=dict)
    compat: bool = False

    def __str__(self):
        return " ".join([self.name, *map(str, self.parameters.items()), "compat" * self.compat])

    @property
    def measure(self):
        return build(self.name, self.parameters, self.compat)


DEFAULT = [
    Case("edit", texts),
    Case("edit", texts, {"tokens": False}),
    Case("edit", texts, {"align": True}),
    Case("levenshtein", texts),
    Case("damerau-levenshtein", texts),
    Case("jaro-winkler", texts),
    Case("jaro-winkler", texts, {"prefix_weight": 0.25}),
    Case("char-pair", texts),
    Case("jaccard", texts),
    Case("jaccard", texts, {"a_weight": 0.8, "b_weight": 0.8}),
    Case("jaccard", texts, {"a_weight": 0.8, "b_weight": 0.2}),
    Case("jaccard", texts, {"a_weight": 0, "b_weight": 1e-300}),
    Case("dice", texts),
    Case("cosine", texts),
    Case("number", numbers),
    Case("number", numbers, {"ratio_threshold": 0.5}),
    Case("number", numbers, {"min": -10, "max": 10.5}),
    Case("number", whole_numbers, {"integer": True, "max": 7}),
    Case("categorical", colours, {"distances": DISTANCES, "hierarchy": HIERARCHY}),
    Case("categorical", texts),
    Case("exact", texts),
    Case("zero", texts),
    Case("time-window", time_windows),
    Case("time-window", time_windows, {"max_minutes": 90}),
    Case("hour-window", hour_windows),
    Case("hour-window", hour_windows, {"max_minutes": 77}),
    Case("location", places),
    Case("location", places, {"by": "manhattan"}),
    Case("geo", points, {"max_km": 10_000}),
    Case("geo", near_points, {"max_km": 7}),
    Case("event", events),
    Case("event", events, {"max_minutes": 90, "weights": [0.1, 0.2, 0.7]}),
    Case("date", dates, {"max_days": 1000}),
]
COMPAT = [
    Case("edit", texts, compat=True),
    Case("edit", texts, {"tokens": False}, compat=True),
    Case("jaccard", texts, compat=True),
    Case("jaccard", texts, {"a_weight": 0.8, "b_weight": 0.8}, compat=True),
    Case("dice", texts, compat=True),
    Case("cosine", texts, compat=True),
    Case("number", readable_or_not, {"unit": "oz"}, compat=True),
    Case("number", readable_or_not, {"max": 10, "unit": "oz"}, compat=True),
    Case("number", readable_or_not, {"max": 10, "integer": True}, compat=True),
    Case("categorical", colours, {"hierarchy": HIERARCHY, "distances": [["red", "navy", 2]]}, compat=True),
    Case("hour-window", ordered_hours, {"max_minutes": 77}, compat=True),
    Case("location", places, {"by": "manhattan"}, compat=True),
    Case("geo", points, compat=True),
    Case("geo", near_points, {"max_km": 7}, compat=True),
    Case("event", texts, compat=True),
]
CASES = DEFAULT + COMPAT
every_case = pytest.mark.parametrize("case", CASES, ids=str)

# Pairs for which a measure that does not promise something does not keep it.
NOT_SYMMETRIC = [
    (build("edit", {}, compat=True), "abc", "x"),
    (build("jaccard", {"a_weight": 0.8, "b_weight": 0.2}), "a", "a b"),
    (build("jaccard", {"a_weight": 0.8, "b_weight": 0.8}, compat=True), "a b c d e", "a b c x"),
    (build("categorical", {"hierarchy": HIERARCHY}, compat=True), "red", "rose"),
]
NOT_BOUNDED = [
    (build("edit", {}, compat=True), " ab", "x ab"),
    (build("jaccard", {}, compat=True), "a a a", "a a b"),
    (build("dice", {}, compat=True), "a a a b", "a a a b"),
    (build("cosine", {}, compat=True), " ", "a"),
    (build("number", {"max": 1}), "0", "2"),
    (build("categorical", {"distances": [["a", "b", 2]]}, compat=True), "a", "b"),
]
NOT_ZERO_ON_EQUAL = [
    (build("edit", {}, compat=True), " "),
    (build("jaccard", {}, compat=True), " "),
    (build("dice", {}, compat=True), " "),
    (build("cosine", {}, compat=True), "a"),
    (build("number", {"max": 1}, compat=True), "NaN"),
    (build("time-window", {"max_minutes": 90}), "2024-01-01 00:00:00::2024-01-01 01:00:00"),
    (build("hour-window", {"max_minutes": 90}), "0000::0100"),
    (build("geo", {}, compat=True), "0:0"),
    (build("event", {"max_minutes": 90}), "a::b::c::d::2024-01-01 00:00:00::2024-01-01 01:00:00"),
]


def test_every_measure_is_tried():
    assert {case.name for case in DEFAULT} == set(MEASURES)


@every_case
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_matrix_pairs_and_distance_are_one_arithmetic(case, data):
    a = data.draw(st.lists(case.values, max_size=6))
    b = data.draw(st.lists(st.one_of(case.values, *map(st.just, a[:1])), max_size=6))
    measure = case.measure
    matrix = measure.matrix(a, b)
    assert matrix.shape == (len(a), len(b))
    assert matrix.dtype == np.float64
    pairs = measure.pairs([x for x in a for _ in b], b * len(a))
    assert pairs.dtype == np.float64
    assert np.array_equal(matrix.ravel(), pairs, equal_nan=True)
    single = [measure.distance(x, y) for x in a for y in b]
    assert np.array_equal(pairs, np.array(single), equal_nan=True)


@every_case
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_declared_holds(case, data):
    values = data.draw(st.lists(case.values, min_size=1, max_size=8))
    measure = case.measure
    assert [measure.fault(value) for value in values] == [None] * len(values)
    matrix = measure.matrix(values, values)
    if not case.compat:
        assert not np.isnan(matrix).any()
    if measure.symmetric:
        assert np.array_equal(matrix, matrix.T, equal_nan=True)
    if measure.bounded:
        assert ((matrix >= 0) & (matrix <= 1)).all()
    if measure.zero_on_equal:
        assert not matrix.diagonal().any()


@every_case
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_limit_changes_nothing_at_or_under_it(case, data):
    values = data.draw(st.lists(case.values, min_size=1, max_size=6))
    measure = case.measure
    exact = measure.matrix(values, values)
    limits = [*np.unique(exact[np.isfinite(exact)]).tolist(), 0.25, np.inf]
    limit = data.draw(st.sampled_from(limits))
    found = measure.matrix(values, values, limit)
    pairs = measure.pairs([x for x in values for _ in values], values * len(values), limit)
    for limited in (found, pairs.reshape(found.shape)):
        below = ~(exact > limit)
        assert np.array_equal(limited[below], exact[below], equal_nan=True)
        assert (limited[~below] > limit).all()


@every_case
def test_no_values_have_no_distances(case):
    measure, one = case.measure, [VALUE_OF[case.values]]
    assert measure.pairs([], []).shape == (0,)
    assert measure.matrix([], []).shape == (0, 0)
    assert measure.matrix(one * 2, []).shape == (2, 0)
    assert measure.matrix([], one * 3).shape == (0, 3)


@pytest.mark.parametrize(("measure", "a", "b"), NOT_SYMMETRIC, ids=str)
def test_asymmetry_is_declared_only_where_there_is_some(measure, a, b):
    assert not measure.symmetric
    assert measure.distance(a, b) != measure.distance(b, a)


@pytest.mark.parametrize(("measure", "a", "b"), NOT_BOUNDED, ids=str)
def test_distances_outside_the_unit_interval_are_declared_only_where_there_are_some(measure, a, b):
    assert not measure.bounded
    assert not 0 <= measure.distance(a, b) <= 1


@pytest.mark.parametrize(("measure", "a"), NOT_ZERO_ON_EQUAL, ids=str)
def test_distances_of_equal_values_are_declared_only_where_there_are_some(measure, a):
    assert not measure.zero_on_equal
    assert measure.distance(a, a) != 0


def test_what_is_not_promised_is_shown_above():
    for case in CASES:
        measure = case.measure
        for promised, shown in [
            (measure.symmetric, NOT_SYMMETRIC),
            (measure.bounded, NOT_BOUNDED),
            (measure.zero_on_equal, NOT_ZERO_ON_EQUAL),
        ]:
            assert promised or type(measure) in {type(row[0]) for row in shown}, case
