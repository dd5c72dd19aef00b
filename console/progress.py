"""How far a run is: stage, share done, rate and time left; on a terminal in place, elsewhere in plain lines."""

import glob
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import get_terminal_size
from types import TracebackType
from typing import TextIO

from pehchan.mrjobs.job import PehchanJob

#: Seconds between two updates, on a terminal and elsewhere.
TERMINAL_SECONDS = 0.2
PLAIN_SECONDS = 10.0

#: Seconds after which a terminal is told again how long a stage takes by now, if nothing else was said.
TICK_SECONDS = 1.0

#: Seconds of work before the time left is told: what starts is not yet as fast as it will be.
SETTLED_SECONDS = 5.0

_STATUS = re.compile(rb"reporter:status:(?:[a-z]+) (\d+)")

# What Hadoop says of a job, which mrjob logs.
_APPLICATION = re.compile(r"\bapplication_\d+_\d+\b")
_SHARES = re.compile(r"\bmap (\d+)% reduce (\d+)%")

# What Spark says, likewise: of the tasks of its stages, which it counts from 0.
_FINISHED = re.compile(r"\bFinished task \S+ in stage (\d+)\.\d+ .*\((\d+)/(\d+)\)$")


class Progress:
    """Says on stderr what a run is doing.

    Amounts come from tasks in this process as they work, and from the status lines of tasks in other processes
    (`watch` their folder). Tasks in this process write status lines as well, so the larger amount is the true one.
    """

    def __init__(self, stream: TextIO | None = None, quiet: bool = False):
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._terminal = self._stream.isatty()
        self._stage = ""
        self._total: int | None = None
        self._unit = ""
        self._here = 0
        self._elsewhere = 0
        #: Seconds and amount when work was first heard of: what comes before it says nothing of what is left.
        self._first: tuple[float, int] | None = None
        #: What a cluster says of the stage.
        self._cluster = ""
        self._lock = threading.Lock()
        self._started = 0.0
        self._said = 0.0
        #: Seconds each stage took, in order.
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, total: int | None = None, unit: str = "") -> Iterator[None]:
        """One stage of the run; total is the amount of work in `unit`, None where nobody knows."""
        self._stage, self._total, self._unit = name, total, unit
        self._here, self._elsewhere, self._cluster = 0, 0, ""
        self._first = None
        self._started = self._said = time.monotonic()
        PehchanJob.on_progress = self._add
        try:
            with self._ticking():
                yield
        finally:
            PehchanJob.on_progress = None
            took = time.monotonic() - self._started
            self.seconds[name] = round(self.seconds.get(name, 0.0) + took, 3)
            self._clear()
        self._line(f"{name}: done in {took:.1f} s")

    @contextmanager
    def _ticking(self) -> Iterator[None]:
        """On a terminal a stage that says nothing by itself is seen, too, and how long it takes by now."""
        if not self._terminal or self._quiet:
            yield
            return
        stop = threading.Event()

        def tick() -> None:
            while not stop.wait(TICK_SECONDS):
                self._show()

        ticking = threading.Thread(target=tick, daemon=True)
        self._say(self.text(0, 0.0), at_once=True)
        ticking.start()
        try:
            yield
        finally:
            stop.set()
            ticking.join()

    def _add(self, amount: int) -> None:
        self._here += amount
        self._show()

    def _show(self) -> None:
        amount, seconds = max(self._here, self._elsewhere), time.monotonic() - self._started
        if amount and self._first is None:
            self._first = seconds, amount
        if amount or self._terminal:
            self._say(self.text(amount, seconds))

    def _say(self, text: str, at_once: bool = False) -> None:
        """Say how far the stage is, if it is time to."""
        wait = TERMINAL_SECONDS if self._terminal else PLAIN_SECONDS
        # A clock of ours ticks in a thread of its own.
        with self._lock:
            now = time.monotonic()
            if self._quiet or (now - self._said < wait and not at_once):
                return
            self._said = now
            if self._terminal:
                # What goes on in a second line would not be taken back.
                self._stream.write(f"\r\x1b[K{text[: get_terminal_size().columns - 1]}")
                self._stream.flush()
            else:
                self._line(text)

    def text(self, done: int, seconds: float) -> str:
        """What is said of a stage after some seconds."""
        parts = [self._stage]
        rate = done / seconds if seconds > 0 else 0.0
        before, amount = self._first or (0.0, 0)
        worked = seconds - before
        if self._total:
            parts.append(f"{min(done / self._total, 1):.0%}")
        if done and self._unit:
            parts.append(f"{done:,} {self._unit}, {rate:,.0f} a second")
        elif self._cluster:
            parts.append(self._cluster)
        if self._total and done > amount and worked >= SETTLED_SECONDS:
            parts.append(f"{_duration(max(self._total - done, 0) * worked / (done - amount))} left")
        elif seconds >= TICK_SECONDS:
            parts.append(f"{_duration(seconds)} so far")
        return "  ".join(parts)

    def _show_share(self, mapped: int, reduced: int) -> None:
        """Say how far a job on a cluster is, in hundredths."""
        self._show_cluster(f"map {mapped} %, reduce {reduced} %")

    def _show_tasks(self, step: int, done: int, tasks: int) -> None:
        """Say how far a job on Spark is."""
        self._show_cluster(f"step {step}, {done} of {tasks} tasks")

    def _show_cluster(self, said: str) -> None:
        self._cluster = said
        self._say(self.text(0, time.monotonic() - self._started))

    def _clear(self) -> None:
        if self._terminal and not self._quiet:
            self._stream.write("\r\x1b[K")

    def _line(self, text: str) -> None:
        if not self._quiet:
            print(text, file=self._stream, flush=True)

    def watch(self, folder: str) -> "_Watch":
        """A context in which the status lines of tasks that run below a folder are followed."""
        return _Watch(self, folder)

    def _read_statuses(self, folder: str) -> None:
        amount = 0
        for path in glob.glob(os.path.join(glob.escape(folder), "step", "*", "*", "*", "stderr")):
            try:
                with open(path, "rb") as file:
                    statuses = _STATUS.findall(file.read())
            except OSError:
                continue
            amount += int(statuses[-1]) if statuses else 0
        self._elsewhere = amount
        self._show()


class _Watch(logging.Handler):
    """Follows a job: the status lines of its tasks below a folder, and what a cluster says of it in mrjob's log."""

    def __init__(self, progress: Progress, folder: str):
        super().__init__(logging.INFO)
        self._progress, self._folder = progress, folder
        #: The job's application on YARN, once it has one.
        self.application: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def _follow(self) -> None:
        while not self._stop.wait(1.0):
            self._progress._read_statuses(self._folder)

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if submitted := _APPLICATION.search(text):
            self.application = submitted[0]
        elif shares := _SHARES.search(text):
            self._progress._show_share(int(shares[1]), int(shares[2]))
        elif finished := _FINISHED.search(text):
            stage, done, tasks = map(int, finished.groups())
            self._progress._show_tasks(stage + 1, done, tasks)

    def __enter__(self) -> "_Watch":
        self._thread.start()
        logging.getLogger("mrjob").addHandler(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        logging.getLogger("mrjob").removeHandler(self)
        self._stop.set()
        self._thread.join()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
