from collections import Counter
from itertools import combinations, product
from random import Random

import plain
import pytest
from comparisons import (
    CROWDED,
    KINDS,
    Compared,
    block_of,
    comparison_of,
    crowd,
    pairs_of,
    pairs_within,
    parts_of,
    some_comparison,
)
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st
from texts import SCRIPTS, near_copy

from pehchan.distance.record import RecordDistance
from pehchan.distance.registry import MEASURES
from pehchan.metadata.schema import Curve, Field, Schema

often = settings(max_examples=6 * settings().max_examples)

# Left to draw each value, hypothesis makes few comparisons, and of each a dozen that are nearly the same. Without
# use_true_random it does, and makes a comparison that fails smaller.
by_chance = st.randoms(use_true_random=True)


def all_pairs_of(count):
    return count * (count - 1) // 2


def test_every_measure_is_compared():
    assert {measure for _, measure, _, _ in KINDS.values()} == set(MEASURES)


@often
@given(by_chance)
@pytest.mark.parametrize("compat", [False, True])
def test_every_pair_is_as_far_apart_as_by_the_oracle(compat, chance):
    comparison = some_comparison(chance, compat)
    for cutoff in comparison.cutoffs(chance, 3):
        found, compared = pairs_within(comparison.by(cutoff), comparison.records)
        note(f"cutoff {cutoff}: {comparison}")
        assert found == comparison.within(cutoff)
        assert compared == all_pairs_of(len(comparison.records))


@given(by_chance, st.booleans())
def test_the_size_of_tiles_changes_nothing(chance, compat):
    comparison = some_comparison(chance, compat, most=9)
    (cutoff,) = comparison.cutoffs(chance, 1)
    at_once = comparison.by(cutoff)
    expected = pairs_within(at_once, comparison.records)
    for tile in (1, 2, 3, 1024):
        distance = comparison.by(cutoff)
        assert pairs_within(distance, comparison.records, tile=tile) == expected
        assert distance.counters == at_once.counters


def test_what_a_tile_holds_is_bounded_for_any_number_of_fields():
    for count in (0, 1, 10, 11, 40, 1000):
        fields = tuple(Field(f"f{number}", number, "exact") for number in range(count))
        tile = RecordDistance(Schema(fields), 1000, 1000).tile
        assert count * tile * tile * 8 <= 84_000_000
        assert (tile == 1024) == (count <= 10)


@given(by_chance, st.booleans(), st.integers(0, 9), st.sampled_from([1, 2, 1024]))
def test_two_blocks_meet_in_the_pairs_between_them_whichever_ranks_they_have(chance, compat, cut, tile):
    comparison = some_comparison(chance, compat, most=9)
    (cutoff,) = comparison.cutoffs(chance, 1)
    distance = comparison.by(cutoff)
    left, right = comparison.records[:cut], comparison.records[cut:]
    rows, columns = parts_of(block_of(distance, comparison.records), cut)
    found, compared = pairs_of(distance, rows, left, columns, right, tile=tile)
    names = {record[0] for record in left}
    assert compared == len(left) * len(right)
    assert found == {
        pair: apart for pair, apart in comparison.within(cutoff).items() if len(names.intersection(pair)) == 1
    }


