import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.hour_window import HourWindow

times = st.tuples(st.integers(0, 23), st.sampled_from([0, 1, 30, 59])).map(lambda t: f"{t[0]:02}{t[1]:02}")
windows = st.tuples(times, times).map("::".join)


def minutes(window):
    """The minutes of the day that a window covers, as a set."""
    start, end = (int(time[:2]) * 60 + int(time[2:]) for time in window.split("::"))
    return {minute % 1440 for minute in range(start, end if start <= end else end + 1440)}


@given(windows, windows, st.sampled_from([1, 60, 600, 1440]))
def test_overlap_counted_minute_by_minute(a, b, full):
    overlap = len(minutes(a) & minutes(b))
    assert HourWindow(full).distance(a, b) == 1 - min(1, overlap / full)


@given(windows, windows)
def test_without_a_length_any_overlap_is_enough(a, b):
    assert HourWindow().distance(a, b) == (0 if minutes(a) & minutes(b) or a == b else 1)


@pytest.mark.parametrize("compat", [False, True])
def test_agrees_with_java_to_the_last_bit(java_table, compat):
    rows = java_table("hourwindow")
    assert len(rows) == 80
    for full, a, b, expected in rows:
        assert HourWindow(int(full), compat=compat).distance(a, b) == float(expected), (full, a, b)


def test_a_window_over_midnight():
    assert HourWindow(60).distance("2200::0200", "0100::0500") == 0
    assert HourWindow(120).distance("2200::0200", "0100::0500") == 0.5
    assert HourWindow(60).distance("2200::0200", "0300::0500") == 1
    assert "ends before it starts" in HourWindow(60, compat=True).fault("1800::1200")


def test_midnight_ends_a_day():
    assert HourWindow(60).distance("2300::2400", "2300::0000") == 0
    assert HourWindow(60).distance("0000::2400", "0500::0600") == 0


def test_equal_windows_shorter_than_the_full_length_are_apart():
    assert HourWindow(600).distance("0800::0900", "0800::0900") == 0.9


def test_the_delimiter_is_a_regular_expression():
    assert HourWindow(600, delimiter="/").distance("0800/1200", "0900/1300") == 0.7
    assert HourWindow(600, delimiter="[|-]").distance("0800 - 1200", "0900|1300") == 0.7


@pytest.mark.parametrize(
    "value", ["0800", "0800::", "0800::1200::1300", "8:00::9:00", "0860::0900", "2401::0100", "x"]
)
def test_what_is_no_window_is_a_fault(value):
    assert value in HourWindow().fault(value)
    assert HourWindow().fault("0800::1200") is None


def test_parameters_are_checked():
    assert "max_minutes" in HourWindow(-1).check()
    with pytest.raises(ValueError, match="regular expression"):
        HourWindow(delimiter="(").check()
