"""Base of the measures that rapidfuzz computes on whole values."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process

from pehchan.distance.measure import Distances, Measure

# rapidfuzz's process functions keep their cutoff in 32 bits, and may so cut a distance that equals the limit.
SLACK = 1e-6


def cutoff(limit: float) -> float | None:
    """The score_cutoff under which rapidfuzz keeps every normalised distance up to the limit."""
    lenient = max(limit, 0.0) + SLACK
    return lenient if lenient < 1 else None


def distinct_pairs(
    a: NDArray[Any], b: NDArray[Any], width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.intp]]:
    """The distinct pairs (a[k], b[k]) of codes below width: firsts, seconds, and the place of each pair k."""
    codes, places = np.unique(a.astype(np.int64) * width + b, return_inverse=True)
    first, second = np.divmod(codes, max(width, 1))
    return first, second, places


class Scored(Measure):
    """A measure that is a normalised distance of rapidfuzz."""

    scorer: ClassVar[Callable[..., float]]

    def scorer_parameters(self) -> Mapping[str, Any]:
        """What the scorer takes besides the two values."""
        return {}

    def pairs(self, a: Sequence[str], b: Sequence[str], limit: float = 1.0) -> Distances:
        return process.cpdist(
            a,
            b,
            scorer=self.scorer,
            scorer_kwargs=dict(self.scorer_parameters()),
            dtype=np.float64,
            score_cutoff=cutoff(limit),
        )

    def matrix(self, a: Sequence[str], b: Sequence[str], limit: float = 1.0) -> Distances:
        return process.cdist(
            a,
            # Of one list with itself rapidfuzz takes each two once, one by one, which takes twice as long.
            list(b) if a is b else b,
            scorer=self.scorer,
            scorer_kwargs=dict(self.scorer_parameters()),
            dtype=np.float64,
            score_cutoff=cutoff(limit),
        )
