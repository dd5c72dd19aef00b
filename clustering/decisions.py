"""What people decided of two records: that they stand for the same thing, or for different ones.

A file of decisions is JSON, {"version": 1, "decisions": [[[set, id], [set, id], "same" or "different"], ...]}, with
set "" where there is only one.
"""

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pehchan.clustering.components import smallest_joined
from pehchan.clustering.truth import RecordKey, ordered
from pehchan.metadata.mistakes import Mistake, Mistakes, MistakesError

DECISIONS_VERSION = 1

#: Name of a file of decisions in what pehchan writes.
DECISIONS = "decisions.json"

SAME, DIFFERENT = "same", "different"

#: Mistakes that are told of one file.
MOST_MISTAKES = 20


@dataclass(frozen=True)
class Decision:
    """What was decided of two records, each (set, id).

    same   whether they stand for the same thing; else for different ones
    where  file and line, or whatever else says to a person where it stands
    """

    a: RecordKey
    b: RecordKey
    same: bool
    where: str = field(default="", compare=False)

    def in_order(self) -> "Decision":
        """The same, the smaller record first."""
        return Decision(*ordered(self.a, self.b), self.same, self.where)


class Contradiction(NamedTuple):
    """Two records that were decided to be different, and the fewest decisions that make them the same.

    chain  from `different.a` to `different.b`, each next to the one before; nothing where these are one record
    """

    different: Decision
    chain: tuple[Decision, ...]

    def __str__(self) -> str:
        a, b = self.different.a, self.different.b
        if not self.chain:
            return f"{spoken(a)} is decided to be different from itself"
        steps = []
        for step in self.chain:
            where = f" ({step.where})" if step.where else ""
            steps.append(f"{spoken(step.a)} is the same as {spoken(step.b)}{where}")
        return f"{spoken(a)} and {spoken(b)} are different, but {', '.join(steps)}"


def spoken(record: RecordKey) -> str:
    """A record for a person: its id, or set:id."""
    return f"{record[0]}:{record[1]}" if record[0] else record[1]


def contradictions(decisions: Iterable[Decision]) -> Iterator[Contradiction]:
    """Each decision that two records are different which others contradict, in their order.

    Of several shortest chains the one is told whose records come first, and of decisions that say the same of two
    records the first one.
    """
    told: dict[Decision, Decision] = {}
    for decision in decisions:
        told.setdefault(decision.in_order(), decision)
    beside: dict[RecordKey, dict[RecordKey, Decision]] = {}
    for pair, decision in told.items():
        if pair.same:
            beside.setdefault(pair.a, {})[pair.b] = decision
            beside.setdefault(pair.b, {})[pair.a] = decision
    joined = smallest_joined((pair.a, pair.b) for pair in told if pair.same)
    for pair, decision in told.items():
        if pair.same:
            continue
        if decision.a == decision.b:
            yield Contradiction(decision, ())
        elif decision.a in joined and joined[decision.a] == joined.get(decision.b):
            # From the smaller one, whichever was told first.
            chain = _shortest(beside, pair.a, pair.b)
            yield Contradiction(decision, chain if decision.a == pair.a else chain[::-1])


def _shortest(
    beside: dict[RecordKey, dict[RecordKey, Decision]], start: RecordKey, end: RecordKey
) -> tuple[Decision, ...]:
    """The fewest decisions from one record to another that some lead to."""
    # From the end, so that what leads there is found from the start.
    towards: dict[RecordKey, RecordKey] = {end: end}
    waiting = deque([end])
    while start not in towards:
        record = waiting.popleft()
        for other in sorted(beside[record]):
            if other not in towards:
                towards[other] = record
                waiting.append(other)
    chain = []
    while start != end:
        chain.append(beside[start][towards[start]])
        start = towards[start]
    return tuple(chain)


def check_decisions(decisions: Iterable[Decision], mistakes: Mistakes) -> None:
    """Add a mistake for each decision that others contradict, at most so many as people read."""
    for contradiction in contradictions(decisions):
        where = contradiction.different.where or "decisions"
        mistakes.add(where, f"{contradiction}.", "Take back one of these decisions.")
        if len(mistakes.found) >= MOST_MISTAKES:
            return


def encode_decisions(decisions: Iterable[Decision]) -> bytes:
    """The text of a file of decisions; where they stand is not kept."""
    rows = [[each.a, each.b, SAME if each.same else DIFFERENT] for each in decisions]
    return json.dumps({"version": DECISIONS_VERSION, "decisions": rows}).encode("ascii")


def read_decisions(path: str | os.PathLike[str]) -> list[Decision]:
    """The decisions of a file. Raises MistakesError as `decode_decisions`, and where it cannot be read."""
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise _mistake(path, f"cannot be read: {error.strerror}") from None
    return decode_decisions(text, str(path))


def decode_decisions(text: bytes, path: str) -> list[Decision]:
    """The decisions of the text of a file, whose path is told.

    Raises MistakesError for one that is no JSON, is of another version, or holds something else.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise _mistake(path, f"no JSON: {error}") from None
    version = data.get("version") if isinstance(data, dict) else None
    if version != DECISIONS_VERSION:
        raise _mistake(
            path, f"decisions of version {version!r}.", f"This pehchan reads version {DECISIONS_VERSION}."
        )
    rows, mistakes, found = data.get("decisions"), Mistakes(), []
    if not isinstance(rows, list):
        raise _mistake(path, "without a list of decisions.", _FORM)
    for number, row in enumerate(rows, 1):
        where = f"{path} decision {number}"
        try:
            (set_a, id_a), (set_b, id_b), word = row
            right = word in (SAME, DIFFERENT) and all(isinstance(x, str) for x in (set_a, id_a, set_b, id_b))
        except (TypeError, ValueError):
            right = False
        if not right:
            mistakes.add(where, f"no decision: {json.dumps(row)}.", _FORM)
        else:
            found.append(Decision((set_a, id_a), (set_b, id_b), word == SAME, where))
        if len(mistakes.found) >= MOST_MISTAKES:
            break
    mistakes.raise_if_any()
    return found


_FORM = f'Each is [[set, id], [set, id], "{SAME}"] or with "{DIFFERENT}".'


def _mistake(where: object, what: str, right: str = "") -> MistakesError:
    return MistakesError([Mistake(str(where), what, right)])
