"""pehchan match, from a CSV file to clusters, and over labels to better ones."""

import csv
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from made_up_persons import NAMES, persons

from pehchan.console.jobs import Jobs
from pehchan.console.output import JobFailed
from pehchan.learning.labels import MATCH, read_label_file
from pehchan.mrjobs.cluster_pairs import ClusterPairs

COUNT, TWICE = 160, 50
MODEL_FILES = ["command.json", "model.json", "questions.json"]


def people():
    """Rows of an id and values, and the ids of those that are one."""
    columns, same = persons(COUNT, TWICE, seed=21)
    rows = [[f"p{k}", *values] for k, values in enumerate(zip(*columns, strict=True))]
    return rows, {frozenset((f"p{a}", f"p{b}")) for a, b in same}


def write_csv(name, rows, header=("id", *NAMES)):
    with open(name, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def lines(folder):
    return sorted(line for part in Path(folder).glob("*") for line in part.read_text("utf-8").splitlines())


def pairs_of(out, least=0.5):
    """The pairs of ids of an output that are at least so likely."""
    rows = (line.split(",") for line in lines(f"{out}/pairs"))
    return {frozenset(row[:2]) for row in rows if float(row[2]) >= least}


def model_of(folder):
    return json.loads((Path(folder) / "model.json").read_text("utf-8"))


@pytest.fixture
def pehchan(called):
    """Run the command, which is to go well; what it says on stdout, and what on stderr."""

    def run(*arguments, errors=False):
        code, out, err = called(*arguments)
        assert code == 0, err
        return err if errors else out

    return run


@pytest.fixture
def refused(called):
    """Run the command, which is to end with exit code 2 and this on stderr."""

    def run(message, *arguments):
        before = sorted(Path().rglob("*"))
        code, out, err = called(*arguments)
        assert (code, out) == (2, "")
        assert message in err
        assert err.rstrip().endswith("nothing was run.")
        assert sorted(Path().rglob("*")) == before
        return err

    return run


@pytest.fixture(scope="module")
def matched(tmp_path_factory):
    """A folder with people.csv, truth.csv, and the output of a match."""
    from pehchan.console.command import main

    folder = tmp_path_factory.mktemp("matched")
    rows, same = people()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_csv("people.csv", rows)
        write_csv("truth.csv", sorted(map(sorted, same)), ("id_a", "id_b"))
        assert main(["match", "people.csv", "-o", "out", "-q"]) == 0
    return folder


@pytest.fixture(autouse=True)
def folder(matched, tmp_path, monkeypatch):
    place = tmp_path / "work"
    shutil.copytree(matched, place)
    monkeypatch.chdir(place)
    return place


def test_match_needs_nothing_but_a_file(pehchan):
    said = pehchan("match", "people.csv", "-o", "new", "--show", "1")
    assert "Learnt from 210 records:" in said
    assert "210 records read" in said
    assert "\ncluster 1\n" in said
    assert "pehchan label --model new/model\n" in said
    assert "pehchan match people.csv -o new --overwrite\n" in said
    scores = json.loads(pehchan("evaluate", "new", "--truth", "truth.csv", "--json"))
    assert scores["pairs within clusters"]["f1"] >= 0.97
    # The same command gives the same again.
    for name in ("pairs", "clusters", "cluster_shapes"):
        assert lines(f"new/{name}") == lines(f"out/{name}")
    for name in ("model.json", "questions.json"):
        assert Path(f"new/model/{name}").read_bytes() == Path(f"out/model/{name}").read_bytes()


def test_what_stands_in_the_output():
    assert sorted(path.name for path in Path("out").iterdir()) == [
        *("cluster_shapes", "clusters", "internal", "model", "pairs", "rejected", "report.html", "run.json")
    ]
    assert sorted(path.name for path in Path("out/model").iterdir()) == MODEL_FILES
    _, same = people()
    found = [line.split(",") for line in lines("out/pairs")]
    assert {frozenset((one, two)) for one, two, _, _ in found} >= set(same) - _lost(same)
    for one, two, probability, log_odds in found:
        assert one < two
        assert 0.5 <= float(probability) < 1
        assert 0 <= float(log_odds) <= 12
        assert float(probability) == pytest.approx(1 / (1 + 2.718281828 ** -float(log_odds)), abs=1e-6)
    rows, _ = people()
    clustered = [line.split(",") for line in lines("out/clusters")]
    assert sorted(row[1] for row in clustered) == sorted(row[0] for row in rows)
    for cluster, record, least, largest, mates in clustered:
        alone = [row[0] for row in clustered].count(cluster) == 1
        assert alone == (mates == "0") == (least == "")
        if not alone:
            assert 0 < float(least) <= float(largest) < 1
        assert cluster <= record
    run = json.loads(Path("out/run.json").read_text())
    assert run["command"] == "match"
    assert run["model"]["learnt from"]["records"] == 210
    # What clusters hold is nobody else's business.
    assert "Abel" not in json.dumps(run)
    assert "Church" not in json.dumps(run)


def _lost(same):
    """Pairs with so many slips that they may be missed: some, not many."""
    found = pairs_of("out")
    lost = same - found
    assert len(lost) <= 2
    return lost


def test_what_a_person_reads_in_the_model():
    model = model_of("out/model")
    assert model["version"] == 1
    assert model["learnt from"]["records"] == 210
    assert {field["name"] for field in model["fields"]} == set(NAMES)
    assert model["keys"]["texts"]
    assert len(model["findings"]) == 3


def answer(pehchan, monkeypatch, answers, model="out/model"):
    """Give answers to the questions of a model, one a line."""
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{each}\n" for each in answers)))
    return pehchan("label", "--model", model)


def questions(folder="out/model"):
    return json.loads((Path(folder) / "questions.json").read_text("utf-8"))["questions"]


def right_answers(folder="out/model"):
    _, same = people()
    return [
        int(frozenset(each["id"] for each in question["records"]) in same) for question in questions(folder)
    ]


def test_labels_are_learnt_from_and_kept(pehchan, monkeypatch):
    """ask, label, match, and match again."""
    pehchan("ask", "people.csv", "--model", "model", "-n", "8")
    assert len(questions("model")) == 8
    said = answer(pehchan, monkeypatch, right_answers("model"), "model")
    assert "8 labels" in said
    assert said.endswith("To match with these labels: pehchan match people.csv --model model\n")
    said = pehchan("match", "people.csv", "--model", "model", "-o", "one")
    yes = sum(read.answer == MATCH for read in read_label_file(Path("model/labels.csv")).labels)
    assert f"Learnt from 210 records and labels ({yes} match, {8 - yes} no match):" in said
    assert not Path("one/model").exists()
    learnt = model_of("model")
    assert learnt["learnt from"]["labels"] == 8
    asked = {frozenset(each["id"] for each in question["records"]) for question in questions("model")}
    labelled = read_label_file(Path("model/labels.csv")).labels
    assert not asked & {frozenset((label.first.id, label.second.id)) for label in labelled}
    said = pehchan("match", "people.csv", "--model", "model", "-o", "two")
    assert "the model that was there" in said
    assert "Learnt" not in said
    assert model_of("model") == learnt
    assert lines("one/pairs") == lines("two/pairs")
    assert lines("one/clusters") == lines("two/clusters")
    said = pehchan("match", "people.csv", "--model", "model", "-o", "three", "--anew")
    assert "Learnt from 210 records and labels" in said
    assert lines("one/clusters") == lines("three/clusters")


def test_the_same_output_again_keeps_the_labels(pehchan, refused, monkeypatch):
    refused("the output exists", "match", "people.csv", "-o", "out")
    answer(pehchan, monkeypatch, right_answers()[:5])
    labels = Path("out/model/labels.csv").read_bytes()
    said = pehchan("match", "people.csv", "-o", "out", "--overwrite")
    assert "Learnt from 210 records and labels (" in said
    assert Path("out/model/labels.csv").read_bytes() == labels
    learnt = Path("out/model/model.json").read_bytes()
    said = pehchan("match", "people.csv", "-o", "out", "--overwrite", "--model", "out/model")
    assert "the model that was there" in said
    assert Path("out/model/labels.csv").read_bytes() == labels
    assert Path("out/model/model.json").read_bytes() == learnt
    assert len(questions()) > 5


def test_a_model_in_the_output_is_nowhere_else_in_it(pehchan, refused):
    refused("is in the output", "match", "people.csv", "-o", "new", "--model", "new/deep/model")
    refused("is in the output", "match", "people.csv", "-o", "new", "--model", "new")
    pehchan("match", "people.csv", "-o", "new", "--model", "new/model")
    assert model_of("new/model") == model_of("out/model")


def test_learn_writes_the_model_alone(pehchan):
    said = pehchan("learn", "people.csv", "--model", "model")
    assert "Learnt from 210 records:" in said
    assert "pehchan match people.csv --model model\n" in said
    assert sorted(path.name for path in Path("model").iterdir()) == MODEL_FILES
    assert Path("model/model.json").read_bytes() == Path("out/model/model.json").read_bytes()
    assert not Path("pehchan-out").exists()


def test_ask_takes_the_model_that_is_there(pehchan):
    before = Path("out/model/model.json").read_bytes()
    pehchan("ask", "people.csv", "--model", "out/model", "-n", "3")
    assert Path("out/model/model.json").read_bytes() == before
    assert len(questions()) == 3


def zingg_file(name, pairs, columns=NAMES, with_ids=False):
    """Labels as Zingg's own samples have them: ids are not known."""
    rows, header = [], ["z_zid", "z_cluster", "z_isMatch", *columns]
    for number, (one, two, said) in enumerate(pairs):
        for values in (one, two):
            rows.append([number, f"c{number}", said, *values])
    write_csv(name, rows, header)


def some_labels(positives=5, negatives=5):
    rows, same = people()
    of_id = {row[0]: row[1:] for row in rows}
    yes = [(*(of_id[each] for each in sorted(pair)), 1) for pair in sorted(map(sorted, same))[:positives]]
    no = [(rows[k][1:], rows[k + 60][1:], 0) for k in range(negatives)]
    return [*yes, *no]


def test_labels_in_zinggs_form(pehchan):
    zingg_file("labels.csv", some_labels())
    said = pehchan("match", "people.csv", "-o", "new", "--labels", "labels.csv")
    assert "Learnt from 210 records and labels (5 match, 5 no match):" in said
    assert model_of("new/model")["learnt from"]["labels"] == 10
    assert not Path("new/model/labels.csv").exists()
    assert "--labels labels.csv" in said


@pytest.mark.parametrize(("positives", "negatives", "warned"), [(6, 0, "All 6 labels are matches."),
                                                                (0, 6, "All 6 labels are no matches.")])  # fmt: skip
def test_labels_of_one_side_only(pehchan, positives, negatives, warned):
    zingg_file("labels.csv", some_labels(positives, negatives))
    said = pehchan("match", "people.csv", "-o", "new", "--labels", "labels.csv")
    assert warned in " ".join(said.split())
    scores = json.loads(pehchan("evaluate", "new", "--truth", "truth.csv", "--json"))
    assert scores["pairs within clusters"]["f1"] >= 0.9


def test_labels_that_contradict_each_other_or_are_of_records_that_are_gone(called):
    labels = some_labels()
    one, two, _ = labels[0]
    gone = [[f"{value} gone" for value in one], [f"{value} gone" for value in two], 1]
    zingg_file("labels.csv", [*labels, gone, (one, two, 0)])
    code, out, err = called("match", "people.csv", "-o", "new", "--labels", "labels.csv", "-q")
    assert code == 0
    assert "the same pair is answered differently, and left out: match (labels.csv line 2)" in err
    assert "Learnt from 210 records and labels (5 match, 5 no match):" in out


def test_labels_without_one_of_the_columns(called):
    zingg_file("labels.csv", [(one[1:], two[1:], said) for one, two, said in some_labels()], NAMES[1:])
    code, out, err = called("match", "people.csv", "-o", "new", "--labels", "labels.csv", "-q")
    assert code == 0
    assert "no column first" in err
    assert "(5 match, 5 no match)" in out


def test_labels_of_something_else(refused):
    zingg_file("labels.csv", [(["red"], ["blue"], 1)], ["color"])
    refused("labels of other records", "match", "people.csv", "-o", "new", "--labels", "labels.csv")
    refused("no-such.csv", "match", "people.csv", "-o", "new", "--labels", "no-such.csv")


def test_a_model_whose_columns_the_input_lacks(refused):
    rows, _ = people()
    write_csv("other.csv", [row[:-1] for row in rows], ("id", *NAMES[:-1]))
    said = refused('a column "phone"', "match", "other.csv", "-o", "new", "--model", "out/model")
    assert "It has: id, first, last, street, birth." in said


def test_a_model_of_a_file_with_more_columns_in_another_order(pehchan):
    """Columns are known by their names."""
    rows, _ = people()
    write_csv("other.csv", [["x", *reversed(row)] for row in rows], ("note", *reversed(("id", *NAMES))))
    pehchan("match", "other.csv", "-o", "new", "--model", "out/model", "-s", schema("first"))
    assert lines("new/pairs") == lines("out/pairs")
    assert lines("new/clusters") == lines("out/clusters")


def schema(*names, more=""):
    fields = "".join(f"  {name}: exact\n" for name in names)
    Path("schema.yaml").write_text(f"id: id\nfields:\n{fields}{more}")
    return "schema.yaml"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"version": 99}', "has version 99, this is 1"),
        ("[]", "has version None"),
        ("", "is no model"),
        (None, "is no whole model"),
    ],
)
def test_a_model_that_cannot_be_read(pehchan, refused, content, said):
    path = Path("out/model/model.json")
    if content is None:
        content = json.dumps({key: value for key, value in model_of("out/model").items() if key != "keys"})
    path.write_text(content)
    shutil.copytree("out/model", "model")
    assert "--anew" in refused(said, "match", "people.csv", "-o", "new", "--model", "model")
    pehchan("match", "people.csv", "-o", "new", "--model", "model", "--anew")
    assert model_of("model")["version"] == 1


