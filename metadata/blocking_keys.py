"""Blocking keys as a schema writes them: `zip`, `soundex(last_name) + state`, `neighbours(name + zip, 10)`.

A key is parts joined by +; a part is a column (its name, in double quotes where it holds one of + ( ) , or looks
like a number; or its number from 0), or a function of one. `neighbours` around a key, and behind it a number, makes
records meet that are so near each other in the order of its values. What a key makes of a record is in
pehchan.mrjobs.joins.key_values.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pehchan.metadata.mistakes import nearest


@dataclass(frozen=True)
class Number:
    """A whole number that stands behind the column of a function.

    what      it counts
    example   one that makes sense
    default   where none is given, None where one must be
    most      it may be, and 1 at the least
    """

    what: str
    example: int
    default: int | None = None
    most: int = 999_999_999


#: The functions that a part may name, and the numbers behind their column.
FUNCTIONS: Mapping[str, tuple[Number, ...]] = {
    "prefix": (Number("letters", 3),),
    "tokens": (),
    "qgrams": (Number("letters", 3),),
    "soundex": (),
    "metaphone": (),
    "nysiis": (),
    "digits": (),
    "year": (),
    "minhash": (Number("bands", 20, 20, 200), Number("rows", 4, 4, 50)),
}

#: Those that may make several values of one.
SEVERAL = ("tokens", "qgrams", "minhash")

#: What makes an order of a key, and the number behind it: the following records that a record meets.
NEIGHBOURS, FOLLOWING = "neighbours", Number("records", 10, 10, 1000)

_NAME = r'"[^"]+"|[^"+(),]*[^"+(),\s]'
_NEIGHBOURS = re.compile(rf"\s*{NEIGHBOURS}\s*\((?P<key>.*?)(?:,(?P<number>[^()+\",]*))?\)\s*", re.DOTALL)
_PART = re.compile(
    rf"\s*(?:(?P<function>[^\"+(),]*?)\s*\(\s*(?P<of>{_NAME})?\s*(?:,(?P<numbers>[^()+]*))?\)|(?P<alone>{_NAME}))\s*"
)

#: How a key is written, for messages.
FORM = "Write columns, or functions of them as in prefix(name, 3), joined by +."


@dataclass(frozen=True)
class KeyPart:
    """One part of a blocking key.

    function  a name of FUNCTIONS, "" for the value itself
    column    name of the column, None where it is given by its number
    ordinal   number of the column from 0, None until the columns of the input are known
    numbers   behind the column, as many as the function takes
    """

    function: str
    column: str | None
    ordinal: int | None
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class BlockingKey:
    """What records must have in common to meet: all of its parts.

    text       as the schema says
    where      file and key, for messages
    following  None; of neighbours, which meet without having anything in common, how many of the records that
               follow a record in the order of the key it meets
    """

    text: str
    parts: tuple[KeyPart, ...]
    where: str = field(default="", compare=False)
    following: int | None = None


def parse_key(text: str, where: str = "") -> BlockingKey:
    """The key of an expression. Raises ValueError, "what is wrong\\nwhat would be right", where it is none."""
    match = _NEIGHBOURS.fullmatch(text)
    if not match:
        return BlockingKey(text, _parts(text), where)
    parts = _parts(match["key"])
    for part in parts:
        if part.function in SEVERAL:
            right = "Take a key that makes one value, such as a column."
            raise ValueError(
                f"{NEIGHBOURS}: {part.function} makes several values of one, and so no order.\n{right}"
            )
    given = match["number"] and match["number"].strip()
    form = f"{NEIGHBOURS}({match['key'].strip()}, {FOLLOWING.example})"
    return BlockingKey(text, parts, where, _number(NEIGHBOURS, FOLLOWING, given, form))


def _parts(text: str) -> tuple[KeyPart, ...]:
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
            return tuple(parts)
        at = match.end() + 1


def _part(match: re.Match[str]) -> KeyPart:
    function, written = match["function"], match["of"] or match["alone"]
    if function is None:
        return KeyPart("", *_column(written))
    if function == NEIGHBOURS:
        raise ValueError(
            f"{NEIGHBOURS} is no part of a key.\nWrite it around the whole key, as in {NEIGHBOURS}(name + zip, 10)."
        )
    if function not in FUNCTIONS:
        raise ValueError(f'unknown function "{function}".\n{nearest(function, FUNCTIONS)}')
    numbers = FUNCTIONS[function]
    form = f"{function}({', '.join([written or 'column', *(str(each.example) for each in numbers)])})"
    if written is None:
        raise ValueError(f"{function}: no column is named.\nWrite {form}.")
    given = [] if match["numbers"] is None else [each.strip() for each in match["numbers"].split(",")]
    if len(given) > len(numbers):
        takes = "and 1 number" if len(numbers) == 1 else f"and {len(numbers)} numbers" if numbers else "only"
        raise ValueError(f"{function}: it takes a column {takes}.\nWrite {form}.")
    return KeyPart(
        function,
        *_column(written),
        tuple(
            _number(function, number, given[k] if k < len(given) else None, form)
            for k, number in enumerate(numbers)
        ),
    )


def _number(function: str, number: Number, given: str | None, form: str) -> int:
    if given is None and number.default is not None:
        return number.default
    if given is None or not re.fullmatch("[0-9]{1,9}", given) or not 1 <= int(given) <= number.most:
        wrong = (
            f"no number of {number.what} is given"
            if given is None
            else f"{given!r} is no number of {number.what}"
        )
        allowed = "of 1 or more" if number.most == Number.most else f"from 1 to {number.most}"
        raise ValueError(f"{function}: {wrong}.\nWrite a whole number {allowed}, as in {form}.")
    return int(given)


def _column(written: str) -> tuple[str | None, int | None]:
    """Name and number of a column as it is written."""
    if written.startswith('"'):
        return written[1:-1], None
    return (None, int(written)) if re.fullmatch("[0-9]{1,9}", written) else (written, None)
