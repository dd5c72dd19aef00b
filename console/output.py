"""The output folder of a run: whole or not there, and how later commands read it.

OUT holds
  pairs/      id1,id2,distance, as sifarish writes them, with the output options of the properties
  clusters/   cluster_id,record_id,min_distance,max_distance: every record once
  entities/   JSON lines: the golden record of each cluster, where the schema asks for them
  rejected/   JSON lines: the lines set aside, their file and the reason
  report.html what to look at first, for people
  run.json    what was asked, what was done, how long it took
  internal/   what travels between the jobs, and what later commands read

What holds whole records is for its owner alone to read (PRIVATE).
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.places import LocalPlace, Place, whole_path
from pehchan.mrjobs.wire import read_tagged

RUN_VERSION = 3

REPORT = "report.html"

#: The folder of golden records.
ENTITIES = "entities"

#: What of an output holds values of records, besides the pairs if they were asked for with them.
PRIVATE = ("internal", "rejected", "model", ENTITIES, REPORT)


class RunError(RuntimeError):
    """A run that ended without a result; its text says why, for a person."""


class JobFailed(RunError):
    """A job of a run that failed; what the run had finished is worth keeping."""


@contextmanager
def whole_folder(out: str, overwrite: bool, resume: bool = False, resumable: bool = False) -> Iterator[Place]:
    """A folder to write to that becomes `out` when all went well, and is gone when not.

    Where a job of a resumable run fails it is kept as `out` with .unfinished behind it, and given again with
    `resume`. On S3, where
    folders have no names to change, it is `out` itself, and whole once run.json is there.
    Raises MistakesError where `out` must not be written.
    """
    target = whole_path(out)
    _refuse_output(out, overwrite, resume)
    target.parent.make()
    left = target.parent / f"{target.name}.unfinished"
    # Not a name that begins with a dot or a line: cluster jobs do not read such.
    unfinished = (
        target.parent / f"{target.name}.{uuid.uuid4().hex[:8]}.unfinished" if target.renames else target
    )
    if target.renames and resume and left.exists():
        left.rename(unfinished)
    elif not resume:
        if not target.renames:
            target.remove()
        unfinished.make()
        unfinished.keep_private()
    elif target.renames:
        raise RunError(f"{left}: there is no broken-off run to resume.")
    try:
        yield unfinished
        _let_read(unfinished)
        if target.renames:
            if target.exists():
                _refuse_output(out, overwrite)
            replace_folder(unfinished, target)
    except JobFailed as error:
        if not resumable:
            unfinished.remove()
            raise
        if target.renames:
            left.remove()
            unfinished.rename(left)
        kept = "What was finished before is kept: the same command with --resume goes on from there."
        raise JobFailed(f"{error}\n  {kept}") from error
    except BaseException:
        unfinished.remove()
        raise


def _let_read(folder: Place) -> None:
    """Let others read what they may of a folder that only its owner read while it was written."""
    folder.keep_private(PRIVATE)
    folder.share()


def replace_folder(unfinished: Place, target: Place) -> None:
    """Call the unfinished folder by its name, in place of an earlier one where there is one."""
    if not target.exists():
        unfinished.rename(target)
        return
    old = target.parent / f"{target.name}.{uuid.uuid4().hex[:8]}.old"
    target.rename(old)
    try:
        unfinished.rename(target)
    except BaseException:
        old.rename(target)
        raise
    old.remove()


def _refuse_output(out: str, overwrite: bool, resume: bool = False) -> None:
    mistakes = Mistakes()
    check_output(out, overwrite, mistakes, resume=resume)
    mistakes.raise_if_any()


def check_output(
    out: str, overwrite: bool, mistakes: Mistakes, inputs: Iterable[str] = (), resume: bool = False
) -> None:
    """Add a mistake where the output folder must not be written."""
    target = whole_path(out)
    if resume and not target.renames:
        return
    if any(f"{whole_path(path)}/".startswith(f"{target}/") for path in inputs):
        mistakes.add(out, "the output is also an input.", "Give another -o.")
    elif isinstance(target, LocalPlace) and target.path.is_file():
        mistakes.add(out, "the output is a file.", "Name a folder with -o.")
    elif target.exists():
        ours = (target / "run.json").exists()
        empty = isinstance(target, LocalPlace) and not any(target.path.iterdir())
        if not empty and not (overwrite and ours):
            what = "the output exists." if ours else "the output exists, and is not one of pehchan."
            right = "Give --overwrite to replace it, or another -o." if ours else "Give another -o."
            mistakes.add(out, what, right)


def copy_folder(source: Place, target: Path) -> None:
    """Copy the files of a folder to one of this machine."""
    for file in source.files():
        inside = str(file).split(str(source).partition("://")[2] or str(source), 1)[1].lstrip("/")
        to = target / inside
        to.parent.mkdir(parents=True, exist_ok=True)
        with open(to, "wb") as copy:
            for chunk in file.chunks():
                copy.write(chunk)


def drop_empty_files(folder: Place) -> None:
    """Remove empty part files, where that costs nothing, so that an empty folder says all."""
    if isinstance(folder, LocalPlace) and folder.path.is_dir():
        for path in folder.path.iterdir():
            if path.is_file() and path.stat().st_size == 0:
                path.unlink()


def tagged_lines(folders: Sequence[Place]) -> Iterator[tuple[bytes, bytes]]:
    """(tag, payload) of the lines in folders of job output."""
    for folder in folders:
        yield from read_tagged(folder.lines())


def read_plan(out: Place) -> Plan | None:
    """The plan of a run; None where its output holds none."""
    path = out / "internal" / "plan.json"
    return Plan.from_dict(json.loads(path.read())) if path.exists() else None


def record_folders(out: Place, plan: Plan | None) -> list[Place]:
    """Where the settled records of a run with this plan lie."""
    names = ("records", *(f"records-{name}" for name in (plan.sets if plan is not None else ())))
    return [out / "internal" / name for name in names if (out / "internal" / name).exists()]


def read_run(folder: Place) -> dict[str, Any]:
    """run.json of an output folder. Raises MistakesError where there is none, or of another version."""
    mistakes = Mistakes()
    data: dict[str, Any] = {}
    path = folder / "run.json"
    try:
        data = json.loads(path.read())
    except (FileNotFoundError, NotADirectoryError):
        mistakes.add(str(folder), "not an output of pehchan: it holds no run.json.")
    except ValueError as error:
        mistakes.add(str(path), f"not readable as JSON: {error}")
    else:
        if data.get("version") != RUN_VERSION:
            mistakes.add(
                str(path), f"version {data.get('version')!r}.", f"This pehchan reads version {RUN_VERSION}."
            )
    mistakes.raise_if_any()
    return data
