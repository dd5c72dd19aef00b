"""Pipes out: files in a folder as Spark writes them, workbooks and tables, each whole or not at all.

A folder holds a file whose name ends with the model that wrote it, and _SUCCESS; what is added later is a file more.
"""

import os
import re
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pehchan.console.output import RunError, replace_folder
from pehchan.metadata.mistakes import Mistakes, nearest
from pehchan.mrjobs.places import LocalPlace, Place
from pehchan.zingg.configuration import Pipe
from pehchan.zingg.data_types import data_type_of
from pehchan.zingg.database import table_state, write_table
from pehchan.zingg.delimited import dialect_of, write_csv
from pehchan.zingg.excel import write_excel
from pehchan.zingg.formats import check_pipe, format_name, local_or_remote, told_of
from pehchan.zingg.json_rows import write_json
from pehchan.zingg.options import Options
from pehchan.zingg.parquet import write_parquet

MODES = ("append", "overwrite", "error", "ignore")
_OTHER_MODES = {"errorifexists": "error", "default": "error"}

_WRITERS: dict[str, Callable[[Iterable[Any], Any, Path, Pipe], None]] = {
    "csv": write_csv,
    "tsv": write_csv,
    "json": write_json,
    "parquet": write_parquet,
}
_ENDINGS = {"csv": "csv", "tsv": "csv", "json": "json", "parquet": "snappy.parquet"}

#: What is around the mark of a model in the name of a file.
_PART = re.compile(rf"^part-\d+|\.(?:{'|'.join(map(re.escape, set(_ENDINGS.values())))})$")

#: Columns that only results have.
_OF_A_RESULT = ("z_cluster", "ZINGG_ID")


def check_pipe_out(
    pipe: Pipe,
    model_id: str,
    mistakes: Mistakes,
    inputs: Sequence[Pipe] = (),
    columns: Sequence[str] = (),
) -> None:
    """Add a mistake where a pipe must not be written: to be asked before any work is done.

    It looks at what is there. To add a result where this model has written one would say all of it twice.

    inputs   pipes that are read: none of them may be written
    columns  that will be written, where they are known
    """
    pipe = _plain(pipe)
    options = Options(pipe)
    if pipe.mode not in MODES:
        mistakes.add(f"{options.where}.mode", f'unknown mode "{pipe.mode}".', nearest(pipe.mode, MODES))
        return
    if not check_pipe(pipe, mistakes, output=True):
        return
    if pipe.format == "text":
        what = "a format that is read only: a line of it is one column."
        mistakes.add(f"{options.where}.format", what, "Give csv, json or parquet.")
    elif pipe.format == "jdbc":
        _check_table(pipe, mistakes, inputs, columns)
    else:
        with told_of(options.path()):
            _check_files(pipe, model_id, mistakes, inputs)


def write_pipe(pipe: Pipe, batches: Iterable[Any], schema: Any, model_id: str) -> int | None:
    """Write pyarrow.RecordBatches of a schema to a pipe; how many rows, None where mode ignore leaves what is there.

    Raises MistakesError where check_pipe_out would find mistakes, and RunError where they cannot be written; then
    what was there is as it was.
    """
    mistakes = Mistakes()
    check_pipe_out(pipe, model_id, mistakes, columns=schema.names)
    pipe = _plain(pipe)
    if not mistakes.found and pipe.format != "parquet":
        _check_types(pipe, schema, mistakes)
    mistakes.raise_if_any()
    counted = _Counted(batches)
    if pipe.format == "jdbc":
        if pipe.mode == "ignore" and table_state(pipe) is not None:
            return None
        write_table(counted, schema, pipe)
        return counted.rows
    target = local_or_remote(Options(pipe).path())
    if pipe.mode == "ignore" and target.exists():
        return None
    try:
        with told_of(str(target)):
            _write_files(pipe, counted, schema, target, model_id)
    except UnicodeEncodeError as error:
        letter = error.object[error.start]
        what = f"the encoding {error.encoding} has no {letter!r}: give utf-8."
        raise RunError(f"{Options(pipe).where}: {what}\n  Nothing was written.") from None
    except OSError as error:
        raise RunError(f"{Options(pipe).where}: cannot be written: {error}\n  Nothing was written.") from None
    return counted.rows


