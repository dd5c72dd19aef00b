"""What keys are made of: what two values of one entity often have in common although they differ.

A predicate makes one text of a normal value: its first three letters, how it sounds, its rarest word. A key is a
conjunction of predicates of different fields, written like the blocking keys of a schema:
`soundex(surname) + year(birth)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jellyfish
import numpy as np
from numpy.typing import NDArray

from pehchan.learning.fields import LearntField
from pehchan.learning.hashing import combined, text_hashes
from pehchan.learning.table import Column, Table

#: Of normal values of a field, none of them empty, the texts; "" where a value has none.
Texts = Callable[[Sequence[str], LearntField], list[str]]

_NO_LATIN_LETTER = re.compile("[^a-z]+")
_NUMBER = re.compile("[0-9]+")


@dataclass(frozen=True)
class Predicate:
    """What is made of a value.

    form   how a key writes it, with {} for the column
    prior  how often the values of two records of one entity agree in it, before anything is known of them
    kinds  of fields that have it
    texts  makes it
    """

    form: str
    prior: float
    kinds: tuple[str, ...]
    texts: Texts


def _each(function: Callable[[str], str]) -> Texts:
    return lambda values, _: [function(value) for value in values]


def _prefix(letters: int) -> Texts:
    return _each(lambda value: value.replace(" ", "")[:letters])


def _soundex(values: Sequence[str], field: LearntField) -> list[str]:
    """Of the first word of a name, of all of words: blanks come and go in them."""
    if field.kind == "name":
        values = [value.split(" ", 1)[0] for value in values]
    latin = [
        value if value.isalpha() and value.isascii() else _NO_LATIN_LETTER.sub("", value) for value in values
    ]
    return [jellyfish.soundex(letters) if letters else "" for letters in latin]


def _letters(value: str) -> str:
    return "".join(sorted(set(value.replace(" ", ""))))


def _rarest(count: int) -> Texts:
    """The rarest words, as many as asked for, in the order of the alphabet; none of values of fewer words."""

    def texts(values: Sequence[str], field: LearntField) -> list[str]:
        records, rare = field.words, field.rare_word
        made = []
        for value in values:
            words = sorted(set(value.split(" ")), key=lambda word: (records.get(word, rare), word))
            made.append(" ".join(sorted(words[:count])) if len(words) >= count else "")
        return made

    return texts


def _rounded(values: Sequence[str], _: LearntField) -> list[str]:
    """Logarithms in eighths: numbers that are some percent apart mostly round to the same."""
    logarithms = np.log1p(np.array([float(value) for value in values]))
    return [str(number) for number in np.rint(logarithms * 8).astype(np.int64).tolist()]


_NAMES = ("name", "words", "text")
_WORDS = ("words", "text")

#: By name.
PREDICATES: dict[str, Predicate] = {
    "exact": Predicate(
        "{}", 0.78, (*_NAMES, "category", "digits", "date", "number", "exact"), _each(lambda value: value)
    ),
    "prefix3": Predicate("prefix({}, 3)", 0.90, _NAMES, _prefix(3)),
    "prefix5": Predicate("prefix({}, 5)", 0.84, _NAMES, _prefix(5)),
    "suffix3": Predicate("suffix({}, 3)", 0.86, _NAMES, _each(lambda value: value.replace(" ", "")[-3:])),
    "soundex": Predicate("soundex({})", 0.88, _NAMES, _soundex),
    "letters": Predicate("letters({})", 0.85, _NAMES, _each(_letters)),
    "first_word": Predicate("first_word({})", 0.86, _WORDS, _each(lambda value: value.split(" ", 1)[0])),
    "last_word": Predicate("last_word({})", 0.86, _WORDS, _each(lambda value: value.rsplit(" ", 1)[-1])),
    "sorted_words": Predicate(
        "sorted_words({})", 0.80, _WORDS, _each(lambda value: " ".join(sorted(value.split(" "))))
    ),
    "rarest_word": Predicate("rarest_word({})", 0.85, _WORDS, _rarest(1)),
    "rarest_words": Predicate("rarest_words({}, 2)", 0.75, _WORDS, _rarest(2)),
    "numbers": Predicate("digits({})", 0.85, _WORDS, _each(lambda value: " ".join(_NUMBER.findall(value)))),
    "first_half": Predicate(
        "first_half({})", 0.86, ("digits",), _each(lambda value: value[: max(3, len(value) // 2)])
    ),
    "last_half": Predicate(
        "last_half({})", 0.86, ("digits",), _each(lambda value: value[-max(3, (len(value) + 1) // 2) :])
    ),
    "sorted_digits": Predicate(
        "sorted_digits({})", 0.85, ("digits", "date"), _each(lambda value: "".join(sorted(value)))
    ),
    "year": Predicate("year({})", 0.93, ("date",), _each(lambda value: value[:4])),
    "month_day": Predicate("month_day({})", 0.85, ("date",), _each(lambda value: value[4:8])),
    "year_month": Predicate("year_month({})", 0.88, ("date",), _each(lambda value: value[:6])),
    "rounded": Predicate("rounded({})", 0.70, ("number",), _rounded),
}


@dataclass(frozen=True, order=True)
class Part:
    """A predicate of a field.

    field      number of the field among those of the table
    predicate  a name of PREDICATES
    """

    field: int
    predicate: str

    def text(self, fields: Sequence[LearntField]) -> str:
        """As a key writes it."""
        name = fields[self.field].name
        plain = re.fullmatch(r'[^"+(),]*[^"+(),\s]', name) and name == name.strip() and not name.isdecimal()
        return PREDICATES[self.predicate].form.format(name if plain else f'"{name}"')


@dataclass(frozen=True)
class Key:
    """What records must have in common to meet: all of its parts, which are of different fields."""

    parts: tuple[Part, ...]

    def text(self, fields: Sequence[LearntField]) -> str:
        """As a schema would write it."""
        return " + ".join(part.text(fields) for part in self.parts)


def parts_of(fields: Sequence[LearntField]) -> list[Part]:
    """All that the fields offer."""
    return [
        Part(number, name)
        for number, field in enumerate(fields)
        for name, predicate in PREDICATES.items()
        if field.kind in predicate.kinds
    ]


def value_hashes(field: LearntField, predicate: str, values: Sequence[str]) -> NDArray[np.uint64]:
    """uint64[n], of normal values of a field what a predicate makes of each; 0 where it makes nothing."""
    # "" is 0 whatever a predicate would make of it.
    present = [k for k, value in enumerate(values) if value]
    texts = PREDICATES[predicate].texts(
        [values[k] for k in present] if len(present) < len(values) else values, field
    )
    hashes = np.zeros(len(values), np.uint64)
    hashes[present] = text_hashes(texts)
    return hashes


def part_hashes(table: Table, part: Part) -> NDArray[np.uint64]:
    """uint64[n], of each record of a table; 0 where the record has no value of the part. Cached by distinct value."""

    def make(column: Column) -> NDArray[np.uint64]:
        return value_hashes(column.field, part.predicate, column.values)

    column = table.columns[part.field]
    hashes: NDArray[np.uint64] = column.cached(("predicate", part.predicate), make)[column.codes]
    return hashes


def key_hashes(table: Table, keys: Sequence[Key]) -> NDArray[np.uint64]:
    """uint64[n, keys]: of each record what each key makes of it, 0 where it makes nothing.

    No two keys share hashes: all of them can lie in one space.
    """
    made = np.zeros((len(table), len(keys)), np.uint64)
    for k, key in enumerate(keys):
        made[:, k] = combined([part_hashes(table, part) for part in key.parts], seed_of(table.fields, key))
    return made


def seed_of(fields: Sequence[LearntField], key: Key) -> int:
    """What tells the hashes of a key from those of the others."""
    return int(text_hashes([key.text(fields)])[0])
