"""Jobs on Spark: the same answers as inline, and what mrjob's Spark runner does that pehchan goes round.

Most jobs run in one JVM, which takes seconds to start; what spark-submit does is left out there, and two tests
have it all: one on this machine, one on a cluster of two workers within it.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from mrjob.spark.runner import SparkMRJobRunner
from mrjob.step import StepFailedException
from spark.small_jobs import CombinesLists, DifferingSteps, NamesFiles, OneWord

from pehchan.console.command import main
from pehchan.mrjobs.cluster_pairs import ClusterPairs
from pehchan.mrjobs.record_similarity import RecordSimilarity
from pehchan.mrjobs.select_output import SelectOutput
from pehchan.mrjobs.settle_records import SettleRecords
from pehchan.mrjobs.spark import missing_for_spark

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"

CONF = """\
runners:
  spark:
    spark_master: "{master}"
    jobconf:
      spark.ui.enabled: 'false'
      spark.driver.extraJavaOptions: -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
      spark.executor.extraJavaOptions: -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""


# A JVM for each job: minutes.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def spark():
    """A test with it is skipped where Spark or Java is missing."""
    missing = list(missing_for_spark())
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{missing}, and CI=true requires Spark")
        pytest.skip(missing[0][0])
    pytest.importorskip("pyspark")


@pytest.fixture(scope="session")
def context(spark):
    """Spark in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYSPARK_SUBMIT_ARGS", "--driver-java-options -XX:TieredStopAtLevel=1 pyspark-shell")
        from pyspark import SparkConf, SparkContext

        settings = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
        context = SparkContext(master="local[2]", conf=SparkConf().setAll(settings.items()))
        context.setLogLevel("OFF")
        yield context
        context.stop()


@pytest.fixture
def one_jvm(context, monkeypatch, tmp_path_factory):
    """Jobs with -r spark run in the JVM of the tests, where spark-submit would start one."""
    from mrjob.spark import harness
    from pyspark import SparkContext

    from pehchan.mrjobs import spark_harness

    def submit(runner, arguments, env, record_callback):
        place = arguments.index(runner._spark_harness_path())
        with pytest.MonkeyPatch.context() as patch:
            for name in ("_text_file_with_path", "_run_mapper", "_shuffle_and_sort"):
                patch.setattr(harness, name, getattr(harness, name))
            patch.setattr(SparkContext, "__new__", lambda of: context)
            patch.setattr(SparkContext, "__init__", lambda self: None)
            for path in arguments[arguments.index("--py-files") + 1].split(","):
                if path.endswith("script.zip"):
                    # One JVM takes a name once.
                    unique = shutil.copy(path, tmp_path_factory.mktemp("job") / f"{runner._job_key}.zip")
                    patch.syspath_prepend(unique)
                    context.addPyFile(str(unique))
            ours = Path(arguments[place]) == Path(spark_harness.__file__)
            try:
                (spark_harness if ours else harness).main(arguments[place + 1 :])
            except (Exception, SystemExit) as error:
                runner.failure = error
                print(error, file=sys.stderr)
                return 1, {}
        return 0, {}

    monkeypatch.setattr(SparkMRJobRunner, "_run_spark_submit", submit)


def run(*arguments):
    assert main([*map(str, arguments), "-q"]) == 0


def lines(folder):
    """The lines of an output, sorted."""
    parts = sorted(path for path in Path(folder).glob("**/part-*") if path.is_file())
    return sorted(line for part in parts for line in part.read_bytes().split(b"\n") if line)


def answer(out):
    """What a run found, and its counters."""
    counters = json.loads((Path(out) / "run.json").read_text())["counters"]
    return {name: lines(Path(out) / name) for name in ("pairs", "clusters", "rejected")}, counters


def same_as_inline(folder, *arguments, runner=()):
    """Runs the command inline and on Spark; the answer of both."""
    for name, switches in (("inline", ()), ("spark", ("-r", "spark", *runner))):
        run(*arguments, "-o", folder / name, *switches)
    found = answer(folder / "spark")
    assert found == answer(folder / "inline")
    return found


CELLS = ("-D", "bucket.records=4", "-D", "num.reducer=3")


@pytest.mark.parametrize(
    ("case", "switches"),
    [
        pytest.param("same_customer_40_full", CELLS, id="self-join in many cells"),
        pytest.param("inter_customer", CELLS, id="two sets by the names of files"),
        pytest.param("inter_same_ids", CELLS, id="two sets with the same ids"),
        pytest.param("same_prod_shipped_blank_threshold", (), id="partitions"),
        pytest.param("same_weights_euclid", CELLS, id="euclidean with weights"),
        pytest.param("same_unicode_ids", CELLS, id="ids in many scripts"),
        pytest.param("same_missing_skip", CELLS, id="missing values"),
        pytest.param("same_numeric_parse", ("-D", "sifarish.compat=true"), id="numbers, as in Java"),
    ],
)
def test_a_golden_case_has_the_answer_that_it_has_inline(one_jvm, case, switches, tmp_path, monkeypatch):
    monkeypatch.chdir(GOLDEN / case)
    source = "input" if Path("input").is_dir() else "input.csv"
    settings = ("-p", "job.properties", "-D", "rejected.max.share=1", *switches)
    found, _ = same_as_inline(tmp_path, "similarity", source, *settings)
    assert found["pairs"]


def test_same_id_join_has_the_answer_that_it_has_inline(one_jvm, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text("id: id\ncolumns: [id, name]\nfields: {name: levenshtein}\n")
    Path("x.txt").write_text("".join(f"{s}{n},name {n * s}\n" for n in range(50) for s in (1, 2)))
    join = ("-D", "sts.mixed.in.sets=true", "-D", "sts.set.ID.size=1")
    found, counters = same_as_inline(tmp_path, "similarity", "x.txt", "-s", "s.yaml", *join)
    assert len(found["pairs"]) == 50 == counters["Pairs"]["Compared"]


SCHEMA = """\
id: id
columns: [id, name, address, city, phone]
fields:
  name: levenshtein
  address: levenshtein
  phone: {measure: levenshtein, threshold: 0.5}
