"""mrjob's Spark runner, as the jobs here need it: the same records as on every other runner, from the same lines."""

import fcntl
import logging
import os
import shutil
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from mrjob.logs.spark import _parse_spark_log
from mrjob.logs.step import _eio_to_eof
from mrjob.parse import is_uri
from mrjob.spark.runner import SparkMRJobRunner

from pehchan.mrjobs.interrupts import held

#: Seconds that Spark gets to stop and to remove its temporary files, before it is killed.
STOP_SECONDS = 15.0


class SparkRunner(SparkMRJobRunner):
    """Runs jobs on Spark with pehchan's own harness; takes mrjob's options, in the same section of a configuration.

    mrjob's runner asks of a job that its steps do not differ in their jobconf, that it has no combiner, and that
    more than one word is passed to its tasks. All jobs here keep to that.
    """

    def __init__(self, **options: Any):
        super().__init__(**options)
        #: Whether the names and the bytes of the input matter; else it is lines of a job, which are read faster.
        self._reads_files = self._opts["emulate_map_input_file"]
        # The harness can do both in this way only.
        self._opts["emulate_map_input_file"] = True
        self._has_run = False

    def _default_python_bin(self, local: bool = False) -> list[str]:
        # On this machine the Python that has pehchan is the one that runs this.
        return super()._default_python_bin(local=local or on_this_machine(self._spark_master()))

    def _run(self) -> None:
        self._has_run = True
        if not is_uri(self._spark_tmp_dir):
            # mrjob writes counters to a folder in it, and makes that, but not it.
            os.makedirs(self._spark_tmp_dir, exist_ok=True)
        super()._run()

    def _run_spark_submit(
        self, spark_submit_args: list[str], env: dict[str, str], record_callback: Callable[..., None]
    ) -> tuple[int, dict[str, Any]]:
        """Run spark-submit to its end; what it started ends with this block, however that ends.

        mrjob's own does not wait for a Spark that it leaves, which then writes where temporary files are removed.
        """
        with held():
            log, terminal = os.openpty()
            # A terminal of its own: where this process is killed, all that runs on it hears a hangup.
            submitted = subprocess.Popen(
                spark_submit_args,
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
                env=env,
                start_new_session=True,
                preexec_fn=_take_terminal,
            )
            os.close(terminal)
        try:
            with os.fdopen(log, "rb") as lines:
                found = _parse_spark_log(_eio_to_eof(lines), record_callback=record_callback)
                return submitted.wait(), found
        finally:
            with held():
                _end_group(submitted)

    def _emulate_archives_on_spark(self) -> bool:
        # Spark unpacks archives itself, by now also where it does not run on YARN.
        return False

    def _jobconf_for_step(self, step_num: int) -> dict[str, Any]:
        found = super()._jobconf_for_step(step_num)
        if on_this_machine(self._spark_master()):
            # The shuffle holds records. There it is removed also where Spark could not do so itself.
            return {"spark.local.dir": self._get_local_tmp_dir(), **found}
        return found

    def _cleanup_hadoop_tmp(self) -> None:
        """Remove the counters, and what was brought to a cluster: mrjob leaves them there."""
        super()._cleanup_hadoop_tmp()
        if self._has_run:
            try:
                self.fs.rm(self._spark_tmp_dir)
            except (OSError, subprocess.SubprocessError):
                logging.getLogger(__name__).exception(f"could not remove {self._spark_tmp_dir}")

    def _spark_cmdenv(self, step_num: int) -> dict[str, str]:
        # Java takes arguments, and so the names of files, in the encoding of the locale.
        utf8 = {} if _locale_is_utf8() else {"LC_ALL": "C.UTF-8"}
        return {**utf8, **super()._spark_cmdenv(step_num)}

    def _step_input_uris(self, step_num: int) -> list[str]:
        # The harness gets them in one word, with commas between, and with what it is to do with them.
        kind = "files" if self._reads_files else "lines"
        return [
            f"{kind}:{quote(_as_spark_writes(uri), safe='/:')}" for uri in super()._step_input_uris(step_num)
        ]

    def _step_output_uri(self, step_num: int) -> str:
        return _as_spark_writes(super()._step_output_uri(step_num))

    def _spark_harness_path(self) -> str:
        return str(Path(__file__).with_name("spark_harness.py"))


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _end_group(leader: "subprocess.Popen[bytes]") -> None:
    """End the processes of a group, and wait until they have: a JVM, its driver in Python, and more of them."""
    deadline = time.monotonic() + STOP_SECONDS
    asked = False
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            # Reaps the leader; the group is there as long as one of it is.
            leader.poll()
            os.killpg(leader.pid, 0 if asked else signal.SIGTERM)
            asked = True
            time.sleep(0.05)
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()


def on_this_machine(master: str | None) -> bool:
    """Whether Spark runs within this machine, and so sees its files: local, local[*], local-cluster[2,1,1024]."""
    return not master or master.startswith("local")


def missing_for_spark() -> Iterator[tuple[str, str]]:
    """What Spark needs and this machine lacks: what it is, and what to do."""
    home = os.environ.get("SPARK_HOME")
    if shutil.which("spark-submit", path=os.path.join(home, "bin") if home else None):
        # It may know of a Java of its own.
        return
    if not find_spec("pyspark"):
        yield (
            "there is no Spark on this machine.",
            "pip install 'pehchan[spark]', or name one with SPARK_HOME.",
        )
    java = os.environ.get("JAVA_HOME")
    if not shutil.which("java", path=os.path.join(java, "bin") if java else None):
        yield "there is no Java on this machine, which Spark needs.", "Install Java 17, or set JAVA_HOME."


def _as_spark_writes(uri: str) -> str:
    """mrjob's URI of a local path, which quotes spaces and more, as Spark takes it, which does not."""
    return unquote(uri) if uri.startswith("file:") else uri


def _locale_is_utf8() -> bool:
    named = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "")
    return named.lower().replace("-", "").endswith("utf8")
