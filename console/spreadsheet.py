"""CSV that people open in spreadsheets, in which no value becomes a formula.

What records hold may come from anybody, and a spreadsheet runs what begins like a formula: OWASP, "CSV injection".
Such a value gets an apostrophe in front, which makes a text of it. The sign may stand behind blanks and quotes, and
be a full-width one, which spreadsheets of East Asian languages take as well. Where by its settings semicolons or tabs
divide columns, or it does not see that a line end is quoted, a cell begins in the middle of a value: there the same
is done.
"""

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path

from pehchan.metadata.mistakes import Mistakes

#: What formulas begin with, and what compatibility makes the same of (Unicode, NFKC).
SIGNS = frozenset("=+-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋−﬩")

#: What by itself is taken away from the beginning of a cell.
BREAKS = ("\t", "\r", "\n")

_SUSPECT = re.compile(f"[{''.join(map(re.escape, sorted(SIGNS)))}]")
_CELL_ENDS = re.compile("([;\t\r\n])")
_NEGATIVE = re.compile(r"-\d+(\.\d+)?", re.ASCII)


def harmless(value: str) -> str:
    """The value with an apostrophe wherever a spreadsheet might see the beginning of a formula.

    A negative number by itself, like -12.5, stays a number.
    """
    if not (_SUSPECT.search(value) or value.startswith(BREAKS)) or _NEGATIVE.fullmatch(value):
        return value
    guarded = "".join(f"'{part}" if _is_formula(part) else part for part in _CELL_ENDS.split(value))
    return f"'{guarded}" if guarded.startswith(BREAKS) else guarded


def _is_formula(cell: str) -> bool:
    skipped = sum(1 for _ in takewhile(_is_skipped, cell))
    return cell[skipped : skipped + 1] in SIGNS


def _is_skipped(character: str) -> bool:
    """Whether it may stand before a sign: blanks, quotes, and what is not seen."""
    return character == '"' or character.isspace() or not character.isprintable()


def spreadsheet(rows: Iterable[Sequence[str | int]]) -> bytes:
    """The rows as CSV (RFC 4180), the first of them the names of columns.

    A mark at the beginning tells Excel that it is UTF-8; what is no character is written as an escape.
    """
    text = io.StringIO(newline="")
    csv.writer(text).writerows([harmless(str(cell)) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig", "backslashreplace")


def check_file(path: str, overwrite: bool, inputs: Iterable[str] = ()) -> Path:
    """Where to write a file of this name, behind links. Raises MistakesError where it must not be written."""
    target = Path(os.path.realpath(path))
    mistakes = Mistakes()
    if not target.parent.is_dir():
        mistakes.add(path, f"there is no folder {target.parent}.", "Make it, or name another file.")
    elif target.exists() and not target.is_file():
        mistakes.add(path, "is there, and no file.", "Name a file.")
    elif str(target) in map(os.path.realpath, inputs):
        mistakes.add(path, "the run read its records from there.", "Name another file.")
    elif target.exists() and not overwrite:
        mistakes.add(path, "the file exists.", "Give --overwrite to replace it, or name another.")
    mistakes.raise_if_any()
    return target
