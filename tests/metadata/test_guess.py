import pytest

from pehchan.metadata.guess import CUTOFF, guess_schema
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import read_native, resolve

HEADER = [
    "id",
    "full name",
    "address",
    "city",
    "zip",
    "phone",
    "born",
    "price",
    "kind",
    "about",
    "fax",
    "note",
    "x",
]


def people(count=40):
    """Rows with a column of every kind: `fax` mostly empty, `note` constant, `x` empty."""
    return [
        [
            f"r{i}",
            f"{('Anna', 'Maria', 'Berta', 'Carla')[i % 4]} {chr(65 + i % 26)}son",
            f"{i} Long Street {i % 7}",
            f"Town{chr(97 + i % 26)}{chr(97 + i // 26)}",
            f"{10000 + i}",
            f"(555) 010-{1000 + i}",
            f"19{50 + i % 40}-0{1 + i % 9}-11",
            f"{i * 2}.50",
            "AB"[i % 2],
            f"a longer text about person {i} with more than eight words in it",
            f"555-{i}" if i % 4 == 0 else "",
            "same",
            " ",
        ]
        for i in range(count)
    ]


TEXT = {"measure": "edit", "tokens": False, "fold": ["case", "accents"]}
WORD = {"measure": "jaro-winkler", "fold": ["case", "accents"]}


def test_each_kind_of_column_gets_its_measure():
    assert guess_schema(HEADER, people()) == {
        "id": "id",
        "fields": {
            "full name": TEXT,
            "address": TEXT,
            "city": WORD,
            "zip": "levenshtein",
            "phone": "levenshtein",
            "born": "levenshtein",
            "price": {"measure": "number", "min": 0, "max": 79},
            "kind": {"measure": "categorical", "weight": 0.5},
            "about": {"measure": "jaccard", "fold": ["case", "accents"]},
            "fax": {"measure": "levenshtein", "missing": "skip", "weight": 0.5},
        },
        "cutoff": CUTOFF,
    }


def test_a_guess_is_a_schema_of_its_file():
    mistakes = Mistakes()
    schema = resolve(read_native(guess_schema(HEADER, people()), "guess", mistakes), HEADER, mistakes)
    assert not mistakes.found
    assert schema.id_ordinal == 0
    assert [field.ordinal for field in schema.fields] == list(range(1, 11))


def test_the_same_sample_gives_the_same_guess():
    assert guess_schema(HEADER, people()) == guess_schema(list(HEADER), people())


def ids(header, *columns):
    guess = guess_schema(header, list(zip(*columns, strict=True)))
    return guess.get("id"), list(guess["fields"])


NAMES = ["Ann Lee", "Bob Ray", "Cid Fox"]


@pytest.mark.parametrize(
    "name", ["id", "ID", "custID", "customer_id", "record-id", "Key", "uuid", "product Id"]
)
def test_a_unique_column_named_like_an_id_is_the_id(name):
    assert ids(["name", name], NAMES, ["x", "y", "z"]) == (name, ["name"])


def test_a_column_named_id_is_the_id_before_others():
    assert ids(["shop_id", "id", "name"], "123", "456", NAMES) == ("id", ["name"])


def test_a_first_column_of_numbered_values_is_the_id():
    assert ids(["ref", "name"], ["a-1", "a-2", "a-3"], NAMES) == ("ref", ["name"])


@pytest.mark.parametrize(
    "name", ["phone", "soc_sec_id", "ssn", "tax_id", "email", "passportId", "zip", "isbn"]
)
def test_numbers_that_belong_to_a_person_or_thing_are_compared(name):
    assert ids([name, "name"], ["555-1", "555-2", "555-3"], NAMES) == (None, [name, "name"])


def test_names_are_no_ids_even_where_all_differ():
    assert ids(["name", "city"], NAMES, ["Rome", "Bonn", "Oslo"]) == (None, ["name", "city"])


@pytest.mark.parametrize("name", ["shop_id", "cluster", "entity_id", "cluster_id"])
def test_keys_that_repeat_are_neither_the_id_nor_compared(name):
    assert ids(["name", name], NAMES, ["7", "7", "8"]) == (None, ["name"])


def test_columns_without_a_name_of_their_own_are_numbered():
    guess = guess_schema(["id", "a", "a", ""], [["1", "x y", "u v", "s t"], ["2", "z y", "w v", "q t"]])
    columns = {name: field["column"] for name, field in guess["fields"].items()}
    assert columns == {"a 1": 1, "a 2": 2, "column 3": 3}
    mistakes = Mistakes()
    resolve(read_native(guess, "guess", mistakes), ["id", "a", "a", ""], mistakes)
    assert not mistakes.found


def test_where_nothing_can_be_told_apart_all_columns_are_compared():
    assert list(guess_schema(["id", "a", "b"], [])["fields"]) == ["a", "b"]
    assert list(guess_schema(["a", "b"], [["x", "y"]])["fields"]) == ["a", "b"]


def test_short_and_long_rows_do_no_harm():
    guess = guess_schema(["id", "a", "b"], [["1", "x y"], ["2", "z y", "u v", "more"], ["3", "", "w v"], []])
    assert set(guess["fields"]) == {"a", "b"}


def test_categories_need_many_rows():
    few = guess_schema(["a", "b"], [["Rome x", "red"], ["Bonn y", "blue"], ["Oslo z", "red"]])
    assert few["fields"]["b"]["measure"] == "jaro-winkler"


def test_numbers_are_quantities_by_name_or_decimals():
    rows = [[str(i), f"{i}.25", str(i), f"{i} Oak"] for i in range(9, 40)]
    fields = guess_schema(["weight", "a", "house", "street"], rows)["fields"]
    assert fields["weight"] == {"measure": "number", "min": 9, "max": 39}
    assert fields["a"] == {"measure": "number", "min": 9, "max": 40}
    assert fields["house"] == "levenshtein"


def test_mail_addresses_fold_case():
    fields = guess_schema(["name", "contact"], [["Ann Lee", "a@b.org"], ["Bob Ray", "c@d.org"]])["fields"]
    assert fields["contact"] == {"measure": "levenshtein", "fold": ["case"]}
