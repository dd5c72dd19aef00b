"""Every pair of records that should meet meets exactly once, however the records are cut into buckets."""

from collections import Counter, defaultdict
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.metadata.records import Record
from pehchan.mrjobs.joins.all_pairs import AllPairs, bucket_of
from pehchan.mrjobs.joins.same_id import SameId

#: Few letters, so that equal ids are likely; some outside ASCII, and a lone surrogate.
IDS = st.text(alphabet="ab1~#é漢😀\0\udc80", min_size=1, max_size=3)
PARTITIONS = st.sampled_from(["", "x", "y", "é"])
COUNTS = st.integers(1, 12)


def met(join, records):
    """How often each pair of records meets, when mapper and reducer do as the join says."""
    cells = defaultdict(lambda: defaultdict(list))
    for number, record in enumerate(records):
        route = join.route(record)
        if route is None:
            continue
        places = list(join.cells(route))
        assert len(places) == len(set(places)), "a batch is sent to a cell twice"
        for cell in places:
            cells[cell][route].append(number)
    pairs = Counter()
    for cell, by_route in cells.items():
        for first, second in join.meetings(cell, sorted(by_route)):
            if first == second:
                pairs.update(frozenset(pair) for pair in combinations(by_route[first], 2))
            else:
                pairs.update(frozenset(pair) for pair in product(by_route[first], by_route[second]))
    return pairs


def should_meet(records, fits):
    """Every pair of records that fits, once."""
    return Counter(frozenset((i, j)) for (i, a), (j, b) in combinations(enumerate(records), 2) if fits(a, b))


def records_of(sets):
    """Lists of records of some sets, no two of which have the same set and id; their item is the partition."""
    record = st.builds(lambda s, i, p: Record(s, i, [i, p]), st.sampled_from(sets), IDS, PARTITIONS)
    return st.lists(record, max_size=30, unique_by=lambda record: (record.set, record.id))


def buckets_of(size):
    counts = st.lists(COUNTS, min_size=size, max_size=size).map(tuple)
    return st.tuples(st.dictionaries(PARTITIONS, counts, max_size=3), counts)


@given(records_of([""]), buckets_of(1))
def test_every_pair_of_a_set_meets_once_for_any_bucket_count(records, buckets):
    join = AllPairs(("",), None, *buckets)
    assert met(join, records) == should_meet(records, lambda a, b: True)


@given(records_of([""]), buckets_of(1))
def test_only_records_of_one_partition_meet_whatever_its_bucket_count(records, buckets):
    join = AllPairs(("",), 1, *buckets)
    assert met(join, records) == should_meet(records, lambda a, b: a.items[1] == b.items[1])


@given(records_of(["base", "other"]), buckets_of(2))
def test_every_record_of_one_set_meets_every_one_of_the_other_once(records, buckets):
    join = AllPairs(("base", "other"), None, *buckets)
    assert met(join, records) == should_meet(records, lambda a, b: a.set != b.set)


@given(records_of(["base", "other"]), buckets_of(2))
def test_records_of_two_sets_meet_within_their_partition_only(records, buckets):
    join = AllPairs(("base", "other"), 1, *buckets)
    assert met(join, records) == should_meet(
        records, lambda a, b: a.set != b.set and a.items[1] == b.items[1]
    )


@pytest.mark.parametrize("sets", [(), ("a", "b", "ç", "")])
@given(records_of(["a", "b", "ç", ""]), buckets_of(1), st.sampled_from([None, 1]))
def test_records_of_different_sets_meet_once_where_there_are_many(sets, records, buckets, partition):
    join = AllPairs(sets, partition, *buckets)
    assert met(join, records) == should_meet(
        records,
        lambda a, b: a.set != b.set and (partition is None or a.items[1] == b.items[1]),
    )


@pytest.mark.parametrize("sets", [("",), (), ("a", "b", "c")])
@given(bucket=st.data(), count=COUNTS)
def test_a_record_is_sent_only_where_a_record_of_any_other_bucket_could_be(sets, bucket, count):
    join = AllPairs(sets, None, {}, (count,))
    own = bucket.draw(st.integers(0, count - 1))
    cells = list(join.cells(("", "a", own)))
    assert len(cells) == count
    for cell in cells:
        # The other bucket of the cell, or its own where the cell is for the pairs inside it.
        reachable = [other for other in range(count) if cell in join.cells(("", "b", other))]
        assert own in reachable
        assert len(reachable) == (1 if cell[1] == cell[2] else 2)


@given(first=COUNTS, second=COUNTS, bucket=st.data())
def test_a_record_of_a_set_is_sent_only_where_one_of_the_other_set_could_be(first, second, bucket):
    join = AllPairs(("base", "other"), None, {}, (first, second))
    own = bucket.draw(st.integers(0, first - 1))
    cells = list(join.cells(("", "base", own)))
    assert len(cells) == second
    for cell in cells:
        assert [other for other in range(second) if cell in join.cells(("", "other", other))] == [cell[2]]


@given(IDS, COUNTS)
def test_a_bucket_is_a_number_below_the_count(record_id, count):
    assert 0 <= bucket_of(Record("", record_id, []), count) < count


def test_buckets_are_the_same_on_every_machine_and_about_equally_full():
    buckets = [bucket_of(Record("", f"c{number}", []), 4) for number in range(2000)]
    assert buckets[:8] == [2, 2, 1, 2, 3, 2, 1, 1]
    assert all(400 < size < 600 for size in Counter(buckets).values())


def same_id_records():
    """Records as settling leaves them: the id's first character is the set; duplicates have a suffix."""
    given_id = st.one_of(st.just(""), st.builds(str.__add__, st.sampled_from("ABÇ"), IDS))

    def settled(rows):
        seen = Counter()
        records = []
        for number, (given_text, partition) in enumerate(rows):
            seen[given_text] += 1
            made = given_text or f"#{number}"
            suffix = f"~{seen[given_text]}" if given_text and seen[given_text] > 1 else ""
            records.append(Record(made[:1], made + suffix, [given_text, partition]))
        return records

    return st.lists(st.tuples(given_id, PARTITIONS), max_size=30).map(settled)


@pytest.mark.parametrize("partition", [None, 1])
@given(
    records=same_id_records(), buckets=st.tuples(st.dictionaries(IDS, st.tuples(COUNTS)), st.tuples(COUNTS))
)
def test_records_of_different_sets_meet_once_where_their_ids_agree_behind_the_set_id(
    partition, records, buckets
):
    join = SameId((), partition, *buckets, id_ordinal=0, set_id_size=1)
    assert met(join, records) == should_meet(
        records,
        lambda a, b: (
            a.set != b.set
            and a.items[0] != ""
            and a.items[0][1:] == b.items[0][1:]
            and (partition is None or a.items[1] == b.items[1])
        ),
    )


def same_id():
    return SameId((), None, {}, (1,), id_ordinal=0, set_id_size=1)


def test_a_duplicate_id_meets_the_same_records_as_the_id_itself():
    records = [
        Record("A", "A7", ["A7", ""]),
        Record("A", "A7~2", ["A7", ""]),
        Record("B", "B7", ["B7", ""]),
        Record("B", "B7~2", ["B7~2", ""]),
    ]
    assert met(same_id(), records) == Counter([frozenset((0, 2)), frozenset((1, 2))])


def test_records_without_an_id_meet_nothing():
    records = [Record("A", "#1", ["", ""]), Record("B", "#1", ["", ""]), Record("B", "B1", ["B1", ""])]
    assert not met(same_id(), records)
