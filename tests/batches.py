"""A record set brought into a state batch by batch: it has the entities of one run over all."""

import csv
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pehchan.identity.entities import current_entities
from pehchan.identity.state import open_state
from pehchan.mrjobs.places import place


def check_batches(
    records_file: Path, batches: int, folder: Path, there: str, run: Callable[..., object]
) -> None:
    """Bring batches into a state, each of 1 % of the records that are new, and some that change or go.

    folder  of this machine, for what is brought in
    there   the folder, on this machine or a cluster, that has the state and the output of runs
    run     runs the command with some arguments, to its good end
    """
    with open(records_file, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    at_id = header.index("id")
    chance = random.Random(7)
    chance.shuffle(rows)
    size = len(rows) // 100

    def write(file_name: str, some: Iterable[list[str]]) -> str:
        path = folder / file_name
        with open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *some])
        return str(path)

    state = f"{there}/state"
    records = {row[at_id]: row for row in rows[: -batches * size]}
    run("match", write("base.csv", records.values()), "-o", f"{there}/base", "--state", state)
    for number in range(batches):
        before = _groups(current_entities(open_state(state)))
        start = len(rows) - (batches - number) * size
        new = {row[at_id]: row for row in rows[start : start + size]}
        some = chance.sample(sorted(records), size // 5)
        # A value of one column goes to the next record, and some records go.
        for each, other in zip(some[::2], some[1::2], strict=False):
            column = chance.choice([at for at in range(len(header)) if at != at_id])
            changed = list(records[each])
            changed[column] = records[other][column]
            new[each] = changed
        gone = some[1::4]
        deleted = folder / "gone.txt"
        deleted.write_text("\n".join(gone), encoding="utf-8")
        run("update", state, write(f"{number}.csv", new.values()), "--deleted", str(deleted))
        records.update(new)
        for each in gone:
            del records[each]
        after = _groups(current_entities(open_state(state)))
        same = before.keys() & after.keys()
        # Nearly all are as they were, with the ids that they had.
        assert len(same) > len(before) - 4 * size
        assert all(before[group] == after[group] for group in same)
        if number == batches // 2:
            run("update", state, "--refreeze")
            assert open_state(state).number == 2 + number + 1
    asked = ["match", write("all.csv", records.values()), "--like", state, "--no-report"]
    run(*asked, "-o", f"{there}/all")
    assert set(_groups(current_entities(open_state(state)))) == _clusters(f"{there}/all")


def _groups(entities: Mapping[str, str]) -> dict[frozenset[str], str]:
    """By its records the entity that they are."""
    found = defaultdict(set)
    for record, entity in entities.items():
        found[entity].add(record)
    return {frozenset(records): entity for entity, records in found.items()}


def _clusters(out: str) -> set[frozenset[str]]:
    lines = (line.decode("utf-8") for line in (place(out) / "clusters").lines())
    found = defaultdict(set)
    for row in csv.reader(lines):
        found[row[0]].add(row[1])
    return set(map(frozenset, found.values()))
