"""Blocking from the command: what is compared, what a plan says of it, and blocks that are too large."""

import json
import re
import subprocess
import sys
from collections import Counter
from itertools import combinations, product
from pathlib import Path

import pytest

from pehchan.console import planning, recall

CUSTOMERS = Path(__file__).parents[2] / "tutorial" / "customers.py"

SCHEMA = """\
id: id
fields:
  name: {measure: edit}
  address: {measure: edit, weight: 2}
cutoff: 200
blocking:
"""


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """About 600 made-up customers as (id, name, address, city, phone); one has no name."""
    folder = tmp_path_factory.mktemp("customers")
    switches = ["--records", "400", "--seed", "3", "--output", "c.csv", "--truth", "truth.csv"]
    subprocess.run([sys.executable, CUSTOMERS, *switches], cwd=folder, check=True)
    lines = (folder / "c.csv").read_text().splitlines()
    return [*(tuple(line.split(",")) for line in lines), ("nameless", "", "1 Main St", "Austin TX 78701", "")]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, rows):
    monkeypatch.chdir(tmp_path)
    write(rows, "people.csv")
    schema("tokens(name)", "prefix(city, 4)")
    return tmp_path


def write(rows, name):
    lines = [",".join(row) + "\n" for row in rows]
    Path(name).write_text("id,name,address,city,phone\n" + "".join(lines))


def schema(*keys):
    Path("s.yaml").write_text(SCHEMA + "".join(f"  - {key}\n" for key in keys))


def words(row):
    return set(row[1].lower().split())


def share(a, b):
    """Whether two rows share a value of the two keys, in plain Python."""
    return bool(words(a) & words(b)) or a[3].lower()[:4] == b[3].lower()[:4]


def pairs(out="out"):
    lines = [line for path in Path(out, "pairs").iterdir() for line in path.read_text().splitlines()]
    return sorted(lines)


def ran(called, *arguments, command="similarity", out="out", code=0):
    """run.json of a run."""
    given = called(command, *arguments, "-s", "s.yaml", "-o", out, "--overwrite", "-q")
    assert given[0] == code, given[2]
    return json.loads(Path(out, "run.json").read_text())["counters"]


def said(called, *arguments):
    code, out, err = called("plan", "people.csv", "-s", "s.yaml", *arguments)
    assert code == 0, err
    return out


def test_only_pairs_that_share_a_key_are_compared_and_the_plan_says_how_many(called, rows):
    counters = ran(called, "people.csv")
    wanted = sum(share(a, b) for a, b in combinations(rows, 2))
    assert counters["Pairs"]["Compared"] == wanted < len(rows) ** 2 / 10
    assert counters["Pairs"]["Met before"]
    assert f"pairs    {wanted:,} to compare" in said(called)
    all_pairs = ran(called, "people.csv", "-D", "blocking=false", out="all")
    assert all_pairs["Pairs"]["Compared"] == len(rows) * (len(rows) - 1) // 2
    shared = {(a[0], b[0]) for a, b in combinations(sorted(rows), 2) if share(a, b)}
    assert pairs() == [line for line in pairs("all") if tuple(line.split(",")[:2]) in shared]


@pytest.mark.parametrize(
    "define", ["bucket.records=20", "memory.mb=256", "batch.bytes=500", "sts.num.reducer=5"]
)
def test_the_answer_is_the_same_however_blocks_are_cut(called, define):
    once = ran(called, "people.csv")
    again = ran(called, "people.csv", "-D", define, out="again")
    assert pairs("again") == pairs()
    assert again["Pairs"] == once["Pairs"]


def test_two_sets_are_linked_by_their_keys(called, rows):
    write(rows[::2], "a.csv")
    write(rows[1::2], "b.csv")
    counters = ran(called, "a.csv", "b.csv", command="link")
    wanted = sum(share(a, b) for a, b in product(rows[::2], rows[1::2]))
    assert counters["Pairs"]["Compared"] == wanted
    code, out, _ = called("plan", "a.csv", "b.csv", "--link", "-s", "s.yaml")
    assert code == 0
    assert f"pairs    {wanted:,} to compare" in out


def test_records_without_a_key_are_told(called, rows):
    schema("tokens(name)")
    counters = ran(called, "people.csv")
    assert counters["Records"]["Without blocking key"] == 1
    _, out, _ = called("similarity", "people.csv", "-s", "s.yaml", "-o", "again", "-q")
    assert "records without a blocking key, which meet nothing: 1\n" in out
    assert f"records without a key, which meet nothing: 1 of {len(rows)}\n" in said(called)


