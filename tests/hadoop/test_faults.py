"""What goes wrong on a real cluster, and what a person is left with."""

import os
import random
import signal
import stat
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCHEMA = (
    "id: id\ncolumns: [id, name]\nfields: {name: {measure: edit, tokens: false}}\nlines: true\ncutoff: 60\n"
)


@pytest.fixture(scope="module")
def work(hadoop, tmp_path_factory):
    """A folder with records that take a reducer some seconds, and what comes of them in one process."""
    folder = tmp_path_factory.mktemp("work")
    shuffle = random.Random(3)
    names = ["".join(shuffle.choices("abcdefgh", k=40)) for _ in range(5000)]
    lines = [f"{k},{name}\n" for k, name in enumerate(names)]
    lines += [f"{k + 9000},{name[:-1]}\n" for k, name in enumerate(names[:50])]
    (folder / "a.txt").write_text("".join(lines))
    (folder / "s.yaml").write_text(SCHEMA)
    done = hadoop.pehchan(*ASKED, "-o", "local", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


# In one cell, so that one reducer does it all.
ASKED = ("dedupe", "a.txt", "-s", "s.yaml", "-q", "-D", "bucket.records=100000", "-D", "sts.bucket.count=1")


def tasks(*words):
    """The processes of this machine whose command lines hold all of the words."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if all(word in command for word in words) and command.split(" ")[0].endswith(("python", "python3")):
            found.append(int(folder.name))
    return found


def wait_for(what, seconds=180):
    """What a function returns, once it is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.3)
    pytest.fail(f"waited {seconds} s in vain")


def comparing():
    return tasks("record_similarity.py", "--reducer")


def same_as_local(lines_of, work, out):
    for name in ("pairs", "clusters"):
        assert lines_of(out, name) == lines_of(work / "local", name)


def test_an_interrupt_ends_the_application_on_the_cluster_too(hadoop, work):
    running = hadoop.start(
        *ASKED, "-r", "hadoop", "--conf-path", hadoop.conf(), "-o", "hdfs:///int/out", folder=work
    )
    wait_for(comparing)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=120)
    assert running.returncode == 130
    assert "Interrupted" in err
    wait_for(lambda: not hadoop.cluster.applications("RUNNING", "ACCEPTED"), 60)
    wait_for(lambda: not comparing(), 60)
    assert hadoop.cluster.hadoop("fs", "-ls", "/int").stdout.strip() == b""


def test_killed_tasks_and_a_lost_node_change_nothing(hadoop, work, lines_of):
    running = hadoop.start(
        *ASKED, "-r", "hadoop", "--conf-path", hadoop.conf(), "-o", "hdfs:///kill/out", folder=work
    )
    for task in wait_for(lambda: tasks("settle_records.py", "--mapper") or comparing()):
        os.kill(task, signal.SIGKILL)
    killed = set(wait_for(comparing))
    for task in killed:
        os.kill(task, signal.SIGKILL)
    wait_for(lambda: set(comparing()) - killed)
    hadoop.cluster.kill("nodemanager-2")
    time.sleep(5)
    hadoop.cluster.launch("nodemanager-2")
    _, err = running.communicate(timeout=600)
    assert running.returncode == 0, err[-3000:]
    same_as_local(lines_of, work, "hdfs:///kill/out")


def test_a_task_that_reports_progress_outlives_the_limit_for_silent_ones(hadoop, work, lines_of):
    conf = hadoop.conf("impatient", mapreduce_task_timeout=6000, mapreduce_reduce_maxattempts=1)
    done = hadoop.pehchan(*ASKED, "-r", "hadoop", "--conf-path", conf, "-o", "hdfs:///slow/out", folder=work)
    assert done.returncode == 0, done.stderr[-3000:]
    same_as_local(lines_of, work, "hdfs:///slow/out")


def test_a_run_whose_job_fails_says_why_and_goes_on_from_there(hadoop, work, lines_of):
    python = work / "python"
    python.write_text(
        '#!/bin/sh\ncase "$*" in *record_similarity.py*--reducer*)\n'
        f"  exec {sys.executable} -c \"raise ZeroDivisionError('made to fail')\";;\n"
        f'esac\nexec {sys.executable} "$@"\n'
    )
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    conf = hadoop.conf("failing", python=str(python), mapreduce_reduce_maxattempts=1)
    asked = (*ASKED, "-r", "hadoop", "-o", "hdfs:///fail/out")
    done = hadoop.pehchan(*asked, "--conf-path", conf, folder=work)
    assert done.returncode == 1
    assert "ZeroDivisionError: made to fail" in done.stderr
    assert "--resume" in done.stderr
    before = len(hadoop.cluster.applications("FINISHED"))
    done = hadoop.pehchan(*asked, "--conf-path", hadoop.conf(), "--resume", folder=work)
    assert done.returncode == 0, done.stderr[-3000:]
    same_as_local(lines_of, work, "hdfs:///fail/out")
    # compare, write pairs, cluster, write clusters: the records were settled before.
    assert len(hadoop.cluster.applications("FINISHED")) - before == 4
