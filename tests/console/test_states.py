"""Decisions of people in a state, and states that go on with the ids of others: cases by hand."""

import csv
import io
import json
import shlex

import pytest
from made_up_persons import NAMES, persons

from pehchan.console.command import main
from pehchan.identity.entities import current_entities
from pehchan.identity.state import open_state

#: 1 and 2 are near, 3 is near to 2 alone; 5 and 6 are near; 4 and 7 are far from all.
RECORDS = {
    "1": "aaaaaaaa",
    "2": "aaaaaabb",
    "3": "aaaabbbb",
    "4": "cccccccc",
    "5": "dddddddd",
    "6": "ddddddde",
    "7": "eeeeeeee",
}


class States:
    """States of a test, and the commands on them."""

    def __init__(self, folder, capsys):
        self.folder, self._capsys, self._files = folder, capsys, 0

    def write(self, records):
        self._files += 1
        path = self.folder / f"{self._files}.csv"
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([["id", "name"], *records.items()])
        return path

    def make(self, name, records, cutoff=250, decisions=()):
        schema = self.folder / f"{cutoff}.json"
        fields = {"name": {"measure": "levenshtein"}}
        schema.write_text(json.dumps({"id": "id", "fields": fields, "cutoff": cutoff}))
        out = self.folder / f"out-{name}"
        asked = ["dedupe", self.write(records), "-s", schema, "-o", out, "--state", self.folder / name]
        if decisions:
            path = self.folder / f"{name}-decisions.csv"
            path.write_text("id_a,id_b,decision\n" + "".join(",".join(each) + "\n" for each in decisions))
            asked += ["--decisions", path]
        assert self(*asked, "-q", "--no-report")[0] == 0
        return self.folder / name

    def __call__(self, *arguments):
        code = main([*map(str, arguments)])
        return (code, *self._capsys.readouterr())

    def ok(self, *arguments):
        code, out, err = self(*arguments)
        assert code == 0, err
        return out

    def refused(self, *arguments):
        code, out, err = self(*arguments)
        assert code == 2, out
        assert "Traceback" not in err
        return err

    def deleted(self, state, *ids):
        path = self.folder / "gone.txt"
        path.write_text("\n".join(ids))
        return self.ok("update", state, "--deleted", path, "-q")


@pytest.fixture
def states(tmp_path, capsys):
    return States(tmp_path, capsys)


def groups(state):
    found = {}
    for record, entity in current_entities(open_state(str(state))).items():
        found.setdefault(entity, set()).add(record)
    return {"".join(sorted(records)): entity for entity, records in found.items()}


def content_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_decisions_win_over_distances_and_undone_they_leave_what_was(states):
    state = states.make("state", RECORDS)
    first = groups(state)
    assert first.keys() == {"123", "4", "56", "7"}
    out = states.ok("decide", state, "--same", "4", "7", "--different", "5", "6", "-q")
    assert "is at version 2: 7 records, 4 entities" in out
    assert "1 merged into another" in out
    assert groups(state).keys() == {"123", "47", "5", "6"}
    # What is joined by another must be parted: 2 is as near to 1 as to 3.
    states.ok("decide", state, "--different", "1", "3", "-q")
    assert groups(state).keys() in ({"12", "3", "47", "5", "6"}, {"1", "23", "47", "5", "6"})
    states.ok("decide", state, "--undo", "1", "3", "--undo", "7", "4", "--undo", "5", "6", "-q")
    after = groups(state)
    assert after.keys() == first.keys()
    # Of those that fell apart the ids go on with the larger part, and with the first.
    assert after["123"] == first["123"]
    assert after["56"] == first["56"]
    assert after["4"] == first["4"]
    log = states.ok("history", state, "--json")
    said = [json.loads(line) for line in log.splitlines()]
    assert ["4", "7", "same"] in next(each for each in said if each["change"] == "merged")["decisions"]


