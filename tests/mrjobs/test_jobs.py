"""The jobs by themselves, through mrjob: the same answer for any cut of the input, on any runner."""

import bz2
import csv
import gzip
import json
import os
import subprocess
import sys
from collections import defaultdict
from io import BytesIO

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from settled import settled_lines

from pehchan.distance.record import RecordDistance
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings
from pehchan.metadata.schema import Field, Schema
from pehchan.metadata.schemas import load_schema
from pehchan.mrjobs import job as job_module
from pehchan.mrjobs import record_similarity
from pehchan.mrjobs.cluster_pairs import ClusterPairs
from pehchan.mrjobs.exporting import PairExport, cluster_lines, quoted, shape_lines
from pehchan.mrjobs.planner import Counted, with_buckets
from pehchan.mrjobs.record_similarity import RecordSimilarity
from pehchan.mrjobs.select_output import SelectOutput
from pehchan.mrjobs.settle_records import SettleRecords
from pehchan.mrjobs.wire import Batch, Pair, Pairs, WireError, read_tagged

SCHEMA = """\
id: id
columns: [id, name, street, state, filler]
fields:
  name: {measure: jaro-winkler, fold: case}
  street: {measure: edit, tokens: false, missing: skip}
cutoff: 300
"""

#: Not compared; makes lines as long as the planner thinks they are, so that it asks for many buckets.
FILLER = "." * 64

