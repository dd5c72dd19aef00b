"""Jobs that follow what people decided: the same clusters from one reducer and from several, on every runner."""

import random
from collections import Counter
from itertools import permutations

import orjson
import pytest
from settled import settled_lines

from pehchan.clustering.decisions import Decision, encode_decisions
from pehchan.console import pipeline
from pehchan.console.pipeline import find_components
from pehchan.metadata.mistakes import MistakesError
from pehchan.mrjobs.cluster_pairs import ClusterPairs
from pehchan.mrjobs.components import Components
from pehchan.mrjobs.places import LocalPlace
from pehchan.mrjobs.wire import CLUSTERED, SHAPE, Clustered, ClusterShapes, Pair, Pairs, read_tagged


class Quiet:
    """Jobs with their counters, without a terminal."""

    def __init__(self, runner="inline"):
        self.runner = runner
        self.counts = Counter()

    def run(self, job_class, inputs, output, switches=()):
        job = job_class(["-r", self.runner, "--no-conf", "--output-dir", str(output), *switches, *inputs])
        counts = Counter()
        with job.make_runner() as running:
            running.run()
            for step in running.counters():
                for group, of_group in step.items():
                    counts.update({(group, name): amount for name, amount in of_group.items()})
        return counts


def decision(a, b, word):
    return Decision(("", a), ("", b), word == "same")


def rows(out):
    """Clusters, and shapes, as rows."""
    lines = [line for part in sorted(out.glob("part*")) for line in part.read_bytes().splitlines()]
    found = []
    for tag, payload in read_tagged(lines):
        columns = orjson.loads(payload)
        found += [(tag, *row) for row in zip(*columns[1:], strict=True)]
    return sorted(found, key=repr)


@pytest.fixture
def clustered(tmp_path):
    """Cluster lines of pairs with decisions: clusters in words, lines of both outputs, and the counters."""
    numbers = iter(range(100))

    def cluster(text, decisions, *switches, records=""):
        number = next(numbers)
        (tmp_path / "pairs.csv").write_text("".join(f"{line}\n" for line in text.split()))
        (tmp_path / "decisions.json").write_bytes(
            encode_decisions([decision(*each.split()) for each in decisions])
        )
        inputs = [str(tmp_path / "pairs.csv")]
        if records:
            (tmp_path / "records").write_bytes(settled_lines([[each] for each in records]))
            inputs.append(str(tmp_path / "records"))
        out = tmp_path / f"out{number}"
        switches = ["--cutoff", "30", "--decisions", str(tmp_path / "decisions.json"), *switches]
        counts = Quiet().run(ClusterPairs, inputs, out, switches)
        members, shapes = {}, []
        for line in (line for part in sorted(out.glob("part*")) for line in part.read_bytes().splitlines()):
            tag, payload = line.split(b"\t", 1)
            if tag == CLUSTERED:
                lines = Clustered.decode(payload)
                columns = (lines.cluster_ids, lines.ids, lines.nearest, lines.farthest, lines.mates)
                for first, record, *numbers_of in zip(*columns, strict=True):
                    members.setdefault(first, {})[record] = tuple(numbers_of)
            elif tag == SHAPE:
                shapes += [(first, *shape) for (_, first), shape in ClusterShapes.decode(payload)]
        found = sorted("".join(sorted(each)) for each in members.values())
        lines = {record: numbers_of for each in members.values() for record, numbers_of in each.items()}
        return found, lines, shapes, counts

    return cluster


def test_records_that_are_the_same_are_a_pair_that_is_0_apart(clustered):
    found, lines, shapes, counts = clustered("a,b,10 c,d,20", ["c b same", "a b same"])
    assert found == ["abcd"]
    assert lines == {"a": (0, 0, 1), "b": (0, 0, 2), "c": (0, 20, 2), "d": (20, 20, 1)}
    assert shapes == [("a", 4, 3, 20, 3)]
    assert counts["Decisions", "Same"] == 2


def test_records_that_differ_are_no_pair(clustered):
    found, lines, shapes, counts = clustered("a,b,10 b,c,20 a,c,30", ["c a different"])
    assert found == ["ab", "c"]
    assert lines == {"a": (10, 10, 1), "b": (10, 10, 1), "c": (None, None, 0)}
    assert shapes == [("a", 2, 1, 10, 1)]
    assert counts["Decisions", "Different"] == 1
    found, lines, _, _ = clustered("a,b,10", ["a b different"])
    assert (found, lines["a"]) == (["a", "b"], (None, None, 0))


def test_records_without_a_pair_may_be_the_same(clustered):
    found, lines, _, counts = clustered("a,b,10", ["b z same", "y z same"], records="abxyz")
    assert found == ["abyz", "x"]
    assert lines["z"] == (0, 0, 2)
    assert counts["Clusters", "Of two or more"] == 1


def test_decisions_of_records_that_are_not_there_are_counted_and_change_nothing(clustered):
    decisions = ["a n same", "n c same", "n m different", "m b different", "c a same"]
    found, _, _, counts = clustered("a,b,10 c,d,20 e,f,31", [*decisions, "e f same"])
    assert found == ["abcd"]
    assert {key: n for key, n in counts.items() if key[0] == "Decisions"} == {
        ("Decisions", "Same"): 1,
        ("Decisions", "Of absent records"): 5,
    }
    # Nothing is there at all.
    found, _, _, counts = clustered("", decisions)
    assert (found, counts) == ([], {("Decisions", "Of absent records"): 5})


