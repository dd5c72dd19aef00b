"""Base of the measures that count what two values have in common: words, or pairs of letters."""

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.arrays import Positions, distinct_pairs
from pehchan.distance.measure import Distances, Measure
from pehchan.distance.near import Exhaustive, Near
from pehchan.distance.prefixes import NearByPrefixes, Parts
from pehchan.distance.sketch import AT_ONCE, FieldSketch, words_for

Counts = NDArray[np.int64]
#: The numbers of a value's parts, each with its multiplicity.
Bag = dict[int, int]


class Overlap(Measure):
    """A measure of the parts that two values share.

    A subclass says what the parts of a value are (`parts`), how large a value is (`size`), and turns the
    number of shared parts, counted with multiplicity as a product, into distances (`of_shared`).
    """

    prepared_bytes = 30

    @property
    def by_parts(self) -> bool:
        """Whether the distance is at least the share of the parts of both values that only one of them has."""
        return False

    def parts(self, value: str) -> Counter[Hashable]:
        """The parts of a value with their multiplicities."""
        raise NotImplementedError

    def size(self, parts: Counter[Hashable]) -> int:
        """The size of a value: its number of parts."""
        return sum(parts.values())

    def of_shared(self, shared: NDArray[Any], a: Counts, b: Counts) -> Distances:
        """Distances from the numbers of shared parts and the sizes of the values; all broadcast."""
        raise NotImplementedError

    def most_shared(self, a: Counts, b: Counts) -> NDArray[Any]:
        """The most that values of these sizes can share."""
        return np.minimum(a, b)

    def prepare(self, values: Sequence[str]) -> "Bags":
        return Bags(self, values)


class Bags:
    """Values as their parts, each with its multiplicity."""

    def __init__(self, measure: Overlap, values: Sequence[str]):
        self._measure = measure
        # The parts by their numbers: values that share a part then hold it once.
        known: dict[Hashable, int] = {}
        self._bags: list[Bag] = []
        self._sizes = np.empty(len(values), dtype=np.int64)
        for number, value in enumerate(values):
            parts = measure.parts(value)
            self._sizes[number] = measure.size(parts)
            self._bags.append({known.setdefault(part, len(known)): n for part, n in parts.items()})

    def pairs(self, i: Positions, j: Positions, limit: float) -> Distances:
        first, second, places = distinct_pairs(i, j, len(self._bags))
        shared = [
            _shared(self._bags[a], self._bags[b])
            for a, b in zip(first.tolist(), second.tolist(), strict=True)
        ]
        counts = np.array(shared, dtype=np.int64)[places]
        return self._measure.of_shared(counts, self._sizes[i], self._sizes[j])

    def matrix(self, i: Positions, j: Positions, limit: float) -> Distances:
        shared = np.zeros((len(i), len(j)), dtype=np.int64)
        across = self._postings(j)
        for part, (rows, row_counts) in self._postings(i).items():
            if part in across:
                columns, column_counts = across[part]
                shared[np.ix_(rows, columns)] += row_counts[:, None] * column_counts
        return self._measure.of_shared(shared, self._sizes[i][:, None], self._sizes[j])

    def sizes(self) -> Distances | None:
        """The numbers of parts, where these bound the distance."""
        return self._sizes.astype(np.float64) if self._measure.by_parts else None

    def features(self, start: int, stop: int) -> tuple[Positions, Positions]:
        """The parts."""
        bags = self._bags[start:stop]
        value = np.arange(start, stop).repeat([len(bag) for bag in bags])
        return value, np.fromiter(chain.from_iterable(bags), dtype=np.int64, count=len(value))

    def near(self, limit: float, times: float = 1.0) -> Near:
        """By a part that both have among their rarest."""
        measure = self._measure
        if not (measure.symmetric and measure.bounded):
            return Exhaustive(self, len(self._bags), measure.cost, limit)
        value, part = self.features(0, len(self._bags))
        counts = chain.from_iterable(bag.values() for bag in self._bags)
        squared = np.fromiter(counts, dtype=np.int64, count=len(value)) ** 2
        return NearByPrefixes(Parts(value, part, squared), self._sizes, measure, limit, self._sketch())

    def _sketch(self) -> FieldSketch | None:
        sizes = self.sizes()
        if sizes is None or not len(sizes):
            return None
        return FieldSketch.of(0, self, sizes, 0, words_for(float(np.minimum(sizes, AT_ONCE).mean())))

    def _postings(self, positions: Positions) -> dict[int, tuple[Any, Any]]:
        return _postings([self._bags[k] for k in positions.tolist()])


def numbered(parts: Sequence[str]) -> Counter[Hashable]:
    """A multiset as a set: the second "ab" is another part than the first.

    What two values share of such parts is the size of the intersection of their multisets.
    """
    seen: Counter[str] = Counter()
    result: Counter[Hashable] = Counter()
    for part in parts:
        seen[part] += 1
        result[part, seen[part]] = 1
    return result


def _shared(a: Bag, b: Bag) -> int:
    if len(a) > len(b):
        a, b = b, a
    return sum(count * b[part] for part, count in a.items() if part in b)


def _postings(bags: Sequence[Bag]) -> dict[int, tuple[Any, Any]]:
    """Of each part the values that have it, and how often: intp[k], int64[k]."""
    found: dict[int, tuple[list[int], list[int]]] = {}
    for number, bag in enumerate(bags):
        for part, count in bag.items():
            numbers, counts = found.setdefault(part, ([], []))
            numbers.append(number)
            counts.append(count)
    return {part: (np.array(numbers), np.array(counts)) for part, (numbers, counts) in found.items()}
