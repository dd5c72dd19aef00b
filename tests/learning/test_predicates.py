"""What keys are made of, and their hashes."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_persons import NAMES, permuted, persons, table_of

from pehchan.learning.fields import LearntField
from pehchan.learning.hashing import combined, text_hashes
from pehchan.learning.key_hashes import KeyHashes
from pehchan.learning.predicates import PREDICATES, Key, Part, key_hashes, parts_of, value_hashes
from pehchan.metadata.blocking_keys import parse_key

_TEXTS = st.lists(st.text(alphabet="abé0 ", max_size=90), max_size=8)


def _field(kind: str, name: str = "c", **more: object) -> LearntField:
    return LearntField(name, 0, kind, 1.0, 2, 0.5, 100, **more)  # type: ignore[arg-type]


@given(_TEXTS)
def test_a_hash_is_of_the_text_alone(texts: list[str]) -> None:
    hashes = text_hashes(texts).tolist()
    assert hashes == [int(text_hashes([text])[0]) for text in texts]
    assert len(set(hashes)) == len(set(texts))
    assert [value == 0 for value in hashes] == [text == "" for text in texts]


def _plain_hash(text: str) -> int:
    """In whole numbers, byte order written out."""
    encoded = text.encode()
    if len(encoded) > 64:
        return int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest(), "little")
    value = 0
    for start in range(0, len(encoded), 8):
        value = (value + 0x9E3779B97F4A7C15) % 2**64 ^ int.from_bytes(encoded[start : start + 8], "little")
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
        value ^= value >> 31
    return value


def test_hashes_are_those_of_every_machine() -> None:
    texts = ["a", "abcdefgh", "abcdefghi", "12 elm street", "é市", "x" * 64, "x" * 65]
    assert text_hashes(texts).tolist() == [_plain_hash(text) for text in texts]


@given(_TEXTS)
def test_a_combined_hash_is_none_where_a_part_is(texts: list[str]) -> None:
    one, two = text_hashes(texts), text_hashes(texts[::-1])
    made = combined([one, two], seed=7)
    assert [value == 0 for value in made.tolist()] == [
        a == "" or b == "" for a, b in zip(texts, texts[::-1], strict=True)
    ]


@pytest.mark.parametrize(
    ("kind", "predicate", "value", "text"),
    [
        ("name", "prefix3", "de la cruz", "del"),
        ("name", "suffix3", "ab", "ab"),
        ("name", "soundex", "robert", "R163"),
        ("name", "soundex", "市", ""),
        ("words", "letters", "ab ba c", "abc"),
        ("words", "first_word", "12 elm street", "12"),
        ("words", "last_word", "12 elm street", "street"),
        ("words", "numbers", "12 elm street 7b", "12 7"),
        ("text", "rarest_word", "the elm street", "elm"),
        ("text", "rarest_words", "the elm street", "elm street"),
        ("text", "rarest_words", "the", ""),
        ("digits", "first_half", "5315721", "531"),
        ("digits", "last_half", "5315721", "5721"),
        ("digits", "sorted_digits", "5315", "1355"),
        ("date", "year", "19710624", "1971"),
        ("date", "month_day", "19710624", "0624"),
        ("number", "rounded", "100", "37"),
    ],
)
def test_what_a_predicate_makes(kind: str, predicate: str, value: str, text: str) -> None:
    field = _field(kind, words={"the": 90, "street": 40})
    assert PREDICATES[predicate].texts([value], field) == [text]
    assert value_hashes(field, predicate, ["", value]).tolist() == text_hashes(["", text]).tolist()


def test_keys_are_written_like_those_of_a_schema() -> None:
    fields = [_field("name", "surname"), _field("date", "birth (day)"), _field("name", "3")]
    key = Key((Part(0, "soundex"), Part(1, "year"), Part(2, "prefix3")))
    assert key.text(fields) == 'soundex(surname) + year("birth (day)") + prefix("3", 3)'
    assert [part.column for part in parse_key(key.text(fields)).parts] == ["surname", "birth (day)", "3"]


def test_records_share_a_hash_of_a_key_where_they_agree_in_all_its_parts() -> None:
    table = table_of(persons(150, 60, seed=1)[0])
    by_name = {table.fields[k].ordinal: k for k in range(len(table.fields))}
    first, birth = by_name[NAMES.index("first")], by_name[NAMES.index("birth")]
    keys = [Key((Part(first, "exact"), Part(birth, "year"))), Key((Part(first, "exact"),))]
    hashes = key_hashes(table, keys)
    names = [table.columns[first].values[code] for code in table.columns[first].codes]
    years = [table.columns[birth].values[code][:4] for code in table.columns[birth].codes]
    for texts, column in zip((list(zip(names, years, strict=True)), names), hashes.T.tolist(), strict=True):
        assert len(set(zip(texts, column, strict=True))) == len(set(texts)) == len(set(column))
    assert not set(hashes[:, 0].tolist()) & set(hashes[:, 1].tolist())


@pytest.mark.parametrize("remembered", [0, 5, 1000])
def test_batches_of_raw_records_have_the_hashes_of_their_table(remembered: int) -> None:
    raw, _ = persons(120, 40, seed=2)
    raw[0][3] = raw[4][7] = ""
    table = table_of(raw)
    keys = [Key((part,)) for part in parts_of(table.fields)] + [
        Key((Part(0, "exact"), Part(2, "first_word")))
    ]
    assert table.fields[2].kind == "words"
    made = KeyHashes(table.fields, keys, remembered)
    rows = [made.of([column[start : start + 30] for column in raw]).tolist() for start in range(0, 160, 30)]
    assert [row for batch in rows for row in batch] == key_hashes(table, keys).tolist()


def test_hashes_do_not_depend_on_the_order_of_the_records() -> None:
    table = table_of(persons(80, 20, seed=3)[0])
    keys = [Key((part,)) for part in parts_of(table.fields)]
    order = list(range(100))[::-1]
    assert key_hashes(permuted(table, order), keys)[::-1].tolist() == key_hashes(table, keys).tolist()
