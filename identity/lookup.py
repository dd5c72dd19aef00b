"""Which entities of a state a record may belong to: those of the records that an update with it would pair it with,
and others that are near.

A state is read once; then a record is compared with those only that share an address with it. Where every two
records meet, it is compared with all of them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.arrays import Distinct
from pehchan.distance.columns import Block
from pehchan.distance.record import RecordDistance
from pehchan.identity.held import HeldRecords, Rows
from pehchan.identity.state import State
from pehchan.learning.odds import CUTOFF, probability_of, steps_of
from pehchan.metadata.mistakes import nearest
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Record
from pehchan.mrjobs.addressed import BlockAddresses, LearntAddresses, addressing_of, short
from pehchan.mrjobs.learnt import comparison_of, model_of
from pehchan.mrjobs.settling import content_id

#: Records that are no matches are near with at least this probability or, by rules, up to so many times the cutoff.
LEAST_PROBABILITY, CUTOFFS = 0.01, 1.5

#: Records that are decoded at a time, and compared at a time, where a record meets all.
DECODED, TILE = 20_000, 1 << 16


class UnknownColumn(ValueError):
    """A name that no column of a state has; its text says so, for a person."""

    def __init__(self, name: str, known: Sequence[str]):
        super().__init__(f'there is no column "{name}".\n{nearest(name, known)}')


@dataclass(frozen=True)
class Near:
    """A record of the state that is near the one that is looked up.

    distance     as an update has it
    probability  of a match; None by rules
    """

    record: Record
    distance: int
    probability: float | None


@dataclass(frozen=True)
class Found:
    """An entity that a record may belong to.

    matches  whether an update would pair the record with one of the entity's
    records  those that it would pair it with; where it is none, those that are near; the nearest first
    """

    entity: str
    matches: bool
    records: tuple[Near, ...]

    @property
    def distance(self) -> int:
        """Of the nearest record."""
        return self.records[0].distance

    @property
    def probability(self) -> float | None:
        """That the nearest record is a match; None by rules."""
        return self.records[0].probability


class _Close(NamedTuple):
    """Records that are close: their rows, and their distances."""

    rows: Rows
    records: list[Record]
    distances: NDArray[np.int64]


class Lookup:
    """Looks records up in a state, which is read when this is made.

    plan  that of the state, where it was read before
    """

    def __init__(self, state: State, plan: Plan | None = None):
        self.plan = plan = plan or state.read_plan()
        self._held = HeldRecords(state)
        self._columns = columns_of(plan)
        self._steps = None if plan.model is None else steps_of(bool(model_of(plan).clean))
        self._meets: _SharingAddresses | _All
        addressing = addressing_of(plan)
        if addressing is None:
            self._meets = _All(plan, self._held, self._farthest)
        else:
            self._meets = _SharingAddresses(plan, self._held, self._farthest, addressing)

    def __len__(self) -> int:
        return len(self._held)

    @property
    def columns(self) -> list[str]:
        """The names of the columns that a record may have values of."""
        return list(self._columns)

    def items(self, items: Sequence[str]) -> list[str]:
        """Of the items of a record those of the columns, in their order."""
        return [items[ordinal] for ordinal in self._columns.values()]

    @property
    def _farthest(self) -> int:
        """The distance up to which records are near."""
        if self._steps is None:
            return min(self.plan.settings.scale, math.floor(CUTOFFS * self.plan.cutoff))
        odds = math.log(LEAST_PROBABILITY / (1 - LEAST_PROBABILITY))
        return max(self.plan.cutoff, math.floor(CUTOFF - self._steps * odds))

    def record(self, values: Mapping[str, str]) -> Record:
        """The record with these values, by column; columns that are not named are empty. Its id is that of its
        content where there is none. Raises UnknownColumn.
        """
        items = [""] * max(self.plan.columns_needed, 1 + max(self._columns.values(), default=0))
        for name, value in values.items():
            if name not in self._columns:
                raise UnknownColumn(name, self.columns)
            items[self._columns[name]] = value
        record = Record("", "", items)
        return record._replace(id=self.given_id(record) or content_id(items))

    def given_id(self, record: Record) -> str:
        """The id that a record brings; "" for none."""
        ordinal = self.plan.schema.id_ordinal
        return "" if ordinal is None or self.plan.settings.auto_id else record.items[ordinal]

    def entity_of(self, record_id: str) -> str:
        """The entity of the record of the state with this id; "" where there is none."""
        return self._held.entity_of(record_id)

    def find(self, values: Mapping[str, str]) -> list[Found]:
        """The entities that the record with these values may belong to, the likeliest first.

        A record of the state with the id that is given is the one that is looked up, and not compared with itself.
        Raises UnknownColumn.
        """
        return self.find_record(self.record(values))

    def find_record(self, record: Record) -> list[Found]:
        """The same of a record that `record` made."""
        own = self.given_id(record)
        close = self._meets.close(record)
        by_entity: dict[str, list[Near]] = {}
        entities = self._held.entities(close.rows)
        of_each = zip(close.records, close.distances.tolist(), entities, strict=True)
        for near, distance, entity in sorted(of_each, key=lambda each: (each[1], each[0].id)):
            if near.id != own or not own:
                probability = None if self._steps is None else probability_of(distance, self._steps)
                by_entity.setdefault(entity, []).append(Near(near, distance, probability))
        return [self._found(entity, records) for entity, records in by_entity.items()]

    def _found(self, entity: str, records: Sequence[Near]) -> Found:
        accepted = tuple(each for each in records if each.distance <= self.plan.cutoff)
        return Found(entity, bool(accepted), accepted or tuple(records))


class _SharingAddresses:
    """Compares a record with those that share an address with it."""

    def __init__(
        self, plan: Plan, held: HeldRecords, farthest: int, addressing: LearntAddresses | BlockAddresses
    ):
        self._held, self._farthest = held, farthest
        self._addressing, self._comparison = addressing, comparison_of(plan)
        self._ordinals = [field.ordinal or 0 for field in plan.schema.fields]

    def close(self, record: Record) -> _Close:
        """The records that share an address with it, and are not farther than asked for."""
        at = self._addressing.of([record]).at
        rows = self._held.at(short(at))
        records = self._held.records(rows)
        columns = [
            [record.items[ordinal], *(each.items[ordinal] for each in records)] for ordinal in self._ordinals
        ]
        block = self._comparison.block(columns, np.arange(1 + len(records)))
        others = np.arange(1, 1 + len(records))
        found, apart = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for scored in self._comparison.listed(block, [(np.zeros_like(others), others)] if records else []):
            near = scored.distances <= self._farthest
            found.append(scored.columns[near] - 1)
            apart.append(scored.distances[near])
        return self._sharing(rows[np.concatenate(found)], np.concatenate(apart), at)

    def _sharing(self, rows: Rows, distances: NDArray[np.int64], at: NDArray[np.uint64]) -> _Close:
        """Of records that are near those that share an address."""
        if not len(rows):
            return _Close(rows, [], distances)
        # Half an address, by which they were found, may be another's: that is told last, as few are left.
        records = self._held.records(rows)
        addresses = self._addressing.of(records)
        shares = np.zeros(len(rows), np.bool_)
        shares[addresses.rows[np.isin(addresses.at, at)]] = True
        return _Close(rows[shares], list(compress(records, shares)), distances[shares])


class _All:
    """Compares a record with all others, as columns of distinct values."""

    def __init__(self, plan: Plan, held: HeldRecords, farthest: int):
        settings = plan.settings
        self._held = held
        self._distance = RecordDistance(plan.schema, settings.scale, farthest, settings.compat, "tiles")
        self._ordinals = [field.ordinal or 0 for field in plan.schema.fields]
        distinct = [Distinct() for _ in self._ordinals]
        codes: list[list[NDArray[np.int32]]] = [[np.zeros(0, np.int32)] for _ in self._ordinals]
        for start in range(0, len(held), DECODED):
            some = held.records(np.arange(start, min(start + DECODED, len(held))))
            for number, ordinal in enumerate(self._ordinals):
                codes[number].append(distinct[number].codes([each.items[ordinal] for each in some]))
        self._codes = list(map(np.concatenate, codes))
        self._values = [each.values for each in distinct]
        self._places = [{value: k for k, value in enumerate(values)} for values in self._values]
        self._columns = [self._distance.column(number, values) for number, values in enumerate(self._values)]

    def close(self, record: Record) -> _Close:
        """The records that are not farther than asked for."""
        number = len(self._held)
        found = [np.zeros(0, np.int64)]
        distances = [np.zeros(0, np.int64)]
        if number:
            block = self._with(record)
            one, others = block.take(np.array([number])), block.take(np.arange(number))
            for close in self._distance.compare(one, others, TILE):
                found.append(close.columns)
                distances.append(close.distances)
        rows = np.concatenate(found)
        return _Close(rows, self._held.records(rows), np.concatenate(distances))

    def _with(self, record: Record) -> Block:
        """All records, and behind them this one."""
        columns = []
        for number, ordinal in enumerate(self._ordinals):
            value, values, column = record.items[ordinal], self._values[number], self._columns[number]
            place = self._places[number].get(value)
            if place is None:
                # The measure has to read all of them together.
                place, column = len(values), self._distance.column(number, [*values, value])
            columns.append(column.take(np.append(self._codes[number], place).astype(np.int64)))
        return Block(columns, np.arange(1 + len(self._held)))


def columns_of(plan: Plan) -> dict[str, int]:
    """The numbers of the columns of records, by name: those of the file, or of the schema's where it had none."""
    schema = plan.schema
    if schema.columns:
        return {name: ordinal for ordinal, name in enumerate(schema.columns)}
    found = {field.name: field.ordinal or 0 for field in schema.fields}
    if schema.id_ordinal is not None:
        found.setdefault(schema.id or "id", schema.id_ordinal)
    return found
