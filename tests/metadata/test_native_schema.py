import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import read_native, resolve, with_column_names, write_native
from pehchan.metadata.properties import Settings
from pehchan.metadata.schema import KINDS, Curve, Field, Schema
from pehchan.metadata.schemas import load_schema

GOLDEN = Path(__file__).parents[1] / "golden"

CUSTOMERS = """
entity: customer
id: custID
columns: [custID, name, address, city, phone, price, tags, category]
fields:
  name:    {measure: edit, threshold: 0.4}
  address: edit
  city:    {measure: jaro-winkler, weight: 2, fold: [case, accents]}
  town:    {measure: exact, column: city, fold: case}
  phone:   {measure: levenshtein, missing: skip}
  price:   {measure: number, min: 0, max: 100}
  tags:    {measure: jaccard, curve: {nonLinear: 1.2}, implode: 0, explode: 1}
aggregate: {minkowski: 3}
missing: max
partition: category
cutoff: 100
"""


def read(data):
    mistakes = Mistakes()
    schema = read_native(yaml.safe_load(data) if isinstance(data, str) else data, "c.yaml", mistakes)
    assert not mistakes.warnings
    return schema, mistakes.found


def read_well(data):
    schema, found = read(data)
    assert not found
    return schema


def the_mistake(data):
    _, found = read(data)
    assert len(found) == 1, found
    return found[0]


def test_a_schema_reads_as_it_means():
    assert read_well(CUSTOMERS) == Schema(
        entity="customer",
        id="custID",
        id_ordinal=0,
        columns=("custID", "name", "address", "city", "phone", "price", "tags", "category"),
        fields=(
            Field("name", 1, "edit", threshold=0.4),
            Field("address", 2, "edit"),
            Field("city", 3, "jaro-winkler", weight=2.0, fold=("case", "accents")),
            Field("town", 3, "exact", fold=("case",), column="city"),
            Field("phone", 4, "levenshtein", missing="skip"),
            Field("price", 5, "number", {"min": 0, "max": 100}),
            Field("tags", 6, "jaccard", curve=Curve("nonLinear", 1.2), implode=0.0, explode=1.0),
        ),
        aggregation="minkowski",
        power=3.0,
        partition="category",
        partition_ordinal=7,
        cutoff=100,
    )
    assert read_well(CUSTOMERS).fields[0].where == 'c.yaml field "name"'


def test_without_columns_the_ordinals_wait_for_a_header():
    schema = read_well("{id: i, partition: p, fields: {a: edit, b: {measure: edit, column: c}}}")
    assert (schema.id_ordinal, schema.partition_ordinal) == (None, None)
    assert [(field.ordinal, field.column) for field in schema.fields] == [(None, None), (None, "c")]


def test_columns_may_be_numbered():
    schema = read_well("{id: 0, partition: 3, fields: {a: {measure: edit, column: 2}}}")
    assert (schema.id, schema.id_ordinal) == ("id", 0)
    assert (schema.partition, schema.partition_ordinal) == (None, 3)
    assert schema.fields == (Field("a", 2, "edit"),)
    schema = read_well("{id: 1, columns: [a, key], fields: {b: {measure: edit, column: 0}}}")
    assert (schema.id, schema.id_ordinal) == ("key", 1)
    assert schema.fields == (Field("b", 0, "edit"),)


def test_without_an_id_ids_come_from_the_content():
    schema = read_well("fields: {a: edit}")
    assert (schema.id, schema.id_ordinal, schema.entity) == (None, None, "record")


def test_missing_is_the_default_of_all_fields():
    schema = read_well("{missing: skip, fields: {a: edit, b: {measure: edit, missing: max}}}")
    assert [field.missing for field in schema.fields] == ["skip", "max"]


@pytest.mark.parametrize(
    ("form", "curve"),
    [
        ("{nonLinear: 2}", Curve("nonLinear", 2.0)),
        ("{sigmoid: [5, 0.4]}", Curve("sigmoid", 5.0, 0.4)),
        ("{step: 0.3}", Curve("step", t=0.3)),
        ("{ramp: 0}", Curve("ramp", t=0.0)),
        ("null", Curve()),
    ],
)
def test_curves(form, curve):
    assert read_well(f"fields: {{a: {{measure: edit, curve: {form}}}}}").fields[0].curve == curve


