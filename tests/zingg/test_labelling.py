"""pehchan zingg --phase label and updateLabel: every answer is kept, beside the files that Zingg wrote."""

import fcntl
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pehchan.main import main
from pehchan.zingg import marking as marking_module
from pehchan.zingg.marking import ANSWERED_FILE, Marking, pairs_of
from pehchan.zingg.training_data import TrainingData

SCHEMA = pa.schema(
    [
        ("z_zid", pa.int64()),
        ("z_cluster", pa.string()),
        ("z_prediction", pa.float64()),
        ("z_score", pa.float64()),
        ("z_isMatch", pa.int32()),
        ("name", pa.string()),
        ("age", pa.int32()),
        ("born", pa.date32()),
        ("z_zsource", pa.string()),
    ]
)


def rows(number, answer=-1, prediction=-1.0, score=0.0):
    """The two rows of a pair as Zingg writes them."""
    shared = {
        "z_cluster": f"1744097486814:{number}",
        "z_prediction": prediction,
        "z_score": score,
        "z_isMatch": answer,
        "z_zsource": "customers",
    }
    return [
        {**shared, "z_zid": 2 * number, "name": f"Ann {number}", "age": 40 + number},
        {**shared, "z_zid": 2 * number + 1, "name": f"Anne {number}", "age": None},
    ]


def write_spark(folder, *parts):
    """A folder as Spark leaves it: part files, a mark of success, and checksums."""
    folder.mkdir(parents=True)
    for number, part in enumerate(parts):
        name = f"part-{number:05d}-0a1b2c3d-c000.snappy.parquet"
        pq.write_table(pa.Table.from_pylist(part, SCHEMA), folder / name, compression="snappy")
        (folder / f".{name}.crc").write_bytes(b"crc\0")
    (folder / "_SUCCESS").write_bytes(b"")


UNMARKED, MARKED = Path("models/1/trainingData/unmarked"), Path("models/1/trainingData/marked")


