"""Configurations: what Zingg's users have written is read, and all that is wrong with one is said at once."""

import json
import re

import pytest

from pehchan.metadata.mistakes import MistakesError
from pehchan.zingg.configuration import Column, Pipe, checked, read_configuration
from pehchan.zingg.match_types import MATCH_TYPES
from pehchan.zingg.wrapped import read_configuration_file

FIELD = {"fieldName": "name", "matchType": "fuzzy", "fields": "name", "dataType": "string"}
DATA = {"name": "customers", "format": "csv", "props": {"location": "customers.csv", "header": True}}


def configuration(**more):
    return {"fieldDefinition": [FIELD], "data": [DATA], **more}


def wrong(data):
    """What is said of a wrong configuration."""
    with pytest.raises(MistakesError) as caught:
        read_configuration(data, "conf.json")
    return str(caught.value)


def test_everything_that_a_configuration_says():
    read = read_configuration(
        {
            "fieldDefinition": [
                {"fieldName": "id", "matchType": "dont_use", "fields": "id", "dataType": '"string"'},
                {
                    "fieldName": "name",
                    "matchType": "Fuzzy, exact",
                    "dataType": "string",
                    "stopWords": "words.csv",
                },
                {"fieldName": "born", "matchType": "FUZZY", "dataType": "DATE"},
                {"fieldName": "points", "matchType": ["NULL_OR_BLANK"], "dataType": "bigint"},
            ],
            "data": [{**DATA, "schema": "id string, name string, born date, points long"}],
            "output": [{"name": "out", "format": "PARQUET", "props": {"path": "out"}, "mode": "Overwrite"}],
            "trainingSamples": [{"name": "samples", "format": "json", "props": {"path": "samples"}}],
            "modelId": 100,
            "zinggDir": "models",
            "labelDataSampleSize": 0.5,
            "stopWordsCutoff": "0.2",
            "column": "name",
            "showConcise": "true",
        },
        "conf.json",
    )
    assert [(each.name, each.match_types, each.data_type, each.stop_words) for each in read.fields] == [
        ("id", (), "string", None),
        ("name", ("FUZZY", "EXACT"), "string", "words.csv"),
        ("born", ("FUZZY",), "date", None),
        ("points", ("NULL_OR_BLANK",), "long", None),
    ]
    columns = (Column("id"), Column("name"), Column("born", "date"), Column("points", "long"))
    assert read.data == (
        Pipe("customers", "csv", {"location": "customers.csv", "header": "true"}, columns, "append"),
    )
    assert read.output == (Pipe("out", "parquet", {"path": "out"}, None, "overwrite"),)
    assert [each.name for each in read.training_samples] == ["samples"]
    assert (read.model_id, read.zingg_dir, read.column, read.show_concise) == ("100", "models", "name", True)
    assert (read.label_sample_size, read.stop_words_cutoff) == (0.5, 0.2)


def test_what_is_left_out():
    read = read_configuration(configuration(), "conf.json")
    assert (read.model_id, read.zingg_dir, read.column, read.show_concise) == ("1", "zingg", None, False)
    assert (read.stop_words_cutoff, read.output, read.training_samples, read.notices) == (0.1, (), (), ())


def test_schemas_as_spark_writes_them_in_json():
    schema = json.dumps(
        {"type": "struct", "fields": [{"name": "name", "type": "string"}, {"name": "no", "type": "integer"}]}
    )
    read = read_configuration(configuration(data=[{**DATA, "schema": schema}]), "conf.json")
    assert read.data[0].schema == (Column("name"), Column("no", "integer"))


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("numPartitions", "runner"),
        ("blockSize", "keys are learnt"),
        ("threshold", "is learnt"),
        ("jobId", "no number"),
        ("collectMetrics", "no event is ever sent anywhere"),
        ("labelDataSampleSize", "40,000"),
    ],
)
def test_keys_that_nothing_needs_are_named_once(key, reason):
    (notice,) = read_configuration(configuration(**{key: 1}), "conf.json").notices
    assert notice.startswith("conf.json: not needed here, and left out: ")
    assert re.search(rf"{key} \([^)]*{reason}", notice)


