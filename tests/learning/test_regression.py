"""Regression with a prior, and with wrong labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from pehchan.learning.regression import Examples, Prior, fit, linear, loss


def examples(seed, rows=60, features=4):
    rng = np.random.default_rng(seed)
    x = np.asfortranarray(rng.normal(size=(rows, features)))
    return Examples(x, rng.random(rows).round(1), rng.random(rows) + 0.1)


def prior(features=4, spread=0.3):
    return Prior(np.ones(features), np.full(features, spread), -2.0, 1.5)


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.002, 0.03, 0.2]))
def test_the_gradient_is_that_of_finite_differences(seed, wrong):
    at = np.random.default_rng(seed).normal(size=5)
    given_examples = examples(seed)
    _, gradient = loss(at, given_examples, prior(), wrong)
    plain = approx_fprime(at, lambda x: loss(x, given_examples, prior(), wrong)[0], 1e-6)
    assert gradient == pytest.approx(plain, rel=1e-3, abs=1e-3)


def test_without_labels_the_prior_stays():
    nothing = Examples(np.zeros((0, 4)), np.zeros(0), np.zeros(0))
    coefficients, intercept = fit(nothing, prior())
    assert coefficients == pytest.approx(np.ones(4))
    assert intercept == pytest.approx(-2)


def test_coefficients_are_never_negative():
    x = np.asfortranarray(np.random.default_rng(1).normal(size=(500, 2)))
    coefficients, _ = fit(Examples(x, (x[:, 0] < 0).astype(float), np.ones(500)), prior(2, 5.0))
    assert (coefficients >= 0).all()
    assert coefficients[0] == 0


def test_labels_that_are_wrong_far_from_the_boundary_hardly_count():
    rng = np.random.default_rng(2)
    x = np.asfortranarray(rng.normal(size=(300, 2)) * 4)
    true = linear(x, np.array([1.0, 1.0]), -1.0) > 0
    said = true.astype(float)
    far = np.abs(linear(x, np.array([1.0, 1.0]), -1.0)) > 4
    said[np.flatnonzero(far)[:15]] = 1 - said[np.flatnonzero(far)[:15]]
    weak = Prior(np.ones(2), np.full(2, 3.0), 0.0, 5.0)
    bearing, trusting = (fit(Examples(x, said, np.ones(300)), weak, wrong) for wrong in (0.03, 0.0))
    right = [((linear(x, *found) > 0) == true).mean() for found in (bearing, trusting)]
    assert right[0] > 0.99
    assert bearing[0].sum() > 2 * trusting[0].sum()


def test_a_row_is_summed_the_same_in_any_company():
    x = np.asfortranarray(np.random.default_rng(3).normal(size=(1001, 7)))
    coefficients = np.random.default_rng(4).normal(size=7)
    together = linear(x, coefficients, 0.1)
    order = np.random.default_rng(5).permutation(1001)
    assert (linear(np.asfortranarray(x[order]), coefficients, 0.1) == together[order]).all()
    assert all(linear(x[k : k + 1], coefficients, 0.1)[0] == together[k] for k in range(0, 1001, 50))
