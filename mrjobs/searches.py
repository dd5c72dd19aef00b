"""Ways to find the pairs of a plan, all of them or by an index, and what each costs: looked at before a run."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pehchan.distance.record import RecordDistance
from pehchan.distance.signatures import Index
from pehchan.metadata.plan import TASK_MEGABYTES, Plan
from pehchan.metadata.records import Record
from pehchan.mrjobs.planner import Counted, cells_of, pairs_within, records_of_a_cell

#: Records from which on it is worth a look whether an index finds their pairs.
WORTH_AN_INDEX = 10_000

#: Records that are looked at to tell what finds the pairs of all for least, at least and at most.
SAMPLED, MOST_SAMPLED = 2000, 8000

#: Numbers of buckets in a row that cost more than fewer did, behind which no others are looked at.
DEARER = 2

#: Microseconds, about, that a record takes to be read in a cell, and to be told its bucket where there are several;
#: that a task takes to start.
COPY_MICROSECONDS, BUCKET_MICROSECONDS, START_MICROSECONDS = 5.0, 2.0, 400_000.0


def may_be_indexed(plan: Plan, counted: Counted) -> bool:
    """Whether it is worth a look at some records if an index finds the pairs, and so if other buckets are better."""
    settings = plan.settings
    return (
        plan.join == "all_pairs"
        and not (plan.grouped or settings.compat or settings.search == "tiles")
        and sum(counted.records.values()) >= WORTH_AN_INDEX
    )


def to_sample(records: int) -> int:
    """How many of so many records are looked at.

    Beyond a million of them with the root of their number: so among those sampled are about as many near pairs where
    each record is near as many others.
    """
    return min(records, MOST_SAMPLED, max(SAMPLED, math.isqrt(4 * records)))


@dataclass(frozen=True)
class Search:
    """One way to find the pairs of a plan, and what it is expected to cost.

    index         of the largest cell; None where all pairs are compared
    buckets       a set
    microseconds  on all tasks, from the cells' first record to their last pair; about
    candidates    pairs that are compared in all cells, about
    signatures    that are made in all cells, about
    megabytes     that a task takes at the most
    """

    index: Index | None
    buckets: tuple[int, ...]
    microseconds: float
    candidates: float
    signatures: float
    megabytes: float


class Foresight:
    """What it costs to find the pairs of a plan in one way or the other, by some of its records."""

    def __init__(self, plan: Plan, counted: Counted, sample: Sequence[Record], tasks: int):
        self._plan, self._counted, self._tasks, self._sampled = plan, counted, tasks, len(sample)
        sides: list[Sequence[int]] = [range(0, len(sample), 2), range(1, len(sample), 2)]
        if len(plan.sets) == 2:
            of_set = [plan.sets.index(record.set) for record in sample]
            sides = [[k for k, number in enumerate(of_set) if number == side] for side in (0, 1)]
        values = [plan.compared(record) for record in sample]
        block = self._distance().block(zip(*values, strict=True), np.arange(len(sample)))
        self._within = self._distance().foresee(block, block)
        # The records of two buckets, or of two sets.
        self._across = self._within
        if all(sides):
            rows, columns = (block.take(np.array(side, dtype=np.int64)) for side in sides)
            self._across = self._distance().foresee(rows, columns)

    def _distance(self) -> RecordDistance:
        """One for each foresight: what it begins with must stay."""
        settings = self._plan.settings
        return RecordDistance(self._plan.schema, settings.scale, self._plan.cutoff, search=settings.search)

    def searches(self) -> list[Search]:
        """Ways to find the pairs, the cheapest first: tiles, and indexes of several limits."""
        # Of the same limits those buckets that cost least.
        by_limits: dict[tuple[tuple[int, float], ...], Search] = {}
        least, dearer = math.inf, 0
        for buckets in self._numbers_of_buckets():
            here = list(self._signatures(buckets))
            for search in here:
                assert search.index is not None
                limits = tuple(sorted(search.index.limits.items()))
                if limits not in by_limits or search.microseconds < by_limits[limits].microseconds:
                    by_limits[limits] = search
            cheapest = min((search.microseconds for search in here), default=least)
            dearer = dearer + 1 if cheapest > least else 0
            least = min(least, cheapest)
            if dearer == DEARER:
                break
        found = [*by_limits.values()]
        if self._plan.settings.search != "signatures" or not found:
            found.append(self._tiles())
        return sorted(found, key=lambda search: search.microseconds)

    def _numbers_of_buckets(self) -> Iterator[tuple[int, ...]]:
        """More and more, up to as many as where all pairs are compared."""
        plan, records = self._plan, self._counted.records
        if len(plan.sets) != 2:
            yield from ((number,) for number in _growing(plan.default_buckets[0]))
            return
        first, second = (records.get(name, 0) for name in plan.sets)
        for number in _growing(max(plan.default_buckets)):
            # Buckets of the smaller set are about as large as those of the other.
            fewer = max(1, round(number * min(first, second) / max(1, first, second)))
            buckets = (number, fewer) if first >= second else (fewer, number)
            yield tuple(map(min, buckets, plan.default_buckets))

    def _signatures(self, buckets: tuple[int, ...]) -> Iterator[Search]:
        records = records_of_a_cell(self._plan, self._counted.records, buckets)
        allowed = self._plan.settings.bucket_records
        room = index_room(self._plan, self._counted, buckets)
        if room <= 0 or (allowed and records > allowed):
            return
        foresee = self._within if max(buckets) == 1 and len(self._plan.sets) != 2 else self._across
        for index in foresee(records / self._sampled, room)[1]:
            several = (index.shared_by(parts) for parts in range(1, min(self._tasks, len(index.limits)) + 1))
            yield min(
                (self._search(each, buckets, each.cost, each.dearest_part) for each in several),
                key=lambda search: search.microseconds,
            )

    def _tiles(self) -> Search:
        buckets = self._plan.default_buckets
        records = records_of_a_cell(self._plan, self._counted.records, buckets)
        all_pairs = self._across(records / self._sampled, 0.0)[0]
        return self._search(None, buckets, all_pairs, all_pairs)

    def _search(
        self, index: Index | None, buckets: tuple[int, ...], microseconds: float, of_a_task: float
    ) -> Search:
        """What a search costs whose largest cell takes so long in all, and a task of it so long at the most."""
        plan, counted = self._plan, self._counted
        records = records_of_a_cell(plan, counted.records, buckets)
        cells = float(cells_of(plan, buckets))
        if len(plan.sets) != 2 and buckets[0] > 1:
            # Cells of one bucket with itself have half as many records.
            cells = buckets[0] * buckets[0] / 2
        copy = START_MICROSECONDS + records * COPY_MICROSECONDS
        a_cell = microseconds + copy * (len(index.parts) if index else 1)
        told = BUCKET_MICROSECONDS * sum(counted.records.values()) if max(buckets) > 1 else 0.0
        all_pairs = pairs_within(plan, counted.records)
        return Search(
            index,
            buckets,
            max(of_a_task + copy, a_cell * cells / self._tasks) + told / self._tasks,
            all_pairs * (index.candidates / max(1.0, index.all_pairs) if index else 1.0),
            index.signatures * cells if index else 0.0,
            TASK_MEGABYTES + (records * counted.record_bytes + (index.held if index else 0.0)) / 1e6,
        )


def index_room(plan: Plan, counted: Counted, buckets: Sequence[int]) -> int:
    """Bytes that are left for an index in a cell, with so many buckets a set."""
    return plan.room - round(records_of_a_cell(plan, counted.records, buckets) * counted.record_bytes)


def _growing(last: int) -> Iterator[int]:
    """1, 2, 3, 4, 6, 9 and so on, and at last that."""
    number = 1
    while number < last:
        yield number
        number = max(number + 1, number * 3 // 2)
    yield last


def with_search(plan: Plan, counted: Counted, search: Search) -> Plan:
    """The plan with the buckets of a search, its index, and the memory that is left for that."""
    if search.index is None:
        return plan
    return replace(
        plan,
        default_buckets=search.buckets,
        index_bytes=index_room(plan, counted, search.buckets),
        index_limits=search.index.limits,
        index_loose=tuple(sorted(search.index.loose)),
        index_parts=tuple(map(tuple, search.index.parts)) if len(search.index.parts) > 1 else (),
    )
