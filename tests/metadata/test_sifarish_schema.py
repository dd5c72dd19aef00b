import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import read_native, write_native
from pehchan.metadata.properties import Settings
from pehchan.metadata.schema import Curve, Field, Schema
from pehchan.metadata.sifarish_schema import read_sifarish, write_sifarish

GOLDEN = Path(__file__).parents[1] / "golden"
ID = {"name": "id", "ordinal": 0, "id": True, "dataType": "string"}


def schema_of(*fields, **keys):
    """sifarish's JSON with an id and these fields, numbered from 1."""
    numbered = [{"name": f"f{number}", "ordinal": number, **field} for number, field in enumerate(fields, 1)]
    data = {"distAlgorithm": "manhattan", "textMatchingAlgorithm": "editDistance", **keys}
    return {**data, "entity": {"name": "e", "fields": [ID, *numbered]}}


def read(data, **settings):
    mistakes = Mistakes()
    schema = read_sifarish(data, "s.json", Settings(**settings), mistakes)
    return schema, mistakes.found, mistakes.warnings


def read_well(data, **settings):
    schema, found, _ = read(data, **settings)
    assert not found
    return schema


def field_of(data_type, **keys):
    return read_well(schema_of({"dataType": data_type, **keys})).fields[0]


def the_mistake(data, **settings):
    _, found, _ = read(data, **settings)
    assert len(found) == 1, found
    return found[0]


def golden(case):
    return json.loads((GOLDEN / case / "schema.json").read_text())


def test_a_schema_of_customers():
    schema = read_well(golden("same_blog_small"))
    edit = {"measure": "edit", "parameters": {}}
    assert schema == Schema(
        fields=(
            Field("name", 1, **edit),
            Field("address", 2, **edit),
            Field("city and state", 3, **edit),
            Field("phone", 4, **edit),
        ),
        entity="customer",
        id="custID",
        id_ordinal=0,
        lines=True,
    )
    assert schema.fields[0].where == 's.json field "name"'


#: What is wrong with the golden schemas that are not read, here and with compat.
WRONG = {
    "crash_no_distAlgorithm": ('"distAlgorithm" is missing', '"distAlgorithm" is missing'),
    "crash_no_textalgo": ('"textMatchingAlgorithm" is missing', '"textMatchingAlgorithm" is missing'),
    "crash_unknown_key": ('unknown key "feature"', 'unknown key "feature"'),
    "same_geo_nomax": ('"maxDistance" is 0', None),
    "same_minkwoski_noparam": ('"minkowskiParam" is 0', None),
    "same_missing_other": ('unknown "missingValueHandler" "custom"', None),
}


@pytest.mark.parametrize("compat", [False, True])
@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/schema.json")), ids=lambda path: path.parent.name)
def test_the_schema_of_every_golden_case_is_read_or_refused(path, compat):
    data, case = json.loads(path.read_text()), path.parent.name
    _, found, _ = read(data, compat=compat)
    wrong = WRONG.get(case, (None, None))[compat]
    if "entities" in data:
        wrong = "two kinds of records"
    assert len(found) == (wrong is not None), found
    assert wrong is None or wrong in found[0].what


READ_WITH_COMPAT = [
    path.parent.name
    for path in sorted(GOLDEN.glob("*/schema.json"))
    if "entities" not in json.loads(path.read_text()) and not WRONG.get(path.parent.name, (None, None))[1]
]


@pytest.mark.parametrize("case", READ_WITH_COMPAT)
def test_golden_schemas_come_back_the_same_through_the_native_form(case):
    data, settings = golden(case), Settings(compat=True)
    mistakes = Mistakes()
    schema = read_sifarish(data, "s.json", settings, mistakes)
    native = read_native(json.loads(json.dumps(write_native(schema))), "n.json", mistakes)
    assert native == schema
    again = read_sifarish(
        json.loads(json.dumps(write_sifarish(native, settings))), "t.json", settings, mistakes
    )
    assert again == schema
    assert not mistakes.found


