"""Schema strings of Spark, and the mistakes in them."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pehchan.metadata.mistakes import Mistakes
from pehchan.zingg.configuration import Column
from pehchan.zingg.data_types import ARROW_TYPES, arrow_schema, arrow_type, data_type_of, parse_schema


def parsed(text):
    mistakes = Mistakes()
    columns = parse_schema(text, "c.json data[0].schema", mistakes)
    return columns, "\n".join(map(str, mistakes.found))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("id string, age int, born date", [("id", "string"), ("age", "integer"), ("born", "date")]),
        (" ID  STRING ,n BigInt,\n d DOUBLE ", [("ID", "string"), ("n", "long"), ("d", "double")]),
        ("id: long, name: string", [("id", "long"), ("name", "string")]),
        ("`first, name` varchar(20), `a``b` real", [("first, name", "string"), ("a`b", "float")]),
        ("n decimal(8, 2), m numeric", [("n", "decimal(8,2)"), ("m", "decimal(10,0)")]),
        ("a int NOT NULL COMMENT 'it\\'s, (well'", [("a", "integer")]),
        ("a boolean, b smallint, c tinyint", [("a", "boolean"), ("b", "short"), ("c", "byte")]),
    ],
)
def test_a_schema_string_names_columns_and_their_types(text, columns):
    assert parsed(text) == (tuple(Column(*column) for column in columns), "")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the schema is empty"),
        ("id", 'column 1 of the schema, "id", is not a name and a data type.'),
        ("a int, string", 'column 2 of the schema, "string", is not a name and a data type.'),
        ("a int,, b int", "column 2 of the schema is empty.\n  Is there a comma too many?"),
        (
            "a strng",
            'c.json data[0].schema, column "a": unknown data type "strng".\n  Did you mean "string"?',
        ),
        ("a int, A string", 'more than one column is named "a", "A".'),
        ("v array<double>", 'column "v": the data type array<double> is not read.\n  It compares embeddings'),
        ("v struct<a: int, b: int>", "the data type struct<a: int, b: int> is not read."),
        ("v decimal(2,3)", 'unknown data type "decimal(2,3)"'),
    ],
)
def test_what_is_wrong_in_a_schema_string_is_said(text, what):
    assert what in parsed(text)[1]


@given(st.text(st.sampled_from("ab`'\\,:( )<>int\"\n"), max_size=30))
def test_no_text_is_more_than_a_mistake(text):
    parsed(text)


@settings(max_examples=settings.default.max_examples // 3)
@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda name: name == name.casefold()), st.sampled_from(list(ARROW_TYPES))
    )
)
def test_any_name_in_backticks_is_that_name(columns):
    text = ", ".join(f"`{name.replace('`', '``')}` {data_type}" for name, data_type in columns.items())
    names = [name.lower() for name in columns]
    if columns and len(set(names)) == len(names):
        assert parsed(text) == (tuple(Column(*column) for column in columns.items()), "")


@pytest.mark.parametrize("data_type", [*ARROW_TYPES, "decimal(8,2)"])
def test_a_data_type_is_one_of_pyarrow_and_back(data_type):
    assert data_type_of(arrow_type(data_type)) == data_type


def test_types_of_pyarrow_that_a_data_type_holds():
    assert arrow_schema([Column("a", "long")]) == pa.schema({"a": pa.int64()})
    held = {pa.large_string(): "string", pa.uint8(): "short", pa.timestamp("ns"): "timestamp_ntz"}
    held |= {pa.dictionary(pa.int32(), pa.string()): "string", pa.list_(pa.int8()): None, pa.uint64(): None}
    assert {kind: data_type_of(kind) for kind in held} == held