def test_too_large_blocks_stop_a_run_before_it_compares_and_are_named(called, rows):
    sizes = Counter(word for row in rows for word in words(row))
    most = max(sizes.values())
    schema("tokens(name)")
    code, _, err = called(
        *("similarity", "people.csv", "-s", "s.yaml", "-o", "out", "-q"),
        "-D",
        f"blocking.max.records={most - 1}",
    )
    assert code == 1
    assert f"more than blocking.max.records={most - 1}:\n  {most} records: tokens(name) = " in err
    assert "Nothing was compared." in err
    assert not list(Path(".").glob("out*"))
    assert "a run would stop: " in (plan := said(called, "-D", f"blocking.max.records={most - 1}"))
    assert f"{most} records: tokens(name) = " in plan
    ran(called, "people.csv", "-D", f"blocking.max.records={most}")


def test_of_too_large_blocks_those_meet_that_share_the_next_key(called, rows):
    most = 6
    sizes = Counter(("word", word) for row in rows for word in words(row))
    sizes.update(("city", row[3].lower()[:4]) for row in rows)

    def meet(a, b):
        same_city = a[3].lower()[:4] == b[3].lower()[:4]
        small = any(sizes["word", word] <= most for word in words(a) & words(b))
        small |= same_city and sizes["city", a[3].lower()[:4]] <= most
        return small or (same_city and bool(words(a) & words(b)))

    defines = ["-D", f"blocking.max.records={most}", "-D", "blocking.large=split"]
    counters = ran(called, "people.csv", *defines)
    wanted = sum(meet(a, b) for a, b in combinations(rows, 2))
    assert counters["Pairs"]["Compared"] == wanted < sum(share(a, b) for a, b in combinations(rows, 2))
    _, out, _ = called("similarity", "people.csv", "-s", "s.yaml", "-o", "again", "-q", *defines)
    too_large = sum(size > most for size in sizes.values())
    assert f"blocks of more than {most} records, divided by the next key: {too_large}\n" in out
    plan = said(called, *defines)
    assert f"pairs    {wanted:,} to compare" in plan
    assert "are divided by the next key" in plan


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_too_large_parts_are_divided_by_the_key_after_the_next(called, rows, runner):
    schema("tokens(name)", "neighbours(address, 1)", "prefix(city, 1)", "prefix(phone, 1)")
    keys = [
        words,
        lambda row: {row[3].lower()[:1]} - {""},
        lambda row: {row[4].lower()[:1]} - {""},
    ]
    most = 12
    sizes = Counter()
    for row in rows:
        for first in range(3):
            found = [keys[(first + k) % 3](row) for k in range(3)]
            for depth in (1, 2, 3):
                sizes.update((first, *values) for values in product(*found[:depth]))

    def meet(a, b, *values):
        if len(values) > 1 and sizes[values] <= most:
            return True
        if len(values) == 4:
            return False
        following = keys[(values[0] + len(values) - 1) % 3]
        return any(meet(a, b, *values, value) for value in following(a) & following(b))

    together = {
        frozenset((a[0], b[0])) for a, b in combinations(rows, 2) if any(meet(a, b, k) for k in (0, 1, 2))
    }
    assert any(size > most for block, size in sizes.items() if len(block) == 3)
    assert not any(size > most for block, size in sizes.items() if len(block) == 4)
    neighbours = ahead(in_order([row for row in rows if row[2]], lambda row: row[2].lower()), 1)
    defines = ["-D", f"blocking.max.records={most}", "-D", "blocking.large=split"]
    counters = ran(called, "people.csv", *defines, "-r", runner)
    assert counters["Pairs"]["Compared"] == len(together | neighbours)
    plan = said(called, *defines)
    assert f"pairs    {len(together | neighbours):,} to compare" in plan
    of_one = sum(size > most for block, size in sizes.items() if len(block) == 2)
    assert f"{of_one} of more than blocking.max.records={most} are divided by the next key" in plan


def in_order(rows, *values):
    """The ids of rows in the order of these values, then of the compared ones, then of the id, in plain Python."""
    return [row[0] for row in sorted(rows, key=lambda row: ([value(row) for value in values], folded(row)))]


def folded(row):
    return (*(" ".join(row[k].lower().split()) for k in (1, 2)), row[0])


def ahead(ids, window):
    return {frozenset((a, b)) for k, a in enumerate(ids) for b in ids[k + 1 : k + 1 + window]}


CUTS = [(), ("-D", "bucket.records=20"), ("-D", "bucket.records=3", "-D", "batch.bytes=500", "-r", "local")]


