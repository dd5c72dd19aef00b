"""The runs of several jobs that the commands make: settle, compare, cluster, export."""

import hashlib
import json
import logging
import math
import os
import platform
import resource
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import orjson

import pehchan
from pehchan.clustering.decisions import DECISIONS, Decision, encode_decisions
from pehchan.console.blocks import block_text
from pehchan.console.decided import decisions_of
from pehchan.console.golden import check_golden, keep_golden
from pehchan.console.inputs import (
    LINK_SETS,
    InputFile,
    Prepared,
    find_files,
    format_of,
    ingest_files,
    look_at,
    on_this_machine,
)
from pehchan.console.jobs import Counts, Jobs, local_folder, prepare_runner
from pehchan.console.masking import Masking
from pehchan.console.output import (
    RUN_VERSION,
    RunError,
    check_output,
    drop_empty_files,
    whole_folder,
)
from pehchan.console.progress import Progress
from pehchan.console.reporting import report_of_run
from pehchan.console.state_run import check_keeping, make_state
from pehchan.distance.arrays import some_of
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.metadata.native_schema import write_native
from pehchan.metadata.plan import Plan, room_of
from pehchan.metadata.properties import Settings
from pehchan.metadata.records import Record, Records
from pehchan.metadata.schema import Schema
from pehchan.mrjobs.cluster_pairs import ClusterPairs
from pehchan.mrjobs.components import Components
from pehchan.mrjobs.count_parts import CountParts
from pehchan.mrjobs.places import Place, whole_path
from pehchan.mrjobs.planner import (
    Counted,
    divide,
    load_schema_and_settings,
    pairs_within,
    plan_join,
    shuffled_characters,
    with_blocks,
    with_buckets,
)
from pehchan.mrjobs.record_similarity import RecordSimilarity
from pehchan.mrjobs.score_candidates import ScoreCandidates
from pehchan.mrjobs.searches import LOOKED_UP, Foresight, may_be_indexed, with_search
from pehchan.mrjobs.settle_records import SettleRecords
from pehchan.mrjobs.settling import RECORDS_A_LINE
from pehchan.mrjobs.wire import CLUSTERED, GROUP, PAIRS, RECORDS, REJECTED, SHAPE, read_tagged

if TYPE_CHECKING:
    from pehchan.console.learning_run import KnownModel, Learning

#: Bytes, about, that a pair takes where clusters are made, and a record; and an edge where components are found.
PAIR_BYTES, RECORD_BYTES, EDGE_BYTES = 120, 100, 60

#: How often codes of records are tried of which two are the same.
SALTS = 10

#: Records that are looked at to tell where to cut an order into ranges.
RANGE_SAMPLED = 20_000

#: Blocks that are named where too many records are in them.
TOO_LARGE_SHOWN = 5