def test_a_model_that_is_cut_short(refused):
    path = Path("out/model/model.json")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused("is no model", "match", "people.csv", "-o", "new", "--model", "out/model")


def test_a_model_that_is_no_folder(refused):
    refused("is no folder", "match", "people.csv", "-o", "new", "--model", "people.csv")
    refused("is no folder", "match", "people.csv", "-o", "new", "--model", "s3://bucket/model")
    refused("is no folder", "learn", "people.csv", "--model", "people.csv")


# two sets


@pytest.fixture
def two_sets():
    """a.csv, and those of it that come again in b.csv; in c.csv one of these twice."""
    rows, _ = people()
    write_csv("a.csv", rows[:COUNT])
    again = [[f"q{k}", *row[1:]] for k, row in enumerate(rows[COUNT:])]
    write_csv("b.csv", again)
    write_csv("c.csv", [*again, ["again", *again[0][1:]]])


def linked(out):
    return {tuple(line.split(",")[:2]) for line in lines(f"{out}/pairs")}


def test_link_one_to_one(pehchan, two_sets):
    said = pehchan("match", "--link", "a.csv", "b.csv", "-o", "new")
    assert "Learnt from 210 records:" in said
    assert "pehchan match --link a.csv b.csv -o new --overwrite\n" in said
    clusters = [line.split(",") for line in lines("new/clusters")]
    together = {}
    for cluster, record, *_ in clusters:
        together.setdefault(cluster, []).append(record)
    assert max(map(len, together.values())) == 2
    right = {f"a:p{k}" for k in range(TWICE)}
    found = {record for records in together.values() if len(records) == 2 for record in records}
    assert len(found & right) >= TWICE - 2
    assert not {record for record in found if record.startswith("a:")} - right
    assert all(one.startswith("p") != two.startswith("p") for one, two in linked("new"))


