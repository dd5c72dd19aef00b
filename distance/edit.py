"""Edit distance by insertions and deletions alone (indel): a replaced letter costs two.

With LCS the length of the longest common subsequence, (|a| + |b| - 2 LCS) / (|a| + |b|). By default word by
word, as sifarish compares text: the first word with the first, the second with the second, and so on.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel

from pehchan.distance.arrays import STRIP, Distinct, Positions, distinct_pairs, letters, occurring, spread
from pehchan.distance.deletions import Deletions, NearByDeletions, Shape, shapes_of
from pehchan.distance.measure import Distances, Measure, Prepared
from pehchan.distance.near import Exhaustive, Near
from pehchan.distance.scored import ByLetters, ScoredValues
from pehchan.distance.tokens import BLANKS, utf16, words_of

# Aligning holds the distances of all pairs of positions at once: this many numbers at a time.
ALIGNED_AT_ONCE = 4_000_000

#: Microseconds, about, of a pair in a matrix whose words are aligned.
ALIGNED_COST = 0.15

#: A code point is below 2 to the power of so many.
LETTER_BITS = 21

_Table: TypeAlias = tuple[Distances, Positions, Positions]


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

    # Of the words, of which few are distinct.
    prepared_bytes = 8

    @property
    def cost(self) -> float:  # type: ignore[override]
        return (ALIGNED_COST if self.align else 0.02) if self.tokens else 0.007

    @property
    def listed_cost(self) -> float:  # type: ignore[override]
        return (2.0 if self.align else 0.45) if self.tokens else 0.2

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

    def prepare(self, values: Sequence[str]) -> Prepared:
        compared = [utf16(value) for value in values] if self.compat else values
        if not self.tokens:
            return ByLetters(compared, Indel.normalized_distance)
        return Words(self, compared)


class Words:
    """Values as their words: word p of value k is vocabulary[flat[start[k] + p]]."""

    def __init__(self, measure: Edit, values: Sequence[str]):
        self._compat, self._align = measure.compat, measure.align
        self._values = values
        known = Distinct()
        flat, counts = [np.zeros(0, dtype=np.int32)], [np.zeros(0, dtype=np.int64)]
        for words, count in words_of(values, java=measure.compat):
            flat.append(known.codes(words))
            counts.append(count)
        vocabulary = known.values
        self._flat = np.concatenate(flat)
        #: The distances of single words.
        self._single = ScoredValues(vocabulary, Indel.normalized_distance)
        self._vocabulary = len(vocabulary)
        #: Characters of the words.
        self._length = np.array([len(word) for word in vocabulary], dtype=np.int64)
        #: Words of the values.
        self._count = np.concatenate(counts)
        self._start = np.cumsum(self._count) - self._count

    def pairs(self, i: Positions, j: Positions, limit: float) -> Distances:
        words, others = self._count[i], self._count[j]
        result = np.ones(len(i))
        for m, n in self._numbers_of_words(words, others):
            here = np.flatnonzero((words == m) & (others == n))
            step = self._at_once(m, n, 1)
            for start in range(0, len(here), step):
                rows = here[start : start + step]
                apart = partial(self._word_pairs, i[rows], j[rows], limit * max(m, n, 1))
                result[rows] = self._mean(apart, m, n)
        return result

    def matrix(self, i: Positions, j: Positions, limit: float) -> Distances:
        result = np.ones((len(i), len(j)))
        counts = self._count[i], self._count[j]
        for m, n in product(*map(occurring, counts)):
            if m != n and not self._align:
                continue
            above, across = np.flatnonzero(counts[0] == m), np.flatnonzero(counts[1] == n)
            step = self._at_once(m, n, len(across))
            for start in range(0, len(above), step):
                rows = above[start : start + step]
                # Aligning takes each word of the one with each of the other.
                places = product(range(m), range(n)) if self._align else zip(range(m), range(m), strict=True)
                tables = {
                    (p, q): self._table(i[rows], j[across], limit * max(m, n, 1), p, q) for p, q in places
                }
                for top in range(0, len(rows), STRIP):
                    strip = slice(top, top + STRIP)
                    mean = self._mean(partial(_of_words, tables, strip), m, n)
                    if len(across) == len(j):
                        result[rows[strip]] = mean
                    else:
                        result[np.ix_(rows[strip], across)] = mean
        return result

    def sizes(self) -> Distances | None:
        """Words x letters of the longest: letters bound the distance of the words that stand at the same place."""
        if self._align or self._compat:
            return None
        longest = np.zeros(len(self._count), dtype=np.int64)
        some = self._count > 0
        if len(self._flat):
            longest[some] = np.maximum.reduceat(self._length[self._flat], self._start[some])
        return (self._count * longest).astype(np.float64)

    def features(self, start: int, stop: int) -> tuple[Positions, Positions]:
        """The letters, each with the place of its word; far behind they are taken for letters of one word."""
        count = self._count[start:stop]
        value = np.arange(start, stop).repeat(count)
        words = np.arange(len(value)) + self._start[start : start + 1]
        place = words - self._start[value]
        word, letter = letters(self._single.texts[self._flat[words]])
        return value[word], letter + (np.minimum(place, 1000)[word] << LETTER_BITS)

    def near(self, limit: float, times: float = 1.0) -> Near:
        """By what is left when letters are deleted within words."""
        count = len(self._count)
        if self._align or self._compat:
            return Exhaustive(self, count, ALIGNED_COST, limit)
        return NearByDeletions(self, Deletions(self._joined, count, self._shapes, limit, times), limit)

    @cached_property
    def _shapes(self) -> list[Shape]:
        """Kept, as a plan asks for what is near up to many limits."""
        return shapes_of(self._count, self._length[self._flat])

    def _joined(self) -> NDArray[np.object_]:
        """The values with one blank between words, which is in none of them."""
        texts = np.array(self._values, dtype=object)
        before = np.concatenate(([0], np.cumsum(self._length[self._flat])))
        ends = self._start + self._count
        of_words = before[ends] - before[self._start] + np.maximum(self._count - 1, 0)
        # Most values are so already.
        other = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) != of_words
        if set("".join(self._values)).intersection(BLANKS[1:]):
            other[:] = True
        for k in np.flatnonzero(other).tolist():
            texts[k] = " ".join(self._single.texts[self._flat[self._start[k] : ends[k]]])
        return texts

    def _numbers_of_words(self, words: Positions, others: Positions) -> Iterable[tuple[int, int]]:
        """The different pairs (words[k], others[k]) whose values are not 1 apart in any case."""
        if not self._align:
            return ((count, count) for count in occurring(words[words == others]))
        first, second, _ = distinct_pairs(words, others, width=int(self._count.max(initial=0)) + 1)
        return zip(first.tolist(), second.tolist(), strict=True)

    def _at_once(self, m: int, n: int, width: int) -> int:
        """How many rows of width distances each, of values of m and of n words, are computed at a time."""
        return max(1, ALIGNED_AT_ONCE // max(1, m * n * width)) if self._align else sys.maxsize

    def _mean(self, apart: Callable[[int, int], Distances], m: int, n: int) -> Distances | float:
        """Mean distance of values of m and of n words; apart(p, q) are the distances of words p and q."""
        if max(m, n) == 0:
            return np.nan if self._compat else 0.0
        if self._align:
            return _aligned(apart, m, n)
        total = apart(0, 0)
        # Added in order of position, as Java does: the last bit depends on it.
        for position in range(1, m):
            total += apart(position, position)
        total /= m
        return total

    def _word(self, values: Positions, position: int) -> Positions:
        """Which word stands at a position of each of the values."""
        return self._flat[self._start[values] + position]

    def _word_pairs(self, i: Positions, j: Positions, limit: float, p: int, q: int) -> Distances:
        """Distances of word p of the values i to word q of the values j, value by value."""
        words, others = self._word(i, p), self._word(j, q)
        differ = slice(None) if self._compat else np.flatnonzero(words != others)
        first, second, places = distinct_pairs(words[differ], others[differ], self._vocabulary)
        found = self._single.pairs(first, second, self._word_limit(limit))
        if self._compat:
            found = _as_java(found, self._length[first], self._length[second])
        result = np.zeros(len(i))
        result[differ] = found[places]
        return result

    def _table(self, i: Positions, j: Positions, limit: float, p: int, q: int) -> _Table:
        """Distances of word p of the values i to word q of the values j: of distinct words, and whose they are."""
        first, row = np.unique(self._word(i, p), return_inverse=True)
        second, column = np.unique(self._word(j, q), return_inverse=True)
        found = self._single.matrix(first, second, self._word_limit(limit))
        if self._compat:
            found = _as_java(found, self._length[first][:, None], self._length[second])
        return found, row, column

    def _word_limit(self, limit: float) -> float:
        """The distance of two words beyond which that of the values is above the limit in any case."""
        return np.inf if self._compat else limit


def _of_words(tables: Mapping[tuple[int, int], _Table], rows: slice, p: int, q: int) -> Distances:
    """float64[rows, columns]: the distances of word p of some of the rows to word q of the columns."""
    found, row, column = tables[p, q]
    return spread(found, row[rows], column)


def _as_java(found: Distances, a: Positions, b: Positions) -> Distances:
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
