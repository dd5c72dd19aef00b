"""Three tables and more linked: which pairs meet, what clusters may hold, and what later commands make of them."""

import json
from collections import Counter, defaultdict
from itertools import combinations, product
from pathlib import Path
from random import Random

import pytest
from rapidfuzz.distance import Levenshtein

#: What a schema says besides the name; the next may be cut into blocks by the first letter.
SCHEMA = "id: id\nfields: {name: {measure: levenshtein}}\ncutoff: 300\n"
BLOCKED = SCHEMA + "blocking: ['prefix(name, 1)']\n"
TABLES = ("first.csv", "second.csv", "third.csv")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SCHEMA)
    Path("blocked.yaml").write_text(BLOCKED)


def write(name, rows, lines=False):
    text = "".join(f"{number},{value}\n" for number, value in rows)
    Path(name).write_text(text if lines else "id,name\n" + text)


def rows(folder):
    return sorted(line for part in Path(folder).glob("*") for line in part.read_text("utf-8").splitlines())


def clusters(out):
    found = defaultdict(set)
    for line in rows(f"{out}/clusters"):
        cluster, record, *_ = line.split(",")
        found[cluster].add(record)
    return {frozenset(cluster) for cluster in found.values()}


def counted(out):
    return json.loads(Path(out, "run.json").read_text())["counters"]


