"""The golden cases of the Java original, each with the answer that golden/ANSWERS.md gives it."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import plain
import pytest

from pehchan.console.command import main

GOLDEN = Path(__file__).parent.parent / "golden"
ANSWERS = (GOLDEN / "ANSWERS.md").read_text(encoding="utf-8")

#: The groups of counters that sifarish has.
GROUPS = ("Distance Data", "Missing Data", "Invalid Data Format")


def properties_of(case: Path) -> dict[str, str]:
    lines = (case / "job.properties").read_text(encoding="ascii").splitlines()
    return dict(line.split("=", 1) for line in lines if line)


CASES = {
    case.name: properties_of(case) for case in sorted(GOLDEN.iterdir()) if (case / "status.txt").exists()
}
OF_OTHER_JOBS = {
    name: properties["golden.class"].rpartition(".")[2]
    for name, properties in CASES.items()
    if properties.get("golden.class", "SameTypeSimilarity").rpartition(".")[2] != "SameTypeSimilarity"
}


@dataclass(frozen=True)
class Answer:
    """java, corrected, refused or set aside, and the words that must stand in the message."""

    kind: str
    words: str = ""

    @classmethod
    def read(cls, cell: str) -> "Answer":
        match = re.fullmatch(r"(java|corrected|refused|set aside)(?: `(.+)`)?", cell)
        assert match, f"{cell!r} in ANSWERS.md is no answer"
        assert bool(match[2]) == (match[1] in ("refused", "set aside")), (
            f"{cell!r} in ANSWERS.md: which words?"
        )
        return cls(match[1], match[2] or "")


def table(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of ANSWERS.md, without its own heading."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", ANSWERS, re.MULTILINE | re.DOTALL)
    assert section, f"no {heading!r} in ANSWERS.md"
    rows = [line.strip("|").split("|") for line in section[1].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


MODES = {"default": {}, "compat": {"sifarish.compat": "true"}}
ROWS = table("Records of one kind")
EXPECTED = {
    (name, mode): Answer.read(cell)
    for name, default, compat, _ in ROWS
    for mode, cell in zip(MODES, (default, compat), strict=True)
}
NOT_BUILT = table("Not built yet")

#: Cases in which Java's buckets are not those of the ids: random ones, and those of whole lines.
OTHER_BUCKETS = ("same_auto_id", "same_default_delims")


def test_the_tables_have_every_case_once():
    assert sorted(row[0] for row in ROWS) == sorted(CASES.keys() - OF_OTHER_JOBS.keys())
    assert sorted(map(tuple, NOT_BUILT)) == sorted(OF_OTHER_JOBS.items())
    assert (len(ROWS), len(NOT_BUILT)) == (63, 29)


@pytest.mark.parametrize(("name", "job"), NOT_BUILT)
def test_case_of_a_job_that_is_not_built(name, job):
    pytest.skip(f"{job} is not built yet")


class Case:
    """A golden case, and what its files say by themselves, without pehchan."""

    def __init__(self, name: str, overrides: dict[str, str]):
        self.name = name
        self.folder = GOLDEN / name
        self.overrides = overrides
        self.properties = {**CASES[name], **overrides}
        self.compat = self.properties.get("sifarish.compat") == "true"
        self.schema = json.loads((self.folder / "schema.json").read_text(encoding="utf-8"))
        self.java_lines = (self.folder / "expected.txt").read_text(encoding="utf-8").splitlines()
        self.delimiter = self.properties.get("field.delim", ",")
        self.too_short: list[str] = []
        #: The records: of one set, or of base and other.
        both = [self.folder / "input" / name for name in ("base1.csv", "other1.csv")]
        self.sets = [self.read(file) for file in both if file.exists()] or [
            self.read(self.folder / "input.csv")
        ]

    def read(self, file: Path) -> list[list[str]]:
        """The lines that are neither blank nor too short, as lists of items."""
        lines = file.read_text(encoding="utf-8").splitlines()
        rows = [
            re.split(self.properties.get("field.delim.regex", ","), line) for line in lines if line.strip()
        ]
        columns = 1 + max(int(field["ordinal"]) for field in self.schema["entity"]["fields"])
        self.too_short += [self.delimiter.join(row) for row in rows if len(row) < columns]
        return [row for row in rows if len(row) >= columns]

    @cached_property
    def by_id(self) -> dict[str, list[list[str]]]:
        """The records of each settled id; several with compat, where an id may stand for several."""
        found: dict[str, list[list[str]]] = {}
        for records in self.sets:
            for record_id, record in zip(
                plain.settled_ids(records, self.schema, self.properties), records, strict=True
            ):
                found.setdefault(record_id, []).append(record)
        return found

    def oracle(self) -> dict[tuple[str, str], int]:
        pairs = plain.plain_pairs if len(self.sets) == 1 else plain.plain_links
        return pairs(*self.sets, self.schema, self.properties)

    def oracle_lines(self) -> list[str]:
        return [
            self.line(ids, first, second, distance)
            for ids, distance in self.oracle().items()
            for first, second in [self.records_of(*ids)]
        ]

    def records_of(self, first: str, second: str) -> tuple[list[str], list[str]]:
        """The records of the ids of a pair."""
        if len(self.sets) == 1:
            return self.by_id[first][0], self.by_id[second][0]
        column = plain.id_column(self.schema)
        base, other = ({record[column]: record for record in records} for records in self.sets)
        return base[first], other[second]

    def line(self, ids, first: list[str], second: list[str], distance: int) -> str:
        """How a pair is written."""
        active = {
            int(f["ordinal"])
            for f in self.schema["entity"]["fields"]
            if self.compat is False or "id" not in f
        }
        both, delimiter = (first, second), self.delimiter
        front, more = list(ids), []
        if self.properties.get("sts.include.passive.fields") == "true":
            passive = [items[k] for items in both for k in range(len(items)) if k not in active]
            front = (
                front + passive if self.properties.get("sts.output.id.first") != "false" else passive + front
            )
        columns = self.properties.get("sts.extra.output.field", "-1")
        if columns != "-1":
            more = [items[int(k)] for items in both for k in columns.split(",")]
        elif self.properties.get("sts.output.record") == "true":
            more = [*first, *second]
        if self.compat and more:
            # sifarish puts the delimiter before each value, and none before the distance.
            return (
                delimiter.join(front)
                + delimiter
                + "".join(delimiter + value for value in more)
                + str(distance)
            )
        return delimiter.join([*front, *more, str(distance)])

    def ids_in(self, line: str) -> tuple[str, str]:
        columns = line.split(self.delimiter)
        first, second = (
            columns[:2] if self.properties.get("sts.output.id.first") != "false" else columns[-3:-1]
        )
        return first, second

    def meaning(self, line: str) -> tuple[object, ...]:
        """What a line says, the same for both orders of the records; fails if it is not as it is written.

        With compat the order of records of different buckets is part of it, and the distance must be the one
        in the order of the line.
        """
        ids = self.ids_in(line)
        for first in self.by_id[ids[0]]:
            for second in self.by_id[ids[1]]:
                there = plain.plain_distance(first, second, self.schema, self.properties)
                if line == self.line(ids, first, second, there):
                    back = plain.plain_distance(second, first, self.schema, self.properties)
                    if self.compat and self.name not in OTHER_BUCKETS and self._buckets_differ(*ids):
                        return ids, there
                    return frozenset(ids), frozenset([there, back])
        raise AssertionError(f"{self.name}: {line!r} is not as {ids} are written")

    def _buckets_differ(self, first: str, second: str) -> bool:
        count = int(self.properties["sts.bucket.count"])
        return plain.java_bucket(first, count) != plain.java_bucket(second, count)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a case as a user would, from its folder: (exit code, lines of pairs, output folder, messages)."""

    def run(case: Case):
        monkeypatch.chdir(case.folder)
        source = "input" if (case.folder / "input").is_dir() else "input.csv"
        out = tmp_path / "out"
        defines = {"rejected.max.share": "1", **case.overrides}
        switches = [part for key, value in defines.items() for part in ("-D", f"{key}={value}")]
        code = main(["similarity", source, "-p", "job.properties", "-o", str(out), "-q", *switches])
        lines = [
            line
            for part in sorted((out / "pairs").glob("part-*"))
            for line in part.read_text(encoding="utf-8").splitlines()
        ]
        return code, lines, out, capsys.readouterr().err

    return run


