"""pehchan reassign and diff: the entities of one state, and what they are in another."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pehchan.clustering.decisions import Decision, check_decisions
from pehchan.console.state_run import now
from pehchan.console.updating import HereSource
from pehchan.identity.changes import changes
from pehchan.identity.entities import (
    by_entity,
    continuing,
    current_entities,
    lineage_after,
    members_with,
    with_entities,
)
from pehchan.identity.state import (
    KEPT,
    LOG,
    MEMBERS,
    State,
    next_version,
    open_newest,
    open_state,
    versions_in_use,
)
from pehchan.identity.updating import Batch, Updating
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.records import ascii_json


@dataclass
class Difference:
    """What became of the entities of one state in another.

    entries  those that are not as they were, as the log has them
    before, after  how many entities there were, and are
    same     entities that are as they were, by id and records
    alike    groups of records that are one entity in both, whatever its id
    decided  decisions that one state has from the other
    """

    entries: Sequence[dict[str, Any]]
    before: int
    after: int
    same: int
    alike: int
    state: State | None = None
    decided: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, before: Mapping[str, str], after: Mapping[str, str], version: int) -> "Difference":
        was, is_now = by_entity(before), by_entity(after)
        entries = list(changes(version, before, after))
        same = sum(is_now.get(entity) == records for entity, records in was.items())
        alike = len(set(map(tuple, was.values())) & set(map(tuple, is_now.values())))
        kinds = Counter(entry["change"] for entry in entries)
        return cls(entries, len(was), len(is_now), same, alike, kinds=dict(kinds))


def difference(a: str, b: str) -> Difference:
    """What became of the entities of state A in state B. Raises MistakesError."""
    first, second = open_state(a), open_state(b)
    return Difference.of(current_entities(first), current_entities(second), second.number)


def reassign(path: str, earlier: str, keep: int = KEPT) -> Difference:
    """Give the entities of a state the ids of those of an earlier one that they continue.

    What people decided of records of the earlier state holds in this one from now on, as far as nothing was decided
    of the same two records here: what they know does not depend on a model or rules, and is not to be asked again.
    Raises MistakesError, also where decisions of the two states contradict each other, or StateChanged where
    somebody else changes the state meanwhile.
    """
    mistakes = Mistakes()
    state, old = open_newest(path), open_state(earlier)
    if str(state.folder) == str(old.folder):
        mistakes.add("--from", f"{earlier} is the state itself.", "Name the one that it follows.")
    before, was = current_entities(old), current_entities(state)
    if not mistakes.found and not before.keys() & was.keys():
        mistakes.add(
            "--from", f"{earlier} has no record that {path} has.", "Are the ids of the same records?"
        )
    mistakes.raise_if_any()
    with next_version(state.folder, state) as version:
        decisions, added = _decided_in_both(state, old, mistakes)
        mistakes.raise_if_any()
        manifest = state.manifest
        # What is new in either state from here on is younger than all that there was.
        of_old = old.number + old.manifest.older + 1 - version.number
        older, lineage = max(manifest.older, of_old), lineage_after(old)
        source, plan = HereSource(state), state.read_plan()
        updating = Updating(source, plan, version.number, manifest.salt, lineage, older=older)
        update = updating.update(Batch(decisions=decisions, decided=added))
        now_in = dict(member for kept in update.members for member in kept.members())
        after = continuing({**was, **now_in}, before, lineage, version.number + older)
        others = {record: entity for record, entity in after.items() if record not in now_in}
        lines = [with_entities(kept, after) for kept in update.members]
        version.write(
            MEMBERS, (line.encode() for line in [*lines, *members_with(state, others, version.number)])
        )
        found = Difference.of(before, after, version.number)
        version.write(LOG, map(ascii_json, found.entries))
        if added:
            version.write_decisions(decisions)
        manifest = replace(
            manifest,
            made=now(),
            by="reassign",
            decisions=version.name if added else manifest.decisions,
            lineage=lineage,
            older=older,
            counts={**manifest.counts, "records": len(after), "entities": found.after},
            versions=versions_in_use(),
        )
        found.state, found.decided = version.commit(manifest, keep), len(added)
    return found


def _decided_in_both(state: State, old: State, mistakes: Mistakes) -> tuple[list[Decision], list[Decision]]:
    """All that is decided of a state from now on, and what of that an earlier state adds."""
    own = state.read_decisions()
    known = {frozenset((each.a, each.b)) for each in own}
    added = [each for each in old.read_decisions() if frozenset((each.a, each.b)) not in known]
    check_decisions([*own, *added], mistakes)
    return [*own, *added], added
