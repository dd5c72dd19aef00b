"""All entities of a state, in memory, and one state's entities that go on as those of another."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from hashlib import blake2b

import numpy as np

from pehchan.identity.continuing import continued
from pehchan.identity.state import MEMBERS, State
from pehchan.metadata.records import ascii_json
from pehchan.mrjobs.entity_ids import entity_ids
from pehchan.mrjobs.state_lines import KeptMembers, in_lines


def current_entities(state: State) -> dict[str, str]:
    """By record its entity."""
    found: dict[str, str] = {}
    for line in state.lines(MEMBERS):
        found.update(KeptMembers.decode(line).members())
    return {record: entity for record, entity in found.items() if entity}


def by_entity(entities: Mapping[str, str]) -> dict[str, list[str]]:
    """The records of each entity, in their order."""
    found: dict[str, list[str]] = defaultdict(list)
    for record in sorted(entities):
        found[entities[record]].append(record)
    return found


def continuing(
    now: Mapping[str, str], before: Mapping[str, str], lineage: str, version: int
) -> dict[str, str]:
    """By record the entity that it is in now, with the ids of those entities that were there before; what is none of
    these has an id of its own of this version (as ids count them).
    """
    groups = list(by_entity(now).values())
    ids = continued(groups, before)
    new = entity_ids(lineage, version, [group[0] for group in groups])
    return {
        record: entity or new_id
        for group, entity, new_id in zip(groups, ids, new, strict=True)
        for record in group
    }


def members_with(state: State, entities: Mapping[str, str], version: int) -> Iterator[KeptMembers]:
    """Lines that put records into these entities from a version on; all else of them stays as it is."""
    rows: dict[str, tuple[int, int, int]] = {}
    for line in state.lines(MEMBERS):
        kept = KeptMembers.decode(line)
        columns = (kept.codes.tolist(), kept.components.tolist(), kept.since.tolist(), kept.members())
        for code, component, since, (record, _) in zip(*columns, strict=True):
            if record in entities:
                rows[record] = code, component, since
    records = sorted(rows)
    codes, components = (np.array([rows[record][side] for record in records], np.uint64) for side in (0, 1))
    since = np.array([rows[record][2] for record in records], np.uint32)
    for some in in_lines(len(records)):
        members = [(record, entities[record]) for record in records[some]]
        yield KeptMembers.of(version, codes[some], components[some], since[some], members)


def with_entities(kept: KeptMembers, entities: Mapping[str, str]) -> KeptMembers:
    """The same records, in these entities."""
    rows = [ascii_json([record, entities[record]]) for record, _ in kept.members()]
    return KeptMembers(kept.version, kept.columns, rows)


def lineage_after(state: State) -> str:
    """Of a state that goes on with the ids of this one: what tells the new ids of the two apart."""
    manifest = state.manifest
    text = f"{manifest.lineage}\0{manifest.number + manifest.older}"
    return blake2b(text.encode(), digest_size=8).hexdigest()
