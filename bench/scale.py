"""What near duplicates of very many records cost on how many nodes: the model of bench/scale.md.

python bench/scale.py                              the table, from the constants below
python bench/scale.py --measure                    measure those constants anew on this machine, half a minute
python bench/scale.py --hadoop --records 100000    run it on an HDFS and YARN of this machine, beside the model
python bench/scale.py --hadoop --conf-path FILE    the same on the cluster that `hadoop` on PATH reaches
"""

import argparse
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from customers import easy, write
from planned import Asked
from running import run
from speed import PROPERTIES

from pehchan.console.planning import COPY_SECONDS, READ_SECONDS, WRITE_SECONDS
from pehchan.distance.record import RecordDistance
from pehchan.metadata.plan import TASK_MEGABYTES
from pehchan.metadata.properties import Settings


@dataclass(frozen=True)
class Costs:
    """What a step costs on a core, in seconds.

    read, copy, write  a record read and settled; brought to one more cell; a kept pair written. Those that
                       `pehchan plan` counts with, from bench/speed.py and bench/shuffle.py
    column, index      a record of a cell: made part of its columns; looked up in its index
    candidate          a pair that the index finds, compared
    pair               a pair, where all are compared
    share              of all pairs that the index finds
    cell_bytes         of a record of a cell in memory, with its part of the index; as `pehchan plan` has it
    copy_bytes         of a record on its way to one more cell, before it is packed
    network            bytes that a node takes in a second
    """

    column: float
    index: float
    candidate: float
    pair: float
    share: float
    kept: float
    cell_bytes: float
    read: float = READ_SECONDS
    copy: float = COPY_SECONDS
    write: float = WRITE_SECONDS
    copy_bytes: float = 60.0
    # Assumed, not measured: a gigabit.
    network: float = 100e6


#: Cutoff -> what --measure says of it: x86_64, 2 shared cores, Python 3.11.7, by the time that the process had.
MEASURED = {
    50: Costs(4.8e-6, 9.0e-6, 0.66e-6, 5.6e-9, share=3.7e-5, kept=0.56, cell_bytes=1490),
    100: Costs(5.2e-6, 20.5e-6, 0.70e-6, 6.3e-9, share=9.1e-5, kept=0.67, cell_bytes=2710),
}

#: Records of which all pairs are compared to measure that, of a cell with an index, and pairs of a list.
TRIED, A_CELL, LISTED = 8_000, 100_000, 500_000

RECORDS, NODES = (1_000_000, 10_000_000, 100_000_000), (1, 10, 100, 1000)


@dataclass(frozen=True)
class Cost:
    """What a run costs by the model: seconds of its steps but for the start, and gigabytes that are sent."""

    buckets: int
    cell_records: int
    gigabytes: float
    read: float
    shuffle: float
    index: float
    compare: float

    @property
    def seconds(self) -> float:
        return self.read + self.shuffle + self.index + self.compare


def buckets_of(records: int, tasks: int, megabytes: int, costs: Costs) -> int:
    """Enough that all tasks have a cell, of which B buckets make B * B / 2, and that two buckets fit in a task."""
    a_cell = (megabytes - TASK_MEGABYTES) * 1e6 / costs.cell_bytes
    shared = math.ceil(math.sqrt(2 * tasks)) if tasks > 1 else 1
    fitting = math.ceil(2 * records / a_cell) if records > a_cell else 1
    return max(shared, fitting)


def cost(records: int, nodes: int, cores: int, megabytes: int, costs: Costs) -> Cost:
    """What so many records cost on so many nodes, with tasks of so many megabytes."""
    tasks = nodes * cores
    buckets = buckets_of(records, tasks, megabytes, costs)
    cell_records = records if buckets == 1 else math.ceil(2 * records / buckets)
    # Those of one bucket with itself are half as large.
    cells = 1.0 if buckets == 1 else buckets * buckets / 2
    # The last cell begins when others have ended: no task has less than one.
    a_task = max(1.0, cells / tasks)
    sent = records * buckets * costs.copy_bytes
    candidates = costs.share * records * (records - 1) / 2
    kept = costs.kept * records
    return Cost(
        buckets,
        cell_records,
        sent / 1e9,
        records * costs.read / tasks,
        records * buckets * costs.copy / tasks + (sent / nodes / costs.network if nodes > 1 else 0.0),
        a_task * cell_records * (costs.column + costs.index),
        (candidates * costs.candidate + kept * costs.write) / min(tasks, cells),
    )


