import itertools
import random

import numpy as np
import plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pehchan.distance.columns import Block
from pehchan.distance.in_order import InOrder
from pehchan.distance.record import RecordDistance
from pehchan.metadata.schema import Curve, Field, Schema

often = settings(max_examples=4 * settings().max_examples)

#: Of each kind of field: what its schema says to the oracle, the measure it is here, and some values.
KINDS = [
    (
        {"dataType": "text", "textMatchingAlgorithm": "editDistance"},
        ("edit", {}),
        ["Al Bo", "Al Ba", "Bo Al", " Al Bo", "Al", "A", "l Bo", "B Bo", "  ", "AL BO", "Ál Bo", "Al  Bo "],
    ),
    (
        {"dataType": "text", "textMatchingAlgorithm": "editDistance", "tokens": False},
        ("edit", {"tokens": False}),
        ["Al Bo", "Al Ba", "Bo Al", " Al Bo", "A", "é", "É", "x"],
    ),
    (
        {
            "dataType": "text",
            "textMatchingAlgorithm": "jaccard",
            "srcNonMatchingTermWeight": 2.0,
            "trgNonMatchingTermWeight": 0.5,
        },
        ("jaccard", {"a_weight": 2.0, "b_weight": 0.5}),
        ["a b c", "a b", "a a b", "c", " b", "A B", "  ", "b a d e"],
    ),
    (
        {"dataType": "text", "textMatchingAlgorithm": "charPair"},
        ("char-pair", {}),
        ["night", "nacht", "n", "night night", "Nacht", "é"],
    ),
    (
        {"dataType": "int", "min": 0, "max": 10},
        ("number", {"integer": True, "min": 0.0, "max": 10.0}),
        ["0", "3", "10", "12", "-2", " 5", "5.5", "x", "+7"],
    ),
    (
        {"dataType": "double", "numericDiffThreshold": 0.25, "unit": "kg"},
        ("number", {"ratio_threshold": 0.25, "unit": "kg"}),
        ["0", "1", "1.2", "-1", "2 kg", "2", "1e3", "kg", "3 lb"],
    ),
    (
        {
            "dataType": "categorical",
            "categoricalDistances": [{"thisValue": "red", "thatValue": "pink", "distance": 0.25}],
            "conceptHierarchy": {"concepts": [{"parent": "blue", "children": ["navy", "sky"]}]},
        },
        ("categorical", {"distances": [["red", "pink", 0.25]], "hierarchy": [["blue", ["navy", "sky"]]]}),
        ["red", "pink", "blue", "navy", "sky", "Red"],
    ),
    ({"dataType": "string"}, ("zero", {}), ["a", "b"]),
]

CURVES = st.sampled_from(
    [
        None,
        ("nonLinear", 2.0, 0.5),
        ("nonLinear", 0.4, 0.5),
        ("sigmoid", 4.0, 0.4),
        ("step", 1.0, 0.5),
        ("ramp", 1.0, 0.3),
    ]
)
THRESHOLDS = st.sampled_from([None, 0.2, 0.25, 0.4, 0.5, 1.0])
MISSING = {"max": "default", "skip": "skip", "previous": "custom"}


@st.composite
def comparisons(draw, compat, most=7):
    """(schema for the oracle, its properties, the same Schema, records): fields of mixed types."""
    fields, theirs, values = [], [], []
    # sifarish has one handler of missing values for all fields.
    handlers = draw(st.sampled_from([["max", "skip"], ["previous"]])) if compat else ["max", "skip"]
    for ordinal in range(1, draw(st.integers(2, 5))):
        said, (measure, parameters), texts = draw(st.sampled_from(KINDS))
        curve, threshold = draw(CURVES), draw(THRESHOLDS)
        if compat and curve and curve[1] < 1:
            # Of the infinite distances that there are with compat it makes nothing that can be compared.
            curve = None
        weight = draw(st.sampled_from([1.0, 2.0, 0.5]))
        missing = draw(st.sampled_from(handlers))
        fold = draw(st.sampled_from([(), ("case",), ("case", "accents")]))
        implode, explode = draw(st.sampled_from([(-0.1, 1.1), (0.2, 0.9)]))
        fields.append(
            Field(
                f"f{ordinal}",
                ordinal,
                measure,
                parameters,
                weight,
                Curve(*curve) if curve else Curve(),
                threshold,
                missing,
                fold,
                implode,
                explode,
            )
        )
        said = {
            **said,
            "ordinal": ordinal,
            "share": weight,
            "fold": fold,
            "missingValueHandler": MISSING[missing],
        }
        said |= {"implodeThreshold": implode, "explodeThreshold": explode, "distThreshold": threshold or -1}
        if curve:
            kind, w, t = curve
            said |= {"weight": w, "functionThreshold": t}
            said |= {} if kind == "nonLinear" else {"contAttrDistanceFunction": kind}
        theirs.append(said)
        values.append(st.sampled_from(["", *texts]))
    records = draw(st.lists(st.tuples(*values), max_size=most))
    aggregation, power = draw(
        st.sampled_from([("manhattan", 1.0), ("euclidean", 1.0), ("minkowski", 3.0), ("minkowski", 0.5)])
    )
    id_counted = draw(st.booleans())
    schema = {"distAlgorithm": aggregation, "minkowskiParam": power}
    schema["entity"] = {"fields": [{"id": True, "ordinal": 0}, *theirs]}
    properties = {
        "sts.distance.scale": draw(st.sampled_from(["1000", "100"])),
        "sts.dist.threshold": draw(st.sampled_from(["30", "60", "99", "100", "400"])),
        "sifarish.compat": str(compat).lower(),
        "sifarish.id.counted": str(id_counted).lower(),
        # One bucket: Java then leaves the order of pairs open, and here the smaller id comes first.
        "sts.bucket.count": "1",
    }
    ours = Schema(
        tuple(fields), id="id", id_ordinal=0, aggregation=aggregation, power=power, id_counted=id_counted
    )
    return schema, properties, ours, [(str(k), *record) for k, record in enumerate(records)]


