"""Parquet files, whose columns have types of their own, and all types of theirs are kept."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pehchan.metadata.mistakes import Mistake, Mistakes, MistakesError, nearest
from pehchan.zingg.configuration import Column, Pipe
from pehchan.zingg.data_types import arrow_type, data_type_of
from pehchan.zingg.extras import library
from pehchan.zingg.options import Options
from pehchan.zingg.spooling import BATCH_ROWS

pa = library("pyarrow")
compute = library("pyarrow.compute")
pq = library("pyarrow.parquet")


def check_parquet(pipe: Pipe, mistakes: Mistakes) -> None:
    """Add what is wrong with a pipe of Parquet."""
    Options(pipe).warn_unused(("mergeSchema",), mistakes)


def parquet_batches(pipe: Pipe, files: Sequence[Path]) -> tuple[Any, Iterator[Any]]:
    """The pyarrow schema of Parquet files, and their rows as record batches of it.

    Columns go by name: those of the pipe's schema, else those of the first file.
    """
    opened = [(file, _open(file)) for file in files]
    own = opened[0][1].schema_arrow
    if pipe.schema is None:
        schema = pa.schema([(field.name, _plain(field.type)) for field in own])
    else:
        schema = pa.schema([(column.name, arrow_type(column.data_type)) for column in pipe.schema])
    mistakes = Mistakes()
    for file, parquet in opened:
        _check_columns(file, parquet.schema_arrow, schema, mistakes)
    mistakes.raise_if_any()
    return schema, _batches(opened, schema)


def _open(file: Path) -> Any:
    try:
        return pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from None


def _damaged(file: Path, error: Exception) -> MistakesError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    what = f"cannot be read as Parquet: {reason}"
    return MistakesError([Mistake(str(file), what, "The file is damaged, cut short, or of another format.")])


def _plain(kind: Any) -> Any:
    """The type of a column in the spool: text has one only."""
    return pa.string() if data_type_of(kind) == "string" else kind


def _check_columns(file: Path, own: Any, schema: Any, mistakes: Mistakes) -> None:
    for field in schema:
        at = own.get_all_field_indices(field.name)
        if not at:
            mistakes.add(str(file), f'no column "{field.name}".', nearest(field.name, own.names))
        elif len(at) > 1:
            mistakes.add(str(file), f'more than one column is named "{field.name}".')


def _batches(opened: Sequence[tuple[Path, Any]], schema: Any) -> Iterator[Any]:
    for file, parquet in opened:
        batches = parquet.iter_batches(BATCH_ROWS, columns=schema.names)
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise _damaged(file, error) from None
            if batch is None:
                break
            arrays = [_cast(batch.column(field.name), field, file) for field in schema]
            yield pa.record_batch(arrays, schema=schema)
        parquet.close()


def _cast(column: Any, field: Any, file: Path) -> Any:
    if column.type == field.type:
        return column
    try:
        return compute.cast(column, field.type)
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0]
        what = f'column "{field.name}" is {column.type}, and not all of it is {field.type}: {reason}'
        raise MistakesError([Mistake(str(file), what, "Give its own type in the schema, or none.")]) from None


def write_parquet(batches: Iterable[Any], schema: Any, file: Path, pipe: Pipe) -> None:
    """Write pyarrow.RecordBatches as a Parquet file, packed as Spark packs."""
    with pq.ParquetWriter(file, schema, compression="snappy") as out:
        for batch in batches:
            out.write_batch(batch)


def columns_of(schema: Any) -> tuple[Column, ...]:
    """The columns of a pyarrow schema; of a list or struct pyarrow's name for its type."""
    return tuple(Column(field.name, data_type_of(field.type) or str(field.type)) for field in schema)
