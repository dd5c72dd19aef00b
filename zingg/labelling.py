"""Phases label and updateLabel: a person says of pairs of records whether they match.

Zingg's keys (0, 1, 2, 9), and those of `pehchan label` besides: u takes back, q quits. Each answer is on the disk
before the next pair is shown.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import TextIO

from pehchan.console.command import take_answers
from pehchan.console.labelling import NoAnswer, Wording, alone, ask_pairs, next_word, pair_text
from pehchan.learning.asked import UNCERTAIN, Question
from pehchan.learning.labels import MATCH, NO_MATCH, UNSURE
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.metadata.records import Record
from pehchan.mrjobs.interrupts import held
from pehchan.zingg.marking import ROW_ID, SOURCE, Marking, Pair, Row, counts
from pehchan.zingg.training_data import TrainingData
from pehchan.zingg.values import text

#: What each answer is called here.
NAMES = {MATCH: "MATCH", NO_MATCH: "DO NOT MATCH", UNSURE: "NOT SURE"}
#: From which probability on a model takes a pair for a match.
HALF = 0.5
#: How many of each of MATCH and DO NOT MATCH a model should have, at least.
ENOUGH = 5

_EXIT = ("9", "q")
_HELP = """\
0  no: the two records stand for two different persons, products or places
1  yes: they stand for the same one
2  not sure: what is shown cannot tell; the pair is not asked again
9  exits (as q and Ctrl-D do): all answers are kept, and the same command goes on with the rest
u  takes the last answer back, and asks again; once more the one before it, also those of earlier sessions
Marked in the second record is what the first has not; an empty mark stands where something of it is missing.
"""

#: Makes the command that runs a phase, for a person to copy.
Again = Callable[[str], str]


class MarkingSession:
    """A round of labelling."""

    def __init__(self, marking: Marking):
        self.marking = marking
        self.columns: Sequence[str] = marking.fields
        self.given = 0
        self._look()

    def answer(self, answer: int) -> None:
        """Keep an answer to the first pair that waits."""
        with held():
            self.marking.mark(self._pairs[0], answer)
            self.given += 1
            self._look()

    def take_back(self) -> int:
        """Take back the last answer of this round or an earlier one, and give it; its pair is asked next."""
        with held():
            answer = self.marking.take_back().answer
            self.given = max(0, self.given - 1)
            self._look()
        return answer

    def title(self) -> str:
        """What stands above the first pair that waits."""
        return f"pair {self.given + 1} of {self.number}, z_cluster {self._pairs[0].cluster}"

    def beneath(self) -> str:
        """What the model thinks of it, and how far the round is."""
        return (
            f"{prediction_text(self._pairs[0])}\n"
            f"In this round {self.given:,} of {self.number:,} pairs are labelled; "
            f"so far {shares_text(self.marking)}.\n"
        )

    def _look(self) -> None:
        self._pairs = self.marking.waiting
        self.waiting = [question_of(pair, self.columns) for pair in self._pairs]
        self.number = self.given + len(self.waiting)


_WORDING = Wording(
    "0 no match, 1 match, 2 not sure, 9 exit, u undo, ? help: ",
    "No more pairs wait for an answer. u undo, 9 exit: ",
    _HELP,
    _EXIT,
)


def prediction_text(pair: Pair) -> str:
    """What the model thought of a pair when it was chosen."""
    probability = pair.probability
    if probability is None:
        return "There was no model yet, so nothing is predicted."
    name = NAMES[MATCH if probability >= HALF else NO_MATCH]
    # Rounded down, as nothing is wholly sure.
    return f"The model takes them for {name}, with a score of {int(100 * probability) / 100:.2f}."


def shares_text(marking: Marking) -> str:
    """How many of the marked pairs have which answer."""
    found = counts(marking.marked)
    total = sum(found.values())
    return ", ".join(f"{found[answer]:,}/{total:,} {name}" for answer, name in NAMES.items())


def question_of(pair: Pair, columns: Sequence[str]) -> Question:
    """The pair as `pehchan label` shows pairs."""
    first, second = pair.rows
    several = first.get(SOURCE) != second.get(SOURCE)
    records = [_record(row, columns, several) for row in pair.rows]
    return Question(*records, UNCERTAIN, pair.probability)


def _record(row: Row, columns: Sequence[str], several: bool) -> Record:
    source, number = (shown(row.get(name)) for name in (SOURCE, ROW_ID))
    return Record(source if several else "", number, tuple(shown(row.get(name)) for name in columns))


def shown(value: object) -> str:
    """A value of a record as text, "" where it is missing."""
    return "" if value is None else text(value)


@contextmanager
def marking_of(data: TrainingData, again: Again) -> Iterator[Marking]:
    """The marked pairs of a model, while no other command writes them. Raises MistakesError where there cannot be."""
    folder = data.marked.parent
    if not folder.is_dir():
        right = f"Find some: {again('findTrainingData')}"
        raise MistakesError([Mistake(str(folder), "no pairs of records are there.", right)])
    with alone(folder):
        yield Marking(data)


def label(data: TrainingData, again: Again) -> int:
    """Ask for the pairs that wait; returns the exit code."""
    with marking_of(data, again) as marking:
        session = MarkingSession(marking)
        _tell_odd(marking)
        if not session.waiting and not marking.marked:
            right = f"Find some: {again('findTrainingData')}"
            raise MistakesError([Mistake(str(data.unmarked), "no pairs wait for an answer.", right)])
        wording = replace(_WORDING, title=lambda _: session.title(), beneath=lambda _: session.beneath())
        code = take_answers(lambda source, out: ask_pairs(session, source, out, wording))
        print(label_text(session, again), end="")
    return code


def label_text(session: MarkingSession, again: Again) -> str:
    """What a round came to, and what to do next."""
    marking = session.marking
    found = counts(marking.marked)
    lines = [f"{session.given:,} labelled in this round; so far {shares_text(marking)}."]
    if session.waiting:
        waiting = (
            "1 pair still waits"
            if len(session.waiting) == 1
            else f"{len(session.waiting):,} pairs still wait"
        )
        lines.append(f"{waiting}; go on with: {again('label')}")
    else:
        lines.append(f"No more pairs wait; for others: {again('findTrainingData')}")
    if min(found[MATCH], found[NO_MATCH]) < ENOUGH:
        lines.append(f"A model is surer with at least {ENOUGH} pairs each of MATCH and DO NOT MATCH.")
    if marking.marked:
        lines.append(f"To match with these labels: {again('trainMatch')}")
    return "".join(f"{line}\n" for line in lines)


def _tell_odd(marking: Marking) -> None:
    for reason in marking.odd:
        print(f"warning: {reason}")


def update_label(data: TrainingData, again: Again) -> int:
    """Ask for pairs by their z_cluster, and for their new answers; returns the exit code."""
    with marking_of(data, again) as marking:
        _tell_odd(marking)
        if not marking.marked:
            right = f"Label some: {again('label')}"
            raise MistakesError([Mistake(str(data.marked), "no pair is labelled yet.", right)])
        code = take_answers(lambda source, out: ask_updates(marking, source, out))
        print(f"Labelled {shares_text(marking)}.\nTo match with these labels: {again('trainMatch')}")
    return code


def ask_updates(marking: Marking, source: TextIO, out: TextIO) -> None:
    """Ask for the z_cluster of a pair and a new answer to it, until 9 or the end of the input.

    Raises NoAnswer for a line that is neither, where nobody sits at a terminal to give another.
    """
    pair: Pair | None = None
    for number in count(1):
        out.write(
            "z_cluster of a labelled pair, 9 exit: "
            if pair is None
            else "0 no match, 1 match, 2 not sure, 9 exit: "
        )
        out.flush()
        word = next_word(source, out)
        if word is None or word in _EXIT:
            return
        why = ""
        if pair is not None and word in ("0", "1", "2"):
            with held():
                marking.mark(pair, int(word))
            out.write(f"{pair.cluster} was {NAMES[pair.answer]}, and is {NAMES[int(word)]}.\n")
            pair = None
        elif pair is not None:
            why = f"no answer to {pair.cluster}" if word else ""
        elif word:
            pair = marking.find(word)
            if pair is None:
                why = "the z_cluster of no labelled pair"
            else:
                question = question_of(pair, marking.fields)
                out.write(
                    "\n"
                    + pair_text(
                        f"z_cluster {pair.cluster}", marking.fields, question.first, question.second, out
                    )
                )
                out.write(f"It is labelled {NAMES[pair.answer]}.\n")
        if why and not source.isatty():
            raise NoAnswer(f"line {number} of the input, {word!r}, is {why}.")
        if why:
            out.write(f"That is {why}.\n")
