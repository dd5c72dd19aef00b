"""Labels: pairs of records of which a person said whether they stand for the same thing.

A file of labels is CSV as RFC 4180 has it, in UTF-8, under a header, in the form of Zingg's training samples: two
rows a pair, one a record, with

    z_cluster     the same in both rows, and in no others
    z_isMatch     the answer, in both rows: 1 match, 0 no match, 2 unsure
    pehchan_set   the set of the record, where there are several (z_zsource is read as well)
    pehchan_id    the id of the record, where it is known
    ...           the columns of the records

The last two need not be there; other columns that Zingg adds (z_score and so on) are left out.
"""

import csv
import hashlib
import io
import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from pehchan.learning.whole_files import write_whole
from pehchan.metadata.csv_rows import csv_rows
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.metadata.records import Record, Rejected

MATCH, NO_MATCH, UNSURE = 1, 0, 2

#: What each answer is called.
ANSWERS = {MATCH: "match", NO_MATCH: "no match", UNSURE: "unsure"}

#: In the folder of a model, itself and its labels.
MODEL_FILE, LABELS_FILE = "model.json", "labels.csv"

_CLUSTER, _ANSWER, _SET, _ID = "z_cluster", "z_isMatch", "pehchan_set", "pehchan_id"
_OWN = (_CLUSTER, _ANSWER, _SET, _ID)
_ZINGG_SET = "z_zsource"
_ZINGG = {"z_zid", _ZINGG_SET, "z_source", "z_prediction", "z_score", "z_minScore", "z_maxScore", "z_hash"}

#: What no column of records is called in a file of labels, in lower case.
RESERVED = {name.lower() for name in {*_OWN, *_ZINGG}}

# Programs that hold numbers in columns with gaps write them so.
_WRITTEN = {"1": MATCH, "1.0": MATCH, "0": NO_MATCH, "0.0": NO_MATCH, "2": UNSURE, "2.0": UNSURE}
_NOT_ANSWERED = {"", "-1", "-1.0"}


@dataclass(frozen=True)
class Label:
    """An answer about two records, whose items are in the order of the columns of their file.

    pair    the z_cluster
    answer  MATCH, NO_MATCH or UNSURE
    where   file and line, for a person
    """

    pair: str
    first: Record
    second: Record
    answer: int
    where: str = field(default="", compare=False)


class LabelFile(NamedTuple):
    """The labels of a file, in its order, and the rows of it that are none, each with the reason."""

    columns: tuple[str, ...]
    labels: list[Label]
    aside: list[Rejected]


@dataclass(frozen=True)
class Labels:
    """The labels of several files together, each pair once, in an order that that of the files does not change.

    columns         of all files; where one lacks a column, its records have "" there
    aside           rows that are no labels
    contradictions  the labels of each pair that was answered differently; they are not among `labels`
    repeated        answers left out because an equal one about the same pair is there
    lacking         what columns which file lacks of those that records have, for a person
    """

    columns: tuple[str, ...]
    labels: tuple[Label, ...]
    aside: tuple[Rejected, ...] = ()
    contradictions: tuple[tuple[Label, ...], ...] = ()
    repeated: int = 0
    lacking: tuple[str, ...] = ()

    def counts(self) -> dict[int, int]:
        """How many labels there are of each answer."""
        return count_answers(self.labels)

    def warnings(self) -> list[str]:
        """What was left out, and why: a text for each, for a person."""
        texts = list(self.lacking)
        texts += [f"{row.file} line {row.number}: set aside: {row.reason}" for row in self.aside]
        for labels in self.contradictions:
            said = ", ".join(f"{ANSWERS[label.answer]} ({label.where})" for label in labels)
            texts.append(f"the same pair is answered differently, and left out: {said}")
        return texts


def count_answers(labels: Iterable[Label]) -> dict[int, int]:
    """How many labels there are of each answer."""
    found = Counter(label.answer for label in labels)
    return {answer: found[answer] for answer in ANSWERS}


def name_pair(columns: Sequence[str], first: Record, second: Record) -> str:
    """A z_cluster for a pair: the same for the same two records in any order, and for no others."""
    parts = sorted(_spelled(columns, record) for record in (first, second))
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()


_Values = tuple[tuple[str, str], ...]
_Spelled = tuple[str, str, _Values]


def _spelled(columns: Sequence[str], record: Record) -> _Spelled:
    """A record in a form that the order of columns, and those without a value, do not change."""
    values = tuple(sorted((name, value) for name, value in zip(columns, record.items, strict=True) if value))
    return record.set, record.id, values


