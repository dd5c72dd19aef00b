"""Whole runs: what stands in the output folder, and that later commands can read it."""

import json
import random
from pathlib import Path

import pytest

from pehchan.console import pipeline
from pehchan.console.command import main
from pehchan.console.output import read_run, whole_folder
from pehchan.metadata.mistakes import MistakesError
from pehchan.mrjobs.places import LocalPlace

SCHEMA = """\
id: id
columns: [id, name, phone, note]
fields:
  name: {measure: levenshtein}
  phone: {measure: levenshtein}
cutoff: 200
"""
LINES = "p1,Ann Lee,4811932,x\np2,Ann Lea,4811932,y\np3,Bob Ray,7778181,\np4,Bob Rey,7778182,z\np5,Cid,1,w\n"
HEADER = "id,name,phone,note\n"
PAIRS = ["p1,p2,71", "p3,p4,142"]
CLUSTERS = ["p1,p1,71,71,1", "p1,p2,71,71,1", "p3,p3,142,142,1", "p3,p4,142,142,1", "p5,p5,,,0"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SCHEMA)
    Path("people.txt").write_text(LINES)
    Path("people.csv").write_text(HEADER + LINES)
    Path("truth.csv").write_text("id,cluster\np1,1\np2,1\np3,2\np4,2\np5,3\n")
    return tmp_path


def rows(folder):
    return sorted(line for part in Path(folder).glob("*") for line in part.read_text("utf-8").splitlines())


def scores(pehchan, out="out", truth="truth.csv"):
    """(right, predicted, true) by the name of the score."""
    found = json.loads(pehchan("evaluate", out, "--truth", truth, "--json"))
    for more in ("b-cubed", "best cutoff", "curve"):
        found.pop(more, None)
    return {name: (s["true_positive"], s["predicted"], s["actual"]) for name, s in found.items()}


ALL_FOUND = {
    "pairs at or under the cutoff": (2, 2, 2),
    "pairs within clusters": (2, 2, 2),
    "whole clusters": (2, 2, 2),
}


def test_dedupe_writes_pairs_clusters_and_what_it_did(pehchan):
    out = pehchan("dedupe", "people.txt", "-s", "s.yaml", "-o", "out")
    assert sorted(path.name for path in Path("out").iterdir()) == [
        *("cluster_shapes", "clusters", "internal", "pairs", "rejected", "report.html", "run.json"),
    ]
    assert rows("out/pairs") == PAIRS
    assert rows("out/clusters") == CLUSTERS
    assert not list(Path("out/rejected").iterdir())
    assert "5 records read" in out
    assert "3 clusters at cutoff 200: 2 of two or more records (4 records), 1 of one" in out
    run = json.loads(Path("out/run.json").read_text())
    assert (run["version"], run["command"], run["runner"]) == (3, "dedupe", "inline")
    assert (run["cutoff"], run["cluster_cutoff"]) == (200, 200)
    assert run["counters"]["Pairs"] == {"Compared": 10, "Kept": 2}
    assert scores(pehchan) == ALL_FOUND


def test_an_output_may_be_read_by_others_as_the_umask_says(pehchan):
    pehchan("dedupe", "people.txt", "-s", "s.yaml", "-o", "out")
    Path("plain").mkdir()
    assert Path("out").stat().st_mode == Path("plain").stat().st_mode


def test_the_order_of_lines_and_files_changes_nothing(pehchan):
    lines = LINES.splitlines(keepends=True)
    random.Random(3).shuffle(lines)
    Path("folder").mkdir()
    Path("folder/one").write_text("".join(lines[:2]))
    Path("folder/two").write_text("".join(lines[2:]))
    Path("folder/_SUCCESS").write_text("")
    pehchan("dedupe", "folder", "-s", "s.yaml", "-o", "out")
    assert rows("out/pairs") == PAIRS
    assert rows("out/clusters") == CLUSTERS


