"""Golden records of a run: what must be known before, the job that makes them, and the table that people read."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from pehchan.console.jobs import Jobs
from pehchan.console.output import ENTITIES, read_plan, read_run
from pehchan.identity.golden_records import GoldenRecords
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.places import Place
from pehchan.mrjobs.wire import GOLDEN

#: Between the values of a column of which all are kept, in a table.
BETWEEN = " | "


def check_golden(plan: Plan, mistakes: Mistakes) -> None:
    """Add a mistake for all that stands in the way of the golden records that the schema asks for."""
    schema = plan.schema
    if not schema.keeps:
        return
    columns = schema.columns
    twice = sorted({name for name in columns if columns.count(name) > 1})
    rules = [(each.where, each.rule) for each in schema.kept]
    if schema.keep is not None:
        rules.append((schema.where, schema.keep))
    lost = any(each.ordinal is None for each in schema.kept) or any(
        rule.column is not None and rule.ordinal is None for _, rule in rules
    )
    # Of columns that the input lacks it is said already.
    if not columns or (lost and not mistakes.found):
        right = "Add the names of all columns in the order of the file: columns: [id, name, …]."
        mistakes.add(schema.where, "golden records need the names of the columns.", right)
    if twice:
        what = f"more than one column is named {', '.join(twice)}."
        mistakes.add(f"{schema.where} columns", what, "Give every column a name of its own.")
    for where, rule in rules:
        if rule.name != "source" or rule.column is not None or rule.ordinal is not None:
            continue
        right = "Name the column that says the source: {source: {column: system, order: [crm, web]}}."
        if len(plan.sets) == 1:
            mistakes.add(where, "keep: source: all records are of one set, which has no name.", right)
            continue
        # Of sets that are told by their ids nobody knows which there are.
        unknown = [name for name in rule.order if plan.sets and name not in plan.sets]
        if unknown:
            sets = ", ".join(plan.sets)
            what = f"keep: source: {unknown[0]!r} is no set of this run; its sets are {sets}."
            mistakes.add(where, what, right)


def keep_golden(jobs: Jobs, records: Sequence[Place], work: Place, plan_path: Path) -> None:
    """Write the golden record of each cluster into work/entities."""
    found = work / "internal" / "golden"
    inputs = [*records, work / "internal" / "clusters"]
    jobs.run(GoldenRecords, list(map(str, inputs)), found, ["--plan", str(plan_path)])
    jobs.export(GOLDEN, [found], work / ENTITIES, None)
    # It says the same.
    found.remove()


def golden_table(out: Place, origins: bool = False) -> Iterator[list[str]]:
    """The golden records of an output as rows, below a header: entity, how many records, and the columns.

    origins  after each column also the record that its value came from

    Raises MistakesError where the output holds none.
    """
    read_run(out)
    plan = read_plan(out)
    folder = out / ENTITIES
    if plan is None or not folder.exists():
        mistakes = Mistakes()
        right = "Say in the schema what is to be kept, such as keep: most-frequent, and run again."
        mistakes.add(str(out), "holds no golden records.", right)
        mistakes.raise_if_any()
    assert plan is not None
    columns = plan.schema.columns
    names = [name for column in columns for name in ((column, f"{column} from") if origins else (column,))]
    yield ["entity", "records", *names]
    for line in folder.lines():
        golden = json.loads(line)
        values, came_from = golden["values"], golden["from"]
        kept = [
            _cell(part)
            for column in columns
            for part in ((values[column], came_from.get(column, "")) if origins else (values[column],))
        ]
        yield [golden["entity"], str(len(golden["records"])), *kept]


def _cell(kept: str | list[str]) -> str:
    return kept if isinstance(kept, str) else BETWEEN.join(kept)
