"""Files in which nearly all records are variants of one.

How strangers differ is learnt from random pairs, which here are matches. What is usual of strangers stands in for it:
their values mostly differ, and how frequent a value is in the file says nothing.
"""

from dataclasses import replace

import numpy as np

from pehchan.learning.comparison import COMPARISONS
from pehchan.learning.evidence import Evidence
from pehchan.learning.patterns import Floats, Patterns
from pehchan.learning.strangers import Strangers, random_pairs
from pehchan.learning.table import Column, Table

#: Records are alike in a column of which so many have one value, and of which so many random pairs are at least
#: somewhat alike (serial numbers are that, too, but none is frequent); they are it in all columns, at least so many.
ONE_VALUE, NEAR, COLUMNS = 0.2, 0.9, 3
#: How often the values of strangers have nothing in common, usually.
DIFFERENT = 0.9


def strangers_where_all_alike(sample: Table) -> Strangers | None:
    """Strangers as they usually are, if nearly all records of a sample are variants of one."""
    if len(sample.fields) < COLUMNS or any(
        max(each.frequent.values(), default=0.0) < ONE_VALUE for each in sample.fields
    ):
        return None
    levels = Evidence.of(sample, *random_pairs(sample)).levels
    if ((levels > 1).sum(axis=0) < NEAR * (levels > 0).sum(axis=0)).any():
        return None
    usual = [_usual(COMPARISONS[each.kind].levels, 1.0 / max(each.records, 1)) for each in sample.fields]
    return Strangers(usual, Patterns.of(levels), usual=True)


def _usual(levels: int, equal: float) -> Floats:
    between = max(levels - 2, 0)
    found = np.array([DIFFERENT, *[(1 - DIFFERENT) / max(between, 1)] * between, equal])
    return found / found.sum()


def without_frequencies(table: Table) -> Table:
    """The same records, of whose values no one counts as more frequent than another."""
    fields = tuple(
        replace(each, frequent={}, words={}, distinct=each.records, chance=1.0 / max(each.records, 1))
        for each in table.fields
    )
    columns = tuple(
        Column(field, column.values, column.codes)
        for field, column in zip(fields, table.columns, strict=True)
    )
    return Table(fields, columns, table.ids, table.sets)
