"""Clusters of a run side by side: the first ones, and those that are worth a look before they are believed."""

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import groupby, islice
from operator import itemgetter
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

import numpy as np

from pehchan.clustering.shape import Shape
from pehchan.console.output import read_plan, read_run, record_folders, tagged_lines
from pehchan.console.scale_words import ScaleWords
from pehchan.console.side_by_side import in_color, show_cluster
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Records
from pehchan.mrjobs.exporting import with_set
from pehchan.mrjobs.places import Place
from pehchan.mrjobs.wire import CLUSTERED, RECORDS, SHAPE, Clustered, ClusterShapes, Identity

#: Names of columns, and where they stand in a record.
Columns = Sequence[tuple[str, int]]

#: Records with the values of some columns.
Values = dict[Identity, list[str]]


def first_clusters(out: Place, number: int) -> str:
    """The first clusters of two or more records, side by side with what differs marked."""
    shown = [(f"cluster {place}", members) for place, members in enumerate(islice(_several(out), number), 1)]
    texts = _tables(out, shown)
    return "\n" + "\n".join(texts) if texts else ""


def doubtful_clusters(out: Place, number: int) -> str:
    """The clusters that most deserve a look, with what is doubtful about them and their records side by side.

    First those of which the smallest share of the pairs is under the cutoff, then those of the farthest pairs. Raises
    MistakesError where `out` holds no clusters.
    """
    check_clusters(out)
    worst, sizes, less = most_doubtful(out, number)
    members = members_of(out, {doubt.cluster for doubt in worst})
    farthest = words_of_farthest(read_plan(out))
    shown = [
        (f"cluster {place}: {doubt.text(farthest)}", members[doubt.cluster])
        for place, doubt in enumerate(worst, 1)
    ]
    head = f"{sizes.total():,} clusters of two or more records; of {less:,} not all pairs are under the cutoff.\n"
    return "\n".join([head, *_tables(out, shown)])


def check_clusters(out: Place) -> dict[str, Any]:
    """run.json of an output that holds clusters. Raises MistakesError where there are none."""
    run = read_run(out)
    if not (out / "internal" / "clusters").exists():
        mistakes = Mistakes()
        mistakes.add(str(out), "holds no clusters.", "Name an output of dedupe, link, match or cluster.")
        mistakes.raise_if_any()
    return run


def words_of_farthest(plan: Plan | None) -> Callable[[int], str]:
    """What is said of the largest distance of a cluster of a run."""
    return str if plan is None else ScaleWords(plan, plan.cutoff).farthest


def most_doubtful(out: Place, number: int) -> tuple[list["Doubt"], Counter[int], int]:
    """The clusters that most deserve a look, the worst first; how many there are of each size from two records on;
    and of how many not all pairs are under the cutoff.
    """
    worst: list[Doubt] = []
    sizes: Counter[int] = Counter()
    less = 0
    for tag, payload in tagged_lines([out / "internal" / "clusters"]):
        if tag != SHAPE:
            continue
        shapes = ClusterShapes.decode(payload)
        size, pairs, farthest = (
            np.array(each, dtype=np.int64) for each in (shapes.sizes, shapes.pairs, shapes.farthest)
        )
        sizes.update(shapes.sizes)
        density = pairs / (size * (size - 1) / 2)
        less += int(np.count_nonzero(density < 1))
        some = np.ones(len(size), dtype=bool)
        if worst and len(worst) == number:
            # Most have nothing doubtful about them.
            last = worst[-1].shape
            some = (density < last.density) | ((density == last.density) & (farthest >= last.farthest))
        found = list(shapes) if some.any() else []
        doubts = [Doubt(Shape(*found[k][1]), found[k][0]) for k in np.flatnonzero(some).tolist()]
        worst = nsmallest(number, [*worst, *doubts], key=Doubt.order)
    return worst, sizes, less


