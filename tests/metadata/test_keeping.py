"""What golden records keep, as a schema says it: read, found wrong, resolved and written."""

import json
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pehchan.metadata.keeping import RULES, KeptColumn, Rule
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import read_native, resolve, write_native
from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings
from pehchan.metadata.schema import Schema
from pehchan.metadata.schemas import facet, native_text

CUSTOMERS = """
id: custID
columns: [custID, name, phone, updated, system, email]
fields:
  name:  {measure: edit, keep: longest}
  phone: {measure: edit, keep: {newest: updated}}
keep: {source: {column: system, order: [crm, web]}}
golden:
  email: all
"""


def read(text):
    mistakes = Mistakes()
    schema = read_native(yaml.safe_load(text) if isinstance(text, str) else text, "c.yaml", mistakes)
    return schema, mistakes.found


def read_well(text):
    schema, found = read(text)
    assert not found
    return schema


def again(schema):
    """As it travels in a plan."""
    return read_well(json.loads(json.dumps(write_native(schema))))


def test_each_column_has_the_rule_that_the_schema_says():
    schema = read_well(CUSTOMERS)
    by_source = Rule("source", "system", 4, ("crm", "web"))
    assert schema.keep == by_source
    assert schema.golden == (KeptColumn("email", 5, Rule("all")),)
    newest = Rule("newest", "updated", 3)
    # The id is that of the entity, whatever all others are.
    assert schema.rules == (Rule("first"), Rule("longest"), newest, by_source, by_source, Rule("all"))
    assert schema.keeps


def test_the_id_has_another_rule_where_the_schema_says_so():
    schema = read_well(CUSTOMERS + "  custID: all\n")
    assert schema.rules[0] == Rule("all")


def test_a_schema_that_says_nothing_asks_for_nothing():
    assert not read_well("{columns: [a], fields: {a: edit}}").keeps


@pytest.mark.parametrize(
    "line", ["keep: most-frequent", "golden: {b: first}", "fields: {a: {measure: edit, keep: most-frequent}}"]
)
def test_each_of_the_three_places_asks_for_golden_records(line):
    schema = read_well(yaml.safe_load("{columns: [a, b], fields: {a: edit}}") | yaml.safe_load(line))
    assert schema.keeps
    others = {"b": Rule("first")} if "golden" in line else {}
    assert schema.rules == (Rule(), others.get("b", Rule()))


@pytest.mark.parametrize(
    ("form", "rule"),
    [
        ("most-frequent", Rule("most-frequent")),
        ("longest", Rule("longest")),
        ("first", Rule("first")),
        ("all", Rule("all")),
        ("{newest: updated}", Rule("newest", "updated", 1)),
        ("{newest: 1}", Rule("newest", "updated", 1)),
        ("{newest: {column: updated}}", Rule("newest", "updated", 1)),
        ("{newest: {column: updated, format: '%d.%m.%Y'}}", Rule("newest", "updated", 1, format="%d.%m.%Y")),
        ("{source: [b, a]}", Rule("source", order=("b", "a"))),
        ("{source: {order: [b, a]}}", Rule("source", order=("b", "a"))),
        ("{source: {column: system, order: [2, 1]}}", Rule("source", "system", 2, ("2", "1"))),
    ],
)
def test_rules_in_all_their_forms(form, rule):
    schema = read_well(f"{{columns: [a, updated, system], fields: {{a: edit}}, keep: {form}}}")
    assert schema.keep == rule
    assert again(schema) == schema
    assert read_well(native_text(write_native(schema))) == schema


