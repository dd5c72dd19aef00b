"""What a person sees of a run while it goes on."""

import io
import logging
import re
import time
from pathlib import Path

from made_up_persons import NAMES, persons

from pehchan.console.command import main
from pehchan.console.progress import Progress


def test_progress_says_how_far_a_stage_is_and_counts_nothing_twice(tmp_path, monkeypatch):
    progress = Progress(quiet=True)
    said = []
    monkeypatch.setattr(progress, "text", lambda done, seconds: said.append(done) or "")
    monkeypatch.setattr("pehchan.console.progress.PLAIN_SECONDS", 0)
    progress._quiet, progress._terminal = False, False
    task = tmp_path / "step" / "000" / "reducer" / "00000"
    task.mkdir(parents=True)
    with progress.stage("compare", 100, "pairs"):
        progress._add(30)
        # A task in this process writes its status as well.
        (task / "stderr").write_text("reporter:status:compare 10\nreporter:status:compare 30\n")
        progress._read_statuses(str(tmp_path))
        (task / "stderr").write_text("reporter:status:compare 50\n")
        progress._read_statuses(str(tmp_path))
    assert said == [30, 30, 50]


def test_progress_tells_the_tasks_that_spark_has_finished(tmp_path, monkeypatch):
    progress = Progress(quiet=True)
    said = []
    monkeypatch.setattr(progress, "_say", said.append)
    log = logging.getLogger("mrjob")
    monkeypatch.setattr(log, "level", logging.INFO)
    with progress.stage("compare"), progress.watch(str(tmp_path)):
        log.info("  Starting task 3.0 in stage 1.0 (TID 5) (192.0.2.2, executor 1, partition 3)")
        log.info("  Finished task 3.0 in stage 1.0 (TID 5) in 300 ms on 192.0.2.2 (executor 1) (4/12)")
    assert said == ["compare  step 2, 4 of 12 tasks"]


def test_progress_tells_share_rate_and_time_left():
    progress = Progress()
    progress._stage, progress._total, progress._unit = "compare", 4000, "pairs"
    assert progress.text(1000, 10.0) == "compare  25%  1,000 pairs, 100 a second  30 s left"
    # At first nobody knows how fast it will be.
    assert progress.text(1000, 2.0) == "compare  25%  1,000 pairs, 500 a second  2 s so far"
    assert progress.text(0, 0.0) == "compare  0%"
    # Nor do the seconds tell it that went by before.
    progress._first = 5.0, 200
    assert progress.text(1000, 13.0) == "compare  25%  1,000 pairs, 77 a second  30 s left"
    progress._total = None
    assert progress.text(1000, 70.0) == "compare  1,000 pairs, 14 a second  1 min 10 s so far"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_every_stage_at_once_and_in_one_line(monkeypatch):
    monkeypatch.setattr("pehchan.console.progress.TICK_SECONDS", 0.01)
    monkeypatch.setattr("pehchan.console.progress.TERMINAL_SECONDS", 0)
    monkeypatch.setenv("COLUMNS", "30")
    stream = Terminal()
    progress = Progress(stream)
    with progress.stage("learn"):
        assert stream.getvalue() == "\r\x1b[Klearn"
        deadline = time.monotonic() + 60
        # The job says nothing by itself.
        while " so far" not in stream.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    with progress.stage("compare", 20_000_000_000, "pairs"):
        progress._add(10_000_000_000)
    *shown, end = stream.getvalue().split("\r\x1b[K")
    assert "learn  0 s so far" in shown
    assert max(map(len, shown)) < 30 + len("learn: done in 0.0 s\n")
    assert re.fullmatch(r"compare: done in \d+\.\d s\n", end)
    # A quiet run, and one that is not on a terminal, see none of it.
    assert all("so far" not in text for text in (_said(quiet=True), _said(stream=io.StringIO())))


def _said(stream=None, quiet=False):
    stream = stream or Terminal()
    with Progress(stream, quiet).stage("learn"):
        time.sleep(0.05)
    return stream.getvalue()


def test_what_a_match_compares_has_no_share_of_all_pairs(tmp_path, monkeypatch):
    """Of 19 billion pairs it compares some hundred thousand; 0 % and 200 hours left were wrong."""
    monkeypatch.chdir(tmp_path)
    totals = {}
    plain = Progress.stage

    def stage(self, name, total=None, unit=""):
        totals[name] = total
        return plain(self, name, total, unit)

    monkeypatch.setattr(Progress, "stage", stage)
    columns, _ = persons(60, 30, seed=3)
    rows = [",".join([str(number), *row]) for number, row in enumerate(zip(*columns, strict=True))]
    Path("people.csv").write_text("\n".join([",".join(["id", *NAMES]), *rows]))
    for command, total in (("match", None), ("dedupe", len(rows) * (len(rows) - 1) // 2)):
        assert main([command, "people.csv", "-o", command, "-q", "--no-report"]) == 0
        assert totals["compare"] == total
