"""Files whose lines cannot be split safely across a cluster become record lines, once.

in   csv, tsv (a header, RFC 4180 quotes), jsonl, or headerless lines in another encoding than UTF-8;
     plain, gzip or bzip2, as the first bytes say
out  a record line for every row, and the rows set aside, each with its line number and the reason

Rows are streamed: memory is that of the longest row. A bad row never stops the rest.
"""

import bz2
import codecs
import csv
import gzip
import io
import json
import os
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.metadata.records import Record, Rejected, encode_record, splitter

FilePath = str | os.PathLike[str]

#: Characters in one quoted field; more than that is a quote that was never closed.
FIELD_LIMIT = 1 << 25

_EXTENSIONS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
# UTF-32 before UTF-16: its little-endian mark begins with the one of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What cannot be text stands in the decoded text as a lone surrogate, which no valid text holds:
# a byte that is not in the encoding as U+DC00 + byte, a NUL (which csv refuses before 3.11) as U+DFFF.
_NUL = "\udfff"
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("pehchan.stand_in", _stand_in)


@dataclass(frozen=True)
class IngestCounts:
    """How many rows became records, were set aside, or were blank."""

    records: int
    rejected: int
    blank: int


def detect_format(path: FilePath) -> str:
    """The format that the extension names, under .gz or .bz2 as well; "lines" for any other."""
    name = Path(path).name.lower()
    for compressed in (".gz", ".bz2"):
        name = name.removesuffix(compressed)
    return _EXTENSIONS.get(Path(name).suffix, "lines")


def read_header(path: FilePath, format: str, encoding: str = "utf-8", delimiter: str = "") -> list[str]:
    """The column names of a file; of jsonl the keys of all objects, in the order they first appear.

    `delimiter` is one character for csv and tsv, and a regular expression for lines; "" is the usual one.
    Raises MistakesError where there are none, or one is empty or there twice.
    """
    reader = _reader(format, delimiter)
    with _Lines(path, encoding, reader.newline) as lines:
        return reader.header(lines)


def sample_rows(
    path: FilePath, format: str, encoding: str = "utf-8", count: int = 1000, delimiter: str = ""
) -> list[list[str]]:
    """The first `count` good rows, in the column order of read_header, to guess a schema from.

    The first rows and not a random choice: a file that is sorted by a column gives a one-sided sample.
    """
    reader = _reader(format, delimiter)
    columns = read_header(path, format, encoding, delimiter) if reader.has_header else ()
    with _Lines(path, encoding, reader.newline) as lines:
        good = (row.values for row in reader.rows(lines, columns) if row.values is not None)
        return list(islice(good, count))


class Head(NamedTuple):
    """The first rows of a file.

    rows   the good ones
    aside  the reasons of those that are set aside
    size   bytes of text that they take
    whole  whether the file holds no more
    """

    rows: list[list[str]]
    aside: list[str]
    size: int
    whole: bool

    @property
    def read(self) -> int:
        """How many were read, but blank ones."""
        return len(self.rows) + len(self.aside)


def read_head(
    path: FilePath, format: str, encoding: str, columns: Sequence[str], count: int, delimiter: str = ""
) -> Head:
    """The first `count` rows that are not blank, items in the order of `columns`, as `ingest` has them."""
    reader = _reader(format, delimiter)
    good: list[list[str]] = []
    aside: list[str] = []
    size = 0
    with _Lines(path, encoding, reader.newline) as lines:
        for row in reader.rows(lines, columns):
            if len(good) + len(aside) == count:
                return Head(good, aside, size, whole=False)
            size += len(row.text.encode(lines.encoding, "replace")) + 1
            if row.values is not None:
                good.append(row.values)
            elif row.reason:
                aside.append(row.reason)
    return Head(good, aside, size, whole=True)


