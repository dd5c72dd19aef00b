"""The pairs under a cutoff of many made-up customers: what the plan says, what the run does, and whether any is lost.

    python bench/near_duplicates.py --records 200000 --cutoff 50 [--cutoff 100 ...] [--kind households]
    python bench/near_duplicates.py --records 100000 --records 1000000 --cutoff 50     also: how the time grows
    python bench/near_duplicates.py --records 1000000 --cutoff 50 --runs 3 --against-tiles --splink \\
        --against 'python other.py {tsv} --cutoff {cutoff}'                            also: other programs
    PEHCHAN_DATA=folder python bench/near_duplicates.py --febrl120k                    persons of Febrl

Whole runs with -r local, start-up included; of several runs (--runs) the middle one, those of different programs one
after the other and then again. Of some records, drawn at random, the pairs are also found by comparing them with all
others; the benchmark ends where they are not the same.
"""

import argparse
import csv
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from customers import GENERATORS, Record, write
from numpy.typing import NDArray
from planned import Asked, Done
from speed import PROPERTIES
from watching import watch_other

from pehchan.distance.record import RecordDistance
from pehchan.metadata.plan import Plan

#: Records whose pairs are found also by comparing them with all others, and how many of those are read at a time.
CHECKED, AT_A_TIME = 100, 200_000

#: A run of so few takes hardly longer than its start.
START_RECORDS = 10

#: The fields of Febrl's persons that are compared, letter by letter; a missing value is as far from all as can be.
FEBRL = ("given_name", "surname", "address_1", "suburb", "postcode", "soc_sec_id")
FEBRL_CUTOFF = 200
FEBRL_SCHEMA = f"id: id\ncolumns: [id, {', '.join(FEBRL)}]\nlines: true\nmissing: max\nfields:\n" + "".join(
    f"  {field}: {{measure: edit, tokens: false}}\n" for field in FEBRL
)

#: What --splink installs.
SPLINK = ("splink>=5,<6", "duckdb")

