"""How alike values are, against the plain definitions, and what words have in common, against dictionaries."""

import math
import random

import numpy as np
import pytest
from rapidfuzz.distance import OSA, JaroWinkler

from pehchan.learning.comparison import COMPARISONS, levels_of, similarities
from pehchan.learning.evidence import Evidence
from pehchan.learning.fields import LearntField
from pehchan.learning.patterns import Patterns
from pehchan.learning.strangers import Strangers, random_pairs, strangers
from pehchan.learning.table import Table
from pehchan.learning.word_vectors import WordVectors
from pehchan.metadata.schema import KINDS

VALUES = {
    "name": ["anna", "ana", "Ánna", "", "bernd", "annabelle"],
    "words": ["12 main street", "main street 12", "", "12 mian street", "oak road", "main"],
    "text": [
        "a long text of many words",
        "many words of a long text",
        "",
        "something else altogether",
        "words",
        "a",
    ],
    "category": ["nsw", "vic", "", "NSW", "qld", "vicc"],
    "digits": ["555-1234", "5551234", "", "5551243", "42", "9"],
    "date": ["1970-01-02", "02/01/1970", "", "1970-02-01", "1999-12-31", "1970-01-03"],
    "number": ["12.50", "EUR 12.5", "", "13", "0.99", "1250.5 kg"],
    "exact": ["C-1", "c 1", "", "C1", "c 12", "D-1"],
}


def table_of(kind, values):
    field = LearntField("f", 0, kind, 1.0, len(set(values)), 0.1, len(values))
    return Table.of([field], [values], [f"r{k}" for k in range(len(values))])


@pytest.mark.parametrize("kind", KINDS)
def test_similarities_are_symmetric_and_say_what_is_equal_and_missing(kind):
    table = table_of(kind, VALUES[kind])
    column = table.columns[0]
    i, j = (each.ravel() for each in np.indices((6, 6)))
    found = similarities(column, i, j)
    assert np.array_equal(found, similarities(column, j, i), equal_nan=True)
    values = [column.values[code] for code in column.codes]
    for a, b, alike in zip(i.tolist(), j.tolist(), found.tolist(), strict=True):
        if not values[a] or not values[b]:
            assert math.isnan(alike)
        else:
            assert (alike == 1) == (values[a] == values[b])
            assert 0 <= alike <= 1
    levels = levels_of(kind, found)
    assert ((levels == 0) == np.isnan(found)).all()
    assert ((levels == COMPARISONS[kind].levels) == (found == 1)).all()


def test_names_are_as_alike_as_the_better_of_two_measures_says():
    table = table_of("name", ["anna", "nanna", "annabelle", "bernd"])
    i, j = np.triu_indices(4, 1)
    values = ["anna", "nanna", "annabelle", "bernd"]
    plain = [
        max(
            JaroWinkler.normalized_similarity(values[a], values[b]),
            OSA.normalized_similarity(values[a], values[b]),
        )
        for a, b in zip(i.tolist(), j.tolist(), strict=True)
    ]
    assert similarities(table.columns[0], i, j) == pytest.approx(plain, abs=1e-12)


def test_a_swapped_day_and_month_is_nearly_equal():
    table = table_of("date", ["1970-01-02", "1970-02-01", "1970-12-22"])
    alike = similarities(table.columns[0], np.array([0, 0]), np.array([1, 2]))
    assert levels_of("date", alike).tolist()[0] == COMPARISONS["date"].levels - 1
    assert alike[0] > alike[1]


def test_numbers_are_alike_by_their_ratio():
    table = table_of("number", ["EUR 10.00", "8.0", "10"])
    assert similarities(table.columns[0], np.array([0, 0]), np.array([1, 2])).tolist() == [
        pytest.approx(0.8),
        1.0,
    ]