@pytest.mark.parametrize(
    ("line", "what", "right"),
    [
        ("threshold: 1.4", "threshold: 1.4", "a number from 0 to 1"),
        ("threshold: -0.1", "threshold: -0.1", "a number from 0 to 1"),
        ("threshold: '0.4'", "threshold: '0.4'", "a number from 0 to 1"),
        ("threshold: true", "threshold: True", "a number from 0 to 1"),
        ("threshold: .nan", "threshold: nan", "a number from 0 to 1"),
        ("weight: 0", "weight: 0", "a number above 0"),
        ("weight: -1", "weight: -1", "a number above 0"),
        ("weight: .inf", "weight: inf", "a number above 0"),
        ("kind: name of a person", "kind: 'name of a person' is no kind", "Known: name, words"),
        ("implode: low", "implode: 'low'", "a number"),
        ("explode: []", "explode: []", "a number"),
        ("missing: previous", "missing: 'previous'", "max"),
        ("missing: default", "missing: 'default'", "skip"),
        ("fold: upper", "fold: 'upper'", "case, accents"),
        ("fold: [case, 1]", "fold: ['case', 1]", "case, accents"),
        ("curve: {nonLinear: 0}", "curve: {'nonLinear': 0}", "w above 0"),
        ("curve: {sigmoid: 3}", "curve: {'sigmoid': 3}", "{sigmoid: [w, t]}"),
        ("curve: {step: 2}", "curve: {'step': 2}", "t from 0 to 1"),
        ("curve: {log: 2}", "curve: {'log': 2}", "{ramp: t}"),
        ("curve: {log: []}", "curve: {'log': []}", "{ramp: t}"),
        ("curve: step", "curve: 'step'", "{step: t}"),
        ("column: -1", "column: -1", "number from 0"),
        ("column: no", "column: False", "in quotes"),
        ("column: 1.5", "column: 1.5", "number from 0"),
        ("max: .inf", "max: inf", "numbers"),
        ("format: 2020-01-01", "format: datetime.date", "in quotes"),
    ],
)
def test_a_mistake_in_a_field_names_the_file_the_field_and_what_is_accepted(line, what, right):
    mistake = the_mistake(f"fields:\n  name:\n    measure: edit\n    {line}\n")
    assert mistake.where == 'c.yaml field "name"'
    assert mistake.what.startswith(what)
    assert right in mistake.right


@pytest.mark.parametrize(
    ("line", "what", "right"),
    [
        ("cutoff: -1", "cutoff: -1", "a whole number of 0 or more"),
        ("cutoff: 0.5", "cutoff: 0.5", "a whole number of 0 or more"),
        ("cutoff: true", "cutoff: True", "a whole number of 0 or more"),
        ("aggregate: cosine", "aggregate: 'cosine'", "manhattan, euclidean"),
        ("aggregate: minkowski", "aggregate: 'minkowski'", "{minkowski: p}"),
        ("aggregate: {minkowski: 0}", "aggregate: {'minkowski': 0}", "p above 0"),
        ("missing: skipped", "missing: 'skipped'", "skip"),
        ("entity: 3", "entity: 3", "as text"),
        ("lines: 'yes'", "lines: 'yes'", "true or false"),
        ("id: no", "id: False", "in quotes"),
        ("id: {name: a}", "id: {'name': 'a'}", "number from 0"),
        ("partition: -2", "partition: -2", "number from 0"),
        ("columns: name", "columns: 'name'", "a list"),
        ("columns: [no, a]", "columns: [False, 'a']", "quote"),
        ("cutof: 100", 'unknown key "cutof"', 'Did you mean "cutoff"?'),
        ("7: 100", 'unknown key "7"', "Known: entity, id"),
    ],
)
def test_a_mistake_in_the_schema_names_the_file_the_key_and_what_is_accepted(line, what, right):
    mistake = the_mistake(f"fields: {{a: edit}}\n{line}\n")
    assert mistake.where == "c.yaml"
    assert mistake.what.startswith(what)
    assert right in mistake.right


@pytest.mark.parametrize("fields", ["{}", "[a, b]", "edit", "null"])
def test_a_schema_that_compares_nothing_is_a_mistake(fields):
    mistake = the_mistake(f"fields: {fields}")
    assert "no field is compared" in mistake.what
    assert "name: edit" in mistake.right


@pytest.mark.parametrize("data", [[], "edit", None, 3])
def test_something_else_is_a_mistake_and_no_crash(data):
    mistakes = Mistakes()
    read_native(data, "c.yaml", mistakes)
    assert "no keys" in mistakes.found[0].what


@pytest.mark.parametrize("field", ["3", "null", "{threshold: 0.4}", "{measure: 3}", "[edit]"])
def test_a_field_without_a_measure_is_a_mistake(field):
    mistake = the_mistake(f"fields: {{name: {field}}}")
    assert mistake.where == 'c.yaml field "name"'
    assert "{measure: edit, threshold: 0.4}" in mistake.right


def test_names_that_yaml_takes_for_something_else():
    mistake = the_mistake("fields: {no: edit}")
    assert mistake.where == 'c.yaml field "False"'
    assert "quotes" in mistake.right
    assert read_well("fields: {2013: edit}").fields[0].name == "2013"
    assert "twice" in the_mistake("fields: {2013: edit, '2013': edit}").what


