"""Record sets with truth, brought into a state batch by batch: it has the entities of one run over all."""

import csv
import random
from collections import defaultdict

import pytest

from pehchan.console.command import main
from pehchan.identity.entities import current_entities
from pehchan.identity.state import open_state


def groups_of(entities):
    found = defaultdict(set)
    for record, entity in entities.items():
        found[entity].add(record)
    return {frozenset(records): entity for entity, records in found.items()}


def clusters_in(out):
    found = defaultdict(set)
    for file in sorted((out / "clusters").iterdir()):
        with open(file, newline="", encoding="utf-8") as rows:
            for row in csv.reader(rows):
                found[row[0]].add(row[1])
    return set(map(frozenset, found.values()))


@pytest.mark.parametrize(
    ("name", "batches"),
    [
        ("febrl3", 3),
        pytest.param("zingg_febrl20k", 5, marks=pytest.mark.slow),
        pytest.param("febrl120k", 10, marks=pytest.mark.slow),
    ],
)
def test_batches_give_the_entities_of_one_run(name, batches, record_sets, tmp_path, capsys):
    """Each of them 1 % of the records that are new, and some that change or go."""
    with open(record_sets / name / "records.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    place = header.index("id")
    chance = random.Random(7)
    chance.shuffle(rows)
    size = len(rows) // 100

    def write(file_name, some):
        path = tmp_path / file_name
        with open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *some])
        return str(path)

    def run(*arguments):
        assert main([*arguments, "-q"]) == 0, capsys.readouterr().err

    state = tmp_path / "state"
    records = {row[place]: row for row in rows[: -batches * size]}
    run("match", write("base.csv", records.values()), "-o", str(tmp_path / "base"), "--state", str(state))
    for number in range(batches):
        before = groups_of(current_entities(open_state(str(state))))
        start = len(rows) - (batches - number) * size
        new = {row[place]: row for row in rows[start : start + size]}
        some = chance.sample(sorted(records), size // 5)
        # A value of one column goes to the next record, and some records go.
        for each, other in zip(some[::2], some[1::2], strict=False):
            column = chance.choice([at for at in range(len(header)) if at != place])
            changed = list(records[each])
            changed[column] = records[other][column]
            new[each] = changed
        gone = some[1::4]
        deleted = tmp_path / "gone.txt"
        deleted.write_text("\n".join(gone), encoding="utf-8")
        run("update", str(state), write(f"{number}.csv", new.values()), "--deleted", str(deleted))
        records.update(new)
        for each in gone:
            del records[each]
        after = groups_of(current_entities(open_state(str(state))))
        same = before.keys() & after.keys()
        # Nearly all are as they were, with the ids that they had.
        assert len(same) > len(before) - 4 * size
        assert all(before[group] == after[group] for group in same)
        if number == batches // 2:
            run("update", str(state), "--refreeze")
            assert open_state(str(state)).number == 2 + number + 1
    asked = ["match", write("all.csv", records.values()), "--like", str(state), "--no-report"]
    run(*asked, "-o", str(tmp_path / "all"))
    assert set(groups_of(current_entities(open_state(str(state))))) == clusters_in(tmp_path / "all")
