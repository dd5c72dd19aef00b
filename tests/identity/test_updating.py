"""Updates of a state: after any of them the entities are those of all records looked at together."""

from collections import defaultdict
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kept_states import KeptState

from pehchan.clustering.decisions import Decision, contradictions
from pehchan.distance.levenshtein import Levenshtein
from pehchan.identity.updating import Batch
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import read_native
from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings
from pehchan.metadata.records import Record

IDS = [f"r{number}" for number in range(8)]
NAMES = st.text("ab", min_size=3, max_size=4)
#: By id the new value of a record, None where it is deleted.
CHANGES = st.dictionaries(st.sampled_from(IDS), st.none() | NAMES, max_size=5)
DECISIONS = st.lists(
    st.tuples(st.sampled_from(IDS), st.sampled_from(IDS), st.booleans()).filter(
        lambda each: each[0] != each[1]
    ),
    max_size=2,
)


def plan_of(**more: object) -> Plan:
    mistakes = Mistakes()
    schema = read_native(
        {
            "id": "id",
            "columns": ["id", "name"],
            "fields": {"name": {"measure": "levenshtein"}},
            "blocking": ["prefix(name, 1)"],
            "cutoff": 300,
        },
        "test",
        mistakes,
    )
    mistakes.raise_if_any()
    return Plan(schema, Settings(**more), 300, "settled", "blocking")


def clusters_of(entities: dict[str, str]) -> set[frozenset[str]]:
    found = defaultdict(set)
    for record, entity in entities.items():
        found[entity].add(record)
    return set(map(frozenset, found.values()))


def near(records: dict[str, str]) -> set[frozenset[str]]:
    """The pairs that are accepted, compared one by one."""
    measure = Levenshtein()
    return {
        frozenset((a, b))
        for a, b in combinations(records, 2)
        if records[a][0] == records[b][0] and measure.distance(records[a], records[b]) <= 0.3
    }


def joined(records: dict[str, str], pairs: set[frozenset[str]]) -> set[frozenset[str]]:
    """What pairs join, by going from one to the next."""
    left, found = set(records), set()
    while left:
        group, waiting = set(), [left.pop()]
        while waiting:
            group.add(one := waiting.pop())
            for pair in pairs:
                if one in pair:
                    waiting += [each for each in pair if each in left]
                    left -= pair
        found.add(frozenset(group))
    return found


@pytest.mark.parametrize("way", ["connected", "average", "computed", "centre", "pivot"])
@settings(max_examples=60, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=5))
def test_entities_after_any_updates_are_those_of_one_over_all_records(way, batches):
    more = (
        {"cluster_by": "average", "cluster_absent": "computed"} if way == "computed" else {"cluster_by": way}
    )
    kept, records = KeptState(plan_of(**more)), {}
    for batch in batches:
        before, entities = dict(records), kept.entities()
        given_now = [Record("", each, [each, name]) for each, name in batch.items() if name is not None]
        kept.update(Batch(given_now, [each for each, name in batch.items() if name is None]))
        for each, name in batch.items():
            records.pop(each, None) if name is None else records.update({each: name})
        after = kept.entities()
        whole = KeptState(kept.plan)
        whole.update(Batch([Record("", each, [each, name]) for each, name in sorted(records.items())]))
        assert clusters_of(after) == clusters_of(whole.entities())
        if way == "connected":
            assert clusters_of(after) == joined(records, near(records))
        # Where nothing is joined to what changes, ids stay.
        changed = {each for each in batch if before.get(each) != records.get(each)}
        for group in joined(before, near(before)):
            if not group & changed and group in joined(records, near(records)):
                assert {entities[each] for each in group} == {after[each] for each in group}


