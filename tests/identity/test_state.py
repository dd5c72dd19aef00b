"""The folder of a state: versions that are there as a whole, and what is said of one that is not."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from pehchan.console.command import main
from pehchan.identity.entities import current_entities
from pehchan.identity.state import open_state

NAMES = ("name", "city")
RECORDS = {"1": ["aaaa", "x"], "2": ["aaab", "x"], "3": ["bbbb", "y"]}
NEW = {"4": ["bbba", "y"], "5": ["cccc", "z"]}


@pytest.fixture
def called(capsys):
    """Run the command: (exit code, stdout, stderr)."""

    def run(*arguments):
        code = main([*map(str, arguments)])
        return (code, *capsys.readouterr())

    return run


def write(path, records, names=NAMES, encoding="utf-8"):
    with open(path, "w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows([["id", *names], *([each, *values] for each, values in records.items())])
    return path


def schema_in(folder):
    schema = folder / "schema.json"
    schema.write_text(
        json.dumps(
            {
                "id": "id",
                "fields": {"name": {"measure": "levenshtein"}},
                "blocking": ["prefix(name, 1)"],
                "cutoff": 300,
            }
        )
    )
    return schema


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A state of three records."""
    folder = tmp_path_factory.mktemp("made")
    asked = ["dedupe", str(write(folder / "base.csv", RECORDS)), "-s", str(schema_in(folder)), "-q"]
    assert main([*asked, "-o", str(folder / "out"), "--state", str(folder / "state"), "--no-report"]) == 0
    return folder / "state"


@pytest.fixture
def state(made, tmp_path):
    """A state of three records, in a folder of the test."""
    shutil.copytree(made, tmp_path / "state")
    return tmp_path / "state"


@pytest.fixture
def new(tmp_path):
    return write(tmp_path / "new.csv", NEW)


def content_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def entities_of(state):
    return current_entities(open_state(str(state)))


# what is no state, or none that is whole


def in_manifest(change):
    def breaks(state):
        path = state / "manifests" / "000001.json"
        manifest = json.loads(path.read_text())
        change(manifest)
        path.write_text(json.dumps(manifest))

    return breaks


def in_plan(change):
    def breaks(state):
        (path,) = state.glob("parts/*/plan.json")
        plan = json.loads(path.read_text())
        change(plan)
        before = path.stat().st_size
        path.write_text(json.dumps(plan))
        # The bytes are as many as were written.
        in_manifest(
            lambda manifest: manifest["parts"].update(
                {name: size + path.stat().st_size - before for name, size in manifest["parts"].items()}
            )
        )(state)

    return breaks


def the_part(state):
    (part,) = (state / "parts").iterdir()
    return part


def cut_short(state):
    (path,) = the_part(state).glob("members/part-*")
    path.write_bytes(path.read_bytes()[:-10])


def other_bytes(state):
    """As many as before, but not those that were written."""
    (path,) = the_part(state).glob("members/part-*")
    path.write_bytes(path.read_bytes()[:30] + b"!" * (path.stat().st_size - 31) + b"\n")


