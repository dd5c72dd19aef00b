"""What speaks for and against a match of two records, as numbers: the features of a pair."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pehchan.learning.comparison import levels_of, similarities, word_vectors
from pehchan.learning.em import Estimate
from pehchan.learning.fields import LearntField
from pehchan.learning.patterns import Floats, Levels, Positions
from pehchan.learning.table import Column, Table
from pehchan.learning.word_vectors import WordVectors

#: Kinds of fields whose words are those of the whole record.
WORDED = ("name", "words", "text")
#: Stands for what is missing, halfway between equal and nothing in common.
UNKNOWN = 0.5


@dataclass(frozen=True)
class Evidence:
    """Of n pairs of records of a table.

    fields        f of them
    similarities  float64[n, f] in [0, 1], NaN where missing
    levels        int8[n, f]
    rarity        float64[n, f]: where values are equal, minus the logarithm of how frequent the value is; else NaN
    """

    fields: Sequence[LearntField]
    similarities: Floats
    levels: Levels
    rarity: Floats

    @classmethod
    def of(cls, table: Table, i: Positions, j: Positions) -> "Evidence":
        shape = (len(i), len(table.columns))
        alike, rarity = np.empty(shape, order="F"), np.full(shape, np.nan, order="F")
        levels = np.empty(shape, dtype=np.int8, order="F")
        for place, column in enumerate(table.columns):
            alike[:, place] = similarities(column, i, j)
            levels[:, place] = levels_of(column.kind, alike[:, place])
            if column.kind != "number":
                first = column.codes[i]
                equal = (first == column.codes[j]) & (first != 0)
                rarity[equal, place] = _rarities(column)[first[equal]]
        return cls(table.fields, alike, levels, rarity)

    def __len__(self) -> int:
        return len(self.levels)

    def weights(self, estimate: Estimate) -> Floats:
        """float64[n, f]: log(m / u) of each field, 0 where missing. Equal values count by how rare they are.

        W. Winkler, "Frequency-based matching in Fellegi-Sunter model of record linkage", 2000.
        """
        found = np.empty(self.levels.shape, order="F")
        for field, weights in enumerate(estimate.weights):
            found[:, field] = weights[self.levels[:, field]]
            equal = ~np.isnan(self.rarity[:, field])
            rare = math.log(float(estimate.m[field][-1])) + self.rarity[equal, field]
            # The most frequent value speaks against a match only where equal values as such do.
            found[equal, field] = np.maximum(rare, min(0.0, float(weights[-1])))
        return found


def words_in_common(table: Table, i: Positions, j: Positions) -> tuple[list[str], list[Floats]]:
    """Names and values, float64[n] in [0, 1], of what the words of records have in common.

    Of each field with words how much of the lighter value the other one has, and how many of the words with digits;
    where there are texts, whose words may stand in another field, the cosine of the whole records. UNKNOWN where
    there is nothing to compare.
    """
    names: list[str] = []
    found: list[Floats] = []
    if any(column.kind == "text" for column in table.columns):
        names.append("record: words")
        found.append(_records(table).shared(i, j).cosine)
    for column in table.columns:
        if column.kind not in ("words", "text"):
            continue
        a, b = column.codes[i], column.codes[j]
        shared = word_vectors(column).shared(a, b)
        names += [f"{column.field.name}: contained", f"{column.field.name}: numbers"]
        found.append(np.where((a == 0) | (b == 0), UNKNOWN, shared.containment))
        found.append(np.nan_to_num(shared.numbers, nan=UNKNOWN))
    return names, found


def _records(table: Table) -> WordVectors:
    worded = [column for column in table.columns if column.kind in WORDED]
    texts = [
        " ".join(values)
        for values in zip(
            *([column.values[code] for code in column.codes.tolist()] for column in worded), strict=True
        )
    ] or [""] * len(table)
    fields = [column.field for column in worded]
    records = max((field.records for field in fields), default=1)

    def weight(word: str) -> float:
        count = max((_word_count(field, word) for field in fields), default=0.0) or 1.0
        return math.log((records + 1) / (count + 1)) + 0.1

    return WordVectors(texts, weight)


def _word_count(field: LearntField, word: str) -> float:
    """In how many records of a field a word occurs, 0 where it is not known."""
    if field.kind != "name":
        return field.words.get(word, 0.0)
    return field.frequent.get(word, 0.0) * (field.coverage * field.records)


def _rarities(column: Column) -> Floats:
    return column.cached("rarities", _make_rarities)


def _make_rarities(column: Column) -> Floats:
    field = column.field
    other, least = field.rare_share, field.least_share
    return np.array(
        [-math.log(max(field.frequent.get(value, other), least)) for value in column.values], dtype=np.float64
    )
