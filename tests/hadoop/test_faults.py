"""What goes wrong on a real cluster, and what a person is left with."""

import os
import random
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hadoop.outputs import lines, pairs

SCHEMA = (
    "id: id\ncolumns: [id, name]\nfields: {name: {measure: edit, tokens: false}}\nlines: true\ncutoff: 60\n"
)

#: One reducer and 120 cells, each of which takes it as long as a slow Python says.
ASKED = ("similarity", "a.txt", "-s", "s.yaml", "-q", "-D", "num.reducer=1", "-D", "bucket.records=60")

#: Runs a task, which waits after each cell and before it may say that it is alive.
SLOW = """\
import runpy, sys, time
from pehchan.mrjobs.job import PehchanJob
say = PehchanJob.sign_of_life
def say_late(job, stage, amount):
    time.sleep({seconds})
    say(job, stage, amount)
PehchanJob.sign_of_life = say_late
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def work(hadoop, tmp_path_factory):
    """A folder with records, and in `local` what comes of them in one process."""
    folder = tmp_path_factory.mktemp("work")
    chosen = random.Random(3)
    names = ["".join(chosen.choices("abcdefgh", k=40)) for _ in range(400)]
    alike = [f"{k + 9000},{name[:-1]}\n" for k, name in enumerate(names[:50])]
    (folder / "a.txt").write_text("".join([*(f"{k},{name}\n" for k, name in enumerate(names)), *alike]))
    (folder / "s.yaml").write_text(SCHEMA)
    done = hadoop.pehchan(*ASKED, "-o", "local", folder=folder)
    assert done.returncode == 0, done.stderr
    assert len(lines(folder / "local", "pairs")) == 50
    # In one file, for one mapper.
    settled = sorted((folder / "local" / "internal" / "records").iterdir())
    (folder / "settled.txt").write_bytes(b"".join(path.read_bytes() for path in settled))
    return folder


@pytest.fixture
def slow(tmp_path):
    """A Python whose reducers of record_similarity take some seconds for each cell."""

    def make(seconds):
        (tmp_path / "slow.py").write_text(SLOW.format(seconds=seconds))
        return program(tmp_path / "python", f'exec {sys.executable} {tmp_path}/slow.py "$@"')

    return make


def program(path, reducing):
    """A Python for tasks that does something else where record_similarity reduces."""
    path.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        f'    *record_similarity.py*--reducer*) {reducing} ;;\n    *) exec {sys.executable} "$@" ;;\nesac\n'
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def start_comparison(hadoop, work, conf, out):
    """Compare, as one job, the records that were settled here."""
    command = [sys.executable, "-m", "pehchan.mrjobs.record_similarity", "-r", "hadoop", "--conf-path", conf]
    command += ["--plan", "local/internal/plan.json", "--output-dir", out, "settled.txt"]
    return subprocess.Popen(
        list(map(str, command)), cwd=work, env=hadoop.cluster.env(), stderr=subprocess.PIPE, text=True
    )


def reducers():
    """The attempts of reducers of record_similarity that run: id -> (process, node)."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            environ = (folder / "environ").read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        attempt = re.search("\0mapreduce_task_attempt_id=([^\0]+)", "\0" + environ)
        node = re.search("\0LOCAL_DIRS=[^\0]*/(nodemanager-\\d+)/", "\0" + environ)
        if attempt and node and b"record_similarity.py" in command and b"--reducer" in command:
            found[attempt[1]] = (int(folder.name), node[1])
    return found


def wait_for(what, running, seconds=180):
    """What a function returns, once it is something; and a process still runs then."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and running.poll() is None:
        if found := what():
            return found
        time.sleep(0.1)
    running.kill()
    pytest.fail(f"ended, or {seconds} s were over: {running.communicate()[1][-3000:]}")


def next_reducer(running, known):
    """(process, node) of an attempt that was not known before; from here on it is."""
    found = wait_for(lambda: {key: each for key, each in reducers().items() if key not in known}, running)
    known.update(found)
    return next(iter(found.values()))


def test_an_interrupt_ends_the_application_on_the_cluster_too(hadoop, work, slow):
    conf = hadoop.conf("slow", python=slow(1))
    running = hadoop.start(*ASKED, "-r", "hadoop", "--conf-path", conf, "-o", "hdfs:///int/out", folder=work)
    next_reducer(running, set())
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=120)
    assert running.returncode == 130, err
    assert "Interrupted" in err
    deadline = time.monotonic() + 60
    while (left := hadoop.cluster.applications("RUNNING", "ACCEPTED") or reducers()) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.2)
    assert not left
    assert hadoop.cluster.applications()
    assert hadoop.cluster.hadoop("fs", "-ls", "/int").stdout.strip() == b""


def test_a_killed_task_and_a_lost_node_change_nothing(hadoop, work, slow):
    running = start_comparison(hadoop, work, hadoop.conf("slower", python=slow(0.06)), "hdfs:///kill/out")
    known = set()
    task, _ = next_reducer(running, known)
    os.kill(task, signal.SIGKILL)
    _, node = next_reducer(running, known)
    hadoop.cluster.kill(node)
    try:
        wait_for(lambda: hadoop.cluster.nodes("LOST"), running)
        next_reducer(running, known)
    finally:
        hadoop.cluster.launch(node)
    assert len(hadoop.cluster.nodes("RUNNING")) == 2
    _, err = running.communicate(timeout=300)
    assert running.returncode == 0, err[-3000:]
    assert pairs("hdfs:///kill/out") == pairs(work / "local" / "internal" / "pairs")


def test_a_task_that_reports_progress_outlives_the_limit_for_silent_ones(hadoop, work, slow):
    # Long enough for a task to start in on a busy machine, and less than half of what the reducer takes.
    limit = {"mapreduce_task_timeout": 10000, "mapreduce_task_timeout_check-interval-ms": 500}
    conf = hadoop.conf("impatient", python=slow(0.2), mapreduce_reduce_maxattempts=1, **limit)
    running = start_comparison(hadoop, work, conf, "hdfs:///slow/out")
    _, err = running.communicate(timeout=300)
    assert running.returncode == 0, err[-3000:]
    assert pairs("hdfs:///slow/out") == pairs(work / "local" / "internal" / "pairs")


@pytest.mark.slow
def test_a_run_whose_job_fails_says_why_and_goes_on_from_there(hadoop, work, tmp_path):
    failing = f"exec {sys.executable} -c \"raise ZeroDivisionError('made to fail')\""
    conf = hadoop.conf(
        "failing", python=program(tmp_path / "python", failing), mapreduce_reduce_maxattempts=1
    )
    asked = (*ASKED, "-r", "hadoop", "-o", "hdfs:///fail/out")
    done = hadoop.pehchan(*asked, "--conf-path", conf, folder=work)
    assert done.returncode == 1
    assert "ZeroDivisionError: made to fail" in done.stderr
    assert "--resume" in done.stderr
    before = len(hadoop.cluster.applications("FINISHED"))
    done = hadoop.pehchan(*asked, "--conf-path", hadoop.conf(), "--resume", folder=work)
    assert done.returncode == 0, done.stderr[-3000:]
    assert lines("hdfs:///fail/out", "pairs") == lines(work / "local", "pairs")
    # Compare and write pairs: the records were settled before.
    assert len(hadoop.cluster.applications("FINISHED")) - before == 2
