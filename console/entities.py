"""pehchan entities: the entities of a state as files, which record is in which, and one record to keep of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from pehchan.console.golden import keep_golden
from pehchan.console.jobs import Jobs, local_folder, prepare_runner
from pehchan.console.output import RUN_VERSION, check_output, whole_folder
from pehchan.console.progress import Progress
from pehchan.console.state_run import now
from pehchan.identity.changes import GONE, MERGED_INTO
from pehchan.identity.state import MEMBERS, RECORDS, State, open_state
from pehchan.metadata.keeping import Rule
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import ascii_json
from pehchan.mrjobs import wire
from pehchan.mrjobs.current_members import CurrentMembers
from pehchan.mrjobs.current_records import CurrentRecords
from pehchan.mrjobs.places import Place


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
    if request.since is not None and not 0 < request.since <= state.number:
        what = f"{request.since} is no version of a state that is at version {state.number}."
        mistakes.add("--since", what, f"Give one from 1 to {state.number}, that of the entities you have.")
    mistakes.raise_if_any()
    jobs = Jobs(request.runner, request.conf_path, progress)
    with (
        local_folder() as here,
        whole_folder(request.out, request.overwrite) as folder,
        jobs.workplace(folder) as work,
    ):
        plan_path = here / "plan.json"
        plan.write(plan_path)
        internal = work / "internal"
        internal.make()
        asked, gone = [], 0
        if request.since is not None:
            changed, went = _changed(state, request.since)
            (here / "entities.json").write_bytes(ascii_json(sorted(changed)))
            asked, gone = ["--entities", str(here / "entities.json")], len(went)
            _write_gone(work / "gone", went)
        with progress.stage("members"):
            # Where golden records look for clusters.
            clusters, switches = internal / "clusters", ["--plan", str(plan_path), *asked]
            counts = jobs.run(CurrentMembers, state.folders(MEMBERS), clusters, switches)
            jobs.export(wire.MEMBERS, [clusters], work / "members", None)
        if plan.schema.columns:
            with progress.stage("golden records"):
                records = internal / "records"
                jobs.run(CurrentRecords, state.folders(RECORDS), records, ["--plan", str(plan_path)])
                keep_golden(jobs, [records], work, plan_path)
                records.remove()
        clusters.remove()
        (internal / "plan.json").write(plan_path.read_bytes())
        told = {
            "version": RUN_VERSION,
            "command": "entities",
            "state": str(state.folder),
            "of_version": state.number,
            "since": request.since,
            "started": now(),
        }
        (work / "run.json").write(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    return Written(state, counts["Entities", "All"], counts["Entities", "Records"], gone)


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


def _write_gone(folder: Place, gone: Mapping[str, Sequence[str]]) -> None:
    rows = [(entity, to) for entity, went_to in sorted(gone.items()) for to in went_to or ("",)]
    folder.make()
    if rows:
        text = "".join(f"{entity},{to}\n" for entity, to in rows)
        (folder / "part-00000").write(text.encode("ascii"))