@pytest.mark.parametrize("compat", [False, True])
@pytest.mark.parametrize("kind", [kind for kind, (*_, known) in KINDS.items() if known is None])
def test_long_texts_are_as_far_apart_as_by_the_oracle(kind, compat):
    """Longer than 64 and than 255 characters, more than 255 words, and side by side with short ones."""
    chance = Random(kind)
    sizes = (1, 7, 8, 33, 65, 129, 256, 300, 300, 300, 300)
    for script in SCRIPTS:
        records = [[near_copy(script, size, chance)] for size in sizes]
        comparison = comparison_of([Compared(kind)], records, range(len(records)), scale=10**6, compat=compat)
        apart = sorted(comparison.expected.values())
        for cutoff in (*apart[:: len(apart) // 5], apart[1] - 1, 10**6):
            found, _ = pairs_within(comparison.by(cutoff), comparison.records)
            assert found == comparison.within(cutoff)


@pytest.mark.parametrize("aggregation", ["manhattan", "euclidean", 0.5, 2.5, 3.0])
@pytest.mark.parametrize("weight", [1.0, 0.5, 2.0, 7.3])
@pytest.mark.parametrize("id_counted", [False, True])
def test_no_pair_is_lost_to_rounding(aggregation, weight, id_counted):
    """Where distances and cutoffs are round, what a field may add up to is a bit more or less than what it does."""
    name, power = ("minkowski", aggregation) if isinstance(aggregation, float) else (aggregation, 1.0)
    for scale in (100, 1000):
        comparison = comparison_of(
            [Compared("integer", weight)],
            [[str(n)] for n in range(11)],
            range(11),
            name,
            power,
            scale,
            id_counted,
        )
        for cutoff in sorted({*comparison.expected.values()}):
            for each in (cutoff - 1, cutoff):
                assert pairs_within(comparison.by(each), comparison.records)[0] == comparison.within(each)


@given(st.integers(0, 12), st.integers(1, 5), st.integers(1, 13))
def test_a_block_with_itself_and_two_blocks_cover_all_pairs_once(left, right, tile):
    schema = Schema((Field("a", 1, "zero"),))
    records = [(str(k), "x") for k in range(left + right)]
    distance = RecordDistance(schema, 1000, 1000)
    parts = parts_of(block_of(distance, records), left)
    blocks = list(zip(parts, (records[:left], records[left:]), strict=True))
    seen = []
    for (rows, a), (columns, b) in [(blocks[0], blocks[0]), (blocks[1], blocks[1]), (blocks[0], blocks[1])]:
        found, compared = pairs_of(distance, rows, a, columns, b, tile=tile)
        assert len(found) == compared
        seen += [frozenset(pair) for pair in found]
    assert len(seen) == len(set(seen)) == all_pairs_of(left + right)


def test_blocks_whose_values_were_read_apart_do_not_meet():
    distance = RecordDistance(Schema((Field("a", 1, "zero"),)), 1000, 1000)
    blocks = [block_of(distance, [("0", "x"), ("1", "y")]) for _ in range(2)]
    with pytest.raises(ValueError, match="not of one block"):
        list(distance.compare(*blocks))


@pytest.mark.parametrize(
    ("aggregation", "compat"), [*((each, False) for each in CROWDED), ("manhattan", True)]
)
def test_a_crowd_is_as_far_apart_as_by_the_oracle(aggregation, compat):
    """Of so many records the cascade chooses the order of the fields, and lists the pairs that are left."""
    records = crowd(330)
    ids = Random(1).sample(range(len(records)), len(records))
    comparison = comparison_of(CROWDED[aggregation], records, ids, aggregation, 0.5, compat=compat)
    apart = sorted(comparison.expected.values())
    # The closest of all, some, one in a hundred, one in four: a tile keeps its pairs in other ways.
    for cutoff in (0, apart[30], apart[300], apart[len(apart) // 100], apart[len(apart) // 4] - 1, 999, 1000):
        for tile in (64, 1024):
            found, _ = pairs_within(comparison.by(cutoff), comparison.records, tile=tile)
            assert found == comparison.within(cutoff)


def test_two_crowds_are_as_far_apart_as_by_the_oracle():
    records = crowd(810)
    comparison = comparison_of(CROWDED["euclidean"], records, range(len(records)), "euclidean")
    left, right = comparison.records[:160], comparison.records[160:]
    expected = plain.plain_links(left, right, comparison.schema, comparison.properties)
    apart = sorted(expected.values())
    for cutoff in (apart[30], apart[len(apart) // 100], apart[len(apart) // 4] - 1, 1000):
        for tile in (64, 1024):
            distance = comparison.by(cutoff)
            rows, columns = parts_of(block_of(distance, comparison.records), len(left))
            found, _ = pairs_of(distance, rows, left, columns, right, tile=tile)
            assert found == {pair: apart for pair, apart in expected.items() if apart <= cutoff}


@given(by_chance, st.none() | st.integers(0, 9))
def test_counters_say_in_how_many_pairs_a_value_is_missing_or_cannot_be_read(chance, cut):
    comparison = some_comparison(chance, compat=False)
    ours, records = comparison.ours, comparison.records
    # Field by field in the order of the schema, those are counted that no threshold has cut.
    assume(all(field.missing != "previous" for field in ours.fields))
    (cutoff,) = comparison.cutoffs(chance, 1)
    distance = comparison.by(cutoff)
    block = block_of(distance, records)
    if cut is None:
        pairs = list(combinations(records, 2))
        pairs_of(distance, block, records, block, records)
    else:
        rows, columns = parts_of(block, cut)
        pairs = list(product(records[:cut], records[cut:]))
        pairs_of(distance, rows, records[:cut], columns, records[cut:])
    expected = Counter()
    for field in plain.fields_of(comparison.schema, comparison.properties):
        column = field["ordinal"]
        missing = {r: plain.value_distance(r[column], r[column], field) is None for r in records}
        faulty = {r: missing[r] and plain.folded(r[column], field["fold"]) != "" for r in records}
        gone = sum(missing[first] or missing[second] for first, second in pairs)
        policy = "FieldSkipped" if field["missingValueHandler"] == "skip" else "Distance Set at Max"
        expected["Missing Data", f"Field:{column}"] += gone
        expected["Missing Data", policy] += gone
        unread = sum(faulty[first] or faulty[second] for first, second in pairs)
        expected["Invalid Data Format", f"Field:{column}"] += unread
    assert distance.counters == expected


@given(by_chance)
def test_compat_counts_the_pairs_that_a_threshold_cuts(chance):
    comparison = some_comparison(chance, compat=True)
    (cutoff,) = comparison.cutoffs(chance, 1)
    distance = comparison.by(cutoff)
    pairs_within(distance, comparison.records)
    cut = all_pairs_of(len(comparison.records)) - len(comparison.expected)
    assert distance.counters["Distance Data", "Attribute distance threshold filter"] == cut


def test_a_threshold_cuts_what_is_above_it_and_nothing_at_it():
    field = Field("a", 1, "number", {"integer": True, "max": 4.0}, threshold=0.5)
    records = [("0", "0"), ("1", "2"), ("2", "3")]
    for compat in (False, True):
        distance = RecordDistance(Schema((field,)), 1000, 1000, compat=compat)
        assert pairs_within(distance, records)[0] == {("0", "1"): 500, ("1", "2"): 250}
    assert distance.counters == {("Distance Data", "Attribute distance threshold filter"): 1}


def test_a_threshold_of_0_keeps_equal_values():
    field = Field("a", 1, "exact", threshold=0.0)
    records = [("0", "x"), ("1", "y"), ("2", "x")]
    for compat in (False, True):
        distance = RecordDistance(Schema((field,)), 1000, 1000, compat=compat)
        assert pairs_within(distance, records)[0] == {("0", "2"): 0}


def test_what_is_far_enough_beyond_1_for_its_curve_to_fall_is_kept():
    """A nonLinear curve that shrinks has fallen below 0 by then, and such a field implodes."""
    comparison = comparison_of(
        [Compared("integer", curve=("nonLinear", 0.4, 0.5))], [["0"], ["10"], ["60"]], range(3)
    )
    assert comparison.expected == {("000", "001"): 1000, ("000", "002"): 0, ("001", "002"): 0}
    for cutoff in (0, 100, 1000):
        assert pairs_within(comparison.by(cutoff), comparison.records)[0] == comparison.within(cutoff)


def test_what_exploded_is_the_scale_apart_and_kept_where_that_is_the_cutoff():
    field = Field("a", 1, "number", {"integer": True, "max": 10.0})
    records = [("0", "0"), ("1", "60"), ("2", "3")]
    for cutoff, expected in ((999, {}), (1000, {("0", "1"): 1000, ("1", "2"): 1000})):
        distance = RecordDistance(Schema((field,)), 1000, cutoff)
        assert pairs_within(distance, records)[0] == {("0", "2"): 300, **expected}


@pytest.mark.parametrize("power", [0.0, 0.001, 300.0])
def test_no_power_is_too_small_or_too_large(power):
    field = Field("a", 1, "number", {"integer": True, "max": 4.0}, weight=0.1)
    more = [Field(f"b{k}", k, "zero", weight=20.0) for k in range(2, 4)]
    schema = Schema((field, *more), aggregation="minkowski", power=power)
    records = [("0", "0", "x", "x"), ("1", "4", "x", "x"), ("2", "0", "x", "x")]
    found = {}
    for compat in (False, True):
        found[compat] = pairs_within(RecordDistance(schema, 1000, 999, compat=compat), records)[0]
    assert found[False] == found[True]


def test_the_cutoff_is_the_largest_distance_that_is_kept():
    field = Field("a", 1, "number", {"integer": True, "max": 4.0})
    records = [("0", "0"), ("1", "1"), ("2", "2")]
    distance = RecordDistance(Schema((field,)), 1000, 250)
    assert pairs_within(distance, records)[0] == {("0", "1"): 250, ("1", "2"): 250}


def test_a_threshold_holds_for_the_raw_distance_whatever_the_curve():
    field = Field(
        "a", 1, "number", {"integer": True, "max": 4.0}, curve=Curve("step", 1.0, 0.9), threshold=0.5
    )
    records = [("0", "0"), ("1", "3"), ("2", "2")]
    distance = RecordDistance(Schema((field,)), 1000, 1000)
    assert pairs_within(distance, records)[0] == {("0", "2"): 0, ("1", "2"): 0}


def test_a_missing_value_is_above_a_threshold_unless_it_is_skipped():
    records = [("0", "", "a"), ("1", "x", "b")]
    for missing, expected in (("max", {}), ("skip", {("0", "1"): 0})):
        fields = (Field("a", 1, "exact", threshold=0.5, missing=missing), Field("b", 2, "zero"))
        assert pairs_within(RecordDistance(Schema(fields), 1000, 1000), records)[0] == expected


def test_the_record_of_the_smaller_rank_is_the_first_of_its_pair():
    field = Field("a", 1, "jaccard", {"a_weight": 2.0, "b_weight": 0.5})
    records = [("0", "a b c"), ("1", "a")]
    found = {}
    for ranks in ((0, 1), (1, 0)):
        distance = RecordDistance(Schema((field,)), 1000, 1000)
        block = block_of(distance, records, ranks)
        found[ranks] = pairs_of(distance, block, records, block, records)[0]
    assert found == {(0, 1): {("0", "1"): 800}, (1, 0): {("1", "0"): 500}}
