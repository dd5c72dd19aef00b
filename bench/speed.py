"""Pairs a second: comparing alone on one core, and the whole job, beside loops over rapidfuzz's functions.

    make bench

Both sides of a row run one after the other on the same made-up customers (tutorial/customers.py).
"""

import csv
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Indel
from running import run

from pehchan.distance.columns import Block
from pehchan.distance.record import RecordDistance
from pehchan.metadata.schema import Field, Schema

CUSTOMERS = Path(__file__).parents[1] / "tutorial" / "customers.py"
PROPERTIES = Path(__file__).parents[1] / "conf" / "customers.properties"
FIELDS = ("name", "address", "city", "phone")
SCALE = 1000

#: Records that are compared by each side of a row; the loops need minutes for those of the other side.
RECORDS, LOOP_RECORDS = 4000, 1000
#: Of the whole job, and of its growth.
JOB_RECORDS = 20_000
GROWTH = (5_000, 10_000, 20_000, 40_000)

#: What the original's Java compared a second on one core, warm; measured once, on another machine.
JAVA_PAIRS = 1960

Record = Sequence[str]


def customers(folder: Path, records: int) -> Path:
    """A file of so many made-up customers."""
    path = folder / f"customers-{records}.csv"
    # Some of them are there twice.
    subprocess.run(
        [
            *(sys.executable, str(CUSTOMERS), "--records", str(records), "--seed", "1"),
            *("--output", str(path), "--truth", str(folder / "truth.csv")),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:records]))
    return path


def whole_distance(a: str, b: str) -> float:
    return Indel.normalized_distance(a, b)


def token_distance(a: str, b: str) -> float:
    ours, theirs = a.split(), b.split()
    if len(ours) != len(theirs):
        return 1.0
    return sum(map(Indel.normalized_distance, ours, theirs)) / len(ours) if ours else 0.0


def loop(records: Sequence[Record], distance: Callable[[str, str], float], limit: float | None) -> float:
    """Pairs a second of two loops over records; a pair whose first fields are more than limit apart is left."""
    began, pairs, total = time.process_time(), 0, 0.0
    for place, first in enumerate(records):
        for second in records[place + 1 :]:
            pairs += 1
            apart = distance(first[0], second[0])
            if limit is not None and apart > limit:
                continue
            for a, b in zip(first[1:], second[1:], strict=True):
                apart += distance(a, b)
            total += apart
    return pairs / (time.process_time() - began)


def columns(records: Sequence[Record], tokens: bool, limit: float | None, cutoff: int) -> float:
    """Pairs a second of the reducer's comparison."""
    fields = tuple(
        Field(name, number + 1, "edit", {"tokens": tokens}, threshold=limit if number == 0 else None)
        for number, name in enumerate(FIELDS)
    )
    distance = RecordDistance(Schema(fields), SCALE, cutoff)
    began, pairs = time.process_time(), 0
    coded = [distance.column(number, [record[number] for record in records]) for number in range(len(FIELDS))]
    block = Block(coded, np.arange(len(records)))
    for found in distance.compare(block, block):
        pairs += found.compared
    return pairs / (time.process_time() - began)


def job(path: Path, out: Path, runner: str) -> float:
    """Seconds of a whole run, from the start of the command to its end."""
    return run(
        ["similarity", str(path), "-p", str(PROPERTIES), "-r", runner, "-o", str(out), "--overwrite", "-q"]
    )


def row(what: str, ours: float, theirs: float, against: str) -> None:
    print(f"| {what} | {ours / 1e6:.1f} | {against} {theirs / 1e6:.3f} | {ours / theirs:,.1f} |", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
        folder = Path(place)
        with customers(folder, RECORDS).open(newline="") as file:
            records = [record[1:] for record in csv.reader(file)]
        print("| row | million pairs/s | against, million pairs/s | times |\n|---|---|---|---|")
        whole = loop(records[:LOOP_RECORDS], whole_distance, None)
        row("whole field, no threshold, one core", columns(records, False, None, SCALE), whole, "loop")
        words = loop(records[:LOOP_RECORDS], token_distance, None)
        row(
            "word by word, no threshold, one core",
            columns(records, True, None, SCALE),
            words,
            "loop over words",
        )
        cut = loop(records[:LOOP_RECORDS], whole_distance, 0.4)
        ours = columns(records, False, 0.4, 100)
        row("whole field, cutoff 100, name threshold 0.4, one core", ours, cut, "loop that leaves such pairs")
        seconds = job(customers(folder, JOB_RECORDS), folder / "out", "local")
        ours = math.comb(JOB_RECORDS, 2) / seconds
        what = f"whole job, {JOB_RECORDS:,} records, word by word, cutoff 100, -r local, {seconds:.1f} s"
        row(what, ours, words, "loop over words, one core, comparing alone")
        row("the same", ours, JAVA_PAIRS, "the Java original, one core, warm (measured once, elsewhere)")
        print("\n| records | whole job, s |\n|---|---|")
        start = job(customers(folder, 10), folder / "out", "local")
        taken = [job(customers(folder, count), folder / "out", "local") for count in GROWTH]
        for count, seconds in zip((10, *GROWTH), (start, *taken), strict=True):
            print(f"| {count:,} | {seconds:.1f} |")
        exponent = np.polyfit(np.log(GROWTH), np.log([max(each - start, 0.1) for each in taken]), 1)[0]
        print(
            f"\nWithout the {start:.1f} s of its start the job grows with the power {exponent:.2f} of its input."
        )


if __name__ == "__main__":
    main()
