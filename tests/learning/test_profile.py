"""Counts of values and words: the same for any splitting of the records."""

import json
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.learning.profile import Profile, merged

_RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["", "A", "a b", "B a", "c", "d d"]), st.text("xy z", max_size=3), st.integers(0, 1)
    ),
    min_size=1,
    max_size=30,
)


def _profile(records: list[tuple[str, str, int]]) -> Profile:
    one, two, sets = zip(*records, strict=True) if records else ((), (), ())
    return Profile.of(["one", "two"], [one, two], sets)


@given(_RECORDS, st.integers(0, 30), st.integers(0, 30), st.randoms(use_true_random=False))
def test_the_sum_of_parts_is_the_profile_of_the_whole(
    records: list[tuple[str, str, int]], first: int, second: int, chance: random.Random
) -> None:
    shuffled = list(records)
    chance.shuffle(shuffled)
    first, second = sorted((first, second))
    split = [shuffled[:first], shuffled[first:second], shuffled[second:]]
    assert merged(map(_profile, split)).to_dict() == _profile(records).to_dict()


@given(_RECORDS, st.integers(0, 30), st.integers(1, 4), st.integers(1, 4))
def test_trimming_part_by_part_loses_nothing(
    records: list[tuple[str, str, int]], at: int, parts: int, most: int
) -> None:
    """As a job does it: mappers share values out by hash, reducers sum and trim, their results are summed."""
    mappers = [_profile(records[:at]).parts(parts), _profile(records[at:]).parts(parts)]
    reducers = [merged(each[k] for each in mappers).trimmed(most) for k in range(parts)]
    assert merged(reducers).trimmed(most).to_dict() == _profile(records).trimmed(most).to_dict()


@given(_RECORDS, st.integers(1, 3))
def test_what_is_trimmed_is_in_the_sums(records: list[tuple[str, str, int]], most: int) -> None:
    for number in (0, 1):
        values = [one.lower() for one, _, of_set in records if of_set == number and one]
        if not any(of_set == number for *_, of_set in records):
            continue
        column = _profile(records).trimmed(most).columns[number][0]
        counts = Counter(values)
        assert (column.present, column.distinct) == (len(values), len(counts))
        kept = sorted(column.values.kept.values(), reverse=True)
        assert kept == sorted(counts.values(), reverse=True)[:most]
        assert sum(n * n for n in kept) + column.values.squares == sum(n * n for n in counts.values())


def test_a_word_counts_once_a_record() -> None:
    column = Profile.of(["one"], [["a b", "b b", "B", "c", ""]], [0] * 5).columns[0][0]
    assert column.document_counts() == {"a": 1, "b": 3, "c": 1}


def test_json_gives_the_same_profile() -> None:
    profile = _profile([("a b", "x", 0), ("c", "", 1), ("", "y", 1)]).trimmed(1)
    assert Profile.from_dict(json.loads(json.dumps(profile.to_dict()))) == profile


def test_profiles_of_other_columns_are_not_summed() -> None:
    with pytest.raises(ValueError, match="other columns: one and two"):
        Profile.of(["one"], [["a"]], [0]).merge(Profile.of(["two"], [["a"]], [0]))
