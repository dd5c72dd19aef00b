"""Records in parts, for reducers that have many of them each, and what waits in a task to be sent to a part."""

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from pehchan.mrjobs.joins.all_pairs import hashed
from pehchan.mrjobs.wire import Identity


class _Encodes(Protocol):
    def __len__(self) -> int: ...

    def encode(self) -> bytes: ...


W = TypeVar("W", bound=_Encodes)


def part_of(record: Identity, parts: int) -> int:
    """The part of a record, the same on every machine and run."""
    return hashed(f"{record[0]}\0{record[1]}") % parts


class ByPart(Generic[W]):
    """What waits to be sent, by part, until it is enough for a line.

    new     makes an empty one of what waits
    most    how many of them are a line
    prefix  of the lines
    """

    def __init__(self, new: Callable[[], W], most: int, prefix: bytes = b""):
        self._new, self._most, self._prefix = new, most, prefix
        self._waiting: dict[int, W] = {}

    def __getitem__(self, part: int) -> W:
        """What waits for a part."""
        if part not in self._waiting:
            self._waiting[part] = self._new()
        return self._waiting[part]

    def if_enough(self, part: int) -> Iterator[tuple[bytes, bytes]]:
        """What waits for a part, if it is enough for a line."""
        if len(self[part]) >= self._most:
            yield self._line(part, self._waiting.pop(part))

    def rest(self) -> Iterator[tuple[bytes, bytes]]:
        """All that waits."""
        for part, waiting in sorted(self._waiting.items(), key=lambda item: item[0]):
            if len(waiting):
                yield self._line(part, waiting)
        self._waiting = {}

    def _line(self, part: int, waiting: W) -> tuple[bytes, bytes]:
        return b"%d" % part, self._prefix + waiting.encode()
