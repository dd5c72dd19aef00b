"""What a report says of the records of a run: what each field holds, the records that are shown, and a sample."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from pehchan.console.least import Least
from pehchan.console.output import tagged_lines
from pehchan.learning.hashing import combined, text_hashes
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Record, Records
from pehchan.mrjobs.places import Place
from pehchan.mrjobs.wire import RECORDS, Identity

#: Records that are compared with each other: two million pairs. A model compares fewer in the same time, and so does
#: every measure where records are longer than usual.
SAMPLED, SAMPLED_BY_MODEL, LEAST_SAMPLED = 2000, 500, 100
USUAL_CHARACTERS = 100

#: Records that are looked at at a time.
AT_ONCE = 50_000

#: Different values of a field up to which they are counted, and not estimated.
COUNTED = 50_000


@dataclass(frozen=True)
class FieldSeen:
    """What a field holds in all records.

    missing   records without a value
    distinct  different values as they stand there; about, where not exact
    """

    name: str
    missing: int
    distinct: int
    exact: bool


@dataclass(frozen=True)
class RecordsSeen:
    """Of the records of a run.

    by_set  how many there are of each set
    fields  those that are compared
    values  of the fields of the records that were asked for
    sample  some records, by a hash of set and id, with the values of these fields, and of the partition behind them
    """

    by_set: dict[str, int]
    fields: list[FieldSeen]
    values: dict[Identity, Sequence[str]]
    sample: list[Record]

    @property
    def number(self) -> int:
        """How many records there are."""
        return sum(self.by_set.values())


def look_at_records(folders: Sequence[Place], plan: Plan, wanted: Collection[Identity]) -> RecordsSeen:
    """Read the records once."""
    fields = plan.schema.fields
    partition = plan.schema.partition_ordinal
    missing = [0] * len(fields)
    distinct = [Distinct() for _ in fields]
    sample = Least[tuple[str, str, Sequence[str]]](SAMPLED if plan.model is None else SAMPLED_BY_MODEL)
    by_set: dict[str, int] = {}
    values: dict[Identity, Sequence[str]] = {}
    ids_wanted = {record_id for _, record_id in wanted}
    for some in _batches(folders):
        set_name, ids = some.set, some.ids
        by_set[set_name] = by_set.get(set_name, 0) + len(ids)
        columns = [some.column(field.ordinal or 0) for field in fields]
        more = [*columns, *([] if partition is None else [some.column(partition)])]
        for number, column in enumerate(columns):
            missing[number] += column.count("")
            distinct[number].add(column)
        if not ids_wanted.isdisjoint(ids):
            for place, record_id in enumerate(ids):
                if record_id in ids_wanted and (set_name, record_id) in wanted:
                    values[set_name, record_id] = [column[place] for column in columns]
        keys = combined([text_hashes(ids)], seed=int(text_hashes([f"set {set_name}"])[0]))
        sample.offer(keys, lambda k, of=(set_name, ids, more): (of[0], of[1][k], [c[k] for c in of[2]]))
    return RecordsSeen(
        by_set,
        [
            FieldSeen(field.name, missing[k], distinct[k].number, distinct[k].exact)
            for k, field in enumerate(fields)
        ],
        values,
        _comparable([Record(*each) for each in sample.things]),
    )


def _comparable(records: Sequence[Record]) -> list[Record]:
    """As many of the first of them as are compared in little time."""
    characters = sum(len(item) for record in records for item in record.items) / max(1, len(records))
    share = min(1.0, USUAL_CHARACTERS / max(1.0, characters))
    return list(records[: max(LEAST_SAMPLED, round(len(records) * share))])


def _batches(folders: Sequence[Place]) -> Iterator[Records]:
    """The records, many of one set and width at a time."""
    held: dict[tuple[str, int], list[Records]] = {}
    lengths: Counter[tuple[str, int]] = Counter()
    for tag, payload in tagged_lines(folders):
        if tag == RECORDS:
            some = Records.decode(payload)
            kind = some.set, some.width
            held.setdefault(kind, []).append(some)
            lengths[kind] += len(some)
            if lengths[kind] >= AT_ONCE:
                del lengths[kind]
                yield _joined(held.pop(kind))
    yield from map(_joined, held.values())


def _joined(some: Sequence[Records]) -> Records:
    return Records(some[0].set, some[0].width, list(chain.from_iterable(each.values for each in some)))


class Distinct:
    """Counts different texts in little memory: of many, by how small the least of their hashes are.

    Z. Bar-Yossef and others, "Counting distinct elements in a data stream", 2002; off by less than one in a hundred,
    mostly.
    """

    def __init__(self, most: int = COUNTED):
        self._most = most
        self._least: NDArray[np.uint64] = np.zeros(0, np.uint64)

    def add(self, texts: Iterable[str]) -> None:
        """Some more; the empty text is none."""
        hashes = text_hashes(list(set(texts) - {""}))
        if not self.exact:
            hashes = hashes[hashes < self._least[-1]]
        if len(hashes):
            self._least = np.unique(np.concatenate([self._least, hashes]))[: self._most]

    @property
    def exact(self) -> bool:
        """Whether they were few enough to count."""
        return len(self._least) < self._most

    @property
    def number(self) -> int:
        """How many there are, or about so many."""
        if self.exact:
            return len(self._least)
        return round((self._most - 1) / ((float(self._least[-1]) + 1) / 2.0**64))
