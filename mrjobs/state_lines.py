"""What a state of entities is kept in: lines of many rows, of which a task reads no more than it looks for.

A line is `tag TAB version TAB columns TAB rows`: numbers as columns in base64, and behind them a text a row.
What a row says holds from the version of the state on in which it was written, until a row of a later version
says otherwise.

    kept-records  records with their addresses; null in the place of one that is gone
    kept-members  every record with its entity; "" for one that is gone
    kept-pairs    pairs that were accepted; one holds as long as neither of its records is written anew
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import ClassVar, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray

from pehchan.metadata.records import Record, ascii_json
from pehchan.mrjobs.coded import Codes64
from pehchan.mrjobs.wire import WireError

#: Rows of a line at the most.
ROWS_A_LINE = 2_000

#: The address of a record as it is kept: half of it, so that it says of few others too that they may meet.
Short = NDArray[np.uint32]
Mask = NDArray[np.bool_]

K = TypeVar("K", bound="Kept")


@dataclass
class Kept:
    """Rows of one kind.

    version  of the state that they were written in
    """

    tag: ClassVar[bytes]
    kinds: ClassVar[tuple[str, ...]]

    version: int
    columns: tuple[NDArray, ...]
    rows: list[bytes]

    def __len__(self) -> int:
        return len(self.columns[0])

    def encode(self) -> bytes:
        """One line, with its tag and without the newline."""
        packed = [
            b64encode(column.astype(kind).tobytes())
            for column, kind in zip(self.columns, self.kinds, strict=True)
        ]
        return b"\t".join([self.tag, b"%d" % self.version, *packed, *self.rows])

    @classmethod
    def decode(cls: type[K], line: bytes) -> K:
        """The rows of a line. Raises WireError for one that is none, or is cut short."""
        tag, *parts = line.rstrip(b"\r\n").split(b"\t")
        number = len(cls.kinds)
        try:
            if tag != cls.tag or len(parts) <= number:
                raise ValueError
            columns = tuple(
                np.frombuffer(b64decode(part, validate=True), dtype=kind)
                for part, kind in zip(parts[1 : number + 1], cls.kinds, strict=True)
            )
            found = cls(int(parts[0]), columns, parts[number + 1 :])
            found._check()
        except ValueError:
            raise WireError(f"not a whole line of {cls.tag.decode()}") from None
        return found

    def _check(self) -> None:
        """Raises ValueError where the columns and rows do not fit each other."""
        lengths = {len(column) for column in self.columns} | ({len(self.rows)} if self.rows else set())
        if len(lengths) != 1:
            raise ValueError

    def take(self: K, mask: Mask) -> K:
        """Some of the rows."""
        return type(self)(
            self.version, tuple(column[mask] for column in self.columns), list(compress(self.rows, mask))
        )


class KeptRecords(Kept):
    """Records: codes, the numbers of addresses of each, and the addresses; a row is JSON, [id, items] or [id]."""

    tag, kinds = b"kept-records", ("<u8", "<u4", "<u4")

    @classmethod
    def of(
        cls, version: int, codes: Codes64, addresses: Sequence[Short], records: Sequence[Record | str]
    ) -> "KeptRecords":
        """Of records, or the ids of those that are gone, and the addresses of each."""
        counts = np.fromiter(map(len, addresses), np.uint32, len(addresses))
        at = np.concatenate([np.zeros(0, np.uint32), *addresses])
        rows = [
            ascii_json([each] if isinstance(each, str) else [each.id, list(each.items)]) for each in records
        ]
        return cls(version, (codes, counts, at), rows)

    @property
    def codes(self) -> Codes64:
        return self.columns[0]

    @property
    def addresses(self) -> Short:
        return self.columns[2]

    @property
    def of_addresses(self) -> NDArray[np.int64]:
        """Of each address the row that has it."""
        return np.repeat(np.arange(len(self)), self.columns[1])

    def _check(self) -> None:
        codes, counts, at = self.columns
        if not len(codes) == len(counts) == len(self.rows) or int(counts.sum()) != len(at):
            raise ValueError

    def take(self, mask: Mask) -> "KeptRecords":
        codes, counts, at = self.columns
        return KeptRecords(
            self.version,
            (codes[mask], counts[mask], at[np.repeat(mask, counts)]),
            list(compress(self.rows, mask)),
        )

    def records(self) -> list[Record | str]:
        """Of each row the record, or the id of one that is gone."""
        return list(map(record_of, self.rows))


def record_of(row: bytes) -> Record | str:
    """The record of a row, or the id of one that is gone."""
    record_id, *items = orjson.loads(row)
    return Record("", record_id, items[0]) if items else record_id


class KeptMembers(Kept):
    """Records in entities: codes, the code that all of what pairs join have in common, and the version that
    the record was written in; a row is JSON, [id, entity].
    """

    tag, kinds = b"kept-members", ("<u8", "<u8", "<u4")

    @classmethod
    def of(
        cls,
        version: int,
        codes: Codes64,
        components: Codes64,
        since: NDArray[np.uint32],
        members: Iterable[tuple[str, str]],
    ) -> "KeptMembers":
        """Of records, by id and entity."""
        return cls(version, (codes, components, since), [ascii_json(member) for member in members])

    @property
    def codes(self) -> Codes64:
        return self.columns[0]

    @property
    def components(self) -> Codes64:
        return self.columns[1]

    @property
    def since(self) -> NDArray[np.uint32]:
        return self.columns[2]

    def members(self) -> list[tuple[str, str]]:
        """Of each row the id of the record, and its entity; "" of one that is gone."""
        return [tuple(orjson.loads(row)) for row in self.rows]


class KeptPairs(Kept):
    """Accepted pairs: the codes of their records, and their distances."""

    tag, kinds = b"kept-pairs", ("<u8", "<u8", "<i4")

    @classmethod
    def of(cls, version: int, a: Codes64, b: Codes64, distances: NDArray[np.int64]) -> "KeptPairs":
        return cls(version, (a, b, distances), [])

    @property
    def a(self) -> Codes64:
        return self.columns[0]

    @property
    def b(self) -> Codes64:
        return self.columns[1]

    @property
    def distances(self) -> NDArray[np.int32]:
        return self.columns[2]


class Wanted:
    """Numbers that are looked for among many others."""

    #: Bits of a number that say whether it may be one of them.
    _BITS = 22

    def __init__(self, numbers: NDArray):
        self._ascending = np.unique(numbers)
        self._mask = numbers.dtype.type((1 << self._BITS) - 1)
        self._may = np.zeros(1 << self._BITS, np.bool_)
        self._may[self._ascending & self._mask] = True

    def __len__(self) -> int:
        return len(self._ascending)

    @property
    def numbers(self) -> NDArray:
        """Ascending, each once."""
        return self._ascending

    def mask(self, numbers: NDArray) -> Mask:
        """Which of some numbers of the same kind are among them."""
        if not len(self._ascending):
            return np.zeros(len(numbers), np.bool_)
        found = self._may[numbers & self._mask]
        maybe = np.flatnonzero(found)
        some = numbers[maybe]
        place = np.minimum(np.searchsorted(self._ascending, some), len(self._ascending) - 1)
        found[maybe] = self._ascending[place] == some
        return found


@dataclass
class Search:
    """Rows that are looked for: those of one of the codes, or addresses, or components."""

    codes: Wanted
    addresses: Wanted
    components: Wanted

    @classmethod
    def of(
        cls, codes: Codes64 | None = None, addresses: Short | None = None, components: Codes64 | None = None
    ) -> "Search":
        none = np.zeros(0, np.uint64)
        return cls(
            Wanted(none if codes is None else codes),
            Wanted(np.zeros(0, np.uint32) if addresses is None else addresses),
            Wanted(none if components is None else components),
        )

    def encode(self) -> bytes:
        """For a file that goes to the tasks."""
        columns = [self.codes.numbers, self.addresses.numbers, self.components.numbers]
        return ascii_json(
            [
                b64encode(column.astype(column.dtype.newbyteorder("<")).tobytes()).decode()
                for column in columns
            ]
        )

    @classmethod
    def decode(cls, text: bytes) -> "Search":
        codes, addresses, components = map(b64decode, orjson.loads(text))
        return cls.of(
            np.frombuffer(codes, "<u8"), np.frombuffer(addresses, "<u4"), np.frombuffer(components, "<u8")
        )

    def in_line(self, line: bytes) -> Kept | None:
        """The rows of a line that are looked for; None where there are none."""
        kept = KINDS[line[: line.index(b"\t")]].decode(line)
        if isinstance(kept, KeptRecords):
            mask = self.codes.mask(kept.codes)
            if len(self.addresses):
                mask[kept.of_addresses[self.addresses.mask(kept.addresses)]] = True
        elif isinstance(kept, KeptMembers):
            mask = self.codes.mask(kept.codes) | self.components.mask(kept.components)
        else:
            assert isinstance(kept, KeptPairs)
            mask = self.codes.mask(kept.a) | self.codes.mask(kept.b)
        return kept.take(mask) if mask.any() else None


#: By tag.
KINDS: dict[bytes, type[Kept]] = {each.tag: each for each in (KeptRecords, KeptMembers, KeptPairs)}


def in_lines(count: int) -> Iterator[slice]:
    """Slices of so many rows, one a line."""
    return (slice(start, start + ROWS_A_LINE) for start in range(0, count, ROWS_A_LINE))