@settings(max_examples=60, deadline=None)
@given(CHANGES, st.lists(st.tuples(CHANGES, DECISIONS), min_size=1, max_size=4))
def test_decisions_hold_in_all_later_updates(first, batches):
    kept, records, decided = KeptState(plan_of()), {}, []
    kept.update(Batch([Record("", each, [each, name]) for each, name in first.items() if name is not None]))
    records = {each: name for each, name in first.items() if name is not None}
    for batch, more in batches:
        added = []
        for a, b, same in more:
            decision = Decision(("", a), ("", b), same)
            if not list(contradictions([*decided, *added, decision])):
                added.append(decision)
        decided += added
        given_now = [Record("", each, [each, name]) for each, name in batch.items() if name is not None]
        gone = [each for each, name in batch.items() if name is None]
        kept.update(Batch(given_now, gone, decided, added))
        for each, name in batch.items():
            records.pop(each, None) if name is None else records.update({each: name})
        after = kept.entities()
        assert after.keys() == records.keys()
        for decision in decided:
            a, b = decision.a[1], decision.b[1]
            if a in after and b in after:
                assert (after[a] == after[b]) == decision.same
        whole = KeptState(kept.plan)
        whole.update(
            Batch([Record("", each, [each, name]) for each, name in records.items()], (), decided, decided)
        )
        assert clusters_of(after) == clusters_of(whole.entities())


@pytest.mark.parametrize("way", ["connected", "average"])
def test_a_pair_of_a_record_as_it_was_before_joins_nothing_later(way):
    """r1 and r2 are no longer near, and stay together for r3 alone."""
    kept = KeptState(plan_of(cluster_by=way))
    first = {"r1": "aaaaaaaa", "r2": "aaaaaabb", "r3": "aaaaaaab"}
    kept.update(Batch([Record("", each, [each, name]) for each, name in first.items()]))
    assert clusters_of(kept.entities()) == {frozenset(first)}
    kept.update(Batch([Record("", "r1", ["r1", "abbaaaab"])]))
    kept.update(Batch(deleted=["r3"]))
    assert clusters_of(kept.entities()) == {frozenset(["r1"]), frozenset(["r2"])}


def test_a_pair_at_the_cutoff_is_accepted_and_one_beyond_is_not():
    """Three and four letters of ten, where three are allowed."""
    kept = KeptState(plan_of())
    names = {"r1": "aaaaaaaaaa", "r2": "aaaaaaabbb", "r3": "aaaaaacccc"}
    kept.update(Batch([Record("", each, [each, name]) for each, name in names.items()]))
    assert clusters_of(kept.entities()) == {frozenset(["r1", "r2"]), frozenset(["r3"])}


@pytest.mark.parametrize(
    ("absent", "mean", "together"),
    [
        # r1 and r3 are 600 apart, which is no pair: the mean to r3 is 450, and 650 where they count as unrelated.
        ("computed", 450, True),
        ("computed", 449, False),
        ("unrelated", 650, True),
        ("unrelated", 649, False),
    ],
)
def test_means_are_of_pairs_and_of_what_is_no_pair(absent, mean, together):
    kept = KeptState(plan_of(cluster_by="average", cluster_absent=absent, cluster_mean=mean))
    names = {"r1": "aaaaaaaaaa", "r2": "aaaaaaabbb", "r3": "aaaabbbbbb"}
    for each, name in names.items():
        kept.update(Batch([Record("", each, [each, name])]))
    apart = {frozenset(["r1", "r2"]), frozenset(["r3"])}
    assert clusters_of(kept.entities()) == ({frozenset(names)} if together else apart)


def test_a_large_batch_is_brought_in_as_a_small_one_is(monkeypatch):
    """Of a large one it is looked first what is new."""
    batches = [
        Batch(
            [Record("", f"r{k}", [f"r{k}", name]) for k, name in enumerate(("aab", "aaba", "bbb", "abab"))]
        ),
        Batch(
            [Record("", f"r{k}", [f"r{k}", name]) for k, name in enumerate(("aab", "bbba", "bbb"))], ["r3"]
        ),
        Batch([Record("", "r1", ["r1", "bbba"]), Record("", "r9", ["r9", "bbbb"])]),
    ]
    found = []
    for most in (0, 10_000):
        monkeypatch.setattr("pehchan.identity.updating.LOOKED_AT_FIRST", most)
        kept = KeptState(plan_of())
        counts = [kept.update(batch).counts for batch in batches]
        found.append((kept.lines, counts))
    assert found[0] == found[1]
    assert [each["unchanged"] for each in found[0][1]] == [0, 2, 1]


def test_the_same_batch_again_changes_nothing():
    kept = KeptState(plan_of())
    batch = Batch([Record("", "r1", ["r1", "aab"]), Record("", "r2", ["r2", "aaba"])])
    assert kept.update(batch).changes
    lines = list(kept.lines)
    again = kept.update(batch)
    assert not again.changes
    assert again.counts["unchanged"] == 2
    assert kept.lines == lines
