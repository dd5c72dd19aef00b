"""What it costs to bring records into a state, beside a run over all of them.

    PEHCHAN_DATA=folder python bench/updates.py     febrl120k: 1,200 records into the others
    python bench/updates.py --persons 1000000       made-up persons likewise

Both sides in one run: `match` of all records but those that come later, with --state; `update` with these, several
times, each time into that state; and `match` of all records, without a state and with one. Whole commands, start-up
included.
"""

import argparse
import csv
import os
import random
import shlex
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from customers import GENERATORS, write
from watching import watch_other

HEAD = "| records | command | s | largest process, MB | share of a run over all |\n|---|---|---|---|---|"


def parts(records: Path, folder: Path, later: int) -> None:
    """Write all records, those that come first, and those that come later, chosen at random."""
    with open(records, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    random.Random(1).shuffle(rows)
    for name, some in (("all", rows), ("first", rows[later:]), ("later", rows[:later])):
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *some])


def run(arguments: Sequence[str], folder: Path) -> tuple[float, float]:
    """Seconds of a command in a folder, and megabytes of the largest of its processes."""
    words = [sys.executable, "-m", "pehchan.main", *arguments, "-q"]
    return watch_other(f"cd {shlex.quote(str(folder))} && {shlex.join(words)}")


def measure(name: str, records: Path, folder: Path, later: int, runs: int) -> None:
    parts(records, folder, later)
    run(
        ["match", "first.csv", "-o", "out", "--overwrite", "--no-report", "-r", "local", "--state", "kept"],
        folder,
    )
    whole, megabytes = run(
        ["match", "all.csv", "-o", "out", "--overwrite", "--no-report", "-r", "local"], folder
    )
    print(f"| {name} | match of all | {whole:.1f} | {megabytes:.0f} | 1 |", flush=True)
    with_state, megabytes = run(
        ["match", "all.csv", "-o", "out", "--overwrite", "--no-report", "-r", "local", "--state", "of_all"],
        folder,
    )
    print(f"| {name} | match of all, with a state | {with_state:.1f} | {megabytes:.0f} |  |", flush=True)
    taken = []
    for number in range(runs):
        state = folder / f"state-{number}"
        shutil.copytree(folder / "kept", state)
        taken.append(run(["update", str(state), "later.csv"], folder))
        shutil.rmtree(state)
    seconds = statistics.median(each[0] for each in taken)
    largest = max(each[1] for each in taken)
    share = f"{seconds / whole:.3f}"
    what = f"update with {later:,}, median of {runs}"
    print(f"| {name} | {what} | {seconds:.2f} | {largest:.0f} | {share} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--persons", type=int, help="so many made-up persons, and not febrl120k")
    parser.add_argument("--kind", choices=GENERATORS, default="households", help="of made-up persons")
    parser.add_argument("--later", type=int, default=1200, help="records that come later (1,200)")
    parser.add_argument("--runs", type=int, default=3, help="of the update (3)")
    options = parser.parse_args()
    data = os.environ.get("PEHCHAN_DATA")
    if not data and not options.persons:
        parser.error("PEHCHAN_DATA names no folder of record sets")
    print(HEAD)
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
        folder = Path(place)
        if options.persons:
            lines = folder / "lines"
            write(GENERATORS[options.kind](options.persons, 1), lines, folder / "truth.csv")
            records = folder / "persons.csv"
            records.write_text("id,name,address,city,phone\n" + lines.read_text())
            measure(f"{options.persons:,} of {options.kind}", records, folder, options.later, options.runs)
        else:
            measure(
                "febrl120k",
                Path(data or "") / "febrl120k" / "records.csv",
                folder,
                options.later,
                options.runs,
            )


if __name__ == "__main__":
    main()