@pytest.mark.parametrize(
    ("name", "delimiter", "defines"),
    [
        ("a.csv", ",", ()),
        ("a.tsv", "\t", ()),
        ("a.csv", ";", ("field.delim.regex=;",)),
        ("a.csv", "|", ("field.delim.regex=\\|",)),
        ("a.csv", "\t", ("field.delim.regex=\\t",)),
        ("a.dat", "|", ("field.delim.regex=\\|", "input.format=csv")),
    ],
)
def test_files_with_a_header_are_divided_as_their_name_or_the_properties_say(
    pehchan, name, delimiter, defines
):
    Path(name).write_text((HEADER + LINES).replace(",", delimiter))
    pehchan(
        "dedupe", name, "-s", "s.yaml", "-o", "out", *(part for define in defines for part in ("-D", define))
    )
    assert rows("out/pairs") == PAIRS


def test_columns_of_a_file_with_a_header_may_stand_in_another_order(pehchan):
    turned = [",".join(reversed(line.split(","))) for line in (HEADER + LINES).splitlines()]
    Path("turned.csv").write_text("\n".join(turned))
    pehchan("dedupe", "people.csv", "turned.csv", "-s", "s.yaml", "-o", "out")
    assert "p1,p1~2,0" in rows("out/pairs")


def test_json_lines_are_read(pehchan):
    lines = [
        dict(zip(HEADER.strip().split(","), line.split(","), strict=True)) for line in LINES.splitlines()
    ]
    Path("people.jsonl").write_text("\n".join(map(json.dumps, lines)))
    pehchan("dedupe", "people.jsonl", "-s", "s.yaml", "-o", "out")
    assert rows("out/pairs") == PAIRS


@pytest.mark.parametrize(
    "define",
    [
        "sts.include.passive.fields=true",
        "sts.output.record=true",
        "sts.extra.output.field=1,3",
        "field.delim=|",
    ],
)
@pytest.mark.parametrize("ids_first", ["true", "false"])
def test_what_is_written_with_the_pairs_does_not_disturb_later_commands(pehchan, define, ids_first):
    options = ("-D", define, "-D", f"sts.output.id.first={ids_first}")
    pehchan("similarity", "people.txt", "-s", "s.yaml", "-o", "out", *options)
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "internal",
        "pairs",
        "rejected",
        "run.json",
    ]
    assert len(rows("out/pairs")) == 2
    pehchan("cluster", "out", "--records", "out", "--cutoff", "200", "-o", "out2")
    assert rows("out2/clusters") == CLUSTERS
    assert scores(pehchan, "out2") == {
        name: score for name, score in ALL_FOUND.items() if "cutoff" not in name
    }
    assert scores(pehchan, "out") == {"pairs at or under the cutoff": (2, 2, 2)}


def test_passive_fields_and_ids_last_stand_where_they_should(pehchan):
    options = ("-D", "sts.include.passive.fields=true", "-D", "sts.output.id.first=false")
    pehchan("similarity", "people.txt", "-s", "s.yaml", "-o", "out", *options)
    assert rows("out/pairs") == [",z,p3,p4,142", "x,y,p1,p2,71"]


# link and sets


def test_link_of_two_files_with_equal_ids_compares_only_different_files(pehchan):
    Path("b.csv").write_text(HEADER + "p1,Ann Lee,4811932,\np9,Nobody,0,\n")
    pehchan("link", "people.csv", "b.csv", "-s", "s.yaml", "-o", "out")
    assert rows("out/pairs") == ["p1,p1,0", "p2,p1,71"]
    alone = [f"{record},{record},,,0" for record in ("a:p3", "a:p4", "a:p5", "b:p9")]
    # Each belongs to one of the other set at the most, the nearest.
    assert rows("out/clusters") == ["a:p1,a:p1,0,0,1", "a:p1,b:p1,0,0,1", "a:p2,a:p2,,,0", *alone]
    pehchan("link", "people.csv", "b.csv", "-s", "s.yaml", "-o", "many", "--many-to-one")
    joined = ["a:p1,a:p1,0,0,1", "a:p1,a:p2,71,71,1", "a:p1,b:p1,0,71,2"]
    assert rows("many/clusters") == [*joined, *alone]
    Path("links.csv").write_text("id_a,id_b\np1,p1\n")
    assert scores(pehchan, truth="links.csv")["pairs at or under the cutoff"] == (1, 2, 1)


def test_link_of_two_headerless_files(pehchan):
    Path("b.txt").write_text("p1,Bob Ray,7778181,\n")
    pehchan("link", "people.txt", "b.txt", "-s", "s.yaml", "-o", "out")
    assert rows("out/pairs") == ["p3,p1,0", "p4,p1,142"]


