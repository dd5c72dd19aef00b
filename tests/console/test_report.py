"""What a report counts and samples, against the whole output and runs that keep all pairs."""

import csv
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from people import NAMES, people

from pehchan.console import report_records, reporting
from pehchan.console.clusters_shown import most_doubtful
from pehchan.console.least import Least
from pehchan.console.output import read_run
from pehchan.console.report import gather, look_at_output
from pehchan.console.report_records import Distinct
from pehchan.mrjobs.places import place

SCHEMA = """\
id: id
fields:
  last name: {measure: jaro-winkler, missing: skip}
  street: {measure: edit, tokens: false}
  city: levenshtein
  phone: {measure: levenshtein, weight: 2}
cutoff: 200
"""


def write_people(name, persons, seed=1):
    columns, ids, pairs = people(persons, seed)
    rows = [[record_id, *values] for record_id, values in zip(ids, zip(*columns, strict=True), strict=True)]
    random.Random(seed).shuffle(rows)
    with open(name, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", *NAMES], *rows])
    return rows, [(ids[a], ids[b]) for a, b in pairs]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with people.csv, truth.csv, the output `out`, and `all`, which has every pair of them."""
    from pehchan.console.command import main

    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        _, same = write_people("people.csv", 150)
        with open("truth.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("id_a", "id_b"), *same])
        Path("s.yaml").write_text(SCHEMA)
        assert main(["dedupe", "people.csv", "-s", "s.yaml", "-o", "out", "-q"]) == 0
        keep_all = ["-D", "sts.dist.threshold=1000", "-o", "all", "-q"]
        assert main(["similarity", "people.csv", "-s", "s.yaml", *keep_all]) == 0
    return folder


@pytest.fixture(autouse=True)
def in_folder(run, monkeypatch):
    monkeypatch.chdir(run)


def gathered(out="out"):
    run = read_run(place(out))
    return gather(look_at_output(place(out), run), run)


def all_pairs():
    """The distance of every pair of ids."""
    lines = [line for part in Path("all/pairs").glob("part-*") for line in part.read_text().splitlines()]
    return {(a, b): int(distance) for a, b, distance in (line.split(",") for line in lines)}


def test_of_few_records_other_cutoffs_keep_what_a_run_with_them_would():
    report = gathered()
    distances = list(all_pairs().values())
    assert [cut.cutoff for cut in report.cuts] == [100, 150, 180, 200, 220, 250, 300]
    for cut in report.cuts:
        assert (cut.exact, cut.pairs) == (True, sum(distance <= cut.cutoff for distance in distances))
    assert report.cuts[0].pairs < report.cuts[3].pairs < report.cuts[6].pairs
    assert Counter(distances) == report.beyond.distances
    assert Counter(d for d in distances if d <= 200) == report.pairs.distances


def test_pairs_on_either_side_of_the_cutoff_are_those_nearest_to_it():
    shown = gathered().shown_pairs
    distances = all_pairs()
    kept = sorted(((200 - d, pair) for pair, d in distances.items() if d <= 200))
    refused = sorted(((d, pair) for pair, d in distances.items() if d > 200))
    assert [(a[1], b[1]) for ((a, b, _),) in ((p.near,) for p in shown if not p.refused)] == [
        pair for _, pair in kept[:8]
    ]
    assert [p.near[2] for p in shown if p.refused] == [d for d, _ in refused[:5]]
    assert all(p.sampled == p.refused for p in shown)


def test_missing_and_different_values_are_those_of_the_file():
    with open("people.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for field in gathered().fields:
        values = [row[field.name] for row in rows]
        assert field.missing == values.count("")
        assert (field.exact, field.distinct) == (True, len(set(values) - {""}))
    assert any(field.missing for field in gathered().fields)


def test_a_sample_stands_for_all_pairs_and_says_so(monkeypatch):
    monkeypatch.setattr(report_records, "SAMPLED", 100)
    report = gathered()
    records = report.records.number
    assert (report.beyond.records, report.beyond.whole, report.beyond.pairs) == (100, False, 4950)
    assert report.beyond.times == pytest.approx(records * (records - 1) / 2 / 4950)
    # Beyond the cutoff far more than a few: what the sample says is near what there is.
    there = sum(distance > 200 for distance in all_pairs().values())
    told = report.beyond.times * sum(n for d, n in report.beyond.distances.items() if d > 200)
    assert told == pytest.approx(there, rel=0.01)
    last = report.cuts[-1]
    assert not last.exact
    assert last.pairs == report.cuts[3].pairs + round(last.found * report.beyond.times)


def test_the_sample_is_the_same_whatever_the_order_of_lines_and_the_runner(called, tmp_path, monkeypatch):
    monkeypatch.setattr(report_records, "SAMPLED", 40)
    head, *lines = Path("people.csv").read_text().splitlines()
    random.Random(5).shuffle(lines)
    (tmp_path / "people.csv").write_text("\n".join([head, *lines, ""]))
    out = tmp_path / "out"
    assert called("dedupe", tmp_path / "people.csv", "-s", "s.yaml", "-o", out, "-r", "local")[0] == 0
    one, other = gathered(), gathered(str(out))
    for part in ("pairs", "beyond", "cuts", "shown_pairs", "shown_clusters", "fields", "sizes"):
        assert getattr(one, part) == getattr(other, part)


def test_of_two_sets_only_pairs_across_them_are_told(called, tmp_path):
    write_people(tmp_path / "a.csv", 60)
    write_people(tmp_path / "b.csv", 50)
    out = tmp_path / "out"
    assert called("link", tmp_path / "a.csv", tmp_path / "b.csv", "-s", "s.yaml", "-o", out)[0] == 0
    report = gathered(str(out))
    a, b = report.records.by_set["a"], report.records.by_set["b"]
    assert (report.beyond.pairs, report.beyond.times) == (a * b, 1)
    assert all({pair.near[0][0], pair.near[1][0]} == {"a", "b"} for pair in report.shown_pairs)


def test_the_same_for_records_that_meet_in_partitions(called, tmp_path):
    Path(tmp_path / "s.yaml").write_text(SCHEMA.replace("cutoff", "partition: first name\ncutoff"))
    out = tmp_path / "out"
    assert called("dedupe", "people.csv", "-s", tmp_path / "s.yaml", "-o", out)[0] == 0
    with open("people.csv", encoding="utf-8", newline="") as file:
        sizes = Counter(row["first name"] for row in csv.DictReader(file))
    # Records without a value of it are each alone, or together: either way no pair of two names is told.
    together = sum(n * (n - 1) // 2 for n in sizes.values())
    assert gathered(str(out)).beyond.pairs == together


def test_different_values_are_estimated_where_they_are_many():
    seen = Distinct(1000)
    for start in range(0, 60_000, 700):
        # Half of each come again in the next.
        seen.add([f"value {k}" for k in range(start, min(start + 1400, 60_000))])
    assert not seen.exact
    assert seen.number == pytest.approx(60_000, rel=0.1)
    few = Distinct(1000)
    few.add(["a", "b", "", "a"])
    assert (few.exact, few.number) == (True, 2)


def test_the_least_are_kept_in_whatever_portions_they_come():
    rng = np.random.default_rng(3)
    keys = rng.integers(0, 50, 500)
    for number in (0, 1, 7, 600):
        least = Least[int](number)
        for start in range(0, 500, 9):
            least.offer(keys[start : start + 9], lambda k, start=start: start + k)
        assert least.things == [k for _, k in sorted((int(key), k) for k, key in enumerate(keys))][:number]


def test_the_most_doubtful_clusters_are_found_without_a_look_at_each():
    every, sizes, _ = most_doubtful(place("out"), 10_000)
    assert sum(sizes.values()) == len(every)
    for number in (0, 1, 5):
        assert most_doubtful(place("out"), number)[0] == every[:number]


def test_an_output_without_records_has_no_report(called):
    assert called("cluster", "all", "--cutoff", "200", "-o", "clustered", "--overwrite")[0] == 0
    code, _, err = called("evaluate", "clustered", "--truth", "truth.csv", "--report")
    assert code == 2
    assert "clustered: holds not all that a report shows." in err


def test_the_time_of_the_report_is_told_and_it_can_be_left_out(called, tmp_path):
    code, out, err = called("dedupe", "people.csv", "-s", "s.yaml", "-o", tmp_path / "a")
    assert code == 0
    assert "report.html" in out
    assert "report: done in" in err
    run = json.loads((tmp_path / "a/run.json").read_text())
    assert "report" in run["seconds"]
    assert 20 < run["memory_mb"] < 100_000
    code, out, err = called("dedupe", "people.csv", "-s", "s.yaml", "-o", tmp_path / "b", "--no-report")
    assert code == 0
    assert "report.html" not in out
    assert "report: done" not in err
    assert not (tmp_path / "b/report.html").exists()


def test_what_goes_wrong_with_a_report_loses_no_run(called, tmp_path, monkeypatch):
    def fail(*_):
        raise MemoryError("none left")

    monkeypatch.setattr("pehchan.console.report.gather", fail)
    code, out, err = called("dedupe", "people.csv", "-s", "s.yaml", "-o", tmp_path / "a")
    assert code == 0
    assert "No report could be made, all else is there: MemoryError: none left\n" in err
    assert "report.html" not in out
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert {"pairs", "clusters", "run.json"} <= names
    assert "report.html" not in names


def test_where_what_it_takes_is_not_installed_it_is_said_how_to_get_it(called, tmp_path, monkeypatch):
    monkeypatch.setattr(reporting, "NEEDED", ("no_such_module",))
    code, out, err = called("dedupe", "people.csv", "-s", "s.yaml", "-o", tmp_path / "a", "-q")
    assert code == 0
    assert err == (
        "No report was made; to have one: pip install 'pehchan[report]'. --no-report says none is wanted.\n"
    )
    assert "report.html" not in out
    code, _, err = called("evaluate", tmp_path / "a", "--truth", "truth.csv", "--report")
    assert code == 2
    assert "pip install 'pehchan[report]'" in err
