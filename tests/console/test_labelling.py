"""pehchan label: what is answered is kept, whatever ends the session, and the next one goes on with the rest."""

import csv
import fcntl
import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from asked_pairs import COLUMNS, ask, make_model, question

from pehchan.learning.asked import UNCERTAIN, Question, read_questions
from pehchan.learning.label_book import LabelBook
from pehchan.learning.labels import MATCH, NO_MATCH, UNSURE, Label, read_labels
from pehchan.metadata.records import Record

LABEL = [
    sys.executable,
    "-c",
    "import sys; from pehchan.console.command import main; sys.exit(main())",
    "label",
]


def record(record_id, name, city="Austin"):
    return Record("", record_id, (name, city))


@pytest.fixture(autouse=True)
def model(tmp_path, monkeypatch):
    """The folder of a model with three questions."""
    monkeypatch.chdir(tmp_path)
    return make_model([question(at) for at in range(3)])


@pytest.fixture
def answered(called, monkeypatch):
    """Answer from a pipe: (exit code, stdout, stderr)."""

    def run(*lines):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return called("label", "--model", "model")

    return run


def kept():
    """The ids of the pairs in the file of labels, and the answers, as a program of another kind reads them."""
    path = Path("model/labels.csv")
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["z_cluster"] for row in rows[::2]] == [row["z_cluster"] for row in rows[1::2]]
    return [
        (first["pehchan_id"], second["pehchan_id"], int(first["z_isMatch"]))
        for first, second in zip(rows[::2], rows[1::2], strict=True)
    ]


# From a pipe


def test_a_session_as_a_whole(answered):
    assert answered("1", "0", "q") == (
        0,
        "\n"
        "pair 1 of 3\n"
        "id  name      city\n"
        "0a  Ann 0     Austin\n"
        "0b  Ann[e] 0  []\n"
        "The model's guess: no match, 50 % sure.\n"
        "1 match, 0 no match, 2 unsure, s skip, u undo, q quit, ? help: 1\n"
        "\n"
        "pair 2 of 3 (1 match, 0 no match, 0 unsure so far)\n"
        "id  name      city\n"
        "1a  Ann 1     Austin\n"
        "1b  Ann[e] 1  []\n"
        "The model's guess: no match, 50 % sure.\n"
        "1 match, 0 no match, 2 unsure, s skip, u undo, q quit, ? help: 0\n"
        "\n"
        "pair 3 of 3 (1 match, 1 no match, 0 unsure so far)\n"
        "id  name      city\n"
        "2a  Ann 2     Austin\n"
        "2b  Ann[e] 2  []\n"
        "The model's guess: no match, 50 % sure.\n"
        "1 match, 0 no match, 2 unsure, s skip, u undo, q quit, ? help: q\n"
        "2 labels (1 match, 1 no match, 0 unsure) in this session\n"
        "2 labels (1 match, 1 no match, 0 unsure) in model/labels.csv\n"
        "1 pair still waits; go on with: pehchan label --model model\n"
        "A model is surer with at least 5 labels each of match and no match.\n"
        "To match with these labels: pehchan match INPUT... --model model\n",
        "",
    )
    assert kept() == [("0a", "0b", MATCH), ("1a", "1b", NO_MATCH)]
    # And the way by which what is learnt comes by them.
    labels = read_labels(["model/labels.csv"], record_columns=COLUMNS)
    assert [(label.first, label.second) for label in labels.labels] == [
        (question(at).first, question(at).second) for at in range(2)
    ]


def test_skipped_pairs_come_after_all_others_and_again_in_the_next_session(answered):
    code, out, _ = answered("s", "1", "s", "0", "u", "s", "s", "2")
    assert code == 0
    # 0 is skipped, 1 a match, 2 skipped, 0 no match and taken back, and so asked at once; then it and 2 are skipped.
    shown = re.findall(r"^(\d)a ", out, re.MULTILINE)
    assert shown == ["0", "1", "2", "0", "2", "0", "2", "0", "2"]
    assert kept() == [("1a", "1b", MATCH), ("0a", "0b", UNSURE)]
    assert "1 pair still waits" in out
    code, out, _ = answered("s", "s", "q")
    assert re.findall(r"^(\d)a ", out, re.MULTILINE) == ["2"]
    assert out.count("No other pair waits.\n") == 2