def some_tables(seed, number=3, size=25):
    """Tables of names of few letters, by the letter of the table, each id in all of them."""
    chance = Random(seed)

    def name():
        return "".join(chance.choice("abc") for _ in range(chance.randint(4, 8)))

    known = [name() for _ in range(size // 2)]
    return {
        letter: [(k, chance.choice(known) if chance.random() < 0.5 else name()) for k in range(size)]
        for letter in "abcdefgh"[:number]
    }


def brute_force(tables, fits=lambda a, b: True, cutoff=300):
    """{(set:id, set:id): distance} of all records of two tables."""
    found = {}
    for (one, left), (two, right) in combinations(tables.items(), 2):
        for (a, name), (b, other) in product(left, right):
            apart = 1000 * Levenshtein.distance(name, other) // max(len(name), len(other))
            if apart <= cutoff and fits(name, other):
                found[f"{one}:{a}", f"{two}:{b}"] = apart
    return found


def written(tables, lines=False):
    paths = [f"{letter}.{'txt' if lines else 'csv'}" for letter in tables]
    for path, table in zip(paths, tables.values(), strict=True):
        write(path, table, lines)
    return paths


def kept(out):
    found = [line.split(",") for line in rows(f"{out}/pairs")]
    return {(a, b): int(distance) for a, b, distance in found}


@pytest.mark.parametrize(
    ("number", "more"),
    [
        (3, ()),
        (3, ("-r", "local", "-D", "bucket.records=20")),
        (4, ("-D", "join=signatures")),
        (5, ("-D", "bucket.records=9")),
    ],
)
def test_all_records_of_different_tables_meet_and_no_others(pehchan, number, more):
    tables = some_tables(number, number)
    paths = written(tables)
    pehchan("link", *paths, "-s", "s.yaml", "-o", "out", "-q", *more)
    expected = brute_force(tables)
    assert len(expected) > 20
    assert kept("out") == expected
    if "join=signatures" not in more:
        wanted = sum(len(a) * len(b) for a, b in combinations(tables.values(), 2))
        assert counted("out")["Pairs"]["Compared"] == wanted


@pytest.mark.parametrize("more", [(), ("-D", "bucket.records=9")])
def test_tables_meet_by_the_keys_of_a_schema(pehchan, more):
    tables = some_tables(1)
    paths = written(tables)
    pehchan("link", *paths, "-s", "blocked.yaml", "-o", "out", "-q", *more)
    assert kept("out") == brute_force(tables, lambda name, other: name[0] == other[0])
    by_letter = Counter((letter, name[0]) for letter, table in tables.items() for _, name in table)
    wanted = sum(by_letter[one, k] * by_letter[two, k] for one, two in combinations(tables, 2) for k in "abc")
    assert counted("out")["Pairs"]["Compared"] == wanted
    said = pehchan("plan", "--link", *paths, "-s", "blocked.yaml", "--blocks", "--recall")
    assert "every two records of different sets" in said
    assert f"pairs    {wanted:,} to compare" in said
    everything = brute_force(tables)
    assert f"recall: the keys keep {len(kept('out')):,} of {len(everything):,} pairs" in said


def test_a_plan_knows_what_meets(pehchan):
    tables = some_tables(1)
    said = pehchan("plan", "--link", *written(tables), "-s", "s.yaml")
    assert "25 in a, 25 in b, 25 in c" in said
    assert "all_pairs: every two records of different sets" in said
    assert "pairs    1,875 to compare" in said


def test_files_without_a_header_are_linked_too_and_clustered_again(pehchan):
    tables = some_tables(2)
    lines = "id: id\ncolumns: [id, name]\nfields: {name: {measure: levenshtein}}\ncutoff: 300\n"
    Path("lines.yaml").write_text(lines)
    pehchan("link", *written(tables), "-s", "s.yaml", "-o", "out", "-q")
    pehchan("link", *written(tables, lines=True), "-s", "lines.yaml", "-o", "by-lines", "-q")
    assert kept("by-lines") == brute_force(tables)
    assert rows("by-lines/clusters") == rows("out/clusters")
    pehchan("cluster", "by-lines", "--records", "by-lines", "--cutoff", "300", "-o", "again", "-q")
    assert rows("again/clusters") == rows("out/clusters")


@pytest.mark.parametrize("way", ["connected", "centre", "average", "pivot"])
def test_a_cluster_holds_as_many_records_of_a_table_as_it_may(pehchan, way):
    paths = written(some_tables(1))
    most = {}
    for kind in ("one-to-one", "many-to-one", "many-to-many"):
        pehchan("link", *paths, "-s", "s.yaml", "-o", kind, "-q", f"--{kind}", "--by", way)
        sizes = [Counter(record[0] for record in cluster) for cluster in clusters(kind)]
        most[kind] = {letter: max(size[letter] for size in sizes) for letter in "abc"}
    assert most["one-to-one"] == {"a": 1, "b": 1, "c": 1}
    assert most["many-to-one"]["b"] == most["many-to-one"]["c"] == 1
    if way == "connected":
        # Others are held apart by the pairs within a table, which nobody looked at.
        assert most["many-to-one"]["a"] > 1
        assert min(most["many-to-many"].values()) > 1


def test_the_nearest_gets_a_record_that_several_want(pehchan):
    write("first.csv", [(1, "aaaaaaaaaa"), (2, "aaaaaaaaab")])
    write("second.csv", [(1, "aaaaaaaaaa"), (2, "aaaaaaaabb")])
    write("third.csv", [(1, "aaaaaaaabb"), (3, "zzzzzzzzzz")])
    shown = pehchan("link", *TABLES, "-s", "s.yaml", "-o", "out", "-q", "--show", "2")
    assert clusters("out") == {
        frozenset(("a:1", "b:1")),
        frozenset(("a:2", "b:2", "c:1")),
        frozenset(("c:3",)),
    }
    assert "c:1  aaaaaaaabb" in shown
    assert rows("out/clusters")[-1] == "c:3,c:3,,,0"
    pehchan("link", *TABLES, "-s", "s.yaml", "-o", "many", "-q", "--many-to-many")
    assert max(map(len, clusters("many"))) == 5


def test_what_is_written_of_a_record_tells_its_table(pehchan):
    write("first.csv", [(1, "anna lee")])
    write("second.csv", [(1, "anna lea")])
    write("third.csv", [(1, "anna lee")])
    pehchan("link", *TABLES, "-s", "s.yaml", "-o", "out", "-q", "-D", "sts.output.record=true")
    assert rows("out/pairs") == [
        "a:1,b:1,1,anna lee,1,anna lea,125",
        "a:1,c:1,1,anna lee,1,anna lee,0",
        "b:1,c:1,1,anna lea,1,anna lee,125",
    ]
    assert rows("out/cluster_shapes") == ["a:1,3,3,1.000000,125,0"]


def test_they_are_measured_against_clusters_that_name_the_set_of_each_record(pehchan, called):
    write("first.csv", [(1, "anna lee"), (2, "bob roy")])
    write("second.csv", [(1, "anna lea")])
    write("third.csv", [(1, "anna leigh"), (2, "bob ray")])
    pehchan("link", *TABLES, "-s", "s.yaml", "-o", "out", "-q")
    Path("truth.csv").write_text("id,set,cluster\n1,a,x\n1,b,x\n1,c,x\n2,a,y\n2,c,y\n")
    found = json.loads(pehchan("evaluate", "out", "--truth", "truth.csv", "--json"))
    assert [found["pairs within clusters"][key] for key in ("true_positive", "predicted", "actual")] == [
        4,
        4,
        4,
    ]
    assert (
        "wrong" not in pehchan("evaluate", "out", "--truth", "truth.csv", "--errors", "3").split("No pair")[0]
    )
    Path("pairs.csv").write_text("id_a,id_b\n1,1\n")
    code, _, err = called("evaluate", "out", "--truth", "pairs.csv")
    assert code == 2
    assert "pairs of two columns, but 3 sets\n  Give clusters, with a column set." in err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("link", *TABLES, "-s", "s.yaml", "--by", "assignment"), "an assignment is between two sets"),
        (("link", *["first.csv"] * 27, "-s", "s.yaml"), "link: 27 inputs, and not from 2 to 26."),
        (("match", "--link", *TABLES), "--link: 3 inputs, not two.\n  What is learnt is of two sets:"),
        (("plan", "--link", "first.csv", "-s", "s.yaml"), "link: 1 input, and not from 2 to 26."),
    ],
)
def test_what_is_not_for_so_many_tables_is_refused_before_anything_is_run(called, command, message):
    for name in TABLES:
        write(name, [(1, "ann")])
    code, _, err = called(*command)
    assert code == 2
    assert message in err
    assert not Path("pehchan-out").exists()


def test_what_is_linked_cannot_be_assigned_later_either(pehchan, called):
    for name in TABLES:
        write(name, [(1, "ann")])
    pehchan("link", *TABLES, "-s", "s.yaml", "-o", "out", "-q")
    switches = ["--clean-set", "a", "--clean-set", "b", "--by", "assignment", "-o", "again"]
    code, _, err = called("cluster", "out", "--cutoff", "100", *switches)
    assert code == 2
    assert "--by: an assignment is between two sets without duplicates." in err