def test_words_in_common_are_those_of_a_plain_count():
    rng = random.Random(1)
    words = [f"w{k}" for k in range(12)] + ["alpha", "beta", "gamma"]
    texts = [" ".join(rng.choices(words, k=rng.randrange(0, 9))) for _ in range(40)]
    weights = {word: rng.random() + 0.1 for word in words}
    i, j = np.triu_indices(40, 1)
    shared = WordVectors(texts, weights.__getitem__).shared(i, j)
    for k, (a, b) in enumerate(zip(i.tolist(), j.tolist(), strict=True)):
        one, two = set(texts[a].split()), set(texts[b].split())
        square = [sum(weights[word] ** 2 for word in each) for each in (one & two, one, two)]
        total = [sum(weights[word] for word in each) for each in (one & two, one, two)]
        numbers = [sum(any(map(str.isdigit, word)) for word in each) for each in (one & two, one | two)]
        assert shared.cosine[k] == pytest.approx(square[0] / max(math.sqrt(square[1] * square[2]), 1e-12))
        assert shared.containment[k] == pytest.approx(total[0] / max(min(total[1:]), 1e-12))
        assert np.isnan(shared.numbers[k]) == (numbers[1] == 0)
        if numbers[1]:
            assert shared.numbers[k] == pytest.approx(numbers[0] / numbers[1])


@pytest.mark.parametrize("records", [0, 1, 2, 3, 8, 9])
@pytest.mark.parametrize("linked", [False, True])
def test_random_pairs_of_few_records_are_all_pairs_once(records, linked):
    sets = [k % 2 for k in range(records)] if linked else None
    table = Table.of([], [], [f"r{k}" for k in range(records)], sets)
    i, j = random_pairs(table)
    plain = {
        (a, b)
        for a in range(records)
        for b in range(a + 1, records)
        if not linked or records < 2 or table.sets[a] != table.sets[b]
    }
    found = [(min(pair), max(pair)) for pair in zip(i.tolist(), j.tolist(), strict=True)]
    assert len(found) == len(set(found))
    assert set(found) == plain


def test_strangers_agree_as_random_pairs_do():
    rng = random.Random(2)
    values = [rng.choice(["anna", "bert", "carl", "dora", "anne"]) for _ in range(400)]
    field = LearntField("f", 0, "name", 1.0, 5, 0.2, 400)
    table = Table.of([field], [values], [f"r{k}" for k in range(400)])
    (found,) = strangers(table).u
    i, j = np.triu_indices(400, 1)
    levels = Evidence.of(table, i, j).levels[:, 0]
    differ = np.bincount(levels, minlength=6)[1:-1]
    assert found[-1] == 0.2
    assert found[:-1] == pytest.approx(differ / differ.sum() * 0.8, abs=0.02)


def test_strangers_are_told_from_the_matches_among_random_pairs():
    rng = np.random.default_rng(3)
    m, u = np.array([0.1, 0.2, 0.7]), np.array([0.9, 0.07, 0.03])
    matches = rng.choice([1, 2, 3], (6_000, 1), p=m)
    others = rng.choice([1, 2, 3], (14_000, 1), p=u)
    levels = np.concatenate([matches, others]).astype(np.int8)
    levels[::10] = 0
    patterns = Patterns.of(levels)
    mixed = np.bincount(levels[:, 0], minlength=4)[1:] / (levels > 0).sum()
    of_matches = np.bincount(patterns.place[:6_000], minlength=len(patterns.levels)).astype(float)
    (found,) = Strangers([mixed], patterns).without(of_matches)
    assert found == pytest.approx(u, abs=0.01)
    assert np.abs(mixed - u).max() > 0.1


def test_a_rare_value_in_common_weighs_more_than_a_frequent_one():
    from pehchan.learning.em import Estimate

    field = LearntField("f", 0, "name", 1.0, 3, 0.3, 100, {"smith": 0.5, "rare": 0.02})
    table = Table.of([field], [["smith", "smith", "rare", "rare", "other"]], list("abcde"))
    evidence = Evidence.of(table, np.array([0, 2]), np.array([1, 3]))
    estimate = Estimate(
        [np.array([0.05, 0.05, 0.05, 0.05, 0.8])], [np.array([0.6, 0.1, 0.1, 0.1, 0.1])], 0.01
    )
    weights = evidence.weights(estimate)[:, 0]
    assert weights == pytest.approx([math.log(0.8 / 0.5), math.log(0.8 / 0.02)])
