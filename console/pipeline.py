"""Runs of several jobs: settle, compare, cluster, export; an output folder that is whole or not there.

OUT holds
  pairs/      id1,id2,distance, as sifarish writes them, with the output options of the properties
  clusters/   cluster_id,record_id,min_distance,max_distance: every record once
  rejected/   JSON lines: the lines set aside, their file and the reason
  run.json    what was asked, what was done, how long it took
  internal/   what travels between the jobs, and what later commands read
"""

import json
import logging
import os
import platform
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
from mrjob.step import StepFailedException

import pehchan
from pehchan.console.inputs import (
    LINK_SETS,
    InputFile,
    Prepared,
    find_files,
    format_of,
    ingest_files,
    look_at,
)
from pehchan.console.progress import Progress
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.metadata.native_schema import write_native
from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings
from pehchan.mrjobs.cluster_pairs import ClusterPairs
from pehchan.mrjobs.job import PehchanJob
from pehchan.mrjobs.planner import load_schema_and_settings, plan_join, with_buckets
from pehchan.mrjobs.record_similarity import RecordSimilarity
from pehchan.mrjobs.select_output import SelectOutput
from pehchan.mrjobs.settle_records import SettleRecords
from pehchan.mrjobs.wire import CLUSTERED, PAIRS, PARTITION, REJECTED, read_tagged

RUN_VERSION = 1

#: Runners on which the command runs whole pipelines so far.
RUNNERS = ("inline", "local")

#: (group, name) -> amount
Counts = Counter[tuple[str, str]]


class RunError(RuntimeError):
    """A run that ended without a result; its text says why, for a person."""


@dataclass
class Request:
    """What the user asked for.

    inputs     paths of files or folders
    link       the first two inputs are two sets, of which only different ones meet
    cutoff     of the clusters, None: as the properties or the schema say
    clusters   whether clusters are made at all
    """

    command: str
    inputs: Sequence[str]
    out: str
    properties: str | None = None
    schema: str | None = None
    defines: Sequence[str] = ()
    runner: str = "inline"
    conf_path: str | None = None
    overwrite: bool = False
    link: bool = False
    clusters: bool = True
    cutoff: int | None = None


