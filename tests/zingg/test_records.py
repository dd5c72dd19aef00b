"""What match types make of values, against what they are said to compare."""

import datetime
import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.zingg.configuration import FieldDefinition
from pehchan.zingg.match_types import MATCH_TYPES
from pehchan.zingg.records import compared, read_stop_words, texts_of

TEXT = st.text(alphabet="ab1 2.-@é", max_size=12)


def made(match_type, values, data_type="string", arrow=None, stop_words=None):
    """What a match type makes of values."""
    columns = compared([FieldDefinition("f", (match_type,), data_type)])
    batch = pa.RecordBatch.from_arrays([pa.array(values, arrow)], names=["f"])
    return texts_of(batch, columns, {} if stop_words is None else {"f": stop_words})[0].to_pylist()


@given(TEXT, TEXT)
def test_numbers_are_equal_where_their_sets_are(a, b):
    one, two = made("NUMERIC", [a, b])
    assert (one == two) == (set(re.findall("[0-9]+", a)) == set(re.findall("[0-9]+", b)))


@given(TEXT, TEXT)
def test_pincodes_and_emails_end_at_their_marks(a, b):
    for match_type, mark in (("PINCODE", "-"), ("EMAIL", "@")):
        one, two = made(match_type, [a, b])
        assert (one == two) == (a.strip().split(mark)[0].strip() == b.strip().split(mark)[0].strip())


@given(TEXT)
def test_only_alphabets_have_no_digits_and_dots(value):
    (text,) = made("ONLY_ALPHABETS_FUZZY", [value])
    assert text.replace(" ", "") == re.sub("[0-9. ]", "", value)
    assert made("ONLY_ALPHABETS_EXACT", [value]) == [text]


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("Sony DSC-W120 7.2 MP", "7.2mp w120"),
        ("sandisk 16GB card", "16gb"),
        ("sandisk 16 gb card", "16gb"),
        ("no code here", ""),
        ("model tx4500 and TX4500", "tx4500"),
        ("7 wonders", "7"),
    ],
)
def test_product_codes_and_numbers_with_their_units(value, codes):
    assert made("NUMERIC_WITH_UNITS", [value]) == [codes]


def test_values_are_trimmed_and_in_lower_case():
    assert made("FUZZY", ["  Ann SMITH ", None, " "]) == ["ann smith", "", ""]
    assert made("TEXT", ["ÉRIK  b"]) == ["érik  b"]


@pytest.mark.parametrize(
    ("data_type", "arrow", "values", "texts"),
    [
        ("integer", pa.int32(), [5, -5, None], ["5", "-5", ""]),
        ("long", pa.int64(), [10**15, None], ["1000000000000000", ""]),
        ("double", pa.float64(), [1e-7, 1e20, 2.0, None], ["0.0000001", "1" + "0" * 20, "2", ""]),
        ("double", pa.float64(), [0.1, float("nan"), float("inf")], ["0.1", "", ""]),
        ("float", pa.float32(), [0.1, 1e-7], ["0.1", "0.0000001"]),
        ("date", pa.date32(), [datetime.date(1970, 1, 2), None], ["1970-01-02", ""]),
    ],
)
def test_values_of_other_types_as_text(data_type, arrow, values, texts):
    assert made("FUZZY", values, data_type, arrow) == texts


def test_exact_values_keep_their_sign():
    assert made("EXACT", [-5.5, 5.5, None], "double", pa.float64()) == ["minus 5.5", "5.5", ""]
    assert made("EXACT", [True, False, None], "boolean", pa.bool_()) == ["true", "false", ""]
    assert made("EXACT", ["-", "-a", "-1"]) == ["-", "-a", "minus 1"]


@pytest.mark.parametrize(
    ("data_type", "arrow", "value"),
    [
        ("string", pa.string(), "x"),
        ("integer", pa.int32(), 0),
        ("long", pa.int64(), 0),
        ("double", pa.float64(), 0.0),
        ("float", pa.float32(), 0.0),
        ("date", pa.date32(), 0),
        ("boolean", pa.bool_(), False),
    ],
)
def test_whether_a_value_is_there(data_type, arrow, value):
    there, missing = made("NULL_OR_BLANK", [value, None], data_type, arrow)
    assert there != missing
    assert there
    assert missing


def test_columns_have_names_of_their_own():
    fields = [
        FieldDefinition("a", ("FUZZY", "EXACT")),
        FieldDefinition("a exact", ("FUZZY",)),
        FieldDefinition("b", ()),
    ]
    names = [each.name for each in compared(fields)]
    assert len(set(names)) == len(names) == 3
    assert "a exact" in names


def test_stop_words_are_whole_words_in_any_case(tmp_path):
    (tmp_path / "words.csv").write_text("z_stopword,z_count\nInc.,3\nof the,2\nand,1\na+b,1\n")
    field = FieldDefinition("f", ("FUZZY",), stop_words=str(tmp_path / "words.csv"))
    words = read_stop_words([field], tmp_path)["f"]
    assert made("FUZZY", ["Bank of the West Inc.", "Andy and Inca", "a+b c"], stop_words=words) == [
        "bank west",
        "andy inca",
        "c",
    ]


def test_every_match_type_takes_what_it_says():
    for row in MATCH_TYPES.values():
        assert row.text("") in ("", "missing")
        assert all(row.compares(each) for each in row.kinds)
    assert MATCH_TYPES["EXACT"].compares("decimal(8,2)")
