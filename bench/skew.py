"""Measure what the largest task holds where one partition has half of the records, with and without a bound.

make bench-skew, or python bench/skew.py [--records N] [--kilobytes K]
"""

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

from watching import watch

from pehchan.mrjobs.planner import SHARED_BUCKETS

SCHEMA = """\
id: id
columns: [id, state, name, note]
partition: state
lines: true
cutoff: 150
fields: {name: {measure: levenshtein}}
"""
#: Megabytes that a task may take, and whether that is heeded.
BOUNDS = {"memory.mb=384": ("memory.mb=384",), "none": ("memory.mb=1000000", "sts.bucket.count=1")}
#: Records travel whole. With one reducer no more than SHARED_BUCKETS are made but for memory, on any number of cores.
DEFINES = ("sts.output.record=true", "sts.num.reducer=1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--kilobytes", type=int, default=40, help="size of a record")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as folder:
        write_input(Path(folder), options.records, options.kilobytes)
        print(
            "| bound | buckets of the large partition | largest task, MB | s | pairs |\n|---|---|---|---|---|"
        )
        for bound in BOUNDS:
            buckets, megabytes, seconds, pairs = measure(Path(folder), bound)
            if bound != "none" and buckets <= SHARED_BUCKETS:
                sys.exit(f"{bound} cuts nothing here. Give more --records, or more --kilobytes.")
            print(f"| {bound} | {buckets} | {megabytes:.0f} | {seconds:.0f} | {pairs} |", flush=True)


def write_input(folder: Path, records: int, kilobytes: int) -> None:
    shuffle = random.Random(1)
    (folder / "schema.yaml").write_text(SCHEMA)
    with (folder / "records.txt").open("w") as file:
        for number in range(records):
            state = "TX" if number % 2 else f"s{number % 100}"
            name = "".join(shuffle.choices("abcdefgh", k=10))
            file.write(f"{number},{state},{name},{'x' * 1000 * kilobytes}\n")


def measure(folder: Path, bound: str) -> tuple[int, float, float, int]:
    """Run the job with a bound: buckets of the large partition, megabytes of the largest task, seconds, pairs."""
    defines = [word for each in (*BOUNDS[bound], *DEFINES) for word in ("-D", each)]
    seconds, tasks = watch(
        ["similarity", "records.txt", "-s", "schema.yaml", "--overwrite", "-o", "out", *defines], folder
    )
    plan = json.loads((folder / "out" / "internal" / "plan.json").read_text())
    result = json.loads((folder / "out" / "run.json").read_text())
    # Only groups too large for one bucket are named.
    buckets = plan["buckets"].get("TX", plan["default_buckets"])[0]
    return buckets, tasks[0].megabytes, seconds, result["counters"]["Pairs"].get("Kept", 0)


if __name__ == "__main__":
    main()
