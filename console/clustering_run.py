"""`pehchan cluster`: clusters of pairs that an earlier run, or another program, has found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from pehchan.console.decided import decisions_of
from pehchan.console.golden import keep_golden
from pehchan.console.inputs import InputFile, find_files, format_of, ingest_files, look_at, on_this_machine
from pehchan.console.jobs import Jobs, local_folder, prepare_runner
from pehchan.console.output import (
    RunError,
    check_output,
    drop_empty_files,
    read_plan,
    read_run,
    record_folders,
    whole_folder,
)
from pehchan.console.pipeline import (
    Request,
    Result,
    Size,
    Way,
    check_sets,
    check_way,
    clean_sets,
    cluster,
    settle,
    write_run,
)
from pehchan.console.progress import Progress
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings
from pehchan.metadata.schema import Field, Schema
from pehchan.mrjobs.places import LocalPlace, Place, place
from pehchan.mrjobs.wire import REJECTED

#: Bytes of files, about, that a record takes at the least, and a pair, and a pair in a packed file.
A_RECORD, A_PAIR, A_PACKED_PAIR = 50, 10, 3

#: How the names of packed files end.
PACKED = (".gz", ".bz2")

#: The largest distance of a pair: jobs hold distances as numbers of 64 bits.
FARTHEST = 2**63 - 1

#: Bytes of a file that are looked at, to tell how many pairs it holds.
BYTES_LOOKED_AT = 100_000


@dataclass
class Pairs:
    """Where the pairs lie: outputs of earlier runs, and files of delimited lines."""

    outputs: list[Place]
    files: list[Place]


@dataclass(frozen=True)
class Clusters:
    """What is asked of the clusters.

    cutoff      the largest distance of a pair
    by          a way to make them; blank: as the run did that found the pairs
    clean_sets  sets without duplicates; none: those of that run
    mean        as cluster.mean; None: as that run
    absent      as cluster.absent; blank: as that run
    """

    cutoff: int
    by: str
    clean_sets: Sequence[str]
    mean: int | None = None
    absent: str = ""


def run_clustering(
    request: Request, asked: Clusters, records: str | None, delimiter: str, progress: Progress
) -> Result:
    """Cluster the pairs of `request.inputs`. Raises MistakesError before, RunError after the start."""
    cutoff = asked.cutoff
    result = Result(
        request, cluster_cutoff=cutoff, started=datetime.now(timezone.utc).isoformat(timespec="seconds")
    )
    mistakes = Mistakes()
    paths = [*request.inputs, *([records] if records else [])]
    prepare_runner(request.runner, request.conf_path, [*paths, request.out], mistakes)
    pairs = _find_pairs(request.inputs, mistakes)
    for output in pairs.outputs:
        _check_cutoff(output, cutoff, mistakes)
    if not 0 <= cutoff <= FARTHEST:
        what = "below 0" if cutoff < 0 else f"above {FARTHEST}"
        mistakes.add("--cutoff", f"{cutoff} is {what}.", f"Give a distance from 0 to {FARTHEST}.")
    record_files: list[InputFile] = []
    record_output = place(records) if records and (place(records) / "run.json").exists() else None
    if records and not record_output:
        record_files = [
            InputFile(path, format_of(path, Settings(), None)) for path in find_files([records], mistakes)
        ]
    given = [request.decisions] if request.decisions else []
    check_output(request.out, request.overwrite, mistakes, [*paths, *given])
    settings, clean = _settings(asked, pairs.outputs, mistakes)
    for path in given:
        plan = read_plan(pairs.outputs[0]) if pairs.outputs else None
        result.decisions = decisions_of(path, plan, mistakes)
    mistakes.raise_if_any()
    golden_plan = _golden_plan(pairs, result)
    jobs = Jobs(request.runner, request.conf_path, progress)
    with (
        local_folder() as here,
        whole_folder(request.out, request.overwrite) as folder,
        jobs.workplace(folder) as work,
    ):
        (work / "internal").make()
        of_pairs = [*(output / "internal" / "pairs" for output in pairs.outputs), *pairs.files]
        of_records: list[Place] = []
        settled: list[Place] = []
        if settings.cluster_absent == "computed":
            of_records = record_folders(pairs.outputs[0], read_plan(pairs.outputs[0]))
        elif record_output:
            of_records = record_folders(record_output, read_plan(record_output))
        elif record_files:
            with progress.stage("read"):
                of_records = settled = _settle_ids(record_files, delimiter, jobs, here, work)
        plan_path = None
        if pairs.outputs:
            plan_path = here / "plan.json"
            plan_path.write_bytes((pairs.outputs[0] / "internal" / "plan.json").read())
            (work / "internal" / "plan.json").write(plan_path.read_bytes())
        # What a line of records takes is taken for the values of one.
        computed = settings.cluster_absent == "computed"
        records_there = _size(of_records) // A_RECORD
        size = Size(number_of_pairs(pairs), records_there, 5 * A_RECORD if computed else 0)
        with progress.stage("cluster"):
            reading = ["--delimiter", delimiter]
            inputs = [*of_pairs, *of_records]
            with_records = bool(of_records)
            way = Way(cutoff, settings, clean, result.decisions)
            cluster(jobs, inputs, work, here, plan_path, way, size, reading, with_records)
        if golden_plan is not None and plan_path is not None:
            with progress.stage("golden records"):
                keep_golden(jobs, record_folders(pairs.outputs[0], golden_plan), work, plan_path)
        aside = [*([work / "internal" / "clusters"] if pairs.files or with_records else []), *settled]
        if aside:
            jobs.export(REJECTED, aside, work / "rejected", None)
            drop_empty_files(work / "rejected")
        if (here / "rejected").is_file() and (here / "rejected").stat().st_size:
            (work / "rejected" / "part-ingest").write((here / "rejected").read_bytes())
        unread = jobs.counts["Pairs", "Rejected"]
        if unread and not jobs.counts["Pairs", "Read"]:
            raise RunError(
                f"None of {unread:,} lines is a pair: expected id{delimiter}id{delimiter}distance, the distance "
                "a whole number. Is --delimiter right?"
            )
        if not (unread or jobs.counts["Pairs", "Read"] or number_of_pairs(Pairs(pairs.outputs, []))):
            result.warnings.append(
                f"{', '.join(request.inputs)}: no pairs are there, and every record is alone."
            )
        result.counts, result.seconds = jobs.counts, progress.seconds
        write_run(work, result)
    return result


def _settings(
    asked: Clusters, outputs: Sequence[Place], mistakes: Mistakes
) -> tuple[Settings, Sequence[str]]:
    """How clusters are made, and of which sets without duplicates: as asked, and else as the run says that found the
    pairs.
    """
    settings, clean, schema, sets = Settings(), asked.clean_sets, None, ()
    plan = read_plan(outputs[0]) if outputs else None
    if plan is not None:
        settings, clean, schema, sets = plan.settings, clean or clean_sets(plan), plan.schema, plan.sets
        check_sets(plan, asked.clean_sets, "--clean-set", mistakes)
    by = asked.by or settings.cluster_by
    # What is not asked for is as in the run, as far as the way is.
    average = by == "average" or not asked.by
    settings = replace(
        settings,
        cluster_by=by,
        cluster_mean=asked.mean if asked.mean is not None else settings.cluster_mean if average else None,
        cluster_absent=asked.absent or (settings.cluster_absent if average else "unrelated"),
    )
    check_way(settings, schema, sets, clean, "--by", mistakes)
    if settings.cluster_absent == "computed" and (schema is None or len(outputs) > 1):
        mistakes.add(
            "--absent computed",
            "what is absent is measured by the values of records, which are in the output of one run.",
            "Name one output of dedupe, link or similarity as PAIRS.",
        )
    return settings, clean


def _golden_plan(pairs: Pairs, result: Result) -> Plan | None:
    """The plan of the run whose records golden records are made of; None where none are asked for."""
    asking = [plan for plan in map(read_plan, pairs.outputs) if plan is not None and plan.schema.keeps]
    if asking and (pairs.files or len(pairs.outputs) > 1):
        result.warnings.append("golden records are made of the pairs of one run alone, and here of none.")
        return None
    return asking[0] if asking else None


def _size(inputs: Sequence[Place]) -> int:
    """Bytes of files, and of all in folders."""
    sizes = (
        sum(file.size() for file in each.files())
        if isinstance(each, LocalPlace) and each.path.is_dir()
        else each.size()
        for each in inputs
    )
    return sum(sizes)


def number_of_pairs(pairs: Pairs) -> int:
    """About how many pairs there are: as runs counted them, and by the first lines of files."""
    kept = sum(read_run(output)["counters"].get("Pairs", {}).get("Kept", 0) for output in pairs.outputs)
    return kept + sum(file.size() // _bytes_a_pair(file) for file in pairs.files)


def _bytes_a_pair(file: Place) -> int:
    """Bytes that a pair takes in a file, by its first lines where it lies on this machine."""
    if file.name.endswith(PACKED) or not isinstance(file, LocalPlace):
        return A_PACKED_PAIR if file.name.endswith(PACKED) else A_PAIR
    with open(file.path, "rb") as opened:
        first = opened.read(BYTES_LOOKED_AT)
    return max(1, len(first) // max(1, first.count(b"\n")))


def _find_pairs(paths: Sequence[str], mistakes: Mistakes) -> Pairs:
    pairs = Pairs([], [])
    for path in map(place, paths):
        within = path.parent if path.name == "pairs" and (path.parent / "run.json").exists() else path
        if (within / "run.json").exists():
            if not (within / "internal" / "pairs").exists():
                mistakes.add(str(path), "holds no pairs.", "Name an output of similarity, dedupe or link.")
            pairs.outputs.append(within)
        elif path.parent.name == "pairs" and (path.parent.parent / "run.json").exists():
            mistakes.add(
                str(path), "a part of the pairs of a run.", f"Name the whole run: {path.parent.parent}"
            )
        else:
            pairs.files.extend(map(place, find_files([str(path)], mistakes)))
    return pairs


def _check_cutoff(output: Place, cutoff: int, mistakes: Mistakes) -> None:
    try:
        made_with = read_run(output).get("cutoff")
    except MistakesError as error:
        mistakes.found.extend(error.mistakes)
        return
    if made_with is not None and cutoff > made_with:
        mistakes.add(
            "--cutoff",
            f"{cutoff} is above {made_with}, up to which the pairs of {output} were kept.",
            f"Give a value from 0 to {made_with}, or find the pairs anew with a larger cutoff.",
        )


def _settle_ids(
    files: Sequence[InputFile], delimiter: str, jobs: Jobs, here: Path, work: Place
) -> list[Place]:
    """The ids of records, which stand in the first column of their files."""
    settings = Settings(input_delimiter=delimiter)
    # A plan compares something; this one is for settling ids only.
    schema = Schema(fields=(Field("id", 0, "exact"),), id_ordinal=0, lines=True, where=files[0].path)
    mistakes = Mistakes()
    files = [on_this_machine(file, settings, here) for file in files]
    prepared = look_at(files, settings, schema, mistakes)
    mistakes.raise_if_any()
    assert prepared is not None
    prepared, _ = ingest_files(prepared, files, settings, here / "ingested", here / "rejected")
    return settle(Plan(schema, settings, 0, prepared.kind), prepared, jobs, here, work / "internal")
