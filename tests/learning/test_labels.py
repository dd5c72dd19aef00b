"""Files of labels: what is written is read again, what is no label is set aside, and contradictions are left out."""

import csv
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pehchan.learning.asked import (
    AT_RANDOM,
    LIKELY_MATCH,
    UNCERTAIN,
    Question,
    Questions,
    read_questions,
    write_questions,
)
from pehchan.learning.label_book import LabelBook
from pehchan.learning.labels import (
    MATCH,
    NO_MATCH,
    RESERVED,
    UNSURE,
    Label,
    name_pair,
    pair_keys,
    read_label_file,
    read_labels,
    write_label_file,
)
from pehchan.metadata.mistakes import MistakesError
from pehchan.metadata.records import Record

HEADER = "z_cluster,z_isMatch,id,name\n"


@pytest.fixture
def file(tmp_path):
    """Write a file of labels under the usual header."""

    def write(rows, name="labels.csv", header=HEADER):
        path = tmp_path / name
        path.write_text(header + rows, encoding="utf-8")
        return path

    return write


def pair(cluster, answer, first="1,Ann", second="2,Anne"):
    return f"{cluster},{answer},{first}\n{cluster},{answer},{second}\n"


def the_mistake(read, *arguments, **more):
    with pytest.raises(MistakesError) as raised:
        read(*arguments, **more)
    (mistake,) = raised.value.mistakes
    return f"{mistake.where}: {mistake.what} {mistake.right}"


# Real files


@pytest.mark.parametrize(
    ("name", "answers", "repeated"),
    [
        ("zingg_febrl65", {MATCH: 17, NO_MATCH: 25, UNSURE: 0}, 4),
        ("zingg_febrl20k", {MATCH: 30, NO_MATCH: 26, UNSURE: 0}, 0),
        ("amazon_google", {MATCH: 6, NO_MATCH: 39, UNSURE: 0}, 0),
    ],
)
def test_labels_of_zingg_are_read(record_sets, name, answers, repeated):
    path = record_sets / name / "labels.csv"
    with open(path, newline="", encoding="utf-8") as opened:
        by_cluster = defaultdict(list)
        for row in csv.DictReader(opened):
            by_cluster[row["z_cluster"]].append(row)
    file = read_label_file(path, id_column="id")
    assert not file.aside
    assert Counter(label.answer for label in file.labels) == Counter(answers)
    for label, (cluster, rows) in zip(file.labels, by_cluster.items(), strict=True):
        assert label.pair == cluster
        for record, row in zip((label.first, label.second), rows, strict=True):
            assert (record.set, record.id) == ("", row["id"])
            assert dict(zip(file.columns, record.items, strict=True)) == {
                column: value for column, value in row.items() if column not in ("z_cluster", "z_isMatch")
            }
    together = read_labels([path], id_column="id")
    assert (together.repeated, len(together.labels)) == (repeated, len(file.labels) - repeated)
    # Without ids the values tell that pairs are the same.
    assert read_labels([path]).repeated == repeated


def test_a_file_of_zingg_is_also_that_of_a_model(record_sets, tmp_path):
    source = record_sets / "zingg_febrl65" / "labels.csv"
    path = tmp_path / "labels.csv"
    path.write_bytes(source.read_bytes())
    book = LabelBook(path)
    book.add(
        ("fname", "mail"), Label("x", Record("", "", ("Ann", "a@b")), Record("", "", ("Ann", "")), UNSURE)
    )
    before, after = read_label_file(source), read_label_file(path)
    assert after.columns == (*before.columns, "mail")
    assert after.labels[:-1] == [
        Label(
            label.pair,
            label.first._replace(items=(*label.first.items, "")),
            label.second._replace(items=(*label.second.items, "")),
            label.answer,
        )
        for label in before.labels
    ]
    assert dict(zip(after.columns, after.labels[-1].first.items, strict=True)) == {
        **dict.fromkeys(before.columns, ""),
        "fname": "Ann",
        "mail": "a@b",
    }


# Round trips

# csv refuses NUL before Python 3.11, and no record holds one, or half of a character.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
TEXT |= st.sampled_from(["", '"', "a,b", "\n", "\r\n", "\r", '"\r', " x ", "जीवन", "\ufeffx", "1\u20282"])
NAME = TEXT.map(str.strip).filter(lambda name: name and name.lower() not in RESERVED)