@pytest.mark.parametrize(
    ("algorithm", "measure", "parameters"),
    [
        ("editDistance", "edit", {}),
        ("jaccard", "jaccard", {"a_weight": 0.8, "b_weight": 0.2}),
        ("cosine", "cosine", {}),
        ("dice", "dice", {}),
        ("charPair", "char-pair", {}),
        ("levenshtein", "levenshtein", {}),
        ("damerauLevenshtein", "damerau-levenshtein", {}),
        ("jaroWinkler", "jaro-winkler", {}),
    ],
)
def test_text_compares_as_the_schema_says(algorithm, measure, parameters):
    data = schema_of({"dataType": "text"}, textMatchingAlgorithm=algorithm)
    data |= {"srcNonMatchingTermWeight": 0.8, "trgNonMatchingTermWeight": 0.2}
    assert read_well(data).fields == (Field("f1", 1, measure, parameters),)


def test_edit_distance_goes_by_words_or_fields_as_the_properties_say():
    data = schema_of({"dataType": "text"})
    assert read_well(data, edit_tokens=False).fields[0].parameters == {"tokens": False}


def test_numbers():
    field = read_well(schema_of({"dataType": "int", "min": 1, "max": 9, "unit": "oz"})).fields[0]
    assert (field.measure, field.parameters) == (
        "number",
        {"integer": True, "min": 1, "max": 9, "unit": "oz"},
    )
    field = read_well(schema_of({"dataType": "double"}, numericDiffThreshold=0.2)).fields[0]
    assert field.parameters == {"integer": False, "ratio_threshold": 0.2}


def test_a_range_that_is_none_is_warned_of():
    _, found, warnings = read(schema_of({"dataType": "int", "min": 5, "max": 5}))
    assert not found
    assert 'f1": "min" 5 and "max" 5' in str(warnings[0])


def test_categories():
    assert field_of("categorical").parameters == {}
    field = field_of(
        "categorical",
        categoricalDistances=[{"thisValue": "Food", "thatValue": "Health", "distance": "0.66"}],
        conceptHierarchy={"concepts": [{"parent": "Africa", "children": ["Kenya", "Ghana"]}]},
    )
    assert field.parameters == {
        "distances": [["Food", "Health", 0.66]],
        "hierarchy": [["Africa", ["Kenya", "Ghana"]]],
    }


def test_incomplete_category_distances_are_a_mistake():
    field = {"dataType": "categorical", "categoricalDistances": [{"thisValue": "Food", "distance": 1}]}
    mistake = the_mistake(schema_of(field))
    assert mistake.where == 's.json field "f1"'
    assert "thatValue" in mistake.right


def test_times_places_and_events():
    windows = {"max_minutes": 60, "delimiter": "/"}
    data = schema_of(
        {"dataType": "timeWindow", "maxTimeWindow": 60},
        {"dataType": "hourWindow", "maxTimeWindow": 60},
        {"dataType": "location", "distAlgorithm": "euclidean", "componentWeights": [1, 2, 3]},
        {"dataType": "geoLocation", "maxDistance": 10},
        {"dataType": "event", "maxTimeWindow": 60},
        eventComponentWeights=[3, 2, 1],
    )
    schema = read_well(data, sub_delimiter="/")
    assert [(field.measure, field.parameters) for field in schema.fields] == [
        ("time-window", windows),
        ("hour-window", windows),
        ("location", {"weights": [1, 2, 3], "by": "euclidean", "delimiter": "/"}),
        ("geo", {"max_km": 10}),
        ("event", {"weights": [3, 2, 1], **windows}),
    ]


def test_a_location_needs_its_weights_and_its_distance():
    _, found, _ = read(schema_of({"dataType": "location"}))
    assert "euclidean" in found[0].right
    assert "three numbers" in found[1].right
    mistake = the_mistake(
        schema_of({"dataType": "location", "distAlgorithm": "chebyshev", "componentWeights": [1, 1, 1]})
    )
    assert "chebyshev" in mistake.what


