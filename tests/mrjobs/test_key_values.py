"""What blocking keys make of the values of a record."""

import subprocess
import sys

import pytest

from pehchan.metadata.blocking_keys import FUNCTIONS, BlockingKey, KeyPart, parse_key
from pehchan.mrjobs.joins.key_values import key_values


def values(text, *items):
    """The values of a key, whose columns are given by their numbers, of a record."""
    return key_values(parse_key(text))(items)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_of_the_schema_makes_values(function):
    key = BlockingKey(function, (KeyPart(function, None, 0, 2),))
    assert key_values(key)(["Ann 1987"])


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("0", " Zoë  ÅKERØ\t", ["zoe akerø"]),
        ("0", "STRAẞE ﬁ", ["strasse fi"]),
        ("prefix(0, 3)", "Éliane", ["eli"]),
        ("prefix(0, 3)", "Li", ["li"]),
        ("prefix(0, 4)", "New York", ["new"]),
        ("tokens(0)", "Ann-Marie  O'Neil Ann", ["ann", "marie", "neil", "o"]),
        ("tokens(0)", "?!", []),
        ("qgrams(0, 3)", "Banana", ["ana", "ban", "nan"]),
        ("qgrams(0, 3)", "ab", ["ab"]),
        ("qgrams(0, 2)", "a b", [" b", "a "]),
        ("soundex(0)", "Müller", ["M460"]),
        ("soundex(0)", "van der Berg", ["V536"]),
        ("soundex(0)", "漢字 12", []),
        ("metaphone(0)", "Smith", ["SM0"]),
        ("nysiis(0)", "O'Neil", ["ONAL"]),
        ("digits(0)", "(512) 555-0199", ["5125550199"]),
        ("digits(0)", "５１２", ["512"]),
        ("digits(0)", "none", []),
        ("year(0)", "1987-03-02", ["1987"]),
        ("year(0)", "02/03/1987", ["1987"]),
        ("year(0)", "19870302", ["1987"]),
        ("year(0)", "born 2001.", ["2001"]),
        ("year(0)", "19871302", []),
        ("year(0)", "123456", []),
        ("year(0)", "0815 1234", []),
    ],
)
def test_values_without_case_and_accents(text, value, expected):
    assert values(text, value) == [(each,) for each in expected]


@pytest.mark.parametrize("text", ["0", *(f"{name}(0{', 2' if n else ''})" for name, n in FUNCTIONS.items())])
@pytest.mark.parametrize("value", ["", "  ", " "])
def test_a_missing_value_is_no_key(text, value):
    assert values(text, value) == []
    assert values(f"{text} + 1", value, "TX") == []


def test_parts_must_all_be_there_and_their_values_multiply():
    assert values("tokens(0) + tokens(1)", "b a", "y x") == [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]
    assert values("0 + 1", "a b", "c") != values("0 + 1", "a", "b c")


@pytest.mark.parametrize(
    ("key", "loaded"), [("prefix(name, 3) + tokens(name)", False), ("soundex(name)", True)]
)
def test_the_library_of_sounds_is_loaded_only_where_a_key_needs_it_and_numpy_never(key, loaded):
    code = f"""
import sys
from pehchan.metadata.blocking_keys import parse_key
from pehchan.mrjobs.record_similarity import RecordSimilarity
from pehchan.mrjobs.joins.key_values import key_values
key_values(parse_key({key!r}))
print("jellyfish" in sys.modules, "numpy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(loaded), "False"]
