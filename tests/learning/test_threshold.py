"""Where links begin, on two sets of which the truth is known."""

import numpy as np
import pytest

from pehchan.learning.threshold import best_of_each, link_threshold, one_to_one


def two_sources(seed, size, matching, apart):
    """Scores of all cross pairs near enough, of pairs within the first set, and which cross pairs match."""
    rng = np.random.default_rng(seed)
    cross = rng.normal(-apart, 2.0, (size, size))
    own = rng.normal(-apart, 2.0, (size, size))
    cross[np.arange(matching), np.arange(matching)] = rng.normal(apart, 2.5, matching)
    return cross, own


def short_of_the_best(threshold, scores, right, matching):
    """How much F1 of links it takes from what the best threshold for this truth would give."""

    def f1(least):
        taken = scores >= least
        return 2 * (right & taken).sum() / (taken.sum() + matching)

    return max(f1(each) for each in scores) - f1(threshold)


def short_of_oracle(seed, size, matching, apart):
    """How much F1 the threshold loses against the one that is best by the truth."""
    cross, own = two_sources(seed, size, matching, apart)
    first, second = np.nonzero(cross > 2.5 - apart)
    cross = cross[first, second]
    links = one_to_one(first, second, cross)
    scores = cross[links]
    right = (first[links] == second[links]) & (first[links] < matching)
    i, j = np.triu_indices(size, 1)
    scored = np.tile(own[i, j], 2)
    _, best = best_of_each(np.concatenate([i, j]), scored)
    threshold, _ = link_threshold(scores, scored[best], (size, size))
    return short_of_the_best(threshold, scores, right, matching)


@pytest.mark.parametrize("apart", [4.0, 5.0, 6.0])
@pytest.mark.parametrize("matching", [300, 570])
def test_links_are_nearly_as_good_as_with_the_threshold_of_the_truth(apart, matching):
    assert np.median([short_of_oracle(seed, 600, matching, apart) for seed in range(3)]) < 0.02


def short_of_oracle_where_partners_are_shared(seed, size, partners, matching, apart):
    """The same, where each record of the first set has at most one partner, and partners may be shared."""
    rng = np.random.default_rng(seed)
    cross = rng.normal(-apart, 2.0, (size, partners))
    right = np.arange(matching) % partners
    cross[np.arange(matching), right] = rng.normal(apart, 2.5, matching)
    own = rng.normal(-apart, 2.0, (partners, partners))
    own[np.diag_indices(partners)] = -np.inf
    scores, linked = cross.max(axis=1), cross.argmax(axis=1)
    is_right = np.concatenate([linked[:matching] == right, np.zeros(size - matching, dtype=bool)])
    strangers = np.maximum(own, own.T).max(axis=1)
    threshold, _ = link_threshold(scores, strangers, (size, partners), shared=True)
    return short_of_the_best(threshold, scores, is_right, matching)


@pytest.mark.parametrize("apart", [4.0, 5.0, 6.0])
@pytest.mark.parametrize("matching", [300, 900])
def test_so_are_links_of_partners_that_are_shared(apart, matching):
    short = [short_of_oracle_where_partners_are_shared(seed, 1000, 400, matching, apart) for seed in range(3)]
    assert np.median(short) < 0.04


def test_where_strangers_are_as_near_as_links_hardly_any_is_taken():
    # Each record is linked with something, as each would be if there was no match at all.
    def taken(seed):
        rng = np.random.default_rng(seed)
        scores, strangers = rng.normal(0.0, 1.0, (2, 500))
        threshold, _ = link_threshold(scores, strangers, (500, 500), shared=True)
        return (scores >= threshold).sum()

    assert np.median([taken(seed) for seed in range(20)]) <= 5


def test_without_links_there_is_no_threshold():
    assert link_threshold(np.zeros(0), np.zeros(0), (5, 5)) is None


def test_without_strangers_all_links_are_taken():
    assert link_threshold(np.array([3.0, -1.0]), np.zeros(0), (2, 2)) == (-1.0, 1.0)


def test_links_are_one_to_one_and_the_best_first():
    first, second = np.array([0, 0, 1, 1]), np.array([5, 6, 5, 6])
    assert sorted(one_to_one(first, second, np.array([3.0, 2.0, 2.5, -4.0])).tolist()) == [0, 3]
    assert one_to_one(first, second, np.array([3.0, 2.0, 2.5, -4.0]), 0.0).tolist() == [0]