def test_one_decision_in_the_place_of_another(states):
    state = states.make("state", RECORDS)
    states.ok("decide", state, "--same", "4", "7", "-q")
    assert "47" in groups(state)
    # The other way round it is the same two.
    states.ok("decide", state, "--different", "7", "4", "-q")
    assert "47" not in groups(state)
    assert "nothing was decided of these two" in states.refused("decide", state, "--undo", "1", "4")
    states.ok("decide", state, "--undo", "4", "7", "-q")
    assert "No decision was ever kept." in states.refused("decide", state, "--undo", "4", "7")


def test_decisions_that_cannot_be_are_refused_and_change_nothing(states, tmp_path):
    state = states.make("state", RECORDS)
    states.ok("decide", state, "--same", "4", "7", "-q")
    before = content_of(state)
    err = states.refused("decide", state, "--same", "7", "1", "--different", "1", "4")
    assert "1 and 4 are different, but" in err
    assert "Take back one of these decisions." in err
    # Where what was decided before stands is the state.
    assert str(state) in err
    assert "pehchan-" not in err
    assert "Say one thing of them." in states.refused(
        "decide", state, "--same", "1", "4", "--different", "4", "1"
    )
    assert "a record and itself" in states.refused("decide", state, "--same", "1", "1")
    assert '"99": the state has no such record.' in states.refused("decide", state, "--same", "1", "99")
    path = tmp_path / "wrong.csv"
    path.write_text("id_a,id_b,decision\n1,4,perhaps\n")
    assert "unknown decision 'perhaps'" in states.refused("decide", state, "--file", path)
    assert "nothing is decided" in states.refused("decide", state)
    assert content_of(state) == before


def test_a_file_of_decisions(states, tmp_path):
    state = states.make("state", RECORDS)
    path = tmp_path / "decided.csv"
    path.write_text("decision,id_a,id_b\nsame,4,7\ndifferent,5,6\n")
    states.ok("decide", state, "--file", path, "-q")
    assert groups(state).keys() == {"123", "47", "5", "6"}
    before = content_of(state)
    states.ok("decide", state, "--file", path, "-q")
    assert content_of(state) == before


def test_decisions_of_records_that_go_and_come_again(states):
    state = states.make("state", RECORDS)
    states.ok("decide", state, "--same", "4", "7", "--different", "5", "6", "-q")
    states.deleted(state, "4", "6")
    assert groups(state).keys() == {"123", "5", "7"}
    states.ok("update", state, states.write({"4": "kkkkkkkk", "6": "dddddddd"}), "-q")
    assert groups(state).keys() == {"123", "47", "5", "6"}
    # A decision is taken back although its records are gone, and then is gone as well.
    states.deleted(state, "4", "6")
    states.ok("decide", state, "--undo", "4", "7", "--undo", "5", "6", "-q")
    states.ok("update", state, states.write({"4": "kkkkkkkk", "6": "dddddddd"}), "-q")
    assert groups(state).keys() == {"123", "4", "56", "7"}


def test_decisions_hold_through_updates_and_when_all_is_looked_at_anew(states):
    decided = [("4", "7", "same"), ("5", "6", "different")]
    state = states.make("state", RECORDS, decisions=decided)
    first = groups(state)
    assert first.keys() == {"123", "47", "5", "6"}
    # 8 is near to both of which was decided that they are different.
    states.ok("update", state, states.write({"8": "dddddddd", "4": "cccccccd"}), "-q")
    parts = groups(state).keys() - {"123", "47"}
    assert parts in ({"58", "6"}, {"5", "68"})
    now = groups(state)
    assert now["47"] == first["47"]
    states.ok("update", state, "--refreeze", "-q")
    assert groups(state) == now
    states.ok("update", state, states.write({"9": "cccccccd"}), "-q")
    assert groups(state)["479"] == first["47"]


