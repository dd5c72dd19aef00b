"""Records as columns: the distinct values of each compared field, and a code a record."""

from collections.abc import Sequence, Sized
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pehchan.distance.arrays import Codes, Mask, Positions
from pehchan.distance.measure import Prepared

#: Of so many times as many values those that occur are told by counting, of more by sorting.
COUNTED = 8


def pairs_between(rows: Sized, columns: Sized) -> int:
    """How many pairs there are of a row and a column; of one object with itself, of two different ones in it."""
    return len(rows) * (len(rows) - 1) // 2 if rows is columns else len(rows) * len(columns)


@dataclass(frozen=True)
class Column:
    """One field of n records.

    values    the distinct values, as they are compared (folded where the schema says so)
    codes     int32[n]: values[codes[k]] is the value of record k
    present   how many of the values are there; after these come those that are empty, or not fit to be compared
    faulty    bool[len(values)]: the value is not empty but cannot be read; for the counters
    prepared  the values that are there, as the measure has read them
    """

    values: Sequence[str]
    codes: Codes
    present: int
    faulty: Mask
    prepared: Prepared

    @property
    def missing(self) -> Mask:
        """bool[n]: the records that have no value."""
        return self.codes >= self.present

    def take(self, records: Positions) -> "Column":
        """The same column for some of the records (int64[m], positions)."""
        return replace(self, codes=self.codes[records])


@dataclass(frozen=True)
class Side:
    """One field of n records on one side of a comparison.

    values  int64[m]: the distinct values that are there, as positions in the column
    code    int64[n]: values[code[k]] is the value of record k; any number where it is absent
    absent  bool[n], None where no value is absent
    rank    int64[n], of the records
    """

    values: Positions
    code: Positions
    absent: Mask | None
    rank: Positions

    @classmethod
    def of(cls, column: Column, rank: Positions) -> "Side":
        """The side of a column of records with these ranks."""
        if len(column.codes) * COUNTED >= len(column.values):
            occurs = np.bincount(column.codes, minlength=len(column.values)) > 0
            codes, place = np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[column.codes]
        else:
            codes, place = np.unique(column.codes, return_inverse=True)
        there = int(np.searchsorted(codes, column.present))
        values = codes[:there].astype(np.int64)
        if there == len(codes):
            return cls(values, place, None, rank)
        return cls(values, np.minimum(place, max(there - 1, 0)), place >= there, rank)


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