def ingest(
    path: FilePath,
    format: str,
    encoding: str,
    set_name: str,
    columns: Sequence[str],
    out: BinaryIO,
    rejected: BinaryIO,
    delimiter: str = "",
) -> IngestCounts:
    """Write a record line for every row, items in the order of `columns`, and the rows set aside.

    Columns of a file that `columns` does not name are left out; one that the file, or a JSON object, lacks is a
    missing item. Lines have no names: `columns` says how
    many items there are, and an empty one takes lines of any number.
    """
    reader = _reader(format, delimiter)
    records = set_aside = blank = 0
    with _Lines(path, encoding, reader.newline) as lines:
        for row in reader.rows(lines, columns):
            if row.values is not None:
                out.write(encode_record(Record(set_name, "", row.values)) + b"\n")
                records += 1
            elif row.reason:
                rejected.write(Rejected(_shown(row.text), str(path), row.reason, row.number).encode() + b"\n")
                set_aside += 1
            else:
                blank += 1
    return IngestCounts(records, set_aside, blank)


class _Row(NamedTuple):
    """A row, its text without the line end and the number of its first line.

    Values are None where it was set aside for a reason, or is blank (no reason).
    """

    number: int
    text: str
    values: list[str] | None
    reason: str = ""


class _Lines(Iterator[str]):
    """The lines of a file as text with their ends; keeps those of the row that is being read."""

    def __init__(self, path: FilePath, encoding: str, newline: str):
        self.path = path
        self.number = 0
        self.ended = False
        self._row: list[str] = []
        self._file = _open(path)
        try:
            start = self._file.read(4)
            self._file.seek(0)
            marked = (name for mark, name in _BYTE_ORDER_MARKS if start.startswith(mark))
            self.encoding = next(marked, encoding)
            self._text = io.TextIOWrapper(self._file, self.encoding, "pehchan.stand_in", newline)
        except (EOFError, OSError, zlib.error) as error:
            self._file.close()
            raise self._broken(error) from None
        except (LookupError, ValueError):
            self._file.close()
            raise _mistake(
                path,
                f"no text encoding is named {encoding!r}",
                "Known are Python's, for example utf-8, latin-1, cp1252, utf-16, shift_jis.",
            ) from None

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        self._text.close()

    def __next__(self) -> str:
        try:
            line = next(self._text)
        except StopIteration:
            self.ended = True
            raise
        except UnicodeError as error:
            raise _mistake(self.path, f"cannot be read as {self.encoding}: {error}") from None
        except (EOFError, OSError, zlib.error) as error:
            raise self._broken(error) from None
        if not self.number:
            line = line.lstrip("\ufeff")  # a mark in an encoding that does not drop its own, or a second one
        if "\0" in line:
            line = line.replace("\0", _NUL)
        self.number += 1
        self._row.append(line)
        return line

    def begin_row(self) -> None:
        self._row = []

    def row(self, values: list[str] | None, reason: str = "") -> _Row:
        """The row read since begin_row; set aside, whatever its values, where it is not text."""
        text = "".join(self._row).rstrip("\r\n")
        reason = self.not_text(text) or reason
        return _Row(self.number - len(self._row) + 1, text, None if reason else values, reason)

    def not_text(self, text: str) -> str:
        """Why a piece of the file is not text; "" where it is."""
        if text.isascii() or not (found := _NOT_TEXT.search(text)):
            return ""
        if found.group() == _NUL:
            return "a NUL byte: not text, or text in UTF-16 (set input.encoding=utf-16)"
        byte, encoding = ord(found.group()) & 0xFF, self.encoding.removesuffix("-sig")
        return (
            f"byte 0x{byte:02x} is not {encoding}; if the whole file is in another encoding, "
            "name it with input.encoding"
        )

    def open_quote(self) -> int:
        """The number of the line where a quote opened that was never closed."""
        # Whatever follows it are doubled quotes, so it is in the last line with a run of odd length.
        odd = [at for at, line in enumerate(self._row) if any(len(run) % 2 for run in re.findall('"+', line))]
        return self.number - len(self._row) + 1 + odd[-1]

    def _broken(self, error: Exception) -> MistakesError:
        return _mistake(
            self.path,
            f"cannot be read past line {self.number}: {error}",
            "The file is damaged or cut short; copy or compress it again.",
        )


