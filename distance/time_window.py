"""Distance of two windows of time: how little they overlap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pehchan.distance import windows
from pehchan.distance.elementwise import Elementwise, Readings
from pehchan.distance.measure import Distances
from pehchan.distance.near import Near, Window
from pehchan.distance.tokens import BLANKS
from pehchan.metadata.records import splitter


@dataclass(frozen=True)
class TimeWindow(Elementwise):
    """1 - min(1, overlap / max_minutes) of values like "2024-05-02 08:00:00::2024-05-03 12:30:00"; in [0, 1].

    Equal windows shorter than max_minutes are more than 0 apart.

    max_minutes  overlap, in minutes, that counts as full; 0: any overlap does
    delimiter    regular expression between start and end
    format       of the times, as in Python's strptime; times without a zone are taken as they stand
    """

    max_minutes: int = 0
    delimiter: str = "::"
    format: str = "%Y-%m-%d %H:%M:%S"

    cost = 0.008
    listed_cost = 0.03

    @property
    def zero_on_equal(self) -> bool:
        return self.max_minutes == 0

    def check(self) -> str | None:
        if self.max_minutes < 0:
            return f"max_minutes {self.max_minutes} is negative"
        splitter(self.delimiter)
        return windows.check_format(self.format)

    def fault(self, value: str) -> str | None:
        try:
            self.window(splitter(self.delimiter)(value))
        except ValueError as error:
            return f"{value!r} is not a window of time: {error}"
        return None

    def read(self, values: Sequence[str]) -> Readings:
        split = splitter(self.delimiter)
        found = np.array([self.window(split(value)) for value in values], dtype=np.int64).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    def between(self, a: Readings, b: Readings) -> Distances:
        equal = (a[0] == b[0]) & (a[1] == b[1])
        common = windows.overlap(a[0], a[1], b[0], b[1])
        return windows.apart(common, equal, self.max_minutes * windows.MINUTE)

    def near(self, values: Readings, limit: float) -> Near:
        """Of two the later begins before the earlier ends, by as much as they have in common at least."""
        starts, ends = values
        return Window(starts, ends - starts - windows.least_overlap(limit, self.max_minutes * windows.MINUTE))

    def window(self, parts: Sequence[str]) -> tuple[int, int]:
        """Start and end in the unit of windows.moment. Raises ValueError where they are not a window."""
        if len(parts) != 2:
            raise ValueError(f"start and end expected, {len(parts)} found")
        start, end = (windows.moment(part.strip(BLANKS), self.format) for part in parts)
        if start > end:
            raise ValueError("it ends before it starts")
        return start, end
