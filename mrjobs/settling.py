"""How lines become records with settled ids: the parts of settle_records, which record_similarity uses as well.

A record is identified by its set and its id. A record without an id gets one made from its content, `#` and a
hash. Of records with the same id the first by content keeps it, the others get `~2`, `~3` and so on, whatever
the order of lines.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain
from zlib import crc32

import orjson
from mrjob.step import MRStep

from pehchan.metadata.plan import Plan
from pehchan.metadata.records import (
    Record,
    Records,
    Rejected,
    RejectedLine,
    ascii_json,
    decode_line,
    decode_record,
    splitter,
)
from pehchan.mrjobs.counting import CountsGroups
from pehchan.mrjobs.job import file_name, input_file
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.wire import RECORDS, REJECTED

#: The sets of a job whose files are told apart by their names.
FILE_SETS = ("base", "other")

#: Records of one set are settled by the drawers that their ids fall in: so many that a task can hold the records of
#: one, of however many records.
DRAWERS = 1024

#: Records that a reducer writes to a line, where it makes the lines anew.
RECORDS_A_LINE = 100

#: Lines that a mapper holds at a time, as a multiple of the size of a batch; and those that are read together.
BATCHES_HELD, LINES_AT_ONCE = 16, 1000

_SUFFIXES = re.compile(r"(~[1-9][0-9]*)+\Z")


class LineReader:
    """Turns the lines of one task into records as the plan says."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self._split = splitter(plan.settings.input_delimiter or ",")

    def read(self, line: bytes, set_name: str) -> Record | None:
        """The record of a line, its id as it was given; None for a blank line.

        Raises RejectedLine with the reason where the line cannot become a record.
        """
        if self.plan.input == "records":
            record = decode_record(line)
            items: Sequence[str] = record.items
            set_name = record.set
        else:
            text = decode_line(line)
            if not text.strip():
                return None
            items = self._split(text)
        needed = self.plan.columns_needed
        if len(items) < needed:
            raise RejectedLine(f"expected at least {needed} columns, found {len(items)}")
        ordinal = self.plan.schema.id_ordinal
        given = items[ordinal] if ordinal is not None else ""
        if self.plan.set_from == "id":
            size = self.plan.settings.set_id_size
            if len(given) <= size:
                raise RejectedLine(f"the id has {len(given)} characters; its first {size} name the set")
            set_name = given[:size]
        return Record(set_name, "" if self.plan.settings.auto_id else given, items)

    def rows(self, lines: Sequence[bytes]) -> Sequence[tuple[str, list[str]]] | None:
        """The ids and items of plain lines that all become records whose ids have nothing in common but by chance.

        None where they are not such, and must be read one by one. Together it takes a third of the time.
        """
        plan, needed = self.plan, self.plan.columns_needed
        ordinal = plan.schema.id_ordinal
        if plan.input != "lines" or plan.set_from == "id" or plan.settings.auto_id or ordinal is None:
            return None
        joined = b"\n".join(lines)
        if needed < 2 or b"\r" in joined or b"\0" in joined or joined.count(b"\n") >= len(lines):
            return None
        try:
            rows = list(map(self._split, joined.decode().split("\n")))
        except UnicodeDecodeError:
            return None
        # A blank line has one column.
        if min(map(len, rows)) < needed:
            return None
        ids = [row[ordinal] for row in rows]
        if not all(map(str.strip, ids)) or "~" in "".join(ids):
            # The line may be blank, and the id that of a duplicate, which belongs to another's family.
            return None
        return list(zip(ids, rows, strict=True))


