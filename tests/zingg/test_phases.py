"""The phases, from configurations as Zingg's users have them to the rows that they read."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from made_up_persons import NAMES, persons

from pehchan.main import main
from pehchan.zingg.match_types import MATCH_TYPES
from pehchan.zingg.training_data import TrainingData

COLUMNS = ("id", "fname", "lname", "stNo", "add1", "add2", "city", "areacode", "state", "dob", "ssn")
SCHEMA = ", ".join(f"{name} string" for name in COLUMNS)
COUNT, TWICE = 160, 50


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def zingg(capsys):
    """Run a phase, which is to go well; what it says on stdout, and what on stderr."""

    def run(phase, conf="conf.json", *more):
        code = main(["zingg", "--phase", phase, "--conf", conf, "-q", *more])
        out, err = capsys.readouterr()
        assert code == 0, err
        return out, err

    return run


@pytest.fixture
def refused(capsys):
    """Run a phase, which is to end with exit code 2, before anything is done; what it says."""

    def run(phase, conf="conf.json", *more):
        before = sorted(Path().rglob("*"))
        code = main(["zingg", "--phase", phase, "--conf", conf, "-q", *more])
        out, err = capsys.readouterr()
        assert (code, out) == (2, ""), err
        assert err.rstrip().endswith("nothing was run.")
        assert sorted(Path().rglob("*")) == before
        return err

    return run


def pipe(name, path, schema=None, **more):
    made = {"name": name, "format": "csv", "props": {"location": str(path), "delimiter": ",", "header": True}}
    return {**made, **({"schema": schema} if schema else {}), **more}


def febrl(folder, data, **more):
    """A configuration as Zingg's examples have it."""
    fields = [
        {
            "fieldName": name,
            "matchType": "dont_use" if name == "id" else "fuzzy",
            "fields": name,
            "dataType": "string",
        }
        for name in COLUMNS
    ]
    samples = pipe("training", folder / "labels.csv", f"z_cluster string, z_isMatch integer, {SCHEMA}")
    return {
        "fieldDefinition": fields,
        "data": [pipe("test", path, SCHEMA) for path in data],
        "trainingSamples": [samples],
        "output": [pipe("output", "out", mode="overwrite")],
        "modelId": 100,
        "zinggDir": "models",
        **more,
    }


def written(data, conf="conf.json"):
    Path(conf).write_text(json.dumps(data))


def rows_of(out="out"):
    return [row for part in sorted(Path(out).glob("part-*")) for row in csv.DictReader(part.open(newline=""))]


def content(out="out"):
    return b"".join(part.read_bytes() for part in sorted(Path(out).glob("part-*")))


def pairs_of(groups):
    return {frozenset(pair) for group in groups.values() for pair in combinations(group, 2)}


def clusters_of(rows, key="id"):
    groups = defaultdict(list)
    for row in rows:
        groups[row["z_cluster"]].append(row[key])
    return groups


def truth_of(folder):
    groups = defaultdict(list)
    with open(folder / "clusters.csv", newline="") as file:
        for row in csv.DictReader(file):
            groups[row["cluster"]].append(row["id"])
    return pairs_of(groups)


def f1(found, truth):
    return 2 * len(found & truth) / (len(found) + len(truth))


# with the record sets


def test_febrl_in_zinggs_words(zingg, record_sets):
    folder = record_sets / "zingg_febrl20k"
    written(febrl(folder, [folder / "records.csv"]))
    out, err = zingg("trainMatch", "conf.json", "--license", "abc", "--email=a@b.c")
    assert "--license (there is none to show); --email (nothing is sent anywhere)" in err
    assert "written to out" in out
    rows = rows_of()
    assert list(rows[0]) == ["z_minScore", "z_maxScore", "z_cluster", *COLUMNS]
    with open(folder / "records.csv", newline="") as file:
        assert [[row[name] for name in COLUMNS] for row in rows] == [*csv.reader(file)][1:]
    groups = clusters_of(rows)
    assert f1(pairs_of(groups), truth_of(folder)) >= 0.999
    # Clusters are numbered by their first records, and whoever is alone has no score.
    assert list(dict.fromkeys(row["z_cluster"] for row in rows)) == [*map(str, range(len(groups)))]
    for row in rows:
        alone = len(groups[row["z_cluster"]]) == 1
        assert (row["z_minScore"] == "") == (row["z_maxScore"] == "") == alone
        assert alone or 0 <= float(row["z_minScore"]) <= float(row["z_maxScore"]) <= 1
    before = content()
    out, _ = zingg("match")
    assert "Matched with the model that was there" in out
    assert content() == before
    out, _ = zingg("verifyBlocking")
    assert "The largest blocks:" in out


