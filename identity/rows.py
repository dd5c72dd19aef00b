"""Rows of a state, as far as an update looks at them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pehchan.metadata.records import Record
from pehchan.mrjobs.coded import Codes64, as_bytes, codes_of
from pehchan.mrjobs.state_lines import Kept, KeptMembers, KeptPairs, KeptRecords, Search

K = TypeVar("K", bound=Kept)


class Source(Protocol):
    """Where the rows of a state come from."""

    def search(self, kind: type[K], search: Search) -> Iterable[K]:
        """The rows of one kind that are looked for, of all versions."""
        ...


@dataclass(frozen=True)
class Member:
    """A record in its entity ("" where it is gone), as the newest of its rows has it."""

    version: int
    component: int
    since: int
    id: str
    entity: str


#: Codes of two records, their distance, and the version that accepted the pair.
KeptPair = tuple[int, int, int, int]


def holding(pairs: Iterable[KeptPair], members: Mapping[int, Member]) -> Iterator[tuple[Member, Member, int]]:
    """Of pairs those that hold, with their distances: of members by their codes that are in the state, and neither
    of which was written anew since.
    """
    for one, two, distance, version in pairs:
        first, second = members.get(one), members.get(two)
        if first is None or second is None or not (first.entity and second.entity):
            continue
        if version >= max(first.since, second.since):
            yield first, second, distance


class Rows:
    """Rows of a state that were brought, by the codes of records."""

    def __init__(self, source: Source, salt: int):
        self._source, self._salt = source, salt
        self.members: dict[int, Member] = {}
        #: By code and version of a record.
        self._records: dict[tuple[int, int], Record] = {}

    def codes(self, ids: Iterable[str]) -> list[int]:
        return codes_of(as_bytes(list(ids)), self._salt).tolist() if ids else []

    def bring_records(self, codes: Iterable[int], addresses: NDArray[np.uint32] | None = None) -> set[int]:
        """The records of these codes, and those with one of these addresses; returns the codes of all."""
        search = Search.of(_array(codes), addresses)
        found = set()
        for kept in self._source.search(KeptRecords, search):
            for code, record in zip(kept.codes.tolist(), kept.records(), strict=True):
                found.add(code)
                if isinstance(record, Record):
                    self._records[code, kept.version] = record
        return found

    def bring_members(self, codes: Iterable[int] = (), components: Iterable[int] = ()) -> None:
        """The entities of the records with these codes, and of all that are joined under these."""
        search = Search.of(_array(codes), components=_array(components))
        for kept in self._source.search(KeptMembers, search):
            columns = (kept.codes.tolist(), kept.components.tolist(), kept.since.tolist(), kept.members())
            for code, component, since, (record_id, entity) in zip(*columns, strict=True):
                known = self.members.get(code)
                if known is None or known.version <= kept.version:
                    self.members[code] = Member(kept.version, component, since, record_id, entity)

    def bring_pairs(self, codes: Iterable[int]) -> Iterator[KeptPair]:
        """The pairs of these records, of which some may no longer hold."""
        for kept in self._source.search(KeptPairs, Search.of(_array(codes))):
            columns = (kept.a.tolist(), kept.b.tolist(), kept.distances.tolist())
            yield from ((a, b, distance, kept.version) for a, b, distance in zip(*columns, strict=True))

    def member(self, code: int) -> Member | None:
        """The entity of a record that is in the state."""
        found = self.members.get(code)
        return found if found is not None and found.entity else None

    def record(self, code: int) -> Record | None:
        """The record as it is in the state; it and its member must have been brought."""
        member = self.member(code)
        return None if member is None else self._records.get((code, member.since))


def _array(codes: Iterable[int]) -> Codes64:
    return np.array(sorted(codes), dtype=np.uint64)
