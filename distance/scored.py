"""Base of the measures that rapidfuzz computes on whole values."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from rapidfuzz import process

from pehchan.distance.arrays import Positions, letters
from pehchan.distance.measure import Distances, Measure

# rapidfuzz's process functions keep their cutoff in 32 bits, and may so cut a distance that equals the limit.
SLACK = 1e-6


def cutoff(limit: float) -> float | None:
    """The score_cutoff under which rapidfuzz keeps every normalised distance up to the limit."""
    lenient = max(limit, 0.0) + SLACK
    return lenient if lenient < 1 else None


class Scored(Measure):
    """A measure that is a normalised distance of rapidfuzz."""

    scorer: ClassVar[Callable[..., float]]

    #: Whether the distance is at least the share of the letters of both values that only one of them has.
    by_letters: ClassVar[bool] = False

    def scorer_parameters(self) -> Mapping[str, Any]:
        """What the scorer takes besides the two values."""
        return {}

    def prepare(self, values: Sequence[str]) -> "ScoredValues":
        return ScoredValues(values, self.scorer, self.scorer_parameters(), self.by_letters)


class ScoredValues:
    """Values with the normalised distance of rapidfuzz that is theirs."""

    def __init__(
        self,
        values: Sequence[str],
        scorer: Callable[..., float],
        parameters: Mapping[str, Any] | None = None,
        by_letters: bool = False,
    ):
        # Taking many from an array is faster than from a list.
        self.values = np.array(values, dtype=object)
        self._scorer, self._parameters = scorer, dict(parameters or {})
        self._by_letters = by_letters

    def pairs(self, i: Positions, j: Positions, limit: float) -> Distances:
        return process.cpdist(
            self.values[i].tolist(),
            self.values[j].tolist(),
            scorer=self._scorer,
            scorer_kwargs=self._parameters,
            dtype=np.float64,
            score_cutoff=cutoff(limit),
        )

    def matrix(self, i: Positions, j: Positions, limit: float) -> Distances:
        return process.cdist(
            self.values[i].tolist(),
            # Of one list with itself rapidfuzz takes each two once, but at half the speed: so it is never given one.
            self.values[j].tolist(),
            scorer=self._scorer,
            scorer_kwargs=self._parameters,
            dtype=np.float64,
            score_cutoff=cutoff(limit),
        )

    def sizes(self) -> Distances | None:
        """The lengths, where letters bound the distance: an edit changes one letter of a value, or of both."""
        return np.array([len(value) for value in self.values], dtype=np.float64) if self._by_letters else None

    def features(self, start: int, stop: int) -> tuple[Positions, Positions]:
        """The letters."""
        value, letter = letters(self.values[start:stop])
        return value + start, letter