def test_a_string_is_zero_apart_with_a_warning():
    schema, found, warnings = read(schema_of({"dataType": "string"}))
    assert not found
    assert schema.fields == (Field("f1", 1, "zero"),)
    assert "closer" in warnings[0].what


def test_id_and_class_attribute_are_not_compared():
    data = schema_of({"dataType": "text"}, {"dataType": "categorical", "classAttribute": True})
    schema = read_well(data)
    assert [field.name for field in schema.fields] == ["f1"]
    assert (schema.id, schema.id_ordinal) == ("id", 0)


def test_without_an_id_field_ids_come_from_the_content():
    data = schema_of({"dataType": "text"})
    del data["entity"]["fields"][0]
    schema, found, warnings = read(data)
    assert not found
    assert (schema.id, schema.id_ordinal) == (None, None)
    assert "made from the content" in warnings[0].what


@pytest.mark.parametrize(
    ("name", "aggregation", "power"),
    [
        ("euclidean", "euclidean", 1.0),
        ("manhattan", "manhattan", 1.0),
        ("minkwoski", "minkowski", 3.0),
        ("minkowski", "minkowski", 3.0),
    ],
)
def test_aggregations_in_either_spelling(name, aggregation, power):
    schema = read_well(schema_of({"dataType": "text"}, distAlgorithm=name, minkowskiParam=3))
    assert (schema.aggregation, schema.power) == (aggregation, power)


def test_compat_allows_the_power_0():
    assert read_well(golden("same_minkwoski_noparam"), compat=True).power == 0


def test_missing_values():
    text = {"dataType": "text"}
    assert read_well(schema_of(text)).fields[0].missing == "max"
    assert read_well(schema_of(text, missingValueHandler="default")).fields[0].missing == "max"
    assert read_well(schema_of(text, missingValueHandler="skip")).fields[0].missing == "skip"
    schema, found, warnings = read(schema_of(text, missingValueHandler="custom"), compat=True)
    assert (schema.fields[0].missing, found) == ("previous", [])
    assert "custom" in warnings[0].what


def test_weight_is_a_curve_and_no_weight():
    field = field_of("text", weight=1.2)
    assert (field.curve, field.weight) == (Curve("nonLinear", 1.2), 1.0)


@pytest.mark.parametrize("kind", ["none", "nonLinear", "sigmoid", "step", "ramp"])
@pytest.mark.parametrize("weight_first", [True, False])
def test_a_named_curve_wins_over_the_weight_unless_compat_asks_for_the_last(kind, weight_first):
    keys = [("weight", 5.0), ("contAttrDistanceFunction", kind)]
    data = schema_of(
        {"dataType": "text", "functionThreshold": 0.4, **dict(keys if weight_first else keys[::-1])}
    )
    named = {
        "none": Curve(),
        "nonLinear": Curve("nonLinear", 5.0),
        "sigmoid": Curve("sigmoid", 5.0, 0.4),
        "step": Curve("step", t=0.4),
        "ramp": Curve("ramp", t=0.4),
    }[kind]
    assert read_well(data).fields[0].curve == named
    java = named if weight_first else Curve("nonLinear", 5.0)
    assert read_well(data, compat=True).fields[0].curve == java


@pytest.mark.parametrize(("given", "threshold"), [(0.4, 0.4), (0, None), (-1, None), (1.2, 1.2)])
def test_thresholds_of_0_and_less_are_none(given, threshold):
    assert field_of("text", distThreshold=given).threshold == threshold


def test_implode_and_explode():
    field = field_of("text", implodeThreshold=0.1, explodeThreshold=0.9)
    assert (field.implode, field.explode) == (0.1, 0.9)
    field = field_of("text")
    assert (field.implode, field.explode) == (-0.1, 1.1)


def test_partitions():
    text = {"dataType": "text"}
    schema = read_well(schema_of(text, partitioningColumn=1))
    assert (schema.partition, schema.partition_ordinal) == ("f1", 1)
    schema = read_well(schema_of(text, partitioningColumn=7))
    assert (schema.partition, schema.partition_ordinal) == (None, 7)
    assert read_well(schema_of(text, partitioningColumn=-1)).partition_ordinal is None
    assert "partitioningColumn" in the_mistake(schema_of(text, partitioningColumn=-2)).what


