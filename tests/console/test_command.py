"""The command as a person calls it: what it prints, where, and its exit code."""

import json
import re
import subprocess
import sys
from collections import defaultdict
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
    assert "written to pehchan-out: pairs/, clusters/, cluster_shapes/, report.html, run.json" in out
    assert re.sub(r"\d+\.\d s", "", err).splitlines() == [
        f"{stage}: done in " for stage in ("read", "compare", "write pairs", "cluster", "report")
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


def test_evaluate_shows_sizes_other_cutoffs_and_errors(called):
    Path("truth.csv").write_text("id,cluster\np1,1\np2,1\np3,2\np5,2\n")
    called("dedupe", "people.csv", "-o", "out", "--cutoff", "40")
    more = ["--sizes", "--curve", "--errors", "2"]
    code, out, _ = called("evaluate", "out", "--truth", "truth.csv", *more)
    assert code == 0
    assert "     size   clusters       true\n        1          1          1\n" in out
    assert "       25     1.0000     0.5000     0.6667  best\n" in out
    assert "wrong: 27 apart; name 0.083, city 0.000, phone 0.000\n" in out
    assert "p4  Laura Hadd[e]n  Dallas  512 7778181\n" in out
    beyond = (
        "missed: 698 apart, beyond the 40 up to which pairs were kept; name 0.714, city 0.563, phone 0.818"
    )
    assert beyond in out
    data = json.loads(called("evaluate", "out", "--truth", "truth.csv", "--json")[1])
    assert data["best cutoff"]["cutoff"] == 25
    assert [point["cutoff"] for point in data["curve"]] == [25, 27]
    assert data["b-cubed"]["sizes"] == [[1, 1, 1], [2, 2, 2]]


@pytest.mark.parametrize(
    ("options", "clusters"),
    [
        ((), ["p1 p2 p3", "p4 p5"]),
        (("--by", "centre"), ["p1 p2", "p3", "p4 p5"]),
        (("-D", "cluster.by=average"), ["p1 p2", "p3", "p4 p5"]),
    ],
)
def test_clusters_are_made_as_asked_and_those_with_few_pairs_are_reviewed(called, options, clusters):
    names = ["aaaaaaaaaa", "aaaaaaaaab", "aaaaaaaabb", "zzzzzzzzzz", "zzzzzzzzzz"]
    Path("chain.csv").write_text("id,name\n" + "".join(f"p{k},{name}\n" for k, name in enumerate(names, 1)))
    Path("chain.yaml").write_text("id: id\nfields: {name: edit}\n")
    code, out, err = called(
        "dedupe", "chain.csv", "-s", "chain.yaml", "--cutoff", "150", "-o", "out", *options
    )
    assert code == 0, err
    found = defaultdict(list)
    for line in rows("out/clusters"):
        cluster, record, *_ = line.split(",")
        found[cluster].append(record)
    assert sorted(" ".join(records) for records in found.values()) == clusters
    code, out, _ = called("review", "out")
    assert code == 0
    if len(clusters) == 2:
        assert out.startswith("2 clusters of two or more records; of 1 not all pairs are under the cutoff.\n")
        said = "3 records, 2 of their 3 pairs under the cutoff, farthest 100; 2 pairs each alone hold parts of it"
        assert f"cluster 1: {said} together " in out.replace("\n", " ")
    assert "cluster 2: 2 records, farthest 0\n" in out


def test_a_link_is_one_to_one_unless_it_is_asked_for_otherwise(called):
    Path("a.csv").write_text("id,name\n1,aaaaaaaaaa\n2,aaaaaaaaab\n")
    Path("b.csv").write_text("id,name\n1,aaaaaaaaaa\n2,aaaaaaaabb\n")
    Path("name.yaml").write_text("id: id\nfields: {name: edit}\ncutoff: 250\n")
    expected = {
        (): [{"a:1", "b:1"}, {"a:2", "b:2"}],
        ("--one-to-one", "--by", "assignment"): [{"a:1", "b:1"}, {"a:2", "b:2"}],
        ("--many-to-one",): [{"a:1", "a:2", "b:1"}, {"b:2"}],
        ("--many-to-many",): [{"a:1", "a:2", "b:1", "b:2"}],
    }
    for options, clusters in expected.items():
        assert (
            called("link", "a.csv", "b.csv", "-s", "name.yaml", "-o", "out", "--overwrite", *options)[0] == 0
        )
        found = defaultdict(set)
        for line in rows("out/clusters"):
            cluster, record, *_ = line.split(",")
            found[cluster].add(record)
        assert [found[cluster] for cluster in sorted(found)] == clusters


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            ("dedupe", "people.csv", "-D", "clean.sets=shop"),
            "'shop' is no set of this run.",
        ),
        (
            ("dedupe", "people.csv", "--by", "assignment"),
            "an assignment is between two sets without duplicates",
        ),
        (("dedupe", "people.csv", "--by", "centroid"), "cluster.by=centroid is not one of"),
        (("cluster", "pairs.csv", "--cutoff", "9", "--by", "assignment"), "--by: an assignment is between"),
        (
            ("link", "people.csv", "people.csv", "-D", "clean.sets=a"),
            "link says with link.as which of its sets",
        ),
    ],
)
def test_what_clusters_cannot_be_made_by_is_refused(called, command, message):
    Path("pairs.csv").write_text("a,b,5\n")
    code, _, err = called(*command, "-o", "out")
    assert code == 2
    assert message in err
    assert not Path("out").exists()


def test_an_output_without_clusters_cannot_be_reviewed(called):
    called("similarity", "people.csv", "-o", "out")
    code, _, err = called("review", "out")
    assert code == 2
    assert "out: holds no clusters.\n  Name an output of dedupe, link, match or cluster." in err


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


def test_inputs_may_stand_on_both_sides_of_an_option(called, capsys):
    head, *lines = CSV.splitlines(keepends=True)
    for name, some in (("one", lines[:3]), ("two", lines[3:4]), ("three", lines[4:])):
        Path(f"{name}.csv").write_text("".join([head, *some]))
    asked = ["dedupe", "one.csv", "-o", "out", "two.csv", "-q", "--no-report", "three.csv"]
    assert called(*asked)[0] == 0
    assert json.loads(Path("out/run.json").read_text())["inputs"] == ["one.csv", "two.csv", "three.csv"]
    asked = ["link", "one.csv", "-q", "two.csv", "--no-report", "three.csv", "-o", "linked"]
    assert called(*asked)[0] == 0
    assert json.loads(Path("linked/run.json").read_text())["inputs"] == ["one.csv", "two.csv", "three.csv"]
    for wrong, named in (
        (["dedupe", "one.csv", "-q", "two.csv", "--most"], "two.csv --most"),
        (["review", "out", "-n", "1", "linked"], "linked"),
    ):
        with pytest.raises(SystemExit) as refused:
            main(wrong)
        assert refused.value.code == 2
        assert f"unrecognized arguments: {named}\n" in capsys.readouterr().err
