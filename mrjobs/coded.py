"""Records of pairs as numbers: codes of 64 bits, made of set and id, by which tasks sort and join them as arrays.

Two records may have one code, with a chance of 1 in 3 million among ten million records; none do whose ids have
8 bytes or less. Where records are only brought together by their codes that costs nothing but a little room; where
clusters are made it is noticed.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import orjson
from numpy.typing import NDArray

from pehchan.clustering.mixing import mixed
from pehchan.distance.arrays import Distinct
from pehchan.metadata.records import ascii_json
from pehchan.mrjobs.wire import Identity, WireError

Codes64 = NDArray[np.uint64]

CODED_VERSION = 1

#: Bytes of a name from which on it is hashed by itself, as many would make wide arrays.
LONG = 64

#: A NUL of an id in a name, in which NUL ends the id: more than all that a set may begin with.
_NUL = "\0\U0010ffff"
_NAME = re.compile(f"((?:[^\0]|{_NUL})*)(?:\0(.*))?", re.DOTALL)

#: Pairs or records that a line holds at the most.
A_LINE = 20_000


def name_of(set_name: str, record_id: str) -> str:
    """A record as one text: names are in order where (id, set) are."""
    if "\0" in record_id:
        record_id = record_id.replace("\0", _NUL)
    return f"{record_id}\0{set_name}" if set_name else record_id


def identity_of(name: str) -> Identity:
    """The (set, id) of a name."""
    if "\0" not in name:
        return "", name
    found = _NAME.fullmatch(name)
    assert found is not None
    return found[2] or "", found[1].replace(_NUL, "\0")


def names_of(sets: Sequence[str], ids: Sequence[str]) -> list[str]:
    """The names of records."""
    if not any(sets) and "\0" not in "".join(ids):
        return list(ids)
    return [name_of(set_name, record_id) for set_name, record_id in zip(sets, ids, strict=True)]


def as_bytes(names: Sequence[str]) -> list[bytes]:
    """UTF-8 of names; in the same order as these."""
    return [name.encode("utf-8", "surrogatepass") for name in names]


def codes_of(names: Sequence[bytes], salt: int = 0) -> Codes64:
    """uint64[n]: the codes of names."""
    lengths = np.fromiter(map(len, names), dtype=np.int64, count=len(names))
    codes = mixed(lengths.astype(np.uint64) + np.uint64(salt << 32))
    short = lengths <= LONG
    some = names if short.all() else [name if len(name) <= LONG else b"" for name in names]
    words_each = -(-max(1, int(lengths[short].max(initial=1))) // 8)
    words = np.array(some, dtype=f"S{8 * words_each}").view("<u8").reshape(len(names), words_each)
    for number in range(words_each):
        inside = lengths > 8 * number
        codes = np.where(inside & short, mixed(codes ^ words[:, number]), codes)
    for place in np.flatnonzero(~short):
        digest = blake2b(names[place], digest_size=8, salt=b"%d" % salt).digest()
        codes[place] = int.from_bytes(digest, "little")
    return codes


def text_array(names: Sequence[bytes]) -> NDArray[np.bytes_]:
    """The names as an array, in which they sort: of bytes side by side, unless a few long ones made that large."""
    width = max(map(len, names), default=0)
    if width > LONG and width * len(names) > 8 * sum(map(len, names)):
        found = np.empty(len(names), dtype=object)
        found[:] = names
        return found
    return np.array(names, dtype=f"S{max(1, width)}")


def in_parts(codes: Codes64, parts: int) -> Iterator[tuple[bytes, NDArray[np.int64]]]:
    """The key of each part, and the positions of the codes that belong to it."""
    part = (codes % np.uint64(parts)).astype(np.int64)
    order = np.argsort(part, kind="stable")
    ends = np.cumsum(np.bincount(part, minlength=parts))
    for number, end in enumerate(ends.tolist()):
        start = int(ends[number - 1]) if number else 0
        for begin in range(start, end, A_LINE):
            yield b"%d" % number, order[begin : min(end, begin + A_LINE)]


def _packed(values: NDArray[np.uint64] | NDArray[np.int64]) -> str:
    return b64encode(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()).decode()


def _unpacked(text: str, kind: str) -> NDArray[np.uint64]:
    return np.frombuffer(b64decode(text), dtype=kind)


def _parts_of(line: bytes) -> list[object]:
    version, *parts = orjson.loads(line)
    if version != CODED_VERSION:
        raise WireError(f"pairs as codes of version {version!r}; this pehchan reads version {CODED_VERSION}")
    return parts


@dataclass(frozen=True)
class CodedPairs:
    """Pairs of records a[k] and b[k]; without distances where these no longer matter."""

    a: Codes64
    b: Codes64
    distance: NDArray[np.int64] | None = None

    def take(self, which: NDArray[np.int64]) -> "CodedPairs":
        """Some of them."""
        distance = None if self.distance is None else self.distance[which]
        return CodedPairs(self.a[which], self.b[which], distance)

    def encode(self) -> bytes:
        """One line, without the newline: the numbers in base64."""
        columns = [self.a, self.b, *([] if self.distance is None else [self.distance])]
        return ascii_json([CODED_VERSION, *map(_packed, columns)])

    @classmethod
    def decode(cls, line: bytes) -> "CodedPairs":
        """The pairs of an encoded line."""
        a, b, *rest = map(str, _parts_of(line))
        return cls(
            _unpacked(a, "<u8"), _unpacked(b, "<u8"), *(_unpacked(each, "<i8").view("<i8") for each in rest)
        )

    @classmethod
    def all(cls, lines: Iterable[bytes]) -> "CodedPairs":
        """The pairs of all lines, without distances where there are no lines."""
        found = list(map(cls.decode, lines))
        nothing = np.zeros(0, dtype=np.uint64)
        if not found:
            return cls(nothing, nothing, nothing.astype(np.int64))
        a, b = (np.concatenate([getattr(each, side) for each in found]) for side in ("a", "b"))
        if found[0].distance is None:
            return cls(a, b)
        return cls(a, b, np.concatenate([each.distance for each in found if each.distance is not None]))


@dataclass
class Named:
    """Records with their codes.

    known    whether they are of the records, and not only of pairs
    columns  the values that are compared, a list a field, where they are asked for
    """

    known: bool
    codes: Codes64
    names: list[str]
    columns: list[list[str]] = field(default_factory=list)

    def take(self, which: NDArray[np.int64]) -> "Named":
        """Some of them."""
        places = which.tolist()
        return Named(
            self.known,
            self.codes[which],
            [self.names[place] for place in places],
            [[column[place] for place in places] for column in self.columns],
        )

    def encode(self) -> bytes:
        """One line, without the newline."""
        return ascii_json([CODED_VERSION, self.known, _packed(self.codes), self.names, self.columns])

    @classmethod
    def decode(cls, line: bytes) -> "Named":
        """The records of an encoded line."""
        known, codes, names, columns = _parts_of(line)
        return cls(bool(known), _unpacked(str(codes), "<u8"), names, columns)  # type: ignore[arg-type]


class Coding:
    """Pairs that are gathered, and made codes together, so that each record of them is looked at once."""

    def __init__(self, salt: int = 0):
        self._salt = salt
        self._distinct = Distinct()
        self._ends: list[tuple[NDArray[np.int32], NDArray[np.int32], list[int]]] = []
        self.pairs = 0

    def add(self, firsts: Sequence[str], seconds: Sequence[str], distances: list[int]) -> None:
        """Gather pairs of these names."""
        codes = self._distinct.codes
        self._ends.append((codes(firsts), codes(seconds), distances))
        self.pairs += len(distances)

    def take(self) -> tuple[Named, CodedPairs]:
        """The records, and the pairs, gathered so far; nothing is left."""
        names = self._distinct.values
        of_name = codes_of(as_bytes(names), self._salt)
        a, b = (
            of_name[np.concatenate([ends[side] for ends in self._ends] or [np.zeros(0, dtype=np.int32)])]
            for side in (0, 1)
        )
        distance = np.array([each for *_, some in self._ends for each in some], dtype=np.int64)
        self.__init__(self._salt)  # type: ignore[misc]
        return Named(False, of_name, names), CodedPairs(a, b, distance)