cutoff: 200
"""
BAD = (
    b"\xff\xfe is no UTF-8,a,b,c,d\r\n"
    b"half a letter \xe2\x82,a,b,c,d\n"
    b"a NUL\0,a,b,c,d\n"
    b"too short\n"
    b"\n   \n\r\r\n"
    b"k1,Ann Lee,1 Elm St,Troy NY,518 1112222\rk2,Ann Lea,1 Elm St,Troy NY,518 1112222\n"
    b"k3,replaced \xef\xbf\xbd before,9 Oak St,Troy NY,518 9998888\r\n"
    b",no id \xe2\x80\xa8 line separator\x85\x0b,9 Oak St,Troy NY,518 7776666\n"
    b",J\xc3\xbcrgen \xf0\x9f\x98\x80,9 Oak St,Troy NY,518 7776666\n"
    b"k3,the end \xc3"
)


@pytest.fixture(scope="session")
def customers(tmp_path_factory):
    """A folder of customers in several files, with all that may be wrong with lines, and a schema beside it."""
    folder = tmp_path_factory.mktemp("customers")
    (folder / "s.yaml").write_text(SCHEMA)
    made = folder / "made.csv"
    script = ROOT / "tutorial" / "customers.py"
    subprocess.run(
        [
            sys.executable,
            script,
            "--records",
            "300",
            "--seed",
            "7",
            "--output",
            made,
            "--truth",
            folder / "t",
        ],
        check=True,
    )
    rows = [line for line in made.read_bytes().splitlines(keepends=True) if not line.startswith(b"id,")]
    files = folder / "files"
    files.mkdir()
    (files / "one.csv").write_bytes(b"".join(rows[:150]))
    (files / "two, with 100% é.txt").write_bytes(b"".join(rows[150:300]).replace(b"\n", b"\r\n"))
    (files / "three.txt.gz").write_bytes(gzip.compress(b"".join(rows[300:]) + BAD))
    (files / "bad.txt").write_bytes(BAD)
    (files / "empty.txt").write_bytes(b"")
    (files / "nothing.txt.gz").write_bytes(gzip.compress(b""))
    return folder


def conf(folder, master):
    path = folder / "mrjob.conf"
    path.write_text(CONF.format(master=master))
    return path


ASKED = ("-D", "input.format=lines", "-D", "bucket.records=60", "-D", "rejected.max.share=0.5")


def test_customers_with_bad_lines_have_the_answer_that_they_have_inline(spark, customers, tmp_path):
    found, counters = same_as_inline(
        tmp_path,
        "dedupe",
        customers / "files",
        *("-s", customers / "s.yaml", *ASKED),
        runner=("--conf-path", conf(tmp_path, "local[*]")),
    )
    assert len(found["pairs"]) > 80
    rejected = [json.loads(line) for line in found["rejected"]]
    assert len(rejected) == counters["Records"]["Rejected"] == 12
    assert {line["file"] for line in rejected} == {"bad.txt", "three.txt.gz"}
    assert {line["reason"].split(" at ")[0][:8] for line in rejected} == {"not UTF-", "a NUL by", "expected"}
    assert counters["Records"]["Blank lines"] == 6


def test_links_and_clusters_of_pairs_have_the_answer_that_they_have_inline(one_jvm, customers, tmp_path):
    files = [customers / "files" / name for name in ("one.csv", "two, with 100% é.txt")]
    same_as_inline(tmp_path / "link", "link", *files, "-s", customers / "s.yaml", *ASKED)
    pairs = tmp_path / "pairs.csv"
    pairs.write_bytes(b"a,b,10\nb,c,20\nd,e,900\nf,\xff,10\ng,h,x\n\nshort\ni,j,3\rk,l,4\n")
    same_as_inline(tmp_path / "pairs, 100% é", "cluster", pairs, "--cutoff", "100")


def test_a_job_by_itself_has_the_same_lines_on_two_workers(spark, customers, tmp_path):
    schema = ("--schema", str(customers / "s.yaml"), "--define", "bucket.records=60")
    job = [sys.executable, ROOT / "mrjobs" / "record_similarity.py", *schema]
    # One by one: of a folder the job does not look how large it is, and makes buckets for a million records.
    files = sorted((customers / "files").iterdir())
    for name, switches in (
        ("inline", ("--no-conf",)),
        ("spark", ("-r", "spark", "--conf-path", conf(tmp_path, "local-cluster[2,1,1024]"))),
    ):
        out = tmp_path / name
        done = subprocess.run(
            [*job, *switches, "--output-dir", out, *files], capture_output=True, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr.decode()
    assert lines(tmp_path / "spark") == lines(tmp_path / "inline") != []


def test_the_jobs_keep_to_what_mrjob_asks_of_them_on_spark(spark, customers, tmp_path):
    plan = ["--schema", str(customers / "s.yaml")]
    for job_class, switches in (
        (SettleRecords, plan),
        (RecordSimilarity, plan),
        (ClusterPairs, ["--cutoff", "100"]),
        (SelectOutput, ["--select", "rejected"]),
    ):
        job = job_class(["-r", "spark", "--no-conf", *switches, str(customers / "files" / "one.csv")])
        with job.make_runner() as runner:
            steps = runner._get_steps()
            assert len(runner._group_steps(steps)) == 1
            assert not any("combiner" in step for step in steps)
            assert len(runner._mr_job_extra_args(local=True)) != 1


# What mrjob 0.7.4 does. Where one of these fails, it does so no more, and pehchan need not go round it.


@contextmanager
def mrjobs_own(job_class, *switches, text="a b a\n", inputs=()):
    """mrjob's own Spark runner for a job."""
    job = job_class(["-r", "spark", "--no-conf", *switches, *map(str, inputs or ["-"])])
    from io import BytesIO

    job.sandbox(stdin=BytesIO(text.encode()))
    with job.make_runner() as runner:
        yield runner


