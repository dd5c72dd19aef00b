"""Blocking keys as a schema writes them, and what is said of those that are none."""

import pytest
import yaml

from pehchan.metadata.blocking_keys import FUNCTIONS, KeyPart, parse_key
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import read_native, resolve, write_native
from pehchan.metadata.sifarish_schema import write_sifarish

SCHEMA = """
id: id
columns: [id, last name, state, birth, a+b, "7"]
fields:
  state: exact
blocking:
"""


def read(*keys):
    text = SCHEMA + "".join(f"  - {key}\n" for key in keys)
    mistakes = Mistakes()
    return read_native(yaml.safe_load(text), "s.yaml", mistakes), mistakes.found


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("state", [KeyPart("", "state", None)]),
        ("last name", [KeyPart("", "last name", None)]),
        (" soundex( last name )+state ", [KeyPart("soundex", "last name", None), KeyPart("", "state", None)]),
        ("prefix(state, 3)", [KeyPart("prefix", "state", None, (3,))]),
        ("qgrams(3,2) + 0", [KeyPart("qgrams", None, 3, (2,)), KeyPart("", None, 0)]),
        ('"a+b" + year("7")', [KeyPart("", "a+b", None), KeyPart("year", "7", None)]),
        ("Zoë", [KeyPart("", "Zoë", None)]),
    ],
)
def test_a_key_reads_as_it_means(text, parts):
    assert parse_key(text).parts == tuple(parts)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_reads_with_the_numbers_that_it_takes(function):
    numbers = (4, 7)[: len(FUNCTIONS[function])]
    text = f"{function}({', '.join(['state', *map(str, numbers)])})"
    assert parse_key(text).parts == (KeyPart(function, "state", None, numbers),)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("minhash(state)", (20, 4)), ("minhash(state, 10)", (10, 4)), ("minhash(state,10 , 3)", (10, 3))],
)
def test_bands_and_rows_need_not_be_given(text, numbers):
    assert parse_key(text).parts == (KeyPart("minhash", "state", None, numbers),)


@pytest.mark.parametrize(
    ("text", "of", "following"),
    [
        ("neighbours(state)", "state", 10),
        (" neighbours ( last name + prefix(3, 4), 25 ) ", "last name + prefix(3, 4)", 25),
        ("neighbours(prefix(state, 3))", "prefix(state, 3)", 10),
        ('neighbours("a+b", 2)', '"a+b"', 2),
    ],
)
def test_neighbours_stand_around_a_whole_key(text, of, following):
    key = parse_key(text)
    assert (key.parts, key.following) == (parse_key(of).parts, following)
    assert parse_key(of).following is None


def test_a_key_and_its_neighbours_are_not_the_same_and_two_windows_of_one_order_are():
    schema, found = read("state", "neighbours(state, 3)", '"neighbours(state, 4)"')
    assert [each.what for each in found] == ["it is there twice."]
    assert [key.following for key in schema.blocking] == [None, 4]


def test_keys_are_found_by_the_names_and_numbers_of_columns():
    schema, found = read("soundex(last name) + state", "year(3)", "'\"a+b\"'", "5")
    assert not found
    assert [[part.ordinal for part in key.parts] for key in schema.blocking] == [[1, 2], [3], [4], [5]]


def test_keys_wait_for_a_header_where_the_schema_names_no_columns():
    mistakes = Mistakes()
    data = {"fields": {"name": "edit"}, "blocking": ["prefix(zip, 3)"]}
    schema = resolve(read_native(data, "s.yaml", mistakes), ["name", "zip"], mistakes)
    assert schema.blocking[0].parts[0].ordinal == 1
    resolve(read_native(data, "s.yaml", mistakes), ["name", "zap"], mistakes)
    assert [str(each) for each in mistakes.found] == [
        's.yaml blocking key "prefix(zip, 3)": there is no column "zip".\n  Did you mean "zap"?'
    ]


