"""Where records meet so that two of them decide it alone: every record has addresses, and those meet that share one.

Which blocks of keys are too large depends on all records. Where records keep coming that is settled once: the
hashes of blocks that were too large are frozen, records of such a block have addresses in its parts, and what
is left of records that are all alike is shared out at random. Then whether two records are a candidate pair
depends on nothing but these two and what is frozen, and an update finds what a run over all records would
find.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pehchan.learning.candidates import CAP
from pehchan.learning.hashing import combined, text_hashes
from pehchan.learning.keys import Keys
from pehchan.learning.neighbours import telling_words, wanted
from pehchan.learning.predicates import Part, key_hashes, part_hashes
from pehchan.learning.table import Table

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64] | NDArray[np.int32]

#: Parts that a large block is divided by side by side, and how often one after the other.
_SIDE_BY_SIDE, _ROUNDS = 3, 2
#: Records that share a word, up to which all of them meet.
WORD_CAP = 30
#: Records that are all alike meet in about so many at a time, and so often: all of them hang together, as a
#: random graph of so many neighbours does.
_TOGETHER, _TIMES = 20, 4
#: Pairs that are listed at a time, and that are held before those that are there twice are dropped.
_AT_ONCE, _HELD = 5_000_000, 20_000_000

_NONE = np.zeros(0, np.uint64)


@dataclass(frozen=True)
class Frozen:
    """What candidacy depends on besides two records.

    large    uint64[n], ascending: addresses that are too many records'
    crowded  uint64[m], ascending: of those the addresses of records that are alike in all fields
    shares   int64[m]: among how many places these records are shared out
    """

    large: Hashes
    crowded: Hashes
    shares: NDArray[np.int64]

    @classmethod
    def nothing(cls) -> Frozen:
        """Where no block is too large."""
        return cls(_NONE, _NONE, np.zeros(0, np.int64))

    @classmethod
    def all(cls, parts: Sequence[Frozen]) -> Frozen:
        """What was found large by several, of different addresses."""
        nothing = cls.nothing()
        large = np.unique(np.concatenate([nothing.large, *(part.large for part in parts)]))
        crowded = np.concatenate([nothing.crowded, *(part.crowded for part in parts)])
        shares = np.concatenate([nothing.shares, *(part.shares for part in parts)])
        crowded, first = np.unique(crowded, return_index=True)
        return cls(large, crowded, shares[first])

    def to_dict(self) -> dict[str, Any]:
        """For JSON: numbers of 64 bits in base64."""
        columns = {"large": self.large, "crowded": self.crowded, "shares": self.shares}
        return {name: b64encode(column.astype("<u8").tobytes()).decode() for name, column in columns.items()}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Frozen:
        large, crowded, shares = (
            np.frombuffer(b64decode(given[name]), dtype="<u8") for name in ("large", "crowded", "shares")
        )
        return cls(large, crowded, shares.astype(np.int64))


@dataclass(frozen=True)
class Addresses:
    """Addresses of the records of a table: that of row rows[k] is at[k]; a record may have one several times."""

    rows: Rows
    at: Hashes


class Addressing:
    """Gives records their addresses by the keys of a model.

    frozen  what is settled; None: it is found out from the records that are addressed, and `found` tells it
    """

    def __init__(self, keys: Keys, frozen: Frozen | None = None):
        self._keys, self._frozen = keys, frozen
        self._large: list[Hashes] = []
        self._crowded: list[tuple[Hashes, NDArray[np.int64]]] = []

    @property
    def found(self) -> Frozen:
        """What was too large among the records that had their addresses so far."""
        nothing = Frozen.nothing()
        crowded = [Frozen(_NONE, *each) for each in self._crowded]
        return Frozen.all([nothing, *(Frozen(each, _NONE, nothing.shares) for each in self._large), *crowded])

    def of(self, table: Table, hashes: Hashes | None = None, linked: Hashes | None = None) -> Addresses:
        """The addresses of all records of a table, as `by_key` has them."""
        return _as_one((part.rows, part.at) for part in self.by_key(table, hashes, linked))

    def by_key(
        self, table: Table, hashes: Hashes | None = None, linked: Hashes | None = None
    ) -> Iterator[Addresses]:
        """The addresses of all records of a table: of one key after the other, as all together take much room.

        hashes  uint64[n, keys], those of its keys by which a record is in this table and 0 for the others; None: all
        linked  uint64[n, m], of values that alone make two records one entity, 0 where a record has none
        """
        if hashes is None:
            hashes = key_hashes(table, self._keys.keys)
        for k, key in enumerate(self._keys.keys):
            used = {part.field for part in key.parts}
            others = [part for part in self._keys.refinements if part.field not in used]
            rows = np.flatnonzero(hashes[:, k])
            yield _as_one(self._settled(table, rows, hashes[rows, k], others, _ROUNDS))
        for column in linked.T if linked is not None else ():
            rows = np.flatnonzero(column)
            yield _as_one(self._shared_out(table, rows, column[rows]))
        if wanted(table.fields):
            yield _as_one(self._of_words(table))

    def _settled(
        self, table: Table, rows: Rows, at: Hashes, others: Sequence[Part], rounds: int
    ) -> Iterator[tuple[Rows, Hashes]]:
        """These addresses of rows, and in the place of those that are too many records' more exact ones."""
        large = self._is_large(at, CAP)
        yield rows[~large], at[~large]
        rows, at = rows[large], at[large]
        if not len(rows):
            return
        if rounds == 0 or not others:
            # Those that are alike in all fields find each other, and others elsewhere.
            alike = combined([at, _whole(table)[rows]], _ALIKE)
            yield from self._shared_out(table, rows, alike)
            return
        for part in others[:_SIDE_BY_SIDE]:
            split = combined([at, part_hashes(table, part)[rows]], _seed(part))
            has = split != 0
            rest = [other for other in others if other.field != part.field]
            yield from self._settled(table, rows[has], split[has], rest, rounds - 1)

    def _shared_out(self, table: Table, rows: Rows, at: Hashes) -> Iterator[tuple[Rows, Hashes]]:
        """These addresses, and in the place of those that are too many records' some at random."""
        large, shares = self._crowd(at)
        yield rows[~large], at[~large]
        rows, at, shares = rows[large], at[large], shares[large]
        if not len(rows):
            return
        for time in range(_TIMES):
            drawn = combined([table.record_hashes[rows]], time + 1) % shares.astype(np.uint64)
            yield rows, combined([at, drawn + np.uint64(1)], time + 1)

    def _of_words(self, table: Table) -> Iterator[tuple[Rows, Hashes]]:
        """The words of records that are not frequent; of those that are too many records', each two of a record."""
        rows, words = telling_words(table)
        at = combined([words], _WORD)
        large = self._is_large(at, WORD_CAP)
        yield rows[~large], at[~large]
        rows, at = rows[large], at[large]
        order = np.lexsort((at, rows))
        rows, at = rows[order], at[order]
        one, two = _within_runs(rows)
        both = combined([at[one], at[two]], _WORD)
        few = ~self._is_large(both, WORD_CAP)
        yield rows[one[few]], both[few]

    def _is_large(self, at: Hashes, most: int) -> NDArray[np.bool_]:
        if self._frozen is not None:
            return _is_in(at, self._frozen.large)
        large, _ = _too_many(at, most)
        self._large.append(large)
        return _is_in(at, large)

    def _crowd(self, at: Hashes) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which addresses are too many records', and among how many places their records are shared out."""
        if self._frozen is not None:
            crowded, shares = self._frozen.crowded, self._frozen.shares
        else:
            crowded, counts = _too_many(at, CAP)
            shares = -(-counts // _TOGETHER)
            self._crowded.append((crowded, shares))
        if not len(crowded):
            return np.zeros(len(at), np.bool_), np.zeros(len(at), np.int64)
        place = np.minimum(np.searchsorted(crowded, at), len(crowded) - 1)
        return crowded[place] == at, shares[place]


def pairs_at(
    parts: Iterable[Addresses], records: int, new: NDArray[np.bool_] | None = None
) -> tuple[Rows, Rows]:
    """Rows (i, j), i < j, of records that share an address of one of the parts, each pair once and in order.

    new  bool[records]: only pairs of which one record is new
    """
    found, held, most = [np.zeros(0, np.int64)], 0, _HELD
    for pairs in chain.from_iterable(_coded_pairs(part, records, new) for part in parts):
        found.append(pairs)
        held += len(pairs)
        if held > most:
            # Most pairs share addresses of several keys.
            found = [np.unique(np.concatenate(found))]
            held = len(found[0])
            most = max(_HELD, 2 * held)
    pairs = np.unique(np.concatenate(found))
    return pairs // max(records, 1), pairs % max(records, 1)


def _coded_pairs(
    addresses: Addresses, records: int, new: NDArray[np.bool_] | None
) -> Iterator[NDArray[np.int64]]:
    """The pairs of records that share an address, as i * records + j, some at a time."""
    order = np.argsort(addresses.at)
    at = addresses.at[order]
    # Most addresses are one record's: without them the rest takes little room.
    shared = np.zeros(len(at), np.bool_)
    shared[1:] = at[1:] == at[:-1]
    shared[:-1] |= shared[1:]
    at, rows = at[shared], addresses.rows[order[shared]].astype(np.int64)
    del order, shared
    start = np.flatnonzero(np.concatenate(([True], at[1:] != at[:-1]))) if len(at) else rows
    counts = np.diff(np.append(start, len(at)))
    place = np.arange(len(at))
    begins, ends = np.repeat(start, counts), np.repeat(start + counts, counts)
    if new is None:
        begins = place + 1
    else:
        asked = new[rows]
        begins, ends, place = begins[asked], ends[asked], place[asked]
    amounts = ends - begins
    cuts = np.flatnonzero(np.diff(np.cumsum(amounts) // _AT_ONCE)) + 1
    for some in np.split(np.arange(len(place)), cuts) if len(place) else ():
        amount = amounts[some]
        one = np.repeat(rows[place[some]], amount)
        offset = np.arange(len(one)) - np.repeat(np.cumsum(amount) - amount, amount)
        two = rows[np.repeat(begins[some], amount) + offset]
        different = one != two
        one, two = one[different], two[different]
        yield np.unique(np.minimum(one, two) * records + np.maximum(one, two))


def _as_one(parts: Iterable[tuple[Rows, Hashes]]) -> Addresses:
    """Rows and addresses together."""
    # Half as large as they come: a record has dozens of addresses.
    found = [(rows.astype(np.int32), at) for rows, at in parts]
    rows, at = (np.concatenate([np.zeros(0, kind), *(each[side] for each in found)]) for side, kind in _SIDES)
    return Addresses(rows, at)


def _too_many(at: Hashes, most: int) -> tuple[Hashes, NDArray[np.int64]]:
    """The addresses that are more than so many records', ascending, and how many each is of."""
    ascending = np.sort(at)
    large = np.unique(ascending[most:][ascending[most:] == ascending[: max(0, len(ascending) - most)]])
    return large, np.searchsorted(ascending, large, "right") - np.searchsorted(ascending, large, "left")


def _is_in(hashes: Hashes, ascending: Hashes) -> NDArray[np.bool_]:
    if not len(ascending):
        return np.zeros(len(hashes), np.bool_)
    place = np.minimum(np.searchsorted(ascending, hashes), len(ascending) - 1)
    return np.asarray(ascending[place] == hashes)


def _within_runs(rows: Rows) -> tuple[Rows, Rows]:
    """Positions of each two of equal rows, which follow each other."""
    if not len(rows):
        return rows, rows
    start = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))
    ends = np.repeat(np.append(start[1:], len(rows)), np.diff(np.append(start, len(rows))))
    amounts = ends - np.arange(len(rows)) - 1
    one = np.repeat(np.arange(len(rows)), amounts)
    return one, one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(amounts) - amounts, amounts)


def _whole(table: Table) -> Hashes:
    """uint64[n]: of all normal values of a record together, never 0."""
    columns = [column.cached("whole", lambda each: text_hashes(each.values)) for column in table.columns]
    if not columns:
        return np.ones(len(table), np.uint64)
    # A missing value is one that can be alike as well.
    parts = [
        np.where(hashes == 0, 1, hashes)[column.codes]
        for hashes, column in zip(columns, table.columns, strict=True)
    ]
    return combined(parts)


def _seed(part: Part) -> int:
    return int(text_hashes([f"{part.field} {part.predicate}"])[0])


_SIDES = ((0, np.int32), (1, np.uint64))
_ALIKE, _WORD = (int(text_hashes([name])[0]) for name in ("alike", "word"))
