"""The words of texts as sparse vectors, in which rare words count more.

Words are numbered in their order, and sums run in it, so that what two texts have in common is the same to the last
bit in any company.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from pehchan.learning.patterns import Floats, Positions

#: Pairs whose common words are in memory at a time.
AT_ONCE = 50_000


@dataclass(frozen=True)
class Shared:
    """What two values of words have in common, each float64[n] in [0, 1].

    cosine       of their vectors
    containment  the weight of the common words, of that of the lighter value
    numbers      of the words with digits, those that are common; NaN where neither has any
    """

    cosine: Floats
    containment: Floats
    numbers: Floats


class WordVectors:
    """The words of n texts; a word counts once in each.

    weight  of a word: how much it tells that two texts have it, above 0
    """

    def __init__(self, texts: Sequence[str], weight: Callable[[str], float]):
        words = [text.split() for text in texts]
        vocabulary = sorted({word for each in words for word in each})
        place = {word: number for number, word in enumerate(vocabulary)}
        starts = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum([len(each) for each in words], out=starts[1:])
        columns = np.fromiter((place[word] for each in words for word in each), np.int64, int(starts[-1]))
        self._set(
            csr_array((np.ones(len(columns)), columns, starts), shape=(len(texts), max(len(vocabulary), 1))),
            np.array([*map(weight, vocabulary)] or [0.0]),
            np.array([any(map(str.isdigit, word)) for word in vocabulary] or [False], dtype=np.float64),
        )

    def _set(self, matrix: csr_array, weights: Floats, numbers: Floats) -> None:
        matrix.sum_duplicates()
        matrix.data[:] = 1.0
        self._matrix, self._weights, self._numbers = matrix, weights, numbers
        self._norms = np.sqrt(matrix @ (weights * weights))
        self._totals, self._number_counts = matrix @ weights, matrix @ numbers

    def shared(self, i: Positions, j: Positions) -> Shared:
        """Of the texts at these places."""
        parts = [
            self._shared(i[k : k + AT_ONCE], j[k : k + AT_ONCE]) for k in range(0, max(len(i), 1), AT_ONCE)
        ]
        return Shared(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def _shared(self, i: Positions, j: Positions) -> tuple[Floats, Floats, Floats]:
        common = csr_array(self._matrix[i].multiply(self._matrix[j]))
        common.sort_indices()
        norms = self._norms[i] * self._norms[j]
        lighter = np.minimum(self._totals[i], self._totals[j])
        same = common @ self._numbers
        either = self._number_counts[i] + self._number_counts[j] - same
        with np.errstate(invalid="ignore"):
            return (
                np.minimum(common @ (self._weights * self._weights) / np.maximum(norms, 1e-12), 1.0),
                np.minimum(common @ self._weights / np.maximum(lighter, 1e-12), 1.0),
                np.where(either > 0, same / np.maximum(either, 1.0), np.nan),
            )
