"""Why two records are as far apart as they are: what is told adds up to what the run found."""

import csv
import itertools
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from people import NAMES, people

from pehchan.console.explaining import all_distances, distances, explain
from pehchan.console.output import record_folders, tagged_lines
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import read_native
from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings
from pehchan.metadata.records import Records
from pehchan.mrjobs.learnt import model_of
from pehchan.mrjobs.places import place
from pehchan.mrjobs.wire import RECORDS

FIELDS = {
    "last name": {"measure": "jaro-winkler", "missing": "skip", "weight": 3},
    "street": {"measure": "edit", "tokens": False, "curve": {"nonLinear": 2}},
    "city": {"measure": "levenshtein"},
    "phone": {"measure": "levenshtein", "weight": 2, "missing": "skip"},
}


def plan_of(**schema):
    mistakes = Mistakes()
    given = {"columns": [*FIELDS], "fields": FIELDS, "cutoff": 300, **schema}
    made = read_native(given, "test", mistakes)
    mistakes.raise_if_any()
    return Plan(made, Settings(), 300)


def records():
    columns, _, _ = people(40, seed=5)
    by_name = dict(zip(NAMES, columns, strict=True))
    return [list(row) for row in zip(*(by_name[name] for name in FIELDS), strict=True)]


def every_two(number):
    return tuple(
        np.array(side, dtype=np.int64) for side in zip(*itertools.combinations(range(number), 2), strict=True)
    )


@pytest.mark.parametrize("aggregation", ["manhattan", "euclidean", {"minkowski": 3}])
def test_shares_add_up_to_the_distance(aggregation):
    plan, rows = plan_of(aggregate=aggregation), records()
    i, j = every_two(len(rows))
    found = explain(plan, rows, i, j)
    missing = 0
    for k in range(len(i)):
        why = found.why(k)
        assert why.distance == math.trunc(round(why.total, 6))
        assert [part.name for part in why.parts] == list(FIELDS)
        for part, a, b in zip(why.parts, rows[i[k]], rows[j[k]], strict=True):
            assert (part.distance is None) == (not a or not b)
            if part.distance is None:
                missing += 1
                assert part.said.startswith("missing")
                assert part.share >= 0
                assert (part.share == 0) == ("not counted" in part.said)
            elif a == b:
                assert part.distance == part.share == 0
    assert missing


def test_a_pair_that_a_threshold_cuts_has_no_distance_and_says_why():
    fields = {**FIELDS, "city": {"measure": "levenshtein", "threshold": 0.4}}
    plan, rows = plan_of(fields=fields), records()
    i, j = every_two(len(rows))
    found = explain(plan, rows, i, j)
    plain = explain(plan_of(), rows, i, j)
    cut = 0
    for k in range(len(i)):
        beyond = plain.why(k).parts[2].distance is None or plain.why(k).parts[2].distance > 0.4
        assert (found.why(k).distance is None) == beyond
        assert (found.why(k).parts[2].said.endswith("beyond its 0.4")) == beyond
        cut += beyond
    assert 0 < cut < len(i)


def test_missing_values_may_count_as_the_field_before():
    plan = plan_of()
    # Only sifarish's form can say so.
    fields = [replace(f, missing="previous") if f.name == "city" else f for f in plan.schema.fields]
    plan = replace(plan, schema=replace(plan.schema, fields=tuple(fields)))
    why = explain(plan, [["a", "xyz", "", "1"], ["a", "xyw", "b", "1"]], np.array([0]), np.array([1])).why(0)
    assert why.parts[2].said == "missing, counts as the field before"
    assert why.distance == math.trunc(why.total)


@pytest.mark.parametrize("compat", [False, True])
def test_every_two_are_as_far_apart_as_listed_pairs(compat):
    plan, rows = plan_of(), records()
    plan = Plan(plan.schema, Settings(compat=compat), 300)
    columns = [list(column) for column in zip(*rows, strict=True)]
    i, j, apart = all_distances(plan, columns)
    assert (apart == distances(plan, columns, i, j)).all()
    # Whatever the order of the pairs.
    some = np.random.default_rng(1).permutation(len(i))[:100]
    assert (distances(plan, columns, i[some], j[some]) == apart[some]).all()