NAMES = ["Ann Lee", "ANN LEE", "Anne Lee", "Bob Ray", "Bob Roy", "Zoë Åkerø", "漢字", "", "x"]
STREETS = ["1 Main St", "1 Main Street", "2 Oak", "", "é 5"]
IDS = st.text(alphabet="abc1~#é漢😀 ", min_size=1, max_size=4).filter(str.strip)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder for a test with examples: files may be written over."""
    return tmp_path_factory.mktemp("jobs")


class Outcome:
    def __init__(self, output, counters):
        self.lines = sorted(b"".join(output).splitlines())
        self.counters = counters
        self.pairs = [
            pair
            for tag, payload in read_tagged(self.lines)
            if tag == b"pairs"
            for pair in Pairs.decode(payload)
        ]
        self.rejected = [
            json.loads(payload) for tag, payload in read_tagged(self.lines) if tag == b"rejected"
        ]
        self.members = list(self._rows(b"clustered"))
        self.shapes = list(self._rows(b"shape"))

    def _rows(self, wanted):
        """The lines of a tag, which hold columns, as rows."""
        for tag, payload in read_tagged(self.lines):
            if tag == wanted:
                _, *columns = orjson.loads(payload)
                yield from zip(*columns, strict=True)

    @property
    def distances(self):
        """The distance of every pair of identities, whichever of them comes first."""
        found = {frozenset((pair.first, pair.second)): pair.distance for pair in self.pairs}
        assert len(found) == len(self.pairs), "a pair is there twice"
        return found


def run(job_class, *arguments, runner="inline", stdin=None):
    job = job_class(["-r", runner, "--no-conf", *map(str, arguments)])
    if stdin is not None:
        job.sandbox(stdin=BytesIO(stdin))
    with job.make_runner() as running:
        running.run()
        counters = {
            (group, name): amount
            for step in running.counters()
            for group, of_group in step.items()
            for name, amount in of_group.items()
        }
        return Outcome(list(running.cat_output()), counters)


def similarity(folder, files, runner="inline", schema=SCHEMA, **properties):
    """The job on files of these contents, by their names."""
    (folder / "schema.yaml").write_text(schema, encoding="utf-8")
    lines = [f"{key.replace('_', '.')}={value}" for key, value in properties.items()]
    (folder / "job.properties").write_text(
        "\n".join(["sts.same.schema.file.path=schema.yaml", *lines]) + "\n", encoding="ascii"
    )
    paths = [folder / name for name in files]
    for path in paths:
        path.write_bytes(files[path.name])
    return run(RecordSimilarity, "--properties", folder / "job.properties", *paths, runner=runner)


def content(records):
    return "".join(",".join([*record, FILLER]) + "\n" for record in records).encode()


def brute_force(records, fits=lambda a, b: True, cutoff=300, tmp=None, schema_text=SCHEMA):
    """Distances of the pairs of records (set, id, items) that fit, by one comparison of all with all."""
    mistakes = Mistakes()
    tmp.joinpath("oracle.yaml").write_text(schema_text, encoding="utf-8")
    schema = load_schema(str(tmp / "oracle.yaml"), Settings(), mistakes)
    assert schema is not None
    distance = RecordDistance(schema, 1000, cutoff)
    ordered = sorted(records)
    columns = ([items[field.ordinal] for _, _, items in ordered] for field in schema.fields)
    block = distance.block(columns, np.arange(len(ordered), dtype=np.int64))
    found = {}
    for part in distance.compare(block, block):
        for i, j, d in zip(part.rows, part.columns, part.distances, strict=True):
            a, b = ordered[i], ordered[j]
            if fits(a, b):
                found[frozenset((a[:2], b[:2]))] = int(d)
    return found


RECORDS = st.lists(
    st.tuples(IDS, st.sampled_from(NAMES), st.sampled_from(STREETS), st.sampled_from(["TX", "CA", ""])),
    max_size=14,
    unique_by=lambda record: record[0],
)


@settings(max_examples=25)
@given(
    records=RECORDS,
    cut=st.integers(0, 14),
    bucket_records=st.sampled_from([2, 3, 5, 4000]),
    bucket_count=st.sampled_from(["", 1, 3]),
    batch_bytes=st.sampled_from([1, 30, 262144]),
    join=st.sampled_from(["auto", "signatures"]),
    shuffle=st.randoms(use_true_random=False),
)
def test_pairs_are_those_of_brute_force_for_any_cut_of_input_buckets_and_batches(
    folder, records, cut, bucket_records, bucket_count, batch_bytes, join, shuffle
):
    shuffle.shuffle(records)
    outcome = similarity(
        folder,
        {"part-0": content(records[:cut]), "part-1": content(records[cut:])},
        bucket_records=bucket_records,
        batch_bytes=batch_bytes,
        sts_bucket_count=bucket_count,
        join=join,
    )
    expected = brute_force([("", record[0], record) for record in records], tmp=folder)
    assert outcome.distances == expected
    assert outcome.counters.get(("Pairs", "Kept"), 0) == len(expected)
    if join == "auto":
        assert outcome.counters.get(("Pairs", "Compared"), 0) == len(records) * (len(records) - 1) // 2


@settings(max_examples=12)
@given(
    base=RECORDS,
    other=RECORDS,
    bucket_records=st.sampled_from([2, 4000]),
    batch_bytes=st.sampled_from([1, 262144]),
    from_ids=st.booleans(),
    join=st.sampled_from(["auto", "signatures"]),
)
def test_two_sets_are_compared_with_each_other_and_not_within_themselves(
    folder, base, other, bucket_records, batch_bytes, from_ids, join
):
    mark = (lambda name, record_id: name[0] + record_id) if from_ids else (lambda name, record_id: record_id)
    base = [(mark("base", record[0]), *record[1:]) for record in base]
    other = [(mark("other", record[0]), *record[1:]) for record in other]
    outcome = similarity(
        folder,
        {"base1": content(base), "more": content(other)},
        sts_inter_set_matching="true",
        bucket_records=bucket_records,
        batch_bytes=batch_bytes,
        join=join,
        **({"sts_set_ID_size": 1} if from_ids else {}),
    )
    names = ("b", "o") if from_ids else ("base", "other")
    records = [(names[0], r[0], r) for r in base] + [(names[1], r[0], r) for r in other]
    expected = brute_force(records, lambda a, b: a[0] != b[0], tmp=folder)
    assert outcome.distances == expected


@settings(max_examples=12)
@given(records=RECORDS, bucket_records=st.sampled_from([2, 4000]), batch_bytes=st.sampled_from([1, 262144]))
def test_records_meet_within_their_partition_only(folder, records, bucket_records, batch_bytes):
    schema = SCHEMA + "partition: state\n"
    outcome = similarity(
        folder,
        {"part-0": content(records)},
        schema=schema,
        bucket_records=bucket_records,
        batch_bytes=batch_bytes,
    )
    expected = brute_force(
        [("", record[0], record) for record in records], lambda a, b: a[2][3] == b[2][3], tmp=folder
    )
    assert outcome.distances == expected


@settings(max_examples=12)
@given(records=RECORDS, batch_bytes=st.sampled_from([1, 262144]))
def test_records_of_different_sets_with_the_same_id_behind_the_set_id_are_compared(
    folder, records, batch_bytes
):
    outcome = similarity(
        folder,
        {
            "part-0": content(
                [("A" + r[0], *r[1:]) for r in records] + [("B" + r[0], *r[1:]) for r in records[1:]]
            )
        },
        sts_mixed_in_sets="true",
        sts_set_ID_size=1,
        batch_bytes=batch_bytes,
    )
    assert outcome.distances == {
        frozenset((("A", "A" + record[0]), ("B", "B" + record[0]))): distance
        for record in records[1:]
        for distance in brute_force([("A", "a", record), ("B", "b", record)], tmp=folder).values()
    }


def people(count):
    """Records with many near duplicates, the same on every run."""
    return [
        (f"c{number}", NAMES[number * 7 % len(NAMES)], STREETS[number * 5 % len(STREETS)], "TX")
        for number in range(count)
    ]


@pytest.mark.parametrize("pack", [("a.txt.gz", gzip.compress), ("a.txt.bz2", bz2.compress)])
def test_compressed_files_give_the_same_pairs(tmp_path, pack):
    name, compress = pack
    plain = similarity(tmp_path, {"a.txt": content(people(12))})
    assert plain.pairs
    assert similarity(tmp_path, {name: compress(content(people(12)))}).lines == plain.lines


def test_the_job_reads_standard_input(tmp_path):
    expected = similarity(tmp_path, {"a.txt": content(people(12))})
    outcome = run(
        RecordSimilarity, "--properties", tmp_path / "job.properties", "-", stdin=content(people(12))
    )
    assert outcome.distances == expected.distances


def test_the_smaller_id_comes_first_whatever_the_order_of_lines(tmp_path):
    records = people(12)
    forward = similarity(tmp_path, {"a.txt": content(records)}, bucket_records=2)
    backward = similarity(tmp_path, {"a.txt": content(records[::-1])}, bucket_records=2)
    assert sorted(forward.pairs, key=repr) == sorted(backward.pairs, key=repr)
    assert all(pair.first < pair.second for pair in forward.pairs)


def test_duplicate_and_missing_ids_still_name_each_record_of_a_pair(tmp_path):
    outcome = similarity(
        tmp_path, {"a.txt": content([("7", "Ann", "", ""), ("7", "Ann", "", ""), ("", "Ann", "", "")])}
    )
    ids = {pair.first[1] for pair in outcome.pairs} | {pair.second[1] for pair in outcome.pairs}
    assert len(outcome.distances) == 3
    assert {"7", "7~2"} < ids
    assert len(ids) == 3


def test_lines_set_aside_come_out_with_their_reason(tmp_path):
    outcome = similarity(tmp_path, {"a.txt": content(people(4)) + b"short\n"})
    assert outcome.rejected == [
        {"file": "a.txt", "reason": "expected at least 3 columns, found 1", "line": "short"}
    ]
    assert outcome.counters["Records", "Rejected"] == 1


def test_more_pairs_than_fit_a_line_of_output_are_all_there(tmp_path):
    outcome = similarity(tmp_path, {"a.txt": content([(f"c{n}", "Ann", "", "") for n in range(60)])})
    assert len(outcome.distances) == 60 * 59 // 2
    assert max(len(list(Pairs.decode(payload))) for _, payload in read_tagged(outcome.lines)) <= 1000


def test_a_line_of_output_holds_fewer_pairs_where_these_are_written_out_with_long_records(tmp_path):
    records = [(f"c{number}", "Ann", "", "x" * 100_000) for number in range(8)]
    outcome = similarity(tmp_path, {"a.txt": content(records)}, sts_output_record="true")
    assert len(outcome.distances) == 8 * 7 // 2
    assert max(map(len, outcome.lines)) < 1_100_000
    whole = [item for pair in outcome.pairs for item in pair.first_items]
    assert sum(len(item) == 100_000 for item in whole) == 28


# runners


@pytest.mark.parametrize("case", ["self-join", "two sets"])
def test_inline_and_local_give_the_same_bytes_for_any_hash_seed_and_locale(tmp_path, monkeypatch, case):
    records = people(40)
    # Compressed files are one split, so that there are few tasks to start.
    files = {
        "base1.gz": gzip.compress(content(records[:25])),
        "more.gz": gzip.compress(content(records[25:])),
    }
    more = {} if case == "self-join" else {"sts_inter_set_matching": "true"}
    inline = similarity(tmp_path, files, bucket_records=8, batch_bytes=100, **more)
    monkeypatch.setenv("PYTHONHASHSEED", "7" if case == "self-join" else "0")
    monkeypatch.setenv("LC_ALL", "C")
    local = similarity(tmp_path, files, runner="local", bucket_records=8, batch_bytes=100, **more)
    assert inline.pairs
    assert local.lines == inline.lines
    assert local.counters == inline.counters


def test_a_job_file_runs_by_itself_and_leaves_no_temporary_files(tmp_path):
    expected = similarity(tmp_path, {"a.txt": content(people(6))})
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, record_similarity.__file__, "--no-conf", "--properties", "job.properties", "a.txt"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        check=True,
    )
    assert sorted(done.stdout.splitlines()) == expected.lines
    assert not list(temporary.iterdir())


def test_a_job_file_says_what_is_wrong_before_it_starts(tmp_path):
    done = subprocess.run(
        [sys.executable, record_similarity.__file__, "--no-conf", "nothing.txt"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "no schema is named.\n  Set sts.same.schema.file.path" in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_a_task_ends_when_the_process_that_submitted_its_job_is_gone(monkeypatch):
    class Ended(Exception):
        pass

    def end(code):
        raise Ended

    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    monkeypatch.setenv(job_module.SUBMITTER, str(gone.pid))
    monkeypatch.setattr(job_module.os, "_exit", end)
    with pytest.raises(Ended):
        job_module._end_with_submitter()
    monkeypatch.delenv(job_module.SUBMITTER)
    job_module._end_with_submitter()


# buckets


def plan_of(sets=("",), partition=None, **settings_given):
    schema = Schema(
        fields=(Field("name", 1, "exact"),), id="id", id_ordinal=0, lines=True, partition_ordinal=partition
    )
    return Plan(schema, Settings(**settings_given), 0, sets=sets)


def counted(records=None, characters_each=20, **by_set):
    by_set = by_set if records is None else {"": records}
    characters = characters_each * sum(by_set.values())
    return Counted(by_set, characters, 4 * characters)


@given(st.integers(0, 100_000), st.integers(2, 10_000))
def test_a_reducer_holds_about_as_many_records_as_it_may(records, bucket_records):
    (buckets,) = with_buckets(plan_of(bucket_records=bucket_records), counted(records)).default_buckets
    in_a_cell = records if buckets == 1 else 2 * -(-records // buckets)
    assert in_a_cell <= bucket_records + 2


@given(st.integers(0, 50_000), st.integers(0, 50_000), st.integers(2, 10_000))
def test_a_reducer_of_two_sets_holds_about_as_many_records_as_it_may(first, second, bucket_records):
    plan = with_buckets(plan_of(("a", "b"), bucket_records=bucket_records), counted(a=first, b=second))
    held = [
        -(-count // buckets) for count, buckets in zip((first, second), plan.default_buckets, strict=True)
    ]
    assert sum(held) <= bucket_records + 2


def test_a_large_join_has_cells_for_all_reducers_and_no_more_buckets_than_asked_for():
    assert with_buckets(plan_of(), counted(100)).default_buckets == (1,)
    assert with_buckets(plan_of(), counted(3000)).default_buckets == (4,)
    (many,) = with_buckets(plan_of(), counted(3000), tasks=50).default_buckets
    assert many * (many + 1) // 2 >= 150
    assert with_buckets(plan_of(bucket_count=2), counted(100_000)).default_buckets == (2,)
    two_sets = with_buckets(plan_of(("a", "b")), counted(a=100, b=3000), tasks=50)
    rows, columns = two_sets.default_buckets
    assert rows * columns >= 150
    assert columns > rows


def test_long_records_are_cut_into_more_buckets_by_the_memory_that_a_task_may_take():
    (few,) = with_buckets(plan_of(memory_mb=768), counted(1000, 20)).default_buckets
    (many,) = with_buckets(plan_of(memory_mb=768), counted(1000, 1_000_000)).default_buckets
    (most,) = with_buckets(plan_of(memory_mb=256), counted(1000, 1_000_000)).default_buckets
    assert few == 1
    # 528 MB hold 132 records of 4 MB each, 16 MB hold 4: a bucket half of them, as two meet.
    assert (many, most) == (-(-1000 // 66), 500)


def test_only_large_partitions_get_more_than_one_bucket():
    groups = {"TX": counted(60), "CA": counted(8)}
    plan = with_buckets(plan_of(partition=2, bucket_records=10), counted(100), groups)
    assert plan.default_buckets == (1,)
    assert plan.buckets == {"TX": (12,), "CA": (1,)}


# clusters


@pytest.fixture
def clustered(tmp_path):
    def cluster(text, *switches, name="pairs.csv"):
        (tmp_path / name).write_bytes(text.encode())
        return run(ClusterPairs, *switches, tmp_path / name)

    return cluster


def test_clusters_of_delimited_lines(clustered):
    outcome = clustered("b,a,10\nb,c,20\nx,y,30\nx,z,31\n", "--cutoff", 30)
    assert outcome.members == [
        ("", "a", "", "a", 10, 10, 1),
        ("", "a", "", "b", 10, 20, 2),
        ("", "a", "", "c", 20, 20, 1),
        ("", "x", "", "x", 30, 30, 1),
        ("", "x", "", "y", 30, 30, 1),
    ]
    # The size, the pairs under the cutoff, the farthest of them, and those that alone hold it together.
    assert outcome.shapes == [("", "a", 3, 2, 20, 2), ("", "x", 2, 1, 30, 1)]
    assert outcome.counters == {
        ("Pairs", "Read"): 4,
        ("Clusters", "All"): 2,
        ("Clusters", "Of two or more"): 2,
        ("Clusters", "Records that duplicate another"): 3,
    }


def test_quoted_ids_and_columns_between_ids_and_distance_are_read(clustered):
    outcome = clustered('"a,1","b ""x""",Ann,Bob,5\r\n\r\nb,"c",7\r', "--cutoff", 10)
    assert [member[3] for member in outcome.members] == ["a,1", 'b "x"', "b", "c"]