def test_link_many_to_many(pehchan, two_sets):
    said = pehchan("match", "--link", "a.csv", "c.csv", "-o", "new", "--many-to-many")
    assert "pehchan match --link a.csv c.csv -D link.as=many-to-many -o new --overwrite\n" in said
    clusters = dict(reversed(line.split(",")[:2]) for line in lines("new/clusters"))
    assert clusters["a:p0"] == clusters["b:q0"] == clusters["b:again"]


def test_link_sets_that_hold_everything_twice(pehchan, two_sets):
    for name, mark in (("a.csv", "p"), ("b.csv", "q")):
        header, *rows = csv.reader(Path(name).read_text("utf-8").splitlines())
        write_csv(name, [[mark + number + row[0][1:], *row[1:]] for row in rows for number in "12"], header)
    pehchan("match", "--link", "a.csv", "b.csv", "-o", "new", "--many-to-many")
    assert model_of("new/model")["without duplicates"] == []
    right = {(f"p{one}{k}", f"q{two}{k}") for k in range(TWICE) for one in "12" for two in "12"}
    found = linked("new")
    assert len(found & right) > 0.95 * len(right)
    assert len(found - right) < 0.05 * len(right)
    # What was learnt for them is not what links one to one.
    pehchan("learn", "--link", "a.csv", "b.csv", "--many-to-many", "--model", "model")
    said = pehchan("match", "--link", "a.csv", "b.csv", "--model", "model", "-o", "other", errors=True)
    assert "is used for two sets without duplicates" in said


