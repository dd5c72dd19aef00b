"""pehchan entities: which record is in which entity, one record to keep of each, and what changed since a version."""

import csv
import json
from itertools import groupby
from operator import itemgetter

import pytest

from pehchan.console.command import main
from pehchan.identity.entities import current_entities
from pehchan.identity.state import open_state

BASE = {
    "1": "aaaaaaaa",
    "2": "aaaaaaab",
    "3,3": "bbbbbbbb",
    '4"': "cccccccc",
    "ü5": "dddddddd",
    "6\n6": "dddddddd",
    "7": "eeeeeeee",
}
#: Of each update the records that are written, and those that go.
UPDATES = (
    ({"8": "bbbbbbbc", "9": "ffffffff"}, ["7"]),
    # 4 moves to where 3 is.
    ({'4"': "bbbbbbbb", "10": "gggggggg"}, ["9"]),
    # 5 and 6 fall apart, and 1 and 2 go.
    ({"6\n6": "hhhhhhhh", "10": "gggggggh"}, ["1", "2"]),
    # 7 comes again.
    ({"7": "eeeeeeee"}, []),
)


@pytest.fixture
def state(tmp_path):
    def write(name, records):
        with open(tmp_path / name, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["id", "name"], *records.items()])
        return str(tmp_path / name)

    schema = tmp_path / "s.json"
    schema.write_text(json.dumps({"id": "id", "fields": {"name": {"measure": "levenshtein"}}, "cutoff": 250}))
    asked = ["dedupe", write("base.csv", BASE), "-s", str(schema), "-o", str(tmp_path / "out"), "--no-report"]
    assert main([*asked, "--state", str(tmp_path / "state"), "-q"]) == 0
    for new, gone in UPDATES:
        (tmp_path / "gone.txt").write_text("\n".join(gone))
        update = ["update", str(tmp_path / "state"), write("new.csv", new)]
        assert main([*update, "--deleted", str(tmp_path / "gone.txt"), "-q"]) == 0
    return tmp_path / "state"


def rows(folder):
    found = []
    for part in sorted(folder.iterdir()):
        with open(part, newline="", encoding="utf-8") as file:
            found += map(tuple, csv.reader(file))
    return found


def groups(entities):
    found = {}
    for record, entity in entities.items():
        found.setdefault(entity, set()).add(record)
    return found


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_every_record_is_in_its_entity_at_every_version(state, runner, pehchan, tmp_path):
    for version in range(1, 6):
        out = tmp_path / f"entities{version}"
        said = pehchan("entities", f"{state}@{version}", "-o", out, "-q", "-r", runner)
        expected = current_entities(open_state(f"{state}@{version}"))
        members = rows(out / "members")
        assert sorted(members) == sorted(expected.items())
        assert f"{len(set(expected.values()))} entities of {len(expected)} records" in said
        # Those of an entity stand together, in order.
        in_order = [
            (entity, [record for record, _ in some]) for entity, some in groupby(members, itemgetter(1))
        ]
        assert len(in_order) == len(set(expected.values()))
        assert all(records == sorted(records) for _, records in in_order)
        golden = [json.loads(line) for part in (out / "entities").iterdir() for line in part.open()]
        assert {each["entity"]: sorted(each["records"]) for each in golden} == {
            entity: sorted(record for record, other in expected.items() if other == entity)
            for entity in set(expected.values())
        }
        assert sorted(path.name for path in out.iterdir()) == ["entities", "internal", "members", "run.json"]
        assert sorted(path.name for path in (out / "internal").iterdir()) == ["plan.json"]


