"""Clusters of many pairs: seconds, rounds and memory, beside what scipy takes alone.

    make bench-clusters, or python bench/clusters.py [--pairs 1000000] [--kind chain] [--rounds]

Pairs lie in a file of id,id,distance. The whole run of `pehchan cluster` with -r local counts, start-up included;
scipy has numbers in memory, and only tells the components. With --rounds the components are also found in rounds of
several reducers, as if each had room for a quarter of the pairs, to tell what a round costs. The benchmark ends where
both do not find as many.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from watching import watch

from pehchan.console.jobs import Jobs
from pehchan.console.pipeline import EDGE_BYTES, find_components
from pehchan.console.progress import Progress
from pehchan.mrjobs.places import LocalPlace

KINDS = ("random", "chain", "power-law")


def edges(kind: str, number: int) -> NDArray[np.int64]:
    """int64[number, 2]: pairs of different records.

    random     as many records as pairs, so that one component has most of them
    chain      each record with the next one, numbered in random order
    power-law  records of which few are in very many pairs
    """
    draw = np.random.default_rng(1)
    if kind == "chain":
        order = draw.permutation(number + 1)
        return np.stack([order[:-1], order[1:]], axis=1)
    ends = draw.integers(0, number, (number, 2))
    if kind == "power-law":
        ends[:, 1] = np.minimum(draw.zipf(1.5, number) - 1, number - 1)
    ends[ends[:, 0] == ends[:, 1], 0] += 1
    return ends


def row(kind: str, number: int, folder: Path) -> str:
    """A line of the table; the pairs are left in the folder."""
    ends = edges(kind, number)
    began = time.perf_counter()
    size = int(ends.max()) + 1
    joined = coo_array((np.ones(number, np.int8), tuple(ends.T)), (size, size))
    labels = connected_components(joined, False)[1]
    seconds = time.perf_counter() - began
    components = len(np.unique(labels[np.unique(ends)]))
    with open(folder / "pairs.csv", "w") as file:
        for some in np.array_split(ends, max(1, number // 100_000)):
            file.writelines(map("%d,%d,1\n".__mod__, map(tuple, some.tolist())))
    del ends, joined, labels
    asked = ["cluster", "pairs.csv", "--cutoff", "10", "-o", "out", "--overwrite"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken, tasks = watch(asked, folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    counters = json.loads((folder / "out" / "run.json").read_text())["counters"]
    if counters["Clusters"]["All"] != components:
        sys.exit(f"{kind}: {counters['Clusters']['All']:,} clusters, and not {components:,}")
    rounds = counters.get("Components", {}).get("Rounds", 0)
    return (
        f"| {kind} | {number:,} | {components:,} | {rounds} | {taken:,.0f} | {processor:,.0f} | {tasks[0]} | "
        f"{seconds:.1f} |"
    )


class TimedJobs(Jobs):
    """Jobs, and the seconds that each of them took."""

    def __init__(self) -> None:
        super().__init__("local", None, Progress(quiet=True))
        self.took: list[float] = []

    def run(self, *asked: Any, **more: Any) -> Any:
        """Run a job."""
        began = time.perf_counter()
        counts = super().run(*asked, **more)
        self.took.append(time.perf_counter() - began)
        return counts


def rounds_of(number: int, folder: Path) -> str:
    """How long each round takes where a reducer has room for a quarter of the pairs."""
    (folder / "internal").mkdir(exist_ok=True)
    jobs = TimedJobs()
    pairs, switches = [str(folder / "pairs.csv")], ["--cutoff", "10"]
    find_components(jobs, pairs, LocalPlace(folder), switches, number, number * EDGE_BYTES // 4).remove()
    return "in rounds of several reducers: " + ", ".join(f"{seconds:.0f} s" for seconds in jobs.took)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, action="append", help="1000000 and 10000000")
    parser.add_argument("--kind", choices=KINDS, action="append", help="all")
    parser.add_argument("--rounds", action="store_true", help="also in rounds of several reducers")
    options = parser.parse_args()
    print("| pairs | number | clusters | rounds | s | processor, s | largest task, MB | scipy alone, s |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
        for number in options.pairs or [1_000_000, 10_000_000]:
            for kind in options.kind or KINDS:
                print(row(kind, number, Path(place)), flush=True)
                if options.rounds:
                    print(rounds_of(number, Path(place)), flush=True)


if __name__ == "__main__":
    main()
