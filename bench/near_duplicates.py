"""The pairs under a cutoff of many made-up customers: what the plan says, what the run does, and whether any is lost.

    python bench/near_duplicates.py --records 200000 --cutoff 50 [--cutoff 100 ...] [-D join=tiles ...]

Whole runs with -r local, start-up included. Of some records, spread over all, the pairs are also found by comparing
them with all others.
"""

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from running import customers
from speed import PROPERTIES
from watching import watch

from pehchan.console.pipeline import Request
from pehchan.console.planning import forecast
from pehchan.distance.record import RecordDistance
from pehchan.metadata.plan import Plan

#: Records whose pairs are found also by comparing them with all others.
CHECKED = 100


def pairs_of_some(plan: Plan, path: Path) -> tuple[set[str], dict[frozenset[str], int]]:
    """Some of the ids, and the pairs with one of them at or under the cutoff, by comparing them with all records."""
    with path.open(newline="") as file:
        records = list(csv.reader(file))
    distance = RecordDistance(plan.schema, plan.settings.scale, plan.cutoff, search="tiles")
    ordinals = [field.ordinal or 0 for field in plan.schema.fields]
    columns = ([record[ordinal] for record in records] for ordinal in ordinals)
    whole = distance.block(columns, np.arange(len(records)))
    some = np.arange(CHECKED) * len(records) // CHECKED
    found: dict[frozenset[str], int] = {}
    for part in distance.compare(whole.take(some), whole):
        for i, j, apart in zip(part.rows, part.columns, part.distances, strict=True):
            first, second = records[some[i]][0], records[j][0]
            if first != second:
                found[frozenset((first, second))] = int(apart)
    return {records[k][0] for k in some}, found


def pairs_of_run(out: Path, ids: set[str]) -> dict[frozenset[str], int]:
    """The pairs that a run wrote with one of the ids."""
    found = {}
    for part in sorted((out / "pairs").iterdir()):
        with part.open(newline="") as file:
            for first, second, apart in csv.reader(file):
                if first in ids or second in ids:
                    found[frozenset((first, second))] = int(apart)
    return found


def row(path: Path, records: int, cutoff: int, defined: Sequence[str], folder: Path) -> str:
    """What is planned and done for one cutoff."""
    defines = [f"sts.dist.threshold={cutoff}", *defined]
    asked = Request("plan", [str(path)], "", str(PROPERTIES), defines=defines, runner="local", clusters=False)
    planned = forecast(asked)[1]
    cells = planned.cells
    said = (planned.index.candidates * cells if planned.index else planned.look.pairs or 0) / records
    switches = [word for each in defines for word in ("-D", each)]
    arguments = ["similarity", str(path), "-p", str(PROPERTIES), *switches, "-o", "out", "--overwrite"]
    seconds, tasks = watch(arguments, folder)
    counters = json.loads((folder / "out" / "run.json").read_text())["counters"]["Pairs"]
    ids, expected = pairs_of_some(planned.plan, path)
    if pairs_of_run(folder / "out", ids) != expected:
        sys.exit(f"the pairs of {CHECKED} records at cutoff {cutoff} are not those of brute force")
    search = "signatures" if planned.index else "tiles"
    return (
        f"| {records:,} | {cutoff} | {search}, {cells} cell{'s' if cells != 1 else ''} | {said:,.2f} | "
        f"{counters['Compared'] / records:,.2f} | {counters['Kept']:,} | {len(expected)} of {len(expected)} | "
        f"{planned.read_seconds + (planned.compare_seconds or 0):,.0f} | {seconds:,.1f} | {tasks[0].megabytes:,.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--cutoff", type=int, action="append")
    parser.add_argument("-D", "--define", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    print(
        "| records | cutoff | search | pairs a record, as planned | as compared | kept | of 100 records "
        "| s, as planned | s | largest task, MB |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
        folder = Path(place)
        path = customers(folder, options.records)
        for cutoff in options.cutoff or [50, 100]:
            print(row(path, options.records, cutoff, options.define, folder), flush=True)


if __name__ == "__main__":
    main()
