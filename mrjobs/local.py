"""mrjob's local runner, as the jobs here need it: tasks that end with the run, however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO, NamedTuple

from mrjob.cat import is_compressed
from mrjob.local import LocalMRJobRunner, _TaskFailedException

from pehchan.mrjobs.interrupts import held

#: Seconds between two looks whether a task is done.
LOOK_SECONDS = 0.005

#: Bytes of input below which a task is not worth its start.
WORTH_A_TASK = 100_000

#: Parts of reducers' input that there are for a core, at the most, and bytes of each.
PARTS_A_CORE, WORTH_A_PART = 4, 40_000_000


#: Bytes that are copied at a time.
COPIED = 1 << 20


class _Task(NamedTuple):
    kind: str
    step: int
    number: int
    process: "subprocess.Popen[bytes]"


class LocalRunner(LocalMRJobRunner):
    """Runs the tasks of a job in processes of their own, as many at a time as there are cores.

    mrjob's runner forks itself once more for each core, to wait for the tasks. An interrupt at the wrong moment
    leaves such forks behind or waits for them for ever, and tasks outlive the forks in any case. Here nothing
    stands between this process and its tasks, and they end with the step, done or not.

    Jobs with a combiner are not for this runner: what runs between two tasks would have to wait for the first.
    """

    def __init__(self, **options: Any):
        super().__init__(**options)
        self._running: list[_Task] = []

    def _pick_mapper_split_size(self, input_paths: list[str], step_num: int) -> int:
        # One task a core, and not two: the parts are alike, and the start of a task costs as much as many records.
        size = sum(map(os.path.getsize, input_paths))
        return max(WORTH_A_TASK, -(-size // self._num_cores()))

    def _split_mapper_input(self, input_paths: Iterable[str], step_num: int) -> list[dict[str, Any]]:
        """Write the input of each mapper; mrjob's own does so line by line, here the parts are cut out whole."""
        paths = list(input_paths)
        if self._uses_input_manifest() or any(map(is_compressed, paths)):
            return list(super()._split_mapper_input(paths, step_num))
        most = self._pick_mapper_split_size(paths, step_num)
        parts = self._yield_split_fileobjs("mapper", step_num)
        splits = []
        for path in paths:
            with open(path, "rb") as source:
                start, size = 0, os.path.getsize(path)
                # An empty file has a mapper as well.
                while start < size or not size:
                    source.seek(min(start + most, size))
                    source.readline()
                    end = min(size, source.tell())
                    source.seek(start)
                    with next(parts) as part:
                        for chunk in iter(partial(_read_up_to, source, end), b""):
                            part.write(chunk)
                    splits.append({"file": path, "start": start, "length": end - start})
                    if end == size:
                        break
                    start = end
        return splits

    def _num_reducers(self, step_num: int) -> int:
        size = os.path.getsize(self._sorted_reducer_input_path(step_num))
        cores = self._num_cores()
        # Of much input more parts than cores, as a core whose part is done early can take another.
        return max(1, min(cores, size // WORTH_A_TASK), min(cores * PARTS_A_CORE, size // WORTH_A_PART))

    def _run_multiple(self, funcs: Iterable[Callable[[], None]], num_processes: int | None = None) -> None:
        try:
            for start in funcs:
                self._wait_until_fewer_than(self._num_cores())
                with held():
                    start()
            self._wait_until_fewer_than(1)
        finally:
            with held():
                self._end_tasks()

    def _invoke_task_func(self, task_type: str, step_num: int, task_num: int) -> Callable[..., None]:
        """What mrjob calls with the open files of a task; it starts the task, and does not wait for it."""
        return partial(self._start, task_type, step_num, task_num, self._substep_args(step_num, task_type))

    def _start(
        self,
        kind: str,
        step: int,
        number: int,
        arguments: list[str],
        stdin: Any,
        stdout: Any,
        stderr: Any,
        wd: str,
        env: dict[str, str],
    ) -> None:
        if sys.version_info < (3, 12):
            # mrjob imports distutils, and setuptools puts its own in the place of Python's, at 0.1 s a task.
            env = {**env, "SETUPTOOLS_USE_DISTUTILS": "stdlib"}
        # A group of its own, as mrjob puts a shell around the task, and both are to end.
        process = subprocess.Popen(
            arguments, stdin=stdin, stdout=stdout, stderr=stderr, cwd=wd, env=env, start_new_session=True
        )
        self._running.append(_Task(kind, step, number, process))

    def _wait_until_fewer_than(self, number: int) -> None:
        while len(self._running) >= number:
            with held():
                # An interrupt within would leave a lock of the process taken.
                done = [task for task in self._running if task.process.poll() is not None]
            for task in done:
                self._running.remove(task)
                if code := task.process.returncode:
                    raise _TaskFailedException(
                        reason=str(subprocess.CalledProcessError(code, task.process.args)),
                        step_num=task.step,
                        num_steps=self._num_steps(),
                        task_type=task.kind,
                        task_num=task.number,
                    )
            time.sleep(0 if done else LOOK_SECONDS)

    def _end_tasks(self) -> None:
        for task in self._running:
            with suppress(ProcessLookupError):
                os.killpg(task.process.pid, signal.SIGKILL)
            # So that nothing is written any more where temporary files are removed.
            task.process.wait()
        self._running.clear()


def _read_up_to(source: BinaryIO, end: int) -> bytes:
    return source.read(min(COPIED, end - source.tell()))