@pytest.mark.parametrize(
    ("form", "what", "right"),
    [
        ("longst", "keep: 'longst' is no rule", 'Did you mean "longest"?'),
        (
            "average",
            "keep: 'average' is no rule",
            "Known: most-frequent, longest, newest, source, first, all.",
        ),
        ("3", "keep: 3 cannot be used", "Known: most-frequent"),
        ("null", "keep: None cannot be used", "Known: most-frequent"),
        ("[longest]", "keep: ['longest'] cannot be used", 'Did you mean "longest"?'),
        ("{longest: name, newest: b}", "keep: {'longest': 'name', 'newest': 'b'} cannot be used", "Known"),
        ("newest", "keep: newest: it has no column", "{newest: updated}"),
        ("{newest: null}", "keep: newest: it has no column", "{newest: updated}"),
        ("{newest: {format: '%Y'}}", "keep: newest: it has no column", "{newest: updated}"),
        ("{newest: [b]}", "keep: newest: order does not belong to it", "{newest: updated}"),
        ("{newest: {column: b, by: day}}", "keep: newest: by does not belong to it", "{newest: updated}"),
        ("{newest: c}", 'there is no column "c"', "Known: a, b."),
        ("{newest: 7}", "there is no column 7", "2 columns"),
        ("{newest: 1.5}", "keep: newest: column: 1.5 cannot be used", "number from 0"),
        ("{newest: {column: b, format: 3}}", "keep: newest: format: 3 is no format", "'%d.%m.%Y'"),
        ("{newest: {column: b, format: '%Q'}}", "keep: newest: format: '%Q' is no format", "strptime"),
        ("source", "keep: source: it has no order", "{source: [crm, web]}"),
        ("{source: []}", "keep: source: it has no order", "{source: [crm, web]}"),
        ("{source: b}", "keep: source: it has no order", "order: [crm, web]"),
        ("{source: {column: b}}", "keep: source: it has no order", "order: [crm, web]"),
        ("{source: {column: c, order: [x]}}", 'there is no column "c"', "a"),
        (
            "{source: {column: b, order: x}}",
            "keep: source: order: 'x' cannot be used",
            "Give each source once",
        ),
        ("{source: [x, x]}", "keep: source: order: ['x', 'x'] cannot be used", "once"),
        ("{source: [no]}", "keep: source: order: [False] cannot be used", "as text"),
        ("{longest: b}", "keep: longest stands alone", "Give keep: longest."),
    ],
)
@pytest.mark.parametrize(
    ("place", "where"),
    [
        ("{columns: [a, b], fields: {a: {measure: edit, keep: FORM}}}", 'c.yaml field "a"'),
        ("{columns: [a, b], fields: {a: edit}, keep: FORM}", "c.yaml"),
        ("{columns: [a, b], fields: {a: edit}, golden: {b: FORM}}", 'c.yaml golden column "b"'),
    ],
)
def test_a_mistake_in_a_rule_names_its_place_and_what_is_right(place, where, form, what, right):
    _, found = read(place.replace("FORM", form))
    assert len(found) == 1, found
    assert found[0].where in (where, f"{where} keep")
    assert found[0].what.startswith(what)
    assert right in found[0].right


@pytest.mark.parametrize(
    ("line", "where", "what"),
    [
        ("golden: {}", "c.yaml golden", "names no column"),
        ("golden: longest", "c.yaml golden", "names no column"),
        ("golden: {no: longest}", 'c.yaml golden column "False"', "is not text"),
        ("golden: {2013: all, '2013': all}", 'c.yaml golden column "2013"', "twice"),
        ("golden: {c: longest}", 'c.yaml golden column "c"', 'no column "c"'),
        (
            "golden: {a: longest}",
            'c.yaml golden column "a"',
            'c.yaml field "a" has a rule for column "a" as well',
        ),
        ("kep: longest", "c.yaml", 'unknown key "kep"'),
    ],
)
def test_mistakes_of_the_section(line, where, what):
    _, found = read(f"columns: [a, b, '2013']\nfields: {{a: {{measure: edit, keep: first}}}}\n{line}\n")
    assert len(found) == 1, found
    assert found[0].where == where
    assert what in found[0].what


def test_two_fields_of_one_column_have_one_rule():
    fields = "{a: {measure: edit, keep: first}, again: {measure: exact, column: a, keep: all}}"
    _, found = read(f"{{columns: [a], fields: {fields}}}")
    assert [mistake.where for mistake in found] == ['c.yaml field "again"']
    assert not read("{columns: [a], fields: " + fields.replace(", keep: all", "") + "}")[1]


