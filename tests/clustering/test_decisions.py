"""Decisions of people: which contradict each other, and files of them."""

import json
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pehchan.clustering.decisions import (
    MOST_MISTAKES,
    Decision,
    check_decisions,
    contradictions,
    encode_decisions,
    read_decisions,
)
from pehchan.metadata.mistakes import Mistakes, MistakesError

RECORDS = [(name, each) for name in ("", "s") for each in "abcd"]

decided = st.lists(
    st.builds(Decision, st.sampled_from(RECORDS), st.sampled_from(RECORDS), st.booleans()), max_size=12
)


def steps(decisions):
    """By two records, how many decisions it takes at the least to say that they are the same."""
    far = {(a, b): 0 if a == b else 99 for a in RECORDS for b in RECORDS}
    for each in decisions:
        if each.same and each.a != each.b:
            far[each.a, each.b] = far[each.b, each.a] = 1
    for middle in RECORDS:
        for a in RECORDS:
            for b in RECORDS:
                far[a, b] = min(far[a, b], far[a, middle] + far[middle, b])
    return far


@settings(max_examples=300)
@given(decided, st.randoms(use_true_random=False))
def test_contradictions_are_named_with_the_fewest_decisions(decisions, chance):
    far = steps(decisions)
    found = list(contradictions(decisions))
    wrong = {frozenset((each.a, each.b)) for each in decisions if not each.same and far[each.a, each.b] < 99}
    assert {frozenset((each.different.a, each.different.b)) for each in found} == wrong
    assert len(found) == len(wrong)
    for different, chain in found:
        assert len(chain) == far[different.a, different.b]
        at = different.a
        for each in chain:
            assert each.same
            assert each in decisions
            at = each.b if each.a == at else each.a if each.b == at else None
        assert at == different.b
    # The same ones in any order.
    chance.shuffle(decisions)
    assert set(map(in_any_order, contradictions(decisions))) == set(map(in_any_order, found))


def in_any_order(contradiction):
    chain = frozenset(step.in_order() for step in contradiction.chain)
    return contradiction.different.in_order(), chain


def test_of_two_chains_as_short_the_same_one_is_told_in_any_order():
    pairs = ["ab same", "bd same", "ac same", "cd same", "da different"]
    decisions = [Decision(("", a), ("", b), word == "same") for (a, b), word in map(str.split, pairs)]
    told = {in_any_order(found) for order in permutations(decisions) for found in contradictions(order)}
    assert len(told) == 1


def test_a_contradiction_is_told_with_its_places():
    decisions = [
        Decision(("a", "1"), ("b", "2"), True, "d.csv line 2"),
        Decision(("b", "3"), ("b", "2"), True, "d.csv line 3"),
        Decision(("b", "3"), ("a", "1"), False, "d.csv line 4"),
        Decision(("", "x"), ("", "x"), False),
    ]
    mistakes = Mistakes()
    check_decisions(decisions, mistakes)
    assert [str(mistake) for mistake in mistakes.found] == [
        "d.csv line 4: b:3 and a:1 are different, but b:3 is the same as b:2 (d.csv line 3), "
        "a:1 is the same as b:2 (d.csv line 2).\n  Take back one of these decisions.",
        "decisions: x is decided to be different from itself.\n  Take back one of these decisions.",
    ]


def test_no_more_contradictions_are_told_than_people_read():
    mistakes = Mistakes()
    check_decisions([Decision(("", str(k)), ("", str(k)), False) for k in range(MOST_MISTAKES + 5)], mistakes)
    assert len(mistakes.found) == MOST_MISTAKES


def test_a_long_chain_is_no_trouble():
    chain = [Decision(("", f"{k:06}"), ("", f"{k + 1:06}"), True) for k in range(20_000)]
    (found,) = contradictions([*chain, Decision(chain[0].a, chain[-1].b, False)])
    assert list(found.chain) == chain


@given(st.lists(st.builds(Decision, *[st.tuples(st.text(), st.text(st.characters()))] * 2, st.booleans())))
def test_a_file_holds_what_was_written(tmp_path_factory, decisions):
    path = tmp_path_factory.mktemp("decisions") / "d.json"
    path.write_bytes(encode_decisions(decisions))
    assert read_decisions(path) == decisions


def test_ids_that_are_no_text_are_kept(tmp_path):
    told = [Decision(("", "\ud800\0\t"), ("é", "b"), True)]
    (tmp_path / "d.json").write_bytes(encode_decisions(told))
    assert read_decisions(tmp_path / "d.json") == told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "no JSON"),
        ("[]", "decisions of version None"),
        ('{"version": 2, "decisions": []}', "decisions of version 2"),
        ('{"version": 1}', "without a list of decisions"),
        ('{"version": 1, "decisions": [[["", "a"], ["", "b"], "equal"]]}', "decision 1: no decision"),
        ('{"version": 1, "decisions": [[["", "a"], ["", 5], "same"]]}', "decision 1: no decision"),
        ('{"version": 1, "decisions": [[["", "a"], "same"], 7]}', "decision 2: no decision: 7"),
        ('{"version": 1, "decisions": [[["", "a"], ["b"], "same"]]}', "decision 1: no decision"),
    ],
)
def test_a_file_that_holds_no_decisions_is_refused(tmp_path, text, expected):
    (tmp_path / "d.json").write_text(text)
    with pytest.raises(MistakesError, match=expected):
        read_decisions(tmp_path / "d.json")
    with pytest.raises(MistakesError, match="cannot be read"):
        read_decisions(tmp_path / "none.json")


def test_the_form_of_a_file_stays(tmp_path):
    (tmp_path / "d.json").write_bytes(
        encode_decisions([Decision(("s", "1"), ("", "2"), False, "told by me")])
    )
    assert json.loads((tmp_path / "d.json").read_text()) == {
        "version": 1,
        "decisions": [[["s", "1"], ["", "2"], "different"]],
    }
