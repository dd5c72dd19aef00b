import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pehchan.distance.geo import Geo

degrees = st.integers(-900_000, 900_000).map(lambda n: n / 10_000)
points = st.tuples(degrees, degrees.map(lambda n: 2 * n))


def haversine(a, b):
    (phi, theta), (phi2, theta2) = [tuple(map(math.radians, point)) for point in (a, b)]
    h = math.sin((phi - phi2) / 2) ** 2 + math.cos(phi) * math.cos(phi2) * math.sin((theta - theta2) / 2) ** 2
    return 2 * 6371 * math.asin(min(1, math.sqrt(h)))


@given(points, points)
def test_whole_kilometres_on_a_great_circle(a, b):
    exact = haversine(a, b)
    assume(abs(exact % 1 - 0.5) > 1e-3)
    found = Geo(30_000).distance(f"{a[0]}:{a[1]}", f"{b[0]}:{b[1]}")
    assert found == round(exact) / 30_000


@pytest.mark.parametrize("compat", [False, True])
def test_agrees_with_java_to_the_last_bit(java_table, compat):
    rows = java_table("geo")
    assert len(rows) == 60
    for a, b, kilometres in rows:
        assert Geo(25_000, compat=compat).distance(a, b) == int(kilometres) / 25_000, (a, b)


def test_never_more_than_1():
    assert Geo(10).distance("37.1:-121", "38.1:-121") == 1
    assert Geo(222).distance("37.1:-121", "38.1:-121") == 0.5


def test_without_a_reach_java_had_all_points_1_apart():
    assert Geo(compat=True).distance("37.1:-121", "37.1:-121") == 1
    assert "max_km" in Geo().check()
    assert Geo(compat=True).check() is None


def test_the_date_line_and_the_poles():
    assert Geo(100).distance("0:180", "0:-180") == 0
    assert Geo(100).distance("90:0", "90:120") == 0


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("bad", "1 parts found"),
        ("bad:1", "'bad' is not a number"),
        ("91:0", "latitude 91.0"),
        ("0:-181", "longitude -181.0"),
        ("nan:0", "latitude nan"),
        ("1_0:0", "not a number"),
        ("1:2:3", "3 parts"),
    ],
)
def test_what_is_no_point_is_a_fault(value, reason):
    assert reason in Geo(1).fault(value)
    assert Geo(1).fault(" 37.1 : -121 ") is None


def test_another_delimiter():
    assert Geo(222, delimiter=",").distance("37.1, -121", "38.1,-121") == 0.5
