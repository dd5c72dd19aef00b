"""What is left of values when differences of writing are set aside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.learning.normal import FORMS, is_date, normal_texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  O'Brien,  JOSÉ ", "obrien jose"),
        ("435 S. La Cienega Blvd.", "435 s la cienega blvd"),
        ("v11.1 and 3.", "v11.1 and 3"),
        ("Straße", "strasse"),
        ("北京_市", "北京 市"),
        ("٣٤", "34"),
        ("N/A", ""),
        (" - ", ""),
        ("a\nb\0c", "a b c"),
    ],
)
def test_writing_does_not_count(value: str, text: str) -> None:
    assert normal_texts([value]) == [text]


@given(st.lists(st.text(alphabet=st.sampled_from("aB1.' -\n\0é市_"), max_size=8), max_size=8))
def test_a_value_is_normal_whatever_company_it_is_in(values: list[str]) -> None:
    texts = normal_texts(values)
    assert texts == [normal_texts([value])[0] for value in values]
    assert normal_texts(texts) == texts


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("1971-06-24", "19710624"),
        ("19710624", "19710624"),
        ("24/6/1971", "19712406"),
        ("2022-02-14T10:30:00", "20220214"),
    ],
)
def test_dates_come_into_one_form(value: str, date: str) -> None:
    (text,) = normal_texts([value])
    assert is_date(text)
    assert FORMS["date"]([text]) == [date]


@given(st.lists(st.text(alphabet="0123 x.市", max_size=6), max_size=6))
def test_digits_are_the_digits_of_each(values: list[str]) -> None:
    texts = normal_texts(values)
    assert FORMS["digits"](texts) == [
        "".join(letter for letter in text if letter in "0123") for text in texts
    ]


def test_numbers_are_equal_however_they_are_written_and_0_is_none() -> None:
    assert FORMS["number"](normal_texts(["$1,234.50", "1234.5", "0.00", "free"])) == [
        "1234.5",
        "1234.5",
        "",
        "",
    ]
