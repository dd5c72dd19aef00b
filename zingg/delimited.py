"""csv as Spark reads and writes it: no header and a comma where nothing else is asked for, `\\` before a quote.

Within quotes the escape stands before a quote or before itself; elsewhere it is a character as any other. A doubled
quote is read as one, too, which Spark does only where the escape is the quote. An empty value is a missing one,
in quotes or not.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pehchan.console.ingest import delimited_rows
from pehchan.console.text_lines import Lines, Row
from pehchan.metadata.mistakes import Mistake, Mistakes, MistakesError
from pehchan.zingg.configuration import Column, Pipe
from pehchan.zingg.data_types import report_twice
from pehchan.zingg.extras import library
from pehchan.zingg.options import Options
from pehchan.zingg.spooling import SourceRow
from pehchan.zingg.values import floating_text, text

pa = library("pyarrow")
compute = library("pyarrow.compute")

#: Props that are read, and Spark's that change nothing here.
PROPS = ("delimiter", "sep", "header", "quote", "escape", "encoding", "charset", "nullValue")
_WITHOUT_EFFECT = ("multiLine", "inferSchema", "enforceSchema", "mode")

# Stand for an escaped escape and an escaped quote until the columns are parted; no text holds them.
_ESCAPED_ESCAPE, _ESCAPED_QUOTE = "\udffd", "\udffe"


@dataclass(frozen=True)
class Dialect:
    """How values lie in lines; escape "" for none but doubled quotes, quote "" for no quotes at all."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = "\\"
    header: bool = False
    encoding: str = "utf-8"
    null: str = ""

    def parted(self, lines: Lines) -> Iterator[Row]:
        """The rows of a file, their values as text."""
        if not self.quote:
            yield from delimited_rows(
                lines, csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, strict=True)
            )
            return
        source: Iterable[str] = self._marked(lines) if self.escape else lines
        reader = csv.reader(source, delimiter=self.delimiter, quotechar=self.quote, strict=True)
        for row in delimited_rows(lines, reader):
            if self.escape and row.values is not None and self.escape in row.text:
                row = row._replace(values=self._unescaped(row))
            yield row

    def _marked(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines with marks in the place of escaped escapes and quotes."""
        escape = self.escape
        both = re.compile(f"{re.escape(escape)}([{re.escape(escape)}{re.escape(self.quote)}])")
        for line in lines:
            if escape in line:
                line = both.sub(lambda m: _ESCAPED_ESCAPE if m[1] == escape else _ESCAPED_QUOTE, line)
            yield line

    def _unescaped(self, row: Row) -> list[str]:
        """The values of a row: those in quotes without their escapes, others as they lie there."""
        marked = next(iter(self._marked([row.text])))
        values = []
        at = 0
        for value in row.values or ():
            quoted = marked.startswith(self.quote, at)
            # A quote in quotes was doubled.
            at += len(value) + (2 + value.count(self.quote) if quoted else 0) + len(self.delimiter)
            before = "" if quoted else self.escape
            value = value.replace(_ESCAPED_ESCAPE, before + self.escape)
            values.append(value.replace(_ESCAPED_QUOTE, before + self.quote))
        return values

    def line_ends(self, values: Sequence[Any]) -> Any:
        """Columns of text, None where missing, as an array of lines without their ends."""
        # A lone value may be all that is on its line, and a blank line is no row.
        parts = [self._quoted(column, always=len(values) == 1) for column in values]
        return compute.binary_join_element_wise(*parts, self.delimiter)

    def _quoted(self, column: Any, always: bool) -> Any:
        missing = compute.is_null(column)
        quote, escape = self.quote, self.escape or self.quote
        if quote:
            inside = column
            if escape != quote:
                inside = compute.replace_substring(inside, escape, escape * 2)
            inside = compute.replace_substring(inside, quote, escape + quote)
            inside = compute.binary_join_element_wise(pa.scalar(quote), inside, pa.scalar(quote), "")
            special = "[" + "".join(re.escape(c) for c in (self.delimiter, quote, "\r", "\n")) + "]"
            needs = compute.match_substring_regex(column, special)
            # An empty text is not written as nothing, which a missing value is.
            needs = compute.or_(needs, compute.equal(column, ""))
            column = inside if always else compute.if_else(needs, inside, column)
        return compute.if_else(missing, pa.scalar(self.null), column)


def dialect_of(pipe: Pipe) -> Dialect:
    """How the lines of a csv or tsv pipe are to be read or written."""
    options = Options(pipe)
    delimiter = options.get("delimiter", "sep", default="\t" if pipe.format == "tsv" else ",")
    quote = options.get("quote", default='"')
    escape = options.get("escape", default="\\")
    return Dialect(
        delimiter="\t" if delimiter == "\\t" else delimiter,
        quote="" if quote in ("\0", "\\0") else quote,
        escape="" if escape in (quote, "\0", "\\0") else escape,
        header=options.yes("header"),
        encoding=options.get("encoding", "charset", default="utf-8"),
        null=options.get("nullValue"),
    )


def check_dialect(pipe: Pipe, mistakes: Mistakes) -> None:
    """Add what is wrong with how a csv or tsv pipe says its lines are."""
    options = Options(pipe)
    options.check_yes_no(mistakes, "header")
    options.warn_unused((*PROPS, *_WITHOUT_EFFECT), mistakes)
    dialect = dialect_of(pipe)
    where = f"{options.where}.props"
    if len(dialect.delimiter) != 1 or dialect.delimiter in '"\r\n\0':
        what = f"the delimiter {dialect.delimiter!r} cannot divide columns."
        mistakes.add(f"{where}.delimiter", what, "Give one character; a tab is \\t.")
    for name, value in (("quote", dialect.quote), ("escape", dialect.escape)):
        if len(value) > 1 or (value and (value in "\r\n" or value == dialect.delimiter)):
            mistakes.add(f"{where}.{name}", f"{value!r} cannot be the {name}.", "Give one other character.")
    try:
        "".encode(dialect.encoding)
    except LookupError:
        what = f"no text encoding is named {dialect.encoding!r}."
        mistakes.add(f"{where}.encoding", what, "Known are Python's, for example utf-8, latin-1, cp1252.")
    if options.yes("inferSchema") and pipe.schema is None:
        mistakes.warn(where, "inferSchema is not followed: all columns are text.", "Give a schema.")


def csv_source(pipe: Pipe, files: Sequence[Path]) -> tuple[tuple[Column, ...], Iterator[SourceRow]]:
    """The columns of csv files, by the schema, the header or the number of values; and their rows, by position."""
    dialect = dialect_of(pipe)
    where = Options(pipe).where
    first = _first_values(dialect, files)
    columns = pipe.schema
    if columns is None:
        names = (
            [name.strip() for name in first]
            if dialect.header
            else [f"_c{number}" for number in range(len(first))]
        )
        mistakes = Mistakes()
        _check_header(names, f"{where}: the header of {files[0]}", mistakes)
        mistakes.raise_if_any()
        columns = tuple(Column(name) for name in names)
    elif dialect.header:
        _check_order(first, columns, f"{files[0]}")
    return columns, _rows(dialect, files, columns, first if dialect.header else None)


def _first_values(dialect: Dialect, files: Sequence[Path]) -> list[str]:
    for file in files:
        with Lines(file, dialect.encoding, "") as lines:
            for row in dialect.parted(lines):
                if row.values is not None:
                    return row.values
                if row.reason and dialect.header:
                    raise MistakesError([Mistake(f"{file} line {row.number}", f"no header: {row.reason}.")])
    return []


def _check_header(names: Sequence[str], where: str, mistakes: Mistakes) -> None:
    if not names:
        mistakes.add(where, "the columns have no names, and the file is empty.", "Give the pipe a schema.")
    empty = ", ".join(str(number) for number, name in enumerate(names, 1) if not name)
    if empty:
        mistakes.add(where, f"no name for column {empty}.", "Name every column, or give the pipe a schema.")
    report_twice([name for name in names if name], where, mistakes)


def _check_order(header: Sequence[str], columns: Sequence[Column], where: str) -> None:
    """Refuse a schema that has the columns of the header in another order: it would shift them."""
    schema = [column.name.lower() for column in columns]
    found = [name.strip().lower() for name in header]
    if sorted(schema) == sorted(found) and schema != found:
        what = "the header has the columns of the schema in another order, and a schema goes by position."
        raise MistakesError([Mistake(where, what, f"The header says: {', '.join(header)}.")])


def _rows(
    dialect: Dialect, files: Sequence[Path], columns: Sequence[Column], header: list[str] | None
) -> Iterator[SourceRow]:
    missing = {"", dialect.null}
    width = len(columns)
    for file in files:
        path = str(file)
        with Lines(file, dialect.encoding, "") as lines:
            rows = dialect.parted(lines)
            if header is not None:
                _skip_header(rows, header, path)
            for number, line, values, reason in rows:
                if values is None:
                    yield SourceRow(path, number, line, None, reason)
                elif len(values) != width:
                    reason = f"expected {width} columns, found {len(values)}"
                    yield SourceRow(path, number, line, None, reason)
                else:
                    yield SourceRow(path, number, line, [None if v in missing else v for v in values])


def _skip_header(rows: Iterator[Row], header: list[str], path: str) -> None:
    first = next((row for row in rows if row.values is not None or row.reason), None)
    if first is not None and first.values != header:
        what = f"its header is not that of the first file: {first.text}"
        raise MistakesError(
            [Mistake(f"{path} line {first.number}", what, f"That says: {', '.join(header)}.")]
        )


def write_csv(batches: Iterable[Any], schema: Any, file: Path, pipe: Pipe) -> None:
    """Write pyarrow.RecordBatches as csv, each a line: true and false, 2024-02-29, 1.5; missing ones are nothing."""
    dialect = dialect_of(pipe)
    with open(file, "w", encoding=dialect.encoding, newline="") as out:
        if dialect.header:
            names = [pa.array([name], pa.string()) for name in schema.names]
            out.write(dialect.line_ends(names)[0].as_py() + "\n")
        for batch in batches:
            lines = dialect.line_ends([as_text(column) for column in batch.columns]).to_pylist()
            if len(batch.columns) == 1:
                lines = [line or dialect.quote * 2 for line in lines]
            out.writelines(f"{line}\n" for line in lines)


def as_text(column: Any) -> Any:
    """A pyarrow column as its text in csv."""
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_floating(kind) and not pa.types.is_float64(kind):
        # The shortest digits that stand for a number of this size, not those of the wider one.
        values = [
            None if value is None else floating_text(float(str(value)))
            for value in (v if v is None else kind.to_pandas_dtype()(v) for v in column.to_pylist())
        ]
        return pa.array(values, pa.string())
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return compute.cast(column, pa.string())
    return pa.array([None if value is None else text(value) for value in column.to_pylist()], pa.string())
