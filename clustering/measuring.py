"""How far apart records are that have no pair, measured where clusters are made."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pehchan.clustering.clusters import Measure
from pehchan.clustering.components import Nodes
from pehchan.distance.arrays import Positions


class Found(Protocol):
    """Pairs that were kept: positions of their records int64[m], and scaled distances int64[m]."""

    @property
    def rows(self) -> Positions: ...

    @property
    def columns(self) -> Positions: ...

    @property
    def distances(self) -> NDArray[np.int64]: ...


class Comparison(Protocol):
    """What tells the distances of records: RecordDistance, or a score in its place."""

    def block(self, columns: Iterable[Sequence[str]], rank: Positions) -> Any:
        """Records with these values, a column a field, and these ranks."""
        ...

    def listed(self, block: Any, pairs: Iterable[tuple[Positions, Positions]]) -> Iterator[Found]:
        """Of the pairs of records i[k] and j[k] those that it keeps."""
        ...


def measure_of(
    comparison: Comparison, columns: Sequence[Sequence[str]], known: NDArray[np.bool_], far: int
) -> Measure:
    """What tells how far apart two of many records are.

    columns  their values, a column a field
    known    of which there are values; others are `far` from all
    far      the distance of pairs that the comparison does not keep, and the largest of all
    """
    number = len(known)
    block = comparison.block(columns, np.arange(number))

    def measure(a: Nodes, b: Nodes) -> NDArray[np.int64]:
        distances = np.full(len(a), far, dtype=np.int64)
        asked = np.flatnonzero(known[a] & known[b])
        i = np.minimum(a[asked], b[asked]).astype(np.int64)
        j = np.maximum(a[asked], b[asked]).astype(np.int64)
        keys = i * number + j
        order = np.argsort(keys, kind="stable")
        i, j, keys = i[order], j[order], keys[order]
        for found in comparison.listed(block, [(i, j)] if len(i) else []):
            places = np.searchsorted(keys, found.rows * number + found.columns)
            distances[asked[order[places]]] = np.minimum(found.distances, far)
        return distances

    return measure
