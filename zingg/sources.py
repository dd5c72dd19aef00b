"""The records of pipes, each read once, and numbered through all of them.

Every pipe becomes a Parquet file in a folder of the run, its columns and types kept. z_zid is the number of a row
from 0, through the pipes in their order.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pehchan.metadata.mistakes import Mistakes, nearest
from pehchan.zingg.configuration import FieldDefinition, Pipe
from pehchan.zingg.reading import read_pipe

#: Rows that are in memory at a time.
ROWS = 50_000


@dataclass(frozen=True)
class Spool:
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
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(ROWS, columns=None if columns is None else list(columns)):
                yield at, batch
                at += len(batch)


@dataclass(frozen=True)
class Spools:
    """The records of all pipes."""

    each: tuple[Spool, ...]

    @property
    def rows(self) -> int:
        return sum(spool.rows for spool in self.each)

    def schema(self, fields: Sequence[FieldDefinition]) -> pa.Schema:
        """The columns of all pipes: those of the fields in their order, then others as they come."""
        types = {column.name: column.type for spool in reversed(self.each) for column in spool.schema}
        others = [column.name for spool in self.each for column in spool.schema]
        names = dict.fromkeys([*(each.name for each in fields), *others])
        return pa.schema([(name, types[name]) for name in names])

    def rows_of(self, numbers: Sequence[int], schema: pa.Schema) -> dict[int, dict[str, object]]:
        """The rows with these z_zid that there are, with the values of the columns of a schema, and z_zsource."""
        wanted = sorted(set(numbers))
        found: dict[int, dict[str, object]] = {}
        for spool in self.each:
            end = spool.first + spool.rows
            if not any(spool.first <= number < end for number in wanted):
                continue
            for start, batch in spool.batches():
                here = [number for number in wanted if start <= number < start + len(batch)]
                some = in_columns(batch.take(pa.array([number - start for number in here], pa.int64())), schema)
                for number, row in zip(here, some.to_pylist(), strict=True):
                    found[number] = {**row, "z_zsource": spool.pipe.name}
        return found


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
    tell: Callable[[str], None] = lambda _: None,
) -> Spools:
    """Read pipes into a folder, which is made. Says how many rows were set aside, and why the first of them.

    Raises MistakesError where a pipe cannot be read, lacks a column of the fields, or has one of another type than
    the pipes before it.
    """
    folder.mkdir(parents=True)
    spools: list[Spool] = []
    mistakes = Mistakes()
    first = 0
    for number, pipe in enumerate(pipes):
        path = folder / f"{number}.parquet"
        read_pipe(pipe, path, folder / f"{number}-aside.jsonl")
        with pq.ParquetFile(path) as file:
            spool = Spool(pipe, path, file.schema_arrow, first, file.metadata.num_rows)
        _check(spool, spools, fields, mistakes)
        spools.append(spool)
        first += spool.rows
    mistakes.raise_if_any()
    return Spools(tuple(spools))


def _check(
    spool: Spool, before: Sequence[Spool], fields: Sequence[FieldDefinition], mistakes: Mistakes
) -> None:
    names = spool.schema.names
    for each in fields:
        if each.name not in names:
            what = f'pipe "{spool.pipe.name}" has no column "{each.name}", which fieldDefinition names.'
            mistakes.add(spool.pipe.where, what, nearest(each.name, names))
    for column in spool.schema:
        for other in before:
            if column.name in other.schema.names and other.schema.field(column.name).type != column.type:
                what = (
                    f'column "{column.name}" is {column.type} in pipe "{spool.pipe.name}", and '
                    f'{other.schema.field(column.name).type} in "{other.pipe.name}".'
                )
                mistakes.add(spool.pipe.where, what, "Give both a schema with the same type.")
                break
