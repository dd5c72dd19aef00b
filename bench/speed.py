"""Pairs a second: comparing alone on one core, and the whole job, beside loops over rapidfuzz's functions.

    make bench-speed

Both sides of a row run one after the other on the same made-up customers (tutorial/customers.py).
"""

import csv
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Indel
from running import customers, run

from pehchan.distance.record import RecordDistance
from pehchan.metadata.schema import Field, Schema

PROPERTIES = Path(__file__).parents[1] / "conf" / "customers.properties"
FIELDS = ("name", "address", "city", "phone")
SCALE = 1000

#: Records that are compared by each side of a row; the loops need minutes for those of the other side.
RECORDS, LOOP_RECORDS = 4000, 1000
#: Of the whole job.
JOB_RECORDS = 20_000
#: Runs of a side of a row, of which the middle one counts.
RUNS = 3
#: Records of a growing job, and its runs; the largest runs as long as all others together.
START = 10
GROWTH = {5_000: RUNS, 10_000: RUNS, 20_000: RUNS, 40_000: RUNS, 80_000: 1}
#: The power of its input with which the job is to grow at the most, its start taken off.
LARGEST_EXPONENT = 2.1

#: What the original's Java compared a second on one core, warm; measured once, on another machine.
JAVA_PAIRS = 1960

Record = Sequence[str]


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
    distance = RecordDistance(Schema(fields), SCALE, cutoff, search="tiles")
    began, pairs = time.process_time(), 0
    block = distance.block(zip(*records, strict=True), np.arange(len(records)))
    for found in distance.compare(block, block):
        pairs += found.compared
    return pairs / (time.process_time() - began)


def job(path: Path, out: Path, runner: str) -> float:
    """Seconds of a whole run that compares all pairs, from the start of the command to its end."""
    asked = ["-p", str(PROPERTIES), "-D", "join=tiles", "-r", runner]
    return run(["similarity", str(path), *asked, "-o", str(out), "--overwrite", "-q"])


def middle(measure: Callable[[], float], runs: int = RUNS) -> float:
    """The middle one of some runs: the first in a process is slower, as its memory is not there yet."""
    return statistics.median(measure() for _ in range(runs))


def row(what: str, ours: float, theirs: float, against: str, to_reach: int) -> None:
    times = f"{ours / theirs:,.1f} | {to_reach:,}"
    print(f"| {what} | {ours / 1e6:.1f} | {against} {theirs / 1e6:.3f} | {times} |", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
        folder = Path(place)
        with customers(folder, RECORDS).open(newline="") as file:
            records = [record[1:] for record in csv.reader(file)]
        few = records[:LOOP_RECORDS]
        print(
            "| row | million pairs/s | against, million pairs/s | times | to reach |\n|---|---|---|---|---|"
        )
        ours = middle(lambda: columns(records, False, None, SCALE))
        theirs = middle(lambda: loop(few, whole_distance, None))
        row("whole field, no threshold, one core", ours, theirs, "loop", 20)
        ours = middle(lambda: columns(records, True, None, SCALE))
        words = middle(lambda: loop(few, token_distance, None))
        row("word by word, no threshold, one core", ours, words, "loop over words", 15)
        ours = middle(lambda: columns(records, False, 0.4, 100))
        theirs = middle(lambda: loop(few, whole_distance, 0.4))
        what = "whole field, cutoff 100, name threshold 0.4, one core"
        row(what, ours, theirs, "loop that leaves such pairs", 20)
        seconds = job(customers(folder, JOB_RECORDS), folder / "out", "local")
        ours = math.comb(JOB_RECORDS, 2) / seconds
        what = f"whole job, {JOB_RECORDS:,} records, word by word, cutoff 100, -r local, {seconds:.1f} s"
        row(what, ours, words, "loop over words, one core, comparing alone", 15)
        against = "the Java original, one core, warm (measured once, elsewhere)"
        row("the same", ours, JAVA_PAIRS, against, 9000)
        grow(folder)


def grow(folder: Path) -> None:
    """What the whole job costs as its input doubles."""
    print("\n| records | whole job, s |\n|---|---|")
    taken = []
    for count, runs in {START: RUNS, **GROWTH}.items():
        path = customers(folder, count)
        taken.append(middle(lambda path=path: job(path, folder / "out", "local"), runs))
        print(f"| {count:,} | {taken[-1]:.1f} |", flush=True)
    start, *grown = taken
    sizes, besides = np.log(list(GROWTH)), np.log(np.maximum(np.array(grown) - start, 0.1))
    exponent = np.polyfit(sizes, besides, 1)[0]
    last = (besides[-1] - besides[-2]) / (sizes[-1] - sizes[-2])
    print(
        f"\nWithout the {start:.1f} s of its start the job grows with the power {exponent:.2f} of its input, over "
        f"the last doubling {last:.2f}; to reach: {LARGEST_EXPONENT} at the most."
    )


if __name__ == "__main__":
    main()
