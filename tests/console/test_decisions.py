"""`--decisions`: whole runs that follow what people decided, and files of decisions that are refused."""

import json
import random
from itertools import combinations
from pathlib import Path

import pytest

from pehchan.console import pipeline
from pehchan.console.jobs import Jobs
from pehchan.console.output import JobFailed
from pehchan.mrjobs.cluster_pairs import ClusterPairs

SCHEMA = "id: id\nfields: {name: {measure: levenshtein}}\ncutoff: 250\n"
PEOPLE = "id,name\n1,Anna Lee\n2,Anne Lee\n3,Bob Ray\n4,Robert Ray\n5,Anna Leo\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SCHEMA)
    Path("people.csv").write_text(PEOPLE)
    return tmp_path


@pytest.fixture
def refused(called):
    """Run the command with a file of decisions, which is to be refused before anything runs; what it says."""

    def run(text, *arguments):
        Path("wrong.csv").write_text(text)
        arguments = arguments or ("dedupe", "people.csv", "-s", "s.yaml")
        code, out, err = called(*arguments, "--decisions", "wrong.csv", "-o", "new", "-q")
        assert (code, out, Path("new").exists()) == (2, "", False)
        return err

    return run


def rows(folder):
    return sorted(line for part in Path(folder).glob("*") for line in part.read_text("utf-8").splitlines())


def decide(*lines, header="id_a,id_b,decision"):
    Path("decisions.csv").write_text("".join(f"{line}\n" for line in (header, *lines)))
    return ["--decisions", "decisions.csv"]


def test_dedupe_follows_decisions_and_says_so(pehchan):
    asked = ["people.csv", "-s", "s.yaml", "-q"]
    pehchan("dedupe", *asked, "-o", "without")
    assert rows("without/clusters")[:3] == ["1,1,125,125,2", "1,2,125,250,2", "1,5,125,250,2"]
    decided = decide("2,1,Different", " 4 , 3 ,same", "9,1,same")
    said = pehchan("dedupe", *asked, "-o", "out", *decided)
    assert rows("out/clusters") == ["1,1,125,125,1", "1,5,125,125,1", "2,2,,,0", "3,3,0,0,1", "3,4,0,0,1"]
    assert rows("out/cluster_shapes") == ["1,2,1,1.000000,125,1", "3,2,1,1.000000,0,1"]
    assert "2 decisions followed: 1 same, 1 different; 1 of records that are not there\n" in said
    run = json.loads(Path("out/run.json").read_text())
    assert run["decisions"] == "decisions.csv"
    assert run["counters"]["Decisions"] == {"Different": 1, "Same": 1, "Of absent records": 1}
    # The distances are what they are.
    assert rows("out/pairs") == rows("without/pairs")
    for ids, expected in (
        ("12", "1 and 2: 125 apart, within the cutoff (250 of 1,000); decided: different; in two clusters"),
        ("43", "decided: same; in one cluster, 3"),
        ("15", "1 and 5: 125 apart, within the cutoff (250 of 1,000); in one cluster, 1"),
    ):
        assert expected in " ".join(pehchan("explain", "out", *ids).split("\n\n")[0].split())
    # Again, from the pairs, and with another way.
    for by in ("connected", "centre", "average", "pivot"):
        cluster = ["cluster", "out", "--cutoff", 250, "--records", "out", "--by", by, "-q"]
        pehchan(*cluster, "-o", by, *decided)
        found = {record: first for first, record, *_ in (row.split(",") for row in rows(f"{by}/clusters"))}
        assert found["3"] == found["4"]
        assert found["1"] != found["2"]


def test_an_empty_list_of_decisions_changes_nothing(pehchan):
    asked = ["people.csv", "-s", "s.yaml", "-q"]
    pehchan("dedupe", *asked, "-o", "without")
    said = pehchan("dedupe", *asked, "-o", "out", *decide())
    assert "decisions" not in said
    assert rows("out/clusters") == rows("without/clusters")


