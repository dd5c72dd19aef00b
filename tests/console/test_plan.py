"""What pehchan plan says of a run, beside what the run then does."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import near_duplicates
import pytest

from pehchan.console import planning
from pehchan.console.inputs import InputFile, Prepared
from pehchan.console.pipeline import Request
from pehchan.console.planning import forecast

CUSTOMERS = Path(__file__).parents[2] / "tutorial" / "customers.py"

SCHEMA = """\
id: id
columns: [id, name, address, city, phone]
fields:
  name: {measure: edit}
  address: {measure: edit, weight: 2}
  phone: {measure: edit, tokens: false, threshold: 0.3}
cutoff: 150
"""


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """About 3,000 made-up customers."""
    folder = tmp_path_factory.mktemp("customers")
    switches = ["--records", "2000", "--seed", "3", "--output", "customers.csv", "--truth", "truth.csv"]
    subprocess.run([sys.executable, CUSTOMERS, *switches], cwd=folder, check=True)
    return (folder / "customers.csv").read_text().splitlines(keepends=True)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, lines):
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(SCHEMA)
    Path("people.txt").write_text("".join(lines))
    return tmp_path


def planned(*inputs, **asked):
    return forecast(Request("plan", inputs, "", clusters=False, schema="s.yaml", **asked))[1]


def counters(called, *arguments):
    code, _, err = called("similarity", *arguments, "-o", "out", "--overwrite", "-q")
    assert code == 0, err
    return json.loads(Path("out/run.json").read_text())


def test_what_is_read_to_its_end_is_counted_exactly(called, lines):
    found = planned("people.txt")
    run = counters(called, "people.txt", "-s", "s.yaml")
    assert found.look.whole
    assert found.look.counted.records == {"": run["counters"]["Records"]["Read"]} == {"": len(lines)}
    assert found.look.counted.characters == run["counters"]["Records"]["Characters"]
    assert found.look.pairs == run["counters"]["Pairs"]["Compared"]
    assert list(found.plan.default_buckets) == run["plan"]["buckets"]


def test_all_pairs_of_a_small_input_are_tried_so_that_those_kept_are_known(called, lines):
    Path("few.txt").write_text("".join(lines[:1200] + lines[-600:]))
    kept = counters(called, "few.txt", "-s", "s.yaml")["counters"]["Pairs"]["Kept"]
    assert kept
    assert planned("few.txt").kept == kept


@pytest.mark.parametrize("packed", [False, True])
def test_a_sample_says_about_how_many_records_and_pairs_there_are(called, lines, monkeypatch, packed):
    monkeypatch.setattr(planning, "LOOKED_AT", 500)
    path = Path("people.txt")
    if packed:
        path = Path("people.txt.gz")
        path.write_bytes(gzip.compress("".join(lines).encode()))
    found = planned(str(path))
    assert not found.look.whole
    assert len(found.look.records) == 500
    # How much text there is in a packed file is a guess.
    slack = 0.6 if packed else 0.05
    assert found.look.counted.records[""] == pytest.approx(len(lines), rel=slack)
    count = found.look.counted.records[""]
    assert found.look.pairs == count * (count - 1) // 2
    assert "about" in called("plan", path, "-s", "s.yaml")[1].splitlines()[0]


class Elsewhere:
    """Stands in for a file on HDFS or S3: its beginning comes in chunks, and nobody asks for the rest."""

    name = "people.txt"

    def __init__(self, data):
        self.data, self.chunks_read = data, 0

    def size(self):
        return len(self.data)

    def chunks(self):
        for start in range(0, len(self.data), 1000):
            self.chunks_read += 1
            yield self.data[start : start + 1000]


@pytest.mark.parametrize("head", [10_000, 10_000_000])
def test_of_a_file_elsewhere_only_the_beginning_is_fetched(lines, monkeypatch, tmp_path, head):
    there = Elsewhere("".join(lines).encode())
    plan = planned("people.txt").plan
    monkeypatch.setattr(planning, "place", lambda path: there)
    monkeypatch.setattr(planning, "HEAD_BYTES", head)
    files = [InputFile("hdfs:///people.txt", "lines")]
    found = planning.look_at_records(
        files, Prepared("lines", {}, None, ()), plan, planning._Heads(), tmp_path
    )
    assert found.whole == (head > len(there.data))
    assert there.chunks_read == min(head, -(-len(there.data) // 1000) * 1000) / 1000
    assert found.counted.records[""] == pytest.approx(len(lines), rel=0 if found.whole else 0.05)


def test_many_files_are_looked_at_here_and_there(lines, monkeypatch):
    monkeypatch.setattr(planning, "FILES", 5)
    Path("parts").mkdir()
    for number in range(20):
        Path(f"parts/part-{number:02}").write_text("".join(lines[number::20]))
    found = planned("parts")
    assert not found.look.whole
    assert found.look.counted.records[""] == pytest.approx(len(lines), rel=0.05)


def test_partitions_are_told_from_a_sample_where_it_shows_enough_pairs(called, lines, monkeypatch):
    Path("s.yaml").write_text(SCHEMA + "partition: city\n")
    Path("people.txt").write_text(
        "".join(
            re.sub(r"(.*,.*,.*),.*(,.*)", rf"\1,{'TX' if k % 3 else 'CA'}\2", line)
            for k, line in enumerate(lines)
        )
    )
    exact = planned("people.txt")
    compared = counters(called, "people.txt", "-s", "s.yaml")["counters"]["Pairs"]["Compared"]
    assert exact.look.pairs == compared
    monkeypatch.setattr(planning, "LOOKED_AT", 500)
    assert planned("people.txt").look.pairs == pytest.approx(compared, rel=0.15)
    monkeypatch.setattr(planning, "LOOKED_AT", 5)
    monkeypatch.setattr(planning, "OF_A_FILE", 5)
    assert planned("people.txt").look.pairs is None
    assert "not to be told" in called("plan", "people.txt", "-s", "s.yaml")[1]


def test_two_sets_and_sets_told_by_the_id(called, lines):
    Path("base.txt").write_text("".join(lines[:900]))
    Path("other.txt").write_text("".join(lines[900:1000]))
    found = planned("base.txt", "other.txt", link=True)
    assert found.look.pairs == 900 * 100
    assert found.look.counted.records == {"a": 900, "b": 100}
    by_name = planned("base.txt", "other.txt", defines=["sts.inter.set.matching=true"])
    assert by_name.look.counted.records == {"base": 900, "other": 100}
    mixed = "".join(f"{'XY'[k % 2]}{line}" for k, line in enumerate(lines[:100]))
    Path("mixed.txt").write_text(mixed)
    defines = ["sts.inter.set.matching=true", "sts.set.ID.size=1"]
    of_ids = planned("mixed.txt", defines=defines)
    run = counters(called, "mixed.txt", "-s", "s.yaml", *(word for each in defines for word in ("-D", each)))
    assert of_ids.look.pairs == run["counters"]["Pairs"]["Compared"] == 50 * 50
    assert called("plan", "base.txt", "--link", "-s", "s.yaml")[0] == 2


def test_the_bounds_are_those_of_cutoff_weights_and_thresholds(called):
    code, out, _ = called("plan", "people.txt", "-s", "s.yaml", "--explain")
    assert code == 0
    # Of 4 in all 0.151 * 4 may be reached; a field of weight 2 reaches it at half of that.
    limits = dict(re.findall(r"(\w+) +edit +cut above ([\d.]+)", out))
    assert limits == {"name": "0.604", "address": "0.302", "phone": "0.300"}
    assert "its threshold" in re.search("phone .*", out)[0]
    assert "by manhattan over fields of weight 1, 2, 1" in out


def test_without_a_cutoff_nothing_is_cut_and_the_plan_says_what_would_help(called):
    Path("s.yaml").write_text(SCHEMA.replace("cutoff: 150\n", "").replace(", threshold: 0.3", ""))
    _, out, _ = called("plan", "people.txt", "-s", "s.yaml", "--explain")
    assert out.count("cuts nothing by itself") == 3
    assert "sts.dist.threshold" in out


def test_sifarish_answers_are_found_in_the_order_of_the_schema(called):
    _, out, _ = called("plan", "people.txt", "-s", "s.yaml", "--explain", "-D", "sifarish.compat=true")
    assert re.findall(r"(\w+) +edit ", out) == ["name", "address", "phone"]
    assert "sifarish.compat" in out


def test_reducers_and_memory_of_the_settings_are_planned_for():
    few, many = planned("people.txt"), planned("people.txt", defines=["sts.num.reducer=40"])
    assert few.cells < 120 <= many.cells
    assert many.compare_seconds < few.compare_seconds
    tight = planned("people.txt", defines=["memory.mb=256", "sts.output.record=true"])
    assert tight.megabytes <= 256


def test_nothing_is_written_and_what_stands_in_the_way_of_a_run_is_said(called, folder):
    before = sorted(folder.rglob("*"))
    assert called("plan", "people.txt", "-s", "s.yaml")[0] == 0
    Path("s.yaml").write_text(SCHEMA.replace("weight", "wieght"))
    before_mistake = sorted(folder.rglob("*"))
    code, out, err = called("plan", "people.txt", "-s", "s.yaml")
    assert (code, out) == (2, "")
    assert "wieght" in err
    assert sorted(folder.rglob("*")) == before == before_mistake


@pytest.mark.parametrize("content", ["1,Ann,a,b,5\n", "1,Ann\n2,Bob\n"])
def test_one_record_or_none_that_fits_is_no_reason_to_fail(called, content):
    Path("one.txt").write_text(content)
    code, out, err = called("plan", "one.txt", "-s", "s.yaml")
    assert code == 0, err
    assert "pairs    0 to compare" in out


def test_what_would_be_set_aside_is_said_with_the_reason(called, lines):
    Path("short.txt").write_text("1,Ann\n" + "".join(lines[:3]) + "2,Bob,x\n")
    _, out, _ = called("plan", "short.txt", "-s", "s.yaml")
    assert (
        "records  3\n         2 of 5 would be set aside; 1 of them: expected at least 5 columns, found 2"
        in out
    )


def test_a_csv_file_is_enough(called, lines):
    Path("people.csv").write_text("id,name,address,city,phone\n" + "".join(lines[:50]))
    code, out, err = called("plan", "people.csv")
    assert code == 0, err
    assert "this one was guessed" in out
    assert "records  50" in out


@pytest.fixture
def many(tmp_path):
    """20,000 records with near duplicates, and their schema, in the names that `planned` looks for."""
    data, schema = near_duplicates.written(tmp_path, records=20_000)
    Path("s.yaml").write_text(schema.read_text())
    return data


def test_the_plan_shows_the_ways_to_find_the_pairs_the_cheapest_first(called, many):
    code, out, _ = called("plan", str(many), "-s", "s.yaml")
    assert code == 0
    table = out[out.index("search ") : out.index("order ")].splitlines()
    assert table[0] == "search   signatures, as the first of these costs least, about:"
    assert table[1].split() == ["buckets", "parts", "signatures", "pairs", "s", "MB"]
    assert " pairs that have " in table[2]
    assert table[-1].endswith("tiles: all pairs are compared")
    searches = planned(str(many)).searches
    assert len(searches) > 2
    # Of those that cost about the same that of the fewest pairs comes first.
    least = min(search.microseconds for search in searches)
    alike = [search for search in searches if search.microseconds <= 1.1 * least]
    others = searches[len(alike) :]
    assert sorted(alike, key=lambda search: search.candidates) == searches[: len(alike)]
    assert sorted(others, key=lambda search: search.microseconds) == others
    # Each of different limits, and each for the same pairs.
    assert (
        len({tuple(search.index.limits.items()) for search in searches if search.index}) == len(searches) - 1
    )
    asked = planned(str(many), defines=["join=tiles"])
    assert asked.searches == []
    assert asked.index is None


def test_a_plan_says_about_how_many_pairs_an_index_finds(called, many):
    search = planned(str(many)).searches[0]
    found = counters(called, str(many), "-s", "s.yaml")["counters"]["Pairs"]["Compared"]
    assert abs(search.candidates - found) <= max(0.1 * found, 3 * search.error)
    assert search.error < 0.1 * found


def test_two_sets_are_indexed_as_one_is(called, many):
    records = many.read_text().splitlines(keepends=True)
    Path("a.csv").write_text("".join(records[:12_000]))
    Path("b.csv").write_text("".join(records[12_000:]))
    search = planned("a.csv", "b.csv", link=True).searches[0]
    assert search.index is not None
    assert len(search.buckets) == 2
    pairs = {}
    for join in ("tiles", "auto"):
        asked = ["link", "a.csv", "b.csv", "-s", "s.yaml", "-q", "-o", join, "-D", f"join={join}"]
        assert called(*asked)[0] == 0
        pairs[join] = sorted(
            line for part in Path(join, "pairs").iterdir() for line in part.read_text().splitlines()
        )
    assert len(pairs["tiles"]) > 1000
    assert pairs["auto"] == pairs["tiles"]
    counted = {join: json.loads(Path(join, "run.json").read_text())["counters"]["Pairs"] for join in pairs}
    assert counted["tiles"]["Compared"] == 12_000 * 8000
    assert counted["auto"]["Compared"] < 12_000 * 400


def test_with_less_memory_an_index_has_more_buckets(many):
    def buckets(memory):
        search = planned(str(many), defines=[f"memory.mb={memory}", "join=signatures"]).searches[0]
        assert search.megabytes <= memory
        return search.buckets[0]

    assert buckets(768) < buckets(256)


def test_several_tasks_share_the_fields_of_an_index(called, many):
    # So that it pays: an index that costs more than to read the records again.
    asked = ["-D", "sts.dist.threshold=150", "-D", "join=signatures", "-D", "sts.num.reducer=3"]
    search = planned(str(many), defines=asked[1::2]).searches[0]
    assert len(search.index.parts) > 1
    assert sorted(number for part in search.index.parts for number in part) == sorted(search.index.limits)
    pairs = {}
    for reducers in (1, 3):
        switches = [*asked[:-1], f"sts.num.reducer={reducers}", "-r", "local", "-o", f"by-{reducers}", "-q"]
        assert called("similarity", str(many), "-s", "s.yaml", *switches)[0] == 0
        pairs[reducers] = sorted(
            line
            for part in Path(f"by-{reducers}", "pairs").iterdir()
            for line in part.read_text().splitlines()
        )
    assert pairs[1] == pairs[3]
    assert len(pairs[3]) == len(set(pairs[3])) > 1000
    counted = [json.loads(Path(f"by-{k}", "run.json").read_text())["counters"] for k in (1, 3)]
    assert counted[0]["Missing Data"] == counted[1]["Missing Data"]
