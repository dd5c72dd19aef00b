"""How long commands run, and how much memory they take: pehchan's with -r local, and those of others."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from running import run

#: Runs a task, and notes what it took at the most: sort, which mrjob runs between the tasks, takes all it can get.
WATCH = """\
import pathlib, resource, subprocess, sys
notes, job, *arguments = sys.argv[1:]
code = subprocess.run([sys.executable, job, *arguments]).returncode
kind = next(word.strip("-") for word in arguments if word in ("--mapper", "--reducer"))
with open(notes, "a") as file:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, kind, pathlib.Path(job).stem, file=file)
sys.exit(code)
"""


class Task(NamedTuple):
    """A task of a run, and the largest resident memory that it had."""

    megabytes: float
    kind: str
    job: str

    def __str__(self) -> str:
        return f"{self.megabytes:.0f} ({self.kind} of {self.job})"


def watch(arguments: Sequence[str], folder: Path) -> tuple[float, list[Task]]:
    """Seconds of the command in a folder, and its tasks, those with the most memory first."""
    notes = folder / "notes"
    notes.write_text("")
    (folder / "watch.py").write_text(WATCH)
    task_python = [sys.executable, str(folder / "watch.py"), str(notes)]
    (folder / "conf").write_text(json.dumps({"runners": {"local": {"task_python_bin": task_python}}}))
    seconds = run([*arguments, "-r", "local", "--conf-path", "conf", "-q"], folder)
    # Linux counts kilobytes of 1024 bytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    tasks = []
    for line in notes.read_text().splitlines():
        size, kind, job = line.split()
        tasks.append(Task(int(size) * unit / 1e6, kind, job))
    return seconds, sorted(tasks, reverse=True)


#: Runs a command, and prints what the largest of its processes took.
LARGEST = """\
import resource, subprocess, sys
code = subprocess.run(sys.argv[1], shell=True, stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def watch_other(command: str) -> tuple[float, float]:
    """Seconds of any command of a shell, and megabytes of the largest of its processes.

    Ends the benchmark where it fails.
    """
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", LARGEST, command], stdout=subprocess.PIPE, text=True)
    seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(f"{command} ended with {done.returncode}")
    return seconds, int(done.stdout) * (1 if sys.platform == "darwin" else 1024) / 1e6