HEAD = f"""\
| records | cutoff | pairs a record, as planned | as compared | kept | true pairs among them | of {CHECKED} records \
| s, as planned | s | largest process, MB | by |
|---|---|---|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True)
class Input:
    """Records as lines without a header, whose ids are the numbers of the lines, and the true cluster of each."""

    records: int
    path: Path
    truth: Path
    asked: Asked

    @staticmethod
    def of(folder: Path, name: str, records: Iterator[Record], asked: Asked) -> "Input":
        path, truth = folder / f"{name}.csv", folder / f"{name}-truth.csv"
        write(records, path, truth)
        with open(truth) as lines:
            number = sum(1 for _ in lines) - 1
        return Input(number, path, truth, replace(asked, inputs=(path,)))

    def tabs(self) -> Path:
        """The same lines with tabs between the values."""
        path = self.path.with_suffix(".tsv")
        if not path.exists():
            with open(self.path, newline="") as lines, open(path, "w", newline="") as file:
                file.writelines(line.replace(",", "\t") for line in lines)
        return path

    def clusters(self) -> NDArray[np.int64]:
        return np.loadtxt(self.truth, np.int64, delimiter=",", skiprows=1, usecols=1)


def febrl120k(data: Path) -> Iterator[Record]:
    """The persons that the data generator of Febrl made."""
    with open(data / "febrl120k" / "clusters.csv", newline="") as file:
        clusters = {row["id"]: row["cluster"] for row in csv.DictReader(file)}
    numbers = {cluster: number for number, cluster in enumerate(sorted(set(clusters.values())))}
    with open(data / "febrl120k" / "records.csv", newline="") as file:
        for row in csv.DictReader(file):
            yield (
                ",".join(row[field].replace(",", " ") for field in FEBRL),
                numbers[clusters[row["id"]]],
                None,
            )


def pairs_of_some(data: Input, plan: Plan, some: Sequence[int]) -> dict[tuple[int, int], int]:
    """The pairs of some records at or under the cutoff, by comparing them with all others."""
    distance = RecordDistance(plan.schema, plan.settings.scale, plan.cutoff, search="tiles")
    ordinals = [field.ordinal or 0 for field in plan.schema.fields]
    chosen, found = set(some), {}
    with open(data.path, newline="") as file:
        asked = [row for number, row in enumerate(csv.reader(file)) if number in chosen]
    with open(data.path, newline="") as file:
        rows = csv.reader(file)
        while part := list(islice(rows, AT_A_TIME)):
            records = asked + part
            columns = ([record[ordinal] for record in records] for ordinal in ordinals)
            block = distance.block(columns, np.arange(len(records)))
            these, others = np.split(np.arange(len(records)), [len(asked)])
            for close in distance.compare(block.take(these), block.take(others)):
                for i, j, apart in zip(close.rows, close.columns, close.distances, strict=True):
                    first, second = sorted((int(asked[i][0]), int(part[j][0])))
                    if first != second:
                        found[first, second] = int(apart)
    return found


def pairs_of_run(out: Path) -> NDArray[np.int64]:
    """The pairs that a run wrote: int64[n, 3], both ids, the smaller number first, and the distance."""
    parts = [path for path in sorted((out / "pairs").iterdir()) if path.stat().st_size]
    found = [np.loadtxt(path, np.int64, delimiter=",", ndmin=2) for path in parts]
    pairs = np.concatenate([np.zeros((0, 3), np.int64), *found])
    pairs[:, :2].sort(axis=1)
    return pairs


def share_of_true(clusters: NDArray[np.int64], pairs: NDArray[np.int64]) -> float:
    """The share of the pairs of records of one cluster that were found."""
    sizes = np.bincount(clusters)
    found = np.count_nonzero(clusters[pairs[:, 0]] == clusters[pairs[:, 1]])
    return found / max(1, int((sizes * (sizes - 1) // 2).sum()))


class Ran(NamedTuple):
    """A run of a program: seconds, megabytes of its largest process, and what else is to be said of it."""

    seconds: float
    megabytes: float
    word: str = ""


def measure(
    data: Input, cutoff: int, options: argparse.Namespace, folder: Path, splink: Path | None
) -> float:
    """Print a row of pehchan, and one of each other program; pehchan's seconds."""
    asked = replace(
        data.asked, defines=(f"sts.dist.threshold={cutoff}", *data.asked.defines, *options.define)
    )
    planned = asked.planned()
    done: list[Done] = []

    def ours() -> Ran:
        done.append(asked.run(folder))
        return Ran(done[-1].seconds, done[-1].megabytes)

    def tiles() -> Ran:
        (folder / "tiles").mkdir(exist_ok=True)
        all_pairs = replace(asked, defines=(*asked.defines, "join=tiles")).run(folder / "tiles")
        if all_pairs.kept != done[-1].kept:
            sys.exit(f"all pairs: {all_pairs.kept:,} kept, and not {done[-1].kept:,}")
        return Ran(all_pairs.seconds, all_pairs.megabytes)

    def other(command: str) -> Ran:
        # Not by str.format, as commands may hold other braces.
        named = {"{tsv}": data.tabs(), "{csv}": data.path, "{cutoff}": cutoff / 1000}
        for name, value in named.items():
            command = command.replace(name, str(value))
        return Ran(*watch_other(command))

    programs = {"pehchan": ours}
    if options.against_tiles:
        programs["all pairs, join=tiles"] = tiles
    programs |= {command: partial(other, command) for command in options.against}
    if splink is not None:
        programs["Splink 5, to its pairs"] = partial(run_splink, splink, data)
    ran: dict[str, list[Ran]] = {name: [] for name in programs}
    for _ in range(options.runs):
        for name, program in programs.items():
            ran[name].append(program())

    found = pairs_of_run(done[-1].out)
    some = random.Random(options.seed).sample(range(data.records), min(CHECKED, data.records))
    expected = pairs_of_some(data, planned.forecast.plan, some)
    of_some = found[np.isin(found[:, :2], some).any(axis=1)]
    if {(first, second): apart for first, second, apart in of_some.tolist()} != expected:
        sys.exit(f"the pairs of {CHECKED} records at cutoff {cutoff} are not those of brute force")
    middle = {name: statistics.median(run.seconds for run in runs) for name, runs in ran.items()}
    largest = {name: max(run.megabytes for run in runs) for name, runs in ran.items()}
    print(
        f"| {data.records:,} | {cutoff} | {planned.candidates / data.records:,.2f} "
        f"| {done[-1].compared / data.records:,.2f} | {done[-1].kept:,} "
        f"| {share_of_true(data.clusters(), found):.4f} | {len(of_some)} of {len(expected)} "
        f"| {planned.seconds:,.0f} | {middle['pehchan']:,.1f} | {largest['pehchan']:,.0f} | {planned} |",
        flush=True,
    )
    for name in list(programs)[1:]:
        print(
            f"|  |  |  |  |  |  |  |  | {middle[name]:,.1f}, {middle[name] / middle['pehchan']:.2f} times "
            f"| {largest[name]:,.0f} | {name} {ran[name][-1].word}|",
            flush=True,
        )
    return middle["pehchan"]


