"""Components in rounds, and clusters of several parts: what one reducer finds that sees all pairs."""

import logging
import random
from collections import Counter, defaultdict
from itertools import chain, pairwise
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from settled import settled_lines

from pehchan.console import pipeline
from pehchan.console.command import main
from pehchan.console.pipeline import find_components, parts_of_clusters
from pehchan.console.places import LocalPlace
from pehchan.mrjobs import components as components_module
from pehchan.mrjobs.cluster_pairs import ClusterPairs
from pehchan.mrjobs.components import Components, in_order
from pehchan.mrjobs.wire import EDGES, Edges, Pair, Pairs, read_tagged

RECORDS = [(name, str(number)) for name in ("", "p") for number in range(6)]


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
        last = job.send_both_ways() if step == 0 else job.send()
        for key, value in chain(sent, last):
            found[key].insert(0, value)
    return found


def one_round(lines, parts, mappers):
    """The lines after a round, and whether it changed something."""
    changed = 0
    for step in range(2):
        read = (lambda job, line: job.read_line(None, line)) if step == 0 else to_larger
        reducing = task(step)
        reduce = reducing.large_star if step == 0 else reducing.small_star
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
            return [
                edge for tag, payload in read_tagged(lines) if tag == EDGES for edge in Edges.decode(payload)
            ], number
    raise AssertionError("there is no end")


def pairs_line(pairs):
    return b"pairs\t" + Pairs.of([Pair(a, b, distance) for a, b, distance in pairs]).encode()


def expected(pairs):
    """By record that a pair joins to a smaller one, the smallest of all that it is joined to, by scipy."""
    ordered = sorted({record for pair in pairs for record in pair[:2]}, key=in_order)
    place = {record: number for number, record in enumerate(ordered)}
    a, b = ([place[pair[side]] for pair in pairs] for side in (0, 1))
    graph = coo_array((np.ones(len(pairs)), (a, b)), shape=(len(ordered), len(ordered)))
    labels = connected_components(graph, directed=False)[1].tolist() if ordered else []
    smallest = {record: ordered[labels.index(label)] for record, label in zip(ordered, labels, strict=True)}
    return {record: first for record, first in smallest.items() if record != first}


@settings(max_examples=300)
@given(
    pairs=st.lists(
        st.tuples(st.sampled_from(RECORDS), st.sampled_from(RECORDS), st.integers(8, 12)), max_size=30
    ),
    parts=st.integers(1, 5),
    mappers=st.integers(1, 3),
    joined=st.sampled_from([1, 4, 200_000]),
    a_line=st.sampled_from([1, 3, 1000]),
)
def test_rounds_end_with_each_record_at_the_smallest_of_its_component(pairs, parts, mappers, joined, a_line):
    with patch.multiple(components_module, JOINED=joined, A_LINE=a_line):
        edges, _ = rounds([pairs_line([pair]) for pair in pairs], parts, mappers)
    within = [pair for pair in pairs if pair[2] <= 10 and pair[0] != pair[1]]
    assert dict(edges) == expected(within)
    assert len(edges) == len(dict(edges))


@pytest.mark.parametrize("joined", [1, 50])
def test_a_long_chain_takes_few_rounds(joined):
    ids = [("", f"{number:05}") for number in range(3000)]
    random.Random(5).shuffle(ids)
    chained = [(a, b, 1) for a, b in pairwise(ids)]
    with patch.object(components_module, "JOINED", joined):
        edges, number = rounds([pairs_line([pair]) for pair in chained], parts=7)
    assert dict(edges) == dict.fromkeys(sorted(ids)[1:], ("", "00000"))
    assert number <= 12


# whole jobs


class Quiet:
    """Jobs with their counters, without a terminal."""

    def __init__(self, runner):
        self.runner = runner
        self.counts = Counter()

    def run(self, job_class, inputs, output, switches=()):
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
        lines = [line for part in sorted(out.glob("part*")) for line in part.read_bytes().splitlines()]
        return sorted(lines), counts

    lines, counts = clusters()
    assert counts["Clusters", "Of two or more"] > 100
    work = LocalPlace(tmp_path)
    inputs.append(str(find_components(jobs, inputs, work, [*cutoff, "--parts", "7"])))
    assert jobs.counts["Components", "Rounds"]
    assert clusters("--parts", "7") == (lines, counts)
    assert len(list((tmp_path / "internal").iterdir())) == 1


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
    logging.disable(logging.CRITICAL)
    assert main(["dedupe", *asked, "-o", "several"]) == 0
    logging.disable(logging.NOTSET)

    def clusters(out):
        return sorted(
            line for part in (tmp_path / out / "clusters").iterdir() for line in part.read_text().splitlines()
        )

    assert clusters("several") == clusters("one")
    assert (tmp_path / "several" / "internal" / "components-1").exists()


def test_one_reducer_makes_the_clusters_that_it_can_hold():
    assert parts_of_clusters(1000, 1000, 2_000_000) == 1
    assert parts_of_clusters(10_000_000, 1_000_000, 500_000_000) == 30
    assert parts_of_clusters(10, 10, 0) > 1
