"""How far each label moved what the model makes of the pairs that are asked about, as long as labels are given."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from pehchan.console.labelling import Session
from pehchan.learning.asked import Questions
from pehchan.learning.labels import Label, aligned, aligned_record


class Curve:
    """The movements of a session; for several threads at a time."""

    def __init__(self, session: Session, folder: Path):
        self._session, self._folder = session, folder
        self._lock = Lock()
        self._made_from: object = None
        self._made: dict[str, Any] = {}

    def made_from(self) -> tuple[Questions, tuple[str, ...], list[Label]]:
        """The questions and labels as they stand now; only while nobody else changes them."""
        book = self._session.book
        return self._session.asked, book.columns, list(book.labels)

    def of(self, asked: Questions, label_columns: Sequence[str], labels: Sequence[Label]) -> dict[str, Any]:
        """For JSON: {"asked": pairs, "moved": [movement of each label, in [0, 1]]}, or {"why": there is none}."""
        made_from = len(asked.questions), [(label.pair, label.answer) for label in labels]
        with self._lock:
            if made_from != self._made_from:
                self._made = self._moved(asked, label_columns, labels)
                self._made_from = made_from
            return self._made

    def _moved(
        self, asked: Questions, label_columns: Sequence[str], labels: Sequence[Label]
    ) -> dict[str, Any]:
        # Only here: what learns takes a while to load.
        from pehchan.learning.model import Model
        from pehchan.learning.movement import Weighing

        columns = tuple(dict.fromkeys([*asked.columns, *label_columns]))
        questions = [
            tuple(aligned_record(each, asked.columns, columns) for each in (question.first, question.second))
            for question in asked.questions
        ]
        known = [aligned(label, label_columns, columns) for label in labels]
        try:
            weighing = Weighing.of(
                Model.read(self._folder),
                columns,
                questions,
                [(label.first, label.second) for label in known],
                [label.answer for label in known],
            )
        except ValueError as error:
            return {"why": str(error)}
        return {"asked": len(questions), "moved": weighing.movements()}
