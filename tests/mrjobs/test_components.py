"""Components in rounds, and clusters of several parts: what one reducer finds that sees all pairs."""

import logging
import random
from collections import Counter, defaultdict
from itertools import chain, combinations, pairwise, permutations
from pathlib import Path
from unittest.mock import patch

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from settled import settled_lines

from pehchan.console import pipeline
from pehchan.console.command import main
from pehchan.console.pipeline import Size, find_components
from pehchan.mrjobs import cluster_pairs as cluster_module
from pehchan.mrjobs import coded
from pehchan.mrjobs import components as components_module
from pehchan.mrjobs.cluster_pairs import ClusterPairs
from pehchan.mrjobs.clustering_part import Part
from pehchan.mrjobs.coded import (
    CodedPairs,
    Coding,
    Named,
    as_bytes,
    codes_of,
    identity_of,
    name_of,
    names_of,
    text_array,
)
from pehchan.mrjobs.components import Components
from pehchan.mrjobs.places import LocalPlace
from pehchan.mrjobs.reading_pairs import plain_pairs
from pehchan.mrjobs.wire import EDGES, Pair, Pairs, read_tagged

RECORDS = [(name, str(number)) for name in ("", "p") for number in range(6)]


def code_of(record):
    return int(codes_of(as_bytes([name_of(*record)]))[0])


def task(step, *switches):
    """A task of one step of the job."""
    job = Components(["--mapper", "--cutoff", "10", *switches])
    job.start()
    return job


def shuffled(lines, parts, mappers, step, read):
    """What reducers get of lines, as they come from some mappers."""
    found = defaultdict(list)
    for number in range(mappers):
        job = task(step, "--parts", str(parts))
        sent = chain.from_iterable(read(job, line) for line in lines[number::mappers])
        last = job.join_rest() if step == 0 else job.to_larger_rest()
        for key, value in chain(sent, last):
            found[key].insert(0, value)
    return found


def one_round(lines, parts, mappers):
    """The lines after a round, and whether it changed something."""
    changed = 0
    for step in range(2 if parts > 1 else 1):
        read = (lambda job, line: job.read_line(None, line)) if step == 0 else to_larger
        reducing = task(step)
        reduce = (reducing.large_star if parts > 1 else reducing.join_all, reducing.small_star)[step]
        lines = [
            tag + b"\t" + payload
            for key, values in shuffled(lines, parts, mappers, step, read).items()
            for tag, payload in reduce(key, iter(values))
        ]
        changed += reducing.counted["Components", "Changed"]
    return lines, changed


def to_larger(job, line):
    return job.to_larger(*line.split(b"\t", 1))


def rounds(lines, parts, mappers=1):
    """The edges that are left, and how many rounds it took."""
    for number in range(1, 100):
        lines, changed = one_round(lines, parts, mappers)
        if not changed:
            edges = (CodedPairs.decode(payload) for tag, payload in read_tagged(lines) if tag == EDGES)
            return [
                pair for some in edges for pair in zip(some.a.tolist(), some.b.tolist(), strict=True)
            ], number
    raise AssertionError("there is no end")


def pairs_line(pairs):
    return b"pairs\t" + Pairs.of([Pair(a, b, distance) for a, b, distance in pairs]).encode()


def expected(pairs):
    """By code that a pair joins to a smaller one, the smallest of all that it is joined to, by scipy."""
    coded_pairs = [(code_of(a), code_of(b)) for a, b, _ in pairs]
    ordered = sorted({code for pair in coded_pairs for code in pair})
    place = {code: number for number, code in enumerate(ordered)}
    a, b = ([place[pair[side]] for pair in coded_pairs] for side in (0, 1))
    graph = coo_array((np.ones(len(pairs)), (a, b)), shape=(len(ordered), len(ordered)))
    labels = connected_components(graph, directed=False)[1].tolist() if ordered else []
    smallest = {code: ordered[labels.index(label)] for code, label in zip(ordered, labels, strict=True)}
    return {code: first for code, first in smallest.items() if code != first}


