import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.tokens import java_tokens, tokens, utf16, words_of


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a b", ["a", "b"]),
        (" a  b ", ["", "a", "b"]),
        ("a ", ["a"]),
        (" ", []),
        ("\t\n ", []),
        ("", [""]),
        ("a\u00a0b\x1cc", ["a\u00a0b\x1cc"]),
    ],
)
def test_words_as_java_splits_them(value, words):
    assert java_tokens(value) == words
    assert tokens(value) == [word for word in words if word]


@given(st.text())
def test_utf16_has_a_character_for_every_unit(value):
    assert len(utf16(value)) == len(value.encode("utf-16-le")) / 2
    assert utf16(value).encode("utf-16-le", "surrogatepass") == value.encode("utf-16-le")


def test_a_lone_surrogate_stays():
    assert utf16("\ud83d😀") == "\ud83d\ud83d\ude00"


@given(st.lists(st.text(st.sampled_from("ab \t\n\x0b\x1c\x85\u00a0é")), max_size=5), st.booleans())
def test_the_words_of_many_values_are_those_of_each(values, java):
    words, counts = [], []
    for some, numbers in words_of(values, java):
        words += some
        counts += numbers.tolist()
    each = [(java_tokens if java else tokens)(value) for value in values]
    assert counts == [len(row) for row in each]
    assert words == [word for row in each for word in row]
