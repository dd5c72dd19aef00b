"""Rows of a state of entities as they are now: of what was written of a record several times, what came last."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

import numpy as np

from pehchan.mrjobs.job import PlannedJob
from pehchan.mrjobs.state_lines import KeptMembers, KeptRecords

#: Parts in which records are looked for that were written several times.
PARTS = 64


class NewestRows(PlannedJob):
    """A job over the lines of one kind, of all versions: its first reducers ask for `newest`."""

    kind: ClassVar[type[KeptRecords | KeptMembers]]

    def to_parts(self, _: None, line: bytes) -> Iterator[tuple[bytes, bytes]]:
        """A line -> its rows, to the parts of their codes."""
        kept = self.kind.decode(line)
        part = kept.codes % np.uint64(PARTS)
        for number in np.unique(part).tolist():
            yield b"%d" % number, kept.take(part == number).encode()

    def newest(self, lines: Iterable[bytes]) -> list[bytes]:
        """Of all lines of a part the row of each record that was written last, in order."""
        newest: dict[int, tuple[int, bytes]] = {}
        for kept in map(self.kind.decode, lines):
            for code, row in zip(kept.codes.tolist(), kept.rows, strict=True):
                if code not in newest or newest[code][0] < kept.version:
                    newest[code] = kept.version, row
        return sorted(row for _, row in newest.values())
