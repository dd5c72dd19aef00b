"""What -r spark starts ends with it; a script stands in for spark-submit here."""

import os
import signal
import threading
import time

import pytest
from mrjob.step import StepFailedException

from pehchan.mrjobs import spark as spark_module
from pehchan.mrjobs.select_output import SelectOutput

# Deaf to the hangup of its terminal, as below nohup, with a child that is so too.
DEAF = """\
#!/bin/sh
trap '' HUP
sleep 10 &
echo "$$ $!" > {pids}
echo "INFO begun"
wait
echo > {woke}
"""


@pytest.fixture
def submitting(tmp_path, monkeypatch):
    """A runner whose spark-submit is a script."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()

    def submitting(script):
        path = tmp_path / "spark-submit"
        path.write_text(script.format(pids=tmp_path / "pids", woke=tmp_path / "woke"))
        path.chmod(0o755)
        (tmp_path / "in.txt").write_text("")
        switches = ["-r", "spark", "--no-conf", "--cleanup-on-failure", "ALL", "--select", "pairs"]
        switches += ["--spark-submit-bin", str(path), "--output-dir", str(tmp_path / "out")]
        return SelectOutput([*switches, str(tmp_path / "in.txt")]).make_runner()

    return submitting


def lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="asks Linux for its processes")
@pytest.mark.parametrize("deaf_to", ["HUP", "HUP TERM"])
def test_an_interrupt_ends_all_that_spark_submit_started(submitting, heeding, tmp_path, monkeypatch, deaf_to):
    monkeypatch.setattr(spark_module, "STOP_SECONDS", 1.0)

    def interrupt():
        while not (tmp_path / "pids").exists():
            time.sleep(0.05)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=interrupt, daemon=True).start()
    with submitting(DEAF.replace("HUP", deaf_to)) as runner, pytest.raises(KeyboardInterrupt):
        runner.run()
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    deadline = time.monotonic() + 5
    while any(map(lives, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(lives, pids))
    assert not (tmp_path / "woke").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_spark_submit_that_fails_fails_the_job(submitting, tmp_path):
    with (
        submitting("#!/bin/sh\nexit 3\n") as runner,
        pytest.raises(StepFailedException, match="exit status 3"),
    ):
        runner.run()
    assert list((tmp_path / "tmp").iterdir()) == []
