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
Mask = NDArray[np.bool_]
Positions = NDArray[np.int64]

Kind = TypeVar("Kind", bound=np.generic)

#: Rows that are handled at a time where there are several steps over all columns: few enough for their distances to
#: stay in the processor's cache.
STRIP = 32


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
