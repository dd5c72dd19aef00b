"""Jobs on Spark: the same answers as inline, and what mrjob's Spark runner does that pehchan goes round.

Some jobs run in one JVM, which takes seconds to start; what spark-submit does is left out there. Others have it
all, on this machine or on a cluster of two workers within it.
"""

import csv
import gzip
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from golden_cases import CASES, GOLDEN, answer, run_golden
from golden_cases import sorted_lines as lines
from made_up_persons import NAMES, persons
from mrjob.spark.runner import SparkMRJobRunner
from mrjob.step import StepFailedException
from spark.small_jobs import CombinesLists, DifferingSteps, NamesFiles, OneWord, RunsAgain

from pehchan.console.bundle import find_target, make_bundle
from pehchan.console.command import main
from pehchan.identity.entities import current_entities
from pehchan.identity.state import open_state
from pehchan.metadata.mistakes import Mistakes
from pehchan.mrjobs.cluster_pairs import ClusterPairs
from pehchan.mrjobs.record_similarity import RecordSimilarity
from pehchan.mrjobs.select_output import SelectOutput
from pehchan.mrjobs.settle_records import SettleRecords
from pehchan.mrjobs.spark import SparkRunner

ROOT = Path(__file__).parents[2]

ON_TWO_WORKERS = "local-cluster[2,1,1024]"

CONF = """\
runners:
  spark:
    spark_master: "{master}"
    jobconf:
      spark.ui.enabled: 'false'
      spark.driver.extraJavaOptions: -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Djava.io.tmpdir={temporary}
      spark.executor.extraJavaOptions: -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Djava.io.tmpdir={temporary}
"""