def renewing(pipe: Pipe, model_id: str) -> Pipe:
    """The pipe as it is written where the result takes the place of the one before: with mode overwrite instead of
    append, if all that lies there is what this model has written.
    """
    plain = _plain(pipe)
    if plain.mode != "append" or plain.format not in _WRITERS:
        return pipe
    path = Options(plain).path()
    with told_of(path):
        target = local_or_remote(path)
        if not target.exists() or (isinstance(target, LocalPlace) and not target.path.is_dir()):
            return pipe
        names = [name for name in _names(target) if not name.startswith(("_", "."))]
    ours = all(_PART.sub("", name) == _mark(model_id) for name in names)
    return replace(pipe, mode="overwrite") if ours else pipe


class _Counted:
    """Batches, and how many rows of them have gone by."""

    def __init__(self, batches: Iterable[Any]):
        self._batches = batches
        self.rows = 0

    def __iter__(self) -> Iterator[Any]:
        for batch in self._batches:
            self.rows += batch.num_rows
            yield batch


def _plain(pipe: Pipe) -> Pipe:
    """The pipe with the one names of its format and mode."""
    mode = pipe.mode.strip().lower()
    return replace(pipe, format=format_name(pipe.format), mode=_OTHER_MODES.get(mode, mode))


def _check_types(pipe: Pipe, schema: Any, mistakes: Mistakes) -> None:
    for field in schema:
        if data_type_of(field.type) is None:
            what = f'the column "{field.name}" is {field.type}, which {pipe.format} cannot hold.'
            mistakes.add(Options(pipe).where, what, "Give the format parquet.")


def _check_table(pipe: Pipe, mistakes: Mistakes, inputs: Sequence[Pipe], columns: Sequence[str]) -> None:
    options = Options(pipe)
    table = options.get("dbtable", "table")
    same = [
        each.name
        for each in inputs
        if Options(each).get("url") == options.get("url") and Options(each).get("dbtable", "table") == table
    ]
    if same:
        mistakes.add(options.where, f"the table {table} is also an input: {same[0]}.", "Give another table.")
        return
    try:
        state = table_state(pipe)
    except RunError as error:
        mistakes.add("", str(error))
        return
    if state is None or pipe.mode == "overwrite":
        return
    names, has_rows = state
    if pipe.mode == "error":
        mistakes.add(options.where, f"the table {table} exists.", "Give mode overwrite, or another table.")
    elif pipe.mode == "ignore":
        mistakes.warn(options.where, f"the table {table} exists and is left as it is: nothing is written.")
    elif has_rows and any(name in names for name in _OF_A_RESULT):
        what = f"the table {table} holds a result, and mode append would add a second one to it."
        mistakes.add(options.where, what, "Give mode overwrite to replace it, or another table.")
    elif missing := [name for name in columns if name not in names]:
        what = f"the table {table} exists, and has no column {', '.join(missing)}."
        mistakes.add(options.where, what, "Give mode overwrite to replace it, or another table.")


def _check_files(pipe: Pipe, model_id: str, mistakes: Mistakes, inputs: Sequence[Pipe]) -> None:
    options = Options(pipe)
    path = options.path()
    target = local_or_remote(path)
    if pipe.format in ("csv", "tsv") and not dialect_of(pipe).quote:
        mistakes.add(f"{options.where}.props.quote", "without quotes no delimiter can be in a value.")
    for each in inputs:
        read = Options(each).path() if format_name(each.format) != "jdbc" else ""
        if read and f"{local_or_remote(read)}/".startswith(f"{target}/"):
            mistakes.add(options.where, f"{path} is also read, as {each.name}.", "Give another path.")
            return
    if not target.exists():
        if isinstance(target, LocalPlace):
            _check_room(target.path, options.where, mistakes)
        return
    if pipe.mode == "error":
        mistakes.add(options.where, f"{path} exists.", "Give mode overwrite, or another path.")
    elif pipe.mode == "ignore":
        mistakes.warn(options.where, f"{path} exists and is left as it is: nothing is written.")
    elif pipe.format == "excel":
        _check_workbook(pipe, target, mistakes)
    elif isinstance(target, LocalPlace) and not target.path.is_dir():
        mistakes.add(
            options.where, f"{path} is a file, and {pipe.format} goes to a folder.", "Give another path."
        )
    elif pipe.mode == "overwrite":
        inside = _names(target)
        strange = [name for name in inside if not name.startswith(("part-", "_", "."))]
        if strange:
            what = (
                f"{path} holds what no run has written, such as {strange[0]}, and mode overwrite removes all."
            )
            mistakes.add(options.where, what, "Give another path, or remove it yourself.")
    elif any(_PART.sub("", name) == _mark(model_id) for name in _names(target)):
        what = f"{path} holds a result of the model {model_id}, and mode append would add it a second time."
        mistakes.add(options.where, what, "Give mode overwrite to replace it, or another path.")


