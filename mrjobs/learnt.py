"""A learnt model where measures stand otherwise: its place in a plan, and how it compares listed pairs of records.

Rules of the schema win over the model: two records that share a value of a must_link key are surely one entity, two
with different values of a cannot_link key surely not, also where a must_link key says otherwise.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pehchan.clustering.measuring import Comparison
from pehchan.distance.arrays import Positions
from pehchan.distance.record import RecordDistance
from pehchan.learning.candidates import CAP
from pehchan.learning.fields import LearntField
from pehchan.learning.model import Model
from pehchan.learning.odds import SCALE
from pehchan.learning.table import Table
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.joins.all_pairs import hashed
from pehchan.mrjobs.joins.key_values import key_values


def model_of(plan: Plan) -> Model:
    """The model of a plan. Raises ValueError where it has none."""
    if plan.model is None:
        raise ValueError("the plan holds no model")
    return Model.from_dict(plan.model)


def ordinals_of(plan: Plan, fields: Sequence[LearntField]) -> list[int]:
    """The numbers of the columns of fields that are learnt from."""
    of_name = {field.name: field.ordinal or 0 for field in plan.schema.fields}
    return [of_name[field.name] for field in fields]


def comparison_of(plan: Plan) -> Comparison:
    """What tells how far apart any two records are: the model of a plan, or its measures."""
    if plan.model is not None:
        return LearntDistance(plan)
    scale = plan.settings.scale
    return RecordDistance(plan.schema, scale, scale, plan.settings.compat, "tiles")


@dataclass(frozen=True)
class Scored:
    """Listed pairs: positions of their records int64[m], and distances int64[m]."""

    rows: Positions
    columns: Positions
    distances: NDArray[np.int64]


class Rules:
    """What the schema says of pairs whatever a model does.

    count  of the must_link keys
    """

    def __init__(self, plan: Plan):
        schema = plan.schema
        ordinals = [field.ordinal for field in schema.fields]
        #: By field of the schema, so that records need no other columns.
        place = {ordinal: number for number, ordinal in enumerate(ordinals)}
        keys = [
            replace(key, parts=tuple(replace(part, ordinal=place[part.ordinal]) for part in key.parts))
            for key in (*schema.must_link, *schema.cannot_link)
        ]
        self._values = [key_values(key) for key in keys]
        self.count = len(schema.must_link)

    def __bool__(self) -> bool:
        return bool(self._values)

    def hashes(self, columns: Sequence[Sequence[str]]) -> NDArray[np.uint64]:
        """uint64[n, rules]: of the values of each rule, 0 where there is none; columns are those of the schema's
        fields.
        """
        records = len(columns[0]) if columns else 0
        found = np.zeros((records, len(self._values)), np.uint64)
        for number, of_key in enumerate(self._values):
            for record, items in enumerate(zip(*columns, strict=True)):
                for value in of_key(items):
                    # Of one rule no value is that of another.
                    found[record, number] = hashed("\0".join([str(number), *value])) or 1
        return found

    def settle(
        self, distances: NDArray[np.int64], hashes: NDArray[np.uint64], i: Positions, j: Positions
    ) -> NDArray[np.int64]:
        """The distances of the pairs of records i[k] and j[k] with these hashes, as the rules have them."""
        a, b = hashes[i], hashes[j]
        said, same = (a != 0) & (b != 0), a == b
        distances = np.where((said & same)[:, : self.count].any(axis=1), 0, distances)
        return np.where((said & ~same)[:, self.count :].any(axis=1), SCALE, distances)

    def pairs(
        self, linked: NDArray[np.uint64], hashes: NDArray[np.uint64], table: Table
    ) -> tuple[Positions, Positions]:
        """Rows (i, j), i < j, of records that must be linked, of two sets across them.

        All pairs of those that share a value. Of very many only so many that they link all whom no cannot_link key
        parts: a pair more a record, and of two sets two.

        linked  uint64[n, count], of the must_link keys; 0 also where a record is not to be linked here
        hashes  uint64[n, rules], of all
        """
        found = [np.zeros(0, np.int64)]
        for number in range(self.count):
            rows = np.flatnonzero(linked[:, number])
            parted = hashes[rows, self.count :].T
            rows = rows[np.lexsort((table.record_hashes[rows], *parted, linked[rows, number]))]
            for block in _runs(rows, linked[rows, number]):
                found += (
                    [_met(block, table)]
                    if len(block) <= CAP
                    else _linked(block, hashes[:, self.count :], table)
                )
        coded = np.concatenate(found)
        i, j = coded // max(len(table), 1), coded % max(len(table), 1)
        if table.two_sets:
            across = table.sets[i] != table.sets[j]
            i, j = i[across], j[across]
        return i, j


def _runs(rows: Positions, values: NDArray[np.uint64]) -> list[Positions]:
    """The rows of equal values, which follow each other."""
    return np.split(rows, np.flatnonzero(values[1:] != values[:-1]) + 1) if len(rows) else []


def _coded(one: Positions, two: Positions, table: Table) -> Positions:
    return np.minimum(one, two) * len(table) + np.maximum(one, two)


def _met(block: Positions, table: Table) -> Positions:
    """All pairs of a block."""
    one, two = np.triu_indices(len(block), 1)
    return _coded(block[one], block[two], table)


def _linked(block: Positions, parted: NDArray[np.uint64], table: Table) -> Iterator[Positions]:
    """Pairs that link the records of a block which have the same values of the keys that part them."""
    same = (parted[block[1:]] == parted[block[:-1]]).all(axis=1)
    for part in np.split(block, np.flatnonzero(~same) + 1):
        if not table.two_sets:
            yield _coded(part[:-1], part[1:], table)
            continue
        # Each with the first of the other set.
        for number in np.unique(table.sets[part]).tolist():
            own, others = part[table.sets[part] == number], part[table.sets[part] != number]
            yield _coded(own[:1].repeat(len(others)), others, table)


@dataclass(frozen=True)
class _Block:
    """Records as the model reads them, and what the rules make of them."""

    table: Table
    hashes: NDArray[np.uint64]


class LearntDistance:
    """Compares listed pairs of records as RecordDistance does, by a model."""

    def __init__(self, plan: Plan):
        self._model, self._rules = model_of(plan), Rules(plan)
        places = {field.name: place for place, field in enumerate(plan.schema.fields)}
        self._places = [places[field.name] for field in self._model.fields]

    def block(self, columns: Iterable[Sequence[str]], rank: Positions) -> _Block:
        """Records with these values, a column a field of the schema."""
        listed = list(columns)
        ids = [str(number) for number in rank.tolist()]
        table = Table.of(self._model.fields, [listed[place] for place in self._places], ids)
        return _Block(table, self._rules.hashes(listed))

    def listed(self, block: _Block, pairs: Iterable[tuple[Positions, Positions]]) -> Iterator[Scored]:
        """The pairs of records i[k] and j[k], list by list."""
        for i, j in pairs:
            distances = self._model.distances(block.table, i, j)
            yield Scored(i, j, self._rules.settle(distances, block.hashes, i, j))
