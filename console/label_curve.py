"""How far each label moved what the model makes of the pairs that are asked about, while labels are given."""

from collections.abc import Sequence
from itertools import pairwise, takewhile
from pathlib import Path
from threading import Lock
from typing import Any

from pehchan.console.labelling import Session
from pehchan.learning.asked import Questions
from pehchan.learning.labels import Label, aligned, aligned_record, name_pair

#: Labels that are shown, the last ones: each costs a regression.
SHOWN = 60


class Curve:
    """The movements of a session; for several threads at a time."""

    def __init__(self, session: Session, folder: Path):
        self._session, self._folder = session, folder
        self._lock = Lock()
        # What was found already: names of the pairs that are asked about, labels, and by how many of these the
        # probabilities that follow from them.
        self._asked: list[str] = []
        self._told: list[tuple[str, int]] = []
        self._found: dict[int, Any] = {}

    def made_from(self) -> tuple[Questions, tuple[str, ...], list[Label]]:
        """The questions and labels as they stand now; only while nobody else changes them."""
        book = self._session.book
        return self._session.asked, book.columns, list(book.labels)

    def of(self, asked: Questions, label_columns: Sequence[str], labels: Sequence[Label]) -> dict[str, Any]:
        """For JSON: {"why": there is none}, or
        {"asked": pairs, "from": number of the first label shown, from 1,
         "moved": [mean movement of the probabilities by each label, in [0, 1]], "last": how many count as the last,
         "settled": whether further labels would move hardly anything}
        """
        # Only here: what learns takes a while to load.
        from pehchan.learning.model import Model
        from pehchan.learning.movement import LAST, Weighing, movement, settled

        columns = tuple(dict.fromkeys([*asked.columns, *label_columns]))
        questions = {}
        for each in asked.questions:
            records = (aligned_record(record, asked.columns, columns) for record in (each.first, each.second))
            questions[name_pair(asked.columns, each.first, each.second)] = tuple(records)
        known = [aligned(label, label_columns, columns) for label in labels]
        # In an order that taking back does not change.
        names = sorted(questions)
        with self._lock:
            try:
                weighing = Weighing.of(
                    Model.read(self._folder),
                    columns,
                    [questions[name] for name in names],
                    [(label.first, label.second) for label in known],
                    [label.answer for label in known],
                )
            except ValueError as error:
                return {"why": str(error)}
            self._forget(names, [(label.pair, label.answer) for label in labels])
            first = max(0, len(labels) - SHOWN)
            for count in range(first, len(labels) + 1):
                if count not in self._found:
                    self._found[count] = weighing.probabilities(count)
            found = [self._found[count] for count in range(first, len(labels) + 1)]
        moved = [movement(before, after) for before, after in pairwise(found)]
        return {
            "asked": len(names),
            "from": first + 1,
            "moved": moved,
            "last": LAST,
            "settled": settled(moved, [label.answer for label in labels]),
        }

    def _forget(self, asked: list[str], told: list[tuple[str, int]]) -> None:
        """Forget what does not hold any more: what follows from labels that were taken back since."""
        same = takewhile(lambda both: both[0] == both[1], zip(self._told, told, strict=False))
        holds = sum(1 for _ in same) if asked == self._asked else -1
        self._found = {count: found for count, found in self._found.items() if count <= holds}
        self._asked, self._told = asked, told
