"""Normal values: what is left of a value when differences of writing that mean nothing are set aside.

Case, accents and apostrophes go, all but letters, digits and points within numbers becomes a blank, and what says
that a value is missing becomes the empty value. A kind of field then brings its values into its own form.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence

#: Normal texts that stand for no value.
_NOTHING = frozenset(("nan", "none", "null", "na", "n a", "unknown"))
_POINT = re.compile(r"(?<![0-9])\.|\.(?![0-9])")
_NO_DIGIT = bytes(byte for byte in range(256) if not 48 <= byte <= 57)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_YEAR = "((?:1[789]|20)[0-9]{2})"
_DATE = re.compile(
    rf"(?:{_YEAR}([0-9]{{2}})([0-9]{{2}})|{_YEAR} ([0-9]{{1,2}}) ([0-9]{{1,2}})"
    rf"|([0-9]{{1,2}}) ([0-9]{{1,2}}) {_YEAR})"
    # A time of day may follow.
    r"(?:[ t][0-9]{1,2} [0-9]{2}(?: [0-9.]+)?z?)?"
)

#: Of each byte what a normal text has for it; NUL parts texts.
_TABLE = bytes(
    10 if byte == 0 else ord(chr(byte).lower()) if chr(byte).isalnum() or byte == 46 else 32
    for byte in range(128)
) + bytes(32 for byte in range(128))


def normal_texts(values: Sequence[str]) -> list[str]:
    """The normal text of each value; "" where there is none. Many ASCII values cost little more than a few."""
    joined = "\0".join(values)
    if not joined.isascii() or joined.count("\0") != len(values) - 1:
        plain = [value.replace("\0", " ") if value.isascii() else _to_plain(value) for value in values]
        rest = [k for k, value in enumerate(plain) if not value.isascii()]
        texts = _normal_ascii([value if value.isascii() else "" for value in plain])
        for k in rest:
            texts[k] = _normal(plain[k])
        return texts
    return _normal_ascii(values)


def _normal_ascii(values: Sequence[str]) -> list[str]:
    if not values:
        return []
    text = "\0".join(values).encode().translate(_TABLE, b"'").decode()
    if "." in text:
        text = _POINT.sub(" ", text)
    if "  " in text:
        text = re.sub("  +", " ", text)
    text = text.replace(" \n", "\n").replace("\n ", "\n").strip(" ")
    return ["" if each in _NOTHING else each for each in text.split("\n")]


def _to_plain(value: str) -> str:
    """The value without accents, in compatibility form, with its digits as ASCII."""
    letters = []
    for letter in unicodedata.normalize("NFKD", value.replace("\0", " ")):
        if unicodedata.combining(letter):
            continue
        letters.append(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter)
    return unicodedata.normalize("NFC", "".join(letters)).casefold()


def _normal(plain: str) -> str:
    """The same as of ASCII values for one that holds other letters, whose marks (vowels, in some scripts) stay."""
    kept = [
        letter if letter.isalnum() or letter == "." or unicodedata.category(letter)[0] == "M" else " "
        for letter in plain
        if letter not in "'’"
    ]
    return " ".join(_POINT.sub(" ", "".join(kept)).split())


def is_date(text: str) -> bool:
    """Whether a normal text is a date with a year of four digits, first or last; a time may follow."""
    return bool(_DATE.fullmatch(text))


def _same(texts: Sequence[str]) -> list[str]:
    return list(texts)


def _digits(texts: Sequence[str]) -> list[str]:
    """Their digits."""
    joined = "\n".join(texts)
    if not texts or joined.isdecimal():
        return list(texts)
    return joined.encode().translate(None, _NO_DIGIT.replace(b"\n", b"")).decode().split("\n")


def _dates(texts: Sequence[str]) -> list[str]:
    """The year, then the two other numbers as they stand, eight digits in all; of what is no date its digits.

    Which of the two is the month is not guessed: within a field it is mostly the same one.
    """
    return [_date(text) for text in texts]


def _date(text: str) -> str:
    if len(text) == 8 and text.isdecimal():
        return text
    match = _DATE.fullmatch(text)
    if not match:
        return "".join(re.findall("[0-9]", text))
    parts = [part for part in match.groups() if part]
    year = parts.pop(2 if match[9] else 0)
    return f"{year}{parts[0]:0>2}{parts[1]:0>2}"


def _numbers(texts: Sequence[str]) -> list[str]:
    """The first number of each, as short as it can be written; none for 0, which missing prices have."""
    return [_number(text) for text in texts]


def _number(text: str) -> str:
    match = _NUMBER.search(text.replace(" ", ""))
    return f"{float(match[0]):.15g}" if match and float(match[0]) else ""


#: What brings normal texts into the form of a kind of field.
FORMS: dict[str, Callable[[Sequence[str]], list[str]]] = {
    "name": _same,
    "words": _same,
    "text": _same,
    "category": _same,
    "digits": _digits,
    "date": _dates,
    "number": _numbers,
    "exact": _same,
}