def compared_by(schema, properties):
    scale, cutoff = int(properties["sts.distance.scale"]), int(properties["sts.dist.threshold"])
    return RecordDistance(schema, scale, cutoff, compat=properties["sifarish.compat"] == "true")


def block_of(distance, records, ranks):
    columns = [distance.column(k, [record[k + 1] for record in records]) for k in range(len(distance.fields))]
    return Block(columns, np.array(ranks, dtype=np.int64))


def parts_of(block, cut):
    """The first so many records of a block, and the others."""
    places = np.arange(len(block))
    return block.take(places[:cut]), block.take(places[cut:])


def pairs_within(distance, records, **tile):
    """{(first id, second id): distance} of one block with itself, and how often pairs were compared."""
    block = block_of(distance, records, range(len(records)))
    return pairs_of(distance, block, records, block, records, **tile)


def pairs_of(distance, rows, left, columns, right, **tile):
    found, compared = {}, 0
    for part in distance.compare(rows, columns, **tile):
        compared += part.compared
        for i, j, apart in zip(part.rows, part.columns, part.distances, strict=True):
            (_, first), (_, second) = sorted([(rows.rank[i], left[i][0]), (columns.rank[j], right[j][0])])
            assert (first, second) not in found, "a pair came twice"
            found[first, second] = int(apart)
    return found, compared


def all_pairs_of(count):
    return count * (count - 1) // 2


@often
@given(comparisons(compat=False))
def test_every_pair_is_as_far_apart_as_by_the_oracle(comparison):
    schema, properties, ours, records = comparison
    found, compared = pairs_within(compared_by(ours, properties), records)
    assert found == plain.plain_pairs(records, schema, properties)
    assert compared == all_pairs_of(len(records))


@often
@given(comparisons(compat=True))
def test_with_compat_every_pair_is_as_far_apart_as_by_the_oracle(comparison):
    schema, properties, ours, records = comparison
    found, _ = pairs_within(compared_by(ours, properties), records)
    assert found == plain.plain_pairs(records, schema, properties)


@given(st.booleans().flatmap(lambda compat: comparisons(compat, most=9)))
def test_the_size_of_tiles_changes_nothing(comparison):
    _, properties, ours, records = comparison
    at_once = compared_by(ours, properties)
    expected = pairs_within(at_once, records)
    for tile in (1, 2, 3, 1024):
        distance = compared_by(ours, properties)
        assert pairs_within(distance, records, tile=tile) == expected
        assert distance.counters == at_once.counters


@given(st.booleans().flatmap(lambda compat: comparisons(compat, most=9)), st.integers(0, 9), st.randoms())
def test_two_blocks_meet_in_the_pairs_between_them_whichever_ranks_they_have(comparison, cut, random):
    schema, properties, ours, records = comparison
    random.shuffle(records)
    ranks = [int(record[0]) for record in records]
    left, right = records[:cut], records[cut:]
    distance = compared_by(ours, properties)
    rows, columns = parts_of(block_of(distance, records, ranks), cut)
    found, compared = pairs_of(distance, rows, left, columns, right, tile=2)
    expected = plain.plain_pairs(records, schema, properties)
    names = {record[0] for record in left}
    assert compared == len(left) * len(right)
    assert found == {pair: apart for pair, apart in expected.items() if len(names.intersection(pair)) == 1}


