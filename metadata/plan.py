"""The plan of a run: everything the tasks need to know, settled before a job starts."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from operator import itemgetter, mul
from pathlib import Path
from typing import Any

from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import read_native, write_native
from pehchan.metadata.properties import Settings
from pehchan.metadata.records import Record, Records
from pehchan.metadata.schema import Schema

PLAN_VERSION = 7

#: Bytes of memory that a record takes where it is compared: at the most for a character of it where not all are
#: ASCII, as one letter beyond U+FFFF makes Python hold all of a value in 4 bytes each; and for a value besides, which
#: is mostly its own for each string, measured.
CHARACTER_BYTES = 4
VALUE_BYTES = 100

#: Megabytes that a task takes besides its records: Python, its libraries, and the arrays of a tile.
TASK_MEGABYTES = 240

#: Records that a reducer holds at a time where all pairs are compared, unless bucket.records says how many.
BUCKET_RECORDS = 20_000


#: Blocks of the largest that share cells that would fill one.
BLOCKS_A_CELL = 8


@dataclass(frozen=True)
class Plan:
    """What a run does, the same on every runner.

    schema    with the column numbers of this input
    settings  of the properties file and the command line
    cutoff    scaled distance up to which pairs are kept
    input     "lines": delimited lines as they lie; "records": record lines of ingest, ids not settled;
              "settled": tagged lines of settle_records
    join      "all_pairs", "same_id" or "blocking"; "learnt" for the keys of a model
    sets      ("",) one set; (first, second) or more names: only records of different ones meet; () all sets that
              occur, told by the id
    set_from  where a record's set comes from: "" none, "file" its file's prefix, "id" its id's first characters,
              "line" the record line
    buckets   buckets for groups with more than the default; a group are the records of a partition, and
              where sets share ids, of an id; or those that share a value of a blocking key, its block
    default_buckets  buckets elsewhere: (first, second) of two sets, else (n,) of all records
    shared_cells     with blocking: how many cells those blocks share that have no buckets of their own
    divided          blocks that are too large, of which those records meet that share the next key as well
    ranges           by block in which only neighbours meet in a defined order, where each range of it but the first
                     begins; it may be left out of a neighbours key's with one range
    prepared_bytes   bytes of memory that a character takes in what the measure makes of it, by field; () none
    index_bytes      bytes of memory that an index of the pairs of a cell may take; 0: half of what there is
    index_limits     the index of a cell, by field number: pairs that are kept have one of these distances at the
                     most; none where a cell is to choose
    index_loose      fields of which values may be missing, and then not count, without that index losing pairs
    index_parts      the fields of that index whose pairs one task finds, where several share the pairs of a cell
    model            what was learnt, as pehchan.learning.model has it: it scores pairs in the place of the measures
    frozen           with a model, what alone besides two records says whether they are candidates, as
                     pehchan.learning.addresses has it; {} is to be found out; None: other records have a say
    """

    schema: Schema
    settings: Settings
    cutoff: int
    input: str = "lines"
    join: str = "all_pairs"
    sets: tuple[str, ...] = ("",)
    set_from: str = ""
    buckets: Mapping[str, Sequence[int]] = field(default_factory=dict)
    default_buckets: tuple[int, ...] = (1,)
    shared_cells: int = 1
    divided: tuple[str, ...] = ()
    ranges: Mapping[str, Sequence[tuple[str, ...]]] = field(default_factory=dict)
    prepared_bytes: tuple[int, ...] = ()
    index_bytes: int = 0
    index_limits: Mapping[int, float] = field(default_factory=dict)
    index_loose: tuple[int, ...] = ()
    index_parts: tuple[tuple[int, ...], ...] = ()
    model: Mapping[str, Any] | None = None
    frozen: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form, with the version."""
        return {
            "version": PLAN_VERSION,
            "schema": write_native(self.schema),
            "settings": self.settings.to_dict(),
            "cutoff": self.cutoff,
            "input": self.input,
            "join": self.join,
            "sets": list(self.sets),
            "set_from": self.set_from,
            "buckets": {partition: list(counts) for partition, counts in self.buckets.items()},
            "default_buckets": list(self.default_buckets),
            "shared_cells": self.shared_cells,
            "divided": list(self.divided),
            "ranges": {block: list(map(list, begins)) for block, begins in self.ranges.items()},
            "prepared_bytes": list(self.prepared_bytes),
            "index_bytes": self.index_bytes,
            "index_limits": [list(each) for each in self.index_limits.items()],
            "index_loose": list(self.index_loose),
            "index_parts": [list(part) for part in self.index_parts],
            "model": self.model,
            "frozen": self.frozen,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Plan":
        """The plan of its JSON-safe form. Raises ValueError for another version, MistakesError for a bad schema."""
        if data.get("version") != PLAN_VERSION:
            raise ValueError(
                f"a plan of version {data.get('version')!r}; this pehchan reads version {PLAN_VERSION}"
            )
        mistakes = Mistakes()
        schema = read_native(data["schema"], "plan", mistakes)
        mistakes.raise_if_any()
        return cls(
            schema=schema,
            settings=Settings.from_dict(data["settings"]),
            cutoff=data["cutoff"],
            input=data["input"],
            join=data["join"],
            sets=tuple(data["sets"]),
            set_from=data["set_from"],
            buckets=data["buckets"],
            default_buckets=tuple(data["default_buckets"]),
            shared_cells=data["shared_cells"],
            divided=tuple(data["divided"]),
            ranges={block: list(map(tuple, begins)) for block, begins in data["ranges"].items()},
            prepared_bytes=tuple(data["prepared_bytes"]),
            index_bytes=data["index_bytes"],
            index_limits=dict(data["index_limits"]),
            index_loose=tuple(data["index_loose"]),
            index_parts=tuple(map(tuple, data["index_parts"])),
            model=data["model"],
            frozen=data["frozen"],
        )

    def write(self, path: str | Path) -> None:
        """Write the plan as JSON."""
        Path(path).write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="ascii")

    @classmethod
    def read(cls, path: str | Path) -> "Plan":
        """Read a plan that `write` wrote."""
        return cls.from_dict(json.loads(Path(path).read_text(encoding="ascii")))

    @cached_property
    def columns_needed(self) -> int:
        """How many columns a line must have."""
        ordinals = [field.ordinal for field in self.schema.fields]
        ordinals += [self.schema.id_ordinal, self.schema.partition_ordinal]
        ordinals += [part.ordinal for key in self.schema.keys for part in key.parts]
        return max((ordinal + 1 for ordinal in ordinals if ordinal is not None), default=1)

    @cached_property
    def grouped(self) -> bool:
        """Whether records meet only within groups, which are as large as they happen to be."""
        return self.join in ("same_id", "blocking") or self.schema.partition_ordinal is not None

    @cached_property
    def _compared(self) -> Callable[[Sequence[str]], tuple[str, ...]]:
        ordinals = [field.ordinal or 0 for field in self.schema.fields]
        if len(ordinals) == 1:
            return lambda items: (items[ordinals[0]],)
        return itemgetter(*ordinals)

    def compared(self, record: Record) -> tuple[str, ...]:
        """The values of a record that are compared, in schema order."""
        return self._compared(record.items)

    def set_numbers(self, records: Sequence[Record]) -> list[int]:
        """Of each record the number of its set, in the order of `sets`."""
        numbers = {name: number for number, name in enumerate(self.sets)}
        return [numbers[record.set] for record in records]

    def size(self, record: Record, compared: Sequence[str]) -> tuple[int, int]:
        """Of a record, and of what is compared of it: characters that travel, and bytes that it takes where it is."""
        parts = (record.id, *compared, *record.items) if self.items_needed else (record.id, *compared)
        text = "".join(parts)
        characters = len(text)
        prepared = sum(map(mul, self.prepared_bytes, map(len, compared)))
        of_text = characters if text.isascii() else CHARACTER_BYTES * characters
        return characters, of_text + prepared + VALUE_BYTES * self._values

    def size_of_all(self, records: Records) -> tuple[int, int]:
        """The same of many records together."""
        compared = [records.column(field.ordinal or 0) for field in self.schema.fields]
        texts = ["".join(values) for values in compared]
        items = chain.from_iterable(record.items for record in records) if self.items_needed else ()
        whole = "".join([*records.ids, *texts, *items])
        if not whole.isascii():
            sizes = [self.size(record, self.compared(record)) for record in records]
            return sum(size[0] for size in sizes), sum(size[1] for size in sizes)
        prepared = sum(map(mul, self.prepared_bytes, map(len, texts)))
        return len(whole), len(whole) + prepared + VALUE_BYTES * self._values * len(records)

    def held_bytes_of_key(self, block: str) -> int:
        """Bytes of memory that a block takes that a record brings along to where it is compared."""
        return CHARACTER_BYTES * len(block) + VALUE_BYTES

    @cached_property
    def _values(self) -> int:
        """Strings and lists of a record where it is compared."""
        return 3 + len(self.schema.fields) + (self.columns_needed if self.items_needed else 0)

    def held_bytes_at_most(self, records: int, characters: int) -> int:
        """The same of records that nobody has looked at, whatever their characters are of."""
        each = CHARACTER_BYTES + max(self.prepared_bytes, default=0)
        return each * characters + VALUE_BYTES * self._values * records

    def records_a_cell(self, records: int, held: int) -> int:
        """How many records a reducer may hold, 2 at least, where so many records take so many bytes in all."""
        most = self.settings.bucket_records or BUCKET_RECORDS
        return max(2, min(most, self.room * records // max(1, held)))

    @property
    def parts(self) -> int:
        """How many tasks share the pairs of a cell."""
        return max(1, len(self.index_parts))

    @property
    def room(self) -> int:
        """Bytes of memory that a task has for records."""
        return room_of(self.settings)

    @property
    def index_room(self) -> int:
        """Bytes of it that an index may take."""
        return self.index_bytes or self.room // 2

    def is_large(self, records: int, held: int) -> bool:
        """Whether a group of so many records, which take so many bytes in all, needs a word in the plan."""
        fitting = self.records_a_cell(records, held)
        if self.join != "blocking":
            # Others fit in one bucket.
            return records > fitting // 2
        # Others share cells; of much smaller ones these fill evenly.
        return records > min(fitting // BLOCKS_A_CELL, self.settings.blocking_max_records)

    @cached_property
    def items_needed(self) -> bool:
        """Whether whole records must travel to where pairs are found, for the output or for compat."""
        settings = self.settings
        return bool(
            settings.passive_fields or settings.extra_fields or settings.output_record or settings.compat
        )


def room_of(settings: Settings) -> int:
    """Bytes of memory that a task has for records."""
    return max(0, settings.memory_mb - TASK_MEGABYTES) * 1_000_000
