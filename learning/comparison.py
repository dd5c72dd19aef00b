"""How alike the values of a field are, in levels: what is compared and where the levels begin depends on its kind.

Values are compared once for each two distinct ones; two empty ones, or an empty and another, are missing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, Indel, JaroWinkler
from rapidfuzz.process import cpdist

from pehchan.learning.patterns import Floats, Levels, Positions
from pehchan.learning.table import Column
from pehchan.learning.word_vectors import WordVectors

#: Values that differ are at most so alike.
ALMOST = 0.999
#: So many letters of a text are compared letter by letter; its words are compared all.
LETTERS = 500

#: Similarities of distinct values, float64[n] in [0, 1]: of values, and at which places of the words they are.
Measure = Callable[[Sequence[str], Sequence[str], Positions, Positions, WordVectors | None], Floats]


@dataclass(frozen=True)
class Comparison:
    """How values of a kind are compared.

    cuts     where levels begin, rising: below the first is level 1, from the last on (equal values) the highest
    measure  similarities of values that differ
    words    whether the measure looks at words
    graded   equal values are the exception among matches, as texts are
    """

    cuts: tuple[float, ...]
    measure: Measure
    words: bool = False
    graded: bool = False

    @property
    def levels(self) -> int:
        """How many there are besides that of missing values."""
        return len(self.cuts) + 1


def _alike(scorer: Any, a: Sequence[str], b: Sequence[str]) -> Floats:
    return cpdist(a, b, scorer=scorer, dtype=np.float64)


def _names(a: Sequence[str], b: Sequence[str], *_: Any) -> Floats:
    return np.maximum(
        _alike(JaroWinkler.normalized_similarity, a, b), _alike(OSA.normalized_similarity, a, b)
    )


def _joined(values: Sequence[str]) -> list[str]:
    return [value[:LETTERS].replace(" ", "") for value in values]


def _in_any_order(a: Sequence[str], b: Sequence[str]) -> Floats:
    return _alike(fuzz.token_sort_ratio, [x[:LETTERS] for x in a], [x[:LETTERS] for x in b]) / 100


def _words(
    a: Sequence[str], b: Sequence[str], i: Positions, j: Positions, vectors: WordVectors | None
) -> Floats:
    assert vectors is not None
    letters = np.maximum(_alike(OSA.normalized_similarity, _joined(a), _joined(b)), _in_any_order(a, b))
    return np.maximum(letters, vectors.shared(i, j).cosine)


def _texts(
    a: Sequence[str], b: Sequence[str], i: Positions, j: Positions, vectors: WordVectors | None
) -> Floats:
    assert vectors is not None
    letters = np.maximum(_alike(Indel.normalized_similarity, _joined(a), _joined(b)), _in_any_order(a, b))
    return np.maximum(0.9 * letters, vectors.shared(i, j).cosine)


def _digits(a: Sequence[str], b: Sequence[str], *_: Any) -> Floats:
    return _alike(OSA.normalized_similarity, a, b)


def _dates(a: Sequence[str], b: Sequence[str], *_: Any) -> Floats:
    swapped = [x[:4] == y[:4] and x[4:6] == y[6:8] and x[6:8] == y[4:6] for x, y in zip(a, b, strict=True)]
    return np.where(swapped, np.maximum(_digits(a, b), 0.875), _digits(a, b))


def _numbers(a: Sequence[str], b: Sequence[str], *_: Any) -> Floats:
    x, y = np.array(a, dtype=np.float64), np.array(b, dtype=np.float64)
    return 1 - np.abs(x - y) / np.maximum(x, y)


def _never(a: Sequence[str], *_: Any) -> Floats:
    return np.zeros(len(a))


#: By kind of field.
COMPARISONS = {
    "name": Comparison((0.70, 0.84, 0.92, ALMOST), _names),
    "words": Comparison((0.5, 0.72, 0.88, ALMOST), _words, words=True),
    "text": Comparison((0.12, 0.25, 0.4, 0.6, 0.8, ALMOST), _texts, words=True, graded=True),
    "category": Comparison((0.6, ALMOST), _names),
    "digits": Comparison((0.49, 0.74, ALMOST), _digits),
    "date": Comparison((0.5, 0.7, 0.86, ALMOST), _dates),
    "number": Comparison((0.5, 0.8, 0.95, ALMOST), _numbers),
    "exact": Comparison((ALMOST,), _never),
}


def similarities(column: Column, i: Positions, j: Positions) -> Floats:
    """float64[n] in [0, 1], NaN where one of both is missing: of the records at these places."""
    comparison, values = COMPARISONS[column.kind], column.values
    a, b = column.codes[i], column.codes[j]
    found = np.full(len(a), np.nan)
    both = (a != 0) & (b != 0)
    found[both & (a == b)] = 1.0
    differ = np.flatnonzero(both & (a != b))
    if len(differ):
        low, high = np.minimum(a[differ], b[differ]), np.maximum(a[differ], b[differ])
        distinct, place = np.unique(low * np.int64(len(values)) + high, return_inverse=True)
        first, second = distinct // len(values), distinct % len(values)
        alike = comparison.measure(
            [values[k] for k in first.tolist()],
            [values[k] for k in second.tolist()],
            first,
            second,
            word_vectors(column) if comparison.words else None,
        )
        found[differ] = np.minimum(alike, np.nextafter(ALMOST, 0.0))[place.reshape(-1)]
    return found


def word_vectors(column: Column) -> WordVectors:
    """The words of the values of a column."""
    return column.cached("word vectors", lambda each: WordVectors(each.values, each.field.word_weight))


def levels_of(kind: str, similarity: Floats) -> Levels:
    """int8[n]: 0 where missing, else from 1 to the levels of the kind."""
    found = np.searchsorted(COMPARISONS[kind].cuts, similarity, side="right").astype(np.int8) + np.int8(1)
    found[np.isnan(similarity)] = 0
    return found