# A JVM for each job: minutes.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def context(spark, tmp_path_factory):
    """Spark in this process; a task is tried twice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYSPARK_SUBMIT_ARGS", "--driver-java-options -XX:TieredStopAtLevel=1 pyspark-shell")
        from pyspark import SparkConf, SparkContext

        settings = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.local.dir": str(tmp_path_factory.mktemp("shuffle")),
        }
        context = SparkContext(master="local[2,2]", conf=SparkConf().setAll(settings.items()))
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
            for name in ("_text_file_with_path", "_run_mapper", "_shuffle_and_sort", "CounterAccumulator"):
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

    for runner_class in (SparkMRJobRunner, SparkRunner):
        monkeypatch.setattr(runner_class, "_run_spark_submit", submit)


def run(*arguments):
    assert main([*map(str, arguments), "-q"]) == 0


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


def conf(folder, master, temporary="/tmp"):
    path = folder / "mrjob.conf"
    path.write_text(CONF.format(master=master, temporary=temporary))
    return path


@pytest.fixture
def on_two_workers(spark, tmp_path):
    """The switches that run a command on two workers."""
    return "-r", "spark", "--conf-path", conf(tmp_path, ON_TWO_WORKERS)


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


def test_customers_in_files_of_several_blocks_have_the_answer_on_two_workers(
    on_two_workers, customers, tmp_path, capfd
):
    # So that a file of a few lines is one of several blocks.
    with on_two_workers[-1].open("a") as configuration:
        configuration.write("      spark.sql.files.maxPartitionBytes: '4096'\n")
    settings = ("-s", customers / "s.yaml", *ASKED)
    run("dedupe", customers / "files", *settings, "-o", tmp_path / "inline")
    run("dedupe", customers / "files", *settings, "-o", tmp_path / "spark", "-v", *on_two_workers)
    found, counters = answer(tmp_path / "spark")
    assert (found, counters) == answer(tmp_path / "inline")
    assert len(found["pairs"]) > 80
    assert len(found["rejected"]) == 12
    # The first stage reads the files: more tasks than there are files.
    tasks = {
        int(many) for many in re.findall(r"Finished task .* in stage 0\.0 .*/(\d+)\)", capfd.readouterr().err)
    }
    assert max(tasks) > len(list((customers / "files").iterdir()))


@pytest.mark.parametrize("case", CASES)
def test_a_golden_case_has_the_answer_on_two_workers_that_it_has_inline(
    on_two_workers, case, tmp_path, monkeypatch
):
    expected = run_golden("similarity", case, tmp_path / "inline", monkeypatch)
    assert expected[0]["pairs"]
    assert run_golden("similarity", case, tmp_path / "spark", monkeypatch, *on_two_workers) == expected


def test_febrl3_has_the_answer_on_two_workers_that_it_has_inline(
    on_two_workers, record_sets, examples, tmp_path
):
    found, _ = same_as_inline(
        tmp_path,
        "dedupe",
        record_sets / "febrl3" / "records.csv",
        *("-s", examples / "febrl.yaml", "-D", "bucket.records=1000"),
        runner=on_two_workers[2:],
    )
    assert len(found["clusters"]) == 5000


def test_links_and_clusters_of_pairs_have_the_answer_that_they_have_inline(one_jvm, customers, tmp_path):
    files = [customers / "files" / name for name in ("one.csv", "two, with 100% é.txt")]
    schema = tmp_path / "golden.yaml"
    schema.write_text(SCHEMA + "keep: {source: [b, a]}\ngolden: {phone: all, name: longest}\n")
    found, _ = same_as_inline(tmp_path / "link", "link", *files, "-s", schema, *ASKED)
    assert len(found["entities"]) == len({line.split(b",")[0] for line in found["clusters"]})
    pairs = tmp_path / "pairs.csv"
    pairs.write_bytes(b"a,b,10\nb,c,20\nd,e,900\nf,\xff,10\ng,h,x\n\nshort\ni,j,3\rk,l,4\n")
    same_as_inline(tmp_path / "pairs, 100% é", "cluster", pairs, "--cutoff", "100")


def test_states_are_what_they_are_inline(one_jvm, tmp_path):
    columns, _ = persons(90, 40, 3)
    rows = [[f"r{number:03}", *row] for number, row in enumerate(zip(*columns, strict=True))]
    for name, some in (("base", rows[:110]), ("new", [*rows[110:], ["r004", *rows[5][1:]]])):
        with open(tmp_path / f"{name}.csv", "w", newline="") as file:
            csv.writer(file).writerows([["id", *NAMES], *some])
    (tmp_path / "gone").write_text("r001\nr007\n")
    for name, switches in (("inline", ()), ("spark", ("-r", "spark"))):
        state, out = tmp_path / name / "state", tmp_path / name
        run("match", tmp_path / "base.csv", "-o", out / "out", "--no-report", "--state", state, *switches)
        run("update", state, tmp_path / "new.csv", "--deleted", tmp_path / "gone", *switches)
        run("decide", state, "--different", "r002", "r092", "--same", "r011", "r012", *switches)
        run("update", state, "--refreeze", *switches)
        run("entities", state, "-o", out / "entities", "--since", "1", *switches)
    inline, spark = (tmp_path / name for name in ("inline", "spark"))
    entities = []
    for version in range(1, 5):
        states = [open_state(f"{each / 'state'}@{version}") for each in (inline, spark)]
        found = list(map(current_entities, states))
        assert found[0] == found[1]
        entities.append(found[0])
    assert list(states[0].log()) == list(states[1].log())
    assert entities[1]["r002"] == entities[1]["r092"]
    assert entities[2]["r002"] != entities[2]["r092"]
    assert entities[2] == entities[3]
    for kind in ("members", "entities", "gone"):
        assert lines(spark / "entities" / kind) == lines(inline / "entities" / kind)


KEYS = """\
blocking:
  - tokens(name)
  - prefix(city, 3) + soundex(name)
  - neighbours(address + name, 5)
  - minhash(address, 5, 2)
  - neighbours(phone)