def test_values_are_coerced_as_jackson_does():
    schema = read_well(golden("same_schema_coercion"))
    assert (schema.entity, schema.id_ordinal) == ("record", 0)
    field = schema.fields[0]
    assert field.parameters == {"integer": True, "max": 10, "ratio_threshold": 0.1}
    assert field.curve == Curve("nonLinear", 2.0)
    data = schema_of({"dataType": "text", "ordinal": 1.9, "name": 5, "classAttribute": 0, "unit": None})
    assert [(field.name, field.ordinal) for field in read_well(data).fields] == [("5", 1)]


def test_equal_names_are_told_apart_by_their_ordinals():
    data = schema_of(
        {"dataType": "text", "name": "a"}, {"dataType": "text", "name": "a"}, {"dataType": "text"}
    )
    del data["entity"]["fields"][3]["name"]
    assert [field.name for field in read_well(data).fields] == ["a", "a_2", "column3"]
    data = schema_of(*({"dataType": "text", "name": name} for name in ("a", "a_3", "a")))
    assert [field.name for field in read_well(data).fields] == ["a", "a_3", "a_3_3"]


def test_keys_of_other_jobs_are_left_alone():
    field = {
        "dataType": "int",
        "numDistFunction": "maxSoft",
        "mappings": [{}],
        "matchingOrdinal": 3,
        "type": True,
    }
    data = schema_of(
        {**field, "max": 3, "dataSubType": "zip", "textDataSubTypeFormat": "x", "partWeights": []}
    )
    data["entity"] |= {"type": 1, "fieldCount": 3, "filePrefix": "x"}
    _, found, warnings = read(data)
    assert (found, warnings) == ([], [])


def test_id_counted_comes_from_the_settings():
    assert read_well(schema_of({"dataType": "text"}), id_counted=True).id_counted


@pytest.mark.parametrize(
    ("field", "what", "right"),
    [
        ({"dataType": "tel"}, 'unknown dataType "tel"', "Known: text, categorical, int, double"),
        ({}, '"dataType" is missing', "Known: text"),
        ({"dataType": "text", "ordinal": -1}, '"ordinal" is -1', "counted from 0"),
        ({"dataType": "text", "ordinal": None}, '"ordinal" is missing', "counted from 0"),
        ({"dataType": "text", "ordinal": "x"}, "\"ordinal\": 'x' cannot be read", "a whole number"),
        ({"dataType": "int", "max": "9.5"}, "\"max\": '9.5' cannot be read", "a whole number"),
        ({"dataType": "text", "weigth": 2}, 'unknown key "weigth"', 'Did you mean "weight"?'),
        ({"dataType": "text", "weight": 0}, '"weight" is 0', "above 0"),
        ({"dataType": "text", "weight": "heavy"}, "\"weight\": 'heavy'", "a number"),
        ({"dataType": "text", "id": "yes"}, "\"id\": 'yes'", "true or false"),
        ({"dataType": "text", "contAttrDistanceFunction": "log"}, '"log"', "nonLinear, sigmoid, step, ramp"),
        (
            {"dataType": "text", "contAttrDistanceFunction": "step", "functionThreshold": 2},
            '"functionThreshold" is 2',
            "from 0 to 1",
        ),
        ({"dataType": "geoLocation"}, '"maxDistance" is 0', "1 or more"),
        (
            {"dataType": "location", "distAlgorithm": "manhattan", "componentWeights": [1, 2]},
            '"componentWeights"',
            "three numbers",
        ),
        ({"dataType": "text", "ordinal": 0}, "one of the id", "its own column"),
    ],
)
def test_a_mistake_in_a_field_names_the_file_the_field_and_what_is_accepted(field, what, right):
    _, found, _ = read(schema_of(field))
    assert found[0].where == 's.json field "f1"'
    assert any(what in mistake.what and right in mistake.right for mistake in found)


