"""Marking: pairs of training data get their answers, each on the disk before the next is asked for.

Files that Zingg wrote stay as they are. What is answered here goes into one file beside them, which is written anew
with each answer: it is whole at any moment, and taking an answer back costs the same as giving one.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pehchan.learning.labels import ANSWERS, MATCH, NO_MATCH, UNSURE
from pehchan.learning.whole_files import write_whole
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.zingg.extras import library
from pehchan.zingg.training_data import TrainingData

pa = library("pyarrow")
compute = library("pyarrow.compute")
parquet = library("pyarrow.parquet")

ROW_ID, SOURCE, CLUSTER = "z_zid", "z_zsource", "z_cluster"
ANSWER, PREDICTION, SCORE = "z_isMatch", "z_prediction", "z_score"

#: The answer of a pair that has none, and the prediction where there was no model.
NOT_ANSWERED, NOT_PREDICTED = -1, -1.0

#: The file of what was answered here, in the folder of marked pairs.
ANSWERED_FILE = "part-answered.parquet"

# What other programs may have made of these columns.
_TYPES = {
    ROW_ID: pa.int64(),
    CLUSTER: pa.string(),
    PREDICTION: pa.float64(),
    SCORE: pa.float64(),
    ANSWER: pa.int32(),
}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """Two records, as rows with the columns of the training data."""

    cluster: str
    rows: tuple[Row, Row]

    @property
    def answer(self) -> int:
        """MATCH, NO_MATCH, UNSURE or NOT_ANSWERED."""
        return answer_of(self.rows[0])

    @property
    def probability(self) -> float | None:
        """Of a match, as the model had it when the pair was chosen; None where there was no model."""
        row = self.rows[0]
        score, predicted = row.get(SCORE), row.get(PREDICTION)
        if score is None or predicted is None or predicted == NOT_PREDICTED:
            return None
        return min(max(float(score), 0.0), 1.0)

    def answered(self, answer: int) -> "Pair":
        """The same pair with another answer."""
        first, second = ({**row, ANSWER: answer} for row in self.rows)
        return Pair(self.cluster, (first, second))


def answer_of(row: Row) -> int:
    """The answer in a row; NOT_ANSWERED for what is none."""
    value = row.get(ANSWER)
    return int(value) if value in (MATCH, NO_MATCH, UNSURE) else NOT_ANSWERED


@dataclass(frozen=True)
class Pairs:
    """Pairs in the order of their first rows.

    schema  of their rows (pyarrow)
    odd     why rows are left out, a text each, for a person
    """

    schema: Any
    pairs: tuple[Pair, ...] = ()
    odd: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the columns of records."""
        return tuple(name for name in self.schema.names if not name.startswith("z_"))

    def table(self) -> Any:
        """The rows, two a pair, as a pyarrow.Table."""
        return pa.Table.from_pylist([dict(row) for pair in self.pairs for row in pair.rows], self.schema)


def counts(pairs: Iterable[Pair]) -> dict[int, int]:
    """How many pairs there are of each answer."""
    found = dict.fromkeys(ANSWERS, 0)
    for pair in pairs:
        if pair.answer in found:
            found[pair.answer] += 1
    return found


def pairs_of(table: Any, where: str) -> Pairs:
    """The pairs of a pyarrow.Table; none of None. Raises MistakesError where its columns are others."""
    if table is None:
        return Pairs(pa.schema([]))
    missing = [name for name in (CLUSTER, ANSWER) if name not in table.column_names]
    if missing:
        raise _mistake(where, f"no pairs of records: no column {' and no column '.join(missing)}.")
    table = _typed(table, where)
    clusters: dict[str, list[Row]] = {}
    for row in table.to_pylist():
        clusters.setdefault(row[CLUSTER] or "", []).append(row)
    pairs, odd = [], []
    for cluster, rows in clusters.items():
        reason = _reason(cluster, rows)
        if reason:
            odd.append(f"{where}: {reason}: left out.")
        else:
            pairs.append(Pair(cluster, (rows[0], rows[1])))
    return Pairs(table.schema, tuple(pairs), tuple(odd))


def _reason(cluster: str, rows: Sequence[Row]) -> str:
    """Why rows with the same z_cluster are no pair, "" where they are one."""
    if not cluster:
        return f"{len(rows)} rows without z_cluster" if len(rows) > 1 else "a row without z_cluster"
    if len(rows) != 2:
        count = "only 1 row" if len(rows) == 1 else f"{len(rows)} rows"
        return f"z_cluster {cluster} has {count}, and a pair two"
    if answer_of(rows[0]) != answer_of(rows[1]):
        said = " and ".join(str(row[ANSWER]) for row in rows)
        return f"the rows of z_cluster {cluster} say z_isMatch {said}"
    return ""


def _typed(table: Any, where: str) -> Any:
    """The table with its own columns in their types, whatever program wrote it."""
    for name, kind in _TYPES.items():
        if name not in table.column_names or table.schema.field(name).type == kind:
            continue
        try:
            column = table.column(name).cast(kind)
        except pa.ArrowException as error:
            raise _mistake(where, f"{name}: {error}.") from None
        table = table.set_column(table.column_names.index(name), name, column)
    # What data frames leave there.
    return table.replace_schema_metadata(None)


