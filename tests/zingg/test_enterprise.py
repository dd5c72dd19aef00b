"""Programs and configurations for Zingg's enterprise edition: entities that stay while records come."""

# ruff: noqa: E501
import csv
import importlib
import json
import shutil
from collections import Counter, defaultdict
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zingg_customers import COLUMNS, customers, person, write

from pehchan.identity.lookup import Lookup
from pehchan.identity.state import open_state
from pehchan.main import main
from pehchan.metadata.mistakes import MistakesError
from pehchan.zingg.configuration import Column
from pehchan.zingg.kept_rows import KeptRows
from pehchan.zingg.keys import keys_of, values_of
from pehchan.zingg.wrapped import read, read_configuration_file

SCHEMA = ", ".join(f"{name} string" for name in COLUMNS)
FRONT = ["z_minScore", "z_maxScore", "ZINGG_ID"]
OUTPUT = [*FRONT, *COLUMNS]

#: A program of a guide to incremental runs, whose imports are changed, and whose fields are filled in.
GUIDE = """
from pehchan.zinggEC.enterprise.common.IncrementalArguments import *
from pehchan.zinggEC.enterprise.common.epipes import *
from pehchan.zinggEC.enterprise.common.EArguments import *
from pehchan.zinggEC.enterprise.common.EFieldDefinition import EFieldDefinition
from pehchan.zinggES.enterprise.spark.ESparkClient import *
# Base arguments — same field definitions as initial match
args = EArguments()
recId = EFieldDefinition("rec_id", "string", MatchType.DONT_USE)
recId.setPrimaryKey(True)
others = [EFieldDefinition(name, "string", MatchType.FUZZY) for name in "fname lname stNo add1 add2 city state areacode dob ssn".split()]
args.setFieldDefinition([recId, *others])
args.setModelId("100")
args.setZinggDir("models")
schema = "rec_id string, fname string, lname string, stNo string, add1 string, add2 string, city string, state string, areacode string, dob string, ssn string"
inputPipe = ECsvPipe("customers", "data/customers.csv", schema)
args.setData(inputPipe)
outputPipe = ECsvPipe("output", "output")
outputPipe.setHeader("true")
args.setOutput(outputPipe)
"""

TRAIN_MATCH = """
options = ClientOptions([ClientOptions.PHASE, "trainMatch"])
zingg = EZingg(args, options)
zingg.initAndExecute()
"""

INCREMENTAL = """
# Configure incremental run — only the delta
incrArgs = IncrementalArguments()
incrArgs.setParentArgs(args)
incrPipe = ECsvPipe("customers_delta", "data/customers_delta.csv", schema)
incrArgs.setIncrementalData(incrPipe)
outputTmpPipe = ECsvPipe("output_tmp", "zingg_incremental_tmp")
outputTmpPipe.setHeader("true")
incrArgs.setOutputTmp(outputTmpPipe)
options = ClientOptions([ClientOptions.PHASE, "runIncremental"])
zingg = EZingg(incrArgs, options)
zingg.initAndExecute()
"""


def fields(**more):
    made = [{"fieldName": each, "dataType": "string", "matchType": "FUZZY"} for each in COLUMNS]
    made[0] |= {"matchType": "dont_use", "primaryKey": "true"}
    return [{**each, **more.get(each["fieldName"], {})} for each in made]


def pipe(name, path, header=True, **more):
    return {"name": name, "format": "csv", "props": {"path": path, "header": header}, **more}


def written(path, data):
    Path(path).write_text(json.dumps(data))


