"""Blocking keys as a schema writes them: `zip`, `soundex(last_name) + state`, `prefix("last name", 3)`.

A key is parts joined by +; a part is a column (its name, in double quotes where it holds one of + ( ) , or looks
like a number; or its number from 0), or a function of one. What a key makes of a record is in
pehchan.mrjobs.joins.key_values.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pehchan.metadata.mistakes import nearest

#: The functions that a part may name, and whether a whole number of 1 or more stands behind their column.
FUNCTIONS: Mapping[str, bool] = {
    "prefix": True,
    "tokens": False,
    "qgrams": True,
    "soundex": False,
    "metaphone": False,
    "nysiis": False,
    "digits": False,
    "year": False,
}

_NAME = r'"[^"]+"|[^"+(),]*[^"+(),\s]'
_PART = re.compile(
    rf"\s*(?:(?P<function>[^\"+(),]*?)\s*\(\s*(?P<of>{_NAME})?\s*(?:,(?P<number>[^()+]*))?\)|(?P<alone>{_NAME}))\s*"
)

#: How a key is written, for messages.
FORM = "Write columns, or functions of them as in prefix(name, 3), joined by +."


@dataclass(frozen=True)
class KeyPart:
    """One part of a blocking key.

    function  a name of FUNCTIONS, "" for the value itself
    column    name of the column, None where it is given by its number
    ordinal   number of the column from 0, None until the columns of the input are known
    number    behind the column, None where the function takes none
    """

    function: str
    column: str | None
    ordinal: int | None
    number: int | None = None


@dataclass(frozen=True)
class BlockingKey:
    """What records must have in common to meet: all of its parts.

    text   as the schema says
    where  file and key, for messages
    """

    text: str
    parts: tuple[KeyPart, ...]
    where: str = field(default="", compare=False)


def parse_key(text: str, where: str = "") -> BlockingKey:
    """The key of an expression. Raises ValueError, "what is wrong\\nwhat would be right", where it is none."""
    parts, at = [], 0
    while True:
        match = _PART.match(text, at)
        if not match or (match.end() < len(text) and text[match.end()] != "+"):
            rest = text[at:].strip()
            raise ValueError(
                f'"{rest}" is no part of a key.\n{FORM}' if rest else f"a part is missing.\n{FORM}"
            )
        parts.append(_part(match))
        if match.end() == len(text):
            return BlockingKey(text, tuple(parts), where)
        at = match.end() + 1


def _part(match: re.Match[str]) -> KeyPart:
    function, written = match["function"], match["of"] or match["alone"]
    if function is None:
        return KeyPart("", *_column(written))
    if function not in FUNCTIONS:
        raise ValueError(f'unknown function "{function}".\n{nearest(function, FUNCTIONS)}')
    form = f"{function}({written or 'column'}{', 3' if FUNCTIONS[function] else ''})"
    if written is None:
        raise ValueError(f"{function}: no column is named.\nWrite {form}.")
    number = match["number"] and match["number"].strip()
    if not FUNCTIONS[function]:
        if number is not None:
            raise ValueError(f"{function}: it takes a column only.\nWrite {form}.")
        return KeyPart(function, *_column(written))
    if number is None or not re.fullmatch("0*[1-9][0-9]{0,8}", number):
        given = "no number of letters is given" if number is None else f"{number!r} is no number of letters"
        raise ValueError(f"{function}: {given}.\nWrite a whole number of 1 or more, as in {form}.")
    return KeyPart(function, *_column(written), int(number))


def _column(written: str) -> tuple[str | None, int | None]:
    """Name and number of a column as it is written."""
    if written.startswith('"'):
        return written[1:-1], None
    return (None, int(written)) if re.fullmatch("[0-9]{1,9}", written) else (written, None)
