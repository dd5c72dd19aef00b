"""Texts that are near each other, found by what is left of them when letters are deleted.

Two words of l and k letters that are d insertions and deletions apart have (l + k - d) / 2 letters in common, in
their order. So both are left with the same letters when the others are deleted, and a hash of these, a signature,
brings them together: sorting the signatures of all values finds the near ones without comparing each with each.
Deletion neighbourhoods are those of T. Bocek et al., "Fast Similarity Search in Large Dictionaries", 2007; what is
deleted from each word is bounded here by the mean over the words.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.arrays import Gathered, Keys, Mask, Positions, occurring, packed, unpacked
from pehchan.distance.measure import Prepared
from pehchan.distance.near import Exhaustive

#: How many letters are deleted from each word.
Deleted = tuple[int, ...]

#: A key: a hash, whether its value deleted so much that it meets only others, and the number of the value.
NUMBER_BITS = 24
NUMBER = np.uint64((1 << NUMBER_BITS) - 1)
ONE_SIDED = np.uint64(1 << NUMBER_BITS)
HASH = ~np.uint64((1 << NUMBER_BITS + 1) - 1)

#: More than rounding can make of a bound: what is beyond it by less is looked at too.
SLACK = 1e-9

#: Ways of deleting that a value has at the most, and at the least before it is compared with all others instead.
MOST_WAYS, FEW_WAYS = 30_000, 200

#: Words of a value at the most; one with more is compared with all others.
MOST_WORDS = 30

#: Signatures that are made at a time, and values; candidates that are held before repeated ones are left out.
AT_ONCE, VALUES_AT_ONCE, PAIRS_AT_ONCE = 1 << 18, 2048, 4_000_000

#: Microseconds, about, to make a signature; to sort one and find its like; and of a pair in a matrix.
A_SIGNATURE, A_SORTED, A_HEAVY_PAIR = 0.03, 0.1, 0.015

#: Bytes, about, that are held for a signature while it is sorted; and the share of those that only meet others which
#: are so far.
SORTED_BYTES, MET = 32, 0.15

#: The base of the hash, odd, and its inverse modulo 2^64.
BASE = 0x9E3779B97F4A7C15
INVERSE = pow(BASE, -1, 1 << 64)


@dataclass(frozen=True)
class Shape:
    """Values whose words have these lengths, as positions; a value that is compared whole has one word."""

    lengths: tuple[int, ...]
    values: Positions


def shapes_of(counts: Positions, lengths: Positions) -> list[Shape]:
    """The shapes of values of so many words each; lengths has those of all words, value after value."""
    starts = np.cumsum(counts) - counts
    shapes = []
    for count in occurring(counts):
        values = np.flatnonzero(counts == count)
        of_words = lengths[starts[values][:, None] + np.arange(count)]
        code = np.zeros(len(values), dtype=np.int64)
        for column in of_words.T:
            # Numbered anew at each word, so that the code stays below the square of the number of values.
            code = np.unique(code * (int(column.max()) + 1) + column, return_inverse=True)[1]
        order = np.argsort(code, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
            shapes.append(Shape(tuple(of_words[part[0]].tolist()), values[part]))
    return shapes


class _Leaving:
    """What leaves the same numbers of words and letters: letters deleted from values of a shape, for several shapes.

    one_sided  those that are too far apart to meet each other
    made       signatures of all of them, and sorted so many, about
    """

    def __init__(self) -> None:
        self.symmetric: list[tuple[Shape, Deleted]] = []
        self.one_sided: list[tuple[Shape, Deleted]] = []
        self.made, self.sorted = 0, 0.0

    def add(self, shape: Shape, deleted: Deleted, is_one_sided: bool) -> None:
        signatures = len(shape.values) * _ways(shape.lengths, deleted)
        (self.one_sided if is_one_sided else self.symmetric).append((shape, deleted))
        self.made += signatures
        self.sorted += signatures * (MET if is_one_sided else 1.0)


class Deletions:
    """Values that may be within a limit of each other, from 0 to below 1.

    texts   gives object[n]: the values, with their words joined by a letter that is in none; not for costs
    count   of the values; beyond 2^24 all are heavy
    shapes  of these values
    limit   of the mean over the words of indel / (sum of the lengths); values of different numbers of words are
            farther apart
    times   as many values, about, as there will be, where costs are asked of a sample
    heavy   values with more ways to delete letters than there are values to meet: others find their pairs
    made    how many signatures the others have
    sorted  how many of them, about, are sorted, and most_sorted at a time at the most
    """

    def __init__(
        self,
        texts: Callable[[], NDArray[np.object_]],
        count: int,
        shapes: Sequence[Shape],
        limit: float,
        times: float = 1.0,
    ):
        self._texts, self.count, self._limit, self._times = texts, count, limit, times
        self._lengths = np.zeros(count, dtype=np.int64)
        self._sizes: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for shape in shapes:
            self._lengths[shape.values] = sum(shape.lengths)
            self._sizes[len(shape.lengths)][sum(shape.lengths)] += len(shape.values)
        #: By the number of words and of letters that are left: what leaves so much of which shape.
        self._leaving: dict[tuple[int, int], _Leaving] = defaultdict(_Leaving)
        heavy: list[Positions] = [np.zeros(0, dtype=np.int64)]
        for shape in shapes:
            deleted = self._to_delete(shape)
            if deleted is None:
                heavy.append(shape.values)
                continue
            for each in deleted:
                leaving = self._leaving[len(shape.lengths), sum(shape.lengths) - sum(each)]
                leaving.add(shape, each, self._is_one_sided(shape.lengths, each))
        self.heavy: Positions = np.concatenate(heavy)
        self.made = sum(leaving.made for leaving in self._leaving.values())
        self.sorted = sum(leaving.sorted for leaving in self._leaving.values())
        self.most_sorted = max((leaving.sorted for leaving in self._leaving.values()), default=0.0)

    def _to_delete(self, shape: Shape) -> list[Deleted] | None:
        """What is deleted from values of a shape; None where that are too many ways."""
        if not 0 < len(shape.lengths) <= MOST_WORDS or self.count > NUMBER:
            return None
        if len(shape.lengths) == 1:
            (length,) = shape.lengths
            found, ways = _few_ways(shape.lengths, ((number,) for number in self._from_one(length)))
        else:
            found, ways = _of_several(shape.lengths, self._limit * len(shape.lengths) + SLACK)
        return found if ways <= max(FEW_WAYS, min(MOST_WAYS, self._met(shape))) else None

    def _met(self, shape: Shape) -> float:
        """How many values there are, about, that those of a shape can be near."""
        total = sum(shape.lengths)
        share = self._limit if len(shape.lengths) == 1 else max(self._limit, 0.5)
        return self._times * sum(
            count
            for length, count in self._sizes[len(shape.lengths)].items()
            if abs(length - total) <= share * (length + total) + SLACK
        )

    def _from_one(self, length: int) -> list[int]:
        """Letters to delete from a single word: for each length that another has, down to what the farthest share.

        Nearer ones share that many too, so one number of letters is enough for two lengths.
        """
        found = set()
        for other in self._sizes[1]:
            apart = self._most_apart(length, other)
            if apart >= abs(length - other):
                found.add(length - (length + other - apart) // 2)
        return sorted(found)

    def _most_apart(self, length: int, other: int) -> int:
        """The most insertions and deletions that two words may be apart, which are odd if the sum of lengths is."""
        apart = math.floor(self._limit * (length + other) + SLACK)
        return apart - (apart - length - other) % 2

    def pairs(self) -> Iterator[tuple[Positions, Positions]]:
        """int64[m] each: pairs of values, the smaller position first, among them all that are within the limit.

        Without those of heavy values. No pair twice in one array; in several, a pair may come again.
        """
        texts = self._texts()
        for (words, left), leaving in sorted(self._leaving.items(), key=lambda item: item[0]):
            if not leaving.symmetric:
                continue
            keys = [np.zeros(0, dtype=np.uint64)]
            for shape, deleted in leaving.symmetric:
                keys.extend(self._keys(texts, shape, deleted))
            if leaving.one_sided:
                table = _Table(keys)
                for shape, deleted in leaving.one_sided:
                    for each in self._keys(texts, shape, deleted):
                        keys.append(each[table.may_have(each)] | ONE_SIDED)
                del table
            together = [np.concatenate(keys)]
            keys.clear()
            pairs = _with_equal_hash(together)
            for start in range(0, len(pairs), AT_ONCE):
                a, b = unpacked(pairs[start : start + AT_ONCE])
                if words == 1:
                    fits = self._is_left_of(left, self._lengths[a], self._lengths[b])
                    a, b = a[fits], b[fits]
                if len(a):
                    yield a, b

    def _is_left_of(self, left: int, a: Positions, b: Positions) -> Mask:
        """bool[n]: whether so many letters are what two words of these lengths are deleted to."""
        apart, most = a + b - 2 * left, self._limit * (a + b) + SLACK
        return (apart <= most) & (apart + 2 > most)

    def _is_one_sided(self, lengths: tuple[int, ...], deleted: Deleted) -> bool:
        """Whether so much is deleted that two such values are too far apart.

        Where r / l is the share that is deleted of a word, the distance of two words is at least the mean of both
        shares.
        """
        shares = sum(number / length for number, length in zip(deleted, lengths, strict=True))
        return shares > self._limit * len(lengths) + SLACK

    def _keys(self, texts: NDArray[np.object_], shape: Shape, deleted: Deleted) -> Iterator[Keys]:
        """The keys of the values of a shape, for all ways of deleting so many letters of each word."""
        places = _places(shape.lengths, deleted)
        number = sum(deleted)
        for start in range(0, len(shape.values), VALUES_AT_ONCE):
            values = shape.values[start : start + VALUES_AT_ONCE]
            terms = _hash_terms(texts[values].tolist(), number)
            step = max(1, AT_ONCE // len(values))
            for first in range(0, len(places), step):
                some = places[first : first + step]
                keys = terms[0][None, :].copy() if not number else terms[1].take(some[:, 0], axis=0)
                for each in range(1, number):
                    keys += terms[each + 1].take(some[:, each], axis=0)
                keys &= HASH
                keys |= values.astype(np.uint64)
                yield keys.ravel()


def _few_ways(lengths: tuple[int, ...], possible: Iterable[Deleted]) -> tuple[list[Deleted], int]:
    """What is deleted from words, and in how many ways; no more of it where these are too many."""
    found, ways = [], 0
    for deleted in possible:
        ways += _ways(lengths, deleted)
        found.append(deleted)
        if ways > MOST_WAYS:
            break
    return found, ways


@lru_cache(maxsize=10_000)
def _of_several(lengths: tuple[int, ...], left: float) -> tuple[list[Deleted], int]:
    """The same of several words; kept, as a plan asks for it again and again."""
    return _few_ways(lengths, _from_each(lengths, left))


def _from_each(lengths: tuple[int, ...], left: float) -> Iterator[Deleted]:
    """All numbers of letters to delete from each of several words, of which the distance alone is not too large.

    A word of l letters that shares l - r of them is at least r / (2 l - r) apart.
    """
    if not lengths:
        yield ()
        return
    for number in range(lengths[0] + 1):
        apart = number / (2 * lengths[0] - number) if number else 0.0
        if apart > left:
            break
        for others in _from_each(lengths[1:], left - apart):
            yield (number, *others)


def _ways(lengths: Sequence[int], deleted: Deleted) -> int:
    return math.prod(map(math.comb, lengths, deleted))


@cache
def _choices(length: int, number: int) -> Positions:
    """int64[ways, number]: the places of so many of the letters of a word."""
    return np.array(list(combinations(range(length), number)), dtype=np.int64).reshape(-1, number)


def _places(lengths: Sequence[int], deleted: Deleted) -> Positions:
    """int64[ways, sum(deleted)]: the places of the deleted letters in the joined words, in ascending order."""
    places = np.zeros((1, 0), dtype=np.int64)
    start = 0
    for length, number in zip(lengths, deleted, strict=True):
        if number:
            more = _choices(length, number) + start
            places = np.hstack([places.repeat(len(more), axis=0), np.tile(more, (len(places), 1))])
        start += length + 1
    return places


def _hash_terms(texts: Sequence[str], number: int) -> list[Keys]:
    """For texts of one length: what adds up, modulo 2^64, to the hash of what is left of each.

    The hash of a text is the sum of c(p) BASE^p over its letters. Without those at places i < j < k it is
    terms[1][i] + terms[2][j] + terms[3][k]: behind each letter that is deleted, the others move up by one place.
    """
    length = len(texts[0])
    letters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = letters.reshape(len(texts), length).T.astype(np.uint64)
    # As murmur3 mixes 64 bits (A. Appleby, 2011).
    codes = (codes + np.uint64(1)) * np.uint64(0xFF51AFD7ED558CCD)
    codes ^= codes >> np.uint64(29)
    codes *= np.uint64(0xC4CEB9FE1A85EC53)
    codes ^= codes >> np.uint64(32)
    powers = np.array([pow(BASE, place, 1 << 64) for place in range(length)], dtype=np.uint64)
    before = np.zeros((length + 1, len(texts)), dtype=np.uint64)
    np.cumsum(codes * powers[:, None], axis=0, out=before[1:])
    whole = before[length]
    behind = whole - before
    terms = [whole]
    moved = behind
    for each in range(1, number + 1):
        further = behind * np.uint64(pow(INVERSE, each, 1 << 64))
        terms.append((before[:length] if each == 1 else -moved[:length]) + further[1:])
        moved = further
    return terms


class _Table:
    """Which hashes there are: sometimes also one that is not, never the other way round."""

    def __init__(self, keys: Sequence[Keys]):
        count = sum(map(len, keys))
        self._bits = min(28, max(12, math.ceil(math.log2(16 * max(1, count)))))
        self._there = np.zeros(1 << self._bits, dtype=bool)
        for each in keys:
            self._there[self._place(each)] = True

    def may_have(self, keys: Keys) -> Mask:
        return self._there[self._place(keys)]

    def _place(self, keys: Keys) -> Positions:
        mixed = (keys >> np.uint64(NUMBER_BITS + 1)) * np.uint64(BASE)
        return (mixed >> np.uint64(64 - self._bits)).astype(np.int64)


def _with_equal_hash(together: list[Keys]) -> Keys:
    """Sorted pairs, smaller << 32 | larger, of values whose keys have the same hash, unless both are one-sided.

    together  all keys, as the only one of a list that is emptied: they take most of the memory
    """
    keys = together.pop()
    keys.sort()
    keys = keys[: _keep_runs(keys)]
    # In a run of equal hashes those that are not one-sided come first, and meet all behind them.
    first_ones = np.flatnonzero((keys & ONE_SIDED) == 0)
    pairs = Gathered(PAIRS_AT_ONCE)
    for start in range(0, len(first_ones), AT_ONCE):
        here, lag = first_ones[start : start + AT_ONCE], 1
        while True:
            here = here[: np.searchsorted(here, len(keys) - lag)]
            a, b = keys[here], keys[here + lag]
            same = (a ^ b) <= ~HASH
            here, a, b = here[same], a[same] & NUMBER, b[same] & NUMBER
            if not len(here):
                break
            pairs.add(packed(np.minimum(a, b), np.maximum(a, b))[a != b])
            lag += 1
    return pairs.distinct()


def _keep_runs(keys: Keys) -> int:
    """How many of sorted keys are kept, at the front: once each those whose hash another one has too."""
    kept = 0
    # What is kept is written over what was looked at, but for the last one, to which the next one is compared.
    for start in range(0, len(keys), AT_ONCE):
        some = keys[max(0, start - 1) : start + AT_ONCE + 1].copy()
        inner = slice(int(start > 0), len(some) - int(start + AT_ONCE < len(keys)))
        # Equal but for the flag and the number.
        same = (some[1:] ^ some[:-1]) <= ~HASH
        in_run = np.zeros(len(some), dtype=bool)
        in_run[1:] = same
        in_run[:-1] |= same
        in_run[1:] &= some[1:] != some[:-1]
        found = some[inner][in_run[inner]]
        keys[kept : kept + len(found)] = found
        kept += len(found)
    return kept


class NearByDeletions:
    """Values near by deletions, those with too many ways of it compared with all; within a limit of their measure."""

    def __init__(self, values: Prepared, deletions: Deletions, limit: float):
        self._deletions = deletions
        self._heavy = Exhaustive(values, deletions.count, A_HEAVY_PAIR, limit, deletions.heavy)
        self.each = A_SIGNATURE * deletions.made + A_SORTED * deletions.sorted
        self.each_two = self._heavy.each_two
        self.held = SORTED_BYTES * deletions.most_sorted
        self.signatures = float(deletions.made)

    def pairs(self) -> Iterator[tuple[Positions, Positions]]:
        yield from self._deletions.pairs()
        yield from self._heavy.pairs()
