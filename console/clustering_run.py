"""`pehchan cluster`: clusters of pairs that an earlier run, or another program, has found."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from pehchan.console.inputs import InputFile, find_files, format_of, ingest_files, look_at
from pehchan.console.pipeline import (
    Jobs,
    Request,
    Result,
    RunError,
    check_output,
    check_runner,
    cluster,
    flatten,
    read_run,
    settle,
    whole_folder,
    write_run,
)
from pehchan.console.progress import Progress
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings
from pehchan.metadata.schema import Field, Schema
from pehchan.mrjobs.wire import REJECTED


@dataclass
class Pairs:
    """Where the pairs lie: outputs of earlier runs, and files of delimited lines."""

    outputs: list[Path]
    files: list[Path]


def run_clustering(
    request: Request, cutoff: int, records: str | None, delimiter: str, progress: Progress
) -> Result:
    """Cluster the pairs of `request.inputs`. Raises MistakesError before, RunError after the start."""
    result = Result(
        request, cluster_cutoff=cutoff, started=datetime.now(timezone.utc).isoformat(timespec="seconds")
    )
    mistakes = Mistakes()
    check_runner(request.runner, mistakes)
    pairs = _find_pairs(request.inputs, mistakes)
    for output in pairs.outputs:
        _check_cutoff(output, cutoff, mistakes)
    if cutoff < 0:
        mistakes.add("--cutoff", f"{cutoff} is below 0.", "Give a distance from 0.")
    record_files: list[InputFile] = []
    record_output = Path(records) if records and (Path(records) / "run.json").is_file() else None
    if records and not record_output:
        record_files = [
            InputFile(path, format_of(path, Settings(), None)) for path in find_files([records], mistakes)
        ]
    check_output(request.out, request.overwrite, mistakes, [*request.inputs, *([records] if records else [])])
    mistakes.raise_if_any()
    with whole_folder(request.out, request.overwrite) as folder:
        (folder / "internal").mkdir()
        (folder / "rejected").mkdir()
        jobs = Jobs(request.runner, request.conf_path, progress)
        inputs = [*(output / "internal" / "pairs" for output in pairs.outputs), *pairs.files]
        if record_output:
            inputs += sorted((record_output / "internal").glob("records*"))
        elif record_files:
            with progress.stage("read"):
                inputs += _settle_ids(record_files, delimiter, jobs, folder)
        plan_path = None
        if pairs.outputs:
            plan_path = folder / "internal" / "plan.json"
            shutil.copyfile(pairs.outputs[0] / "internal" / "plan.json", plan_path)
        with progress.stage("cluster"):
            cluster(jobs, inputs, cutoff, folder, plan_path, ["--delimiter", delimiter])
        if pairs.files:
            jobs.export(REJECTED, folder / "internal" / "clusters", folder / "rejected" / "pairs", None)
        flatten(folder / "rejected")
        unread = jobs.counts["Pairs", "Rejected"]
        if unread and not jobs.counts["Pairs", "Read"]:
            raise RunError(
                f"None of {unread:,} lines is a pair: expected id{delimiter}id{delimiter}distance, the "
                "distance a whole number. Is --delimiter right?"
            )
        result.counts, result.seconds = jobs.counts, progress.seconds
        write_run(folder, result)
    return result


def _find_pairs(paths: Sequence[str], mistakes: Mistakes) -> Pairs:
    pairs = Pairs([], [])
    for path in map(Path, paths):
        output = path.parent if path.name == "pairs" and (path.parent / "run.json").is_file() else path
        if (output / "run.json").is_file():
            if not (output / "internal" / "pairs").is_dir():
                mistakes.add(str(path), "holds no pairs.", "Name an output of similarity, dedupe or link.")
            pairs.outputs.append(output)
        elif path.parent.name == "pairs" and (path.parent.parent / "run.json").is_file():
            mistakes.add(
                str(path), "a part of the pairs of a run.", f"Name the whole run: {path.parent.parent}"
            )
        else:
            pairs.files.extend(map(Path, find_files([str(path)], mistakes)))
    return pairs


def _check_cutoff(output: Path, cutoff: int, mistakes: Mistakes) -> None:
    try:
        made_with = read_run(output)["cutoff"]
    except MistakesError as error:
        mistakes.found.extend(error.mistakes)
        return
    if made_with is not None and cutoff > made_with:
        mistakes.add(
            "--cutoff",
            f"{cutoff} is above {made_with}, up to which the pairs of {output} were kept.",
            f"Give a value from 0 to {made_with}, or find the pairs anew with a larger cutoff.",
        )


def _settle_ids(files: Sequence[InputFile], delimiter: str, jobs: Jobs, folder: Path) -> list[Path]:
    """The ids of records, which stand in the first column of their files."""
    internal = folder / "internal"
    settings = Settings(input_delimiter=delimiter)
    # A plan compares something; this one is for settling ids only.
    fields = (Field("id", 0, "exact"),)
    schema = Schema(fields, id="id", id_ordinal=0, lines=True, where=files[0].path)
    mistakes = Mistakes()
    prepared = look_at(files, settings, schema, mistakes)
    mistakes.raise_if_any()
    assert prepared is not None
    rejected = folder / "rejected"
    prepared, _ = ingest_files(prepared, files, settings, internal / "ingested", rejected / "part-ingest")
    plan = Plan(schema, settings, 0, prepared.kind)
    places = settle(plan, prepared, jobs, internal)
    for place in places:
        jobs.export(REJECTED, place, rejected / place.name, None)
    shutil.rmtree(internal / "ingested", ignore_errors=True)
    return places
