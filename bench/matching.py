"""What `pehchan match` finds without labels and with those of a set, how long it takes and how much memory.

    PEHCHAN_DATA=folder python bench/matching.py                 all sets that have a row in PEERS
    PEHCHAN_DATA=folder python bench/matching.py febrl3 dblp_acm
    python bench/matching.py --persons 1000000                   made-up households
    PEHCHAN_DATA=folder python bench/matching.py febrl120k --splink

Whole runs with -r local, start-up included, nothing set for any set. bench/learning.py simulates labels.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from customers import GENERATORS, write
from near_duplicates import installed_splink
from watching import watch

#: F1 of others after clustering or one to one, with the settings of their documentation; dedupe had 80 labels, Zingg
#: those of the set.
PEERS = {
    "zingg_febrl65": "Zingg .840",
    "zingg_febrl20k": "Splink .986, recordlinkage .983, Zingg .763",
    "febrl3": "Splink .994, recordlinkage .9995, dedupe .975, goldenmatch .991",
    "febrl4": "Splink .9997, recordlinkage .999, dedupe .998, goldenmatch .994",
    "febrl120k": "Splink .9995, recordlinkage .983, dedupe .890, goldenmatch .996",
    "fodors_zagat": "Splink .933, recordlinkage .923, dedupe .960, goldenmatch .663 (pairs)",
    "dblp_acm": "Splink .985, recordlinkage .985, dedupe .981, goldenmatch .978",
    "amazon_google": "Splink .597, recordlinkage .603, goldenmatch .467, Zingg .106",
    "chicago_early_childhood": "",
    "fake1000": "Splink .859",
}

HEAD = (
    "| set | learnt from | P / R / F1 of the pairs within clusters | F1 of clusters | pairs compared a record | s "
    "| largest process, MB | peers |\n|---|---|---|---|---|---|---|---|"
)


def row(
    name: str, said: str, inputs: Sequence[Path], truth: Path, peers: str, folder: Path, *more: str
) -> None:
    """Run match, and print a row."""
    link = ["--link"] if len(inputs) == 2 else []
    arguments = ["match", *link, *map(str, inputs), "-o", "out", "--overwrite", *more]
    seconds, tasks = watch(arguments, folder)
    evaluate = [
        sys.executable,
        "-m",
        "pehchan.console.command",
        "evaluate",
        "out",
        "--truth",
        str(truth),
        "--json",
    ]
    found = json.loads(subprocess.run(evaluate, cwd=folder, check=True, stdout=subprocess.PIPE).stdout)
    counters = json.loads((folder / "out" / "run.json").read_text())["counters"]
    compared = counters["Pairs"]["Compared"] / counters["Records"]["Read"]
    shares = " / ".join(
        f"{found['pairs within clusters'][share]:.4f}" for share in ("precision", "recall", "f1")
    )
    print(
        f"| {name} | {said} | {shares} | {found['whole clusters']['f1']:.4f} | {compared:.2f} | {seconds:.1f} "
        f"| {tasks[0].megabytes:.0f} | {peers} |",
        flush=True,
    )


def splink(records: Path, truth: Path, folder: Path) -> None:
    """Print what Splink takes for the persons of Febrl, and finds."""
    with open(records, newline="") as rows:
        named = list(csv.reader(rows))
    without_header = folder / "records.csv"
    with open(without_header, "w", newline="") as file:
        csv.writer(file).writerows(named[1:])
    script = Path(__file__).with_name("splink_peer.py")
    done = subprocess.run(
        [installed_splink(folder), script, without_header, truth, "febrl"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    said = json.loads(done.stdout.splitlines()[-1])
    right, given, true = (
        said["true_pairs_in_clusters"],
        max(1, said["pairs_in_clusters"]),
        max(1, said["true_pairs"]),
    )
    print(
        f"|  | Splink 5, no labels | {right / given:.4f} / {right / true:.4f} / {2 * right / (given + true):.4f} |  "
        f"| {said['candidates'] / (len(named) - 1):.2f} | {said['clusters_seconds']:.1f} "
        f"| {said['kilobytes'] * 1024 / 1e6:.0f} |  |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", metavar="SET", help="all where none is named")
    parser.add_argument("--persons", type=int, help="so many made-up persons of households, and no sets")
    parser.add_argument("--kind", choices=GENERATORS, default="households", help="of made-up persons")
    parser.add_argument("--splink", action="store_true", help="Splink as well, of febrl120k")
    options = parser.parse_args()
    data = os.environ.get("PEHCHAN_DATA")
    if not data and not options.persons:
        parser.error("PEHCHAN_DATA names no folder of record sets")
    print(HEAD)
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
        folder = Path(place)
        if options.persons:
            lines, truth = folder / "lines", folder / "truth.csv"
            write(GENERATORS[options.kind](options.persons, 1), lines, truth)
            records = folder / "persons.csv"
            records.write_text("id,name,address,city,phone\n" + lines.read_text())
            row(f"{options.persons:,} of {options.kind}", "no labels", [records], truth, "", folder)
            return
        for name in options.sets or PEERS:
            source = Path(data or "") / name
            linked = (source / "a.csv").exists()
            inputs = [source / part for part in (("a.csv", "b.csv") if linked else ("records.csv",))]
            truth = source / ("matches.csv" if linked else "clusters.csv")
            row(name, "no labels", inputs, truth, PEERS.get(name, ""), folder)
            if (source / "labels.csv").exists():
                labels = ["--labels", str(source / "labels.csv")]
                row(name, "labels of the set", inputs, truth, "", folder, *labels)
            if options.splink and name == "febrl120k":
                splink(source / "records.csv", truth, folder)


if __name__ == "__main__":
    main()
