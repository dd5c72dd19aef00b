"""Edit distance by insertions and deletions alone (indel): a replaced letter costs two.

With LCS the length of the longest common subsequence, (|a| + |b| - 2 LCS) / (|a| + |b|). By default word by
word, as sifarish compares text: the first word with the first, the second with the second, and so on.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Indel

from pehchan.distance.columns import distinct
from pehchan.distance.measure import Distances, Measure
from pehchan.distance.scored import Scored, cutoff, distinct_pairs
from pehchan.distance.tokens import java_tokens, tokens, utf16

Codes: TypeAlias = NDArray[np.integer[Any]]

# Aligning holds the distances of all pairs of positions at once: this many numbers at a time.
ALIGNED_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Edit(Measure):
    """Indel distance; in [0, 1]. Case counts.

    tokens  True: the mean over the words of the two values in their order; values with different numbers of
            words are 1 apart, two values without words 0. False: of the whole values, blanks included
    align   words may stand in any order: the two closest are matched first, then the closest two of the
            others and so on, of equally close ones those nearest in position; a word left over counts 1;
            the mean is over the larger number of words. This greedy matching does not always have the least
            total
    compat  what sifarish computes: a leading blank makes an empty word; where the second of two words is one
            letter, they are always |first| - 1 edits apart; two empty words, or two values without words,
            give NaN; lengths are in UTF-16 units
    """

    tokens: bool = True
    align: bool = False
    compat: bool = False

    cost = 0.04

    @property
    def symmetric(self) -> bool:
        return not (self.compat and self.tokens)

    @property
    def bounded(self) -> bool:
        # With compat an empty word and a word of one letter are -1 apart.
        return not (self.compat and self.tokens)

    @property
    def zero_on_equal(self) -> bool:
        return not (self.compat and self.tokens)

    def check(self) -> str | None:
        if self.align and not self.tokens:
            return "align matches words, so it needs tokens to be true"
        if self.align and self.compat:
            return "align is not for sifarish's way: it does not align words"
        return None

    def pairs(self, a: Sequence[str], b: Sequence[str], limit: float = 1.0) -> Distances:
        if not self.tokens:
            return _Whole().pairs(self._units(a), self._units(b), limit)
        words, codes = self._read([*a, *b])
        left, right = codes[: len(a)], codes[len(a) :]
        counts = words.count[left], words.count[right]
        lengths_a, lengths_b, place = distinct_pairs(*counts, width=int(words.count.max(initial=0)) + 1)
        result = np.ones(len(a))
        for group, (i, j) in enumerate(zip(lengths_a.tolist(), lengths_b.tolist(), strict=True)):
            if i != j and not self.align:
                continue
            here = np.flatnonzero(place == group)
            most = self._most(limit, max(i, j))
            step = self._at_once(i, j, 1)
            for start in range(0, len(here), step):
                rows = here[start : start + step]
                apart = partial(self._word_pairs, words, left[rows], right[rows], most)
                result[rows] = self._mean(apart, i, j)
        return result

    def matrix(self, a: Sequence[str], b: Sequence[str], limit: float = 1.0) -> Distances:
        if not self.tokens:
            return _Whole().matrix(self._units(a), self._units(b), limit)
        words, codes = self._read([*a, *b])
        left, right = codes[: len(a)], codes[len(a) :]
        result = np.ones((len(a), len(b)))
        for i, j in product(np.unique(words.count[left]), np.unique(words.count[right])):
            if i != j and not self.align:
                continue
            above, across = np.flatnonzero(words.count[left] == i), np.flatnonzero(words.count[right] == j)
            most = self._most(limit, max(i, j))
            step = self._at_once(i, j, len(across))
            for start in range(0, len(above), step):
                rows = above[start : start + step]
                apart = partial(self._word_matrix, words, left[rows], right[across], most)
                mean = self._mean(apart, i, j)
                if isinstance(mean, np.ndarray) and mean.shape == result.shape:
                    # All values have as many words, as those of names have.
                    return mean
                result[np.ix_(rows, across)] = mean
        return result

    def _units(self, values: Sequence[str]) -> Sequence[str]:
        return [utf16(value) for value in values] if self.compat else values

    def _read(self, values: Sequence[str]) -> tuple["_Words", Codes]:
        """The words of the distinct values, and the number of each value among those."""
        known, codes = distinct(values)
        split = java_tokens if self.compat else tokens
        rows = [split(value) for value in self._units(known)]
        vocabulary, flat = distinct([word for row in rows for word in row])
        count = np.array([len(row) for row in rows], dtype=np.int64)
        length = np.array([len(word) for word in vocabulary], dtype=np.int64)
        return _Words(vocabulary, length, flat, np.cumsum(count) - count, count), codes

    def _most(self, limit: float, count: int) -> float | None:
        """The distance of two words beyond which the mean over so many is above the limit."""
        return None if self.compat else cutoff(limit * max(count, 1))

    def _at_once(self, i: int, j: int, width: int) -> int:
        """How many rows of width distances each, of values of i and of j words, are computed at a time."""
        return max(1, ALIGNED_AT_ONCE // max(1, i * j * width)) if self.align else sys.maxsize

    def _mean(self, apart: Callable[[int, int], Distances], i: int, j: int) -> Distances | float:
        """Mean distance of values of i and of j words; apart(p, q) are the distances of words p and q."""
        if max(i, j) == 0:
            return np.nan if self.compat else 0.0
        if self.align:
            return _aligned(apart, i, j)
        total = apart(0, 0)
        # Added in order of position, as Java does: the last bit depends on it.
        for position in range(1, i):
            total += apart(position, position)
        total /= i
        return total

    def _word_pairs(
        self, words: "_Words", a: Codes, b: Codes, most: float | None, p: int, q: int
    ) -> Distances:
        """Distances of word p of values a to word q of values b, value by value."""
        first, second, places = distinct_pairs(words.at(a, p), words.at(b, q), len(words.vocabulary))
        found: Distances = process.cpdist(
            [words.vocabulary[k] for k in first],
            [words.vocabulary[k] for k in second],
            scorer=Indel.normalized_distance,
            dtype=np.float64,
            score_cutoff=most,
        )
        if self.compat:
            found = _as_java(found, words.length[first], words.length[second])
        return found[places]

    def _word_matrix(
        self, words: "_Words", a: Codes, b: Codes, most: float | None, p: int, q: int
    ) -> Distances:
        """Distances of word p of each of the values a to word q of each of the values b."""
        first, row = np.unique(words.at(a, p), return_inverse=True)
        second, column = np.unique(words.at(b, q), return_inverse=True)
        found: Distances = process.cdist(
            [words.vocabulary[k] for k in first],
            [words.vocabulary[k] for k in second],
            scorer=Indel.normalized_distance,
            dtype=np.float64,
            score_cutoff=most,
        )
        if self.compat:
            found = _as_java(found, words.length[first][:, None], words.length[second][None, :])
        # take, and not brackets: these leave the result transposed in memory.
        return found.take(row, axis=0).take(column, axis=1)


class _Whole(Scored):
    """Indel distance of whole values."""

    scorer = staticmethod(Indel.normalized_distance)


@dataclass(frozen=True)
class _Words:
    """The words of n values: word p of value k is vocabulary[flat[start[k] + p]].

    vocabulary  the distinct words; length int64, in characters
    flat        int64, the codes of the words of all values, one value after the other
    start       int64[n]; count int64[n], words of a value
    """

    vocabulary: list[str]
    length: Codes
    flat: Codes
    start: Codes
    count: Codes

    def at(self, values: Codes, position: int) -> Codes:
        """The code of the word at a position of each of the values."""
        return self.flat[self.start[values] + position]


def _as_java(found: Distances, a: Codes, b: Codes) -> Distances:
    """The distances of words as sifarish has them; a and b are their lengths."""
    found = np.where((b == 1) & (a != 1), (a - 1) / (a + 1), found)
    return np.where((a == 0) & (b == 0), np.nan, found)


def _aligned(apart: Callable[[int, int], Distances], i: int, j: int) -> Distances | float:
    """Mean distance of greedily matched words over the larger number of words; words left over count 1."""
    # (p, q) and (q, p) tie, but never exclude each other: so the order of the two values does not matter.
    cells = sorted(product(range(i), range(j)), key=lambda cell: (abs(cell[0] - cell[1]), sum(cell)))
    if not cells:
        return 1.0
    stack = np.stack([apart(p, q) for p, q in cells])
    shape = stack.shape[1:]
    stack = stack.reshape(len(cells), -1)
    p, q = np.array(cells).T
    total = np.zeros(stack.shape[1])
    for _ in range(min(i, j)):
        closest = stack.argmin(axis=0)
        total += stack[closest, np.arange(len(total))]
        stack[(p[:, None] == p[closest]) | (q[:, None] == q[closest])] = np.inf
    return ((total + abs(i - j)) / max(i, j)).reshape(shape)
