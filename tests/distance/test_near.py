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


#: Of these measures prefixes are an index.
BY_PREFIXES = [
    ("jaccard", {}),
    ("jaccard", {"a_weight": 0.3, "b_weight": 0.3}),
    ("jaccard", {"a_weight": 2.6, "b_weight": 2.6}),
    ("dice", {}),
    ("cosine", {}),
    ("char-pair", {}),
]


@settings(max_examples=500)
@given(by_chance, st.sampled_from(BY_PREFIXES))
def test_values_share_a_part_of_their_prefixes_up_to_any_limit(chance, by):
    measure = registry.build(*by, compat=False)
    words = chance.choice([["ab", "b", "é😀", "cab", "x"], [f"w{number}" for number in range(25)]])
    values = ["a", "b", "aa", "a a a", "b b a", " ", "  ", "\u00a0", "😀", "😀😁", "ab ab ab"]
    for _ in range(30):
        value = chance.choice(values).split() if chance.random() < 0.6 else []
        # Few words that many values have, and others that few have; some words again, and in another order.
        value += [words[int(len(words) * chance.random() ** 2)] for _ in range(chance.randint(not value, 9))]
        chance.shuffle(value)
        values.append(" ".join(value[: chance.randint(1, 14)]))
    values = list(dict.fromkeys(values))
    apart = measure.distance(chance.choice(values), chance.choice(values))
    fraction = chance.randint(0, 12) / chance.randint(12, 20)
    limit = min(0.999, max(0.0, chance.choice([apart, np.nextafter(apart, 0), fraction, 1 - fraction])))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "AT_ONCE", chance.choice([1, 7, 1_000_000]))
        found, within = near_of(measure, values, limit)
    note(f"{limit} {[(values[a], values[b]) for a, b in within - found]}")
    assert within <= found


@pytest.mark.parametrize("by", BY_PREFIXES)
def test_a_limit_may_be_any_distance_of_two_sizes(by):
    measure = registry.build(*by, compat=False)
    # One bigram each: what both values share, and what only the one has, or the other.
    shared, first, second = ([2 * chr(start + each) for each in range(9)] for start in (0x61, 0x411, 0x3B1))
    for size in range(1, 10):
        for other in range(1, size + 1):
            for common in range(1, other + 1):
                a = [*first[: size - common], *shared[:common]]
                b = [*second[: other - common], *shared[:common]]
                # What they share others have too, so that it comes behind all the rest.
                values = list(dict.fromkeys([" ".join(a), " ".join(b), *shared[:common]]))
                apart = measure.distance(" ".join(a), " ".join(b))
                found, within = near_of(measure, values, apart)
                assert within <= found
                assert a == b or (0, 1) in within


def test_of_words_in_proportion_the_last_bit_counts():
    # What they share is in proportion, so that it is all that it can be.
    measure = measure_of("cosine")
    for rare in range(1, 8):
        for common in range(1, 6):
            for times in range(1, 6):
                values = [
                    " ".join(["rare"] * rare + ["common"] * common),
                    " ".join(["common"] * common * times),
                    "common",
                    "common other",
                ]
                values = list(dict.fromkeys(values))
                found, within = near_of(measure, values, measure.distance(values[0], values[1]))
                assert (0, 1) in within
                assert within <= found


@pytest.mark.parametrize("by", BY_PREFIXES)
def test_values_of_ten_thousand_letters_share_a_part(by):
    from random import Random

    chance = Random(6)
    measure = registry.build(*by, compat=False)
    words = ["".join(chance.choices("abcdé😀", k=chance.randint(1, 6))) for _ in range(2000)]
    long = (" ".join(words) * 2)[:10_000]
    values = [long, long[:-1], long[1:], " ".join(reversed(long.split())), long[:5000], "a", "é😀", "ab cd"]
    for limit in (0.0, 0.001, 0.1, 0.5, 0.9):
        found, within = near_of(measure, values, limit)
        assert within
        assert within <= found


@pytest.mark.parametrize("by", BY_PREFIXES)
def test_few_values_meet_that_share_only_what_most_have(by):
    values = [f"the of q{number:04} q{number:04} q{number:04} r{number:04}" for number in range(0, 10_000, 4)]
    found, within = near_of(registry.build(*by, compat=False), values, 0.2)
    assert len(found - within) < 3 * len(values)


