"""Golden records of whole runs: one of each cluster, from every command that makes clusters."""

import csv
import json
import random
import shutil
import stat
from collections import defaultdict
from pathlib import Path

import pytest

from pehchan.console.jobs import Jobs
from pehchan.console.output import JobFailed
from pehchan.identity.golden import golden_of
from pehchan.identity.golden_records import GoldenRecords
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Record

COLUMNS = ["id", "name", "city", "updated", "system", "email"]
FIELDS = """\
id: id
fields:
  name: {measure: levenshtein, keep: longest}
  city: {measure: levenshtein}
cutoff: 200
"""
KEEP = """\
keep: {newest: updated}
golden:
  system: all
  email: {source: {column: system, order: [crm, web]}}
"""
EMAILS = ["", "ann@here", "bob@there", 'cy,"lee"@here']


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(FIELDS + KEEP)
    Path("plain.yaml").write_text(FIELDS)
    chance = random.Random(5)
    write("people.csv", [row(chance, f"r{number:02}") for number in range(80)])
    return tmp_path


def row(chance, record_id):
    name = list(chance.choice(["Ann Lee", "Bob Ray", "Carla Deán", "Dan Foe"]))
    for _ in range(chance.randrange(3)):
        name[chance.randrange(len(name))] = chance.choice("abcdefgh")
    day = chance.choice(["", "never", f"2024-01-{chance.randrange(1, 30):02}"])
    system = chance.choice(["crm", "web", "erp", ""])
    return [record_id, "".join(name), chance.choice(["Oslo", "Rome", ""]), day, system, chance.choice(EMAILS)]


def write(path, rows, columns=COLUMNS):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


@pytest.fixture
def refused(called):
    """Run the command, which is to refuse what it was given; what it says on stderr."""

    def run(*arguments):
        code, out, err = called(*arguments)
        assert (code, out) == (2, "")
        assert err.rstrip().endswith("nothing was run.")
        return err

    return run


def lines(folder):
    return sorted(line for part in Path(folder).glob("*") for line in part.read_bytes().splitlines())


def entities(out):
    found = {}
    for line in lines(f"{out}/entities"):
        golden = json.loads(line)
        assert golden["entity"] not in found
        found[golden.pop("entity")] = golden
    return found


def expected(out, tables):
    """What the pure function says of each cluster that was written; `tables` by set, as records are written."""
    records = {}
    for set_name, path in tables.items():
        with open(path, encoding="utf-8", newline="") as file:
            for items in list(csv.reader(file))[1:]:
                name = f"{set_name}:{items[0]}" if set_name else items[0]
                records[name] = Record(set_name, items[0], items)
    schema = Plan.read(f"{out}/internal/plan.json").schema
    members = defaultdict(list)
    for line in lines(f"{out}/clusters"):
        cluster, record, *_ = line.decode().split(",")
        members[cluster].append(records[record])
    named = {True: ":".join, False: lambda identity: identity[1]}[len(tables) > 1]
    return {
        cluster: golden_of(schema.columns, schema.rules, some).to_dict(named)
        for cluster, some in members.items()
    }


def test_dedupe_writes_the_golden_record_of_each_cluster(pehchan):
    out = pehchan("dedupe", "people.csv", "-s", "s.yaml", "-o", "out", "--no-report")
    assert "clusters/, cluster_shapes/, entities/, run.json" in out
    found = entities("out")
    assert found == expected("out", {"": "people.csv"})
    assert any(len(golden["records"]) > 2 for golden in found.values())
    assert all(list(golden["values"]) == COLUMNS for golden in found.values())
    assert all(golden["values"]["id"] == entity for entity, golden in found.items())


def test_run_json_counts_them_and_the_dates_that_nobody_can_read(pehchan):
    out = pehchan("dedupe", "people.csv", "-s", "s.yaml", "-o", "out", "--no-report")
    counters = json.loads(Path("out/run.json").read_text())["counters"]
    with open("people.csv", encoding="utf-8") as file:
        unread = sum(each["updated"] == "never" for each in csv.DictReader(file))
    assert counters["Golden"] == {"Records": counters["Clusters"]["All"], "Dates that cannot be read": unread}
    assert f"dates that cannot be read, and count as older than all others: {unread}\n" in out
    assert "golden records" in json.loads(Path("out/run.json").read_text())["seconds"]


def test_the_table_has_a_row_a_cluster(pehchan):
    pehchan("dedupe", "people.csv", "-s", "s.yaml", "-o", "out", "--no-report")
    rows = list(csv.DictReader(pehchan("golden", "out").splitlines()))
    found = entities("out")
    assert len(rows) == len(found)
    for each in rows:
        golden = found[each.pop("entity")]
        assert each.pop("records") == str(len(golden["records"]))
        values = golden["values"]
        assert each == values | {"system": " | ".join(values["system"])}
    rows = list(csv.DictReader(pehchan("golden", "out", "--origins").splitlines()))
    for each in rows:
        origins = found[each["entity"]]["from"]
        assert each["email from"] == origins.get("email", "")
        assert each["system from"] == " | ".join(origins["system"])


