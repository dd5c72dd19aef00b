"""Records as columns: the distinct normal values of each field, and which of them each record has."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pehchan.learning.fields import LearntField
from pehchan.learning.hashing import text_hashes
from pehchan.learning.normal import FORMS, normal_texts

T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """The values of a field.

    field   it belongs to
    values  distinct normal values; values[0] is "", whether a record has it or not: the code of a missing value is 0
    codes   int64[n], of each record the position of its value
    """

    field: LearntField
    values: list[str]
    codes: NDArray[np.int64]
    _cache: dict[Hashable, Any] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, field: LearntField, raw: Sequence[str]) -> Column:
        """Of raw values, one a record."""
        distinct, codes = distinct_of(raw)
        values, forms = distinct_of(normal_values(field.kind, distinct), first=("",))
        return cls(field, values, forms[codes])

    @property
    def kind(self) -> str:
        return self.field.kind

    def cached(self, name: Hashable, make: Callable[[Column], T]) -> T:
        """What `make` makes of this column, made once for each name. It may depend on field and values only."""
        if name not in self._cache:
            self._cache[name] = make(self)
        made: T = self._cache[name]
        return made


@dataclass(frozen=True)
class Table:
    """Records, in columns.

    fields   of the columns
    columns  in the order of the fields
    ids      of the records, unique within a set
    sets     int8[n], the number of the set of each record; 0 for all where there is one
    """

    fields: tuple[LearntField, ...]
    columns: tuple[Column, ...]
    ids: list[str]
    sets: NDArray[np.int8]

    @classmethod
    def of(
        cls,
        fields: Sequence[LearntField],
        raw_columns: Sequence[Sequence[str]],
        ids: Sequence[str],
        sets: NDArray[np.int8] | Sequence[int] | None = None,
    ) -> Table:
        """Of raw columns in the order of the fields, records as they come. Without `sets` all are in set 0."""
        columns = tuple(Column.of(each, raw) for each, raw in zip(fields, raw_columns, strict=True))
        of_set = np.zeros(len(ids), np.int8) if sets is None else np.asarray(sets, dtype=np.int8)
        return cls(tuple(fields), columns, list(ids), of_set)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def record_hashes(self) -> NDArray[np.uint64]:
        """uint64[n], of set and id: for samples, and for ties that the order of the records must not decide."""
        return record_hashes(self.sets.tolist(), self.ids)

    @property
    def two_sets(self) -> bool:
        """Whether the records are of more than one set, so that pairs go across."""
        return len(self.sets) > 0 and bool((self.sets != self.sets[0]).any())

    def take(self, rows: NDArray[np.int64]) -> Table:
        """The records of these rows, in their order. The values, and what is cached of them, are shared."""
        columns = tuple(Column(c.field, c.values, c.codes[rows], c._cache) for c in self.columns)
        return Table(self.fields, columns, [self.ids[row] for row in rows.tolist()], self.sets[rows])

    def sample(self, most: int) -> NDArray[np.int64]:
        """At most so many rows, those whose records have the least hashes, in the order of the hashes.

        The same records whatever order the table has them in.
        """
        order = np.lexsort((np.array(self.ids), self.record_hashes)) if self.ids else np.zeros(0, np.int64)
        return order[:most].astype(np.int64)


def record_hashes(sets: Sequence[int], ids: Sequence[str]) -> NDArray[np.uint64]:
    """uint64[n], of the number of the set of each record and its id."""
    return text_hashes([f"{number}:{each}" for number, each in zip(sets, ids, strict=True)])


def distinct_of(values: Sequence[str], first: Sequence[str] = ()) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct values in the order they come in, behind those of `first`, and of each value its place there."""
    positions = {value: k for k, value in enumerate(dict.fromkeys([*first, *values]))}
    return list(positions), np.fromiter(map(positions.__getitem__, values), np.int64, len(values))


def normal_values(kind: str, raw: Sequence[str]) -> list[str]:
    """The normal values of raw ones in a field of this kind; "" where there is none."""
    return FORMS[kind](normal_texts(raw))
