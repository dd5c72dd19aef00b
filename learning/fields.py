"""The fields that learning works with: what kind of values each column has, and how they are spread.

A kind is a way of differing: names are misspelt, numbers have digits twisted, texts have words left out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pehchan.learning.normal import FORMS, is_date
from pehchan.learning.profile import ColumnProfile, Profile

#: A column that fewer records have a value of helps little and costs as much as another.
_LEAST_COVERAGE = 0.02
_MOST_CATEGORIES = 40


@dataclass(frozen=True)
class LearntField:
    """A field that can help.

    name        of the column
    ordinal     number of the column among those profiled, from 0
    kind        one of metadata.schema.KINDS
    coverage    share of the records that have a value, in (0, 1]
    distinct    normal values, each counted once
    chance      share of all pairs of records with a value whose values are equal, in (0, 1]: of pairs across the
                sets where there are two, else of all pairs, each record with itself among them
    records     that were counted
    frequent    share of the records with a value that have it, for the values that more than one record has, the most
                frequent of them at the least
    words       in how many records a word occurs, for the words of fields of words and text: the frequent ones at the
                least
    rare_word   mean of the same for a word that is not in `words`
    """

    name: str
    ordinal: int
    kind: str
    coverage: float
    distinct: int
    chance: float
    records: int
    frequent: Mapping[str, float] = field(default_factory=dict, repr=False)
    words: Mapping[str, int] = field(default_factory=dict, repr=False)
    rare_word: float = 1.0

    def word_weight(self, word: str) -> float:
        """How much it tells that two records have the word: its inverse document frequency."""
        return math.log((self.records + 1) / (self.words.get(word, self.rare_word) + 1)) + 0.1

    @cached_property
    def rare_share(self) -> float:
        """Share of the records with a value that have one that is not in `frequent`, about, and at the least."""
        present = max(self.coverage * self.records, 1.0)
        rest = max(1.0 - math.fsum(self.frequent.values()), 0.0)
        return max(rest / max(self.distinct - len(self.frequent), 1), 1.0 / present, self.least_share)

    @property
    def least_share(self) -> float:
        """The share of one record."""
        return 1.0 / max(self.records, 1)

    @cached_property
    def records_of_words(self) -> Mapping[str, Sequence[float]]:
        """In how many records a word occurs, for each value of `frequent` with the word."""
        found: dict[str, list[float]] = {}
        for value, share in self.frequent.items():
            for word in set(value.split(" ")):
                found.setdefault(word, []).append(share * self.coverage * self.records)
        return found

    def to_dict(self) -> dict[str, Any]:
        """For JSON; decimals of six digits, of chances six that count."""
        return {
            "name": self.name,
            "ordinal": self.ordinal,
            "kind": self.kind,
            "coverage": round(self.coverage, 6),
            "distinct": self.distinct,
            "chance": float(f"{self.chance:.6g}"),
            "records": self.records,
            "frequent": dict(sorted(self.frequent.items())),
            "words": dict(sorted(self.words.items())),
            "rare_word": self.rare_word,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> LearntField:
        return cls(**given)


@dataclass(frozen=True)
class LearntFields:
    """The fields of a profile that can help, and by their names why the other columns cannot."""

    fields: tuple[LearntField, ...]
    left_out: Mapping[str, str]


def kinds_of(profile: Profile, said: Mapping[str, Sequence[str]] | None = None) -> LearntFields:
    """The fields of a profile, each with its kind; columns that cannot help are left out with the reason.

    said  by their names of which kinds fields can be, as somebody knows: the first where values look otherwise
    """
    said = said or {}
    fields, left_out = [], {}
    records = sum(profile.records.values())
    for ordinal, name in enumerate(profile.names):
        columns = [profile.columns[number][ordinal] for number in sorted(profile.columns)]
        present = sum(column.present for column in columns)
        kind, known = _kind(columns, records), said.get(name)
        if known and kind not in known:
            kind = known[0]
        # The form of a kind may leave nothing of a value, or bring values together.
        formed = [_formed(column, kind) for column in columns]
        has_form = sum(sum(each.values()) for each in formed) + sum(column.values.total for column in columns)
        counts: Counter[str] = Counter()
        for each in formed:
            counts.update(each)
        distinct = len(counts) + max((column.values.distinct for column in columns), default=0)
        if has_form < _LEAST_COVERAGE * records or not has_form:
            left_out[name] = f"{present:,} of {records:,} records have a value"
        elif distinct < 2:
            left_out[name] = "all records that have a value have the same"
        else:
            fields.append(
                LearntField(
                    name,
                    ordinal,
                    kind,
                    round(has_form / records, 6),
                    distinct,
                    float(f"{_chance(columns, formed):.6g}"),
                    records,
                    {
                        value: float(f"{count / has_form:.6g}")
                        for value, count in sorted(counts.items())
                        if count > 1
                    },
                    *_words(columns if kind in ("words", "text") else []),
                )
            )
    return LearntFields(tuple(fields), left_out)


def _formed(column: ColumnProfile, kind: str) -> dict[str, int]:
    """How often each kept value occurs in the form of its kind."""
    counts: dict[str, int] = {}
    for value, count in zip(FORMS[kind](list(column.values.kept)), column.values.kept.values(), strict=True):
        if value:
            counts[value] = counts.get(value, 0) + count
    return counts


def _kind(columns: Sequence[ColumnProfile], records: int) -> str:
    """The kind of most of the distinct values."""
    texts = sorted(set().union(*(column.values.kept for column in columns)))
    if not texts:
        return "category"
    without_letters = [text for text in texts if not any(letter.isalpha() for letter in text)]
    dates = sum(map(is_date, texts))
    if dates > 0.75 * len(texts):
        return "date"
    if len(without_letters) > 0.9 * len(texts):
        return "number" if sum("." in text for text in texts) > 0.3 * len(texts) else "digits"
    distinct = len(texts) + max(column.values.distinct for column in columns)
    if distinct <= _MOST_CATEGORIES and distinct < 0.05 * records:
        return "category"
    words = sum(text.count(" ") + 1 for text in texts) / len(texts)
    return "text" if words >= 4.5 else "words" if words >= 1.7 else "name"


def _chance(columns: Sequence[ColumnProfile], formed: Sequence[Mapping[str, int]]) -> float:
    present = [sum(each.values()) + column.values.total for each, column in zip(formed, columns, strict=True)]
    if len(columns) == 2 and all(present):
        # Whole numbers until the end: a sum of decimals would depend on the order of the values.
        one, two = formed
        equal: float = sum(count * two[value] for value, count in one.items() if value in two)
        rest = [column.values for column in columns]
        # As if the rare values of the set with more of them were all the rare values there are.
        equal += rest[0].total * rest[1].total / max(rest[0].distinct, rest[1].distinct, 1)
        return max(equal, 1.0) / (present[0] * present[1])
    together: Counter[str] = Counter()
    for each in formed:
        together.update(each)
    squares = sum(count * count for count in together.values()) + sum(c.values.squares for c in columns)
    return squares / max(sum(present), 1) ** 2


def _words(columns: Sequence[ColumnProfile]) -> tuple[dict[str, int], float]:
    """How many records have each kept word, and how many on average one of the others."""
    words: Counter[str] = Counter()
    for column in columns:
        words.update(column.document_counts())
    total = sum(column.words.total for column in columns)
    distinct = sum(column.words.distinct for column in columns)
    return dict(sorted(words.items())), round(total / distinct, 6) if distinct else 1.0