@pytest.mark.parametrize("suffix", ["txt", "csv"])
def test_two_sets_may_be_told_by_the_names_of_files(pehchan, suffix):
    header = HEADER if suffix == "csv" else ""
    Path(f"old1.{suffix}").write_text(header + LINES)
    Path(f"new1.{suffix}").write_text(header + "p1,Ann Lee,4811932,\np2,Ann Lee,4811932,\n")
    options = ("-D", "sts.inter.set.matching=true", "-D", "sts.base.set.split.prefix=old")
    pehchan("dedupe", f"old1.{suffix}", f"new1.{suffix}", "-s", "s.yaml", "-o", "out", *options)
    assert rows("out/pairs") == ["p1,p1,0", "p1,p2,0", "p2,p1,71", "p2,p2,71"]
    counters = json.loads(Path("out/run.json").read_text())["counters"]["Records"]
    del counters["Characters"], counters["Bytes held"]
    assert counters == {
        "Read": 7,
        "Set base": 5,
        "Set other": 2,
    }


def test_records_of_mixed_sets_meet_where_their_ids_agree(pehchan):
    Path("mixed.txt").write_text("A1,Ann Lee,48,\nB1,Ann Lee,48,\nB2,Ann Lee,48,\nA3,Ann Lee,48,\n")
    options = ("-D", "sts.mixed.in.sets=true", "-D", "sts.set.ID.size=1")
    pehchan("dedupe", "mixed.txt", "-s", "s.yaml", "-o", "out", *options)
    assert rows("out/pairs") == ["A1,B1,0"]
    assert rows("out/clusters") == ["A1,A1,0,0,1", "A1,B1,0,0,1", "A3,A3,,,0", "B2,B2,,,0"]


def test_a_large_partition_is_cut_into_buckets_and_loses_no_pair(pehchan):
    Path("parts.yaml").write_text(SCHEMA.replace("cutoff: 200", "partition: note\ncutoff: 0"))
    lines = [f"{state}{n},Ann,1,{state}\n" for state, size in (("TX", 30), ("CA", 3)) for n in range(size)]
    Path("parts.txt").write_text("".join(lines))
    pehchan("dedupe", "parts.txt", "-s", "parts.yaml", "-o", "out", "-D", "bucket.records=8")
    assert len(rows("out/pairs")) == 30 * 29 // 2 + 3
    run = json.loads(Path("out/run.json").read_text())
    assert run["plan"]["groups_with_more_buckets"] == 1
    assert run["counters"]["Clusters"]["All"] == 2


def test_an_id_that_many_records_share_is_cut_into_buckets_and_loses_no_pair(pehchan):
    hot = [f"{set_name}hot,Ann {n},1,\n" for set_name in "AB" for n in range(20)]
    Path("mixed.txt").write_text("".join(hot) + "A1,Bob,2,\nB1,Bob,2,\n")
    options = ("-D", "sts.mixed.in.sets=true", "-D", "sts.set.ID.size=1", "-D", "bucket.records=8")
    pehchan("similarity", "mixed.txt", "-s", "s.yaml", "-o", "out", *options, "-D", "sts.dist.threshold=1000")
    assert len(rows("out/pairs")) == 20 * 20 + 1
    assert json.loads(Path("out/run.json").read_text())["plan"]["groups_with_more_buckets"] == 1


def test_one_process_says_when_its_input_is_too_large_for_it(pehchan, monkeypatch, capsys):
    monkeypatch.setattr(pipeline, "machine_memory", lambda: 100)
    pehchan("similarity", "people.txt", "-s", "s.yaml", "-o", "out")
    warnings = json.loads(Path("out/run.json").read_text())["warnings"]
    assert len(warnings) == 2
    assert all("in memory" in warning and "Use -r local" in warning for warning in warnings)


# cutoffs


def test_a_threshold_of_the_properties_keeps_more_pairs_than_the_clusters_need(pehchan):
    options = ("-D", "sts.dist.threshold=200", "-D", "cluster.cutoff=100")
    pehchan("dedupe", "people.txt", "-s", "s.yaml", "-o", "out", *options)
    assert rows("out/pairs") == PAIRS
    assert rows("out/clusters") == [*CLUSTERS[:2], "p3,p3,,,0", "p4,p4,,,0", "p5,p5,,,0"]
    assert scores(pehchan)["pairs at or under the cutoff"] == (1, 1, 2)