@pytest.mark.parametrize("cut", CUTS)
def test_neighbours_in_the_order_of_a_key_meet(called, rows, cut):
    schema("neighbours(city + name, 4)", "prefix(name, 3)", "neighbours(prefix(address, 5))")
    counters = ran(called, "people.csv", *cut)
    named, at_home = ([row for row in rows if row[k]] for k in (1, 2))
    by_city = ahead(in_order(named, lambda row: row[3].lower(), lambda row: row[1].lower()), 4)
    by_address = ahead(in_order(at_home, lambda row: row[2].lower()[:5].rstrip()), 10)
    same_start = {
        frozenset((a[0], b[0]))
        for a, b in combinations(named, 2)
        if a[1].lower()[:3].rstrip() == b[1].lower()[:3].rstrip()
    }
    meet = by_city | by_address | same_start
    wanted = len(same_start) + len(by_city - same_start) + len(by_address - same_start)
    assert counters["Pairs"]["Compared"] == wanted
    ran(called, "people.csv", "-D", "blocking=false", out="all")
    expected = [line for line in pairs("all") if frozenset(line.split(",")[:2]) in meet]
    assert len(expected) > 100
    assert pairs() == expected
    assert counters["Pairs"]["Kept"] == len(expected)
    assert f"pairs    {wanted:,} to compare" in (plan := said(called))
    assert " that share one of prefix(name, 3) or are neighbours(city + name, 4); neigh" in plan


@pytest.mark.parametrize("cut", CUTS)
def test_of_too_large_blocks_neighbours_meet(called, rows, cut):
    most = 6
    of_block = {
        **{
            ("word", word): [row for row in rows if word in words(row)] for row in rows for word in words(row)
        },
        **{("city", row[3].lower()[:4]): [] for row in rows},
    }
    for row in rows:
        of_block["city", row[3].lower()[:4]].append(row)
    small = {
        frozenset((a[0], b[0]))
        for members in of_block.values()
        if len(members) <= most
        for a, b in combinations(members, 2)
    }
    large = [
        ahead([row[0] for row in sorted(members, key=folded)], 2)
        for members in of_block.values()
        if len(members) > most
    ]
    defines = ["-D", f"blocking.max.records={most}", "-D", "blocking.large=window", "-D", "blocking.window=2"]
    counters = ran(called, "people.csv", *defines, *cut)
    wanted = len(small) + sum(len(each - small) for each in large)
    assert counters["Pairs"]["Compared"] == wanted
    ran(called, "people.csv", "-D", "blocking=false", out="all")
    meet = small.union(*large)
    expected = [line for line in pairs("all") if frozenset(line.split(",")[:2]) in meet]
    assert pairs() == expected
    assert counters["Pairs"]["Kept"] == len(expected) > 50
    plan = said(called, *defines)
    assert f"pairs    {wanted:,} to compare" in plan
    each = f"{len(large):,} of more than blocking.max.records={most}: each record meets the 2 that follow"
    assert each in plan
    _, out, _ = called("similarity", "people.csv", "-s", "s.yaml", "-o", "again", "-q", *defines)
    assert (
        f"blocks of more than {most} records, in which each meets the 2 that follow: {len(large):,}\n" in out
    )


def test_two_sets_are_linked_by_the_neighbours_of_both_in_one_order(called, rows):
    schema("neighbours(name, 3)")
    write(rows[::2], "a.csv")
    write(rows[1::2], "b.csv")
    counters = ran(called, "a.csv", "b.csv", "-D", "bucket.records=50", command="link")
    first = {row[0] for row in rows[::2]}
    near = ahead(in_order([row for row in rows if row[1]], lambda row: row[1].lower()), 3)
    wanted = sum(len(first & pair) == 1 for pair in near)
    assert counters["Pairs"]["Compared"] == wanted
    code, out, _ = called("plan", "a.csv", "b.csv", "--link", "-s", "s.yaml")
    assert code == 0
    assert f"pairs    {wanted:,} to compare" in out


def test_large_blocks_set_nothing_aside_when_clusters_are_made(called):
    counters = ran(called, "people.csv", "-D", "bucket.records=20", command="dedupe")
    assert "Rejected" not in counters["Pairs"]
    assert not any(Path("out/rejected").iterdir())