def test_mrjob_leaves_out_steps_that_differ_in_their_jobconf(one_jvm):
    with mrjobs_own(DifferingSteps) as runner:
        runner.run()
        # Two words: one twice, one once. It gives what the first step made.
        assert sorted(b"".join(runner.cat_output()).splitlines()) == [b'"a"\t2', b'"b"\t1']


def test_mrjob_does_not_pass_on_a_single_word(one_jvm, capsys):
    with mrjobs_own(OneWord, "--loud") as runner, pytest.raises(StepFailedException):
        runner.run()
    assert "argument --job-args: expected one argument" in capsys.readouterr().err


def test_mrjob_does_not_make_the_folder_of_its_counters(one_jvm, tmp_path):
    with mrjobs_own(OneWord, "--output-dir", str(tmp_path / "out")) as runner:
        with pytest.raises(StepFailedException):
            runner.run()
        assert isinstance(runner.failure, FileNotFoundError)
        assert lines(tmp_path / "out") == [b'"lines"\t1']


def test_mrjob_cannot_combine_keys_that_are_lists(one_jvm):
    with mrjobs_own(CombinesLists) as runner:
        with pytest.raises(StepFailedException):
            runner.run()
        assert "unhashable type: 'list'" in str(runner.failure)


def test_mrjob_takes_several_files_for_one_and_bytes_for_letters(one_jvm, tmp_path):
    for name in ("one", "two", "three", "four", "five"):
        (tmp_path / name).write_bytes(name.encode() + b" \xff\n")
    with mrjobs_own(NamesFiles, "--emulate-map-input-file", inputs=[tmp_path]) as runner:
        runner.run()
        found = [line.split(b"\t") for line in b"".join(runner.cat_output()).splitlines()]
    assert len(found) == 5
    assert len({name for name, _ in found}) < 5
    assert all(b"\\ufffd" in line for _, line in found)


def test_mrjob_fails_where_a_task_has_no_line(one_jvm, tmp_path):
    (tmp_path / "nothing.gz").write_bytes(gzip.compress(b""))
    with mrjobs_own(NamesFiles, "--emulate-map-input-file", inputs=[tmp_path]) as runner:
        with pytest.raises(StepFailedException):
            runner.run()
        assert "StopIteration" in str(runner.failure)