def test_the_ids_of_one_state_go_on_in_another(states):
    old = states.make("old", RECORDS)
    states.ok("update", old, states.write({"10": "ffffffff"}), "-q")
    for name in ("iiiiiiii", "jjjjjjjj", "kkkkkkkk"):
        states.ok("update", old, states.write({"0": name}), "-q")
    states.deleted(old, "0")
    was = groups(old)
    # With another cutoff all are alone, and 8 is new.
    new = states.make("new", {**RECORDS, "8": "gggggggg", "10": "ffffffff"}, cutoff=100)
    assert groups(new).keys() == {*RECORDS, "8", "10"}
    # 4 and 7 have the same ids already, as each state gives them.
    assert "3 groups of records are one entity in both; reassign" in states.ok("diff", old, new)
    out = states.ok("reassign", new, "--from", old)
    assert "with the ids of" in out
    assert open_state(str(new)).number == 2
    now = groups(new)
    for records in ("4", "7", "10"):
        assert now[records] == was[records]
    # The part with the smallest record goes on, and the others are younger than all that there was.
    assert now["1"] == was["123"]
    assert now["5"] == was["56"]
    for records in ("2", "3", "6", "8"):
        assert now[records] not in was.values()
        assert int(now[records][1:].partition("-")[0]) == open_state(str(old)).number + 1
    # A second time it changes no id.
    states.ok("reassign", new, "--from", old)
    assert groups(new).keys() == now.keys()
    assert groups(new)["1"] == was["123"]
    # What is new later is younger still, in either.
    states.ok("update", new, states.write({"11": "hhhhhhhh"}), "-q")
    states.ok("update", old, states.write({"11": "hhhhhhhh"}), "-q")
    assert int(groups(new)["11"][1:].partition("-")[0]) > int(now["8"][1:].partition("-")[0])
    assert groups(new)["11"] != groups(old)["11"]
    # An entity that merges keeps the older id also where that came from the other state.
    states.ok("decide", new, "--same", "11", "4", "-q")
    assert groups(new)["114"] == was["4"]


def test_an_update_and_new_ids_at_once_are_told_apart(states):
    """Both make the version after the first one, however many the other state has."""
    from pehchan.console import reassigning

    old = states.make("old", RECORDS)
    for number in range(3):
        states.ok("update", old, states.write({f"x{number}": "f" * (number + 5)}), "-q")
    new = states.make("new", RECORDS, cutoff=100)
    continuing = reassigning.continuing

    def overtaken(*arguments):
        reassigning.continuing = continuing
        states.ok("update", new, states.write({"12": "hhhhhhhh"}), "-q")
        return continuing(*arguments)

    reassigning.continuing = overtaken
    code, _, err = states("reassign", new, "--from", old)
    assert code == 1
    assert "was made by somebody else meanwhile" in err
    assert "12" in groups(new)


def test_decisions_go_along_with_the_ids(states):
    old = states.make("old", RECORDS)
    states.ok("decide", old, "--same", "4", "7", "--different", "5", "6", "--same", "1", "2", "-q")
    was = groups(old)
    new = states.make("new", {**RECORDS, "8": "gggggggg"})
    # What was decided here wins.
    states.ok("decide", new, "--different", "1", "2", "-q")
    out = states.ok("reassign", new, "--from", old)
    assert "2 decisions of" in out
    now = groups(new)
    assert now.keys() >= {"47", "5", "6", "8"}
    assert now["47"] == was["47"]
    assert (now["5"], now["6"]) == (was["5"], was["6"])
    assert not any({"1", "2"} <= set(records) for records in now)
    # They hold from now on, and not only once.
    states.ok("update", new, states.write({"7": "zzzzzzzz"}), "-q")
    assert groups(new)["47"] == was["47"]
    states.ok("decide", new, "--undo", "4", "7", "-q")
    assert "47" not in groups(new)
    counts = open_state(str(new)).manifest.counts
    assert (counts["records"], counts["entities"]) == (8, len(groups(new)))