def test_what_label_says_to_do_next_can_be_done(pehchan, called, monkeypatch):
    """The commands that it prints, as they stand, where an output is there and where none is."""
    for model, arguments in (("a b", ["learn", "people.csv", "--model", "a b"]), ("out/model", [])):
        if arguments:
            pehchan(*arguments)
        said = answer(pehchan, monkeypatch, [1, 0], model)
        command = shlex.split(said.splitlines()[-1].partition(": ")[2])
        assert command[:3] == ["pehchan", "match", "people.csv"]
        assert called(*command[1:])[0] == 0
        # Called from elsewhere, what the records are is not known.
        with monkeypatch.context() as patch:
            patch.chdir(model)
            assert "pehchan match INPUT... --model ." in answer(pehchan, monkeypatch, [], ".")


def test_link_needs_two_sets(refused, two_sets):
    for command in ("match", "learn", "ask"):
        refused("1 inputs, not two", command, "--link", "a.csv", "--model", "model")


def test_link_with_a_set_that_is_empty(pehchan, two_sets):
    write_csv("none.csv", [])
    pehchan("match", "--link", "a.csv", "none.csv", "-o", "new")
    assert lines("new/pairs") == []
    assert len(lines("new/clusters")) == COUNT


# rules


def test_rules_of_a_schema_win(pehchan):
    rows, same = people()
    of_id = {row[0]: [*row, "", ""] for row in rows}
    of_id["p100"][-2] = of_id["p101"][-2] = "K1"
    parted = sorted(min(same & pairs_of("out", 0.99), key=sorted))
    of_id[parted[0]][-1], of_id[parted[1]][-1] = "DE", "AT"
    write_csv("ruled.csv", of_id.values(), ("id", *NAMES, "account", "country"))
    rules = schema(*NAMES, "account", "country", more="must_link: [account]\ncannot_link: [country]\n")
    pehchan("match", "ruled.csv", "-s", rules, "-o", "new")
    clusters = dict(reversed(line.split(",")[:2]) for line in lines("new/clusters"))
    assert clusters["p100"] == clusters["p101"]
    assert clusters[parted[0]] != clusters[parted[1]]
    assert frozenset(parted) not in pairs_of("new")
    assert "p100,p101,0.999994,12.00" in lines("new/pairs")