def pair_keys(pairs: Iterable[tuple[Sequence[str], Record, Record]]) -> list[Hashable]:
    """For each pair (columns, first, second) a key that only the same pair has as well, in any order.

    The same are two pairs of the same ids and sets; where one of them has no ids, those of the same values.
    """
    keys: list[Hashable] = []
    by_values: dict[frozenset[_Values], tuple[tuple[str, str], ...]] = {}
    for columns, *records in pairs:
        spelled = [_spelled(columns, record) for record in records]
        values = frozenset(values for _, _, values in spelled)
        if all(record.id for record in records):
            ids = tuple(sorted((set_name, record_id) for set_name, record_id, _ in spelled))
            # Of several pairs with these values the first by ids, whatever their order.
            by_values[values] = min(ids, by_values.get(values, ids))
            keys.append(ids)
        else:
            keys.append(values)
    return [by_values.get(key, key) if isinstance(key, frozenset) else key for key in keys]


def read_labels(
    paths: Sequence[str | Path], id_column: str = "", record_columns: Sequence[str] = ()
) -> Labels:
    """The labels of files together.

    `id_column` holds the ids of the records in files without pehchan_id. Of `record_columns`, those that the
    records have, each file needs at least one. Raises MistakesError with what is wrong with any of the files as a
    whole.
    """
    mistakes: list[Mistake] = []
    lacking: list[str] = []
    files = []
    for path in sorted({str(path) for path in paths}):
        try:
            file = read_label_file(path, id_column)
        except MistakesError as error:
            mistakes += error.mistakes
            continue
        missing = [name for name in record_columns if name not in file.columns]
        if missing and len(missing) == len(record_columns):
            what = f"labels of other records: none has a column {', '.join(missing)}"
            mistakes.append(Mistake(path, what, f"Its columns are {', '.join(file.columns)}."))
        elif missing:
            lacking.append(f"{path}: no column {', '.join(missing)}; of them its labels say nothing")
        files.append(file)
    if mistakes:
        raise MistakesError(mistakes)
    return _together(files, lacking)


def _together(files: Sequence[LabelFile], lacking: Sequence[str]) -> Labels:
    columns = tuple(dict.fromkeys(name for file in files for name in file.columns))
    labels = [aligned(label, file.columns, columns) for file in files for label in file.labels]
    alike: dict[Hashable, list[Label]] = defaultdict(list)
    keys = pair_keys((columns, label.first, label.second) for label in labels)
    for key, label in zip(keys, labels, strict=True):
        alike[key].append(label)

    def order(label: Label) -> tuple[list[_Spelled], list[_Spelled], str]:
        records = [_spelled(columns, record) for record in (label.first, label.second)]
        return sorted(records), records, label.pair

    kept, contradictions, repeated = [], [], 0
    for same in alike.values():
        if len({label.answer for label in same}) > 1:
            contradictions.append(tuple(same))
        else:
            kept.append(min(same, key=order))
            repeated += len(same) - 1
    return Labels(
        columns,
        tuple(sorted(kept, key=order)),
        tuple(row for file in files for row in file.aside),
        tuple(contradictions),
        repeated,
        tuple(lacking),
    )


def aligned(label: Label, columns: Sequence[str], wanted: Sequence[str]) -> Label:
    """The label with the items of its records in the order of other columns, "" for those it lacks."""
    if list(columns) == list(wanted):
        return label
    return replace(
        label,
        first=aligned_record(label.first, columns, wanted),
        second=aligned_record(label.second, columns, wanted),
    )


def aligned_record(record: Record, columns: Sequence[str], wanted: Sequence[str]) -> Record:
    """The record with its items in the order of other columns, "" for those it lacks."""
    values = dict(zip(columns, record.items, strict=True))
    return record._replace(items=tuple(values.get(name, "") for name in wanted))


class _Row(NamedTuple):
    """A row of a file, the number of its first line, and the reason why it cannot be half of a label."""

    line: int
    values: list[str]
    reason: str


