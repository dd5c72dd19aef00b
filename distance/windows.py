"""Moments and windows of time: what the measures of dates and windows share."""

from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.measure import Distances

Times = NDArray[Any]

#: The unit of `moment`, in minutes and days.
MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE

_EPOCH = datetime(1970, 1, 1)


def moment(text: str, format: str) -> int:
    """Microseconds since 1970 of a text in a format of strptime. Raises ValueError where it is not in it."""
    found = datetime.strptime(text, format)
    if found.tzinfo is not None:
        found = found.astimezone(timezone.utc).replace(tzinfo=None)
    return (found - _EPOCH) // timedelta(microseconds=1)


def check_format(format: str) -> str | None:
    """What is wrong with a format, for a person; None where all is well."""
    try:
        datetime.strptime(datetime(2000, 2, 3, 4, 5, 6, tzinfo=timezone.utc).strftime(format), format)
    except ValueError as error:
        return f"format {format!r} is not one of strptime: {error}"
    return None


def overlap(starts_a: Times, ends_a: Times, starts_b: Times, ends_b: Times) -> Times:
    """The time that two windows have in common, 0 where they only touch."""
    return np.maximum(np.minimum(ends_a, ends_b) - np.maximum(starts_a, starts_b), 0)


def least_overlap(limit: float, full: int) -> float:
    """What windows within a limit below 1 have in common at the least, unless they are equal and full is 0."""
    # Less by what rounding can make of `apart`.
    return max(0.0, 1 - limit - 1e-9) * full


def apart(common: Times, equal: NDArray[np.bool_], full: int) -> Distances:
    """1 - min(1, common / full); with full 0, 0 where the windows overlap or are equal, else 1."""
    if full == 0:
        return np.where((common > 0) | equal, 0.0, 1.0)
    return 1 - np.minimum(common / full, 1.0)
