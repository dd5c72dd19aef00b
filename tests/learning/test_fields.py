"""Which kind of values a column has."""

import json
import random
from itertools import product

import pytest

from pehchan.learning.comparison import COMPARISONS
from pehchan.learning.fields import LearntField, kinds_of
from pehchan.learning.normal import FORMS
from pehchan.learning.predicates import PREDICATES
from pehchan.learning.profile import Profile
from pehchan.metadata.schema import KINDS


def _kinds(**columns: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    profile = Profile.of(list(columns), list(columns.values()), [0] * len(next(iter(columns.values()))))
    found = kinds_of(profile)
    return {field.name: field.kind for field in found.fields}, dict(found.left_out)


def test_kinds_are_told_by_the_values() -> None:
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefgh", k=5)) for _ in range(200)]
    kinds, left_out = _kinds(
        name=words,
        address=[f"{k} {word} street" for k, word in enumerate(words)],
        description=[" ".join(chance.choices(words, k=9)) for _ in words],
        state=[chance.choice(["NSW", "QLD", "VIC"]) for _ in words],
        phone=[f"0{chance.randrange(10**8)}" for _ in words],
        birth=[f"19{k % 90 + 10}-0{k % 9 + 1}-11" for k in range(200)],
        price=[f"{chance.randrange(10**4)}.{chance.randrange(10, 99)}" for _ in words],
        same=["x"] * 200,
        empty=[""] * 200,
        seldom=["y", "z", "w"] + [""] * 197,
    )
    assert kinds == {
        "name": "name",
        "address": "words",
        "description": "text",
        "state": "category",
        "phone": "digits",
        "birth": "date",
        "price": "number",
    }
    assert left_out == {
        "same": "all records that have a value have the same",
        "empty": "0 of 200 records have a value",
        "seldom": "3 of 200 records have a value",
    }


def test_a_kind_that_somebody_knows_is_taken() -> None:
    profile = Profile.of(["code", "name"], [["12", "13", "1 2", "12"], ["ann", "bob", "ann", "cay"]], [0] * 4)
    fields = kinds_of(profile, {"code": ["exact"], "name": ["words", "name"]}).fields
    assert [(field.name, field.kind) for field in fields] == [("code", "exact"), ("name", "name")]
    # "12" twice; "1 2" has the same digits, and is another value.
    assert fields[0].frequent == {"12": 0.5}


def test_all_kinds_are_known_everywhere() -> None:
    assert set(FORMS) == set(COMPARISONS) == set(KINDS)
    assert {kind for each in PREDICATES.values() for kind in each.kinds} == set(KINDS)


@pytest.mark.parametrize("sets", [[0] * 6, [0, 0, 0, 0, 1, 1]])
def test_the_chance_of_equal_values_is_that_of_all_pairs(sets: list[int]) -> None:
    values = ["anna", "Anna", "bob", "", "ANNA", "carl"]
    (field,) = kinds_of(Profile.of(["name"], [values], sets)).fields
    pairs = [
        values[i].lower() == values[j].lower()
        for i, j in product(range(6), repeat=2)
        if values[i] and values[j] and (sets[i] < sets[j] if any(sets) else True)
    ]
    assert field.chance == pytest.approx(sum(pairs) / len(pairs), rel=1e-5)
    assert field.coverage == pytest.approx(5 / 6, abs=1e-6)
    assert (field.distinct, dict(field.frequent)) == (3, {"anna": 0.6})


def test_a_field_survives_json() -> None:
    (field,) = kinds_of(Profile.of(["t"], [["a b c", "b c d", "b e f"]], [0, 0, 0])).fields
    assert LearntField.from_dict(json.loads(json.dumps(field.to_dict()))) == field
    assert field.word_weight("b") < field.word_weight("c") < field.word_weight("a")


def test_no_records_have_no_fields() -> None:
    found = kinds_of(Profile.of(["a"], [[]], []))
    assert (found.fields, dict(found.left_out)) == ((), {"a": "0 of 0 records have a value"})
