"""Texts in all sorts of letters and lengths, alike enough for measures of text to tell them apart."""

from collections.abc import Sequence
from random import Random

#: What texts are written with. The first makes one long word, the third words of one letter each.
SCRIPTS = (
    ("a", "b", "c", "d", "e", "f", "g", "h"),
    ("a", "b", "c", "d", "é", "ł", " "),
    ("a ", "b ", "é ", "😀 "),
    # One letter to the eye and several characters: an accent beside its letter, a family.
    ("a", "é", "e\u0301", "\u0301", "中", "😀", "😁", "👩\u200d🚀", "\t", "\u00a0", "  "),
)
#: Around what fits into the 8, 16, 32 and 64 bits that rapidfuzz computes with, and into a byte.
SIZES = (1, 2, 7, 8, 9, 16, 17, 32, 33, 63, 64, 65, 129, 255, 256, 300)


def near_copy(script: Sequence[str], size: int, chance: Random) -> str:
    """The first pieces of an endless text in a script, with up to three edits by chance."""
    pieces = Random(len(script)).choices(script, k=size)
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(pieces) + 1)
        pieces[place : place + chance.randrange(3)] = [chance.choice(["", " ", "x", *script])]
    return "".join(pieces)
