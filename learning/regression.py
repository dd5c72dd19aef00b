"""Logistic regression that starts from what is believed, and bears wrong labels.

The coefficients of the largest posterior density: each is normal around a prior mean, and at least 0 where it is said
so. A label is wrong with a probability that is given, so that one far from the boundary cannot move it (the "robust"
logistic regression of J. Copas, "Binary regression models for contaminated data", 1988). That loss is not convex: it
is minimised from the prior and from the solution without wrong labels, and the better of both is kept.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, xlogy

from pehchan.learning.patterns import Floats


@dataclass(frozen=True)
class Prior:
    """What is believed before labels are seen: normal distributions.

    means             float64[f], of the coefficients; spreads float64[f]
    intercept         mean of the intercept, and its intercept_spread
    free              bool[f]: the coefficients that may be negative
    """

    means: Floats
    spreads: Floats
    intercept: float
    intercept_spread: float
    free: Floats | None = None


@dataclass(frozen=True)
class Examples:
    """What is learnt from.

    features  float64[n, f], in memory by feature
    matches   float64[n] in [0, 1]: 1 match, 0 no match, between them how likely one is
    weights   float64[n], what each counts
    """

    features: Floats
    matches: Floats
    weights: Floats


def loss(parameters: Floats, examples: Examples, prior: Prior, wrong: float) -> tuple[float, Floats]:
    """Minus the logarithm of the posterior density, up to a constant, and its gradient.

    parameters  float64[f + 1]: the coefficients, and behind them the intercept
    wrong       the probability that a label is wrong, in [0, 0.5)
    """
    coefficients, intercept = parameters[:-1], parameters[-1]
    log_odds = linear(examples.features, coefficients, intercept)
    p, matches = expit(log_odds), examples.matches
    q = np.clip((1 - 2 * wrong) * p + wrong, 1e-15, 1 - 1e-15)
    off, off_intercept = (coefficients - prior.means) / prior.spreads, intercept - prior.intercept
    value = -float((examples.weights * (xlogy(matches, q) + xlogy(1 - matches, 1 - q))).sum())
    value += float((off**2).sum()) / 2 + (off_intercept / prior.intercept_spread) ** 2 / 2
    slope = -examples.weights * (matches / q - (1 - matches) / (1 - q)) * (1 - 2 * wrong) * p * (1 - p)
    gradient = np.empty(len(parameters))
    for feature in range(len(coefficients)):
        gradient[feature] = (examples.features[:, feature] * slope).sum()
    gradient[:-1] += off / prior.spreads
    gradient[-1] = slope.sum() + off_intercept / prior.intercept_spread**2
    return value, gradient


def fit(examples: Examples, prior: Prior, wrong: float = 0.03) -> tuple[Floats, float]:
    """Coefficients and intercept."""
    free = np.zeros(len(prior.means), dtype=bool) if prior.free is None else prior.free
    bounds = [(None if each else 0.0, None) for each in free] + [(None, None)]

    def least(start: Floats, noise: float) -> tuple[float, Floats]:
        found = minimize(
            loss, start, args=(examples, prior, noise), jac=True, method="L-BFGS-B", bounds=bounds
        )
        return float(found.fun), found.x

    first = np.append(prior.means, prior.intercept)
    value, parameters = least(first, wrong)
    if wrong > 0.005:
        other_value, other = least(least(first, 0.0)[1], wrong)
        if other_value < value:
            parameters = other
    return parameters[:-1], float(parameters[-1])


def linear(features: Floats, coefficients: Floats, intercept: float) -> Floats:
    """float64[n]: the weighted sum of each row's features, added in their order so that no other row matters."""
    total = np.full(len(features), intercept)
    for feature, coefficient in enumerate(coefficients.tolist()):
        if coefficient:
            total += features[:, feature] * coefficient
    return total
