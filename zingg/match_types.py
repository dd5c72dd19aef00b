"""Match types: what of a value is compared, and how learning compares it.

A row of the table a match type. Of each value, trimmed, in lower case and without stop words, `text` makes what is
learnt from; "" is a missing value, which says nothing. `kind` is how learning compares these texts, one of
pehchan.learning.fields.KINDS; None where it finds out by itself.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: Data types, as Column has them.
TEXTS, TRUTHS = ("string",), ("boolean",)
WHOLE_NUMBERS, NUMBERS = ("integer", "long", "short", "byte"), ("double", "float", "decimal")
DATES = ("date", "timestamp", "timestamp_ntz")

_NEGATIVE = re.compile(r"-\.?[0-9]")
_NUMBER = re.compile("[0-9]+")
_DIGIT_OR_DOT = re.compile("[0-9.]")
# A number with the unit that follows it (16 gb, 2.5 kg, 10.1"), or a word with a digit in it (tx-4500, 7th).
_UNIT = r"(?:[ \t]?(?:gb|mb|tb|kb|mhz|ghz|hz|mm|cm|m|km|inch|in|ft|kg|g|mg|lb|lbs|oz|l|ml|v|w|mah|mp|pk|ct|pc|pcs))"
_CODE = re.compile(rf"[0-9]+(?:\.[0-9]+)?{_UNIT}(?![a-z0-9])|[a-z0-9]*[0-9](?:[a-z0-9]|\.(?=[0-9]))*")

#: What NULL_OR_BLANK makes of a value that is there, and of one that is not.
THERE, MISSING = "there", "missing"


def _whole(value: str) -> str:
    return value


def _numbers(value: str) -> str:
    """The numbers in a value, each once, in an order that theirs does not decide."""
    return " ".join(sorted(set(_NUMBER.findall(value)), key=lambda number: (len(number), number)))


def _before(mark: str) -> Callable[[str], str]:
    return lambda value: value.partition(mark)[0].strip()


def _codes(value: str) -> str:
    """Product codes and numbers with their units, each once."""
    codes = (re.sub(r"\s", "", code) for code in _CODE.findall(value))
    return " ".join(sorted(set(codes)))


def _letters(value: str) -> str:
    return " ".join(_DIGIT_OR_DOT.sub("", value).split())


def _presence(value: str) -> str:
    return THERE if value else MISSING


def _signed(value: str) -> str:
    """A text of which no sign is lost where learning leaves punctuation out."""
    return f"minus {value[1:]}" if _NEGATIVE.match(value) else value


@dataclass(frozen=True)
class MatchType:
    """How values are compared.

    text        of a value, what is compared
    kinds       how learning may compare it, by data type. Values of a data type that is not there are not compared so
    """

    text: Callable[[str], str]
    kinds: Mapping[str, tuple[str, ...]]

    def compares(self, data_type: str) -> bool:
        """Whether it compares values of a data type."""
        return _plain(data_type) in self.kinds

    def kinds_of(self, data_type: str) -> tuple[str, ...]:
        """How learning may compare values of a data type; () where it finds out."""
        return self.kinds[_plain(data_type)]


def _plain(data_type: str) -> str:
    """decimal(8,2) as decimal."""
    return data_type.partition("(")[0]


def _are(kinds: tuple[str, ...], *groups: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Values of the data types of these groups are of one of the kinds."""
    return {data_type: kinds for group in groups for data_type in group}


_EVERY = (TEXTS, WHOLE_NUMBERS, NUMBERS, DATES, TRUTHS)

#: By name. DONT_USE is not among them: such a field is not compared.
MATCH_TYPES: dict[str, MatchType] = {
    "FUZZY": MatchType(
        _whole,
        {
            **_are((), TEXTS),
            **_are(("digits", "number", "date"), WHOLE_NUMBERS),
            **_are(("number",), NUMBERS),
            **_are(("date",), DATES),
        },
    ),
    "TEXT": MatchType(_whole, _are(("words", "text"), TEXTS)),
    "NUMERIC": MatchType(_numbers, _are(("digits",), TEXTS, WHOLE_NUMBERS)),
    "EXACT": MatchType(_signed, _are(("exact",), *_EVERY)),
    "PINCODE": MatchType(_before("-"), _are(("exact",), TEXTS, WHOLE_NUMBERS)),
    "EMAIL": MatchType(_before("@"), _are((), TEXTS)),
    "NUMERIC_WITH_UNITS": MatchType(_codes, _are(("words", "text"), TEXTS)),
    "NULL_OR_BLANK": MatchType(_presence, _are(("category",), *_EVERY)),
    "ONLY_ALPHABETS_FUZZY": MatchType(_letters, _are((), TEXTS)),
    "ONLY_ALPHABETS_EXACT": MatchType(_letters, _are(("exact",), TEXTS)),
}

DONT_USE = "DONT_USE"

#: All that a configuration may say.
NAMES = (*MATCH_TYPES, DONT_USE)
