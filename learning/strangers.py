"""How often strangers agree: u of Fellegi and Sunter's model, from random pairs and from how often values occur."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pehchan.learning.comparison import COMPARISONS
from pehchan.learning.evidence import Evidence
from pehchan.learning.patterns import Floats, Patterns, Positions
from pehchan.learning.table import Table

#: Random pairs that are compared.
PAIRS = 50_000
#: Values are equal by chance at least so often.
LEAST = 1e-7
#: Of what random pairs have of a level, strangers are at least so much.
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class Strangers:
    """Random pairs, which are strangers but for some matches among them.

    u         by field float64[levels]: how often two records that have both values agree so by chance
    patterns  of random pairs
    usual     whether u is what is usual, where random pairs do not tell
    """

    u: Sequence[Floats]
    patterns: Patterns
    usual: bool = False

    def without(self, matches: Floats) -> Sequence[Floats]:
        """u of the others, where so many of the pairs of each pattern are matches."""
        if self.usual:
            return self.u
        found = []
        levels, counts = self.patterns.levels, self.patterns.counts
        for field, u in enumerate(self.u):
            both = float(counts[levels[:, field] > 0].sum())
            of_matches = np.bincount(levels[:, field], weights=matches, minlength=len(u) + 1)[1:]
            rest = np.maximum(u - of_matches / max(both, 1.0), LEAST_SHARE * u)
            found.append(rest / rest.sum())
        return found


def random_pairs(table: Table, most: int = PAIRS) -> tuple[Positions, Positions]:
    """At most so many pairs of records, each once, across the sets where there are two; their order does not matter.

    Records are in the order of their hashes, and each meets those that follow at certain distances.
    """
    order = table.sample(len(table))
    if table.two_sets:
        first = order[table.sets[order] == table.sets.min()]
        second = order[table.sets[order] != table.sets.min()]
        if len(first) < len(second):
            first, second = second, first
        distances = np.arange(min(len(second), max(1, most // max(len(first), 1))))
        meets = (np.arange(len(first))[:, None] + distances) % max(len(second), 1)
        i, j = np.repeat(first, len(distances)), second[meets.ravel()]
    else:
        records = len(order)
        distances = np.arange(1, min((records - 1) // 2, max(1, most // max(records, 1))) + 1)
        meets = (np.arange(records)[:, None] + distances) % max(records, 1)
        i, j = np.repeat(order, len(distances)), order[meets.ravel()]
        if records % 2 == 0 and records and len(distances) == (records - 1) // 2:
            half = records // 2
            i, j = np.concatenate([i, order[:half]]), np.concatenate([j, order[half:]])
    return i.astype(np.int64), j.astype(np.int64)


def strangers(table: Table) -> Strangers:
    """As random pairs of a sample of records are, and as often equal as its fields say."""
    i, j = random_pairs(table)
    levels = Evidence.of(table, i, j).levels
    found = []
    for place, column in enumerate(table.columns):
        counts = np.bincount(levels[:, place], minlength=COMPARISONS[column.kind].levels + 1)[1:].astype(
            float
        )
        differ = counts[:-1] + 0.5
        equal = min(max(column.field.chance, LEAST), 0.999)
        found.append(np.append(differ / differ.sum() * (1 - equal), equal))
    return Strangers(found, Patterns.of(levels))
