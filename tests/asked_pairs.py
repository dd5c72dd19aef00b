"""The folder of a model with questions that are told by their numbers, for tests of labelling."""

from pathlib import Path

from pehchan.learning.asked import UNCERTAIN, Question, Questions, write_questions
from pehchan.metadata.records import Record

COLUMNS = ("name", "city")


def question(at, probability=0.5):
    """The records 1a and 1b of question 1, Ann and Anne."""
    first = Record("", f"{at}a", (f"Ann {at}", "Austin"))
    return Question(first, Record("", f"{at}b", (f"Anne {at}", "")), UNCERTAIN, probability)


def ask(questions, columns=COLUMNS):
    """Leave these questions in the folder `model`, in the place of others."""
    write_questions(Path("model/questions.json"), Questions(columns, tuple(questions)))


def make_model(questions):
    """The folder `model`, of a model without any content, with these questions."""
    folder = Path("model")
    folder.mkdir()
    (folder / "model.json").write_text("{}")
    ask(questions)
    return folder
