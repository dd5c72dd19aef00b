"""What is wrong with what a person gave, collected so that all of it is said at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong: where it stands, what is wrong, and what would be right."""

    where: str
    what: str
    right: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  {self.right}" if self.right else text


class MistakesError(ValueError):
    """Raised before anything runs; its text lists every mistake found."""

    def __init__(self, mistakes: list[Mistake]):
        self.mistakes = mistakes
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__("\n".join([*map(str, mistakes), f"{count}; nothing was run."]))


@dataclass
class Mistakes:
    """Collects mistakes (which stop a run before it starts) and warnings (which do not)."""

    found: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)

    def add(self, where: str, what: str, right: str = "") -> None:
        self.found.append(Mistake(where, what, right))

    def warn(self, where: str, what: str, right: str = "") -> None:
        self.warnings.append(Mistake(where, what, right))

    def raise_if_any(self) -> None:
        """Raise MistakesError with everything found so far; do nothing where all is well."""
        if self.found:
            raise MistakesError(self.found)


def nearest(word: str, known: Iterable[str]) -> str:
    """What to say beside an unknown word: the known word it may have been meant for, or all there are."""
    words = {each.lower(): each for each in known}
    close = get_close_matches(word.lower(), words, n=1)
    return f'Did you mean "{words[close[0]]}"?' if close else f"Known: {', '.join(words.values())}."
