"""How far apart records without a pair are: as the comparison says, far where it says nothing or knows no values."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pehchan.clustering.measuring import measure_of

FAR, KEPT = 100, 140


class Places:
    """A comparison of places on a line, which keeps pairs up to a distance, and hands them on in parts."""

    def block(self, columns, rank):
        return [int(value) if value else 0 for value in columns[0]]

    def listed(self, block, pairs):
        for i, j in pairs:
            apart = np.array([abs(block[a] - block[b]) for a, b in zip(i, j, strict=True)], dtype=np.int64)
            for some in np.array_split(np.flatnonzero(apart <= KEPT), 2):
                yield SimpleNamespace(rows=i[some], columns=j[some], distances=apart[some])


@given(st.lists(st.tuples(st.integers(0, 300), st.booleans()), min_size=2, max_size=8), st.data())
def test_each_pair_has_its_distance_in_whatever_order_they_are_asked(records, data):
    number = st.integers(0, len(records) - 1)
    asked = data.draw(
        st.lists(st.tuples(number, number).filter(lambda pair: pair[0] != pair[1]), max_size=12)
    )
    asked = list({frozenset(pair): pair for pair in asked}.values())
    values = [str(place) if known else "" for place, known in records]
    measure = measure_of(Places(), [values], np.array([known for _, known in records]), FAR)
    found = measure(*(np.array([pair[side] for pair in asked], dtype=np.int32) for side in (0, 1)))
    expected = [
        min(FAR, abs(records[a][0] - records[b][0])) if records[a][1] and records[b][1] else FAR
        for a, b in asked
    ]
    assert found.tolist() == expected
