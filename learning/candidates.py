"""Candidate pairs: the records of a table that share a key.

A block is the records that share one. Within blocks up to a cap all meet; larger ones are split by further parts,
and what is still too large is put in order, where each record meets the next few.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pehchan.learning.hashing import combined
from pehchan.learning.keys import Keys
from pehchan.learning.predicates import Part, key_hashes, part_hashes
from pehchan.learning.table import Column, Table

#: Records of a block that all meet.
CAP = 100
#: Records that follow a record in order and meet it.
WINDOW = 5
#: Ways of splitting that are tried side by side, and how often one after the other.
_SIDE_BY_SIDE, _ROUNDS = 3, 2

Rows = NDArray[np.int64]


def candidate_pairs(
    table: Table,
    keys: Keys,
    hashes: NDArray[np.uint64] | None = None,
    cap: int = CAP,
    window: int = WINDOW,
    within: bool = False,
) -> tuple[Rows, Rows]:
    """Rows (i, j), i < j, of the pairs that share a key, each pair once and in order.

    hashes  uint64[n, keys], those by which the records are in this table and 0 for the others; without it all, as
            key_hashes makes them
    within  where the records are of two sets: pairs of one set instead of pairs across
    """
    if hashes is None:
        hashes = key_hashes(table, keys.keys)
    found = []
    for k, key in enumerate(keys.keys):
        used = {part.field for part in key.parts}
        others = [part for part in keys.refinements if part.field not in used]
        rows = np.flatnonzero(hashes[:, k])
        found += _pairs(table, rows, hashes[rows, k], others, _ROUNDS, cap, window)
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    pairs = _distinct(np.concatenate(found))
    i, j = pairs // len(table), pairs % len(table)
    if table.two_sets:
        meet = (table.sets[i] == table.sets[j]) if within else (table.sets[i] != table.sets[j])
        i, j = i[meet], j[meet]
    return i, j


def _pairs(
    table: Table,
    rows: Rows,
    blocks: NDArray[np.uint64],
    others: Sequence[Part],
    rounds: int,
    cap: int,
    window: int,
) -> list[Rows]:
    """Arrays of i * n + j, where a pair may come again. `blocks` has the hash of the block of each of the rows."""
    order = np.argsort(blocks, kind="stable")
    rows, blocks = rows[order], blocks[order]
    starts = np.flatnonzero(np.concatenate(([True], blocks[1:] != blocks[:-1]))) if len(rows) else rows
    sizes = np.diff(np.append(starts, len(rows)))
    found = []
    for size in np.unique(sizes[(sizes > 1) & (sizes <= cap)]).tolist():
        one, two = np.triu_indices(size, 1)
        members = rows[starts[sizes == size][:, None] + np.arange(size)]
        found.append(_coded(table, members[:, one].ravel(), members[:, two].ravel()))
    large = np.repeat(sizes > cap, sizes)
    if not large.any():
        return found
    rows, blocks = rows[large], blocks[large]
    if rounds == 0 or not others:
        return [*found, *_in_order(table, rows, blocks, others, window)]
    for part in others[:_SIDE_BY_SIDE]:
        split = combined([blocks, part_hashes(table, part)[rows]])
        has = split != 0
        rest = [other for other in others if other.field != part.field]
        found += _pairs(table, rows[has], split[has], rest, rounds - 1, cap, window)
    return found


def _in_order(
    table: Table, rows: Rows, blocks: NDArray[np.uint64], others: Sequence[Part], window: int
) -> list[Rows]:
    """Each record with those that follow it in the order of its block: by the values of fields, then by hash."""
    fields = list(dict.fromkeys(part.field for part in others))[:2]
    columns = [table.columns[number] for number in fields]
    ranks = [column.cached("rank", _ranks)[column.codes[rows]] for column in columns]
    order = np.lexsort((table.record_hashes[rows], *reversed(ranks), blocks))
    rows, blocks = rows[order], blocks[order]
    found = []
    for step in range(1, window + 1):
        same = blocks[:-step] == blocks[step:]
        found.append(_coded(table, rows[:-step][same], rows[step:][same]))
    return found


def _ranks(column: Column) -> NDArray[np.int64]:
    """Of each value its place in the order of the values."""
    ranks = np.empty(len(column.values), np.int64)
    ranks[sorted(range(len(column.values)), key=column.values.__getitem__)] = np.arange(len(column.values))
    return ranks


def _coded(table: Table, one: Rows, two: Rows) -> Rows:
    return np.minimum(one, two) * len(table) + np.maximum(one, two)


def _distinct(pairs: Rows) -> Rows:
    pairs.sort()
    return pairs[np.concatenate(([True], pairs[1:] != pairs[:-1]))] if len(pairs) else pairs
