"""Windows, places and events that are near each other: whatever finds them, none is missing, none comes twice."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from comparisons import Compared, comparison_of, pairs_within
from hypothesis import given, note, settings
from hypothesis import strategies as st

from pehchan.distance import near, registry
from pehchan.distance.near import Exhaustive, Window, near_values

by_chance = st.randoms(use_true_random=True)

#: Before 1970 and at its beginning, where a time is 0; and when a number of microseconds needs more than 53 bits.
DAYS = [datetime(1969, 12, 31, 20), datetime(1970, 1, 1), datetime(2024, 2, 29, 6), datetime(9999, 1, 1)]


def some_window(chance, day=DAYS[2]):
    """Windows that touch, contain each other, are empty or a second too short, and now and then a long one."""
    step = chance.choice([1, 1, 60, 1800, 1800, 1800])
    start = day + timedelta(seconds=chance.choice([0, 0, 1800, 3600]) + step * chance.randrange(9))
    seconds = chance.choice([0, 1, 59, 60, 1799, 1800, 1800, 3600, 5400, 5400, 500_000])
    return f"{start}::{start + timedelta(seconds=seconds)}"


def some_hours(chance):
    """Windows of the day: many over midnight, some empty, some of nearly a day or a whole one."""

    def time():
        minutes = chance.choice(
            [0, 1, 719, 720, 1439, 1440, 30 * chance.randrange(49), chance.randrange(1441)]
        )
        return f"{minutes // 60:02}{minutes % 60:02}"

    start = time()
    return f"{start}::{chance.choice([start, time(), time(), time()])}"


def some_place(chance):
    """Places that have some parts in common, in other letters too."""
    parts = (["Hall", "hall ", "Park", ""], ["Fresno", "FRESNO", "Oslo"], ["CA", "ca", "NO", "  "])
    return "::".join(map(chance.choice, parts))


def some_event(chance):
    what = chance.choice(["Fair", "Book Fair", "Bok Fair", ""])
    return f"{what}::{some_place(chance)}::{some_window(chance)}"


#: A measure with its parameters, and what makes values of it.
BY_WINDOWS = [
    ("time-window", {}, some_window),
    ("time-window", {"max_minutes": 30}, some_window),
    ("time-window", {"max_minutes": 90}, some_window),
    ("hour-window", {}, some_hours),
    ("hour-window", {"max_minutes": 60}, some_hours),
    ("hour-window", {"max_minutes": 1400}, some_hours),
    ("location", {}, some_place),
    ("location", {"by": "manhattan"}, some_place),
    ("event", {}, some_event),
    ("event", {"max_minutes": 90, "weights": [0.5, 1.0, 2.0]}, some_event),
    ("event", {"max_minutes": 30, "weights": [0.1, 5.0, 1.0]}, some_event),
]


def near_of(measure, values, limit):
    """The pairs that are found, as positions, and those that are within the limit."""
    prepared = measure.prepare(values)
    found = set()
    for a, b in near_values(prepared, len(values), measure.cost, limit).pairs():
        assert (a < b).all()
        found.update(zip(a.tolist(), b.tolist(), strict=True))
    i, j = np.nonzero(np.triu(measure.matrix(values, values) <= limit, 1))
    return found, set(zip(i.tolist(), j.tolist(), strict=True))


@settings(max_examples=500)
@given(by_chance, st.sampled_from(BY_WINDOWS))
def test_no_two_values_within_the_limit_are_missed(chance, by):
    name, parameters, some_value = by
    measure = registry.build(name, parameters, compat=False)
    if name == "time-window":
        day = chance.choice(DAYS)
        values = [some_value(chance, day) for _ in range(20)]
    else:
        values = [some_value(chance) for _ in range(20)]
    values = list(dict.fromkeys(values))
    # At a distance that there is, and just below it, the last bit counts.
    apart = measure.distance(chance.choice(values), chance.choice(values))
    limit = chance.choice([apart, np.nextafter(apart, 0), chance.random(), 0.999])
    limit = min(1 - 2**-53, max(0.0, limit))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "AT_ONCE", chance.choice([1, 7, 1_000_000]))
        found, within = near_of(measure, values, limit)
    note(f"{limit} {[(values[a], values[b]) for a, b in within - found]}")
    assert within <= found


KINDS = {
    "window": some_window,
    "90 minutes": some_window,
    "hours": some_hours,
    "77 minutes": some_hours,
    "place": some_place,
    "parts": some_place,
    "event": some_event,
}


@settings(max_examples=150)
@given(by_chance)
def test_an_index_of_windows_finds_what_the_oracle_finds_and_each_pair_once(chance):
    kinds = chance.choices(list(KINDS), k=chance.randint(1, 3))
    fields = [
        Compared(
            kind,
            weight=chance.choice([1.0, 1.0, 0.5, 3.0]),
            threshold=chance.choice([None, None, None, 0.5, 0.9]),
            missing=chance.choice(["max", "max", "skip"]),
        )
        for kind in kinds
    ]
    values = [[*(KINDS[kind](chance) for _ in range(5)), *[""] * chance.randrange(2)] for kind in kinds]
    records = [list(map(chance.choice, values)) for _ in range(9)]
    # Some that are equal, and by short windows are far apart all the same.
    records += [list(chance.choice(records)) for _ in range(3)]
    comparison = comparison_of(fields, records, chance.sample(range(12), 12))
    for cutoff in comparison.cutoffs(chance, 4):
        note(f"cutoff {cutoff}: {comparison}")
        found, _ = pairs_within(comparison.by(cutoff, search="signatures"), comparison.records)
        assert found == comparison.within(cutoff)


def test_equal_values_that_are_far_apart_are_not_candidates():
    chance = np.random.default_rng(5)
    short = "2024-02-29 10:00:00::2024-02-29 10:10:00"
    records = [[f"{number:04}", short, str(chance.integers(300))] for number in range(1000)]
    comparison = comparison_of([Compared("90 minutes"), Compared("exact")], [], [])
    distance = comparison.by(400, search="signatures")
    found, compared = pairs_within(distance, records)
    assert found == {}
    # Those that are equal in the other field.
    assert compared < 10_000


def indexed(name, parameters, values, limit):
    """How many pairs are looked at."""
    way = registry.build(name, parameters, compat=False).prepare(values).near(limit)
    assert not isinstance(way, Exhaustive)
    return sum(len(a) for a, _ in way.pairs())


def test_of_many_windows_few_are_looked_at():
    hours = [datetime(2024, 1, 1) + timedelta(hours=number) for number in range(3000)]
    windows = [f"{start}::{start + timedelta(minutes=90)}" for start in hours]
    # A single long one reaches all of them, the others their neighbours.
    windows.append(f"{hours[0]}::{hours[-1]}")
    assert indexed("time-window", {}, windows, 0.5) < 3 * len(windows)
    # What they have in common with their neighbours is too little.
    assert indexed("time-window", {"max_minutes": 90}, windows, 0.5) < 1.1 * len(windows)
    events = [f"Fair::Hall {number}::Fresno::CA::{window}" for number, window in enumerate(windows)]
    assert indexed("event", {}, events, 0.2) < 3 * len(windows)
    shorter = [f"{minute // 60:02}{minute % 60:02}::{minute // 60:02}59" for minute in range(1440)]
    assert indexed("hour-window", {}, shorter, 0.5) < 1440**2 / 40


def test_of_many_places_few_are_looked_at():
    places = [f"{number}::{number // 10}::{number // 100}" for number in range(1000)]
    assert indexed("location", {"by": "manhattan"}, places, 0.1) == 0
    assert indexed("location", {"by": "manhattan"}, places, 0.4) == 100 * 45
    assert indexed("location", {"by": "manhattan"}, places, 0.7) == 100 * 45 + 10 * 4950


def test_where_all_may_be_near_all_are_compared():
    # The root of three parts that differ is less than 0.6 of all.
    assert isinstance(registry.build("location", {}, compat=False).prepare(["a::b::c"]).near(0.6), Exhaustive)
    event = "Fair::Park::Fresno::CA::2024-05-01 08:00:00::2024-05-01 09:00:00"
    assert isinstance(registry.build("event", {}, compat=False).prepare([event]).near(0.4), Exhaustive)


def test_a_reach_below_0_reaches_nothing():
    (found,) = Window(np.array([5.0, 5.0, 6.0]), np.array([-1.0, 1.0, 0.0])).pairs()
    assert list(zip(*found, strict=True)) == [(1, 2)]


def test_whole_numbers_of_more_than_53_bits_are_reached():
    # As floats they are 4 apart.
    (found,) = Window(np.array([2**53 + 3, 2**53 + 1]), 2.0).pairs()
    assert list(zip(*found, strict=True)) == [(0, 1)]
