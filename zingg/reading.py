"""Pipes in: files and tables become a spool, once, with the types of their columns."""

import glob
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from pehchan.console.ingest import IngestCounts
from pehchan.console.inputs import find_files
from pehchan.metadata.mistakes import Mistakes
from pehchan.mrjobs.places import place
from pehchan.zingg.configuration import Column, Pipe
from pehchan.zingg.database import database_source
from pehchan.zingg.delimited import csv_source
from pehchan.zingg.excel import excel_source
from pehchan.zingg.formats import check_pipe, format_name, told_of
from pehchan.zingg.json_rows import json_source
from pehchan.zingg.options import Options
from pehchan.zingg.parquet import parquet_batches
from pehchan.zingg.plain_text import text_source
from pehchan.zingg.spooling import SourceRow, Spool, spool_rows

_Source = tuple[tuple[Column, ...], Iterator[SourceRow]]
_SOURCES: dict[str, Callable[[Pipe, Sequence[Path]], _Source]] = {
    "csv": csv_source,
    "tsv": csv_source,
    "json": json_source,
    "excel": excel_source,
    "text": text_source,
}


def check_pipe_in(pipe: Pipe, mistakes: Mistakes) -> None:
    """Add what is wrong with a pipe to read, as far as that is seen without reading it; files must be there."""
    if check_pipe(pipe, mistakes) and format_name(pipe.format) != "jdbc":
        _files(pipe, mistakes)


def read_pipe(pipe: Pipe, spool: Path, aside: BinaryIO) -> IngestCounts:
    """Write the rows of a pipe to the Parquet file `spool`, in their order, and count them.

    Rows that cannot be read, or do not fit their columns, go to `aside` as JSON lines with file, line and reason.
    A schema has the columns of csv, tsv and excel by position, of all else by name. The spool has the columns of the
    schema, or those of the source, and their types; data_types.py has the names. Raises MistakesError for what cannot
    be read at all; there is no spool then.
    """
    mistakes = Mistakes()
    pipe = replace(pipe, format=format_name(pipe.format))
    files = _files(pipe, mistakes) if check_pipe(pipe, mistakes) and pipe.format != "jdbc" else []
    mistakes.raise_if_any()
    unfinished = spool.with_name(f"{spool.name}.unfinished")
    try:
        counts = _read(pipe, files, unfinished, aside)
        os.replace(unfinished, spool)
        return counts
    finally:
        unfinished.unlink(missing_ok=True)


def _read(pipe: Pipe, files: Sequence[str], spool: Path, aside: BinaryIO) -> IngestCounts:
    if pipe.format == "jdbc":
        with database_source(pipe) as (columns, rows):
            return spool_rows(rows, columns, spool, aside)
    with tempfile.TemporaryDirectory(dir=spool.parent) as here:
        local = [_fetched(file, Path(here), number) for number, file in enumerate(files)]
        if pipe.format == "parquet":
            schema, batches = parquet_batches(pipe, local)
            with Spool(spool, schema) as written:
                for batch in batches:
                    written.write(batch)
            return IngestCounts(written.rows, 0, 0)
        columns, rows = _SOURCES[pipe.format](pipe, local)
        # What is set aside names the file that was given, not its copy.
        return spool_rows(rows, columns, spool, aside, dict(zip(map(str, local), files, strict=True)))


def _fetched(file: str, here: Path, number: int) -> Path:
    if "://" not in file:
        return Path(file)
    folder = here / str(number)
    folder.mkdir()
    with told_of(file):
        return place(file).fetch(folder)


def _files(pipe: Pipe, mistakes: Mistakes) -> list[str]:
    """The files of a pipe, in the order of their names; those that a pattern such as data/*.csv stands for, too."""
    path = Options(pipe).path()
    paths = [path]
    if "://" not in path:
        if not os.path.exists(path) and any(sign in path for sign in "*?["):
            paths = sorted(glob.glob(path))
            if not paths:
                mistakes.add(path, "no file has a name like that.")
        for folder in paths:
            inside = (
                sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
                if os.path.isdir(folder)
                else []
            )
            if shown := [name for name in inside if not name.startswith((".", "_"))]:
                right = "Give a pattern such as data/*/*.csv, or a folder that holds all files itself."
                mistakes.add(folder, f"a folder with folders in it, such as {shown[0]}, is not read.", right)
    found = Mistakes()
    with told_of(path):
        files = find_files(paths, found)
    for mistake in found.found:
        mistakes.add(f"{Options(pipe).where}: {mistake.where}", mistake.what, mistake.right)
    # A task of Spark that had no rows may leave a file with nothing in it.
    return [file for file in files if "://" in file or os.path.getsize(file)] or files[:1]
