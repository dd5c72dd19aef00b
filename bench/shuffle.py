"""What a record costs from the mapper's input to the reducer's columns, in batches and in a line of its own.

    make bench-shuffle

Both sides are run by mrjob's inline runner, in this process, on the same settled records (made-up customers of
tutorial/customers.py), which meet in the same cells. Their reducers decode what comes into columns, and count it.
"""

import csv
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import orjson
from mrjob.step import MRStep
from running import customers

from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings
from pehchan.metadata.records import Records, ascii_json
from pehchan.metadata.schema import Field, Schema
from pehchan.mrjobs.job import PlannedJob
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.record_similarity import RecordSimilarity
from pehchan.mrjobs.wire import CELL, RECORDS, Batch, tagged

#: Enough that the start of the tasks, 4 ms each, does not count.
CUSTOMERS = 100_000
FIELDS = ("name", "address", "city", "phone")
#: Records of a line of input.
A_LINE = 64
#: Cells that a record is sent to: one bucket, as many as a small join has, and more.
CELLS = (1, 4, 10)
RUNS = 3
#: Times as fast as the lines that the batches are to be.
TO_REACH = 5


class Reading(PlannedJob):
    """The same input read and routed, the reducers of the cells started, and no record sent: what both sides do."""

    def steps(self) -> list[MRStep]:
        return [
            MRStep(
                mapper_init=self.start_routing,
                mapper=self.route_records,
                mapper_final=self.stop_routing,
                reducer_init=self.start_receiving,
                reducer=self.receive_cell,
                reducer_final=self.stop_receiving,
            )
        ]

    def start_routing(self) -> None:
        self._join = join_of(self.plan)

    def route_records(self, _: None, line: bytes) -> Iterator[tuple[bytes, bytes]]:
        for record in Records.decode(tagged(line)[1]):
            self._route = self._join.route(record)
        yield from ()

    def stop_routing(self) -> Iterator[tuple[bytes, bytes]]:
        for cell in self._join.cells(self._route):
            yield ascii_json([CELL, *cell]), b"[]"

    def start_receiving(self) -> None:
        self._received = 0

    def receive_cell(self, key: bytes, values: Iterator[bytes]) -> None:
        for _ in values:
            pass

    def stop_receiving(self) -> None:
        self.count("Shuffle", "Records", self._received)
        self.send_counters()


class Lines(Reading):
    """A line a record and cell."""

    def route_records(self, _: None, line: bytes) -> Iterator[tuple[bytes, bytes]]:
        for record in Records.decode(tagged(line)[1]):
            route = self._join.route(record)
            if route is None:
                continue
            encoded = orjson.dumps([route, record.id, self.plan.compared(record)])
            for cell in self._join.cells(route):
                yield ascii_json([CELL, *cell]), encoded

    def stop_routing(self) -> Iterator[tuple[bytes, bytes]]:
        yield from ()

    def receive_cell(self, key: bytes, values: Iterator[bytes]) -> None:
        ids: list[str] = []
        columns: list[list[str]] = [[] for _ in FIELDS]
        for _, record_id, compared in map(orjson.loads, values):
            ids.append(record_id)
            for column, value in zip(columns, compared, strict=True):
                column.append(value)
        self._received += len(ids)


class Batches(RecordSimilarity):
    """record_similarity up to the columns of a cell."""

    start_comparing = Reading.start_receiving
    stop_comparing = Reading.stop_receiving

    def compare_cell(self, key: bytes, values: Iterator[bytes]) -> None:
        ids: list[str] = []
        columns: list[list[str]] = [[] for _ in FIELDS]
        for batch in map(Batch.decode, values):
            ids.extend(batch.ids)
            for column, more in zip(columns, batch.columns, strict=True):
                column.extend(more)
        self._received += len(ids)


def settled(folder: Path) -> Path:
    """Made-up customers as settled records of the set that is sent to several cells."""
    path = folder / "settled"
    with customers(folder, CUSTOMERS).open(newline="") as rows, path.open("wb") as file:
        lines = csv.reader(rows)
        while some := list(islice(lines, A_LINE)):
            values = [value for row in some for value in (row[0], *row)]
            file.write(RECORDS + b"\t" + Records("base", 1 + len(some[0]), values).encode() + b"\n")
    return path


def plan(folder: Path, cells: int) -> Path:
    """The plan of a join of two sets that sends each record of the first to so many cells."""
    path = folder / "plan.json"
    fields = tuple(Field(name, number, "exact") for number, name in enumerate(FIELDS, 1))
    Plan(
        Schema(fields, id="id", id_ordinal=0),
        Settings(),
        cutoff=0,
        input="settled",
        sets=("base", "other"),
        set_from="line",
        default_buckets=(1, cells),
    ).write(path)
    return path


def measure(job_class: type[PlannedJob], records: Path, plan_path: Path) -> tuple[float, int]:
    """Microseconds of this process a record of the input, and how many records came to the reducers."""
    job = job_class(["-r", "inline", "--no-conf", "--plan", str(plan_path), str(records)])
    began = time.process_time()
    with job.make_runner() as running:
        running.run()
        taken = time.process_time() - began
        (counters,) = running.counters()
    return taken / CUSTOMERS * 1e6, counters["Shuffle"]["Records"]


def row(what: str, ours: float, theirs: float, to_reach: str) -> None:
    print(
        f"| {what} | {ours:.1f} | a line a record {theirs:.1f} | {theirs / ours:.1f} | {to_reach} |",
        flush=True,
    )


def main() -> None:
    logging.disable(logging.WARNING)
    jobs = (Reading, Batches, Lines)
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
        folder = Path(place)
        records = settled(folder)
        print("| row | µs a record | against, µs a record | times | to reach |\n|---|---|---|---|---|")
        for cells in CELLS:
            plan_path = plan(folder, cells)
            taken: dict[type[PlannedJob], list[float]] = {job_class: [] for job_class in jobs}
            for _ in range(RUNS):
                for job_class in jobs:
                    microseconds, received = measure(job_class, records, plan_path)
                    if received != (0 if job_class is Reading else CUSTOMERS * cells):
                        sys.exit(f"{received:,} records came to the reducers of {job_class.__name__}")
                    taken[job_class].append(microseconds)
            reading, batches, lines = (statistics.median(taken[job_class]) for job_class in jobs)
            where = f"to {cells} cell{'s' if cells > 1 else ''}"
            row(f"shuffle and decode, {where}", batches - reading, lines - reading, f"{TO_REACH}")
            row(f"the same, with {reading:.1f} µs to read and route the record", batches, lines, "")


if __name__ == "__main__":
    main()
