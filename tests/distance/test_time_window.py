from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.time_window import TimeWindow

START = datetime(2023, 12, 31, 20)
spans = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted)


def window(span):
    return "::".join(str(START + timedelta(minutes=30 * half_hours)) for half_hours in span)


@given(spans, spans, st.sampled_from([30, 90, 600]))
def test_overlap_as_a_share_of_the_full_length(a, b, full):
    halves = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    assert TimeWindow(full).distance(window(a), window(b)) == 1 - min(1, halves * 30 / full)


@given(spans, spans)
def test_without_a_length_any_overlap_is_enough(a, b):
    touching = max(a[0], b[0]) < min(a[1], b[1]) or a == b
    assert TimeWindow().distance(window(a), window(b)) == (0 if touching else 1)


def test_seconds_count():
    a = "2024-02-29 12:00:00::2024-02-29 12:00:45"
    assert TimeWindow(1).distance(a, a) == 0.25


def test_equal_windows_shorter_than_the_full_length_are_apart():
    a = "2024-02-29 12:00:00::2024-02-29 13:00:00"
    assert TimeWindow(120).distance(a, a) == 0.5


def test_another_format_and_delimiter():
    measure = TimeWindow(1440, delimiter=r"\s*to\s*", format="%d.%m.%Y")
    assert measure.distance("1.5.2024 to 3.5.2024", "02.05.2024to10.05.2024") == 0


def test_times_with_a_zone_are_moments():
    measure = TimeWindow(60, format="%Y-%m-%dT%H:%M%z")
    assert (
        measure.distance(
            "2024-05-01T10:00+0200::2024-05-01T11:00+0200", "2024-05-01T08:00Z::2024-05-01T09:00Z"
        )
        == 0
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("2024-02-29 12:00:00", "1 found"),
        ("2024-02-29 12:00:00::2024-02-29 11:00:00", "ends before it starts"),
        ("2024-02-30 12:00:00::2024-03-01 11:00:00", "not a window of time"),
        ("x::y", "does not match"),
    ],
)
def test_what_is_no_window_is_a_fault(value, reason):
    fault = TimeWindow().fault(value)
    assert reason in fault
    assert value in fault


def test_parameters_are_checked():
    assert "max_minutes" in TimeWindow(-1).check()
    assert "%Q" in TimeWindow(format="%Q").check()
    assert TimeWindow().check() is None
