"""What a lookup answers: the pairs that a run over all records has with the one that is looked up, and those near."""

import csv
import io
import json
import math
import random
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learnt_jobs import Records, run_job
from made_up_persons import NAMES as PERSON
from made_up_persons import persons
from states import move, write_state

from pehchan.console.command import main
from pehchan.distance.levenshtein import Levenshtein
from pehchan.identity.lookup import Lookup, UnknownColumn
from pehchan.identity.state import open_state
from pehchan.learning.addresses import Addressing, Frozen
from pehchan.learning.in_memory import learn_of
from pehchan.learning.odds import CUTOFF
from pehchan.learning.table import Table
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import read_native
from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings
from pehchan.mrjobs.score_candidates import ScoreCandidates
from pehchan.mrjobs.wire import PAIRS, Pairs

IDS = [f"r{number}" for number in range(8)]
NAMES = st.text("ab", min_size=3, max_size=4)
CHANGES = st.dictionaries(st.sampled_from(IDS), st.none() | NAMES, min_size=1, max_size=8)


def plan_of(**more):
    mistakes = Mistakes()
    given = {"id": "id", "columns": ["id", "name"], "fields": {"name": "levenshtein"}, "cutoff": 300, **more}
    schema = read_native(given, "test", mistakes)
    mistakes.raise_if_any()
    return Plan(schema, Settings(), 300, "settled", "blocking" if schema.blocking else "all_pairs")


def matches(found):
    """By entity the distances of the records that match, by id."""
    return {
        each.entity: {near.record.id: near.distance for near in each.records}
        for each in found
        if each.matches
    }


KEYS = ["prefix(name, 1)", "qgrams(name, 3)"]


@pytest.mark.parametrize(
    ("blocking", "one_half"),
    # Of addresses halves are kept: here those of all records are the same.
    [(KEYS, False), (KEYS, True), ([], False)],
    ids=["keys", "keys of one half", "all"],
)
@settings(max_examples=40)
@given(st.lists(CHANGES, min_size=1, max_size=4), NAMES, st.sampled_from([*IDS, ""]))
def test_by_rules_an_answer_has_all_records_as_they_are_now(blocking, one_half, batches, name, record_id):
    there, versions = {}, []
    for number, batch in enumerate(batches):
        # Entities of which some are several records', and that change.
        entities = {each: f"e1-{(int(each[1]) + number) % 3}" for each in batch}
        versions.append({each: value and ([each, value], entities[each]) for each, value in batch.items()})
        for each, value in batch.items():
            there.pop(each, None)
            if value is not None:
                there[each] = value, entities[each]
    with TemporaryDirectory() as folder:
        plan = plan_of(**({"blocking": blocking} if blocking else {}))
        lookup = Lookup(write_state(Path(folder) / "state", plan, versions))
    if one_half:
        lookup._held.at = lambda _: np.arange(len(lookup))
    assert len(lookup) == len(there)
    found = lookup.find({"name": name, "id": record_id})
    near, measure = {}, Levenshtein()
    for each, (value, entity) in there.items():
        grams = [{text[k : k + 3] for k in range(len(text) - 2)} for text in (name, value)]
        shares = not blocking or name[0] == value[0] or grams[0] & grams[1]
        distance = math.floor(1000 * measure.distance(name, value))
        if shares and distance <= 450 and each != record_id:
            near.setdefault(entity, {})[each] = distance
    expected = {
        entity: {each: distance for each, distance in of.items() if distance <= 300} or of
        for entity, of in near.items()
    }
    told = {each.entity: {near.record.id: near.distance for near in each.records} for each in found}
    assert told == expected
    assert [each.matches for each in found] == [min(told[each.entity].values()) <= 300 for each in found]
    for each in found:
        assert list(each.records) == sorted(each.records, key=lambda near: (near.distance, near.record.id))
        assert all(near.record.items == [near.record.id, there[near.record.id][0]] for near in each.records)
    assert [each.distance for each in found] == sorted(each.distance for each in found)
    assert lookup.entity_of(record_id) == there.get(record_id, ("", ""))[1]


@cache
def learnt():
    """Made-up persons, some twice, and the model and frozen addresses of them."""
    columns, _ = persons(150, 80, seed=4)
    records = Records.of(PERSON, columns)
    model = learn_of(records.profile(), records.table())[0]
    table = records.table(model.fields)
    # As if two of the addresses that records share were too many records'.
    at = Addressing(model.keys, Frozen.nothing()).of(table).at
    shared, counts = np.unique(at, return_counts=True)
    large = np.sort(shared[np.argsort(-counts, kind="stable")[:40]])
    frozen = Frozen(large, np.zeros(0, np.uint64), np.zeros(0, np.int64))
    return records, model, frozen