def test_the_same_bytes_with_another_hash_seed_and_language(zingg, record_sets):
    folder = record_sets / "zingg_febrl65"
    written(febrl(folder, [folder / "records.csv"]))
    zingg("trainMatch")
    before = content(), Path("models/100/model/model.json").read_bytes()
    shutil.rmtree("models")
    command = ["zingg", "--phase=trainMatch", "--conf=conf.json", "-q"]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    run = subprocess.run(
        [sys.executable, "-m", "pehchan.main", *command], env=environment, check=False, capture_output=True
    )
    assert run.returncode == 0, run.stderr
    assert (content(), Path("models/100/model/model.json").read_bytes()) == before
    assert f1(pairs_of(clusters_of(rows_of())), truth_of(folder)) >= 0.95


def test_link_of_two_halves(zingg, record_sets):
    folder = record_sets / "zingg_febrl20k"
    truth = truth_of(folder)
    with open(folder / "records.csv", newline="") as file:
        header, *records = csv.reader(file)
    several = {record for pair in truth for record in pair}
    # Of each entity one record in the first half; others that are in none but one.
    # Neither half holds two records of an entity.
    first = [row for row in records if row[0].endswith("-org") and row[0] in several][:600] + records[-1000:]
    first = [row for row in first if row[0].endswith("-org")]
    second = [row for row in records if row[0].endswith("-dup-0")]
    known = {row[0] for row in first}
    for name, rows in (("first.csv", first), ("second.csv", second)):
        with open(name, "w", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    data = febrl(folder, [])
    data["data"] = [pipe("first", "first.csv", SCHEMA), pipe("second", "second.csv", SCHEMA)]
    written(data)
    out, _ = zingg("link")
    rows = rows_of()
    assert list(rows[0]) == ["z_cluster", "z_score", *COLUMNS, "z_zsource"]
    others = {row[0] for row in second}
    wanted = {pair for pair in truth if len(pair & known) == 1 and len(pair & others) == 1}
    groups = clusters_of(rows)
    found = {pair for pair in pairs_of(groups) if len(pair & known) == 1}
    assert len(wanted) > 100
    assert f1(found, wanted) >= 0.99
    for cluster, group in groups.items():
        firsts = [row for row in rows if row["z_cluster"] == cluster and row["z_zsource"] == "first"]
        # A cluster is one of a record of the first, whose number it has, and some others.
        assert [row["id"] for row in firsts] == [first[int(cluster)][0]]
        assert len(group) > 1
    assert all(0.5 <= float(row["z_score"]) <= 1 for row in rows)
    assert f'{len(groups):,} of {len(first):,} records of "first" are linked with' in out


def test_questions_are_found_answered_and_learnt_from(zingg, record_sets):
    folder = record_sets / "zingg_febrl65"
    truth = truth_of(folder)
    data = febrl(folder, [folder / "records.csv"])
    del data["trainingSamples"]
    written(data)
    out, _ = zingg("findTrainingData")
    assert "20 pairs found" in out
    found = TrainingData(Path("models/100/trainingData"))
    (table,) = [found.read_unmarked()]
    assert table.column_names == [
        "z_zid",
        "z_cluster",
        "z_prediction",
        "z_score",
        "z_isMatch",
        *COLUMNS,
        "z_zsource",
    ]
    with open(folder / "records.csv", newline="") as file:
        records = [*csv.DictReader(file)]
    rows = table.to_pylist()
    for row in rows:
        record = records[row["z_zid"]]
        assert {name: row[name] or "" for name in COLUMNS} == record
        assert (row["z_isMatch"], row["z_zsource"]) == (-1, "test")
        assert row["z_prediction"] == (row["z_score"] >= 0.5)
    by_cluster = defaultdict(list)
    for row in rows:
        by_cluster[row["z_cluster"]].append(row["id"])
    assert [len(each) for each in by_cluster.values()] == [2] * 20
    # The same questions do not come again, answered or not.
    zingg("findTrainingData")
    again = found.read_unmarked().to_pylist()[40:]
    asked = pairs_of(by_cluster)
    assert again
    assert not asked & pairs_of(clusters_of(again))
    answers = [int(frozenset(by_cluster[row["z_cluster"]]) in truth) for row in rows]
    at = table.schema.get_field_index("z_isMatch")
    found.add_marked(table.set_column(at, "z_isMatch", pa.array(answers, pa.int32())))
    assert found.waiting().num_rows == len(again)
    out, _ = zingg("train")
    yes = sum(answers) // 2
    assert f"labels ({yes:,} match, {20 - yes:,} no match)" in out
    zingg("findTrainingData")
    everything = found.read_unmarked().to_pylist()
    assert len(pairs_of(clusters_of(everything))) * 2 == len(everything)


# of made-up people


def people():
    columns, same = persons(COUNT, TWICE, seed=21)
    return [[f"p{k}", *values] for k, values in enumerate(zip(*columns, strict=True))], {
        frozenset((f"p{a}", f"p{b}")) for a, b in same
    }


def of_people(**more):
    """A configuration of people.csv, which is written."""
    with open("people.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", *NAMES), *people()[0]])
    fields = [{"fieldName": name, "matchType": "FUZZY", "dataType": "string"} for name in NAMES]
    return {
        "fieldDefinition": fields,
        "data": [pipe("people", "people.csv")],
        "output": [pipe("out", "out", mode="overwrite")],
        "zinggDir": "models",
        **more,
    }