def test_the_guess_of_the_model_stands_below_a_pair_and_is_never_wholly_sure(answered):
    ask([question(0, 0.934), question(1, 0.07), question(2, 1.0), question(3, None)])
    _, out, _ = answered("2", "2", "2", "q")
    assert re.findall(r"The model's guess: (.*)\.\n", out) == [
        "match, 93 % sure",
        "no match, 93 % sure",
        "match, 99 % sure",
    ]


def test_the_next_session_goes_on_and_the_end_of_input_ends_it(answered):
    answered("1")
    code, out, _ = answered("2")
    assert code == 0
    assert re.findall("pair . of .", out) == ["pair 2 of 3", "pair 3 of 3"]
    assert "1 label (0 match, 0 no match, 1 unsure) in this session\n2 labels" in out
    code, out, _ = answered("0", "", "q")
    assert "No more pairs wait for an answer. u undo, q quit: \n" in out
    assert "No more pairs wait; for others: pehchan ask INPUT... --model model\n" in out
    assert kept() == [("0a", "0b", MATCH), ("1a", "1b", UNSURE), ("2a", "2b", NO_MATCH)]


def test_a_pair_that_is_asked_twice_or_in_another_order_is_shown_once(answered):
    answered("1")
    turned = Question(question(0).second, question(0).first, UNCERTAIN)
    again = Question(question(1).second, question(1).first, UNCERTAIN)
    ask([turned, question(1), again, question(2)])
    _, out, _ = answered("0", "0")
    assert re.findall("pair . of .", out) == ["pair 2 of 3", "pair 3 of 3"]


@pytest.mark.parametrize(
    ("lines", "answers"),
    [
        (["1", "u", "0"], [NO_MATCH]),
        (["1", "0", "u", "u", "2"], [UNSURE]),
        (["1", "0", "u", "1", "u", "u", "u", "u"], []),
        (["u"], []),
        (["1", "1", "1", "u", "0"], [MATCH, MATCH, NO_MATCH]),
    ],
)
def test_answers_are_taken_back_one_by_one(answered, lines, answers):
    code, out, _ = answered(*lines)
    assert code == 0
    assert kept() == [(f"{at}a", f"{at}b", answer) for at, answer in enumerate(answers)]
    # However it is cut into sessions.
    Path("model/labels.csv").unlink(missing_ok=True)
    ask([question(at) for at in range(3)])
    for line in lines:
        assert answered(line)[0] == 0
    assert kept() == [(f"{at}a", f"{at}b", answer) for at, answer in enumerate(answers)]
    assert ("There is no answer to take back.\n" in out) == (lines.count("u") > len(lines) - lines.count("u"))


def test_an_answer_is_taken_back_that_no_question_asks_for_any_more(answered):
    answered("1", "1", "1")
    other = Question(Record("", "x", ("a@b", "Ann")), Record("", "y", ("", "Bob")), UNCERTAIN, 0.2)
    ask([other], ("mail", "name"))
    code, out, _ = answered("u")
    assert code == 0
    said = "Taken back: match.\n\npair 1 of 2 (2 match, 0 no match, 0 unsure so far)\n"
    assert f"{said}id  mail  name      city\n2a        Ann 2     Austin\n" in out
    # It waits, though the session ended before it was answered.
    assert kept() == [("0a", "0b", MATCH), ("1a", "1b", MATCH)]
    assert [each.first.id for each in read_questions(Path("model/questions.json")).questions] == ["2a", "x"]
    answered("0", "2")
    assert kept()[2:] == [("2a", "2b", NO_MATCH), ("x", "y", UNSURE)]
    with open("model/labels.csv", newline="", encoding="utf-8") as file:
        values = [(row["mail"], row["name"], row["city"]) for row in csv.DictReader(file)]
    assert values[-4:] == [("", "Ann 2", "Austin"), ("", "Anne 2", ""), ("a@b", "Ann", ""), ("", "Bob", "")]


