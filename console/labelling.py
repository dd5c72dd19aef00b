"""Labelling pairs of records: they are shown one at a time, and each answer is kept before the next is asked for.

Answers come a line each, from a terminal or a pipe. What is asked lies in questions.json of a model's folder, the
answers in its labels.csv; a pair that is answered there is not asked again, so a later session goes on where an
earlier one ended.
"""

import fcntl
import io
import os
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from shutil import get_terminal_size
from typing import Protocol, TextIO

from pehchan.console.going_on import ask_command, label_command, match_command, origin_of, unknown
from pehchan.console.label_words import WORDING, Wording, answers_text, doubt
from pehchan.console.side_by_side import in_color, show_cluster
from pehchan.learning.asked import (
    QUESTIONS_FILE,
    TAKEN_BACK,
    Question,
    Questions,
    read_questions,
    write_questions,
)
from pehchan.learning.label_book import LabelBook
from pehchan.learning.labels import (
    ANSWERS,
    LABELS_FILE,
    MATCH,
    MODEL_FILE,
    NO_MATCH,
    Label,
    aligned_record,
    count_answers,
    name_pair,
    pair_keys,
    read_label_file,
    read_labels,
)
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.metadata.records import Record
from pehchan.mrjobs.interrupts import held

#: How many labels of matches and of strangers a model should have, at least.
ENOUGH = 5

_ANSWERS = {str(answer): answer for answer in ANSWERS}


class Asks(Protocol):
    """Pairs that wait, the first of which is asked.

    waiting  of them, those that have no answer yet
    number   how many there are, with and without an answer
    columns  of the records of the first
    """

    waiting: list[Question]
    number: int

    @property
    def columns(self) -> Sequence[str]: ...

    def answer(self, answer: int) -> None:
        """Keep an answer to the first question that waits."""

    def take_back(self) -> int:
        """Take back the last answer, and give it. Raises IndexError where there is none."""


class NoAnswer(MistakesError):
    """A line from a pipe that is no answer: those that follow may be meant for other pairs."""

    def __init__(self, number: int, word: str, why: str):
        super().__init__([Mistake(f"line {number} of the input", f"{word!r} is {why}.")])
        self.text = f"line {number} of the input, {word!r}, is {why}. The answers before it are kept."

    def __str__(self) -> str:
        return self.text


def answers_from(stdin: TextIO | None) -> TextIO:
    """What answers are read from."""
    if isinstance(stdin, io.TextIOWrapper):
        # What is no text is no answer, and no reason to break off.
        stdin.reconfigure(errors="replace")
    return stdin or io.StringIO()