@settings(max_examples=300)
@given(
    pairs=st.lists(
        st.tuples(st.sampled_from(RECORDS), st.sampled_from(RECORDS), st.integers(8, 12)), max_size=30
    ),
    parts=st.integers(1, 5),
    mappers=st.integers(1, 3),
    held=st.sampled_from([1, 4, 200_000]),
    a_line=st.sampled_from([1, 3, 1000]),
)
def test_rounds_end_with_each_record_at_the_smallest_of_its_component(pairs, parts, mappers, held, a_line):
    with (
        patch.multiple(components_module, JOINED=held, CODED=held, A_LINE=a_line),
        patch.object(coded, "A_LINE", a_line),
    ):
        edges, _ = rounds([pairs_line([pair]) for pair in pairs], parts, mappers)
    within = [pair for pair in pairs if pair[2] <= 10 and pair[0] != pair[1]]
    assert dict(edges) == expected(within)
    assert len(edges) == len(dict(edges))


def names(number):
    ids = [("", f"{each:05}") for each in range(number)]
    random.Random(5).shuffle(ids)
    return ids


@pytest.mark.parametrize("held", [1, 50])
@pytest.mark.parametrize(
    ("graph", "most"),
    [
        # Lists, as each is for several tests.
        (list(pairwise(names(3000))), 14),
        ([(names(1)[0], other) for other in names(3000) if other != names(1)[0]], 4),
        (list(combinations(names(60), 2)), 4),
    ],
    ids=["chain", "star", "clique"],
)
def test_chains_stars_and_cliques_take_few_rounds(graph, most, held):
    joined = [(a, b, 1) for a, b in graph]
    assert len(joined) > 1000
    with patch.multiple(components_module, JOINED=held, CODED=held):
        edges, number = rounds([pairs_line([pair]) for pair in joined], parts=7)
    assert dict(edges) == expected(joined)
    assert number <= most


def test_no_edges_make_no_components():
    assert rounds([pairs_line([])], parts=3) == ([], 1)
    assert rounds([pairs_line([])], parts=1) == ([], 1)


# codes

TEXTS = st.text(alphabet=st.sampled_from("ab\0\U0010ffffé漢 \n,"), max_size=12)


@given(
    st.lists(st.tuples(TEXTS.filter(lambda text: not set(text) & {"\0", "\U0010ffff"}), TEXTS), max_size=8)
)
def test_names_tell_records_and_their_order(records):
    named = names_of(*([record[side] for record in records] for side in (0, 1)))
    assert [identity_of(name) for name in named] == records
    in_order = [record for _, record in sorted(zip(as_bytes(named), records, strict=True))]
    assert in_order == sorted(records, key=lambda record: (record[1], record[0]))
    array = text_array(as_bytes(named))
    assert [bytes(name) for name in array[np.argsort(array, kind="stable")]] == sorted(as_bytes(named))


@given(st.lists(st.binary(max_size=90), min_size=1, max_size=8, unique=True), st.integers(0, 3))
def test_the_code_of_a_name_does_not_depend_on_the_names_beside_it(named, salt):
    together = codes_of(named, salt).tolist()
    assert together == [int(codes_of([name], salt)[0]) for name in named]
    assert len(set(together)) == len(named)
    assert not set(together) & set(codes_of(named, salt + 1).tolist())


def test_another_salt_makes_other_codes_of_names_of_any_length():
    lengths = [0, 1, 7, 8, 9, 63, 64, 65, 200]
    found = [int(codes_of([b"x" * length], salt)[0]) for length in lengths for salt in range(10)]
    assert len(set(found)) == len(found)


def test_pairs_and_records_travel_as_they_are():
    coding = Coding()
    coding.add(["b", "a"], ["a", "c"], [5, 2**40])
    coding.add(["c"], ["b"], [-1])
    assert coding.pairs == 3
    named, pairs = coding.take()
    code = dict(zip(named.names, named.codes.tolist(), strict=True))
    assert code == {name: code_of(("", name)) for name in "abc"}
    again = CodedPairs.all([pairs.encode(), pairs.take(np.array([1])).encode()])
    assert again.a.tolist() == [code[name] for name in "baca"]
    assert again.b.tolist() == [code[name] for name in "acbc"]
    assert again.distance.tolist() == [5, 2**40, -1, 2**40]
    assert coding.pairs == 0
    known = Named(True, named.codes, named.names, [["é", "", "x"]])
    found = Named.decode(known.encode())
    assert (found.known, found.names, found.columns) == (True, named.names, [["é", "", "x"]])
    assert found.codes.tolist() == named.codes.tolist()


