"""The local runner: its tasks end with the step, whatever ends it; and what an interrupt may cut short."""

import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from mrjob.step import MRStep, StepFailedException

from pehchan.mrjobs import interrupts
from pehchan.mrjobs import local as local_module
from pehchan.mrjobs.job import PehchanJob
from pehchan.mrjobs.local import LocalRunner


def test_a_held_interrupt_is_raised_at_the_end_of_the_outermost_block(heeding):
    reached = []

    def work():
        with interrupts.held():
            with interrupts.held():
                signal.raise_signal(signal.SIGTERM)
                reached.append("inner")
            reached.append("outer")
            assert not interrupts.heard()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["inner", "outer"]
    assert interrupts.heard()


def test_only_the_first_interrupt_is_raised(heeding):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)


def test_an_ignored_sigint_stays_ignored():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        interrupts.heed()
        signal.raise_signal(signal.SIGINT)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Sleeper(PehchanJob):
    """A task a file, which says "fail", or which other file the task makes after a sleep."""

    def steps(self):
        return [MRStep(mapper_raw=self.act)]

    def act(self, path, _uri):
        what = Path(path).read_text().strip()
        if what == "fail":
            raise ValueError("as it was told to")
        time.sleep(20)
        Path(what).touch()
        yield b"", what.encode()


class Reader(PehchanJob):
    """Passes its lines on."""

    def steps(self):
        return [MRStep(mapper=lambda _, line: [(b"", line)])]


def sleeping(tmp_path, *tasks):
    """A runner for a job with one file a task."""
    paths = []
    for number, what in enumerate(tasks):
        path = tmp_path / f"{number}.txt"
        path.write_text(what if what == "fail" else str(tmp_path / f"{number}.woke"))
        paths.append(str(path))
    job = Sleeper(["-r", "local", "--no-conf", "--output-dir", str(tmp_path / "out"), *paths])
    runner = job.make_runner()
    assert isinstance(runner, LocalRunner)
    runner._opts["num_cores"] = 4
    return runner


def living(started):
    """The processes of tasks, and those that they started, which still run once the killed ones had time to go."""
    groups = {str(process.pid) for process in started}
    deadline = time.monotonic() + 10
    while True:
        listed = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True)
        # Z: dead, but nobody asked yet how it ended.
        left = [
            line
            for line in listed.stdout.splitlines()
            if line.split()[0] in groups and line.split()[1][0] != "Z"
        ]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


@pytest.fixture
def started(monkeypatch):
    """All processes of tasks, as they start."""
    real, found = subprocess.Popen, []

    def start(*arguments, **options):
        process = real(*arguments, **options)
        # mrjob starts others too, of which it knows itself.
        if options.get("start_new_session"):
            found.append(process)
        return process

    monkeypatch.setattr(local_module.subprocess, "Popen", start)
    return found


def test_a_task_that_fails_ends_the_others(tmp_path, started):
    with sleeping(tmp_path, "sleep", "fail", "sleep") as runner, pytest.raises(StepFailedException):
        runner.run()
    assert len(started) == 3
    assert not living(started)
    assert not list(tmp_path.glob("*.woke"))


def test_an_interrupt_ends_the_tasks(tmp_path, heeding, started):
    threading.Timer(1.0, signal.raise_signal, [signal.SIGTERM]).start()
    with sleeping(tmp_path, "sleep", "sleep") as runner, pytest.raises(KeyboardInterrupt):
        runner.run()
    assert len(started) == 2
    assert not living(started)
    assert not list(tmp_path.glob("*.woke"))


def test_an_interrupt_while_a_task_starts_leaves_no_process(tmp_path, heeding, started, monkeypatch):
    def start(*arguments, **options):
        process = started_as_ever(*arguments, **options)
        if started:
            signal.raise_signal(signal.SIGINT)
        return process

    started_as_ever = local_module.subprocess.Popen
    monkeypatch.setattr(local_module.subprocess, "Popen", start)
    with sleeping(tmp_path, "sleep", "sleep") as runner, pytest.raises(KeyboardInterrupt):
        runner.run()
    assert len(started) == 1
    assert not living(started)
    assert not list(tmp_path.glob("*.woke"))


if __name__ == "__main__":
    Sleeper.run()


@pytest.mark.parametrize(
    "files",
    [
        [b""],
        [b"no end"],
        [b"1\n", b"", b"2\n3\n"],
        [b"a\n" * 1000, b"long " * 500 + b"\n", b"\n\n\n"],
        [b"".join(b"%d\n" % number for number in range(999)) + b"last"],
    ],
)
@pytest.mark.parametrize("most", [1, 7, 1000, 10_000])
def test_the_input_is_divided_into_whole_lines(tmp_path, monkeypatch, files, most):
    paths = []
    for number, content in enumerate(files):
        paths.append(str(tmp_path / f"{number}.txt"))
        Path(paths[-1]).write_bytes(content)
    monkeypatch.setattr(LocalRunner, "_pick_mapper_split_size", lambda *_: most)

    with Reader(["-r", "local", "--no-conf", *paths]).make_runner() as runner:
        parts = runner._split_mapper_input(paths, 0)
        named = [runner._task_input_path("mapper", 0, number) for number in range(len(parts))]
        contents = [Path(path).read_bytes() for path in named]
    assert b"".join(contents) == b"".join(files)
    assert [part["file"] for part in parts if not part["start"]] == paths
    for part, content in zip(parts, contents, strict=True):
        whole = Path(part["file"]).read_bytes()
        end = part["start"] + part["length"]
        assert content == whole[part["start"] : end]
        # Whole lines, the last of which reaches the size of a part.
        assert end == len(whole) or content.endswith(b"\n")
        assert content.rfind(b"\n", 0, -1) < most