@pytest.fixture(scope="module")
def matched(tmp_path_factory):
    """A folder where match has been run: its configurations, the first records, and the others."""
    folder = tmp_path_factory.mktemp("matched")
    rows = customers(130, 5)
    # Some come a third time, with the less that says who they are.
    known = [(1, 2, 3, 6, 7, 8), (1, 2, 9), (2, 3, 4, 8), (1, 2, 3, 4), (2, 9, 3), (1, 9, 8, 7)]
    for at, row in enumerate(rows[:150:5]):
        kept = known[at % len(known)]
        rows.insert(0, [f"{row[0][:-3]}tri", *(row[k] if k in kept else "" for k in range(1, len(row)))])
    # Of some persons one record comes later, of others both.
    first = [row for row in rows if row[0].endswith(("org", "tri")) or len(row[0]) % 2][: len(rows) * 3 // 4]
    later = [row for row in rows if row not in first]
    write(folder / "data/customers.csv", first)
    write(folder / "data/customers_delta.csv", later)
    written(
        folder / "config.json",
        {
            "modelId": 100,
            "zinggDir": "models",
            "data": [pipe("customers", "data/customers.csv", False, schema=SCHEMA)],
            "output": [pipe("output", "output")],
            "fieldDefinition": fields(),
        },
    )
    written(
        folder / "incr.json",
        {
            "config": "config.json",
            "incrementalData": [pipe("delta", "data/customers_delta.csv", False, schema=SCHEMA)],
            "outputTmp": pipe("tmp", "tmp"),
        },
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["zingg", "--phase", "trainMatch", "--conf", "config.json", "-q"]) == 0
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def after_match(matched, here):
    """The same, to be changed."""
    shutil.copytree(matched, here, dirs_exist_ok=True)
    return here


@pytest.fixture
def zingg(capsys):
    """Run a phase, which is to go well; what it says."""

    def run(phase, conf, *more):
        code = main(["zingg", "--phase", phase, "--conf", conf, "-q", *more])
        out, err = capsys.readouterr()
        assert code == 0, err
        return out + err

    return run


@pytest.fixture
def refused(capsys):
    """Run a phase, which is to end with exit code 2, and to change nothing; what it says."""

    def run(phase, conf, *more):
        before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
        code = main(["zingg", "--phase", phase, "--conf", conf, "-q", *more])
        out, err = capsys.readouterr()
        assert (code, out) == (2, ""), err
        assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
        return err

    return run


def read_json(path):
    return json.loads(Path(path).read_text())


def rows_of(folder):
    return [
        row for part in sorted(Path(folder).glob("part-*")) for row in csv.DictReader(part.open(newline=""))
    ]


def content(folder):
    return b"".join(part.read_bytes() for part in sorted(Path(folder).glob("part-*")))


def entities(folder, name="ZINGG_ID", key="rec_id"):
    return {row[key]: row[name] for row in rows_of(folder)}


def grouped(found):
    """What is together, whatever it is called."""
    groups = defaultdict(set)
    for record, entity in found.items():
        groups[entity].add(record)
    return {frozenset(group) for group in groups.values()}


def read_csv(path):
    return list(csv.reader(open(path, newline="")))


# programs


def test_the_program_of_the_guide_brings_records_in(after_match, capsys):
    before = entities("output")
    exec(GUIDE + INCREMENTAL, {})
    first, delta = read_csv("data/customers.csv"), read_csv("data/customers_delta.csv")
    rows = rows_of("output")
    assert list(rows[0]) == OUTPUT
    assert sorted([row[name] for name in COLUMNS] for row in rows) == sorted(first + delta)
    after = entities("output")
    # The ids of those that were there stay; a new one of a person that was there gets its id.
    assert {key: after[key] for key in before} == before
    by_person = {person(key): entity for key, entity in before.items()}
    joined = [row[0] for row in delta if person(row[0]) in by_person]
    assert len(joined) > 10
    assert sum(after[key] == by_person[person(key)] for key in joined) >= 0.9 * len(joined)
    changed = {after[row[0]] for row in delta}
    assert {row["rec_id"] for row in rows_of("zingg_incremental_tmp")} == {
        k for k in after if after[k] in changed
    }
    assert f"records: {len(delta)} new" in capsys.readouterr().out
    # The same once more is nothing new.
    written_before = content("output")
    exec(GUIDE + INCREMENTAL, {})
    assert content("output") == written_before
    assert rows_of("zingg_incremental_tmp") == []
    assert open_state("models/100/state").number == 2
    assert f"records: {len(delta)} unchanged" in capsys.readouterr().out


def test_a_program_matches_and_goes_on_in_one(matched):
    shutil.copytree(matched / "data", "data")
    exec(GUIDE + TRAIN_MATCH, {})
    assert content("output") == content(matched / "output")
    # From one place instead of five.
    program = GUIDE[GUIDE.index("args = ") :] + INCREMENTAL
    exec("from pehchan.zingg.enterprise import *\n" + program, {})
    assert len(rows_of("output")) == len(rows_of(matched / "output")) + len(
        read_csv("data/customers_delta.csv")
    )


def test_modules_have_the_names_that_programs_import():
    common = [
        "ApproverArguments",
        "CompareArguments",
        "EArguments",
        "EClientOptions",
        "EFieldDefinition",
        "ExplainArguments",
        "IncrementalArguments",
        "LookupArguments",
        "TransformedOutputArguments",
        "epipes",
    ]
    modules = [f"zinggEC.enterprise.common.{name}" for name in common] + [
        "zinggES.enterprise.spark.ESparkClient"
    ]
    for module in modules:
        found = importlib.import_module(f"pehchan.{module}")
        for name in [
            "EArguments",
            "EFieldDefinition",
            "ECsvPipe",
            "EZingg",
            "EClientOptions",
            "ClientOptions",
            "MatchType",
            "Arguments",
            "CsvPipe",
            "DeterministicMatching",
        ]:
            assert hasattr(found, name), (module, name)


def test_compare_explain_and_lookup_from_programs(after_match, capsys):
    names = {}
    exec(
        GUIDE
        + """
newArgs = EArguments()
newArgs.setArgs(args)
newArgs.setModelId("200")
second = ECsvPipe("output", "output_new")
second.setHeader("true")
newArgs.setOutput(second)
EZingg(newArgs, EClientOptions([EClientOptions.PHASE, "trainMatch"])).initAndExecute()
for number, phase in enumerate(["diff", "reassignZinggId"]):
    compared = CompareArguments()
    compared.setParentArgs(newArgs)
    (compared.setCompareToArgs, compared.setOriginalArgs)[number](args)
    results = ECsvPipe("results", "results_" + phase)
    results.setHeader("true")
    compared.setResults(results)
    EZingg(compared, EClientOptions([EClientOptions.PHASE, phase])).initAndExecute()
look = LookupArguments()
look.setParentArgs(args)
look.setLookupData(ECsvPipe("look", "data/customers_delta.csv", schema))
found = ECsvPipe("found", "found")
found.setHeader("true")
look.setLookupOutput(found)
EZingg(look, EClientOptions([EClientOptions.PHASE, "runLookup"])).initAndExecute()
""",
        names,
    )
    # The same records by the same rules are the same entities, whose ids were the same already.
    assert rows_of("results_diff") == []
    assert entities("results_reassignZinggId") == entities("output") == entities("output_new")
    assert len(rows_of("found")) == len(read_csv("data/customers_delta.csv"))
    entity = next(
        each for each in entities("output").values() if list(entities("output").values()).count(each) == 2
    )
    exec(
        f"""
explained = ExplainArguments()
explained.setParentArgs(args)
why = ECsvPipe("why", "why")
why.setHeader("true")
explained.setExplainOutput(why)
EZingg(explained, EClientOptions([EClientOptions.PHASE, "explain", EClientOptions.ZINGG_ID, "{entity}"])).initAndExecute()
""",
        names,
    )
    (row,) = rows_of("why")
    assert [row["pk1"], row["pk2"]] == sorted(
        key for key, each in entities("output").items() if each == entity
    )
    assert "a match with a probability of" in capsys.readouterr().out


# what it gives


def test_a_state_gives_the_clusters_and_scores_of_a_match_without_a_key(after_match, zingg):
    data = read_json("config.json")
    plain = [
        {key: value for key, value in each.items() if key != "primaryKey"} for each in data["fieldDefinition"]
    ]
    shutil.copytree("models/100/model", "models/plain/model")
    written(
        "plain.json", {**data, "modelId": "plain", "fieldDefinition": plain, "output": [pipe("o", "plain")]}
    )
    zingg("match", "plain.json")
    assert grouped(entities("plain", "z_cluster")) == grouped(entities("output"))
    scores = {row["rec_id"]: (row["z_minScore"], row["z_maxScore"]) for row in rows_of("plain")}
    assert {row["rec_id"]: (row["z_minScore"], row["z_maxScore"]) for row in rows_of("output")} == scores
    assert len(set(scores.values())) > 3


def test_an_incremental_run_gives_what_a_match_of_all_gives(after_match, zingg):
    data = read_json("config.json")
    shutil.copytree("models/100/model", "models/all/model")
    both = [pipe(name, f"data/{name}.csv", False, schema=SCHEMA) for name in ("customers", "customers_delta")]
    written("all.json", {**data, "modelId": "all", "data": both, "output": [pipe("o", "all")]})
    zingg("match", "all.json")
    zingg("runIncremental", "incr.json")
    assert grouped(entities("output")) == grouped(entities("all"))
    without_ids = [
        [{key: value for key, value in row.items() if key != "ZINGG_ID"} for row in rows_of(folder)]
        for folder in ("output", "all")
    ]
    assert without_ids[0] == without_ids[1]


def test_all_cores_give_the_same_bytes(after_match, zingg):
    zingg("runIncremental", "incr.json")
    inline = content("output"), content("tmp")
    shutil.rmtree("models")
    data = read_json("config.json")
    written("config.json", {**data, "output": [{**data["output"][0], "mode": "overwrite"}]})
    zingg("trainMatch", "config.json", "-r", "local")
    zingg("runIncremental", "incr.json", "-r", "local")
    assert (content("output"), content("tmp")) == inline


def test_records_that_change_and_go(after_match, zingg):
    rows = read_csv("data/customers.csv")
    groups = [sorted(group) for group in grouped(entities("output")) if len(group) == 2]
    (moved, stays), (gone, left), *_ = groups
    by_key = {row[0]: row for row in rows}
    other = by_key[left]
    write(Path("changed.csv"), [[moved, *other[1:]]])
    Path("gone.csv").write_text(f"rec_id\n{gone}\nnobody\n")
    conf = {
        "config": "config.json",
        "incrementalData": pipe("changed", "changed.csv", False, schema=SCHEMA),
        "deletedData": pipe("gone", "gone.csv"),
        "outputTmp": pipe("tmp", "tmp"),
    }
    written("incr.json", conf)
    before = entities("output")
    said = zingg("runIncremental", "incr.json")
    assert "records: 1 changed, 1 deleted" in said
    assert "1 ids to delete are not in the state" in said
    after = entities("output")
    assert gone not in after
    assert after[moved] == after[left] != after[stays]
    assert before[stays] in (after[left], after[stays])
    untouched = before.keys() - {moved, stays, gone, left}
    assert {key: after[key] for key in untouched} == {key: before[key] for key in untouched}
    assert {row["rec_id"] for row in rows_of("tmp")} == {moved, left, stays}
    # As if all records had come together.
    names = ("z_minScore", "z_maxScore", *COLUMNS)
    found = [[row[name] for name in names] for row in rows_of("output")]
    write(Path("all.csv"), [row[2:] for row in found])
    shutil.copytree("models/100/model", "models/all/model")
    data = [pipe("all", "all.csv", False, schema=SCHEMA)]
    written(
        "all.json", {**read_json("config.json"), "modelId": "all", "data": data, "output": [pipe("o", "all")]}
    )
    zingg("match", "all.json")
    assert [[row[name] for name in names] for row in rows_of("all")] == found
    assert grouped(entities("all")) == grouped(after)
    (row,) = [row for row in rows_of("output") if row["rec_id"] == moved]
    assert [row[name] for name in COLUMNS] == [moved, *other[1:]]
    # Nothing to bring in changes nothing.
    Path("changed.csv").write_text("")
    written("incr.json", {**conf, "deletedData": []})
    assert "as it was" in zingg("runIncremental", "incr.json")


def test_matched_anew_entities_keep_their_ids_and_decisions(after_match, zingg, capsys):
    pair = min(sorted(group) for group in grouped(entities("output")) if len(group) == 2)
    assert main(["decide", "models/100/state", "--different", *pair, "-q"]) == 0
    capsys.readouterr()
    zingg("runIncremental", "incr.json")
    before = entities("output")
    assert before[pair[0]] != before[pair[1]]
    # They match as before, and it says nothing of their entities.
    alone = [entity for entity, records in Counter(before.values()).items() if records == 1]
    for row in rows_of("output"):
        if row["rec_id"] in pair:
            assert (row["z_maxScore"] == "") == (row["ZINGG_ID"] in alone)
    data = read_json("config.json")
    written("config.json", {**data, "output": [pipe("output", "output", mode="overwrite")]})
    said = zingg("trainMatch", "config.json")
    came = len(read_csv("data/customers_delta.csv"))
    assert f"{came} records that were there are not in data" in said
    after = entities("output")
    assert f"{len(after)} records in {len(set(after.values()))} entities" in said
    assert len(after) == len(before) - came
    assert after[pair[0]] != after[pair[1]]
    same = sum(before[key] == entity for key, entity in after.items())
    assert same >= 0.95 * len(after)
    # It goes on from there.
    assert "new" in zingg("runIncremental", "incr.json")
    assert len(rows_of("output")) == len(before)


def test_matched_anew_other_records_are_other_entities(after_match, zingg):
    before = entities("output")
    write(Path("data/customers.csv"), [[f"new-{row[0]}", *row[1:]] for row in read_csv("data/customers.csv")])
    written(
        "config.json", {**read_json("config.json"), "output": [pipe("output", "output", mode="overwrite")]}
    )
    said = zingg("match", "config.json")
    assert "go on with their ids" not in said
    after = entities("output")
    assert len(after) == len(before)
    assert {*after.values()}.isdisjoint(before.values())


def test_a_difference_names_the_records_that_are_with_others(after_match, zingg):
    data = read_json("config.json")
    shutil.copytree("models/100", "models/200")
    written("new.json", {**data, "modelId": 200, "output": [pipe("o", "new")]})
    Path("gone.csv").write_text("rec_id\n" + next(iter(sorted(entities("output")))) + "\n")
    written(
        "incr2.json",
        {
            "config": "new.json",
            "incrementalData": [pipe("delta", "data/customers_delta.csv", False, schema=SCHEMA)],
            "deletedData": [pipe("gone", "gone.csv")],
        },
    )
    zingg("runIncremental", "incr2.json")
    was, now = entities("output"), entities("new")
    written("diff.json", {"config": "new.json", "transformedOutputPath": pipe("diff", "diff")})
    said = zingg("diff", "diff.json", "--compareTo", "config.json")
    assert f"entities: {len(set(was.values())):,} before, {len(set(now.values())):,} now" in said
    groups_was, groups_now = grouped(was), grouped(now)
    expected = [
        {"rec_id": key, "ZINGG_ID_UPDATED": now.get(key, ""), "ZINGG_ID_ORIGINAL": was.get(key, "")}
        for key in sorted({*was, *now})
        if next((group for group in groups_was if key in group), None)
        != next((group for group in groups_now if key in group), None)
    ]
    assert expected
    assert rows_of("diff") == expected
    # The other way round the ids of 200 go on in 100.
    written("config.json", {**data, "output": [pipe("output", "output", mode="overwrite")]})
    said = zingg("reassignZinggId", "config.json", "--originalZinggId", "new.json")
    assert "with the ids of models/200/state" in said
    assert entities("output").keys() == was.keys()
    assert all(
        now[key] == entity
        for key, entity in entities("output").items()
        if key in now and was[key] == now[key]
    )


def test_lookups_find_what_updates_join(after_match, zingg):
    # Without the columns that nobody knows of them, and in another order.
    delta = read_csv("data/customers_delta.csv")
    known = read_csv("data/customers.csv")[:3]
    asked = [["ssn", "rec_id", "lname", "fname", "add1", "dob", "extra"]]
    asked += [[row[10], row[0], row[2], row[1], row[4], row[9], "x"] for row in [*delta, *known]]
    write(Path("look.csv"), asked)
    written(
        "look.json",
        {
            "config": "config.json",
            "lookupData": [pipe("look", "look.csv")],
            "lookupOutput": [pipe("found", "found")],
        },
    )
    before = entities("output")
    said = zingg("runLookup", "look.json")
    assert f"{len(asked) - 1} records looked up among {len(before)}: 3 are there already" in said
    rows = rows_of("found")
    assert list(rows[0]) == ["ZINGG_ID", "z_score", *asked[0]]
    assert [[row[name] for name in asked[0]] for row in rows] == asked[1:]
    assert [(row["ZINGG_ID"], row["z_score"]) for row in rows[-3:]] == [
        (before[row[0]], "1.0") for row in known
    ]
    lookup = Lookup(open_state("models/100/state"))
    for row, values in zip(rows, delta, strict=False):
        names = ("fname", "lname", "add1", "dob", "ssn")
        near = lookup.find({name: values[COLUMNS.index(name)] for name in names})
        expected = near[0].entity if near and near[0].matches else ""
        assert row["ZINGG_ID"] == expected
        assert bool(row["z_score"]) == bool(expected)
    found = [row for row in rows[:-3] if row["ZINGG_ID"]]
    assert len(found) > 10
    # Whoever is found is of that person; and nothing is brought in.
    of_person = {person(key): entity for key, entity in before.items()}
    assert all(of_person[person(row["rec_id"])] == row["ZINGG_ID"] for row in found)
    assert open_state("models/100/state").number == 1


# keys


def people_with(keys, extra=()):
    rows = customers(60, 9)[: len(keys)]
    return [[key, *row[1:]] for key, row in zip(keys, rows, strict=True)]


def test_any_text_is_a_key_and_what_is_none_is_set_aside(zingg):
    odd = [
        "007",
        "7",
        " 7",
        "7 ",
        'a"b',
        "a,b",
        "x~2",
        "x",
        "#1",
        "é",
        "日本",
        "'",
        "null",
        "-",
        "a:b",
        "\\n",
        "NA",
        "e1-0",
    ]
    keys = [*odd, *map(str, range(100, 130)), "", "7", "   ", "tab\there"]
    rows = people_with(keys)
    table = pa.table({name: [row[at] for row in rows] for at, name in enumerate(COLUMNS)})
    parquet.write_table(table, "customers.parquet")
    customers_pipe = {"name": "customers", "format": "parquet", "props": {"path": "customers.parquet"}}
    data = {
        "modelId": 100,
        "zinggDir": "models",
        "data": [customers_pipe],
        "output": [{**customers_pipe, "props": {"path": "output"}}],
        "fieldDefinition": fields(),
    }
    written("config.json", data)
    said = zingg("trainMatch", "config.json")
    assert parquet.read_table("output")["rec_id"].to_pylist() == sorted(keys[:-4], key=str.encode)
    assert "4 records were set aside for the primary key" in said
    assert f"customers.parquet record {len(keys) - 3}: no rec_id" in said
    lines = Path("models/100/rejected/keys-rejected.jsonl").read_text().splitlines()
    aside = [json.loads(line) for line in lines]
    assert [each["reason"] for each in aside] == [
        "no rec_id",
        "rec_id of a record before: 7",
        "no rec_id",
        "a control character in rec_id",
    ]
    assert [each["line_number"] for each in aside] == [len(keys) - 3 + number for number in range(4)]
    written("incr.json", {"config": "config.json", "incrementalData": customers_pipe})
    assert f"records: {len(keys) - 4} unchanged" in zingg("runIncremental", "incr.json")


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=2, unique=True))
def test_keys_of_several_fields_are_never_taken_for_each_other(values):
    texts = [[text.replace("\0", " ") for text in pair] for pair in values]
    batch = pa.record_batch({"a": [a for a, _ in texts], "b": [b for _, b in texts]})
    keys = keys_of(batch, ["a", "b"])
    there = [key for key in keys if key]
    assert len({*there}) == len({tuple(pair) for pair in texts if all(map(str.strip, pair))})
    assert [values_of(key, ["a", "b"]) for key in there] == [
        pair for pair in texts if all(map(str.strip, pair))
    ]


