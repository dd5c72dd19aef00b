"""A forecast of a run as a person reads it."""

import math
from collections import Counter
from collections.abc import Iterator
from shutil import get_terminal_size
from textwrap import wrap

from pehchan.console.blocks import largest_blocks
from pehchan.console.pipeline import too_large_blocks
from pehchan.console.planning import Forecast
from pehchan.console.tables import table
from pehchan.distance.index import Index
from pehchan.metadata.plan import BUCKET_RECORDS, TASK_MEGABYTES, Plan
from pehchan.mrjobs.joins.blocking import is_order, is_part

#: Indexes of different limits that are shown.
INDEXES_SHOWN = 4

#: Pairs whose comparison says how many a second there are.
WORTH_A_RATE = 10_000


def plan_text(forecast: Forecast, runner: str, explain: bool) -> str:
    """The plan in a line or a few a topic; explain adds why."""
    lines: list[str] = []
    room = get_terminal_size((110, 40)).columns - 11
    for topic, said, why in _topics(forecast, runner):
        lines += [f"{topic:8} {said[0]}", *(f"{'':8} {line}" for line in said[1:])]
        if explain:
            lines += [f"{'':10} {line}" for reason in why for line in wrap(reason, room)]
    return "\n".join(lines)


def blocks_text(forecast: Forecast) -> str:
    """The largest blocks, and of which records they are."""
    look = forecast.look
    of = "all" if look.whole else f"a sample of {len(look.records):,}"
    return f"\nthe largest blocks, of {of} records\n" + largest_blocks(forecast.plan, look.groups, look.whole)


