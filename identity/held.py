"""The records of a state in memory, as compactly as they can be looked up: of one row only what is asked for is read.

It takes the bytes of the rows as the state has them, 8 bytes an address, and 36 a record: of a million persons of
four fields with 42 addresses 500 MB. While they are read it is an eighth more at the most, and 40 bytes a record.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from pehchan.identity.state import MEMBERS, PAIRS, RECORDS, State
from pehchan.metadata.records import Record
from pehchan.mrjobs.coded import Codes64, as_bytes, codes_of
from pehchan.mrjobs.state_lines import KeptMembers, KeptPairs, KeptRecords, Mask, Short

Rows = NDArray[np.int64]

#: Rows that are read at a time.
ROWS = 20_000

#: The end of the row of a record that is gone: its entity is "".
_GONE = b',""]'
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


class _Texts:
    """Many texts in one piece of memory."""

    def __init__(self) -> None:
        self._text, self._ends = bytearray(), bytearray()

    def add(self, texts: Sequence[bytes]) -> None:
        ends = np.fromiter(map(len, texts), np.int64, len(texts)).cumsum() + len(self._text)
        self._text += b"".join(texts)
        self._ends += ends.tobytes()

    def __len__(self) -> int:
        return len(self._ends) // 8

    def at(self, places: Iterable[int]) -> list[bytes]:
        """Those at these places."""
        ends, text = np.frombuffer(self._ends, np.int64), memoryview(self._text)
        return [bytes(text[(ends[place - 1] if place else 0) : ends[place]]) for place in places]


class HeldRecords:
    """The records that are in a state, in the order in which they are read, with their addresses and entities."""

    def __init__(self, state: State):
        self._salt = state.manifest.salt
        self._read_members(state)
        self._read_records(state)

    def __len__(self) -> int:
        return len(self._rows)

    def _read_members(self, state: State) -> None:
        self._members = _Texts()
        codes, versions = bytearray(), bytearray()
        gone = bytearray()
        for line in state.lines(MEMBERS):
            kept = KeptMembers.decode(line)
            codes += kept.codes.tobytes()
            # Of two rows of a record that of the later version holds, which says since when the record is as it is.
            versions += (kept.since | np.uint64(kept.version) << _HALF).tobytes()
            gone += bytes(row.endswith(_GONE) for row in kept.rows)
            self._members.add(kept.rows)
        every, version = np.frombuffer(codes, np.uint64), np.frombuffer(versions, np.uint64)
        order = np.lexsort((version, every))
        in_order = every[order]
        last = np.ones(len(order), np.bool_)
        last[:-1] = in_order[1:] != in_order[:-1]
        holds = order[last]
        holds = holds[np.frombuffer(gone, np.bool_)[holds] == 0]
        #: Ascending, and of each the row that holds, and the version that wrote the record.
        self._codes: Codes64 = every[holds]
        self._member: NDArray[np.uint32] = holds.astype(np.uint32)
        self._since = (version[holds] & _LOW).astype(np.uint32)

    def _read_records(self, state: State) -> None:
        self._rows = _Texts()
        places, index = bytearray(), bytearray()
        for line in state.lines(RECORDS):
            kept = KeptRecords.decode(line)
            place, holds = self._places(kept.codes)
            holds &= self._since[place] == kept.version if len(self._codes) else False
            if not holds.all():
                kept, place = kept.take(holds), place[holds]
            rows = kept.of_addresses.astype(np.uint64) + np.uint64(len(self._rows))
            index += (kept.addresses.astype(np.uint64) << _HALF | rows).tobytes()
            places += self._member[place].tobytes()
            self._rows.add(kept.rows)
        self._member_of = np.frombuffer(places, np.uint32)
        #: Address and row, ascending.
        self._index = np.frombuffer(index, np.uint64)
        self._index.sort()

    def _places(self, codes: Codes64) -> tuple[Rows, Mask]:
        """Where among all codes these are, and which of them are there."""
        if not len(self._codes):
            return np.zeros(len(codes), np.int64), np.zeros(len(codes), np.bool_)
        place = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        return place, self._codes[place] == codes

    def at(self, addresses: Short) -> Rows:
        """The rows of the records that have one of these addresses, ascending."""
        asked = np.unique(addresses).astype(np.uint64) << _HALF
        begins = np.searchsorted(self._index, asked)
        ends = np.searchsorted(self._index, asked | _LOW, side="right")
        found = [self._index[a:b] for a, b in zip(begins.tolist(), ends.tolist(), strict=True) if a < b]
        if not found:
            return np.zeros(0, np.int64)
        return np.unique(np.concatenate(found) & _LOW).astype(np.int64)

    def records(self, rows: Rows) -> list[Record]:
        """The records of these rows."""
        parts = map(orjson.loads, self._rows.at(rows.tolist()))
        return [Record("", record_id, items) for record_id, items in parts]

    def entities(self, rows: Rows) -> list[str]:
        """The entities of the records of these rows."""
        return [orjson.loads(row)[1] for row in self._members.at(self._member_of[rows].tolist())]

    def members(self) -> Iterator[tuple[str, str]]:
        """The id and the entity of each record, in the order of the rows."""
        for start in range(0, len(self), ROWS):
            for row in self._members.at(self._member_of[start : start + ROWS].tolist()):
                record_id, entity = orjson.loads(row)
                yield record_id, entity

    def pairs(self, state: State) -> tuple[Rows, Rows, NDArray[np.int64]]:
        """The accepted pairs that hold: the rows of their records, and their distances. `state` is the one read."""
        order = np.argsort(self._member_of)
        row_of = order[np.searchsorted(self._member_of, self._member, sorter=order)] if len(order) else order
        found: list[list[NDArray[np.int64]]] = [[np.zeros(0, np.int64)] for _ in range(3)]
        for line in state.lines(PAIRS):
            kept = KeptPairs.decode(line)
            (a, there_a), (b, there_b) = self._places(kept.a), self._places(kept.b)
            holds = there_a & there_b
            if holds.any():
                holds &= (self._since[a] <= kept.version) & (self._since[b] <= kept.version)
            parts = (row_of[a[holds]], row_of[b[holds]], kept.distances[holds].astype(np.int64))
            for column, part in zip(found, parts, strict=True):
                column.append(part)
        a, b, distances = map(np.concatenate, found)
        return a, b, distances

    def entity_of(self, record_id: str) -> str:
        """The entity of the record with an id; "" where there is none."""
        place, there = self._places(codes_of(as_bytes([record_id]), self._salt))
        if not there[0]:
            return ""
        found, entity = orjson.loads(self._members.at([int(self._member[place[0]])])[0])
        return str(entity) if found == record_id else ""