@st.composite
def labels(draw):
    answer = st.sampled_from([MATCH, NO_MATCH, UNSURE])
    columns = draw(st.lists(NAME, min_size=1, max_size=4, unique=True))
    items = st.tuples(*[TEXT] * len(columns))
    records = st.builds(Record, TEXT, TEXT, items)
    found = draw(st.lists(st.tuples(records, records, answer), max_size=6))
    return tuple(columns), [Label(str(at), *each) for at, each in enumerate(found)]


@given(labels())
def test_what_is_written_is_read_again(written):
    columns, given_labels = written
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        write_label_file(path, columns, given_labels)
        assert read_label_file(path) == (columns, given_labels, [])
        assert os.listdir(folder) == ["labels.csv"]


@given(st.lists(NAME, min_size=1, max_size=4, unique=True), st.data())
def test_questions_are_read_again(columns, data):
    items = st.tuples(*[TEXT] * len(columns))
    records = st.builds(Record, TEXT, TEXT, items)
    probabilities = st.none() | st.integers(0, 10**6).map(lambda millionths: millionths / 10**6)
    reasons = st.sampled_from([UNCERTAIN, LIKELY_MATCH, AT_RANDOM])
    questions = data.draw(st.lists(st.builds(Question, records, records, reasons, probabilities), max_size=5))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "questions.json"
        asked = Questions(tuple(columns), tuple(questions))
        write_questions(path, asked)
        assert read_questions(path) == asked


def test_columns_named_as_those_of_the_form_are_left_out(tmp_path):
    path = tmp_path / "labels.csv"
    records = [Record("", "1", ("c7", "Ann")), Record("", "2", ("c8", "Anne"))]
    write_label_file(path, ["z_cluster", "name"], [Label("p", *records, MATCH)])
    file = read_label_file(path)
    assert file.columns == ("name",)
    assert [label.first.items for label in file.labels] == [("Ann",)]


# Several files


def test_the_same_answer_twice_counts_once_whatever_the_order_of_files_and_records(file):
    one = file(pair("a", 1) + pair("b", 0, "3,Bob", "4,Rob"), "one.csv")
    other = file(pair("x", 0, "4,Rob", "3,Bob") + pair("y", 1, "2,Ann E.", "1,Ann"), "other.csv")
    found = read_labels([one, other], id_column="id")
    again = read_labels([other, one, other], id_column="id")
    assert (found.labels, found.repeated) == (again.labels, again.repeated)
    assert (found.counts(), found.repeated) == ({MATCH: 1, NO_MATCH: 1, UNSURE: 0}, 2)
    assert found.warnings() == []


def test_contradictions_are_named_and_left_out(file):
    one = file(pair("a", 1) + pair("b", 0, "3,Bob", "4,Rob"), "one.csv")
    other = file(pair("x", 0), "other.csv")
    found = read_labels([one, other])
    assert [label.pair for label in found.labels] == ["b"]
    assert len(found.contradictions) == 1
    assert found.warnings() == [
        "the same pair is answered differently, and left out: "
        f"match ({one} line 2), no match ({other} line 2)"
    ]


def test_pairs_without_ids_are_the_same_by_their_values_where_columns_differ(file):
    one = file("a,1,1,Ann\na,1,2,Anne\n", "one.csv", "z_cluster,z_isMatch,pehchan_id,name\n")
    other = file("x,1,Anne,\nx,1,Ann,\n", "other.csv", "z_cluster,z_isMatch,name,phone\n")
    third = file("x,1,Anne,5\nx,1,Ann,\n", "third.csv", "z_cluster,z_isMatch,name,phone\n")
    found = read_labels([one, other, third])
    assert found.columns == ("name", "phone")
    assert (len(found.labels), found.repeated) == (2, 1)


def test_equal_ids_of_two_sets_are_two_records(file):
    header = "z_cluster,z_isMatch,z_zsource,id\n"
    one = file("a,1,x,1\na,1,y,1\nb,0,x,1\nb,0,x,1\n", header=header)
    found = read_labels([one], id_column="id")
    assert found.columns == ("id",)
    assert (len(found.labels), found.contradictions) == (2, ())
    assert [(label.first.set, label.second.set) for label in found.labels] == [("x", "x"), ("x", "y")]


RECORDS = st.builds(
    Record, st.sampled_from("xy"), st.sampled_from(["", "1", "2"]), st.tuples(st.sampled_from("abc"))
)


