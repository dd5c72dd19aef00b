"""What every measure has: three methods that give the same distances, and what it guarantees."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Distances = NDArray[np.float64]


class Measure:
    """Base of the measures, which are frozen dataclasses of their parameters.

    A measure is a function of two strings, neither of them empty nor one that `fault` refuses. It never
    gives NaN, unless its `compat` parameter asks for what sifarish gives. `limit` lets `pairs` and `matrix`
    stop early: any distance above it may come out as any value above it; at or under it nothing changes.
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

    #: Rough microseconds a distance in `matrix` form, to order attributes from cheap to dear.
    cost: float = 1.0

    def check(self) -> str | None:
        """What is wrong with the parameters, for a person; None where all is well."""
        return None

    def fault(self, value: str) -> str | None:
        """Why this value cannot be read, for a person; None where it can. Such a value counts as missing."""
        return None

    def format_error(self, value: str) -> bool:
        """Whether a value counts under "Invalid Data Format"."""
        return self.fault(value) is not None

    def format_errors(self, a: Sequence[str], b: Sequence[str]) -> NDArray[np.bool_]:
        """bool[n]: which of the pairs a[k], b[k] count under "Invalid Data Format"."""
        return np.array(
            [self.format_error(x) or self.format_error(y) for x, y in zip(a, b, strict=True)], dtype=bool
        )

    def distance(self, a: str, b: str) -> float:
        """The distance of two values."""
        return float(self.pairs([a], [b])[0])

    def pairs(self, a: Sequence[str], b: Sequence[str], limit: float = 1.0) -> Distances:
        """float64[n]: the distance of a[k] and b[k] for every k; len(a) == len(b) == n."""
        raise NotImplementedError

    def matrix(self, a: Sequence[str], b: Sequence[str], limit: float = 1.0) -> Distances:
        """float64[len(a), len(b)]: the distance of every a to every b."""
        rows, columns = len(a), len(b)
        left = [value for value in a for _ in range(columns)]
        return self.pairs(left, list(b) * rows, limit).reshape(rows, columns)
