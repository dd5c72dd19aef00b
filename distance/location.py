"""Distance of two places given as landmark, city and state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pehchan.distance.elementwise import Elementwise, Readings
from pehchan.distance.measure import Distances
from pehchan.distance.near import Near, Several, Window, cheapest
from pehchan.distance.tokens import tokens
from pehchan.metadata.records import splitter

NAMES = ("landmark", "city", "state")

#: All ways to make 1, 2, and 3 groups of the parts that may be best.
GROUPS = (
    [[(0, 1, 2)]],
    [[(0,), (1, 2)], [(1,), (0, 2)], [(2,), (0, 1)]],
    [[(0,), (1,), (2,)]],
)


@dataclass(frozen=True)
class Location(Elementwise):
    """How many of the parts differ in values like "City Hall::Fresno::CA"; in [0, 1].

    Case, and how many blanks there are, do not count. With k parts of 3 that differ, k / 3 for
    by="manhattan", sqrt(k) / 3 for by="euclidean".

    weights    of the parts; sifarish asks for them, but they bend only what is between 0 and 1, so that they
               change nothing here
    by         "euclidean" or "manhattan"
    delimiter  regular expression between the parts
    compat     sifarish's manhattan distance of places is always 0
    """

    weights: tuple[float, ...] = (1.0, 1.0, 1.0)
    by: str = "euclidean"
    delimiter: str = "::"
    compat: bool = False

    cost = 0.006
    listed_cost = 0.02

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(self.weights))

    def check(self) -> str | None:
        if self.by not in ("euclidean", "manhattan"):
            return f'by {self.by!r} is neither "euclidean" nor "manhattan"'
        splitter(self.delimiter)
        return check_weights(self.weights, NAMES)

    def fault(self, value: str) -> str | None:
        found = len(splitter(self.delimiter)(value))
        return None if found == len(NAMES) else f"{value!r} has {found} parts, not landmark, city and state"

    def read(self, values: Sequence[str]) -> Readings:
        split = splitter(self.delimiter)
        return self.places([split(value) for value in values])

    def between(self, a: Readings, b: Readings) -> Distances:
        return self._of_differing(
            sum(((x != y).astype(np.float64) for x, y in zip(a, b, strict=True)), start=np.float64(0))
        )

    def _of_differing(self, differing: Any) -> Any:
        """float64: the distances of places of which so many parts differ."""
        if self.by == "euclidean":
            return np.sqrt(differing) / len(NAMES)
        return differing * 0.0 if self.compat else differing / len(NAMES)

    def near(self, values: Readings, limit: float) -> Near | None:
        """With k parts that may differ, two places agree in one of k + 1 groups of them, whatever the groups are."""
        within = [self._of_differing(np.float64(differing)) <= limit for differing in range(len(NAMES) + 1)]
        if within[-1]:
            return None

        def equal(parts: Sequence[int]) -> Near:
            code = values[parts[0]]
            for part in parts[1:]:
                code = np.unique(
                    code * (values[part].max(initial=0) + 1) + values[part], return_inverse=True
                )[1]
            return Window(code, 0.0)

        return cheapest(Several(list(map(equal, groups))) for groups in GROUPS[within.index(False) - 1])

    def places(self, values: Sequence[Sequence[str]]) -> Readings:
        """What is read of values already split. Raises ValueError where one has not three parts."""
        number: dict[str, int] = {}
        codes = []
        for parts in values:
            if len(parts) != len(NAMES):
                raise ValueError(f"a place has {len(parts)} parts, not landmark, city and state")
            codes.append([number.setdefault(_plain(part), len(number)) for part in parts])
        table = np.array(codes, dtype=np.int64).reshape(-1, len(NAMES))
        return tuple(table.T)


def check_weights(weights: Sequence[float], names: Sequence[str]) -> str | None:
    """What is wrong with the weights of parts, for a person; None where all is well."""
    if len(weights) != len(names):
        return f"weights has {len(weights)} numbers, not one each for {', '.join(names)}"
    if not all(isinstance(weight, int | float) and not isinstance(weight, bool) for weight in weights):
        return f"weights {list(weights)} are not all numbers"
    if not all(0 < weight < float("inf") for weight in weights):
        return f"weights {list(weights)} are not all above 0"
    return None


def _plain(part: str) -> str:
    return " ".join(tokens(part.lower()))
