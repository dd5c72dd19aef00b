"""How many pairs are near each other, told from some records: against brute force, and against many draws."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pehchan.distance import registry
from pehchan.distance.near_pairs import NearPairs, variance

MEASURES = [("edit", {"tokens": False}), ("number", {"max": 20.0}), ("time-window", {"max_minutes": 90})]


def some_values(chance, name):
    if name == "number":
        return [str(number) for number in chance.sample(range(30), 8)]
    if name == "time-window":
        # Those of less than 90 minutes are not near themselves.
        hours = [(chance.randrange(9), chance.randrange(1, 4)) for _ in range(8)]
        return sorted({f"2024-02-29 0{a}:00:00::2024-02-29 {a + b:02}:00:00" for a, b in hours})
    return sorted({"".join(chance.choices("ab", k=chance.randint(1, 6))) for _ in range(8)})


@settings(max_examples=200)
@given(st.randoms(use_true_random=True), st.sampled_from(MEASURES), st.booleans(), st.booleans())
def test_shares_and_degrees_are_those_of_each_with_each(chance, by, two_sides, by_index):
    measure = registry.build(*by, compat=False)
    values = some_values(chance, by[0])
    prepared, count = measure.prepare(values), len(values)
    # The last number is that of a missing value.
    sides = [
        np.array([chance.randrange(count + 1) for _ in range(chance.randint(2, 9))], dtype=np.int64)
        for _ in range(1 + two_sides)
    ]
    most, limit = sorted([chance.choice([0.0, 0.3, 0.5, 0.9]), chance.choice([0.2, 0.6, 0.95])])[::-1]
    if by_index:
        near = NearPairs.by_index(measure, prepared, count, sides, most)
    else:
        near = NearPairs.by_matrix(prepared, count, sides, most)

    def is_near(a, b):
        return a < count and b < count and measure.distance(values[a], values[b]) <= limit

    first, last = sides[0].tolist(), sides[-1].tolist()
    met = np.array(
        [[is_near(a, b) and (two_sides or i != j) for j, b in enumerate(last)] for i, a in enumerate(first)]
    )
    every = len(first) * (len(last) - (not two_sides))
    assert near.share(limit) == pytest.approx(met.sum() / every)
    degrees = near.degrees(limit)
    assert degrees[0].tolist() == met.sum(axis=1).tolist()
    if two_sides:
        assert degrees[1].tolist() == met.sum(axis=0).tolist()


def a_crowd(chance, kind):
    """Groups of records in which all are near each other: pairs, households, or one value that very many have."""
    sizes = {
        "pairs": [2] * 1000 + [1] * 2000,
        "households": [chance.choice([1, 2, 3, 5, 8]) for _ in range(1100)],
        "a common value": [120] + [1] * 2000 + [2] * 800,
    }[kind]
    return np.array([group for group, size in enumerate(sizes) for _ in range(size)])


@pytest.mark.parametrize("two_sides", [False, True])
@pytest.mark.parametrize("drawn", [0.1, 0.6])
@pytest.mark.parametrize("kind", ["pairs", "households", "a common value"])
def test_the_variance_is_that_of_many_draws(kind, drawn, two_sides):
    chance = Random(3)
    group_of = a_crowd(chance, kind)
    draw = np.random.default_rng(7)
    draw.shuffle(group_of)
    sides = [group_of[::2], group_of[1::2]] if two_sides else [group_of]
    found, told = [], []
    for _ in range(400):
        some = [draw.choice(side, round(len(side) * drawn), replace=False) for side in sides]
        counts = [np.bincount(each, minlength=group_of.max() + 1) for each in some]
        if two_sides:
            degrees = [counts[1][some[0]], counts[0][some[1]]]
        else:
            degrees = [counts[0][some[0]] - 1]
        degrees = [each.astype(np.float64) for each in degrees]
        found.append(degrees[0].sum() / (1 if two_sides else 2))
        told.append(variance(degrees, [len(side) for side in sides]))
    assert np.sqrt(np.mean(told)) == pytest.approx(np.std(found), rel=0.15)


def test_of_all_records_nothing_is_left_to_chance():
    assert variance([np.array([1.0, 1.0, 0.0])], [3]) == 0
    assert variance([np.array([1.0, 1.0, 0.0])], [3000]) > 0
