"""Pairs that a learnt model finds in the job: those that it finds in memory, however cells and buckets are cut."""

import random
from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import orjson
import pytest
from learnt_jobs import Records, run_job
from made_up_persons import NAMES, persons

from pehchan.console.jobs import Jobs
from pehchan.console.learning_run import with_model
from pehchan.console.progress import Progress
from pehchan.learning.candidates import candidate_pairs
from pehchan.learning.in_memory import learn_of
from pehchan.learning.neighbours import neighbour_pairs
from pehchan.learning.odds import CUTOFF, SCALE
from pehchan.learning.predicates import key_hashes
from pehchan.mrjobs.score_candidates import ScoreCandidates
from pehchan.mrjobs.wire import PAIRS, Pairs

TWO = ("A", "B")

_WORDS = """
stainless steel kettle with a long cord and lid for camping or the kitchen at home small large red blue green portable
electric garden hose pump bicycle lamp tent table chair folding wooden plastic metal glass
""".split()  # noqa: SIM905


@cache
def people(sets=("",)):
    """Persons, some twice; of two sets the second has those that come again, and some of its own."""
    columns, twice = persons(300, 80, seed=4)
    records = Records.of(NAMES, columns, sets)
    if len(sets) == 1:
        return records
    again = {row for _, row in twice} | set(range(200, 300))
    rows = [(sets[k in again], each, values) for k, (_, each, values) in enumerate(records.rows)]
    return Records(NAMES, rows, sets)


@cache
def texts(sets=("",)):
    """Products with a description, some twice with words left out."""
    chance = random.Random(7)
    rows = []
    for k in range(120):
        words = [*chance.choices(_WORDS, k=12), f"model{chance.randrange(400)}"]
        price = f"{chance.randrange(5, 300)}.99"
        rows.append((sets[0], f"a{k}", [" ".join(words), price]))
        if k % 2:
            chance.shuffle(words)
            rows.append((sets[-1], f"b{k}", [" ".join(words[:-3]), price]))
        else:
            rows.append((sets[-1], f"c{k}", [" ".join(chance.choices(_WORDS, k=9)), "7.50"]))
    return Records(("description", "price"), rows, sets)


@cache
def model_of(make, sets):
    records = make(sets)
    model = learn_of(records.profile(), records.table())[0]
    # Within one set so few columns tell too little; which pairs match is not what is tested here.
    return replace(model, threshold=-5.0) if make is texts and len(sets) == 1 else model


def in_memory(records, model, settle=lambda first, second, distance: distance, more=()):
    """Distances of all that is found in one table, at or under the cutoff, and how many pairs are compared.

    settle  what rules make of the distance of two records (set, id, values)
    more    pairs of rows that are compared besides
    """
    table = records.table(model.fields)
    listed = [candidate_pairs(table, model.keys)]
    if any(field.kind == "text" for field in model.fields):
        listed.append(neighbour_pairs(table))
    pairs = {(a, b) for i, j in listed for a, b in zip(i.tolist(), j.tolist(), strict=True)} | set(more)
    i, j = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
    found = {}
    for a, b, distance in zip(i.tolist(), j.tolist(), model.distances(table, i, j).tolist(), strict=True):
        one, two = records.rows[a], records.rows[b]
        settled = settle(one, two, distance)
        if settled <= CUTOFF:
            found[frozenset((one[:2], two[:2]))] = settled
    return found, len(pairs)


def by_the_job(records, plan, folder, seed=0, files=2):
    """Distances of the pairs that the job writes, each once and in order, and its counters."""
    lines, counters = run_job(ScoreCandidates, plan, records.files(random.Random(seed), files), folder)
    assert {tag for tag, _ in lines} <= {PAIRS}
    pairs = [pair for _, payload in lines for pair in Pairs.decode(payload)]
    found = {frozenset((pair.first, pair.second)): pair.distance for pair in pairs}
    assert len(found) == len(pairs), "a pair is there twice"
    assert all(pair.first < pair.second for pair in pairs)
    assert counters["Pairs", "Kept"] == len(pairs)
    return found, counters["Pairs", "Compared"]


def scored_plan(records, model, cells=1, buckets=1, **rules):
    plan = records.plan(**rules)
    buckets_of_sets = (buckets,) * len(records.sets)
    return replace(plan, model=model.to_dict(), shared_cells=cells, default_buckets=buckets_of_sets)