def test_columns_are_found_by_the_header_of_a_file():
    schema = read_well(CUSTOMERS.replace("columns:", "#"))
    assert schema.rules == ()
    mistakes = Mistakes()
    found = resolve(schema, ("email", "system", "updated", "phone", "name", "custID", "more"), mistakes)
    assert not mistakes.found
    source = Rule("source", "system", 1, ("crm", "web"))
    newest = Rule("newest", "updated", 2)
    assert found.rules == (Rule("all"), source, source, newest, Rule("longest"), Rule("first"), source)
    assert again(found) == found
    resolve(schema, ("system", "phone", "name", "custID"), mistakes)
    assert [mistake.where for mistake in mistakes.found] == [
        'c.yaml field "phone"',
        'c.yaml golden column "email"',
    ]


def test_a_field_by_its_number_keeps_its_rule():
    schema = read_well("{id: 0, fields: {a: {measure: edit, column: 1, keep: longest}}, keep: {newest: 2}}")
    assert again(schema) == schema
    found = resolve(schema, ("id", "name", "day"), Mistakes())
    assert found.rules == (Rule("first"), Rule("longest"), Rule("newest", "day", 2))
    assert again(found) == found


def test_what_is_not_compared_any_more_is_kept_all_the_same():
    schema = read_well(CUSTOMERS)
    found = facet(schema, replace(Settings(), faceted=(1,)), Mistakes())
    assert [field.name for field in found.fields] == ["name"]
    assert found.rules == schema.rules
    assert again(found) == found


def test_a_numbered_column_that_is_not_compared_any_more_has_its_name_from_the_header():
    fields = "{a: {measure: edit, column: 1, keep: longest}, b: {measure: edit, column: 2}}"
    schema = facet(read_well(f"{{id: 0, fields: {fields}}}"), replace(Settings(), faceted=(2,)), Mistakes())
    found = resolve(schema, ("id", "name", "city"), Mistakes())
    assert found.golden == (KeptColumn("name", 1, Rule("longest")),)
    assert again(found) == found


def test_it_travels_in_a_plan():
    plan = Plan(read_well(CUSTOMERS), Settings(), 100)
    found = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert found == plan
    assert found.schema.rules == plan.schema.rules


COLUMNS = ("a", "b", "7", "no", "newest", "keep")


@st.composite
def rules(draw):
    name = draw(st.sampled_from(list(RULES)))
    ordinal = draw(st.integers(0, len(COLUMNS) - 1))
    order = tuple(draw(st.lists(st.text(max_size=3), min_size=1, max_size=3, unique=True)))
    if name == "newest":
        return Rule(name, COLUMNS[ordinal], ordinal, format=draw(st.sampled_from(["", "%Y", "%d.%m.%Y"])))
    if name == "source":
        return draw(st.sampled_from([Rule(name, COLUMNS[ordinal], ordinal, order), Rule(name, order=order)]))
    return Rule(name)


@given(
    st.none() | rules(),
    st.dictionaries(st.integers(1, len(COLUMNS) - 1), rules()),
    st.none() | rules(),
)
def test_every_schema_comes_back_from_its_native_form(keep, golden, of_field):
    field = read_well("{columns: [a], fields: {a: edit}}").fields[0]
    schema = Schema(
        (replace(field, keep=of_field),),
        columns=COLUMNS,
        keep=keep,
        golden=tuple(KeptColumn(COLUMNS[ordinal], ordinal, rule) for ordinal, rule in golden.items()),
    )
    assert again(schema) == schema
    assert read_well(native_text(write_native(schema))) == schema


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([*RULES, "a", "order", "%Q"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*RULES, "column"]) | st.text(), inner)
    ),
    max_leaves=5,
)


@given(PLAIN, PLAIN)
def test_no_form_makes_the_reader_crash(one, other):
    read(
        {
            "columns": ["a", "b"],
            "fields": {"a": {"measure": "edit", "keep": one}},
            "keep": other,
            "golden": one,
        }
    )
