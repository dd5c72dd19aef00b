"""Neighbours of texts: for each record those whose words are most alike, over all of its fields.

Texts of one thing often share no key, but several words that are not frequent. Records are vectors of their words,
weighted by inverse document frequency; near is what has a large cosine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pehchan.learning.fields import LearntField
from pehchan.learning.hashing import text_hashes
from pehchan.learning.table import Table

#: Neighbours of a record.
NEAREST = 10
#: Cosine under which no record is near.
LEAST_COSINE = 0.1
#: Kinds of fields whose words count.
_KINDS = ("name", "words", "text", "category", "digits")
#: A word of a larger share of the records, if of more than so many, tells nothing, and costs most: the work is the
#: sum of the squares of how many records have each word. Of many records the work bounds it, whatever it tells.
_FREQUENT_SHARE, _FREQUENT, _MOST_FREQUENT = 0.1, 50, 1_000
#: Records whose cosines with all others are in memory at a time.
_AT_ONCE = 500

Rows = NDArray[np.int64]


def wanted(fields: Sequence[LearntField]) -> bool:
    """Whether there are texts, so that keys alone do not find enough."""
    return any(field.kind == "text" for field in fields)


def neighbour_pairs(table: Table, count: int = NEAREST, within: bool = False) -> tuple[Rows, Rows]:
    """Rows (i, j), i < j, where one record is among the nearest of the other; each pair once and in order.

    Of two sets, each record has its neighbours in the other one, or, `within`, in its own.
    """
    vectors = word_vectors(table)
    if table.two_sets:
        parts = [np.flatnonzero(table.sets == number) for number in np.unique(table.sets).tolist()]
    else:
        parts = [np.arange(len(table))]
    searches = (
        [(part, part) for part in parts]
        if within or len(parts) == 1
        else [(one, np.concatenate([two for two in parts if two is not one])) for one in parts]
    )
    pairs = [np.zeros(0, np.int64)]
    for one, two in searches:
        i, j, _ = nearest(table, vectors, one, two, count)
        pairs.append(np.minimum(i, j) * len(table) + np.maximum(i, j))
    distinct = np.unique(np.concatenate(pairs))
    return distinct // max(len(table), 1), distinct % max(len(table), 1)


def word_vectors(table: Table) -> csr_array:
    """float64[n, words], of each record its words with their weights, of length 1; none of words that are frequent.

    What a record has does not depend on the others of the table.
    """
    vectors, _, weights = _words_of(table)
    vectors.data = weights[vectors.indices]
    lengths = np.sqrt(vectors.multiply(vectors).sum(axis=1))
    vectors.data /= np.repeat(lengths, np.diff(vectors.indptr))
    return vectors


def telling_words(table: Table) -> tuple[Rows, NDArray[np.uint64]]:
    """(rows, hashes): of each record its words, over all fields and each once, but for those that are frequent."""
    vectors, vocabulary, _ = _words_of(table)
    rows = np.repeat(np.arange(len(table)), np.diff(vectors.indptr))
    return rows, text_hashes(vocabulary)[vectors.indices] if vocabulary else np.zeros(0, np.uint64)


def _words_of(table: Table) -> tuple[csr_array, list[str], NDArray[np.float64]]:
    """Of each record its words that are not frequent, the vocabulary, and the weights of this."""
    columns = [column for column in table.columns if column.kind in _KINDS]
    texts = [[value.split(" ") if value else [] for value in column.values] for column in columns]
    vocabulary = sorted({word for words in texts for each in words for word in each})
    weights = _weights(vocabulary, table.fields)
    # In the order of the words, so that sums over them are the same to the last bit in any table.
    place = {word: k for k, word in enumerate(vocabulary) if weights[k] > 0}
    vectors = csr_array((len(table), max(len(vocabulary), 1)))
    for column, words in zip(columns, texts, strict=True):
        known = [sorted({place[word] for word in each if word in place}) for each in words]
        starts = np.cumsum([0, *map(len, known)])
        indices = np.fromiter((k for each in known for k in each), np.int64, int(starts[-1]))
        of_values = csr_array((np.ones(len(indices)), indices, starts), shape=(len(known), vectors.shape[1]))
        vectors = vectors + of_values[column.codes]
    vectors.sort_indices()
    return vectors, vocabulary, weights


def _weights(vocabulary: Sequence[str], fields: Sequence[LearntField]) -> NDArray[np.float64]:
    """Inverse document frequencies, as the profile has the counts; 0 of frequent words."""
    worded = [field for field in fields if field.kind in _KINDS]
    records = max((field.records for field in fields), default=0)

    def count(word: str) -> float:
        found = 0.0
        for field in worded:
            if field.words:
                found += field.words.get(word, 0)
            else:
                for each in field.records_of_words.get(word, ()):
                    found += each
        # In a record at the least.
        return found or 1.0

    most = min(max(_FREQUENT, _FREQUENT_SHARE * records), _MOST_FREQUENT)
    found = list(map(count, vocabulary))
    return np.array(
        [0.0 if count > most else math.log((records + 1) / (count + 1)) + 0.1 for count in found] or [0.0]
    )


def nearest(
    table: Table, vectors: csr_array, one: Rows, two: Rows, count: int = NEAREST
) -> tuple[Rows, Rows, NDArray[np.float64]]:
    """(i, j, cosine): for each row i of `one` the `count` rows j of `two` with the largest cosines, never itself.

    Equally near ones by the hash of set and id. Of several searches of one record the best remain by `best`.
    """
    others = csr_array(vectors[two].T)
    found: list[tuple[Rows, Rows, NDArray[np.float64]]] = []
    for start in range(0, len(one), _AT_ONCE):
        rows = one[start : start + _AT_ONCE]
        cosines = csr_array(vectors[rows] @ others)
        i, j = np.repeat(rows, np.diff(cosines.indptr)), two[cosines.indices]
        near = (cosines.data > LEAST_COSINE) & (i != j)
        found.append(best(table, i[near], j[near], cosines.data[near], count))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    i, j, cosine = (np.concatenate(each) for each in zip(*found, strict=True))
    return i, j, cosine


def best(
    table: Table, i: Rows, j: Rows, cosine: NDArray[np.float64], count: int = NEAREST
) -> tuple[Rows, Rows, NDArray[np.float64]]:
    """Of the neighbours j of each i the `count` with the largest cosines; equal ones by the hash of set and id."""
    order = np.lexsort((table.record_hashes[j], -cosine, i))
    i, j, cosine = i[order], j[order], cosine[order]
    first = np.flatnonzero(np.concatenate(([True], i[1:] != i[:-1]))) if len(i) else np.zeros(0, np.int64)
    place = np.arange(len(i)) - np.repeat(first, np.diff(np.append(first, len(i))))
    kept = place < count
    return i[kept], j[kept], cosine[kept]
