"""Learning as a whole: what is found, that order does not matter, and that odd data are borne."""

import csv
import json
import random

import numpy as np
import pytest
from people import NAMES, people, typo
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pehchan.learning.asking import to_ask
from pehchan.learning.in_memory import RawLabels, learn_from
from pehchan.learning.labelled import LabelledPairs
from pehchan.learning.learn import Pairs
from pehchan.learning.model import Model


@pytest.fixture(scope="module")
def known():
    columns, ids, pairs = people(600)
    return columns, ids, pairs, learn_from(NAMES, columns, ids)


def f1(learnt, pairs):
    taken = learnt.log_odds > 0
    found = set(zip(learnt.i[taken].tolist(), learnt.j[taken].tolist(), strict=True))
    return 2 * len(found & set(pairs)) / max(len(found) + len(pairs), 1)


def said(columns, ids, labelled):
    """Raw labels of (i, j, label)."""
    return RawLabels(columns, ids, *map(list, zip(*labelled, strict=True)))


def as_text(model):
    return json.dumps(model.to_dict())


def test_persons_are_found_without_labels(known):
    _, _, pairs, learnt = known
    assert f1(learnt, pairs) > 0.98
    assert learnt.model.warnings == ()


def test_the_order_of_records_does_not_show_in_the_model(known):
    columns, ids, _, learnt = known
    order = random.Random(2).sample(range(len(ids)), len(ids))
    again = learn_from(NAMES, [[column[k] for k in order] for column in columns], [ids[k] for k in order])
    assert as_text(again.model) == as_text(learnt.model)
    assert sorted(again.log_odds.tolist()) == sorted(learnt.log_odds.tolist())


def test_the_order_of_labels_does_not_show_in_the_model(known):
    columns, ids, pairs, learnt = known
    labelled = [(i, j, 1) for i, j in pairs[:15]] + [(k, k + 7, 0) for k in range(0, 60, 4)]
    one = learn_from(NAMES, columns, ids, labels=said(columns, ids, labelled))
    turned = [(j, i, label) for i, j, label in labelled[::-1]]
    other = learn_from(NAMES, columns, ids, labels=said(columns, ids, turned))
    assert as_text(one.model) == as_text(other.model)
    assert as_text(one.model) != as_text(learnt.model)


def test_scores_are_the_same_to_the_last_bit_in_any_company(known):
    columns, ids, pairs, learnt = known
    labelled = [(i, j, 1) for i, j in pairs[:10]] + [(k, k + 7, 0) for k in range(0, 40, 4)]
    # With labels it counts what words have in common as well.
    for model in (learnt.model, learn_from(NAMES, columns, ids, labels=said(columns, ids, labelled)).model):
        together = model.log_odds(learnt.table, learnt.i, learnt.j)
        turned = model.log_odds(learnt.table, learnt.j[::-1], learnt.i[::-1])[::-1]
        assert (together == turned).all()
        for k in range(0, len(together), 97):
            rows = np.array([learnt.i[k], learnt.j[k]])
            alone = model.log_odds(learnt.table.take(rows), np.array([0]), np.array([1]))
            assert alone[0] == together[k]
            fresh = type(learnt.table).of(
                model.fields,
                [[columns[each.ordinal][row] for row in rows] for each in model.fields],
                ["a", "b"],
            )
            assert model.log_odds(fresh, np.array([1]), np.array([0]))[0] == together[k]


def test_a_model_that_was_read_scores_as_the_one_that_was_written(known, tmp_path):
    *_, learnt = known
    learnt.model.write(tmp_path / "model")
    again = Model.read(tmp_path / "model")
    assert as_text(again) == as_text(learnt.model)
    written = learnt.model.log_odds(learnt.table, learnt.i, learnt.j)
    assert (again.log_odds(learnt.table, learnt.i, learnt.j) == written).all()


def test_files_that_are_no_model_are_refused(known, tmp_path):
    with pytest.raises(ValueError, match="is not there"):
        Model.read(tmp_path)
    for text, wrong in (
        ("{", "is no model"),
        ("[]", "version None"),
        ('{"version": 99}', "version 99"),
        ('{"version": 1}', "no whole model"),
    ):
        (tmp_path / "model.json").write_text(text)
        with pytest.raises(ValueError, match=wrong):
            Model.read(tmp_path)