def test_a_decision_that_is_told_twice_counts_once(clustered):
    orders = {
        (tuple(found), tuple(sorted(lines.items())), tuple(shapes), tuple(sorted(counts.items())))
        for order in permutations(["a b same", "b a same", "c d different", "d c different"])
        for found, lines, shapes, counts in [clustered("a,b,10 c,d,5", order)]
    }
    ((found, _, _, counts),) = orders
    assert found == ("ab", "c", "d")
    assert (("Decisions", "Same"), 1) in counts
    assert (("Decisions", "Different"), 1) in counts


def test_equal_ids_of_two_sets_are_two_records_of_a_decision(tmp_path):
    (tmp_path / "pairs").write_bytes(b"pairs\t" + Pairs.of([Pair(("a", "1"), ("b", "1"), 5)]).encode())
    for sets, expected in ((("a", "b"), 2), (("a", "c"), 1)):
        decisions = [Decision((sets[0], "1"), (sets[1], "1"), expected == 1)]
        (tmp_path / "decisions.json").write_bytes(encode_decisions(decisions))
        out = tmp_path / f"out{expected}"
        switches = ["--cutoff", "9", "--decisions", str(tmp_path / "decisions.json")]
        counts = Quiet().run(ClusterPairs, [str(tmp_path / "pairs")], out, switches)
        assert counts["Clusters", "All"] == expected
        assert counts["Decisions", "Of absent records"] == (expected == 1)


def test_decisions_that_contradict_each_other_start_no_job(tmp_path):
    decisions = [decision("a", "b", "same"), decision("c", "b", "same"), decision("c", "a", "different")]
    (path := tmp_path / "decisions.json").write_bytes(encode_decisions(decisions))
    for job in (ClusterPairs, Components):
        with pytest.raises(MistakesError, match="decision 3: a and c are different, but a is the same as b"):
            job(["--cutoff", "5", "--decisions", str(path), "pairs"]).make_runner()


@pytest.mark.parametrize(
    ("runner", "by"),
    [
        ("inline", "connected"),
        ("inline", "centre"),
        ("inline", "average"),
        ("inline", "pivot"),
        ("local", "connected"),
    ],
)
def test_clusters_of_several_parts_are_those_of_one(tmp_path, runner, by):
    (tmp_path / "internal").mkdir()
    chance = random.Random(7)
    pairs = [
        Pair(("", f"r{chance.randrange(900)}"), ("", f"r{chance.randrange(900)}"), chance.randrange(15))
        for _ in range(600)
    ]
    pairs = [pair for pair in pairs if pair.first != pair.second]
    lines = [b"pairs\t" + Pairs.of(pairs[k : k + 20]).encode() + b"\n" for k in range(0, len(pairs), 20)]
    (tmp_path / "pairs").write_bytes(b"".join(lines))
    (tmp_path / "records").write_bytes(settled_lines([[f"r{k}"] for k in range(1000)]))
    inputs = [str(tmp_path / "pairs"), str(tmp_path / "records")]
    # Some of records that are not there; one side of those that differ has an even number, the other an odd one.
    same = [(k, k + 2 * chance.randrange(1, 30)) for k in chance.sample(range(1040), 60)]
    others = [pair for pair in pairs if (int(pair.first[1][1:]) + int(pair.second[1][1:])) % 2][:60]
    decisions = [decision(f"r{a}", f"r{b}", "same") for a, b in same]
    decisions += [Decision(pair.first, pair.second, False) for pair in others]
    decisions += [decision("r0", "r1041", "different"), decision("r1042", "r1041", "different")]
    chance.shuffle(decisions)
    (path := tmp_path / "decisions.json").write_bytes(encode_decisions(decisions))
    jobs, told = Quiet(runner), ["--decisions", str(path)]
    switches = ["--cutoff", "10", "--by", by]
    one = jobs.run(ClusterPairs, inputs, tmp_path / "one", [*switches, *told])
    assert one["Decisions", "Of absent records"] > 4
    assert one["Decisions", "Different"] > 40
    without = jobs.run(ClusterPairs, inputs, tmp_path / "without", switches)
    assert without["Clusters", "All"] != one["Clusters", "All"]
    # Rounds of several reducers.
    room = pipeline.EDGE_BYTES * (100 if runner == "inline" else 500)
    found = find_components(jobs, inputs, LocalPlace(tmp_path), switches[:2], 600, room, told)
    several = jobs.run(
        ClusterPairs, [*inputs, str(found)], tmp_path / "several", [*switches, *told, "--parts", "3"]
    )
    assert rows(tmp_path / "several") == rows(tmp_path / "one")
    assert several == one
    together = {row[4]: row[2] for row in rows(tmp_path / "one") if row[0] == CLUSTERED}
    for each in decisions:
        if each.a[1] in together and each.b[1] in together:
            assert (together[each.a[1]] == together[each.b[1]]) == each.same
