"""Base of the measures that rapidfuzz computes on whole values."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from rapidfuzz import process

from pehchan.distance.arrays import Positions, letters
from pehchan.distance.deletions import Deletions, NearByDeletions, Shape, shapes_of
from pehchan.distance.measure import Distances, Measure
from pehchan.distance.near import Near

# rapidfuzz's process functions keep their cutoff in 32 bits, and may so cut a distance that equals the limit.
SLACK = 1e-6


def cutoff(limit: float) -> float | None:
    """The score_cutoff under which rapidfuzz keeps every normalised distance up to the limit."""
    lenient = max(limit, 0.0) + SLACK
    return lenient if lenient < 1 else None


class Scored(Measure):
    """A measure that is a normalised distance of rapidfuzz."""

    scorer: ClassVar[Callable[..., float]]

    #: How the values are read.
    values: ClassVar[type["ScoredValues"]]

    def scorer_parameters(self) -> Mapping[str, Any]:
        """What the scorer takes besides the two values."""
        return {}

    def prepare(self, values: Sequence[str]) -> "ScoredValues":
        return self.values(values, self.scorer, self.scorer_parameters())


class ScoredValues:
    """Values with the normalised distance of rapidfuzz that is theirs."""

    def __init__(
        self,
        values: Sequence[str],
        scorer: Callable[..., float],
        parameters: Mapping[str, Any] | None = None,
    ):
        # Taking many from an array is faster than from a list.
        self.texts = np.array(values, dtype=object)
        self._scorer, self._parameters = scorer, dict(parameters or {})

    def pairs(self, i: Positions, j: Positions, limit: float) -> Distances:
        result = np.zeros(len(i))
        # Of near duplicates most values and words are the same, and none of these scorers needs to be asked of them.
        differ = np.flatnonzero(i != j)
        if len(differ):
            result[differ] = process.cpdist(
                self.texts[i[differ]].tolist(),
                self.texts[j[differ]].tolist(),
                scorer=self._scorer,
                scorer_kwargs=self._parameters,
                dtype=np.float64,
                score_cutoff=cutoff(limit),
            )
        return result

    def matrix(self, i: Positions, j: Positions, limit: float) -> Distances:
        return process.cdist(
            self.texts[i].tolist(),
            # Of one list with itself rapidfuzz takes each two once, but at half the speed: so it is never given one.
            self.texts[j].tolist(),
            scorer=self._scorer,
            scorer_kwargs=self._parameters,
            dtype=np.float64,
            score_cutoff=cutoff(limit),
        )


Scored.values = ScoredValues


class ByLetters(ScoredValues):
    """Values with a distance that is at least their insertions and deletions as a share of both lengths.

    That is so for edits as a share of the longer length: of lengths l <= k, s edits that replace or swap letters and
    g + 2 d that insert and delete, g = k - l, are at most 2 s + g + 2 d insertions and deletions; and
    (2 s + g + 2 d) / (l + k) <= (s + g + 2 d) / k wherever s + g + 2 d <= k.
    """

    def sizes(self) -> Distances | None:
        """The lengths: two values share no letters that are inserted or deleted."""
        return np.array([len(value) for value in self.texts], dtype=np.float64)

    def features(self, start: int, stop: int) -> tuple[Positions, Positions]:
        """The letters."""
        value, letter = letters(self.texts[start:stop])
        return value + start, letter

    def near(self, limit: float, times: float = 1.0) -> Near:
        """By what is left when letters are deleted."""
        deletions = Deletions(lambda: self.texts, len(self.texts), self._shapes, limit, times)
        return NearByDeletions(self, deletions, limit)

    @cached_property
    def _shapes(self) -> list[Shape]:
        """Kept, as a plan asks for what is near up to many limits."""
        lengths = np.fromiter(map(len, self.texts), dtype=np.int64, count=len(self.texts))
        return shapes_of(np.ones(len(self.texts), dtype=np.int64), lengths)
