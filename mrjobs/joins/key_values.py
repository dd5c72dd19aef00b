"""What a blocking key makes of a record: the values of which records must share one to meet.

Case, accents and the number of blanks never count, as two spellings of a value should make one key. A record
without a value for a part of a key has no value of that key.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from pehchan.distance.fold import FOLDS
from pehchan.metadata.blocking_keys import BlockingKey, KeyPart
from pehchan.mrjobs.joins.all_pairs import hashed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: The values of a part, each once, of a folded value that is not empty; behind it the numbers behind the column.
Function = Callable[..., Iterable[str]]

_WORD = re.compile(r"\w+")
_NO_LETTER = re.compile("[^a-z]+")
_NO_DIGIT = re.compile("[^0-9]+")
#: A year by itself, or in front of a month and a day as in 19870302.
_YEAR = re.compile(
    r"(?<![0-9])(?:1[5-9]|20)[0-9]{2}(?=(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))?(?![0-9]))"
)


def key_values(key: BlockingKey) -> Callable[[Sequence[str]], list[tuple[str, ...]]]:
    """The function from the items of a record to its values of a key, each once and in order; [] where it has none.

    A value has a text for each part of the key. Raises ImportError where the key needs a library that is not there.
    """
    parts = [_part_values(part) for part in key.parts]
    if len(parts) == 1:
        alone = parts[0]
        return lambda items: [(value,) for value in sorted(alone(items))]
    return lambda items: sorted(product(*(part(items) for part in parts)))


def _part_values(part: KeyPart) -> Callable[[Sequence[str]], Iterable[str]]:
    ordinal, numbers, function = part.ordinal or 0, part.numbers, _function(part.function)

    def values(items: Sequence[str]) -> Iterable[str]:
        value = folded(items[ordinal])
        return function(value, *numbers) if value else ()

    return values


def folded(value: str) -> str:
    """The value without case and accents, with one blank between its words and none around them."""
    if not value.isascii():
        value = FOLDS["accents"](value)
    return " ".join(value.casefold().split())


def _function(name: str) -> Function:
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    # Only where a key needs it: a task starts without it.
    import jellyfish

    code = getattr(jellyfish, name)
    return lambda value: _code(code, value)


def _code(code: Callable[[str], str], value: str) -> Iterable[str]:
    """The code of how the Latin letters of a value sound; none where it has no such letter, or they are silent."""
    letters = _NO_LETTER.sub("", value)
    found = code(letters) if letters else ""
    return (found,) if found else ()


def _qgrams(value: str, n: int) -> Iterable[str]:
    return {value[k : k + n] for k in range(max(1, len(value) - n + 1))}


def _tokens(value: str) -> Iterable[str]:
    return set(_WORD.findall(value))


def _digits(value: str) -> Iterable[str]:
    digits = _NO_DIGIT.sub("", value)
    return (digits,) if digits else ()


def _year(value: str) -> Iterable[str]:
    found = _YEAR.search(value)
    return (found[0],) if found else ()


def _minhash(value: str, bands: int, rows: int) -> Iterable[str]:
    """Values that two texts share the likelier, the larger the share of their words is that both have.

    A. Broder, "On the resemblance and containment of documents", 1997. Each of bands * rows hash functions has its
    least value at a word of the text, and of two texts at the same word as often as they share words. The least
    values of the rows of a band make one value.
    """
    # Only here: a task whose keys need no numpy starts without it.
    import numpy as np

    words = set(_WORD.findall(value))
    if not words:
        return ()
    codes = np.array([_hashed(word) for word in words], dtype=np.uint64)
    least = (_factors(bands * rows) * codes).min(axis=1).astype("<u8").reshape(bands, rows)
    # Of texts that share no band one pair in 2^32 has a value in common: every record brings all its values along.
    return [f"{band}:{hashed(least[band].tobytes().hex()) >> 32:08x}" for band in range(bands)]


#: Words come again and again.
_hashed = lru_cache(maxsize=100_000)(hashed)


@lru_cache
def _factors(count: int) -> "NDArray[np.uint64]":
    """Factors that put hashed words in so many orders: modulo 2^64 an odd one brings no two to the same place."""
    import numpy as np

    return np.array([[hashed(f"minhash {k}") | 1] for k in range(count)], dtype=np.uint64)


_FUNCTIONS: dict[str, Function] = {
    "": lambda value: (value,),
    "prefix": lambda value, n: (value[:n].rstrip(),),
    "tokens": _tokens,
    "qgrams": _qgrams,
    "digits": _digits,
    "year": _year,
    "minhash": _minhash,
}