@pytest.mark.parametrize("sets", [("",), TWO])
@pytest.mark.parametrize("cells", [1, 2, 3, 7])
def test_any_number_of_cells_finds_the_pairs_of_one_table(tmp_path, sets, cells):
    records, model = people(sets), model_of(people, sets)
    expected, compared = in_memory(records, model)
    assert len(expected) >= 70
    found, in_job = by_the_job(records, scored_plan(records, model, cells), tmp_path, cells)
    assert found == expected
    # Two records meet in each cell in which they share a key, once.
    table = records.table(model.fields)
    hashes = key_hashes(table, model.keys.keys)
    i, j = candidate_pairs(table, model.keys)
    shared = (hashes[i] == hashes[j]) & (hashes[i] != 0)
    assert in_job == sum(
        len(set((hashes[row][same] % np.uint64(cells)).tolist()))
        for row, same in zip(i.tolist(), shared, strict=True)
    )
    assert in_job == compared or cells > 1


@pytest.mark.parametrize("sets", [("",), TWO])
@pytest.mark.parametrize(("cells", "buckets"), [(1, 1), (3, 2), (1, 2), (2, 3), (7, 7)])
def test_texts_have_the_same_neighbours_in_any_number_of_buckets(tmp_path, sets, cells, buckets):
    records, model = texts(sets), model_of(texts, sets)
    assert any(field.kind == "text" for field in model.fields)
    expected, _ = in_memory(records, model)
    assert len(expected) >= 20
    found, _ = by_the_job(records, scored_plan(records, model, cells, buckets), tmp_path, buckets)
    assert found == expected
    # All that are compared, where none is too unlikely to be kept.
    keen = replace(model, threshold=-60.0)
    expected, compared = in_memory(records, keen)
    assert len(expected) == compared
    assert by_the_job(records, scored_plan(records, keen, cells, buckets), tmp_path)[0] == expected


def test_a_set_without_records_gives_no_pairs(tmp_path):
    """Nothing meets, also not the records of the other set among themselves."""
    model = model_of(people, TWO)
    alone = Records(NAMES, [("A", each, values) for _, each, values in people().rows], TWO)
    for cells in (1, 3):
        assert by_the_job(alone, scored_plan(alone, model, cells), tmp_path) == ({}, 0)


@pytest.mark.parametrize("rows", [[], people().rows[:1]])
def test_fewer_than_two_records_give_no_pairs(tmp_path, rows):
    model, few = model_of(people, ("",)), Records(NAMES, rows)
    for cells in (1, 2):
        assert by_the_job(few, scored_plan(few, model, cells), tmp_path) == ({}, 0)


@pytest.mark.parametrize("cells", [1, 3])
def test_columns_that_are_not_learnt_from_may_stand_between(tmp_path, cells):
    """The model knows columns by their names, and the records may have them in any place."""
    records, model = people(), model_of(people, ("",))
    expected, _ = in_memory(records, model)
    names = ["note", *reversed(NAMES), "more"]
    rows = [(set_name, each, ["x", *reversed(values), ""]) for set_name, each, values in records.rows]
    moved = Records(names, rows)
    assert by_the_job(moved, scored_plan(moved, model, cells), tmp_path)[0] == expected


ODD_IDS = ["a,b", '"quoted"', "tab\there", "line\nend", "Zoë", "漢字", "😀", " ", "~2", "\0", "a\\b"]


@pytest.mark.parametrize(("cells", "buckets"), [(1, 1), (3, 2), (2, 2)])
def test_ids_may_hold_anything(tmp_path, cells, buckets):
    for make in (people, texts):
        plain = make()
        ids = dict(enumerate(each + str(k) for k, each in enumerate(ODD_IDS * 20)))
        rows = [(name, ids.get(k, each), values) for k, (name, each, values) in enumerate(plain.rows)]
        records, model = Records(plain.names, rows), model_of(make, ("",))
        expected, _ = in_memory(records, model)
        found, _ = by_the_job(records, scored_plan(records, model, cells, buckets), tmp_path)
        assert found == expected


# rules

#: No key of the model finds most of the pairs that these are about.
RULES = {"must_link": ["account", "email"], "cannot_link": ["country", "digits(tax)"]}


@cache
def ruled(sets):
    """Persons with columns that rules are about; the model does not know them."""
    chance = random.Random(11)

    def some(*values):
        return chance.choice(("", *values))

    rows = []
    for set_name, each, values in people(sets).rows:
        account = some(*(f"K{k}" for k in range(60)))
        email = some("", "", *(f"p{k}@example.com" for k in range(30)))
        country = some("AT", "DE")
        tax = some("1-1", "1 1", "22")
        email = email.upper() if int(each[1:]) % 2 else email
        rows.append((set_name, each, [*values, account, email, country, tax]))
    return Records((*NAMES, "account", "email", "country", "tax"), rows, sets)


def rule_values(record):
    """What must be the same, and what must not differ, in plain Python."""
    account, email, country, tax = record[2][-4:]
    return (account, email.lower()), (country, "".join(c for c in tax if c.isdigit()))