def counters(out: Path) -> dict[tuple[str, str], int]:
    given = json.loads((out / "run.json").read_text(encoding="ascii"))["counters"]
    return {(group, name): amount for group in GROUPS for name, amount in given.get(group, {}).items()}


def java_counters(case: Case) -> dict[tuple[str, str], int]:
    rows = (case.folder / "counters.txt").read_text(encoding="utf-8").splitlines()
    split = [re.fullmatch(r"(.+)\t(.+)=(\d+)", row) for row in rows]
    return {(match[1], match[2]): int(match[3]) for match in split if match}


def rejected(out: Path) -> list[dict]:
    return [
        json.loads(line) for part in (out / "rejected").iterdir() for line in part.read_text().splitlines()
    ]


@pytest.mark.parametrize(("name", "mode"), EXPECTED)
def test_golden(name, mode, run):
    check(Case(name, MODES[mode]), EXPECTED[name, mode], run)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "name",
    [
        "inter_same_ids",
        "mixed_in_sets_blog_names",
        "same_customer_40_jaccard_w",
        "same_dup_ids",
        "same_edit_edge",
        "same_out_extra",
        "same_prod_shipped_blank_threshold",
    ],
)
def test_many_buckets_and_small_batches_change_nothing(name, mode, run):
    check(Case(name, {**MODES[mode], "bucket.records": "4", "batch.bytes": "1"}), EXPECTED[name, mode], run)