class Session:
    """The pairs that wait in the folder of a model, and its labels; all of it is on the disk after every step."""

    def __init__(self, folder: Path):
        """Raises MistakesError where the questions or the labels cannot be used."""
        self._path = folder / QUESTIONS_FILE
        self.asked = read_questions(self._path)
        self.book = LabelBook(folder / LABELS_FILE)
        self._before = len(self.book.labels)
        #: The names of pairs that were skipped.
        self._skipped: list[str] = []
        self._look()

    @property
    def given(self) -> list[Label]:
        """The labels of this session."""
        return self.book.labels[self._before :]

    @property
    def columns(self) -> Sequence[str]:
        """Of the records that are asked about."""
        return self.asked.columns

    def answer(self, answer: int) -> None:
        """Keep an answer to the first question that waits."""
        question = self.waiting[0]
        name = self._name(question)
        self._skipped = [other for other in self._skipped if other != name]
        with held():
            self.book.add(self.asked.columns, Label(name, question.first, question.second, answer))
            self._look()

    def skip(self) -> None:
        """Ask of the first question that waits after all others of this session."""
        name = self._name(self.waiting[0])
        self._skipped = [*(other for other in self._skipped if other != name), name]
        self._look()

    def _name(self, question: Question) -> str:
        return name_pair(self.asked.columns, question.first, question.second)

    def take_back(self) -> int:
        """Take back the last answer of this session or an earlier one, and give it; its pair is asked next.

        Raises IndexError where there is none.
        """
        with held():
            try:
                # First the question: the pair waits, wherever this is cut short.
                self._ask_first(self.book.labels[-1])
                label = self.book.take_back()
                self._before = min(self._before, len(self.book.labels))
            finally:
                self._look()
        return label.answer

    def _look(self) -> None:
        """See what waits, and how many questions there are, each pair counted once."""
        labelled, asked = self._keys()
        answered = set(labelled)
        questions: dict[Hashable, Question] = {}
        for key, question in zip(asked, self.asked.questions, strict=True):
            questions.setdefault(key, question)
        self.number = len(questions)
        self.waiting = [question for key, question in questions.items() if key not in answered]
        if self._skipped:
            turn = {name: place for place, name in enumerate(self._skipped)}
            self.waiting.sort(key=lambda question: turn.get(self._name(question), -1))

    def _keys(self) -> tuple[list[Hashable], list[Hashable]]:
        """What makes pairs the same, for each label and for each question."""
        labels, columns = self.book.labels, self.asked.columns
        pairs = [(self.book.columns, label.first, label.second) for label in labels]
        pairs += [(columns, question.first, question.second) for question in self.asked.questions]
        keys = pair_keys(pairs)
        return keys[: len(labels)], keys[len(labels) :]

    def move_last(self, at: int) -> None:
        """Put a label behind all others, so that it is the next to be taken back."""
        self._before -= at < self._before
        self.book.labels.append(self.book.labels.pop(at))

    def _ask_first(self, label: Label) -> None:
        """Put the pair of the last label before all other questions, also where it is none of them any more."""
        labelled, asked = self._keys()
        questions = self.asked.questions
        columns = self.asked.columns
        if labelled[-1] in asked:
            at = asked.index(labelled[-1])
            questions = (questions[at], *questions[:at], *questions[at + 1 :])
        else:
            columns = tuple(dict.fromkeys([*columns, *self.book.columns]))
            again = Question(label.first, label.second, TAKEN_BACK)
            questions = (
                _aligned(again, self.book.columns, columns),
                *(_aligned(question, self.asked.columns, columns) for question in questions),
            )
        self.asked = Questions(columns, questions)
        write_questions(self._path, self.asked)


def _aligned(question: Question, columns: Sequence[str], wanted: Sequence[str]) -> Question:
    first, second = (aligned_record(each, columns, wanted) for each in (question.first, question.second))
    return replace(question, first=first, second=second)


@contextmanager
def session(model: str) -> Iterator[Session]:
    """A session over the folder of a model, while no other one is. Raises MistakesError where there cannot be one."""
    folder = model_folder(model)
    if not (folder / QUESTIONS_FILE).exists():
        right = f"Choose some: {ask_command(unknown(model))}"
        raise _mistake(model, "no pairs wait for an answer: it holds no questions.json.", right)
    with alone(folder):
        yield Session(folder)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the questions and labels of a model. Raises MistakesError where another command holds them."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            what = "another command is at work on its questions and labels."
            raise _mistake(str(folder), what, "Two at a time would lose answers; end that one.") from None
        yield
    finally:
        os.close(lock)


def model_folder(model: str) -> Path:
    """The folder of a model. Raises MistakesError where it is none."""
    right = "pehchan match INPUT... --model DIR makes one."
    folder = Path(model)
    if "://" in model:
        raise _mistake(model, "a model lies in a folder of this machine.", "Copy it here.")
    if not folder.exists():
        raise _mistake(model, "there is no such folder.", right)
    if not folder.is_dir():
        raise _mistake(model, "a file, not the folder of a model.", right)
    if not (folder / MODEL_FILE).exists():
        raise _mistake(model, f"not the folder of a model: it holds no {MODEL_FILE}.", right)
    return folder


def _mistake(where: str, what: str, right: str) -> MistakesError:
    return MistakesError([Mistake(where, what, right)])


