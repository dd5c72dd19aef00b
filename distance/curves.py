"""Curves: from the raw distance of an attribute to the effective one that enters the sum, as in sifarish."""

from collections.abc import Callable

import numpy as np

from pehchan.distance.measure import Distances
from pehchan.metadata.schema import Curve


def _none(d: Distances, w: float, t: float) -> Distances:
    return d


def _non_linear(d: Distances, w: float, t: float) -> Distances:
    return d / w + (1 - 1 / w) * d * d


def _sigmoid(d: Distances, w: float, t: float) -> Distances:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-w * (d - t)))


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


def apply(curve: Curve, d: Distances) -> Distances:
    """float64, shaped like d: the effective distances of raw distances d, by the formulas in metadata.schema.

    Another kind of curve gives 0, as in sifarish.
    """
    if curve.kind not in CURVES:
        return np.zeros_like(d)
    return CURVES[curve.kind](d, curve.w, curve.t)