def test_a_record_has_its_values_whether_pairs_name_it_before_or_after():
    codes = codes_of(as_bytes(["a", "b", "c"]))
    known = Named(True, codes[:2], ["a", "b"], [["x", "y"], ["", "z"]])
    of_pairs = Named(False, codes, ["a", "b", "c"])
    for lines in permutations([known, of_pairs, of_pairs]):
        part = Part.of(b"n" + each.encode() for each in lines)
        assert part.columns == [["x", "y", ""], ["", "z", ""]]
        assert part.known.tolist() == [True, True, False]


PLAIN = st.text(alphabet='ab1,|-+ _٣"\r\t', max_size=6)


@given(
    st.lists(st.tuples(PLAIN, PLAIN, st.one_of(PLAIN, st.integers().map(str))), max_size=5),
    st.sampled_from(",|"),
)
def test_plain_lines_are_read_together_as_they_are_one_by_one(rows, delimiter):
    lines = [delimiter.join(row).encode() for row in rows]
    found = plain_pairs(lines, delimiter) if lines else None
    one_by_one, rejected = [], 0
    job = ClusterPairs(["--mapper", "--cutoff", "10", "--delimiter", delimiter])
    for line in lines:
        try:
            one_by_one.append(job._delimited_pair(line))
        except ValueError:
            rejected += 1
    if found is not None:
        assert rejected == 0
        assert list(found) == one_by_one


# whole jobs


class Quiet:
    """Jobs with their counters, without a terminal."""

    def __init__(self, runner):
        self.runner = runner
        self.counts = Counter()
        self.asked = []

    def run(self, job_class, inputs, output, switches=()):
        self.asked.append([*switches])
        job = job_class(["-r", self.runner, "--no-conf", "--output-dir", str(output), *switches, *inputs])
        counts = defaultdict(int)
        with job.make_runner() as running:
            running.run()
            for step in running.counters():
                for group, of_group in step.items():
                    for name, amount in of_group.items():
                        counts[group, name] += amount
        return counts


def some_pairs(count, records, seed):
    chance = random.Random(seed)
    return [
        (("", f"r{chance.randrange(records)}"), ("", f"r{chance.randrange(records)}"), chance.randrange(15))
        for _ in range(count)
    ]


@pytest.mark.parametrize("runner", ["inline", "local"])
@pytest.mark.parametrize("by", ["connected", "centre", "average", "pivot"])
def test_clusters_of_several_parts_are_those_of_one(tmp_path, runner, by):
    (tmp_path / "internal").mkdir()
    pairs = [pair for pair in some_pairs(900, 1500, 4) if pair[0] != pair[1]]
    (tmp_path / "pairs").write_bytes(
        b"".join(pairs_line(pairs[k : k + 20]) + b"\n" for k in range(0, 900, 20)) + b"rejected\t{}\n"
    )
    (tmp_path / "records").write_bytes(settled_lines([[f"r{k}"] for k in range(1500)]))
    inputs = [str(tmp_path / "pairs"), str(tmp_path / "records")]
    jobs, cutoff = Quiet(runner), ["--cutoff", "10"]

    def clusters(*more):
        out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        counts = jobs.run(ClusterPairs, inputs, out, [*cutoff, "--by", by, *more])
        return rows(out), counts

    members, counts = clusters()
    assert counts["Clusters", "Of two or more"] > 100
    work = LocalPlace(tmp_path)
    # In rounds of several reducers, and in one.
    for room in (pipeline.EDGE_BYTES * 100, pipeline.EDGE_BYTES * 900):
        found = find_components(jobs, inputs, work, cutoff, 900, room)
        several = jobs.run(
            ClusterPairs,
            [*inputs, str(found)],
            out := tmp_path / f"several{room}",
            [*cutoff, "--by", by, "--parts", "7"],
        )
        assert (rows(out), several) == (members, counts)
        assert len(list((tmp_path / "internal").iterdir())) == 1
        found.remove()
    assert jobs.counts["Components", "Rounds"] >= 2