def _together(here: Any, more: Any, where: str) -> Any:
    """The columns of two schemas, with types that hold the values of both."""
    try:
        return pa.unify_schemas([here, more], promote_options="permissive")
    except pa.ArrowException:
        for column in more:
            if column.name in here.names and here.field(column.name).type != column.type:
                what = f'column "{column.name}" is {column.type} here, and {here.field(column.name).type} elsewhere.'
                right = (
                    "Pairs of one model have the same columns: bring it to one type, or use another modelId."
                )
                raise MistakesError([Mistake(where, what, right)]) from None
        raise


def _mistake(where: str, what: str) -> MistakesError:
    right = (
        "Give two rows a pair, with the same z_cluster, and z_isMatch 1 (match), 0 (no match) or 2 (not sure); "
        "then the fields."
    )
    return MistakesError([Mistake(where, what, right)])


class Marking:
    """The pairs of a model that wait, and those that are marked; what is marked is on the disk after each step."""

    def __init__(self, data: TrainingData, given: Pairs | None = None):
        """Raises MistakesError where a file in the way is no training data.

        given  pairs that wait, in the place of those of the folder
        schema is that of all rows (pyarrow).
        """
        self._data = data
        self._path = data.marked / ANSWERED_FILE
        here = pairs_of(parquet.read_table(self._path) if self._path.exists() else None, str(self._path))
        self._here = list(here.pairs)
        self._leave_out_of_others({pair.cluster for pair in self._here})
        unmarked = given if given is not None else pairs_of(data.read_unmarked(), str(data.unmarked))
        marked = pairs_of(data.read_marked(), str(data.marked))
        self.odd = (*unmarked.odd, *marked.odd)
        self.schema = _together(unmarked.schema, marked.schema, str(data.marked))
        ours = {pair.cluster for pair in self._here}
        self._others = [pair for pair in marked.pairs if pair.cluster not in ours]
        self._unmarked = unmarked.pairs
        self.fields = Pairs(self.schema).fields

    @property
    def marked(self) -> list[Pair]:
        """All with an answer, those that were answered here last, in the order of their answers."""
        return [*self._others, *self._here]

    @property
    def waiting(self) -> list[Pair]:
        """Those without an answer, in the order in which they are to be asked."""
        answered = {pair.cluster for pair in self.marked}
        return [pair for pair in self._unmarked if pair.cluster not in answered]

    def find(self, cluster: str) -> Pair | None:
        """The marked pair with this z_cluster, in upper or lower case, if there is one."""
        return next((pair for pair in self.marked if pair.cluster.lower() == cluster.lower()), None)

    def mark(self, pair: Pair, answer: int) -> None:
        """Keep an answer, in the place of an earlier one about the same pair."""
        self.mark_all([pair.answered(answer)])

    def as_here(self, table: Any) -> Any:
        """The table with the types that columns have here, where its values allow."""
        for at, column in enumerate(table.schema):
            if column.name not in self.schema.names:
                continue
            kind = self.schema.field(column.name).type
            if kind != column.type:
                # A column that no type holds stays as it is, and is told when it is kept.
                with suppress(pa.ArrowException):
                    table = table.set_column(at, column.name, table.column(at).cast(kind))
        return table

    def keep(self, pairs: Pairs, where: str) -> None:
        """Keep pairs with their answers, in the place of earlier ones; they may have other columns.

        Raises MistakesError where their columns have types that do not go with those here.
        """
        self.schema = _together(self.schema, pairs.schema, where)
        self.mark_all(pairs.pairs)

    def mark_all(self, pairs: Sequence[Pair]) -> None:
        """The same of pairs that have their answers."""
        again = {pair.cluster for pair in pairs}
        kept = [pair for pair in self._here if pair.cluster not in again]
        self._keep([*kept, *pairs])
        # Only then, so that the answer is in one of the files at any moment.
        self._leave_out_of_others(again)
        self._others = [pair for pair in self._others if pair.cluster not in again]

    def take_back(self) -> Pair:
        """Drop the last answer that was given here, and give its pair, which waits again, the first.

        Raises IndexError where there is none.
        """
        last = self._here[-1]
        again = last.answered(NOT_ANSWERED)
        if all(pair.cluster != last.cluster for pair in self._unmarked):
            # First, so that the pair is in one of the folders at any moment.
            self._data.add_unmarked(Pairs(self.schema, (again,)).table())
        self._keep(self._here[:-1])
        self._unmarked = (again, *(pair for pair in self._unmarked if pair.cluster != last.cluster))
        return last

    def _keep(self, pairs: list[Pair]) -> None:
        self._data.marked.mkdir(parents=True, exist_ok=True)
        sink = pa.BufferOutputStream()
        parquet.write_table(Pairs(self.schema, tuple(pairs)).table(), sink)
        write_whole(self._path, sink.getvalue().to_pybytes())
        self._here = pairs

    def _leave_out_of_others(self, clusters: set[str]) -> None:
        """Take pairs that were answered here out of the files where they stand with another answer."""
        if not clusters or not self._data.marked.is_dir():
            return
        wanted = pa.array(sorted(clusters))
        for path in sorted(self._data.marked.glob("[!._]*")):
            if path == self._path or not path.is_file():
                continue
            table = parquet.read_table(path, partitioning=None)
            stale = compute.is_in(table.column(CLUSTER).cast(pa.string()), value_set=wanted)
            if not compute.any(stale).as_py():
                continue
            sink = pa.BufferOutputStream()
            parquet.write_table(table.filter(compute.invert(stale)), sink)
            # Hadoop's checksum is that of the file as it was.
            path.with_name(f".{path.name}.crc").unlink(missing_ok=True)
            write_whole(path, sink.getvalue().to_pybytes())
