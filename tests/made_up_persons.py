"""Made-up persons, some of them twice with slips of the pen, as columns of raw values."""

import random
from collections.abc import Sequence

import numpy as np

from pehchan.learning.fields import kinds_of
from pehchan.learning.profile import Profile
from pehchan.learning.table import Table

NAMES = ("first", "last", "street", "birth", "phone")
_FIRST = ("Ann", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana", "Ivo", "Jill", "Kurt", "Lena")
_LAST = (
    "Abel",
    "Brown",
    "Cruz",
    "Doyle",
    "Ender",
    "Frost",
    "Gold",
    "Hart",
    "Ibsen",
    "Jung",
    "Klein",
    "Lopez",
)
_STREET = ("Oak", "Elm", "Lake", "Hill", "Church", "Mill", "Park", "River")


def persons(count: int, twice: int, seed: int) -> tuple[list[list[str]], list[tuple[int, int]]]:
    """Columns of `count` persons, behind whom the first `twice` come again; and the pairs of rows that are one."""
    chance = random.Random(seed)
    rows = [
        [
            chance.choice(_FIRST),
            chance.choice(_LAST) + chance.choice("aeiou"),
            f"{chance.randrange(1, 99)} {chance.choice(_STREET)} {chance.choice(_STREET)} Street",
            f"{chance.randrange(1930, 2005)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
            f"{chance.randrange(10**7, 10**8)}",
        ]
        for _ in range(count)
    ]
    for row in range(twice):
        again = list(rows[row])
        for _ in range(chance.randrange(3)):
            field = chance.randrange(len(again))
            at = chance.randrange(len(again[field]) or 1)
            again[field] = again[field][:at] + again[field][at + 1 :]
        rows.append(again)
    return [list(column) for column in zip(*rows, strict=True)], [(row, count + row) for row in range(twice)]


def table_of(columns: Sequence[Sequence[str]], sets: Sequence[int] | None = None) -> Table:
    """The table of raw columns with the names c0, c1 ..., ids r0, r1 ..., and its own profile."""
    names = [f"c{k}" for k in range(len(columns))]
    records = len(columns[0])
    of_set = np.zeros(records, np.int8) if sets is None else np.array(sets, np.int8)
    fields = kinds_of(Profile.of(names, columns, of_set)).fields
    return Table.of(fields, [columns[f.ordinal] for f in fields], [f"r{k}" for k in range(records)], of_set)


def permuted(table: Table, order: Sequence[int]) -> Table:
    """The same records in another order, made anew of their values."""
    raw = [[column.values[column.codes[row]] for row in order] for column in table.columns]
    return Table.of(
        table.fields, raw, [table.ids[row] for row in order], table.sets[np.array(order, np.int64)]
    )


def named_pairs(table: Table, i: np.ndarray, j: np.ndarray) -> set[frozenset[str]]:
    """The pairs by the ids of their records, each of which must come once."""
    pairs = [frozenset((table.ids[a], table.ids[b])) for a, b in zip(i.tolist(), j.tolist(), strict=True)]
    assert len(set(pairs)) == len(pairs)
    return set(pairs)
