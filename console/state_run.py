"""A run that keeps its result as a state: what it asks of the run, and how the state is made of what the jobs
left."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import orjson

from pehchan.clustering.decisions import Decision
from pehchan.console.jobs import Jobs
from pehchan.console.output import RunError, tagged_lines
from pehchan.identity.state import (
    FOLDERS,
    MEMBERS,
    PAIRS,
    PLAN,
    RECORDS,
    Manifest,
    NextVersion,
    State,
    is_state,
    next_version,
    versions_in_use,
)
from pehchan.learning.addresses import Frozen
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.keep_state import KeepState
from pehchan.mrjobs.places import LocalPlace, Place, whole_path
from pehchan.mrjobs.state_lines import KeptMembers
from pehchan.mrjobs.wire import FROZEN

#: How often codes of records are tried of which two are the same.
SALTS = 10


def check_keeping(path: str, out: str, plan: Plan, where: str, mistakes: Mistakes) -> None:
    """Add a mistake for all of a run that a state cannot keep, and where the folder holds one, or something else.

    out  folder that the run writes
    """
    folder, other = whole_path(path), whole_path(out)
    if f"{folder}/".startswith(f"{other}/") or f"{other}/".startswith(f"{folder}/"):
        mistakes.add(where, f"{path} and the output {out} lie in each other.", "Name another folder.")
    elif isinstance(folder, LocalPlace) and folder.path.is_file():
        mistakes.add(where, f"{path} is a file.", "Name a folder; it is made if need be.")
    elif is_state(path):
        mistakes.add(
            where,
            f"{path} holds a state.",
            "Bring records into it with update; for a run with other rules name another folder, and give it the "
            "ids of this one with reassign.",
        )
    # One that was broken off left its parts.
    elif not folder.sizes().keys() <= FOLDERS:
        mistakes.add(where, f"{path} holds something else.", "Name another folder; it is made if need be.")
    check_kind(plan, where, mistakes)


def check_kind(plan: Plan, where: str, mistakes: Mistakes) -> None:
    """Add a mistake for all of a plan by which not two records alone say whether they match."""
    settings, schema = plan.settings, plan.schema
    if plan.sets != ("",):
        mistakes.add(
            where,
            "a state is of one set of records, and these are several.",
            "Use match or dedupe of all records.",
        )
    if settings.compat or any(field.missing == "previous" for field in schema.fields):
        mistakes.add(
            where,
            "with sifarish.compat, or missing: previous, a distance depends on the pair before.",
            "Leave these out.",
        )
    if any(key.following is not None for key in schema.blocking) or (
        schema.blocking and settings.blocking_large == "window"
    ):
        mistakes.add(
            where,
            "neighbours depend on all other records.",
            "Use blocking keys without neighbours, and blocking.large=split or refuse.",
        )
    if settings.cluster_by == "assignment":
        mistakes.add(where, "an assignment depends on all other records.", "Use another cluster.by.")


def frozen_by(plan: Plan, pairs: Place) -> Plan:
    """The plan with what the run found out of candidacy."""
    if plan.frozen is None or plan.frozen:
        return plan
    parts = [
        Frozen.from_dict(orjson.loads(payload)) for tag, payload in tagged_lines([pairs]) if tag == FROZEN
    ]
    return replace(plan, frozen=Frozen.all(parts).to_dict())


def make_state(
    path: str,
    command: str,
    plan: Plan,
    jobs: Jobs,
    records: Sequence[Place],
    work: Place,
    here: Path,
    decisions: Sequence[Decision] = (),
) -> State:
    """The first version of a state, of what a run left in its workplace."""
    folder = whole_path(path)
    with next_version(folder, None) as version:
        salt = keep_run(version, plan, jobs, records, work, here, "")
        if decisions:
            version.write_decisions(decisions)
        return version.commit(
            Manifest(
                number=version.number,
                made=now(),
                by=command,
                parts={},
                plan=version.name,
                decisions=version.name if decisions else "",
                salt=salt,
                counts={
                    "records": jobs.counts["Records", "Read"],
                    "entities": jobs.counts["Clusters", "All"],
                },
                versions=versions_in_use(),
            )
        )


def keep_run(
    version: NextVersion,
    plan: Plan,
    jobs: Jobs,
    records: Sequence[Place],
    work: Place,
    here: Path,
    lineage: str,
    first_salt: int = 0,
) -> int:
    """Write the part of a version that holds all of a run; returns the salt of the codes."""
    plan = replace(frozen_by(plan, work / "internal" / "pairs"), input="settled")
    plan_path = here / "plan-to-keep.json"
    plan.write(plan_path)
    sources = {
        RECORDS: records,
        MEMBERS: [work / "internal" / "clusters"],
        PAIRS: [work / "internal" / "pairs"],
    }
    for salt in range(first_salt, first_salt + SALTS):
        with jobs.workplace(version.part) as part:
            for kind, places in sources.items():
                switches = [
                    "--plan",
                    str(plan_path),
                    "--salt",
                    str(salt),
                    "--state-version",
                    str(version.number),
                ]
                # Hadoop would lose an empty argument.
                switches += ["--lineage", lineage] if lineage else []
                jobs.run(KeepState, list(map(str, places)), part / kind, switches)
        codes = [KeptMembers.decode(line).codes for line in (version.part / MEMBERS).lines()]
        every = np.concatenate([np.zeros(0, np.uint64), *codes])
        if len(np.unique(every)) == len(every):
            (version.part / PLAN).write(orjson.dumps(plan.to_dict()))
            return salt
        for kind in sources:
            (version.part / kind).remove()
    raise RunError(
        f"of {SALTS} ways to number the records each gave two of them one number; nothing was written."
    )


def now() -> str:
    """This moment, in UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
