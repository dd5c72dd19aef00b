"""Clusters of whole runs: absent pairs that are computed, shapes for other tools, and truth of some records."""

import gzip
import json
import random
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from pehchan.clustering import clusters as clusters_module
from pehchan.console import pipeline
from pehchan.console.clustering_run import Pairs, number_of_pairs
from pehchan.console.command import main
from pehchan.mrjobs.places import LocalPlace

SCHEMA = """\
id: id
fields:
  name: {measure: levenshtein}
  city: {measure: levenshtein}
cutoff: 250
"""
NAMES = ["Ann Lee", "Bob Ray", "Carla Dean", "Dan Foe"]
CITIES = ["Oslo", "Bergen", "Rome"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SCHEMA)
    chance = random.Random(8)
    rows = []
    for number in range(60):
        name = list(chance.choice(NAMES))
        for _ in range(chance.randrange(4)):
            name[chance.randrange(len(name))] = chance.choice("abcdefgh")
        rows.append(f"r{number:02},{''.join(name)},{chance.choice(CITIES)}\n")
    Path("people.csv").write_text("id,name,city\n" + "".join(rows))
    return tmp_path


@pytest.fixture
def refused(capsys):
    """Run the command, which is to refuse what it was given; what it says on stderr."""

    def run(*arguments):
        assert main([*map(str, arguments)]) == 2
        return capsys.readouterr().err

    return run


def rows(folder):
    return sorted(line for part in Path(folder).glob("*") for line in part.read_text("utf-8").splitlines())


def members(folder):
    """The records of each cluster."""
    found = {}
    for line in rows(folder):
        cluster, record, *_ = line.split(",")
        found.setdefault(cluster, []).append(record)
    assert all(records[0] == cluster for cluster, records in found.items())
    return sorted(found.values())


def average_of_all(pehchan, mean):
    """What scipy makes of all distances, within what pairs under the cutoff join."""
    pehchan("similarity", "people.csv", "-s", "s.yaml", "-o", "all", "-D", "sts.dist.threshold=1000", "-q")
    ids = [f"r{number:02}" for number in range(60)]
    apart = np.zeros((60, 60))
    for line in rows("all/pairs"):
        a, b, distance = line.split(",")
        apart[ids.index(a), ids.index(b)] = apart[ids.index(b), ids.index(a)] = int(distance)
    assert (apart[~np.eye(60, dtype=bool)] > 0).sum() > 3000
    pehchan("dedupe", "people.csv", "-s", "s.yaml", "-o", "connected", "-q")
    of = {
        record: number for number, cluster in enumerate(members("connected/clusters")) for record in cluster
    }
    for a, b in combinations(range(60), 2):
        if of[ids[a]] != of[ids[b]]:
            apart[a, b] = apart[b, a] = 10**6
    # Not two alike, of which scipy might take another one first.
    labels = fcluster(linkage(squareform(apart), "average"), mean, "distance")
    return sorted(
        [ids[k] for k in np.flatnonzero(labels == label).tolist()] for label in set(labels.tolist())
    )


@pytest.mark.parametrize("mean", [250, 320])
def test_average_of_computed_pairs_knows_all_of_a_component(pehchan, mean):
    expected = average_of_all(pehchan, mean)
    asked = ["people.csv", "-s", "s.yaml", "-q", "--by", "average", "--mean", mean]
    pehchan("dedupe", *asked, "-o", "unrelated")
    pehchan("dedupe", *asked, "-o", "computed", "--absent", "computed")
    assert members("computed/clusters") == expected != members("unrelated/clusters")
    run = json.loads(Path("computed/run.json").read_text())
    assert run["settings"]["cluster_absent"] == "computed"


def test_absent_pairs_are_computed_wherever_clusters_are_made(pehchan, monkeypatch):
    asked = ["people.csv", "-s", "s.yaml", "-q", "--by", "average"]
    pehchan("dedupe", *asked, "-o", "once", "--absent", "computed")
    pehchan("dedupe", *asked, "-o", "pairs")
    again = ["pairs", "--cutoff", 250, "--absent", "computed", "-q"]
    pehchan("cluster", *again, "-o", "later")
    expected = rows("once/clusters")
    assert rows("later/clusters") == expected != rows("pairs/clusters")
    # One decision after the other, in parts, and in processes of their own.
    monkeypatch.setattr(clusters_module, "MEASURED_WHOLE", 0)
    pehchan("cluster", *again, "-o", "large")
    assert rows("large/clusters") == expected
    monkeypatch.setattr(pipeline, "RECORD_BYTES", 30_000_000)
    pehchan("cluster", *again, "-o", "parts")
    assert rows("parts/clusters") == expected
    pehchan("cluster", *again, "-o", "local", "-r", "local")
    assert rows("local/clusters") == expected
    assert rows("local/cluster_shapes") == rows("once/cluster_shapes")


