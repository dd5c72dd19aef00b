"""Workbooks (.xlsx), a sheet of them, under a header where nothing else is said."""

import math
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timezone
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from pehchan.console.output import RunError
from pehchan.metadata.mistakes import Mistake, Mistakes, MistakesError, nearest
from pehchan.zingg.configuration import Column, Pipe
from pehchan.zingg.data_types import report_twice
from pehchan.zingg.extras import library
from pehchan.zingg.options import Options
from pehchan.zingg.spooling import SourceRow, guess_columns
from pehchan.zingg.values import text

PROPS = ("header", "useHeader", "dataAddress", "sheetName", "sheet", "inferSchema")

#: What fits into a sheet and a cell of it.
ROWS, COLUMNS, CHARACTERS = 1 << 20, 1 << 14, (1 << 15) - 1
# Workbooks number their days from 1900, in which they see a leap year; from here on all agree.
_FIRST_DAY = date(1900, 3, 1)
#: Digits that a number of a workbook keeps in other programs.
_EXACT = 10**15
# Characters that XML does not keep stand in a cell as _x and their code; what only looks so has its line escaped.
_NOT_IN_XML = re.compile("[\0-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_ADDRESS = re.compile(
    r"(?:(?:'((?:[^']|'')+)'|([^'!]+))!)?(\$?[A-Za-z]+\$?[0-9]+)?(?::(\$?[A-Za-z]+\$?[0-9]+))?"
)


class _Area(NamedTuple):
    """A part of a sheet, "" for the first one; numbers from 1, None for no end."""

    sheet: str
    row: int = 1
    column: int = 1
    last_row: int | None = None
    last_column: int | None = None


def check_excel(pipe: Pipe, mistakes: Mistakes) -> None:
    """Add what is wrong with how a pipe names a part of a workbook."""
    options = Options(pipe)
    options.check_yes_no(mistakes, "header", "useHeader")
    options.warn_unused(PROPS, mistakes)
    if not _ADDRESS.fullmatch(options.get("dataAddress")):
        what = f'"{options.get("dataAddress")}" is no place in a workbook.'
        mistakes.add(
            f"{options.where}.props.dataAddress", what, "'My sheet'!B3 is one, 'My sheet'!B3:F35 another."
        )


def _area(pipe: Pipe) -> _Area:
    options = Options(pipe)
    sheet = options.get("sheet", "sheetName")
    found = _ADDRESS.fullmatch(options.get("dataAddress"))
    if not found or not found.group():
        return _Area(sheet)
    utils = library("openpyxl.utils")
    sheet = found[1].replace("''", "'") if found[1] else found[2] or sheet
    first = (found[3] or "A1").replace("$", "").upper()
    last = (found[4] or "").replace("$", "").upper()
    left, top, right, bottom = utils.range_boundaries(f"{first}:{last}" if last else first)
    return _Area(sheet, top, left, bottom if last else None, right if last else None)


def excel_source(pipe: Pipe, files: Sequence[Path]) -> tuple[tuple[Column, ...], Iterator[SourceRow]]:
    """The columns of workbooks, by the schema, or by the header and all cells; and their rows, by position."""
    has_header = Options(pipe).yes("header", "useHeader", default=True)
    area = _area(pipe)
    names: list[str] | None = None
    for file in files:
        found = _names(file, area, has_header)
        if names is not None and found != names:
            what = f"its header is not that of the first file: {', '.join(found)}"
            raise MistakesError([Mistake(str(file), what, f"That says: {', '.join(names)}.")])
        names = found
    columns = pipe.schema
    if columns is None:
        mistakes = Mistakes()
        if not names:
            mistakes.add(str(files[0]), "the sheet is empty.", "Its first row names the columns.")
        report_twice(names or [], str(files[0]), mistakes)
        mistakes.raise_if_any()
        rows = (row.values for row in _rows(files, area, has_header, len(names or [])) if row.values)
        columns = guess_columns(names or [], rows)
    return columns, _rows(files, area, has_header, len(columns))


@contextmanager
def _sheet(file: Path, wanted: str) -> Iterator[Any]:
    openpyxl = library("openpyxl")
    try:
        # Opened here, so that a name does not matter.
        with open(file, "rb") as opened:
            book = openpyxl.load_workbook(opened, read_only=True, data_only=True)
            if wanted and wanted not in book.sheetnames:
                what = f'no sheet is named "{wanted}".'
                raise MistakesError([Mistake(str(file), what, nearest(wanted, book.sheetnames))])
            yield book[wanted] if wanted else book.worksheets[0]
    except MistakesError:
        raise
    except (
        OSError,
        LookupError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
        ElementTree.ParseError,
    ) as error:
        what = f"cannot be read as a workbook: {error}"
        right = "Workbooks are .xlsx files; is it damaged, cut short, or an older .xls?"
        raise MistakesError([Mistake(str(file), what, right)]) from None


