"""Words of a value, and the two ways in which Java reads a string otherwise than Python."""

import re
from array import array
from collections.abc import Iterator, Sequence

import numpy as np

from pehchan.distance.arrays import Positions

# The blanks of a Java regular expression's \s; Python's \s knows many more.
BLANKS = " \t\n\x0b\f\r"
_WORD = re.compile(f"[^{BLANKS}]+")
_GAP = re.compile(f"[{BLANKS}]+")

_IS_BLANK = np.isin(np.arange(256), list(BLANKS.encode()))

#: Values whose words are told at a time.
VALUES_AT_ONCE = 2000


def tokens(value: str) -> list[str]:
    """The words between ASCII blanks; none is empty."""
    return _WORD.findall(value)


def words_of(values: Sequence[str], java: bool = False) -> Iterator[tuple[list[str], Positions]]:
    """The tokens, or Java tokens, of many values, some values at a time: their words in a row, and int64[n] of each.

    To ask for the tokens of one value after the other takes three times as long.
    """
    for start in range(0, len(values), VALUES_AT_ONCE):
        some = values[start : start + VALUES_AT_ONCE]
        if java:
            rows = [java_tokens(value) for value in some]
            yield [word for row in rows for word in row], np.array([len(row) for row in rows], dtype=np.int64)
            continue
        joined = "\n".join(some)
        # In UTF-8 no part of another letter looks like a blank.
        encoded = some if joined.isascii() else [value.encode("utf-8", "surrogatepass") for value in some]
        ends = np.cumsum([len(value) + 1 for value in encoded]) - 1
        word = ~_IS_BLANK[np.frombuffer(joined.encode("utf-8", "surrogatepass"), dtype=np.uint8)]
        begins = np.diff(word, prepend=False) & word
        before = np.concatenate(([0], np.cumsum(begins)))
        yield _WORD.findall(joined), np.diff(before[ends], prepend=0)


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
