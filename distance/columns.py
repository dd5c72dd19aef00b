"""Records as columns: the distinct values of each compared field, and a code a record."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]
Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Column:
    """One field of n records.

    values   the distinct values, as they are compared (folded where the schema says so)
    codes    int32[n]: values[codes[k]] is the value of record k
    missing  bool[len(values)]: the value is empty, or not fit to be compared
    faulty   bool[len(values)]: the value is there but cannot be read; for the counters
    """

    values: Sequence[str]
    codes: Codes
    missing: Mask
    faulty: Mask

    def take(self, records: Positions) -> "Column":
        """The same column for some of the records (int64[m], positions)."""
        return Column(self.values, self.codes[records], self.missing, self.faulty)


@dataclass(frozen=True)
class Side:
    """One field of the records on one side of a comparison.

    values  the distinct values that are there
    code    int64[n]: values[code[k]] is the value of record k; any number where it is absent
    absent  bool[n], None where no value is absent
    rank    int64[n], of the records
    """

    values: list[str]
    code: Positions
    absent: Mask | None
    rank: Positions

    @classmethod
    def of(cls, column: Column, rank: Positions) -> "Side":
        """The side of a column of records with these ranks."""
        codes, place = np.unique(column.codes, return_inverse=True)
        absent = column.missing[codes]
        if not absent.any():
            return cls([column.values[k] for k in codes.tolist()], place, None, rank)
        values = [column.values[k] for k in codes[~absent].tolist()]
        return cls(values, (np.cumsum(~absent) - 1).clip(0)[place], absent[place], rank)


@dataclass(frozen=True)
class Block:
    """n records as columns.

    columns  one a compared field, in schema order
    rank     int64[n], distinct: of two records the one with the smaller rank comes first in their pair
    """

    columns: Sequence[Column]
    rank: Positions

    def __len__(self) -> int:
        return len(self.rank)

    @cached_property
    def sides(self) -> list[Side]:
        """Each field as one side of a comparison."""
        return [Side.of(column, self.rank) for column in self.columns]

    def take(self, records: Positions) -> "Block":
        """The block of some of the records (int64[m], positions)."""
        return Block([column.take(records) for column in self.columns], self.rank[records])


def distinct(values: Sequence[str]) -> tuple[list[str], Codes]:
    """The distinct values in order of first appearance, and the code of each value: int32[len(values)]."""
    code_of: dict[str, int] = {}
    codes = np.fromiter(
        (code_of.setdefault(value, len(code_of)) for value in values), dtype=np.int32, count=len(values)
    )
    return list(code_of), codes