def check(case: Case, answer: Answer, run):
    code, lines, out, message = run(case)
    if answer.kind == "refused":
        assert (code, out.exists()) == (2, False)
        assert answer.words in message
        assert message.endswith("nothing was run.\n")
        return
    assert code == 0, message
    if answer.kind == "java":
        assert Counter(map(case.meaning, lines)) == Counter(map(case.meaning, case.java_lines))
        expected = java_counters(case)
        # Without compat fields are compared in another order, and no longer once a pair is out.
        if case.compat or ("Distance Data", "Attribute distance threshold filter") not in expected:
            assert counters(out) == expected
    else:
        assert sorted(lines) == sorted(case.oracle_lines())
    if answer.kind == "corrected":
        # Else the answer would be java.
        assert sorted(tuple(sorted(line.split(","))) for line in lines) != sorted(
            tuple(sorted(line.split(","))) for line in case.java_lines
        )
    aside = rejected(out)
    if answer.kind == "set aside":
        assert [each["line"] for each in aside] == case.too_short
        assert all(answer.words in each["reason"] for each in aside)
    assert bool(aside) == bool(case.too_short) == (answer.kind == "set aside")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["inter_customer", "inter_customer_bucket1", "inter_same_ids"])
def test_two_sets_are_java_without_pairs_inside_a_set_and_with_those_of_equal_ids(name, mode, run):
    case = Case(name, MODES[mode])
    _, lines, _, _ = run(case)
    base, other = ({record[0] for record in records} for records in case.sets)
    equal = base & other
    if equal:
        # Here the same ids stand in both sets, and so which record is meant is not in the line.
        assert base == other
        found = [line for line in lines if len(set(case.ids_in(line))) == 2]
        assert len(lines) - len(found) == len(equal) == java_counters(case)["Distance Data", "Same ID"]
        assert {line for line in lines if line not in found} == {
            case.line(
                (record[0], record[0]),
                record,
                twin,
                plain.plain_distance(record, twin, case.schema, case.properties),
            )
            for record in case.sets[0]
            for twin in case.sets[1]
            if record[0] == twin[0]
        }
        lines = found
    else:
        between = [line for line in case.java_lines if len(base & set(case.ids_in(line))) == 1]
        assert len(between) < len(case.java_lines)
        assert sorted(map(ids_and_distance, lines)) == sorted(map(ids_and_distance, between))
    assert (
        Counter(map(ids_and_distance, lines)) - Counter(map(ids_and_distance, case.java_lines)) == Counter()
    )
    assert all(line.split(",")[0] in base for line in lines)


def ids_and_distance(line: str) -> tuple[str, ...]:
    first, second, distance = line.split(",")
    return (*sorted((first, second)), distance)


def test_without_the_names_of_2013_the_blog_case_is_a_self_join_as_in_java(run):
    case = Case(
        "mixed_in_sets_blog_names",
        {"inter.set.matching": "false", "set.ID.size": "0", "sifarish.compat": "true"},
    )
    _, lines, _, _ = run(case)
    assert len(lines) == 66
    assert Counter(map(case.meaning, lines)) == Counter(map(case.meaning, case.java_lines))


@pytest.mark.parametrize(("id_counted", "gomez", "lewis"), [("false", 20, 16), ("true", 16, 13)])
def test_the_numbers_of_the_blog_post(id_counted, gomez, lewis, run):
    _, lines, _, _ = run(Case("same_blog_small", {"sifarish.id.counted": id_counted}))
    assert {f"106379,206379,{gomez}", f"137943,237943,{lewis}"} <= set(lines)
