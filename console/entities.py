"""pehchan entities: the entities of a state as files, which record is in which, and one record to keep of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from pehchan.console.golden import keep_golden
from pehchan.console.jobs import Jobs, local_folder, prepare_runner
from pehchan.console.output import RUN_VERSION, check_output, whole_folder
from pehchan.console.progress import Progress
from pehchan.console.state_run import now
from pehchan.identity.changes import GONE, MERGED_INTO
from pehchan.identity.entities import by_entity, current_entities
from pehchan.identity.state import RECORDS, State, open_state
from pehchan.metadata.keeping import Rule
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.current_records import CurrentRecords
from pehchan.mrjobs.exporting import all_quoted
from pehchan.mrjobs.places import Place
from pehchan.mrjobs.wire import CLUSTERED, Clustered

#: Records of a line between jobs.
A_LINE = 1000


@dataclass
class EntitiesRequest:
    """Which entities to write where.

    since  only those that changed after this version; None: all
    """

    state: str
    out: str
    since: int | None = None
    overwrite: bool = False
    runner: str = "inline"
    conf_path: str | None = None


@dataclass
class Written:
    """What was written: how many entities and records, and how many entities are there no more."""

    state: State
    entities: int
    records: int
    gone: int = 0


def run_entities(request: EntitiesRequest, progress: Progress) -> Written:
    """Write the entities of a state. Raises MistakesError before work starts, RunError after it.

    OUT holds members/ (record_id,entity_id), entities/ (one record to keep of each, as golden records are),
    with `since` also gone/ (entity_id,entity_id: which is there no more, and one that has its records, or
    nothing), and run.json.
    """
    mistakes = Mistakes()
    prepare_runner(request.runner, request.conf_path, [request.state, request.out], mistakes)
    check_output(request.out, request.overwrite, mistakes, [request.state])
    state = open_state(request.state)
    plan = _keeping(state.read_plan())
    mistakes.raise_if_any()
    of_record = current_entities(state)
    gone: dict[str, Sequence[str]] = {}
    if request.since is not None:
        changed, gone = _changed(state, request.since)
        of_record = {record: entity for record, entity in of_record.items() if entity in changed}
    jobs = Jobs(request.runner, request.conf_path, progress)
    with (
        local_folder() as here,
        whole_folder(request.out, request.overwrite) as folder,
        jobs.workplace(folder) as work,
    ):
        groups = by_entity(of_record)
        with progress.stage("members"):
            _write(work / "members", _rows((record, entity) for record, entity in _sorted(groups)))
            if request.since is not None:
                went = ((entity, to) for entity, to_all in sorted(gone.items()) for to in to_all or ("",))
                _write(work / "gone", _rows(went))
        if plan.schema.columns:
            with progress.stage("golden records"):
                _golden(state, plan, groups, jobs, work, here)
        (work / "internal").make()
        (work / "internal" / "plan.json").write(orjson.dumps(plan.to_dict()))
        told = {
            "version": RUN_VERSION,
            "command": "entities",
            "state": str(state.folder),
            "of_version": state.number,
            "since": request.since,
            "started": now(),
        }
        (work / "run.json").write(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    return Written(state, len(groups), len(of_record), len(gone))


def _keeping(plan: Plan) -> Plan:
    """The plan with a rule for golden records: the most frequent value, where its schema says nothing."""
    if plan.schema.keeps:
        return plan
    return replace(plan, schema=replace(plan.schema, keep=Rule()))


def _changed(state: State, since: int) -> tuple[set[str], dict[str, Sequence[str]]]:
    """The entities that changed after a version, and those that are there no more, with those that have their
    records.
    """
    changed: set[str] = set()
    gone: dict[str, Sequence[str]] = {}
    for entry in state.log():
        if entry["version"] > since:
            changed.add(entry["entity"])
            gone.pop(entry["entity"], None)
            if entry["change"] in (GONE, MERGED_INTO):
                gone[entry["entity"]] = entry.get("to", [])
    return changed, gone


def _sorted(groups: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    return ((record, entity) for entity, records in sorted(groups.items()) for record in records)


def _rows(rows: Iterator[tuple[str, str]]) -> Iterator[str]:
    columns = list(zip(*rows, strict=True))
    return map(",".join, zip(*(all_quoted(list(column), ",") for column in columns), strict=True))


def _write(folder: Place, lines: Iterator[str]) -> None:
    folder.make()
    text = "".join(f"{line}\n" for line in lines)
    if text:
        (folder / "part-00000").write(text.encode("utf-8", "surrogatepass"))


def _golden(
    state: State, plan: Plan, groups: Mapping[str, Sequence[str]], jobs: Jobs, work: Place, here: Path
) -> None:
    """One record to keep of each entity."""
    plan_path = here / "plan.json"
    plan.write(plan_path)
    internal = work / "internal"
    internal.make()
    records = internal / "records"
    jobs.run(CurrentRecords, state.folders(RECORDS), records, ["--plan", str(plan_path)])
    members = list(_sorted(groups))
    lines = []
    for start in range(0, len(members), A_LINE):
        some = members[start : start + A_LINE]
        sets, nothing = [""] * len(some), [None] * len(some)
        clustered = Clustered(
            sets,
            [entity for _, entity in some],
            sets,
            [each for each, _ in some],
            nothing,
            nothing,
            [0] * len(some),
        )
        lines.append(b"%s\t%s\n" % (CLUSTERED, clustered.encode()))
    (internal / "clusters").make()
    (internal / "clusters" / "part-00000").write(b"".join(lines))
    keep_golden(jobs, [records], work, plan_path)
    records.remove()
    (internal / "clusters").remove()
