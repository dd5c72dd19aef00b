"""Text files, a record a line, as Spark's format `text` reads them: one column, named value."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pehchan.console.text_lines import Lines
from pehchan.metadata.mistakes import Mistakes
from pehchan.zingg.configuration import Column, Pipe
from pehchan.zingg.options import Options
from pehchan.zingg.spooling import SourceRow


def check_text(pipe: Pipe, mistakes: Mistakes) -> None:
    """Add what is wrong with a pipe of text."""
    options = Options(pipe)
    options.warn_unused(("encoding", "charset"), mistakes)
    if pipe.schema is not None and [column.data_type for column in pipe.schema] != ["string"]:
        what = "a line of text is one column of text."
        mistakes.add(f"{options.where}.schema", what, 'Leave the schema out, or give "value string".')


def text_source(pipe: Pipe, files: Sequence[Path]) -> tuple[tuple[Column, ...], Iterator[SourceRow]]:
    """The column of the lines of the files, and the lines, but blank ones."""
    encoding = Options(pipe).get("encoding", "charset", default="utf-8")
    return pipe.schema or (Column("value"),), _rows(files, encoding)


def _rows(files: Sequence[Path], encoding: str) -> Iterator[SourceRow]:
    for file in files:
        with Lines(file, encoding, "\n") as lines:
            lines.begin_row()
            for _ in lines:
                row = lines.row([])
                values = [row.text] if row.values is not None and row.text.strip() else None
                yield SourceRow(str(file), row.number, row.text, values, row.reason)
                lines.begin_row()
