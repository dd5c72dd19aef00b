"""The hashes of keys for batches of raw records, fast enough for millions of them.

What a value makes of the parts of keys is remembered, up to a bound: names and towns come again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from pehchan.learning.fields import LearntField
from pehchan.learning.hashing import combined
from pehchan.learning.predicates import Key, seed_of, value_hashes
from pehchan.learning.table import normal_values

#: Raw values of a field that are remembered.
REMEMBERED = 100_000


class KeyHashes:
    """Makes the hashes of keys of raw columns, the same that `predicates.key_hashes` makes of a table of them."""

    def __init__(self, fields: Sequence[LearntField], keys: Sequence[Key], remembered: int = REMEMBERED):
        self._count = len(keys)
        self._seeds = [seed_of(fields, key) for key in keys]
        parts = sorted({part for key in keys for part in key.parts})
        self._fields = {
            number: _FieldHashes(
                fields[number], [part.predicate for part in parts if part.field == number], remembered
            )
            for number in sorted({part.field for part in parts})
        }
        self._keys = [[(part.field, part.predicate) for part in key.parts] for key in keys]

    def of(self, raw_columns: Sequence[Sequence[str]]) -> NDArray[np.uint64]:
        """uint64[n, keys] of raw columns in the order of the fields; 0 where a record has no value of a key."""
        made = np.zeros((len(raw_columns[0]) if len(raw_columns) else 0, self._count), np.uint64)
        hashes = {}
        for number, field in self._fields.items():
            for predicate, values in zip(field.predicates, field.of(raw_columns[number]), strict=True):
                hashes[number, predicate] = values
        for k, parts in enumerate(self._keys):
            made[:, k] = combined([hashes[part] for part in parts], self._seeds[k])
        return made


class _FieldHashes:
    """Of one field: the hashes of its predicates for raw values, remembered by value."""

    def __init__(self, field: LearntField, predicates: Sequence[str], remembered: int):
        self.field, self.predicates, self.remembered = field, list(predicates), remembered
        # Where hardly a value comes again, to look for it costs more than it saves.
        self._come_again = field.distinct < 0.5 * field.records
        self._forget()

    def _forget(self) -> None:
        self._places: dict[str, int] = {}
        self._hashes = np.zeros((len(self.predicates), 1024), np.uint64)

    def of(self, raw: Sequence[str]) -> NDArray[np.uint64]:
        """uint64[predicates, n]."""
        if not self._come_again:
            return self._made(raw)
        if len(self._places) > self.remembered:
            self._forget()
        places = np.fromiter(map(self._places.get, raw, repeat(-1)), np.int64, len(raw))
        unknown = np.flatnonzero(places < 0)
        if len(unknown):
            new = list(dict.fromkeys([raw[row] for row in unknown.tolist()]))
            self._learn(new)
            places[unknown] = [self._places[raw[row]] for row in unknown.tolist()]
        return self._hashes[:, places]

    def _learn(self, new: list[str]) -> None:
        start, end = len(self._places), len(self._places) + len(new)
        if end > self._hashes.shape[1]:
            longer = np.zeros((len(self.predicates), max(end, 2 * self._hashes.shape[1])), np.uint64)
            longer[:, :start] = self._hashes[:, :start]
            self._hashes = longer
        self._hashes[:, start:end] = self._made(new)
        self._places.update(zip(new, range(start, end), strict=True))

    def _made(self, raw: Sequence[str]) -> NDArray[np.uint64]:
        values = normal_values(self.field.kind, raw)
        return np.array([value_hashes(self.field, predicate, values) for predicate in self.predicates])
