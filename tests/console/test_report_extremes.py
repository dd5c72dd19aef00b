"""Reports of records with very many fields, with very long values, and of runs that find nothing."""

import json
import random
import re
import string
from pathlib import Path

import pytest
from report_pages import page_of

from pehchan.console.explaining import Part
from pehchan.console.report_values import LONGEST, PARTS, SideBySide, _most, start_of

LONG = "lorem ipsum dolor sit amet " * 400


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("place", [0, 150, 4000, len(LONG) - 2, len(LONG) - 1])
def test_of_long_values_the_part_is_shown_in_which_they_differ(place):
    changed = f"{LONG[:place]}#{LONG[place + 1 :]}"
    start = start_of([LONG, changed])
    shown = SideBySide._value(_Plain(), LONG, changed, start)
    text = "".join(piece for piece, _ in shown)
    assert [piece for piece, marked in shown if marked] == ["#"]
    assert text.endswith(" (10,800 characters)")
    assert text.startswith("…") == (start > 0)
    assert len(text) <= LONGEST + len("……  (10,800 characters)")
    same = SideBySide._value(_Plain(), LONG, LONG, start)
    assert not any(marked for _, marked in same)
    assert start_of([LONG, LONG]) == 0


def test_where_what_is_cut_away_differs_too_the_ellipsis_is_marked():
    changed = "#" + LONG[1:-1] + "#"
    assert SideBySide._value(_Plain(), LONG, changed, start_of([LONG, changed]))[-2] == ("…", True)


class _Plain:
    """What a value needs to know of a page: that nothing is masked."""

    _mask = None


def test_of_many_parts_those_that_add_most_are_shown_and_all_add_up():
    chance = random.Random(5)
    parts = [Part(f"f{k}", 0.5, chance.choice([0.0, chance.uniform(-3, 3)]), "") for k in range(300)]
    shown = _most(parts)
    assert len(shown) == PARTS
    assert sum(part.share for part in shown) == pytest.approx(sum(part.share for part in parts))
    smallest = min(abs(part.share) for part in shown[:-1])
    rest = [part for part in parts if part not in shown]
    assert shown[-1].name == f"{len(rest)} other fields"
    assert all(abs(part.share) <= smallest for part in rest)
    order = [parts.index(part) for part in shown[:-1]]
    assert order == sorted(order)
    assert _most(parts[:PARTS]) == parts[:PARTS]
    # What adds nothing needs no line.
    nothing = [Part(f"g{k}", 0.0, 0.0, "") for k in range(99)]
    assert [part.name for part in _most([*nothing, Part("f", 0.5, 1.0, "")])] == ["f", "99 other fields"]


def test_a_report_of_three_hundred_columns_shows_what_differs(called, folder):
    chance = random.Random(7)
    word = lambda: "".join(chance.choices(string.ascii_lowercase, k=8))  # noqa: E731
    lines = ["id," + ",".join(f"column{k}" for k in range(300))]
    for number in range(12):
        row = [word() for _ in range(300)]
        lines.append(f"{number}a," + ",".join(row))
        row[270] = "different"
        lines.append(f"{number}b," + ",".join(row))
    Path("wide.csv").write_text("\n".join(lines))
    fields = "".join(f"  column{k}: levenshtein\n" for k in range(300))
    Path("s.yaml").write_text(f"id: id\nfields:\n{fields}cutoff: 100\n")
    code, _, err = called("dedupe", "wide.csv", "-s", "s.yaml", "-o", "out", "-q")
    assert code == 0, err
    page = page_of("out")
    plots = [name for name in json.loads(page.scripts[0]) if name.startswith("field-")]
    assert len(plots) == 24
    assert "Drawn are the 24 of 300 fields" in page.text
    assert "20 of 300 fields are shown, first of all those in which these records differ." in page.text
    clusters = page.text.partition("The most doubtful clusters")[2].partition("The most doubtful pairs")[0]
    pairs = page.text.partition("The most doubtful pairs")[2]
    assert clusters.count("column270") == clusters.count("different") == 8
    assert pairs.count("column270") >= 8
    assert "299 other fields" in pairs
    # All fields have their numbers in the tables.
    assert set(re.findall(r"column\d+", page.text)) == {f"column{k}" for k in range(300)}


def test_a_run_without_duplicates_says_so_and_counts_agree_with_their_words(called, folder):
    Path("s.yaml").write_text("id: id\nfields: {name: levenshtein}\ncutoff: 100\n")
    for names, said in (
        (["aaaa", "zzzz"], "There is no cluster of two records or more: all 2 records stand alone."),
        (
            ["aaaa", "aaaa", "zzzz"],
            "1 cluster of two records or more, the largest of 2, and 1 record alone. In all of them all pairs are "
            "under the cutoff.",
        ),
    ):
        Path("names.csv").write_text("id,name\n" + "".join(f"{k},{name}\n" for k, name in enumerate(names)))
        assert called("dedupe", "names.csv", "-s", "s.yaml", "-o", "out", "--overwrite", "-q")[0] == 0
        assert said in page_of("out").text
