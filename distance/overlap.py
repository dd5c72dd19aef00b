"""Base of the measures that count what two values have in common: words, or pairs of letters."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.columns import distinct
from pehchan.distance.measure import Distances, Measure

Counts = NDArray[np.int64]


class Overlap(Measure):
    """A measure of the parts that two values share.

    A subclass says what the parts of a value are (`parts`), how large a value is (`size`), and turns the
    number of shared parts, counted with multiplicity as a product, into distances (`of_shared`).
    """

    def parts(self, value: str) -> Counter[Hashable]:
        """The parts of a value with their multiplicities."""
        raise NotImplementedError

    def size(self, parts: Counter[Hashable]) -> int:
        """The size of a value: its number of parts."""
        return sum(parts.values())

    def of_shared(self, shared: Counts, a: Counts, b: Counts) -> Distances:
        """Distances from the numbers of shared parts and the sizes of the values; all broadcast."""
        raise NotImplementedError

    def pairs(self, a: Sequence[str], b: Sequence[str], limit: float = 1.0) -> Distances:
        values, codes = distinct([*a, *b])
        left, right = codes[: len(a)], codes[len(a) :]
        bags = [self.parts(value) for value in values]
        sizes = np.array([self.size(bag) for bag in bags], dtype=np.int64)
        keys = np.unique(left.astype(np.int64) * len(values) + right)
        shared = np.array(
            [_shared(bags[key // len(values)], bags[key % len(values)]) for key in keys.tolist()],
            dtype=np.int64,
        )
        places = np.searchsorted(keys, left.astype(np.int64) * len(values) + right)
        return self.of_shared(shared[places], sizes[left], sizes[right])

    def matrix(self, a: Sequence[str], b: Sequence[str], limit: float = 1.0) -> Distances:
        left, right = [self.parts(value) for value in a], [self.parts(value) for value in b]
        shared = np.zeros((len(a), len(b)), dtype=np.int64)
        across = _postings(right)
        for part, (rows, row_counts) in _postings(left).items():
            if part in across:
                columns, column_counts = across[part]
                shared[np.ix_(rows, columns)] += row_counts[:, None] * column_counts
        size_a = np.array([self.size(bag) for bag in left], dtype=np.int64)
        size_b = np.array([self.size(bag) for bag in right], dtype=np.int64)
        return self.of_shared(shared, size_a[:, None], size_b[None, :])


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


def _shared(a: Counter[Hashable], b: Counter[Hashable]) -> int:
    if len(a) > len(b):
        a, b = b, a
    return sum(count * b[part] for part, count in a.items() if part in b)


def _postings(bags: Sequence[Counter[Hashable]]) -> dict[Hashable, tuple[Any, Any]]:
    """Of each part the values that have it, and how often: intp[k], int64[k]."""
    found: dict[Hashable, tuple[list[int], list[int]]] = {}
    for number, bag in enumerate(bags):
        for part, count in bag.items():
            numbers, counts = found.setdefault(part, ([], []))
            numbers.append(number)
            counts.append(count)
    return {part: (np.array(numbers), np.array(counts)) for part, (numbers, counts) in found.items()}
