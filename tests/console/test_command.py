"""The command as a person calls it: what it prints, where, and its exit code."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pehchan
from pehchan.console.command import build_parser, main
from pehchan.metadata.properties import KEYS

CSV = """\
id,name,city,phone
p1,Richard Gomez,Austin,210 4811932
p2,Richard Gomes,Austin,210 4811932
p3,Laura Haddon,Dallas,512 7778181
p4,Laura Hadden,Dallas,512 7778181
p5,Ken Olsen,Houston,713 2229090
"""
SIFARISH = {
    "distAlgorithm": "manhattan",
    "textMatchingAlgorithm": "editDistance",
    "entity": {
        "name": "customer",
        "fields": [
            {"name": "custID", "ordinal": 0, "id": True, "dataType": "string"},
            {"name": "name", "ordinal": 1, "dataType": "text"},
        ],
    },
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text(CSV)
    Path("customer.json").write_text(json.dumps(SIFARISH))
    return tmp_path


def rows(folder):
    return sorted(line for part in Path(folder).glob("*") for line in part.read_text("utf-8").splitlines())


def test_a_csv_file_is_enough_and_the_schema_that_was_guessed_can_be_kept(called):
    code, out, err = called("dedupe", "people.csv")
    assert code == 0
    assert out.startswith("No schema was given; this one was guessed:\n  id: id\n  fields:\n")
    command = "pehchan schema guess people.csv > schema.yaml, then run with -s schema.yaml"
    assert f"To keep and change it: {command}\n" in out
    assert "written to pehchan-out: pairs/, clusters/, run.json" in out
    assert re.sub(r"\d+\.\d s", "", err).splitlines() == [
        f"{stage}: done in " for stage in ("read", "compare", "write pairs", "cluster")
    ]
    _, schema, _ = called("schema", "guess", "people.csv")
    Path("schema.yaml").write_text(schema)
    code, again, _ = called("dedupe", "people.csv", "-s", "schema.yaml", "-o", "again", "-q")
    assert code == 0
    assert "guessed" not in again
    for name in ("pairs", "clusters"):
        assert rows(f"again/{name}") == rows(f"pehchan-out/{name}")


def test_first_clusters_are_shown_side_by_side(called):
    code, out, _ = called("dedupe", "people.csv", "--show", "1")
    assert code == 0
    assert out.partition("cluster 1\n")[2].splitlines() == [
        "id  name             city    phone",
        "p1  Richard Gomez    Austin  210 4811932",
        "p2  Richard Gome[s]  Austin  210 4811932",
    ]


def test_quiet_says_nothing_on_stderr_and_verbose_shows_the_log_of_the_runner(called):
    assert called("similarity", "people.csv", "-q", "-o", "one")[2] == ""
    assert "Running step 1 of 1" in called("similarity", "people.csv", "-v", "-o", "two")[2]


def test_a_run_without_records_says_so(called):
    Path("header.csv").write_text("id,name\n")
    Path("s.yaml").write_text("id: id\nfields: {name: edit}\ncutoff: 10\n")
    code, out, _ = called("dedupe", "header.csv", "-s", "s.yaml", "-o", "out")
    assert code == 0
    assert "0 records read" in out
    assert "0 clusters at cutoff 10" in out


def test_warnings_are_told_and_stop_nothing(called):
    code, _, err = called("similarity", "people.csv", "-o", "out", "-D", "mapred.reduce.tasks=2")
    assert code == 0
    assert "warning: -D mapred.reduce.tasks: mapred.reduce.tasks is Hadoop's" in err
    assert len(json.loads(Path("out/run.json").read_text())["warnings"]) == 1


# cluster and evaluate


def test_a_cutoff_above_that_of_the_pairs_is_refused(called):
    called("similarity", "people.csv", "-o", "out")
    code, out, err = called("cluster", "out", "--cutoff", "151", "-o", "more")
    assert (code, out) == (2, "")
    assert (
        "--cutoff: 151 is above 150, up to which the pairs of out were kept.\n  Give a value from 0 to 150"
        in err
    )
    assert not Path("more").exists()


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (("clusters",), "clusters: holds no pairs.\n  Name an output of similarity, dedupe or link."),
        (("out/pairs/part-00000",), "a part of the pairs of a run.\n  Name the whole run: out"),
        (("gone",), "gone: there is no such file."),
    ],
)
def test_what_holds_no_pairs_is_refused(called, paths, message):
    called("similarity", "people.csv", "-o", "out")
    called("cluster", "out", "--cutoff", "100", "-o", "clusters")
    code, _, err = called("cluster", *paths, "--cutoff", "100", "-o", "more")
    assert code == 2
    assert message in err


def test_a_file_in_which_no_line_is_a_pair_fails(called):
    Path("pairs.txt").write_text("a|b|5\n")
    code, _, err = called("cluster", "pairs.txt", "--cutoff", "100", "-o", "out")
    assert code == 1
    assert "None of 1 lines is a pair: expected id,id,distance" in err
    assert "Is --delimiter right?" in err
    assert not Path("out").exists()
    assert called("cluster", "pairs.txt", "--cutoff", "100", "-o", "out", "--delimiter", "|")[0] == 0


def test_evaluate_prints_a_table_or_json(called):
    Path("truth.csv").write_text("id,cluster\np1,1\np2,1\np3,2\np5,2\n")
    called("dedupe", "people.csv", "-o", "out")
    code, out, _ = called("evaluate", "out", "--truth", "truth.csv")
    assert code == 0
    assert [line.split() for line in out.splitlines()][1:3] == [
        ["pairs", "at", "or", "under", "the", "cutoff", *["0.5000", "0.5000", "0.5000", "1", "2", "2"]],
        ["pairs", "within", "clusters", *["0.5000", "0.5000", "0.5000", "1", "2", "2"]],
    ]
    assert (
        json.loads(called("evaluate", "out", "--truth", "truth.csv", "--json")[1])["whole clusters"]["actual"]
        == 2
    )


def test_what_is_no_output_cannot_be_evaluated(called):
    Path("truth.csv").write_text("id,cluster\np1,1\n")
    code, _, err = called("evaluate", "nowhere", "--truth", "truth.csv")
    assert code == 2
    assert "nowhere: not an output of pehchan: it holds no run.json." in err


# schema and properties


def test_a_good_schema_is_said_to_be_well(called):
    assert called("schema", "check", "customer.json") == (0, "customer.json: well. Compares name.\n", "")


def test_all_that_is_wrong_with_a_schema_and_properties_is_said(called):
    Path("bad.yaml").write_text("id: id\ncolour: red\nfields: {name: edti}\n")
    Path("job.properties").write_text("sts.dist.treshold=1\n")
    code, out, _ = called("schema", "check", "bad.yaml", "-p", "job.properties")
    assert code == 2
    assert 'unknown key "colour"' in out
    assert "job.properties line 1: unknown key sts.dist.treshold." in out
    assert out.rstrip().endswith("mistakes.")
    assert called("schema", "check")[:2] == (
        2,
        "no schema is named.\n  Give SCHEMA, or name one in -p.\n1 mistake.\n",
    )


def test_a_schema_is_converted_to_the_other_form_and_back(called):
    code, native, _ = called("schema", "convert", "customer.json")
    assert code == 0
    assert native.startswith("entity: customer\n")
    Path("native.yaml").write_text(native)
    code, sifarish, _ = called("schema", "convert", "native.yaml", "--to", "sifarish")
    assert code == 0
    assert json.loads(sifarish)["entity"]["fields"][1]["name"] == "name"
    Path("again.json").write_text(sifarish)
    assert called("schema", "convert", "again.json", "--to", "native")[1] == native


def test_a_schema_that_the_old_form_cannot_say_is_refused(called):
    Path("native.yaml").write_text(
        "id: id\ncolumns: [id, name]\nfields: {name: {measure: edit, fold: [accents]}}\n"
    )
    code, out, err = called("schema", "convert", "native.yaml")
    assert (code, out) == (2, "")
    assert "sifarish's form cannot say all of it" in err


def test_a_guess_needs_named_columns(called):
    Path("people.txt").write_text(CSV)
    code, _, err = called("schema", "guess", "people.txt")
    assert code == 2
    assert "lines without a header need a schema." in err


def test_every_property_is_listed(called):
    code, out, _ = called("properties")
    assert code == 0
    assert all(f"| `{key.name}` |" in out for key in KEYS.values())


# the command itself


@pytest.mark.parametrize(
    "arguments",
    [[], ["dedupe"], ["frobnicate"], ["cluster", "x"], ["link", "a"], ["dedupe", "a", "--cutoff", "x"]],
)
def test_a_call_that_cannot_be_understood_shows_how_it_is_meant(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: pehchan" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["dedupe", "link", "similarity", "cluster", "evaluate", "schema", "properties"]
)
def test_every_command_has_help(capsys, command):
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: pehchan {command}" in capsys.readouterr().out


def test_the_installed_command_runs():
    command = [sys.executable, "-m", "pehchan.console.command"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"pehchan {pehchan.__version__}\n")
    done = subprocess.run([*command, "dedupe", "people.csv", "-q"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 of two or more records" in done.stdout


def test_a_reader_that_stops_early_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m pehchan.console.command properties | head -1; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[1:] == ["0"]
    assert done.stderr == ""
