"""Lookalikes: pairs that agree like matches in some fields, and like strangers in others.

Persons of one household share an address, branches of a chain a name. They are a third class of pairs, found by EM on
the same patterns as matches are. What it looks like alone does not say whether it is one: somebody who moved agrees
in the name only, as a namesake does. The class is sure where several fields that identify are at random in it; else
it is a suspicion, of which people should be asked.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pehchan.distance import libm
from pehchan.learning.em import Estimate, monotone
from pehchan.learning.patterns import Floats, Levels, Patterns, scores

#: So many pairs the matches of the model without the class count as.
PRIOR = 30.0
ROUNDS = 80
#: Fields, those that say most, from which the search for the class starts.
STARTS = 6
#: So many patterns serve to find the class.
PATTERNS = 8_000
CHANGE = 1e-4
#: A field identifies where a match says at least so much (in nats, on average) that it is none of strangers.
INFORMATIVE = 1.0
#: In so many of the fields that identify pairs of the class must agree at random for it to be sure.
AT_RANDOM = 3
#: The least share of the class in what looks like a match; of one that is a suspicion.
AMONG, AMONG_SUSPECTED = 0.01, 0.25
#: The share of what looks like a match without the class that the class claims, below which it is not worth a word.
CONTESTED = 0.01
#: Pairs that are clearer strangers than these log odds are in neither class.
FLOOR = -8.0


@dataclass(frozen=True)
class Lookalikes:
    """The class beside matches and strangers.

    m       by field, how often lookalikes have each level from 1
    share   of all pairs
    fields  those, by number, that identify and agree in the class only at random
    """

    m: Sequence[Floats]
    share: float
    fields: Sequence[int]

    @property
    def sure(self) -> bool:
        """Whether pairs of the class are taken for different without labels that say so."""
        return len(self.fields) >= AT_RANDOM

    def contrast(self, levels: Levels, estimate: Estimate) -> Floats:
        """float64[n] in [-8, 8]: the log odds of a match against a lookalike."""
        matches = math.log(estimate.share) + scores(levels, _logs(estimate.m))
        return np.clip(matches - self._score(levels), -8.0, 8.0)

    def _score(self, levels: Levels) -> Floats:
        return math.log(self.share) + scores(levels, _logs(self.m))


def information(estimate: Estimate) -> list[float]:
    """By field what a match says on average, in nats: sum of m log(m / u)."""
    return [float((m * weights[1:]).sum()) for m, weights in zip(estimate.m, estimate.weights, strict=True)]


def find(patterns: Patterns, estimate: Estimate, all_pairs: float) -> tuple[Estimate, Lookalikes] | None:
    """The model beside the class, and the class; None where there is none to speak of."""
    near = estimate.log_odds(patterns.levels) > FLOOR
    levels, counts = _fewer(patterns.levels[near], patterns.counts[near])
    if not len(levels):
        return None
    said = information(estimate)
    best: tuple[float, Estimate, Lookalikes] | None = None
    for start in sorted(range(len(said)), key=lambda field: (-said[field], field))[:STARTS]:
        found = _fit(levels, counts, estimate, all_pairs, start)
        if found[2].fields and (best is None or found[0] > best[0]):
            best = found
    if best is None:
        return None
    _, matches, lookalikes = best
    among = lookalikes.share / (lookalikes.share + matches.share)
    least = AMONG if lookalikes.sure else AMONG_SUSPECTED
    if among <= least or lookalikes.share * all_pairs <= 10:
        return None
    return matches if lookalikes.sure else estimate, lookalikes


def _at_random(matches: Estimate, alike: Sequence[Floats]) -> list[int]:
    """The fields that identify matches and agree in the class about as seldom as strangers."""
    return [
        field
        for field, (said, m, h, u) in enumerate(
            zip(information(matches), matches.m, alike, matches.u, strict=True)
        )
        if said > INFORMATIVE and h[-1] < 0.15 * m[-1] + 2 * u[-1]
    ]


def contested(patterns: Patterns, alone: Estimate, beside: Estimate, looks: Lookalikes) -> float:
    """Of the pairs that match by the model alone, the share that are lookalikes by the model beside the class."""
    match = alone.log_odds(patterns.levels) > 0
    levels, matches = patterns.levels[match], patterns.counts[match]
    claimed = looks.contrast(levels, beside) < 0
    return float(matches[claimed].sum()) / max(float(matches.sum()), 1e-9)


def _fewer(levels: Levels, counts: Floats) -> tuple[Levels, Floats]:
    """The most frequent patterns, and of the others every so many, which stand for those between."""
    if len(levels) <= PATTERNS:
        return levels, counts
    order = np.argsort(-counts, kind="stable")
    rest = np.sort(order[PATTERNS // 2 :])
    step = -(-len(rest) // (PATTERNS // 2))
    taken = rest[::step]
    kept = np.concatenate([order[: PATTERNS // 2], taken])
    return levels[kept], np.concatenate(
        [counts[order[: PATTERNS // 2]], counts[taken] * (counts[rest].sum() / counts[taken].sum())]
    )


def _fit(
    levels: Levels, counts: Floats, estimate: Estimate, all_pairs: float, start: int
) -> tuple[float, Estimate, Lookalikes]:
    u = estimate.u
    matches, share = list(estimate.m), 0.5 * estimate.share
    alike, alike_share = list(estimate.m), 0.5 * estimate.share
    alike[start] = u[start]
    strangers = scores(levels, _logs(u))
    for _ in range(ROUNDS):
        logs = np.stack(
            [
                math.log(share) + scores(levels, _logs(matches)),
                math.log(alike_share) + scores(levels, _logs(alike)),
                math.log(1 - share - alike_share) + strangers,
            ]
        )
        top = logs.max(axis=0)
        odds = libm.exp((logs - top).ravel()).reshape(logs.shape)
        total = odds[0] + odds[1] + odds[2]
        likelihood = float((counts * (top + np.log(total))).sum())
        of_matches, of_alike = odds[0] / total * counts, odds[1] / total * counts
        for field, each in enumerate(u):
            counted = _counts(levels[:, field], of_matches, len(each)) + PRIOR * estimate.m[field]
            matches[field] = monotone(counted / counted.sum(), each)
            counted = _counts(levels[:, field], of_alike, len(each)) + 0.1 * PRIOR * each + 1e-3
            alike[field] = counted / counted.sum()
        new = max(float(of_matches.sum()) / all_pairs, 1e-12), max(float(of_alike.sum()) / all_pairs, 1e-13)
        settled = abs(math.log(new[0] / share)) + abs(math.log(new[1] / alike_share)) < CHANGE
        share, alike_share = new
        if settled:
            break
    found = Estimate(matches, u, share)
    return likelihood, found, Lookalikes(alike, alike_share, _at_random(found, alike))


def _counts(column: Levels, weights: Floats, levels: int) -> Floats:
    return np.bincount(column, weights=weights, minlength=levels + 1)[1:].astype(np.float64)


def _logs(m: Sequence[Floats]) -> list[Floats]:
    return [np.array([0.0, *map(math.log, each.tolist())]) for each in m]