def test_another_delimiter_may_part_the_columns(clustered):
    outcome = clustered("a|b|5\n", "--cutoff", 10, "--delimiter", "|")
    assert [member[3] for member in outcome.members] == ["a", "b"]


def test_lines_that_are_no_pairs_are_set_aside_with_the_reason(clustered):
    lines = "id1,id2,distance\na,b,5\na,b\nb,c,x\nc,c,0\n,b,3\nb,,3\na,b,-1\nb,c,nan\na,b,2.5\n"
    outcome = clustered(lines, "--cutoff", 10)
    assert {rejected["line"]: rejected["reason"] for rejected in outcome.rejected} == {
        "id1,id2,distance": "the last column is no whole number where the distance was expected",
        "a,b": "expected id,id,distance, found 2 columns",
        "b,c,x": "the last column is no whole number where the distance was expected",
        "b,c,nan": "the last column is no whole number where the distance was expected",
        "a,b,2.5": "the last column is no whole number where the distance was expected",
        "c,c,0": "a pair of a record with itself",
        ",b,3": "no id where that of a record was expected",
        "b,,3": "no id where that of a record was expected",
        "a,b,-1": "the distance is below 0",
    }
    assert [member[3:6] for member in outcome.members] == [("a", 5, 5), ("b", 5, 5)]
    assert outcome.counters["Pairs", "Rejected"] == 9