def measured(cutoff: int) -> Costs:
    """The constants of this machine, by the time that the process had."""
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
        path = Path(place) / "cell.csv"
        write(easy(A_CELL, 1), path, None)
        asked = Asked((path,), properties=PROPERTIES, defines=(f"sts.dist.threshold={cutoff}",))
        forecast = asked.planned().forecast
    schema = forecast.plan.schema
    cell_bytes = (forecast.megabytes - TASK_MEGABYTES) * 1e6 / forecast.cell_records

    def compared(records: int, search: str) -> tuple[float, float, int, int, float]:
        """Seconds a record to columns, seconds to compare, pairs compared and kept; seconds a pair of a list."""
        values = [line.split(",") for line, *_ in easy(records, 1)]
        distance = RecordDistance(schema, 1000, cutoff, search=search, room=math.inf)
        began = time.process_time()
        block = distance.block(zip(*values, strict=True), np.arange(records))
        column = (time.process_time() - began) / records
        began, pairs, kept = time.process_time(), 0, 0
        for found in distance.compare(block, block):
            pairs, kept = pairs + found.compared, kept + len(found.distances)
        seconds = time.process_time() - began
        i, j = np.random.default_rng(1).integers(0, records, (2, LISTED))
        began = time.process_time()
        for _ in distance.listed(block, [(i, j)]):
            pass
        return column, seconds, pairs, kept, (time.process_time() - began) / LISTED

    _, seconds, pairs, _, _ = compared(TRIED, "tiles")
    pair = seconds / pairs
    column, seconds, pairs, kept, candidate = compared(A_CELL, "signatures")
    index = (seconds - pairs * candidate) / A_CELL
    share = pairs / (A_CELL * (A_CELL - 1) / 2)
    return Costs(column, index, candidate, pair, share, kept / A_CELL, cell_bytes)


def table(cores: int, megabytes: int, costs: Costs) -> Iterator[str]:
    yield (
        "| records | nodes | buckets | records a cell | sent, GB | read, s | shuffle, s | index, s | compare, s "
        "| all, s | all pairs instead, s |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for records in RECORDS:
        for nodes in NODES:
            found = cost(records, nodes, cores, megabytes, costs)
            every = records * (records - 1) / 2 * costs.pair / (nodes * cores)
            yield (
                f"| {records:,} | {nodes:,} | {found.buckets:,} | {found.cell_records:,} | {found.gigabytes:,.1f} "
                f"| {found.read:,.1f} | {found.shuffle:,.1f} | {found.index:,.1f} | {found.compare:,.1f} "
                f"| {found.seconds:,.0f} | {every:,.0f} |"
            )


#: What a container of the small cluster may take: memory.mb, and Java beside it.
CONTAINER = 1280

CONF = """\
runners:
  hadoop:
    bootstrap_mrjob: false
    read_logs: false
    task_python_bin: {python}
    jobconf:
      mapreduce.map.speculative: 'false'
      mapreduce.reduce.speculative: 'false'
      mapreduce.job.maps: '{cores}'
"""


@contextmanager
def hadoop(folder: Path, cores: int) -> Iterator[Path]:
    """An HDFS and YARN on this machine, as the tests have it, and the configuration with which jobs find it."""
    sys.path.append(str(Path(__file__).parents[1] / "tests" / "hadoop"))
    from cluster import Cluster

    path = folder / "hadoop.conf"
    path.write_text(CONF.format(python=sys.executable, cores=cores))
    # A container besides for the application.
    with Cluster(memory=(cores + 1) * CONTAINER, container=CONTAINER) as cluster:
        before = dict(os.environ)
        os.environ.update(cluster.env())
        try:
            yield path
        finally:
            os.environ.clear()
            os.environ.update(before)


def on_hadoop(conf: Path, folder: Path, sizes: list[int], cutoff: int, cores: int, costs: Costs) -> None:
    """Print what runs take, beside the model and the start, which is that of ten records."""
    print("| records | s | start and model, s | off |\n|---|---|---|---|")

    def seconds(records: int) -> float:
        path = folder / f"customers-{records}.csv"
        write(easy(records, 1), path, None)
        switches = (
            f"-q -r hadoop -D sts.dist.threshold={cutoff} -D sts.num.reducer={cores} --overwrite".split()
        )
        places = ["-p", str(PROPERTIES), "--conf-path", str(conf), "-o", str(folder / "out")]
        return run(["similarity", str(path), *places, *switches])

    start = seconds(10)
    print(f"| 10 | {start:,.1f} |  |  |", flush=True)
    for records in sizes:
        taken = seconds(records)
        model = cost(records, 1, cores, Settings().memory_mb, costs).seconds
        off = (start + model) / taken
        print(f"| {records:,} | {taken:,.1f} | {start:,.1f} + {model:,.1f} | {off:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--cutoff", type=int, default=50, help="of 1000; 50")
    add("--cores", type=int, default=8, help="of a node, in the table; 8")
    add(
        "--memory-mb",
        type=int,
        default=Settings().memory_mb,
        help="of a task, in the table; as the property memory.mb",
    )
    add("--measure", action="store_true")
    add("--hadoop", action="store_true")
    add("--records", type=int, action="append", help="with --hadoop; 100000")
    add("--conf-path", type=Path, help="with --hadoop: mrjob's configuration for a cluster that is there")
    options = parser.parse_args()
    costs = MEASURED.get(options.cutoff)
    if options.measure:
        costs = measured(options.cutoff)
        print(costs)
    elif costs is None:
        parser.error(f"--cutoff {options.cutoff}: not measured yet; give --measure")
    if options.hadoop:
        cores = os.cpu_count() or 1
        with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
            folder, sizes = Path(place), options.records or [100_000]
            if options.conf_path:
                on_hadoop(options.conf_path, folder, sizes, options.cutoff, cores, costs)
            else:
                with hadoop(folder, cores) as conf:
                    on_hadoop(conf, folder, sizes, options.cutoff, cores, costs)
        return
    print(f"Cutoff {options.cutoff}, {options.cores} cores a node, memory.mb={options.memory_mb}:\n")
    print(*table(options.cores, options.memory_mb, costs), sep="\n")


if __name__ == "__main__":
    main()