@given(st.integers(0, 12), st.integers(1, 5), st.integers(1, 13))
def test_a_block_with_itself_and_two_blocks_cover_all_pairs_once(left, right, tile):
    schema = Schema((Field("a", 1, "zero"),))
    records = [(str(k), "x") for k in range(left + right)]
    distance = RecordDistance(schema, 1000, 1000)
    parts = parts_of(block_of(distance, records, range(left + right)), left)
    blocks = list(zip(parts, (records[:left], records[left:]), strict=True))
    seen = []
    for (rows, a), (columns, b) in [(blocks[0], blocks[0]), (blocks[1], blocks[1]), (blocks[0], blocks[1])]:
        found, compared = pairs_of(distance, rows, a, columns, b, tile=tile)
        assert len(found) == compared
        seen += [frozenset(pair) for pair in found]
    assert len(seen) == len(set(seen)) == all_pairs_of(left + right)


def test_blocks_whose_values_were_read_apart_do_not_meet():
    distance = RecordDistance(Schema((Field("a", 1, "zero"),)), 1000, 1000)
    blocks = [block_of(distance, [("0", "x"), ("1", "y")], (0, 1)) for _ in range(2)]
    with pytest.raises(ValueError, match="not of one block"):
        list(distance.compare(*blocks))


@pytest.mark.parametrize("tokens", [True, False])
@pytest.mark.parametrize("aggregation", ["manhattan", "euclidean"])
@pytest.mark.parametrize("cutoff", [50, 150, 400, 1000])
@pytest.mark.parametrize("threshold", [None, 0.3])
def test_pairs_are_cut_early_only_where_they_would_be_cut_in_the_end(tokens, aggregation, cutoff, threshold):
    """Field by field in the order of the schema, as with compat, all pairs are looked at to the end."""
    shuffle = random.Random(cutoff)
    letters = "abcdeé😀 "
    records = []
    for number in range(150):
        record = [
            "".join(shuffle.choices(letters, k=shuffle.randrange(300 if number % 50 == 0 else 9)))
            for _ in range(4)
        ]
        records += [(str(2 * number), *record), (str(2 * number + 1), *[value[1:] for value in record])]
    fields = tuple(
        Field(
            f"f{k}",
            k + 1,
            "edit",
            {"tokens": tokens},
            weight,
            threshold=threshold if k == 1 else None,
            missing=missing,
        )
        for k, (weight, missing) in enumerate([(1.0, "max"), (2.0, "skip"), (0.5, "max"), (1.0, "skip")])
    )
    schema = Schema(fields, aggregation=aggregation)
    in_order = RecordDistance(schema, 1000, cutoff)
    in_order._tiles = InOrder(schema.fields, in_order.measures, in_order.score, cutoff, in_order.counters)
    expected = pairs_within(in_order, records)
    assert expected[0]
    for tile in (64, 1024):
        assert pairs_within(RecordDistance(schema, 1000, cutoff), records, tile=tile) == expected


@given(comparisons(compat=False))
def test_counters_say_in_how_many_pairs_a_value_is_missing(comparison):
    _, properties, ours, records = comparison
    distance = compared_by(ours, properties)
    pairs_within(distance, records)
    for field in ours.fields:
        if field.measure in ("edit", "jaccard", "categorical", "zero", "char-pair"):
            empty = sum(record[field.ordinal] == "" for record in records)
            missing = all_pairs_of(len(records)) - all_pairs_of(len(records) - empty)
            assert distance.counters["Missing Data", f"Field:{field.ordinal}"] == missing


@given(comparisons(compat=True))
def test_compat_counts_the_pairs_that_a_threshold_cuts(comparison):
    schema, properties, ours, records = comparison
    distance = compared_by(ours, properties)
    pairs_within(distance, records)
    apart = [plain.plain_distance(*pair, schema, properties) for pair in itertools.combinations(records, 2)]
    assert distance.counters["Distance Data", "Attribute distance threshold filter"] == apart.count(None)


def test_a_threshold_cuts_what_is_above_it_and_nothing_at_it():
    field = Field("a", 1, "number", {"integer": True, "max": 4.0}, threshold=0.5)
    records = [("0", "0"), ("1", "2"), ("2", "3")]
    for compat in (False, True):
        distance = RecordDistance(Schema((field,)), 1000, 1000, compat=compat)
        assert pairs_within(distance, records)[0] == {("0", "1"): 500, ("1", "2"): 250}
    assert distance.counters == {("Distance Data", "Attribute distance threshold filter"): 1}


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


def test_what_exploded_is_the_scale_apart_and_kept_where_that_is_the_cutoff():
    field = Field("a", 1, "number", {"integer": True, "max": 10.0})
    records = [("0", "0"), ("1", "60"), ("2", "3")]
    for cutoff, expected in ((999, {}), (1000, {("0", "1"): 1000, ("1", "2"): 1000})):
        distance = RecordDistance(Schema((field,)), 1000, cutoff)
        assert pairs_within(distance, records)[0] == {("0", "2"): 300, **expected}


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