def settled(one, two, distance):
    (must, cannot), (must_too, cannot_too) = rule_values(one), rule_values(two)
    if any(a and b and a != b for a, b in zip(cannot, cannot_too, strict=True)):
        return SCALE
    return 0 if any(a and a == b for a, b in zip(must, must_too, strict=True)) else distance


def must_meet(records):
    """Pairs of rows, of two sets those across, that share a value of a rule."""
    rows = records.rows
    return [
        (a, b)
        for a, b in combinations(range(len(rows)), 2)
        if (len(records.sets) == 1 or rows[a][0] != rows[b][0])
        and any(x and x == y for x, y in zip(rule_values(rows[a])[0], rule_values(rows[b])[0], strict=True))
    ]


@pytest.mark.parametrize("sets", [("",), TWO])
@pytest.mark.parametrize("cells", [1, 2, 7])
def test_rules_win_over_the_model_in_any_number_of_cells(tmp_path, sets, cells):
    records, model = ruled(sets), model_of(people, sets)
    expected, _ = in_memory(records, model, settled, must_meet(records))
    without, _ = in_memory(records, model)
    assert len(expected.keys() - without.keys()) > 100
    assert len(without.keys() - expected.keys()) > 20
    found, _ = by_the_job(records, scored_plan(records, model, cells, **RULES), tmp_path, cells)
    assert found == expected


@pytest.mark.parametrize("buckets", [1, 2, 3])
def test_rules_win_among_neighbours_too(tmp_path, buckets):
    plain, model = texts(), model_of(texts, ("",))
    rows = [(name, each, [*values, each[1:], each[0]]) for name, each, values in plain.rows]
    records = Records((*plain.names, "number", "letter"), rows)
    rules = {"must_link": ["number"], "cannot_link": ["letter"]}
    found, _ = by_the_job(records, scored_plan(records, model, 2, buckets, **rules), tmp_path)
    assert not {frozenset(f[1] for f in pair) for pair in found} & {
        frozenset((f"a{k}", f"{'b' if k % 2 else 'c'}{k}")) for k in range(120)
    }
    found, _ = by_the_job(records, scored_plan(records, model, 2, buckets, must_link=["number"]), tmp_path)
    linked = {frozenset((("", f"a{k}"), ("", f"{'b' if k % 2 else 'c'}{k}"))) for k in range(120)}
    assert linked <= found.keys()
    assert {found[pair] for pair in linked} == {0}


@pytest.mark.parametrize("sets", [("",), TWO])
@pytest.mark.parametrize("cells", [1, 3])
def test_very_many_records_of_one_rule_are_all_linked_without_all_their_pairs(tmp_path, sets, cells):
    """Of each country, as records of two are never linked."""
    model = model_of(people, sets)
    rows = []
    for k in range(600):
        values = ["", "", f"{k} Some Way", "", f"{k}777", "K1", ("AT", "DE")[k % 2]]
        rows.append((sets[k % 7 % len(sets)], f"r{k}", values))
    records = Records((*NAMES, "account", "country"), rows, sets)
    plan = scored_plan(records, model, cells, must_link=["account"], cannot_link=["country"])
    found, _ = by_the_job(records, plan, tmp_path)
    assert len(found) < 600 * 60
    of_id = {each: values[-1] for _, each, values in rows}
    parent = dict(zip(of_id, of_id, strict=True))

    def root(each):
        while parent[each] != each:
            each = parent[each]
        return each

    for pair, distance in found.items():
        (_, one), (_, two) = pair
        if distance == 0:
            assert of_id[one] == of_id[two]
            parent[root(one)] = root(two)
    assert len({root(each) for each in of_id}) == 2


def test_texts_have_buckets_wherever_cells_share_the_keys():
    """Else the nearest of a record would be those of its cell."""
    jobs, plan = Jobs("inline", None, Progress(quiet=True)), texts().plan()
    jobs.counts.update({("Records", "Read"): 240, ("Records", "Bytes held"): 10**9})
    small = replace(plan, settings=replace(plan.settings, memory_mb=256))
    found = with_model(small, model_of(texts, ("",)), jobs)
    assert found.shared_cells > 1
    assert found.default_buckets == (2,)


def test_the_lines_of_the_job_are_not_too_long(tmp_path):
    """All equal: many pairs, on lines of which none holds more than some of them."""
    records, model = people(), model_of(people, ("",))
    same = Records(NAMES, [("", f"r{k}", records.rows[0][2]) for k in range(90)])
    for cells in (1, 2):
        lines, _ = run_job(
            ScoreCandidates, scored_plan(same, model, cells), same.files(random.Random(1), 1), tmp_path
        )
        sizes = [len(orjson.loads(payload)[1]) for _, payload in lines]
        assert sum(sizes) == 90 * 89 / 2
        assert max(sizes) <= 1000
