"""What matches and strangers look like, found without labels: Fellegi and Sunter's model, by EM.

I. Fellegi and A. Sunter, "A Theory for Record Linkage", 1969; W. Winkler, "Using the EM algorithm for weight
computation in the Fellegi-Sunter model of record linkage", 1988. Differences from their form, all so that it holds
for candidates of blocking keys:

* u, how often strangers agree, is given and stays: it comes from random pairs and from how often values occur.
* The share of matches is one of all pairs. Pairs that are no candidates are strangers.
* m, how often matches agree, starts from what is usual, which counts as PRIOR pairs, and a better level never weighs
  less than a worse one. This is a maximum under an order (R. Dykstra, S. Kochar and T. Robertson, "Inference for
  likelihood ratio ordering", 1995), so that the posterior never falls from one round to the next.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pehchan.distance import libm
from pehchan.learning.patterns import Floats, Levels, Patterns, Positions, scores

#: So many pairs the usual m counts as.
PRIOR = 300.0
#: The largest share of matches among all pairs.
MOST_MATCHES = 0.3
#: So many matches there are at the least, so that labels can speak against what was found.
FEWEST = 0.5
ROUNDS = 60
#: The rounds end where the logarithm of the share, and all of m, change by less.
CHANGE = 1e-4


@dataclass(frozen=True)
class Estimate:
    """Fellegi and Sunter's model of pairs.

    m          by field float64[levels]: how often matches have each level from 1, of those that have both values
    u          the same of strangers
    share      of all pairs, those that match, in (0, MOST_MATCHES]
    posterior  of each round, the logarithm of the posterior density of the parameters, up to a constant
    """

    m: Sequence[Floats]
    u: Sequence[Floats]
    share: float
    posterior: Sequence[float] = ()

    @property
    def weights(self) -> list[Floats]:
        """By field log(m / u) of each level, 0 for missing values before them."""
        return [log_ratio(m, u) for m, u in zip(self.m, self.u, strict=True)]

    @property
    def prior_log_odds(self) -> float:
        """Of a pair about which nothing is known."""
        return math.log(self.share / (1 - self.share))

    def log_odds(self, levels: Levels) -> Floats:
        """float64[n]: of pairs with these levels, int8[n, f]."""
        return self.prior_log_odds + scores(levels, self.weights)


def log_ratio(m: Floats, u: Floats) -> Floats:
    """log(m / u) of each level, 0 for missing values before them."""
    return np.array([0.0, *(math.log(a / b) for a, b in zip(m.tolist(), u.tolist(), strict=True))])


def sigmoid(x: Floats) -> Floats:
    """The probability of log odds."""
    return 1.0 / (1.0 + libm.exp(-np.clip(x, -35.0, 35.0)))


def monotone(m: Floats, u: Floats) -> Floats:
    """The distribution next to m of which m / u never falls from level to level.

    Neighbouring levels that break the order share their m as their u is shared: the maximum of the likelihood of
    counts that are proportional to m.
    """
    pools: list[tuple[float, float, int]] = []
    for a, b in zip(m.tolist(), u.tolist(), strict=True):
        pool = (a, b, 1)
        while pools and pools[-1][0] * pool[1] > pool[0] * pools[-1][1]:
            before = pools.pop()
            pool = (before[0] + pool[0], before[1] + pool[1], before[2] + pool[2])
        pools.append(pool)
    ratios = np.concatenate([np.full(levels, a / b) for a, b, levels in pools])
    found = ratios * u
    return found / found.sum()


def usual(levels: int, *, graded: bool = False) -> Floats:
    """The usual m of a field with so many levels; graded for texts, which are seldom equal."""
    if graded:
        found = np.linspace(1.0, 3.0, levels)
    else:
        found = np.full(levels, 0.02)
        found[-1] = 0.6
        if levels == 2:
            found[0] = 0.2
        else:
            found[-2], found[0] = 0.12, 0.06
            if levels > 3:
                found[1:-2] = 0.22 / (levels - 3)
    return found / found.sum()


def fit(
    patterns: Patterns, u: Sequence[Floats], usual_m: Sequence[Floats], all_pairs: float, prior: float = PRIOR
) -> Estimate:
    """The model of the pairs that have these patterns, out of all_pairs of which the others are strangers."""
    # A fifth of the records, each with one other.
    share = min(max(0.2 * math.sqrt(2 * all_pairs), 1.0) / max(all_pairs, 1.0), MOST_MATCHES)
    estimate = Estimate([monotone(m, each) for m, each in zip(usual_m, u, strict=True)], u, share)
    history = []
    for _ in range(ROUNDS):
        log_odds = estimate.log_odds(patterns.levels)
        history.append(_posterior(estimate, log_odds, patterns, usual_m, all_pairs, prior))
        matches = sigmoid(log_odds) * patterns.counts
        share = min(max(float(matches.sum()), FEWEST) / all_pairs, MOST_MATCHES)
        m = _shares(patterns.levels, matches, u, usual_m, prior)
        settled = abs(math.log(share / estimate.share)) < CHANGE and all(
            np.abs(new - old).max() < CHANGE for new, old in zip(m, estimate.m, strict=True)
        )
        estimate = Estimate(m, u, share)
        if settled:
            break
    return Estimate(estimate.m, u, estimate.share, history)


def fit_links(
    patterns: Patterns,
    ends: Sequence[Positions],
    u: Sequence[Floats],
    usual_m: Sequence[Floats],
    all_pairs: float,
    most_links: int,
    inclusion: Floats | float = 1.0,
    prior: float = 50.0,
) -> Estimate:
    """The model of pairs between two sets of which one or both are without duplicates.

    ends        the records that have one partner at most: of each pair that of one set, or of either
    all_pairs   between the sets
    most_links  how many of them there can be
    """
    weight = 1.0 / np.asarray(inclusion, dtype=np.float64)
    estimate = Estimate(
        [monotone(m, each) for m, each in zip(usual_m, u, strict=True)], u, 0.5 * most_links / all_pairs
    )
    for _ in range(25):
        odds = libm.exp(np.clip(estimate.log_odds(patterns.levels), -35.0, 35.0))[patterns.place]
        matches = np.bincount(
            patterns.place, weights=compete(odds, ends) * weight, minlength=len(patterns.levels)
        )
        share = min(max(float(matches.sum()), FEWEST) / all_pairs, MOST_MATCHES)
        settled = abs(math.log(share / estimate.share)) < CHANGE
        m = _shares(patterns.levels, matches.astype(np.float64), u, usual_m, prior)
        estimate = Estimate(m, u, share)
        if settled:
            break
    return estimate


def compete(odds: Floats, ends: Sequence[Positions]) -> Floats:
    """The probability of each pair where some records have one partner at most, or none.

    odds  float64[n], of each pair by itself
    ends  int64[n], of each pair the record that has one partner at most, of one set or of either; none is in both
    """
    total = np.ones(len(odds))
    for end in ends:
        total += np.bincount(end, weights=odds)[end] if len(end) else odds
    return odds / (total - (len(ends) - 1) * odds)


def _shares(
    levels: Levels, matches: Floats, u: Sequence[Floats], usual_m: Sequence[Floats], prior: float
) -> list[Floats]:
    """m of pairs that match to these amounts."""
    found = []
    for field, (each, start) in enumerate(zip(u, usual_m, strict=True)):
        counts = np.bincount(levels[:, field], weights=matches, minlength=len(each) + 1)[1:]
        found.append(monotone((counts + prior * start) / (counts.sum() + prior), each))
    return found


def _posterior(
    estimate: Estimate,
    log_odds: Floats,
    patterns: Patterns,
    usual_m: Sequence[Floats],
    all_pairs: float,
    prior: float,
) -> float:
    """Candidates: log(share * P(m) + (1 - share) * P(u)), without the constant P(u); others are strangers."""
    found = float((patterns.counts * np.logaddexp(0.0, log_odds)).sum())
    found += all_pairs * math.log1p(-estimate.share)
    for m, start in zip(estimate.m, usual_m, strict=True):
        found += prior * sum(a * math.log(b) for a, b in zip(start.tolist(), m.tolist(), strict=True))
    return found
