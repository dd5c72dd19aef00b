"""F1 of what is learnt without labels, with the labels of a set, and with 40 and 80 simulated ones; and the time.

    python bench/learning.py                 all sets of the folder that PEHCHAN_DATA names
    python bench/learning.py febrl3 fake1000 --no-simulation
    python bench/learning.py --file customers.csv --truth truth.csv

In memory, with nothing set for any set. Clusters are made by average link over all pairs of a component, whose log
odds are clipped at 12, while the mean is above -2; of links those one to one from the threshold on. Simulated labels
are the answers of the truth to the questions of the model, 20 a round; F1 is the median over seeds.
"""

import argparse
import csv
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pehchan.clustering.cutting import Graph, average
from pehchan.learning import in_memory
from pehchan.learning.asking import to_ask
from pehchan.learning.in_memory import Learnt, RawLabels, learn_from
from pehchan.learning.labelled import LabelledPairs
from pehchan.learning.learn import Pairs
from pehchan.learning.model import Model
from pehchan.learning.table import Table
from pehchan.learning.threshold import one_to_one

Rows = NDArray[np.int64]

SETS = (
    *("zingg_febrl65", "zingg_febrl20k", "febrl3", "febrl4", "febrl120k", "fodors_zagat", "dblp_acm"),
    *(
        "amazon_google",
        "chicago_early_childhood",
        "fake1000",
        "rldata500",
        "transactions45k",
        "senzing_truthset",
    ),
)
#: Columns of sets that have many which describe the source; all others but the id are learnt from.
COLUMNS = {"chicago_early_childhood": ("Site name", "Address", "Zip", "Phone")}
#: Simulated labels take learning several times.
MOST_RECORDS_SIMULATED = 30_000
#: Distances as pehchan.learning.model makes them: clusters merge up to a mean of log odds -2.
CUTOFF, FAR, MERGE = 1200, 2400, 1400
MOST_MEMBERS = 300


@dataclass(frozen=True)
class RecordSet:
    """Records and their truth. pairs: int64, sorted, low * n + high of the rows of all pairs of one entity."""

    names: Sequence[str]
    columns: Sequence[Sequence[str]]
    ids: Sequence[str]
    sets: NDArray[np.int8]
    pairs: Rows
    labels: RawLabels | None = None

    @property
    def linked(self) -> bool:
        return len(set(self.sets.tolist())) == 2

    def right(self, i: Rows, j: Rows) -> NDArray[np.bool_]:
        coded = np.minimum(i, j) * len(self.ids) + np.maximum(i, j)
        return np.isin(coded, self.pairs)

    def f1(self, i: Rows, j: Rows) -> float:
        return 2 * int(self.right(i, j).sum()) / max(len(i) + len(self.pairs), 1)