def test_several_fields_identify_a_record(after_match, zingg):
    rows = [["crm" if number % 2 else "shop", *row] for number, row in enumerate(customers(40, 2))]
    for number, row in enumerate(rows):
        row[1] = str(number // 2)
    write(Path("both.csv"), [["source", *COLUMNS], *rows])
    source = {"fieldName": "source", "dataType": "string", "matchType": "DONT_USE", "primaryKey": True}
    written(
        "two.json",
        {
            "modelId": "two",
            "data": [pipe("both", "both.csv")],
            "output": [pipe("output", "two")],
            "fieldDefinition": [*fields(), source],
        },
    )
    zingg("trainMatch", "two.json")
    found = rows_of("two")
    assert sorted((row["rec_id"], row["source"]) for row in found) == sorted((row[1], row[0]) for row in rows)
    shutil.copytree("zingg/two", "zingg/other")
    written("other.json", {**read_json("two.json"), "modelId": "other", "output": []})
    Path("gone.csv").write_text("source,rec_id\ncrm,0\n")
    written("incr.json", {"config": "two.json", "deletedData": pipe("gone", "gone.csv")})
    assert "1 deleted" in zingg("runIncremental", "incr.json")
    written("diff.json", {"config": "two.json", "transformedOutputPath": pipe("d", "diff")})
    zingg("diff", "diff.json", "--compareTo", "other.json")
    ids = {(row["rec_id"], row["source"]): row["ZINGG_ID"] for row in found}
    diffed = {(row["rec_id"], row["source"]): row for row in rows_of("diff")}
    assert diffed["0", "crm"] == {
        "rec_id": "0",
        "source": "crm",
        "ZINGG_ID_UPDATED": "",
        "ZINGG_ID_ORIGINAL": ids["0", "crm"],
    }


# rows of any type

VALUES = {
    "string": st.text(st.characters(exclude_categories=["Cs"])),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False),
    "float": st.floats(allow_nan=False, width=32),
    "boolean": st.booleans(),
    "date": st.dates(),
    "timestamp": st.datetimes(timezones=st.just(timezone.utc)),
    "timestamp_ntz": st.datetimes(),
    "binary": st.binary(),
    "decimal(8,2)": st.decimals(-999999, 999999, places=2),
}