def test_values_of_too_different_sizes_do_not_meet():
    common = [f"c{number}" for number in range(40)]
    # Of those that share their rarest word none have as many words as another.
    values = [" ".join([f"k{key}", *common[:size]]) for key in range(60) for size in range(1, 40)]
    assert measure_of("jaccard").prepare(values).near(0.02).each_two == 0
    assert measure_of("jaccard").prepare(values).near(0.1).each_two > 0


def test_values_do_not_meet_by_a_part_behind_which_too_little_is_left():
    common = [f"c{number}" for number in range(9)]
    # All of the first may be shared from s on, but of the second not enough.
    first, second = ["s", *common], ["i", "j", "k", "s", *common[2:]]
    values = [" ".join(words) for words in (first, second, *([f"{number}", *common] for number in range(5)))]
    found, within = near_of(measure_of("jaccard"), values, 0.3)
    assert (0, 1) not in found
    assert within <= found


@pytest.mark.parametrize("parameters", [{"a_weight": 2.0, "b_weight": 0.5}, {"a_weight": 0.0}])
def test_without_a_bound_all_values_are_compared(parameters):
    measure = registry.build("jaccard", parameters, compat=False)
    prepared = measure.prepare(["a b c", "a", "a b"])
    assert isinstance(prepared.near(0.1), near.Exhaustive)
    assert isinstance(registry.build("cosine", {}, compat=True).prepare(["a"]).near(0.1), near.Exhaustive)


@pytest.mark.parametrize(
    "kind", ["words", "whole", "levenshtein", "damerau", "exact", "integer", "date", "colours"]
)
def test_these_know_which_are_near_without_comparing_all(kind):
    values = KINDS[kind][3] or ["night", "nacht", "light"]
    measure = measure_of(kind)
    prepared = measure.prepare([value for value in values if measure.fault(value) is None])
    assert isinstance(prepared, HasNear)


def test_values_of_the_same_words_are_near_whatever_parts_these():
    values = ["ab cd", "ab\tcd", " ab  cd", "ab cd\n", "ab\x1ccd", "ab\u00a0cd", "ab ce"]
    found, within = near_of(registry.build("edit", {}, compat=False), values, 0.0)
    assert within == {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}
    assert within <= found


def test_deletions_find_few_that_are_far_apart():
    from random import Random

    chance = Random(3)
    values = list({near_copy(SCRIPTS[0], 12, chance) for _ in range(3000)})
    found, within = near_of(measure_of("whole"), values, 0.1)
    assert within
    assert len(found) <= 1.01 * len(within)


@settings(max_examples=300)
@given(
    by_chance, st.sampled_from([1, 7, 100, 12_000, 50_000]), st.sampled_from([0.001, 0.01, 0.1, 1.0, 90.0])
)
def test_no_two_points_within_the_limit_are_missed(chance, max_km, spread):
    measure = registry.build("geo", {"max_km": max_km}, compat=False)
    middle = chance.choice([(0.0, 180.0), (90.0, 0.0), (-90.0, 7.0), (50.0, 5.0), (-33.0, -180.0)])
    values = []
    for _ in range(30):
        latitude, longitude = (degrees + chance.uniform(-spread, spread) for degrees in middle)
        values.append(f"{max(-90.0, min(90.0, latitude))}:{(longitude + 180) % 360 - 180}")
    # At a distance that there is, many are as far apart: it is in whole kilometres.
    limit = min(0.999, chance.choice([measure.distance(*chance.sample(values, 2)), chance.random()]))
    found, within = near_of(measure, values, limit)
    assert within <= found


def test_points_that_are_near_each_other_are_few():
    values = [f"{latitude / 10}:{longitude / 10}" for latitude in range(300, 400) for longitude in range(20)]
    found, within = near_of(registry.build("geo", {"max_km": 100}, compat=False), values, 0.1)
    assert within
    assert len(found) < len(values) ** 2 / 50


def test_a_window_of_numbers_that_are_equal_or_large():
    numbers = np.array([1e15, 1e15 + 1, 3.0, 3.0, -7.0, 0.1 + 0.2, 0.3])
    found = {
        pair for a, b in Window(numbers, 0.0).pairs() for pair in zip(a.tolist(), b.tolist(), strict=True)
    }
    assert (2, 3) in found
    assert (0, 4) not in found