def rows_of(file: Path) -> tuple[list[str], list[list[str]]]:
    with open(file, newline="", encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    return header, rows


def read(folder: Path) -> RecordSet:
    linked = (folder / "a.csv").exists()
    header: list[str] = []
    rows: list[list[str]] = []
    sets: list[int] = []
    for number, name in enumerate(("a.csv", "b.csv") if linked else ("records.csv",)):
        header, more = rows_of(folder / name)
        rows += more
        sets += [number] * len(more)
    place = header.index("id")
    names = list(COLUMNS.get(folder.name, [name for name in header if name != "id"]))
    columns = [[row[header.index(name)] for row in rows] for name in names]
    ids = [row[place] for row in rows]
    at = {key: k for k, key in enumerate(zip(sets, ids, strict=True))}
    if linked:
        _, matches = rows_of(folder / "matches.csv")
        pairs = [(at[0, a], at[1, b]) for a, b in matches]
    else:
        _, clusters = rows_of(folder / "clusters.csv")
        pairs = pairs_within([(at[0, row[0]], row[1]) for row in clusters])
    labels = None
    if (folder / "labels.csv").exists():
        labels = read_labels(folder / "labels.csv", names)
    return RecordSet(names, columns, ids, np.array(sets, np.int8), coded(pairs, len(ids)), labels)


def read_file(file: Path, truth: Path) -> RecordSet:
    """Records without a header, the id first, and lines id,cluster."""
    with open(file, newline="", encoding="utf-8") as lines:
        rows = list(csv.reader(lines))
    ids = [row[0] for row in rows]
    at = {each: k for k, each in enumerate(ids)}
    with open(truth, newline="", encoding="utf-8") as lines:
        pairs = pairs_within([(at[row[0]], row[1]) for row in csv.reader(lines) if row[0] in at])
    columns = [list(column) for column in zip(*(row[1:] for row in rows), strict=True)]
    names = [f"column {k + 1}" for k in range(len(columns))]
    return RecordSet(names, columns, ids, np.zeros(len(ids), np.int8), coded(pairs, len(ids)))


def pairs_within(members: Sequence[tuple[int, str]]) -> list[tuple[int, int]]:
    clusters: dict[str, list[int]] = {}
    for row, cluster in members:
        clusters.setdefault(cluster, []).append(row)
    return [(a, b) for rows in clusters.values() for k, a in enumerate(rows) for b in rows[k + 1 :]]


def coded(pairs: Sequence[tuple[int, int]], records: int) -> Rows:
    given = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return np.unique(given.min(axis=1, initial=2**31) * records + given.max(axis=1, initial=0))


def read_labels(file: Path, names: Sequence[str]) -> RawLabels:
    """Two rows a z_cluster, with z_isMatch 1, 0 or 2."""
    header, rows = rows_of(file)
    of_pairs: dict[tuple[str, str], list[int]] = {}
    for k, row in enumerate(rows):
        of_pairs.setdefault((row[0], row[1]), []).append(k)
    pairs = [(two[0], two[1], int(key[1])) for key, two in of_pairs.items() if len(two) == 2]
    # Records of one id may differ from label to label.
    return RawLabels(
        [[row[header.index(name)] for row in rows] for name in names],
        [f"label {k}" for k in range(len(rows))],
        *map(list, zip(*pairs, strict=True)),
    )


def clusters(
    table: Table, i: Rows, j: Rows, log_odds: NDArray[np.float64], model: Model
) -> tuple[Rows, Rows]:
    """The pairs within clusters."""
    records = len(table)

    def joined() -> Rows:
        edges = coo_array((np.ones(int(kept.sum())), (i[kept], j[kept])), shape=(records, records))
        return connected_components(edges, directed=False)[1].astype(np.int64)

    kept, least = log_odds > 0, 0.0
    component = joined()
    while (np.bincount(component) > MOST_MEMBERS).any() and least < 40:
        least += 1
        kept &= (np.bincount(component) <= MOST_MEMBERS)[component[i]] | (log_odds > least)
        component = joined()
    first, second = pairs_of_groups(component)
    if not len(first):
        return first, second
    distances = model.distances(table, first, second)
    starts = np.flatnonzero(np.append(True, component[first][1:] != component[first][:-1]))
    together = np.ones(len(first), dtype=bool)
    worst = np.maximum.reduceat(distances, starts)
    for start, end in zip(
        starts[worst >= CUTOFF], np.append(starts[1:], len(first))[worst >= CUTOFF], strict=True
    ):
        members, places = np.unique([first[start:end], second[start:end]], return_inverse=True)
        a, b = np.sort(places.reshape(2, -1), axis=0)
        edges = list(zip(a.tolist(), b.tolist(), distances[start:end].tolist(), strict=True))
        found = np.array(average(Graph(len(members), edges, MERGE, FAR)))
        together[start:end] = found[a] == found[b]
    return first[together], second[together]


def pairs_of_groups(group: Rows) -> tuple[Rows, Rows]:
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.append(True, group[order][1:] != group[order][:-1]))
    sizes = np.diff(np.append(starts, len(order)))
    first, second = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for size in np.unique(sizes[sizes > 1]).tolist():
        one, two = np.triu_indices(size, 1)
        members = order[starts[sizes == size][:, None] + np.arange(size)]
        first.append(members[:, one].ravel())
        second.append(members[:, two].ravel())
    first_all, second_all = np.concatenate(first), np.concatenate(second)
    by_group = np.argsort(group[first_all], kind="stable")
    return first_all[by_group], second_all[by_group]


def f1_of(given: RecordSet, learnt: Learnt) -> float:
    if given.linked:
        links = one_to_one(learnt.i, learnt.j, learnt.log_odds, 0.0)
        return given.f1(learnt.i[links], learnt.j[links])
    return given.f1(*clusters(learnt.table, learnt.i, learnt.j, learnt.log_odds, learnt.model))