def _check_room(path: Path, where: str, mistakes: Mistakes) -> None:
    """Add a mistake where a path cannot be made."""
    there = next(folder for folder in path.parents if folder.exists())
    if not there.is_dir():
        mistakes.add(where, f"{there} is a file, and {path} cannot be in it.", "Give another path.")
    elif not os.access(there, os.W_OK | os.X_OK):
        mistakes.add(
            where, f"nothing can be written to {there}.", "Check its permissions, or give another path."
        )


def _check_workbook(pipe: Pipe, target: Place, mistakes: Mistakes) -> None:
    path, where = Options(pipe).path(), Options(pipe).where
    if isinstance(target, LocalPlace) and target.path.is_dir():
        mistakes.add(where, f"{path} is a folder, and a workbook is a file.", "Give a name such as out.xlsx.")
    elif pipe.mode == "append":
        what = f"{path} exists, and nothing is added to a workbook."
        mistakes.add(where, what, "Give mode overwrite to replace it, or another path.")


def _mark(model_id: str) -> str:
    """What the names of files that a model wrote hold."""
    return f"-pehchan-{quote(model_id, safe='')}"


def _names(folder: Place) -> list[str]:
    """What is in a folder; of other machines the files with something in them, hidden ones left out."""
    if isinstance(folder, LocalPlace):
        return sorted(os.listdir(folder.path))
    return [file.name for file in folder.files()]


def _write_files(pipe: Pipe, batches: Iterable[Any], schema: Any, target: Place, model_id: str) -> None:
    target.parent.make()
    aside = target.parent.path if isinstance(target.parent, LocalPlace) else None
    # Written on the same disk, to be renamed; or on this machine, to be brought there.
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", suffix=".unfinished", dir=aside) as here:
        if pipe.format == "excel":
            made = Path(here) / "book.xlsx"
            write_excel(batches, schema, made, pipe)
            _bring(made, target)
            return
        names = _names(target) if pipe.mode == "append" and target.exists() else []
        numbers = [int(found[1]) + 1 for name in names if (found := re.match(r"part-(\d+)", name))]
        name = f"part-{max(numbers, default=0):05d}{_mark(model_id)}.{_ENDINGS[pipe.format]}"
        made = Path(here) / name
        _WRITERS[pipe.format](batches, schema, made, pipe)
        if pipe.mode == "append" or not target.renames:
            _add(made, target, [] if pipe.mode == "append" else _old(target))
            return
        folder = target.parent / f"{target.name}.{uuid.uuid4().hex[:8]}.unfinished"
        try:
            folder.make()
            _add(made, folder, [])
            replace_folder(folder, target)
        except BaseException:
            folder.remove()
            raise


def _old(target: Place) -> list[Place]:
    return target.files() if target.exists() else []


def _add(made: Path, folder: Place, old: Sequence[Place]) -> None:
    """Put a file into a folder, in the place of old ones, and then _SUCCESS."""
    folder.make()
    _bring(made, folder / made.name)
    for place in old:
        if place.name != made.name:
            place.remove()
    if not (folder / "_SUCCESS").exists():
        (folder / "_SUCCESS").write(b"")


def _bring(made: Path, target: Place) -> None:
    """Put a file of this machine where it belongs, whole or not at all."""
    if isinstance(target, LocalPlace):
        with open(made, "rb") as written:
            os.fsync(written.fileno())
        os.replace(made, target.path)
    else:
        target.put(made)
