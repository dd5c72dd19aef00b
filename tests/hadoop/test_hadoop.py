"""What runs on a real HDFS and YARN gives, byte for byte, what one process gives."""

import bz2
import csv
import gzip
import json
import os
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import near_duplicates
import pytest
from golden_cases import CASES, GOLDEN, inputs_of
from hadoop.outputs import lines, pairs
from made_up_persons import NAMES, persons
from settled import settled_lines

from pehchan.mrjobs.planner import plan_for_job

ROOT = Path(__file__).parents[2]

# Those with several reducers run in containers of their own; the others, to be quick, in that of the application
# ("uber" jobs).
SEVERAL_REDUCERS = ("same_customer_40_full", "same_unicode_ids")


def similarity(case, runner, conf, out, environment):
    """Run record_similarity by itself on a golden case, with several buckets."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pehchan.mrjobs.record_similarity", "-r", runner, "--conf-path", conf),
            *("--properties", "job.properties"),
            *("--define", f"sts.num.reducer={3 if case in SEVERAL_REDUCERS else 1}"),
            *("--define", "bucket.records=12", "--output-dir", str(out), *map(str, inputs_of(case))),
        ],
        cwd=GOLDEN / case,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def of_java(case):
    """Whether Java's SameTypeSimilarity gave pairs for a case."""
    folder = GOLDEN / case
    if case.startswith(("crash_", "unit")) or not (folder / "expected.txt").exists():
        return False
    asks = (folder / "job.properties").read_text()
    same = "golden.class" not in asks or "SameTypeSimilarity" in asks
    return same and (folder / "expected.txt").stat().st_size > 0


#: What Java takes and pehchan refuses; golden/ANSWERS.md says why.
REFUSED = ("same_geo_nomax", "same_missing_other")

#: All other cases that Java finds pairs in.
OTHERS = [
    folder.name
    for folder in sorted(GOLDEN.iterdir())
    if folder.name not in (*CASES, *REFUSED) and of_java(folder.name)
]


@pytest.fixture(scope="module")
def on_cluster(hadoop, request):
    """Case -> its output on the cluster, once it is there; two at a time, of all that are asked for."""
    # With a C locale on the nodes, as some have it.
    language = {"mapreduce_map_env": "LANG=C,LC_ALL=C", "mapreduce_reduce_env": "LANG=C,LC_ALL=C"}
    plain = hadoop.conf("golden", **language)
    quick = hadoop.conf("quick", mapreduce_job_ubertask_enable="true")

    def run(case):
        conf, out = plain if case in SEVERAL_REDUCERS else quick, f"hdfs:///golden/{case}"
        similarity(case, "hadoop", conf, out, hadoop.cluster.env())
        return out

    with ThreadPoolExecutor(2) as pool:
        asked = [item for item in request.session.items if "on_cluster" in getattr(item, "fixturenames", ())]
        cases = [item.callspec.params["case"] for item in asked]
        running = {case: pool.submit(run, case) for case in cases}
        yield lambda case: running[case].result()
        for each in running.values():
            each.cancel()


@pytest.mark.parametrize("case", [*CASES, *(pytest.param(case, marks=pytest.mark.slow) for case in OTHERS)])
def test_a_golden_case_gives_the_same_on_the_cluster(hadoop, on_cluster, tmp_path, case):
    similarity(case, "inline", hadoop.conf(), tmp_path / case, dict(os.environ))
    expected = pairs(tmp_path / case)
    assert expected
    assert pairs(on_cluster(case)) == expected