def simulated(given: RecordSet, base: Learnt, seed: int, rounds: int = 4) -> Iterator[tuple[int, float]]:
    """After each second round, how many labels there are and F1 with them."""
    learnt, labels = base, None
    for number in range(1, rounds + 1):
        table = learnt.table
        asked = to_ask(learnt.model, Pairs(table, learnt.i, learnt.j), labels, seed=1000 * seed + number)
        i, j = learnt.i[asked], learnt.j[asked]
        said = given.right(i, j).astype(np.int8)
        if labels is not None:
            i, j = np.concatenate([labels.i, i]), np.concatenate([labels.j, j])
            said = np.concatenate([labels.labels, said])
        labels = LabelledPairs(table, i, j, said)
        raw = RawLabels(given.columns, given.ids, i.tolist(), j.tolist(), said.tolist(), given.sets.tolist())
        learnt = learn_from(given.names, given.columns, given.ids, given.sets, raw)
        if number % 2 == 0:
            yield len(labels), f1_of(given, learnt)


@contextmanager
def timed() -> Iterator[Counter[str]]:
    """CPU seconds by stage of what is learnt within."""
    seconds: Counter[str] = Counter()

    def watched(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def watch(*arguments: Any, **named: Any) -> Any:
            start = time.process_time()
            try:
                return function(*arguments, **named)
            finally:
                seconds[stage] += time.process_time() - start

        return watch

    stages = {"keys": "learn_keys", "candidates": "pairs_of", "model": "learn"}
    before = {name: getattr(in_memory, name) for name in stages.values()}
    for stage, name in stages.items():
        setattr(in_memory, name, watched(stage, before[name]))
    try:
        start = time.process_time()
        yield seconds
        seconds["all"] = time.process_time() - start
    finally:
        for name, function in before.items():
            setattr(in_memory, name, function)


def row(name: str, given: RecordSet, seeds: int) -> list[str]:
    """A row a set, and what the model warns of."""
    with timed() as seconds:
        base = learn_from(given.names, given.columns, given.ids, given.sets)
        seconds["learnt"] = time.process_time()
        without = f1_of(given, base)
    start = time.process_time()
    base.model.log_odds(base.table, base.i, base.j)
    scoring = (time.process_time() - start) / max(len(base.i), 1) * 1e6
    shipped = "" if given.labels is None else f"{f1_of(given, with_labels(given)):.4f}"
    medians = ["", ""]
    if seeds and len(given.ids) <= MOST_RECORDS_SIMULATED:
        found: dict[int, list[float]] = {0: [], 1: []}
        for seed in range(1, seeds + 1):
            for place, (_, f1) in enumerate(simulated(given, base, seed)):
                found[place].append(f1)
        medians = [
            f"{statistics.median(each):.4f} ({min(each):.3f}-{max(each):.3f})" if each else ""
            for each in found.values()
        ]
    recall = given.right(base.i, base.j).sum() / max(len(given.pairs), 1)
    rest = seconds["all"] - seconds["keys"] - seconds["candidates"] - seconds["model"]
    cells = [
        *(
            name,
            f"{len(base.i) / max(len(given.ids), 1):.1f}",
            f"{recall:.4f}",
            f"{without:.4f}",
            shipped,
            *medians,
        ),
        *(f"{seconds[stage]:.1f}" for stage in ("keys", "candidates", "model")),
        *(f"{rest:.1f}", f"{scoring:.1f}"),
    ]
    return [f"| {' | '.join(cells)} |", *(f"    {warning}" for warning in base.model.warnings)]


def with_labels(given: RecordSet) -> Learnt:
    return learn_from(given.names, given.columns, given.ids, given.sets, given.labels)


def main() -> None:
    """Print a row a set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", metavar="SET", help="all where none is named")
    parser.add_argument("--seeds", type=int, default=5, help="of simulated labels")
    parser.add_argument("--no-simulation", action="store_true")
    parser.add_argument("--file", type=Path, help="records without a header, the id first")
    parser.add_argument("--truth", type=Path, help="lines id,cluster")
    options = parser.parse_args()
    seeds = 0 if options.no_simulation else options.seeds
    print(
        "| set | candidates a record | recall | no labels | shipped labels | 40 | 80 | CPU s keys | candidates | "
        "model | rest | us a pair |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    if options.file:
        print(*row(options.file.stem, read_file(options.file, options.truth), seeds), sep="\n", flush=True)
        return
    data = os.environ.get("PEHCHAN_DATA")
    if not data:
        parser.error("PEHCHAN_DATA names no folder of record sets")
    for name in options.sets or SETS:
        print(*row(name, read(Path(data) / name), seeds), sep="\n", flush=True)


if __name__ == "__main__":
    main()
