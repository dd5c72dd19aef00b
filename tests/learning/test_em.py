"""What EM finds of pairs that are drawn from a known model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.learning import em, lookalikes
from pehchan.learning.patterns import Patterns, scores

M = [
    np.array([0.03, 0.07, 0.9]),
    np.array([0.1, 0.1, 0.2, 0.6]),
    np.array([0.05, 0.95]),
    np.array([0.1, 0.2, 0.7]),
]
U = [
    np.array([0.9, 0.09, 0.01]),
    np.array([0.8, 0.1, 0.09, 0.01]),
    np.array([0.9, 0.1]),
    np.array([0.95, 0.045, 0.005]),
]
SHARE = 0.02
PAIRS = 200_000


def drawn(levels, count, rng, missing=0.1):
    columns = [rng.choice(len(each), count, p=each / each.sum()) + 1 for each in levels]
    found = np.stack(columns, axis=1).astype(np.int8)
    found[rng.random(found.shape) < missing] = 0
    return found


def simulated(seed=1, pairs=PAIRS, share=SHARE):
    rng = np.random.default_rng(seed)
    matches = int(pairs * share)
    return np.concatenate([drawn(M, matches, rng), drawn(U, pairs - matches, rng)])


def usual():
    return [em.usual(len(each)) for each in U]


def test_the_model_that_pairs_were_drawn_from_is_found():
    found = em.fit(Patterns.of(simulated()), U, usual(), PAIRS)
    assert found.share == pytest.approx(SHARE, rel=0.05)
    for m, true in zip(found.m, M, strict=True):
        # The usual m counts as 300 pairs beside 4,000 matches.
        assert np.abs(m - true).max() < 0.04


@given(st.integers(0, 2**32), st.integers(50, 2000), st.floats(0.0, 0.5), st.floats(1.0, 1000.0))
def test_the_posterior_never_falls(seed, pairs, share, prior):
    found = em.fit(Patterns.of(simulated(seed, pairs, share)), U, usual(), 10 * pairs, prior)
    rounds = np.array(found.posterior)
    assert (np.diff(rounds) >= -1e-7 * np.abs(rounds[:-1])).all()


def test_a_share_of_the_pairs_tells_the_same():
    levels = simulated()
    kept = np.random.default_rng(2).random(len(levels)) < 0.2
    of_all = em.fit(Patterns.of(levels), U, usual(), PAIRS)
    of_some = em.fit(Patterns.of(levels[kept], 0.2), U, usual(), PAIRS)
    assert of_some.share == pytest.approx(of_all.share, rel=0.1)
    for some, every in zip(of_some.m, of_all.m, strict=True):
        assert np.abs(some - every).max() < 0.05


def test_pairs_that_were_likelier_to_be_taken_count_less():
    levels = simulated()
    inclusion = np.where(np.arange(len(levels)) < PAIRS * SHARE, 0.8, 0.1)
    kept = np.random.default_rng(3).random(len(levels)) < inclusion
    found = em.fit(Patterns.of(levels[kept], inclusion[kept]), U, usual(), PAIRS)
    assert found.share == pytest.approx(SHARE, rel=0.1)


def test_strangers_that_are_no_candidates_change_nothing():
    levels = simulated()
    of_all = em.fit(Patterns.of(levels), U, usual(), PAIRS)
    near = of_all.log_odds(levels) > -12
    found = em.fit(Patterns.of(levels[near]), U, usual(), PAIRS)
    assert found.share == pytest.approx(of_all.share, rel=0.01)


@given(st.lists(st.tuples(st.floats(0.001, 1), st.floats(0.001, 1)), min_size=1, max_size=7))
def test_better_levels_never_weigh_less(levels):
    m, u = (np.array(each) / sum(each) for each in zip(*levels, strict=True))
    found = em.monotone(m, u)
    assert found.sum() == pytest.approx(1)
    assert (np.diff(found / u) >= -1e-9).all()
    # No other distribution with such an order is likelier; the one without any evidence is one of them.
    assert (m * np.log(found)).sum() >= (m * np.log(u / u.sum())).sum() - 1e-9


def test_patterns_count_every_pair_once():
    levels = np.random.default_rng(4).integers(0, 7, (3000, 40)).astype(np.int8)
    levels[1000:2000] = levels[:1000]
    found = Patterns.of(levels)
    plain, counts = np.unique(levels, axis=0, return_counts=True)
    assert sorted(map(tuple, found.levels.tolist())) == sorted(map(tuple, plain.tolist()))
    assert sorted(found.counts.tolist()) == sorted(counts.tolist())
    assert (found.levels[found.place] == levels).all()


def test_of_competing_pairs_the_best_takes_the_record():
    odds = np.exp(np.array([6.0, 2.0, 4.0]))
    found = em.compete(odds, (np.array([0, 0, 1]), np.array([2, 3, 4])))
    assert found[0] > 0.95
    assert found[1] < 0.02
    assert found[2] == pytest.approx(1 / (1 + np.exp(-4.0)))


def test_lookalikes_are_found_where_there_are_some_and_only_there():
    rng = np.random.default_rng(5)
    household = [M[0], M[1], U[2], U[3], U[0]]
    m, u = [*M, M[0]], [*U, U[0]]
    strangers, matches = drawn(u, 200_000, rng), drawn(m, 2000, rng)
    alike = drawn([M[0], M[1], *household[2:]], 3000, rng)
    start = [em.usual(len(each)) for each in u]
    for levels, there in (
        (np.concatenate([strangers, matches, alike]), True),
        (np.concatenate([strangers, matches]), False),
    ):
        patterns = Patterns.of(levels)
        found = lookalikes.find(patterns, em.fit(patterns, u, start, len(levels)), len(levels))
        assert (found is not None and found[1].share > 0.003) == there


def test_scores_add_up_field_by_field():
    tables = [np.array([0.0, -1.5, 2.25]), np.array([0.5, 1.0])]
    assert scores(np.array([[1, 0], [2, 1], [0, 1]], np.int8), tables).tolist() == [-1.0, 3.25, 1.0]