def test_dedupe_of_many_files_gives_the_same_on_the_cluster(hadoop, tmp_path):
    """Plain, gzip and bzip2 files, one of them larger than a block, with lines that are no records."""
    shuffle = random.Random(5)
    letters = "abcdefghijklmnopqrstuvwxyzäéß"
    names = ["".join(shuffle.choices(letters, k=8)) for _ in range(1500)]
    filler = "x" * 900
    records = [f"{k},{name},{filler}" for k, name in enumerate(names)]
    records += [f"{k + 5000},{name[:-1]},{filler}" for k, name in enumerate(names[:300])]
    shuffle.shuffle(records)
    data = tmp_path / "data"
    data.mkdir()
    (data / "large.txt").write_bytes(
        b"\n".join(
            [*(line.encode() for line in records[:1400]), b"7777,not \xff text," + filler.encode(), b"short"]
        )
    )
    (data / "two.txt.gz").write_bytes(gzip.compress("\r\n".join(records[1400:1600]).encode()))
    (data / "three.txt.bz2").write_bytes(bz2.compress("\n".join(records[1600:]).encode()))
    assert (data / "large.txt").stat().st_size > 1 << 20
    schema = tmp_path / "schema.yaml"
    schema.write_text("id: id\ncolumns: [id, name, filler]\nfields: {name: edit}\nlines: true\ncutoff: 100\n")
    asked = ["-s", schema, "-q", "-D", "bucket.records=700", "-D", "rejected.max.share=0.01"]
    local = hadoop.pehchan("dedupe", data, *asked, "-o", tmp_path / "local")
    assert local.returncode == 0, local.stderr
    hadoop.put(data, "hdfs:///many/data")
    plans = [
        hadoop.pehchan("plan", where, "-s", schema, "-r", "hadoop", "--conf-path", hadoop.conf())
        for where in (data, "hdfs:///many/data")
    ]
    # All but the time that it takes, in two lines.
    here, there = (re.sub("time .*\n.*a second.*\n", "", plan.stdout).splitlines() for plan in plans)
    assert here == there
    assert here[0] == "records  1,800", plans[0].stderr
    done = hadoop.pehchan(
        "dedupe",
        "hdfs:///many/data",
        *asked,
        "-r",
        "hadoop",
        "--conf-path",
        hadoop.conf(),
        "-o",
        "hdfs:///many/out",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("pairs", "clusters", "rejected"):
        expected = lines(tmp_path / "local", name)
        assert expected
        assert lines("hdfs:///many/out", name) == expected
    listed = hadoop.cluster.hadoop("fs", "-ls", "hdfs:///many/out").stdout.decode()
    modes = {line.split("/")[-1]: line[:10] for line in listed.splitlines() if "/many/out/" in line}
    assert modes["report.html"] == "-rw-------"
    assert {modes[name] for name in ("internal", "rejected")} == {"drwx------"}


@pytest.mark.slow
def test_match_gives_the_same_on_the_cluster(hadoop, tmp_path):
    """What is learnt, to the byte, and what is found with it."""
    columns, _ = persons(200, 60, seed=8)
    rows = [[f"p{k}", *values] for k, values in enumerate(zip(*columns, strict=True))]
    with open(tmp_path / "people.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", *NAMES), *rows])
    conf = hadoop.conf("quick", mapreduce_job_ubertask_enable="true")
    schema = tmp_path / "schema.yaml"
    fields = ", ".join(f"{name}: exact" for name in NAMES)
    schema.write_text(f"id: id\nfields: {{{fields}}}\nkeep: longest\ngolden: {{{NAMES[0]}: all}}\n")
    for name, switches in (("here", []), ("there", ["-r", "hadoop", "--conf-path", conf])):
        out = tmp_path / name if name == "here" else "hdfs:///match/out"
        asked = [
            "match",
            tmp_path / "people.csv",
            "-s",
            schema,
            "--model",
            tmp_path / f"model-{name}",
            "-o",
            out,
            "-q",
            "--no-report",
        ]
        done = hadoop.pehchan(*asked, *switches)
        assert done.returncode == 0, done.stderr[-3000:]
    for name in ("model.json", "questions.json"):
        assert (tmp_path / "model-there" / name).read_bytes() == (tmp_path / "model-here" / name).read_bytes()
    for name in ("pairs", "clusters", "cluster_shapes", "entities"):
        expected = lines(tmp_path / "here", name)
        assert expected
        assert lines("hdfs:///match/out", name) == expected
    listed = hadoop.cluster.hadoop("fs", "-ls", "hdfs:///match/out").stdout.decode()
    assert [line[:10] for line in listed.splitlines() if line.endswith("/entities")] == ["drwx------"]