@given(st.lists(st.tuples(st.just(("name",)), RECORDS, RECORDS), max_size=8))
def test_pairs_have_one_key_where_their_ids_or_for_want_of_them_their_values_agree(pairs):
    keys = pair_keys(pairs)
    ids = [{(record.set, record.id) for record in records} for _, *records in pairs]
    values = [{record.items for record in records} for _, *records in pairs]
    known = [all(record.id for record in records) for _, *records in pairs]
    for one in range(len(pairs)):
        with_ids = {keys[at] for at in range(len(pairs)) if known[at] and values[at] == values[one]}
        for other in range(len(pairs)):
            if known[one] and known[other]:
                assert (keys[one] == keys[other]) == (ids[one] == ids[other])
            elif not known[one] and not known[other] and not with_ids:
                assert (keys[one] == keys[other]) == (values[one] == values[other])
        assert known[one] or not with_ids or keys[one] in with_ids
    assert pair_keys(pairs[::-1]) == keys[::-1]


def test_a_pair_has_the_same_name_in_any_order_and_another_pair_another():
    ann, anne = Record("", "1", ("Ann", "x")), Record("", "2", ("Anne", ""))
    names = {name_pair(("name", "mail"), ann, anne), name_pair(("name", "mail"), anne, ann)}
    names.add(
        name_pair(("mail", "name"), ann._replace(items=("x", "Ann")), anne._replace(items=("", "Anne")))
    )
    assert len(names) == 1
    others = [ann._replace(id="3"), ann._replace(set="b"), ann._replace(items=("Ann", "y"))]
    assert len({name_pair(("name", "mail"), other, anne) for other in others} | names) == 4


# What is no label


@pytest.mark.parametrize(
    ("rows", "reasons"),
    [
        ("a,1,1,Ann\n", {2: "z_cluster a has only 1 row, and a pair two"}),
        (pair("a", 1) + "a,1,3,Al\n", dict.fromkeys([2, 3, 4], "z_cluster a has 3 rows, and a pair two")),
        ("a,1,1,Ann\na,0,2,Anne\n", dict.fromkeys([2, 3], "the rows of z_cluster a say z_isMatch 1 and 0")),
        (
            "a,yes,1,Ann\na,1,2,Anne\n",
            {
                2: "unknown z_isMatch 'yes'; known are 1, 0 and 2",
                3: "the other row of its pair, on line 2, is set aside",
            },
        ),
        (pair("a", -1), dict.fromkeys([2, 3], "not answered yet (z_isMatch -1)")),
        (pair("a", ""), dict.fromkeys([2, 3], "not answered yet (z_isMatch is empty)")),
        (pair(" ", 1), dict.fromkeys([2, 3], "no z_cluster")),
        (
            "a,1,1\na,1,2,Anne\n",
            {2: "expected 4 columns, found 3", 3: "the other row of its pair, on line 2, is set aside"},
        ),
        ("a\n\n", {2: "expected 4 columns, found 1"}),
    ],
)
def test_rows_that_are_no_label_are_set_aside_and_the_others_read(file, rows, reasons):
    path = file(rows + pair("good", 1.0))
    found = read_labels([path])
    assert {row.number: row.reason for row in found.aside} == reasons
    assert [label.pair for label in found.labels] == ["good"]
    texts = path.read_text().splitlines()
    assert [row.line for row in found.aside] == [texts[number - 1] for number in reasons]
    number, reason = next(iter(reasons.items()))
    assert found.warnings()[0] == f"{path} line {number}: set aside: {reason}"
    # Those of a model are mended by hand: to write the file anew would lose the rows.
    with pytest.raises(MistakesError) as raised:
        LabelBook(path)
    assert [mistake.where for mistake in raised.value.mistakes] == [f"{path} line {line}" for line in reasons]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no labels: the file is empty"),
        ("\n\n", "no labels: the file is empty"),
        ("id,name\n1,Ann\n", "no column z_cluster and no column z_isMatch"),
        ("z_cluster;z_isMatch;name\na;1;Ann\n", "It has: z_cluster;z_isMatch;name"),
        ("z_cluster,name\na,Ann\n", "no column z_isMatch"),
        ("z_cluster,z_isMatch\na,1\na,1\n", "labels without a column of the records"),
        ("z_cluster,z_isMatch,x,x\n", "more than one column is named x"),
        (",z_cluster,z_isMatch,x\n", "no name for column 1"),
        (HEADER + 'a,1,1,"Ann\n', "labels.csv line 2: not CSV: unexpected end of data"),
        (HEADER + "a,1,1,Ann\n", "labels.csv line 2: holds no label: z_cluster a has only 1 row"),
    ],
)
def test_a_file_that_is_none_of_labels_is_refused(file, text, said):
    path = file(text, header="")
    assert said in the_mistake(read_labels, [path])


