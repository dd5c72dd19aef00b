"""Which keys are learnt: cheap ones that find what is to be found, whatever the order of the records."""

import csv
import os
import random
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from made_up_persons import permuted, persons, table_of

from pehchan.learning.candidates import candidate_pairs
from pehchan.learning.fields import kinds_of
from pehchan.learning.keys import KnownPairs, learn_keys
from pehchan.learning.neighbours import neighbour_pairs
from pehchan.learning.profile import Profile
from pehchan.learning.table import Table


def _found(table: Table, pairs: list[tuple[int, int]], i: np.ndarray, j: np.ndarray) -> float:
    candidates = set(zip(i.tolist(), j.tolist(), strict=True))
    return sum(pair in candidates for pair in pairs) / len(pairs)


def test_keys_find_what_slips_of_the_pen_leave_without_a_label() -> None:
    raw, truth = persons(1500, 500, seed=11)
    table = table_of(raw)
    keys = learn_keys(table, len(table))
    i, j = candidate_pairs(table, keys)
    assert _found(table, truth, i, j) >= 0.99
    assert len(i) <= 20 * len(table)
    assert 0.9 <= keys.recall <= 1


def test_keys_and_their_order_are_the_same_for_permuted_records() -> None:
    raw, truth = persons(300, 100, seed=12)
    table = table_of(raw)
    order = list(range(len(table)))
    random.Random(1).shuffle(order)
    place = {row: k for k, row in enumerate(order)}
    other = permuted(table, order)
    one, two = (np.array(each) for each in zip(*truth, strict=True))
    elsewhere = [np.array([place[row] for row in rows.tolist()])[::-1] for rows in (two, one)]
    assert learn_keys(other, 10_000) == learn_keys(table, 10_000)
    known = learn_keys(table, 10_000, KnownPairs(table, one, two))
    assert learn_keys(other, 10_000, KnownPairs(other, *elsewhere)) == known
    assert known != learn_keys(table, 10_000)


def test_of_a_sample_keys_get_finer_the_more_records_it_stands_for() -> None:
    table = table_of(persons(600, 200, seed=13)[0])
    sizes = [
        len(candidate_pairs(table, learn_keys(table, records))[0]) for records in (800, 80_000, 8_000_000)
    ]
    assert sizes[0] > sizes[1] > sizes[2] > 0


def test_known_pairs_tell_which_fields_to_trust() -> None:
    """Pairs that never agree in the phone: no key needs it."""
    raw, truth = persons(1500, 500, seed=14)
    chance = random.Random(5)
    for _, row in truth:
        raw[4][row] = str(chance.randrange(10**7, 10**8))
    table = table_of(raw)
    one, two = (np.array(each) for each in zip(*truth, strict=True))
    phone = next(k for k, field in enumerate(table.fields) if field.ordinal == 4)
    weight = [
        sum(any(part.field == phone for part in key.parts) for key in keys.keys[:5])
        for keys in (learn_keys(table, 20_000), learn_keys(table, 20_000, KnownPairs(table, one, two)))
    ]
    assert weight[0] > weight[1]


@pytest.mark.parametrize("columns", [[[]], [["a"]], [["a"] * 50], [["a", "b"] * 20]])
def test_where_nothing_tells_records_apart_there_are_few_or_no_keys(columns: list[list[str]]) -> None:
    table = table_of(columns)
    keys = learn_keys(table, len(table))
    i, _ = candidate_pairs(table, keys)
    assert len(i) <= len(table) * 20


_AGAIN = """
from made_up_persons import persons, table_of
from pehchan.learning.keys import learn_keys
table = table_of(persons(200, 50, seed=15)[0])
keys = learn_keys(table, 5000)
print(keys.texts(table.fields), keys.refinements, keys.recall, keys.cost)
"""


def test_keys_do_not_depend_on_the_hash_seed() -> None:
    tests = str(Path(__file__).parents[1])
    printed = {
        subprocess.run(
            [sys.executable, "-c", _AGAIN],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")]),
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def _read(folder: Path) -> tuple[list[str], list[list[str]], list[tuple[int, int]], list[int]]:
    """Columns without the id, the pairs of rows that are one, the set of each row."""

    def rows(name: str) -> list[list[str]]:
        with open(folder / name, newline="", encoding="utf-8") as lines:
            return list(csv.reader(lines))

    if (folder / "a.csv").exists():
        (header, *a), (_, *b) = rows("a.csv"), rows("b.csv")
        of_a = {row[0]: k for k, row in enumerate(a)}
        of_b = {row[0]: k + len(a) for k, row in enumerate(b)}
        truth = [(of_a[one], of_b[two]) for one, two in rows("matches.csv")[1:]]
        records, sets = a + b, [0] * len(a) + [1] * len(b)
    else:
        header, *records = rows("records.csv")
        place = {row[0]: k for k, row in enumerate(records)}
        clusters: dict[str, list[int]] = {}
        for record, cluster in rows("clusters.csv")[1:]:
            clusters.setdefault(cluster, []).append(place[record])
        truth = [pair for members in clusters.values() for pair in combinations(sorted(members), 2)]
        sets = [0] * len(records)
    columns = [list(column) for column in zip(*records, strict=True)]
    return header[1:], columns[1:], truth, sets


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("zingg_febrl20k", 0.997, 1.0),
        ("zingg_febrl65", 0.99, 5.0),
        ("febrl3", 0.999, 3.0),
        ("febrl4", 0.999, 3.0),
        ("fodors_zagat", 0.99, 20.0),
        ("dblp_acm", 0.99, 20.0),
        ("amazon_google", 0.93, 20.0),
        ("chicago_early_childhood", 0.99, 20.0),
    ],
)
def test_of_real_records_nearly_all_is_found_without_a_label(
    record_sets: Path, name: str, least: float, most: float
) -> None:
    """At so many candidates a record at the most."""
    names, columns, truth, sets = _read(record_sets / name)
    fields = kinds_of(Profile.of(names, columns, sets).trimmed()).fields
    table = Table.of(fields, [columns[f.ordinal] for f in fields], [str(k) for k in range(len(sets))], sets)
    i, j = candidate_pairs(table, learn_keys(table, len(table)))
    if any(field.kind == "text" for field in fields):
        more = neighbour_pairs(table)
        i, j = np.concatenate([i, more[0]]), np.concatenate([j, more[1]])
    assert _found(table, truth, i, j) >= least
    assert len(set(zip(i.tolist(), j.tolist(), strict=True))) <= most * len(table)
