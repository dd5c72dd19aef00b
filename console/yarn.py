"""What is asked of YARN beside mrjob: to end an application, and what its tasks wrote."""

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pehchan.mrjobs.places import hadoop_command

#: Lines of a failed task's log that are shown.
LOG_LINES = 30

#: How often a cluster is asked for that log, and seconds between.
LOG_TRIES = 6
LOG_SECONDS = 3.0


def yarn_command(hadoop: Sequence[str]) -> str:
    """The yarn command that belongs to a hadoop command: the one beside it, else that on PATH."""
    beside = Path(shutil.which(hadoop[0]) or "hadoop").with_name("yarn")
    return str(beside) if beside.exists() else "yarn"


def end_application(application: str | None) -> None:
    """End an application on YARN, which goes on when the command that submitted it does not."""
    if application is None:
        return
    try:
        _yarn("application", "-kill", application)
    except (OSError, subprocess.SubprocessError):
        print(f"{application} may still run: yarn application -kill {application}", file=sys.stderr)


def task_log(application: str | None) -> str:
    """The last lines that the failed tasks of an application on YARN wrote to stderr; "" where it has none."""
    if application is None:
        return ""
    # The nodes take some seconds to hand in the logs of an application that has ended.
    for _ in range(LOG_TRIES):
        with suppress(OSError, subprocess.SubprocessError):
            text = _yarn("logs", "-applicationId", application, "-log_files", "stderr")
            # Containers follow each other; those of tasks that failed hold Python's last words.
            failed = [part for part in text.split("Container: ") if "Traceback" in part or "Error" in part]
            if failed:
                return "".join(f"  {line}\n" for line in failed[-1].splitlines()[-LOG_LINES:])
        time.sleep(LOG_SECONDS)
    return f"What the task wrote: yarn logs -applicationId {application}\n"


def _yarn(*arguments: str) -> str:
    """What the yarn command prints."""
    command = [yarn_command(hadoop_command()), *arguments]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return done.stdout.decode("utf-8", "replace")
