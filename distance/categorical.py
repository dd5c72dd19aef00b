"""Distance of categories: equal or not, or what the schema says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from pehchan.distance.arrays import Positions, distinct, distinct_pairs
from pehchan.distance.measure import Distances, Measure
from pehchan.distance.near import Exhaustive, Near


@dataclass(frozen=True)
class Categorical(Measure):
    """0 for equal values, else the distance listed for the two, else 0 for a value and its parent, else 1.

    Case counts.

    distances  (value, value, distance), in either order of the values; the first that fits holds. Also as
               {"this": value, "that": value, "distance": distance}
    hierarchy  (parent, (child, ...)). Also as {"parent": parent, "children": [child, ...]}, or all of them
               as {parent: [child, ...]}
    compat     as sifarish: a parent is 0 from its child, but not the child from its parent; of several
               parents of a child only the first is one
    """

    distances: tuple[tuple[str, str, float], ...] = ()
    hierarchy: tuple[tuple[str, tuple[str, ...]], ...] = ()
    compat: bool = False

    cost = 0.002
    listed_cost = 0.01

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "distances", tuple(_listed(item) for item in _items(self.distances, "distances"))
        )
        hierarchy = self.hierarchy.items() if isinstance(self.hierarchy, Mapping) else self.hierarchy
        object.__setattr__(
            self, "hierarchy", tuple(_concept(item) for item in _items(hierarchy, "hierarchy"))
        )

    @property
    def symmetric(self) -> bool:
        return not (self.compat and self.hierarchy)

    @property
    def bounded(self) -> bool:
        return all(0 <= apart <= 1 for _, _, apart in self.distances)

    def check(self) -> str | None:
        for this, that, apart in self.distances:
            if not 0 <= apart <= 1 and not self.compat:
                return f"the distance of {this!r} and {that!r} is {apart}, not between 0 and 1"
        return None

    def prepare(self, values: Sequence[str]) -> "Categories":
        return Categories(self, values)

    @cached_property
    def known(self) -> frozenset[str]:
        """The values that the parameters name; all others are 0 or 1 apart."""
        named = {value for this, that, _ in self.distances for value in (this, that)}
        return frozenset(named).union(*({parent, *children} for parent, children in self.hierarchy))

    def distance(self, a: str, b: str) -> float:
        if a == b:
            return 0.0
        for this, that, apart in self.distances:
            if (this, that) in ((a, b), (b, a)):
                return apart
        if self.compat:
            parent = next((parent for parent, children in self.hierarchy if b in children), None)
            return 0.0 if a == parent else 1.0
        related = any((a == top and b in under) or (b == top and a in under) for top, under in self.hierarchy)
        return 0.0 if related else 1.0


class Categories:
    """Values of a categorical field: which of them are equal, and which the parameters name."""

    def __init__(self, measure: Categorical, values: Sequence[str]):
        self._measure, self._values = measure, values
        _, self._codes = distinct(values)
        self._named = np.array([value in measure.known for value in values], dtype=bool)

    def pairs(self, i: Positions, j: Positions, limit: float) -> Distances:
        result = (self._codes[i] != self._codes[j]).astype(np.float64)
        here = np.flatnonzero(self._named[i] & self._named[j] & (result > 0))
        first, second, places = distinct_pairs(i[here], j[here], len(self._values))
        result[here] = self._listed(zip(first.tolist(), second.tolist(), strict=True))[places]
        return result

    def matrix(self, i: Positions, j: Positions, limit: float) -> Distances:
        result = (self._codes[i][:, None] != self._codes[j]).astype(np.float64)
        rows, columns = np.flatnonzero(self._named[i]), np.flatnonzero(self._named[j])
        listed = self._listed(product(i[rows].tolist(), j[columns].tolist()))
        result[np.ix_(rows, columns)] = listed.reshape(len(rows), len(columns))
        return result

    def near(self, limit: float, times: float = 1.0) -> Near:
        """All others are 0 or 1 apart, so only those that the parameters name."""
        return Exhaustive(self, len(self._values), self._measure.cost, limit, np.flatnonzero(self._named))

    def _listed(self, pairs: Iterable[tuple[int, int]]) -> Distances:
        values, distance = self._values, self._measure.distance
        return np.array([distance(values[a], values[b]) for a, b in pairs], dtype=np.float64)


def _items(items: Any, name: str) -> list[Any]:
    if isinstance(items, str) or not hasattr(items, "__iter__"):
        raise ValueError(f"{name} {items!r} is not a list")
    return list(items)


def _listed(item: Any) -> tuple[str, str, float]:
    parts = [item.get(key) for key in ("this", "that", "distance")] if isinstance(item, Mapping) else item
    try:
        this, that, apart = parts
    except (TypeError, ValueError):
        this = that = apart = None
    if isinstance(apart, bool) or not isinstance(apart, int | float) or apart != apart:
        raise ValueError(f"distances: {item!r} is not two values and their distance")
    if not isinstance(this, str) or not isinstance(that, str):
        raise ValueError(f"distances: the values in {item!r} are not texts")
    return this, that, float(apart)


def _concept(item: Any) -> tuple[str, tuple[str, ...]]:
    parts = [item.get(key) for key in ("parent", "children")] if isinstance(item, Mapping) else item
    try:
        parent, children = parts
    except (TypeError, ValueError):
        parent = children = None
    if not isinstance(parent, str) or not isinstance(children, list | tuple):
        raise ValueError(f"hierarchy: {item!r} is not a parent and the list of its children")
    if not all(isinstance(child, str) for child in children):
        raise ValueError(f"hierarchy: the children in {item!r} are not texts")
    return parent, tuple(children)