class _Reader(Protocol):
    """How the lines of one format become rows."""

    newline: str
    has_header: bool

    def header(self, lines: _Lines) -> list[str]: ...

    def rows(self, lines: _Lines, columns: Sequence[str]) -> Iterator[_Row]: ...


class _Delimited:
    """Rows of values between one-character delimiters, under a header, quoted as RFC 4180 says."""

    newline = ""
    has_header = True

    def __init__(self, delimiter: str):
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise _mistake("", f"the delimiter {delimiter!r} cannot divide columns", "Give one character.")
        self.delimiter = delimiter

    def header(self, lines: _Lines) -> list[str]:
        return self._header(self._parsed(lines), lines)

    def rows(self, lines: _Lines, columns: Sequence[str]) -> Iterator[_Row]:
        parsed = self._parsed(lines)
        header = self._header(parsed, lines)
        order = [header.index(name) if name in header else None for name in columns]
        as_it_lies = order == list(range(len(header)))
        for row in parsed:
            if row.values is None:
                yield row
            elif len(row.values) != len(header):
                reason = f"expected {len(header)} columns, found {len(row.values)}"
                yield row._replace(values=None, reason=reason)
            elif as_it_lies:
                yield row
            else:
                yield row._replace(values=["" if at is None else row.values[at] for at in order])

    def _parsed(self, lines: _Lines) -> Iterator[_Row]:
        csv.field_size_limit(FIELD_LIMIT)
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        while True:
            lines.begin_row()
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield lines.row(None, _quoting(error, lines))
                continue
            if len(values) <= 1 and not "".join(values).strip():
                row = lines.row(values)
                yield row if row.text.strip() else row._replace(values=None)
            else:
                yield lines.row(values)

    def _header(self, parsed: Iterator[_Row], lines: _Lines) -> list[str]:
        row = next((row for row in parsed if row.values is not None or row.reason), None)
        if row is None:
            raise _mistake(lines.path, "no header: the file is empty", "Its first line names the columns.")
        where = f"{lines.path} line {row.number}"
        if row.values is None:
            raise _mistake(where, f"the header cannot be read: {row.reason}")
        names = [name.strip() for name in row.values]
        mistakes = []
        if "" in names:
            empty = ", ".join(str(at) for at, name in enumerate(names, 1) if not name)
            mistakes.append(Mistake(where, f"no name for column {empty}", "Name every column."))
        twice = sorted({name for name in names if name and names.count(name) > 1})
        if twice:
            what = f"more than one column is named {', '.join(map(repr, twice))}"
            mistakes.append(Mistake(where, what, "Give every column a name of its own."))
        if mistakes:
            raise MistakesError(mistakes)
        return names


def _quoting(error: csv.Error, lines: _Lines) -> str:
    if lines.ended:
        return f"the quote opened on line {lines.open_quote()} is never closed; the rest of the file is in it"
    if "field limit" in str(error):
        return f"a field of more than {FIELD_LIMIT} characters; is a quote before it never closed?"
    return f"a quote is neither doubled nor at the end of its value ({error})"


class _Number(str):
    """A JSON number as it was written: no digit of a long id is lost, 1.50 stays 1.50."""

    __slots__ = ()


class _JsonLines:
    """One JSON object a line."""

    newline = "\n"
    has_header = True

    def header(self, lines: _Lines) -> list[str]:
        names: dict[str, None] = {}
        first, any_object = "", False
        for row, value in self._objects(lines):
            first = first or row.text.strip()
            if value is not None:
                any_object = True
                names.update(dict.fromkeys(value))
        if not first:
            raise _mistake(lines.path, "no header: the file is empty", "Give one JSON object a line.")
        if not any_object:
            what = "a JSON array, not lines" if first.startswith("[") else "no line is a JSON object"
            raise _mistake(
                lines.path, what, "Give one JSON object a line, for example with: jq -c '.[]' or jq -c ."
            )
        return list(names)

    def rows(self, lines: _Lines, columns: Sequence[str]) -> Iterator[_Row]:
        for row, value in self._objects(lines):
            if value is None:
                yield row
                continue
            try:
                values = [_item_text(value.get(name)) for name in columns]
            except RecursionError:
                yield row._replace(reason="JSON nested too deeply")
                continue
            if bad := _NOT_TEXT.search("".join(values)):
                yield row._replace(reason=f"\\u{ord(bad.group()):04x} by itself is not a character of a text")
            else:
                yield row._replace(values=values)

    def _objects(self, lines: _Lines) -> Iterator[tuple[_Row, dict[str, Any] | None]]:
        lines.begin_row()
        for line in lines:
            value, reason = None, ""
            if line.strip():
                value, reason = _json_object(line)
            row = lines.row(None, reason)
            yield row, None if row.reason else value
            lines.begin_row()


