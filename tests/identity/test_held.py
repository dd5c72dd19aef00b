"""What is held of a state in memory is what its versions say one after the other."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from states import move, write_state

from pehchan.identity.entities import current_entities
from pehchan.identity.held import HeldRecords
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import read_native
from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings

IDS = [f"r{number}" for number in range(6)]
CHANGES = st.dictionaries(st.sampled_from(IDS), st.none() | st.sampled_from("ab"), max_size=5)
PAIRS = st.sets(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)).filter(lambda pair: pair[0] < pair[1]))


def plan():
    mistakes = Mistakes()
    schema = read_native({"id": "id", "columns": ["id"], "fields": {"id": "exact"}}, "test", mistakes)
    mistakes.raise_if_any()
    return Plan(schema, Settings(), 300, "settled", "all_pairs")


@settings(max_examples=50)
@given(st.lists(st.tuples(CHANGES, PAIRS), min_size=1, max_size=5), st.sets(st.sampled_from(IDS)))
def test_pairs_hold_until_one_of_their_records_is_written_anew(versions, moved):
    since, expected, changes, pairs = {}, set(), [], []
    for number, (changed, accepted) in enumerate(versions, 1):
        # A version accepts pairs of records that are there.
        changes.append({each: None if to is None else ([each], to) for each, to in changed.items()})
        for each, to in changed.items():
            since.pop(each, None)
            if to is not None:
                since[each] = number
        expected = {pair for pair in expected if not changed.keys() & {*pair[:2]}}
        pairs.append([(a, b, 10 * number) for a, b in sorted(accepted) if a in since and b in since])
        expected |= set(pairs[-1])
    with TemporaryDirectory() as place:
        state = write_state(Path(place), plan(), changes, pairs=pairs)
        if others := {each: ("c", since[each]) for each in sorted(moved & since.keys())}:
            # A record that gets into another entity keeps its pairs.
            state = move(Path(place), state, others)
        held = HeldRecords(state)
        a, b, distances = held.pairs(state)
        ids = [each.id for each in held.records(np.arange(len(held)))]
        assert sorted(ids) == sorted(since)
        members = list(held.members())
        assert [record for record, _ in members] == ids
        assert dict(members) == current_entities(state)
        found = {(ids[i], ids[j], distance) for i, j, distance in zip(a, b, distances.tolist(), strict=True)}
    assert found == expected