@given(st.lists(st.tuples(*(st.none() | each for each in VALUES.values())), min_size=1, max_size=5))
def test_rows_of_any_type_come_back_as_they_were(rows):
    kept = KeptRows([Column(f"a {name} `", name) for name in VALUES])
    columns = [list(column) for column in zip(*rows, strict=True)]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, kept.schema, strict=True)]
    batch = pa.RecordBatch.from_arrays(arrays, schema=kept.schema)
    found = KeptRows.in_columns(["z_zid", "name", kept.column])
    assert found.columns == kept.columns
    assert found.batch(kept.texts(batch).to_pylist()).equals(batch)


def test_types_and_columns_that_are_not_compared_last(here, zingg):
    rows = customers(40, 4)
    table = {name: [row[at] for row in rows] for at, name in enumerate(COLUMNS)}
    number = pa.array(range(len(rows)), pa.int64())
    more = {
        "rec_id": number,
        "born": pa.array([date(1990, 1, 1 + at % 28) for at in range(len(rows))]),
        "seen": pa.array([datetime(2020, 1, 1, 8, 30, 0, at, timezone.utc) for at in range(len(rows))]),
        "paid": pa.array(
            [Decimal(f"{at}.50") if at % 3 else None for at in range(len(rows))], pa.decimal128(8, 2)
        ),
        "note": pa.array(["" if at % 2 else None for at in range(len(rows))], pa.string()),
        "raw": pa.array([bytes([at]) for at in range(len(rows))]),
    }
    all_rows = pa.table({**table, **more})
    parquet.write_table(all_rows.slice(0, 30), "first.parquet")
    parquet.write_table(all_rows.slice(30).select([*reversed(all_rows.column_names)]), "later.parquet")
    out = {"name": "out", "format": "parquet", "props": {"path": "out"}}
    written(
        "config.json",
        {
            "modelId": 1,
            "zinggDir": "models",
            "data": [{"name": "first", "format": "parquet", "props": {"path": "first.parquet"}}],
            "output": [out],
            "fieldDefinition": fields(rec_id={"dataType": "long"}),
        },
    )
    later = {"name": "later", "format": "parquet", "props": {"path": "later.parquet"}}
    written("incr.json", {"config": "config.json", "incrementalData": later})
    zingg("trainMatch", "config.json")
    zingg("runIncremental", "incr.json")
    found = parquet.read_table("out").sort_by("rec_id").drop_columns(FRONT)
    assert found.equals(all_rows.select(found.column_names))
    assert set(found.column_names) == set(all_rows.column_names)
    # An earlier result is read as data: its own columns are made anew.
    parquet.write_table(
        parquet.read_table("out").slice(0, 3).append_column("new", pa.array([1, 2, 3])), "later.parquet"
    )
    said = zingg("runIncremental", "incr.json")
    assert "records: 3 unchanged" in said
    assert "have no such column: new" in said
    earlier = {"name": "earlier", "format": "parquet", "props": {"path": "out"}}
    output = [{**earlier, "props": {"path": "again"}}]
    written("again.json", {**read_json("config.json"), "modelId": 2, "data": [earlier], "output": output})
    zingg("trainMatch", "again.json")
    assert parquet.read_table("again").sort_by("rec_id").drop_columns(FRONT).equals(found)