class SettlesRecords(CountsGroups):
    """Mapper and reducer that settle records; a mixin of the jobs whose input may be plain lines."""

    def configure_args(self) -> None:
        super().configure_args()
        self.add_passthru_arg("--set-name", default="", help="the set of all records of this input")

    def settle_step(self) -> MRStep:
        """Lines in, settled records out."""
        return MRStep(
            mapper_init=self.start_reading,
            mapper=self.read_line,
            mapper_final=self.stop_reading,
            reducer=self.settle,
            reducer_final=self.send_counters,
        )

    def start_reading(self) -> None:
        self._reader = LineReader(self.plan)
        self._file = input_file()
        if self.plan.set_from == "file":
            is_base = file_name(self._file).startswith(self.plan.settings.base_prefix)
            self._set_name = FILE_SETS[0] if is_base else FILE_SETS[1]
        else:
            self._set_name = self.options.set_name
        self._join = join_of(self.plan)
        self._characters = self._held = 0
        #: (set, drawer, strings a record) -> records that wait, their ids as they were given
        self._drawers: dict[tuple[str, int, int], list[str]] = defaultdict(list)
        #: Bytes of the lines that they came in.
        self._gathered = 0
        #: Lines that were not read yet.
        self._lines: list[bytes] = []
        self._batch_bytes = self.plan.settings.batch_bytes
        self.start_counting()

    def read_line(self, _: None, line: bytes) -> Iterator[tuple[bytes, bytes]] | None:
        """Line -> the records of some lines, among others of the same drawer; and rejected lines."""
        self._lines.append(line)
        return self._read_lines() if len(self._lines) >= LINES_AT_ONCE else None

    def _read_lines(self) -> Iterator[tuple[bytes, bytes]]:
        lines, self._lines = self._lines, []
        self._gathered += sum(map(len, lines))
        rows = None if self.plan.grouped else self._reader.rows(lines)
        if rows is not None:
            for record_id, row in rows:
                gathered = self._drawers[self._set_name, drawer_of(record_id), 1 + len(row)]
                gathered.append(record_id)
                gathered += row
        else:
            # Some runners end lines at a bare CR and others do not, so that all of them do here.
            for single in chain.from_iterable(line.split(b"\r") for line in lines):
                yield from self._read_single(single)
        if self._gathered >= self._batch_bytes * BATCHES_HELD:
            yield from self._send_records()

    def _read_single(self, line: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The same of one line."""
        try:
            record = self._reader.read(line, self._set_name)
        except RejectedLine as reason:
            self.count("Records", "Rejected")
            rejected = Rejected(
                line.decode("utf-8", "backslashreplace"), file_name(self._file), str(reason)
            ).encode()
            yield ascii_json(["x", _digest(rejected)]), rejected
            return
        if record is None:
            self.count("Records", "Blank lines")
            return
        set_name, record_id, items = record
        if self.plan.grouped:
            yield from self._count_groups_of(record)
        gathered = self._drawers[set_name, drawer_of(_family(record)), 1 + len(items)]
        gathered.append(record_id)
        gathered += items

    def _count_groups_of(self, record: Record) -> Iterator[tuple[bytes, bytes]]:
        groups = self._join.groups(record)
        if self._blocking and not groups:
            self.count("Records", "Without blocking key")
        yield from self.count_groups(groups, record.set, *self.plan.size(record, self.plan.compared(record)))

    def _send_records(self) -> Iterator[tuple[bytes, bytes]]:
        for (set_name, drawer, width), values in self._drawers.items():
            records = Records(set_name, width, values)
            self.count("Records", "Read", len(records))
            if set_name:
                self._count_set(set_name, len(records))
            characters, held = self.plan.size_of_all(records)
            self._characters += characters
            self._held += held
            yield ascii_json(["r", set_name, drawer]), records.encode()
        self._drawers.clear()
        self._gathered = 0

    def _count_set(self, set_name: str, number: int) -> None:
        # Sets told by ids may be many; those of a join are worth a counter each.
        if len(self.plan.sets) > 1:
            self.count("Records", f"Set {set_name}", number)

    def stop_reading(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self._read_lines()
        yield from self._send_records()
        yield from self.send_groups()
        self.count("Records", "Characters", self._characters)
        self.count("Records", "Bytes held", self._held)
        if self._blocking:
            for name, amount in zip(("Members", "Characters", "Bytes held"), self.members, strict=True):
                self.count("Blocks", name, amount)
        self.send_counters()

    def settle(self, key: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Some families of ids -> their records with an id each; rejected lines and the counts of large groups."""
        kind, *rest = orjson.loads(key)
        if kind == "x":
            yield from ((REJECTED, value) for value in values)
        elif kind == "g":
            yield from self.large_group(rest[0], values)
        else:
            yield from ((RECORDS, line) for line in self._settle_drawer(rest[0], list(values)))

    def _settle_drawer(self, set_name: str, lines: Sequence[bytes]) -> Iterator[bytes]:
        """Lines of records -> those with an id each; where the ids have nothing in common, the lines as they are."""
        ids = [record_id for line in lines for record_id in Records.decode(line).ids]
        families = set(ids if "~" not in "".join(ids) else map(_without_suffixes, ids))
        if len(families) == len(ids) and "" not in families:
            yield from lines
            return
        by_width: dict[int, Records] = {}
        for record_id, items in self._settled(lines):
            width = 1 + len(items)
            records = by_width.setdefault(width, Records(set_name, width))
            records.append(record_id, items)
            if len(records) >= RECORDS_A_LINE:
                yield by_width.pop(width).encode()
        yield from (records.encode() for records in by_width.values())

    def _settled(self, lines: Iterable[bytes]) -> Iterator[tuple[str, Sequence[str]]]:
        """The records of a drawer, with the ids that they get."""
        first: dict[str, Record] = {}
        # However many share an id, they are held here: as bytes, which are smaller.
        several: dict[str, list[bytes]] = {}
        for record in chain.from_iterable(map(Records.decode, lines)):
            family = _family(record)
            if family not in first:
                first[family] = record
                continue
            if family not in several:
                several[family] = [_to_compare(first[family])]
            several[family].append(_to_compare(record))
        for family, record in first.items():
            if family in several:
                yield from self._settle_family(family, several[family])
                continue
            if not record.id:
                self.count("Records", "Without id")
            yield record.id or family, record.items

    def _settle_family(self, family: str, values: Iterable[bytes]) -> Iterator[tuple[str, Sequence[str]]]:
        # Records with an id before those without, then by content: never by who comes first.
        members = sorted(values, key=lambda value: (value.startswith(b'["",'), value))
        # An id that a record brings itself goes before any that is made here.
        taken = {given for given, _ in map(orjson.loads, members) if given}
        unused = set(taken)
        numbers: dict[str, int] = {}
        for given, items in map(orjson.loads, members):
            absent = not given
            wanted = family if absent else given
            if absent:
                self.count("Records", "Without id")
            if wanted in unused:
                unused.remove(wanted)
                settled = wanted
            else:
                if not absent:
                    self.count("Records", "Duplicate id")
                settled, number = wanted, numbers.get(wanted, 2)
                while settled in taken:
                    settled, number = f"{wanted}~{number}", number + 1
                numbers[wanted] = number
                taken.add(settled)
            yield settled, items


def drawer_of(family: str) -> int:
    """The drawer of the ids of a family; those of ids that differ alike are not to differ alike."""
    checksum = crc32(family.encode("utf-8", "surrogatepass"))
    # The upper bits of a product with an odd number: a checksum alone is linear in the letters.
    return (checksum * 0x9E3779B1 & 0xFFFFFFFF) * DRAWERS >> 32


def _family(record: Record) -> str:
    """What ids have in common that only differ in their suffixes: a duplicate of one may come to be another."""
    return _without_suffixes(record.id) if record.id else content_id(record.items)


def _without_suffixes(record_id: str) -> str:
    return _SUFFIXES.sub("", record_id) if "~" in record_id else record_id


def _to_compare(record: Record) -> bytes:
    return ascii_json([record.id, record.items])


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()


def content_id(items: Sequence[str]) -> str:
    return "#" + _digest(ascii_json(items))