@pytest.mark.parametrize(
    ("keys", "what", "right"),
    [
        ({"distAlgorithm": None}, '"distAlgorithm" is missing', '"euclidean", "manhattan" or "minkowski"'),
        ({"distAlgorithm": "cosine"}, 'unknown "distAlgorithm" "cosine"', '"euclidean", "manhattan"'),
        ({"distAlgorithm": "minkowski"}, '"minkowskiParam" is 0', "above 0"),
        ({"textMatchingAlgorithm": None}, '"textMatchingAlgorithm" is missing', "Known: editDistance"),
        ({"textMatchingAlgorithm": "soundex"}, 'unknown "textMatchingAlgorithm" "soundex"', "jaroWinkler"),
        ({"missingValueHandler": "custom"}, "custom", '"default"'),
        ({"missingValueHandling": "skip"}, '"missingValueHandling"', 'Did you mean "missingValueHandler"?'),
        ({"eventComponentWeights": [1, 2]}, '"eventComponentWeights"', "three numbers"),
        ({"locationComponentWeights": 3}, '"locationComponentWeights"', "three numbers"),
        ({"entities": []}, "two kinds of records", '"entity"'),
    ],
)
def test_a_mistake_in_the_schema_names_the_file_the_key_and_what_is_accepted(keys, what, right):
    mistake = the_mistake(schema_of({"dataType": "text"}, {"dataType": "text"}, **keys))
    assert mistake.where == "s.json"
    assert what in mistake.what
    assert right in mistake.right


def test_two_ids_are_a_mistake():
    mistake = the_mistake(schema_of({"dataType": "text"}, {"dataType": "string", "id": True}))
    assert mistake.where == 's.json field "f2"'
    assert "second id" in mistake.what


def test_field_extractors_are_not_built():
    data = schema_of({"dataType": "text"})
    data["entity"]["fieldExtractors"] = [{"name": "size"}]
    mistake = the_mistake(data)
    assert mistake.where == "s.json entity"
    assert "not built" in mistake.what


@pytest.mark.parametrize("entity", [{}, {"fields": []}, {"fields": [ID]}])
def test_a_schema_that_compares_nothing_is_a_mistake(entity):
    assert "no field is compared" in the_mistake({"distAlgorithm": "manhattan", "entity": entity}).what


@pytest.mark.parametrize(
    "data", [{"entity": []}, {"entity": {"fields": {}}}, {"entity": {"fields": ["name"]}}]
)
def test_the_wrong_shape_is_a_mistake_and_no_crash(data):
    _, found, _ = read({"distAlgorithm": "manhattan", **data})
    assert found


NUMBERS = st.floats(0.01, 5)


@st.composite
def sifarish_fields(draw):
    kind = draw(
        st.sampled_from(["text", "int", "double", "categorical", "timeWindow", "location", "geoLocation"])
    )
    field = {"dataType": kind}
    field |= {
        "timeWindow": {"maxTimeWindow": 60},
        "location": {"distAlgorithm": "euclidean", "componentWeights": [1.0, 0.5, 2.0]},
        "geoLocation": {"maxDistance": draw(st.integers(1, 100))},
        "int": {"min": 1, "max": draw(st.integers(2, 9))},
        "double": {"unit": draw(st.sampled_from(["", "kg"]))},
        "categorical": {"categoricalDistances": [{"thisValue": "a", "thatValue": "b", "distance": 0.5}]},
    }.get(kind, {})
    optional = {
        "weight": NUMBERS,
        "contAttrDistanceFunction": st.sampled_from(["none", "nonLinear", "sigmoid", "step", "ramp"]),
        "functionThreshold": st.floats(0, 1),
        "distThreshold": st.floats(-1, 2),
        "implodeThreshold": st.floats(-1, 1),
        "explodeThreshold": st.floats(0, 2),
    }
    return field | draw(st.fixed_dictionaries({}, optional=optional))


