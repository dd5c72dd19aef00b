"""Near values: whatever finds them, none within the limit is missing."""

import numpy as np
import pytest
from comparisons import KINDS, some_texts
from hypothesis import given, note, settings
from hypothesis import strategies as st
from texts import SCRIPTS, near_copy

from pehchan.distance import deletions, near, registry
from pehchan.distance.near import HasNear, Window, near_values

by_chance = st.randoms(use_true_random=True)

LIMITS = [0.0, 0.05, 0.1, 0.2, 0.25, 1 / 3, 0.4, 0.5, 0.6, 2 / 3, 0.8, 0.9, 0.999]


def measure_of(kind):
    _, name, parameters, _ = KINDS[kind]
    return registry.build(name, parameters, compat=False)


def near_of(measure, values, limit):
    """The pairs that are found, as positions, and those that are within the limit."""
    prepared = measure.prepare(values)
    found = set()
    for a, b in near_values(prepared, len(values), measure.cost, limit).pairs():
        assert (a < b).all()
        found.update(zip(a.tolist(), b.tolist(), strict=True))
    everything = np.arange(len(values))
    apart = prepared.matrix(everything, everything, limit)
    i, j = np.nonzero(np.triu(apart <= limit, 1))
    return found, set(zip(i.tolist(), j.tolist(), strict=True))


def some_values(chance, kind):
    """Different values of a field, many of them nearly alike."""
    measure, known = measure_of(kind), KINDS[kind][3]
    values = list(known or some_texts(chance))
    if known is None:
        letters = chance.choice(["ab", "abcdef", "aé😀\u0301"])
        for _ in range(40):
            if values and chance.random() < 0.5:
                values.append(near_copy(letters, len(chance.choice(values)), chance))
            else:
                lengths = [chance.randint(1, chance.choice([2, 4, 8])) for _ in range(chance.randint(1, 3))]
                values.append(" ".join("".join(chance.choices(letters, k=length)) for length in lengths))
    return [value for value in dict.fromkeys(values) if value and measure.fault(value) is None]


@settings(max_examples=400)
@given(by_chance, st.sampled_from([kind for kind in KINDS if kind != "lopsided"]), st.sampled_from(LIMITS))
def test_no_two_values_within_the_limit_are_missed(chance, kind, limit):
    values = some_values(chance, kind)
    measure = measure_of(kind)
    if chance.random() < 0.5:
        # At a distance that there is the last bit counts.
        limit = min(0.999, measure.distance(chance.choice(values), chance.choice(values)))
    with pytest.MonkeyPatch.context() as patch:
        # Values with more ways are compared with all, and many are made, met and compared in several parts.
        patch.setattr(deletions, "FEW_WAYS", chance.choice([3, 200]))
        patch.setattr(deletions, "AT_ONCE", chance.choice([2, 64, 1 << 18]))
        patch.setattr(deletions, "VALUES_AT_ONCE", chance.choice([1, 2048]))
        patch.setattr(deletions, "PAIRS_AT_ONCE", chance.choice([1, 20_000_000]))
        patch.setattr(near, "AT_ONCE", chance.choice([1, 7, 1_000_000]))
        found, within = near_of(measure, values, limit)
    note(f"{limit} {[(values[a], values[b]) for a, b in within - found]}")
    assert within <= found


@pytest.mark.parametrize(
    "kind", ["words", "whole", "levenshtein", "damerau", "exact", "integer", "date", "colours"]
)
def test_these_know_which_are_near_without_comparing_all(kind):
    values = KINDS[kind][3] or ["night", "nacht", "light"]
    measure = measure_of(kind)
    prepared = measure.prepare([value for value in values if measure.fault(value) is None])
    assert isinstance(prepared, HasNear)


def test_deletions_find_few_that_are_far_apart():
    from random import Random

    chance = Random(3)
    values = list({near_copy(SCRIPTS[0], 12, chance) for _ in range(3000)})
    found, within = near_of(measure_of("whole"), values, 0.1)
    assert within
    assert len(found) <= 1.01 * len(within)


def test_a_window_of_numbers_that_are_equal_or_large():
    numbers = np.array([1e15, 1e15 + 1, 3.0, 3.0, -7.0, 0.1 + 0.2, 0.3])
    found = {
        pair for a, b in Window(numbers, 0.0).pairs() for pair in zip(a.tolist(), b.tolist(), strict=True)
    }
    assert (2, 3) in found
    assert (0, 4) not in found
