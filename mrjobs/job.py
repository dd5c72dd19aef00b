"""The base of the jobs: the plan, the wire's protocols, counters and progress."""

import atexit
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from mrjob.job import MRJob
from mrjob.protocol import BytesProtocol, BytesValueProtocol

from pehchan.metadata.mistakes import MistakesError
from pehchan.metadata.plan import Plan

#: Seconds between two signs of life of a task.
STATUS_SECONDS = 2.0

#: The environment variable with the number of the process that submitted a job; only local tasks inherit it.
SUBMITTER = "PEHCHAN_SUBMITTER"

#: Seconds between two looks of a task whether that process is still there.
SUBMITTER_SECONDS = 0.5


class PehchanJob(MRJob):
    """What all jobs have: bytes on the wire, counters, signs of life, and errors for people."""

    INPUT_PROTOCOL = BytesValueProtocol
    INTERNAL_PROTOCOL = BytesProtocol
    OUTPUT_PROTOCOL = BytesProtocol

    #: Called with the amount just done where tasks run in this process.
    on_progress: ClassVar[Callable[[int], None] | None] = None

    @classmethod
    def run(cls) -> None:
        """Entry point of a job file; mistakes in what was given end it with exit code 2 before it starts."""
        try:
            job = cls()
            if job.options.run_mapper or job.options.run_combiner or job.options.run_reducer:
                threading.Thread(target=_end_with_submitter, daemon=True).start()
            job.execute()
        except MistakesError as mistakes:
            print(mistakes, file=sys.stderr)
            sys.exit(2)

    def make_runner(self) -> Any:
        """A runner for this job; its tasks end with this process."""
        os.environ[SUBMITTER] = str(os.getpid())
        return super().make_runner()

    @property
    def reads_files(self) -> bool:
        """Whether the input is what people wrote: files whose names and bytes matter, not lines of a job."""
        return True

    def _runner_class(self) -> Any:
        # Imported where they are used: a task starts without them.
        found = super()._runner_class()
        if found.alias == "local":
            from pehchan.mrjobs.local import LocalRunner

            return LocalRunner
        if found.alias == "spark":
            from pehchan.mrjobs.spark import SparkRunner

            return SparkRunner
        return found

    def _job_kwargs(self) -> dict[str, Any]:
        kwargs = super()._job_kwargs()
        if self.options.runner == "spark":
            kwargs["emulate_map_input_file"] = self.reads_files
        return kwargs

    # counters and progress, gathered so that a task does not write a line a record

    @cached_property
    def counted(self) -> Counter[tuple[str, str]]:
        """(group, name) -> amount, sent on by `send_counters`."""
        return Counter()

    def count(self, group: str, name: str, amount: int = 1) -> None:
        self.counted[group, name] += amount

    def send_counters(self) -> None:
        """Hand the gathered counters to the runner."""
        for (group, name), amount in sorted(self.counted.items()):
            self.increment_counter(group, name, amount)
        self.counted.clear()

    _last_sign = 0.0
    _amount = 0

    def sign_of_life(self, stage: str, amount: int) -> None:
        """Say that `amount` more is done, at most every few seconds: on a cluster a silent task is ended."""
        self._amount += amount
        if PehchanJob.on_progress is not None:
            PehchanJob.on_progress(amount)
        now = time.monotonic()
        if now - self._last_sign >= STATUS_SECONDS:
            self._last_sign = now
            self.set_status(f"{stage} {self._amount}")


class PlannedJob(PehchanJob):
    """A job that runs a plan.

    By itself it takes mrjob's switches with --properties, --schema and --define, makes the plan where it is
    submitted, and hands that to its tasks; the command hands it a plan.
    """

    def configure_args(self) -> None:
        super().configure_args()
        self.add_file_arg("--plan", help="a plan made before; without it one is made from the properties")
        # Not for the tasks: the plan holds what they say.
        self.arg_parser.add_argument("--properties", help="properties file of the job")
        self.arg_parser.add_argument("--schema", help="schema file; without it the properties name one")
        self.arg_parser.add_argument(
            "--define", action="append", default=[], metavar="KEY=VALUE", help="a property, over the file's"
        )

    @cached_property
    def plan(self) -> Plan:
        """The plan of this run."""
        return Plan.read(self.options.plan)

    @property
    def reads_files(self) -> bool:
        """Settled records come from a job."""
        return self.plan.input != "settled"

    def jobconf(self) -> dict[str, Any]:
        """The same for all steps: a runner may take steps that differ for separate jobs."""
        reducers = self.plan.settings.reducers
        return {**super().jobconf(), **({"mapreduce.job.reduces": reducers} if reducers else {})}

    def make_runner(self) -> Any:
        """A runner for this job; makes the plan first where none was given."""
        if not self.options.plan:
            path = self._make_plan()
            self.options.plan = path
            self._cl_args = [*self._cl_args, "--plan", path]
        return super().make_runner()

    def _make_plan(self) -> str:
        # Only where a job is submitted by itself, so that tasks need not import the planner.
        from pehchan.mrjobs.planner import plan_for_job

        plan = plan_for_job(
            self.options.properties, self.options.schema, self.options.define, self.options.args
        )
        folder = tempfile.mkdtemp(prefix="pehchan-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        path = os.path.join(folder, "plan.json")
        plan.write(path)
        return path


def _end_with_submitter() -> None:
    """End this task soon after the process that submitted its job, where both run on one machine.

    A task of a job that was interrupted works for nobody.
    """
    submitter = int(os.environ.get(SUBMITTER, "0"))
    while submitter:
        try:
            os.kill(submitter, 0)
        except ProcessLookupError:
            os._exit(1)
        time.sleep(SUBMITTER_SECONDS)


def input_file() -> str:
    """The path of the file that a mapper reads, as the runner gives it; "" where it does not."""
    uri = os.environ.get("mapreduce_map_input_file") or os.environ.get("map_input_file") or ""  # noqa: SIM112
    return uri.removeprefix("file://")


def file_name(path: str) -> str:
    """The last part of a path or URI."""
    return Path(path).name
