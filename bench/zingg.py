"""trainMatch on Zingg's own examples with a configuration of its kind, beside what Zingg takes and finds.

    PEHCHAN_DATA=folder python bench/zingg.py [-r local]

The labels of each set are its trainingSamples. It runs twice, each time with a model and an output of its own, and
must give the same bytes.
"""

import argparse
import csv
import json
import os
import shlex
import sys
import tempfile
from collections import defaultdict
from itertools import combinations
from pathlib import Path

from watching import watch_other

#: What Zingg 0.7.0 finds with these labels, in which time and memory: local[2], 8 GB for the driver, two cores.
ZINGG = {
    "zingg_febrl65": "P 1.000, R .724, F1 .840 in 167.6 s, 5.7 GB",
    "zingg_febrl20k": "P .991, R .620, F1 .763 in 149.4 s, 3.7 GB; a second run otherwise",
}


def write_configuration(source: Path, path: Path, out: str) -> None:
    """A configuration as Zingg's examples have it."""
    with open(source / "records.csv", newline="") as file:
        columns = next(csv.reader(file))
    schema = ", ".join(f"{name} string" for name in columns)

    def pipe(name: str, location: Path | str, of: str) -> dict[str, object]:
        props = {"location": str(location), "delimiter": ",", "header": True}
        return {"name": name, "format": "csv", "props": props, "schema": of}

    fields = [
        {
            "fieldName": name,
            "fields": name,
            "dataType": "string",
            "matchType": "fuzzy" if name != "id" else "dont_use",
        }
        for name in columns
    ]
    samples = f"z_cluster string, z_isMatch integer, {schema}"
    configuration = {
        "fieldDefinition": fields,
        "data": [pipe("records", source / "records.csv", schema)],
        "trainingSamples": [pipe("labels", source / "labels.csv", samples)],
        "output": [{**pipe("out", path.parent / out, schema), "mode": "overwrite"}],
        "modelId": out,
        "zinggDir": str(path.parent / "models"),
    }
    path.write_text(json.dumps(configuration))


def row(name: str, source: Path, folder: Path, runner: str) -> str:
    """A line of the table."""
    written, taken = [], []
    for out in ("first", "second"):
        path = folder / f"{out}.json"
        write_configuration(source, path, out)
        words = [sys.executable, "-m", "pehchan.main", "zingg", "--phase", "trainMatch", "--conf", str(path)]
        taken.append(watch_other(shlex.join([*words, "-r", runner, "-q"]) + " 2>&1"))
        parts = sorted((folder / out).glob("part-*"))
        written.append(b"".join(part.read_bytes() for part in parts))
    groups = defaultdict(list)
    for each in csv.DictReader(written[0].decode().splitlines()):
        groups[each["z_cluster"]].append(each["id"])
    truth = defaultdict(list)
    with open(source / "clusters.csv", newline="") as file:
        for each in csv.DictReader(file):
            truth[each["cluster"]].append(each["id"])
    found, true = (
        {frozenset(pair) for group in of.values() for pair in combinations(group, 2)}
        for of in (groups, truth)
    )
    right = len(found & true)
    of_found, of_true, f1 = (
        right / max(1, len(found)),
        right / len(true),
        2 * right / (len(found) + len(true)),
    )
    shares = f"{of_found:.4f} / {of_true:.4f} / {f1:.4f}"
    same = "the same bytes" if written[0] == written[1] else "OTHER BYTES"
    return (
        f"| {name} | {shares} | {taken[0][0]:.1f}, {taken[1][0]:.1f} | {max(each[1] for each in taken):.0f} | {same} "
        f"| {ZINGG[name]} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-r", "--runner", default="inline", choices=("inline", "local"))
    options = parser.parse_args()
    data = os.environ.get("PEHCHAN_DATA")
    if not data:
        parser.error("PEHCHAN_DATA names no folder of record sets")
    print(
        "| set | P / R / F1 of the pairs within clusters | s | largest process, MB | a second run | Zingg |"
    )
    print("|---|---|---|---|---|---|")
    for name in ZINGG:
        with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
            print(row(name, Path(data) / name, Path(place), options.runner), flush=True)


if __name__ == "__main__":
    main()