@given(
    st.lists(sifarish_fields(), min_size=1, max_size=4),
    st.fixed_dictionaries(
        {"distAlgorithm": st.sampled_from(["euclidean", "manhattan", "minkwoski"])},
        optional={
            "textMatchingAlgorithm": st.sampled_from(["jaccard", "cosine", "dice", "charPair"]),
            "srcNonMatchingTermWeight": NUMBERS,
            "numericDiffThreshold": NUMBERS,
            "missingValueHandler": st.sampled_from(["default", "skip", "custom"]),
            "partitioningColumn": st.integers(-1, 6),
        },
    ),
    st.booleans(),
)
def test_any_schema_comes_back_the_same_through_the_native_form(fields, keys, compat):
    settings = Settings(compat=compat)
    mistakes = Mistakes()
    data = schema_of(*fields, **{"minkowskiParam": 2.5, **keys})
    schema = read_sifarish(data, "s.json", settings, mistakes)
    mistakes.found.clear()
    native = read_native(json.loads(json.dumps(write_native(schema))), "n.json", mistakes)
    assert native == schema
    again = read_sifarish(
        json.loads(json.dumps(write_sifarish(native, settings))), "t.json", settings, mistakes
    )
    # The name of the partition is the name of a field, if any.
    assert again == schema
    assert not mistakes.found


def test_what_sifarish_cannot_say_is_listed():
    edit, skip = Field("a", 1, "edit"), Field("h", None, "jaccard", missing="skip")
    schema = Schema(
        fields=(
            edit,
            replace(edit, name="b", weight=2.0, fold=("case",), threshold=0.0),
            replace(edit, name="c", parameters={"tokens": False, "align": True}),
            Field("d", 4, "date", {"max_days": 3}),
            Field("e", 5, "number", {"min": 0.5, "ratio_threshold": 0.5}),
            Field("f", 6, "number", {"ratio_threshold": 0.1}),
            Field("g", 7, "geo", {"max_km": 1.5}),
            skip,
            Field("i", 8, "hour-window", {"delimiter": "/"}),
        ),
        partition="shop",
        cutoff=100,
        id="id",
    )
    with pytest.raises(ValueError, match="cannot say") as error:
        write_sifarish(schema)
    lines = str(error.value).splitlines()[1:]
    expected = [
        ('field "b"', "weight 2 in the mean"),
        ('field "b"', "fold case"),
        ('field "b"', "threshold 0"),
        ('field "c"', "edit.dist.token"),
        ('field "c"', "align True"),
        ('field "d"', "the measure date"),
        ('field "e"', "min 0.5"),
        ('field "f"', '"numericDiffThreshold" 0.1'),
        ('field "g"', "max_km 1.5"),
        ('field "h"', "its number is needed"),
        ('field "h"', "\"textMatchingAlgorithm\" 'jaccard'"),
        ('field "h"', "\"missingValueHandler\" 'skip'"),
        ('field "i"', "sts.sub.field.delim.regex"),
        ('id "id"', "its number is needed"),
        ("cutoff 100", "sts.dist.threshold"),
        ('partition "shop"', "its number is needed"),
    ]
    for place, what in expected:
        assert any(place in line and what in line for line in lines), (place, what, lines)
    assert len(lines) == len(expected)


def test_what_the_properties_say_need_not_be_said():
    field = Field("a", 1, "edit", {"tokens": False})
    schema = Schema((field,), id="id", id_ordinal=0, cutoff=100, id_counted=True)
    data = write_sifarish(schema, Settings(edit_tokens=False, cutoff=100, id_counted=True))
    assert data == {
        "distAlgorithm": "manhattan",
        "textMatchingAlgorithm": "editDistance",
        "entity": {
            "name": "record",
            "fields": [ID, {"name": "a", "ordinal": 1, "dataType": "text"}],
        },
    }


def test_an_exact_field_is_a_category_without_distances():
    data = write_sifarish(Schema((Field("a", 1, "exact"),)))
    assert data["entity"]["fields"] == [{"name": "a", "ordinal": 1, "dataType": "categorical"}]
