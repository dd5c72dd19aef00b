"""What is said to whoever labels pairs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pehchan.learning.asked import Question
from pehchan.learning.labels import ANSWERS, MATCH, NO_MATCH, Label, count_answers

if TYPE_CHECKING:
    from pehchan.console.labelling import Session

#: A model that is so many hundredths sure of the opposite of an answer asks to check it.
SURE = 95

_HELP = """\
1  the two records stand for the same person, product or place
0  they stand for two different ones
2  what is shown cannot tell; the pair is not asked again
s  skips the pair: it is asked again after all others, or in the next session
u  takes the last answer back, and asks again; once more the one before it, also those of earlier sessions
q  quits (as Ctrl-D does): all answers are kept, and the same command goes on with the rest
Marked in the second record is what the first has not; an empty mark stands where something of it is missing.
"""


def _title(session: "Session") -> str:
    labels = session.book.labels
    given = f" ({answers_text(labels)} so far)" if labels else ""
    return f"pair {session.number - len(session.waiting) + 1} of {session.number}{given}"


def _guess(session: "Session") -> str:
    guess = guess_of(session.waiting[0].probability)
    return "" if guess is None else f"The model's guess: {ANSWERS[guess.answer]}, {guess.percent} % sure.\n"


def _skipped(session: "Session") -> str:
    session.skip()
    return "" if len(session.waiting) > 1 else "No other pair waits.\n"


@dataclass(frozen=True)
class Wording:
    """What is said to whoever answers.

    prompt   what may be answered
    nothing  the same where no pair waits
    help     the same in full
    quits    words that end the session
    title    what stands above a pair
    beneath  and under it
    more     what other words do while a pair waits, each a function that gives what is said of it
    """

    prompt: str = "1 match, 0 no match, 2 unsure, s skip, u undo, q quit, ? help: "
    nothing: str = "No more pairs wait for an answer. u undo, q quit: "
    help: str = _HELP
    quits: tuple[str, ...] = ("q",)
    title: Callable[[Any], str] = _title
    beneath: Callable[[Any], str] = _guess
    more: Mapping[str, Callable[[Any], str]] = field(default_factory=lambda: {"s": _skipped})


WORDING = Wording()


class Guess(NamedTuple):
    """What a model takes for the answer, and how sure it is."""

    answer: int
    percent: int


def guess_of(probability: float | None) -> Guess | None:
    """What a model guesses of a pair with this probability of a match."""
    if probability is None:
        return None
    # Rounded down, as nothing is 100 % sure.
    sure = min(int(100 * max(probability, 1 - probability)), 99)
    return Guess(MATCH if probability > 0.5 else NO_MATCH, sure)


def doubt(question: Question, answer: int) -> str:
    """What to say where the model was sure of the opposite; the answer stands unless it is taken back."""
    guess = guess_of(question.probability)
    opposite = {MATCH: NO_MATCH, NO_MATCH: MATCH}.get(answer)
    if guess is None or guess.answer != opposite or guess.percent < SURE:
        return ""
    what = {MATCH: "match", NO_MATCH: "do not match"}[opposite]
    return (
        f"Please check: the model is {guess.percent} % sure that these two {what}. u takes the answer back.\n"
    )


def answers_text(labels: Sequence[Label]) -> str:
    """How many labels there are of each answer."""
    return ", ".join(f"{count:,} {ANSWERS[answer]}" for answer, count in count_answers(labels).items())
