"""Makes the plan: which join, which sets, how many buckets."""

import math
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pehchan.distance.record import check_measures, prepared_bytes
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import resolve
from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings, read_settings
from pehchan.metadata.records import Record
from pehchan.metadata.schema import Schema
from pehchan.metadata.schemas import load_schema
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.joins.blocking import Blocking, is_divisible, is_order, is_part
from pehchan.mrjobs.joins.neighbours import Order, order_of
from pehchan.mrjobs.settling import FILE_SETS

#: Records from which a join is worth more than one cell, so that several cores or nodes share it.
WORTH_SHARING = 2000

#: Buckets of such a join where neither its size nor the number of reducers asks for more.
SHARED_BUCKETS = 4

#: Cells a reducer should have, so that one large cell does not hold up the others.
CELLS_A_REDUCER = 3

#: A range of an order takes such a part of a task's memory: with its records come their folded values, by which they
#: are put in order, and a sample does not cut all ranges alike.
RANGE_SHARE = 4

#: Bytes of a line, to guess the records of an input that nobody has counted.
LINE_BYTES = 64


def cutoff_of(settings: Settings, schema: Schema) -> int:
    """The largest scaled distance of a pair that is kept."""
    if settings.cutoff is not None:
        return settings.cutoff
    return schema.cutoff if schema.cutoff is not None else settings.scale


def plan_join(schema: Schema, settings: Settings, mistakes: Mistakes, input_kind: str) -> Plan:
    """The plan of one input, but for the buckets: `with_buckets` adds them once the records are counted."""
    check_measures(schema, settings.compat, mistakes)
    if not schema.fields and not mistakes.found:
        mistakes.add(
            schema.where, "no field is compared.", "Name at least one field with a measure besides the id."
        )
    join, sets, set_from = "all_pairs", ("",), ""
    if settings.same_id:
        join, sets, set_from = "same_id", (), "id"
    elif settings.two_sets and settings.set_id_size:
        sets, set_from = (), "id"
    elif settings.two_sets:
        sets, set_from = FILE_SETS, "file"
    if schema.blocking and settings.blocking:
        if join == "same_id":
            mistakes.add(
                schema.where,
                "records meet by their ids with sts.mixed.in.sets=true, and by blocking keys.",
                "Take out the one that is not meant.",
            )
        join = "blocking"
    if set_from == "id" and schema.id_ordinal is None:
        mistakes.add(
            schema.where,
            "the set of a record stands in its id, and the schema has no id field.",
            'Mark a field with "id": true.',
        )
    return Plan(
        schema,
        settings,
        cutoff_of(settings, schema),
        input_kind,
        join,
        sets,
        set_from,
        prepared_bytes=prepared_bytes(schema),
    )


@dataclass(frozen=True)
class Counted:
    """Records of one group, or of all.

    records     their number by set ("" where there is one)
    characters  of all of them that travel to where they are compared
    held        bytes of memory that all of them take there
    """

    records: Mapping[str, int]
    characters: int
    held: int

    @property
    def record_bytes(self) -> float:
        """Bytes of memory that a record takes where it is compared, on average."""
        return self.held / max(1, sum(self.records.values()))


def with_buckets(
    plan: Plan, counted: Counted, groups: Mapping[str, Counted] | None = None, tasks: int = 1
) -> Plan:
    """The plan with as many buckets as a reducer's memory asks for.

    counted  all records
    groups   the groups too large for one bucket; the others need none
    tasks    reducers that work at the same time
    """
    if not plan.grouped:
        return replace(plan, default_buckets=_buckets(plan, counted, tasks))
    if plan.join == "blocking":
        plan = replace(plan, shared_cells=_shared_cells(plan, counted, groups or {}, tasks))
    buckets = {group: _buckets(plan, of_group, tasks) for group, of_group in sorted((groups or {}).items())}
    return replace(plan, buckets=buckets, default_buckets=(1, 1) if len(plan.sets) == 2 else (1,))


def _shared_cells(plan: Plan, counted: Counted, large: Mapping[str, Counted], tasks: int) -> int:
    """How many cells those blocks share that are not large; `counted` counts a record once a block."""
    records = sum(counted.records.values()) - sum(
        sum(of_block.records.values()) for of_block in large.values()
    )
    held = counted.held - sum(of_block.held for of_block in large.values())
    wanted = 1 if records < WORTH_SHARING else CELLS_A_REDUCER * tasks
    # They do not all get as much: half of what fits leaves room for that.
    return max(wanted, _ceil(2 * records, plan.records_a_cell(records, held)))


@dataclass(frozen=True)
class Divided:
    """What becomes of blocks that are too large.

    blocks    those that are divided by the next key, and parts of them by the one after
    large     what is compared of those that were counted: blocks that are not divided, and parts of those that are
    refused   blocks, and parts of divided ones, that have too many records all the same
    windows   blocks in which only neighbours meet, those of neighbours keys among them
    counts    whether parts are yet to be counted
    """

    blocks: tuple[str, ...] = ()
    large: Mapping[str, Counted] = field(default_factory=dict)
    refused: Mapping[str, Counted] = field(default_factory=dict)
    windows: Mapping[str, Counted] = field(default_factory=dict)
    counts: bool = False