def read_label_file(path: str | Path, id_column: str = "") -> LabelFile:
    """The labels of one file, in the order in which their first rows come.

    Raises MistakesError for what is no file of labels; one with a header alone holds no labels. A row is set aside
    where it has too few or too many columns, no known answer, or not one other row of the same z_cluster and answer.
    """
    lines = csv_rows(path)
    if not lines:
        raise _mistake(path, "no labels: the file is empty", _FORM)
    (_, header), *rows = lines
    places = _places(path, header)
    ours = [at for at, name in enumerate(header) if name.lower() not in RESERVED]
    columns = tuple(header[at] for at in ours)
    set_at = places.get(_SET, places.get(_ZINGG_SET))
    id_at = places.get(_ID, header.index(id_column) if id_column in header else None)
    cluster_at, answer_at = places[_CLUSTER.lower()], places[_ANSWER.lower()]

    clusters: dict[str, list[_Row]] = {}
    for line, values in rows:
        reason = _unusable(values, len(header), cluster_at, answer_at)
        cluster = values[cluster_at].strip() if cluster_at < len(values) else ""
        # Rows that name no pair have nothing to do with one another.
        clusters.setdefault(cluster or f"\n{line}", []).append(_Row(line, values, reason))

    def record(values: Sequence[str]) -> Record:
        set_name, record_id = ("" if at is None else values[at] for at in (set_at, id_at))
        return Record(set_name, record_id, tuple(values[at] for at in ours))

    labels, aside = [], []
    for cluster, group in clusters.items():
        reasons = _reasons(cluster, group, answer_at)
        if any(reasons):
            aside += [_rejected(path, row, reason) for row, reason in zip(group, reasons, strict=True)]
            continue
        one, other = group
        answer = _WRITTEN[one.values[answer_at].strip()]
        where = f"{path} line {one.line}"
        labels.append(Label(cluster, record(one.values), record(other.values), answer, where))
    if aside and not labels:
        what = f"holds no label: {aside[0].reason}"
        raise _mistake(f"{path} line {aside[0].number}", what, _FORM)
    return LabelFile(columns, labels, sorted(aside, key=lambda row: row.number))


_FORM = (
    "Give two rows a pair, with the same z_cluster, and z_isMatch 1 (match), 0 (no match) or 2 (unsure); "
    "then the columns of the records."
)


def _mistake(where: object, what: str, right: str = "") -> MistakesError:
    return MistakesError([Mistake(str(where), what, right)])


def _places(path: str | Path, header: list[str]) -> dict[str, int]:
    """Where each column is, by its name in lower case; the names in the header lose their blanks."""
    header[:] = [name.strip() for name in header]
    missing = [name for name in (_CLUSTER, _ANSWER) if name.lower() not in map(str.lower, header)]
    if missing:
        found = ", ".join(header)
        found = found if len(found) <= 200 else f"{found[:200]}..."
        raise _mistake(
            path, f"no labels: no column {' and no column '.join(missing)}", f"{_FORM} It has: {found}"
        )
    if "" in header:
        raise _mistake(path, f"no name for column {header.index('') + 1}", "Name every column.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise _mistake(path, f"more than one column is named {', '.join(twice)}", "Name each of them once.")
    if all(name.lower() in RESERVED for name in header):
        raise _mistake(path, "labels without a column of the records", _FORM)
    return {name.lower(): at for at, name in enumerate(header)}


def _unusable(values: Sequence[str], width: int, cluster_at: int, answer_at: int) -> str:
    """Why a row cannot be half of a label, "" where it can."""
    if len(values) != width:
        return f"expected {width} columns, found {len(values)}"
    if not values[cluster_at].strip():
        return "no z_cluster"
    answer = values[answer_at].strip()
    if answer in _NOT_ANSWERED:
        return f"not answered yet (z_isMatch {answer or 'is empty'})"
    return "" if answer in _WRITTEN else f"unknown z_isMatch {answer!r}; known are 1, 0 and 2"


def _reasons(cluster: str, group: Sequence[_Row], answer_at: int) -> list[str]:
    """Why each of the rows of a z_cluster is no half of a label, "" for all where they are one."""
    bad = [row for row in group if row.reason]
    if bad:
        other = f"the other row of its pair, on line {bad[0].line}, is set aside"
        return [row.reason or other for row in group]
    if len(group) != 2:
        rows = "only 1 row" if len(group) == 1 else f"{len(group)} rows"
        return [f"z_cluster {cluster} has {rows}, and a pair two"] * len(group)
    one, two = (_WRITTEN[row.values[answer_at].strip()] for row in group)
    if one != two:
        return [f"the rows of z_cluster {cluster} say z_isMatch {one} and {two}"] * 2
    return ["", ""]


def _rejected(path: str | Path, row: _Row, reason: str) -> Rejected:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row.values)
    return Rejected(text.getvalue(), str(path), reason, row.line)


def write_label_file(path: Path, columns: Sequence[str], labels: Iterable[Label]) -> None:
    """Write labels whose records have these columns; the file is there whole, whenever that is cut short.

    Columns of records with names of the form's own (RESERVED) are left out.
    """
    ours = [at for at, name in enumerate(columns) if name.lower() not in RESERVED]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_OWN, *(columns[at] for at in ours)])
    for label in labels:
        for record in (label.first, label.second):
            values = (record.items[at] for at in ours)
            writer.writerow([label.pair, label.answer, record.set, record.id, *values])
    write_whole(path, text.getvalue().encode())
