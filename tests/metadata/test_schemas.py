import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import pehchan.metadata
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.properties import Settings
from pehchan.metadata.schemas import load_schema, native_text

EXAMPLES = Path(pehchan.metadata.__file__).parent / "schemas"
SIFARISH = {
    "distAlgorithm": "manhattan",
    "textMatchingAlgorithm": "editDistance",
    "entity": {
        "fields": [
            {"name": "id", "ordinal": 0, "id": True, "dataType": "string"},
            {"name": "name", "ordinal": 1, "dataType": "text"},
            {"name": "city", "ordinal": 2, "dataType": "text"},
        ]
    },
}
NATIVE = "columns: [id, name, city]\nid: id\nfields: {name: edit, city: edit}\ncutoff: 100\n"


def load(tmp_path, name, text, **settings):
    """The schema of a file with this text, its mistakes and its warnings."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    mistakes = Mistakes()
    schema = load_schema(str(path), Settings(**settings), mistakes)
    assert schema is not None or mistakes.found
    return schema, mistakes.found, mistakes.warnings


def the_mistake(tmp_path, name, text, **settings):
    _, found, _ = load(tmp_path, name, text, **settings)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("name", ["s.json", "s.txt"])
def test_json_in_either_form(tmp_path, name):
    schema, _, _ = load(tmp_path, name, json.dumps(SIFARISH))
    assert schema.lines
    assert schema.where == str(tmp_path / name)
    schema, _, _ = load(tmp_path, name, b"\xef\xbb\xbf" + json.dumps(yaml.safe_load(NATIVE)).encode())
    assert not schema.lines
    assert schema.cutoff == 100


@pytest.mark.parametrize("name", ["s.yaml", "s.yml", "S.YAML"])
def test_yaml_in_either_form(tmp_path, name):
    assert load(tmp_path, name, yaml.safe_dump(SIFARISH))[0].lines
    assert load(tmp_path, name, NATIVE)[0].cutoff == 100
    assert load(tmp_path, name, b"\xef\xbb\xbf" + NATIVE.encode())[0].cutoff == 100


def test_a_sifarish_schema_without_its_algorithm_is_told_so(tmp_path):
    data = {key: value for key, value in SIFARISH.items() if key != "distAlgorithm"}
    assert '"distAlgorithm" is missing' in the_mistake(tmp_path, "s.json", json.dumps(data)).what
    assert "two kinds" in the_mistake(tmp_path, "s.json", '{"entities": []}').what


def test_a_path_from_the_properties_file_is_found_beside_it(tmp_path, monkeypatch):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "s.yaml").write_text(NATIVE)
    monkeypatch.chdir(tmp_path)
    mistakes = Mistakes()
    assert load_schema("s.yaml", Settings(), mistakes, "conf/job.properties").where == "conf/s.yaml"
    (tmp_path / "s.yaml").write_text(NATIVE)
    assert load_schema("s.yaml", Settings(), mistakes, "conf/job.properties").where == "s.yaml"
    assert not mistakes.found
    assert load_schema("t.yaml", Settings(), mistakes, "conf/job.properties") is None
    assert mistakes.found[0].where == "t.yaml"


def test_no_schema_at_all_is_a_mistake():
    mistakes = Mistakes()
    assert load_schema(None, Settings(), mistakes, "job.properties") is None
    assert mistakes.found[0].where == "job.properties"
    assert "sts.same.schema.file.path" in mistakes.found[0].right


@pytest.mark.parametrize("path", ["absent.json", "."])
def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path, path):
    mistakes = Mistakes()
    assert load_schema(str(tmp_path / path), Settings(), mistakes) is None
    assert mistakes.found[0].where == str(tmp_path / path)
    assert "cannot be read" in mistakes.found[0].what


@pytest.mark.parametrize(
    ("name", "text", "place", "what"),
    [
        ("s.json", "", "", "empty"),
        ("s.yaml", " \n", "", "empty"),
        ("s.json", b"\xff\xfe", "", "not UTF-8 (byte 0)"),
        ("s.json", '{\n "a": 1,\n}', " line 3 column 1", "not JSON"),
        ("s.json", '{"cutoff": NaN}', "", "NaN is no JSON"),
        ("s.json", "[" * 100_000, "", "nested too deeply"),
        ("s.json", "[]", "", "no keys"),
        ("s.json", '"text"', "", "no keys"),
        ("s.yaml", "a: [1\nb: 2\n", " line 2 column 2", "not YAML"),
        ("s.yaml", "id: a\nfields: {a: edit}\nid: b\n", " line 3 column 1", 'key "id" is there twice'),
        ("s.yaml", "fields:\n  a: edit\n  a: exact\n", " line 3 column 3", 'key "a" is there twice'),
        ("s.yaml", "id: !!python/object:os.system {}", " line 1 column 5", "not YAML"),
        ("s.yaml", "id: 2020-13-45", "", "cannot be read"),
        ("s.yaml", "id: \x01", "", "not YAML"),
        ("s.yaml", "a", "", "no keys"),
    ],
)
def test_a_file_that_is_no_schema_says_what_it_is_and_where(tmp_path, name, text, place, what):
    mistake = the_mistake(tmp_path, name, text)
    assert mistake.where == f"{tmp_path / name}{place}"
    assert what in mistake.what


def test_a_key_twice_in_json_is_warned_of(tmp_path):
    schema, _, warnings = load(tmp_path, "s.json", '{"cutoff": 1, "cutoff": 2, "fields": {"a": "edit"}}')
    assert schema.cutoff == 2
    assert '"cutoff" is there twice' in warnings[0].what


def test_yaml_may_merge(tmp_path):
    text = "fields:\n  a: &text {measure: edit, weight: 2}\n  b: {<<: *text, weight: 3}\n"
    schema, _, _ = load(tmp_path, "s.yaml", text)
    assert [(field.measure, field.weight) for field in schema.fields] == [("edit", 2.0), ("edit", 3.0)]


@pytest.mark.parametrize(("name", "text"), [("s.json", json.dumps(SIFARISH)), ("s.yaml", NATIVE)])
def test_faceted_ordinals_leave_the_other_fields_out(tmp_path, name, text):
    schema, _, warnings = load(tmp_path, name, text, faceted=(2, 0))
    assert [field.name for field in schema.fields] == ["city"]
    assert "column 0 is none" in warnings[0].what
    assert "Compared: 1, 2" in warnings[0].right
    mistake = the_mistake(tmp_path, name, text, faceted=(7,))
    assert (mistake.where, mistake.what) == ("sts.faceted.field.ordinal", "no field is left to compare.")


def test_faceted_ordinals_need_to_know_where_columns_stand(tmp_path):
    mistake = the_mistake(tmp_path, "s.yaml", "fields: {a: edit}", faceted=(1,))
    assert mistake.where == "sts.faceted.field.ordinal"


def test_the_cutoff_of_a_schema_is_within_the_scale(tmp_path):
    assert load(tmp_path, "s.yaml", NATIVE, scale=100)[0].cutoff == 100
    mistake = the_mistake(tmp_path, "s.yaml", NATIVE, scale=99)
    assert mistake.what == "cutoff: 100 is above sts.distance.scale=99."


def test_id_counted_comes_from_the_settings(tmp_path):
    for name, text in (("s.json", json.dumps(SIFARISH)), ("s.yaml", NATIVE)):
        assert load(tmp_path, name, text, id_counted=True)[0].id_counted
        assert not load(tmp_path, name, text)[0].id_counted


@pytest.mark.parametrize("path", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_the_examples_are_well(path):
    mistakes = Mistakes()
    schema = load_schema(str(path), Settings(), mistakes)
    assert mistakes == Mistakes()
    assert len(schema.fields) >= 3
    assert schema.id


def test_the_two_examples_of_customers_have_the_same_columns():
    mistakes = Mistakes()
    old = load_schema(str(EXAMPLES / "customer.json"), Settings(), mistakes)
    new = load_schema(str(EXAMPLES / "customers.yaml"), Settings(), mistakes)
    columns = [(field.name, field.ordinal) for field in old.fields]
    assert [(field.name, field.ordinal) for field in new.fields] == columns
    assert replace(old, fields=()).id_ordinal == new.id_ordinal == 0


def test_yaml_for_people_has_a_field_a_line():
    data = {
        "id": "no",
        "columns": ["a", "b: c"],
        "fields": {
            "a": "edit",
            "b: c": {"measure": "jaccard", "curve": {"sigmoid": [3, 0.5]}, "fold": ["case"]},
        },
        "cutoff": 100,
    }
    assert native_text(data).splitlines() == [
        "id: 'no'",
        "columns: [a, 'b: c']",
        "fields:",
        "  a: edit",
        "  'b: c': {measure: jaccard, curve: {sigmoid: [3, 0.5]}, fold: [case]}",
        "cutoff: 100",
    ]


@given(st.dictionaries(st.text(max_size=5) | st.just("x" * 200) | st.just("a\nb"), st.text(max_size=5)))
def test_yaml_for_people_says_the_same(fields):
    data = {"id": "é", "fields": fields}
    assert yaml.safe_load(native_text(data)) == data