def test_the_golden_records_are_for_their_owner_alone(pehchan):
    pehchan("dedupe", "people.csv", "-s", "s.yaml", "-o", "out", "--no-report")
    assert stat.S_IMODE(Path("out/entities").stat().st_mode) == 0o700
    assert {stat.S_IMODE(part.stat().st_mode) for part in Path("out/entities").iterdir()} == {0o600}
    assert not Path("out/internal/golden").exists()


def test_a_schema_that_asks_for_none_gets_none(pehchan, refused):
    out = pehchan(
        "dedupe", "people.csv", "-s", "plain.yaml", "-D", "cluster.cutoff=200", "-o", "asked", "--no-report"
    )
    assert "entities/" in out
    Path("nothing.yaml").write_text(FIELDS.replace(", keep: longest", ""))
    out = pehchan("dedupe", "people.csv", "-s", "nothing.yaml", "-o", "out", "--no-report")
    assert "entities" not in out
    assert not Path("out/entities").exists()
    message = refused("golden", "out")
    assert "out: holds no golden records." in message
    assert "keep: most-frequent" in message


def test_cluster_keeps_of_the_clusters_that_it_makes(pehchan):
    pehchan("dedupe", "people.csv", "-s", "s.yaml", "-o", "out", "--no-report")
    out = pehchan("cluster", "out", "--cutoff", "100", "--records", "out", "-o", "closer")
    assert "entities/" in out
    assert entities("closer") == expected("closer", {"": "people.csv"})
    assert len(entities("closer")) > len(entities("out"))
    # Without the records only those are in clusters that have a pair.
    pehchan("cluster", "out", "--cutoff", "100", "-o", "pairs-alone")
    assert entities("pairs-alone") == expected("pairs-alone", {"": "people.csv"})
    assert len(entities("pairs-alone")) < len(entities("closer"))
    assert pehchan("golden", "closer").startswith("entity,records,id,name")


def test_cluster_of_several_runs_says_that_it_keeps_none(called):
    for out in ("one", "two"):
        assert called("dedupe", "people.csv", "-s", "s.yaml", "-o", out, "--no-report")[0] == 0
    code, _, err = called("cluster", "one", "two", "--cutoff", "100", "-o", "out")
    assert code == 0
    assert "golden records are made of the pairs of one run alone" in err
    assert not Path("out/entities").exists()


def linked_tables():
    chance = random.Random(6)
    for name in ("first.csv", "second.csv"):
        write(name, [row(chance, f"r{number:02}") for number in range(50)])


def test_link_keeps_of_the_best_set(pehchan):
    linked_tables()
    Path("sets.yaml").write_text(FIELDS + "keep: {source: [b, a]}\n")
    pehchan("link", "first.csv", "second.csv", "-s", "sets.yaml", "-o", "out", "--no-report")
    found = entities("out")
    assert found == expected("out", {"a": "first.csv", "b": "second.csv"})
    both = [golden for golden in found.values() if len(golden["records"]) == 2]
    assert both
    for golden in both:
        assert [name[:2] for name in golden["records"]].count("b:") == 1
        assert golden["from"].get("updated", "b:").startswith("b:") or golden["values"]["updated"]
        # The name has a rule of its own, and the id is that of the entity.
        assert golden["from"]["id"] == golden["records"][0]


def test_tables_of_different_columns_make_records_with_all_of_them(pehchan):
    write("first.csv", [["1", "Ann Lee", "Oslo"]], ["id", "name", "city"])
    write("second.csv", [["1", "555", "Ann Lee", "Oslo"]], ["id", "phone", "name", "city"])
    Path("both.yaml").write_text(FIELDS + "keep: first\n")
    pehchan("link", "first.csv", "second.csv", "-s", "both.yaml", "-o", "out", "--no-report")
    assert entities("out") == {
        "a:1": {
            "records": ["a:1", "b:1"],
            "values": {"id": "1", "name": "Ann Lee", "city": "Oslo", "phone": "555"},
            "from": {"id": "a:1", "name": "a:1", "city": "a:1", "phone": "b:1"},
        }
    }


def test_lines_without_a_header_that_the_schema_names(pehchan):
    Path("people.txt").write_text("1,Ann Lee,Oslo,more\n2,Ann Lee,,more\n3,Bob,Rome\n")
    Path("lines.yaml").write_text(
        "{id: id, columns: [id, name, city], lines: true, fields: {name: edit}, cutoff: 10, keep: first}"
    )
    pehchan("dedupe", "people.txt", "-s", "lines.yaml", "-o", "out", "--no-report")
    assert entities("out")["1"]["values"] == {"id": "1", "name": "Ann Lee", "city": "Oslo"}
    assert entities("out")["3"]["values"] == {"id": "3", "name": "Bob", "city": "Rome"}


