"""The records of pipes, each read once, and numbered through all of them.

Every pipe becomes a Parquet file in a folder of the run, its columns and types kept. z_zid is the number of a row
from 0, through the pipes in their order.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pehchan.metadata.mistakes import Mistakes, nearest
from pehchan.zingg.configuration import FieldDefinition, Pipe
from pehchan.zingg.extras import library
from pehchan.zingg.reading import read_pipe

pa = library("pyarrow")
parquet = library("pyarrow.parquet")

#: Rows that are in memory at a time.
ROWS = 50_000


@dataclass(frozen=True)
class Source:
    """The records of a pipe.

    first  z_zid of the first
    rows   how many there are
    """

    pipe: Pipe
    path: Path
    schema: pa.Schema
    first: int
    rows: int

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The rows in their order, some at a time, each time with the z_zid of the first of them."""
        at = self.first
        with parquet.ParquetFile(self.path) as file:
            for batch in file.iter_batches(ROWS, columns=None if columns is None else list(columns)):
                yield at, batch
                at += len(batch)


@dataclass(frozen=True)
class Sources:
    """The records of all pipes."""

    each: tuple[Source, ...]

    @property
    def rows(self) -> int:
        return sum(source.rows for source in self.each)

    def schema(self, fields: Sequence[FieldDefinition]) -> pa.Schema:
        """The columns of all pipes: those of the fields in their order, then others as they come."""
        others = [column.name for source in self.each for column in source.schema]
        return self.schema_of(list(dict.fromkeys([*(each.name for each in fields), *others])))

    def take(self, numbers: Sequence[int], columns: Sequence[str]) -> "pa.Table":
        """The rows with these z_zid, in their order, which rises: these columns, and z_zsource."""
        parts = []
        wanted = np.asarray(numbers, dtype=np.int64)
        for source in self.each:
            end = source.first + source.rows
            if not ((wanted >= source.first) & (wanted < end)).any():
                continue
            for start, batch in source.batches(columns):
                here = wanted[(wanted >= start) & (wanted < start + len(batch))] - start
                some = in_columns(batch.take(pa.array(here)), self.schema_of(columns))
                names = pa.array([source.pipe.name] * len(here), pa.string())
                parts.append(some.append_column("z_zsource", names))
        if not parts:
            schema = self.schema_of(columns).append(pa.field("z_zsource", pa.string()))
            return schema.empty_table()
        return pa.Table.from_batches(parts)

    def schema_of(self, columns: Sequence[str]) -> "pa.Schema":
        """Of some of the columns."""
        types = {column.name: column.type for source in reversed(self.each) for column in source.schema}
        return pa.schema([(name, types[name]) for name in columns])


def in_columns(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with the columns of a schema; nulls in those that it lacks."""
    columns = [
        batch.column(column.name) if column.name in batch.schema.names else pa.nulls(len(batch), column.type)
        for column in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def read_pipes(
    pipes: Sequence[Pipe],
    fields: Sequence[FieldDefinition],
    folder: Path,
    kept: Path,
    tell: Callable[[str], None],
) -> Sources:
    """Read pipes into a folder, which is made. Rows that are set aside are kept in another one, and told.

    Raises MistakesError where a pipe cannot be read, lacks a column of the fields, or has one of another type than
    the pipes before it.
    """
    folder.mkdir(parents=True)
    sources: list[Source] = []
    mistakes = Mistakes()
    first = 0
    for number, pipe in enumerate(pipes):
        path = folder / f"{number}.parquet"
        rejected = folder / f"{number}-rejected.jsonl"
        with open(rejected, "wb") as aside:
            counts = read_pipe(pipe, path, aside)
        if counts.rejected:
            kept.mkdir(parents=True, exist_ok=True)
            rejected = Path(shutil.copy(rejected, kept / rejected.name))
            _tell_aside(pipe, counts.rejected, rejected, tell)
        with parquet.ParquetFile(path) as file:
            source = Source(pipe, path, file.schema_arrow, first, file.metadata.num_rows)
        _check(source, sources, fields, mistakes)
        sources.append(source)
        first += source.rows
    mistakes.raise_if_any()
    return Sources(tuple(sources))


def _tell_aside(pipe: Pipe, number: int, rejected: Path, tell: Callable[[str], None]) -> None:
    with open(rejected, "rb") as lines:
        first = json.loads(next(lines))
    rows = "1 row was" if number == 1 else f"{number:,} rows were"
    line = f" line {first['line_number']}" if "line_number" in first else ""
    tell(
        f'pipe "{pipe.name}": {rows} set aside, with the reasons in {rejected}; the first is {first["file"]}{line}: '
        f"{first['reason']}"
    )


def _check(
    source: Source, before: Sequence[Source], fields: Sequence[FieldDefinition], mistakes: Mistakes
) -> None:
    names = source.schema.names
    for each in fields:
        if each.name not in names:
            what = f'pipe "{source.pipe.name}" has no column "{each.name}", which fieldDefinition names.'
            mistakes.add(source.pipe.where, what, nearest(each.name, names))
    for column in source.schema:
        for other in before:
            if column.name in other.schema.names and other.schema.field(column.name).type != column.type:
                what = (
                    f'column "{column.name}" is {column.type} in pipe "{source.pipe.name}", and '
                    f'{other.schema.field(column.name).type} in "{other.pipe.name}".'
                )
                mistakes.add(source.pipe.where, what, "Give both a schema with the same type.")
                break