def ask_pairs(session: Asks, source: TextIO, out: TextIO, wording: Wording = WORDING) -> None:
    """Ask for one pair after the other, until a word that ends it, or the end of the input.

    Raises NoAnswer for a line that is no answer, where nobody sits at a terminal to give another.
    """
    shown: Question | None = None
    for number in count(1):
        question = session.waiting[0] if session.waiting else None
        if question is not None and question is not shown:
            title = wording.title(session)
            out.write("\n" + pair_text(title, session.columns, question.first, question.second, out))
            out.write(wording.beneath(session))
        shown = question
        out.write(wording.nothing if question is None else wording.prompt)
        out.flush()
        word = next_word(source, out)
        if word is None or word in wording.quits:
            return
        if question is not None and word in _ANSWERS:
            session.answer(_ANSWERS[word])
            out.write(doubt(question, _ANSWERS[word]))
        elif question is not None and word in wording.more:
            out.write(wording.more[word](session))
        elif word == "u":
            out.write(_taken_back(session))
        elif word == "?":
            out.write(wording.help)
        elif word:
            why = "no answer" if question is not None else "one answer too many: no more pairs wait"
            if not source.isatty():
                raise NoAnswer(number, word, why)
            out.write(f"That is {why}.\n")


def next_word(source: TextIO, out: TextIO) -> str | None:
    """The next line in lower case, without blanks around it; None at the end of the input."""
    line = source.readline()
    word = line.strip().lower()
    # A terminal shows what is typed, and pipes do not.
    if not line or not source.isatty():
        out.write(f"{word}\n")
    return word if line else None


def _taken_back(session: Asks) -> str:
    try:
        return f"Taken back: {ANSWERS[session.take_back()]}.\n"
    except IndexError:
        return "There is no answer to take back.\n"


def pair_text(title: str, columns: Sequence[str], first: Record, second: Record, out: TextIO) -> str:
    """Two records side by side, for what `out` is."""
    records = [(f"{each.set}:{each.id}" if each.set else each.id, each.items) for each in (first, second)]
    width = get_terminal_size((110, 40)).columns
    return show_cluster(title, columns, records, in_color(out), width)


def still_wait(number: int) -> str:
    """That so many pairs have no answer yet."""
    return "1 pair still waits" if number == 1 else f"{number:,} pairs still wait"


def session_text(session: Session, model: str) -> str:
    """What a session came to, and what to do next."""
    origin = origin_of(model)
    lines = []
    if session.given:
        lines.append(f"{_counts(session.given)} in this session")
    lines.append(f"{_counts(session.book.labels)} in {session.book.path}")
    if session.waiting:
        lines.append(f"{still_wait(len(session.waiting))}; go on with: {label_command(model)}")
    else:
        lines.append(f"No more pairs wait; for others: {ask_command(origin)}")
    counts = count_answers(session.book.labels)
    if min(counts[MATCH], counts[NO_MATCH]) < ENOUGH:
        lines.append(f"A model is surer with at least {ENOUGH} labels each of match and no match.")
    if session.book.labels:
        lines.append(f"To match with these labels: {match_command(origin)}")
    return "".join(f"{line}\n" for line in lines)


def _counts(labels: Sequence[Label]) -> str:
    return f"{len(labels):,} label{'' if len(labels) == 1 else 's'} ({answers_text(labels)})"


def labels_text(model: str, out: TextIO) -> str:
    """All labels of a model, in the order they were given, what is wrong with some, and their counts."""
    path = model_folder(model) / LABELS_FILE
    if not path.exists():
        return f"No labels yet; {label_command(model)} asks for some.\n"
    columns, labels, _ = read_label_file(path)
    texts = [
        pair_text(f"{number}: {ANSWERS[label.answer]}", columns, label.first, label.second, out)
        for number, label in enumerate(labels, 1)
    ]
    warnings = "".join(f"warning: {text}\n" for text in read_labels([path]).warnings())
    return "\n".join([*texts, f"{warnings}{_counts(labels)} in {path}\n"])