def test_match_keeps_of_what_it_learns(pehchan):
    chance = random.Random(7)
    rows = []
    for number in range(150):
        person = [
            f"{chance.choice('ABCDEFGH')}{chance.randrange(10**6)} {chance.choice('XYZ')}ley",
            f"C{number % 40}",
        ]
        for copy in range(1 + number % 2):
            rows.append([f"{number:03}{copy}", *person, f"2024-01-0{copy + 1}", "crm", "" if copy else "x@y"])
    chance.shuffle(rows)
    write("many.csv", rows)
    Path("learnt.yaml").write_text("{id: id, fields: {name: exact, city: exact}, keep: {newest: updated}}")
    pehchan("match", "many.csv", "-s", "learnt.yaml", "-o", "out", "--no-report", "-q")
    found = entities("out")
    assert found == expected("out", {"": "many.csv"})
    # Both records of one person.
    two = [golden for golden in found.values() if len({name[:3] for name in golden["records"]}) == 1]
    two = [golden for golden in two if len(golden["records"]) == 2]
    assert len(two) > 50
    assert {golden["values"]["updated"] for golden in two} == {"2024-01-02"}
    # The newer record has no address, and the older one's is kept.
    assert {golden["values"]["email"] for golden in two} == {"x@y"}


def test_a_run_that_broke_off_there_goes_on(pehchan, called, monkeypatch):
    run = Jobs.run

    def breaks(jobs, job_class, *arguments, **more):
        if job_class is GoldenRecords:
            raise JobFailed("no room")
        return run(jobs, job_class, *arguments, **more)

    monkeypatch.setattr(Jobs, "run", breaks)
    code, _, err = called("dedupe", "people.csv", "-s", "s.yaml", "-o", "out", "--no-report")
    assert code == 1
    assert "--resume" in err
    monkeypatch.setattr(Jobs, "run", run)
    pehchan("dedupe", "people.csv", "-s", "s.yaml", "-o", "out", "--no-report", "--resume")
    pehchan("dedupe", "people.csv", "-s", "s.yaml", "-o", "again", "--no-report")
    assert lines("out/entities") == lines("again/entities")
    ran = [json.loads(Path(out, "run.json").read_text())["counters"] for out in ("out", "again")]
    assert ran[0] == ran[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("keep: longst\n", ["s.yaml: keep: 'longst' is no rule.", 'Did you mean "longest"?']),
        ("keep: newest\n", ["s.yaml: keep: newest: it has no column.", "{newest: updated}"]),
        ("keep: {newest: day}\n", ['s.yaml keep: there is no column "day".', "Known: id, name"]),
        (
            "golden: {emial: all}\n",
            ['s.yaml golden column "emial": there is no column', 'Did you mean "email"?'],
        ),
        ("golden: {name: all}\n", ['has a rule for column "name" as well.', "Keep one."]),
        (
            "keep: {source: [crm, web]}\n",
            ["s.yaml: keep: source: all records are of one set", "{source: {column: system"],
        ),
        ("keep: first\ncolumns: [a, b]\n", ['field "name": there is no column "name"']),
    ],
)
def test_mistakes_are_told_before_the_run(refused, text, said):
    Path("s.yaml").write_text(FIELDS + text)
    message = refused("dedupe", "people.csv", "-s", "s.yaml", "-o", "out")
    if "columns" in text:
        Path("people.csv").write_text("a,b\n1,2\n")
        message = refused("dedupe", "people.csv", "-s", "s.yaml", "-o", "out")
    assert all(part in message for part in said), message
    assert not Path("out").exists()


def test_all_mistakes_are_told_at_once(refused):
    Path("s.yaml").write_text(FIELDS + "keep: newest\ngolden: {city: longst, emial: all}\n")
    message = refused("dedupe", "people.csv", "-s", "s.yaml", "-o", "out")
    assert "3 mistakes; nothing was run." in message


def test_a_set_that_is_none_of_the_run_is_a_mistake(refused):
    linked_tables()
    Path("s.yaml").write_text(FIELDS + "golden: {email: {source: [b, crm]}}\n")
    message = refused("link", "first.csv", "second.csv", "-s", "s.yaml", "-o", "out")
    assert (
        "s.yaml golden column \"email\": keep: source: 'crm' is no set of this run; its sets are a, b."
        in message
    )


@pytest.mark.parametrize(
    "fields",
    ["{name: {measure: edit, column: 1, keep: longest}}", "{name: {measure: edit, column: 1}}, keep: first"],
)
def test_columns_without_names_are_a_mistake(refused, fields):
    shutil.copy("people.csv", "people.txt")
    Path("s.yaml").write_text(f"{{id: 0, lines: true, cutoff: 10, fields: {fields}}}")
    message = refused("dedupe", "people.txt", "-s", "s.yaml", "-o", "out")
    assert "s.yaml: golden records need the names of the columns." in message
    assert "columns: [id, name, …]" in message


def test_columns_of_one_name_are_a_mistake(refused):
    Path("people.txt").write_text("1,Ann,Lee\n")
    Path("s.yaml").write_text(
        "{id: 0, lines: true, columns: [id, name, name], cutoff: 10, keep: first,\n"
        " fields: {n: {measure: edit, column: 1}}}"
    )
    message = refused("dedupe", "people.txt", "-s", "s.yaml", "-o", "out")
    assert "s.yaml columns: more than one column is named name." in message