def test_all_mistakes_are_found_at_once():
    _, found = read("{cutoff: x, fields: {a: {measure: edit, weight: 0, fold: x}, b: 3}, aggregate: x}")
    assert len(found) == 5


def header(*names):
    return tuple(names)


def resolved(data, names):
    mistakes = Mistakes()
    return resolve(read_well(data), names, mistakes), mistakes.found


def test_columns_are_found_by_their_names_in_any_order():
    names = header("category", "tags", "price", "phone", "city", "address", "name", "custID", "more")
    for text in (CUSTOMERS, CUSTOMERS.replace("columns:", "#")):
        schema, found = resolved(text, names)
        assert not found
        assert schema.columns == names
        assert (schema.id_ordinal, schema.partition_ordinal) == (7, 0)
        assert [field.ordinal for field in schema.fields] == [6, 5, 4, 4, 3, 2, 1]


def test_numbered_columns_keep_their_numbers_and_must_exist():
    data = "{id: 0, partition: 1, fields: {a: {measure: edit, column: 2}}}"
    schema, found = resolved(data, header("x", "y", "z"))
    assert not found
    assert (schema.id_ordinal, schema.partition_ordinal, schema.fields[0].ordinal) == (0, 1, 2)
    assert schema.partition == "y"
    _, found = resolved(data, header("x", "y"))
    assert [mistake.where for mistake in found] == ['c.yaml field "a"']
    assert found[0].what == "there is no column 2 (counted from 0)."
    assert "2 columns" in found[0].right


def test_an_absent_column_is_a_mistake_with_the_nearest_one():
    _, found = resolved(
        "{id: key, fields: {name: edit, b: {measure: edit, column: adress}}}", ["nam", "address"]
    )
    assert [(mistake.where, mistake.what, mistake.right) for mistake in found] == [
        ("c.yaml id", 'there is no column "key".', "Known: nam, address."),
        ('c.yaml field "name"', 'there is no column "name".', 'Did you mean "nam"?'),
        ('c.yaml field "b"', 'there is no column "adress".', 'Did you mean "address"?'),
    ]


def test_a_column_that_is_there_twice_must_be_numbered():
    _, found = resolved("{id: id, fields: {a: edit}}", ["id", "a", "a"])
    assert found[0].where == 'c.yaml field "a"'
    assert found[0].what == 'there are 2 columns "a".'
    schema, found = resolved("{id: id, fields: {a: {measure: edit, column: 2}}}", ["id", "a", "a"])
    assert (schema.fields[0].ordinal, found) == (2, [])


def test_a_column_missing_from_the_schemas_own_columns_is_a_mistake():
    assert 'no column "b"' in the_mistake("{columns: [a], fields: {a: edit, b: edit}}").what
    assert "no column 3" in the_mistake("{columns: [a], id: 3, fields: {a: edit}}").what


def test_names_without_a_header_are_one_mistake():
    _, found = resolved("{id: id, fields: {a: edit, b: edit}}", ())
    assert len(found) == 1
    assert "columns: [" in found[0].right
    _, found = resolved("{id: 0, fields: {a: {measure: edit, column: 1}}}", ())
    assert not found


def test_a_resolved_schema_is_found_again_in_another_header():
    schema, _ = resolved(
        "{id: 0, partition: 1, fields: {a: {measure: edit, column: 2}}}", header("x", "y", "z")
    )
    mistakes = Mistakes()
    again = resolve(schema, ["z", "x", "y"], mistakes)
    assert not mistakes.found
    assert (again.id_ordinal, again.partition_ordinal, again.fields[0].ordinal) == (1, 2, 0)


def test_what_is_written_is_short():
    data = {
        "entity": "customer",
        "id": "id",
        "fields": {"a": "edit", "b": {"measure": "number", "max": 3, "weight": 2, "fold": ["case"]}},
        "missing": "skip",
    }
    assert write_native(read_well(data)) == data


def test_numbered_columns_are_written_by_number():
    data = {
        "id": {"name": "custID", "column": 0},
        "fields": {"a": {"measure": "edit", "column": 1}},
        "partition": 3,
        "lines": True,
    }
    assert write_native(read_well(data)) == data
    data["id"] = 0
    assert write_native(read_well(data)) == data


def test_columns_of_one_name_stay_apart():
    data = {
        "id": 1,
        "columns": ["a", "a", "b"],
        "fields": {"a": {"measure": "edit", "column": 0}, "b": "edit"},
    }
    schema = read_well(data)
    assert (schema.id, schema.id_ordinal) == ("a", 1)
    assert [field.ordinal for field in schema.fields] == [0, 2]
    assert write_native(schema) == data


