"""Distance of two windows of the day, such as opening hours: how little they overlap."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pehchan.distance import windows
from pehchan.distance.elementwise import Elementwise, Readings
from pehchan.distance.measure import Distances
from pehchan.distance.near import Near, Window
from pehchan.distance.tokens import BLANKS
from pehchan.metadata.records import splitter

DAY = 24 * 60
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)|2400", re.ASCII)


@dataclass(frozen=True)
class HourWindow(Elementwise):
    """1 - min(1, overlap / max_minutes) of values like "0900::1730"; in [0, 1].

    A window that ends before it starts goes over midnight. Equal windows shorter than max_minutes are more
    than 0 apart.

    max_minutes  overlap, in minutes, that counts as full; 0: any overlap does
    delimiter    regular expression between start and end
    compat       sifarish does not read windows over midnight
    """

    max_minutes: int = 0
    delimiter: str = "::"
    compat: bool = False

    cost = 0.012
    listed_cost = 0.03

    @property
    def zero_on_equal(self) -> bool:
        return self.max_minutes == 0

    def check(self) -> str | None:
        if self.max_minutes < 0:
            return f"max_minutes {self.max_minutes} is negative"
        splitter(self.delimiter)
        return None

    def fault(self, value: str) -> str | None:
        try:
            self._window(value)
        except ValueError as error:
            return str(error)
        return None

    def read(self, values: Sequence[str]) -> Readings:
        found = np.array([self._window(value) for value in values], dtype=np.int64).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    def between(self, a: Readings, b: Readings) -> Distances:
        common = windows.overlap(a[0], a[1], b[0], b[1])
        for shift in (-DAY, DAY):
            common = common + windows.overlap(a[0], a[1], b[0] + shift, b[1] + shift)
        return windows.apart(common, (a[0] == b[0]) & (a[1] == b[1]), self.max_minutes)

    def near(self, values: Readings, limit: float) -> Near:
        """Of two the later begins before the earlier ends, on one day or the next.

        Half of what they have in common at least is on one of these: they cannot have it on more than two.
        """
        starts, ends = values
        return Window(starts, ends - starts - windows.least_overlap(limit, self.max_minutes) / 2, period=DAY)

    def _window(self, value: str) -> tuple[int, int]:
        """Start and end in minutes; the end of a window over midnight is past 24 hours."""
        parts = [part.strip(BLANKS) for part in splitter(self.delimiter)(value)]
        if len(parts) != 2 or not all(_TIME.fullmatch(part) for part in parts):
            raise ValueError(f"{value!r} is not a window of two times like 0930 and 1700")
        start, end = (int(part[:2]) * 60 + int(part[2:]) for part in parts)
        if start > end and self.compat:
            raise ValueError(f"{value!r} ends before it starts")
        return start, end if start <= end else end + DAY
