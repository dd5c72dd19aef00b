"""Labelling by several pages at once: who is shown which pair, and what each is told of what the others did.

Every answer names its pair. One that was answered meanwhile elsewhere is not answered again, and what is taken back
is the answer that the page names, not whichever is the last by then.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pehchan.console.label_words import doubt, guess_of
from pehchan.console.labelling import Session
from pehchan.console.side_by_side import marked
from pehchan.learning.asked import Question
from pehchan.learning.labels import ANSWERS, MATCH, NO_MATCH, UNSURE, Label, count_answers, name_pair
from pehchan.metadata.records import Record

#: A page that was silent for so many seconds is closed, or nobody looks at it: its pair is shown to others.
SILENT = 15.0
#: From so sure a guess on a pair is clear, and may be answered together with others.
CLEAR = 0.9
#: Answers that a page shows as the last ones.
LAST = 8

#: What became of an answer: it is on the disk; its pair had one already; there is no such pair.
KEPT, KNOWN, NO_PAIR = "kept", "known", "no pair"


@dataclass
class _Page:
    """A page that somebody looks at: when it last asked, and the name of the pair that it shows."""

    seen: float
    pair: str = ""


class Answer(NamedTuple):
    """What a page says of a pair."""

    pair: str
    answer: int


class Pages:
    """A session that pages share. Not for several threads at a time."""

    def __init__(self, session: Session, model: str, clock: Callable[[], float] = time.monotonic):
        self._session, self._model, self._clock = session, model, clock
        self._open: dict[str, _Page] = {}
        # By the name of a pair the page that answered it, in the time of this server.
        self._by: dict[str, str] = {}
        self._name_questions()

    def state(self, page: str) -> dict[str, Any]:
        """All that a page shows, for JSON."""
        me = self._look(page)
        session = self._session
        question = self._next(page, me)
        undo = self._to_take_back(page)
        return {
            "model": self._model,
            "number": session.number,
            "waiting": len(session.waiting),
            "answered": session.number - len(session.waiting),
            "counts": _counts(session.book.labels),
            "agreed": self._agreed(),
            "others": len(self._open) - 1,
            "clear": {str(answer): len(self._clear(answer)) for answer in (MATCH, NO_MATCH)},
            "question": None if question is None else self._question(question),
            "undo": None if undo is None else self._label(undo, page),
            "last": [self._label(label, page) for label in session.book.labels[: -LAST - 1 : -1]],
        }

    def clear_cases(self, page: str, answer: int) -> dict[str, Any]:
        """The pairs that wait and that the model is nearly sure are matches, or strangers, the surest first."""
        self._look(page)
        columns = self._session.asked.columns
        return {
            "answer": answer,
            "columns": list(columns),
            "pairs": list(map(self._question, self._clear(answer))),
        }

    def answer(self, page: str, answers: Sequence[Answer]) -> list[dict[str, Any]]:
        """Keep answers, each on the disk before the next; for each what became of it.

        Raises OSError where one cannot be written; those before it are kept.
        """
        me = self._look(page)
        results = []
        for each in answers:
            results.append(self._keep(page, each))
            if me.pair == each.pair:
                me.pair = ""
        return results

    def take_back(self, page: str, pair: str) -> dict[str, Any]:
        """Take back the answer to a pair, so that this page asks it next.

        Raises OSError where that cannot be written; the answer then stands.
        """
        me = self._look(page)
        labels = self._session.book.labels
        at = next((at for at, label in enumerate(labels) if label.pair == pair), None)
        if at is None:
            return {"pair": pair, "status": NO_PAIR}
        self._session.move_last(at)
        try:
            answer = self._session.take_back()
        finally:
            self._name_questions()
        self._by.pop(pair, None)
        me.pair = self._name(self._session.waiting[0])
        return {"pair": pair, "status": KEPT, "answer": answer}

    def _keep(self, page: str, given: Answer) -> dict[str, Any]:
        waiting = self._session.waiting
        at = next((at for at, question in enumerate(waiting) if self._name(question) == given.pair), None)
        if at is None:
            known = next((each for each in self._session.book.labels if each.pair == given.pair), None)
            if known is None:
                return {"pair": given.pair, "status": NO_PAIR}
            return {"pair": given.pair, "status": KNOWN, **self._label(known, page)}
        question = waiting.pop(at)
        waiting.insert(0, question)
        self._session.answer(given.answer)
        self._by[given.pair] = page
        return {
            "pair": given.pair,
            "status": KEPT,
            "answer": given.answer,
            "ids": [_id(question.first), _id(question.second)],
            "doubt": doubt(question, given.answer).strip(),
        }

    def _look(self, page: str) -> _Page:
        """Note that a page is open, and forget those that are not."""
        now = self._clock()
        self._open = {
            name: each for name, each in self._open.items() if now - each.seen < SILENT or name == page
        }
        me = self._open.setdefault(page, _Page(now))
        me.seen = now
        return me

    def _next(self, page: str, me: _Page) -> Question | None:
        """The pair that a page shows: the one it has, else the first that no other page shows, else the first."""
        waiting = {self._name(question): question for question in self._session.waiting}
        if me.pair not in waiting:
            shown = {each.pair for name, each in self._open.items() if name != page}
            me.pair = next((name for name in waiting if name not in shown), next(iter(waiting), ""))
        return waiting.get(me.pair)

    def _to_take_back(self, page: str) -> Label | None:
        """The last answer of this page; where it has none, the last that is of no other open page."""
        labels = self._session.book.labels[::-1]
        others = self._open.keys() - {page}
        mine = (label for label in labels if self._by.get(label.pair) == page)
        free = (label for label in labels if self._by.get(label.pair) not in others)
        return next(mine, next(free, None))

    def _clear(self, answer: int) -> list[Question]:
        found = [
            (sure, question)
            for question in self._session.waiting
            if question.probability is not None
            and (sure := question.probability if answer == MATCH else 1 - question.probability) > CLEAR
        ]
        return [question for _, question in sorted(found, key=lambda each: -each[0])]

    def _agreed(self) -> dict[str, int]:
        """Of how many answers the model had a guess, and how many say the same."""
        guesses = {
            self._name(question): question.probability > 0.5
            for question in self._session.asked.questions
            if question.probability is not None
        }
        told = [
            (label.answer == MATCH) == guesses[label.pair]
            for label in self._session.book.labels
            if label.pair in guesses and label.answer != UNSURE
        ]
        return {"of": len(told), "agree": sum(told)}

    def _name_questions(self) -> None:
        asked = self._session.asked
        # By identity, as records are not hashable, and a name takes long to find.
        self._names = {
            id(question): name_pair(asked.columns, question.first, question.second)
            for question in asked.questions
        }

    def _name(self, question: Question) -> str:
        return self._names[id(question)]

    def _question(self, question: Question) -> dict[str, Any]:
        columns = self._session.asked.columns
        return {
            "pair": self._name(question),
            "reason": question.reason,
            "guess": _guess(question.probability),
            "ids": [_id(question.first), _id(question.second)],
            "fields": _fields(columns, question.first, question.second),
        }

    def _label(self, label: Label, page: str) -> dict[str, Any]:
        by = self._by.get(label.pair)
        return {
            "pair": label.pair,
            "answer": label.answer,
            "ids": [_id(label.first), _id(label.second)],
            "values": [_first_value(label.first), _first_value(label.second)],
            "by": "this page" if by == page else "before" if by is None else "another page",
        }


def _counts(labels: Sequence[Label]) -> Mapping[str, int]:
    return {str(answer): count for answer, count in count_answers(labels).items()}


def _guess(probability: float | None) -> dict[str, Any] | None:
    guess = guess_of(probability)
    return None if guess is None else {**guess._asdict(), "says": ANSWERS[guess.answer]}


def _fields(columns: Sequence[str], first: Record, second: Record) -> list[dict[str, Any]]:
    """Of each column the two values in pieces, those marked that the other value has not, and how they compare."""
    return [
        {
            "name": _shown(name),
            "values": [marked(other, one), marked(one, other)],
            "compared": _compared(one, other),
        }
        for name, one, other in zip(columns, first.items, second.items, strict=True)
    ]


def _compared(one: str, other: str) -> str:
    if one == other:
        return "the same" if one else "both empty"
    return "differ" if one and other else "one is empty"


def _id(record: Record) -> str:
    return _shown(f"{record.set}:{record.id}" if record.set else record.id)


def _first_value(record: Record) -> str:
    return _shown(next((value for value in record.items if value), ""))


def _shown(text: str) -> str:
    return "".join(piece for piece, _ in marked(text, text))