# configurations that name another


def test_a_configuration_is_found_where_it_is_named(here, monkeypatch):
    folder = here / "conf"
    folder.mkdir()
    field = {"fieldName": "id", "dataType": "string", "matchType": "FUZZY", "primaryKey": True}
    base = {"data": [pipe("x", "$PLACE$")], "fieldDefinition": [field], "modelId": "7"}
    written(folder / "config.json", base)
    written(folder / "incr.json", {"config": "config.json", "incrementalData": pipe("y", "y.csv")})
    monkeypatch.setenv("PLACE", "x.csv")
    found = read_configuration_file("conf/incr.json", {"PLACE": "x.csv"})
    assert (found.model_id, found.primary_key) == ("7", ("id",))
    assert found.data[0].props["path"] == "x.csv"
    assert [each.name for each in found.more["incrementalData"]] == ["y"]
    # One list or one pipe is the same; and one of this folder comes first.
    written("config.json", {**base, "modelId": "8"})
    written(folder / "incr.json", {"config": "config.json", "incrementalData": [pipe("y", "y.csv")]})
    again = read_configuration_file("conf/incr.json", {"PLACE": "x.csv"})
    assert (again.model_id, again.more) == ("8", found.more)
    assert read({"config": {**base, "modelId": "9"}}, "Arguments").model_id == "9"


