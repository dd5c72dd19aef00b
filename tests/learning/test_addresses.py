"""Addresses of records: where two meet depends on nothing but these two and what is frozen."""

from collections import defaultdict
from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_persons import persons, table_of

import pehchan.learning.addresses
from pehchan.learning.addresses import Addresses, Addressing, Frozen, pairs_at
from pehchan.learning.hashing import combined, text_hashes
from pehchan.learning.in_memory import learn_of
from pehchan.learning.neighbours import telling_words, wanted
from pehchan.learning.predicates import key_hashes, part_hashes
from pehchan.learning.profile import Profile
from pehchan.learning.table import Table


@pytest.fixture
def small_caps(monkeypatch):
    """Few records make a block large, and are shared out; and few share a word."""
    monkeypatch.setattr(pehchan.learning.addresses, "CAP", 4)
    monkeypatch.setattr(pehchan.learning.addresses, "WORD_CAP", 3)
    monkeypatch.setattr(pehchan.learning.addresses, "_TOGETHER", 2)


@cache
def learnt():
    """Keys of persons, and a table whose records come in crowds: some alike in all, some in most."""
    columns, _ = persons(300, 80, seed=4)
    made = table_of(columns)
    names = [f"c{k}" for k in range(len(columns))]
    model = learn_of(Profile.of(names, columns, np.zeros(len(made), np.int8)), made)[0]
    rows = [[column[k] for column in columns] for k in range(300)]
    crowd = [rows[k] for k in range(8) for _ in range(12)]
    # As the first ones, but of another street or name.
    crowd += [[*rows[k][:2], rows[20 + j][2], *rows[k][3:]] for k in range(4) for j in range(8)]
    crowd += [[rows[40 + j][0], *rows[k][1:]] for k in range(4) for j in range(6)]
    # Alike also in what is missing.
    crowd += [["", *rows[k][1:]] for k in (50, 51) for _ in range(10)]
    crowd += rows[100:160]
    return model, made.fields, [list(column) for column in zip(*crowd, strict=True)]


def table(rows=None, texts=False):
    model, fields, columns = learnt()
    if texts:
        # As texts their words are addresses as well.
        fields = tuple(replace(each, kind="text") if each.kind == "words" else each for each in fields)
        assert wanted(fields)
    some = range(len(columns[0])) if rows is None else rows
    picked = [[columns[field.ordinal][row] for row in some] for field in fields]
    return model.keys, Table.of(fields, picked, [f"r{row}" for row in some])


def linked_of(rows):
    """A value that alone makes two records one, which a third of them have."""
    return text_hashes([f"v{row % 4}" if row % 3 == 0 else "" for row in rows])[:, None]


def met(addresses, records):
    """Pairs that share an address, looked at one by one."""
    at = [set() for _ in range(records)]
    for row, address in zip(addresses.rows.tolist(), addresses.at.tolist(), strict=True):
        at[row].add(address)
    return {(i, j) for i, j in combinations(range(records), 2) if at[i] & at[j]}


def pairs_of(addresses, records, new=None):
    i, j = pairs_at([addresses], records, new)
    return list(zip(i.tolist(), j.tolist(), strict=True))


@given(
    st.integers(0, 12).flatmap(
        lambda records: st.tuples(
            st.just(records),
            st.lists(st.tuples(st.integers(0, max(records - 1, 0)), st.integers(1, 6)), max_size=40)
            if records
            else st.just([]),
            st.lists(st.booleans(), min_size=records, max_size=records),
        )
    ),
    st.integers(1, 7),
    st.integers(0, 9),
    st.integers(1, 4),
)
@settings(max_examples=300, deadline=None)
def test_pairs_are_those_that_share_an_address_each_once_and_in_order(drawn, at_once, held, parts):
    records, given_to, new = drawn
    rows = np.array([row for row, _ in given_to], np.int64)
    addresses = Addresses(rows, np.array([at for _, at in given_to], np.uint64))
    module = pehchan.learning.addresses
    before = module._AT_ONCE, module._HELD
    module._AT_ONCE, module._HELD = at_once, held
    try:
        # The same in parts that have addresses apart, as keys have.
        own = [addresses.at % parts == part for part in range(parts)]
        apart = [Addresses(addresses.rows[some], addresses.at[some]) for some in own]
        together = [(i, j) for i, j in zip(*map(np.ndarray.tolist, pairs_at(apart, records)), strict=True)]
        assert together == sorted(met(addresses, records))
        assert pairs_of(addresses, records) == sorted(met(addresses, records))
        of_new = sorted(pair for pair in met(addresses, records) if new[pair[0]] or new[pair[1]])
        assert pairs_of(addresses, records, np.array(new, np.bool_)) == of_new
    finally:
        module._AT_ONCE, module._HELD = before


