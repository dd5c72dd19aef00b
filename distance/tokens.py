"""Words of a value, and the two ways in which Java reads a string otherwise than Python."""

import re
from array import array

# The blanks of a Java regular expression's \s; Python's \s knows many more.
BLANKS = " \t\n\x0b\f\r"
_WORD = re.compile(f"[^{BLANKS}]+")
_GAP = re.compile(f"[{BLANKS}]+")


def tokens(value: str) -> list[str]:
    """The words between ASCII blanks; none is empty."""
    return _WORD.findall(value)


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