def divide(plan: Plan, counted: Mapping[str, Counted], so_far: Divided | None = None) -> Divided:
    """What becomes of the large blocks; of the large parts of those that were divided so far."""
    so_far = so_far or Divided()
    settings, keys = plan.settings, plan.schema.blocking
    windows = {**so_far.windows, **{block: each for block, each in counted.items() if is_order(block)}}
    too_large = {
        block: each
        for block, each in counted.items()
        if block not in windows and sum(each.records.values()) > settings.blocking_max_records
    }
    # Parts that are not divided any more were counted again.
    large = {block: each for block, each in so_far.large.items() if not is_part(block)}
    large.update({k: each for k, each in counted.items() if k not in windows and k not in too_large})
    if settings.blocking_large == "window":
        return Divided((), large, {}, {**windows, **too_large})
    divided = {
        block for block in too_large if settings.blocking_large == "split" and is_divisible(keys, block)
    }
    refused = {block: each for block, each in too_large.items() if block not in divided}
    blocks = tuple(sorted({*so_far.blocks, *divided}))
    return Divided(blocks, large, refused, windows, bool(divided) and not refused)


def with_blocks(
    plan: Plan, counted: Counted, divided: Divided, tasks: int, sample: Callable[[], Iterable[Record]]
) -> Plan:
    """The plan with what becomes of large blocks, and with buckets, cells and ranges as memory asks for.

    counted  all records, each once a block
    sample   some records, to tell where to cut an order into ranges
    """
    windows = divided.windows
    plan = replace(
        plan, divided=divided.blocks, ranges={block: () for block in sorted(windows) if not is_order(block)}
    )
    counted = Counted(
        {"": sum(counted.records.values()) - sum(sum(each.records.values()) for each in windows.values())},
        counted.characters,
        counted.held - sum(each.held for each in windows.values()),
    )
    plan = with_buckets(plan, counted, divided.large, tasks)
    wanted = {block: _ranges(plan, of_block, tasks) for block, of_block in windows.items()}
    wanted = {block: ranges for block, ranges in wanted.items() if ranges > 1}
    if not wanted:
        return plan
    join = join_of(plan)
    assert isinstance(join, Blocking)
    orders: dict[str, list[Order]] = defaultdict(list)
    for record in sample():
        for block, own in join.blocks(record)[1]:
            if block in wanted:
                orders[block].append(order_of(own, plan.compared(record), record.id, record.set))
    begins = {block: _evenly(sorted(orders[block]), ranges) for block, ranges in sorted(wanted.items())}
    return replace(plan, ranges={**plan.ranges, **begins})