@pytest.mark.parametrize("line", ["c,c,0", ",b,3", "b,,3", "a,b,-1"])
def test_a_line_that_is_no_pair_is_noticed_among_plain_ones(clustered, line):
    outcome = clustered(f"a,b,5\n{line}\nc,d,6\n", "--cutoff", 10)
    assert [rejected["line"] for rejected in outcome.rejected] == [line]
    assert together(outcome) == ["ab", "cd"]


def test_records_without_a_pair_are_clusters_of_their_own(tmp_path, clustered):
    outcome = clustered(
        settled_lines([["a"], ["z"]]).decode() + "pairs\t" + Pairs.of([PAIR]).encode().decode() + "\n",
        "--cutoff",
        10,
    )
    assert outcome.members == [
        ("", "a", "", "a", 5, 5, 1),
        ("", "a", "", "b", 5, 5, 1),
        ("", "z", "", "z", None, None, 0),
    ]


def test_equal_ids_of_two_sets_are_two_records_of_a_cluster(clustered):
    pair = Pair(("base", "1"), ("other", "1"), 5)
    outcome = clustered("pairs\t" + Pairs.of([pair]).encode().decode(), "--cutoff", 10)
    assert outcome.members == [("base", "1", "base", "1", 5, 5, 1), ("base", "1", "other", "1", 5, 5, 1)]


