"""A few bits a record: how many of them differ between two records says how far apart these are at least.

Values are made of features: letters, words, pairs of letters. The fewer of them two values share, the larger is
their distance, and most measures of text say how much. Each feature of a record flips one of its bits, so no more
bits of two records differ than there are features that only one of the two has. To count bits costs a fraction of
a distance, and tells most pairs apart. Bags of letters as a bound of edit distance: I. Bartolini et al., "String
Matching with Metric Trees Using an Approximate Distance", 2002.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.arrays import STRIP, Mask, Positions
from pehchan.distance.columns import Block, Column
from pehchan.distance.measure import Distances
from pehchan.metadata.schema import Field

Bits = NDArray[np.uint64]

#: Features have numbers from 0 to below this.
FEATURES = 1 << 31

#: Features that are read at a time, about; a value that has more has no sketch, and no pair of it is cut.
AT_ONCE = 200_000

#: So many words of 64 bits for records of up to so many features on average.
WORDS = ((1, 25), (2, 90), (3, math.inf))

#: More than what rounding can take from a limit, as a share of it.
ROUNDING = 1e-6

#: The limit of a record of which all pairs are left: twice of it is more than there are bits, and 1 more fits a byte.
NO_LIMIT = 127


@runtime_checkable
class HasFeatures(Protocol):
    """Values that a measure has read, and that are made of features.

    The distance of two values is at least d / (size of the one + size of the other), where d is the number of
    features that only one of them has; what a value has n times is n features.
    """

    def sizes(self) -> Distances | None:
        """float64[values], none below the value's number of features; None where there is no such bound."""

    def features(self, start: int, stop: int) -> tuple[Positions, Positions]:
        """Values start to stop - 1, each as often as it has features, and these: int64[n] each."""


@dataclass(frozen=True)
class FieldSketch:
    """One field of a block, by its distinct values.

    bits   uint64[words, values]; 0 for a value that is missing
    sizes  float64[values], as HasFeatures has them; 0 for a value that is missing, inf for one without a sketch
    """

    bits: Bits
    sizes: Distances

    @classmethod
    def of(
        cls, number: int, values: HasFeatures, sizes: Distances, missing: int, words: int
    ) -> "FieldSketch":
        """The sketch of field `number`, by its values of these sizes and so many that are missing."""
        bits = np.zeros((words, len(sizes) + missing), dtype=np.uint64)
        for start, stop in _parts(sizes):
            _flip(bits, number, *values.features(start, stop))
        return cls(bits, np.concatenate((np.where(sizes > AT_ONCE, np.inf, sizes), np.zeros(missing))))

    def apart(self, i: Positions, j: Positions) -> Distances:
        """float64[n]: how far values i[k] and j[k] are apart at least; 0 where one is missing or has no sketch."""
        differing = np.bitwise_count(self.bits[:, i] ^ self.bits[:, j]).sum(axis=0, dtype=np.int64)
        return differing / np.maximum(self.sizes[i] + self.sizes[j], 1.0)


def _parts(sizes: Distances) -> Iterator[tuple[int, int]]:
    """Values that are read together, from start to stop."""
    start = held = 0
    for number, size in enumerate(sizes.tolist()):
        if held + size > AT_ONCE:
            if start < number:
                yield start, number
            start, held = number, 0
        if size > AT_ONCE:
            start = number + 1
        else:
            held += size
    if start < len(sizes):
        yield start, len(sizes)


def _flip(bits: Bits, number: int, value: Positions, feature: Positions) -> None:
    """Flip the bit of each feature among the bits of the value that has it."""
    if not len(value):
        return
    key = np.sort(value * FEATURES + feature)
    value, feature = np.divmod(key, FEATURES)
    place = np.arange(len(key))
    again = np.zeros(len(key), dtype=bool)
    again[1:] = key[1:] == key[:-1]
    # The second "a" of a value is another feature than its first.
    occurrence = place - np.maximum.accumulate(np.where(again, 0, place))
    named = (occurrence + (number << 32)).astype(np.uint64)
    bit = (_mixed(_mixed(named) ^ feature.astype(np.uint64)) >> np.uint64(32)) * np.uint64(64 * len(bits))
    bit >>= np.uint64(32)
    flipped = np.uint64(1) << (bit & np.uint64(63))
    word_of = bit >> np.uint64(6)
    starts = np.flatnonzero(np.diff(value, prepend=-1))
    for word, row in enumerate(bits):
        of_word = np.where(word_of == word, flipped, np.uint64(0))
        row[value[starts]] = np.bitwise_xor.reduceat(of_word, starts)


