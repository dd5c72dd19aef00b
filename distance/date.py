"""Distance of two dates: the days between them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pehchan.distance import windows
from pehchan.distance.elementwise import Elementwise, Readings
from pehchan.distance.measure import Distances
from pehchan.distance.near import Near, Window
from pehchan.distance.tokens import BLANKS


@dataclass(frozen=True)
class Date(Elementwise):
    """min(1, days between / max_days); in [0, 1].

    max_days  days from which dates are 1 apart
    format    of the dates, as in Python's strptime; a time of day is read, but does not count
    """

    max_days: int
    format: str = "%Y-%m-%d"

    cost = 0.003
    listed_cost = 0.01

    def check(self) -> str | None:
        if self.max_days <= 0:
            return f"max_days {self.max_days} is not above 0"
        return windows.check_format(self.format)

    def fault(self, value: str) -> str | None:
        try:
            self._day(value)
        except ValueError as error:
            return f"{value!r} is not a date: {error}"
        return None

    def read(self, values: Sequence[str]) -> Readings:
        return (np.array([self._day(value) for value in values], dtype=np.int64),)

    def near(self, values: Readings, limit: float) -> Near:
        return Window(values[0], limit * self.max_days)

    def between(self, a: Readings, b: Readings) -> Distances:
        return np.minimum(np.abs(a[0] - b[0]) / self.max_days, 1.0)

    def _day(self, value: str) -> int:
        return windows.moment(value.strip(BLANKS), self.format) // windows.DAY
