"""Why records are together, or are not: what each field of two records says for a match and against it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import numpy as np

from pehchan.console.side_by_side import in_color, show_cluster
from pehchan.learning.em import sigmoid
from pehchan.learning.model import LOOKALIKE, OTHER_PARTS, START, Model
from pehchan.learning.table import Table
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.zingg.configuration import Pipe
from pehchan.zingg.entity_rows import ZINGG_ID
from pehchan.zingg.extras import library
from pehchan.zingg.reading import read_pipe
from pehchan.zingg.records import Columns, StopWords, texts_of

parquet = library("pyarrow.parquet")
pc = library("pyarrow.compute")

#: Records of a cluster, and pairs, that are looked at.
RECORDS, PAIRS = 50, 10

#: Log odds that are told.
LEAST = 0.05

#: What parts of the log odds are called that are of no field, besides words.
_OTHER_PARTS = {
    START: "(any two records)",
    OTHER_PARTS[LOOKALIKE]: "(lookalikes: others that agree in much)",
}


def explained(
    pipe: Pipe, numbers: Sequence[str], model: Model, columns: Columns, stop_words: StopWords, folder: Path
) -> str:
    """The pairs of a cluster of a result, or those between two, the least likely ones first.

    pipe     of the result
    numbers  one z_cluster or ZINGG_ID, or two
    """
    rows = _rows(pipe, numbers, folder)
    of_name = {each.name: each for each in columns}
    used = [of_name[field.name] for field in model.fields]
    texts = [array.to_pylist() for array in texts_of(rows, used, stop_words)]
    table = Table.of(model.fields, texts, [str(at) for at in range(len(rows))])
    i, j = np.triu_indices(len(rows), 1)
    clusters = np.array([str(each) for each in rows[_cluster_column(rows)].to_pylist()])
    if len(numbers) == 2:
        across = clusters[i] != clusters[j]
        i, j = i[across], j[across]
    if not len(i):
        return f"Cluster {numbers[0]} is one record by itself."
    said = _said(model, table, i, j)
    total = model.log_odds(table, i, j) - model.threshold
    names = list(dict.fromkeys(each.field.name for each in columns))
    shown = [_texts(rows[name]) for name in names]
    found = []
    for at in np.argsort(total, kind="stable")[:PAIRS].tolist():
        records = [(clusters[row], [column[row] for column in shown]) for row in (i[at].item(), j[at].item())]
        width = get_terminal_size((110, 40)).columns
        head = f"a match with a probability of {sigmoid(total[at : at + 1])[0]:.4f}"
        lines = [show_cluster(head, names, records, in_color(sys.stdout), width).rstrip("\n")]
        for name, amounts in sorted(said.items(), key=lambda each: -each[1][at]):
            if abs(amounts[at]) >= LEAST:
                lines.append(f"  {amounts[at]:+6.1f}  {name}")
        lines.append(f"  {total[at]:+6.1f}  together; a match is above 0")
        found.append("\n".join(lines))
    more = f"\n{len(i) - PAIRS:,} pairs that are likelier are not shown." if len(i) > PAIRS else ""
    return "\n\n".join(found) + more


def _rows(pipe: Pipe, numbers: Sequence[str], folder: Path) -> Any:
    spool = folder / "result.parquet"
    with open(folder / "result-rejected.jsonl", "wb") as aside:
        read_pipe(pipe, spool, aside)
    table = parquet.read_table(spool)
    column = _cluster_column(table)
    if not column:
        what = "the result has no column z_cluster, or ZINGG_ID."
        right = 'Match with "header": "true" in the props of the output, so that its columns have names.'
        raise MistakesError([Mistake(pipe.where, what, right)])
    clusters = table[column].cast("string")
    parts = []
    for number in numbers:
        part = table.filter(pc.equal(clusters, number))
        if not len(part):
            what = f"the result has no {column} {number}."
            raise MistakesError([Mistake("--cluster", what, f"{pipe.where} has those that there are.")])
        parts.append(part.slice(0, RECORDS))
    return library("pyarrow").concat_tables(parts)


def _cluster_column(table: Any) -> str:
    """What the column of the clusters of a result is called; "" where there is none."""
    return next((name for name in (ZINGG_ID, "z_cluster") if name in table.column_names), "")


def _texts(column: Any) -> list[str]:
    return ["" if value is None else str(value) for value in column.to_pylist()]


def _said(model: Model, table: Table, i: Any, j: Any) -> dict[str, Any]:
    """float64[pairs] of each field: the log odds that it adds."""
    found: dict[str, Any] = {}
    names = {field.name for field in model.fields}
    for part, amounts in model.shares(table, i, j).items():
        name = part if part in names else _OTHER_PARTS.get(part, "(words of all fields)")
        found[name] = found.get(name, 0.0) + amounts
    return found