"""


@pytest.mark.parametrize("large", ["refuse", "split", "window"])
def test_blocks_and_neighbours_have_the_answer_that_they_have_inline(one_jvm, customers, tmp_path, large):
    schema = tmp_path / "keys.yaml"
    schema.write_text(SCHEMA + KEYS)
    most = 10_000 if large == "refuse" else 6
    defines = [f"blocking.large={large}", f"blocking.max.records={most}", "num.reducer=3", "batch.bytes=900"]
    cut = [switch for define in defines for switch in ("-D", define)]
    found, _ = same_as_inline(tmp_path, "dedupe", customers / "files", "-s", schema, *ASKED, *cut)
    assert len(found["pairs"]) > 80
    plan = json.loads((tmp_path / "spark" / "internal" / "plan.json").read_text())
    assert plan["ranges"]['[2,""]']
    assert bool(plan["divided"]) == (large == "split")
    assert any(block.startswith("[0,") for block in plan["ranges"]) == (large == "window")


def test_a_job_by_itself_has_the_same_lines_on_two_workers(spark, customers, tmp_path):
    schema = ("--schema", str(customers / "s.yaml"), "--define", "bucket.records=60")
    job = [sys.executable, ROOT / "mrjobs" / "record_similarity.py", *schema]
    # One by one: of a folder the job does not look how large it is, and makes buckets for a million records.
    files = sorted((customers / "files").iterdir())
    for name, switches in (
        ("inline", ("--no-conf",)),
        ("spark", ("-r", "spark", "--conf-path", conf(tmp_path, ON_TWO_WORKERS))),
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


# the bundle


def test_workers_without_packages_have_the_same_answer_with_the_bundle(
    spark, customers, tmp_path, monkeypatch, capfd
):
    # Of the tests' own place the workers must not know.
    monkeypatch.delenv("PYTHONPATH", raising=False)
    bundle = tmp_path / "bundle.tar.gz"
    make_bundle(bundle, find_target(None, None, Mistakes()))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    bare = conf(tmp_path, ON_TWO_WORKERS).read_text() + (
        f"    task_python_bin: {tmp_path}/bare/bin/python\n    bootstrap_mrjob: false\n"
    )
    shipped = f"    upload_archives: ['{bundle}#bundle']\n    cmdenv: {{PYTHONPATH: bundle}}\n"
    (tmp_path / "without.conf").write_text(bare)
    (tmp_path / "with.conf").write_text(bare + shipped)
    asked = ("similarity", customers / "files" / "one.csv", "-s", customers / "s.yaml", *ASKED)
    same_as_inline(tmp_path, *asked, runner=("--conf-path", tmp_path / "with.conf"))
    capfd.readouterr()
    spark_again = ("-q", "-r", "spark", "--conf-path", tmp_path / "without.conf", "-o", tmp_path / "none")
    assert main([*map(str, [*asked, *spark_again])]) == 1
    assert "No module named" in capfd.readouterr().err


# tasks that run twice


@pytest.fixture
def counters_of(one_jvm, context, tmp_path):
    """What a job counts where tasks run again, and its answer."""

    def counters(what, runner_class=None):
        (tmp_path / "one.txt").write_text("".join(f"{n}\n" for n in range(40)))
        (tmp_path / "two.txt").write_text("".join(f"{n}\n" for n in range(40)))
        # More reducers than run at a time, so that some begin when the output of the mappers is lost.
        again = [
            "-D",
            "mapreduce.job.reduces=8",
            "--shuffled",
            context.getConf().get("spark.local.dir"),
            "--once",
            str(tmp_path / "once"),
        ]
        files = [str(tmp_path / name) for name in ("one.txt", "two.txt")]
        job = RunsAgain(["-r", "spark", "--no-conf", "--what", what, *again, *files])
        if runner_class is not None:
            job._runner_class = lambda: runner_class
        with job.make_runner() as runner:
            runner.run()
            assert (tmp_path / "once").exists()
            found = sorted(b"".join(runner.cat_output()).splitlines())
            assert found == sorted(b"%d\t8" % n for n in range(10))
            return runner.counters()

    return counters


@pytest.mark.parametrize("what", ["fail", "lose"])
def test_a_task_that_runs_again_is_counted_once(counters_of, what):
    assert counters_of(what) == [{"Tests": {"lines": 80, "keys": 10}}]


def test_mrjob_counts_again_where_the_output_of_a_task_is_lost(counters_of):
    ((found,),) = [[step["Tests"] for step in counters_of("lose", SparkMRJobRunner)]]
    assert found["lines"] > 80


# interrupts


def living(marker):
    """The commands of the living processes in whose environment a word stands."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ")[:200])
        except OSError:
            continue
    # The command lines of those that are dead, and not yet asked how they ended, are empty.
    return [command for command in found if command]


