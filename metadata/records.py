"""Lines and records: how a line becomes a record, and the canonical lines that records become.

A record line is ASCII JSON on one line, `[version, set, id, [item, ...]]`, with every item a string and
"" for a missing one: what `ingest` makes of files that are no plain lines. Jobs hand each other many records a
line (Records); headerless delimited lines of a user are read as they lie.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

RECORD_VERSION = 1
RECORDS_VERSION = 1


class RejectedLine(ValueError):
    """A line that cannot become a record; its text is the reason, for a person."""


class Record(NamedTuple):
    """One record: the set it came from ("" where there is only one), its id ("" until settled), its items."""

    set: str
    id: str
    items: Sequence[str]


@dataclass
class Records:
    """Records of one set that have as many items each, as they travel between tasks and jobs: many a line.

    width   strings a record: its id and its items
    values  those of all records, one after the other: as objects of their own so many would keep the garbage
            collector busy
    """

    set: str
    width: int
    values: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.values) // self.width

    def __iter__(self) -> Iterator[Record]:
        return map(self.at, range(len(self)))

    def at(self, place: int) -> Record:
        """The one at a place, from 0."""
        start = place * self.width
        return Record(self.set, self.values[start], self.values[start + 1 : start + self.width])

    @property
    def ids(self) -> list[str]:
        """One a record."""
        return self.values[:: self.width]

    def column(self, ordinal: int) -> list[str]:
        """The items at one place, one a record."""
        return self.values[ordinal + 1 :: self.width]

    def append(self, record_id: str, items: Sequence[str]) -> None:
        """Add a record of this set and as many items."""
        self.values.append(record_id)
        self.values += items

    def encode(self) -> bytes:
        """ASCII JSON on one line, without the newline: [version, set, width, values]."""
        return ascii_json([RECORDS_VERSION, self.set, self.width, self.values])

    @classmethod
    def decode(cls, line: bytes) -> "Records":
        """The records of an encoded line; raises RejectedLine where it is of another version."""
        version, *parts = orjson.loads(line)
        if version != RECORDS_VERSION:
            raise RejectedLine(
                f"records of version {version!r}; this pehchan reads version {RECORDS_VERSION}"
            )
        return cls(*parts)


def on_lines(records: Iterable[Record], most: int) -> Iterator[Records]:
    """Records on lines of so many at the most, those of one set and width together."""
    waiting: dict[tuple[str, int], Records] = {}
    for record in records:
        key = record.set, 1 + len(record.items)
        some = waiting.setdefault(key, Records(*key))
        some.append(record.id, record.items)
        if len(some) >= most:
            yield waiting.pop(key)
    yield from waiting.values()


@dataclass(frozen=True)
class Rejected:
    """A line set aside: its text, the file it came from, its number from 1 where known (else 0), the reason."""

    line: str
    file: str
    reason: str
    number: int = 0

    def encode(self) -> bytes:
        """ASCII JSON on one line, without the newline."""
        parts: dict[str, object] = {"file": self.file}
        if self.number:
            parts["line_number"] = self.number
        return json.dumps({**parts, "reason": self.reason, "line": self.line}).encode()


def ascii_json(value: object) -> bytes:
    """Compact ASCII JSON: what may travel as a key or value on every runner (no tab, LF or CR, no non-ASCII)."""
    fast = orjson.dumps(value)
    # orjson leaves non-ASCII and DEL as they are; the standard library escapes the former.
    return fast if fast.isascii() else json.dumps(value, separators=(",", ":")).encode()


def encode_record(record: Record) -> bytes:
    """The record line of a record, without the newline."""
    return ascii_json([RECORD_VERSION, record.set, record.id, list(record.items)])


def decode_record(line: bytes) -> Record:
    """The record of a record line.

    Raises RejectedLine where the line is not one, or is of another version.
    """
    try:
        parts = orjson.loads(line)
        version, set_name, record_id, items = parts
    except (ValueError, TypeError):
        raise RejectedLine("not a record line: expected [version, set, id, [items]] as JSON") from None
    if version != RECORD_VERSION:
        raise RejectedLine(f"record line of version {version!r}; this pehchan reads version {RECORD_VERSION}")
    return Record(set_name, record_id, items)


def decode_line(line: bytes) -> str:
    """The text of a raw line of bytes, without its line end (LF or CRLF).

    Raises RejectedLine where it is not UTF-8 or holds a NUL.
    """
    line = line.rstrip(b"\n")
    if line.endswith(b"\r"):
        line = line[:-1]
    if b"\0" in line:
        raise RejectedLine("a NUL byte in the line: not text, or text in UTF-16 (set input.encoding=utf-16)")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise RejectedLine(
            f"not UTF-8 at byte {error.start} (0x{line[error.start]:02x}); if the whole file is in another "
            "encoding, name it with input.encoding"
        ) from None


def splitter(delimiter_regex: str) -> Callable[[str], list[str]]:
    """A function that splits a line as Java's String.split does, but keeps trailing empty fields.

    The regular expression is Java's: \\s, \\d and \\w are ASCII.
    Raises ValueError where it is no regular expression, or matches the empty string.
    """
    literal = _literal(delimiter_regex)
    if literal:
        return lambda line: line.split(literal)
    try:
        pattern = re.compile(delimiter_regex, re.ASCII)
    except re.error as error:
        raise ValueError(f"{delimiter_regex!r} is not a regular expression: {error}") from None
    if pattern.match(""):
        raise ValueError(f"{delimiter_regex!r} matches the empty string, so it cannot split a line")

    def split(line: str) -> list[str]:
        # Not re.split: it would put captured groups among the fields.
        fields, start = [], 0
        for match in pattern.finditer(line):
            if match.end() > match.start():
                fields.append(line[start : match.start()])
                start = match.end()
        fields.append(line[start:])
        return fields

    return split


def _literal(regex: str) -> str | None:
    """The plain text that a regular expression stands for, None where it is more than that."""
    if re.fullmatch(r"\[[^\]\\^]\]", regex):
        return regex[1]
    if regex == r"\t":
        return "\t"
    plain = re.sub(r"\\([^A-Za-z0-9])", "", regex)
    if re.search(r"[\\.^$*+?{}\[\]|()]", plain):
        return None
    return re.sub(r"\\(.)", r"\1", regex)