def test_records_of_several_sets_are_named_with_these(pehchan, refused):
    Path("other.csv").write_text("id,name\n1,Anna Lee\n4,Bob Rey\n")
    asked = ["people.csv", "other.csv", "-s", "s.yaml", "-q"]
    pehchan("link", *asked, "-o", "names", *decide("a:1,b:1,different", "a:4,b:4,same"))
    header = "set_b,id_b,id_a,Set A,decision,by whom"
    columns = decide("b,1,1,a,different,me", "b,4,4,a,same,me", header=header)
    pehchan("link", *asked, "-o", "columns", *columns)
    assert rows("names/clusters") == rows("columns/clusters")
    found = {record: first for first, record, *_ in (row.split(",") for row in rows("names/clusters"))}
    assert found["b:4"] == found["a:4"]
    assert found["b:1"] != found["a:1"]
    # Two of one set without duplicates are the same where a person says so, by an assignment as well.
    decided = decide("a:1,a:2,same", "a:1,b:1,same", "a:3,b:4,different")
    for by in ("connected", "assignment"):
        pehchan("link", *asked, "--by", by, "-o", by, *decided)
        found = {record: first for first, record, *_ in (row.split(",") for row in rows(f"{by}/clusters"))}
        assert found["a:2"] == found["a:1"] == found["b:1"] == "a:1"
        assert found["a:3"] != found["b:4"]
    said = refused("id_a,id_b,decision\n1,b:1,same\na:1,c:1,same\n", "link", *asked[:-1])
    assert "line 2: id_a '1' does not say of which set it is." in said
    assert "line 3: id_b: no set 'c'." in said
    assert "no column set_b" in refused("set_a,id_a,id_b,decision\na,1,1,same\n", "link", *asked[:-1])
    said = refused("set_a,id_a,set_b,id_b,decision\na,1,b,2,same\n")
    assert "line 2: a set 'a', but there is one set." in said


def test_records_whose_ids_name_their_sets_are_found_by_these(pehchan):
    Path("p.properties").write_text(
        "sts.inter.set.matching=true\nsts.set.ID.size=1\nsts.dist.threshold=250\ninput.format=csv\n"
    )
    Path("sets.csv").write_text("id,name\na1,Anna Lee\nb1,Anne Lee\na2,Bob Ray\nb2,Rob Roy\n")
    decided = decide("a1,b1,different", "b2,a2,same")
    pehchan("dedupe", "sets.csv", "-s", "s.yaml", "-p", "p.properties", "-o", "out", "-q", *decided)
    assert rows("out/clusters") == ["a1,a1,,,0", "a2,a2,0,0,1", "a2,b2,0,0,1", "b1,b1,,,0"]


def test_match_follows_decisions_and_goes_on_with_them(pehchan):
    chance = random.Random(4)
    first, last = ["Anna", "Bob", "Carla", "Dan", "Eve", "Finn", "Gus"], ["Lee", "Ray", "Dean", "Foe", "Hart"]
    lines = []
    for k in range(120):
        row = f"{chance.choice(first)} {chance.choice(last)}{k % 60},{100000 + k % 60 * 977}"
        lines += [f"r{k:03},{row}", f"s{k:03},{row}"] if k < 60 else [f"r{k:03},{row}x"]
    Path("many.csv").write_text("id,name,phone\n" + "".join(f"{line}\n" for line in lines))
    pehchan("match", "many.csv", "-o", "without", "-q")
    found = {record: first for first, record, *_ in (row.split(",") for row in rows("without/clusters"))}
    assert found["s000"] == found["r000"] != found["r017"]
    said = pehchan("match", "many.csv", "-o", "out", "-q", *decide("r000,s000,different", "r000,r017,same"))
    found = {record: first for first, record, *_ in (row.split(",") for row in rows("out/clusters"))}
    assert found["s000"] != found["r000"] == found["r017"]
    assert "2 decisions followed" in said
    if "pehchan match" in said:
        assert "--decisions decisions.csv" in said


def some_people(number):
    """Records with many pairs, and decisions about some of them: what is the same has the same last digit."""
    chance = random.Random(3)
    names = ["Anna Lee", "Bob Ray", "Carla Dean", "Dan Foe", "Eve Hart"]
    lines = []
    for k in range(number):
        name = list(chance.choice(names))
        name[chance.randrange(len(name))] = chance.choice("abcdefgh")
        lines.append(f"r{k},{''.join(name)}\n")
    Path("many.csv").write_text("id,name\n" + "".join(lines))
    told = []
    for a, b in chance.sample(list(combinations(range(number + 3), 2)), 60):
        told.append(f"r{a},r{b},{'same' if a % 10 == b % 10 else 'different'}")
    return told