def test_a_schema_is_written_with_its_keys_and_reads_as_the_same():
    schema, _ = read("soundex(last name) + state", "prefix(3, 4)", "'\"7\"'")
    mistakes = Mistakes()
    assert read_native(write_native(schema), "again", mistakes) == schema
    assert not mistakes.found


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("zip", 'there is no column "zip".\n  Known: id, last name, state, birth, a+b, 7.'),
        ("soundx(state)", 'unknown function "soundx".\n  Did you mean "soundex"?'),
        ("first(state)", f'unknown function "first".\n  Known: {", ".join(FUNCTIONS)}.'),
        ("(state)", f'unknown function "".\n  Known: {", ".join(FUNCTIONS)}.'),
        ("prefix(state)", "prefix: no number of letters is given.\n"
         "  Write a whole number of 1 or more, as in prefix(state, 3)."),
        ("qgrams(state, 0)", "qgrams: '0' is no number of letters.\n"
         "  Write a whole number of 1 or more, as in qgrams(state, 3)."),
        ("prefix(state, two)", "prefix: 'two' is no number of letters.\n"
         "  Write a whole number of 1 or more, as in prefix(state, 3)."),
        ("soundex(state, 4)", "soundex: it takes a column only.\n  Write soundex(state)."),
        ("neighbours(tokens(state))", "neighbours: tokens makes several values of one, and so no order.\n"
         "  Take a key that makes one value, such as a column."),
        ("neighbours(state, 0)", "neighbours: '0' is no number of records.\n"
         "  Write a whole number from 1 to 1000, as in neighbours(state, 10)."),
        ("neighbours(state, 3) + birth", "neighbours is no part of a key.\n"
         "  Write it around the whole key, as in neighbours(name + zip, 10)."),
        ("neighbours()", "a part is missing.\n"
         "  Write columns, or functions of them as in prefix(name, 3), joined by +."),
        ("neighbours(zip)", 'there is no column "zip".\n  Known: id, last name, state, birth, a+b, 7.'),
        ("qgrams(state, 3, 4)", "qgrams: it takes a column and 1 number.\n  Write qgrams(state, 3)."),
        ("minhash(state, 20, 4, 1)", "minhash: it takes a column and 2 numbers.\n"
         "  Write minhash(state, 20, 4)."),
        ("minhash(state, 0)", "minhash: '0' is no number of bands.\n"
         "  Write a whole number from 1 to 200, as in minhash(state, 20, 4)."),
        ("minhash(state, 20, 51)", "minhash: '51' is no number of rows.\n"
         "  Write a whole number from 1 to 50, as in minhash(state, 20, 4)."),
        ("minhash(state,)", "minhash: '' is no number of bands.\n"
         "  Write a whole number from 1 to 200, as in minhash(state, 20, 4)."),
        ("soundex()", "soundex: no column is named.\n  Write soundex(column)."),
        ("state +", "a part is missing.\n  Write columns, or functions of them as in prefix(name, 3), joined by +."),
        ("soundex(state", '"soundex(state" is no part of a key.\n'
         "  Write columns, or functions of them as in prefix(name, 3), joined by +."),
        ("99", "there is no column 99 (counted from 0).\n  The input has 6 columns."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_key_is_said_with_its_place(key, said):
    _, found = read(key)
    assert [str(each) for each in found] == [f's.yaml blocking key "{key}": {said}']


def test_all_that_is_wrong_is_said_at_once():
    _, found = read("zip", "soundx(state)", "state", "state", "[state]", "true")
    assert [each.what for each in found] == [
        'unknown function "soundx".',
        "it is there twice.",
        "['state'] is no key.",
        "True is no key.",
        'there is no column "zip".',
    ]


@pytest.mark.parametrize("keys", ["[]", "zip", "{zip: 1}", ""])
def test_blocking_without_keys_is_a_mistake(keys):
    mistakes = Mistakes()
    read_native(yaml.safe_load(f"fields: {{a: edit}}\nblocking: {keys}"), "s.yaml", mistakes)
    assert [str(each) for each in mistakes.found] == [
        "s.yaml blocking: it holds no keys.\n  Give a list of keys, one a line after a dash; for all pairs leave "
        "blocking out. Write columns, or functions of them as in prefix(name, 3), joined by +."
    ]


def test_keys_that_name_columns_need_a_header_or_the_names_in_the_schema():
    mistakes = Mistakes()
    data = {"fields": {"name": {"measure": "edit", "column": 1}}, "blocking": ["zip", "prefix(0, 2)"]}
    resolve(read_native(data, "s.yaml", mistakes), (), mistakes)
    assert [each.what for each in mistakes.found] == ["it names its columns, but the input has no header."]


def test_sifarish_knows_no_keys():
    schema, _ = read("state")
    with pytest.raises(ValueError, match='blocking key "state"'):
        write_sifarish(schema)
