"""Distance of two events: what, where and when."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pehchan.distance.arrays import Positions
from pehchan.distance.edit import Edit
from pehchan.distance.elementwise import Readings, ReadValues
from pehchan.distance.location import Location, check_weights
from pehchan.distance.measure import Distances, Measure, Prepared
from pehchan.distance.near import Exhaustive, Near, cheapest
from pehchan.distance.time_window import TimeWindow
from pehchan.distance.zero import NoDistances
from pehchan.metadata.records import splitter

NAMES = ("description", "place", "time")

#: A little more than rounding can take from a limit.
MARGIN = 1 + 1e-9


@dataclass(frozen=True)
class Event(Measure):
    """Weighted mean of the distances of description (Edit), place (Location), time (TimeWindow); in [0, 1].

    Values are like "Fair::City Hall::Fresno::CA::2024-05-02 08:00:00::2024-05-02 18:00:00". Of the place
    the share of parts that differ counts. Equal events shorter than max_minutes are more than 0 apart.

    weights      of description, place and time in the mean
    max_minutes  overlap, in minutes, that counts as full; 0: any overlap does
    delimiter    regular expression between the parts
    compat       sifarish's distance of events is always 0
    """

    weights: tuple[float, ...] = (1.0, 1.0, 1.0)
    delimiter: str = "::"
    max_minutes: int = 0
    compat: bool = False

    cost = 0.05
    listed_cost = 0.4
    prepared_bytes = 20

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(self.weights))

    @property
    def zero_on_equal(self) -> bool:
        return self.compat or self.max_minutes == 0

    def check(self) -> str | None:
        return check_weights(self.weights, NAMES) or self._time.check()

    def fault(self, value: str) -> str | None:
        if self.compat:
            return None
        try:
            self._read([value])
        except ValueError as error:
            return f"{value!r} is not an event: {error}"
        return None

    def prepare(self, values: Sequence[str]) -> Prepared:
        if self.compat:
            return NoDistances()
        what, where, when = self._read(values)
        place, time = ReadValues(self._place, where), ReadValues(self._time, when)
        return EventValues(self.weights, (Edit().prepare(what), place, time))

    @property
    def _place(self) -> Location:
        return Location(by="manhattan")

    @property
    def _time(self) -> TimeWindow:
        return TimeWindow(self.max_minutes, self.delimiter)

    def _read(self, values: Sequence[str]) -> tuple[list[str], Readings, Readings]:
        split = splitter(self.delimiter)
        rows = [split(value) for value in values]
        for row in rows:
            if len(row) != 6:
                raise ValueError(
                    f"6 parts expected (description, landmark, city, state, start, end), {len(row)} found"
                )
        windows = np.array([self._time.window(row[4:]) for row in rows], dtype=np.int64).reshape(-1, 2)
        return [row[0] for row in rows], self._place.places([row[1:4] for row in rows]), tuple(windows.T)


@dataclass(frozen=True)
class EventValues:
    """Events as their parts: descriptions, places, times."""

    weights: Sequence[float]
    parts: tuple[Prepared, ReadValues, ReadValues]

    def pairs(self, i: Positions, j: Positions, limit: float) -> Distances:
        return self._mean([part.pairs(i, j, 1.0) for part in self.parts])

    def matrix(self, i: Positions, j: Positions, limit: float) -> Distances:
        return self._mean([part.matrix(i, j, 1.0) for part in self.parts])

    def near(self, limit: float, times: float = 1.0) -> Near:
        """By the place or the time, whose own distance may not be so large that the mean is."""
        # Many events may have one description, so that by it more would meet than its costs tell.
        parts = zip(self.weights[1:], self.parts[1:], strict=True)
        limits = [(part, limit * sum(self.weights) / weight * MARGIN) for weight, part in parts]
        ways = [part.near(within, times) for part, within in limits if within < 1]
        return cheapest(ways) if ways else Exhaustive(self, len(self.parts[1].readings[0]), Event.cost, limit)

    def _mean(self, distances: Sequence[Distances]) -> Distances:
        first, second, third = self.weights
        what, where, when = distances
        total = first * what + second * where + third * when
        return np.minimum(total / (first + second + third), 1.0)