def test_keys_of_fields_and_pipes_that_nothing_needs():
    field = {**FIELD, "fields": "other", "abbreviations": "short.csv"}
    pipe = {**DATA, "id": 3, "preprocessors": "p"}
    (notice,) = read_configuration(configuration(fieldDefinition=[field], data=[pipe]), "conf.json").notices
    assert all(f"{key} (" in notice for key in ("fields", "abbreviations", "id", "preprocessors"))


def test_values_of_the_environment(tmp_path):
    text = json.dumps(configuration(modelId="$MODEL$", numPartitions=1, zinggDir="$DIR$", column="a$b$c"))
    conf = tmp_path / "conf.json"
    conf.write_text(text.replace('"numPartitions": 1', '"showConcise": $CONCISE$'))
    environment = {"MODEL": 'a "model"', "DIR": "models", "CONCISE": "true"}
    read = read_configuration_file(str(conf), environment)
    assert (read.model_id, read.zingg_dir, read.show_concise) == ('a "model"', "models", True)
    # No template, so that what is only a part of a value stays as it is.
    assert read.column == "a$b$c"


def test_a_template_may_have_values_anywhere_and_all_must_be_set(tmp_path):
    conf = tmp_path / "conf.json.env"
    conf.write_text(json.dumps(configuration(zinggDir="/data/$PLACE$/models", column="$ONE$ $TWO$")))
    with pytest.raises(MistakesError) as caught:
        read_configuration_file(str(conf), {"PLACE": "here"})
    assert "$ONE$: the environment has no ONE." in str(caught.value)
    assert "$TWO$" in str(caught.value)
    read = read_configuration_file(str(conf), {"PLACE": "here", "ONE": "1", "TWO": "2"})
    assert (read.zingg_dir, read.column) == ("/data/here/models", "1 2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,}', "not JSON"),
        ('{"data": [], "data": []}', 'the key "data" is there twice'),
        ("[]", "it holds no keys"),
        ("", "not JSON"),
    ],
)
def test_files_that_are_none(tmp_path, text, said):
    conf = tmp_path / "conf.json"
    conf.write_text(text)
    with pytest.raises(MistakesError, match=said):
        read_configuration_file(str(conf), {})
    with pytest.raises(MistakesError, match="cannot be read"):
        read_configuration_file(str(tmp_path / "none.json"), {})


def test_all_mistakes_are_said_at_once_with_their_places():
    text = wrong(
        {
            "dat": [],
            "fieldDefinition": [
                {"fieldName": "a", "matchType": "fuzy"},
                {"fieldName": "b", "matchType": "EMAIL,Exact", "dataType": "date"},
                {"fieldName": "z_score", "matchType": "MAPPING_NICKNAMES"},
                {"matchType": "FUZZY", "dataTyp": "string"},
            ],
            "data": [{"name": "x", "format": "csv", "schema": "a string, b date, z_score string"}],
            "modelId": "../x",
            "stopWordsCutoff": 3,
        }
    )
    for said in (
        'conf.json: unknown key "dat".\n  Did you mean "data"?',
        'conf.json fieldDefinition[0] "a" matchType: unknown match type "FUZY".\n  Did you mean "FUZZY"?',
        'fieldDefinition[1] "b" matchType: EMAIL does not compare values of type date.\n  Use FUZZY or EXACT',
        'fieldDefinition[2]: "z_score" is a column that is made.',
        "MAPPING_NICKNAMES: files of what is short for what are not built.\n  Use FUZZY",
        "fieldDefinition[3]: it has no fieldName.",
        'fieldDefinition[3]: unknown key "dataTyp".\n  Did you mean "dataType"?',
        "modelId: '../x' cannot be used.",
        "stopWordsCutoff: 3 cannot be used.",
        "9 mistakes; nothing was run.",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"fieldDefinition": []}, "no field is compared"),
        ({"fieldDefinition": [{**FIELD, "matchType": "DONT_USE"}]}, "all are DONT_USE"),
        ({"fieldDefinition": [FIELD, FIELD]}, 'the field "name" is there twice'),
        ({"fieldDefinition": {"fieldName": "a"}}, "it is no list"),
        ({"fieldDefinition": ["name"]}, "'name' cannot be used"),
        ({"fieldDefinition": [{"fieldName": "name"}]}, "no match type is given"),
        ({"fieldDefinition": [{**FIELD, "dataType": "strng"}]}, 'Did you mean "string"?'),
        ({"fieldDefinition": [{**FIELD, "dataType": "array<double>"}]}, "embeddings"),
        ({"data": []}, "no pipe says where the records come from"),
        ({"data": [{"format": "csv"}]}, "it has no name"),
        ({"data": [{"name": "x"}]}, "it has no format"),
        ({"data": [{**DATA, "props": "customers.csv"}]}, "props: 'customers.csv' cannot be used"),
        ({"data": [{**DATA, "schema": "name strng"}]}, 'Did you mean "string"?'),
        ({"data": [{**DATA, "schema": "nam string"}]}, 'no column "name", which fieldDefinition names'),
        ({"data": [{**DATA, "schema": 3}]}, "3 cannot be used"),
        ({"output": [{**DATA, "pops": {}}]}, 'unknown key "pops"'),
        ({"zinggDir": "s3://bucket/models"}, "a folder of this machine"),
        ({"labelDataSampleSize": 2}, "a number above 0 and up to 1"),
        ({"showConcise": "perhaps"}, "true or false"),
        ({"column": 3}, "text, in quotes"),
    ],
)
def test_mistakes(more, said):
    assert said in wrong(configuration(**more))


