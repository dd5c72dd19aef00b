"""Pairs of records that come as a list: those of many small blocks at once, where a tile for each would cost more."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from pehchan.distance.arrays import Positions
from pehchan.distance.cascade import Cascade
from pehchan.distance.columns import Block
from pehchan.distance.record import Found, RecordDistance

#: Pairs of a meeting up to which they are listed: from there on all that a tile does once no longer counts.
LISTED_PAIRS = 20_000

#: Pairs that are listed at a time, about.
AT_ONCE = 200_000


class ListedDistance(RecordDistance):
    """Compares also pairs that come as a list."""

    @property
    def lists(self) -> bool:
        """Whether it can; where the order of the fields matters to the answer it cannot."""
        return isinstance(self._tiles, Cascade)

    def listed(self, block: Block, pairs: Iterable[tuple[Positions, Positions]]) -> Iterator[Found]:
        """Of the pairs of records i[k] and j[k] of a block, list by list, those at or under the cutoff."""
        assert isinstance(self._tiles, Cascade)
        # It counts what is missing in all pairs of the block, of which these are a few.
        counters = Counter(self.counters)
        self._tiles.begin(block, block, self.tile)
        self.counters.clear()
        self.counters.update(counters)
        for i, j in pairs:
            self._count_missing(block, i, j)
            yield Found(*self._tiles.listed(block, block, i, j), len(i), len(i))

    def _count_missing(self, block: Block, i: Positions, j: Positions) -> None:
        for field, column in zip(self.fields, block.columns, strict=True):
            missing, faulty = column.missing, column.faulty[column.codes]
            if missing.any() and (count := int(np.count_nonzero(missing[i] | missing[j]))):
                self.counters["Missing Data", f"Field:{field.ordinal}"] += count
                policy = "Distance Set at Max" if field.missing == "max" else "FieldSkipped"
                self.counters["Missing Data", policy] += count
            if faulty.any() and (count := int(np.count_nonzero(faulty[i] | faulty[j]))):
                self.counters["Invalid Data Format", f"Field:{field.ordinal}"] += count


def pairs_of(meetings: Sequence[tuple[Positions, Positions]]) -> Iterator[tuple[Positions, Positions]]:
    """The pairs of many small meetings, some meetings at a time; of an array with itself each two once."""
    alike: dict[tuple[int, int], list[tuple[Positions, Positions]]] = defaultdict(list)
    for left, right in meetings:
        # Those of one size are listed together.
        alike[len(left), -1 if left is right else len(right)].append((left, right))
    for (height, width), some in sorted(alike.items(), key=lambda each: each[0]):
        if width == -1:
            rows, columns = np.triu_indices(height, 1)
        else:
            rows, columns = np.divmod(np.arange(height * width), max(1, width))
        step = max(1, AT_ONCE // max(1, len(rows)))
        for start in range(0, len(some) if len(rows) else 0, step):
            lefts = np.stack([left for left, _ in some[start : start + step]])
            rights = lefts if width == -1 else np.stack([right for _, right in some[start : start + step]])
            yield lefts[:, rows].ravel(), rights[:, columns].ravel()
