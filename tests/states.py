"""States of a test, written line by line into a folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pehchan.identity.state import MEMBERS, PAIRS, PLAN, RECORDS, Manifest, State, next_version
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Record, ascii_json
from pehchan.mrjobs.addressed import addressing_of, of_each
from pehchan.mrjobs.coded import as_bytes, codes_of
from pehchan.mrjobs.places import LocalPlace
from pehchan.mrjobs.state_lines import KeptMembers, KeptPairs, KeptRecords

#: By id a record in its entity, or None where it is gone.
Changes = Mapping[str, tuple[Sequence[str], str] | None]


#: Two records by their ids, and how far they are apart.
Pair = tuple[str, str, int]


def write_state(
    folder: Path,
    plan: Plan,
    versions: Sequence[Changes],
    salt: int = 0,
    pairs: Sequence[Sequence[Pair]] = (),
) -> State:
    """The state that these changes make, one version after the other.

    pairs  that each version accepts
    """
    state, since = None, {}
    for number, changes in enumerate(versions, 1):
        ids = list(changes)
        records = [
            each if (given := changes[each]) is None else Record("", each, list(given[0])) for each in ids
        ]
        at = [np.zeros(0, np.uint32)] * len(ids)
        addressing = addressing_of(plan)
        for k, record in enumerate(records):
            if isinstance(record, Record) and addressing is not None:
                at[k] = of_each(addressing.of([record]), 1)[0]
        codes = codes_of(as_bytes(ids), salt) if ids else np.zeros(0, np.uint64)
        since.update(dict.fromkeys(ids, number))
        entities = ["" if (given := changes[each]) is None else given[1] for each in ids]
        with next_version(LocalPlace(folder), state) as version:
            if ids:
                version.write(RECORDS, iter([KeptRecords.of(number, codes, at, records).encode()]))
                members = KeptMembers.of(
                    number,
                    codes,
                    codes,
                    np.full(len(ids), number, np.uint32),
                    zip(ids, entities, strict=True),
                )
                version.write(MEMBERS, iter([members.encode()]))
            if some := pairs[number - 1] if pairs else ():
                a, b = (codes_of(as_bytes([pair[side] for pair in some]), salt) for side in (0, 1))
                distances = np.array([pair[2] for pair in some], np.int64)
                version.write(PAIRS, iter([KeptPairs.of(number, a, b, distances).encode()]))
            (version.part / PLAN).write(ascii_json(plan.to_dict()))
            parts = {} if state is None else state.manifest.parts
            state = version.commit(Manifest(number, "", "test", parts, version.name, salt=salt))
    assert state is not None
    return state


def move(folder: Path, state: State, entities: Mapping[str, tuple[str, int]]) -> State:
    """The next version, in which records that are as they were have other entities.

    entities  by id the entity, and the version that wrote the record
    """
    ids = list(entities)
    codes = codes_of(as_bytes(ids), state.manifest.salt)
    since = np.array([entities[each][1] for each in ids], np.uint32)
    with next_version(LocalPlace(folder), state) as version:
        rows = [(each, entities[each][0]) for each in ids]
        version.write(MEMBERS, iter([KeptMembers.of(version.number, codes, codes, since, rows).encode()]))
        manifest = state.manifest
        return version.commit(
            Manifest(version.number, "", "test", manifest.parts, manifest.plan, salt=manifest.salt)
        )
