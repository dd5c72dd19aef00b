"""Clusters of many pairs: seconds, rounds and memory, beside what scipy takes alone.

    make bench-clusters, or python bench/clusters.py [--pairs 1000000] [--kind chain]

Pairs lie in a file of id,id,distance. The whole run of `pehchan cluster` with -r local counts, start-up included;
scipy has numbers in memory, and only tells the components. The benchmark ends where both do not find as many.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from watching import watch

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
    """A line of the table."""
    ends = edges(kind, number)
    began = time.perf_counter()
    size = int(ends.max()) + 1
    labels = connected_components(coo_array((np.ones(number, np.int8), tuple(ends.T)), (size, size)), False)[
        1
    ]
    seconds = time.perf_counter() - began
    components = len(np.unique(labels[np.unique(ends)]))
    np.savetxt(folder / "pairs.csv", np.column_stack([ends, np.ones(number, np.int64)]), "%d", ",")
    asked = ["cluster", "pairs.csv", "--cutoff", "10", "-o", "out", "--overwrite"]
    taken, tasks = watch(asked, folder)
    counters = json.loads((folder / "out" / "run.json").read_text())["counters"]
    if counters["Clusters"]["All"] != components:
        sys.exit(f"{kind}: {counters['Clusters']['All']:,} clusters, and not {components:,}")
    rounds = counters.get("Components", {}).get("Rounds", 0)
    return f"| {kind} | {number:,} | {components:,} | {rounds} | {taken:,.1f} | {tasks[0]} | {seconds:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, action="append", help="1000000")
    parser.add_argument("--kind", choices=KINDS, action="append", help="all")
    options = parser.parse_args()
    print("| pairs | number | clusters | rounds | s | largest task, MB | scipy alone, s |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
        for number in options.pairs or [1_000_000]:
            for kind in options.kind or KINDS:
                print(row(kind, number, Path(place)), flush=True)


if __name__ == "__main__":
    main()