def test_distances_are_hundredths_below_the_best(known):
    *_, learnt = known
    distances = learnt.model.distances(learnt.table, learnt.i, learnt.j)
    assert distances.min() >= 0
    assert distances.max() <= 2400
    assert ((distances <= 1200) >= (learnt.log_odds > 0)).all()


def test_one_of_ten_labels_may_be_wrong(known):
    columns, ids, pairs, learnt = known
    labelled = [(i, j, 1) for i, j in pairs[:40]] + [(k, k + 7, 0) for k in range(0, 160, 4)]
    wrong = [(i, j, 1 - label if k % 10 == 0 else label) for k, (i, j, label) in enumerate(labelled)]
    found = learn_from(NAMES, columns, ids, labels=said(columns, ids, wrong))
    assert f1(found, pairs) > f1(learnt, pairs) - 0.005
    assert any("against what all else says" in warning for warning in found.model.warnings)


@pytest.mark.parametrize("kind", ["matches", "no matches", "one", "unsure", "contradicting", "none"])
def test_labels_of_every_kind_are_borne(known, kind):
    columns, ids, pairs, learnt = known
    yes, no = [(i, j, 1) for i, j in pairs[:8]], [(k, k + 7, 0) for k in range(0, 32, 4)]
    labelled = {
        "matches": yes,
        "no matches": no,
        "one": yes[:1],
        "unsure": [(i, j, 2) for i, j, _ in yes],
        "contradicting": yes + [(i, j, 0) for i, j, _ in yes[:3]] + no,
        "none": [],
    }[kind]
    raw = said(columns, ids, labelled) if labelled else RawLabels(columns, ids, [], [], [])
    found = learn_from(NAMES, columns, ids, labels=raw)
    assert f1(found, pairs) > 0.97
    if kind in ("unsure", "none"):
        assert as_text(found.model) == as_text(learnt.model)
    if kind in ("matches", "no matches", "one"):
        assert any("both sides are needed" in warning for warning in found.model.warnings)
    if kind == "contradicting":
        assert any("3 pairs are labelled as a match and as no match" in each for each in found.model.warnings)


@pytest.mark.parametrize("answer", [0, 1])
@pytest.mark.parametrize("count", [1, 2, 8])
def test_labels_of_one_side_do_not_move_where_matches_begin(known, answer, count):
    columns, ids, pairs, learnt = known
    right = np.isin(learnt.i * len(ids) + learnt.j, [i * len(ids) + j for i, j in pairs])
    # The least sure ones, as they are asked about.
    places = np.flatnonzero(right == bool(answer))
    places = places[np.argsort(np.abs(learnt.log_odds[places]))[:count]]
    labelled = [(int(learnt.i[k]), int(learnt.j[k]), answer) for k in places]
    found = learn_from(NAMES, columns, ids, labels=said(columns, ids, labelled))
    assert found.model.intercept == pytest.approx(learnt.model.intercept, abs=0.05)
    moved = found.model.log_odds(learnt.table, learnt.i, learnt.j) - learnt.log_odds
    assert np.median(np.abs(moved)) < 1
    assert ((found.log_odds > 0) != (learnt.log_odds > 0)).mean() < 0.01


def test_what_is_the_same_for_all_pairs_does_not_count():
    """No street has a number: what numbers of it two records have in common says nothing."""
    columns, ids, pairs = people(150, twice=0.5)
    columns[2] = [street.lstrip("0123456789") for street in columns[2]]
    columns[2] = ["".join("x" if letter.isdigit() else letter for letter in street) for street in columns[2]]
    labelled = [(i, j, 1) for i, j in pairs[:8]] + [(k, k + 7, 0) for k in range(0, 32, 4)]
    found = learn_from(NAMES, columns, ids, labels=said(columns, ids, labelled))
    assert "street: numbers" not in found.model.coefficients
    assert max(map(abs, found.model.coefficients.values())) < 100


def test_labels_outlive_their_records(known):
    columns, ids, pairs, _ = known
    gone, other_ids, other_pairs = people(100, seed=9)
    labelled = [(i, j, 1) for i, j in other_pairs[:10]] + [(k, k + 5, 0) for k in range(0, 40, 4)]
    found = learn_from(NAMES, columns, ids, labels=said(gone, other_ids, labelled))
    assert f1(found, pairs) > 0.97