def _topics(forecast: Forecast, runner: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Topic, what is said of it, and why."""
    plan, look = forecast.plan, forecast.look
    counts = ", ".join(
        _number(count, look.whole) + (f" in {name}" if name else "")
        for name, count in sorted(look.counted.records.items())
    )
    said = [counts or "0"]
    if look.aside:
        reason, often = Counter(look.aside).most_common(1)[0]
        among = len(look.records) + len(look.aside)
        said.append(f"{len(look.aside):,} of {among:,} would be set aside; {often:,} of them: {reason}")
    yield (
        "records",
        said,
        [
            "All of the input was read."
            if look.whole
            else f"{len(look.records):,} were looked at; the others are judged by the size of the files."
        ],
    )
    yield "join", [_join(plan)], _why_join(plan)
    if blocks := _blocks(forecast):
        yield "blocks", blocks, []
    yield "buckets", [_buckets(forecast)], _why_buckets(forecast)
    pairs = (
        "not to be told from so few"
        if look.pairs is None
        else _number(look.pairs, look.whole) + (" to compare" if forecast.index is None else "")
    )
    yield "pairs", [pairs], []
    yield "search", _search(forecast), _why_search(forecast)
    yield "order", _order(forecast), _why_order(forecast)
    yield "kept", [_kept(forecast)], _why_kept(forecast)
    yield "time", _time(forecast, runner), _why_time(forecast)
    yield (
        "memory",
        [f"at most {forecast.megabytes:,.0f} MB a task; memory.mb={plan.settings.memory_mb}"],
        [
            f"{TASK_MEGABYTES} MB for Python and a tile, and {forecast.look.counted.record_bytes:,.0f} bytes for "
            f"each of {forecast.cell_records:,} records"
            + (f", and {forecast.index.held / 1e6:,.0f} MB for signatures." if forecast.index else "."),
        ],
    )


def _join(plan: Plan) -> str:
    if plan.join == "blocking":
        sets = "every two records" if plan.sets == ("",) else "every two records of different sets"
        shared = "; ".join(key.text for key in plan.schema.blocking if key.following is None)
        near = "; ".join(key.text for key in plan.schema.blocking if key.following is not None)
        within = f" of the same {_partition(plan)}" if _partition(plan) else ""
        that = [*([f"share one of {shared}"] if shared else []), *([f"are {near}"] if near else [])]
        return f"blocking: {sets}{within} that {' or '.join(that)}"
    if plan.join == "same_id":
        meeting = "records of different sets that have the same id behind the set's"
    elif plan.sets == ("",):
        meeting = "every two records"
    elif len(plan.sets) == 2:
        meeting = f"every record of {plan.sets[0]} and every one of {plan.sets[1]}"
    else:
        meeting = "every two records of different sets"
    return f"{plan.join}: {meeting}" + (f" with the same {_partition(plan)}" if _partition(plan) else "")


def _why_join(plan: Plan) -> list[str]:
    settings = plan.settings
    if plan.join == "same_id":
        return ["sts.mixed.in.sets asks for it."]
    why = []
    if plan.join == "blocking":
        why.append("The schema holds blocking keys; blocking=false would compare every two records.")
    if plan.set_from == "id":
        why.append(
            f"sts.inter.set.matching: the first {settings.set_id_size} characters of an id name the set."
        )
    elif plan.set_from == "file":
        why.append(
            f"sts.inter.set.matching: files whose name begins with {settings.base_prefix} are one set."
        )
    if not _partition(plan) and plan.join != "blocking":
        why.append("The schema names no partition, within which alone records would meet.")
    return why


def _partition(plan: Plan) -> str:
    ordinal = plan.schema.partition_ordinal
    return "" if ordinal is None else plan.schema.partition or f"column {ordinal}"


def _blocks(forecast: Forecast) -> list[str]:
    plan, look = forecast.plan, forecast.look
    if look.members is None:
        return []
    sizes = [sum(each.records.values()) for block, each in look.groups.items() if not is_order(block)]
    most = f"of up to {_number(max(sizes, default=0), look.whole)} records"
    # How many blocks there are a sample does not tell.
    said = []
    if sizes:
        said.append(
            f"{sum(1 for size in sizes if size > 1):,} of two or more, {most}" if look.whole else most
        )
    if look.keyless:
        said.append(f"records without a key, which meet nothing: {look.keyless:,} of {len(look.records):,}")
    divided = sum(not is_part(block) for block in look.blocks.blocks)
    if divided:
        said.append(
            f"{divided:,} of more than blocking.max.records={plan.settings.blocking_max_records:,} "
            "are divided by the next key"
        )
    windows = sum(not is_order(block) for block in look.blocks.windows)
    if windows:
        said.append(
            f"{windows:,} of more than blocking.max.records={plan.settings.blocking_max_records:,}: "
            f"each record meets the {plan.settings.blocking_window:,} that follow in their order"
        )
    if look.blocks.refused:
        said += f"a run would stop: {too_large_blocks(plan, look.blocks.refused)}".splitlines()
    return said


def _buckets(forecast: Forecast) -> str:
    plan = forecast.plan
    cells = f"{forecast.cells:,} cell" + ("s" if forecast.cells != 1 else "")
    cells += f" of up to {forecast.cell_records:,} records"
    if plan.parts > 1:
        cells += f", each in {plan.parts} parts"
    if plan.join == "blocking":
        return f"{cells}; blocks with cells of their own: {len(plan.buckets):,}"
    if plan.grouped:
        several = sum(1 for buckets in plan.buckets.values() if max(buckets) > 1)
        groups = "ids" if plan.join == "same_id" else "partitions"
        return f"{several:,} of {len(forecast.look.groups):,} {groups} have more than one; {cells}"
    return " x ".join(map(str, plan.default_buckets)) + f"; {cells}"


def _why_buckets(forecast: Forecast) -> list[str]:
    settings = forecast.plan.settings
    room = (
        f"memory.mb leaves {forecast.plan.room / 1e6:,.0f} MB for records of "
        f"{forecast.look.counted.record_bytes:,.0f} bytes each"
    )
    if forecast.index is not None:
        return [
            f"{room} and for signatures, which cost as much as there "
            "are records in all cells together: so few buckets are best. Where there are more cores than cells, "
            "each part finds the pairs of some of the fields.",
            f"A record travels to {forecast.copies:.3g} cells.",
        ]
    why = [
        f"{room}; bucket.records allows {settings.bucket_records or BUCKET_RECORDS:,} records a cell.",
    ]
    if forecast.cells > 1:
        why += [
            "From 2,000 records on there are at least three cells for each of "
            f"{forecast.tasks:,} reducer{'s' if forecast.tasks != 1 else ''} at a time (sts.num.reducer), "
            "so that one large cell does not hold up the others.",
            f"A record travels to {forecast.copies:.3g} cells.",
        ]
    if settings.bucket_count:
        why.append(f"sts.bucket.count allows no more than {settings.bucket_count:,}.")
    return why


def _search(forecast: Forecast) -> list[str]:
    if len(forecast.searches) < 2:
        if forecast.index is not None:
            return [f"signatures: {_found_by(forecast, forecast.index)}"]
        return ["tiles: all pairs" + (" that meet" if forecast.plan.grouped else "") + " are compared"]
    tiles = [search for search in forecast.searches if search.index is None]
    shown = [search for search in forecast.searches if search.index is not None][:INDEXES_SHOWN] + tiles
    shown.sort(key=forecast.searches.index)
    rows = [("buckets", "parts", "signatures", "pairs", "s", "MB", "")] + [
        (
            " x ".join(map(str, search.buckets)),
            str(max(1, len(search.index.parts)) if search.index else 1),
            _short(search.signatures),
            _short(search.candidates),
            f"{search.microseconds / 1e6:,.0f}",
            f"{search.megabytes:,.0f}",
            "tiles: all pairs are compared" if search.index is None else _found_by(forecast, search.index),
        )
        for search in shown
    ]
    name = "tiles" if forecast.index is None else "signatures"
    return [f"{name}, as the first of these costs least, about:", *table(rows)]


def _found_by(forecast: Forecast, index: Index) -> str:
    fields = forecast.plan.schema.fields
    limits = (f"{fields[number].name} up to {limit:.3f}" for number, limit in sorted(index.limits.items()))
    return "pairs that have " + ", or ".join(limits)


def _why_search(forecast: Forecast) -> list[str]:
    if forecast.index is None:
        return []
    return [
        "Every pair that is kept has one of these, so none is lost; the distances were shared out so that the "
        "fewest pairs and signatures come of it, by a sample. join=tiles compares all pairs."
    ]


def _order(forecast: Forecast) -> list[str]:
    trial, fields = forecast.trial, forecast.plan.schema.fields
    if trial is None:
        return [", ".join(field.name for field in fields) + " (there are no two records to try it on)"]
    width = max(len(field.name) for field in fields)
    measures = max(len(field.measure) for field in fields)
    lines = []
    for step in trial.steps:
        if step.sketch:
            names = ", ".join(fields[number].name for number in step.numbers)
            lines.append(f"sketches of {names}: {_share(step.left)}")
            continue
        field = fields[step.numbers[0]]
        cut = "cuts nothing by itself" if math.isinf(step.limit) else f"cut above {step.limit:.3f}"
        if field.threshold is not None and step.limit == field.threshold:
            cut += ", its threshold"
        lines.append(f"{field.name:{width}}  {field.measure:{measures}}  {cut}: {_share(step.left)}")
    return lines


def _why_order(forecast: Forecast) -> list[str]:
    plan = forecast.plan
    why = []
    if plan.settings.compat or any(field.missing == "previous" for field in plan.schema.fields):
        return [
            "In the order of the schema, as sifarish's answers depend on it (sifarish.compat, or a missing value "
            "that takes the distance of the field before)."
        ]
    if forecast.trial is not None and any(step.sketch for step in forecast.trial.steps):
        why.append(
            "First a few bits a record, its sketch, tell how many letters or words two records do not share: "
            "far apart ones need no distance."
        )
    why.append("Each next field is the one that cuts most for what it costs, with the sum so far.")
    fields, scale = plan.schema.fields, plan.settings.scale
    if plan.cutoff < scale:
        why.append(
            f"Pairs up to {plan.cutoff} of {scale} are kept, by {plan.schema.aggregation} over fields of weight "
            f"{', '.join(f'{field.weight:g}' for field in fields)}: a field too far apart for that cuts a pair alone."
        )
    else:
        why.append(
            f"No cutoff below {scale}: set sts.dist.threshold, or cutoff in the schema, and most pairs are cut early."
        )
    return why


def _kept(forecast: Forecast) -> str:
    plan, trial = forecast.plan, forecast.trial
    limit = f"at or under {plan.cutoff} of {plan.settings.scale}"
    if forecast.kept is not None and trial is not None:
        return f"{_number(forecast.kept, trial.pairs == forecast.look.pairs)} pairs {limit}"
    if trial is None or forecast.look.pairs is None or trial.kept:
        return f"pairs {limit}"
    return f"pairs {limit}; none among {trial.pairs:,} that were tried"


def _why_kept(forecast: Forecast) -> list[str]:
    if forecast.trial is None:
        return []
    return [f"{forecast.trial.kept:,} of {forecast.trial.pairs:,} pairs that were tried."]


def _time(forecast: Forecast, runner: str) -> list[str]:
    if forecast.compare_seconds is None or forecast.trial is None:
        return ["not to be told"]
    tasks = f"{forecast.tasks} core{'s' if forecast.tasks != 1 else ''}"
    where = f"{tasks} of this machine" if runner in ("inline", "local") else f"{tasks} like this machine's"
    read, compare = _seconds(forecast.read_seconds), _seconds(forecast.compare_seconds)
    said = [f"{read} to read, {compare} to compare with -r {runner} on {where}"]
    if forecast.trial.pairs >= WORTH_A_RATE and forecast.index is None:
        rate = _number(forecast.trial.pairs / forecast.trial.seconds, exact=False)
        said.append(f"{rate} pairs a second and core")
    return said


def _why_time(forecast: Forecast) -> list[str]:
    if forecast.trial is None:
        return []
    return [
        f"{forecast.trial.pairs:,} pairs took {forecast.trial.seconds:.3f} s just now, here; a task takes up to "
        "half a second more to start, and a cluster's longer."
    ]


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return "less than 1 s"
    if seconds < 120:
        return f"about {seconds:,.0f} s"
    return f"about {seconds / 60:,.0f} min" if seconds < 7200 else f"about {seconds / 3600:,.0f} h"


def _share(share: float) -> str:
    if share == 0:
        return "none of the pairs tried is left"
    return "all pairs are left" if share == 1 else f"{max(share, 0.0001):.2%} of the pairs are left"


def _short(count: float) -> str:
    """A number to two digits, in thousands, millions or billions."""
    for size, name in ((1e9, " bn"), (1e6, " M"), (1e3, " k")):
        if count >= size:
            return f"{count / size:,.{1 if count < 9.95 * size else 0}f}{name}"
    return f"{count:,.0f}"


def _number(count: float, exact: bool) -> str:
    """A number, rounded to three digits where it is an estimate."""
    if exact or count < 1000:
        return f"{count:,.0f}" if exact else f"about {count:,.0f}"
    return f"about {round(count, 2 - math.floor(math.log10(count))):,.0f}"