def test_without_labels_a_model_is_learnt_all_the_same(zingg):
    written(of_people())
    out, err = zingg("match")
    assert "There is no model in models/1/model yet; it is learnt now" in err
    assert "labels of 0 matches and 0 others" in err
    assert "pehchan zingg --conf conf.json --phase findAndLabel" in err
    rows = rows_of()
    # A column that no field names comes along, behind those of the fields.
    assert list(rows[0]) == ["z_minScore", "z_maxScore", "z_cluster", *NAMES, "id"]
    assert f1(pairs_of(clusters_of(rows)), people()[1]) > 0.9
    assert 'with "mode": "overwrite"' not in out


def test_every_match_type_on_every_data_type(zingg, folder):
    rows, same = people()
    number = {row[0]: k for k, row in enumerate(rows)}
    of_entity = {frozenset(pair): min(number[each] for each in pair) for pair in same}
    entity = {row[0]: k for k, row in enumerate(rows)}
    for pair, first in of_entity.items():
        for each in pair:
            entity[each] = min(first, entity[each])
    keys = [entity[row[0]] * 7919 % 100_003 for row in rows]
    values = {
        "string": pa.array([f"{row[2]} {key}-x@mail {key} gb" for row, key in zip(rows, keys, strict=True)]),
        "integer": pa.array(keys, pa.int32()),
        "long": pa.array([key * 10**6 + 1 for key in keys], pa.int64()),
        "double": pa.array([key / 7 for key in keys], pa.float64()),
        "float": pa.array([key / 8 for key in keys], pa.float32()),
        "date": pa.array([date(1900, 1, 1) + timedelta(days=key % 40_000) for key in keys]),
        "boolean": pa.array([key % 2 == 0 for key in keys]),
    }
    names = {kind: f"f_{kind}" for kind in values}
    ids = pa.array([row[0] for row in rows])
    Path("people").mkdir()
    parquet.write_table(
        pa.table({"id": ids, **{names[kind]: array for kind, array in values.items()}}),
        "people/part-0.parquet",
    )
    fields = [
        {
            "fieldName": names[kind],
            "dataType": kind,
            "matchType": ",".join(name for name, row in MATCH_TYPES.items() if row.compares(kind)),
        }
        for kind in values
    ]
    data = of_people(fieldDefinition=fields)
    data["data"] = [{"name": "people", "format": "parquet", "props": {"path": "people"}}]
    data["output"] = [{"name": "out", "format": "parquet", "props": {"path": "out"}}]
    written(data)
    zingg("trainMatch")
    learnt = json.loads(Path("models/1/model/model.json").read_text())["fields"]
    kinds = {each["name"]: each["kind"] for each in learnt}
    for kind in ("string", "integer", "long", "double", "float", "date", "boolean"):
        assert kinds[f"f_{kind} exact"] == "exact"
    assert (kinds["f_double fuzzy"], kinds["f_date fuzzy"]) == ("number", "date")
    assert kinds["f_string numeric"] == kinds["f_integer fuzzy"] == "digits"
    table = parquet.read_table("out")
    # Types come out as they came in.
    assert {kind: table.schema.field(name).type for kind, name in names.items()} == {
        kind: array.type for kind, array in values.items()
    }
    found = pairs_of(clusters_of(table.to_pylist()))
    assert f1(found, same) > 0.95


