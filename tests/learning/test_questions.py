"""Which pairs people are asked about."""

import numpy as np

from pehchan.learning.questions import AT_A_TIME, changed, draws, enough, questions

RNG = np.random.default_rng(1)
LEVELS = RNG.integers(1, 5, (500, 4)).astype(np.int8)
LOG_ODDS = (LEVELS.sum(axis=1) - 10) * 2.0
DRAW = RNG.integers(0, 2**63, 500).astype(np.uint64)
NONE = np.zeros(500, bool)


def test_most_questions_are_about_pairs_that_are_unsure():
    asked = questions(LOG_ODDS, LEVELS, DRAW, NONE)
    assert len(asked) == len(set(asked.tolist())) == AT_A_TIME
    assert np.abs(LOG_ODDS[asked[:10]]).mean() < np.abs(LOG_ODDS).mean() / 2
    assert (LOG_ODDS[asked] > 2).any()


def test_few_questions_are_all_about_pairs_that_are_unsure():
    for number in (1, 3, 6):
        asked = questions(LOG_ODDS, LEVELS, DRAW, NONE, number=number)
        assert len(asked) == number
        assert np.abs(LOG_ODDS[asked]).max() <= 2
        contrast = np.where(np.arange(500) % 2 == 0, 3.0, -3.0)
        assert len(set(questions(LOG_ODDS, LEVELS, DRAW, NONE, contrast, number).tolist())) == number


def test_no_two_unsure_questions_have_one_pattern():
    asked = questions(LOG_ODDS, LEVELS, DRAW, NONE)[: AT_A_TIME - 5]
    assert len({tuple(each) for each in LEVELS[asked].tolist()}) == len(asked)


def test_what_was_asked_is_not_asked_again_until_nothing_is_left():
    asked, rounds = NONE.copy(), 0
    while len(found := questions(LOG_ODDS, LEVELS, DRAW, asked)):
        assert not asked[found].any()
        asked[found] = True
        rounds += 1
    assert asked.all()
    assert rounds == 500 // AT_A_TIME


def test_of_lookalikes_five_of_each_class_are_asked_about():
    contrast = np.where(np.arange(500) % 2 == 0, 3.0, -3.0)
    found = questions(LOG_ODDS, LEVELS, DRAW, NONE, contrast)
    assert (contrast[found] > 0).sum() >= 5
    assert (contrast[found] < 0).sum() >= 5
    assert len(found) == AT_A_TIME


def test_draws_do_not_depend_on_the_order_within_a_pair():
    hashes = RNG.integers(1, 2**63, 50).astype(np.uint64)
    i, j = np.triu_indices(50, 1)
    assert (draws(hashes, i, j) == draws(hashes, j, i)).all()
    assert len(np.unique(draws(hashes, i, j))) == len(i)
    assert (draws(hashes, i, j) != draws(hashes, i, j, 1)).any()


def test_asking_ends_when_little_changed_twice_running():
    before, after = np.array([True] * 100 + [False]), np.array([True] * 99 + [False, True])
    assert changed(before, after) == 2 / 101
    assert not enough([0.0])
    assert enough([0.5, 0.02, 0.0])
    assert not enough([0.0, 0.02, 0.03])
