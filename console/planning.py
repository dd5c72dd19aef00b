"""What a run would do, and how long it would take: looked at before it is started."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pehchan.console.blocks import LookedAtBlocks
from pehchan.console.ingest import read_head
from pehchan.console.inputs import InputFile, Prepared, column_delimiter, set_of
from pehchan.console.jobs import local_folder
from pehchan.console.pipeline import Request, Result, check, tasks_at_once
from pehchan.console.recall import READ, Recall, measure_recall
from pehchan.distance.arrays import some_of
from pehchan.distance.index import Index
from pehchan.distance.record import RecordDistance, Step
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.metadata.plan import TASK_MEGABYTES, Plan
from pehchan.metadata.properties import Settings
from pehchan.metadata.records import Record, RejectedLine, encode_record
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.joins.blocking import is_order, is_part
from pehchan.mrjobs.places import place
from pehchan.mrjobs.planner import (
    Counted,
    Divided,
    cells_of,
    divide,
    pairs_within,
    records_of_a_cell,
    shuffled_characters,
    with_blocks,
    with_buckets,
)
from pehchan.mrjobs.searches import LOOKED_UP, SAMPLED, Foresight, Search, may_be_indexed, with_search
from pehchan.mrjobs.settling import LineReader

#: Records that are looked at in all, and in each file at the least.
LOOKED_AT, OF_A_FILE = 20_000, 200

#: Files that are looked at; of those on HDFS or S3 fewer, as each takes seconds.
FILES, FILES_ELSEWHERE = 100, 10

#: Bytes of a file elsewhere that are brought here to be looked at.
HEAD_BYTES = 8_000_000

#: How much text is in a byte of a packed file, where it is too large to be read to its end; a guess.
PACKED = 4

#: Records that are compared to see how fast that goes: the first to warm up, the last ones only where they are
#: expected to take no longer than so many seconds.
TRIED, TRIED_SECONDS = (32, 256, 1024, 2048), 2.0

#: Pairs of a sample from which their number in all is told.
ENOUGH_PAIRS = 100

#: Seconds a record takes to be read and settled, and to reach a reducer once; a kept pair to be written. Measured
#: with bench/speed.py and bench/shuffle.py.
READ_SECONDS, COPY_SECONDS, WRITE_SECONDS = 8e-6, 2e-6, 1e-6

#: Seconds that a record costs in each of its blocks, besides: to find its keys, and to sort it into the block.
MEMBER_SECONDS = 15e-6


@dataclass(frozen=True)
class Look:
    """What a look at the input shows; all that it says of the whole is an estimate where `whole` is false.

    records  those looked at
    counted  how many there are in all; groups: in each group
    pairs    how many meet, None where a sample does not tell
    aside    the reasons why rows that were looked at would be set aside
    members  with blocking: `counted` with a record once a block that it is in; else as `counted`
    blocks   with blocking: what becomes of those that are too large
    keyless  with blocking: records without a key
    """

    records: Sequence[Record]
    counted: Counted
    groups: Mapping[str, Counted]
    pairs: int | None
    whole: bool
    aside: Sequence[str] = ()
    members: Counted | None = None
    blocks: Divided = field(default_factory=Divided)
    keyless: int = 0


@dataclass(frozen=True)
class Trial:
    """How it goes with some of the records.

    steps            what the fields do, in their order
    pairs, kept      how many were compared, and kept
    seconds          for these pairs
    record_seconds   to read the values of a record in a reducer
    """

    steps: Sequence[Step]
    pairs: int
    kept: int
    seconds: float
    record_seconds: float


@dataclass(frozen=True)
class Forecast:
    """The plan of a run, and what is expected of it.

    tasks          reducers that work at the same time
    cells          groups of records that meet in one reducer, at the most `cell_records` in each
    read_seconds, compare_seconds   on `tasks` cores like this machine's, without the start of jobs
    kept           pairs at or under the cutoff, None where the sample holds none
    megabytes      what a task takes at the most
    searches       ways to find the pairs, the one that is taken first; none where there is but one
    recall         what the blocking keys keep, None where that was not asked for
    """

    plan: Plan
    look: Look
    trial: Trial | None
    tasks: int
    cells: int
    cell_records: int
    copies: float
    read_seconds: float
    compare_seconds: float | None
    kept: int | None
    megabytes: float
    searches: Sequence[Search] = ()
    recall: Recall | None = None

    @property
    def index(self) -> Index | None:
        """How the pairs of a cell are found; None where all are compared."""
        return self.searches[0].index if self.searches else None


def forecast(request: Request, recall: bool = False) -> tuple[Result, Forecast]:
    """Plan a run as if it were started; with `recall` find what its blocking keys lose.

    Raises MistakesError with all that stands in its way.
    """
    result = Result(request)
    heads = _Heads()
    with local_folder() as here:
        inputs, prepared, plan = check(request, result, here, heads.bring)
        if recall:
            _check_recall(plan)
        look = look_at_records(inputs, prepared, plan, heads, here)
        known = _read_some(inputs, prepared, plan, heads, here, READ) if recall else None
    tasks = tasks_at_once(request.runner, plan)
    if look.members is None:
        plan = with_buckets(plan, look.counted, look.groups, tasks)
    else:
        plan = with_blocks(plan, look.members, look.blocks, tasks, lambda: look.records)
    searches: list[Search] = []
    if may_be_indexed(plan, look.counted) and len(look.records) >= SAMPLED:
        sample = [look.records[k] for k in some_of(len(look.records), LOOKED_UP).tolist()]
        searches = Foresight(plan, look.counted, sample, tasks).searches()
        plan = with_search(plan, look.counted, searches[0])
    found = _forecast(plan, look, try_out(plan, look), searches, tasks)
    if known is not None:
        found = replace(found, recall=measure_recall(plan, known.records, known.whole))
    return result, found


def _check_recall(plan: Plan) -> None:
    if plan.join != "blocking":
        what, right = "records do not meet by blocking keys.", "Give blocking: in the schema."
    elif plan.cutoff >= plan.settings.scale:
        what = f"every pair is at or under {plan.cutoff} of {plan.settings.scale}."
        right = "Give cutoff in the schema, or sts.dist.threshold: the keys should keep the pairs under it."
    else:
        return
    raise MistakesError([Mistake("--recall", what, right)])


class _Heads:
    """Files of which the beginning is on this machine.

    sizes  bytes of text in the whole file, about, by its path here
    cut    paths here of files that hold more where they come from
    """

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.cut: set[str] = set()

    def bring(self, file: InputFile, settings: Settings, here: Path) -> InputFile:
        """The beginning of a file that is to be looked at before all else: one with a header."""
        return file if file.format == "lines" else self.fetch(file, here)

    def fetch(self, file: InputFile, here: Path) -> InputFile:
        """The file, or the beginning of one that lies elsewhere."""
        if file.path in self.sizes:
            return file
        there = place(file.path)
        size = there.size() * (PACKED if there.name.endswith((".gz", ".bz2")) else 1)
        if "://" not in file.path:
            self.sizes[file.path] = size
            return file
        # It comes unpacked.
        name = there.name.removesuffix(".gz").removesuffix(".bz2")
        head = here / "heads" / str(len(self.sizes)) / name
        head.parent.mkdir(parents=True)
        data = bytearray()
        for chunk in there.chunks():
            data += chunk
            if len(data) >= HEAD_BYTES:
                self.cut.add(str(head))
                del data[data.rfind(b"\n") + 1 :]
                break
        head.write_bytes(data)
        self.sizes[str(head)] = size if str(head) in self.cut else len(data)
        return replace(file, path=str(head))


def look_at_records(
    inputs: Sequence[InputFile], prepared: Prepared, plan: Plan, heads: _Heads, here: Path
) -> Look:
    """Some records of each file, and what they say of all."""
    some = _read_some(inputs, prepared, plan, heads, here, LOOKED_AT)
    shown = _what_it_shows(plan, some.records, some.factors, some.factor, some.whole)
    return replace(shown, aside=some.aside)


@dataclass(frozen=True)
class _Some:
    """Records that were read; there are so many times more (by set where sets are told apart)."""

    records: Sequence[Record]
    aside: Sequence[str]
    factors: Mapping[str, float]
    factor: float
    whole: bool


def _read_some(
    inputs: Sequence[InputFile], prepared: Prepared, plan: Plan, heads: _Heads, here: Path, most: int
) -> _Some:
    """The first records of each file (of many files, of some spread over them), at the most so many in all, about."""
    settings = plan.settings
    elsewhere = any("://" in file.path for file in inputs)
    number = min(FILES_ELSEWHERE if elsewhere else FILES, len(inputs))
    # Of the parts that a cluster leaves, all are about as large.
    files = [heads.fetch(inputs[k * len(inputs) // number], here) for k in range(number)]
    reader = LineReader(replace(plan, input="records"))
    records: list[Record] = []
    aside: list[str] = []
    # Of each set the rows that were read, and those that there are.
    read, there = Counter[str](), Counter[str]()
    whole = number == len(inputs)
    for file in files:
        name = set_of(file, settings)
        head = read_head(
            file.path,
            file.format,
            settings.input_encoding,
            prepared.columns,
            max(OF_A_FILE, most // number),
            column_delimiter(file.format, settings),
        )
        complete = head.whole and file.path not in heads.cut
        whole &= complete
        read[name] += head.read
        share = 1 if complete else heads.sizes[file.path] / max(1, head.size)
        there[name] += round(head.read * share * len(inputs) / number)
        aside += head.aside
        for values in head.rows:
            try:
                record = reader.read(encode_record(Record(name, "", values)), name)
            except RejectedLine as reason:
                aside.append(str(reason))
                continue
            assert record is not None
            records.append(record)
    total = sum(there.values()) / max(1, sum(read.values()))
    factors = {name: there[name] / max(1, read[name]) for name in read} if len(plan.sets) > 1 else {}
    return _Some(records, aside, factors, total, whole)


def _what_it_shows(
    plan: Plan, records: Sequence[Record], factors: Mapping[str, float], factor: float, whole: bool
) -> Look:
    """What records show of all, of which there are so many times more (by set where sets are told apart)."""
    if plan.join == "blocking":
        return _blocks_shown(plan, records, factors, factor, whole)
    join = join_of(plan)
    numbers: dict[str, Counter[str]] = defaultdict(Counter)
    characters: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for record in records:
        for group in join.groups(record):
            numbers[group][record.set] += 1
            size, bytes_held = plan.size(record, plan.compared(record))
            characters[group] += size
            held[group] += bytes_held
    groups = {
        group: Counted(
            {name: round(n * factors.get(name, factor)) for name, n in _by_set(plan, of_group).items()},
            round(characters[group] * factor),
            round(held[group] * factor),
        )
        for group, of_group in numbers.items()
    }
    by_set: Counter[str] = Counter()
    for of_group in groups.values():
        by_set.update(of_group.records)
    counted = Counted(
        by_set,
        sum(of_group.characters for of_group in groups.values()),
        sum(of_group.held for of_group in groups.values()),
    )
    seen = sum(pairs_within(plan, of_group) for of_group in numbers.values())
    scale = _times_as_many_pairs(plan, records, factors, factor)
    pairs: int | None = round(seen * scale)
    if not whole and seen < ENOUGH_PAIRS:
        pairs = None
    elif not plan.grouped and plan.sets == ("",):
        pairs = pairs_within(plan, by_set)
    return Look(records, counted, groups if plan.grouped else {}, pairs, whole)


def _times_as_many_pairs(
    plan: Plan, records: Sequence[Record], factors: Mapping[str, float], factor: float
) -> float:
    """How many times the pairs of these records there are among all, of which there are so many times more."""
    if len(plan.sets) < 2:
        return factor * factor
    shown = Counter(record.set for record in records)
    whole = {name: round(count * factors.get(name, factor)) for name, count in shown.items()}
    return pairs_within(plan, whole) / max(1, pairs_within(plan, shown))


def _blocks_shown(
    plan: Plan, records: Sequence[Record], factors: Mapping[str, float], factor: float, whole: bool
) -> Look:
    """The same for blocks: a record may be in several, and two records meet once."""
    blocks = LookedAtBlocks(plan, records)
    scaled = {block: blocks.counted(block, factors, factor) for block in blocks.members}
    counted = blocks.counted(None, factors, factor)
    divided = divide(plan, _large(plan, scaled))
    while divided.counts:
        of_parts = LookedAtBlocks(replace(plan, divided=divided.blocks), records)
        parts = {part: of_parts.counted(part, factors, factor) for part in of_parts.members if is_part(part)}
        divided = divide(plan, _large(plan, parts), divided)
    seen, neighbours = blocks.pairs(divided)
    scale = _times_as_many_pairs(plan, records, factors, factor)
    members = Counted(
        {"": sum(sum(each.records.values()) for each in scaled.values())},
        sum(each.characters for each in scaled.values()),
        sum(each.held for each in scaled.values()),
    )
    enough = whole or seen + neighbours >= ENOUGH_PAIRS
    pairs = round(seen * scale + neighbours * factor) if enough else None
    return Look(
        records, counted, scaled, pairs, whole, members=members, blocks=divided, keyless=blocks.keyless
    )


def _large(plan: Plan, blocks: Mapping[str, Counted]) -> dict[str, Counted]:
    """Those that need a word in the plan, and all orders."""
    return {
        block: each
        for block, each in blocks.items()
        if is_order(block) or plan.is_large(sum(each.records.values()), each.held)
    }


def _by_set(plan: Plan, numbers: Mapping[str, int]) -> Mapping[str, int]:
    # Sets that are told by their ids share the buckets of a group.
    return numbers if plan.sets else {"": sum(numbers.values())}


def try_out(plan: Plan, look: Look) -> Trial | None:
    """Compare some of the records, those of the largest group, or of all; None where there are not two."""
    records = look.records
    if plan.grouped and look.groups:
        join = join_of(replace(plan, divided=(), ranges={}))
        largest = max(look.groups, key=lambda group: (sum(look.groups[group].records.values()), group))
        records = [record for record in records if largest in join.groups(record)]
    trial = None
    for number in TRIED:
        if (
            number > TRIED[1]
            and trial is not None
            and trial.seconds * number * number / 2 > TRIED_SECONDS * trial.pairs
        ):
            break
        spread = (
            [k * len(records) // number for k in range(number)]
            if len(records) > number
            else range(len(records))
        )
        chosen = [records[k] for k in spread]
        if len(chosen) < 2:
            return None
        trial = _trial(plan, chosen)
        if len(chosen) < number:
            break
    return trial


def _trial(plan: Plan, records: Sequence[Record]) -> Trial:
    settings = plan.settings
    distance = RecordDistance(plan.schema, settings.scale, plan.cutoff, settings.compat, search="tiles")
    began = time.process_time()
    values = [plan.compared(record) for record in records]
    block = distance.block(zip(*values, strict=True), np.arange(len(records)))
    read = time.process_time() - began
    began, compared, kept = time.process_time(), 0, 0
    for found in distance.compare(block, block):
        compared += found.compared
        kept += len(found.distances)
    seconds = time.process_time() - began
    return Trial(distance.steps(block), compared, kept, seconds, read / len(records))


def _forecast(
    plan: Plan, look: Look, trial: Trial | None, searches: Sequence[Search], tasks: int
) -> Forecast:
    records = sum(look.counted.records.values())
    large = look.groups if look.members is None else look.blocks.large
    copies = shuffled_characters(plan, look.members or look.counted, large) / max(1, look.counted.characters)
    if look.members is not None:
        parts = [(block.records, plan.buckets[name]) for name, block in large.items()]
    elif plan.grouped:
        parts = [
            (group.records, plan.buckets.get(name, plan.default_buckets))
            for name, group in look.groups.items()
        ]
    else:
        parts = [(look.counted.records, plan.default_buckets)]
    cells = sum(cells_of(plan, buckets) for _, buckets in parts)
    cell_records = max((records_of_a_cell(plan, numbers, buckets) for numbers, buckets in parts), default=0)
    if look.members is not None:
        rest = sum(look.members.records.values()) - sum(
            sum(block.records.values()) for block in (*large.values(), *look.blocks.windows.values())
        )
        if rest:
            cells += plan.shared_cells
            cell_records = max(cell_records, rest // plan.shared_cells)
        for block, each in look.blocks.windows.items():
            ranges = len(plan.ranges.get(block, ())) + 1
            cells += ranges
            cell_records = max(cell_records, sum(each.records.values()) // ranges)
    kept = compare = None
    if look.pairs is not None and trial is not None:
        seconds = look.pairs * trial.seconds / trial.pairs
        # Of the largest block alone; in small ones more of the pairs are close.
        told = trial.kept and (look.members is None or trial.pairs == look.pairs)
        kept = round(look.pairs * trial.kept / trial.pairs) if told else None
        seconds += records * copies * (COPY_SECONDS + trial.record_seconds) + (kept or 0) * WRITE_SECONDS
        if look.members is not None:
            seconds += sum(look.members.records.values()) * MEMBER_SECONDS
        compare = seconds / min(tasks, max(1, cells))
        if searches and searches[0].index is not None:
            compare = searches[0].microseconds / 1e6 + (kept or 0) * WRITE_SECONDS / tasks
    megabytes = TASK_MEGABYTES + cell_records * (look.members or look.counted).record_bytes / 1e6
    if searches and searches[0].index is not None:
        megabytes = searches[0].megabytes
    return Forecast(
        plan,
        look,
        trial,
        tasks,
        cells,
        cell_records,
        copies,
        records * READ_SECONDS / tasks,
        compare,
        kept,
        megabytes,
        searches,
    )