def test_decisions_of_two_states_that_contradict_each_other_are_refused(states):
    old, new = states.make("old", RECORDS), states.make("new", RECORDS)
    states.ok("decide", old, "--same", "4", "7", "--same", "7", "5", "-q")
    states.ok("decide", new, "--different", "4", "5", "-q")
    before = content_of(new)
    err = states.refused("reassign", new, "--from", old)
    assert "4 and 5 are different, but" in err
    assert str(old) in err
    assert content_of(new) == before
    states.ok("decide", new, "--undo", "4", "5", "-q")
    states.ok("reassign", new, "--from", old)
    assert groups(new)["4567"] == groups(old)["4567"]


def test_records_are_as_new_as_they_were_with_the_ids_of_others(states):
    old, new = states.make("old", {"1": "aaaaaaaa", "3": "zzzzzzzz"}), states.make("new", RECORDS)
    changed = states.write({"2": "xxxxxxxx"})
    states.ok("update", new, changed, "-q")
    states.ok("reassign", new, "--from", old)
    # Its pairs of before are none, also where its neighbours are looked at again.
    assert "1 unchanged" in states.ok("update", new, changed, "-q")
    states.ok("decide", new, "--same", "1", "4", "-q")
    assert groups(new).keys() == {"14", "2", "3", "56", "7"}


def test_no_ids_of_a_state_itself_or_of_other_records(states):
    state, other = states.make("state", RECORDS), states.make("other", {"z1": "a", "z2": "b"})
    assert "is the state itself" in states.refused("reassign", state, "--from", state)
    assert "is the state itself" in states.refused("reassign", state, "--from", f"{state}@1")
    assert "has no record that" in states.refused("reassign", state, "--from", other)
    assert "not a state of pehchan" in states.refused("reassign", state, "--from", state.parent / "none")


def test_what_two_states_differ_in(states):
    state = states.make("state", RECORDS)
    states.ok("decide", state, "--same", "4", "7", "-q")
    states.deleted(state, "5")
    out = states.ok("diff", f"{state}@1", state)
    assert "entities: 4 before, 3 now, 1 the same" in out
    entries = [json.loads(line) for line in states.ok("diff", f"{state}@1", state, "--json").splitlines()]
    was = groups(f"{state}@1")
    assert {entry["entity"]: entry["change"] for entry in entries} == {
        was["4"]: "merged",
        was["7"]: "merged into another",
        was["56"]: "shrunk",
    }
    assert states.ok("diff", state, state, "--json") == ""
    # Of another state with the same groups it is said that ids can go on.
    again = states.make("again", {**RECORDS, "0": "aaaaaaaa"})
    assert "4 before, 4 now, 3 the same" in states.ok("diff", f"{state}@1", again)
    assert "version 9 is not there" in states.refused("diff", f"{state}@9", state)


def test_the_history_of_an_entity_or_a_record(states):
    state = states.make("state", RECORDS)
    assert "nothing changed since the first version" in states.ok("history", state)
    states.ok("update", state, states.write({"8": "dddddddd"}), "-q")
    states.ok("decide", state, "--same", "4", "7", "-q")
    of_record = states.ok("history", state, "8", "--json").splitlines()
    assert [json.loads(line)["came"] for line in of_record] == [["8"]]
    assert json.loads(of_record[0])["pairs"] == [["5", "8", 0], ["6", "8", 125]]
    of_entity = states.ok("history", state, groups(state)["47"], "--json").splitlines()
    # The one that merged, and the one that merged into it.
    assert len(of_entity) == 2
    assert "never changed" in states.ok("history", state, "1")
    assert "and 2 before these" in states.ok("history", state, "-n", "1")


def test_a_pair_that_holds_again_is_not_said_to_be_gone(states):
    state = states.make("state", RECORDS)
    # 6 is still near to 5, and 2 to 1, but no longer to 3.
    states.ok("update", state, states.write({"6": "ddddddee", "2": "aaaaaaab"}), "-q")
    entries = [json.loads(line) for line in states.ok("history", state, "--json").splitlines()]
    told = {"".join(entry.get("changed", [])): entry for entry in entries}
    assert told["6"]["pairs"] == [["5", "6", 250]]
    assert "pairs no longer" not in told["6"]
    assert told["2"]["pairs"] == [["1", "2", 125]]
    assert told["2"]["pairs no longer"] == [["2", "3", 250]]