SECONDS_TO_END = 30


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="asks Linux for its processes")
@pytest.mark.parametrize(
    ("master", "number", "begun", "hangup"),
    [
        pytest.param("local[2]", signal.SIGINT, "in stage 1.0", signal.SIG_DFL, id="Ctrl-C in a reducer"),
        pytest.param("local[2]", signal.SIGTERM, "SparkContext", signal.SIG_DFL, id="while Spark starts"),
        # With SIGHUP ignored, as nohup does.
        pytest.param(ON_TWO_WORKERS, signal.SIGTERM, "in stage 1.0", signal.SIG_IGN, id="two workers"),
        pytest.param("local[2]", signal.SIGKILL, "in stage 1.0", signal.SIG_DFL, id="killed"),
    ],
)
def test_an_interrupted_run_leaves_no_processes_no_output_and_no_temporary_files(
    spark, tmp_path, master, number, begun, hangup
):
    shuffle = random.Random(1)
    (tmp_path / "a.txt").write_text(
        "".join(f"{n},{''.join(shuffle.choices('abcdefgh', k=60))}\n" for n in range(10_000))
    )
    (tmp_path / "s.yaml").write_text(
        "id: id\ncolumns: [id, name]\nfields: {name: {measure: edit, tokens: false}}\ncutoff: 100\n"
    )
    temporary = tmp_path / "tmp"
    temporary.mkdir()

    def start():
        signal.signal(signal.SIGHUP, hangup)

    running = subprocess.Popen(
        [
            *(sys.executable, "-m", "pehchan.console.command", "dedupe", "a.txt", "-s", "s.yaml", "-v"),
            *("-r", "spark", "--conf-path", conf(tmp_path, master, temporary), "-o", "out"),
            # One cell, which takes its reducer long.
            *("-D", "sts.bucket.count=1"),
        ],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=start,
    )
    # Where it goes on for ever, the test fails and does not.
    limit = threading.Timer(300, running.kill)
    limit.start()
    said = []
    for line in running.stderr:
        said.append(line)
        # Records are read in the first job, and compared in the second.
        if begun in line and (begun == "SparkContext" or any("record_similarity" in each for each in said)):
            break
    assert running.poll() is None, "".join(said)
    assert living(str(temporary))
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    limit.cancel()
    deadline = time.monotonic() + SECONDS_TO_END
    while living(str(temporary)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not living(str(temporary))
    if number == signal.SIGKILL:
        # Then nobody is left to clean up.
        return
    assert running.returncode == 130
    assert out == ""
    assert "Interrupted; nothing half-written was left." in err
    assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "mrjob.conf", "s.yaml", "tmp"]
    assert list(temporary.iterdir()) == []


def test_a_run_leaves_no_temporary_files(one_jvm, customers, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    files = customers / "files" / "one.csv"
    run("dedupe", files, "-s", customers / "s.yaml", *ASKED, "-o", tmp_path / "out", "-r", "spark")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


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


def test_match_gives_the_same_on_two_workers(on_two_workers, tmp_path, capsys):
    """What is learnt, to the byte, and what is found with it."""
    columns, _ = persons(200, 60, seed=8)
    rows = [[f"p{k}", *values] for k, values in enumerate(zip(*columns, strict=True))]
    with open(tmp_path / "people.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", *NAMES), *rows])
    for name, switches in (("here", ()), ("there", on_two_workers)):
        asked = ("match", tmp_path / "people.csv", "-o", tmp_path / name, "-q", *switches)
        assert main([*map(str, asked)]) == 0, capsys.readouterr().err
    for name in ("model.json", "questions.json"):
        one, two = (tmp_path / where / "model" / name for where in ("here", "there"))
        assert one.read_bytes() == two.read_bytes()
    for name in ("pairs", "clusters", "cluster_shapes"):
        expected = lines(tmp_path / "here" / name)
        assert expected
        assert lines(tmp_path / "there" / name) == expected
