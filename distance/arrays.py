"""Arrays of codes and positions, and what is distinct in them."""

import gc
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from random import Random
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Keys = NDArray[np.uint64]
Mask = NDArray[np.bool_]
Positions = NDArray[np.int64]

Kind = TypeVar("Kind", bound=np.generic)

#: Rows that are handled at a time where there are several steps over all columns: few enough for their distances to
#: stay in the processor's cache.
STRIP = 32

#: Keys that are handled at a time where they are changed in place.
SOME_KEYS = 1 << 18


#: Values from which on it is worth to look how many of them are different, and how many are looked at.
WORTH_SORTING, SAMPLED = 20_000, 1000


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the garbage collector, which looks through all there is each time that some lists were made."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Distinct:
    """The distinct strings of several lists, numbered in order of first appearance."""

    def __init__(self) -> None:
        self._code_of: defaultdict[str, int] = defaultdict(count().__next__)

    def codes(self, values: Sequence[str]) -> Codes:
        """int32[len(values)]: the number of each of them."""
        return np.fromiter(map(self._code_of.__getitem__, values), dtype=np.int32, count=len(values))

    @property
    def values(self) -> list[str]:
        """All of them so far: values[k] is the one numbered k."""
        return list(self._code_of)


def distinct(values: Sequence[str]) -> tuple[list[str], Codes]:
    """The distinct values in order of first appearance, and the code of each value: int32[len(values)]."""
    if len(values) >= WORTH_SORTING:
        some = values[:: len(values) // SAMPLED]
        if len(set(some)) * 2 > len(some) and (found := _distinct_by_hash(values)):
            return found
    known = Distinct()
    codes = known.codes(values)
    return known.values, codes


def _distinct_by_hash(values: Sequence[str]) -> tuple[list[str], Codes] | None:
    """The same by sorting hashes, which of many different values takes half the time; None where two share one."""
    hashes = np.fromiter(map(hash, values), dtype=np.int64, count=len(values))
    order = np.argsort(hashes, kind="stable")
    in_order = hashes[order]
    is_first = np.ones(len(order), dtype=bool)
    np.not_equal(in_order[1:], in_order[:-1], out=is_first[1:])
    firsts = order[is_first]
    appearance = np.argsort(firsts)
    code = np.empty(len(firsts), dtype=np.int32)
    code[appearance] = np.arange(len(firsts), dtype=np.int32)
    codes = np.empty(len(order), dtype=np.int32)
    codes[order] = code[np.cumsum(is_first) - 1]
    texts = np.array(values, dtype=object)
    known = texts[firsts[appearance]]
    # Python's hash differs from process to process; what comes of it here does not.
    return (known.tolist(), codes) if bool(np.all(known[codes] == texts)) else None


def ascending(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The distinct keys in ascending order; sorts the array itself. np.unique is several times as slow of many."""
    keys.sort()
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    return keys[first]


class Gathered:
    """Distinct keys out of many that come some at a time; takes little more memory than these.

    at_once  keys that are gathered before repeated ones are left out
    """

    def __init__(self, at_once: int):
        self._at_once, self._held = at_once, 0
        self._distinct: Keys = np.zeros(0, dtype=np.uint64)
        self._more: list[Keys] = []

    def add(self, keys: Keys) -> None:
        self._more.append(keys)
        self._held += len(keys)
        # No more often than it pays where there are many already.
        if self._held > max(self._at_once, len(self._distinct) // 4):
            self._leave_out()

    def distinct(self) -> Keys:
        """All of them, in ascending order."""
        self._leave_out()
        return self._distinct

    def _leave_out(self) -> None:
        keys, count = self._distinct, len(self._distinct)
        # In place, as a second array of all of them may not fit.
        keys.resize(count + self._held, refcheck=False)
        for more in self._more:
            keys[count : count + len(more)] = more
            count += len(more)
        self._more.clear()
        self._held = 0
        keys.sort()
        kept = 0
        for start in range(0, len(keys), SOME_KEYS):
            some = keys[max(0, start - 1) : start + SOME_KEYS]
            first = np.ones(len(some), dtype=bool)
            first[1:] = some[1:] != some[:-1]
            found = some[int(start > 0) :][first[int(start > 0) :]]
            keys[kept : kept + len(found)] = found
            kept += len(found)
        keys.resize(kept, refcheck=False)


def packed(a: NDArray[Any], b: NDArray[Any]) -> Keys:
    """The pairs (a[k], b[k]) of numbers below 2^32 as keys of the same order."""
    return a.astype(np.uint64) << np.uint64(32) | b.astype(np.uint64)


def unpacked(keys: Keys) -> tuple[Positions, Positions]:
    """int64[n] each: the pairs of such keys."""
    return (keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def occurring(counts: Positions) -> list[int]:
    """The numbers that occur among small ones, from 0, in ascending order. np.unique is ten times as slow of many."""
    return np.flatnonzero(np.bincount(counts)).tolist()


def distinct_pairs(
    a: NDArray[Any], b: NDArray[Any], width: int
) -> tuple[Positions, Positions, NDArray[np.intp]]:
    """The distinct pairs (a[k], b[k]) of codes below width: firsts, seconds, and the place of each pair k."""
    codes, places = np.unique(a.astype(np.int64) * width + b, return_inverse=True)
    first, second = np.divmod(codes, max(width, 1))
    return first, second, places


def letters(values: NDArray[np.object_]) -> tuple[Positions, Positions]:
    """Each string, by its position, as often as it has letters, and these as code points: int64[n] each."""
    lengths = np.fromiter(map(len, values), dtype=np.int64, count=len(values))
    code_points = np.frombuffer("".join(values).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return np.arange(len(values)).repeat(lengths), code_points.astype(np.int64)


def some_of(count: int, number: int) -> Positions:
    """int64[m], ascending: some of so many positions, or all; drawn at random, the same on every machine.

    At equal distances they would miss what lies at others: records that are there twice, say, one after the other.
    """
    return np.array(sorted(Random(1).sample(range(count), min(count, number))), dtype=np.int64)


def places_of_each(counts: Positions, at_once: int) -> Iterator[tuple[Positions, Positions]]:
    """int64[m] each: every k with each place from 0 to counts[k] - 1, about so many at a time; none of them empty."""
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + at_once, side="right")))
        which = np.arange(start, stop).repeat(counts[start:stop])
        if len(which):
            yield which, np.arange(len(which)) - (ends[which] - counts[which] - before)
        start = stop


def spread(of_values: NDArray[Kind], rows: Positions, columns: Positions) -> NDArray[Kind]:
    """[rows, columns] for all pairs of what has these values, of what there is for all pairs of values."""
    if not of_values.size:
        return np.zeros((len(rows), len(columns)), dtype=of_values.dtype)
    # take, and not brackets: these leave the result transposed in memory.
    return of_values.take(rows, axis=0).take(columns, axis=1)