def test_a_field_is_of_the_kind_that_the_schema_says(pehchan, refused):
    Path("kinds.yaml").write_text(
        "id: id\nfields:\n"
        + "".join(
            f"  {name}: {{measure: exact, kind: exact}}\n" if name == "last" else f"  {name}: exact\n"
            for name in NAMES
        )
    )
    pehchan("learn", "people.csv", "-s", "kinds.yaml", "--model", "model")
    kinds = {field["name"]: field for field in model_of("model")["fields"]}
    assert kinds["last"]["kind"] == "exact"
    assert len(kinds["last"]["levels of matches"]) == 2
    assert kinds["first"]["kind"] == "name"
    Path("kinds.yaml").write_text("id: id\nfields: {last: {measure: exact, kind: exactly}}\n")
    refused('Did you mean "exact"?', "match", "people.csv", "-s", "kinds.yaml", "-o", "new")


def test_rules_go_with_match_alone(refused):
    for command in ("dedupe", "similarity", "plan"):
        out = ["-o", "new"] if command != "plan" else []
        rules = schema("first", more="must_link: [phone]\ncutoff: 100\n")
        refused("such a rule goes with what is learnt", command, "people.csv", "-s", rules, *out)


def test_rules_are_about_fields(refused):
    rules = schema("first", more="must_link: [phone]\n")
    refused("phone is none of the fields", "match", "people.csv", "-s", rules, "-o", "new")
    rules = schema("first", "phone", more="must_link: [tokens(phone)]\n")
    refused("tokens makes several values", "match", "people.csv", "-s", rules, "-o", "new")


