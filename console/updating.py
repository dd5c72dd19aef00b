"""pehchan update: new, changed and deleted records are brought into a state."""

import os
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from pehchan.clustering.decisions import Decision
from pehchan.console.ingest import read_header
from pehchan.console.inputs import (
    InputFile,
    Prepared,
    column_delimiter,
    find_files,
    format_of,
    look_at,
    on_this_machine,
)
from pehchan.console.jobs import Jobs, local_folder, prepare_runner
from pehchan.console.output import tagged_lines, whole_folder
from pehchan.console.pipeline import (
    check_rejected,
    plan_all_pairs,
    read_records,
    settled_records,
    tasks_at_once,
)
from pehchan.console.progress import Progress
from pehchan.console.state_run import now
from pehchan.identity.rows import Source
from pehchan.identity.state import (
    KEPT,
    LOG,
    MEMBERS,
    PAIRS,
    RECORDS,
    Manifest,
    NextVersion,
    State,
    next_version,
    open_newest,
    versions_in_use,
)
from pehchan.identity.updating import Batch, Pair, Update, Updating
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Record, Records, ascii_json, on_lines
from pehchan.mrjobs import wire
from pehchan.mrjobs.current_records import CurrentRecords
from pehchan.mrjobs.places import LocalPlace, Place, whole_path
from pehchan.mrjobs.planner import Counted
from pehchan.mrjobs.record_similarity import RecordSimilarity
from pehchan.mrjobs.search_state import SearchState
from pehchan.mrjobs.settling import RECORDS_A_LINE
from pehchan.mrjobs.state_lines import Kept, KeptMembers, KeptPairs, KeptRecords, Search

K = TypeVar("K", bound=Kept)

_FOLDERS: dict[type[Kept], str] = {KeptRecords: RECORDS, KeptMembers: MEMBERS, KeptPairs: PAIRS}

#: The set of records that are brought in, where all meet those that are there.
_NEW = "new"


@dataclass
class UpdateRequest:
    """What is to be brought into a state.

    inputs   files or folders of new and changed records
    deleted  a file of ids, one a line, of records that are gone; "" for none
    keep     versions that are kept
    """

    state: str
    inputs: Sequence[str] = ()
    deleted: str = ""
    runner: str = "inline"
    conf_path: str | None = None
    keep: int = KEPT


@dataclass
class Updated:
    """What became of a state, which is the one before where nothing changed.

    rejected     lines set aside
    rejected_in  the file that has them, "" for none
    """

    state: State
    update: Update
    rejected: int = 0
    rejected_in: str = ""
    warnings: list[str] = field(default_factory=list)


class HereSource:
    """The rows of a state that this process reads itself."""

    def __init__(self, state: State):
        self._state = state

    def search(self, kind: type[K], search: Search) -> Iterable[K]:
        found = map(search.in_line, self._state.lines(_FOLDERS[kind]))
        return (kept for kept in found if isinstance(kept, kind))


class JobSource:
    """The rows of a state that a job looks for where it lies."""

    def __init__(self, state: State, jobs: Jobs, work: Place, here: Path):
        self._state, self._jobs, self._work, self._here = state, jobs, work, here

    def search(self, kind: type[K], search: Search) -> Iterable[K]:
        name = uuid.uuid4().hex[:8]
        path = self._here / f"search-{name}.json"
        path.write_bytes(search.encode())
        out = self._work / "internal" / f"found-{name}"
        self._jobs.run(SearchState, self._state.folders(_FOLDERS[kind]), out, ["--search", str(path)])
        return [kind.decode(line) for line in out.lines()]


def source_of(state: State, jobs: Jobs, work: Place, here: Path) -> Source:
    """Where the rows of a state come from: this process, unless jobs run elsewhere, or the state lies there."""
    if isinstance(state.folder, LocalPlace) and jobs.runner in ("inline", "local"):
        return HereSource(state)
    return JobSource(state, jobs, work, here)