def test_files_that_cannot_be_read_are_told_together(tmp_path, file):
    (tmp_path / "latin.csv").write_bytes(HEADER.encode() + pair("a", 1, "1,Zoë").encode("latin-1"))
    paths = [tmp_path, tmp_path / "gone.csv", tmp_path / "latin.csv", file(pair("a", 1))]
    with pytest.raises(MistakesError) as raised:
        read_labels(paths)
    assert [str(mistake).splitlines()[0] for mistake in raised.value.mistakes] == [
        f"{paths[0]}: cannot be read: Is a directory",
        f"{paths[1]}: cannot be read: No such file or directory",
        f"{paths[2]}: not UTF-8",
    ]


def test_labels_of_other_records_are_refused_and_columns_that_lack_are_told(file):
    path = file(pair("a", 1))
    said = the_mistake(read_labels, [path], record_columns=("title", "price"))
    assert (
        said == f"{path}: labels of other records: none has a column title, price Its columns are id, name."
    )
    found = read_labels([path], record_columns=("name", "phone"))
    assert found.warnings() == [f"{path}: no column phone; of them its labels say nothing"]


def test_a_header_alone_holds_no_labels(file):
    found = read_labels([file("")])
    assert (found.columns, found.labels) == (("id", "name"), ())


def test_marks_of_byte_order_and_names_in_other_case_are_read(file):
    path = file("\ufeffZ_CLUSTER,z_ismatch, name\n" + "a,1,Ann\na,1,Anne\n", header="")
    assert read_label_file(path).columns == ("name",)


# The labels of a model


@settings(max_examples=30)
@given(st.lists(st.none() | st.sampled_from([MATCH, NO_MATCH, UNSURE]), max_size=12))
def test_answers_and_what_is_taken_back_lie_in_the_file(steps):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        expected = []
        for at, step in enumerate(steps):
            book = LabelBook(path)
            if step is not None:
                expected.append(Label(f"p{at}", Record("", f"{at}", ("a",)), Record("", "x", ("b",)), step))
                book.add(("name",), expected[-1])
            elif expected:
                assert book.take_back() == expected.pop()
            else:
                with pytest.raises(IndexError):
                    book.take_back()
            assert book.labels == expected
        assert not path.exists() or read_label_file(path).labels == expected


KEEPS_ON = """
import sys
from pathlib import Path
from pehchan.learning.label_book import LabelBook
from pehchan.learning.labels import Label
from pehchan.metadata.records import Record
book = LabelBook(Path(sys.argv[1]))
for at in range(len(book.labels), 10**9):
    records = [Record("", f"{at}{side}", ('a "quoted", name\\n' * 20,)) for side in "ab"]
    book.add(("name",), Label(f"p{at}", *records, at % 3))
    print(at + 1, flush=True)
"""


def test_killed_at_any_moment_the_file_holds_all_that_was_answered(tmp_path):
    path = tmp_path / "labels.csv"
    pause = random.Random(7)
    for _ in range(6):
        writing = subprocess.Popen([sys.executable, "-c", KEEPS_ON, path], stdout=subprocess.PIPE, text=True)
        writing.stdout.readline()
        time.sleep(pause.uniform(0, 0.1))
        writing.kill()
        said = writing.stdout.read().split()
        writing.wait()
        found = read_label_file(path)
        assert not found.aside
        assert [(label.pair, label.answer) for label in found.labels] == [
            (f"p{at}", at % 3) for at in range(len(found.labels))
        ]
        # The last one may be kept, and not yet told.
        assert not said or int(said[-1]) <= len(found.labels) <= int(said[-1]) + 1


# Questions


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not readable as JSON"),
        ("[]", "questions of version None This pehchan reads version 1."),
        (
            '{"version": 2}',
            "questions of version 2 This pehchan reads version 1. pehchan ask writes it anew.",
        ),
        ('{"version": 1}', "not as pehchan writes questions (KeyError('columns'))"),
        (
            '{"version": 1, "columns": ["a"], "questions": [{"reason": "unsure", "probability": 0.5, "records": '
            '[{"set": "", "id": "", "values": []}, {"set": "", "id": "", "values": []}]}]}',
            "0 values for 1 columns",
        ),
        (
            '{"version": 1, "columns": ["a"], "questions": [{"reason": "unsure", "probability": 7, "records": '
            '[{"set": "", "id": "", "values": ["x"]}, {"set": "", "id": "", "values": ["y"]}]}]}',
            "a probability of 7",
        ),
    ],
)
def test_questions_in_another_form_are_refused(tmp_path, text, said):
    path = tmp_path / "questions.json"
    path.write_text(text)
    assert said in the_mistake(read_questions, path)