CHAIN = "a,b,10\nb,c,20\nc,d,10\n"


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("connected", ["abcd"]),
        # b is next to a, which was a centre first, and c to d.
        ("centre", ["ab", "cd"]),
        # (20 + 3 * 1000) / 4 apart.
        ("average", ["ab", "cd"]),
    ],
)
def test_clusters_are_made_in_several_ways(clustered, by, expected):
    assert together(clustered(CHAIN, "--cutoff", 30, "--by", by)) == expected


def together(outcome):
    """The ids of each cluster in a word."""
    found = defaultdict(list)
    for _, cluster, _, record, *_ in outcome.members:
        found[cluster].append(record)
    return sorted("".join(sorted(records)) for records in found.values())


def test_pivot_takes_a_record_and_all_that_it_has_a_pair_with(clustered):
    chain = "".join(f"c{k:02},c{k + 1:02},10\n" for k in range(20))
    found = together(clustered(chain, "--cutoff", 30, "--by", "pivot"))
    assert {len(members) // 3 for members in found} <= {1, 2, 3}
    assert len(found) < 15


@pytest.mark.parametrize(("far", "expected"), [(60, ["abc"]), (61, ["ab", "c"])])
def test_two_records_without_a_pair_are_as_far_apart_as_is_said(clustered, far, expected):
    # c is (0 + far) / 2 from the others.
    found = clustered("a,b,0\nb,c,0\n", "--cutoff", 30, "--by", "average", "--far", far)
    assert together(found) == expected


def test_two_records_without_a_pair_are_never_nearer_than_those_with_one_may_be(clustered):
    # Of a scale of 1000 such a cutoff has no sense, of another program's distances it may.
    asked = ["--cutoff", 2000, "--by", "average", "--mean"]
    assert together(clustered("a,b,1500\nb,c,0\n", *asked, 1600)) == ["a", "bc"]
    assert together(clustered("a,b,1500\nb,c,0\n", *asked, 1750)) == ["abc"]


def test_a_cluster_holds_one_record_of_a_set_without_duplicates(clustered):
    pairs = [
        Pair(("p", "1"), ("q", "2"), 5),
        Pair(("p", "3"), ("q", "2"), 4),
        Pair(("p", "1"), ("q", "4"), 9),
    ]
    lines = "pairs\t" + Pairs.of(pairs).encode().decode()
    assert together(clustered(lines, "--cutoff", 10)) == ["1234"]
    both = ["--clean-set", "p", "--clean-set", "q"]
    assert together(clustered(lines, "--cutoff", 10, *both)) == ["14", "23"]
    assert together(clustered(lines, "--cutoff", 10, "--by", "assignment", *both)) == ["14", "23"]
    assert together(clustered(lines, "--cutoff", 10, "--clean-set", "q")) == ["123", "4"]


def test_records_that_only_pairs_name_are_counted_and_named_where_all_should_be_there(clustered):
    lines = (
        settled_lines([["a"], ["a"], ["z"]]).decode() + "pairs\t" + Pairs.of([PAIR]).encode().decode() + "\n"
    )
    outcome = clustered(lines, "--cutoff", 10, "--with-records")
    assert outcome.counters["Clusters", "Records of pairs alone"] == 1
    assert [(each["line"], each["reason"]) for each in outcome.rejected] == [
        ("b", "in a pair, but not among the records")
    ]
    assert together(outcome) == ["ab", "z"]
    without = clustered(lines, "--cutoff", 10)
    assert without.members == outcome.members
    assert not without.rejected


@pytest.mark.parametrize("far", [2**31 - 2, 2**31 - 1, 2**31, 2**62])
def test_distances_may_be_as_large_as_64_bits_hold(clustered, far):
    members = clustered(f"a,b,{far}\nb,c,1\n", "--cutoff", 2**62).members
    assert [member[3:6] for member in members] == [("a", far, far), ("b", 1, far), ("c", 1, 1)]


def test_of_a_pair_that_is_there_twice_the_smaller_distance_counts(clustered):
    assert clustered("a,b,7\nb,a,5\n", "--cutoff", 10).members == [
        ("", "a", "", "a", 5, 5, 1),
        ("", "a", "", "b", 5, 5, 1),
    ]


def test_clusters_do_not_depend_on_order_or_runner(tmp_path):
    lines = [f"c{number % 97},c{number * 31 % 97},{number % 40}\n" for number in range(2500) if number % 97]
    (tmp_path / "forward").write_text("".join(lines))
    (tmp_path / "first").write_text("".join(lines[:1000:-1]))
    (tmp_path / "second").write_text("".join(lines[1000::-1]))
    forward = run(ClusterPairs, "--cutoff", 5, tmp_path / "forward")
    backward = run(ClusterPairs, "--cutoff", 5, tmp_path / "first", tmp_path / "second", runner="local")
    assert forward.lines == backward.lines
    assert forward.counters == backward.counters


def test_the_cutoff_of_the_clusters_may_stand_in_the_properties(tmp_path, clustered):
    properties = tmp_path / "job.properties"
    properties.write_text("cluster.cutoff=5\n")
    assert len(clustered("a,b,5\nc,d,6\n", "--properties", properties).members) == 2
    properties.write_text("")
    with pytest.raises(MistakesError, match="no cutoff is given"):
        clustered("a,b,5\n", "--properties", properties)


# outputs

PAIR = Pair(("", "a"), ("", "b"), 5, ["a", "Ann, Dr", "x"], ["b", 'Bob "B"', ""])


@pytest.mark.parametrize(
    ("settings_given", "line"),
    [
        ({}, "a,b,5"),
        ({"passive_fields": True}, "a,b,x,,5"),
        ({"passive_fields": True, "ids_first": False}, "x,,a,b,5"),
        ({"output_record": True}, 'a,b,a,"Ann, Dr",x,b,"Bob ""B""",,5'),
        ({"extra_fields": (1,)}, 'a,b,"Ann, Dr","Bob ""B""",5'),
        ({"extra_fields": (9, 2)}, "a,b,,x,,,5"),
        ({"output_delimiter": "|", "passive_fields": True}, "a|b|x||5"),
        ({"compat": True, "output_record": True}, 'a,b,,a,Ann, Dr,x,b,Bob "B",5'),
        ({"compat": True, "passive_fields": True}, "a,b,a,x,b,,5"),
    ],
)
def test_pairs_are_written_with_what_the_properties_ask_for(settings_given, line):
    assert PairExport(plan_of(**settings_given)).line(PAIR) == line


@given(st.lists(st.text(alphabet='a,"\r\n|', max_size=5), min_size=2, max_size=5), st.sampled_from(",|\t"))
def test_values_of_any_kind_can_be_read_back_as_csv(values, delimiter):
    line = delimiter.join(quoted(value, delimiter) for value in values)
    assert next(csv.reader(line.splitlines(keepends=True), delimiter=delimiter)) == values


def test_members_of_two_sets_are_written_with_their_set():
    payload = b'[3,["base","base"],["1","1"],["other","base"],["x,2","1"],[3,null],[null,null],[1,0]]'
    assert list(cluster_lines(payload, with_sets=False)) == ['1,"x,2",3,,1', "1,1,,,0"]
    assert list(cluster_lines(payload, with_sets=True)) == ['base:1,"other:x,2",3,,1', "base:1,base:1,,,0"]


def test_shapes_of_clusters_are_written_with_the_share_of_their_pairs():
    payload = b'[2,["base",""],["1","x,2"],[4,2],[4,1],[30,7],[1,1]]'
    assert list(shape_lines(payload, with_sets=False)) == ["1,4,4,0.666667,30,1", '"x,2",2,1,1.000000,7,1']
    assert next(shape_lines(payload, with_sets=True)) == "base:1,4,4,0.666667,30,1"


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("pairs", b"a,b,5\n"),
        ("clustered", b"a,b,5,5,1\n"),
        ("shape", b"a,3,2,0.666667,5,2\n"),
        ("rejected", b'{"line": "short"}\n'),
    ],
)
def test_one_of_the_outputs_is_selected_by_its_tag(tmp_path, tag, expected):
    plan_of().write(tmp_path / "plan.json")
    (tmp_path / "in").write_bytes(
        b"pairs\t"
        + Pairs.of([PAIR]).encode()
        + b'\nclustered\t[3,[""],["a"],[""],["b"],[5],[5],[1]]\nshape\t[2,[""],["a"],[3],[2],[5],[2]]'
        + b'\nrejected\t{"line": "short"}\n'
        + settled_lines([["a"]])
    )
    job = SelectOutput(
        [
            "-r",
            "inline",
            "--no-conf",
            "--select",
            tag,
            "--plan",
            str(tmp_path / "plan.json"),
            str(tmp_path / "in"),
        ]
    )
    with job.make_runner() as running:
        running.run()
        assert b"".join(running.cat_output()) == expected