def test_a_pair_between_two_entities_stands_with_both(states):
    state = states.make("state", RECORDS)
    states.ok("decide", state, "--different", "5", "6", "-q")
    states.ok("update", state, states.write({"5": "ddddddff", "6": "dddddddf"}), "-q")
    entries = [json.loads(line) for line in states.ok("history", state, "--json").splitlines()]
    told = [entry for entry in entries if entry["version"] == 3]
    assert sorted(entry["changed"] for entry in told) == [["5"], ["6"]]
    assert all(entry["pairs"] == [["5", "6", 125]] for entry in told)


def test_a_state_against_the_truth(states):
    state = states.make("state", RECORDS)
    truth = states.folder / "truth.csv"
    truth.write_text("id,cluster\n1,a\n2,a\n3,a\n4,b\n5,c\n6,d\n7,e\n8,d\n")
    asked = ["--truth", truth, "--partial"]
    by_output, by_state = (
        json.loads(states.ok("evaluate", each, *asked, "--json"))
        for each in (states.folder / "out-state", state)
    )
    assert by_state == by_output
    assert by_state["pairs within clusters"]["precision"] == 3 / 4
    errors = states.ok("evaluate", state, *asked, "--errors", 5)
    assert "wrong: 125 apart" in errors
    assert "dddddddd" in errors
    # 5 goes, and with it what was wrong; 8 comes to 6, as it should.
    states.ok("update", state, states.write({"8": "ddddddde"}), "-q")
    states.deleted(state, "5")
    now = json.loads(states.ok("evaluate", state, *asked, "--json"))["pairs within clusters"]
    assert (now["true_positive"], now["precision"], now["recall"]) == (4, 1, 1)
    assert json.loads(states.ok("evaluate", f"{state}@1", *asked, "--json")) == by_output
    assert "this is a state" in states.refused("evaluate", state, *asked, "--report")


def test_what_entities_writes_is_no_output_of_a_run(states):
    state, out = states.make("state", RECORDS), states.folder / "entities"
    states.ok("entities", state, "-o", out, "-q")
    truth = states.folder / "truth.csv"
    truth.write_text("id,cluster\n1,a\n2,a\n")
    assert "or a state" in states.refused("evaluate", out, "--truth", truth)
    assert "holds no pairs" in states.refused("cluster", out, "--cutoff", 5, "-o", states.folder / "clusters")
    assert "holds no clusters" in states.refused("review", out)
    assert "or a state" in states.refused("explain", out, "1")


def test_what_match_says_comes_next_can_be_done(states, monkeypatch):
    monkeypatch.chdir(states.folder)
    columns, _ = persons(60, 30, 4)
    with open("p.csv", "w", newline="") as file:
        rows = [[f"r{number}", *row] for number, row in enumerate(zip(*columns, strict=True))]
        csv.writer(file).writerows([["id", *NAMES], *rows])
    said = states.ok("match", "p.csv", "--state", "some state", "-q", "--no-report").splitlines()
    told = next(line for line in said if "is at version 1" in line)
    assert told.startswith("some state is at version 1: 90 records, 60 entities; what comes later: ")
    assert told.endswith("pehchan update 'some state' NEW")
    assert said[-2] == "  pehchan label --model pehchan-out/model"
    for command in said[-1].split(" && "):
        assert shlex.split(command)[0] == "pehchan"
        states.ok(*shlex.split(command)[1:])
    before, after = (current_entities(open_state(name)) for name in ("some state", "some state-anew"))
    assert before == after
    # Whoever labels is told the same, of the state that there is now.
    monkeypatch.setattr("sys.stdin", io.StringIO("1\n0\nq\n"))
    told = states.ok("label", "--model", "pehchan-out/model")
    assert (
        "--state 'some state-anew2' && pehchan reassign 'some state-anew2' --from 'some state-anew'\n" in told
    )
