import math
from fractions import Fraction

import numpy as np
import plain
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pehchan.distance.aggregation import WeightedDistance
from pehchan.metadata.schema import Curve, Field

STRATEGIES = {"manhattan": "manhattan", "euclidean": "euclidean", "minkwoski": "minkowski"}

parts = st.floats(0, 1)
aggregations = st.sampled_from(
    [("manhattan", 1.0), ("euclidean", 1.0), ("minkowski", 3.0), ("minkowski", 0.5)]
)
curves = st.builds(
    Curve,
    st.sampled_from(["none", "nonLinear", "sigmoid", "step", "ramp"]),
    st.floats(0.1, 10),
    parts,
)


def score(fields, distances, missing=None, **settings):
    """The score of one pair, from its distances a field."""
    found = WeightedDistance(tuple(fields), **settings).score(
        [],
        [],
        [np.array([d]) for d in distances],
        [np.array([absent]) for absent in missing or [False] * len(distances)],
    )
    return float(found[0])


def of_fields(count, **settings):
    return [Field(f"f{k}", k, "exact", **settings) for k in range(count)]


def test_every_row_of_java_is_met(java_table):
    rows = java_table("effective")
    assert len(rows) == 200
    wrong = []
    for strategy, power, scale, function, w, t, distances, expected in rows:
        distances = [float(d) for d in distances.split(";")]
        found = score(
            of_fields(len(distances), curve=Curve(function, float(w), float(t))),
            distances,
            aggregation=STRATEGIES[strategy],
            power=float(power),
            scale=int(scale),
        )
        field = {"curve": function, "weight": float(w), "functionThreshold": float(t), "share": 1}
        field |= {"implodeThreshold": -0.1, "explodeThreshold": 1.1}
        oracle = plain.aggregate(
            [(plain.effective(d, field), field) for d in distances],
            {"distAlgorithm": strategy, "minkowskiParam": float(power)},
            {"sts.distance.scale": scale},
        )
        if not found == oracle == int(expected):
            wrong.append((strategy, function, distances, expected, found, oracle))
    assert wrong == []


@given(st.lists(st.tuples(parts, parts), min_size=1, max_size=6), aggregations)
def test_no_distance_of_records_shrinks_when_one_of_a_field_grows(pairs, aggregation):
    near, far = [min(pair) for pair in pairs], [max(pair) for pair in pairs]
    fields, (name, power) = of_fields(len(pairs)), aggregation
    settings = {"aggregation": name, "power": power, "scale": 10**6}
    assert score(fields, near, **settings) <= score(fields, far, **settings)


@given(st.lists(parts, min_size=1, max_size=6), st.sampled_from([0.5, 2.0, 8.0]))
def test_equal_weights_are_as_none_in_the_mean(distances, weight):
    plainly = score(of_fields(len(distances)), distances)
    assert score(of_fields(len(distances), weight=weight), distances) == plainly


def test_a_weight_is_a_share_of_the_mean():
    fields = [Field("a", 0, "exact", weight=3), Field("b", 1, "exact")]
    assert score(fields, [1.0, 0.0]) == 750
    assert score(fields, [0.0, 1.0]) == 250
    assert score(fields, [1.0, 0.0], aggregation="euclidean") == math.trunc(1000 * math.sqrt(3) / 4)
    assert score(fields, [0.5, 0.25], aggregation="minkowski", power=3.0) == math.trunc(
        1000 * (3 / 8 + 1 / 64) ** (1 / 3) / 4
    )


@given(st.integers(1, 64), st.integers(0, 64))
def test_fields_equally_far_are_d_by_the_root_of_their_number_under_euclidean(count, numerator):
    exact = Fraction(numerator, 64) * 1000
    found = score(of_fields(count), [numerator / 64] * count, aggregation="euclidean")
    # Truncated: found <= 1000 d / sqrt(n) < found + 1, squared so that nothing is rounded.
    assert found**2 * count <= exact**2 < (found + 1) ** 2 * count


def test_two_records_that_differ_in_all_four_fields_are_half_the_scale_apart_under_euclidean():
    assert score(of_fields(4), [1.0] * 4, aggregation="euclidean") == 500
    assert score(of_fields(4), [1.0] * 4, aggregation="manhattan") == 1000


def test_distances_are_truncated_and_not_rounded():
    assert score(of_fields(3), [1.0, 1.0, 0.0]) == 666
    assert score(of_fields(1), [0.9999999]) == 999


@pytest.mark.parametrize(("power", "d"), [(2.5, 0.175), (2.5, 0.375), (10.0, 0.48)])
def test_the_last_bit_of_a_power_is_that_of_math(power, d):
    """numpy's own is off by it on processors with AVX-512, and the score then by one."""
    assert score(of_fields(1), [d], aggregation="minkowski", power=power) == 1000 * d


@given(st.lists(parts, min_size=1, max_size=6), aggregations)
def test_an_id_that_counts_is_one_more_field_of_distance_0(distances, aggregation):
    name, power = aggregation
    settings = {"aggregation": name, "power": power}
    counted = score(of_fields(len(distances)), distances, id_counted=True, **settings)
    assert counted == score(of_fields(len(distances) + 1), [*distances, 0.0], **settings)