def _json_object(line: str) -> tuple[dict[str, Any] | None, str]:
    """The object of a line, or the reason why there is none."""
    try:
        value = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        return None, f"not JSON: {error.msg} at character {error.pos + 1}"
    except RecursionError:
        return None, "JSON nested too deeply"
    except ValueError as error:
        return None, str(error)
    if not isinstance(value, dict):
        return None, "JSON, but not an object with a key for every column"
    for name in value:
        if not name or _NOT_TEXT.search(name):
            return None, f"the key {name!a} cannot name a column"
    return value, ""


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!a} is there twice in one object")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"not JSON: {name} is no JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once_each, parse_float=_Number, parse_int=_Number, parse_constant=_refuse_constant
)


def _item_text(value: Any) -> str:
    """A JSON value as an item: "" for null, text as it is, all else as compact JSON."""
    if value is None:
        return ""
    return str(value) if isinstance(value, str) else _compact(value)


def _compact(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_compact(name)}:{_compact(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class _PlainLines:
    """Headerless lines, split as the jobs split the UTF-8 lines that they read as they lie."""

    newline = "\n"
    has_header = False

    def __init__(self, delimiter_regex: str):
        try:
            self._split = splitter(delimiter_regex)
        except ValueError as error:
            raise _mistake("", str(error)) from None

    def header(self, lines: _Lines) -> list[str]:
        raise _mistake(lines.path, "lines have no header", "Name the columns in the schema.")

    def rows(self, lines: _Lines, columns: Sequence[str]) -> Iterator[_Row]:
        lines.begin_row()
        for line in lines:
            text = line.removesuffix("\n").removesuffix("\r")
            values, reason = None, ""
            if text.strip():
                values = self._split(text)
                if columns and len(values) != len(columns):
                    reason = f"expected {len(columns)} columns, found {len(values)}"
            yield lines.row(values, reason)
            lines.begin_row()


_READERS: dict[str, Callable[[str], _Reader]] = {
    "csv": lambda delimiter: _Delimited(delimiter or ","),
    "tsv": lambda delimiter: _Delimited(delimiter or "\t"),
    "jsonl": lambda delimiter: _JsonLines(),
    "lines": lambda delimiter: _PlainLines(delimiter or ","),
}


def _reader(format: str, delimiter: str) -> _Reader:
    if format not in _READERS:
        raise _mistake("", f"unknown input format {format!r}", f"Known: {', '.join(_READERS)}.")
    return _READERS[format](delimiter)


def _open(path: FilePath) -> Any:
    """The bytes of a file, decompressed where they begin as gzip or bzip2 does."""
    path = Path(path)
    if path.is_dir():
        raise _mistake(path, "a folder", "Give the files in it.")
    try:
        with open(path, "rb") as file:
            start = file.read(10)
        if start.startswith(b"\x1f\x8b"):
            return gzip.open(path, "rb")
        # The magic of a stream, and of its first block or its end.
        if re.match(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", start):
            return bz2.open(path, "rb")
        return open(path, "rb")
    except OSError as error:
        raise _mistake(path, f"cannot be read: {error.strerror}") from None


def _shown(text: str) -> str:
    """The text of a row set aside: a byte that is not text as \\xNN."""
    if text.isascii():
        return text
    return _NOT_TEXT.sub(lambda c: "\0" if c.group() == _NUL else f"\\x{ord(c.group()) & 0xFF:02x}", text)


def _mistake(where: object, what: str, right: str = "") -> MistakesError:
    return MistakesError([Mistake(str(where), what, right)])