# the wire


@given(
    st.lists(
        st.builds(
            Pair,
            st.tuples(st.text(), st.text()),
            st.tuples(st.text(), st.text()),
            st.integers(0, 10**6),
            st.lists(st.text(), min_size=1).map(list),
            st.lists(st.text(), min_size=1).map(list),
        )
    )
)
def test_pairs_come_back_from_the_wire_as_they_were(pairs):
    encoded = Pairs.of(pairs).encode()
    assert encoded.isascii()
    assert not set(b"\t\r\n") & set(encoded)
    decoded = list(Pairs.decode(encoded))
    assert decoded == pairs


@given(st.lists(st.tuples(st.text(), st.text())))
def test_a_batch_comes_back_from_the_wire_as_it_was(rows):
    batch = Batch(("", "é", 3), [i for i, _ in rows], [[v for _, v in rows]], [[i, v] for i, v in rows])
    encoded = batch.encode()
    assert encoded.isascii()
    assert not set(b"\t\r\n") & set(encoded)
    assert Batch.decode(encoded) == batch


@pytest.mark.parametrize(
    ("decode", "payload"),
    [
        (Batch.decode, b'[9,["","",0],[],[],[]]'),
        (lambda payload: list(Pairs.decode(payload)), b"[9,[],[],[],[],[],[],[]]"),
        (lambda payload: list(read_tagged([payload])), b"a,b,5"),
    ],
)
def test_what_another_version_or_program_has_written_is_refused(decode, payload):
    with pytest.raises(WireError):
        decode(payload)


def test_a_plan_of_another_version_is_refused(tmp_path):
    plan = plan_of()
    plan.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == plan
    text = (tmp_path / "plan.json").read_text()
    (tmp_path / "plan.json").write_text(text.replace('"version": 7', '"version": 1'))
    with pytest.raises(ValueError, match="a plan of version 1; this pehchan reads version 7"):
        Plan.read(tmp_path / "plan.json")


def test_every_step_of_a_job_asks_for_the_same_of_the_runner(tmp_path):
    plan_of(reducers=3).write(tmp_path / "plan.json")
    for job_class in (SettleRecords, RecordSimilarity):
        job = job_class(["--plan", str(tmp_path / "plan.json")])
        assert not any("jobconf" in step for step in job._steps_desc())
        assert job.jobconf()["mapreduce.job.reduces"] == 3


def test_settled_records_are_not_settled_again():
    plan = plan_of()
    for kind, steps in (("lines", 2), ("records", 2), ("settled", 1)):
        job = RecordSimilarity([])
        job.plan = Plan(plan.schema, plan.settings, 0, kind)
        assert len(job.steps()) == steps