def test_a_line_that_is_no_answer_ends_a_pipe_before_other_pairs_get_its_answers(answered):
    code, out, err = answered("1", "yes", "0")
    assert code == 2
    assert err == "line 2 of the input, 'yes', is no answer. The answers before it are kept.\n"
    assert kept() == [("0a", "0b", MATCH)]
    assert "2 pairs still wait" in out
    code, _, err = answered("1", "1", "1")
    assert code == 2
    assert "line 3 of the input, '1', is one answer too many: no more pairs wait." in err
    assert len(kept()) == 3


@pytest.mark.parametrize(
    ("probability", "answer", "said"),
    [
        (0.97, "0", "Please check: the model is 97 % sure that these two match. u takes the answer back.\n"),
        (1.0, "0", "Please check: the model is 99 % sure that these two match. u takes the answer back.\n"),
        (0.02, "1", "Please check: the model is 98 % sure that these two do not match."),
        (0.97, "1", ""),
        (0.97, "2", ""),
        (0.9, "0", ""),
        (None, "0", ""),
    ],
)
def test_a_sure_model_speaks_up_only_after_an_answer_against_it(answered, probability, answer, said):
    ask([question(0, probability)])
    _, out, _ = answered(answer)
    before, after = out.split(": " + answer)
    assert "model is" not in before
    assert said in after
    assert ("Please check" in after) == bool(said)
    assert len(kept()) == 1


def test_help_says_what_each_key_does(answered):
    _, out, _ = answered("?", "q")
    assert "2  what is shown cannot tell; the pair is not asked again\n" in out
    assert out.count("pair 1 of 3") == 1


def test_sets_are_shown_with_the_ids_and_strange_characters_do_no_harm(answered):
    first = Record("a", "1", ("Zoë\x1b[2J, \n जीवन", "x"))
    ask([Question(first, Record("b", "1", ('"Zoe"', "x")), UNCERTAIN)])
    _, out, _ = answered("1")
    assert "a:1" in out
    assert "\x1b" not in out
    assert read_labels(["model/labels.csv"]).labels[0].first == first


# What is there so far


def test_labels_are_shown_with_counts_and_what_is_wrong_with_some(answered, called):
    assert called("label", "--model", "model", "--show")[1] == (
        "No labels yet; pehchan label --model model asks for some.\n"
    )
    answered("1", "2")
    code, out, _ = called("label", "--model", "model", "--show")
    assert code == 0
    assert out.startswith("1: match\nid  name      city\n0a  Ann 0     Austin\n")
    assert out.endswith("\n2 labels (1 match, 0 no match, 1 unsure) in model/labels.csv\n")
    book = LabelBook(Path("model/labels.csv"))
    book.add(COLUMNS, Label("again", question(0).second, question(0).first, NO_MATCH))
    with open("model/labels.csv", "a", encoding="utf-8") as file:
        file.write("alone,1,,9,Al,Reno\n")
    _, out, _ = called("label", "--model", "model", "--show")
    assert (
        "warning: model/labels.csv line 8: set aside: z_cluster alone has only 1 row, and a pair two\n"
        "warning: the same pair is answered differently, and left out: match (model/labels.csv line 2), no match "
        "(model/labels.csv line 6)\n"
    ) in out


# What is no model


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda model: model.rename("other"),
            "model: there is no such folder.\n  pehchan match INPUT... --model DIR makes one.",
        ),
        (
            lambda model: (model.rename("other"), Path("model").write_text("")),
            "model: a file, not the folder of a model.",
        ),
        (
            lambda model: (model / "model.json").unlink(),
            "model: not the folder of a model: it holds no model.json.",
        ),
        (
            lambda model: (model / "questions.json").unlink(),
            "model: no pairs wait for an answer: it holds no questions.json.\n"
            "  Choose some: pehchan ask INPUT... --model model",
        ),
        (
            lambda model: (model / "questions.json").write_text('{"version": 9}'),
            "questions.json: questions of version 9\n  This pehchan reads version 1.",
        ),
        (
            lambda model: (model / "labels.csv").write_text(
                "z_cluster,z_isMatch,name\na,1,Ann\na,1,Al\nb,1,Bo\n"
            ),
            "labels.csv line 4: z_cluster b has only 1 row, and a pair two\n  Mend the row, or take it out.",
        ),
    ],
)
def test_a_folder_that_cannot_be_used_is_told(answered, model, spoil, said):
    spoil(model)
    code, out, err = answered("1")
    assert (code, out) == (2, "")
    assert said in err