@dataclass
class Request:
    """What the user asked for.

    inputs     paths of files or folders
    out        the folder to write; "" where nothing is run
    resume     go on with the run to the same OUT that broke off
    link       each input is a set, of which only different ones meet
    cutoff     of the clusters, None: as the properties or the schema say
    clusters   whether clusters are made at all
    state      a folder to keep the result in as a state, to which records can be added later; "" for none
    report     whether a report is written; mask: with masks in the place of values, also in the lines set aside
    decisions  a CSV file of what people decided of two records, which comes before any distance
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
    resume: bool = False
    link: bool = False
    clusters: bool = True
    state: str = ""
    report: bool = False
    mask: bool = False
    cutoff: int | None = None
    decisions: str | None = None


#: Which of the sets hold no duplicates, by what `link.as` says.
LINK_KINDS = {"one-to-one": slice(None), "many-to-one": slice(1, None), "many-to-many": slice(0)}


@dataclass
class Result:
    """What a run did; `to_dict` is run.json.

    memory_mb  the most megabytes that a process of this machine took; None where tasks ran elsewhere
    reported   whether a report was written
    decisions  what people decided of two records
    """

    request: Request
    plan: Plan | None = None
    cluster_cutoff: int | None = None
    counts: Counts = field(default_factory=Counter)
    seconds: Mapping[str, float] = field(default_factory=dict)
    guessed: dict[str, object] | None = None
    warnings: list[str] = field(default_factory=list)
    started: str = ""
    memory_mb: int | None = None
    reported: bool = False
    decisions: Sequence[Decision] = ()

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
            "decisions": self.request.decisions,
            "runner": self.request.runner,
            "started": self.started,
            "seconds": dict(self.seconds),
            "memory_mb": self.memory_mb,
            "cutoff": plan.cutoff if plan else None,
            "cluster_cutoff": self.cluster_cutoff,
            "plan": None
            if plan is None
            else {
                "join": plan.join,
                "sets": list(plan.sets),
                "buckets": list(plan.default_buckets),
                "groups_with_more_buckets": len(plan.buckets),
            },
            "schema": write_native(plan.schema) if plan and plan.schema.fields else None,
            # Not all of it: a model holds values of records.
            "model": {name: plan.model[name] for name in ("learnt from", "threshold", "warnings")}
            if plan is not None and plan.model is not None
            else None,
            "settings": plan.settings.to_dict() if plan else None,
            "counters": counters,
            "warnings": self.warnings,
            "versions": {
                "pehchan": pehchan.__version__,
                "python": platform.python_version(),
                **{name: version(name) for name in ("mrjob", "rapidfuzz", "numpy", "orjson")},
            },
        }


@dataclass(frozen=True)
class Size:
    """How many pairs and records clusters are made of, and about how many bytes of text a record has that comes
    along.
    """

    pairs: int
    records: int
    text: int = 0

    def parts(self, room: int) -> int:
        """How many reducers it takes to hold all of it in so many bytes each: one, or some more."""
        held = self.pairs * PAIR_BYTES + self.records * (RECORD_BYTES + self.text)
        # Parts differ in size, and one component is never cut.
        return 1 if held <= room else math.ceil(2 * held / max(1, room))


def run_pipeline(
    request: Request,
    progress: Progress,
    announce: Callable[[Result], None] = lambda result: None,
    learning: "Learning | KnownModel | None" = None,
) -> Result:
    """Settle, compare, and cluster where asked; write OUT. With `learning` a model says how far apart records are.

    `announce` is called once all is checked and before work starts. Raises MistakesError before that, RunError
    after it.
    """
    result = Result(request, started=datetime.now(timezone.utc).isoformat(timespec="seconds"))
    with local_folder() as here:
        inputs, prepared, plan = check(request, result, here, learning=learning)
        announce(result)
        keep = _keeping(request, result) if request.state else None
        run_prepared(request, result, inputs, prepared, plan, progress, here, learning, keep)
    return result


#: Keeps what a run found: the plan, the jobs, the settled records, the workplace, and a folder of this machine.
Keep = Callable[[Plan, Jobs, Sequence[Place], Place, Path], None]


def _keeping(request: Request, result: Result) -> Keep:
    def keep(plan: Plan, jobs: Jobs, records: Sequence[Place], work: Place, here: Path) -> None:
        assert result.cluster_cutoff is not None
        kept = replace(plan, cutoff=result.cluster_cutoff)
        make_state(request.state, request.command, kept, jobs, records, work, here, result.decisions)

    return keep


def run_prepared(
    request: Request,
    result: Result,
    inputs: Sequence[InputFile],
    prepared: Prepared,
    plan: Plan,
    progress: Progress,
    here: Path,
    learning: "Learning | KnownModel | None",
    keep: Keep | None = None,
) -> None:
    """Run what was checked."""
    jobs = Jobs(request.runner, request.conf_path, progress, request.resume)
    with (
        whole_folder(request.out, request.overwrite, request.resume, resumable=True) as folder,
        jobs.workplace(folder) as work,
    ):
        stages = Stages(folder, _fingerprint(plan, result, inputs), jobs, progress)
        masking = Masking() if request.mask else None
        with stages.stage("read") as begun:
            if begun:
                read_records(prepared, inputs, plan, jobs, here, work)
                if masking is not None:
                    masking.rejected(work / "rejected")
        _check_counted(jobs)
        check_rejected(jobs.counts, plan.settings, request.out, work / "rejected")
        by_set = settled_records(prepared, work)
        records = list(by_set.values())
        compares, shuffled = RecordSimilarity, jobs.counts["Records", "Characters"]
        if learning is not None:
            compares = ScoreCandidates
            with stages.stage("learn") as begun:
                learnt = work / "internal" / "plan.json"
                if begun:
                    plan = learning.plan(plan, by_set, jobs, here, work)
                    learnt.write(orjson.dumps(plan.to_dict()))
                plan = Plan.from_dict(orjson.loads(learnt.read()))
                if not begun:
                    learning.resume(plan, work)
        else:
            plan, shuffled = _plan_to_compare(plan, by_set, jobs, stages, here, work)
        if request.runner == "inline" and (too_large := _too_large("what goes to the comparison", shuffled)):
            warning = "-r inline: " + " ".join(too_large)
            result.warnings.append(warning)
            print(f"warning: {warning}", file=sys.stderr)
        plan_path = here / "plan.json"
        plan.write(plan_path)
        # How many pairs share a key that was learnt is known once all of them are found.
        total = None if learning is not None else pairs_to_compare(plan, jobs.counts)
        with stages.stage("compare", total, "pairs") as begun:
            if begun:
                pairs = work / "internal" / "pairs"
                jobs.run(compares, list(map(str, records)), pairs, ["--plan", str(plan_path)])
        with stages.stage("write pairs") as begun:
            if begun:
                jobs.export(PAIRS, [work / "internal" / "pairs"], work / "pairs", plan_path)
        if request.clusters:
            assert result.cluster_cutoff is not None
            with stages.stage("cluster") as begun:
                if begun:
                    of_clusters = [work / "internal" / "pairs", *records]
                    settings, counts = plan.settings, jobs.counts
                    text = counts["Records", "Bytes held"] if settings.cluster_absent == "computed" else 0
                    read = counts["Records", "Read"]
                    size = Size(counts["Pairs", "Kept"], read, text // max(1, read))
                    way = Way(
                        result.cluster_cutoff,
                        settings,
                        clean_sets(plan),
                        result.decisions,
                        components=keep is not None,
                    )
                    cluster(jobs, of_clusters, work, here, plan_path, way, size)
            if plan.schema.keeps:
                with stages.stage("golden records") as begun:
                    if begun:
                        keep_golden(jobs, records, work, plan_path)
        if keep is not None:
            with progress.stage("keep"):
                keep(plan, jobs, records, work, here)
        result.plan, result.counts, result.seconds = plan, jobs.counts, progress.seconds
        (work / "internal" / "plan.json").write(plan_path.read_bytes())
        stages.clear()
        result.memory_mb = memory_taken() if request.runner in ("inline", "local") else None
        if request.report:
            with progress.stage("report"):
                result.reported = report_of_run(work, result.to_dict(), plan, records, masking)
        write_run(work, result)


def _plan_to_compare(
    plan: Plan, by_set: Mapping[str, Place], jobs: Jobs, stages: "Stages", here: Path, work: Place
) -> tuple[Plan, int]:
    """The plan with buckets and an index for the records that were settled; how many characters go to the cells."""
    records, tasks = list(by_set.values()), tasks_at_once(jobs.runner, plan)
    counted = Counted(
        _records_by_set(jobs.counts),
        jobs.counts["Records", "Characters"],
        jobs.counts["Records", "Bytes held"],
    )
    groups = _large_groups(work / "internal" / "groups") if plan.grouped else {}
    if plan.join == "blocking":
        divided = divide(plan, groups)
        while divided.counts:
            parts = _count_parts(replace(plan, divided=divided.blocks), records, stages, jobs, here, work)
            divided = divide(plan, parts, divided)
        if divided.refused:
            raise RunError(too_large_blocks(plan, divided.refused) + "\n  Nothing was compared.")
        all_records, groups = counted, divided.large
        # From here on a record counts in each of its blocks.
        counted = Counted(
            {"": jobs.counts["Blocks", "Members"]},
            jobs.counts["Blocks", "Characters"],
            jobs.counts["Blocks", "Bytes held"],
        )
        plan = with_blocks(plan, counted, divided, tasks, lambda: _sample(by_set, all_records, RANGE_SAMPLED))
    else:
        plan = with_buckets(plan, counted, groups, tasks)
    plan = _with_search(replace(plan, input="settled"), by_set, counted, tasks)
    return plan, shuffled_characters(plan, counted, groups)


def plan_all_pairs(plan: Plan, by_set: Mapping[str, Place], counted: Counted, tasks: int) -> Plan:
    """The plan with buckets and an index for settled records of which every two meet."""
    return _with_search(with_buckets(plan, counted, {}, tasks), by_set, counted, tasks)


def _with_search(plan: Plan, by_set: Mapping[str, Place], counted: Counted, tasks: int) -> Plan:
    if not may_be_indexed(plan, counted):
        return plan
    sample = _sample(by_set, counted, LOOKED_UP)
    return with_search(plan, counted, Foresight(plan, counted, sample, tasks).searches()[0])


def _sample(folders: Mapping[str, Place], counted: Counted, number: int) -> list[Record]:
    """About so many settled records, of the folder of each set its share."""
    shares = [counted.records.get(name) or 1 for name in folders]
    sample: list[Record] = []
    chance = Random(1)
    for folder, share in zip(folders.values(), shares, strict=True):
        wanted = -(-number * share // sum(shares))
        # A line holds many records, so that of some lines some records are taken, about as many of each.
        likely = wanted / max(1, min(share, wanted * RECORDS_A_LINE))
        found: list[Record] = []
        for tag, payload in read_tagged(folder.some_lines(wanted)):
            if tag == RECORDS:
                records = Records.decode(payload)
                some = chance.sample(range(len(records)), min(len(records), math.ceil(len(records) * likely)))
                found += map(records.at, sorted(some))
        sample += [found[place] for place in some_of(len(found), wanted)]
    return sample


def _check_counted(jobs: Jobs) -> None:
    """Raises RunError where a runner did not say how many records it read."""
    if jobs.runner not in ("inline", "local") and not any(group == "Records" for group, _ in jobs.counts):
        raise RunError(
            f"-r {jobs.runner} gave no counters of the records it read, and their number decides how they "
            "are compared.\n  Are the files empty? If not, look at the runner's log with -v."
        )


def settled_records(prepared: Prepared, work: Place) -> dict[str, Place]:
    """Where the settled records lie, by set where the sets are settled one by one."""
    return {name: work / "internal" / folder for name, folder in _record_folders(prepared).items()}


def read_records(
    prepared: Prepared, inputs: Sequence[InputFile], plan: Plan, jobs: Jobs, here: Path, work: Place
) -> None:
    """Settle the records into work/internal, and set aside into work/rejected what is none."""
    internal = work / "internal"
    internal.make()
    rejected = here / "rejected"
    prepared, ingested = ingest_files(prepared, inputs, plan.settings, here / "ingested", rejected)
    records = settle(plan, prepared, jobs, here, internal)
    if ingested.rejected:
        jobs.counts["Records", "Rejected"] += ingested.rejected
    if ingested.blank:
        jobs.counts["Records", "Blank lines"] += ingested.blank
    if jobs.counts["Records", "Rejected"] > ingested.rejected:
        jobs.export(REJECTED, records, work / "rejected", None)
    else:
        (work / "rejected").make()
    if ingested.rejected:
        (work / "rejected" / "part-ingest").write(rejected.read_bytes())
    drop_empty_files(work / "rejected")
    if plan.grouped:
        jobs.export(GROUP, records, internal / "groups", None)
    shutil.rmtree(here / "ingested", ignore_errors=True)


@dataclass(frozen=True)
class Way:
    """How clusters are made.

    cutoff     the largest distance of a pair
    clean      the sets without duplicates
    decisions  what people decided of two records, without contradictions
    components  whether it is said of each record which others pairs join to it
    """

    cutoff: int
    settings: Settings
    clean: Sequence[str] = ()
    decisions: Sequence[Decision] = ()
    components: bool = False


def cluster(
    jobs: Jobs,
    inputs: Sequence[Place],
    work: Place,
    here: Path,
    plan_path: Path | None,
    way: Way,
    size: Size,
    reading: Sequence[str] = (),
    with_records: bool = True,
) -> None:
    """Cluster pairs (and records that may be alone) into work/clusters.

    here          a folder of this machine for what the jobs are given
    reading       of all jobs that read the pairs, how these are written
    with_records  whether the records are among the inputs
    """
    clustered = work / "internal" / "clusters"
    paths = list(map(str, inputs))
    decided: list[str] = []
    if way.decisions:
        told = encode_decisions(way.decisions)
        (here / DECISIONS).write_bytes(told)
        # So that what is said of a pair later also says this.
        (work / "internal" / DECISIONS).write(told)
        decided = ["--decisions", str(here / DECISIONS)]
    room = room_of(way.settings)
    parts = size.parts(room)
    for salt in range(SALTS):
        common = ["--cutoff", str(way.cutoff), "--salt", str(salt), *reading]
        found = []
        if parts > 1:
            found = [str(find_components(jobs, paths, work, common, size.pairs, room, decided))]
        switches = [*common, *decided, "--parts", str(parts)]
        switches += cluster_switches(way.settings, way.clean, plan_path)
        switches += ["--with-records"] if with_records else []
        switches += ["--components"] if way.components else []
        before = jobs.counts.copy()
        counts = jobs.run(ClusterPairs, [*paths, *found], clustered, switches)
        if not counts["Clusters", "Same code"]:
            break
        # Two records had one code, and they hardly have the next one in common.
        clustered.remove()
        jobs.counts = before
    jobs.export(CLUSTERED, [clustered], work / "clusters", plan_path)
    jobs.export(SHAPE, [clustered], work / "cluster_shapes", plan_path)


def find_components(
    jobs: Jobs,
    pairs: Sequence[str],
    work: Place,
    switches: Sequence[str],
    number: int,
    room: int,
    decisions: Sequence[str] = (),
) -> Place:
    """Where every record stands with the one that all of its component have in common.

    number     of the pairs; in one reducer, as soon as so many as are left fit into its room
    decisions  switches of the first round, which makes edges of decisions
    """
    sources, rounds, found = list(pairs), 0, None
    while True:
        rounds += 1
        before, found = found, work / "internal" / f"components-{rounds}"
        found.remove()
        parts = 1 if number * EDGE_BYTES <= room else math.ceil(2 * number * EDGE_BYTES / max(1, room))
        counts = jobs.run(Components, sources, found, [*switches, *decisions, "--parts", str(parts)])
        jobs.counts["Components", "Rounds"] += 1
        if before is not None:
            before.remove()
        if not counts["Components", "Changed"]:
            return found
        sources, number, decisions = [str(found)], counts["Components", "Edges"], ()


def clean_sets(plan: Plan) -> Sequence[str]:
    """The sets of a plan that hold no duplicates."""
    is_link = len(plan.sets) > 1 and plan.sets == LINK_SETS[: len(plan.sets)]
    return plan.sets[LINK_KINDS[plan.settings.link_as]] if is_link else plan.settings.clean_sets


def cluster_switches(settings: Settings, clean: Sequence[str], plan_path: Path | None) -> list[str]:
    """How the job that makes clusters is told how to."""
    switches = ["--by", settings.cluster_by, "--far", str(settings.scale)]
    if settings.cluster_mean is not None:
        switches += ["--mean", str(settings.cluster_mean)]
    if settings.cluster_absent == "computed":
        switches += ["--plan", str(plan_path)]
    return [*switches, *(word for name in clean for word in ("--clean-set", name))]


def tasks_at_once(runner: str, plan: Plan) -> int:
    """How many reducers work at the same time, as far as this machine knows."""
    return plan.settings.reducers or (os.cpu_count() or 1 if runner == "local" else 1)


def write_run(folder: Place, result: Result) -> None:
    """Write run.json."""
    (folder / "run.json").write((json.dumps(result.to_dict(), indent=1) + "\n").encode("ascii"))


class Stages:
    """What of a run is finished, so that a run that broke off goes on from there.

    In the folder lies stages.json: the fingerprint of what was asked, and the counters after each stage.
    """

    def __init__(self, folder: Place, fingerprint: str, jobs: Jobs, progress: Progress):
        self._path = folder / "stages.json"
        self._fingerprint = fingerprint
        self._jobs = jobs
        self._progress = progress
        self._done: dict[str, Any] = {}
        if jobs.resumes and self._path.exists():
            kept = json.loads(self._path.read())
            if kept["fingerprint"] != fingerprint:
                raise RunError(
                    f"{folder}: the broken-off run was asked for something else, or its input has changed.\n"
                    "  Run again without --resume."
                )
            self._done = kept["done"]

    @contextmanager
    def stage(self, name: str, total: int | None = None, unit: str = "") -> Iterator[bool]:
        """One stage of the run; False where it is finished already and must not be done again."""
        if name in self._done:
            self._jobs.counts = Counter({(group, key): n for group, key, n in self._done[name]})
            yield False
            return
        with self._progress.stage(name, total, unit):
            yield True
        self._done[name] = [[group, key, n] for (group, key), n in sorted(self._jobs.counts.items())]
        self._path.write(json.dumps({"fingerprint": self._fingerprint, "done": self._done}).encode())

    def clear(self) -> None:
        """Forget it: the run is whole."""
        self._path.remove()


def _fingerprint(plan: Plan, result: Result, inputs: Sequence[InputFile]) -> str:
    """What was asked of which input, in a few letters."""
    files = []
    for file in inputs:
        stat = os.stat(file.path) if os.path.exists(file.path) else None
        files.append([file.path, file.format, file.set, stat and [stat.st_size, stat.st_mtime_ns]])
    decisions = [[each.a, each.b, each.same] for each in result.decisions]
    asked = json.dumps(
        [pehchan.__version__, plan.to_dict(), result.cluster_cutoff, decisions, files], sort_keys=True
    )
    return hashlib.blake2b(asked.encode(), digest_size=16).hexdigest()


def check(
    request: Request,
    result: Result,
    here: Path,
    bring: Callable[..., InputFile] = on_this_machine,
    learning: "Learning | KnownModel | None" = None,
) -> tuple[list[InputFile], Prepared, Plan]:
    """Everything that can be checked before a job starts; raises MistakesError with all that is wrong.

    `bring` makes of each file one that can be looked at on this machine.
    """
    mistakes = Mistakes()
    schema, settings = load_schema_and_settings(request.properties, request.schema, request.defines, mistakes)
    prepare_runner(request.runner, request.conf_path, [*request.inputs, request.out], mistakes)
    if request.out:
        read = [*request.inputs, *([request.decisions] if request.decisions else [])]
        check_output(request.out, request.overwrite, mistakes, read, request.resume)
    inputs: list[InputFile] = []
    wanted = request.schema or settings.schema_path
    for number, path in enumerate(request.inputs):
        set_name = LINK_SETS[number] if request.link else ""
        for file in find_files([path], mistakes):
            inputs.append(bring(InputFile(file, format_of(file, settings, schema), set_name), settings, here))
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
                "link takes its sets from its inputs.",
                "Leave out sts.inter.set.matching and sts.mixed.in.sets, or use dedupe.",
            )
        plan = replace(plan, sets=LINK_SETS[: len(request.inputs)], set_from="line")
    elif prepared.kind == "records" and plan.set_from == "file":
        plan = replace(plan, set_from="line")
    if learning is not None:
        plan = learning.check(plan, prepared, mistakes)
        result.cluster_cutoff = plan.cutoff
    else:
        for key in (*plan.schema.must_link, *plan.schema.cannot_link):
            mistakes.add(key.where, "such a rule goes with what is learnt.", "Use match, or take it out.")
    if learning is None and request.clusters:
        result.cluster_cutoff, plan = _cluster_cutoff(request, plan, mistakes)
    if request.link and plan.settings.clean_sets:
        mistakes.add(
            "clean.sets",
            "link says with link.as which of its sets hold no duplicates.",
            "Give link.as=one-to-one or many-to-one, or use dedupe.",
        )
    check_sets(plan, () if request.link else plan.settings.clean_sets, "clean.sets", mistakes)
    if request.state:
        check_keeping(request.state, request.out, plan, "--state", mistakes)
        plan = replace(plan, frozen={} if learning is not None and plan.frozen is None else plan.frozen)
    if request.clusters:
        check_way(plan.settings, plan.schema, plan.sets, clean_sets(plan), "cluster.by", mistakes)
        check_golden(plan, mistakes)
    if request.decisions:
        result.decisions = decisions_of(request.decisions, plan, mistakes)
    size = sum(os.path.getsize(file.path) for file in inputs if os.path.exists(file.path))
    if request.runner == "inline" and (too_large := _too_large("its input", size)):
        mistakes.warn("-r inline", *too_large)
    mistakes.raise_if_any()
    result.guessed = prepared.guessed
    result.warnings = [str(warning) for warning in mistakes.warnings]
    return inputs, prepared, plan


def check_sets(plan: Plan, named: Sequence[str], where: str, mistakes: Mistakes) -> None:
    """Sets without duplicates must be sets of the run."""
    # Of sets that are told by their ids nobody knows which there are.
    for name in named if plan.sets else ():
        if name not in plan.sets:
            sets = " and ".join(plan.sets) if len(plan.sets) > 1 else "one set, which has no name"
            mistakes.add(where, f"{name!r} is no set of this run.", f"Its records are of {sets}.")


def check_way(
    settings: Settings,
    schema: Schema | None,
    sets: Sequence[str],
    clean: Sequence[str],
    where: str,
    mistakes: Mistakes,
) -> None:
    """Mistakes in what is asked of the way to make clusters, besides its name."""
    if settings.cluster_by == "assignment" and (len(clean) != 2 or len(sets) > 2):
        mistakes.add(
            where,
            "an assignment is between two sets without duplicates.",
            "Use link --one-to-one of two tables, or name both sets in clean.sets.",
        )
    computed = settings.cluster_absent == "computed"
    for key, is_given in (("mean", settings.cluster_mean is not None), ("absent=computed", computed)):
        if is_given and settings.cluster_by != "average":
            mistakes.add(
                f"cluster.{key}",
                f"cluster.by={settings.cluster_by} looks at no means.",
                "Use it with average.",
            )
    fields = () if schema is None else schema.fields
    if computed and (settings.compat or any(field.missing == "previous" for field in fields)):
        mistakes.add(
            "cluster.absent=computed",
            "with sifarish.compat, or missing: previous, a distance depends on the pair before.",
            "Use cluster.absent=unrelated.",
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


def settle(plan: Plan, prepared: Prepared, jobs: Jobs, here: Path, internal: Place) -> list[Place]:
    """Settle the records of each set; the folders of tagged lines."""
    path = here / "plan-to-settle.json"
    plan.write(path)
    places = []
    folders = _record_folders(prepared).values()
    for name, (set_name, files) in zip(folders, prepared.files.items(), strict=True):
        switches = ["--plan", str(path), *(["--set-name", set_name] if set_name else [])]
        jobs.run(SettleRecords, files, internal / name, switches)
        places.append(internal / name)
    return places


def _record_folders(prepared: Prepared) -> dict[str, str]:
    """What the folders of settled records are called, by set where the sets are settled one by one."""
    # Record lines say of which set they are, so that ingested sets are settled together.
    sets = prepared.files if prepared.kind == "lines" else [""]
    return {name: f"records-{name}" if name else "records" for name in sets}


def _too_large(what: str, size: int) -> tuple[str, str] | None:
    """What is wrong with so many bytes between map and reduce in one process, and what would be right."""
    memory = machine_memory()
    if memory is None or size <= memory // 2:
        return None
    return (
        f"one process holds all of {what} in memory, {size / 1e9:.1f} GB, and this machine has "
        f"{memory / 1e9:.1f} GB.",
        "Use -r local, which sorts on disk.",
    )


def machine_memory() -> int | None:
    """Bytes of memory of this machine, None where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def memory_taken() -> int:
    """The most megabytes that this process took, or one that it started."""
    kilobytes = max(
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    # macOS counts bytes.
    return round(kilobytes * (1 if sys.platform == "darwin" else 1024) / 1e6)


def check_rejected(
    counts: Counts,
    settings: Settings,
    out: str,
    folder: Place,
    right: str = "Mend them, or raise rejected.max.share.",
) -> None:
    """Raises RunError, with the lines set aside kept beside the output, where there are too many of them."""
    rejected = counts["Records", "Rejected"]
    total = rejected + counts["Records", "Read"]
    if total and rejected / total > settings.rejected_max_share:
        target = whole_path(out)
        kept = target.parent / f"{target.name}.rejected.jsonl"
        kept.remove()
        kept.write(b"".join(folder.lines()))
        target.parent.keep_private([kept.name])
        raise RunError(
            f"{rejected:,} of {total:,} lines were set aside ({rejected / total:.1%}), and "
            f"rejected.max.share allows {settings.rejected_max_share:.1%}.\n"
            f"  They stand with their reasons in {kept}; nothing else was written. {right}"
        )


def _records_by_set(counts: Counts) -> dict[str, int]:
    by_set = {
        name.removeprefix("Set "): amount
        for (group, name), amount in counts.items()
        if group == "Records" and name.startswith("Set ")
    }
    return by_set or {"": counts["Records", "Read"]}


def _count_parts(
    plan: Plan, records: Sequence[Place], stages: "Stages", jobs: Jobs, here: Path, work: Place
) -> dict[str, Counted]:
    """The large parts of the blocks that the plan divides."""
    # With every round they have one more value.
    name = f"parts-{max(len(orjson.loads(block)) for block in plan.divided) - 1}"
    with stages.stage(f"count {name}") as begun:
        if begun:
            path = here / f"{name}.json"
            replace(plan, input="settled").write(path)
            counted = work / "internal" / name
            jobs.run(CountParts, list(map(str, records)), counted, ["--plan", str(path)])
            jobs.export(GROUP, [counted], work / "internal" / f"groups-{name}", None)
    return _large_groups(work / "internal" / f"groups-{name}")


def _large_groups(folder: Place) -> dict[str, Counted]:
    """The groups that a job counted, and that need a word in the plan."""
    records: dict[str, dict[str, int]] = {}
    characters: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for line in folder.lines():
        group, set_name, *counts = orjson.loads(line)
        records.setdefault(group, {})[set_name] = counts[0]
        characters[group] += counts[1]
        held[group] += counts[2]
    return {group: Counted(by_set, characters[group], held[group]) for group, by_set in records.items()}


def too_large_blocks(plan: Plan, refused: Mapping[str, Counted]) -> str:
    """What is wrong with blocks of too many records, the largest first, and what would be right."""
    most = plan.settings.blocking_max_records
    sizes = sorted(((sum(each.records.values()), block) for block, each in refused.items()), reverse=True)
    shown = "".join(
        f"\n  {records:,} records: {block_text(plan.schema, block)}"
        for records, block in sizes[:TOO_LARGE_SHOWN]
    )
    more = f"\n  and {len(sizes) - TOO_LARGE_SHOWN:,} more" if len(sizes) > TOO_LARGE_SHOWN else ""
    split = "" if plan.settings.blocking_large == "split" else ", set blocking.large=split or window"
    return (
        f"{len(sizes):,} block{'s' if len(sizes) != 1 else ''} of more than blocking.max.records={most:,}:"
        f"{shown}{more}\n  Join a second part to the key with +{split}, or raise blocking.max.records."
    )


def pairs_to_compare(plan: Plan, counts: Counts) -> int | None:
    """How many pairs of records meet; None where nobody knows before they do."""
    if plan.grouped or not plan.sets:
        return None
    return pairs_within(plan, _records_by_set(counts))


def quiet_mrjob(verbose: bool) -> None:
    """mrjob's own log on stderr: everything where asked, else only what went wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.setLevel(logging.INFO if verbose else logging.ERROR)
    logger = logging.getLogger("mrjob")
    logger.handlers = [handler]
    # The progress of jobs on a cluster is read from what is logged.
    logger.setLevel(logging.INFO)
    logger.propagate = False