def test_runs_in_parts_and_on_all_cores_write_the_same(pehchan, monkeypatch):
    told = some_people(70)
    decided = decide(*told)
    asked = ["many.csv", "-s", "s.yaml", "-q", "--by", "average", *decided]
    said = pehchan("dedupe", *asked, "-o", "one")
    found = {record: first for first, record, *_ in (row.split(",") for row in rows("one/clusters"))}
    for a, b, word in (line.split(",") for line in told):
        if a in found and b in found:
            assert (found[a] == found[b]) == (word == "same")
    assert {"same", "different"} == {line.split(",")[2] for line in told}
    decide(*reversed(told))
    monkeypatch.setattr(pipeline, "PAIR_BYTES", 1_000_000_000)
    monkeypatch.setattr(pipeline, "EDGE_BYTES", 300_000_000)
    again = pehchan("dedupe", *asked, "-o", "several")
    assert list(Path("several/internal").glob("components-*"))
    monkeypatch.setattr(pipeline, "EDGE_BYTES", 1)
    pehchan(
        "cluster", "one", "--records", "one", "--cutoff", 250, *decided, "-q", "-r", "local", "-o", "local"
    )
    for name in ("clusters", "cluster_shapes"):
        assert rows(f"several/{name}") == rows(f"local/{name}") == rows(f"one/{name}")
    counts = [line for line in said.splitlines() if "decisions followed" in line]
    assert counts == [line for line in again.splitlines() if "decisions followed" in line]
    assert "of records that are not there" in counts[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "line 1: no column id_a and no column id_b and no column decision."),
        ("id_a,decision\n1,same\n", "line 1: no column id_b."),
        ("id_a,id_b,decision\n1,2,equal\n", "line 2: unknown decision 'equal'."),
        ("id_a,id_b,decision\n1,2,\n", "line 2: unknown decision ''."),
        ("id_a,id_b,decision\n1,2,same\n\n3, 3,same\n", "line 4: a record with itself."),
        ("id_a,id_b,decision\n1,,same\n", "line 2: no id_b."),
        ("id_a,id_b,decision\n1,2\n", "line 2: 2 values under 3 columns."),
        (
            "id_a,id_b,decision\n1,2,same\n2,1,different\n",
            "line 3: 2 and 1 are different, but 1 is the same as 2",
        ),
        ('id_a,id_b,decision\n"1,2,same\n', "line 2: not CSV"),
    ],
)
def test_what_is_wrong_with_decisions_is_told_before_the_run(refused, text, expected):
    assert f"wrong.csv {expected}" in refused(text)


def test_all_that_is_wrong_is_told_at_once(refused):
    said = refused("id_a,id_b,decision\n1,1,same\n1,2,maybe\n,2,same\n")
    assert said.endswith("3 mistakes; nothing was run.\n")
    said = refused("id_a,id_b,decision\n1,1,same\n,2,same\n", "cluster", "people.csv", "--cutoff", "5")
    assert said.endswith("2 mistakes; nothing was run.\n")
    chain = "".join(f"{k},{k + 1},same\n" for k in range(1, 30))
    said = refused(f"id_a,id_b,decision\n{chain}5,2,different\n2,4,same\n")
    assert (
        "line 31: 5 and 2 are different, but 4 is the same as 5 (wrong.csv line 5), 2 is the same as 4 ("
        in said
    )


def test_a_file_that_is_not_there_is_told(called):
    asked = ["dedupe", "people.csv", "-s", "s.yaml", "-q", "-o", "new"]
    code, _, err = called(*asked, "--decisions", "nowhere.csv")
    assert code == 2
    assert "nowhere.csv: cannot be read" in err


def test_a_run_that_broke_off_goes_on_with_the_same_decisions_alone(called, monkeypatch):
    run = Jobs.run

    def failing(self, job_class, *arguments, **more):
        if job_class is ClusterPairs:
            raise JobFailed("no more room")
        return run(self, job_class, *arguments, **more)

    asked = ["dedupe", "people.csv", "-s", "s.yaml", "-o", "new", "-q"]
    for then, expected in (("1,2,different", 0), ("1,2,same", 1)):
        with monkeypatch.context() as patch:
            patch.setattr(Jobs, "run", failing)
            assert called(*asked, "--overwrite", *decide("1,2,different"))[0] == 1
        code, _, err = called(*asked, "--overwrite", *decide(then), "--resume")
        assert (code, "asked for something else" in err) == (expected, bool(expected))
    assert "2,2,,,0" in rows("new/clusters")


def test_decisions_are_not_overwritten_by_the_output(called):
    Path("out").mkdir()
    Path("out/d.csv").write_text("id_a,id_b,decision\n1,2,same\n")
    asked = ["dedupe", "people.csv", "-s", "s.yaml", "-q", "--overwrite"]
    code, _, err = called(*asked, "-o", "out", "--decisions", "out/d.csv")
    assert code == 2
    assert "the output is also an input" in err
