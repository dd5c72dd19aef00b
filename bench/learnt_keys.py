"""What learnt keys find: the share of the true pairs, and how many candidates a record they cost. No label is used.

python bench/learnt_keys.py [NAME ...] prints a row for each record set in PEHCHAN_DATA (all of them without a NAME).
`first` are keys learnt of nothing but counts; `second` are keys learnt again from true candidates of the first, as a
model that is sure of them would have it; `both` are the candidates of the two. Where there are texts the nearest
neighbours by words are among them. Seconds are of CPU: of the table, of learning the first keys, of their candidates;
and microseconds a record, of making the hashes of all those keys of raw records, 10,000 at a time.
"""

import csv
import os
import sys
import time
from itertools import combinations
from pathlib import Path

import numpy as np

from pehchan.learning.candidates import candidate_pairs
from pehchan.learning.fields import kinds_of
from pehchan.learning.key_hashes import KeyHashes
from pehchan.learning.keys import KnownPairs, learn_keys
from pehchan.learning.neighbours import neighbour_pairs, wanted
from pehchan.learning.profile import Profile
from pehchan.learning.table import Table


def rows_of(path: Path) -> list[list[str]]:
    with open(path, newline="", encoding="utf-8") as lines:
        return list(csv.reader(lines))


def read(folder: Path) -> tuple[list[str], list[list[str]], list[int], np.ndarray]:
    """Names and raw columns, the id first; the set of each record; the true pairs as rows (i, j), i < j."""
    if (folder / "a.csv").exists():
        (header, *a), (_, *b) = rows_of(folder / "a.csv"), rows_of(folder / "b.csv")
        of_a = {row[0]: k for k, row in enumerate(a)}
        of_b = {row[0]: k + len(a) for k, row in enumerate(b)}
        true = [(of_a[one], of_b[two]) for one, two in rows_of(folder / "matches.csv")[1:]]
        records, sets = a + b, [0] * len(a) + [1] * len(b)
    else:
        header, *records = rows_of(folder / "records.csv")
        place = {row[0]: k for k, row in enumerate(records)}
        entities: dict[str, list[int]] = {}
        for record, entity in rows_of(folder / "clusters.csv")[1:]:
            entities.setdefault(entity, []).append(place[record])
        true = [pair for members in entities.values() for pair in combinations(sorted(members), 2)]
        sets = [0] * len(records)
    return header, [list(column) for column in zip(*records, strict=True)], sets, np.array(true)


def measure(folder: Path) -> str:
    header, columns, sets, true = read(folder)
    ids, names, columns = columns[0], header[1:], columns[1:]
    clock = [time.process_time()]
    fields = kinds_of(Profile.of(names, columns, sets).trimmed()).fields
    table = Table.of(fields, [columns[field.ordinal] for field in fields], ids, sets)
    clock.append(time.process_time())
    keys = learn_keys(table, len(table))
    clock.append(time.process_time())
    first = _coded(table, *candidate_pairs(table, keys))
    if wanted(fields):
        first = np.union1d(first, _coded(table, *neighbour_pairs(table)))
    clock.append(time.process_time())
    true_codes = _coded(table, true[:, 0], true[:, 1])
    sure = np.intersect1d(first, true_codes)
    again = learn_keys(table, len(table), KnownPairs(table, sure // len(table), sure % len(table)))
    second = _coded(table, *candidate_pairs(table, again))
    both = np.union1d(first, second)
    cells = [f"{folder.name:24}", f"{len(table):7,}", f"{len(true):7,}"]
    for pairs in (first, second, both):
        cells.append(f"{np.isin(true_codes, pairs).mean():.4f} at {len(pairs) / len(table):5.2f}")
    cells.append(" ".join(f"{seconds:5.2f}" for seconds in np.diff(clock)))
    raw = [columns[field.ordinal] for field in fields]
    hashes, start = KeyHashes(fields, keys.keys), time.process_time()
    for row in range(0, len(table), 10_000):
        hashes.of([column[row : row + 10_000] for column in raw])
    cells.append(f"{(time.process_time() - start) / len(table) * 1e6:4.1f}")
    return " | ".join(cells)


def _coded(table: Table, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    return np.minimum(i, j) * len(table) + np.maximum(i, j)


def main() -> None:
    data = os.environ.get("PEHCHAN_DATA")
    if not data:
        sys.exit("PEHCHAN_DATA names no folder of record sets")
    folders = sorted(path for path in Path(data).iterdir() if path.is_dir())
    found = " | ".join(f"{each:15}" for each in ("first", "second", "both"))
    print(f"{'record set':24} | records |    true | {found} | CPU s             | us")
    for folder in folders:
        if not sys.argv[1:] or folder.name in sys.argv[1:]:
            print(measure(folder), flush=True)


if __name__ == "__main__":
    main()
