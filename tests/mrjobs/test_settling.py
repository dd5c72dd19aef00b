"""Lines become records with an id each, the same whatever the order of lines; what cannot is set aside, with why."""

import bz2
import gzip
import json
import random
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import chain
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pehchan.distance.char_pair import CharPair
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings
from pehchan.metadata.records import Record, Records, RejectedLine, encode_record
from pehchan.metadata.schema import Field, Schema
from pehchan.mrjobs import settling
from pehchan.mrjobs.planner import plan_join
from pehchan.mrjobs.settle_records import SettleRecords
from pehchan.mrjobs.settling import LineReader
from pehchan.mrjobs.wire import GROUP, RECORDS, REJECTED, read_tagged

#: An id, a name and a partition.
SCHEMA = Schema(fields=(Field("name", 1, "exact"),), id="id", id_ordinal=0, lines=True)


def plan_of(schema=SCHEMA, input="lines", sets=("",), set_from="", **settings):
    return Plan(schema, Settings(**settings), 0, input, sets=sets, set_from=set_from)


class Settled:
    """What the job made of its input: records as (set, id, items), rejected lines, group counts, counters."""

    def __init__(self, lines, counters):
        self.records, self.rejected, self.groups = [], [], []
        for tag, payload in read_tagged(lines):
            if tag == RECORDS:
                self.records += [
                    (record.set, record.id, tuple(record.items)) for record in Records.decode(payload)
                ]
            elif tag == REJECTED:
                self.rejected.append(json.loads(payload))
            else:
                assert tag == GROUP
                self.groups.append(json.loads(payload))
        self.characters = counters.pop(("Records", "Characters"), 0)
        self.held = counters.pop(("Records", "Bytes held"), 0)
        self.counters = counters

    @property
    def ids(self):
        return sorted(record_id for _, record_id, _ in self.records)

    @property
    def names(self):
        """The name of every id."""
        return {record_id: items[1] for _, record_id, items in self.records}

    @property
    def reasons(self):
        return [rejected["reason"] for rejected in self.rejected]


def settle(tmp_path, plan, *contents, names=("part-0", "part-1", "part-2"), switches=()):
    """Run the job on files of these contents."""
    folder = tmp_path / f"in-{random.randrange(10**9)}"
    folder.mkdir()
    plan.write(folder / "plan.json")
    paths = []
    for name, content in zip(names, contents, strict=False):
        paths.append(folder / name)
        paths[-1].write_bytes(content)
    job = SettleRecords(
        ["-r", "inline", "--no-conf", "--plan", str(folder / "plan.json"), *switches, *map(str, paths)]
    )
    with job.make_runner() as runner:
        runner.run()
        counters = {
            (group, name): amount
            for step in runner.counters()
            for group, of_group in step.items()
            for name, amount in of_group.items()
        }
        lines = b"".join(runner.cat_output()).splitlines()
    return Settled(lines, counters)


@pytest.fixture
def settled(tmp_path):
    return lambda plan, *contents, **more: settle(tmp_path, plan, *contents, **more)


def settle_plainly(lines, mappers=1):
    """The ids of lines, by the job's mappers and reducer called as functions."""
    shuffled = defaultdict(list)
    for number in range(mappers):
        job = SettleRecords(["--mapper"])
        job.plan = plan_of(batch_bytes=1 if mappers > 1 else 1_000_000)
        job.start_reading()
        read = (pair for line in lines[number::mappers] for pair in job.read_line(None, line) or ())
        for key, value in chain(read, job.stop_reading()):
            shuffled[key].insert(0, value)
    return Settled(
        (
            tag + b"\t" + payload
            for key, values in shuffled.items()
            for tag, payload in job.settle(key, iter(values))
        ),
        dict(job.counted),
    )


def read_by(job, lines):
    """What a mapper of the job makes of lines."""
    job.start_reading()
    read = [pair for line in lines for pair in job.read_line(None, line) or ()]
    return sorted([*read, *job.stop_reading()]), dict(job.counted)


