"""Matching without labels or settings: as good as it should be on record sets with truth, and the same everywhere."""

import csv
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from made_up_persons import NAMES, persons

from pehchan.console.command import main
from pehchan.console.going_on import ORIGIN_FILE


@pytest.mark.parametrize(
    ("name", "least"), [("zingg_febrl65", 0.99), pytest.param("febrl3", 0.999, marks=pytest.mark.slow)]
)
def test_duplicates_are_found_without_labels(record_sets, name, least, tmp_path, capsys):
    records, truth = record_sets / name / "records.csv", record_sets / name / "clusters.csv"
    assert f1_of(["match", records], truth, tmp_path / "out", capsys) >= least


@pytest.mark.slow
def test_links_are_found_without_labels(record_sets, tmp_path, capsys):
    folder = record_sets / "dblp_acm"
    asked = ["match", "--link", folder / "a.csv", folder / "b.csv"]
    assert f1_of(asked, folder / "matches.csv", tmp_path / "out", capsys) >= 0.99


def f1_of(asked, truth, out, capsys):
    assert main([*map(str, asked), "-o", str(out), "-q"]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(out), "--truth", str(truth), "--json"]) == 0
    return json.loads(capsys.readouterr().out)["pairs within clusters"]["f1"]


def written(folder: Path, shuffled: bool = False) -> Path:
    columns, _ = persons(300, 90, seed=5)
    rows = [[f"p{k}", *values] for k, values in enumerate(zip(*columns, strict=True))]
    if shuffled:
        random.Random(1).shuffle(rows)
    path = folder / "people.csv"
    folder.mkdir(exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", *NAMES), *rows])
    return path


def all_of(out: Path) -> dict[str, object]:
    """What a run writes that must be the same everywhere: the model to the byte, the lines of others in any order."""
    # But for the names that the command gave to files.
    kept = [path for path in (out / "model").iterdir() if path.name != ORIGIN_FILE]
    found: dict[str, object] = {path.name: path.read_bytes() for path in kept}
    for name in ("pairs", "clusters", "cluster_shapes"):
        parts = [path.read_text("utf-8").splitlines() for path in (out / name).iterdir()]
        found[name] = sorted(line for part in parts for line in part)
    return found


def matched(folder: Path, *more: str, seed: str = "0", shuffled: bool = False) -> dict[str, object]:
    """A match in a process of its own."""
    subprocess.run(
        [
            *(sys.executable, "-m", "pehchan.console.command", "match", str(written(folder, shuffled))),
            *("-o", str(folder / "out"), "-q", *more),
        ],
        env={**os.environ, "PYTHONHASHSEED": seed},
        check=True,
        capture_output=True,
        timeout=300,
    )
    return all_of(folder / "out")


def test_the_same_bytes_for_any_order_of_lines_runner_and_hash_seed(tmp_path):
    expected = matched(tmp_path / "here")
    assert len(expected["pairs"]) >= 80
    assert matched(tmp_path / "shuffled", seed="1", shuffled=True) == expected
    assert matched(tmp_path / "all cores", "-r", "local", seed="2") == expected
