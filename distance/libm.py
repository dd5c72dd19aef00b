"""Exponentials and powers, to the last bit as Python's math has them.

numpy's own are off by that bit here and there, elsewhere on another processor, and a truncated distance shows it.
"""

import math
from collections.abc import Callable, Iterable
from itertools import repeat

import numpy as np

from pehchan.distance.measure import Distances


def exp(x: Distances) -> Distances:
    """e to the power of each."""
    with np.errstate(over="ignore"):
        return _exactly(np.exp(x), math.exp, x)


def power(x: Distances, p: float) -> Distances:
    """Each to the power of p."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _exactly(np.power(x, p), math.pow, x, repeat(p))


def _exactly(
    nearly: Distances, function: Callable[..., float], x: Distances, *more: Iterable[float]
) -> Distances:
    # What is infinite or NaN is so by both, and math would raise an error.
    finite = np.isfinite(nearly)
    nearly[finite] = np.fromiter(map(function, x[finite].tolist(), *more), dtype=np.float64)
    return nearly
