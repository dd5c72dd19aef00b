"""exportModel, peekModel, assessModel, generateDocs: what was labelled and learnt, for people and other programs."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas
import pyarrow as pa
import pytest
from zingg_customers import COLUMNS, customers, person, write

from pehchan.main import main
from pehchan.zingg.marking import pairs_of
from pehchan.zingg.training_data import TrainingData

FOLDER = Path("models/7")
EVIL = '<script>alert("x")</script> & Söhne'


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """200 customers, and a configuration."""
    monkeypatch.chdir(tmp_path)
    write(Path("customers.csv"), [list(COLUMNS), *customers(200)])
    configure("c.json")
    return tmp_path


def configure(path, **more):
    configuration = {
        "modelId": 7,
        "zinggDir": "models",
        "data": [source("customers", "customers.csv")],
        "output": [{**source("out", "out"), "mode": "overwrite"}],
        "fieldDefinition": [
            {
                "fieldName": name,
                "fields": name,
                "dataType": "string",
                "matchType": "DONT_USE" if name == "rec_id" else "FUZZY",
            }
            for name in COLUMNS
            if name != "add2"
        ],
    }
    Path(path).write_text(json.dumps({**configuration, **more}))


def source(name, path):
    return {"name": name, "format": "csv", "props": {"location": path, "header": "true"}}


@pytest.fixture
def run(capsys):
    """Run a phase: (exit code, stdout, stderr)."""

    def called(phase, *more, conf="c.json"):
        code = main(["zingg", "--phase", phase, "--conf", conf, "-q", *more])
        return (code, *capsys.readouterr())

    return called


def label(rows):
    """Write marked pairs of (answer, prediction, first, second); the records as they are."""
    found = [
        {
            "z_zid": 2 * number + half,
            "z_cluster": f"c{number}",
            "z_prediction": prediction,
            "z_score": -1.0 if prediction < 0 else prediction * 0.5 + 0.25,
            "z_isMatch": answer,
            **dict(zip(COLUMNS, record, strict=True)),
            "z_zsource": "customers",
        }
        for number, (answer, prediction, *records) in enumerate(rows)
        for half, record in enumerate(records)
    ]
    marked = TrainingData(FOLDER / "trainingData").marked
    marked.mkdir(parents=True)
    pandas.DataFrame(found).to_parquet(marked / "part-0.parquet")


def true_labels(matches=8, others=8):
    """Pairs with their right answers."""
    rows = customers(200)
    by_person = {}
    for row in rows:
        by_person.setdefault(person(row[0]), []).append(row)
    twice = [pair for pair in by_person.values() if len(pair) == 2]
    strangers = list(zip(rows[::7], rows[3::7], strict=False))
    strangers = [pair for pair in strangers if person(pair[0][0]) != person(pair[1][0])]
    return [(1, -1.0, *pair) for pair in twice[:matches]] + [(0, -1.0, *pair) for pair in strangers[:others]]


def test_exported_pairs_are_training_samples_of_another_model_and_labels_of_match(run, capsys):
    label(true_labels())
    code, out, err = run("exportModel", "--location", "exported")
    assert (code, err) == (0, "")
    with open("exported/exportedData.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["z_cluster", "z_isMatch", *(name for name in COLUMNS if name != "add2")]
    assert [(row[0], row[1]) for row in rows] == [
        (f"c{at // 2}", "1" if at < 16 else "0") for at in range(32)
    ]
    # As the summary says.
    sample = json.loads("{" + re.search('"trainingSamples".*', out)[0] + "}")
    configure("other.json", modelId="other", **sample)
    code, _, err = run("train", conf="other.json")
    assert code == 0
    learnt = json.loads(Path("models/other/model/model.json").read_text())["learnt from"]
    assert learnt["labels"] == 16
    command = re.search("pehchan (match .*)", out)[1].replace("FILE", "customers.csv").split()
    assert main([*command, "-q", "-o", "matched"]) == 0
    assert "labels (8 match, 8 no match)" in capsys.readouterr().out


def test_labels_of_pehchan_are_training_samples(run):
    assert main(["ask", "customers.csv", "--model", "model", "-q"]) == 0
    book = Path("model/labels.csv")
    with open(book, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["z_cluster", "z_isMatch", "pehchan_set", "pehchan_id", *COLUMNS])
        for number, (answer, _, *records) in enumerate(true_labels()):
            writer.writerows([number, answer, "", record[0], *record] for record in records)
    configure("c.json", trainingSamples=[source("samples", str(book))])
    assert run("train")[0] == 0
    learnt = json.loads((FOLDER / "model/model.json").read_text())["learnt from"]
    assert learnt["labels"] == 16


@pytest.mark.parametrize(
    ("phase", "more", "told"),
    [
        ("exportModel", (), "Give --location DIR."),
        ("exportModel", ("--location", "s3://there/x"), "no folder of this machine"),
        ("exportModel", ("--location", "x"), "no pair is labelled yet"),
        ("peekModel", (), "--phase train"),
    ],
)
def test_what_is_not_there_is_told(run, phase, more, told):
    code, _, err = run(phase, *more)
    assert code == 2
    assert told in err


def test_answers_are_counted_by_what_the_model_had_thought(run):
    one, two = customers(3)[:2]
    answers = [(1, 1.0), (1, 1.0), (1, 0.0), (0, 0.0), (0, 1.0), (2, 1.0), (2, -1.0), (0, -1.0)]
    label([(*pair, one, two) for pair in answers])
    code, out, _ = run("assessModel")
    assert code == 0
    numbers = [line.rsplit(None, 2) for line in out.splitlines()]
    assert ["marked", "8"] in [each[-2:] for each in numbers]
    for row in ("MATCH 2 1", "DO NOT MATCH 1 1", "NOT SURE 1 0"):
        assert row in [" ".join(line.split()) for line in out.splitlines()]
    assert "6 of them were chosen by a model" in out


def test_what_was_learnt_is_told_in_words(run):
    assert run("train")[0] == 0
    code, out, _ = run("peekModel")
    assert code == 0
    model = json.loads((FOLDER / "model/model.json").read_text())
    told = " ".join(out.split())
    assert all(" ".join(text.split()) in told for text in model["findings"])
    shares = {field["name"]: field["levels of matches"][-1] for field in model["fields"]}
    for name, share in shares.items():
        assert f"{name} {share:.1%}" in told
    assert all(key in told for key in model["keys"]["texts"])


class Page(HTMLParser):
    """The texts of a page, and its tags."""

    def __init__(self, path):
        super().__init__()
        self.texts, self.tags = [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_data(self, data):
        self.texts.append(data)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def test_pages_tell_of_pairs_the_model_and_the_data(run):
    label(true_labels(6, 5))
    run("train")
    code, out, _ = run("generateDocs")
    assert code == 0
    assert "docs/model.html" in out
    model, data = Page(FOLDER / "docs/model.html"), Page(FOLDER / "docs/data.html")
    assert "11 pairs labelled 6 match 5 do not match 0 not sure 0 pairs wait" in model.text
    for _, _, *records in true_labels(6, 5):
        # The second is cut into what differs and what does not.
        assert records[0][0] in model.text
    findings = json.loads((FOLDER / "model/model.json").read_text())["findings"]
    assert all(" ".join(text.split()) in model.text for text in findings)
    rows = customers(200)
    assert f"{len(rows)} records" in data.text
    filled = sum(bool(row[COLUMNS.index("ssn")].strip()) for row in rows) / len(rows)
    assert f"ssn string FUZZY {filled:.1%}" in data.text
    assert "add2 string no field: left out of the comparison 0.0%" in data.text
    assert "rec_id string DONT_USE 100.0%" in data.text
    assert run("generateDocs", "--showConcise", "true")[0] == 0
    for page in ("model.html", "data.html"):
        assert not {"rec_id", "DONT_USE"} & set(Page(FOLDER / "docs" / page).text.split())
    # Nothing is fetched from anywhere.
    text = (FOLDER / "docs/model.html").read_text()
    assert not re.search(r"https?://|<script|src=", text)


def test_pages_are_there_before_there_is_anything_to_tell(run):
    assert run("generateDocs")[0] == 0
    assert "No pair is labelled yet" in Page(FOLDER / "docs/model.html").text
    assert "There is no model yet" in Page(FOLDER / "docs/model.html").text


def test_what_stands_in_records_is_shown_as_text(run):
    evil = [EVIL, *["x"] * (len(COLUMNS) - 1)]
    other = [f'" onclick="{EVIL}', *["<b>y</b>"] * (len(COLUMNS) - 1)]
    label([(1, -1.0, evil, other)])
    write(Path("customers.csv"), [list(COLUMNS), *customers(50)])
    configure("c.json", modelId="7", data=[source(EVIL, "customers.csv")])
    assert run("generateDocs")[0] == 0
    for page in ("model.html", "data.html"):
        found = Page(FOLDER / "docs" / page)
        assert "script" not in found.tags
        assert EVIL in "".join(found.texts)
    assert "<b>y" not in (FOLDER / "docs/model.html").read_text()


def test_pairs_of_a_table_without_rows_are_none():
    schema = pa.schema([("z_cluster", pa.string()), ("z_isMatch", pa.int32())])
    assert pairs_of(schema.empty_table(), "x").pairs == ()
    assert pairs_of(None, "x").fields == ()
