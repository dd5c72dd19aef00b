"""The files of a run: found, checked, and brought to what the jobs read."""

import codecs
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_lowercase

from pehchan.console.ingest import IngestCounts, detect_format, ingest, read_header, sample_rows
from pehchan.metadata.guess import guess_schema
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.metadata.native_schema import read_native, resolve
from pehchan.metadata.properties import Settings
from pehchan.metadata.schema import Schema
from pehchan.mrjobs.places import place
from pehchan.mrjobs.settling import FILE_SETS

#: Rows looked at to guess a schema.
GUESS_ROWS = 5000

#: The sets of `pehchan link A B C ...`, as many of them as there are tables.
LINK_SETS = tuple(ascii_lowercase)


@dataclass(frozen=True)
class InputFile:
    """A file of the input, with its format and, where the command says it, its set."""

    path: str
    format: str
    set: str = ""


def on_this_machine(file: InputFile, settings: Settings, here: Path) -> InputFile:
    """The file, brought to this machine where the jobs cannot read it as it lies."""
    if "://" not in file.path or (file.format == "lines" and _is_utf8(settings.input_encoding)):
        return file
    folder = here / "fetched" / str(len(list((here / "fetched").glob("*"))))
    folder.mkdir(parents=True)
    return replace(file, path=str(place(file.path).fetch(folder)))


def _is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name == "utf-8"


def find_files(paths: Sequence[str], mistakes: Mistakes) -> list[str]:
    """The files that the paths name: a folder stands for the files in it but hidden ones."""
    files: list[str] = []
    for path in paths:
        if "://" in path:
            found = place(path)
            inside = [str(file) for file in found.files()] if found.exists() else []
            if not inside:
                mistakes.add(path, "there is no such file.")
            files.extend(inside)
        elif os.path.isdir(path):
            inside = sorted(
                entry.path
                for entry in os.scandir(path)
                if entry.is_file() and not entry.name.startswith((".", "_"))
            )
            if not inside:
                mistakes.add(path, "a folder without files.", "Name a file, or a folder that holds some.")
            files.extend(inside)
        elif not os.path.exists(path):
            mistakes.add(path, "there is no such file.")
        elif not os.access(path, os.R_OK):
            mistakes.add(path, "the file cannot be read.", "Check its permissions.")
        else:
            files.append(path)
    return files


def format_of(path: str, settings: Settings, schema: Schema | None) -> str:
    """How a file is read: as the settings say, else lines for schemas made for them, else by its name."""
    if settings.input_format != "auto":
        return settings.input_format
    return "lines" if schema is not None and schema.lines else detect_format(path)


@dataclass(frozen=True)
class Prepared:
    """Input as the jobs read it.

    kind     "lines" or "records", as in Plan
    files    what the jobs read, by set ("" where the jobs tell it, or there is one)
    schema   with the column numbers of this input
    columns  names of the columns, () where nobody knows them
    guessed  the schema was guessed: the native form to show
    """

    kind: str
    files: dict[str, list[str]]
    schema: Schema
    columns: tuple[str, ...]
    guessed: dict[str, object] | None = None


def look_at(
    inputs: Sequence[InputFile], settings: Settings, schema: Schema | None, mistakes: Mistakes
) -> Prepared | None:
    """What the input is, without reading it all; None where mistakes stand in the way."""
    formats = {file.format for file in inputs}
    if not inputs:
        return None
    if "lines" in formats and len(formats) > 1:
        mistakes.add(
            ", ".join(sorted(formats)),
            "files with and without a header do not mix.",
            "Give them the same form.",
        )
        return None
    by_set: dict[str, list[str]] = {}
    for file in inputs:
        by_set.setdefault(file.set, []).append(file.path)
    if formats == {"lines"}:
        if schema is None:
            mistakes.add(
                inputs[0].path,
                "lines without a header need a schema.",
                "Give -s SCHEMA or -p PROPERTIES, or a .csv, .tsv or .jsonl file with named columns.",
            )
            return None
        # Of the part files of a cluster some may well be empty.
        if not any("://" in file.path or os.path.getsize(file.path) for file in inputs):
            mistakes.add(inputs[0].path, "the file is empty.", "Give a file with a record a line.")
            return None
        if not schema.lines:
            schema = resolve(schema, schema.columns, mistakes)
        kind = "lines" if _is_utf8(settings.input_encoding) else "records"
        return Prepared(kind, by_set, schema, ())
    try:
        first, encoding = inputs[0], settings.input_encoding
        headers = [
            read_header(file.path, file.format, encoding, column_delimiter(file.format, settings))
            for file in inputs
        ]
        guessed = None
        if schema is None:
            rows = sample_rows(
                first.path, first.format, encoding, GUESS_ROWS, column_delimiter(first.format, settings)
            )
            guessed = guess_schema(headers[0], rows)
            schema = read_native(guessed, f"the guess from {first.path}", mistakes)
    except MistakesError as error:
        mistakes.found.extend(error.mistakes)
        return None
    # Files may bring columns of their own; what the schema needs, each of them must have.
    columns = tuple(dict.fromkeys(name for header in headers for name in header))
    schema = _in_columns(schema, columns, mistakes)
    for file, header in zip(inputs, headers, strict=True):
        _check_columns(file.path, header, schema, mistakes)
    return Prepared("records", by_set, schema, columns, guessed)


