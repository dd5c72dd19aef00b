"""Runs jobs one after the other with one of mrjob's runners, where their data lies."""

import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mrjob.hadoop import fully_qualify_hdfs_path
from mrjob.parse import is_uri
from mrjob.step import StepFailedException

from pehchan.console.bundle import check_shipping
from pehchan.console.configurations import (
    check_configurations,
    configured_hadoop,
    runner_configurations,
    runner_options,
)
from pehchan.console.emr import end_steps
from pehchan.console.output import JobFailed, copy_folder
from pehchan.console.progress import Progress
from pehchan.console.yarn import end_application, task_log
from pehchan.metadata.mistakes import Mistakes
from pehchan.mrjobs.interrupts import held
from pehchan.mrjobs.job import PehchanJob
from pehchan.mrjobs.places import LocalPlace, Place, place, use_hadoop_command
from pehchan.mrjobs.select_output import SelectOutput
from pehchan.mrjobs.spark import missing_for_spark

#: (group, name) -> amount
Counts = Counter[tuple[str, str]]

#: The groups of our own counters; a cluster counts much more.
GROUPS = (
    "Records",
    "Blocks",
    "Pairs",
    "Components",
    "Clusters",
    "Decisions",
    "Golden",
    "Entities",
    "Distance Data",
    "Missing Data",
    "Invalid Data Format",
)

#: The runners, and the schemes of the paths that each of them reads and writes ("" for this machine).
RUNNERS = {
    "inline": ("",),
    "local": ("",),
    "hadoop": ("hdfs", "s3", "s3a", "s3n", "viewfs", "webhdfs"),
    "spark": ("", "hdfs", "s3", "s3a", "viewfs"),
    "emr": ("s3",),
}


def scheme(path: str) -> str:
    """The scheme of a path or URI, "" for one of this machine."""
    found = path.partition("://")[0] if "://" in path else ""
    return "" if found == "file" else found


def prepare_runner(runner: str, conf_path: str | None, paths: Sequence[str], mistakes: Mistakes) -> None:
    """Reach Hadoop with the command that the runner takes as well, from here on.

    Adds a mistake for a runner that is none or lacks something, and for paths that it does not reach.
    Raises MistakesError where a configuration cannot be used: nobody knows what is reached without it.
    """
    if runner not in RUNNERS:
        mistakes.add(f"-r {runner}", "no such runner.", f"Use one of: {', '.join(RUNNERS)}.")
        return
    if not check_configurations(runner, conf_path, mistakes):
        mistakes.raise_if_any()
    conf_paths = runner_configurations(runner, conf_path)
    use_hadoop_command(configured_hadoop(runner_options(runner, conf_paths)))
    if runner == "spark":
        for what, right in missing_for_spark():
            mistakes.add("-r spark", what, right)
    check_shipping(runner, conf_paths, mistakes)
    for path in paths:
        # Files of this machine are brought to a cluster.
        if scheme(path) and scheme(path) not in RUNNERS[runner]:
            mistakes.add(path, f"-r {runner} does not reach it.", f"It reads {_spoken(RUNNERS[runner])}.")


def _spoken(schemes: Sequence[str]) -> str:
    return ", ".join(f"{each}://" if each else "files of this machine" for each in schemes)