def test_all_mistakes_of_a_configuration_that_names_another_are_told(here):
    with pytest.raises(MistakesError) as raised:
        read({"config": "none.json", "incrementalDate": [], "outputTmp": [{"format": "csv"}, 3]}, "incr.json")
    told = str(raised.value)
    assert 'incr.json: unknown key "incrementalDate".\n  Did you mean "incrementalData"?' in told
    assert "incr.json outputTmp[0]: it has no name." in told
    assert "incr.json outputTmp[1]: 3 cannot be used" in told
    with pytest.raises(MistakesError, match=r"none.json: cannot be read"):
        read({"config": "none.json"}, "incr.json")
    with pytest.raises(MistakesError, match="3 names no file"):
        read({"config": 3}, "incr.json")


@pytest.mark.parametrize(
    ("key", "value"),
    [("deterministicMatching", []), ("passthroughExpr", "a = 1"), ("blockingModel", "WIDER")],
)
def test_what_is_not_built_and_what_is_not_needed_is_told(here, key, value):
    field = {"fieldName": "id", "dataType": "string", "matchType": "FUZZY"}
    data = {"data": [pipe("x", "x.csv")], "fieldDefinition": [field], key: value}
    if key == "blockingModel":
        assert key in "".join(read(data, "c.json").notices)
    else:
        with pytest.raises(MistakesError, match=f'"{key}" is not built'):
            read(data, "c.json")


