"""The pairs of a model that wait for an answer: questions.json.

{"version": 1,
 "columns": ["name", "city"],
 "questions": [{"reason": "unsure", "probability": 0.431,
                "records": [{"set": "", "id": "7", "values": ["Ann Smith", "Austin"]}, {...}]}, ...]}
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pehchan.learning.whole_files import write_whole
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.metadata.records import Record

QUESTIONS_VERSION = 1
QUESTIONS_FILE = "questions.json"

# Why a pair is asked for: the model cannot tell, it thinks that they match, by chance, or the answer was taken back.
UNCERTAIN, LIKELY_MATCH, AT_RANDOM, TAKEN_BACK = "unsure", "likely match", "at random", "taken back"

_DECIMALS = 6


@dataclass(frozen=True)
class Question:
    """Two records that wait for an answer, with their items in the order of the columns of all questions.

    reason       why they are asked for
    probability  that they match, as the model has it, from 0 to 1; None where there was no model
    """

    first: Record
    second: Record
    reason: str
    probability: float | None = None


@dataclass(frozen=True)
class Questions:
    """The questions, in the order in which they are to be asked."""

    columns: tuple[str, ...]
    questions: tuple[Question, ...]


def write_questions(path: Path, asked: Questions) -> None:
    """Write the questions, in place of earlier ones; the file is there whole, whenever that is cut short."""
    questions = [
        {
            "reason": question.reason,
            "probability": None
            if question.probability is None
            else round(float(question.probability), _DECIMALS),
            "records": [_record_to_dict(record) for record in (question.first, question.second)],
        }
        for question in asked.questions
    ]
    data = {"version": QUESTIONS_VERSION, "columns": list(asked.columns), "questions": questions}
    write_whole(path, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())


def _record_to_dict(record: Record) -> dict[str, object]:
    return {"set": record.set, "id": record.id, "values": list(record.items)}


def read_questions(path: Path) -> Questions:
    """The questions of a file. Raises MistakesError where it is not one, or of another version."""
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise _mistake(path, f"cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise _mistake(path, f"not readable as JSON: {error}", _AGAIN) from None
    version = data.get("version") if isinstance(data, dict) else None
    if version != QUESTIONS_VERSION:
        right = f"This pehchan reads version {QUESTIONS_VERSION}. {_AGAIN}"
        raise _mistake(path, f"questions of version {version!r}", right)
    try:
        columns = tuple(_texts(data["columns"]))
        return Questions(columns, tuple(_question(each, len(columns)) for each in data["questions"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _mistake(path, f"not as pehchan writes questions ({error!r})", _AGAIN) from None


_AGAIN = "pehchan ask writes it anew."


def _mistake(path: Path, what: str, right: str = "") -> MistakesError:
    return MistakesError([Mistake(str(path), what, right)])


def _question(data: dict[str, Any], width: int) -> Question:
    first, second = (_record(each, width) for each in data["records"])
    probability = data["probability"]
    if probability is not None and not 0 <= probability <= 1:
        raise ValueError(f"a probability of {probability}")
    (reason,) = _texts([data["reason"]])
    return Question(first, second, reason, probability)


def _record(data: dict[str, Any], width: int) -> Record:
    values = tuple(_texts(data["values"]))
    if len(values) != width:
        raise ValueError(f"{len(values)} values for {width} columns")
    set_name, record_id = _texts([data["set"], data["id"]])
    return Record(set_name, record_id, values)


def _texts(values: Sequence[Any]) -> list[str]:
    if not all(isinstance(value, str) for value in values):
        raise TypeError("a value that is no text")
    return list(values)
