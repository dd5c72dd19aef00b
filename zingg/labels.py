"""Answers about pairs, from the folder of marked ones and from training samples, as learning reads labels."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from pehchan.learning.labels import MATCH, NO_MATCH, UNSURE, Label, write_label_file
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.metadata.records import Record
from pehchan.zingg.configuration import Configuration, Pipe
from pehchan.zingg.extras import library
from pehchan.zingg.reading import read_pipe
from pehchan.zingg.records import Columns, StopWords, texts_of
from pehchan.zingg.sources import Sources
from pehchan.zingg.training_data import TrainingData

pa = library("pyarrow")
parquet = library("pyarrow.parquet")

#: As files hold answers, some of them as decimals. Others say that there is none yet.
_ANSWERS = {"0": NO_MATCH, "1": MATCH, "2": UNSURE}


@dataclass(frozen=True)
class Answers:
    """Labelled pairs of records, as texts of the columns that are compared.

    waiting  how many of the labels, the last of them, stand for pairs that were found and not answered yet
    """

    columns: tuple[str, ...]
    labels: tuple[Label, ...]
    waiting: int = 0

    def count(self, answer: int) -> int:
        """How many pairs have an answer."""
        return sum(label.answer == answer for label in self.labels[: len(self.labels) - self.waiting])

    def known(self) -> set[frozenset[tuple[str, ...]]]:
        """What tells the pairs from others: the texts of both records."""
        return {
            frozenset(tuple(record.items) for record in (each.first, each.second)) for each in self.labels
        }

    def write(self, path: Path) -> list[str]:
        """Write a file of labels; the paths of those to learn from, none where there is no label."""
        if not self.labels:
            return []
        write_label_file(path, self.columns, self.labels)
        return [str(path)]


def read_answers(
    configuration: Configuration,
    data: TrainingData,
    columns: Columns,
    stop_words: StopWords,
    folder: Path,
    tell: Callable[[str], None],
    sources: Sources | None = None,
    with_waiting: bool = False,
) -> Answers:
    """All answers that there are.

    sources       records that are matched: of the pairs that are theirs the labels know the ids
    with_waiting  also pairs without an answer, as if somebody were not sure about them
    """
    tables: list[tuple[str, Any]] = []
    marked, waiting = data.read_marked(), data.waiting() if with_waiting else None
    if marked is not None:
        tables.append((str(data.marked), marked))
    for number, pipe in enumerate(configuration.training_samples):
        tables.append((pipe.where, _read_samples(pipe, columns, folder / f"samples-{number}", tell)))
    labels = []
    for where, table in tables:
        labels += list(_labels(where, table, columns, stop_words, tell, sources))
    unanswered: list[Label] = []
    if waiting is not None:
        at = waiting.schema.get_field_index("z_isMatch")
        unsure = waiting.set_column(at, "z_isMatch", pa.array(["2"] * len(waiting)))
        unanswered = list(_labels(str(data.unmarked), unsure, columns, stop_words, tell, sources))
    return Answers(tuple(each.name for each in columns), (*labels, *unanswered), len(unanswered))


def _read_samples(pipe: Pipe, columns: Columns, folder: Path, tell: Callable[[str], None]) -> Any:
    folder.mkdir(parents=True)
    with open(folder / "aside.jsonl", "wb") as aside:
        read_pipe(pipe, folder / "samples.parquet", aside)
    table = parquet.read_table(folder / "samples.parquet")
    names = table.column_names
    missing = [name for name in ("z_cluster", "z_isMatch") if name not in names]
    fields = list(dict.fromkeys(each.field.name for each in columns))
    lacking = [name for name in fields if name not in names]
    if missing or len(lacking) == len(fields):
        what = f"training samples without a column {' and without a column '.join(missing or lacking)}."
        right = "Give two rows a pair: z_cluster, z_isMatch (1 match, 0 no match, 2 not sure) and the fields."
        raise MistakesError([Mistake(pipe.where, what, f"{right} It has: {', '.join(names)}.")])
    if lacking:
        tell(f"{pipe.where}: no column {', '.join(lacking)}; of them the samples say nothing.")
    return table


def _labels(
    where: str,
    table: Any,
    columns: Columns,
    stop_words: StopWords,
    tell: Callable[[str], None],
    sources: Sources | None,
) -> Iterator[Label]:
    """A label for each two rows of a z_cluster with the same answer."""
    texts = [array.to_pylist() for array in texts_of(table, columns, stop_words)]
    items = list(zip(*texts, strict=True))
    answers = [_answer(value) for value in table["z_isMatch"].to_pylist()]
    ids = _known_ids(table, items, columns, stop_words, sources)
    clusters: dict[str, list[int]] = defaultdict(list)
    for row, cluster in enumerate(table["z_cluster"].to_pylist()):
        if cluster is not None and str(cluster).strip():
            clusters[str(cluster)].append(row)
    torn = alone = 0
    for cluster, rows in clusters.items():
        answer = answers[rows[0]]
        if any(answers[row] != answer for row in rows):
            torn += 1
            continue
        if len(rows) < 2:
            alone += 1
            continue
        if answer is None:
            continue
        for one, two in combinations(rows, 2):
            first, second = (Record("", ids.get(row, ""), items[row]) for row in (one, two))
            yield Label(f"{where}:{cluster}:{one}:{two}", first, second, answer, where)
    for number, what in (
        (torn, "have rows with different z_isMatch"),
        (alone, "have one row, and a pair two"),
    ):
        if number:
            tell(f"{where}: {number:,} z_cluster {what}; left out.")


def _answer(value: Any) -> int | None:
    return _ANSWERS.get(str(value).strip().removesuffix(".0"))


def _known_ids(
    table: Any,
    items: Sequence[tuple[str, ...]],
    columns: Columns,
    stop_words: StopWords,
    sources: Sources | None,
) -> dict[int, str]:
    """By row the z_zid of those records that are still there under this number, and still the same."""
    if sources is None or "z_zid" not in table.column_names:
        return {}
    numbers = {
        row: number
        for row, number in enumerate(table["z_zid"].to_pylist())
        if isinstance(number, int) and 0 <= number < sources.rows
    }
    there = _texts_of_rows(sources, sorted(set(numbers.values())), columns, stop_words)
    return {row: str(number) for row, number in numbers.items() if there.get(number) == items[row]}


def _texts_of_rows(
    sources: Sources, numbers: Sequence[int], columns: Columns, stop_words: StopWords
) -> Mapping[int, tuple[str, ...]]:
    table = sources.take(numbers, list(dict.fromkeys(each.field.name for each in columns)))
    texts = [array.to_pylist() for array in texts_of(table, columns, stop_words)]
    return dict(zip(numbers, zip(*texts, strict=True), strict=True))
