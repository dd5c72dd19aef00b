"""Pairs as lists: of neighbours, and of many small blocks, where a tile for each would cost more."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from pehchan.distance.arrays import Positions

#: Pairs of a meeting up to which they are listed: from there on all that a tile does once no longer counts.
LISTED_PAIRS = 20_000

#: Pairs that are listed at a time, about.
AT_ONCE = 200_000


def neighbours_of(order: Positions, own: int, window: int) -> Iterator[tuple[Positions, Positions]]:
    """Of records in this order the first `own` ones, each with as many of those that follow it as a window holds."""
    for ahead in range(1, min(window, len(order) - 1) + 1):
        i = order[: min(own, len(order) - ahead)]
        yield i, order[ahead : ahead + len(i)]


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
