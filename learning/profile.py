"""What is counted of all records: how often each value and each word of a column occurs.

A profile of all records is the sum of the profiles of its parts. What it keeps can be bounded, and stays exact:
`parts` shares the values and words out by their hash, so that of each part the sums can be `trimmed` to the most
frequent, and the trimmed parts summed and trimmed again. The order and the splitting of the records never show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pehchan.learning.hashing import text_hashes
from pehchan.learning.normal import normal_texts

#: Values and words that are kept of each column and set.
KEPT = 10_000


@dataclass
class Counts:
    """How often each of some texts occurs.

    kept      the texts and their counts
    distinct, total, squares  of those not kept: how many, the sum of their counts and of the squares of them
    """

    kept: dict[str, int] = field(default_factory=dict)
    distinct: int = 0
    total: int = 0
    squares: int = 0

    def plus(self, other: Counts) -> Counts:
        kept = Counter(self.kept)
        kept.update(other.kept)
        return Counts(
            dict(kept),
            self.distinct + other.distinct,
            self.total + other.total,
            self.squares + other.squares,
        )

    def trimmed(self, most: int) -> Counts:
        """The `most` most frequent kept; of those as frequent as the last of them by the hash of the text."""
        if len(self.kept) <= most:
            return self
        texts = list(self.kept)
        counts = np.fromiter(self.kept.values(), np.int64, len(texts))
        least = -np.partition(-counts, most - 1)[most - 1]
        stay = counts > least
        ties = np.flatnonzero(counts == least).tolist()
        hashes = text_hashes([texts[k] for k in ties]).tolist()
        first = sorted(range(len(ties)), key=lambda k: (hashes[k], texts[ties[k]]))[: most - int(stay.sum())]
        stay[[ties[k] for k in first]] = True
        gone = counts[~stay]
        return Counts(
            {texts[k]: int(counts[k]) for k in np.flatnonzero(stay).tolist()},
            self.distinct + len(gone),
            self.total + int(gone.sum()),
            self.squares + int((gone * gone).sum()),
        )

    def parts(self, count: int) -> list[Counts]:
        texts = list(self.kept)
        places = (text_hashes(texts) % np.uint64(count)).tolist()
        shared: list[Counts] = [Counts() for _ in range(count)]
        for text, place in zip(texts, places, strict=True):
            shared[place].kept[text] = self.kept[text]
        shared[0].distinct, shared[0].total, shared[0].squares = self.distinct, self.total, self.squares
        return shared

    def to_list(self) -> list[Any]:
        return [dict(sorted(self.kept.items())), self.distinct, self.total, self.squares]


@dataclass
class ColumnProfile:
    """Of one column in one set.

    values  the normal texts of the records that have one
    words   of the texts of two words or more: in how many records each word occurs
    """

    values: Counts = field(default_factory=Counts)
    words: Counts = field(default_factory=Counts)

    @property
    def present(self) -> int:
        """Records that have a value."""
        return sum(self.values.kept.values()) + self.values.total

    @property
    def distinct(self) -> int:
        """Values, each counted once."""
        return len(self.values.kept) + self.values.distinct

    def document_counts(self) -> dict[str, int]:
        """In how many records each kept word occurs."""
        counts = Counter(self.words.kept)
        for value, count in self.values.kept.items():
            if " " not in value:
                counts[value] += count
        return dict(counts)


@dataclass
class Profile:
    """Of all columns.

    names    of the columns
    records  how many, by the number of the set
    columns  by the number of the set, in the order of the names
    """

    names: tuple[str, ...]
    records: dict[int, int]
    columns: dict[int, list[ColumnProfile]]

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        raw_columns: Sequence[Sequence[str]],
        sets: NDArray[np.int8] | Sequence[int],
    ) -> Profile:
        """Of records that lie in columns, one list of raw values for each name; `sets` has the set of each record."""
        of_set = np.asarray(sets, dtype=np.int8)
        numbers = np.unique(of_set).tolist()
        columns: dict[int, list[ColumnProfile]] = {}
        for number in numbers:
            rows = np.flatnonzero(of_set == number).tolist()
            columns[number] = [
                _profile_of(column if len(numbers) == 1 else [column[row] for row in rows])
                for column in raw_columns
            ]
        return cls(tuple(names), {n: int((of_set == n).sum()) for n in numbers}, columns)

    def merge(self, other: Profile) -> Profile:
        """Of the records of both. Raises ValueError where they count other columns.

        Trimmed ones may be merged where they have no value and no word in common, as the parts of one have.
        """
        if self.names != other.names:
            raise ValueError(
                f"profiles of other columns: {', '.join(self.names)} and {', '.join(other.names)}."
            )
        records = Counter(self.records)
        records.update(other.records)
        columns = {}
        for number in sorted(records):
            mine, theirs = self.columns.get(number), other.columns.get(number)
            if mine is None or theirs is None:
                columns[number] = list(mine or theirs or [])
            else:
                columns[number] = [
                    ColumnProfile(a.values.plus(b.values), a.words.plus(b.words))
                    for a, b in zip(mine, theirs, strict=True)
                ]
        return Profile(self.names, {number: records[number] for number in sorted(records)}, columns)

    def trimmed(self, most: int = KEPT) -> Profile:
        """With so many values and words of each column and set; of the others sums."""
        return Profile(
            self.names,
            dict(self.records),
            {
                number: [ColumnProfile(c.values.trimmed(most), c.words.trimmed(most)) for c in columns]
                for number, columns in self.columns.items()
            },
        )

    def parts(self, count: int) -> list[Profile]:
        """Profiles that have no value and no word in common and are this one together."""
        shared = [
            Profile(
                self.names,
                {number: records if k == 0 else 0 for number, records in self.records.items()},
                {number: [] for number in self.columns},
            )
            for k in range(count)
        ]
        for number, columns in self.columns.items():
            for column in columns:
                values, words = column.values.parts(count), column.words.parts(count)
                for k, part in enumerate(shared):
                    part.columns[number].append(ColumnProfile(values[k], words[k]))
        return shared

    def to_dict(self) -> dict[str, Any]:
        """For JSON; the same counts give the same text."""
        return {
            "names": list(self.names),
            "sets": {
                str(number): {
                    "records": self.records[number],
                    "columns": [[c.values.to_list(), c.words.to_list()] for c in self.columns[number]],
                }
                for number in sorted(self.records)
            },
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Profile:
        sets = {int(number): each for number, each in given["sets"].items()}
        return cls(
            tuple(given["names"]),
            {number: each["records"] for number, each in sets.items()},
            {
                number: [ColumnProfile(Counts(*values), Counts(*words)) for values, words in each["columns"]]
                for number, each in sets.items()
            },
        )


def merged(profiles: Iterable[Profile]) -> Profile:
    """Of the records of all, at least one."""
    first, *others = profiles
    for other in others:
        first = first.merge(other)
    return first


def _profile_of(column: Sequence[str]) -> ColumnProfile:
    raw = Counter(column)
    values: dict[str, int] = {}
    words: Counter[str] = Counter()
    for text, count in zip(normal_texts(list(raw)), raw.values(), strict=True):
        if text:
            values[text] = values.get(text, 0) + count
    for text, count in values.items():
        if " " in text:
            for word in set(text.split()):
                words[word] += count
    return ColumnProfile(Counts(values), Counts(dict(words)))