@given(
    st.lists(
        st.sampled_from(
            [b"a1,Ann", b"b2,Bob", b"c3,Cid,more", b"d4", b",Eve", b"a1~2,Ann", b" ,Fay", b"", b" , "]
        )
        | st.sampled_from([b"e5,Eve\r", b"f6,F\rg7,G", b"h8,\xff", "ü9,é".encode(), b"i\0,I", b"\t,"]),
        max_size=8,
    ),
    st.sampled_from([",", "\t"]),
)
def test_lines_are_read_together_as_they_are_one_by_one(lines, delimiter):
    lines = [line.replace(b",", delimiter.encode()) for line in lines]
    found = []
    for together in (True, False):
        job = SettleRecords(["--mapper"])
        job.plan = plan_of(input_delimiter=delimiter)
        with pytest.MonkeyPatch.context() as changed:
            if not together:
                changed.setattr(LineReader, "rows", lambda reader, lines: None)
            found.append(read_by(job, lines))
    assert found[0] == found[1]


# ids


def test_a_record_without_an_id_gets_one_made_from_its_content(settled):
    plan = plan_of()
    result = settled(plan, b",Ann\n,Bob\nc3,Cid\n")
    made = [record_id for record_id in result.ids if record_id.startswith("#")]
    assert len(made) == 2
    assert result.ids == [*made, "c3"]
    assert result.counters == {("Records", "Read"): 3, ("Records", "Without id"): 2}
    again = settled(plan, b"x,Zoe\n,Bob\n,Ann\n")
    assert [again.names[record_id] for record_id in made] == [result.names[record_id] for record_id in made]


def test_equal_records_without_ids_are_told_apart(settled):
    result = settled(plan_of(), b",Ann\n,Ann\n,Ann\n")
    first, second, third = result.ids
    assert (second, third) == (f"{first}~2", f"{first}~3")


def test_all_ids_are_made_where_the_schema_has_no_id(settled):
    schema = Schema(fields=(Field("name", 1, "exact"),), lines=True)
    result = settled(plan_of(schema), b"1,Ann\n2,Bob\n2,Bob\n")
    assert all(record_id.startswith("#") for record_id in result.ids)
    assert len(set(result.ids)) == 3


def test_ids_are_made_from_the_content_where_that_is_asked_for(settled):
    result = settled(plan_of(auto_id=True), b"c1,Ann\nc2,Bob\n")
    assert all(record_id.startswith("#") for record_id in result.ids)
    assert sorted(items for _, _, items in result.records) == [("c1", "Ann"), ("c2", "Bob")]


def test_duplicates_of_an_id_are_numbered_by_their_content_not_by_their_order(settled):
    lines = [b"7,Cid\n", b"7,Ann\n", b"7,Bob\n", b"8,Dan\n"]
    expected = {"7": "Ann", "7~2": "Bob", "7~3": "Cid", "8": "Dan"}
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        result = settled(plan_of(), b"".join(lines[k] for k in order))
        assert result.names == expected
        assert result.counters["Records", "Duplicate id"] == 2


def test_an_id_that_already_has_a_suffix_keeps_it(settled):
    result = settled(plan_of(), b"7~2,Own\n7,Ann\n7,Bob\n7,Cid\n")
    assert result.names == {"7~2": "Own", "7": "Ann", "7~3": "Bob", "7~4": "Cid"}


@pytest.mark.parametrize(
    "lines",
    [
        (b"7~2,A", b"7~2,B", b"7~2~2,C"),
        (b"7~2~2,A", b"7~2,B", b"7~2,C", b"7,D", b"7,E"),
        (b"~2,A", b"~2,B", b"~2,C", b"~2~2,D"),
        (b"~,A", b"~,B", b"~~2,C"),
        (b"7~02,A", b"7~02,B", b"7~0,C", b"7,D"),
    ],
)
def test_ids_that_look_like_numbered_duplicates_never_clash(lines):
    result = settle_plainly(lines)
    assert len(set(result.ids)) == len(lines)
    assert {line.split(b",")[0].decode() for line in lines} <= set(result.ids)


def test_an_id_given_by_a_user_goes_before_one_made_from_content(settled):
    made = settled(plan_of(), b",Ann\n").ids[0]
    result = settled(plan_of(), f"{made},Zoe\n,Ann\n".encode())
    assert result.names == {made: "Zoe", f"{made}~2": "Ann"}


IDS = st.one_of(
    st.sampled_from(["", "a", "a~2", "a~3", "a~2~2", "~2", "~2~2", "#", "#~2", "é", "a~1", "a~0"]),
    st.text(alphabet="a~12#é", max_size=6),
)