class Jobs:
    """Runs jobs with one runner, and adds up their counters."""

    def __init__(self, runner: str, conf_path: str | None, progress: Progress, resumes: bool = False):
        self.runner = runner
        #: Whether the run goes on where an earlier one broke off, and may find half of an output.
        self.resumes = resumes
        # Temporary files hold records, and so are removed also where a job fails.
        # On EMR "ALL" is also the cluster, and asks for the logs of one that was never started.
        self._switches = ["--cleanup-on-failure", "TMP" if runner == "emr" else "ALL"]
        for path in runner_configurations(runner, conf_path):
            self._switches += ["--conf-path", path]
        self._progress = progress
        self.counts: Counts = Counter()

    @property
    def _here(self) -> bool:
        """Whether the runner works on files of this machine."""
        if self.runner == "spark":
            with self._make_runner() as running:
                return not is_uri(running._spark_tmp_dir)
        return "" in RUNNERS[self.runner]

    def _make_runner(self) -> Any:
        """A runner to ask how it is configured."""
        return SelectOutput(["-r", self.runner, *self._switches, "--select", "pairs"]).make_runner()

    @contextmanager
    def workplace(self, folder: Place) -> Iterator[Place]:
        """Where the jobs that make `folder` write: the folder itself, or one on the cluster that is copied to it.

        The one on the cluster stays where a job fails, and `folder` knows it, so that the run can be resumed.
        """
        if self._here or not isinstance(folder, LocalPlace):
            yield folder
            return
        note = folder / "workplace"
        there = place(note.read().decode()) if note.exists() else self._temporary_folder()
        try:
            yield there
            copy_folder(there, folder.path)
        except JobFailed:
            note.write(str(there).encode())
            raise
        except BaseException:
            there.remove()
            raise
        note.remove()
        there.remove()

    def _temporary_folder(self) -> Place:
        with self._make_runner() as running:
            named = map(running._opts.get, ("cloud_tmp_dir", "hadoop_tmp_dir", "spark_tmp_dir"))
            base = next(filter(None, named), "tmp/mrjob")
            if self.runner == "emr":
                base = running._cloud_tmp_dir
        there = place(f"{fully_qualify_hdfs_path(base).rstrip('/')}/pehchan-{uuid.uuid4().hex[:12]}")
        there.make()
        return there

    def run(
        self,
        job_class: type[PehchanJob],
        inputs: Sequence[str],
        output: Place,
        switches: Sequence[str] = (),
        runner: str | None = None,
    ) -> Counts:
        """Run a job; its output lies in the folder `output`, which it makes. Returns its counters.

        Raises JobFailed where the job fails.
        """
        if self.resumes:
            output.remove()
        arguments = ["-r", runner or self.runner, *(self._switches if runner is None else [])]
        if runner is not None:
            arguments += ["--no-conf", "--cleanup-on-failure", "ALL"]
        job = job_class([*arguments, "--output-dir", str(output), *switches, *inputs])
        counts: Counts = Counter()
        try:
            with (
                _cleaned(job.make_runner()) as running,
                self._progress.watch(running._get_local_tmp_dir()) as watched,
            ):
                try:
                    running.run()
                except StepFailedException:
                    # What the task itself said is on the cluster.
                    print(task_log(watched.application), file=sys.stderr, end="")
                    raise
                except BaseException:
                    # What was submitted goes on without us, and works for nobody.
                    if self.runner == "emr":
                        end_steps(running)
                    else:
                        end_application(watched.application)
                    raise
                for step in running.counters():
                    for group in set(GROUPS) & set(step):
                        for name, amount in step[group].items():
                            counts[group, name] += amount
        except StepFailedException as error:
            raise JobFailed(
                f"{job_class.__name__} failed: {error}. The task's own error stands above."
            ) from error
        self.counts += counts
        return counts

    def export(self, tag: bytes, inputs: Sequence[Place], output: Place, plan_path: Path | None) -> None:
        """Write the lines of one tag as users read them."""
        switches = ["--select", tag.decode(), *(["--plan", str(plan_path)] if plan_path else [])]
        # Where the data lies on this machine, more processes would only cost their start.
        local = isinstance(output, LocalPlace)
        self.run(SelectOutput, list(map(str, inputs)), output, switches, runner="inline" if local else None)


@contextmanager
def _cleaned(running: Any) -> Iterator[Any]:
    """A runner whose temporary files, which hold records, are removed whatever happens."""
    try:
        yield running
    finally:
        with held():
            running.cleanup()


@contextmanager
def local_folder() -> Iterator[Path]:
    """A folder of this machine for what one run needs on it."""
    with tempfile.TemporaryDirectory(prefix="pehchan-") as folder:
        yield Path(folder)
