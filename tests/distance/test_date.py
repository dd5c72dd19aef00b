from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.date import Date

days = st.dates(date(1890, 1, 1), date(2100, 1, 1))


@given(days, days, st.sampled_from([1, 365, 36525]))
def test_days_between_as_a_share(a, b, most):
    assert Date(most).distance(str(a), str(b)) == min(1, abs((a - b).days) / most)


def test_leap_days_count():
    assert Date(4).distance("2024-02-28", "2024-03-01") == 0.5
    assert Date(4).distance("2023-02-28", "2023-03-01") == 0.25


def test_another_format():
    assert Date(10, "%d/%m/%Y").distance("03/04/2024", "4/4/2024") == 0.1
    # The time of day does not count, before 1970 neither.
    measure = Date(10, "%Y-%m-%d %H:%M")
    assert measure.distance("2024-01-01 00:00", "2024-01-01 23:59") == 0
    assert measure.distance("1960-01-01 00:00", "1960-01-01 23:59") == 0
    assert measure.distance("1960-01-01 23:59", "1960-01-02 00:01") == 0.1


@pytest.mark.parametrize("value", ["2023-02-29", "x", "2023-02-01 10:00", "01.02.2023"])
def test_what_is_no_date_is_a_fault(value):
    assert value in Date(1).fault(value)
    assert Date(1).fault(" 2024-02-29 ") is None


def test_parameters_are_checked():
    assert "max_days" in Date(0).check()
    assert "strptime" in Date(1, "%Y-%Q").check()
    assert Date(1).check() is None
