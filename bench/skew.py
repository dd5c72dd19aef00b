"""Measure what the largest task holds where one partition has half of the records, with and without a bound.

python bench/skew.py [--records N] [--kilobytes K]
"""

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

from running import run

SCHEMA = """\
id: id
columns: [id, state, name, note]
partition: state
lines: true
cutoff: 150
fields: {name: {measure: levenshtein}}
"""
#: Runs a task, and notes what it took at the most: sort, which mrjob runs between the tasks, takes all it can get.
WATCH = """\
import resource, subprocess, sys
code = subprocess.run([sys.executable, *sys.argv[2:]]).returncode
with open(sys.argv[1], "a") as file:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=file)
sys.exit(code)
"""
#: Megabytes that a task may take, and whether that is heeded.
BOUNDS = {"memory.mb=512": ("memory.mb=512",), "none": ("memory.mb=1000000", "sts.bucket.count=1")}


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
            print(f"| {bound} | {buckets} | {megabytes:.0f} | {seconds:.0f} | {pairs} |")


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
    notes = folder / "notes"
    notes.write_text("")
    (folder / "watch.py").write_text(WATCH)
    task_python = [sys.executable, str(folder / "watch.py"), str(notes)]
    (folder / "conf").write_text(json.dumps({"runners": {"local": {"task_python_bin": task_python}}}))
    defines = [word for each in (*BOUNDS[bound], "sts.output.record=true") for word in ("-D", each)]
    seconds = run(
        [
            *("similarity", "records.txt", "-s", "schema.yaml", "-r", "local", "--conf-path", "conf"),
            *("-q", "--overwrite", "-o", "out", *defines),
        ],
        folder,
    )
    plan = json.loads((folder / "out" / "internal" / "plan.json").read_text())
    result = json.loads((folder / "out" / "run.json").read_text())
    # Linux counts kilobytes of 1024 bytes, macOS bytes.
    largest = max(map(int, notes.read_text().split())) * (1 if sys.platform == "darwin" else 1024)
    return plan["buckets"]["TX"][0], largest / 1e6, seconds, result["counters"]["Pairs"]["Kept"]


if __name__ == "__main__":
    main()
