"""Which pairs to ask people about.

The pairs about which the model is least sure are asked first, as many as there are like them; after each one those
that look like it count less, so that one kind of pair does not take all questions. Some likely matches come along,
so that people see what goes well, and some pairs at random, which show what the model is wrong about and sure of.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pehchan.learning.em import sigmoid
from pehchan.learning.hashing import combined
from pehchan.learning.patterns import Floats, Levels, Patterns, Positions

#: Pairs that are asked about at a time; of these likely matches, and some at random; of fewer pairs as many fewer.
AT_A_TIME, LIKELY, RANDOM = 20, 3, 2
#: Pairs of either class of lookalikes that are asked about at a time.
OF_EACH_CLASS = 5
#: Enough was asked when in two rounds running no larger share of the matches changed.
SETTLED = 0.02

Hashes = NDArray[np.uint64]


def draws(record_hashes: Hashes, i: Positions, j: Positions, seed: int = 0) -> Hashes:
    """uint64[n]: a number for each pair of records, the same in any order of records and pairs."""
    first, second = record_hashes[i], record_hashes[j]
    return combined([np.minimum(first, second), np.maximum(first, second)], seed)


def questions(
    log_odds: Floats,
    levels: Levels,
    draw: Hashes,
    asked: NDArray[np.bool_],
    contrast: Floats | None = None,
    number: int = AT_A_TIME,
) -> Positions:
    """Places of the pairs to ask about next, the most telling first; fewer than number where there are no more.

    log_odds  float64[n], less the threshold
    levels    int8[n, f]
    draw      uint64[n], which decides what is random (draws)
    asked     bool[n], those that were asked about already, or have a label
    contrast  float64[n], log odds of a match against a lookalike, where the model knows of such
    """
    open_ = ~asked
    chosen: list[int] = []
    of_each_class, likely_ones, random_ones = (
        min(most, most * number // AT_A_TIME) for most in (OF_EACH_CLASS, LIKELY, RANDOM)
    )

    def take(places: Positions, most: int) -> None:
        chosen.extend(places[:most].tolist())
        open_[places[:most]] = False

    by_draw = np.argsort(draw, kind="stable")
    p = sigmoid(log_odds)
    if contrast is not None:
        for alike in (contrast < 0, contrast >= 0):
            # With what EM alone took for a match, the classes are what is unsure.
            near = open_ & alike & (log_odds > -6.0)
            take(by_draw[near[by_draw]], of_each_class)
    take(_unsure(p, levels, draw, open_, number - likely_ones - random_ones - len(chosen)), number)
    likely = open_ & (p > 0.9)
    take(by_draw[likely[by_draw]], likely_ones)
    take(by_draw[open_[by_draw]], number - len(chosen))
    return np.array(chosen, dtype=np.int64)


def _unsure(p: Floats, levels: Levels, draw: Hashes, open_: NDArray[np.bool_], number: int) -> Positions:
    """One pair of a pattern, by how unsure the pattern's pairs are, and how unlike those before."""
    patterns = Patterns.of(levels)
    doubt = np.where(open_, p * (1 - p), 0.0)
    total = np.bincount(patterns.place, weights=doubt, minlength=len(patterns.levels))
    order = np.lexsort((draw, -doubt, patterns.place))
    first = np.searchsorted(patterns.place[order], np.arange(len(patterns.levels)))
    most_doubtful = order[first] if len(order) else order
    # Its root, times the largest doubt: a large pattern of pairs that are nearly sure does not take all.
    mass = np.sqrt(total * doubt[most_doubtful])
    chosen: list[int] = []
    numbers = patterns.levels.astype(np.int64)
    while len(chosen) < number and len(mass):
        best = int(np.argmax(mass))
        if mass[best] <= 0:
            break
        chosen.append(int(most_doubtful[best]))
        apart = np.abs(numbers - numbers[best]).sum(axis=1)
        mass *= 1 - np.exp(-apart / 2.0)
        mass[best] = 0.0
    return np.array(chosen, dtype=np.int64)


def changed(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> float:
    """The share of the matches of either round that are matches of one only, in [0, 1]."""
    return float((before != after).sum() / max(int((before | after).sum()), 1))


def enough(changes: Sequence[float]) -> bool:
    """Whether asking can stop, given what changed in each round."""
    return len(changes) >= 2 and max(changes[-2:]) <= SETTLED