@pytest.fixture(autouse=True)
def zingg(tmp_path, monkeypatch):
    """The folder of a model of Zingg's with five pairs, of which two are marked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    configuration = {
        "zinggDir": "models",
        "data": [{"name": "customers", "format": "csv", "props": {"location": "customers.csv"}}],
        "fieldDefinition": [
            {"fieldName": "name", "fields": "name", "dataType": "string", "matchType": "FUZZY"},
            {"fieldName": "age", "fields": "age", "dataType": "integer", "matchType": "DONT_USE"},
        ],
    }
    Path("c.json").write_text(json.dumps(configuration))
    write_spark(UNMARKED, [*rows(0), *rows(1)], rows(2), [*rows(3, -1, 1.0, 0.879), *rows(4, -1, 0.0, 0.3)])
    # Spark gives the rows of a pair to different files.
    first, second = rows(0, 1)
    write_spark(MARKED, [first, *rows(1, 2)], [], [second])
    return tmp_path


def label(capsys, monkeypatch, *lines, phase="label"):
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    code = main(["zingg", "--phase", phase, "--conf", "c.json"])
    return (code, *capsys.readouterr())


@pytest.fixture
def labelled(capsys, monkeypatch):
    """Label with these lines: (exit code, stdout, stderr)."""
    return lambda *lines, **options: label(capsys, monkeypatch, *lines, **options)


def marked(folder=MARKED):
    """The answer of each pair by its number, as a program that reads all files of the folder finds it."""
    table = pa.dataset.dataset(folder, format="parquet", schema=SCHEMA).to_table()
    assert table.schema == SCHEMA
    found = Counter((int(row["z_cluster"].partition(":")[2]), row["z_isMatch"]) for row in table.to_pylist())
    assert set(found.values()) <= {2}
    return dict(sorted(found.keys()))


def test_a_round_as_a_whole(labelled):
    code, out, err = labelled("1", "0", "9")
    assert (code, err) == (0, "")
    assert out == (
        "\n"
        "pair 1 of 3, z_cluster 1744097486814:2\n"
        "id  name      age  born\n"
        "4   Ann 2     42\n"
        "5   Ann[e] 2  []\n"
        "There was no model yet, so nothing is predicted.\n"
        "In this round 0 of 3 pairs are labelled; so far 1/2 MATCH, 0/2 DO NOT MATCH, 1/2 NOT SURE.\n"
        "0 no match, 1 match, 2 not sure, 9 exit, u undo, ? help: 1\n"
        "\n"
        "pair 2 of 3, z_cluster 1744097486814:3\n"
        "id  name      age  born\n"
        "6   Ann 3     43\n"
        "7   Ann[e] 3  []\n"
        "The model says MATCH, with a score of 0.87.\n"
        "In this round 1 of 3 pairs are labelled; so far 2/3 MATCH, 0/3 DO NOT MATCH, 1/3 NOT SURE.\n"
        "0 no match, 1 match, 2 not sure, 9 exit, u undo, ? help: 0\n"
        "\n"
        "pair 3 of 3, z_cluster 1744097486814:4\n"
        "id  name      age  born\n"
        "8   Ann 4     44\n"
        "9   Ann[e] 4  []\n"
        "The model says DO NOT MATCH, with a score of 0.30.\n"
        "In this round 2 of 3 pairs are labelled; so far 2/4 MATCH, 1/4 DO NOT MATCH, 1/4 NOT SURE.\n"
        "0 no match, 1 match, 2 not sure, 9 exit, u undo, ? help: 9\n"
        "2 labelled in this round; so far 2/4 MATCH, 1/4 DO NOT MATCH, 1/4 NOT SURE\n"
        "1 pair still waits; go on with:\n"
        "  pehchan zingg --conf c.json --phase label\n"
        "A model is surer with at least 5 pairs each of MATCH and DO NOT MATCH.\n"
        "To match with these labels:\n"
        "  pehchan zingg --conf c.json --phase trainMatch\n"
    )
    assert marked() == {0: 1, 1: 2, 2: 1, 3: 0}


def test_files_of_zingg_stay_as_they_are_and_the_next_round_goes_on(labelled):
    def files():
        return {path: path.read_bytes() for path in MARKED.iterdir() if path.name != ANSWERED_FILE}

    before = files()
    labelled("1", "2")
    code, out, _ = labelled("0", "9")
    assert code == 0
    assert "pair 1 of 1, z_cluster 1744097486814:4\n" in out
    assert "No more pairs wait for an answer. u undo, 9 exit: 9\n" in out
    assert marked() == {0: 1, 1: 2, 2: 1, 3: 2, 4: 0}
    assert files() == before


def test_answers_are_taken_back_also_those_of_earlier_rounds_and_not_those_of_zingg(labelled):
    labelled("1", "0")
    code, out, _ = labelled("u", "u", "u", "2")
    assert code == 0
    assert out.count("Taken back") == 2
    assert "There is no answer to take back.\n" in out
    assert marked() == {0: 1, 1: 2, 2: 2}


def test_a_pair_whose_answer_is_taken_back_waits_though_nobody_found_it(labelled):
    labelled("1")
    for path in UNMARKED.iterdir():
        path.unlink()
    labelled("u")
    assert marked() == {0: 1, 1: 2}
    _, out, _ = labelled("0")
    assert "pair 1 of 1, z_cluster 1744097486814:2" in out
    assert marked() == {0: 1, 1: 2, 2: 0}


def test_an_answer_is_changed_in_files_of_zingg_too(labelled):
    code, out, err = labelled("1744097486814:0", "0", "1744097486814:1", "1", "9", phase="updateLabel")
    assert (code, err) == (0, "")
    assert "It is labelled MATCH.\n" in out
    assert "1744097486814:0 was MATCH, and is DO NOT MATCH.\n" in out
    assert marked() == {0: 0, 1: 1}
    # The checksum of a file that changed would be wrong.
    assert len(list(MARKED.glob("*.crc"))) == 1
    labelled("1744097486814:0", "2", phase="updateLabel")
    assert marked() == {0: 2, 1: 1}
    assert "2/2 NOT SURE" not in out


@pytest.mark.parametrize(
    ("lines", "phase", "told", "kept"),
    [
        (["1", "yes", "0"], "label", "line 2 of the input, 'yes', is no answer.", {2: 1}),
        (
            ["1", "1", "1", "1"],
            "label",
            "line 4 of the input, '1', is one answer too many",
            {2: 1, 3: 1, 4: 1},
        ),
        (["77", "1"], "updateLabel", "line 1 of the input, '77', is the z_cluster of no labelled pair.", {}),
        (["1744097486814:0", "x"], "updateLabel", "'x', is no answer to 1744097486814:0.", {}),
    ],
)
def test_a_line_that_is_no_answer_ends_a_pipe(labelled, lines, phase, told, kept):
    code, _, err = labelled(*lines, phase=phase)
    assert code == 2
    assert told in err
    assert marked() == {0: 1, 1: 2, **kept}


class Interrupted(io.StringIO):
    """Whoever answers has enough."""

    def readline(self, *_):
        line = super().readline()
        if not line:
            raise KeyboardInterrupt
        return line


def test_an_interrupt_ends_a_round_and_what_was_answered_stays(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Interrupted("1\n"))
    assert main(["zingg", "--phase", "label", "--conf", "c.json"]) == 130
    assert "1 labelled in this round" in "".join(capsys.readouterr())
    assert marked() == {0: 1, 1: 2, 2: 1}


def test_what_is_not_there_is_told_with_what_makes_it(labelled):
    for folder in (UNMARKED, MARKED):
        for path in folder.iterdir():
            path.unlink()
    code, _, err = labelled("1")
    assert code == 2
    assert "pehchan zingg --conf c.json --phase findTrainingData" in err
    code, _, err = labelled("1", phase="updateLabel")
    assert code == 2
    assert "pehchan zingg --conf c.json --phase label" in err


def test_rows_that_are_no_pair_are_told_and_left_out(labelled):
    bad = [*rows(7)[:1], {**rows(8)[0], "z_isMatch": 1}, rows(8)[1]]
    pq.write_table(pa.Table.from_pylist(bad, SCHEMA), UNMARKED / "part-9.parquet")
    code, out, err = labelled("9")
    assert code == 0
    assert "z_cluster 1744097486814:7 has only 1 row, and a pair two: left out." in err
    assert "the rows of z_cluster 1744097486814:8 say z_isMatch 1 and -1: left out." in err
    assert "pair 1 of 3" in out
    (UNMARKED / "part-9.parquet").write_bytes((UNMARKED / "part-9.parquet").read_bytes()[:50])
    code, _, err = labelled("9")
    assert code == 2
    assert "part-9.parquet: cannot be read as Parquet" in err


@pytest.mark.parametrize("folder", [UNMARKED, MARKED])
def test_columns_of_different_types_are_told(labelled, folder):
    names = pa.array(["old", "older"])
    other = pa.Table.from_pylist(rows(7, 1), SCHEMA).set_column(SCHEMA.names.index("age"), "age", names)
    for path in MARKED.iterdir() if folder == UNMARKED else UNMARKED.iterdir():
        path.unlink()
    pq.write_table(other, folder / "part-9.parquet")
    code, _, err = labelled("1")
    assert code == 2
    assert "columns of different types" in err
    for path in folder.glob("part-0*"):
        path.unlink()
    write_spark(Path("other"), rows(1, 1))
    (MARKED if folder == UNMARKED else UNMARKED).joinpath("part-0.parquet").write_bytes(
        next(Path("other").glob("part*")).read_bytes()
    )
    code, _, err = labelled("1")
    assert code == 2
    assert 'column "age" is' in err


def test_two_at_a_time_would_lose_answers(labelled):
    held = os.open(MARKED.parent, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    code, _, err = labelled("1")
    os.close(held)
    assert code == 2
    assert "another command is at work" in err


def test_an_answer_is_on_the_disk_when_the_next_pair_is_shown():
    command = "import sys; from pehchan.main import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", command, "zingg", "--phase", "label", "--conf", "c.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    process.stdin.write(b"1\n0\n")
    process.stdin.flush()
    shown = b""
    while b"pair 3 of 3" not in shown:
        more = os.read(process.stdout.fileno(), 4096)
        assert more, f"it ended, having said {shown!r}"
        shown += more
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert marked() == {0: 1, 1: 2, 2: 1, 3: 0}


class CutShortError(Exception):
    """The power goes."""


_STEPS = st.lists(
    st.tuples(st.sampled_from(["mark", "mark", "update", "back"]), st.integers(0, 2), st.integers(0, 4)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40)
@given(_STEPS, st.integers(0, 14), st.booleans())
def test_wherever_it_is_cut_short_all_answers_but_the_last_are_there(steps, cut, before):
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        data = TrainingData(Path(place))
        write_spark(data.unmarked, [*rows(0), *rows(1), *rows(2), *rows(3)], rows(4))
        write_spark(data.marked, rows(0, 1), [*rows(1, 0), *rows(5, 1)])
        writes = 0

        def write(path, content):
            nonlocal writes
            writes += 1
            if writes > cut and before:
                raise CutShortError
            path.write_bytes(content)
            if writes > cut:
                raise CutShortError

        patch.setattr(marking_module, "write_whole", write)
        marking = Marking(data)
        expected = history = [{0: 1, 1: 0, 5: 1}]
        here = []
        try:
            for step, answer, number in steps:
                now = dict(expected[-1])
                if step == "mark" and marking.waiting:
                    pair = marking.waiting[0]
                elif step == "update":
                    pair = marking.marked[number % len(marking.marked)]
                elif step == "back" and here:
                    del now[here.pop()]
                    history.append(now)
                    marking.take_back()
                    continue
                else:
                    continue
                number = int(pair.cluster.partition(":")[2])
                here = [each for each in here if each != number] + [number]
                now[number] = answer
                history.append(now)
                marking.mark(pair, answer)
                history[:] = [now]
        except CutShortError:
            pass
        patch.undo()
        again = Marking(data)
        found = {int(pair.cluster.partition(":")[2]): pair.answer for pair in again.marked}
        assert found in history[-2:]
        # All pairs are there, with an answer or without one, and others read the same.
        waiting = {int(pair.cluster.partition(":")[2]) for pair in again.waiting}
        assert waiting | set(found) == set(range(6))
        assert not waiting & set(found)
        assert marked(data.marked) == dict(sorted(found.items()))


def test_a_pair_keeps_the_types_of_its_values():
    data = TrainingData(Path("models/1/trainingData"))
    marking = Marking(data)
    marking.mark(marking.waiting[0], 1)
    table = pq.read_table(MARKED / ANSWERED_FILE)
    assert table.schema == SCHEMA
    assert table.to_pylist() == pa.Table.from_pylist(rows(2, 1), SCHEMA).to_pylist()
    assert pairs_of(table, "x").fields == ("name", "age", "born")
