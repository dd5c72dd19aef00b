"""Which records of a cell met in an earlier block, where each brings along the blocks it is in besides."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from pehchan.distance.arrays import Mask, Positions

#: Pairs that are looked at together, so that what they take does not grow with their number.
AT_ONCE = 100_000


class MetBefore:
    """By position, the earlier blocks of the records of a cell: two records met before that share one."""

    def __init__(self, earlier: Sequence[Sequence[str]]):
        often = Counter(block for blocks in earlier for block in blocks)
        # A block of one record here is no reason to have met.
        shared = [block for block, count in often.items() if count > 1]
        code = {block: number for number, block in enumerate(shared)}
        self._codes = [[code[block] for block in blocks if block in code] for blocks in earlier]
        self._starts = np.array([0, *accumulate(map(len, self._codes))], dtype=np.int64)
        self._width = max(1, len(code))
        #: record * width + code, in order: to look up whether a record has a code.
        self._have = np.sort(
            np.array(
                [number * self._width + each for number, codes in enumerate(self._codes) for each in codes],
                dtype=np.int64,
            )
        )

    def met(self, a: Positions, b: Positions) -> Mask:
        """bool[n]: whether the records at a[k] and b[k] met before."""
        found = np.zeros(len(a), dtype=bool)
        if len(self._have):
            for start in range(0, len(a), AT_ONCE):
                some = slice(start, start + AT_ONCE)
                found[some] = self._met(a[some], b[some])
        return found

    def _met(self, a: Positions, b: Positions) -> Mask:
        counts = self._starts[a + 1] - self._starts[a]
        # Each code of a[k] beside k: does b[k] have it?
        pair = np.repeat(np.arange(len(a)), counts)
        nth = np.arange(len(pair)) - np.repeat(counts.cumsum() - counts, counts)
        code = self._have[self._starts[a][pair] + nth] % self._width
        wanted = b[pair] * self._width + code
        at = np.minimum(np.searchsorted(self._have, wanted), len(self._have) - 1)
        return np.bincount(pair[self._have[at] == wanted], minlength=len(a)) > 0

    def unmet(self, rows: Positions, columns: Positions) -> tuple[Positions, Positions, int]:
        """The rows, and the columns, that have a record to meet which they did not meet before; and how many pairs
        of these two did meet before.

        Where both are the same array, pairs are those of two different records of it.
        """
        same = rows is columns
        having: dict[int, list[int]] = defaultdict(list)
        for number, record in enumerate(columns.tolist()):
            for code in self._codes[record]:
                having[code].append(number)
        if not having:
            return rows, columns, 0
        met_of_row = np.zeros(len(rows), dtype=np.int64)
        met_of_column = np.zeros(len(columns), dtype=np.int64)
        of_row = np.zeros(len(columns), dtype=bool)
        for number, record in enumerate(rows.tolist()):
            others = [having[code] for code in self._codes[record] if code in having]
            if others:
                of_row[:] = False
                for numbers in others:
                    of_row[numbers] = True
                if same:
                    of_row[number] = False
                met_of_row[number] = np.count_nonzero(of_row)
                met_of_column += of_row
        left = met_of_row < len(columns) - same
        if same:
            kept = rows[left]
            # Who is left out met all others, also those that are kept.
            again = int(met_of_row[left].sum()) - int(np.count_nonzero(left)) * int(np.count_nonzero(~left))
            return kept, kept, again // 2
        beside = met_of_column < len(rows)
        again = int(met_of_row[left].sum()) - int(np.count_nonzero(left)) * int(np.count_nonzero(~beside))
        return rows[left], columns[beside], again
