"""The lines of a state: what is written is read again, what is asked for is found, and nothing else."""

from base64 import b64encode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pehchan.metadata.records import Record
from pehchan.mrjobs.state_lines import (
    ROWS_A_LINE,
    KeptMembers,
    KeptPairs,
    KeptRecords,
    Search,
    Wanted,
    in_lines,
)
from pehchan.mrjobs.wire import WireError

CODES = st.integers(0, 2**64 - 1)
SHORT = st.integers(0, 2**32 - 1)
#: Codes of which some are the same in the bits that are looked at first.
ALIKE = st.builds(lambda low, high: low | high << 30, st.integers(0, 3), st.integers(0, 3))


def u64(values):
    return np.array(values, np.uint64)


RECORDS = st.lists(
    st.tuples(
        ALIKE | CODES,
        st.lists(st.integers(0, 5) | SHORT, max_size=4),
        st.text(max_size=5),
        st.lists(st.text(max_size=5), max_size=3) | st.none(),
    ),
    min_size=1,
    max_size=8,
)


def kept_records(rows):
    """Lines of records; without items one that is gone."""
    records = [each if items is None else Record("", each, items) for _, _, each, items in rows]
    at = [np.array(addresses, np.uint32) for _, addresses, _, _ in rows]
    return KeptRecords.of(3, u64([code for code, *_ in rows]), at, records)


@settings(max_examples=100, deadline=None)
@given(RECORDS, st.sets(ALIKE | CODES, max_size=4), st.sets(st.integers(0, 5) | SHORT, max_size=4))
def test_records_are_found_by_their_codes_and_addresses(rows, codes, addresses):
    line = kept_records(rows).encode()
    assert line.count(b"\n") == 0
    search = Search.decode(Search.of(u64(sorted(codes)), np.array(sorted(addresses), np.uint32)).encode())
    found = search.in_line(line + b"\n")
    expected = [row for row in rows if row[0] in codes or addresses & set(row[1])]
    if not expected:
        assert found is None
        return
    assert found.version == 3
    assert found.codes.tolist() == [code for code, *_ in expected]
    assert found.records() == [
        each if items is None else Record("", each, items) for _, _, each, items in expected
    ]
    assert found.addresses.tolist() == [at for _, of_it, _, _ in expected for at in of_it]
    # What is found is a line again.
    assert KeptRecords.decode(found.encode()).encode() == found.encode()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(ALIKE, ALIKE, SHORT, st.text(max_size=3)), min_size=1, max_size=8),
    st.sets(ALIKE, max_size=4),
    st.sets(ALIKE, max_size=4),
)
def test_members_are_found_by_their_codes_and_components(rows, codes, components):
    since = np.array([each for _, _, each, _ in rows], np.uint32)
    members = [(each, f"e1-{each}") for _, _, _, each in rows]
    kept = KeptMembers.of(2, u64([row[0] for row in rows]), u64([row[1] for row in rows]), since, members)
    search = Search.of(u64(sorted(codes)), components=u64(sorted(components)))
    found = Search.decode(search.encode()).in_line(kept.encode())
    expected = [row for row in rows if row[0] in codes or row[1] in components]
    told = (
        []
        if found is None
        else list(
            zip(
                found.codes.tolist(),
                found.components.tolist(),
                found.since.tolist(),
                [each for each, _ in found.members()],
                strict=True,
            )
        )
    )
    assert told == expected


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(ALIKE, ALIKE, st.integers(0, 1000)), min_size=1, max_size=8),
    st.sets(ALIKE, max_size=4),
)
def test_pairs_are_found_by_either_record(rows, codes):
    a, b, distances = (np.array([row[side] for row in rows], np.uint64) for side in range(3))
    found = Search.of(u64(sorted(codes))).in_line(KeptPairs.of(1, a, b, distances.astype(np.int64)).encode())
    expected = [row for row in rows if row[0] in codes or row[1] in codes]
    told = (
        []
        if found is None
        else list(zip(found.a.tolist(), found.b.tolist(), found.distances.tolist(), strict=True))
    )
    assert told == expected


def test_a_line_that_is_not_whole_is_none():
    records = kept_records([(7, [1, 2], "a", ["x"]), (9, [], "b", None)]).encode()
    members = KeptMembers.of(
        1, u64([1, 2]), u64([1, 1]), np.ones(2, np.uint32), [("a", "e"), ("b", "e")]
    ).encode()
    pairs = KeptPairs.of(1, u64([1]), u64([2]), np.array([5])).encode()
    for kind, line in ((KeptRecords, records), (KeptMembers, members), (KeptPairs, pairs)):
        assert len(kind.decode(line)) == len(kind.decode(line + b"\r\n"))
        fields = line.split(b"\t")
        broken = [
            b"\t".join(fields[:-1]),
            b"\t".join([*fields, b"{}", b"{}"]),
            b"\t".join([b"kept-others", *fields[1:]]),
            b"\t".join([fields[0], b"x", *fields[2:]]),
            b"\t".join([*fields[:2], b64encode(b"12345678" * 5), *fields[3:]]),
            b"\t".join([*fields[:2], b"!", *fields[3:]]),
            fields[0],
            b"",
        ]
        for each in broken:
            with pytest.raises(WireError, match="not a whole line of"):
                kind.decode(each)
    # Addresses that are fewer than the records say.
    fields = records.split(b"\t")
    with pytest.raises(WireError):
        KeptRecords.decode(b"\t".join([*fields[:4], b64encode(b"1234"), *fields[5:]]))


@pytest.mark.parametrize("count", [0, 1, ROWS_A_LINE, ROWS_A_LINE + 1, 3 * ROWS_A_LINE + 5])
def test_every_row_is_in_one_line(count):
    rows = list(range(count))
    lines = [rows[some] for some in in_lines(count)]
    assert [row for line in lines for row in line] == rows
    assert all(0 < len(line) <= ROWS_A_LINE for line in lines)


def test_nothing_is_wanted_of_nothing():
    nothing = Wanted(u64([]))
    assert len(nothing) == 0
    assert nothing.mask(u64([0, 1])).tolist() == [False, False]
    # 0 is a number as any other.
    assert Wanted(u64([0])).mask(u64([0, 1, 1 << 40])).tolist() == [True, False, False]