def _check_columns(path: str, header: Sequence[str], schema: Schema, mistakes: Mistakes) -> None:
    """Add a mistake for each column that the schema needs and the file lacks, where another file has it."""
    ordinals = [field.ordinal for field in schema.fields] + [schema.id_ordinal, schema.partition_ordinal]
    ordinals += [part.ordinal for key in schema.keys for part in key.parts]
    needed = dict.fromkeys(
        schema.columns[ordinal]
        for ordinal in ordinals
        if ordinal is not None and ordinal < len(schema.columns)
    )
    for name in needed:
        if name not in header:
            mistakes.add(
                path, f'no column "{name}", which the schema needs.', f"It has: {', '.join(header)}."
            )


def column_delimiter(format: str, settings: Settings) -> str:
    """What divides the columns of a file, "" for what is usual in its format."""
    regex = settings.input_delimiter or ""
    if format == "lines":
        return regex
    # Under a header it is one character, which a regular expression may have to escape.
    return "\t" if regex == r"\t" else re.sub(r"\\(\W)", r"\1", regex)


def _in_columns(schema: Schema, header: Sequence[str], mistakes: Mistakes) -> Schema:
    if not schema.lines:
        return resolve(schema, header, mistakes)
    # A schema of numbered columns reads a file with a header just as well.
    for field in schema.fields:
        if field.ordinal is not None and field.ordinal >= len(header):
            mistakes.add(
                field.where or f'field "{field.name}"',
                f"column {field.ordinal} is not in the file.",
                f"Its columns are numbered 0 to {len(header) - 1}.",
            )
    return replace(schema, columns=tuple(header))


def set_of(file: InputFile, settings: Settings) -> str:
    """The set of the records of a file: as the command says, or as its name does; "" where neither does."""
    if file.set or not settings.two_sets or settings.set_id_size:
        return file.set
    is_base = os.path.basename(file.path).startswith(settings.base_prefix)
    return FILE_SETS[0] if is_base else FILE_SETS[1]


def ingest_files(
    prepared: Prepared, inputs: Sequence[InputFile], settings: Settings, folder: Path, rejected: Path
) -> tuple[Prepared, IngestCounts]:
    """Turn files that the jobs cannot read as they lie into record lines in `folder`, once.

    Without inputs the files are record lines already. Rows set aside are written to `rejected`. Raises
    MistakesError for a file that cannot be read at all.
    """
    if prepared.kind == "lines" or not inputs:
        return prepared, IngestCounts(0, 0, 0)
    folder.mkdir(parents=True)
    total = IngestCounts(0, 0, 0)
    files = []
    with open(rejected, "wb") as aside:
        for number, file in enumerate(inputs):
            path = folder / f"part-{number:05d}"
            with open(path, "wb") as out:
                counts = ingest(
                    file.path,
                    file.format,
                    settings.input_encoding,
                    set_of(file, settings),
                    prepared.columns,
                    out,
                    aside,
                    column_delimiter(file.format, settings),
                )
            total = IngestCounts(
                total.records + counts.records, total.rejected + counts.rejected, total.blank + counts.blank
            )
            files.append(str(path))
    return replace(prepared, files={"": files}), total
