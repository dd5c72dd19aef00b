"""What blocking keys make of the values of a record."""

import re
import subprocess
import sys
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.metadata.blocking_keys import FUNCTIONS, BlockingKey, KeyPart, parse_key
from pehchan.mrjobs.joins.key_values import folded, key_values


def values(text, *items):
    """The values of a key, whose columns are given by their numbers, of a record."""
    return key_values(parse_key(text))(items)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_of_the_schema_makes_values(function):
    key = BlockingKey(function, (KeyPart(function, None, 0, (2,) * len(FUNCTIONS[function])),))
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
        ("minhash(0)", "?!", []),
    ],
)
def test_values_without_case_and_accents(text, value, expected):
    assert values(text, value) == [(each,) for each in expected]


@pytest.mark.parametrize(
    "text", ["0", *(f"{name}(0{', 2' * len(numbers)})" for name, numbers in FUNCTIONS.items())]
)
@pytest.mark.parametrize("value", ["", "  ", " "])
def test_a_missing_value_is_no_key(text, value):
    assert values(text, value) == []
    assert values(f"{text} + 1", value, "TX") == []


def test_parts_must_all_be_there_and_their_values_multiply():
    assert values("tokens(0) + tokens(1)", "b a", "y x") == [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]
    assert values("0 + 1", "a b", "c") != values("0 + 1", "a", "b c")


@pytest.mark.parametrize(
    ("key", "loaded"),
    [("prefix(name, 3) + tokens(name)", False), ("minhash(name)", False), ("soundex(name)", True)],
)
def test_the_library_of_sounds_is_loaded_only_where_a_key_needs_it_and_numpy_not_before_a_record(key, loaded):
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


# minhash

WORDS = st.lists(st.sampled_from(["ann", "lee", "漢字", "é", "street", "1", "12", "b_c"]), max_size=12)


def plain_minhash(value, bands, rows):
    """The same by Python's own numbers."""

    def number(text):
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")

    words = set(re.split(r"\W+", value)) - {""}
    found = []
    for band in range(bands if words else 0):
        least = [
            min(number(word) * (number(f"minhash {band * rows + row}") | 1) % 2**64 for word in words)
            for row in range(rows)
        ]
        in_bytes = b"".join(each.to_bytes(8, "little") for each in least)
        found.append((f"{band}:{number(in_bytes.hex()) // 2**32:08x}",))
    return sorted(found)


@given(WORDS, st.integers(1, 12), st.integers(1, 5), st.randoms(use_true_random=False))
def test_a_band_is_the_least_values_of_its_rows_whatever_the_order_of_words(words, bands, rows, chance):
    text = " ".join(words)
    expected = plain_minhash(folded(text), bands, rows)
    assert values(f"minhash(0, {bands}, {rows})", text) == expected
    chance.shuffle(words)
    assert values(f"minhash(0, {bands}, {rows})", "  ".join(words).upper() + " !") == expected


def test_a_minhash_is_the_same_on_every_machine():
    assert values("minhash(0, 3, 2)", "Zoë's old bicycle, 漢字") == [
        ("0:c6a78834",),
        ("1:6bb8afee",),
        ("2:b4af9e5d",),
    ]


@pytest.mark.parametrize(("shared", "bands", "rows"), [(8, 20, 4), (6, 20, 4), (4, 10, 3), (6, 5, 5)])
def test_texts_share_a_band_as_often_as_the_share_of_their_words_says(shared, bands, rows):
    # Of each pair so many words of ten are in both texts, in 2,000 pairs with words of their own.
    found = 0
    for pair in range(2000):
        words = [f"w{pair}x{k}" for k in range(10)]
        left, right = words[:shared] + words[shared::2], words[:shared] + words[shared + 1 :: 2]
        key = f"minhash(0, {bands}, {rows})"
        found += bool(set(values(key, " ".join(left))) & set(values(key, " ".join(right))))
    expected = 1 - (1 - (shared / 10) ** rows) ** bands
    # Four standard deviations.
    assert found / 2000 == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 2000) ** 0.5)