def test_nobody_is_asked_twice(known):
    *_, learnt = known
    pairs = Pairs(learnt.table, learnt.i, learnt.j)
    first = to_ask(learnt.model, pairs)
    assert len(first) == len(set(first.tolist())) == 20
    labels = LabelledPairs(learnt.table, learnt.j[first], learnt.i[first], np.full(20, 2, np.int8))
    assert not set(to_ask(learnt.model, pairs, labels).tolist()) & set(first.tolist())
    order = np.random.default_rng(1).permutation(len(learnt.i))
    other = to_ask(learnt.model, Pairs(learnt.table, learnt.i[order], learnt.j[order]))
    assert order[other].tolist() == first.tolist()


LONG = " ".join(f"word{k % 977}" for k in range(20_000))
ODD = {
    "no record": ([[], []], []),
    "one record": ([["anna"], ["berlin"]], []),
    "two equal records": ([["anna"] * 2, ["berlin"] * 2], [(0, 1)]),
    "all equal": ([["anna"] * 50, ["berlin"] * 50], None),
    "one column": (
        [[f"anna {k // 2} miller{k // 2 * 7919}" for k in range(60)]],
        [(k, k + 1) for k in range(0, 60, 2)],
    ),
    "one useful column": (
        [[f"name{k // 2 * 7919}x" for k in range(60)], ["same"] * 60],
        [(k, k + 1) for k in range(0, 60, 2)],
    ),
    "all empty": ([[""] * 20, [""] * 20], []),
    "no duplicates": (
        [[f"{number:09}" for number in random.Random(seed).sample(range(10**9), 80)] for seed in (1, 2)],
        [],
    ),
    "everything a duplicate": (
        [
            ["anna", "ana", "anna", "anne", "anna "] * 8,
            ["berlin", "berlin", "berln", "berlin", "berlin"] * 8,
            [str(k % 3) for k in range(40)],
        ],
        None,
    ),
    "very long texts": ([[LONG + str(k // 2) for k in range(8)], [str(k // 2 * 31) for k in range(8)]], None),
    "not Latin": (
        [
            [f"{'абвгдежзик'[k // 2 % 10]}нна {'αβγδεζηθικ'[k // 4 % 10]}{k // 2}" for k in range(60)],
            [f"東京{k // 2}" for k in range(60)],
            [f"नमस्ते {k // 2 * 37}" for k in range(60)],
        ],
        [(k, k + 1) for k in range(0, 60, 2)],
    ),
    "units": (
        [
            [f"{k // 2 * 1.7 + 1.5:.1f} kg" for k in range(60)],
            [f"EUR {k // 2 * 13.37 + 0.99:.2f}" for k in range(60)],
            [f"item{k // 2 * 7919}" for k in range(60)],
        ],
        [(k, k + 1) for k in range(0, 60, 2)],
    ),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("linked", [False, True])
def test_odd_records_are_borne(name, linked, tmp_path):
    columns, pairs = ODD[name]
    ids = [f"r{k}" for k in range(len(columns[0]))]
    sets = [k % 2 for k in range(len(ids))] if linked else None
    found = learn_from([f"c{k}" for k in range(len(columns))], columns, ids, sets)
    assert np.isfinite(found.log_odds).all()
    found.model.write(tmp_path)
    assert as_text(Model.read(tmp_path)) == as_text(found.model)
    if (
        len(ids) < 2
        or name in ("all empty", "all equal", "one column", "one useful column")
        or (name == "no duplicates" and not linked)
    ):
        assert found.model.warnings
    if pairs and name != "two equal records":
        assert f1(found, pairs) > 0.9
    if pairs == []:
        assert not (found.log_odds > 0).any()


def copied(things, records, seed=7):
    """So many records of the first things that people() makes, in each value of some of which a letter is wrong."""
    rng = random.Random(seed)
    columns, _, _ = people(things, seed=seed, twice=0)
    rows = list(zip(*columns, strict=True))
    return [[typo(x, rng) if rng.random() < 0.3 else x for x in rows[k % things]] for k in range(records)]


def learnt_of(rows):
    columns = list(map(list, zip(*rows, strict=True)))
    return learn_from(
        [f"c{k}" for k in range(len(columns))], columns, [f"r{k}" for k in range(len(columns[0]))]
    )


def test_records_that_are_nearly_all_one_thing_are_taken_for_it():
    found = learnt_of(copied(1, 50))
    assert (found.log_odds > 0).mean() > 0.99
    assert len(np.unique([found.i, found.j])) == 50
    assert ["A large part of all pairs" in each for each in found.model.warnings] == [True]


@pytest.mark.parametrize("more", ["serial numbers", "amounts", "only two columns"])
def test_where_nothing_tells_whether_all_are_one_thing_it_says_so(more):
    rng = random.Random(8)
    rows = copied(1, 50)
    if more == "serial numbers":
        rows = [[*row, f"SN {1000 + k}"] for k, row in enumerate(rows)]
    elif more == "amounts":
        rows = [[*row, str(rng.randrange(10**6))] for row in rows]
    else:
        rows = [row[:2] for row in rows]
    found = learnt_of(rows)
    assert not (found.log_odds > 0).any()
    assert any("Nothing tells whether they are all one thing" in each for each in found.model.warnings)


@pytest.mark.parametrize(("things", "records"), [(2, 60), (5, 60), (3, 300), (30, 100)])
def test_many_records_of_few_things_are_told_apart(things, records):
    found = learnt_of(copied(things, records))
    taken = found.log_odds > 0
    i, j = found.i[taken], found.j[taken]
    of_one = (j - i) % things == 0
    assert of_one.mean() > 0.99
    edges = coo_array((np.ones(int(of_one.sum())), (i[of_one], j[of_one])), shape=(records, records))
    assert things <= connected_components(edges, directed=False)[0] <= things + 2


def test_labels_speak_against_what_was_found():
    """Of records that are alike in two columns some are said to match."""
    rows = [row[:2] for row in copied(1, 50)]
    columns = list(map(list, zip(*rows, strict=True)))
    ids = [f"r{k}" for k in range(50)]
    labelled = said(columns, ids, [(k, k + 1, 1) for k in range(0, 40, 2)])
    found = learn_from(["c0", "c1"], columns, ids, labels=labelled)
    assert (found.log_odds > 0).mean() > 0.5


@pytest.mark.parametrize(
    ("copies", "clean"), [((1, 1), (0, 1)), ((2, 1), (1,)), ((1, 2), (0,)), ((2, 2), ())]
)
def test_sets_may_hold_duplicates(copies, clean):
    """Persons who are in the first set, the second or both, there so many times."""
    rng = random.Random(6)
    columns, _, _ = people(300, twice=0)
    rows, sets, who = [], [], []
    for k, person in enumerate(zip(*columns, strict=True)):
        for number in range(2):
            for _ in range(copies[number] if k % 3 in (2, number) else 0):
                place = rng.randrange(len(person))
                rows.append([*person[:place], typo(person[place], rng), *person[place + 1 :]])
                sets.append(number)
                who.append(k)
    raw = list(map(list, zip(*rows, strict=True)))
    found = learn_from(NAMES, raw, [f"r{k}" for k in range(len(rows))], sets, clean=clean)
    places = range(len(rows))
    pairs = [(i, j) for i in places for j in places if who[i] == who[j] and sets[i] < sets[j]]
    assert f1(found, pairs) > 0.97
    assert not found.model.warnings


def test_a_household_is_not_taken_for_safe():
    rng = random.Random(3)
    columns, ids, _ = people(400, seed=4, twice=0.3, damaged=1)
    for k in range(0, len(ids) - 1, 3):
        # They live together, and have one last name and phone.
        for place in (1, 2, 3, 5):
            columns[place][k + 1] = columns[place][k]
        columns[0][k + 1] = rng.choice(["xaver", "yvonne", "zita", "wolf", "viola"])
    found = learn_from(NAMES, columns, ids)
    assert any("lookalikes" in warning for warning in found.model.warnings)


@pytest.mark.parametrize(
    ("name", "least"),
    [("zingg_febrl65", 0.99), ("febrl3", 0.999), ("fodors_zagat", 0.85), ("rldata500", 0.97)],
)
def test_record_sets_are_learnt_without_labels(record_sets, name, least):
    with open(record_sets / name / "records.csv", newline="", encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    with open(record_sets / name / "clusters.csv", newline="", encoding="utf-8") as lines:
        clusters = dict(list(csv.reader(lines))[1:])
    place = header.index("id")
    columns = [[row[k] for row in rows] for k in range(len(header)) if k != place]
    ids = [row[place] for row in rows]
    found = learn_from([each for each in header if each != "id"], columns, ids)
    of_cluster: dict[str, list[int]] = {}
    for row, each in enumerate(ids):
        of_cluster.setdefault(clusters[each], []).append(row)
    pairs = [(a, b) for rows_ in of_cluster.values() for k, a in enumerate(rows_) for b in rows_[k + 1 :]]
    assert f1(found, pairs) > least
