"""pehchan update --refreeze: all records of a state are looked at anew, by the same model or rules, and what
is frozen is settled anew; entities keep the ids of those that they continue.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from pehchan.console.inputs import Prepared
from pehchan.console.jobs import Jobs, local_folder, prepare_runner
from pehchan.console.learning_run import KnownModel
from pehchan.console.output import whole_folder
from pehchan.console.pipeline import Request, Result, run_prepared
from pehchan.console.progress import Progress
from pehchan.console.reassigning import Difference
from pehchan.console.state_run import keep_run, now
from pehchan.identity.entities import continuing, current_entities, with_entities
from pehchan.identity.state import (
    KEPT,
    LOG,
    MEMBERS,
    RECORDS,
    State,
    next_version,
    open_newest,
    versions_in_use,
)
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import ascii_json
from pehchan.mrjobs.current_records import CurrentRecords
from pehchan.mrjobs.places import Place
from pehchan.mrjobs.state_lines import KeptMembers


@dataclass
class _Renewal:
    """Keeps a run over all records of a state as its next version."""

    state: State
    keep: int
    found: Difference | None = None

    def __call__(self, plan: Plan, jobs: Jobs, records: Sequence[Place], work: Place, here: Path) -> None:
        state = self.state
        lineage = state.manifest.lineage
        with next_version(state.folder, state) as version:
            # Other codes than before: two records may have had one.
            first = state.manifest.salt + 1
            salt = keep_run(version, plan, jobs, records, work, here, lineage, first)
            before = current_entities(state)
            lines = [KeptMembers.decode(line) for line in (version.part / MEMBERS).lines()]
            fresh = {record: entity for kept in lines for record, entity in kept.members()}
            after = continuing(fresh, before, lineage, version.number + state.manifest.older)
            (version.part / MEMBERS).remove()
            version.write(MEMBERS, (with_entities(kept, after).encode() for kept in lines))
            if decisions := state.read_decisions():
                version.write_decisions(decisions)
            self.found = Difference.of(before, after, version.number)
            # What became of entities is asked of the newest version alone.
            version.write(
                LOG, chain(map(bytes.rstrip, state.lines(LOG)), map(ascii_json, self.found.entries))
            )
            manifest = replace(
                state.manifest,
                made=now(),
                by="update --refreeze",
                parts={},
                plan=version.name,
                decisions=version.name if decisions else "",
                salt=salt,
                counts={"records": len(after), "entities": self.found.after},
                versions=versions_in_use(),
            )
            self.found.state = version.commit(manifest, self.keep)


def refreeze(
    path: str, progress: Progress, runner: str = "inline", conf_path: str | None = None, keep: int = KEPT
) -> Difference:
    """Renew a state. Raises MistakesError before work starts, RunError or StateChanged after it."""
    mistakes = Mistakes()
    prepare_runner(runner, conf_path, [path], mistakes)
    mistakes.raise_if_any()
    state = open_newest(path)
    plan = state.read_plan()
    renewal = _Renewal(state, keep)
    with local_folder() as here:
        jobs = Jobs(runner, conf_path, progress)
        with whole_folder(str(here / "all"), False) as folder, jobs.workplace(folder) as work:
            plan_path = here / "plan-of-all.json"
            plan.write(plan_path)
            lines = work / "internal" / "lines"
            (work / "internal").make()
            with progress.stage("gather"):
                jobs.run(CurrentRecords, state.folders(RECORDS), lines, ["--plan", str(plan_path), "--lines"])
            request = Request("update", [], str(here / "run"), runner=runner, conf_path=conf_path)
            result = Result(request, cluster_cutoff=plan.cutoff, decisions=state.read_decisions())
            prepared = Prepared("records", {"": [str(lines)]}, plan.schema, plan.schema.columns)
            known = None
            if plan.join == "learnt":
                known = KnownModel(plan, {}, counts=True)
            # Buckets and divided blocks are found out anew.
            fresh = Plan(plan.schema, plan.settings, plan.cutoff, "records", plan.join)
            frozen = {} if known is not None else None
            fresh = replace(fresh, prepared_bytes=plan.prepared_bytes, frozen=frozen)
            (here / "of-run").mkdir()
            run_prepared(request, result, [], prepared, fresh, progress, here / "of-run", known, renewal)
    assert renewal.found is not None
    return renewal.found
