"""Distance of two points on the earth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pehchan.distance.elementwise import Elementwise, Readings
from pehchan.distance.measure import Distances
from pehchan.distance.near import Near, Window, cheapest
from pehchan.distance.tokens import BLANKS
from pehchan.metadata.records import splitter

EARTH_RADIUS_KM = 6371


@dataclass(frozen=True)
class Geo(Elementwise):
    """min(1, great-circle distance in whole km / max_km) of values like "37.35:-121.95"; in [0, 1].

    max_km     kilometres from which points are 1 apart
    delimiter  regular expression between latitude and longitude, both in degrees
    compat     without max_km all points are 1 apart, equal ones too
    """

    max_km: float = 0
    delimiter: str = ":"
    compat: bool = False

    cost = 0.013
    listed_cost = 0.04

    @property
    def zero_on_equal(self) -> bool:
        return self.max_km > 0

    def check(self) -> str | None:
        if self.max_km <= 0 and not self.compat:
            return f"max_km {self.max_km} is not above 0"
        splitter(self.delimiter)
        return None

    def fault(self, value: str) -> str | None:
        try:
            self._point(value)
        except ValueError as error:
            return f"{value!r} is not a point on the earth: {error}"
        return None

    def read(self, values: Sequence[str]) -> Readings:
        points = np.array([self._point(value) for value in values], dtype=np.float64).reshape(-1, 3)
        return tuple(points.T)

    def near(self, values: Readings, limit: float) -> Near | None:
        """No coordinate of two points on a sphere differs by more than the chord between them."""
        if self.max_km <= 0:
            return None
        # What is rounded to whole kilometres may be half a one more.
        angle = (limit * self.max_km + 0.5) / EARTH_RADIUS_KM
        chord = 2 * math.sin(min(angle, math.pi) / 2)
        return cheapest(Window(coordinate, chord) for coordinate in values)

    def between(self, a: Readings, b: Readings) -> Distances:
        kilometres = whole_kilometres(a, b)
        if self.max_km <= 0:
            return np.ones_like(kilometres)
        return np.minimum(kilometres / self.max_km, 1.0)

    def _point(self, value: str) -> tuple[float, float, float]:
        """The point on a sphere of radius 1."""
        parts = splitter(self.delimiter)(value)
        if len(parts) != 2:
            raise ValueError(f"latitude and longitude expected, {len(parts)} parts found")
        latitude, longitude = (_degrees(part) for part in parts)
        if not -90 <= latitude <= 90:
            raise ValueError(f"latitude {latitude} is not between -90 and 90")
        if not -180 <= longitude <= 180:
            raise ValueError(f"longitude {longitude} is not between -180 and 180")
        phi, theta = math.radians(latitude), math.radians(longitude)
        return math.cos(phi) * math.cos(theta), math.cos(phi) * math.sin(theta), math.sin(phi)


def whole_kilometres(a: Readings, b: Readings) -> Distances:
    """Distance on the earth of points of a sphere of radius 1, rounded to whole kilometres as in sifarish.

    The haversine formula, with half the chord through the sphere for the root of the haversine.
    """
    chord = np.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2)
    return np.rint(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1.0)))


def _degrees(part: str) -> float:
    try:
        return float(part.strip(BLANKS).replace("_", "?"))
    except ValueError:
        raise ValueError(f"{part!r} is not a number of degrees") from None
