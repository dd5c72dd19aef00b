"""Phases label and updateLabel: a person says of pairs of records whether they match.

Zingg's keys (0, 1, 2, 9), and those of `pehchan label` besides: u takes back, q quits. Each answer is on the disk
before the next pair is shown.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, TextIO

from pehchan.console.label_words import Wording
from pehchan.console.labelling import (
    NoAnswer,
    alone,
    answers_from,
    ask_pairs,
    next_word,
    pair_text,
    still_wait,
)
from pehchan.learning.asked import UNCERTAIN, Question
from pehchan.learning.labels import MATCH, NO_MATCH, UNSURE
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.metadata.records import Record
from pehchan.mrjobs.interrupts import held
from pehchan.zingg.marking import ROW_ID, SOURCE, Marking, Pair, Pairs, Row, counts
from pehchan.zingg.values import text

if TYPE_CHECKING:
    from pehchan.zingg.running import Run

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
    more={},
)


def prediction_text(pair: Pair) -> str:
    """What the model thought of a pair when it was chosen."""
    probability = pair.probability
    if probability is None:
        return "There was no model yet, so nothing is predicted."
    name = NAMES[MATCH if probability >= HALF else NO_MATCH]
    # Rounded down, as nothing is wholly sure.
    return f"The model says {name}, with a score of {int(100 * probability) / 100:.2f}."


def shares_text(marking: Marking) -> str:
    """How many of the marked pairs have which answer."""
    found = counts(marking.marked)
    total = sum(found.values())
    return ", ".join(f"{found[answer]:,}/{total:,} {name}" for answer, name in NAMES.items())


def question_of(pair: Pair, columns: Sequence[str]) -> Question:
    """The pair as `pehchan label` shows pairs."""
    first, second = pair.rows
    several = first.get(SOURCE) != second.get(SOURCE)
    return Question(
        _record(first, columns, several), _record(second, columns, several), UNCERTAIN, pair.probability
    )


def _record(row: Row, columns: Sequence[str], several: bool) -> Record:
    source, number = (shown(row.get(name)) for name in (SOURCE, ROW_ID))
    return Record(source if several else "", number, tuple(shown(row.get(name)) for name in columns))


def shown(value: object) -> str:
    """A value of a record as text, "" where it is missing."""
    return "" if value is None else text(value)


@contextmanager
def marking_of(run: "Run", given: Pairs | None = None) -> Iterator[Marking]:
    """The marked pairs of a model, while no other command writes them. Raises MistakesError where there cannot be."""
    data = run.training_data
    folder = data.marked.parent
    if not folder.is_dir() and given is None:
        right = f"Find some: {run.asked.next('findTrainingData')}"
        raise MistakesError([Mistake(str(folder), "no pairs of records are there.", right)])
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        marking = Marking(data, given)
        for reason in marking.odd:
            run.asked.tell(f"warning: {reason}")
        yield marking


def label(run: "Run", given: Pairs | None = None) -> str:
    """Ask for the pairs that wait, or for those that are given."""
    with marking_of(run, given) as marking:
        session = MarkingSession(marking)
        if not session.waiting and not marking.marked:
            right = f"Find some: {run.asked.next('findTrainingData')}"
            raise MistakesError(
                [Mistake(str(run.training_data.unmarked), "no pairs wait for an answer.", right)]
            )
        wording = replace(_WORDING, title=lambda _: session.title(), beneath=lambda _: session.beneath())
        try:
            ask_pairs(session, answers_from(sys.stdin), sys.stdout, wording)
        except (KeyboardInterrupt, NoAnswer):
            run.asked.tell(f"\n{label_text(session, run.asked.next)}")
            raise
        return label_text(session, run.asked.next)


def label_text(session: MarkingSession, again: Callable[[str], str]) -> str:
    """What a round came to, and what to do next; again: the command that runs a phase."""
    marking = session.marking
    found = counts(marking.marked)
    lines = [f"{session.given:,} labelled in this round; so far {shares_text(marking)}"]
    if session.waiting:
        lines.append(f"{still_wait(len(session.waiting))}; go on with:\n  {again('label')}")
    else:
        lines.append(f"No more pairs wait. To find others:\n  {again('findTrainingData')}")
    if min(found[MATCH], found[NO_MATCH]) < ENOUGH:
        lines.append(f"A model is surer with at least {ENOUGH} pairs each of MATCH and DO NOT MATCH.")
    if marking.marked:
        lines.append(f"To match with these labels:\n  {again('trainMatch')}")
    return "\n".join(lines)


def update_label(run: "Run") -> str:
    """Ask for pairs by their z_cluster, and for their new answers."""
    with marking_of(run) as marking:
        if not marking.marked:
            right = f"Label some: {run.asked.next('label')}"
            raise MistakesError([Mistake(str(run.training_data.marked), "no pair is labelled yet.", right)])
        ask_updates(marking, answers_from(sys.stdin), sys.stdout)
        return f"Labelled are {shares_text(marking)}\nTo match with these labels:\n  {run.asked.next('trainMatch')}"


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
            raise NoAnswer(number, word, why)
        if why:
            out.write(f"That is {why}.\n")