@pytest.mark.parametrize("texts", [False, True])
def test_what_is_frozen_gives_the_records_the_addresses_it_was_found_with(small_caps, texts):
    keys, records = table(texts=texts)
    linked = linked_of(range(len(records)))
    finding = Addressing(keys)
    found = finding.of(records, linked=linked)
    frozen = Frozen.from_dict(finding.found.to_dict())
    # There is something of each kind, and what is shared out has several places.
    assert len(frozen.large) > 10
    assert len(frozen.crowded) > 5
    assert frozen.shares.max() > 2
    again = Addressing(keys, frozen).of(records, linked=linked)
    assert found.rows.tolist() == again.rows.tolist()
    assert found.at.tolist() == again.at.tolist()
    # Nothing is found out where it is settled.
    assert not len(Addressing(keys, frozen).found.large)


@pytest.mark.parametrize("texts", [False, True])
def test_two_records_alone_meet_as_they_do_among_all(small_caps, texts):
    keys, records = table(texts=texts)
    count = len(records)
    finding = Addressing(keys)
    everything = met(finding.of(records, linked=linked_of(range(count))), count)
    settled = Addressing(keys, finding.found)
    chance = np.random.default_rng(5)
    some = set(map(tuple, np.sort(chance.integers(0, count, (60, 2)), axis=1).tolist()))
    some |= set(sorted(everything)[:: max(1, len(everything) // 60)])
    told = set()
    for i, j in sorted(some):
        if i != j:
            _, two = table((i, j), texts)
            alone = pairs_of(settled.of(two, linked=linked_of((i, j))), 2)
            assert (alone == [(0, 1)]) == ((i, j) in everything)
            told.add(bool(alone))
    assert told == {True, False}


def test_two_records_alone_are_as_far_apart_as_among_all():
    model = learnt()[0]
    _, records = table()
    chance = np.random.default_rng(6)
    i, j = np.sort(chance.integers(0, len(records), (60, 2)), axis=1).T
    i, j = i[i != j], j[i != j]
    for a, b, distance in zip(i.tolist(), j.tolist(), model.distances(records, i, j).tolist(), strict=True):
        _, two = table((a, b))
        assert model.distances(two, np.array([0]), np.array([1])).tolist() == [distance]


def test_tables_of_some_keys_find_together_what_one_of_all_does(small_caps):
    """As cells of a job do, each with the hashes that are its own."""
    keys, records = table()
    hashes, linked = key_hashes(records, keys.keys), linked_of(range(len(records)))
    whole = Addressing(keys)
    expected = met(whole.of(records, hashes, linked), len(records))
    parts, found = [], set()
    for cell in range(3):
        own, own_linked = hashes.copy(), linked.copy()
        for each in (own, own_linked):
            each[each % np.uint64(3) != cell] = 0
        addressing = Addressing(keys)
        found |= met(addressing.of(records, own, own_linked), len(records))
        parts.append(addressing.found)
    assert found == expected
    together, one = Frozen.all(parts), whole.found
    for name in ("large", "crowded", "shares"):
        assert getattr(together, name).tolist() == getattr(one, name).tolist()


def plain_met(keys, records, linked, cap, word_cap, together):
    """Pairs that meet by what is said of addresses, with tuples in the place of hashes: blocks of a key, those too
    large divided by each of three other fields and again, and in the end by all values, of which many are shared out.
    """
    places = defaultdict(set)
    hashes = key_hashes(records, keys.keys)
    values = list(zip(*(column.codes.tolist() for column in records.columns), strict=True))

    def in_blocks(rows_at):
        blocks = defaultdict(list)
        for row, at in rows_at:
            blocks[at].append(row)
        return blocks.items()

    def share_out(rows_at):
        for at, rows in in_blocks(rows_at):
            if len(rows) <= cap:
                places[at].update(rows)
                continue
            for time in range(4):
                drawn = combined([records.record_hashes[rows]], time + 1) % np.uint64(
                    -(-len(rows) // together)
                )
                for row, number in zip(rows, drawn.tolist(), strict=True):
                    places[(*at, time, number)].add(row)

    def settle(rows_at, others, rounds):
        for at, rows in in_blocks(rows_at):
            if len(rows) <= cap:
                places[at].update(rows)
            elif rounds == 0 or not others:
                share_out((row, (*at, "alike", values[row])) for row in rows)
            else:
                for part in others[:3]:
                    split = part_hashes(records, part).tolist()
                    rest = [other for other in others if other.field != part.field]
                    settle([(row, (*at, part, split[row])) for row in rows if split[row]], rest, rounds - 1)

    for k, key in enumerate(keys.keys):
        used = {part.field for part in key.parts}
        others = [part for part in keys.refinements if part.field not in used]
        settle([(row, (k, at)) for row, at in enumerate(hashes[:, k].tolist()) if at], others, 2)
    share_out((row, ("linked", at)) for row, at in enumerate(linked[:, 0].tolist()) if at)
    if wanted(records.fields):
        words = in_blocks(zip(*(each.tolist() for each in telling_words(records)), strict=True))
        frequent = defaultdict(list)
        for word, rows in words:
            if len(rows) <= word_cap:
                places["word", word].update(rows)
            for row in rows if len(rows) > word_cap else ():
                frequent[row].append(word)
        both = [(row, pair) for row, some in frequent.items() for pair in combinations(sorted(some), 2)]
        for pair, rows in in_blocks(both):
            if len(rows) <= word_cap:
                places["words", pair].update(rows)
    return {pair for rows in places.values() for pair in combinations(sorted(rows), 2)}


@pytest.mark.parametrize("texts", [False, True])
def test_records_meet_where_it_is_said_that_they_do(small_caps, texts):
    keys, records = table(texts=texts)
    # Some values are of many records, and some of few.
    linked = linked_of(range(len(records)))
    linked[90:, 0] = text_hashes([f"w{row % 20}" if row % 3 == 0 else "" for row in range(90, len(records))])
    found = met(Addressing(keys).of(records, linked=linked), len(records))
    assert found == plain_met(keys, records, linked, 4, 3, 2)


def test_records_of_a_crowd_hang_together_and_no_place_is_crowded(small_caps, monkeypatch):
    """Of many that are alike in all fields each meets some, and all are joined by them."""
    monkeypatch.setattr(pehchan.learning.addresses, "_TOGETHER", 20)
    model, fields, columns = learnt()
    alike = [[columns[field.ordinal][0]] * 600 for field in fields]
    records = Table.of(fields, alike, [f"n{row}" for row in range(600)])
    i, j = pairs_at(Addressing(model.keys).by_key(records), 600)
    # Far less than all 179,700, and each of them near _TIMES * _TOGETHER.
    assert len(i) < 600 * 4 * 20
    group = list(range(600))

    def first(row):
        while group[row] != row:
            row = group[row]
        return row

    for a, b in zip(i.tolist(), j.tolist(), strict=True):
        group[first(a)] = first(b)
    assert len({first(row) for row in range(600)}) == 1


def test_a_block_is_large_from_one_record_beyond_the_cap_on(small_caps):
    model, fields, columns = learnt()
    values = {field.name: [columns[field.ordinal][0]] * 5 for field in fields}
    for count in (4, 5):
        raw = [values[field.name][:count] for field in fields]
        records = Table.of(fields, raw, [f"n{row}" for row in range(count)])
        finding = Addressing(model.keys)
        finding.of(records)
        assert bool(len(finding.found.large)) == (count > 4)
        assert bool(len(finding.found.crowded)) == (count > 4)


def test_nothing_frozen_is_that_no_block_is_too_large(small_caps):
    keys, records = table()
    hashes = key_hashes(records, keys.keys)
    i, j = pairs_at(Addressing(keys, Frozen.nothing()).by_key(records), len(records))
    share = {
        (a, b)
        for a, b in combinations(range(len(records)), 2)
        if ((hashes[a] == hashes[b]) & (hashes[a] != 0)).any()
    }
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == share


@given(st.lists(st.integers(0, 4), max_size=12), st.integers(1, 14))
def test_addresses_that_are_too_many_are_counted_also_where_there_are_few(at, most):
    # There are fewer addresses than a block may have records, wherever there are few records.
    large, counts = pehchan.learning.addresses._too_many(np.array(at, np.uint64), most)
    expected = [(each, at.count(each)) for each in sorted({*at}) if at.count(each) > most]
    assert list(zip(large.tolist(), counts.tolist(), strict=True)) == expected


def test_no_records_have_no_addresses():
    keys, records = table(())
    addresses = Addressing(keys).of(records)
    assert len(addresses.rows) == len(addresses.at) == 0
    assert pairs_of(addresses, 0) == []
    assert Frozen.all([]).to_dict() == Frozen.nothing().to_dict()