def test_the_largest_blocks_are_listed_with_their_pairs(called, rows, monkeypatch):
    sizes = Counter(word for row in rows for word in words(row))
    schema("tokens(name)")
    out = said(called, "--blocks")
    assert "the largest blocks, of all records\n" in out
    listed = [line.split(maxsplit=2) for line in out.splitlines()[-20:]]
    largest = sorted(sizes, key=lambda word: (-sizes[word], word))[:20]
    expected = [
        [str(sizes[word]), str(sizes[word] * (sizes[word] - 1) // 2), f"tokens(name) = {word}"]
        for word in largest
    ]
    assert listed == expected
    monkeypatch.setattr(planning, "LOOKED_AT", 300)
    out = said(called, "--blocks")
    assert "the largest blocks, of a sample of 300 records\n" in out
    assert "about" in out.splitlines()[-1]


def test_a_sample_says_about_how_many_pairs_meet(called, rows, monkeypatch):
    schema("prefix(city, 1)")
    compared = ran(called, "people.csv")["Pairs"]["Compared"]
    monkeypatch.setattr(planning, "LOOKED_AT", 300)
    (line,) = (line for line in said(called).splitlines() if line.startswith("pairs"))
    assert "about" in line
    assert re.search("^blocks   of up to about [0-9]+ records$", said(called), re.MULTILINE)
    assert int(line.split()[2].replace(",", "")) == pytest.approx(compared, rel=0.2)


def test_all_that_is_wrong_with_keys_is_said_before_the_run(called):
    schema("tokens(nam)", "soundx(name)", "prefix(name)")
    code, _, err = called("dedupe", "people.csv", "-s", "s.yaml", "-o", "out")
    assert code == 2
    for part in (
        'no column "nam"',
        'unknown function "soundx"',
        "no number of letters",
        "3 mistakes; nothing was run",
    ):
        assert part in err
    assert not Path("out").exists()


def test_every_file_must_have_the_columns_of_the_keys(called, rows):
    schema("digits(phone)")
    Path("more.csv").write_text("id,name,address,city\nx,Ann,1 Oak,Austin\n")
    code, _, err = called("plan", "people.csv", "more.csv", "-s", "s.yaml")
    assert code == 2
    assert 'more.csv: no column "phone", which the schema needs.' in err


def test_what_blocks_may_be_divided_into_is_not_listed(called):
    # A part by the second key is as large as the block.
    schema("prefix(city, 4)", "prefix(city, 3)")
    divided, whole = said(called, "--blocks", "-D", "blocking.large=split"), said(called, "--blocks")
    assert divided.partition("the largest blocks")[2] == whole.partition("the largest blocks")[2]
    assert re.findall("^(?:buckets|memory).*", divided, re.MULTILINE) == re.findall(
        "^(?:buckets|memory).*", whole, re.MULTILINE
    )


def test_blocks_are_listed_only_where_there_are_any(called):
    code, out, err = called("plan", "people.csv", "-s", "s.yaml", "--blocks", "-D", "blocking=false")
    assert (code, out) == (2, "")
    assert "--blocks: records do not meet by blocking keys." in err


# recall


def recall_of(out):
    """What a plan says after its first part, by lines; the share of each key."""
    lines = out.partition("\nrecall: ")[2].splitlines()
    table = lines[lines.index("") + 2 :]
    rows = [line.split(maxsplit=2) for line in table[: [*table, ""].index("")]]
    return lines, {key: (alone, only) for alone, only, key in rows}


@pytest.mark.parametrize("link", [False, True])
def test_recall_is_that_of_all_pairs_where_all_are_compared(called, rows, link):
    schema("prefix(name, 4)", "prefix(city, 4) + prefix(address, 1)", "neighbours(address, 2)")
    write(rows[::2], "a.csv")
    write(rows[1::2], "b.csv")
    inputs = ["a.csv", "b.csv"] if link else ["people.csv"]
    wide = ["-D", "sts.dist.threshold=450"]
    ran(called, *inputs, "-D", "blocking=false", *wide, out="all", command="link" if link else "similarity")
    close = [line.split(",") for line in pairs("all")]
    by_id = {row[0]: row for row in rows}
    near = ahead(in_order([row for row in rows if row[2]], lambda row: row[2].lower()), 2)
    shares = []
    for line in close:
        a, b = by_id[line[0]], by_id[line[1]]
        shares.append(
            (
                a[1].lower()[:4].rstrip() == b[1].lower()[:4].rstrip(),
                (a[3].lower()[:4].rstrip(), a[2][:1]) == (b[3].lower()[:4].rstrip(), b[2][:1]),
                frozenset((a[0], b[0])) in near,
            )
        )
    kept = sum(map(any, shares))
    code, out, err = called("plan", *inputs, "-s", "s.yaml", "--recall", *wide, *(["--link"] if link else []))
    assert code == 0, err
    lines, keys = recall_of(out)
    share = f"{kept / len(close):.2%}"
    assert lines[0] == f"the keys keep {kept:,} of {len(close):,} pairs at or under 450 of 1000, {share}"
    assert lines[1] == f"every two of all {len(rows):,} records were compared"
    assert 0 < kept < len(close) - 2
    for number, key in enumerate(keys):
        alone = sum(each[number] for each in shares)
        only = sum(each[number] and sum(each) == 1 for each in shares)
        assert keys[key] == (f"{alone:,}", f"{only:,}")
    lost = sorted(
        (int(line[2]), line[0], line[1]) for line, each in zip(close, shares, strict=True) if not any(each)
    )
    shown = [lost[0], lost[(len(lost) - 1) // 2], lost[-1]]
    titles = [k for k, line in enumerate(lines) if line.startswith("lost, ")]
    assert [lines[k] for k in titles] == [f"lost, {distance} apart" for distance, *_ in shown]
    assert {lines[titles[0] + k].split()[0] for k in (2, 3)} == set(shown[0][1:])


def test_recall_knows_what_becomes_of_large_blocks(called, rows):
    defines = ["-D", "blocking.max.records=5", "-D", "blocking.large=split"]
    kept = ran(called, "people.csv", *defines)["Pairs"]["Kept"]
    assert kept < ran(called, "people.csv", out="whole")["Pairs"]["Kept"]
    lines, _ = recall_of(said(called, "--recall", *defines))
    assert lines[0].startswith(f"the keys keep {kept:,} of ")
    defines = ["-D", "blocking.max.records=5", "-D", "blocking.large=window", "-D", "blocking.window=1"]
    kept = ran(called, "people.csv", *defines, out="window")["Pairs"]["Kept"]
    lines, _ = recall_of(said(called, "--recall", *defines))
    assert lines[0].startswith(f"the keys keep {kept:,} of ")


def test_a_sample_is_compared_with_all_and_the_interval_holds_the_truth(called, rows, monkeypatch):
    schema("prefix(name, 4)")
    whole = recall_of(said(called, "--recall"))[0][0]
    truth = float(whole.split()[-1].rstrip("%"))
    all_pairs = int(whole.split()[5].replace(",", ""))
    monkeypatch.setattr(recall, "PAIRS", 100 * len(rows))
    within, found = 0, []
    for seed in range(30):
        monkeypatch.setattr(recall, "SEED", seed)
        first, second, *_ = recall_of(said(called, "--recall"))[0]
        match = re.fullmatch(
            f"100 records were compared with all {len(rows)}; of all pairs ([0-9.]+)% to ([0-9.]+)%, with 95% "
            "confidence",
            second,
        )
        within += float(match[1]) <= truth <= float(match[2])
        found.append(int(first.split()[5].replace(",", "")))
        assert float(match[1]) <= float(first.split()[-1].rstrip("%")) <= float(match[2])
    assert within >= 25
    # A pair is found where one of its two records is in the sample.
    share = 100 / len(rows)
    assert sum(found) / 30 == pytest.approx(all_pairs * (1 - (1 - share) ** 2), rel=0.1)
    assert len(set(found)) > 5


def test_the_recall_of_a_sample_does_not_depend_on_the_order_of_lines(called, rows, monkeypatch):
    monkeypatch.setattr(recall, "PAIRS", 100 * len(rows))
    first = said(called, "--recall").partition("recall: ")[2]
    write(rows[::-1], "people.csv")
    assert said(called, "--recall").partition("recall: ")[2] == first


def test_where_not_all_is_read_the_recall_says_so(called, rows, monkeypatch):
    schema("prefix(name, 4)", "neighbours(name)")
    monkeypatch.setattr(planning, "READ", 300)
    out = said(called, "--recall")
    assert "\nevery two of the first 300 records were compared; of all pairs " in out
    assert "\nneighbours were told among these alone; " in out


def test_recall_needs_keys_and_a_cutoff(called):
    code, _, err = called("plan", "people.csv", "-s", "s.yaml", "--recall", "-D", "blocking=false")
    assert code == 2
    assert "--recall: records do not meet by blocking keys." in err
    code, _, err = called("plan", "people.csv", "-s", "s.yaml", "--recall", "-D", "sts.dist.threshold=1000")
    assert code == 2
    assert "--recall: every pair is at or under 1000 of 1000.\n  Give cutoff" in err
    code, out, _ = called("plan", "people.csv", "-s", "s.yaml", "--recall", "-D", "sts.dist.threshold=0")
    assert code == 0
    assert "recall: " in out
