"""Which entity goes on as which cluster, and what became of each: cases by hand."""

import pytest

from pehchan.clustering.decisions import Decision
from pehchan.identity.changes import MOST_PAIRS, Reasons, changes
from pehchan.identity.continuing import continued


def before(**entities):
    """By record its entity: e1_x="ab" puts a and b into e1-x."""
    return {record: entity.replace("_", "-") for entity, records in entities.items() for record in records}


@pytest.mark.parametrize(
    ("clusters", "was", "expected"),
    [
        pytest.param(["ab"], before(e1_x="ab"), ["e1-x"], id="as it was"),
        pytest.param(["ab", "c"], before(e1_x="ab"), ["e1-x", None], id="a new one"),
        pytest.param(["abc"], before(e1_x="ab"), ["e1-x"], id="one grows"),
        pytest.param(["a"], before(e1_x="ab"), ["e1-x"], id="one shrinks"),
        pytest.param([], before(e1_x="ab"), [], id="one is gone"),
        pytest.param(
            ["abcd"], before(e2_x="abc", e1_y="d"), ["e1-y"], id="of two that merge the older stays"
        ),
        pytest.param(["abc"], before(e1_x="a", e1_y="bc"), ["e1-y"], id="of one age the larger stays"),
        pytest.param(["ab"], before(e1_y="a", e1_x="b"), ["e1-x"], id="of one size the smaller id stays"),
        pytest.param(["ab"], before(e10_x="a", e9_y="b"), ["e9-y"], id="ages are numbers"),
        pytest.param(["a", "bc"], before(e1_x="abc"), [None, "e1-x"], id="the larger part keeps the id"),
        pytest.param(
            ["ac", "b", "d"], before(e1_x="abd"), ["e1-x", None, None], id="parts without new records"
        ),
        pytest.param(["ab", "cd"], before(e1_x="abcd"), ["e1-x", None], id="of like parts the first"),
        pytest.param(["cd", "ab"], before(e1_x="abcd"), [None, "e1-x"], id="wherever it stands"),
        # The older x takes the cluster where most of it is; y goes on in its next one.
        pytest.param(
            ["abcd", "ef"], before(e1_x="abe", e2_y="cdf"), ["e1-x", "e2-y"], id="a merge and a split at once"
        ),
        pytest.param(
            ["abcd", "ef"], before(e2_x="abe", e1_y="cdf"), ["e1-y", "e2-x"], id="the older one goes first"
        ),
        pytest.param(
            ["abc", "d"],
            before(e1_x="ab", e2_y="c", e3_z="d"),
            ["e1-x", "e3-z"],
            id="one that loses all is gone",
        ),
        pytest.param(
            ["ab", "cd", "ef"],
            before(e1_x="ace", e1_y="bdf"),
            ["e1-x", "e1-y", None],
            id="two that fall apart into the same three",
        ),
    ],
)
def test_which_entity_goes_on(clusters, was, expected):
    ordered = list(map(sorted, clusters))
    there = {record for records in clusters for record in records}
    assert (
        continued(ordered, {record: entity for record, entity in was.items() if record in there}) == expected
    )


def told(was, now, changed=(), **reasons):
    found = changes(7, was, now, set(changed), Reasons(**reasons))
    entries = {entry.pop("entity"): entry for entry in found}
    assert all(entry.pop("version") == 7 for entry in entries.values())
    return entries


def test_what_became_of_an_entity_in_a_word_and_with_whom():
    now = before(e1_a="ab", e1_b="cdz", e2_c="e", e7_n="n", e7_s="f", e1_g="g", e1_i="i", e1_q="qw")
    was = before(e1_a="ab", e1_b="c", e3_d="d", e2_c="ef", e1_g="gh", e1_i="i", e4_m="z", e5_x="x", e1_q="q")
    assert told(was, now, changed=["i", "q"]) == {
        "e1-b": {"change": "merged", "from": ["e3-d", "e4-m"], "came": ["d", "z"]},
        "e1-g": {"change": "shrunk", "left": ["h"]},
        "e1-i": {"change": "changed", "changed": ["i"]},
        "e1-q": {"change": "grown", "came": ["w"], "changed": ["q"]},
        "e2-c": {"change": "split", "to": ["e7-s"], "left": ["f"]},
        "e3-d": {"change": "merged into another", "to": ["e1-b"], "left": ["d"]},
        "e4-m": {"change": "merged into another", "to": ["e1-b"], "left": ["z"]},
        "e5-x": {"change": "gone", "left": ["x"]},
        "e7-n": {"change": "new", "came": ["n"]},
        "e7-s": {"change": "split off", "from": ["e2-c"], "came": ["f"]},
    }


def test_a_merge_and_a_split_at_once_name_where_records_came_from_and_went():
    was, now = before(e1_x="abe", e2_y="cdf"), before(e1_x="abcd", e2_y="ef")
    assert told(was, now) == {
        "e1-x": {"change": "merged", "from": ["e2-y"], "to": ["e2-y"], "came": ["c", "d"], "left": ["e"]},
        "e2-y": {"change": "merged", "from": ["e1-x"], "to": ["e1-x"], "came": ["e"], "left": ["c", "d"]},
    }


def test_records_that_come_and_go_at_once():
    was, now = before(e1_x="ab"), before(e1_x="ac")
    assert told(was, now) == {"e1-x": {"change": "changed", "came": ["c"], "left": ["b"]}}


def test_the_pairs_and_decisions_behind_a_change_are_named():
    was, now = before(e1_x="ab", e1_y="c", e1_z="d"), before(e1_x="ac", e7_b="b", e1_z="d")
    entries = told(
        was,
        now,
        pairs=[("a", "c", 12), ("d", "d2", 5)][:1],
        no_longer=[("a", "b", 90)],
        decided=[Decision(("", "a"), ("", "b"), False), Decision(("", "c"), ("", "gone"), True)],
    )
    assert entries["e1-x"]["pairs"] == [["a", "c", 12]]
    assert entries["e1-x"]["pairs no longer"] == [["a", "b", 90]]
    assert entries["e1-x"]["decisions"] == [["a", "b", "different"], ["c", "gone", "same"]]
    assert entries["e7-b"]["decisions"] == [["a", "b", "different"]]
    assert entries["e1-y"]["decisions"] == [["c", "gone", "same"]]
    assert "pairs" not in entries["e7-b"]
    # Of an entity that is as it was nothing is told.
    assert entries.keys() == {"e1-x", "e1-y", "e7-b"}


def test_no_more_pairs_are_named_than_a_person_reads():
    records = [f"r{number}" for number in range(MOST_PAIRS + 5)]
    now = dict.fromkeys(records, "e1-x")
    pairs = [("r0", record, 1) for record in records[1:]]
    assert len(pairs) > MOST_PAIRS
    assert told({"r0": "e1-x"}, now, pairs=pairs)["e1-x"]["pairs"] == [
        list(pair) for pair in pairs[:MOST_PAIRS]
    ]
