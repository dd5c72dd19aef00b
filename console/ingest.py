"""Files whose lines cannot be split safely across a cluster become record lines, once.

in   csv, tsv (a header, RFC 4180 quotes), jsonl, or headerless lines in another encoding than UTF-8;
     plain, gzip or bzip2, as the first bytes say
out  a record line for every row, and the rows set aside, each with its line number and the reason

Rows are streamed: memory is that of the longest row. A bad row never stops the rest.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from pehchan.console.json_lines import item_text, json_objects
from pehchan.console.text_lines import NOT_TEXT, FilePath, Lines, Row, mistake, shown
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.metadata.records import Record, Rejected, encode_record, splitter

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
    with Lines(path, encoding, reader.newline) as lines:
        return reader.header(lines)


def sample_rows(
    path: FilePath, format: str, encoding: str = "utf-8", count: int = 1000, delimiter: str = ""
) -> list[list[str]]:
    """The first `count` good rows, in the column order of read_header, to guess a schema from.

    The first rows and not a random choice: a file that is sorted by a column gives a one-sided sample.
    """
    reader = _reader(format, delimiter)
    columns = read_header(path, format, encoding, delimiter) if reader.has_header else ()
    with Lines(path, encoding, reader.newline) as lines:
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
    with Lines(path, encoding, reader.newline) as lines:
        for row in reader.rows(lines, columns):
            if len(good) + len(aside) == count:
                return Head(good, aside, size, whole=False)
            size += len(row.text.encode(lines.encoding, "replace")) + 1
            if row.values is not None:
                good.append(row.values)
            elif row.reason:
                aside.append(row.reason)
    return Head(good, aside, size, whole=True)


def read_values(
    path: FilePath, format: str, encoding: str, columns: Sequence[str], delimiter: str = ""
) -> Iterator[Row]:
    """All rows, items in the order of `columns`, as `ingest` has them."""
    reader = _reader(format, delimiter)
    with Lines(path, encoding, reader.newline) as lines:
        yield from reader.rows(lines, columns)


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
    with Lines(path, encoding, reader.newline) as lines:
        for row in reader.rows(lines, columns):
            if row.values is not None:
                out.write(encode_record(Record(set_name, "", row.values)) + b"\n")
                records += 1
            elif row.reason:
                rejected.write(Rejected(shown(row.text), str(path), row.reason, row.number).encode() + b"\n")
                set_aside += 1
            else:
                blank += 1
    return IngestCounts(records, set_aside, blank)


class _Reader(Protocol):
    """How the lines of one format become rows."""

    newline: str
    has_header: bool

    def header(self, lines: Lines) -> list[str]: ...

    def rows(self, lines: Lines, columns: Sequence[str]) -> Iterator[Row]: ...


class _Delimited:
    """Rows of values between one-character delimiters, under a header, quoted as RFC 4180 says."""

    newline = ""
    has_header = True

    def __init__(self, delimiter: str):
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise mistake("", f"the delimiter {delimiter!r} cannot divide columns", "Give one character.")
        self.delimiter = delimiter

    def header(self, lines: Lines) -> list[str]:
        return self._header(self._parsed(lines), lines)

    def rows(self, lines: Lines, columns: Sequence[str]) -> Iterator[Row]:
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

    def _parsed(self, lines: Lines) -> Iterator[Row]:
        return delimited_rows(lines, csv.reader(lines, delimiter=self.delimiter, strict=True))

    def _header(self, parsed: Iterator[Row], lines: Lines) -> list[str]:
        row = next((row for row in parsed if row.values is not None or row.reason), None)
        if row is None:
            raise mistake(lines.path, "no header: the file is empty", "Its first line names the columns.")
        where = f"{lines.path} line {row.number}"
        if row.values is None:
            raise mistake(where, f"the header cannot be read: {row.reason}")
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


def delimited_rows(lines: Lines, reader: Iterator[list[str]]) -> Iterator[Row]:
    """The rows of a csv.reader over these lines, a strict one; those that it refuses are set aside."""
    csv.field_size_limit(FIELD_LIMIT)
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


def _quoting(error: csv.Error, lines: Lines) -> str:
    if lines.ended:
        return f"the quote opened on line {lines.open_quote()} is never closed; the rest of the file is in it"
    if "field limit" in str(error):
        return f"a field of more than {FIELD_LIMIT} characters; is a quote before it never closed?"
    return f"a quote is neither doubled nor at the end of its value ({error})"


class _JsonLines:
    """One JSON object a line."""

    newline = "\n"
    has_header = True

    def header(self, lines: Lines) -> list[str]:
        names: dict[str, None] = {}
        first, any_object = "", False
        for row, value in json_objects(lines):
            first = first or row.text.strip()
            if value is not None:
                any_object = True
                names.update(dict.fromkeys(value))
        if not first:
            raise mistake(lines.path, "no header: the file is empty", "Give one JSON object a line.")
        if not any_object:
            what = "a JSON array, not lines" if first.startswith("[") else "no line is a JSON object"
            raise mistake(
                lines.path, what, "Give one JSON object a line, for example with: jq -c '.[]' or jq -c ."
            )
        return list(names)

    def rows(self, lines: Lines, columns: Sequence[str]) -> Iterator[Row]:
        for row, value in json_objects(lines):
            if value is None:
                yield row
                continue
            try:
                values = [item_text(value.get(name)) for name in columns]
            except RecursionError:
                yield row._replace(reason="JSON nested too deeply")
                continue
            if bad := NOT_TEXT.search("".join(values)):
                yield row._replace(reason=f"\\u{ord(bad.group()):04x} by itself is not a character of a text")
            else:
                yield row._replace(values=values)


class _PlainLines:
    """Headerless lines, split as the jobs split the UTF-8 lines that they read as they lie."""

    newline = "\n"
    has_header = False

    def __init__(self, delimiter_regex: str):
        try:
            self._split = splitter(delimiter_regex)
        except ValueError as error:
            raise mistake("", str(error)) from None

    def header(self, lines: Lines) -> list[str]:
        raise mistake(lines.path, "lines have no header", "Name the columns in the schema.")

    def rows(self, lines: Lines, columns: Sequence[str]) -> Iterator[Row]:
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
        raise mistake("", f"unknown input format {format!r}", f"Known: {', '.join(_READERS)}.")
    return _READERS[format](delimiter)