BROKEN = {
    "of another version": (
        in_manifest(lambda manifest: manifest.update(version=99)),
        "a state of version 99, and this pehchan reads version 1",
    ),
    "without a version": (in_manifest(lambda manifest: manifest.pop("version")), "not a whole manifest"),
    "of other words": (in_manifest(lambda manifest: manifest.update(colour="red")), "not a whole manifest"),
    "without parts": (in_manifest(lambda manifest: manifest.pop("parts")), "not a whole manifest"),
    "of parts that are none": (
        in_manifest(lambda manifest: manifest.update(parts=[1])),
        "not a whole manifest",
    ),
    "half a manifest": (
        lambda state: (state / "manifests/000001.json").write_bytes(
            (state / "manifests/000001.json").read_bytes()[:40]
        ),
        "not a whole manifest",
    ),
    "no JSON": (
        lambda state: (state / "manifests/000001.json").write_bytes(b"\xff\xfe\x00"),
        "not a whole manifest",
    ),
    "a plan of another version": (
        in_plan(lambda plan: plan.update(version=99)),
        "not a plan that this pehchan reads",
    ),
    "half a plan": (in_plan(lambda plan: plan.pop("schema")), "not a plan that this pehchan reads"),
    "a part is missing": (
        lambda state: shutil.rmtree(the_part(state)),
        "it is missing, and version 1 needs it",
    ),
    "a file is missing": (lambda state: shutil.rmtree(the_part(state) / "pairs"), "was written with"),
    "cut short": (cut_short, "was written with"),
    "other bytes": (other_bytes, "not a whole line of kept-members"),
    "no manifests": (lambda state: shutil.rmtree(state / "manifests"), "not a state of pehchan"),
    "nothing": (shutil.rmtree, "not a state of pehchan"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_state_is_refused_with_what_to_do(how, state, new, tmp_path, called):
    breaks, said = BROKEN[how]
    breaks(state)
    before = content_of(state) if state.exists() else {}
    gone = tmp_path / "gone.txt"
    gone.write_text("1\n")
    for asked in (
        ["update", state, new],
        ["update", state, "--deleted", gone],
        ["update", state, "--refreeze"],
        ["decide", state, "--same", "1", "3"],
        ["entities", state, "-o", tmp_path / "entities"],
    ):
        code, out, err = called(*asked, "-q")
        assert code in (1, 2)
        assert not out
        assert said in err
        assert "Traceback" not in err
        # What would be right: on a line of its own.
        assert any(line.startswith("  ") for line in err.splitlines())
    assert (content_of(state) if state.exists() else {}) == before


def test_of_a_broken_version_it_is_said_how_to_go_on_from_the_one_before(state, new, called):
    assert called("update", state, new, "-q")[0] == 0
    for part in (state / "parts").glob("000002-*"):
        shutil.rmtree(part)
    code, _, err = called("update", state, new, "-q")
    manifest = state / "manifests" / "000002.json"
    assert code == 2
    assert "go on from version 1" in err
    assert f"remove {manifest}" in err
    manifest.unlink()
    assert called("update", state, new, "-q")[0] == 0
    assert entities_of(state).keys() == {*RECORDS, *NEW}


def test_an_older_version_is_shown_and_not_changed(state, new, called):
    before = entities_of(state)
    assert called("update", state, new, "-q")[0] == 0
    assert current_entities(open_state(f"{state}@1")) == before
    code, _, err = called("update", f"{state}@1", new)
    assert code == 2
    assert "an older version cannot be changed" in err
    assert str(state) in err
    code, _, err = called("update", f"{state}@7", new)
    assert code == 2
    assert "There are: 1, 2." in err


def test_no_more_versions_are_kept_than_asked_for_and_all_that_they_need(state, tmp_path, called):
    for number in range(4):
        path = write(tmp_path / f"{number}.csv", {f"n{number}": ["dddd", "x"]})
        assert called("update", state, path, "--keep", "2", "-q")[0] == 0
    assert sorted(path.name for path in (state / "manifests").iterdir()) == ["000004.json", "000005.json"]
    # What older versions added is part of the newer ones.
    assert sorted(path.name[:6] for path in (state / "parts").iterdir()) == [f"00000{n}" for n in range(1, 6)]
    assert current_entities(open_state(f"{state}@4")).keys() == {*RECORDS, "n0", "n1", "n2"}
    assert called("update", state, "--refreeze", "--keep", "1", "-q")[0] == 0
    assert [path.name[:6] for path in (state / "parts").iterdir()] == ["000006"]
    assert entities_of(state).keys() == {*RECORDS, "n0", "n1", "n2", "n3"}


# what is brought in


def test_input_that_cannot_be_right_is_refused_before_anything_changes(state, new, tmp_path, called):
    latin = write(tmp_path / "latin.csv", {"7": ["jürgen", "köln"]}, encoding="latin-1")
    no_city = tmp_path / "no_city.csv"
    no_city.write_text("id,name\n7,aaaa\n")
    no_id = tmp_path / "no_id.csv"
    no_id.write_text("name,city\naaaa,x\n")
    empty = tmp_path / "empty.csv"
    empty.touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    both = tmp_path / "both.txt"
    both.write_text("1\n4\n")
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"1\n\xff\n")
    before = content_of(state)
    for asked, said in (
        ([latin], "1 of 1 lines were set aside"),
        ([no_city], "no column city, which the records of the state have"),
        ([new, no_city], "no column city, which the records of the state have"),
        ([no_id], "no column id"),
        ([empty], "the file is empty"),
        ([folder], "a folder without files"),
        ([tmp_path / "none.csv"], "there is no such file"),
        (["--deleted", folder], "a folder"),
        (["--deleted", tmp_path / "none.txt"], "there is no such file"),
        (["--deleted", bad], "not UTF-8"),
        ([new, "--deleted", both], "1 ids are also among the new records: 4"),
        ([], "nothing to bring in"),
        ([new, "-r", "nowhere"], "no such runner"),
    ):
        code, out, err = called("update", state, *asked, "-q")
        assert code in (1, 2), asked
        assert not out
        assert said in err
        assert "Traceback" not in err
    assert content_of(state) == before
    for path in ("s3://bucket/state", "hdfs:///state"):
        code, _, err = called("update", path, new)
        assert code == 2
        assert f"{path}: -r inline does not reach it." in err


def test_ids_that_are_not_there_are_counted_and_nothing_else_happens(state, tmp_path, called):
    unknown = tmp_path / "unknown.txt"
    unknown.write_text("77\n78\n77\n")
    before = content_of(state)
    code, out, _ = called("update", state, "--deleted", unknown, "-q")
    assert code == 0
    assert "2 ids to delete are not in the state" in out
    assert content_of(state) == before
    mixed = tmp_path / "mixed.txt"
    mixed.write_bytes(b"\xef\xbb\xbf77\r\n2\r\n\r\n")
    code, out, _ = called("update", state, "--deleted", mixed, "-q")
    assert code == 0
    assert "1 deleted" in out
    assert entities_of(state).keys() == {"1", "3"}


def test_columns_go_by_their_names_and_others_are_left_out(state, tmp_path, called):
    path = tmp_path / "new.csv"
    path.write_text("city,more,id,name\nx,1,1,aaaa\nx,1,9,aaaa\n")
    code, out, _ = called("update", state, path, "-q")
    assert code == 0
    assert "columns that the state does not have: more" in out
    assert "1 new, 1 unchanged" in out
    assert entities_of(state)["9"] == entities_of(state)["1"]


def test_two_records_of_one_id_are_both_kept_and_that_is_said(state, tmp_path, called):
    path = tmp_path / "new.csv"
    path.write_text("id,name,city\n9,aaaa,x\n9,cccc,x\n")
    code, out, _ = called("update", state, path, "-q")
    assert code == 0
    assert "1 records had the id of another" in out
    assert entities_of(state).keys() == {*RECORDS, "9", "9~2"}


def test_lines_set_aside_are_kept_beside_the_state(state, tmp_path, called):
    rows = [f"n{number},eeee,x" for number in range(120)]
    path = tmp_path / "new.csv"
    path.write_text("\n".join(["id,name,city", *rows, "too,short"]))
    code, out, _ = called("update", state, path, "-q")
    assert code == 0
    assert "1 lines set aside" in out
    kept = tmp_path / "state.rejected-2.jsonl"
    assert str(kept) in out
    assert orjson.loads(kept.read_bytes())["line"].startswith("too,short")


def test_a_state_is_made_only_where_nothing_else_is(made, state, tmp_path, called):
    base, schema = write(tmp_path / "base.csv", RECORDS), schema_in(tmp_path)
    full = tmp_path / "full"
    full.mkdir()
    (full / "precious").touch()
    mode = full.stat().st_mode
    out = tmp_path / "out"
    for path, said in (
        (state, "holds a state"),
        (full, "holds something else"),
        (base, "is a file"),
        (out, "lie in each other"),
        (out / "state", "lie in each other"),
        (tmp_path, "lie in each other"),
    ):
        code, _, err = called("dedupe", base, "-s", schema, "-o", out, "--state", path, "-q", "--no-report")
        assert code == 2
        assert said in err
        assert not out.exists()
    assert [path.name for path in full.iterdir()] == ["precious"]
    assert full.stat().st_mode == mode
    # One that was broken off left its parts.
    left = tmp_path / "left" / "parts" / "000001-0badcafe"
    left.mkdir(parents=True)
    asked = ["dedupe", base, "-s", schema, "-o", out, "--state", tmp_path / "left", "-q", "--no-report"]
    assert called(*asked)[0] == 0
    assert not left.exists()
    assert entities_of(tmp_path / "left") == entities_of(made)


def test_a_state_of_rules_is_not_matched_like(state, new, tmp_path, called):
    code, _, err = called("match", new, "--like", state, "-o", tmp_path / "out")
    assert code == 2
    assert "was made by rules" in err
    assert "Use dedupe with the same schema." in err


# killed, and two at once

#: Where a run is killed: what it is about to call, of module and name, and how often it has called that before.
KILLED = {
    "before the part": ("pehchan.identity.state", "NextVersion.__init__", 0),
    "before anything is written": ("pehchan.identity.state", "NextVersion.write", 0),
    "in the middle": ("pehchan.identity.state", "NextVersion.write", 2),
    "before the manifest": ("pehchan.identity.state", "NextVersion.commit", 0),
    "while the manifest is written": ("os", "link", 0),
    "after the manifest": ("pehchan.identity.state", "_remove_unneeded", 0),
}

_SCRIPT = """
import importlib, os, signal, sys

module, name, after = sys.argv[1], sys.argv[2], int(sys.argv[3])
holder = importlib.import_module(module)
*inner, last = name.split(".")
for each in inner:
    holder = getattr(holder, each)
called, times = getattr(holder, last), [0]

def killed(*arguments, **named):
    times[0] += 1
    if times[0] > after:
        os.kill(os.getpid(), signal.SIGKILL)
    return called(*arguments, **named)

setattr(holder, last, killed)
from pehchan.console.command import main
main(sys.argv[4:])
"""


@pytest.mark.parametrize("when", KILLED)
def test_a_killed_update_leaves_one_version_or_the_other(when, state, new, tmp_path, called):
    before = entities_of(state)
    whole = tmp_path / "whole"
    shutil.copytree(state, whole)
    assert called("update", whole, new, "-q")[0] == 0
    module, name, after = KILLED[when]
    script = [sys.executable, "-c", _SCRIPT, module, name, str(after)]
    killed = subprocess.run([*script, "update", str(state), str(new), "-q"], capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    assert entities_of(state) == (entities_of(whole) if when == "after the manifest" else before)
    # The next one works, and of the killed one nothing is left.
    assert called("update", state, new, "-q")[0] == 0
    assert entities_of(state) == entities_of(whole)
    assert content_of(state).keys() - content_of(whole).keys() == {
        name for name in content_of(state) if name.startswith("parts/000002-")
    }
    assert len(list((state / "parts").iterdir())) == len(list((whole / "parts").iterdir())) == 2


_MEETING = """
import os, sys, time
from pathlib import Path
import pehchan.identity.state as state

folder, number = Path(sys.argv[1]), sys.argv[2]
commit = state.NextVersion.{where}

def together(*arguments, **named):
    # Whoever is here waits for the other.
    (folder / number).touch()
    while len(list(folder.iterdir())) < 2:
        time.sleep(0.01)
    return commit(*arguments, **named)

state.NextVersion.{where} = together
from pehchan.console.command import main
sys.exit(main(sys.argv[3:]))
"""


@pytest.mark.parametrize("where", ["commit", "write"])
def test_of_two_updates_at_once_one_is_refused_and_none_is_lost(where, state, tmp_path):
    before = entities_of(state)
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    script = _MEETING.replace("{where}", where)
    running = []
    for number in "12":
        path = write(tmp_path / f"{number}.csv", {f"n{number}": ["dddd", "x"]})
        asked = [sys.executable, "-c", script, str(meeting), number, "update", str(state), str(path), "-q"]
        running.append(subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    told = {
        number: (*each.communicate(timeout=120), each.returncode)
        for number, each in zip("12", running, strict=True)
    }
    (kept,) = [number for number, (_, _, code) in told.items() if code == 0]
    (refused,) = set("12") - {kept}
    _, err, code = told[refused]
    assert code == 1
    assert "version 2 was made by somebody else meanwhile" in err
    assert "Run it again" in err
    assert "Traceback" not in err
    assert entities_of(state).keys() == {*before, f"n{kept}"}
    assert main(["update", str(state), str(tmp_path / f"{refused}.csv"), "-q"]) == 0
    assert entities_of(state).keys() == {*before, "n1", "n2"}
    assert len(list((state / "parts").iterdir())) == 3
    assert not [path for path in (state / "manifests").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, MemoryError])
def test_a_version_stays_once_it_is_there_whatever_happens_then(error, state, new, called, monkeypatch):
    def fails(*arguments):
        raise error

    monkeypatch.setattr("pehchan.identity.state._remove_unneeded", fails)
    called("update", state, new, "-q")
    assert open_state(str(state)).number == 2
    assert entities_of(state).keys() == {*RECORDS, *NEW}


def test_folders_of_others_among_the_parts_stay(state, new, called):
    (state / "parts" / "mine").mkdir()
    (state / "parts" / "000001-mine").mkdir()
    assert called("update", state, new, "-q")[0] == 0
    assert {path.name for path in (state / "parts").iterdir()} > {"mine", "000001-mine"}


def test_a_part_that_was_taken_away_is_told_as_what_it_is(state, new, called, monkeypatch):
    """Whoever makes a version removes the parts of all others who were about to."""
    from pehchan.identity.state import NextVersion

    write_lines = NextVersion.write

    def overtaken(version, kind, lines):
        monkeypatch.setattr(NextVersion, "write", write_lines)
        assert main(["update", str(state), str(new), "-q"]) == 0
        assert not os.path.exists(str(version.part))
        raise FileNotFoundError(str(version.part))

    monkeypatch.setattr(NextVersion, "write", overtaken)
    code, _, err = called("update", state, new, "-q")
    assert code == 1
    assert "was made by somebody else meanwhile" in err


def test_two_records_of_one_code_are_told_apart_after_a_refreeze(state, new, called, monkeypatch):
    import pehchan.identity.rows
    import pehchan.identity.updating
    import pehchan.mrjobs.keep_state

    codes_of = pehchan.identity.rows.codes_of

    def alike(names, salt=0):
        """With the salt of the first version, 4 has the code of 1."""
        return codes_of([b"1" if name == b"4" and salt == 0 else name for name in names], salt)

    for module in (pehchan.identity.rows, pehchan.identity.updating, pehchan.mrjobs.keep_state):
        monkeypatch.setattr(module, "codes_of", alike)
    before = content_of(state)
    code, _, err = called("update", state, new, "-q")
    assert code == 1
    assert 'the records "1" and "4" cannot be told apart' in err
    assert "update --refreeze" in err
    assert content_of(state) == before
    assert called("update", state, "--refreeze", "-q")[0] == 0
    assert called("update", state, new, "-q")[0] == 0
    assert entities_of(state).keys() == {*RECORDS, *NEW}


def test_what_is_kept_is_for_its_owner_alone(state, new, called):
    assert called("update", state, new, "-q")[0] == 0
    for path in [state, *(state / "parts").iterdir()]:
        assert Path(path).stat().st_mode & 0o077 == 0


def test_many_parts_become_one_and_say_the_same(made, tmp_path, called, monkeypatch):
    """Every version has the same entities, records and history, whether parts were joined or not."""
    states = {most: shutil.copytree(made, tmp_path / f"state-{most}") for most in (2, 100)}
    for number in range(6):
        batch = write(
            tmp_path / "batch.csv", {"2": [f"aaa{number}", "x"], f"n{number}": [f"ccc{number}", "z"]}
        )
        gone = tmp_path / "gone.txt"
        gone.write_text(f"n{number - 2}\n")
        for most, state in states.items():
            monkeypatch.setattr("pehchan.identity.state.MOST_PARTS", most)
            assert called("update", state, batch, "--deleted", gone, "-q", "--keep", 1)[0] == 0
            if number == 1:
                assert called("decide", state, "--different", "1", "2", "-q")[0] == 0
    joined, apart = states.values()
    assert len(list((joined / "parts").iterdir())) <= 4
    assert len(list((apart / "parts").iterdir())) == 8
    assert entities_of(joined) == entities_of(apart)
    assert list(open_state(str(joined)).log()) == list(open_state(str(apart)).log())
    assert open_state(str(joined)).read_decisions() == open_state(str(apart)).read_decisions() != b""
    # What is brought in again is known, and undone decisions are.
    for state in states.values():
        assert "2 unchanged" in called("update", state, batch, "-q")[1]
        assert called("decide", state, "--undo", "1", "2", "-q")[0] == 0
    assert entities_of(joined) == entities_of(apart)
