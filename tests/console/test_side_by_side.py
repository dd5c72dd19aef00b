"""What a person sees of a cluster: aligned, marked where records differ, and harmless to the terminal."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.console.side_by_side import show_cluster

COLUMNS = ["name", "address", "phone"]
FIRST = ("106379", ["Richard Gomez", "2934 Encino Pt", "210 4811932"])
SGR = re.compile("\x1b\\[[0-9;]*m")


def second(name=FIRST[1][0], address=FIRST[1][1], phone=FIRST[1][2]):
    return ("206379", [name, address, phone])


def shown(reference, value, width=80, color=False):
    """The last line of a table of two values, without its id."""
    table = show_cluster("t", ["v"], [("1", [reference]), ("2", [value])], color, width)
    return table.splitlines()[-1][4:]


def cells(text):
    """The width of a text on a terminal, by the East Asian width of its characters."""
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in SGR.sub("", text)
    )


def test_the_table_as_a_whole():
    records = [FIRST, second("Richard Gomz", "2935 Encino Pt", ""), second(phone="210 48119321")]
    assert show_cluster("cluster 7", COLUMNS, records) == (
        "cluster 7\n"
        "id      name            address           phone\n"
        "106379  Richard Gomez   2934 Encino Pt    210 4811932\n"
        "206379  Richard Gom[]z  293[5] Encino Pt  []\n"
        "206379  Richard Gomez   2934 Encino Pt    210 4811932[1]\n"
    )


def test_equal_values_are_shown_plain():
    assert "[" not in show_cluster("t", COLUMNS, [FIRST, second()])
    assert "\x1b" not in show_cluster("t", COLUMNS, [FIRST, second()], color=True)
    assert shown("", "") == ""


@pytest.mark.parametrize(
    ("reference", "value", "marked"),
    [
        ("Gomez", "Gomes", "Gome[s]"),
        ("Gomez", "Goomez", "Go[o]mez"),
        ("Gomez", "Gmez", "G[]mez"),
        ("Gomez", "Gome", "Gome[]"),
        ("Richard", "RichardX Y", "Richard[X Y]"),
        ("Gomez ", "Gomez", "Gomez[]"),
        ("Samantha", "Semntha", "S[e]m[]ntha"),
        ("San Antonio TX", "San Antoino TX", "San Anto[i]n[]o TX"),
        ("Gomez", "Gomez ", "Gomez[ ]"),
        ("", "Gomez", "[Gomez]"),
        ("Gomez", "", "[]"),
        ("Richard Gomez", "Jim Dobbs", "[Jim Dobbs]"),
    ],
)
def test_what_differs_is_marked(reference, value, marked):
    assert shown(reference, value) == marked


def test_in_colour_the_marked_characters_are_escaped_for_the_terminal():
    assert shown("2934 Encino", "2935 Encino", color=True) == "293\x1b[1;4;31m5\x1b[0m Encino"
    assert shown("2934 Encino", "294 Encino", color=True) == "29\x1b[1;4;31m[]\x1b[0m4 Encino"


@given(st.text("ab [é", max_size=12), st.text("ab [é", max_size=12))
def test_without_the_marks_the_values_are_as_they_were(reference, value):
    line = shown(reference, value, color=True)
    text = SGR.sub("", line.replace("\x1b[1;4;31m[]\x1b[0m", ""))
    assert text.rstrip(" ") == value.rstrip(" ")
    assert (reference == value) == ("\x1b" not in line)


@pytest.mark.parametrize("color", [False, True])
def test_nothing_in_the_data_reaches_the_terminal_as_a_command(color):
    evil = "".join(map(chr, [*range(32), *range(127, 160), 0xAD, 0x202E, 0x2028, 0x2066, 0xD800]))
    columns = [f"c{evil}", "d"]
    table = show_cluster(f"t{evil}", columns, [(evil, [evil, "x"]), ("2", [evil[::-1], evil])], color, 2000)
    for line in SGR.sub("", table).split("\n"):
        bad = [c for c in line if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
        assert bad == []
    assert len(table.split("\n")) == 5
    if color:
        assert set(SGR.findall(table)) == {"\x1b[1;4;31m", "\x1b[0m"}
    for escape in (r"\x1b", r"\n", r"\x9b", r"\u202e", r"\ud800"):
        assert escape in table


def test_wide_and_combining_characters_keep_the_columns_aligned():
    records = [
        ("1", ["山田太郎", "x"]),
        ("2", ["山田次郎", "y"]),
        ("3", ["Zoe\u0308", "z"]),
        ("4", ["Ａb", "w"]),
    ]
    lines = show_cluster("t", ["v", "last"], records).splitlines()[1:]
    start = lines[0].index("last")
    assert lines[2].startswith("2   山田[次]郎  [y]")
    assert {cells(line[: line.rindex("  ") + 2]) for line in lines} == {start}


LONG = "the quick brown fox jumps over the lazy dog and then goes home to sleep until the sun is up again"


def test_a_long_value_is_cut_around_the_difference_at_the_same_place_in_all_records():
    changed = LONG.replace("goes", "gaes")
    lines = show_cluster("t", ["v"], [("1", [LONG]), ("2", [changed]), ("3", [LONG])], width=50).splitlines()
    assert "g[a]es" in lines[3]
    assert all(line[4] == "…" and line.endswith("…") for line in lines[2:])
    starts = [line[5:15] for line in lines[2:]]
    assert starts[0] == starts[1] == starts[2] in LONG


def test_a_difference_that_is_cut_away_marks_the_ellipsis():
    changed = LONG.replace("quick", "quack").replace("again", "agaxn")
    assert shown(LONG, changed, 40).endswith("[…]")
    only_late = shown(LONG, LONG.replace("again", "agaxn"), 40)
    assert only_late.startswith("…")
    assert only_late.endswith("aga[x]n")


def test_a_difference_just_behind_the_cut_marks_the_ellipsis():
    plain, changed = "x" * 40, "y" + "x" * 33 + "y" + "x" * 5
    assert shown(plain, changed, 40) == "[y]" + "x" * 30 + "[…]"
    assert shown(plain, changed[:34] + "x" * 6, 40) == "[y]" + "x" * 32 + "…"


def test_equal_long_values_show_their_beginning():
    line = shown(LONG, LONG, 40)
    assert line == LONG[:36][: len(line) - 1] + "…"
    assert len(line) == 36


def test_columns_that_do_not_fit_go_on_in_a_further_band():
    columns = [f"column{number}" for number in range(13)]
    records = [(str(at), [f"value {number} of {at}" for number in range(13)]) for at in range(3)]
    table = show_cluster("t", columns, records, width=80)
    bands = table.split("\n", 1)[1].split("\n\n")
    assert len(bands) > 1
    assert [name for band in bands for name in band.split("\n")[0].split()[1:]] == columns
    assert all(len(band.strip("\n").split("\n")) == 4 for band in bands)


def test_a_band_is_as_wide_as_the_line_and_no_wider():
    assert show_cluster("t", ["a" * 7, "b" * 7], [("1", ["", ""])], width=20).count("id") == 1
    assert show_cluster("t", ["a" * 7, "b" * 8], [("1", ["", ""])], width=20).count("id") == 2


def test_where_not_all_columns_fit_no_column_takes_the_whole_line():
    one, two = "x" * 100, "y" * 100
    table = show_cluster("t", ["a", "b"], [("1", [one, two])], width=120)
    assert table.splitlines()[-1] == f"1   {'x' * 39}…  {'y' * 39}…"


def test_long_ids_keep_their_ends():
    address = "http://www.example.org/feeds/snippets/"
    table = show_cluster("t", ["v"], [(address + "1111", ["x"]), (address + "2222", ["x"])], width=60)
    lines = table.splitlines()
    assert lines[2].startswith("http:/…")
    assert lines[2].split()[0].endswith("1111")
    assert lines[3].split()[0].endswith("2222")


def test_a_value_that_ends_with_an_ellipsis_and_fits_is_not_cut():
    assert shown("x" * 30 + "a…", "x" * 30 + "b…") == "x" * 30 + "[b]…"


values = st.text(st.sampled_from("ab é山\x1b\u0301"), max_size=30) | st.text("ab", min_size=60, max_size=200)


@given(
    rows=st.lists(st.tuples(values, st.tuples(values, values, values)), max_size=4),
    title=values,
    width=st.integers(1, 90),
    color=st.booleans(),
)
def test_no_line_is_wider_than_asked_for(rows, title, width, color):
    table = show_cluster(title, ["a", "a long name of a column", "山"], rows, color, width)
    assert max(map(cells, table.split("\n"))) <= max(width, 20)
    assert table.endswith("\n")


def test_values_of_megabytes_are_shown_at_once():
    assert shown("ab" * 2_500_000, "ba" * 2_500_000).startswith("[")
    assert shown("x" * 5_000_000 + "y", "x" * 5_000_000 + "z").endswith("x[z]")


def test_a_title_without_records_is_all_there_is_to_show():
    assert show_cluster("t", ["a"], []).splitlines() == ["t", "id  a"]
