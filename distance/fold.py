"""Folding: differences of writing that are set aside before values are compared."""

import unicodedata
from collections.abc import Callable, Sequence


def _without_accents(value: str) -> str:
    """The letters without their marks ("José" is "Jose"), in compatibility form ("ﬁ" is "fi")."""
    if value.isascii():
        return value
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", value) if not unicodedata.combining(letter)
    )


FOLDS: dict[str, Callable[[str], str]] = {"case": str.casefold, "accents": _without_accents}


def fold(values: Sequence[str], kinds: Sequence[str]) -> list[str]:
    """The values with each kind of difference ("case", "accents") folded away, in the order of FOLDS.

    Raises ValueError for another kind.
    """
    unknown = [kind for kind in kinds if kind not in FOLDS]
    if unknown:
        raise ValueError(f'unknown fold "{unknown[0]}". Known: {", ".join(FOLDS)}.')
    folded = list(values)
    for kind, function in FOLDS.items():
        if kind in kinds:
            folded = [function(value) for value in folded]
    return folded