def installed_splink(folder: Path) -> Path:
    """A Python with Splink, in an environment of its own, so that neither has to do with what the other needs."""
    environment = folder / "splink"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *SPLINK], check=True)
    return python


def run_splink(python: Path, data: Input) -> Ran:
    """The whole of its work: reading, training, predicting."""
    script = Path(__file__).with_name("splink_peer.py")
    done = subprocess.run(
        [python, script, data.path, data.truth], check=True, stdout=subprocess.PIPE, text=True
    )
    said = json.loads(done.stdout.splitlines()[-1])
    true = max(1, said["true_pairs"])
    return Ran(
        said["pairs_seconds"],
        said["kilobytes"] * 1024 / 1e6,
        f"({said['candidates'] / data.records:,.2f} pairs a record scored, {said['pairs']:,} kept, "
        f"{said['true_pairs_found'] / true:.4f} of the true pairs among them; clusters at "
        f"{said['clusters_seconds']:,.1f} s, with {said['true_pairs_in_clusters'] / true:.4f} of the true pairs and "
        f"{said['pairs_in_clusters'] - said['true_pairs_in_clusters']:,} others) ",
    )


def power(smaller: Input, larger: Input, seconds: Sequence[float], start: float) -> str:
    """How the time grows between two sizes."""
    times = math.log(larger.records / smaller.records)
    # Small ones hardly take longer than the start.
    whole, without = (
        math.log(max(0.1, seconds[1] - off) / max(0.1, seconds[0] - off)) / times for off in (0.0, start)
    )
    return (
        f"from {smaller.records:,} to {larger.records:,} records with the power {whole:.2f} of their number, "
        f"{without:.2f} without the {start:.1f} s of the start"
    )


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--records", type=int, action="append", help="200000; several times: how the time grows")
    add("--cutoff", type=int, action="append", help="of 1000; 50 and 100")
    add("--kind", choices=GENERATORS, default="easy", help="of made-up customers")
    add("--seed", type=int, default=1, help="of the customers, and of the records that are checked")
    add("--tokens", choices=["true", "false"], default="true", help="word by word, or letter by letter")
    add("--runs", type=int, default=1, help="of each program, of which the middle one counts")
    add("--against-tiles", action="store_true", help="compare all pairs as well")
    add(
        "--against",
        action="append",
        default=[],
        metavar="COMMAND",
        help="another program; {csv} and {tsv} stand for the records, id first, {cutoff} for a share of 1",
    )
    add("--splink", action="store_true", help="Splink as well, in an environment made for it")
    add("--febrl120k", action="store_true", help="the persons of Febrl, from PEHCHAN_DATA")
    add("-D", "--define", action="append", default=[], metavar="KEY=VALUE")
    return parser.parse_args(arguments)


def main() -> None:
    options = options_of()
    data = os.environ.get("PEHCHAN_DATA")
    if options.febrl120k and not data:
        print("Nothing was measured: set PEHCHAN_DATA to the folder that holds febrl120k.")
        return
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
        folder = Path(place)
        splink = installed_splink(folder) if options.splink else None
        start, cutoffs = 0.0, options.cutoff or [50, 100]
        if options.febrl120k:
            (folder / "febrl.yaml").write_text(FEBRL_SCHEMA)
            asked = Asked((), schema=folder / "febrl.yaml")
            sizes = [Input.of(folder, "febrl120k", febrl120k(Path(data)), asked)]
            cutoffs = options.cutoff or [FEBRL_CUTOFF]
        else:
            sizes = [made_up(folder, options, records) for records in options.records or [200_000]]
        if len(sizes) > 1:
            start = made_up(folder, options, START_RECORDS).asked.run(folder).seconds
        grown = []
        print(HEAD)
        for cutoff in cutoffs:
            seconds = [measure(each, cutoff, options, folder, splink) for each in sizes]
            for smaller, larger in pairwise(range(len(sizes))):
                taken = seconds[smaller], seconds[larger]
                grown.append(f"cutoff {cutoff}: {power(sizes[smaller], sizes[larger], taken, start)}")
        print("", *grown, sep="\n")


def made_up(folder: Path, options: argparse.Namespace, records: int) -> Input:
    asked = Asked((), properties=PROPERTIES, defines=(f"edit.dist.token={options.tokens}",))
    customers = GENERATORS[options.kind](records, options.seed)
    return Input.of(folder, f"{options.kind}-{records}", customers, asked)


if __name__ == "__main__":
    main()
