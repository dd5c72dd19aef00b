"""The addresses of records, by a plan: two records are compared where they share one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pehchan.learning.addresses import Addresses, Addressing, Frozen
from pehchan.learning.key_hashes import KeyHashes
from pehchan.learning.table import Table
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Record
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.joins.all_pairs import hashed
from pehchan.mrjobs.learnt import Rules, model_of, ordinals_of


def addressing_of(plan: Plan) -> "LearntAddresses | BlockAddresses | None":
    """What gives records their addresses; None where every two records meet."""
    if plan.join == "learnt":
        return LearntAddresses(plan)
    return BlockAddresses(plan) if plan.grouped else None


class LearntAddresses:
    """By the keys of a model, and what is frozen of them."""

    def __init__(self, plan: Plan):
        model = model_of(plan)
        if not plan.frozen:
            raise ValueError("the plan does not say what is frozen")
        self._fields, self._ordinals = model.fields, ordinals_of(plan, model.fields)
        self._keys = KeyHashes(model.fields, model.keys.keys)
        self._addressing = Addressing(model.keys, Frozen.from_dict(plan.frozen))
        self._rules, self._compared = Rules(plan), [field.ordinal or 0 for field in plan.schema.fields]

    def of(self, records: Sequence[Record]) -> Addresses:
        """Of records of one set."""
        columns = [[record.items[ordinal] for record in records] for ordinal in self._ordinals]
        hashes = self._keys.of(columns) if columns else np.zeros((len(records), 0), np.uint64)
        linked = None
        if self._rules.count:
            compared = [[record.items[ordinal] for record in records] for ordinal in self._compared]
            linked = self._rules.hashes(compared)[:, : self._rules.count]
        return self._addressing.of(
            Table.of(self._fields, columns, [record.id for record in records]), hashes, linked
        )


class BlockAddresses:
    """By the groups in which records meet: blocks of blocking keys, with those that are divided, or partitions."""

    def __init__(self, plan: Plan):
        self._join = join_of(plan)

    def of(self, records: Sequence[Record]) -> Addresses:
        """Of records of one set."""
        rows: list[int] = []
        at: list[int] = []
        for row, record in enumerate(records):
            blocks = self._join.groups(record)
            rows += [row] * len(blocks)
            at += map(hashed, blocks)
        return Addresses(np.array(rows, np.int64), np.array(at, np.uint64))


def short(at: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Addresses as a state keeps them."""
    return (at >> np.uint64(32)).astype(np.uint32)


def of_each(addresses: Addresses, records: int) -> list[NDArray[np.uint32]]:
    """Of each record its addresses as a state keeps them, ascending and each once."""
    pairs = np.unique(addresses.rows.astype(np.uint64) << np.uint64(32) | short(addresses.at))
    rows, at = (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    return np.split(at, np.searchsorted(rows, np.arange(1, records)))[:records] if records else []