@pytest.mark.slow
def test_blocks_and_neighbours_give_the_same_on_the_cluster(hadoop, tmp_path):
    """A job by itself with blocks that are too large, and orders in ranges, as the command plans them."""
    chance = random.Random(3)
    names = ["".join(chance.choices("aeioubdn", k=5)) for _ in range(40)]
    rows = [[str(k), f"{chance.choice(names)} {chance.choice(names)}", str(k % 7)] for k in range(300)]
    records = tmp_path / "records"
    records.write_bytes(b"".join(settled_lines(rows[k::3]) for k in range(3)))
    schema = tmp_path / "schema.yaml"
    schema.write_text(
        "id: id\ncolumns: [id, name, zip]\nfields: {name: edit}\ncutoff: 400\nlines: true\n"
        "blocking: ['neighbours(zip + name, 3)', tokens(name), 'neighbours(name, 2)']\n"
    )
    defines = ["sts.num.reducer=1", "blocking.window=2", "batch.bytes=2000"]
    plan = plan_for_job(None, str(schema), defines, [str(records)])
    most = max(names, key=lambda name: sum(name in row[1] for row in rows))
    ranges = {
        '[0,""]': [("2", "b", "", "", ""), ("5", "", "", "", "")],
        f'[1,"",["{most}"]]': [],
        '[2,""]': [("d", "", "", "")],
    }
    replace(plan, ranges=ranges, input="settled").write(tmp_path / "plan.json")
    job = [sys.executable, "-m", "pehchan.mrjobs.record_similarity", "--plan", tmp_path / "plan.json"]
    for runner, out, conf in (
        ("inline", tmp_path / "out", hadoop.conf("inline")),
        ("hadoop", "hdfs:///neighbours/out", hadoop.conf("quick", mapreduce_job_ubertask_enable="true")),
    ):
        switches = ["-r", runner, "--conf-path", conf, "--output-dir", out, records]
        done = subprocess.run(
            [*job, *switches], env=hadoop.cluster.env(), capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, done.stderr[-3000:]
    expected = pairs(tmp_path / "out")
    assert expected
    assert pairs("hdfs:///neighbours/out") == expected


def on_two_reducers(hadoop, *asked):
    """The command on the cluster."""
    return hadoop.pehchan(*asked, "-D", "sts.num.reducer=2", "-r", "hadoop", "--conf-path", hadoop.conf())


def test_febrl3_gives_the_same_on_the_cluster(hadoop, record_sets, examples, tmp_path):
    """CSV with a header, ingested here; the jobs on the cluster; OUT on this machine."""
    asked = [record_sets / "febrl3" / "records.csv", "-s", examples / "febrl.yaml", "-q"]
    assert hadoop.pehchan("dedupe", *asked, "-o", tmp_path / "local").returncode == 0
    done = on_two_reducers(hadoop, "dedupe", *asked, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("pairs", "clusters"):
        assert lines(tmp_path / "out", name) == lines(tmp_path / "local", name)
    scores = hadoop.pehchan("evaluate", tmp_path / "out", "--truth", record_sets / "febrl3" / "clusters.csv")
    assert "0.9969" in scores.stdout


def test_near_duplicates_found_by_signatures_on_the_cluster_are_those_of_all_pairs(hadoop, tmp_path):
    data, schema = near_duplicates.written(tmp_path)
    asked = ["similarity", data, "-s", schema, "-q", "-D", "sts.bucket.count=2"]
    here = hadoop.pehchan(*asked, "-D", "join=tiles", "-o", tmp_path / "tiles")
    assert here.returncode == 0, here.stderr
    done = on_two_reducers(hadoop, *asked, "-D", "join=signatures", "-o", tmp_path / "signatures")
    assert done.returncode == 0, done.stderr[-3000:]
    expected = lines(tmp_path / "tiles", "pairs")
    assert len(expected) > 1000
    assert lines(tmp_path / "signatures", "pairs") == expected


@pytest.mark.slow
def test_clusters_of_several_parts_on_the_cluster_are_those_of_one_here(hadoop, tmp_path):
    """Two rounds of components, and the clusters of three parts, as jobs by themselves."""
    chance = random.Random(7)
    chain = [(f"c{k:04}", f"c{k + 1:04}", 1) for k in range(2000)]
    others = [(f"r{chance.randrange(3000)}", f"s{chance.randrange(3000)}", k % 9) for k in range(3000)]
    joined = [*chain, *others]
    chance.shuffle(joined)
    for number in range(3):
        text = "".join(f"{a},{b},{distance}\n" for a, b, distance in joined[number::3])
        (tmp_path / f"pairs{number}.csv").write_text(text)
    pairs_here = [tmp_path / f"pairs{number}.csv" for number in range(3)]
    quick = hadoop.conf("quick", mapreduce_job_ubertask_enable="true")

    def run(job, runner, conf, out, *more):
        command = [sys.executable, "-m", f"pehchan.mrjobs.{job}", "-r", runner, "--conf-path", conf]
        done = subprocess.run(
            [*command, "--cutoff", "6", "--output-dir", out, *more],
            env=hadoop.cluster.env(),
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return out

    run("cluster_pairs", "inline", hadoop.conf("inline"), tmp_path / "out", "--by", "average", *pairs_here)
    # Three reducers, and then one for what they left.
    source = pairs_here
    for number, parts in enumerate(("3", "1")):
        edges = run("components", "hadoop", quick, f"hdfs:///parts/edges{number}", "--parts", parts, *source)
        source = [edges]
    more = ["--by", "average", "--parts", "3", *pairs_here, edges]
    run("cluster_pairs", "hadoop", quick, "hdfs:///parts/out", *more)
    expected = rows(lines(tmp_path, "out"))
    assert len(expected) > 3000
    assert rows(lines("hdfs:///parts", "out")) == expected


def rows(tagged_lines):
    """What stands in columns as rows: how many of them a line holds depends on the number of parts."""
    found = []
    for line in tagged_lines:
        tag, payload = line.split("\t" if isinstance(line, str) else b"\t", 1)
        found += [(tag, *row) for row in zip(*json.loads(payload)[1:], strict=True)]
    return sorted(found, key=repr)