def plan_of_learnt():
    records, model, frozen = learnt()
    return replace(records.plan(), model=model.to_dict(), frozen=frozen.to_dict())


ROWS = st.lists(st.integers(0, 229), min_size=1, max_size=30, unique=True)


@settings(max_examples=40)
@given(ROWS, st.integers(0, 229), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 229)), max_size=2))
def test_by_a_model_an_answer_is_that_of_all_records_that_share_an_address(rows, row, changed):
    records, model, frozen = learnt()
    values = list(records.rows[row][2])
    for field, other in changed:
        values[field] = records.rows[other][2][field]
    there = [records.rows[each] for each in rows]
    version = {each: ([each, *items], f"e1-{number % 7}") for number, (_, each, items) in enumerate(there)}
    with TemporaryDirectory() as folder:
        lookup = Lookup(write_state(Path(folder) / "state", plan_of_learnt(), [version]))
    asked = {"id": "asked", **dict(zip(PERSON, values, strict=True))}
    found = lookup.find(asked)
    near = {}
    for _, each, items in there:
        columns = [[values[k], items[k]] for k in map(PERSON.index, (field.name for field in model.fields))]
        table = Table.of(model.fields, columns, ["asked", each])
        addresses = Addressing(model.keys, frozen).of(table)
        if set(addresses.at[addresses.rows == 0].tolist()) & set(addresses.at[addresses.rows == 1].tolist()):
            near[each] = int(model.distances(table, np.array([0]), np.array([1]))[0])
    told = {each.entity: {near.record.id: near.distance for near in each.records} for each in found}
    expected = {}
    for each, distance in near.items():
        if 1 / (1 + math.exp((distance - CUTOFF) / 100)) >= 0.01:
            expected.setdefault(version[each][1], {})[each] = distance
    assert told == {
        entity: {each: distance for each, distance in of.items() if distance <= CUTOFF} or of
        for entity, of in expected.items()
    }
    for each in found:
        assert each.matches == (each.distance <= CUTOFF) == (each.probability >= 0.5)


def test_a_record_of_real_data_has_the_partners_that_a_run_over_all_gives_it(record_sets, tmp_path):
    lines = (record_sets / "febrl3" / "records.csv").read_text().splitlines()
    names, *rows = (line.split(",") for line in lines[:1201])
    columns = [list(column) for column in zip(*rows, strict=True)]
    place = names.index("id")
    ids = columns.pop(place)
    names = [name for name in names if name != "id"]
    records = Records(
        names,
        [("", each, list(values)) for each, values in zip(ids, zip(*columns, strict=True), strict=True)],
    )
    model = learn_of(records.profile(), records.table())[0]
    found = Addressing(model.keys)
    found.of(records.table(model.fields))
    frozen = found.found
    plan = replace(records.plan(), model=model.to_dict(), frozen=frozen.to_dict())
    written, _ = run_job(ScoreCandidates, plan, records.files(random.Random(1), 2), tmp_path)
    partners = {}
    for tag, payload in written:
        for pair in Pairs.decode(payload) if tag == PAIRS else ():
            one, two = pair.first[1], pair.second[1]
            partners.setdefault(one, {})[two] = partners.setdefault(two, {})[one] = pair.distance
    chosen = set(random.Random(2).sample(sorted(ids), 120))
    rest = {each: ([each, *items], f"e1-{each}") for _, each, items in records.rows if each not in chosen}
    lookup = Lookup(write_state(tmp_path / "state", plan, [rest]))
    some = 0
    for _, each, items in records.rows:
        if each in chosen:
            told = matches(lookup.find({"id": each, **dict(zip(names, items, strict=True))}))
            got = {other: distance for of in told.values() for other, distance in of.items()}
            assert got == {o: d for o, d in partners.get(each, {}).items() if o not in chosen}
            some += len(got)
    assert some > 30


RULES = """\
id: id
fields:
  first: {measure: jaro-winkler}
  last: {measure: levenshtein}
  birth: {measure: levenshtein, missing: skip}
cutoff: 250
"""