def test_what_only_sifarish_says_is_carried_under_its_name():
    field = Field("a", 1, "edit", missing="previous", threshold=1.5)
    schema = Schema((field,), aggregation="minkowski", power=0.0, lines=True, id_counted=True)
    data = json.loads(json.dumps(write_native(schema)))
    assert data["sifarish"] is True
    assert read_well(data) == schema
    del data["sifarish"]
    assert len(read(data)[1]) == 3
    for one in (replace(field, missing="max"), replace(field, threshold=None)):
        assert write_native(Schema((one,)))["sifarish"] is True
    assert "sifarish" not in write_native(Schema((replace(field, missing="max", threshold=1.0),)))


NAMES = st.text("ab", min_size=1, max_size=2) | st.text(min_size=1, max_size=4)
POSITIVE = st.floats(1e-9, 1e9)
SHARES = st.floats(0, 1)
CURVES = st.one_of(
    st.just(Curve()),
    st.builds(lambda w: Curve("nonLinear", w), POSITIVE),
    st.builds(lambda w, t: Curve("sigmoid", w, t), POSITIVE, SHARES),
    st.builds(lambda t: Curve("step", t=t), SHARES),
    st.builds(lambda t: Curve("ramp", t=t), SHARES),
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=4,
)


@st.composite
def schemas(draw):
    """Schemas that name their columns (with all of them known, or not yet) or number them."""
    columns = draw(st.lists(NAMES, max_size=6))
    named = draw(st.booleans())
    fields = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=5, unique=True)):
        column = draw(st.none() | NAMES) if not columns and named else None
        ordinal = draw(st.integers(0, len(columns) - 1 if columns else 9)) if columns or not named else None
        fields.append(
            Field(
                name,
                ordinal,
                draw(NAMES),
                draw(st.dictionaries(st.sampled_from(["min", "max", "tokens", "weights"]), PLAIN)),
                weight=draw(POSITIVE),
                curve=draw(CURVES),
                threshold=draw(st.none() | st.floats(0, 3)),
                missing=draw(st.sampled_from(["max", "skip", "previous"])),
                fold=tuple(draw(st.lists(st.sampled_from(["case", "accents"]), unique=True))),
                implode=draw(st.floats(-1, 1)),
                explode=draw(st.floats(-1, 2)),
                column=column,
                kinds=tuple(draw(st.lists(st.sampled_from(KINDS), max_size=2, unique=True))),
            )
        )
    name, ordinal = draw(st.none() | NAMES), draw(st.integers(0, len(columns) - 1 if columns else 9))
    partition = draw(st.none() | NAMES)
    power = draw(st.none() | st.floats(0, 9))
    return Schema(
        fields=tuple(fields),
        entity=draw(NAMES),
        columns=tuple(columns),
        id=name,
        id_ordinal=ordinal if name is not None and (columns or not named) else None,
        aggregation=draw(st.sampled_from(["manhattan", "euclidean"])) if power is None else "minkowski",
        power=1.0 if power is None else power,
        partition=partition,
        partition_ordinal=ordinal
        if (partition is not None or not columns) and (columns or not named)
        else None,
        cutoff=draw(st.none() | st.integers(0, 10**6)),
        id_counted=draw(st.booleans()),
        lines=draw(st.booleans()),
    )


@given(schemas())
def test_every_schema_comes_back_from_its_native_form(schema):
    assert read_well(json.loads(json.dumps(write_native(schema)))) == schema


@given(schemas(), st.lists(NAMES, min_size=1, max_size=12))
def test_a_schema_resolved_by_a_header_comes_back_too(schema, names):
    mistakes = Mistakes()
    found = resolve(schema, names, mistakes)
    if not mistakes.found:
        assert read_well(json.loads(json.dumps(write_native(found)))) == found


@given(
    st.dictionaries(st.text(max_size=9) | st.integers(), PLAIN | st.dictionaries(NAMES, PLAIN), max_size=5)
)
def test_no_data_makes_the_reader_crash(data):
    read(data)
    read({"fields": data, "id": "x"})
    read({"fields": {"a": {"measure": "edit", **{str(key): value for key, value in data.items()}}}})


@pytest.mark.parametrize("case", sorted(GOLDEN.glob("same_*/schema.json")), ids=lambda path: path.parent.name)
def test_a_sifarish_schema_with_names_for_its_columns_compares_the_same(case):
    numbered = load_schema(str(case), Settings(compat=True), Mistakes())
    named = with_column_names(numbered)
    written = write_native(named)
    again = read_well(json.loads(json.dumps(written)))
    assert again.fields == numbered.fields
    assert (again.id_ordinal, again.partition_ordinal) == (numbered.id_ordinal, numbered.partition_ordinal)
    assert not any("column" in field for field in written["fields"].values() if isinstance(field, dict))