def test_a_cutoff_on_the_command_line_wins_over_the_schema(pehchan):
    pehchan("dedupe", "people.txt", "-s", "s.yaml", "-o", "out", "--cutoff", "100")
    assert rows("out/pairs") == PAIRS[:1]
    pehchan("dedupe", "people.txt", "-s", "s.yaml", "-o", "more", "--cutoff", "1000")
    assert len(rows("more/pairs")) == 10


# cluster


def test_clusters_of_a_file_of_pairs_with_the_records_that_have_none(pehchan):
    Path("pairs.csv").write_text('id1,id2,distance\n"x,1",y,5\ny,z,50\nfoo\n')
    Path("records.csv").write_text('id,name\n"x,1",a\nz,b\nlone,c\nlone,d\n')
    out = pehchan("cluster", "pairs.csv", "--records", "records.csv", "--cutoff", "10", "-o", "out")
    assert rows("out/clusters") == [
        '"x,1","x,1",5,5,1',
        '"x,1",y,5,5,1',
        "lone,lone,,,0",
        "lone~2,lone~2,,,0",
        "z,z,,,0",
    ]
    assert "2 lines of pairs set aside (out/rejected)" in out
    assert sorted(json.loads(line)["line"] for line in rows("out/rejected")) == [
        "foo",
        "id1,id2,distance",
        # Of the pairs alone.
        "y",
    ]


def test_clusters_do_not_depend_on_whether_an_output_or_its_pairs_are_named(pehchan):
    pehchan("similarity", "people.txt", "-s", "s.yaml", "-o", "out")
    pehchan("cluster", "out/pairs", "--cutoff", "200", "-o", "one")
    Path("copy").write_text("\n".join(rows("out/pairs")))
    pehchan("cluster", "copy", "--cutoff", "200", "-o", "two")
    assert rows("one/clusters") == rows("two/clusters") == CLUSTERS[:4]


def test_link_of_two_sets_can_be_clustered_again(pehchan):
    pehchan("link", "people.txt", "people.txt", "-s", "s.yaml", "-o", "out")
    pehchan("cluster", "out", "--records", "out", "--cutoff", "200", "-o", "again")
    assert rows("again/clusters") == rows("out/clusters")


# privacy


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_neither_the_report_of_a_run_nor_its_log_holds_a_value_of_a_record(capsys, runner):
    values = ["qv1x", "Zanzibara", "qv2x", "Zanzibarb", "90917331", "90917332", "hushhush"]
    Path("secret.txt").write_text("qv1x,Zanzibara,90917331,hushhush\nqv2x,Zanzibarb,90917332,hushhush\n")
    assert main(["dedupe", "secret.txt", "-s", "s.yaml", "-o", "out", "-r", runner, "-v"]) == 0
    said = "".join(capsys.readouterr()) + Path("out/run.json").read_text()
    assert "out" in said
    assert [value for value in values if value in said] == []
    assert rows("out/pairs") == ["qv1x,qv2x,118"]
    assert rows("out/clusters") == ["qv1x,qv1x,118,118,1", "qv1x,qv2x,118,118,1"]


# parts


def test_a_folder_appears_whole_or_not_at_all():
    def interrupted() -> None:
        with whole_folder("new/out", False) as unfinished:
            (unfinished / "run.json").write(b"{}")
            assert not Path("new/out").exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(Path("new").iterdir()) == []
    with whole_folder("new/out", False) as unfinished:
        (unfinished / "run.json").write(b"{}")
    assert [path.name for path in Path("new").iterdir()] == ["out"]


def test_the_report_of_another_version_is_refused():
    Path("run.json").write_text('{"version": 9}')
    with pytest.raises(MistakesError, match=r"version 9\.\n  This pehchan reads version 3\."):
        read_run(LocalPlace(Path()))
    Path("run.json").write_text("[")
    with pytest.raises(MistakesError, match="not readable as JSON"):
        read_run(LocalPlace(Path()))