def test_what_match_makes_no_use_of_is_said(called, refused):
    refused(
        "match writes no other columns",
        *("match", "people.csv", "-o", "new", "-D", "sts.output.record=true"),
    )
    rules = schema(*NAMES, more="blocking: [phone]\n")
    code, _, err = called("match", "people.csv", "-s", rules, "-D", "cluster.cutoff=5", "-o", "new", "-q")
    assert code == 0
    assert "blocking: is not used" in err
    assert "cluster.cutoff: not used" in err


# runs that break off


def test_a_run_that_broke_off_goes_on_with_what_was_learnt(called, pehchan, monkeypatch):
    run = Jobs.run

    def failing(self, job_class, *arguments, **more):
        if job_class is ClusterPairs:
            raise JobFailed("no more room")
        return run(self, job_class, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "run", failing)
        code, _, err = called("match", "people.csv", "-o", "new", "-q")
        assert (code, Path("new").exists()) == (1, False)
        assert "--resume" in err

    def learns(*arguments):
        raise AssertionError("learnt again")

    with monkeypatch.context() as patch:
        patch.setattr("pehchan.console.learning_run.learn_of", learns)
        said = pehchan("match", "people.csv", "-o", "new", "--resume")
    assert "wait for an answer" in said
    for name in ("pairs", "clusters"):
        assert lines(f"new/{name}") == lines(f"out/{name}")
    assert Path("new/model/model.json").read_bytes() == Path("out/model/model.json").read_bytes()


# input that there is hardly anything to learn from


def tiny(name, rows, header=("id", "name", "city", "phone")):
    write_csv(name, rows, header)
    return name


def test_an_empty_file(refused):
    Path("empty.csv").touch()
    refused("the file is empty", "match", "empty.csv", "-o", "new")


@pytest.mark.parametrize(
    ("rows", "warned"),
    [
        ([], "There are no records, and so no pair."),
        ([["1", "Ann", "Rome", "555"]], "There is one record, and so no pair."),
        ([[str(k), "Ann", "Rome", "555"] for k in range(30)], "No column can tell records apart"),
        ([[str(k), "", "", ""] for k in range(30)], "No column can tell records apart"),
    ],
)
def test_nothing_to_learn_from(pehchan, rows, warned):
    said = pehchan("match", tiny("few.csv", rows), "-o", "new")
    assert warned in " ".join(said.split())
    assert "No pair waits for an answer" in said
    assert lines("new/pairs") == []
    assert len(lines("new/clusters")) == len(rows)
    # And again by the model that knows nothing, also with labels.
    pehchan("match", "few.csv", "-o", "again", "--model", "new/model")
    zingg_file("labels.csv", [(["Ann", "Rome", "1"], ["Bob", "Rome", "2"], 0)], ["name", "city", "phone"])
    pehchan("match", "few.csv", "-o", "labelled", "--labels", "labels.csv")


def test_one_column(pehchan):
    names = ["Ann", "Ann", "Bob", "Cid", "Dora", "Emil", "Franz", "Gus", "Hanna", "Ida"]
    said = pehchan("match", tiny("one.csv", [[name] for name in names], ["name"]), "-o", "new")
    assert "Only one column, name, can tell records apart." in " ".join(said.split())
    assert "10 records had no id and got one" in said
    assert len(lines("new/clusters")) == 10


