"""The job that makes golden records: what the pure function says of each cluster, on every runner the same."""

import json
import random
from collections import defaultdict
from unittest.mock import patch

import pytest
from settled import settled_lines

from pehchan.identity.golden import golden_of
from pehchan.identity.golden_records import GoldenRecords
from pehchan.metadata.keeping import Rule
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import read_native
from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings
from pehchan.metadata.records import Record, Records
from pehchan.mrjobs import settling
from pehchan.mrjobs.wire import Clustered

COLUMNS = ["id", "name", "day"]
SCHEMA = {
    "id": "id",
    "columns": COLUMNS,
    "fields": {"name": {"measure": "edit", "keep": {"newest": "day"}}},
    "golden": {"day": "all"},
}


def plan_file(folder, sets=("",), **settings):
    mistakes = Mistakes()
    schema = read_native(SCHEMA, "s", mistakes)
    assert not mistakes.found
    path = folder / "plan.json"
    Plan(schema, Settings(**settings), 100, "settled", sets=sets).write(path)
    return path, schema


def clustered_line(pairs):
    """Of (cluster, record)."""
    (cluster_sets, cluster_ids), (sets, ids) = (
        [list(each) for each in zip(*side, strict=True)] for side in zip(*pairs, strict=True)
    )
    nothing = [None] * len(pairs)
    return (
        b"clustered\t"
        + Clustered(cluster_sets, cluster_ids, sets, ids, nothing, nothing, [0] * len(pairs)).encode()
        + b"\n"
    )


