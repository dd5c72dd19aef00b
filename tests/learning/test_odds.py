"""Log odds as whole distances, and back."""

import math
from dataclasses import replace

import numpy as np
import pytest
from made_up_persons import persons, table_of

from pehchan.learning.in_memory import learn_of, pairs_of
from pehchan.learning.odds import CUTOFF, SCALE, log_odds_of, probability_of, steps_of
from pehchan.learning.profile import Profile


@pytest.fixture(scope="module")
def scored():
    """A model, a table, and rows of its candidate pairs."""
    columns, _ = persons(200, 60, seed=2)
    table = table_of(columns)
    model, *_ = learn_of(Profile.of([f"c{k}" for k in range(5)], columns, [0] * 260), table)
    return model, table, *pairs_of(table, model.keys)


@pytest.mark.parametrize(
    ("clean", "most", "threshold"), [((), 12.0, 1.5), ((0, 1), 24.0, -12.0), ((1,), 24.0, 12.0)]
)
def test_distances_are_log_odds_in_steps_and_clipped(scored, clean, most, threshold):
    model, table, i, j = scored
    model = replace(model, clean=clean, threshold=threshold)
    distances = model.distances(table, i, j)
    above = model.log_odds(table, i, j) - threshold
    assert (np.abs(above) > most).any()
    assert (np.abs(above) < most).any()
    back = np.array([log_odds_of(int(distance), steps_of(bool(clean))) for distance in distances])
    assert np.abs(back - np.clip(above, -most, most)).max() <= most / CUTOFF + 1e-9
    assert ((distances <= CUTOFF) == (above >= 0)).all()
    assert 0 <= distances.min() < CUTOFF < distances.max() <= SCALE


def test_a_pair_just_under_the_threshold_is_not_at_the_cutoff(scored):
    model, table, i, j = scored
    for log_odds in model.log_odds(table, i, j)[:20].tolist():
        under = replace(model, threshold=log_odds + 0.001).distances(table, i, j)
        at = replace(model, threshold=log_odds).distances(table, i, j)
        assert (under <= CUTOFF).sum() < (at <= CUTOFF).sum()


def test_very_likely_links_are_told_apart(scored):
    model, table, i, j = scored
    log_odds = model.log_odds(table, i, j)
    likely = (log_odds > 13) & (log_odds < 23)
    linked = replace(model, clean=(0, 1)).distances(table, i[likely], j[likely])
    order = np.argsort(-log_odds[likely])
    assert len(set(linked.tolist())) > len(set(model.distances(table, i[likely], j[likely]).tolist())) == 1
    assert (np.diff(linked[order]) >= 0).all()


@pytest.mark.parametrize(("distance", "probability"), [(CUTOFF, 0.5), (CUTOFF - 100, 1 / (1 + math.exp(-1)))])
def test_probabilities_take_the_threshold_for_even(distance, probability):
    assert probability_of(distance, 100) == pytest.approx(probability)