def _cells(file: Path, area: _Area) -> Iterator[tuple[int, list[Any]]]:
    """The number of each row and the cells in it: those behind the last one with a value are left out."""
    with _sheet(file, area.sheet) as sheet:
        sheet.reset_dimensions()
        rows = sheet.iter_rows(area.row, area.last_row, area.column, area.last_column)
        for number, row in enumerate(rows, area.row):
            cells = list(row)
            while cells and cells[-1].value in (None, ""):
                cells.pop()
            yield number, cells


def _names(file: Path, area: _Area, has_header: bool) -> list[str]:
    """What the columns are called; without a header they are numbered, as many as the longest row has."""
    if not has_header:
        width = max((len(cells) for _, cells in _cells(file, area)), default=0)
        return [f"_c{number}" for number in range(width)]
    for number, cells in _cells(file, area):
        if cells:
            names = [text(cell.value).strip() if cell.value is not None else "" for cell in cells]
            if "" in names:
                what = f"no name for column {names.index('') + area.column}."
                raise MistakesError([Mistake(f"{file} row {number}", what, "Name every column.")])
            return names
    return []


def _rows(files: Sequence[Path], area: _Area, has_header: bool, width: int) -> Iterator[SourceRow]:
    for file in files:
        skip = has_header
        for number, cells in _cells(file, area):
            if not cells:
                yield SourceRow(str(file), number, "", None)
                continue
            if skip:
                skip = False
                continue
            values = [_value(cell) for cell in cells] + [None] * (width - len(cells))
            reason = ""
            if len(cells) > width:
                reason = f"expected {width} columns, found {len(cells)}"
            elif broken := [cell for cell in cells if cell.data_type == "e"]:
                reason = f"the cell {broken[0].coordinate} holds the error {broken[0].value}"
            shown = "\t".join("" if value is None else text(value) for value in values)
            yield SourceRow(str(file), number, shown, None if reason else values, reason)


def _value(cell: Any) -> Any:
    value = cell.value
    if value == "":
        return None
    if isinstance(value, time):
        return value.isoformat()
    if (
        isinstance(value, datetime)
        and value.time() == time()
        and not re.search("[hs]", cell.number_format or "")
    ):
        return value.date()
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), value) if isinstance(value, str) else value


def write_excel(batches: Iterable[Any], schema: Any, file: Path, pipe: Pipe) -> None:
    """Write pyarrow.RecordBatches as a workbook of one sheet. Raises RunError where they do not fit into one."""
    openpyxl = library("openpyxl")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(_area(pipe).sheet or "Sheet1")
    try:
        _fill(sheet, batches, schema, pipe)
    finally:
        sheet.close()
    aside = file.with_name(f"{file.name}.made")
    book.save(aside)
    _timeless(aside, file)
    aside.unlink()


def _fill(sheet: Any, batches: Iterable[Any], schema: Any, pipe: Pipe) -> None:
    rows = 0
    if Options(pipe).yes("header", "useHeader", default=True):
        sheet.append([_cell(sheet, name) for name in schema.names])
        rows += 1
    for batch in batches:
        rows += batch.num_rows
        if rows > ROWS or len(schema.names) > COLUMNS:
            what = f"a sheet holds {ROWS:,} rows and {COLUMNS:,} columns, and these are more."
            raise RunError(f"{Options(pipe).where}: {what}\n  Give the format csv or parquet.")
        for row in batch.to_pylist():
            sheet.append([_cell(sheet, value) for value in row.values()])


def _cell(sheet: Any, value: Any) -> Any:
    if isinstance(value, datetime):
        value = value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
        fits = value.date() >= _FIRST_DAY and not value.microsecond
    elif isinstance(value, date):
        fits = value >= _FIRST_DAY
    elif isinstance(value, float) and math.isfinite(value):
        # openpyxl leaves the last digit out.
        return _typed(sheet, repr(value), "n")
    else:
        fits = value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < _EXACT)
    if fits:
        return value
    shown = text(value)
    if len(shown) > CHARACTERS:
        raise RunError(
            f"a cell of a workbook holds {CHARACTERS:,} characters, and this is longer: {shown[:60]}…"
        )
    escaped = _NOT_IN_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", shown)
    # Not a formula, whatever it begins with.
    return _typed(sheet, escaped, "s")


def _typed(sheet: Any, value: str, kind: str) -> Any:
    cell = library("openpyxl.cell").WriteOnlyCell(sheet, value)
    cell.data_type = kind
    return cell


def _timeless(made: Path, file: Path) -> None:
    """Copy a workbook without the time at which it was made: the same content is the same bytes."""
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with source.open(name) as content, copy.open(entry, "w", force_zip64=True) as out:
                if name == "docProps/core.xml":
                    times = rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*"
                    out.write(re.sub(times, rb"\g<1>2000-01-01T00:00:00Z", content.read()))
                    continue
                while chunk := content.read(1 << 20):
                    out.write(chunk)