def made_up(number, sets=("",)):
    """Records by set, and (cluster, record) of all of them in the order of clusters."""
    chance = random.Random(number)
    rows, members = defaultdict(list), defaultdict(list)
    for place in range(number):
        set_name, record_id = chance.choice(sets), f"é{place}" if place % 9 == 0 else f"r{place}"
        name = chance.choice(["", "Ann", "Anne", "Ängström", "Bob\tRay", "Cy\n"])
        rows[set_name].append([record_id, name, f"2024-01-{chance.randrange(1, 40):02}"])
        members[chance.randrange(number // 3)].append((set_name, record_id))
    pairs = [(min(each, key=lambda r: r[::-1]), record) for each in members.values() for record in each]
    return rows, pairs


def write_input(folder, rows, pairs, chance, at_once=7):
    """Settled records and clusters in lines of some each, in any order."""
    lines = [
        settled_lines(some[start : start + at_once], set_name)
        for set_name, some in rows.items()
        for start in range(0, len(some), at_once)
    ]
    lines += [clustered_line(pairs[start : start + at_once]) for start in range(0, len(pairs), at_once)]
    lines += [b'rejected\t{"line": "x"}\n', b"shape\t[2]\n"]
    chance.shuffle(lines)
    path = folder / "input"
    path.write_bytes(b"".join(lines))
    return path


def run(plan, *inputs, runner="inline"):
    """The lines of the job, sorted, and its counters."""
    job = GoldenRecords(["-r", runner, "--no-conf", "--plan", str(plan), *map(str, inputs)])
    with job.make_runner() as running:
        running.run()
        counters = defaultdict(int)
        for step in running.counters():
            for name, amount in step.get("Golden", {}).items():
                counters[name] += amount
        return sorted(b"".join(running.cat_output()).splitlines()), dict(counters)


def expected(rows, pairs, schema, named):
    items = {(name, row[0]): row for name, some in rows.items() for row in some}
    members = defaultdict(list)
    for cluster, record in pairs:
        members[cluster].append(Record(*record, items[record]))
    return {
        named(cluster): golden_of(schema.columns, schema.rules, records).to_dict(named)
        for cluster, records in members.items()
    }


def by_entity(lines):
    found = {}
    for line in lines:
        tag, payload = line.split(b"\t")
        assert tag == b"golden"
        golden = json.loads(payload)
        assert golden["entity"] not in found
        found[golden.pop("entity")] = golden
    return found


@pytest.mark.parametrize("sets", [("",), ("a", "b")])
def test_each_cluster_has_the_golden_record_of_its_records(tmp_path, sets):
    plan, schema = plan_file(tmp_path, sets)
    rows, pairs = made_up(400, sets)
    source = write_input(tmp_path, rows, pairs, random.Random(1))
    lines, counters = run(plan, source)

    def named(identity):
        return ":".join(identity) if len(sets) > 1 else identity[1]

    wanted = expected(rows, pairs, schema, named)
    assert by_entity(lines) == wanted
    unread = sum(row[2] > "2024-01-31" for some in rows.values() for row in some)
    assert counters == {"Records": len(wanted), "Dates that cannot be read": unread}
    assert unread


def test_neither_the_order_of_lines_nor_how_much_a_task_gathers_changes_a_byte(tmp_path):
    rows, pairs = made_up(300)
    plan, _ = plan_file(tmp_path)
    found = run(plan, write_input(tmp_path, rows, pairs, random.Random(1)))
    small, _ = plan_file(tmp_path, batch_bytes=1)
    chance = random.Random(2)
    chance.shuffle(pairs)
    for some in rows.values():
        chance.shuffle(some)
    assert run(small, write_input(tmp_path, rows, pairs, chance, at_once=2)) == found


def test_local_tasks_give_the_same_bytes(tmp_path):
    rows, pairs = made_up(3000, ("a", "b"))
    plan, _ = plan_file(tmp_path, ("a", "b"))
    source = write_input(tmp_path, rows, pairs, random.Random(4))
    assert run(plan, source, runner="local") == run(plan, source)


def test_records_without_a_cluster_and_members_without_a_record_are_left_out(tmp_path):
    plan, _ = plan_file(tmp_path)
    source = tmp_path / "input"
    source.write_bytes(
        settled_lines([["1", "Ann", "2024-01-01"], ["9", "Nobody's", "2024-01-01"]])
        + clustered_line([(("", "1"), ("", "1")), (("", "1"), ("", "2")), (("", "3"), ("", "4"))])
    )
    lines, counters = run(plan, source)
    assert by_entity(lines) == {
        "1": {
            "records": ["1"],
            "values": {"id": "1", "name": "Ann", "day": ["2024-01-01"]},
            "from": {"id": "1", "name": "1", "day": ["1"]},
        }
    }
    assert counters == {"Records": 1}


def test_a_task_holds_a_part_of_the_records_and_not_all(tmp_path):
    rows, pairs = made_up(2000)
    plan, _ = plan_file(tmp_path)
    source = write_input(tmp_path, rows, pairs, random.Random(1))
    held = []

    def noted(columns, rules, records):
        return golden_of(columns, rules, records)

    keep = GoldenRecords.keep

    def count(job, key, values):
        values = list(values)
        held.append(sum(map(len, values)))
        return keep(job, key, iter(values))

    with (
        patch.object(GoldenRecords, "keep", count),
        patch("pehchan.identity.golden_records.golden_of", noted),
    ):
        lines, _ = run(plan, source)
    assert len(held) > settling.DRAWERS // 4
    assert max(held) < sum(held) / 50
    assert len(lines) == len({cluster for cluster, _ in pairs})


def test_a_task_writes_its_clusters_in_one_order_whatever_comes_first(tmp_path):
    plan, _ = plan_file(tmp_path)
    job = GoldenRecords(["--plan", str(plan)])
    job.start()
    job.start_keeping()
    values = [
        b"r" + Records("", 6, [name, "", cluster, name, name, ""]).encode()
        for name, cluster in (("1", "1"), ("2", "2"), ("3", "1"), ("10", "10"))
    ]
    written = list(job.keep(b"0", iter(values)))
    assert [json.loads(payload)["entity"] for _, payload in written] == ["1", "10", "2"]
    assert list(job.keep(b"0", reversed(values))) == written


def test_tasks_send_what_they_gathered_before_it_is_all(tmp_path):
    plan, _ = plan_file(tmp_path, batch_bytes=1)
    rows, pairs = made_up(90)
    job = GoldenRecords(["--plan", str(plan)])
    job.start()
    sent = []
    for line in write_input(tmp_path, rows, pairs, random.Random(1)).read_bytes().splitlines():
        sent += job.read_line(None, line) or ()
    assert len(sent) > 90
    values = [value for _, value in [*sent, *job.send_all()]]
    assert len(list(job.find_clusters(b"0", iter(values)))) > 45


def test_the_rules_of_the_test_are_those_that_were_meant():
    mistakes = Mistakes()
    assert read_native(SCHEMA, "s", mistakes).rules == (Rule("first"), Rule("newest", "day", 2), Rule("all"))