@given(
    st.lists(st.tuples(IDS, st.sampled_from("xyz")), max_size=12),
    st.randoms(use_true_random=False),
    st.sampled_from([1, 3, 1024]),
    st.sampled_from([1, 2, 100]),
)
@example([("a~2", "x"), ("a~2", "y"), ("a~2~2", "z")], random.Random(1), 1024, 100)
def test_every_record_has_an_id_of_its_own_whatever_the_order_of_lines(rows, shuffle, drawers, a_line):
    lines = [f"{record_id},{name}".encode() for record_id, name in rows]
    with patch.multiple(settling, DRAWERS=drawers, RECORDS_A_LINE=a_line):
        result = settle_plainly(lines)
        again = lines.copy()
        shuffle.shuffle(again)
        assert sorted(settle_plainly(again, mappers=2).records) == sorted(result.records)
    assert len(result.records) == len(rows)
    assert len(set(result.ids)) == len(rows)
    # Whoever brings an id keeps it, one record for each.
    assert {record_id for record_id, _ in rows if record_id} <= set(result.ids)
    assert Counter(items for _, _, items in result.records) == Counter(rows)


def test_ids_are_spread_over_the_drawers_also_where_they_differ_alike():
    ids = [f"rec-{number}-{kind}" for number in range(5000) for kind in ("org", "dup")]
    sizes = Counter(map(settling.drawer_of, ids))
    assert set(sizes) <= set(range(settling.DRAWERS))
    # By chance about ten of 1,024 have none at 5,000, and none has 30.
    assert len(sizes) > 1000
    assert max(sizes.values()) < 30
    apart = Counter(
        settling.drawer_of(first) - settling.drawer_of(second)
        for first, second in zip(ids[::2], ids[1::2], strict=True)
    )
    assert max(apart.values()) < 50


def test_records_of_another_version_are_refused():
    with pytest.raises(RejectedLine, match="records of version 9; this pehchan reads version 1"):
        Records.decode(b'[9,"",2,["1","Ann"]]')


# lines


@pytest.mark.parametrize(
    "content",
    [
        b"1,Ann\n2,Bob\n3,Cid\n",
        b"1,Ann\r\n2,Bob\r\n3,Cid\r\n",
        b"1,Ann\r2,Bob\r3,Cid\r",
        b"1,Ann\n2,Bob\r\n3,Cid",
        b"1,Ann\r\n2,Bob\r3,Cid",
    ],
)
def test_lines_may_end_in_any_way(settled, content):
    result = settled(plan_of(), content)
    assert result.names == {"1": "Ann", "2": "Bob", "3": "Cid"}
    assert not result.rejected


def test_blank_lines_are_counted_and_passed_over(settled):
    result = settled(plan_of(), b"\n1,Ann\n\n   \n\r\n2,Bob\n")
    assert result.ids == ["1", "2"]
    assert result.counters["Records", "Blank lines"] == 4
    assert not result.rejected


def test_a_line_with_too_few_columns_is_set_aside_and_the_rest_goes_on(settled):
    result = settled(plan_of(), b"1,Ann\nshort\n2,Bob\n", names=["customers.txt"])
    assert result.ids == ["1", "2"]
    assert result.rejected == [
        {"file": "customers.txt", "reason": "expected at least 2 columns, found 1", "line": "short"}
    ]
    assert result.counters == {("Records", "Read"): 2, ("Records", "Rejected"): 1}


def test_equal_lines_set_aside_are_all_kept(settled):
    result = settled(plan_of(), b"short\nshort\nshort\n")
    assert len(result.rejected) == result.counters["Records", "Rejected"] == 3


def test_a_trailing_empty_column_is_a_missing_value(settled):
    result = settled(plan_of(), b"1,\n2,Bob,\n")
    assert sorted(items for _, _, items in result.records) == [("1", ""), ("2", "Bob", "")]
    assert not result.rejected


@pytest.mark.parametrize(
    ("line", "reason", "shown"),
    [
        (
            b"1,A\0nn",
            "a NUL byte in the line: not text, or text in UTF-16 (set input.encoding=utf-16)",
            "1,A\0nn",
        ),
        (
            b"1,J\xfcrgen",
            "not UTF-8 at byte 3 (0xfc); if the whole file is in another encoding, name it with input.encoding",
            "1,J\\xfcrgen",
        ),
    ],
)
def test_a_line_that_is_not_text_is_set_aside_with_what_to_do(settled, line, reason, shown):
    result = settled(plan_of(), b"2,Bob\n" + line + b"\n")
    assert result.ids == ["2"]
    assert result.reasons == [reason]
    assert result.rejected[0]["line"] == shown


def test_letters_of_all_scripts_and_controls_come_through(settled):
    name = "Ünï 漢字 😀\t\x1c\x85\u2028"
    result = settled(plan_of(), f"é1,{name}\n".encode())
    assert result.names == {"é1": name}