def test_one_decimal_number_links_records_that_nothing_else_does(zingg):
    """EXACT of doubles, of which Zingg makes nothing."""
    values = [*range(1, 201), *range(1, 61)]
    Path("numbers").mkdir()
    table = pa.table({"id": pa.array(range(len(values))), "x": pa.array([each / 7 for each in values])})
    parquet.write_table(table, "numbers/part-0.parquet")
    data = of_people(fieldDefinition=[{"fieldName": "x", "dataType": "double", "matchType": "EXACT"}])
    data["data"] = [{"name": "numbers", "format": "parquet", "props": {"path": "numbers"}}]
    written(data)
    zingg("trainMatch")
    groups = [each for each in clusters_of(rows_of()).values() if len(each) > 1]
    assert sorted(groups, key=lambda each: int(each[0])) == [[str(k), str(200 + k)] for k in range(60)]


def test_recommended_stop_words_are_those_of_a_large_share_of_all_words(zingg, refused):
    with open("people.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [["street"], *[[f"Main{k} street  the "] for k in range(8)], ["the end"], [""]]
        )
    field = {"fieldName": "street", "matchType": "FUZZY", "dataType": "string"}
    data = of_people(fieldDefinition=[field])
    with open("people.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["street"], *[[f"main{k} street  the "] for k in range(8)], ["the end"]])
    written(data)
    out, _ = zingg("recommend", "conf.json", "--column=street")
    # 9 and 8 of 26 words.
    assert rows_of("models/1/stopWords/street") == [
        {"z_stopword": "the", "z_count": "9"},
        {"z_stopword": "street", "z_count": "8"},
    ]
    assert '"stopWords": "models/1/stopWords/street"' in out
    field["stopWords"] = "models/1/stopWords/street"
    written({**data, "stopWordsCutoff": 0.33, "column": "street"})
    out, _ = zingg("recommend")
    assert [row["z_stopword"] for row in rows_of("models/1/stopWords/street")] == ["the"]
    written({**data, "stopWordsCutoff": 0.5, "column": "street"})
    out, _ = zingg("recommend")
    assert "No word is more than 0.5" in out
    assert 'no field "stret".\n  Give --column. Did you mean "street"?' in refused(
        "recommend", "conf.json", "--column", "stret"
    )


def test_several_pipes_are_numbered_through_and_may_be_linked_one_by_one(zingg, refused):
    rows, same = people()
    data = of_people()
    for number in range(3):
        with open(f"{number}.csv", "w", newline="", encoding="utf-8") as file:
            part = [row for k, row in enumerate(rows) if (k < COUNT - TWICE) == (number == 0) or number == 2]
            csv.writer(file).writerows([("id", *NAMES), *(part if number < 2 else rows[COUNT - TWICE :])])
    data["data"] = [pipe(f"p{number}", f"{number}.csv") for number in range(2)]
    written(data)
    zingg("match")
    assert f1(pairs_of(clusters_of(rows_of())), same) > 0.9
    written({**data, "data": data["data"][:1]})
    assert "link needs two pipes" in refused("link")


def test_what_each_field_says_adds_up(zingg, refused):
    written(of_people())
    more = ("--modelId", "7", "--zinggDir=elsewhere")
    zingg("trainMatch", "conf.json", *more, "--showConcise")
    assert Path("elsewhere/7/model/model.json").exists()
    assert not Path("models").exists()
    groups = clusters_of(rows_of())
    several = next(cluster for cluster, group in groups.items() if len(group) > 1)
    alone = [cluster for cluster, group in groups.items() if len(group) == 1][:2]
    for asked, together in ((several, True), (",".join(alone), False)):
        out, _ = zingg("explain", "conf.json", *more, "--cluster", asked)
        amounts = [
            float(line.split()[0])
            for line in out.splitlines()
            if line.startswith("  ") and line.split()[0][0] in "+-"
        ]
        *shares, total = amounts
        # Shares under 0.05 are not told.
        assert sum(shares) == pytest.approx(total, abs=0.1 * len(NAMES))
        assert (total > 0) == together
        likely = float(out.split("a match with a probability of ")[1].split()[0])
        assert (likely > 0.5) == together
        assert "phone" in out
    out, _ = zingg("explain", "conf.json", *more, "--cluster", alone[0])
    assert out == f"Cluster {alone[0]} is one record by itself.\n"
    assert "the result has no z_cluster 9999" in refused("explain", "conf.json", *more, "--cluster", "9999")
    assert "no z_cluster is named" in refused("explain", "conf.json", *more)
    field = {"fieldName": "first", "matchType": "FUZZY"}
    written(of_people(fieldDefinition=[field]))
    assert "which fieldDefinition does not" in refused("explain", "conf.json", *more, "--cluster", several)


def test_a_result_is_not_doubled(zingg, refused):
    written(of_people(output=[pipe("out", "out")]))
    out, _ = zingg("trainMatch")
    assert '(with "mode": "overwrite" in output, which replaces this result)' in out
    assert "would add it a second time" in refused("trainMatch")


# what is wrong


def test_bad_input(refused, zingg):
    data = of_people()
    written({**data, "data": [pipe("people", "none.csv")]})
    assert "there is no such file" in refused("trainMatch")
    field = {"fieldName": "Phone", "matchType": "FUZZY", "dataType": "string"}
    written({**data, "fieldDefinition": [*data["fieldDefinition"], field]})
    assert 'no column "Phone", which fieldDefinition names' in refused("trainMatch")
    written({**data, "trainingSamples": [pipe("samples", "people.csv")]})
    assert "training samples without a column z_cluster and without a column z_isMatch" in refused("train")
    written({k: v for k, v in data.items() if k != "output"})
    assert "no pipe says where the result goes" in refused("match")
    Path("empty.csv").write_text(",".join(NAMES) + "\n")
    written({**data, "data": [pipe("people", "empty.csv")]})
    assert "no records" in refused("trainMatch")
    written(data)
    assert 'unknown phase "trainmatsch".\n  Did you mean "trainMatch"?' in refused("trainmatsch")
    assert "approve is not built" in refused("approve")
    assert "model.json is not there" in refused("verifyBlocking")
    assert "no column is named" in refused("recommend")
    assert "whose files hadoop does not read" in refused("trainMatch", "conf.json", "-r", "hadoop")
    assert "no such runner" in refused("trainMatch", "conf.json", "-r", "sparkle")


def test_training_samples_without_rows_or_with_answers_that_do_not_agree(zingg):
    rows, same = people()
    header = ("z_cluster", "z_isMatch", *NAMES)
    data = of_people(trainingSamples=[pipe("samples", "samples.csv")])
    written(data)
    Path("samples.csv").write_text(",".join(header) + "\n")
    _, err = zingg("train")
    assert "labels of 0 matches and 0 others" in err
    by_id = {row[0]: row[1:] for row in rows}
    one, two = [sorted(pair) for pair in sorted(same, key=sorted)[:2]]
    lines = [
        *(["a", 1, *by_id[each]] for each in one),
        *(["b", answer, *by_id[each]] for answer, each in enumerate(two)),
        ["c", 1, *by_id[one[0]]],
        # Three rows are three pairs.
        *(["d", 0, *by_id[each]] for each in ("p0", "p1", "p2")),
        *(["e", -1, *by_id[each]] for each in ("p3", "p4")),
    ]
    with open("samples.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *lines])
    out, err = zingg("train")
    assert "1 z_cluster have rows with different z_isMatch" in err
    assert "1 z_cluster have one row" in err
    assert "labels (1 match, 3 no match)" in out


def test_rows_that_cannot_be_read_are_kept_and_told(zingg):
    written(of_people())
    with open("people.csv", "a") as file:
        file.write("p999,too,short\n")
    _, err = zingg("match")
    assert 'pipe "people": 1 row was set aside' in err
    assert "expected 6 columns, found 3" in err or "columns" in err
    (kept,) = Path("models/1/rejected").iterdir()
    assert "too" in kept.read_text()
    assert len(rows_of()) == len(people()[0])


def test_help_needs_no_library_of_the_extra():
    code = "import sys; from pehchan.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "sys.exit(any(name in sys.modules for name in ('pyarrow', 'pandas', 'sqlalchemy')))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "zingg" in run.stdout