@pytest.mark.parametrize("data_type", ["string", "integer", "long", "double", "float", "date", "boolean"])
@pytest.mark.parametrize("name", MATCH_TYPES)
def test_a_match_type_compares_values_of_a_data_type_or_is_refused(name, data_type):
    data = configuration(fieldDefinition=[{**FIELD, "matchType": name.lower(), "dataType": data_type}])
    # Of numbers, dates and booleans those that mean something; what Zingg learns nothing from works, or is refused.
    of_all, of_whole = {"EXACT", "NULL_OR_BLANK"}, {"NUMERIC", "PINCODE", "FUZZY"}
    works = {
        "string": set(MATCH_TYPES),
        "integer": of_all | of_whole,
        "long": of_all | of_whole,
        "boolean": of_all,
    }.get(data_type, of_all | {"FUZZY"})
    if name in works:
        assert read_configuration(data, "conf.json").fields[0].match_types == (name,)
    else:
        assert f"{name} does not compare values of type {data_type}" in wrong(data)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("number_with_units", "NUMERIC_WITH_UNITS"),
        ("FUZZY_OPTIMISED", "FUZZY"),
        ("email_optimised", "EMAIL"),
        ("ONLY_ALPHABETS_FUZZY_OPTIMISED", "ONLY_ALPHABETS_FUZZY"),
    ],
)
def test_names_that_are_taken_for_others_are_told(given, taken):
    read = read_configuration(configuration(fieldDefinition=[{**FIELD, "matchType": given}]), "conf.json")
    assert read.fields[0].match_types == (taken,)
    assert f"taken as {taken}" in read.notices[0]


def test_dont_use_wins():
    read = read_configuration(
        configuration(
            fieldDefinition=[
                FIELD,
                {**FIELD, "fieldName": "id", "fields": "id", "matchType": "FUZZY,DONT_USE"},
            ]
        ),
        "conf.json",
    )
    assert read.fields[1].match_types == ()
    assert "is not compared" in read.notices[0]


def test_the_command_line_goes_before_the_file():
    read = checked(
        read_configuration(configuration(), "conf.json"),
        {"zinggDir": "elsewhere", "modelId": "7", "column": "name", "showConcise": "TRUE"},
    )
    assert (read.zingg_dir, read.model_id, read.column, read.show_concise) == ("elsewhere", "7", "name", True)
    with pytest.raises(MistakesError, match="-- modelId"):
        checked(read, {"modelId": "a/b"})