def test_a_folder_elsewhere_is_refused(called):
    code, _, err = called("label", "--model", "s3://bucket/model", "--show")
    assert code == 2
    assert "a model lies in a folder of this machine" in err


def test_two_sessions_at_a_time_are_refused(answered, model):
    folder = os.open(model, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    code, _, err = answered("1")
    os.close(folder)
    assert code == 2
    assert "model: another command is at work on its questions and labels." in err
    assert answered("1")[0] == 0


def test_an_answer_that_cannot_be_written_fails_with_the_others_kept(answered, model):
    answered("1")
    (model / ".labels.csv.unfinished").mkdir()
    code, _, err = answered("1")
    assert code == 3
    assert ".labels.csv.unfinished: Is a directory" in err
    assert len(kept()) == 1


# On a terminal


class Terminal:
    """The command on a pseudo-terminal."""

    def __init__(self, **environment):
        ours, theirs = pty.openpty()
        self.at = ours
        self.seen = ""
        # 110 columns, 40 lines
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, b"\x28\x00\x6e\x00\x00\x00\x00\x00")
        kept_environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self.command = subprocess.Popen(
            [*LABEL, "--model", "model"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**kept_environment, **environment},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)

    def until(self, text):
        """Wait for a text; returns what was seen since the one before."""
        end = time.monotonic() + 60
        while text not in self.seen:
            assert time.monotonic() < end, f"{text!r} is not in {self.seen!r}"
            if select.select([self.at], [], [], 1)[0]:
                self.seen += os.read(self.at, 4096).decode()
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, keys):
        os.write(self.at, keys.encode())

    def ended(self):
        """The exit code, and what was said at the end."""
        while True:
            try:
                said = os.read(self.at, 4096).decode()
            except OSError:  # the other side is closed
                said = ""
            if not said:
                break
            self.seen += said
        os.close(self.at)
        return self.command.wait(timeout=60), self.seen.replace("\r\n", "\n")


PROMPT = "? help: "
END = "1 label (1 match, 0 no match, 0 unsure) in this session\n"


@pytest.mark.parametrize(
    ("keys", "code"), [("q\n", 0), ("\x04", 0), ("\x03", 130)], ids=["quit", "ctrl-d", "ctrl-c"]
)
def test_a_session_on_a_terminal_ends_with_everything_kept(keys, code):
    terminal = Terminal()
    assert "Ann\x1b[1;4;31me\x1b[0m 0" in terminal.until(PROMPT)
    terminal.type("1\n")
    terminal.until("pair 2 of 3")
    terminal.until(PROMPT)
    terminal.type("x\n")
    assert "That is no answer." in terminal.until(PROMPT)
    terminal.type(keys)
    ended, said = terminal.ended()
    assert ended == code
    assert END in said
    assert "Traceback" not in said
    assert kept() == [("0a", "0b", MATCH)]


def test_without_colours_differences_are_in_brackets():
    terminal = Terminal(NO_COLOR="1")
    shown = terminal.until(PROMPT)
    assert "Ann[e] 0" in shown
    assert "\x1b" not in shown
    terminal.type("q\n")
    assert terminal.ended()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_what_ends_a_session_from_outside_loses_no_answer(number):
    terminal = Terminal()
    for keys in ("1\n", "0\n"):
        terminal.until(PROMPT)
        terminal.type(keys)
    terminal.until("pair 3 of 3")
    terminal.command.send_signal(number)
    terminal.ended()
    assert kept() == [("0a", "0b", MATCH), ("1a", "1b", NO_MATCH)]


def test_bytes_that_are_no_text_are_no_answer_and_a_closed_input_is_its_end():
    ran = subprocess.run([*LABEL, "--model", "model"], input=b"1\n\xff\n", capture_output=True)
    assert ran.returncode == 2
    assert b"line 2 of the input" in ran.stderr
    ran = subprocess.run(["sh", "-c", '"$@" <&-', "sh", *LABEL, "--model", "model"], capture_output=True)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert len(kept()) == 1
