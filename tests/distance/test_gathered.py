import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance import arrays
from pehchan.distance.arrays import Gathered, packed, unpacked

some_keys = st.lists(st.lists(st.sampled_from([0, 1, 2, 7, 2**63, 2**64 - 1]) | st.integers(0, 40)))


@given(some_keys, st.integers(0, 20), st.sampled_from([1, 2, 3, 1 << 18]))
def test_the_distinct_of_all_keys_in_order(parts, at_once, at_a_time):
    gathered = Gathered(at_once)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "SOME_KEYS", at_a_time)
        for part in parts:
            gathered.add(np.array(part, dtype=np.uint64))
        found = gathered.distinct()
    assert found.tolist() == sorted({key for part in parts for key in part})


@given(st.lists(st.tuples(*[st.integers(0, 2**32 - 1)] * 2)))
def test_pairs_are_unpacked_as_they_were(pairs):
    a, b = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    keys = packed(a, b)
    assert list(zip(*unpacked(keys), strict=True)) == pairs
    assert np.argsort(keys, kind="stable").tolist() == sorted(range(len(pairs)), key=pairs.__getitem__)