@pytest.fixture(scope="module")
def matched(tmp_path_factory):
    """A folder with people.csv and the output of a match, and of a dedupe."""
    from pehchan.console.command import main

    folder = tmp_path_factory.mktemp("explained")
    columns, ids, _ = people(150, seed=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with open("people.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["id", *NAMES], *zip(ids, *columns, strict=True)])
        Path("s.yaml").write_text(
            "id: id\nfields: {last name: edit, phone: {measure: levenshtein, threshold: 0.9}}\ncutoff: 150\n"
        )
        assert main(["match", "people.csv", "-o", "matched", "-q"]) == 0
        assert main(["dedupe", "people.csv", "-s", "s.yaml", "-o", "out", "-q"]) == 0
    return folder


@pytest.fixture
def in_folder(matched, monkeypatch):
    monkeypatch.chdir(matched)


def test_log_odds_of_the_fields_add_up_to_those_of_the_model(in_folder):
    plan = Plan.from_dict(orjson.loads(Path("matched/internal/plan.json").read_bytes()))
    rows = [
        [record.items[field.ordinal] for field in plan.schema.fields]
        for tag, payload in tagged_lines(record_folders(place("matched"), plan))
        if tag == RECORDS
        for record in Records.decode(payload)
    ][:60]
    i, j = every_two(len(rows))
    found = explain(plan, rows, i, j)
    model = model_of(plan)
    from pehchan.console.explaining import table_of

    columns = [list(column) for column in zip(*rows, strict=True)]
    log_odds = model.log_odds(table_of(plan, model, columns), i, j) - model.threshold
    totals = np.array([found.why(k).total for k in range(len(i))])
    assert np.allclose(totals, log_odds, atol=1e-9)
    assert found.why(0).parts[0].name == "to begin with"
    assert not any(found.why(k).said for k in range(len(i)))


def some_pair(out):
    lines = [line for part in Path(out, "pairs").glob("part-*") for line in part.read_text().splitlines()]
    return sorted(line.split(",") for line in lines)[0]


def test_two_records_are_told_apart_on_the_terminal(called, in_folder):
    a, b, distance = some_pair("out")
    code, out, err = called("explain", "out", a, b)
    assert (code, err) == (0, "")
    assert f"{a} and {b}: {distance} apart, within the cutoff (150 of 1,000); in one cluster, {a}\n" in out
    for name in ("last name", "phone"):
        assert name in out
    code, swapped, _ = called("explain", "out", b, a)
    assert code == 0
    assert f"{b} and {a}: {distance} apart" in swapped


def test_one_record_is_shown_with_all_that_it_has_a_pair_with(called, in_folder):
    a, b, probability, _ = some_pair("matched")
    code, out, _ = called("explain", "matched", a)
    assert code == 0
    assert out.startswith(f"{a}: 1 pair:\n")
    assert f"{a} and {b}: +" in out
    assert f"(probability {float(probability):.4f})" in out
    paired = {record for line in Path("out/pairs").glob("part-*") for record in line.read_text().split(",")}
    lonely = next(f"r{k}" for k in range(150) if not any(f"r{k}" in each.split() for each in paired))
    code, out, _ = called("explain", "out", lonely)
    assert code == 0
    assert out == f"{lonely}: has no pair at or under 150.\n"


def test_strangers_are_beyond_the_cutoff_or_a_threshold(called, in_folder):
    code, out, _ = called("explain", "out", "r0", "r9")
    assert code == 0
    assert "beyond" in out
    assert "in two clusters" in out


def test_wrong_ids_are_named(called, in_folder):
    code, _, err = called("explain", "out", "r0", "nobody")
    assert code == 2
    assert "nobody: no record of out has this id.\n  Give one as clusters/ has it." in err
    assert called("explain", "out", "r0", "r1", "r2")[0] == 2
    assert called("explain", "people.csv", "r0")[0] == 2


def test_of_two_sets_an_id_may_need_its_set(called, in_folder, tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("id,last name,phone\n1,Lee,12345\n2,Ray,99887\n")
    out = tmp_path / "out"
    assert called("link", tmp_path / "a.csv", tmp_path / "b.csv", "-s", "s.yaml", "-o", out)[0] == 0
    code, _, err = called("explain", out, "1")
    assert code == 2
    assert "1: several sets have a record with this id.\n  Give a:1 or b:1." in err
    code, said, _ = called("explain", out, "a:1", "b:1")
    assert code == 0
    assert "a:1 and b:1: 0 apart" in said


def test_a_state_says_of_its_records_what_the_output_of_its_run_says(called, in_folder):
    for command, more in (("dedupe", ["-s", "s.yaml"]), ("match", [])):
        out, state = f"{command}-out", f"{command}-state"
        assert called(command, "people.csv", *more, "-o", out, "--state", state, "-q")[0] == 0
        lines = [row for part in Path(out, "pairs").glob("part-*") for row in part.read_text().splitlines()]
        asked = [line.split(",")[:2] for line in sorted(lines)[:8]]
        for ids in (*asked, *([one] for one, _ in asked), ["r0", "r9"]):
            said, by_state = called("explain", out, *ids), called("explain", state, *ids)
            # The same, but for the names of clusters.
            told = [" ".join(text.split()) for text in (said[1], by_state[1])]
            told[1] = told[1].replace("in two entities", "in two clusters")
            named = [re.sub(r"in one (cluster|entity), \S*", "in one", text) for text in told]
            assert said[0] == by_state[0] == 0, by_state[2]
            assert named[0] == named[1] != ""


def test_a_state_tells_what_came_went_and_was_decided(called, in_folder):
    Path("base.csv").write_text("id,last name,phone\n1,Leemann,12345\n2,Leemanns,12345\n3,Raymond,99887\n")
    Path("more.csv").write_text("id,last name,phone\n2,Raymonds,99887\n4,Leemann,12345\n")
    Path("gone").write_text("3\n")
    assert called("dedupe", "base.csv", "-s", "s.yaml", "-o", "few", "--state", "kept", "-q")[0] == 0
    assert called("update", "kept", "more.csv", "-q")[0] == 0
    entries = map(json.loads, called("history", "kept", "4", "--json")[1].splitlines())
    entity = next(entry["entity"] for entry in entries if "4" in entry.get("came", ()))
    said = " ".join(called("explain", "kept", "1", "4")[1].split())
    assert f"1 and 4: 0 apart, within the cutoff (150 of 1,000); in one entity, {entity} " in said
    # 2 is another than it was, and 1 has no pair with it any more; it had one.
    assert called("explain", "kept", "1")[1].startswith("1: 1 pair:\n")
    assert "1 and 2" in called("explain", "kept@1", "1")[1]
    assert called("update", "kept", "--deleted", "gone", "-q")[0] == 0
    assert called("explain", "kept@2", "2")[1].startswith("2: 1 pair:\n")
    assert called("explain", "kept", "2")[1].startswith("2: has no pair")
    code, _, err = called("explain", "kept", "2", "3")
    assert code == 2
    assert "3: no record of" in err
    assert called("decide", "kept", "--different", "1", "4", "-q")[0] == 0
    said = " ".join(called("explain", "kept", "4", "1")[1].split())
    assert "4 and 1: 0 apart, within the cutoff (150 of 1,000); decided: different; in two entities" in said