def test_no_duplicates(pehchan):
    rows, _ = people()
    write_csv("different.csv", rows[:COUNT])
    said = pehchan("match", "different.csv", "-o", "new")
    assert "No pair looks like a match" in " ".join(said.split())
    assert len(pairs_of("new")) <= 1


def test_every_record_there_twice(pehchan):
    rows, _ = people()
    twice = [[f"{copy}{row[0]}", *row[1:]] for row in rows[:60] for copy in "ab"]
    write_csv("twice.csv", twice)
    pehchan("match", "twice.csv", "-o", "new")
    assert pairs_of("new") == {frozenset((f"a{row[0]}", f"b{row[0]}")) for row in rows[:60]}


def test_a_row_with_a_column_too_few_is_set_aside(pehchan):
    rows, _ = people()
    write_csv("short.csv", [*rows, ["p999", "Ann"]])
    said = pehchan("match", "short.csv", "-o", "new")
    assert "1 lines set aside" in said
    assert len(lines("new/rejected")) == 1
    assert lines("new/clusters") == lines("out/clusters")


def test_ids_of_json_with_anything_in_them(pehchan):
    rows, _ = people()
    odd = ["a,b", 'q"uote', "tab\there", "new\nline", "Zoë 漢字", "\ud800x", "\0"]
    with open("people.jsonl", "w", encoding="ascii") as file:
        for number, row in enumerate(rows):
            record_id = odd[number] if number < len(odd) else row[0]
            file.write(json.dumps(dict(zip(("id", *NAMES), [record_id, *row[1:]], strict=True))) + "\n")
    said = pehchan("match", "people.jsonl", "-o", "new")
    assert "210 records read" in said or "set aside" in said
    assert len(pairs_of_csv("new")) >= TWICE - 3


def pairs_of_csv(out):
    """The rows of pairs read as CSV."""
    text = "".join(part.read_text("utf-8") for part in sorted(Path(f"{out}/pairs").glob("*")))
    found = list(csv.reader(text.splitlines(keepends=True)))
    assert {len(row) for row in found} == {4}
    return found


# later commands


def test_later_commands_read_the_output(pehchan, called):
    said = pehchan("review", "out", "-n", "2")
    assert said
    said = pehchan("evaluate", "out", "--truth", "truth.csv", "--curve", "--errors", "2", "--sizes")
    assert "pairs within clusters" in said
    pehchan("cluster", "out", "--cutoff", "600", "--records", "out", "-o", "surer")
    assert len(lines("surer/clusters")) == 210
    assert float(json.loads(Path("surer/run.json").read_text())["cluster_cutoff"]) == 600
    code, _, err = called("cluster", "out", "--cutoff", "2000", "-o", "wider")
    assert code == 2
    assert "above 1200" in err


def test_the_clusters_worth_a_look_are_told_with_probabilities(pehchan):
    shown = " ".join(pehchan("review", "out", "-n", "1000").split())
    assert re.search(r"cluster 1: 2 records, farthest at a probability of 0\.\d{4} ", shown)
    pehchan("review", "out", "-n", "1000", "--csv", "review.csv", "--overwrite")
    with open("review.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    clusters = csv.reader(lines("out/clusters"))
    exported = {record: [*numbers] for _, record, *numbers in clusters if numbers[0]}
    assert exported == {
        row["id"]: [row["min_probability"], row["max_probability"], row["pairs"]] for row in rows
    }
    assert all(f"cluster {row['cluster']}: {row['why']} " in shown for row in rows)
    with open("people.csv", encoding="utf-8", newline="") as file:
        values = {row["id"]: row for row in csv.DictReader(file)}
    for row in rows:
        assert all(row[name].removeprefix("'") == value for name, value in values[row["id"]].items())


def test_dedupe_of_an_output_is_told_what_it_is(called):
    code, _, err = called("dedupe", "out", "-o", "new")
    assert code == 2
    assert "nothing was run" in err


def test_wrong_options(capsys):
    from pehchan.console.command import main

    for arguments in (
        ["match"],
        ["ask", "people.csv"],
        ["learn", "people.csv"],
        ["ask", "people.csv", "--model", "m", "-n", "0"],
        ["match", "people.csv", "--one-to-one", "--many-to-many"],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
        assert "usage:" in capsys.readouterr().err