def test_an_id_that_counts_is_the_only_field_where_all_others_are_skipped():
    assert score(of_fields(2), [0.0, 0.0], [True, True], id_counted=True) == 0


def edges(distances, implode=0.2, explode=0.8):
    return score(of_fields(len(distances), implode=implode, explode=explode), distances)


def test_a_far_field_alone_explodes_and_a_close_one_alone_implodes():
    assert edges([0.5, 0.5]) == 500
    assert edges([0.5, 0.9]) == 1000
    assert edges([0.5, 0.1]) == 0
    # With both the mean holds.
    assert edges([0.1, 0.9]) == 500
    assert edges([0.1, 0.9, 0.9]) == 633


def test_at_their_thresholds_fields_neither_implode_nor_explode():
    assert edges([0.2, 0.2]) == 200
    assert edges([0.8, 0.8]) == 800


def test_by_default_only_a_distance_above_11_tenths_explodes():
    assert edges([1.1, 0.0], -0.1, 1.1) == 550
    assert edges([1.2, 0.0], -0.1, 1.1) == 1000


def test_the_effective_distance_implodes_and_not_the_raw_one():
    step = Field("a", 0, "exact", curve=Curve("step", 1.0, 0.5), implode=0.2, explode=2.0)
    assert score([step, *of_fields(1)], [0.4, 1.0]) == 0
    assert score([step, *of_fields(1)], [0.6, 0.0]) == 500


def test_a_field_that_does_not_count_neither_adds_nor_implodes_nor_explodes():
    fields = of_fields(3, implode=0.2, explode=0.8)
    for d in (0.0, 0.5, 1.0):
        assert score(fields, [0.5, d, 0.25], [False, True, False]) == 375


@given(st.integers(1, 5), aggregations, st.integers(1, 10_000))
def test_records_without_a_field_that_counts_are_the_scale_apart(count, aggregation, scale):
    name, power = aggregation
    settings = {"aggregation": name, "power": power, "scale": scale}
    absent = [True] * count
    assert score(of_fields(count), [0.0] * count, absent, **settings) == scale
    assert score(of_fields(count), [0.0] * count, absent, **settings, compat=True) == 0


@given(
    st.lists(st.tuples(curves, parts, st.booleans(), st.floats(0.01, 100)), min_size=1, max_size=6),
    aggregations,
    st.booleans(),
)
def test_by_default_every_score_is_a_whole_number_from_0(fields, aggregation, id_counted):
    name, power = aggregation
    found = score(
        [Field(f"f{k}", k, "exact", curve=curve, weight=w) for k, (curve, _, _, w) in enumerate(fields)],
        [d for _, d, _, _ in fields],
        [absent for _, _, absent, _ in fields],
        aggregation=name,
        power=power,
        id_counted=id_counted,
    )
    assert found >= 0
    assert found == math.trunc(found)


def test_what_java_cannot_count_is_0_with_compat_and_the_scale_by_default():
    assert score(of_fields(2), [math.nan, 1.0]) == 1000
    assert score(of_fields(2), [math.nan, 1.0], compat=True) == 0
    assert score(of_fields(2), [math.inf, 1.0], compat=True) == 1000
    endless = of_fields(2, explode=math.inf)
    assert score(endless, [math.inf, 1.0], compat=True) == 2**31 - 1


def test_negative_distances_count_by_their_size_and_a_power_of_0_is_endless():
    assert score(of_fields(2), [-0.5, 0.25], compat=True) == 375
    assert score(of_fields(2), [0.5, 0.25], aggregation="minkowski", power=0.0, compat=True) == 2**31 - 1


@given(st.lists(st.lists(parts, min_size=3, max_size=3), min_size=1, max_size=5), aggregations)
def test_pairs_do_not_disturb_each_other(pairs, aggregation):
    name, power = aggregation
    fields = [
        Field("a", 0, "exact", curve=Curve("ramp", 1.0, 0.5), explode=0.9),
        Field("b", 1, "exact", weight=2.0),
        Field("c", 2, "exact", implode=0.1),
    ]
    score_of = WeightedDistance(tuple(fields), name, power)
    absent = [[d < 0.25 for d in pair] for pair in pairs]
    together = score_of.score([], [], list(np.array(pairs).T), list(np.array(absent).T))
    alone = [
        score(fields, pair, gone, aggregation=name, power=power)
        for pair, gone in zip(pairs, absent, strict=True)
    ]
    assert together.tolist() == alone


@pytest.mark.parametrize("w", [0.5, 1.0, 3.0])
@given(st.floats(0, 1))
def test_a_bent_distance_keeps_its_ends(w, d):
    bent = score([Field("a", 0, "exact", curve=Curve("nonLinear", w))], [d], scale=10**6)
    straight = score(of_fields(1), [d], scale=10**6)
    assume(w != 0.5 or d <= 1)
    if d in (0, 1) or w == 1:
        assert bent == straight
    else:
        assert bent <= straight if w > 1 else bent >= straight