def test_a_chain_of_10_000_records_is_one_component_after_a_few_rounds(tmp_path):
    (tmp_path / "internal").mkdir()
    joined = [(a, b, 1) for a, b in pairwise(names(10_000))]
    lines = [pairs_line([pair]) for pair in joined]
    (tmp_path / "pairs").write_bytes(b"\n".join(lines) + b"\n")
    # Several reducers, and mappers that join nothing by themselves.
    jobs, room = Quiet("inline"), pipeline.EDGE_BYTES * 2000
    with patch.multiple(components_module, JOINED=1, CODED=1):
        found = find_components(
            jobs, [str(tmp_path / "pairs")], LocalPlace(tmp_path), ["--cutoff", "10"], len(joined), room
        )
    edges = [
        CodedPairs.decode(payload)
        for _, payload in read_tagged(
            chain.from_iterable(part.read_bytes().splitlines() for part in Path(str(found)).glob("part*"))
        )
    ]
    ends = {
        code: smallest
        for some in edges
        for code, smallest in zip(some.a.tolist(), some.b.tolist(), strict=True)
    }
    assert ends == expected(joined)
    assert len(ends) == 9999
    assert 2 <= jobs.counts["Components", "Rounds"] == len(jobs.asked) <= 16
    # There is no round in which one reducer is to hold all that is left.
    assert all(switches[switches.index("--parts") + 1] != "1" for switches in jobs.asked)


def rows(out):
    """What a job wrote, column lines as rows."""
    lines = [line for part in sorted(out.glob("part*")) for line in part.read_bytes().splitlines()]
    found = []
    for tag, payload in read_tagged(lines):
        columns = orjson.loads(payload)
        found += (
            [(tag, payload)]
            if tag == b"rejected"
            else [(tag, *row) for row in zip(*columns[1:], strict=True)]
        )
    return sorted(found, key=repr)


@pytest.mark.parametrize("pair_bytes", [pipeline.PAIR_BYTES, 300_000_000], ids=["one", "several"])
@pytest.mark.parametrize("with_records", [False, True])
def test_two_records_of_one_code_are_noticed_and_told_apart(
    tmp_path, monkeypatch, capsys, pair_bytes, with_records
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline, "PAIR_BYTES", pair_bytes)
    (tmp_path / "pairs.csv").write_text("a,b,1\nc,d,1\ne,f,1\n")
    (tmp_path / "records.csv").write_text("id\na\nb\nc\nd\ne\nf\nz\n")
    tried = []

    def few_codes(names, salt=0):
        tried.append(salt)
        # At first all have one of two.
        return codes_of(names, salt) % np.uint64(2 if salt < 2 else 2**63)

    monkeypatch.setattr(coded, "codes_of", few_codes)
    monkeypatch.setattr(cluster_module, "codes_of", few_codes)
    switches = ["--records", "records.csv"] if with_records else []
    assert main(["cluster", "pairs.csv", *switches, "--cutoff", "5", "-o", "out", "-q"]) == 0
    assert max(tried) == 2
    found = sorted(
        line for part in (tmp_path / "out/clusters").iterdir() for line in part.read_text().splitlines()
    )
    expected = ["a,a,1,1,1", "a,b,1,1,1", "c,c,1,1,1", "c,d,1,1,1", "e,e,1,1,1", "e,f,1,1,1"]
    assert found == [*expected, *(["z,z,,,0"] if with_records else [])]
    assert f"{3 + with_records} clusters at cutoff 5" in capsys.readouterr().out


def test_a_run_whose_pairs_are_too_many_for_one_reducer_gives_the_same(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = ["Ann", "Anna", "Anne", "Bob", "Rob", "Robb", "Cid", "Dan", "Dana"]
    (tmp_path / "people.csv").write_text(
        "id,name\n" + "".join(f"{k},{name}\n" for k, name in enumerate(names))
    )
    (tmp_path / "s.yaml").write_text("id: id\nfields: {name: levenshtein}\ncutoff: 350\n")
    asked = ["people.csv", "-s", "s.yaml", "-q"]
    assert main(["dedupe", *asked, "-o", "one"]) == 0
    monkeypatch.setattr(pipeline, "PAIR_BYTES", 300_000_000)
    monkeypatch.setattr(pipeline, "EDGE_BYTES", 300_000_000)
    logging.disable(logging.CRITICAL)
    assert main(["dedupe", *asked, "-o", "several"]) == 0
    logging.disable(logging.NOTSET)

    def clusters(out):
        return sorted(
            line for part in (tmp_path / out / "clusters").iterdir() for line in part.read_text().splitlines()
        )

    assert clusters("several") == clusters("one")
    assert list((tmp_path / "several" / "internal").glob("components-*"))


def test_one_reducer_makes_the_clusters_that_it_can_hold():
    assert Size(1000, 1000).parts(2_000_000) == 1
    assert Size(10_000_000, 1_000_000).parts(500_000_000) == 6
    assert Size(1000, 1000, 4000).parts(2_000_000) > 1
    assert Size(10, 10).parts(0) > 1
