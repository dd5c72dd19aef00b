"""What blocking keys lose: of the pairs under the cutoff, found without the keys, those that share none of them.

A sample of the records is compared with all that were read, and not only with itself: of a sample of one in ten the
pairs within it would be one in a hundred. A pair is found where one of its records is in the sample, so that all have
the same chance.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from shutil import get_terminal_size
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pehchan.clustering.evaluation import wilson_interval
from pehchan.console.side_by_side import in_color, show_cluster
from pehchan.console.tables import table
from pehchan.distance.record import RecordDistance
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Record, ascii_json
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.joins.all_pairs import hashed
from pehchan.mrjobs.joins.blocking import Block, Blocking, number_and_value
from pehchan.mrjobs.joins.neighbours import Order, order_of

#: Records that are read, at the most.
READ = 200_000

#: Pairs that are looked at, about: a minute where all of them are compared, and less with an index.
PAIRS = 200_000_000

#: Found pairs of which it is told whether the keys keep them.
JUDGED = 500_000

#: Lost pairs that are shown.
SHOWN = 3

#: Makes another sample of the same records where it is another number.
SEED = 1


#: A pair and its distance.
Lost: TypeAlias = tuple[int, Record, Record]


@dataclass(frozen=True)
class Recall:
    """What the keys keep of the pairs under the cutoff.

    read     records that were read; whole: they are all of the input
    sampled  those of them that were compared with all others
    pairs    found, and kept by the keys; exact: they are all that there are
    alone    by key, how many of the pairs it keeps, whatever the others do; only: that no other key keeps
    lost     some of the pairs that no key keeps with their distances, from the closest to the farthest
    """

    read: int
    whole: bool
    sampled: int
    pairs: int
    kept: int
    exact: bool
    alone: Sequence[int]
    only: Sequence[int]
    lost: Sequence[Lost]


def measure_recall(plan: Plan, records: Sequence[Record], whole: bool) -> Recall:
    """What the keys of a plan keep of the pairs of these records, by a sample of them."""
    sample = _sample(records)
    a, b, distances = _close_pairs(plan, records, sample)
    pairs = len(a)
    exact = whole and len(sample) == len(records) and pairs <= JUDGED
    if pairs > JUDGED:
        some = np.sort(np.random.default_rng(SEED).choice(pairs, JUDGED, replace=False))
        a, b, distances, pairs = a[some], b[some], distances[some], JUDGED
    meets = _Meets(plan, records)
    alone, only = Counter[int](), Counter[int]()
    lost: list[Lost] = []
    for i, j, distance in zip(a.tolist(), b.tolist(), distances.tolist(), strict=True):
        keys = meets.keys(i, j)
        alone.update(keys)
        if len(keys) == 1:
            only.update(keys)
        elif not keys:
            lost.append((distance, records[i], records[j]))
    # They came in the order of their records.
    lost.sort(key=itemgetter(0))
    numbers = range(len(plan.schema.blocking))
    return Recall(
        len(records),
        whole,
        len(sample),
        pairs,
        pairs - len(lost),
        exact,
        [alone[number] for number in numbers],
        [only[number] for number in numbers],
        _spread(lost, SHOWN),
    )


def _spread(lost: Sequence[Lost], number: int) -> list[Lost]:
    """So many of them, the first and the last among them."""
    if len(lost) <= number:
        return list(lost)
    return [lost[k * (len(lost) - 1) // (number - 1)] for k in range(number)]


def _content(record: Record) -> bytes:
    return ascii_json([record.id, record.set, record.items])


def _sample(records: Sequence[Record]) -> NDArray[np.int64]:
    """The positions of as many records as can be compared with all, by a hash of what they hold."""
    number = PAIRS // max(1, len(records))
    if number >= len(records):
        return np.arange(len(records))
    order = [(hashed(f"{SEED} {_content(record).decode()}"), k) for k, record in enumerate(records)]
    return np.array(sorted(k for _, k in sorted(order)[:number]), dtype=np.int64)


def _close_pairs(
    plan: Plan, records: Sequence[Record], sample: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """int64[n] each: the pairs at or under the cutoff that may meet by their sets and partitions, as positions, each
    once, and their distances.
    """
    settings, count = plan.settings, len(records)
    distance = RecordDistance(
        plan.schema, settings.scale, plan.cutoff, settings.compat, settings.search, plan.index_room
    )
    order = np.array(sorted(range(count), key=lambda k: _content(records[k])), dtype=np.int64)
    rank = np.empty(count, dtype=np.int64)
    rank[order] = np.arange(count)
    everyone = distance.block(zip(*map(plan.compared, records), strict=True), rank)
    rows = everyone if len(sample) == count else everyone.take(sample)
    sets = _codes(record.set for record in records)
    ordinal = plan.schema.partition_ordinal
    partitions = _codes("" if ordinal is None else record.items[ordinal] for record in records)
    pairs, found_distances = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for found in distance.compare(rows, everyone):
        i, j = sample[found.rows], found.columns
        fit = (i != j) & (partitions[i] == partitions[j])
        if plan.sets != ("",):
            fit &= sets[i] != sets[j]
        # Whatever the order of lines.
        pairs.append((np.minimum(rank[i], rank[j]) * count + np.maximum(rank[i], rank[j]))[fit])
        found_distances.append(found.distances[fit])
    # Where both are in the sample they were found twice.
    pair, first = np.unique(np.concatenate(pairs), return_index=True)
    first_record, second_record = np.divmod(pair, max(1, count))
    return order[first_record], order[second_record], np.concatenate(found_distances)[first]


def _codes(values: Iterator[str]) -> NDArray[np.int64]:
    code: dict[str, int] = {}
    return np.array([code.setdefault(value, len(code)) for value in values], dtype=np.int64)


class _Meets:
    """By which keys two records meet, as the plan has it."""

    def __init__(self, plan: Plan, records: Sequence[Record]):
        join = join_of(plan)
        assert isinstance(join, Blocking)
        self._records, self._join = records, join
        self._blocks: dict[int, set[Block]] = {}
        #: By block where only neighbours meet, the places of its records in their order, by position.
        self._places: dict[Block, dict[int, int]] = {}
        orders: dict[Block, list[tuple[Order, int]]] = defaultdict(list)
        for number, record in enumerate(records if join.windows else ()):
            for block, own in join.blocks(record)[1]:
                orders[block].append((order_of(own, plan.compared(record), record.id, record.set), number))
        for block, of_block in orders.items():
            self._places[block] = {number: place for place, (_, number) in enumerate(sorted(of_block))}

    def keys(self, i: int, j: int) -> set[int]:
        """The numbers of the keys."""
        found = {number_and_value(block)[0] for block in self._of(i) & self._of(j)}
        for block, places in self._places.items():
            if i in places and j in places:
                window = self._join.window((block, 0, 0)) or 0
                if abs(places[i] - places[j]) <= window:
                    found.add(number_and_value(block)[0])
        return found

    def _of(self, number: int) -> set[Block]:
        if number not in self._blocks:
            self._blocks[number] = set(self._join.blocks(self._records[number])[0])
        return self._blocks[number]


def recall_text(plan: Plan, recall: Recall) -> str:
    """What a person reads of it: the share with its interval, that of each key, and some lost pairs."""
    limit = f"at or under {plan.cutoff} of {plan.settings.scale}"
    said = ["", f"recall: the keys keep {recall.kept:,} of {recall.pairs:,} pairs {limit}"]
    if not recall.pairs:
        said[-1] = f"recall: not to be told, no pairs {limit} were found"
    of = "all" if recall.whole else "the first"
    if recall.sampled == recall.read:
        how = f"every two of {of} {recall.read:,} records were compared"
    else:
        how = f"{recall.sampled:,} records were compared with {of} {recall.read:,}"
    if recall.pairs:
        said[-1] += f", {_percent(recall.kept / recall.pairs)}"
        if not recall.exact:
            low, high = wilson_interval(recall.kept, recall.pairs)
            how += f"; of all pairs {_percent(low)} to {_percent(high)}, with 95% confidence"
    said.append(how)
    keys = plan.schema.blocking
    if not recall.whole and any(key.following is not None for key in keys):
        said.append("neighbours were told among these alone; of all records more may stand between two")
    said.append("")
    rows = [("keeps", "no other does", "key")]
    rows += [
        (f"{alone:,}", f"{only:,}", key.text)
        for alone, only, key in zip(recall.alone, recall.only, keys, strict=True)
    ]
    said += table(rows)
    ordinals = dict.fromkeys(
        ordinal
        for ordinal in [
            *(each.ordinal for each in plan.schema.fields),
            *(part.ordinal for key in keys for part in key.parts),
        ]
        if ordinal is not None
    )
    columns = plan.schema.columns
    names = [columns[ordinal] if ordinal < len(columns) else f"column {ordinal}" for ordinal in ordinals]
    width = get_terminal_size((110, 40)).columns
    for distance, *two in recall.lost:
        shown = [(record.id, [record.items[ordinal] for ordinal in ordinals]) for record in two]
        said += [
            "",
            show_cluster(f"lost, {distance} apart", names, shown, in_color(sys.stdout), width).rstrip("\n"),
        ]
    return "\n".join(said)


def _percent(share: float) -> str:
    return f"{share:.2%}"
