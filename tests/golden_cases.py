"""The golden cases that every runner must answer as inline does, and how one is run and compared."""

import json
from pathlib import Path

from pehchan.console.command import main

GOLDEN = Path(__file__).parent / "golden"

#: Cases that between them cover the joins and the types.
CASES = {
    "same_customer_40_full": "several buckets and reducers",
    "inter_customer": "two sets told by the names of their files",
    "mixed_in_sets_blog_names": "sets whose ids agree",
    "same_prod_shipped_blank_threshold": "partitions",
    "same_unicode_ids": "ids beyond ASCII",
    "same_event_loc_euclid": "places and times",
    "same_missing_skip": "missing values",
    "same_numeric_thr": "numbers and categories",
}


def inputs_of(case):
    """The files of a golden case."""
    data = GOLDEN / case / "input"
    return sorted(data.iterdir()) if data.is_dir() else [GOLDEN / case / "input.csv"]


def run_golden(command, case, out, monkeypatch, *switches):
    """Run a command on a golden case, in many small cells, and return its answer."""
    monkeypatch.chdir(GOLDEN / case)
    settings = ["-p", "job.properties", "-D", "bucket.records=12", "-D", "num.reducer=3", "-q"]
    settings += ["--cutoff", "700"] if command == "dedupe" else []
    assert main([command, *map(str, [*inputs_of(case), *settings, "-o", out, *switches])]) == 0
    return answer(out)


def sorted_lines(folder):
    """The lines of an output, sorted."""
    parts = sorted(path for path in Path(folder).glob("**/part-*") if path.is_file())
    return sorted(line for part in parts for line in part.read_bytes().split(b"\n") if line)


def answer(out):
    """What a run found, and its counters."""
    counters = json.loads((Path(out) / "run.json").read_text())["counters"]
    return {
        name: sorted_lines(Path(out) / name) for name in ("pairs", "clusters", "entities", "rejected")
    }, counters
