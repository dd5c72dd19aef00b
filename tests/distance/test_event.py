import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.edit import Edit
from pehchan.distance.event import Event

descriptions = st.sampled_from(["Fair", "Book Fair", "book fair", "Bok Fair", ""])
places = st.sampled_from(["Park::Fresno::CA", "Hall::Fresno::CA", "park::Oslo::NO"])
times = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted)


@st.composite
def events(draw):
    what, where, (start, end) = draw(descriptions), draw(places), draw(times)
    text = f"{what}::{where}::2024-05-01 0{start}:00:00::2024-05-01 0{end}:00:00"
    return what, where, start, end, text


@given(events(), events(), st.sampled_from([(1, 1, 1), (2, 0.5, 1.5)]))
def test_the_weighted_mean_of_what_where_and_when(a, b, weights):
    what = Edit().distance(a[0], b[0])
    where = sum(x.lower() != y.lower() for x, y in zip(a[1].split("::"), b[1].split("::"), strict=True)) / 3
    when = 1 - min(1, 60 * max(0, min(a[3], b[3]) - max(a[2], b[2])) / 120)
    expected = (weights[0] * what + weights[1] * where + weights[2] * when) / sum(weights)
    assert Event(weights, max_minutes=120).distance(a[4], b[4]) == pytest.approx(expected, abs=1e-12)


def test_sifarish_never_wrote_it():
    compat = Event(compat=True)
    assert compat.distance("x", "y") == 0
    assert compat.matrix(["x"], ["y", "z"]).tolist() == [[0, 0]]
    assert compat.fault("x") is None


GOOD = "Fair::Park::Fresno::CA::2024-05-01 08:00:00::2024-05-01 09:00:00"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (GOOD + "::x", "6 parts expected"),
        ("Fair", "1 found"),
        (GOOD.replace("08", "10"), "ends before it starts"),
    ],
)
def test_what_is_no_event_is_a_fault(value, reason):
    assert reason in Event().fault(value)
    assert Event().fault(GOOD) is None


def test_another_delimiter():
    measure = Event(delimiter=";")
    assert measure.distance(GOOD.replace("::", ";"), GOOD.replace("::", ";")) == 0


def test_parameters_are_checked():
    assert "description, place, time" in Event((1, 1)).check()
    assert "max_minutes" in Event(max_minutes=-5).check()
    assert Event().check() is None
