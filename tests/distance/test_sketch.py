"""Sketches: what values are made of bounds their distance, and no pair that is close is cut."""

from collections import Counter
from random import Random

import numpy as np
import pytest
from comparisons import (
    KINDS,
    Compared,
    block_of,
    comparison_at_the_edge,
    comparison_of,
    pairs_within,
    some_comparison,
    some_texts,
)
from hypothesis import given, note, settings
from hypothesis import strategies as st

from pehchan.distance import cascade, registry, sketch
from pehchan.distance.sketch import HasFeatures, field_sketches

by_chance = st.randoms(use_true_random=True)

#: The kinds of fields whose distance is bounded by what their values are made of.
MADE_OF_FEATURES = ["words", "whole", "levenshtein", "damerau", "char-pair", "jaccard", "dice", "exact"]


def measure_of(kind, **more):
    _, name, parameters, _ = KINDS[kind]
    return registry.build(name, {**parameters, **more}, compat=False)


def features_of(prepared, count):
    """The features of each value, each as often as it has it."""
    bags = [Counter() for _ in range(count)]
    for value, feature in zip(*prepared.features(0, count), strict=True):
        bags[value][feature] += 1
    return bags


def unshared(a, b):
    return (a - b).total() + (b - a).total()


def test_these_measures_have_features_and_no_others():
    able = []
    for kind, (_, _, _, known) in KINDS.items():
        prepared = measure_of(kind).prepare(known[:1] if known else ["a b"])
        if isinstance(prepared, HasFeatures) and prepared.sizes() is not None:
            able.append(kind)
    assert sorted(able) == sorted(MADE_OF_FEATURES)


@settings(max_examples=300)
@given(by_chance, st.sampled_from([*MADE_OF_FEATURES, "weighted"]))
def test_values_are_as_far_apart_as_the_features_that_they_do_not_share(chance, kind):
    measure = measure_of("jaccard", a_weight=1.0, b_weight=3.0) if kind == "weighted" else measure_of(kind)
    values = list(dict.fromkeys(value for value in some_texts(chance) if value))
    prepared = measure.prepare(values)
    bags, sizes = features_of(prepared, len(values)), prepared.sizes()
    for number, bag in enumerate(bags):
        assert bag.total() <= sizes[number]
        assert all(0 <= feature < sketch.FEATURES for feature in bag)
    for a, first in enumerate(values):
        for b, second in enumerate(values):
            if sizes[a] + sizes[b]:
                bound = unshared(bags[a], bags[b]) / (sizes[a] + sizes[b])
                note(f"{first!r} {second!r}")
                assert measure.distance(first, second) >= bound - 1e-12
            else:
                assert not unshared(bags[a], bags[b])


@given(by_chance, st.sampled_from(MADE_OF_FEATURES), st.integers(1, 40))
def test_features_are_the_same_however_many_values_are_read_at_a_time(chance, kind, at_once):
    values = list(dict.fromkeys(value for value in some_texts(chance) if value))
    prepared = measure_of(kind).prepare(values)
    found = [Counter() for _ in values]
    for start in range(0, len(values), at_once):
        stop = min(start + at_once, len(values))
        for value, feature in zip(*prepared.features(start, stop), strict=True):
            assert start <= value < stop
            found[value][feature] += 1
    assert found == features_of(prepared, len(values))


@given(by_chance, st.sampled_from(MADE_OF_FEATURES), st.sampled_from([5, 60, 100_000]))
def test_no_more_bits_differ_than_features_and_those_that_are_shared_flip_the_same(chance, kind, at_once):
    values = list(dict.fromkeys(value for value in some_texts(chance) if value))
    field = Compared(kind)
    distance = comparison_of([field], [], []).by(100)
    column = distance.column(0, [*values, ""])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketch, "AT_ONCE", at_once)
        ((_, made),) = field_sketches({0: column}).items()
    bags = features_of(column.prepared, len(values))
    sizes = column.prepared.sizes()
    assert made.sizes.tolist() == [*(size if size <= at_once else np.inf for size in sizes), 0]
    bits = [int.from_bytes(made.bits[:, number].tobytes(), "little") for number in range(len(values) + 1)]
    assert bits[-1] == 0
    for a, first in enumerate(bags):
        if sizes[a] > at_once:
            assert bits[a] == 0
            continue
        for b, second in enumerate(bags):
            if sizes[b] <= at_once:
                differing = (bits[a] ^ bits[b]).bit_count()
                assert differing <= unshared(first, second)
                # Each feature flips one bit, so both counts are even, or neither is.
                assert differing % 2 == unshared(first, second) % 2


@pytest.fixture(scope="module")
def always():
    """Sketches of all blocks, whatever they cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cascade, "WORTH_A_LOOK", 1)
        patch.setattr(cascade, "PAIRS_A_SKETCH", 0)
        patch.setattr(cascade, "IN_SKETCH", -np.inf)
        yield


@settings(max_examples=500)
@given(by_chance, st.booleans())
def test_sketches_cut_no_pair_that_is_close(always, chance, edge):
    if edge:
        comparison = comparison_at_the_edge(chance, MADE_OF_FEATURES)
        cutoffs = [apart for apart in set(comparison.expected.values()) if apart < 1000]
    else:
        comparison = some_comparison(chance, compat=False, most=9)
        cutoffs = comparison.cutoffs(chance, 3)
    for cutoff in cutoffs:
        note(f"cutoff {cutoff}: {comparison}")
        found, _ = pairs_within(comparison.by(cutoff), comparison.records)
        assert found == comparison.within(cutoff)


def test_sketches_leave_few_of_the_pairs_that_are_far_apart():
    chance = Random(5)
    letters = "".join(chr(97 + k) * (26 - k) for k in range(26))
    records = [
        [str(number), *("".join(chance.choices(letters, k=length)) for length in (12, 25, 10))]
        for number in range(600)
    ]
    fields = [Compared("whole"), Compared("whole"), Compared("levenshtein")]
    comparison = comparison_of(fields, [record[1:] for record in records], list(range(600)))
    distance = comparison.by(100)
    block = block_of(distance, comparison.records)
    first = distance.steps(block)[0]
    assert first.sketch
    assert sorted(first.numbers) == [0, 1, 2]
    assert first.left < 0.001


def test_a_letter_that_comes_again_is_another_feature():
    distance = comparison_of([Compared("whole")], [], []).by(100)
    made = field_sketches({0: distance.column(0, ["ab", "aabb", "aaaabbbb"])})[0]
    counts = np.bitwise_count(made.bits).sum(axis=0).tolist()
    # Two features may flip the same bit.
    assert counts[:2] == [2, 4]
    assert 6 <= counts[2] <= 8