def test_columns_are_divided_as_the_properties_say(settled):
    result = settled(plan_of(input_delimiter="\\|"), b"1|Ann, Dr\n2|\n")
    assert result.names == {"1": "Ann, Dr", "2": ""}


def test_a_very_long_line_is_a_record_like_any_other(settled):
    name = "x" * 5_000_000
    assert settled(plan_of(), f"1,{name}\n2,Bob\n".encode()).names == {"1": name, "2": "Bob"}


def test_several_and_compressed_files_are_read_alike(settled):
    result = settled(
        plan_of(),
        b"1,Ann",
        gzip.compress(b"2,Bob\n7,Dan\n"),
        bz2.compress(b"3,Cid\n7,Eve\n"),
        names=["a.txt", "b.txt.gz", "c.txt.bz2"],
    )
    assert result.names == {"1": "Ann", "2": "Bob", "3": "Cid", "7": "Dan", "7~2": "Eve"}


def test_record_lines_of_ingest_are_settled_like_lines(settled):
    lines = [
        encode_record(Record("shop", "", items)) for items in (["1", "A\nnn"], ["1", "Bob"], ["", "Cid"])
    ]
    result = settled(plan_of(input="records"), b"\n".join(lines))
    assert {("shop", "1", ("1", "A\nnn")), ("shop", "1~2", ("1", "Bob"))} < set(result.records)
    assert len(result.records) == 3


def test_a_line_of_another_version_is_set_aside_not_guessed_at(settled):
    result = settled(plan_of(input="records"), b'[9,"","",["1","Ann"]]\n{"a":1}\n')
    assert sorted(result.reasons) == [
        "not a record line: expected [version, set, id, [items]] as JSON",
        "record line of version 9; this pehchan reads version 1",
    ]


# sets


def test_sets_are_told_by_the_names_of_the_files(settled):
    plan = plan_of(sets=("base", "other"), set_from="file", base_prefix="old")
    result = settled(plan, b"1,Ann\n", b"1,Ann\n2,Bob\n", names=["old-customers", "new"])
    assert sorted(result.records) == [
        ("base", "1", ("1", "Ann")),
        ("other", "1", ("1", "Ann")),
        ("other", "2", ("2", "Bob")),
    ]
    assert result.counters == {
        ("Records", "Read"): 3,
        ("Records", "Set base"): 1,
        ("Records", "Set other"): 2,
    }


def test_sets_are_told_by_the_first_characters_of_ids(settled):
    plan = plan_of(sets=(), set_from="id", set_id_size=2)
    result = settled(plan, b"AA1,Ann\nBB1,Ann\nBB,Bob\n,Cid\nAA1,Dan\n")
    assert [(set_name, record_id) for set_name, record_id, _ in sorted(result.records)] == [
        ("AA", "AA1"),
        ("AA", "AA1~2"),
        ("BB", "BB1"),
    ]
    assert sorted(result.reasons) == [
        "the id has 0 characters; its first 2 name the set",
        "the id has 2 characters; its first 2 name the set",
    ]


def test_a_set_may_be_named_where_the_job_is_started(settled):
    plan = plan_of(sets=("a", "b"), set_from="line")
    result = settled(plan, b"1,Ann\n", switches=["--set-name", "b"])
    assert result.records == [("b", "1", ("1", "Ann"))]
    assert result.counters["Records", "Set b"] == 1


def test_equal_ids_of_two_sets_are_two_records_and_no_duplicates(settled):
    plan = plan_of(sets=("base", "other"), set_from="file")
    result = settled(plan, b"1,Ann\n", b"1,Ann\n", names=["base1", "more"])
    assert [record[:2] for record in sorted(result.records)] == [("base", "1"), ("other", "1")]
    assert ("Records", "Duplicate id") not in result.counters


# groups


def test_partitions_too_large_for_a_bucket_are_counted_by_set(settled):
    schema = Schema(
        fields=(Field("name", 1, "exact"),), id="id", id_ordinal=0, lines=True, partition_ordinal=2
    )
    plan = plan_of(schema, sets=("base", "other"), set_from="file", bucket_records=4)
    large = b"".join(b"%d,Ann,large\n" % number for number in range(3))
    result = settled(
        plan, large + b"8,Ann,small\n9,Ann,small\n", large + b"8,Ann,\n", names=["base1", "more"]
    )
    # Each has 4 characters, and 4 strings and lists of 100 bytes.
    held = 3 * (4 + 4 * 100)
    assert sorted(result.groups) == [["large", "base", 3, 12, held], ["large", "other", 3, 12, held]]
    assert len(result.records) == 9