def _mixed(numbers: Bits) -> Bits:
    """splitmix64 (G. Steele et al., 2014): numbers near each other come out far apart."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


@dataclass(frozen=True)
class Sketched:
    """n records: their bits, uint64[words, n], and the features that they need not share, float64[n]."""

    bits: Bits
    limits: Distances


class Sketches:
    """Which pairs of a block of records the sketches of some of its fields leave.

    Where the shares of these fields in the sum, w d^p each, come to at most T, and d is at least u / (s_a + s_b) in
    each, with u the features that only one of a and b has, then by the inequalities of Hölder and Minkowski the
    features that they do not share are at most limit(a) + limit(b); with limit(a) = T^(1/p) ||s_a w^(-1/p)||, the
    norm being that of q = p / (p - 1) over the fields.
    """

    def __init__(
        self,
        fields: Mapping[int, FieldSketch],
        schema: Sequence[Field],
        exponent: float,
        largest_total: float,
    ):
        self._fields = fields
        self._weights = {number: schema[number].weight ** (-1 / exponent) for number in fields}
        self._exponent = exponent
        self._reach = largest_total ** (1 / exponent)
        self.numbers = tuple(fields)
        self.words = len(next(iter(fields.values())).bits)

    def of(self, block: Block) -> Sketched:
        """The sketches of the records of a block, or of a part of it."""
        bits = np.zeros((self.words, len(block)), dtype=np.uint64)
        norm = np.zeros(len(block))
        power = self._exponent / (self._exponent - 1) if self._exponent > 1 else math.inf
        for number, field in self._fields.items():
            codes = block.columns[number].codes
            bits ^= field.bits[:, codes]
            size = field.sizes[codes] * self._weights[number]
            norm = np.maximum(norm, size) if power == math.inf else norm + size**power
        if power != math.inf:
            norm **= 1 / power
        # A limit that is a little too high cuts nothing that it should not.
        return Sketched(bits, np.minimum(self._reach * norm * (1 + ROUNDING) + ROUNDING, NO_LIMIT))

    def beyond(self, left: Block, right: Block) -> Distances:
        """float64[n]: by how many bits records k of two blocks are too far apart; 0 and below if they are not."""
        a, b = self.of(left), self.of(right)
        return np.bitwise_count(a.bits ^ b.bits).sum(axis=0, dtype=np.int64) - a.limits - b.limits

    def within(self, rows: Block, columns: Block) -> Mask:
        """bool[rows, columns]: which pairs are left."""
        left, right = self.of(rows), self.of(columns)
        # In whole bits: floor(a + b) is at most floor(a + 1) + floor(b).
        upper, lower = (np.floor(limits).astype(np.uint8) for limits in (left.limits + 1, right.limits))
        kept = np.empty((len(rows), len(columns)), dtype=bool)
        shape = min(STRIP, len(rows)), len(columns)
        differing = np.empty(shape, dtype=np.uint64)
        apart, counted = np.empty(shape, dtype=np.uint8), np.empty(shape, dtype=np.uint8)
        for start in range(0, len(rows), STRIP):
            strip = slice(start, start + STRIP)
            bits, total, more = (each[: len(upper[strip])] for each in (differing, apart, counted))
            total[:] = 0
            for a, b in zip(left.bits, right.bits, strict=True):
                np.bitwise_xor(a[strip, None], b, out=bits)
                np.bitwise_count(bits, out=more)
                total += more
            np.add(upper[strip, None], lower, out=more)
            np.less_equal(total, more, out=kept[strip])
        return kept


def words_for(features: float) -> int:
    """Words of 64 bits for records of so many features on average."""
    return next(words for words, most in WORDS if features <= most)


def field_sketches(columns: Mapping[int, Column]) -> dict[int, FieldSketch]:
    """The sketches of columns, which are fields of these numbers; of those that have features."""
    able: dict[int, tuple[HasFeatures, Distances]] = {}
    a_record = 0.0
    for number, column in columns.items():
        values = column.prepared
        sizes = values.sizes() if isinstance(values, HasFeatures) else None
        if isinstance(values, HasFeatures) and sizes is not None:
            able[number] = values, sizes
            of_records = np.minimum(sizes, AT_ONCE)[column.codes[~column.missing]]
            a_record += float(of_records.sum()) / max(1, len(column.codes))
    words = words_for(a_record)
    return {
        number: FieldSketch.of(number, values, sizes, len(columns[number].values) - len(sizes), words)
        for number, (values, sizes) in able.items()
    }