@dataclass
class Result:
    """What a run did; `to_dict` is run.json."""

    request: Request
    plan: Plan | None = None
    cluster_cutoff: int | None = None
    counts: Counts = field(default_factory=Counter)
    seconds: Mapping[str, float] = field(default_factory=dict)
    guessed: dict[str, object] | None = None
    warnings: list[str] = field(default_factory=list)
    started: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe, and free of values of records."""
        counters: dict[str, dict[str, int]] = {}
        for (group, name), amount in sorted(self.counts.items()):
            counters.setdefault(group, {})[name] = amount
        plan = self.plan
        return {
            "version": RUN_VERSION,
            "command": self.request.command,
            "inputs": list(self.request.inputs),
            "properties": self.request.properties,
            "runner": self.request.runner,
            "started": self.started,
            "seconds": dict(self.seconds),
            "cutoff": plan.cutoff if plan else None,
            "cluster_cutoff": self.cluster_cutoff,
            "plan": None
            if plan is None
            else {
                "join": plan.join,
                "sets": list(plan.sets),
                "buckets": list(plan.default_buckets),
                "partitions_with_more_buckets": len(plan.buckets),
            },
            "schema": write_native(plan.schema) if plan and plan.schema.fields else None,
            "settings": plan.settings.to_dict() if plan else None,
            "counters": counters,
            "warnings": self.warnings,
            "versions": {
                "pehchan": pehchan.__version__,
                "python": platform.python_version(),
                **{name: version(name) for name in ("mrjob", "rapidfuzz", "numpy", "orjson")},
            },
        }


@contextmanager
def whole_folder(out: str, overwrite: bool) -> Iterator[Path]:
    """A folder to write to that becomes `out` when all went well, and is gone when not.

    Raises MistakesError where `out` must not be written.
    """
    target = Path(os.path.abspath(out))
    _refuse_output(out, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".unfinished", dir=target.parent))
    try:
        yield unfinished
        # mkdtemp makes folders for their owner alone.
        unfinished.chmod(0o777 & ~_umask())
        if target.exists():
            _refuse_output(out, overwrite)
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
            os.rename(target, old / "old")
            try:
                os.rename(unfinished, target)
            except BaseException:
                os.rename(old / "old", target)
                raise
            finally:
                shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(unfinished, target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _refuse_output(out: str, overwrite: bool) -> None:
    mistakes = Mistakes()
    check_output(out, overwrite, mistakes)
    mistakes.raise_if_any()


def check_output(out: str, overwrite: bool, mistakes: Mistakes, inputs: Iterable[str] = ()) -> None:
    """Add a mistake where the output folder must not be written."""
    target = Path(os.path.abspath(out))
    if any(Path(os.path.abspath(path)).is_relative_to(target) for path in inputs):
        mistakes.add(out, "the output is also an input.", "Give another -o.")
    elif target.is_dir():
        ours = (target / "run.json").is_file()
        if any(target.iterdir()) and not (overwrite and ours):
            what = "the output exists." if ours else "the output exists, and is not one of pehchan."
            right = "Give --overwrite to replace it, or another -o." if ours else "Give another -o."
            mistakes.add(out, what, right)
    elif target.exists():
        mistakes.add(out, "the output is a file.", "Name a folder with -o.")


class Jobs:
    """Runs jobs one after the other with the same runner, and adds up their counters."""

    def __init__(self, runner: str, conf_path: str | None, progress: Progress):
        self._runner = runner
        # The temporary files hold records.
        self._conf = ["--cleanup-on-failure", "ALL", *(["--conf-path", conf_path] if conf_path else [])]
        self._progress = progress
        self.counts: Counts = Counter()

    def run(
        self,
        job_class: type[PehchanJob],
        inputs: Sequence[str],
        output: Path,
        switches: Sequence[str] = (),
        runner: str | None = None,
    ) -> Counts:
        """Run a job; its output lies in the folder `output`. Returns its counters.

        Raises RunError where the job fails.
        """
        arguments = ["-r", runner or self._runner, *self._conf, "--output-dir", str(output), *switches]
        job = job_class([*arguments, *inputs])
        counts: Counts = Counter()
        try:
            with job.make_runner() as running, self._progress.watch(running._get_local_tmp_dir()):
                running.run()
                for step in running.counters():
                    for group, names in step.items():
                        for name, amount in names.items():
                            counts[group, name] += amount
        except StepFailedException as error:
            raise RunError(
                f"{job_class.__name__} failed: {error}. The task's own error stands above."
            ) from error
        self.counts += counts
        return counts

    def export(self, tag: bytes, inputs: Path, output: Path, plan_path: Path | None) -> None:
        """Write the lines of one tag as users read them."""
        switches = ["--select", tag.decode(), *(["--plan", str(plan_path)] if plan_path else [])]
        # The data lies on this machine, and so does the output: more processes would only cost their start.
        self.run(SelectOutput, [str(inputs)], output, switches, runner="inline")


def run_pipeline(
    request: Request, progress: Progress, announce: Callable[[Result], None] = lambda result: None
) -> Result:
    """Settle, compare, and cluster where asked; write OUT.

    `announce` is called once all is checked and before work starts. Raises MistakesError before that, RunError
    after it.
    """
    result = Result(request, started=datetime.now(timezone.utc).isoformat(timespec="seconds"))
    inputs, prepared, plan = _check(request, result)
    announce(result)
    with whole_folder(request.out, request.overwrite) as folder:
        internal = folder / "internal"
        internal.mkdir()
        (folder / "rejected").mkdir()
        jobs = Jobs(request.runner, request.conf_path, progress)
        with progress.stage("read"):
            prepared, ingested = ingest_files(
                prepared, inputs, plan.settings, internal / "ingested", folder / "rejected" / "part-ingest"
            )
            records = settle(plan, prepared, jobs, internal)
            _count_ingested(jobs.counts, ingested.rejected, ingested.blank)
            for place in records:
                jobs.export(REJECTED, place, folder / "rejected" / place.name, None)
            flatten(folder / "rejected")
            shutil.rmtree(internal / "ingested", ignore_errors=True)
        _check_rejected(jobs.counts, plan.settings, request.out, folder / "rejected")
        plan = with_buckets(plan, _records_by_set(jobs.counts), _partitions(records))
        plan = replace(plan, input="settled")
        plan_path = internal / "plan.json"
        plan.write(plan_path)
        with progress.stage("compare", pairs_to_compare(plan, jobs.counts), "pairs"):
            jobs.run(
                RecordSimilarity,
                [str(place) for place in records],
                internal / "pairs",
                ["--plan", str(plan_path)],
            )
        with progress.stage("write pairs"):
            jobs.export(PAIRS, internal / "pairs", folder / "pairs", plan_path)
        if request.clusters:
            assert result.cluster_cutoff is not None
            with progress.stage("cluster"):
                cluster(jobs, [internal / "pairs", *records], result.cluster_cutoff, folder, plan_path)
        result.plan, result.counts, result.seconds = plan, jobs.counts, progress.seconds
        write_run(folder, result)
    return result


def cluster(
    jobs: Jobs,
    inputs: Sequence[Path],
    cutoff: int,
    folder: Path,
    plan_path: Path | None,
    switches: Sequence[str] = (),
) -> None:
    """Cluster pairs (and records that may be alone) into folder/clusters."""
    clustered = folder / "internal" / "clusters"
    jobs.run(ClusterPairs, [str(place) for place in inputs], clustered, ["--cutoff", str(cutoff), *switches])
    jobs.export(CLUSTERED, clustered, folder / "clusters", plan_path)


def write_run(folder: Path, result: Result) -> None:
    """Write run.json."""
    (folder / "run.json").write_text(json.dumps(result.to_dict(), indent=1) + "\n", encoding="ascii")


def _check(request: Request, result: Result) -> tuple[list[InputFile], Prepared, Plan]:
    """Everything that can be checked before a job starts; raises MistakesError with all that is wrong."""
    mistakes = Mistakes()
    schema, settings = load_schema_and_settings(request.properties, request.schema, request.defines, mistakes)
    check_runner(request.runner, mistakes)
    check_output(request.out, request.overwrite, mistakes, request.inputs)
    inputs: list[InputFile] = []
    wanted = request.schema or settings.schema_path
    for number, path in enumerate(request.inputs):
        set_name = LINK_SETS[number] if request.link else ""
        for file in find_files([path], mistakes):
            inputs.append(InputFile(file, format_of(file, settings, schema), set_name))
    prepared = None
    if schema is not None or not wanted:
        prepared = look_at(inputs, settings, schema, mistakes)
    if prepared is None:
        mistakes.raise_if_any()
        raise MistakesError([])
    plan = plan_join(prepared.schema, settings, mistakes, prepared.kind)
    if request.link:
        if plan.join == "same_id" or settings.two_sets:
            mistakes.add(
                request.properties or "",
                "link takes its two sets from its two inputs.",
                "Leave out sts.inter.set.matching and sts.mixed.in.sets, or use dedupe.",
            )
        plan = replace(plan, sets=LINK_SETS, set_from="line")
    elif prepared.kind == "records" and plan.set_from == "file":
        plan = replace(plan, set_from="line")
    if request.clusters:
        result.cluster_cutoff, plan = _cluster_cutoff(request, plan, mistakes)
    mistakes.raise_if_any()
    result.guessed = prepared.guessed
    result.warnings = [str(warning) for warning in mistakes.warnings]
    return inputs, prepared, plan


def check_runner(runner: str, mistakes: Mistakes) -> None:
    if runner not in RUNNERS:
        mistakes.add(
            f"-r {runner}",
            "the command does not run on it yet.",
            f"Use one of: {', '.join(RUNNERS)}. The job files by themselves take all of mrjob's runners.",
        )


def _cluster_cutoff(request: Request, plan: Plan, mistakes: Mistakes) -> tuple[int, Plan]:
    """The cutoff of the clusters, and the plan whose pairs reach up to it."""
    settings, schema = plan.settings, plan.schema
    named = settings.cutoff if settings.cutoff is not None else schema.cutoff
    asked = request.cutoff if request.cutoff is not None else settings.cluster_cutoff
    where = "--cutoff" if request.cutoff is not None else "cluster.cutoff"
    if asked is None:
        if named is None:
            mistakes.add(
                request.properties or schema.where,
                "no cutoff is given, and without one every pair would make a duplicate.",
                "Give --cutoff N, sts.dist.threshold in the properties, or cutoff in the schema.",
            )
        return plan.cutoff, plan
    if not 0 <= asked <= settings.scale:
        mistakes.add(
            where,
            f"{asked} is not from 0 to {settings.scale}.",
            f"The scale is sts.distance.scale={settings.scale}.",
        )
    elif named is None or settings.cutoff is None:
        # Only a threshold of the properties asks for pairs beyond the clusters.
        return asked, replace(plan, cutoff=asked)
    elif asked > settings.cutoff:
        mistakes.add(
            where,
            f"{asked} is above sts.dist.threshold={settings.cutoff}, up to which pairs are kept.",
            f"Give a value from 0 to {settings.cutoff}, or a larger threshold.",
        )
    return asked, plan


def settle(plan: Plan, prepared: Prepared, jobs: Jobs, internal: Path) -> list[Path]:
    """Settle the records of each set; the folders of tagged lines."""
    path = internal / "plan-to-settle.json"
    plan.write(path)
    places = []
    for set_name, files in prepared.files.items():
        place = internal / ("records" if not set_name else f"records-{set_name}")
        switches = ["--plan", str(path), *(["--set-name", set_name] if set_name else [])]
        # An output of several sets has several inputs; each keeps its own counters of what was read.
        jobs.run(SettleRecords, files, place, switches)
        places.append(place)
    path.unlink()
    return places


def _count_ingested(counts: Counts, rejected: int, blank: int) -> None:
    if rejected:
        counts["Records", "Rejected"] += rejected
    if blank:
        counts["Records", "Blank lines"] += blank


def flatten(folder: Path) -> None:
    """Part files of the folders in a folder, moved up; empty ones are dropped, so that an empty folder says all."""
    for place in sorted(folder.iterdir()):
        parts = sorted(place.iterdir()) if place.is_dir() else [place]
        for part in parts:
            if part.stat().st_size == 0:
                part.unlink()
            elif place.is_dir():
                part.rename(folder / f"{place.name}-{part.name}")
        if place.is_dir():
            place.rmdir()


def _check_rejected(counts: Counts, settings: Settings, out: str, folder: Path) -> None:
    """Raises RunError, with the lines set aside kept beside the output, where there are too many of them."""
    rejected = counts["Records", "Rejected"]
    total = rejected + counts["Records", "Read"]
    if total and rejected / total > settings.rejected_max_share:
        kept = Path(os.path.abspath(out) + ".rejected.jsonl")
        with open(kept, "wb") as file:
            for part in sorted(folder.iterdir()):
                file.write(part.read_bytes())
        raise RunError(
            f"{rejected:,} of {total:,} lines were set aside ({rejected / total:.1%}), and "
            f"rejected.max.share allows {settings.rejected_max_share:.1%}.\n"
            f"  They stand with their reasons in {kept}; nothing else was written. "
            "Mend them, or raise rejected.max.share."
        )


def _records_by_set(counts: Counts) -> dict[str, int]:
    by_set = {
        name.removeprefix("Set "): amount
        for (group, name), amount in counts.items()
        if group == "Records" and name.startswith("Set ")
    }
    return by_set or {"": counts["Records", "Read"]}


def _partitions(records: Sequence[Path]) -> Iterator[tuple[str, str, int]]:
    for place in records:
        for tag, payload in tagged_lines(place):
            if tag == PARTITION:
                partition, set_name, count = orjson.loads(payload)
                yield partition, set_name, count


def tagged_lines(folder: Path) -> Iterator[tuple[bytes, bytes]]:
    """(tag, payload) of the lines in the part files of a folder."""
    for part in sorted(folder.glob("part-*")):
        with open(part, "rb") as file:
            yield from read_tagged(file)


def pairs_to_compare(plan: Plan, counts: Counts) -> int | None:
    """How many pairs of records meet; None where nobody knows before they do."""
    if plan.join != "all_pairs" or plan.schema.partition_ordinal is not None or not plan.sets:
        return None
    records = _records_by_set(counts)
    if len(plan.sets) == 2:
        return records.get(plan.sets[0], 0) * records.get(plan.sets[1], 0)
    total = records[""]
    return total * (total - 1) // 2


def read_run(folder: Path) -> dict[str, Any]:
    """run.json of an output folder. Raises MistakesError where there is none, or of another version."""
    mistakes = Mistakes()
    data: dict[str, Any] = {}
    path = folder / "run.json"
    try:
        data = json.loads(path.read_text(encoding="ascii"))
    except FileNotFoundError:
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


def quiet_mrjob(verbose: bool) -> None:
    """mrjob's own log on stderr: everything where asked, else only what went wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("mrjob")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO if verbose else logging.ERROR)
    logger.propagate = False
