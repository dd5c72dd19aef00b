"""pehchan reassign and diff: the entities of one state, and what they are in another."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pehchan.console.state_run import now
from pehchan.identity.changes import changes
from pehchan.identity.entities import by_entity, continuing, current_entities, lineage_of, members_with
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
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.records import ascii_json


@dataclass
class Difference:
    """What became of the entities of one state in another.

    entries  those that are not as they were, as the log has them
    before, after  how many entities there were, and are
    same     entities that are as they were, by id and records
    alike    groups of records that are one entity in both, whatever its id
    """

    entries: Sequence[dict[str, Any]]
    before: int
    after: int
    same: int
    alike: int
    state: State | None = None
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

    Raises MistakesError, or StateChanged where somebody else changes the state meanwhile.
    """
    mistakes = Mistakes()
    state, old = open_newest(path), open_state(earlier)
    if str(state.folder) == str(old.folder):
        mistakes.add("--from", f"{earlier} is the state itself.", "Name the one that it follows.")
    before, fresh = current_entities(old), current_entities(state)
    if not mistakes.found and not before.keys() & fresh.keys():
        mistakes.add(
            "--from", f"{earlier} has no record that {path} has.", "Are the ids of the same records?"
        )
    mistakes.raise_if_any()
    number, lineage = max(state.number, old.number) + 1, lineage_of(old)
    after = continuing(fresh, before, lineage, number)
    found = Difference.of(before, after, number)
    with next_version(state.folder, state, number) as version:
        version.write(MEMBERS, (line.encode() for line in members_with(state, after, number)))
        version.write(LOG, map(ascii_json, found.entries))
        manifest = replace(
            state.manifest, made=now(), by="reassign", lineage=lineage, versions=versions_in_use()
        )
        found.state = version.commit(manifest, keep)
    return found
