"""The page of a report: whole in itself, and safe, whatever the records hold."""

import base64
import csv
import hashlib
import json
import os
import re
import stat
from pathlib import Path

import pytest
from report_pages import page_of

from pehchan.console import plots
from pehchan.console.masking import Masking

HOSTILE = {
    "script": "</td></script><script>window.pwned=1</script>",
    "quotes": "\"'><img src=https://example.org/x onerror=alert(1)>",
    "template": "{{ 7 * 191 }}{% raw %}",
    "right-to-left": "\u202eevil\u202c \u05d0\u05d1",
    "control": "a\x1b[31mb\x07c",
    "comment": "<!--<script>",
}
HEADER = ["id", "na<b>me", "note"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with hostile.csv, its output `out`, and the same with masks as `masked`."""
    from pehchan.console.command import main

    folder = tmp_path_factory.mktemp("page")
    rows = []
    for number, (name, value) in enumerate(HOSTILE.items()):
        rows += [[f"{number}a{value}", value, name], [f"{number}b", value + "x", name]]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with open("hostile.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([HEADER, *rows, ["9", "Geheimnis & Co"]])
        Path("s.yaml").write_text(
            'id: id\nfields: {"na<b>me": {measure: levenshtein}, note: {measure: exact}}\ncutoff: 150\n'
        )
        common = ["-s", "s.yaml", "-D", "rejected.max.share=0.5", "-q"]
        assert main(["dedupe", "hostile.csv", "-o", "out", *common]) == 0
        assert main(["dedupe", "hostile.csv", "-o", "masked", "--mask", *common]) == 0
    return folder


@pytest.fixture(autouse=True)
def in_folder(run, monkeypatch):
    monkeypatch.chdir(run)


def test_values_stand_there_as_text():
    page = page_of("out")
    for name in ("script", "quotes", "template", "comment"):
        assert HOSTILE[name] in page.text
    # What a browser would obey is shown as an escape.
    assert "\\u202eevil\\u202c \u05d0\u05d1" in page.text
    assert "a\\x1b[31mb\\x07c" in page.text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", page.text)
    tags = [tag for tag, _ in page.elements]
    assert "img" not in tags
    assert "b" not in tags
    assert "na<b>me" in page.text
    assert len(page.scripts) == 3
    assert not any("pwned" in script for script in page.scripts)
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], tag


def test_the_page_allows_its_own_scripts_and_style_and_nothing_from_elsewhere():
    page = page_of("out")
    policies = [a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    rules = {name: rest for name, _, rest in (rule.strip().partition(" ") for rule in policies[0].split(";"))}
    assert rules["default-src"] == "'none'"
    source = Path("out/report.html").read_text(encoding="utf-8")
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    assert rules["style-src"].split() == [digest(style[1])]
    # The first of the scripts is data.
    assert rules["script-src"].split() == [digest(script) for script in page.scripts[1:]]
    assert set(rules) == {"default-src", "base-uri", "form-action", "style-src", "script-src"}
    for tag, attributes in page.elements:
        assert not {"src", "srcset", "style", "action"} & set(attributes), tag
        assert attributes.get("href", "#").startswith("#")
        assert tag not in ("link", "iframe", "object", "embed", "base")


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def test_it_is_small_and_its_plots_are_what_vega_lite_reads():
    import vl_convert

    assert Path("out/report.html").stat().st_size < 5_000_000
    page = page_of("out")
    specs = json.loads(page.scripts[0])
    places = [a["data-plot"] for _, a in page.elements if "data-plot" in a]
    assert sorted(places) == sorted(specs)
    for spec in specs.values():
        assert vl_convert.vegalite_to_vega(spec)["marks"]


def test_json_cannot_end_the_script_that_it_stands_in():
    values = {"a": [*HOSTILE.values(), "\u2028", "]]>"]}
    text = plots.as_json(values)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == values
    assert "</script" not in plots.script()


def test_every_plot_has_its_numbers_in_a_table():
    page = page_of("out")
    kinds = {tag for tag, _ in page.elements}
    assert {"caption", "details", "summary", "nav", "main", "h1"} <= kinds
    assert all(attributes.get("scope") for tag, attributes in page.elements if tag == "th")
    for tag, attributes in page.elements:
        if attributes.get("role") in ("img", "region"):
            assert attributes["aria-label"], tag
    assert dict(page.elements)["html"]["lang"] == "en"


def rejected(out):
    return [json.loads(line) for part in Path(out, "rejected").iterdir() for line in part.open()]


def test_masks_tell_nothing_but_what_is_the_same():
    source = Path("masked/report.html").read_text(encoding="utf-8")
    page = page_of("masked")
    assert "Values are masked" in page.text
    # In the scripts of the library stands much; records are elsewhere.
    seen = source.partition('<script type="application/json"')[0]
    for value in HOSTILE.values():
        for part in re.findall(r"[a-z]{4,}", value):
            if part not in ("script", "window", "alert", "example"):
                assert part not in seen.partition("</style>")[2], part
    for name in HOSTILE:
        assert f">{name}<" not in seen
    masks = re.findall(r"#[0-9a-f]{10}\b", page.text)
    # Both records of a pair have the same note.
    assert len(masks) > len(set(masks)) > 10
    for part in rejected("masked"):
        assert re.fullmatch(r"#[0-9a-f]{10}", part["line"])
    assert "Geheimnis" in str(rejected("out"))
    assert "Geheimnis" not in str(rejected("masked"))
    assert len(rejected("masked")) == len(rejected("out")) == 1


def test_a_mask_is_of_one_length_and_cannot_be_found_by_trying():
    mask, other = Masking(), Masking()
    assert mask("a") == mask("a") != mask("b")
    assert {len(mask(value)) for value in ("a", "b" * 10_000, "\ud800")} == {11}
    assert mask("a") != other("a")
    assert mask("") == ""


def test_too_many_lines_set_aside_are_masked_too(called):
    code, _, err = called("dedupe", "hostile.csv", "-s", "s.yaml", "-o", "few", "--mask")
    assert code == 1
    assert "were set aside" in err
    kept = Path("few.rejected.jsonl")
    assert "Geheimnis" not in kept.read_text()
    assert mode(kept) == 0o600


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.mark.parametrize("out", ["out", "masked"])
def test_what_holds_values_is_for_its_owner_alone(out):
    assert mode(f"{out}/report.html") == 0o600
    for folder in ("rejected", "internal"):
        assert mode(f"{out}/{folder}") == 0o700
        for path in Path(out, folder).rglob("*"):
            assert mode(path) == (0o700 if path.is_dir() else 0o600)


def test_so_are_models_and_labels(called, tmp_path):
    with open(tmp_path / "a.csv", "w", encoding="utf-8") as file:
        file.write("id,name,city\n")
        file.writelines(f"{k},name {k // 2 * 7919 % 1000},city {k // 2 * 31 % 17}\n" for k in range(60))
    for model in ([], ["--model", tmp_path / "model"]):
        assert called("match", tmp_path / "a.csv", "-o", tmp_path / "out", "--overwrite", *model)[0] == 0
    assert called("match", tmp_path / "a.csv", "-o", tmp_path / "own")[0] == 0
    assert mode(tmp_path / "own/model") == 0o700
    for folder in (tmp_path / "own/model", tmp_path / "model"):
        assert {mode(path) for path in folder.iterdir() if path.name.endswith(".json")} == {0o600}
    from pehchan.learning.labels import write_label_file

    write_label_file(tmp_path / "labels.csv", ["name"], [])
    assert mode(tmp_path / "labels.csv") == 0o600


def test_truth_adds_scores_and_a_curve_and_the_rest_stays(called):
    before = page_of("out").text
    Path("truth.csv").write_text("id,cluster\n" + "".join(f"{k}b,{k}\n" for k in range(6)))
    assert "Against the truth" not in before
    code, _, err = called("evaluate", "out", "--truth", "truth.csv", "--report")
    assert (code, err) == (0, "")
    page = page_of("out")
    assert "Against the truth" in page.text
    assert "curve" in json.loads(page.scripts[0])
    assert mode("out/report.html") == 0o600
    assert HOSTILE["script"] in page.text
    code, _, err = called("evaluate", "out", "--truth", "truth.csv", "--mask")
    assert code == 2
    assert "--mask: it is of --report." in err
    assert called("evaluate", "out", "--truth", "truth.csv", "--report", "--mask")[0] == 0
    assert "Values are masked" in page_of("out").text
