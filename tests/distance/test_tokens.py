import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.tokens import java_tokens, tokens, utf16


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