def test_who_follows_what_changed_has_all_there_is(state, pehchan, tmp_path):
    """From any version to any other, by the members of what changed and by what is gone."""
    for first in range(1, 6):
        of_entity = groups(current_entities(open_state(f"{state}@{first}")))
        for last in range(first, 6):
            out = tmp_path / f"from{first}to{last}"
            pehchan("entities", f"{state}@{last}", "--since", first, "-o", out, "-q")
            gone = rows(out / "gone")
            followed = dict(of_entity)
            for entity, _ in gone:
                followed.pop(entity, None)
            changed = groups(dict(rows(out / "members")))
            followed.update(changed)
            assert followed == groups(current_entities(open_state(f"{state}@{last}")))
            # Nothing of what is as it was.
            kept = json.loads((out / "run.json").read_text())
            assert (kept["since"], kept["of_version"]) == (first, last)
            golden = [json.loads(line) for part in (out / "entities").iterdir() for line in part.open()]
            assert {each["entity"] for each in golden} == changed.keys()
            if first == last:
                assert (gone, changed) == ([], {})


def test_a_version_that_is_not_there_is_refused(state, called, tmp_path):
    for since in (0, 6, -1):
        code, _, err = called("entities", state, "--since", since, "-o", tmp_path / "none", "-q")
        assert code == 2
        assert (
            f"--since: {since} is no version of a state that is at version 5.\n  Give one from 1 to 5" in err
        )
    assert called("entities", f"{state}@3", "--since", 4, "-o", tmp_path / "none", "-q")[0] == 2
    assert not (tmp_path / "none").exists()


def test_who_follows_goes_on_in_a_new_state_that_has_the_ids(state, pehchan, tmp_path):
    records = {**BASE, '4"': "bbbbbbbb", "8": "bbbbbbbc", "11": "eeeeeeee", "12": "iiiiiiii"}
    with open(tmp_path / "all.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "name"], *records.items()])
    asked = [
        "dedupe",
        tmp_path / "all.csv",
        "-s",
        tmp_path / "s.json",
        "-o",
        tmp_path / "again",
        "--cutoff",
        125,
    ]
    pehchan(*asked, "--state", tmp_path / "new", "-q", "--no-report")
    pehchan("reassign", tmp_path / "new", "--from", state)
    followed = groups(current_entities(open_state(str(state))))
    pehchan("entities", tmp_path / "new", "--since", 1, "-o", tmp_path / "changed", "-q")
    for entity, _ in rows(tmp_path / "changed" / "gone"):
        del followed[entity]
    followed.update(groups(dict(rows(tmp_path / "changed" / "members"))))
    assert followed == groups(current_entities(open_state(str(tmp_path / "new"))))


def test_what_is_gone_names_what_has_its_records(state, pehchan, tmp_path):
    first, third = (current_entities(open_state(f"{state}@{version}")) for version in (1, 3))
    pehchan("entities", f"{state}@3", "--since", "1", "-o", tmp_path / "gone", "-q")
    assert sorted(rows(tmp_path / "gone" / "gone")) == sorted(
        [(first["7"], ""), (current_entities(open_state(f"{state}@2"))["9"], ""), (first['4"'], third["3,3"])]
    )


def test_entities_of_records_whose_columns_have_no_names_have_no_records_to_keep(pehchan, tmp_path):
    (tmp_path / "lines").write_text("1,aaaa\n2,aaaa\n3,bbbb\n")
    schema = tmp_path / "s.json"
    fields = [{"name": "name", "ordinal": 1, "dataType": "string"}]
    entity = {
        "name": "e",
        "fields": [{"name": "id", "ordinal": 0, "id": True, "dataType": "string"}, *fields],
    }
    schema.write_text(
        json.dumps({"distAlgorithm": "manhattan", "textMatchingAlgorithm": "editDistance", "entity": entity})
    )
    asked = ["dedupe", tmp_path / "lines", "-s", schema, "--cutoff", 100, "-o", tmp_path / "out"]
    pehchan(*asked, "--state", tmp_path / "state", "-q", "--no-report")
    pehchan("entities", tmp_path / "state", "-o", tmp_path / "entities", "-q")
    assert len(rows(tmp_path / "entities" / "members")) == 3
    assert not (tmp_path / "entities" / "entities").exists()