def test_partitions_add_up_over_files_and_mappers(settled):
    schema = Schema(fields=(Field("name", 1, "exact"),), id_ordinal=0, lines=True, partition_ordinal=1)
    result = settled(plan_of(schema, bucket_records=2), b"1,x\n2,y\n", b"3,x\n", b"4,x\n")
    # The characters are those of the ids: what is compared lies in another column, and is empty.
    assert [group[:4] for group in result.groups] == [["x", "", 3, 6]]


def test_the_characters_that_are_compared_are_counted(settled):
    schema = Schema(fields=(Field("name", 1, "exact"),), id="id", id_ordinal=0, lines=True)
    lines = (b"1,Ann,not compared\n", "22,Zoë,\n".encode())
    assert settled(plan_of(schema), *lines).characters == 9
    assert settled(plan_of(schema, output_record=True), *lines).characters == 9 + 16 + 5


@given(
    st.lists(st.tuples(st.text(max_size=3), st.text(max_size=5), st.text(max_size=5)), min_size=1),
    st.booleans(),
)
def test_many_records_take_together_what_each_takes(rows, whole):
    schema = Schema(fields=(Field("name", 1, "exact"), Field("note", 2, "char-pair")), id="id", id_ordinal=0)
    plan = replace(plan_of(schema, output_record=whole), prepared_bytes=(3, 7))
    records = Records("", 4, [value for row in rows for value in (row[0], *row)])
    sizes = [plan.size(record, plan.compared(record)) for record in records]
    assert plan.size_of_all(records) == tuple(map(sum, zip(*sizes, strict=True)))


def test_what_a_measure_makes_of_values_is_counted_among_the_bytes_that_records_take(settled):
    schema = Schema(
        fields=(Field("name", 1, "exact"), Field("note", 2, "char-pair")), id="id", id_ordinal=0, lines=True
    )
    plan = plan_join(schema, Settings(), Mistakes(), "lines")
    plain = settled(replace(plan, prepared_bytes=()), b"1,Ann,12345\n")
    assert settled(plan, b"1,Ann,12345\n").held == plain.held + 5 * CharPair.prepared_bytes
    assert plain.held == 9 + 5 * 100
    # One letter beyond ASCII, and each may take four bytes.
    assert settled(replace(plan, prepared_bytes=()), "1,Änn,12345\n".encode()).held == 4 * 9 + 5 * 100


def test_groups_of_long_records_are_counted_before_those_of_many(settled):
    schema = Schema(fields=(Field("a", 1, "exact"),), id_ordinal=0, lines=True, partition_ordinal=2)
    long = b"".join(b"%d,%s,long\n" % (number, b"x" * 2_000_000) for number in range(8))
    result = settled(plan_of(schema, memory_mb=256), long + b"8,x,short\n9,x,short\n")
    # 16 MB hold seven such records, a bucket half of them.
    assert [group[:4] for group in result.groups] == [["long", "", 8, 8 * 2_000_001]]


def test_ids_that_agree_behind_the_set_id_are_counted_where_they_are_many(settled):
    schema = Schema(fields=(Field("a", 1, "exact"),), id_ordinal=0, lines=True)
    plan = replace(plan_of(schema, sets=(), set_from="id", set_id_size=1, bucket_records=4), join="same_id")
    result = settled(plan, b"Ahot,1\nBhot,1\nChot,1\nAcold,1\nBcold,1\n")
    assert [group[:3] for group in result.groups] == [["0:hot", "", 3]]


def test_half_of_the_records_may_have_the_same_id(settled):
    many = 20_000
    result = settled(plan_of(), b"".join(b"N/A,%d\n" % number for number in range(many)) + b"1,x\n")
    assert len(set(result.ids)) == many + 1
    assert {"N/A", "N/A~2", f"N/A~{many}"} <= set(result.ids)
    assert result.counters["Records", "Duplicate id"] == many - 1


def test_a_reader_needs_as_many_columns_as_the_schema_uses():
    schema = Schema(fields=(Field("a", 1, "exact"),), id_ordinal=0, lines=True, partition_ordinal=3)
    with pytest.raises(ValueError, match="expected at least 4 columns, found 3"):
        LineReader(plan_of(schema)).read(b"1,2,3", "")