@pytest.mark.parametrize("way", ["match", "dedupe, all pairs", "dedupe, blocks"])
def test_a_state_that_a_run_kept_answers_with_the_pairs_of_the_run(tmp_path, monkeypatch, way):
    monkeypatch.chdir(tmp_path)
    columns, _ = persons(120, 50, seed=9)
    rows = [[f"r{number}", *values] for number, values in enumerate(zip(*columns, strict=True))]
    with open("persons.csv", "w", newline="") as file:
        csv.writer(file).writerows([["id", *PERSON], *rows])
    blocks = "blocking: [last, birth]\n" if way == "dedupe, blocks" else ""
    Path("rules.yaml").write_text(RULES + blocks)
    how = ["match"] if way == "match" else ["dedupe", "-s", "rules.yaml"]
    assert main([*how, "persons.csv", "--state", "state", "-q"]) == 0
    partners = {row[0]: set() for row in rows}
    for part in Path("pehchan-out/pairs").iterdir():
        for line in part.read_text().splitlines():
            one, two, _ = line.split(",", 2)
            partners[one].add(two)
            partners[two].add(one)
    lookup = Lookup(open_state("state"))
    for row in rows:
        found = lookup.find(dict(zip(["id", *PERSON], row, strict=True)))
        assert {each for of in matches(found).values() for each in of} == partners[row[0]]
        for each in found:
            assert {each.entity} == {lookup.entity_of(near.record.id) for near in each.records}
    assert sum(map(len, partners.values())) > 50


def test_records_keep_their_rows_where_only_their_entities_change(tmp_path):
    plan = plan_of()
    folder = tmp_path / "state"
    state = write_state(
        folder,
        plan,
        [{"r1": (["r1", "aaaa"], "e1-1"), "r2": (["r2", "aaab"], "e1-2")}, {"r2": (["r2", "aaaa"], "e1-2")}],
    )
    move(folder, state, {"r1": ("e1-2", 1), "r2": ("e1-2", 2)})
    assert matches(Lookup(open_state(str(folder))).find({"name": "aaaa"})) == {"e1-2": {"r1": 0, "r2": 0}}
    assert matches(Lookup(open_state(f"{folder}@2")).find({"name": "aaaa"})) == {
        "e1-1": {"r1": 0},
        "e1-2": {"r2": 0},
    }
    assert matches(Lookup(open_state(f"{folder}@1")).find({"name": "aaab"}))["e1-2"] == {"r2": 0}


def test_an_unknown_column_is_told_with_the_nearest(tmp_path):
    lookup = Lookup(write_state(tmp_path / "state", plan_of(), [{}]))
    assert lookup.find({"name": "aaa"}) == []
    with pytest.raises(UnknownColumn, match=r'there is no column "nmae"\.\nDid you mean "name"'):
        lookup.find({"nmae": "aaa"})


