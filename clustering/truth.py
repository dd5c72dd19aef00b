"""What is known to be true: which records stand for the same thing, told as clusters or as pairs.

A record is (set, id), with set "" where there is only one: equal ids in two sets are two records.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from pehchan.clustering.components import smallest_joined
from pehchan.metadata.csv_rows import csv_rows
from pehchan.metadata.mistakes import Mistake, Mistakes, MistakesError

RecordKey = tuple[str, str]
Pair = tuple[RecordKey, RecordKey]

# Column names, lower case and without what is neither letter nor digit.
_ID = {"id", "recordid", "uniqueid"}
_CLUSTER = {"cluster", "clusterid", "entity", "entityid", "trueid", "truth", "group", "groupid", "zcluster"}
_SET = {"set", "source", "sourcedataset", "datasource"}
_PAIR = (
    ("ida", "idb"),
    ("id1", "id2"),
    ("idl", "idr"),
    ("idleft", "idright"),
    ("leftid", "rightid"),
    ("ltableid", "rtableid"),
    ("recordid1", "recordid2"),
    ("uniqueidl", "uniqueidr"),
)
_LABEL = {"label", "match", "ismatch"}
_LABELS = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}

_FORMS = ("clusters", "pairs")
_MOST_MISTAKES = 20


@dataclass(frozen=True)
class ClusterTruth:
    """Records with their clusters; a record that is not among them stands alone.

    Where `across` is set, sets are linked, and only pairs of records of different sets count. Where pairs told the
    clusters, `apart` are those that are known to be none.
    """

    clusters: Mapping[RecordKey, Hashable]
    across: bool = False
    apart: frozenset[Pair] | None = None

    def covers(self, a: RecordKey, b: RecordKey) -> bool:
        """Whether something is known of two records, where the truth is of some records or pairs alone."""
        if self.apart is None:
            return a in self.clusters and b in self.clusters
        return self.holds(a, b) or ordered(a, b) in self.apart

    def holds(self, a: RecordKey, b: RecordKey) -> bool:
        """Whether two records of a pair that counts stand for the same thing."""
        return a in self.clusters and b in self.clusters and self.clusters[a] == self.clusters[b]

    @cached_property
    def pairs(self) -> int:
        """How many pairs are true."""
        return implied_pairs(self.clusters, self.across)

    def each_pair(self) -> Iterator[Pair]:
        """All true pairs, in order."""
        members: dict[Hashable, list[RecordKey]] = defaultdict(list)
        for record in sorted(self.clusters):
            members[self.clusters[record]].append(record)
        for together in members.values():
            yield from ((a, b) for a, b in combinations(together, 2) if not (self.across and a[0] == b[0]))

    def pairs_inside(self, clusters: Mapping[RecordKey, Hashable]) -> int:
        """How many of the true pairs are together in the given clusters."""
        both = {
            record: (clusters[record], own) for record, own in self.clusters.items() if record in clusters
        }
        return implied_pairs(both, self.across)


@dataclass(frozen=True)
class PairTruth:
    """The pairs that link two sets, as given, not what follows from several; `apart` are known to be none."""

    known: frozenset[Pair]
    across: bool = True
    apart: frozenset[Pair] = frozenset()

    def covers(self, a: RecordKey, b: RecordKey) -> bool:
        """Whether something is known of two records, where the truth is of some pairs alone."""
        return ordered(a, b) in self.known or ordered(a, b) in self.apart

    @cached_property
    def clusters(self) -> Mapping[RecordKey, Hashable]:
        """The records, in clusters of those that the pairs connect."""
        return smallest_joined(self.known)

    def holds(self, a: RecordKey, b: RecordKey) -> bool:
        """Whether two records are a known pair."""
        return ordered(a, b) in self.known

    @cached_property
    def pairs(self) -> int:
        """How many pairs are true."""
        return len(self.known)

    def each_pair(self) -> Iterator[Pair]:
        """All true pairs, in order."""
        yield from sorted(self.known)

    def pairs_inside(self, clusters: Mapping[RecordKey, Hashable]) -> int:
        """How many of the true pairs are together in the given clusters."""
        return sum(a in clusters and b in clusters and clusters[a] == clusters[b] for a, b in self.known)


Truth = ClusterTruth | PairTruth


def ordered(a: RecordKey, b: RecordKey) -> Pair:
    """A pair in the one order that pairs are kept in."""
    return (a, b) if a <= b else (b, a)


def implied_pairs(clusters: Mapping[RecordKey, Hashable], across: bool) -> int:
    """How many pairs of records are in one cluster; with `across`, only those of two sets."""
    sizes = Counter(clusters.values())
    count = sum(size * (size - 1) // 2 for size in sizes.values())
    if across:
        of_a_set = Counter((cluster, record[0]) for record, cluster in clusters.items())
        count -= sum(size * (size - 1) // 2 for size in of_a_set.values())
    return count


def read_truth(path: str | os.PathLike[str], form: str = "", sets: Sequence[str] = ()) -> Truth:
    """The truth that a CSV file with a header tells.

    clusters  a column with the record's id and one with its cluster; when sets are linked, also its set
    pairs     two columns with ids; a column label or match may say 1 or 0. In one set, what is connected
              by pairs of 1 is one cluster, and a pair of 0 within it a mistake. Of two `sets` the first
              column belongs to the first, the second to the second.

    Which of the two it is `form` says, else the header (id_a,id_b or cluster, entity and their like), else
    the ids. Blanks around an id are no part of it. Raises MistakesError with all that is wrong, by line.
    """
    if form and form not in _FORMS:
        raise _mistake("", f"unknown form of truth {form!r}", f"Known: {', '.join(_FORMS)}.")
    header, rows = _read(path)
    names = [re.sub("[^a-z0-9]", "", name.lower()) for name in header]
    form = form or _form_of_header(names, sets) or _form_of_values([row for _, row in rows])
    if form == "pairs":
        return _pair_truth(path, names, rows, sets)
    if form == "clusters":
        return _cluster_truth(path, names, rows, sets)
    raise _mistake(
        path,
        "neither the header nor the ids say whether these are clusters or pairs",
        "Name the columns id,cluster or id_a,id_b, or say which form it is.",
    )


_Rows = list[tuple[int, list[str]]]


def _mistake(where: object, what: str, right: str = "") -> MistakesError:
    return MistakesError([Mistake(str(where), what, right)])


def _read(path: str | os.PathLike[str]) -> tuple[list[str], _Rows]:
    """The header, and the other rows with the numbers of their first lines."""
    rows = [(line, [value.strip() for value in row]) for line, row in csv_rows(path)]
    if len(rows) < 2:
        raise _mistake(path, "no truth in it", "Give a header and a line for every record or pair.")
    (line, header), *others = rows
    if len(header) < 2:
        raise _mistake(f"{path} line {line}", "only one column", "Divide the columns by commas.")
    return header, others


def _form_of_header(names: Sequence[str], sets: Sequence[str]) -> str:
    if _pair_columns(names):
        return "pairs"
    if _CLUSTER.intersection(names):
        return "clusters"
    # Of linked sets the ids say nothing, since equal ones may be different records.
    return "pairs" if len(sets) > 1 else ""


def _form_of_values(rows: Sequence[Sequence[str]]) -> str:
    """The form that the first two columns can only have, "" where they could have both."""
    two = [(row[0], row[1]) for row in rows if len(row) > 1]
    ids = Counter(first for first, _ in two)
    if any(first == second for first, second in two):
        return "clusters"  # named after one of their records
    if len(ids) < len(set(two)) or any(second in ids for _, second in two):
        return "pairs"
    return "clusters" if len({second for _, second in two}) < len(two) else ""


def _pair_columns(names: Sequence[str]) -> tuple[int, int] | None:
    for first, second in _PAIR:
        if first in names and second in names:
            return names.index(first), names.index(second)
    return None


def _column(names: Sequence[str], wanted: set[str], others: Sequence[int]) -> int | None:
    """The first column with a wanted name, else the first of the others."""
    return next((at for at, name in enumerate(names) if name in wanted), next(iter(others), None))


def _cluster_truth(
    path: str | os.PathLike[str], names: Sequence[str], rows: _Rows, sets: Sequence[str]
) -> ClusterTruth:
    across = len(sets) > 1
    set_at = _column(names, _SET, ()) if across else None
    if across and set_at is None:
        raise _mistake(
            path,
            "clusters without the set of each record, while sets are linked",
            "Add a column named set, or give pairs as id_a,id_b.",
        )
    cluster_at = _column(names, _CLUSTER, ())
    id_at = _column(names, _ID, [at for at in range(len(names)) if at not in (cluster_at, set_at)])
    if cluster_at is None:
        cluster_at = _column(names, _CLUSTER, [at for at in range(len(names)) if at not in (id_at, set_at)])
    if id_at is None or cluster_at is None:
        raise _mistake(path, "no column for the id or for the cluster", "Name them id,cluster.")
    mistakes = Mistakes()
    clusters: dict[RecordKey, str] = {}
    lines: dict[RecordKey, int] = {}
    for line, row in rows:
        where = f"{path} line {line}"
        if len(row) <= max(id_at, cluster_at, set_at or 0) or not row[id_at] or not row[cluster_at]:
            mistakes.add(where, "no id or no cluster", "Give both on every line.")
        elif set_at is not None and row[set_at] not in sets:
            mistakes.add(where, f"unknown set {row[set_at]!r}", f"Known: {', '.join(sets)}.")
        else:
            set_name = row[set_at] if set_at is not None else next(iter(sets), "")
            record = (set_name, row[id_at])
            cluster = clusters.setdefault(record, row[cluster_at])
            if cluster != row[cluster_at]:
                what = (
                    f"id {row[id_at]} in cluster {row[cluster_at]}, but in {cluster} on line {lines[record]}"
                )
                mistakes.add(where, what, "A record stands for one thing.")
            lines.setdefault(record, line)
        if len(mistakes.found) >= _MOST_MISTAKES:
            break
    mistakes.raise_if_any()
    return ClusterTruth(clusters, across)


def _pair_truth(
    path: str | os.PathLike[str], names: Sequence[str], rows: _Rows, sets: Sequence[str]
) -> Truth:
    if len(sets) > 2:
        raise _mistake(
            path, f"pairs of two columns, but {len(sets)} sets", "Give clusters, with a column set."
        )
    first_set, second_set = (list(sets) * 2)[:2] if sets else ("", "")
    first_at, second_at = _pair_columns(names) or (0, 1)
    label_at = _column(names, _LABEL, ())
    mistakes = Mistakes()
    #: By label, pairs and the first lines that they are on.
    told: dict[bool, dict[Pair, int]] = {True: {}, False: {}}
    for line, row in rows:
        where = f"{path} line {line}"
        label = "1" if label_at is None else "".join(row[label_at : label_at + 1]).lower()
        if len(row) <= max(first_at, second_at) or not row[first_at] or not row[second_at]:
            mistakes.add(where, "fewer than two ids", "Give the ids of both records of a pair.")
        elif label not in _LABELS:
            mistakes.add(
                where,
                f"unknown label {label!r}",
                "Give 1 for a pair that is the same, 0 for one that is not.",
            )
        else:
            pair = ordered((first_set, row[first_at]), (second_set, row[second_at]))
            told[_LABELS[label]].setdefault(pair, line)
        if len(mistakes.found) >= _MOST_MISTAKES:
            break
    known, apart = frozenset(told[True]), frozenset(told[False])
    clusters = smallest_joined(known)
    for pair in sorted(apart):
        a, b = pair
        line = told[False][pair]
        if pair in known:
            what = f"{a[1]} and {b[1]} are not the same, but they are on line {told[True][pair]}"
        elif a == b:
            what = f"{a[1]} is not the same as itself"
        elif len(sets) != 2 and a in clusters and clusters[a] == clusters.get(b):
            what = f"{a[1]} and {b[1]} are not the same, but other pairs that are the same connect them"
        else:
            continue
        mistakes.add(f"{path} line {line}", what, "Mend one of the labels.")
        if len(mistakes.found) >= _MOST_MISTAKES:
            break
    mistakes.raise_if_any()
    return PairTruth(known, apart=apart) if len(sets) == 2 else ClusterTruth(clusters, apart=apart)
