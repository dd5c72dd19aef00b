"""Rows from anywhere become a spool file, with the types of their columns, or are set aside with a reason."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from pehchan.console.ingest import IngestCounts
from pehchan.console.text_lines import shown
from pehchan.metadata.records import Rejected
from pehchan.zingg.configuration import Column
from pehchan.zingg.data_types import arrow_schema, arrow_type
from pehchan.zingg.extras import library
from pehchan.zingg.values import common_kind, conversion, kind_of, text

pa = library("pyarrow")
parquet = library("pyarrow.parquet")

#: Rows that are brought to their types together, and lie together in the spool.
BATCH_ROWS = 1 << 15


class SourceRow(NamedTuple):
    """A row as its source has it.

    file, number  where it stands, the first line or row has number 1
    text          what to show of it where it is set aside, "" for its values
    values        in the order of the columns, None where missing; None in their place where the row is set aside for
                  a reason, or is blank (no reason)
    """

    file: str
    number: int
    text: str
    values: Sequence[Any] | None
    reason: str = ""


class Spool:
    """A Parquet file of rows in their order; a `with` block ends it."""

    def __init__(self, path: Path, schema: Any):
        self.schema = schema
        self.rows = 0
        self._file = parquet.ParquetWriter(path, schema, compression="zstd")

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, batch: Any) -> None:
        """Add the rows of a pyarrow.RecordBatch of this schema."""
        self.rows += batch.num_rows
        self._file.write_batch(batch)


def spool_rows(
    rows: Iterable[SourceRow],
    columns: Sequence[Column],
    path: Path,
    aside: BinaryIO,
    names: Mapping[str, str] | None = None,
) -> IngestCounts:
    """Write rows to a spool; those that do not fit their columns to `aside`, as `ingest` does.

    names  what to call files by, where it is not the name that they are read under
    """
    rejected = blank = 0
    with Spool(path, arrow_schema(columns)) as spool:
        remaining = iter(rows)
        while some := list(islice(remaining, BATCH_ROWS)):
            good = [row for row in some if row.values is not None]
            reasons = {number: row.reason for number, row in enumerate(some) if row.values is None}
            arrays, misfits = _typed([row.values for row in good if row.values is not None], columns)
            if misfits:
                places = [number for number, row in enumerate(some) if row.values is not None]
                reasons |= {places[number]: reason for number, reason in misfits.items()}
                keep = pa.array([number not in misfits for number in range(len(good))])
                arrays = [array.filter(keep) for array in arrays]
            for number in sorted(reasons):
                row, reason = some[number], reasons[number]
                if not reason:
                    blank += 1
                    continue
                rejected += 1
                line = row.text or "\t".join("" if v is None else text(v) for v in row.values or ())
                file = (names or {}).get(row.file, row.file)
                aside.write(Rejected(shown(line), file, reason, row.number).encode() + b"\n")
            spool.write(pa.record_batch(arrays, schema=spool.schema))
        return IngestCounts(spool.rows, rejected, blank)


def _typed(rows: Sequence[Sequence[Any]], columns: Sequence[Column]) -> tuple[list[Any], dict[int, str]]:
    """The columns as pyarrow arrays, and why rows do not fit: by their number."""
    arrays = []
    misfits: dict[int, str] = {}
    for at, column in enumerate(columns):
        values = [row[at] for row in rows]
        arrow = arrow_type(column.data_type)
        if column.data_type == "string":
            try:
                arrays.append(pa.array(values, arrow))
                continue
            except (pa.ArrowException, TypeError, ValueError):
                # Not all of them are text.
                pass
        convert = conversion(column.data_type)
        for number, value in enumerate(values):
            if value is None:
                continue
            if value == "" and column.data_type not in ("string", "binary"):
                values[number] = None
                continue
            try:
                values[number] = _sound(convert(value))
            except ValueError as error:
                values[number] = None
                misfits.setdefault(number, f'column "{column.name}": {error}')
        arrays.append(pa.array(values, arrow))
    return arrays, misfits


def _sound(value: Any) -> Any:
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"\\u{ord(value[error.start]):04x} by itself is not a character of a text"
            ) from None
    return value


def guess_columns(names: Sequence[str], rows: Iterator[Sequence[Any]]) -> tuple[Column, ...]:
    """The columns with the data types that hold all their values; text where there are no values."""
    kinds: list[set[str]] = [set() for _ in names]
    for values in rows:
        for kind, value in zip(kinds, values, strict=True):
            if value is not None:
                kind.add(kind_of(value))
    return tuple(Column(name, common_kind(kind)) for name, kind in zip(names, kinds, strict=True))