def _ranges(plan: Plan, counted: Counted, tasks: int) -> int:
    """Into how many ranges so many records in order are cut."""
    records = sum(counted.records.values())
    # Each meets a few, however many there are: only memory says how many a reducer may hold.
    fitting = max(1, plan.room * records // max(1, counted.held) // RANGE_SHARE)
    if plan.settings.bucket_records:
        fitting = min(fitting, plan.settings.bucket_records)
    return max(_ceil(records, fitting), CELLS_A_REDUCER * tasks if records >= WORTH_SHARING else 1)


def _evenly(orders: Sequence[Order], ranges: int) -> list[Order]:
    """Where so many ranges begin, all but the first, by a sorted sample; fewer ranges where that is small."""
    ranges = min(ranges, len(orders))
    return [orders[k * len(orders) // ranges] for k in range(1, ranges)]


def shuffled_characters(plan: Plan, counted: Counted, groups: Mapping[str, Counted]) -> int:
    """Characters that travel to where records are compared: each record goes to as many cells as it has to."""
    large = {group: groups[group] for group in plan.buckets}
    rest = Counter(counted.records)
    for group in large.values():
        rest.subtract(group.records)
    characters = counted.characters - sum(group.characters for group in large.values())
    return round(
        sum(
            of_group.characters * copies_of(plan, of_group.records, plan.buckets[group])
            for group, of_group in large.items()
        )
        + characters * copies_of(plan, rest, plan.default_buckets)
    )


def copies_of(plan: Plan, records: Mapping[str, int], buckets: Sequence[int]) -> float:
    """To how many cells a record goes, of a group with so many of each set; on average where sets differ in that."""
    if len(plan.sets) != 2 or max(buckets) == 1:
        return buckets[0] * plan.parts
    # A bucket of one set meets those of the other.
    first, second = (records.get(name, 0) for name in plan.sets)
    return plan.parts * (first * buckets[1] + second * buckets[0]) / max(1, first + second)


def pairs_within(plan: Plan, records: Mapping[str, int]) -> int:
    """How many pairs meet in a group with so many records of each set."""
    if len(plan.sets) == 2:
        return records.get(plan.sets[0], 0) * records.get(plan.sets[1], 0)
    total = sum(records.values())
    of_one_set = sum(count * (count - 1) // 2 for count in records.values())
    return total * (total - 1) // 2 - (0 if plan.sets == ("",) else of_one_set)


def cells_of(plan: Plan, buckets: Sequence[int]) -> int:
    """How many cells there are for so many buckets a set."""
    return buckets[0] * buckets[1] if len(plan.sets) == 2 else buckets[0] * (buckets[0] + 1) // 2


def records_of_a_cell(plan: Plan, records: Mapping[str, int], buckets: Sequence[int]) -> int:
    """How many records meet in the largest cell, if all buckets of a set are alike."""
    if len(plan.sets) == 2:
        return sum(_ceil(records.get(name, 0), count) for name, count in zip(plan.sets, buckets, strict=True))
    total = sum(records.values())
    return total if buckets[0] == 1 else 2 * _ceil(total, buckets[0])


def _buckets(plan: Plan, counted: Counted, tasks: int) -> tuple[int, ...]:
    """Buckets a set for these records."""
    settings, records = plan.settings, counted.records
    wanted_cells = CELLS_A_REDUCER * tasks
    held = plan.records_a_cell(sum(records.values()), counted.held)
    # The records of two buckets meet in a cell.
    a_bucket = max(1, held // 2)
    if len(plan.sets) == 2:
        counts = [records.get(name, 0) for name in plan.sets]
        wanted = [_ceil(count, a_bucket) for count in counts]
        if sum(counts) >= WORTH_SHARING:
            cells = max(SHARED_BUCKETS**2, wanted_cells)
            while wanted[0] * wanted[1] < cells:
                # Split the set with the larger buckets: that ships the fewest copies.
                larger = 0 if counts[0] * wanted[1] >= counts[1] * wanted[0] else 1
                wanted[larger] += 1
    else:
        count = sum(records.values())
        fits = count <= held
        wanted = [1 if fits else _ceil(count, a_bucket)]
        if count >= WORTH_SHARING:
            wanted = [max(wanted[0], SHARED_BUCKETS, math.ceil(math.sqrt(2 * wanted_cells)))]
    # More buckets than asked for are never made; fewer are, where more would only ship copies.
    return tuple(min(number, settings.bucket_count or number) for number in wanted)


def _ceil(count: int, size: int) -> int:
    return max(1, -(-count // size))


def load_schema_and_settings(
    properties: str | None, schema_path: str | None, defines: Sequence[str], mistakes: Mistakes
) -> tuple[Schema | None, Settings]:
    """What the properties and the schema say; the schema is None where there is none or it cannot be read."""
    settings = read_settings(properties, defines, mistakes)
    path = schema_path or settings.schema_path
    if path is None:
        return None, settings
    return load_schema(path, settings, mistakes, None if schema_path else properties), settings


def plan_for_job(
    properties: str | None, schema_path: str | None, defines: Sequence[str], inputs: Sequence[str]
) -> Plan:
    """The plan of a job that is run by itself on lines. Raises MistakesError with all that is wrong.

    Nobody has counted the records yet, so the buckets are made for the size of the local files; elsewhere they
    are as sts.bucket.count says, or enough for a million records.
    """
    mistakes = Mistakes()
    schema, settings = load_schema_and_settings(properties, schema_path, defines, mistakes)
    if schema is None:
        if not mistakes.found:
            mistakes.add(
                properties or "",
                "no schema is named.",
                "Set sts.same.schema.file.path in the properties, or give --schema FILE.",
            )
        mistakes.raise_if_any()
    assert schema is not None
    if not schema.lines:
        schema = resolve(schema, schema.columns, mistakes)
    plan = plan_join(schema, settings, mistakes, "lines")
    mistakes.raise_if_any()
    here = bool(inputs) and all(os.path.exists(path) for path in inputs)
    size = sum(map(_bytes_in, inputs)) if here else 1_000_000 * LINE_BYTES
    records = size // LINE_BYTES
    share = {name: records // len(plan.sets) for name in plan.sets} if plan.sets else {"": records}
    if plan.join == "same_id":
        return plan
    if plan.join == "blocking":
        # A block a key, or about that.
        keys = len(plan.schema.blocking)
        records, size = records * keys, size * keys
        counted = Counted({"": records}, size, plan.held_bytes_at_most(records, size))
        return with_buckets(plan, counted, {}, settings.reducers or 1)
    counted = Counted(share, size, plan.held_bytes_at_most(records, size))
    return replace(plan, default_buckets=_buckets(plan, counted, settings.reducers or 1))


def _bytes_in(path: str) -> int:
    """Bytes of a file, or of the files in a folder."""
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(
        os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names
    )


def cutoff_for_job(properties: str | None) -> int:
    """The cutoff of a clustering that is run by itself. Raises MistakesError where the properties hold none."""
    mistakes = Mistakes()
    settings = read_settings(properties, [], mistakes)
    cutoff = settings.cluster_cutoff if settings.cluster_cutoff is not None else settings.cutoff
    if cutoff is None:
        mistakes.add(
            properties or "", "no cutoff is given.", "Give --cutoff N, or cluster.cutoff in the properties."
        )
    mistakes.raise_if_any()
    assert cutoff is not None
    return cutoff
