"""JSON objects, one a line, as Spark reads and writes them: a missing value is a key that is not there."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from pehchan.console.json_lines import json_objects
from pehchan.console.text_lines import Lines
from pehchan.metadata.mistakes import Mistake, Mistakes, MistakesError
from pehchan.zingg.configuration import Column, Pipe
from pehchan.zingg.options import Options
from pehchan.zingg.spooling import SourceRow, guess_columns
from pehchan.zingg.values import text


def check_json(pipe: Pipe, mistakes: Mistakes) -> None:
    """Add what is wrong with how a JSON pipe says its lines are."""
    options = Options(pipe)
    options.warn_unused(("encoding", "charset", "multiLine", "mode"), mistakes)
    if options.yes("multiLine"):
        what = "JSON that goes over several lines is not read."
        right = "Give one object a line, for example with: jq -c '.[]' or jq -c ."
        mistakes.add(f"{options.where}.props.multiLine", what, right)


def json_source(pipe: Pipe, files: Sequence[Path]) -> tuple[tuple[Column, ...], Iterator[SourceRow]]:
    """The columns of JSON files, by the schema or by all values of theirs; and their rows, by name."""
    encoding = Options(pipe).get("encoding", "charset", default="utf-8")
    columns = pipe.schema
    if columns is None:
        names: dict[str, None] = {}
        for _, _, value in _objects(files, encoding):
            names.update(dict.fromkeys(value or ()))
        if not names:
            what, right = "no line is a JSON object with a key.", "Give one object a line, or a schema."
            raise MistakesError([Mistake(", ".join(map(str, files[:3])), what, right)])
        values = (
            [value.get(name) for name in names]
            for _, _, value in _objects(files, encoding)
            if value is not None
        )
        columns = guess_columns(list(names), values)
    return columns, _rows(files, encoding, [column.name for column in columns])


def _objects(files: Sequence[Path], encoding: str) -> Iterator[tuple[Path, Any, dict[str, Any] | None]]:
    for file in files:
        with Lines(file, encoding, "\n") as lines:
            for row, value in json_objects(lines):
                yield file, row, value


def _rows(files: Sequence[Path], encoding: str, names: Sequence[str]) -> Iterator[SourceRow]:
    for file, row, value in _objects(files, encoding):
        values = None if value is None else [value.get(name) for name in names]
        yield SourceRow(str(file), row.number, row.text, values, row.reason)


def write_json(batches: Iterable[Any], schema: Any, file: Path, pipe: Pipe) -> None:
    """Write pyarrow.RecordBatches as JSON objects, one a line, in UTF-8."""
    with open(file, "wb") as out:
        for batch in batches:
            for row in batch.to_pylist():
                there = {name: value for name, value in row.items() if value is not None}
                out.write(orjson.dumps(there, _other, orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z))


def _other(value: Any) -> Any:
    if isinstance(value, Decimal | bytes | date):
        return text(value)
    raise TypeError
