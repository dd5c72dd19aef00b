"""Curves: from the raw distance of an attribute to the effective one that enters the sum, as in sifarish."""

import math
from collections.abc import Callable

import numpy as np

from pehchan.distance import libm
from pehchan.distance.measure import Distances
from pehchan.metadata.schema import Curve


def _none(d: Distances, w: float, t: float) -> Distances:
    return d


def _non_linear(d: Distances, w: float, t: float) -> Distances:
    return d / w + (1 - 1 / w) * d * d


def _sigmoid(d: Distances, w: float, t: float) -> Distances:
    return 1 / (1 + libm.exp(-w * (d - t)))


def _step(d: Distances, w: float, t: float) -> Distances:
    return np.where(d < t, 0.0, 1.0)


def _ramp(d: Distances, w: float, t: float) -> Distances:
    return np.where(d < t, 0.0, d)


CURVES: dict[str, Callable[[Distances, float, float], Distances]] = {
    "none": _none,
    "nonLinear": _non_linear,
    "sigmoid": _sigmoid,
    "step": _step,
    "ramp": _ramp,
}


def largest_raw(curve: Curve, effective: float) -> float:
    """The largest raw distance d >= 0 whose effective distance is at most so much; inf where there is none.

    Raw distances above it have larger effective ones; with nonLinear and w < 1 only those up to 1. A curve without
    such a distance gives 0.
    """
    w, t = curve.w, curve.t
    if curve.kind not in CURVES or effective == math.inf:
        return math.inf
    if curve.kind == "nonLinear":
        # The smaller root of (1 - 1/w) d^2 + d/w = e.
        square, line = 1 - 1 / w, 1 / w
        under = line * line + 4 * square * effective
        if under <= 0 or (square < 0 and effective >= 1):
            return math.inf
        return 2 * effective / (line + math.sqrt(under))
    if curve.kind == "sigmoid":
        if effective >= 1:
            return math.inf
        return max(0.0, t - math.log(1 / effective - 1) / w) if effective > 0 else 0.0
    if curve.kind == "step":
        return t if effective < 1 else math.inf
    return max(t, effective) if curve.kind == "ramp" else effective


def apply(curve: Curve, d: Distances) -> Distances:
    """float64, shaped like d: the effective distances of raw distances d, by the formulas in metadata.schema.

    Another kind of curve gives 0, as in sifarish.
    """
    if curve.kind not in CURVES:
        return np.zeros_like(d)
    return CURVES[curve.kind](d, curve.w, curve.t)