@pytest.fixture
def called(capsys, monkeypatch, tmp_path):
    """Run the command in a folder with a state: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    write_state(
        tmp_path / "state",
        plan_of(columns=["id", "name", "a=b"]),
        [
            {
                "r1": (["r1", "ann lee", "x"], "e1-1"),
                "r2": (["r2", "ann leeh", ""], "e1-1"),
                "r3": (["r3", "anne lehm", ""], "e1-3"),
            }
        ],
    )

    def run(*arguments, given=b""):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        code = main(["lookup", *arguments])
        return (code, *capsys.readouterr())

    return run


def test_the_command_answers_for_a_person(called):
    code, out, _ = called("state", "name=ann lee")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert lines[0] == ["entity", "distance", "matches", "records"]
    assert lines[1] == ["e1-1", "0", "yes", "r1", "r2"]
    assert lines[2][:3] == ["e1-3", "333", "no"]
    assert lines[5][:3] == ["asked", "ann", "lee"]
    assert lines[6][0] == "r1"
    code, out, _ = called("state", "name=zzzzzz")
    assert (code, out) == (0, "None of the 3 records of state is near it.\n")
    code, out, _ = called("state", "id=r1", "name=ann lee")
    assert out.startswith("r1 is in state, in entity e1-1; besides itself:\n")


def test_the_command_answers_for_a_program(called):
    code, out, _ = called("state", "name=ann lee", "a=b=1=2", "--json")
    assert code == 0
    assert json.loads(out) == {
        "id": "",
        "is_in": "",
        "found": [
            {
                "entity": "e1-1",
                "distance": 0,
                "matches": True,
                "records": [{"id": "r1", "distance": 0}, {"id": "r2", "distance": 125}],
            },
            {
                "entity": "e1-3",
                "distance": 333,
                "matches": False,
                "records": [{"id": "r3", "distance": 333}],
            },
        ],
    }


def test_lines_of_a_stream_are_answered_each_by_itself(called):
    given = b'{"name": "ann lee"}\n{bad\n\n[1]\n\xff\n{"nam": "a", "name": null}\n'
    given += b'{"id": "r9", "name": "ann leeh", "more": 1}'
    code, out, _ = called("state", "--file", "-", given=given)
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [each["line"] for each in answers] == [1, 2, 4, 5, 6, 7]
    assert [each["entity"] for each in answers[0]["found"]] == ["e1-1", "e1-3"]
    assert answers[1]["error"].startswith("not JSON")
    assert "not an object" in answers[2]["error"]
    assert answers[3]["error"].startswith("not UTF-8")
    assert answers[4]["error"] == "no value of a column of the state"
    assert answers[4]["warnings"] == ['there is no column "nam", which is left out']
    assert answers[5]["id"] == "r9"
    assert answers[5]["warnings"] == ['there is no column "more", which is left out']
    assert answers[5]["found"][0]["records"][0] == {"id": "r2", "distance": 0}


def test_a_program_that_keeps_it_running_gets_each_answer_at_once(called):
    command = [sys.executable, "-m", "pehchan.console.command", "lookup", "state", "--file", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        for name, entity in (("ann lee", "e1-1"), ("anne lehm", "e1-3")):
            running.stdin.write(json.dumps({"name": name}).encode() + b"\n")
            running.stdin.flush()
            # Its input is still open.
            assert json.loads(running.stdout.readline())["found"][0]["entity"] == entity
        running.stdin.close()
        assert running.stdout.read() == b""
        assert running.wait() == 0


def test_a_file_is_answered_as_a_table(called):
    Path("new.csv").write_text("id,more,name\nr9,1,ann lee\nr1,1,ann lee\nshort\nr8,1,zzzzzz\n,,\n")
    code, out, err = called("state", "--file", "new.csv")
    assert code == 0
    assert out.splitlines() == [
        "line,id,is_in,entity,distance,matches,records",
        "2,r9,,e1-1,0,yes,r1;r2",
        "2,r9,,e1-3,333,no,r3",
        "3,r1,e1-1,e1-1,125,yes,r2",
        "3,r1,e1-1,e1-3,333,no,r3",
        "5,r8,,,,,",
    ]
    assert err.splitlines() == [
        'new.csv line 2: there is no column "more", which is left out',
        "new.csv line 4: expected 3 columns, found 1",
        "new.csv line 6: no value of a column of the state",
        "new.csv: 2 lines without an answer",
    ]
    assert called("state", "--file", "new.csv", "-o", "answers.csv")[:2] == (0, "")
    assert Path("answers.csv").read_text() == out
    Path("new.jsonl").write_text('{"name": "ann lee"}\n{bad\n')
    code, out, err = called("state", "--file", "new.jsonl")
    assert out.splitlines()[1:] == ["1,,,e1-1,0,yes,r1;r2", "1,,,e1-3,333,no,r3"]
    assert err.startswith("new.jsonl line 2: not JSON")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["state", "nmae=ann"], 'nmae=ann: there is no column "nmae".\n  Did you mean "name"?'),
        (["state", "name"], "name: not a field with its value.\n  Write it as field=name."),
        (["state", "name="], "all values are empty."),
        (["state", "name=a", "name=b"], '"name" is given twice'),
        (["state"], "one record, or a file of them."),
        (["state", "name=a", "--file", "new.csv"], "one record, or a file of them."),
        (["state", "name=a", "-o", "out.csv"], "it is for the answers to a file."),
        (["nothing", "name=a"], "nothing: not a state of pehchan"),
        (["state@7", "name=a"], "state@7: version 7 is not there."),
        (["state", "--file", "nothing.csv"], "nothing.csv: there is no such file."),
        (["state", "--file", "lines.txt"], "lines.txt: nothing names its columns."),
        (["state", "--file", "other.csv"], "other.csv: no column of the state is in it."),
        (["state", "--file", "other.csv", "-o", "nowhere/out.csv"], "there is no folder nowhere."),
        (["state", "--file", "other.csv", "-o", "other.csv"], "the file that is read."),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(called, arguments, said):
    Path("other.csv").write_text("x,y\n1,2\n")
    Path("lines.txt").write_text("1,2\n")
    code, out, err = called(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert not Path("out.csv").exists()
    assert Path("other.csv").read_text() == "x,y\n1,2\n"