def test_what_is_wrong_is_told_before_anything_is_done(after_match, zingg, refused):
    config = read_json("config.json")
    delta = pipe("delta", "data/customers_delta.csv", False, schema=SCHEMA)

    def conf(parent, **more):
        written("parent.json", parent)
        written("bad.json", {"config": "parent.json", "incrementalData": delta, **more})
        return "bad.json"

    plain = [{key: value for key, value in each.items() if key != "primaryKey"} for each in fields()]
    said = refused("runIncremental", conf({**config, "fieldDefinition": plain}))
    assert "no field is the primary key" in said
    assert '"primaryKey": true' in said
    said = refused("runIncremental", conf({**config, "modelId": "none"}))
    assert "models/none/state: there are no entities of the model none yet" in said
    assert "--phase trainMatch" in said
    assert "no pipe says which records to bring in" in refused("runIncremental", "config.json")
    exact = fields(lname={"matchType": "EXACT"})
    assert "compares other columns" in refused("runIncremental", conf({**config, "fieldDefinition": exact}))
    assert "compares other columns" in refused(
        "runIncremental", conf({**config, "fieldDefinition": fields()[:-1]})
    )
    Path("gone.csv").write_text("rec_id\n" + read_csv("data/customers_delta.csv")[0][0] + "\n")
    said = refused("runIncremental", conf(config, deletedData=pipe("gone", "gone.csv")))
    assert "bad.json deletedData[0]: 1 records are also among the new ones" in said
    typed = {**delta, "schema": SCHEMA.replace("areacode string", "areacode long")}
    said = refused("runIncremental", conf(config, incrementalData=typed))
    assert 'the column "areacode" is long in pipe "delta", and string in the records that are there' in said
    missing = {**delta, "props": {"path": "none.csv"}}
    assert "none.csv" in refused("runIncremental", conf(config, incrementalData=missing))
    Path("taken").mkdir()
    Path("taken/mine.txt").write_text("x")
    taken = {**pipe("tmp", "taken"), "mode": "overwrite"}
    assert "holds what no run has written" in refused("runIncremental", conf(config, outputTmp=taken))
    assert "--compareTo: no configuration is named" in refused("diff", "config.json")
    assert "--originalZinggId: no configuration is named" in refused("reassignZinggId", "config.json")
    conf({**config, "modelId": "none"})
    assert "models/none/state" in refused("diff", "config.json", "--compareTo", "parent.json")
    assert "lookupData: no pipe is named" in refused("runLookup", "incr.json")
    assert "no entity e9-none" in refused(
        "explain", conf(config, explainOutput=pipe("why", "why")), "--zinggid", "e9-none"
    )
    assert "the result has no ZINGG_ID 3" in refused("explain", "config.json", "--cluster", "3")
    write(Path("look.csv"), [["nothing"], ["x"]])
    look = {"lookupData": pipe("look", "look.csv"), "lookupOutput": pipe("found", "found")}
    assert "has no column that is compared" in refused("runLookup", conf(config, **look))


def test_a_model_that_was_learnt_anew_is_told(after_match, zingg, refused):
    # Another half of the records is another model.
    write(Path("data/customers.csv"), read_csv("data/customers.csv")[::2])
    zingg("train", "config.json")
    said = refused("runIncremental", "incr.json")
    assert "is another one than that which made the entities" in said
    assert "trainMatch" in said


def test_what_others_keep_is_not_replaced(after_match, zingg, refused):
    """With mode append a result takes the place of one of the same model, and of nothing else."""
    other = Path("output/part-00000-pehchan-7.csv")
    other.write_text("x\n")
    said = refused("runIncremental", "incr.json")
    assert "mode append would add it a second time" in said
    assert other.exists()
    other.unlink()
    zingg("runIncremental", "incr.json")
    assert len(list(Path("output").glob("part-*"))) == 1


def test_states_of_other_commands_are_told(after_match, refused, capsys):
    shutil.rmtree("models/100/state")
    write(Path("with_header.csv"), [list(COLUMNS), *read_csv("data/customers.csv")])
    assert main(["match", "with_header.csv", "-o", "out", "--state", "models/100/state", "-q"]) == 0
    capsys.readouterr()
    assert "keeps no whole rows" in refused("runIncremental", "incr.json")