@dataclass(frozen=True)
class Doubt:
    """A cluster, by its smallest record, and how it holds together."""

    shape: Shape
    cluster: Identity

    def order(self) -> tuple[float, int, int, str, str]:
        """What comes first is most doubtful."""
        return self.shape.density, -self.shape.farthest, -self.shape.size, *self.cluster[::-1]

    def text(self, farthest: Callable[[int], str]) -> str:
        """What is said of it, with these words for its largest distance."""
        shape = self.shape
        said = f"{shape.size:,} records, "
        if shape.density < 1:
            pairs = shape.size * (shape.size - 1) // 2
            said += f"{shape.pairs:,} of their {pairs:,} pairs under the cutoff, "
        said += f"farthest {farthest(shape.farthest)}"
        if shape.size > 2 and shape.bridges:
            held = "1 pair alone holds" if shape.bridges == 1 else f"{shape.bridges:,} pairs each alone hold"
            said += f"; {held} parts of it together"
        return said


def members_of(
    out: Place, clusters: Collection[Identity], most: int | None = None
) -> dict[Identity, list[Identity]]:
    """The records of some clusters, in order; of each at most so many."""
    found: dict[Identity, list[Identity]] = defaultdict(list)
    for cluster, record in clustered(out):
        if cluster in clusters and (most is None or len(found[cluster]) < most):
            found[cluster].append(record)
    return found


def _several(out: Place) -> Iterator[list[Identity]]:
    """The records of the clusters of two or more, as they come."""
    for _, members in groupby(clustered(out), key=itemgetter(0)):
        records = [record for _, record in members]
        if len(records) > 1:
            yield records


def clustered(out: Place) -> Iterator[tuple[Identity, Identity]]:
    """Every record of a run after its cluster; nothing where it made no clusters."""
    folder = out / "internal" / "clusters"
    for tag, payload in tagged_lines([folder] if folder.exists() else []):
        if tag == CLUSTERED:
            yield from Clustered.decode(payload)


def compared_columns(plan: Plan | None) -> Columns:
    """Those that the run compared."""
    fields = plan.schema.fields if plan is not None else ()
    return [(field.name, field.ordinal) for field in fields if field.ordinal is not None]


def all_columns(plan: Plan | None) -> Columns:
    """All but the ids; those that the run compared where it knows no names of others."""
    if plan is None or not plan.schema.columns:
        return compared_columns(plan)
    named = enumerate(plan.schema.columns)
    return [(name, ordinal) for ordinal, name in named if ordinal != plan.schema.id_ordinal]


def items_of(
    out: Place, plan: Plan | None, wanted: Collection[Identity], columns: Columns | None = None
) -> tuple[list[str], Values]:
    """The names of some columns, else of the compared ones, and of some records their values; nothing where the run
    kept no records.
    """
    items: Values = {}
    columns = compared_columns(plan) if columns is None else columns
    for tag, payload in tagged_lines(record_folders(out, plan) if wanted and columns else []):
        if tag == RECORDS:
            for record in Records.decode(payload):
                if (record.set, record.id) in wanted:
                    items[record.set, record.id] = [record.items[ordinal] for _, ordinal in columns]
    return ([name for name, _ in columns] if items else []), items


def side_by_side(
    title: str, names: Sequence[str], records: Sequence[Identity], items: Values, plan: Plan | None
) -> str:
    """The records as a table, as wide as the terminal, below a title of any length."""
    width = get_terminal_size((110, 40)).columns
    with_sets = plan is not None and len(plan.sets) > 1
    rows = [
        (with_set(*record) if with_sets else record[1], items.get(record, [""] * len(names)))
        for record in records
    ]
    _, _, rest = show_cluster("", names, rows, in_color(sys.stdout), width).partition("\n")
    return "\n".join([*wrap(title, width), rest])


def _tables(out: Place, clusters: Sequence[tuple[str, Sequence[Identity]]]) -> list[str]:
    """A table a cluster, each with its title; the ids alone where the run knows no more of its records."""
    plan = read_plan(out)
    names, items = items_of(out, plan, {record for _, members in clusters for record in members})
    return [side_by_side(title, names, members, items, plan) for title, members in clusters]
