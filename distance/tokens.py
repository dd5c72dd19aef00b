"""Words of a value, and the two ways in which Java reads a string otherwise than Python."""

import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import numpy as np

from pehchan.distance.arrays import Positions

# The blanks of a Java regular expression's \s; Python's \s knows many more.
BLANKS = " \t\n\x0b\f\r"
_WORD = re.compile(f"[^{BLANKS}]+")
_GAP = re.compile(f"[{BLANKS}]+")

#: Blanks of ASCII for Python's split, and none of a Java regular expression.
_SEPARATORS = re.compile("[\x1c-\x1f]")

#: Values whose words are told at a time.
VALUES_AT_ONCE = 2000


def tokens(value: str) -> list[str]:
    """The words between ASCII blanks; none is empty."""
    return _WORD.findall(value)


def words_of(values: Sequence[str], java: bool = False) -> Iterator[tuple[list[str], Positions]]:
    """The tokens, or Java tokens, of many values, some values at a time: their words in a row, and int64[n] of each.

    Nearly all values hold no blanks but those that Python's split knows as well, which takes a quarter of the time.
    """
    for start in range(0, len(values), VALUES_AT_ONCE):
        some = values[start : start + VALUES_AT_ONCE]
        split: Callable[[str], list[str]] = tokens
        if java:
            split = java_tokens
        elif (joined := "".join(some)).isascii() and not _SEPARATORS.search(joined):
            split = str.split
        rows = list(map(split, some))
        yield list(chain.from_iterable(rows)), np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))


def java_tokens(value: str) -> list[str]:
    """What Java's split("\\\\s+") gives: a leading blank makes an empty first token, trailing blanks none."""
    parts = _GAP.split(value)
    if len(parts) > 1 and parts[-1] == "":
        parts.pop()
    # A value of blanks only has no tokens, and "" has one.
    return [] if parts == [""] and value else parts


def utf16(value: str) -> str:
    """The value as Java counts it: a character beyond U+FFFF becomes two, its surrogates."""
    if value.isascii() or max(value) <= "\uffff":
        return value
    return "".join(map(chr, array("H", value.encode("utf-16", "surrogatepass"))[1:]))