def run_update(request: UpdateRequest, progress: Progress) -> Updated:
    """Bring a batch into a state. Raises MistakesError before work starts, RunError or StateChanged after it."""
    mistakes = Mistakes()
    prepare_runner(request.runner, request.conf_path, [request.state, *request.inputs], mistakes)
    mistakes.raise_if_any()
    state = open_newest(request.state)
    plan = state.read_plan()
    with local_folder() as here:
        inputs, prepared = _look_at(request.inputs, plan, here, mistakes)
        deleted = _ids_of(request.deleted, mistakes) if request.deleted else []
        mistakes.raise_if_any()
        jobs = Jobs(request.runner, request.conf_path, progress)
        with whole_folder(str(here / "update"), False) as folder, jobs.workplace(folder) as work:
            records: list[Record] = []
            if prepared is not None:
                with progress.stage("read"):
                    input_kind = "lines" if prepared.kind == "lines" else "records"
                    # Large, and nothing that is asked of a single record.
                    reading = replace(plan, input=input_kind, model=None, frozen=None)
                    read_records(prepared, inputs, reading, jobs, here, work)
                    right = "Mend them, or leave them out."
                    check_rejected(jobs.counts, plan.settings, str(state.folder), work / "rejected", right)
                    records = _records_in(list(settled_records(prepared, work).values()))
            _check_both(records, deleted, mistakes)
            mistakes.raise_if_any()
            batch = Batch(records, deleted, state.read_decisions())
            updated = bring_in(state, plan, batch, jobs, work, here, progress, "update", request.keep)
            updated.rejected = jobs.counts["Records", "Rejected"]
            if updated.rejected:
                updated.rejected_in = _keep_rejected(updated.state, work / "rejected")
            updated.warnings = [str(warning) for warning in mistakes.warnings]
            for name, what in (
                ("Without id", "had no id and got one"),
                ("Duplicate id", "had the id of another"),
            ):
                if number := jobs.counts["Records", name]:
                    updated.warnings.append(
                        f"{number:,} records {what}, and are new unless they were there so."
                    )
            return updated


def bring_in(
    state: State,
    plan: Plan,
    batch: Batch,
    jobs: Jobs,
    work: Place,
    here: Path,
    progress: Progress,
    command: str,
    keep: int = KEPT,
    decisions: Sequence[Decision] | None = None,
) -> Updated:
    """The next version of a state, with a batch; the same one where it changes nothing.

    decisions  all of them, where they are others than before
    """
    with next_version(state.folder, state) as version:
        with progress.stage("update"):
            source = source_of(state, jobs, work, here)

            def of_all(records: Sequence[Record], gone: set[str]) -> Iterable[Pair]:
                return _pairs_of_all(state, plan, records, gone, jobs, work, here)

            manifest = state.manifest
            updating = Updating(
                source, plan, version.number, manifest.salt, manifest.lineage, of_all, manifest.older
            )
            update = updating.update(batch)
            # What was found is in memory; a workplace on a cluster would be copied to this machine, file by file.
            (work / "internal").remove()
        if not update.changes and decisions is None:
            version.part.remove()
            return Updated(state, update)
        with progress.stage("write"):
            return Updated(_write(state, version, update, command, keep, decisions), update)


def _write(
    state: State,
    version: NextVersion,
    update: Update,
    command: str,
    keep: int,
    decisions: Sequence[Decision] | None,
) -> State:
    manifest = state.manifest
    for kind, lines in ((RECORDS, update.records), (MEMBERS, update.members), (PAIRS, update.pairs)):
        version.write(kind, (line.encode() for line in lines))
    version.write(LOG, map(ascii_json, update.log))
    if decisions is not None:
        version.write_decisions(decisions)
    counts = {**manifest.counts, **update.counts}
    for name in ("records", "entities"):
        counts[name] = manifest.counts[name] + update.counts.get(name, 0)
    return version.commit(
        Manifest(
            number=version.number,
            made=now(),
            by=command,
            parts=manifest.parts,
            plan=manifest.plan,
            decisions=manifest.decisions if decisions is None else version.name,
            salt=manifest.salt,
            lineage=manifest.lineage,
            older=manifest.older,
            counts=counts,
            versions=versions_in_use(),
        ),
        keep,
    )


def _look_at(
    paths: Sequence[str], plan: Plan, here: Path, mistakes: Mistakes
) -> tuple[list[InputFile], Prepared | None]:
    """The input as the jobs read it, with the columns that the records of the state have."""
    settings, schema = plan.settings, plan.schema
    inputs = [
        on_this_machine(InputFile(file, format_of(file, settings, schema)), settings, here)
        for file in find_files(paths, mistakes)
    ]
    if mistakes.found or not inputs:
        return inputs, None
    _check_columns(inputs, plan, mistakes)
    prepared = None if mistakes.found else look_at(inputs, settings, schema, mistakes)
    if prepared is None or mistakes.found:
        return inputs, None
    if schema.columns and prepared.columns:
        more = [name for name in prepared.columns if name not in schema.columns]
        if more:
            mistakes.warn(
                inputs[0].path,
                f"columns that the state does not have: {', '.join(more)}.",
                "They are left out.",
            )
        less = [name for name in schema.columns if name not in prepared.columns]
        if less:
            mistakes.warn(
                inputs[0].path, f"columns that the state has: {', '.join(less)}.", "They are taken for empty."
            )
        prepared = replace(prepared, columns=schema.columns)
    return inputs, replace(prepared, schema=schema)


