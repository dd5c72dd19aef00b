"""Ways to find the pairs of a plan, all of them or by an index, and what each costs: looked at before a run."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pehchan.distance.arrays import some_of
from pehchan.distance.columns import Block
from pehchan.distance.index import Index
from pehchan.distance.record import RecordDistance
from pehchan.metadata.plan import TASK_MEGABYTES, Plan
from pehchan.metadata.records import Record
from pehchan.mrjobs.planner import Counted, cells_of, pairs_within, records_of_a_cell

#: Records from which on it is worth a look whether an index finds their pairs.
WORTH_AN_INDEX = 10_000

#: Records that are compared with each other to tell what finds the pairs of all for least, and those among which the
#: pairs are then looked up that may be found so.
SAMPLED, LOOKED_UP = 2000, 20_000

#: Numbers of buckets in a row that cost more than fewer did, behind which no others are looked at.
DEARER = 2

#: Searches that cost up to so many times as much as the cheapest.
ABOUT_THE_SAME = 1.1

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


@dataclass(frozen=True)
class Search:
    """One way to find the pairs of a plan, and what it is expected to cost.

    index         of the largest cell; None where all pairs are compared
    buckets       a set
    microseconds  on all tasks, from the cells' first record to their last pair; about
    candidates    pairs that are compared in all cells, about
    error         standard error of their number, as it is told from some of the records
    signatures    that are made in all cells, about
    megabytes     that a task takes at the most
    """

    index: Index | None
    buckets: tuple[int, ...]
    microseconds: float
    candidates: float
    error: float
    signatures: float
    megabytes: float


class Foresight:
    """What it costs to find the pairs of a plan in one way or the other, by some of its records."""

    def __init__(self, plan: Plan, counted: Counted, sample: Sequence[Record], tasks: int):
        self._plan, self._counted, self._tasks = plan, counted, tasks
        settings = plan.settings
        distance = RecordDistance(plan.schema, settings.scale, plan.cutoff, search=settings.search)

        def blocks(records: Sequence[Record]) -> tuple[Block, Block]:
            """Their values; those of two sets apart, where there are some of both."""
            values = [plan.compared(record) for record in records]
            block = distance.block(zip(*values, strict=True), np.arange(len(records)))
            if len(plan.sets) != 2:
                return block, block
            of_set = np.array([plan.sets.index(record.set) for record in records])
            rows, columns = (block.take(np.flatnonzero(of_set == number)) for number in (0, 1))
            return (rows, columns) if len(rows) and len(columns) else (block, block)

        some = [sample[k] for k in some_of(len(sample), SAMPLED)]
        self._sampled = len(some)
        self._foresee = distance.foresee(*blocks(some), blocks(sample) if len(sample) > len(some) else None)

    def searches(self) -> list[Search]:
        """Ways to find the pairs, tiles and indexes of several limits; the cheapest first.

        Of those that cost about the same the one with the fewest pairs is first.
        """
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
        least = min(search.microseconds for search in found)
        # What costs about the same is told apart by the pairs, so that about the same is chosen by other records.
        return sorted(
            found,
            key=lambda search: (
                search.microseconds > ABOUT_THE_SAME * least,
                search.candidates if search.microseconds <= ABOUT_THE_SAME * least else search.microseconds,
            ),
        )

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
        for index in self._foresee(records / self._sampled, self._pairs(buckets), room)[1]:
            several = (index.shared_by(parts) for parts in range(1, min(self._tasks, len(index.limits)) + 1))
            yield min(
                (self._search(each, buckets, each.cost, each.dearest_part) for each in several),
                key=lambda search: search.microseconds,
            )

    def _tiles(self) -> Search:
        buckets = self._plan.default_buckets
        records = records_of_a_cell(self._plan, self._counted.records, buckets)
        all_pairs = self._foresee(records / self._sampled, self._pairs(buckets), 0.0)[0]
        return self._search(None, buckets, all_pairs, all_pairs)

    def _pairs(self, buckets: Sequence[int]) -> float:
        """How many pairs meet in the largest cell."""
        records = self._counted.records
        if len(self._plan.sets) == 2:
            first, second = (
                records.get(name, 0) / count for name, count in zip(self._plan.sets, buckets, strict=True)
            )
            return first * second
        total = records_of_a_cell(self._plan, records, buckets)
        # Of two buckets each record meets those of the other one.
        return total * (total - 1) / 2 if buckets[0] == 1 else total * total / 4

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
            all_pairs * index.error / max(1.0, index.all_pairs) if index else 0.0,
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
