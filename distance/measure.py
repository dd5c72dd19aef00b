"""What every measure has: values that it has read, their distances in two forms, and what it guarantees."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.arrays import Positions, distinct

Distances = NDArray[np.float64]


class Prepared(Protocol):
    """Values that a measure has read, to be compared by their positions as often as needed.

    `limit` lets both forms stop early: any distance above it may come out as any value above it; at or under it
    nothing changes.
    """

    def pairs(self, i: Positions, j: Positions, limit: float) -> Distances:
        """float64[n]: the distance of values i[k] and j[k] for every k; len(i) == len(j) == n."""

    def matrix(self, i: Positions, j: Positions, limit: float) -> Distances:
        """float64[len(i), len(j)]: the distance of every value of i to every value of j."""


class Measure:
    """Base of the measures, which are frozen dataclasses of their parameters.

    A measure is a function of two strings, neither of them empty nor one that `fault` refuses. It never
    gives NaN, unless its `compat` parameter asks for what sifarish gives.
    """

    @property
    def symmetric(self) -> bool:
        """distance(a, b) == distance(b, a) for all values, to the last bit."""
        return True

    @property
    def bounded(self) -> bool:
        """All distances are in [0, 1]."""
        return True

    @property
    def zero_on_equal(self) -> bool:
        """distance(a, a) == 0 for all values."""
        return True

    #: Rough microseconds a distance in `matrix` form, to order attributes from cheap to dear; and in `pairs` form.
    cost: float = 1.0
    listed_cost: float = 1.0

    #: Bytes of memory, at the most, that a character takes in what `prepare` makes of values, besides the values.
    prepared_bytes: int = 0

    def check(self) -> str | None:
        """What is wrong with the parameters, for a person; None where all is well."""
        return None

    def fault(self, value: str) -> str | None:
        """Why this value cannot be read, for a person; None where it can. Such a value counts as missing."""
        return None

    def format_error(self, value: str) -> bool:
        """Whether a value counts under "Invalid Data Format"; other than `fault` only with compat."""
        return self.fault(value) is not None

    def format_errors(self, a: Sequence[str], b: Sequence[str]) -> NDArray[np.bool_]:
        """bool[n]: which of the pairs a[k], b[k] count under "Invalid Data Format"."""
        return np.array(
            [self.format_error(x) or self.format_error(y) for x, y in zip(a, b, strict=True)], dtype=bool
        )

    def prepare(self, values: Sequence[str]) -> Prepared:
        """The values as the measure reads them. Raises ValueError for a value that `fault` refuses."""
        raise NotImplementedError

    def distance(self, a: str, b: str) -> float:
        """The distance of two values."""
        return float(self.pairs([a], [b])[0])

    def pairs(self, a: Sequence[str], b: Sequence[str], limit: float = 1.0) -> Distances:
        """float64[n]: the distance of a[k] and b[k] for every k, as Prepared has it; len(a) == len(b) == n."""
        prepared, i, j = self._read_both(a, b)
        return prepared.pairs(i, j, limit)

    def matrix(self, a: Sequence[str], b: Sequence[str], limit: float = 1.0) -> Distances:
        """float64[len(a), len(b)]: the distance of every a to every b, as Prepared has it."""
        prepared, i, j = self._read_both(a, b)
        return prepared.matrix(i, j, limit)

    def _read_both(self, a: Sequence[str], b: Sequence[str]) -> tuple[Prepared, Positions, Positions]:
        """The distinct values of both, and the positions of those of each."""
        values, codes = distinct([*a, *b])
        positions = codes.astype(np.int64)
        return self.prepare(values), positions[: len(a)], positions[len(a) :]