def _check_columns(inputs: Sequence[InputFile], plan: Plan, mistakes: Mistakes) -> None:
    """Add a mistake for each file without a column that the state has: its records would lose what they have there.

    A JSON object may lack what is missing.
    """
    settings, columns = plan.settings, plan.schema.columns
    for file in inputs if not plan.schema.lines else ():
        if file.format not in ("csv", "tsv"):
            continue
        try:
            delimiter = column_delimiter(file.format, settings)
            header = read_header(file.path, file.format, settings.input_encoding, delimiter)
        except MistakesError as error:
            mistakes.found.extend(error.mistakes)
            continue
        if less := [name for name in columns if name not in header]:
            what = f"no column {', '.join(less)}, which the records of the state have."
            mistakes.add(
                file.path, what, f"Add it, empty where nothing is known. It has: {', '.join(header)}."
            )


def _ids_of(path: str, mistakes: Mistakes) -> list[str]:
    """The ids in a file, one a line."""
    if "://" not in path and os.path.isdir(path):
        mistakes.add(path, "a folder.", "Name a file that holds an id a line.")
    if mistakes.found or not find_files([path], mistakes):
        return []
    try:
        text = whole_path(path).read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        mistakes.add(path, f"not UTF-8 at byte {error.start}.", "Write it as UTF-8, an id a line.")
        return []
    return [line for line in text.replace("\r\n", "\n").split("\n") if line]


def _records_in(folders: Sequence[Place]) -> list[Record]:
    found: list[Record] = []
    for tag, payload in tagged_lines(folders):
        if tag == wire.RECORDS:
            found += (record._replace(items=list(record.items)) for record in Records.decode(payload))
    return sorted(found, key=lambda record: record.id)


def _check_both(records: Sequence[Record], deleted: Sequence[str], mistakes: Mistakes) -> None:
    both = sorted({record.id for record in records} & set(deleted))
    if both:
        named = ", ".join([*both[:5], *(["…"] if len(both) > 5 else [])])
        mistakes.add(
            "--deleted",
            f"{len(both):,} ids are also among the new records: {named}.",
            "Leave them out of one of the two.",
        )


def _keep_rejected(state: State, rejected: Place) -> str:
    """Keep the lines set aside beside the state, and say where."""
    kept = state.folder.parent / f"{state.folder.name}.rejected-{state.number}.jsonl"
    kept.remove()
    kept.write(b"".join(rejected.lines()))
    kept.parent.keep_private([kept.name])
    return str(kept)


def _pairs_of_all(
    state: State, plan: Plan, records: Sequence[Record], gone: set[str], jobs: Jobs, work: Place, here: Path
) -> Iterable[Pair]:
    """Where all records meet: the accepted pairs of new ones with each other, and with those that stay."""
    internal = work / "internal"
    internal.make()
    plan_path = here / "plan-to-bring-in.json"
    plan.write(plan_path)
    there = internal / "there"
    counts = jobs.run(CurrentRecords, state.folders(RECORDS), there, ["--plan", str(plan_path)])
    fresh = {name: _written(internal / f"new-{name}", name, records) for name in ("", _NEW)}
    sizes = [plan.size(record, plan.compared(record)) for record in records]
    of_new = len(records), sum(size[0] for size in sizes), sum(size[1] for size in sizes)
    of_old = tuple(counts["Records", name] for name in ("Read", "Characters", "Bytes held"))
    both = Counted({_NEW: of_new[0], "": of_old[0]}, of_new[1] + of_old[1], of_new[2] + of_old[2])
    runs = [
        (("",), {"": fresh[""]}, Counted({"": of_new[0]}, *of_new[1:])),
        ((_NEW, ""), {_NEW: fresh[_NEW], "": there}, both),
    ]
    written = {record.id for record in records}
    found: set[Pair] = set()
    for number, (sets, folders, counted) in enumerate(runs):
        if not all(counted.records.values()):
            continue
        of_sets = replace(plan, sets=sets, set_from="line" if len(sets) > 1 else "", input="settled")
        planned = plan_all_pairs(of_sets, folders, counted, tasks_at_once(jobs.runner, plan))
        path = here / f"plan-of-new-{number}.json"
        planned.write(path)
        out = internal / f"pairs-of-new-{number}"
        jobs.run(RecordSimilarity, list(map(str, folders.values())), out, ["--plan", str(path)])
        for tag, payload in tagged_lines([out]):
            for pair in wire.Pairs.decode(payload) if tag == wire.PAIRS else ():
                old = [end[1] for end in (pair.first, pair.second) if end[0] == "" and len(sets) > 1]
                if not any(each in gone or each in written for each in old):
                    one, two = sorted((pair.first[1], pair.second[1]))
                    found.add((one, two, pair.distance))
    return found


def _written(folder: Place, set_name: str, records: Sequence[Record]) -> Place:
    """Records as a job leaves them."""
    folder.make()
    of_set = (record._replace(set=set_name) for record in records)
    lines = (b"%s\t%s\n" % (wire.RECORDS, some.encode()) for some in on_lines(of_set, RECORDS_A_LINE))
    (folder / "part-00000").write(b"".join(lines))
    return folder