def test_what_absent_pairs_cannot_be_computed_of_is_refused(pehchan, refused):
    asked = ["people.csv", "-s", "s.yaml", "-q"]
    said = refused("dedupe", *asked, "--absent", "computed")
    assert "cluster.absent=computed: cluster.by=connected looks at no means." in said
    assert "cluster.mean: cluster.by=pivot" in refused("dedupe", *asked, "--by", "pivot", "--mean", 9)
    Path("pairs.csv").write_text("a,b,1\n")
    said = refused("cluster", "pairs.csv", "--cutoff", 5, "--by", "average", "--absent", "computed", "-q")
    assert "the values of records, which are in the output of one run" in said
    said = refused("dedupe", *asked, "--by", "average", "--absent", "computed", "-D", "sifarish.compat=true")
    assert "a distance depends on the pair before" in said


def test_shapes_of_clusters_stand_beside_them(pehchan):
    Path("pairs.csv").write_text("a,b,1\nb,c,2\na,c,4\nc,d,3\nx,y,5\n")
    pehchan("cluster", "pairs.csv", "--cutoff", 5, "-o", "out", "-q")
    assert rows("out/cluster_shapes") == ["a,4,4,0.666667,4,1", "x,2,1,1.000000,5,1"]


def test_of_a_truth_of_some_records_the_others_are_neither_right_nor_wrong(pehchan):
    Path("pairs.csv").write_text("a,b,1\nb,c,2\nx,y,5\nd,e,1\n")
    pehchan("cluster", "pairs.csv", "--cutoff", 5, "-o", "out", "-q")

    def scores(text, *more):
        Path("truth.csv").write_text(text)
        found = json.loads(pehchan("evaluate", "out", "--truth", "truth.csv", "--json", *more))
        return {name: tuple(each[key] for key in ("true_positive", "predicted", "actual")) for name, each in
                found.items() if isinstance(each, dict) and "predicted" in each}  # fmt: skip

    known = "id,cluster\na,1\nb,1\nx,2\nd,3\ne,4\n"
    assert scores(known)["pairs within clusters"] == (1, 5, 1)
    assert scores(known, "--partial") == {"pairs within clusters": (1, 2, 1), "whole clusters": (1, 2, 1)}
    pairs = "id_a,id_b,label\na,b,1\na,x,1\nd,e,0\n"
    assert scores(pairs)["pairs within clusters"] == (1, 5, 3)
    # What follows from two pairs is known as well.
    assert scores(pairs, "--partial") == {"pairs within clusters": (1, 2, 3)}
    said = pehchan("evaluate", "out", "--truth", "truth.csv", "--partial", "--errors", 9)
    assert "wrong" in said
    assert said.count("wrong:") == 1


def test_how_many_pairs_files_hold_is_told_by_their_first_lines(tmp_path):
    (tmp_path / "plain.csv").write_text("".join(f"a{k:05},b{k:05},1\n" for k in range(20_000)))
    with gzip.open(tmp_path / "packed.csv.gz", "wt") as file:
        file.write("a,b,1\n" * 10)
    plain, packed = (LocalPlace(tmp_path / name) for name in ("plain.csv", "packed.csv.gz"))
    assert number_of_pairs(Pairs([], [plain])) == pytest.approx(20_000, rel=0.1)
    assert number_of_pairs(Pairs([], [packed, plain])) > 20_000
    assert number_of_pairs(Pairs([], [])) == 0


def test_what_is_wrong_with_pairs_is_named_and_the_others_are_clustered(pehchan):
    lines = ["1,2,10", "1,9,20", "3,3,0", "2,3,far", "2,1,5", "1,2,-3", ",3,4", "3,1,99999999999999999999"]
    Path("pairs.csv").write_text("".join(f"{line}\n" for line in lines))
    Path("records.csv").write_text("id,name\n1,A\n2,B\n3,C\n2,B again\n")
    said = pehchan("cluster", "pairs.csv", "--records", "records.csv", "--cutoff", 50, "-o", "out", "-q")
    assert rows("out/clusters") == ["1,1,5,20,2", "1,2,5,5,1", "1,9,20,20,1", "2~2,2~2,,,0", "3,3,,,0"]
    assert "4 lines of pairs set aside (out/rejected)\n" in said
    assert "1 records of the pairs are not among the records (out/rejected)\n" in said
    assert "1 records had the id of another\n" in said
    named = {each["line"]: each["reason"] for each in map(json.loads, rows("out/rejected"))}
    assert named.keys() == {"9", "3,3,0", "2,3,far", "1,2,-3", ",3,4"}
    assert named["9"] == "in a pair, but not among the records"


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_where_there_are_no_pairs_it_is_said(called, text):
    Path("pairs.csv").write_text(text)
    code, out, err = called("cluster", "pairs.csv", "--records", "people.csv", "--cutoff", 50, "-o", "out")
    assert code == 0
    assert "warning: pairs.csv: no pairs are there, and every record is alone.\n" in err
    assert "60 clusters at cutoff 50: 0 of two or more records" in out


def test_a_cutoff_beyond_what_jobs_can_count_with_is_refused(refused):
    Path("pairs.csv").write_text("1,2,10\n")
    said = refused("cluster", "pairs.csv", "--cutoff", 2**63, "-o", "out")
    assert f"--cutoff: {2**63} is above {2**63 - 1}." in said
