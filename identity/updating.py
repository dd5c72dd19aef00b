"""An update of a state: what new, changed and deleted records, and decisions of people, change of its entities.

Of the state only those rows are looked at that have to do with them (`Source`): the records themselves and
those that they may match, by their addresses; then all that is joined to what changes, as only there clusters
can become other ones. The result is that of a run over all records with the same model and the same that is
frozen.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pehchan.clustering.clusters import Clustering, Decided, Links
from pehchan.clustering.decisions import Decision
from pehchan.clustering.measuring import measure_of
from pehchan.clustering.mixing import mixed
from pehchan.identity.changes import Pair, Reasons, TellingPair, changes
from pehchan.identity.continuing import continued
from pehchan.identity.rows import Member, Rows, Source, holding
from pehchan.identity.state import StateError
from pehchan.learning.addresses import pairs_at
from pehchan.learning.odds import probability_of
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Record
from pehchan.mrjobs.addressed import addressing_of, of_each, short
from pehchan.mrjobs.coded import Codes64, as_bytes, codes_of
from pehchan.mrjobs.entity_ids import entity_ids
from pehchan.mrjobs.exporting import log_odds_steps
from pehchan.mrjobs.joins.all_pairs import hashed
from pehchan.mrjobs.learnt import comparison_of
from pehchan.mrjobs.state_lines import KeptMembers, KeptPairs, KeptRecords, in_lines


class SameCode(StateError):
    """Two records have one code, so that a state cannot hold both."""

    def __init__(self, one: str, two: str):
        super().__init__(
            f'the records "{one}" and "{two}" cannot be told apart by their codes; nothing was changed.\n'
            "  Renew the state with update --refreeze, which makes other ones."
        )


#: Records of a batch from which on it is looked first which of them are new or changed, at the price of reading the
#: records of the state once more.
LOOKED_AT_FIRST = 10_000


@dataclass
class Batch:
    """What is to be brought into a state.

    records    new ones, and changed ones as they are now
    deleted    ids
    decisions  all that are to hold from now on
    decided    those of them, and those that no longer hold, by which it differs from before
    """

    records: Sequence[Record] = ()
    deleted: Sequence[str] = ()
    decisions: Sequence[Decision] = ()
    decided: Sequence[Decision] = ()


@dataclass
class Update:
    """What an update changes: lines by kind, the log, and numbers for people."""

    records: list[KeptRecords] = field(default_factory=list)
    members: list[KeptMembers] = field(default_factory=list)
    pairs: list[KeptPairs] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Whether anything is other than before."""
        return bool(self.records or self.members)


class Updating:
    """Makes updates of a state.

    number   of the version that is made
    salt     of the codes of records
    lineage  of the ids of entities
    of_all   where all records meet: of new ones the pairs with each other and with all of the state, but those
             that are gone (ids)
    older    what the ids of new entities add to the number of the version
    """

    def __init__(
        self,
        source: Source,
        plan: Plan,
        number: int,
        salt: int,
        lineage: str,
        of_all: Callable[[Sequence[Record], set[str]], Iterable[Pair]] | None = None,
        older: int = 0,
    ):
        self._plan, self._number, self._salt = plan, number, salt
        self._lineage, self._older = lineage, older
        self._addressing, self._of_all = addressing_of(plan), of_all
        self._rows = Rows(source, salt)

    def update(self, batch: Batch) -> Update:
        """What a batch changes. Raises SameCode."""
        rows = self._rows
        given = {record.id: record for record in batch.records}
        # Of a whole export most records are as they were: what those may match is not to be looked for.
        many = len(given) > LOOKED_AT_FIRST
        addressed = [] if many else list(given.values())
        at = None if self._addressing is None else self._addressing.of(addressed)
        ids = list(dict.fromkeys([*given, *batch.deleted]))
        codes = rows.codes(ids)
        hit = rows.bring_records(codes, None if at is None else short(at.at))
        rows.bring_members(hit.union(codes))
        self._check_codes(codes, ids)
        kept = {record_id: rows.record(code) for record_id, code in zip(ids, codes, strict=True)}
        same = [each for each in given.values() if kept[each.id] == each]
        changed = [each for each in given.values() if kept[each.id] not in (None, each)]
        new = [each for each in given.values() if kept[each.id] is None]
        deleted = [each for each in dict.fromkeys(batch.deleted) if kept[each] is not None]
        written = changed + new
        fresh = {each.id for each in written}
        gone = {each.id for each in changed} | set(deleted)
        # A decision also holds for records that come after it.
        decided = {
            end[1]
            for each in {*batch.decided, *batch.decisions}
            for end in (each.a, each.b)
            if each in batch.decided or each.a[1] in fresh or each.b[1] in fresh
        }
        if many and self._addressing is not None:
            addressed, at = written, self._addressing.of(written)
            hit |= rows.bring_records((), short(at.at))
            rows.bring_members(hit)
        pairs = self._pairs(written, gone, hit)
        counts = {
            "unchanged": len(same),
            "new": len(new),
            "changed": len(changed),
            "deleted": len(deleted),
            "not there": len(set(batch.deleted)) - len(deleted),
        }
        update = Update(counts=counts)
        addresses = {}
        if at is not None:
            addresses = dict(zip((each.id for each in addressed), of_each(at, len(addressed)), strict=True))
        self._write(update, written, deleted, pairs, addresses)
        partners = {end for pair in pairs for end in pair[:2]}
        touched = self._touched([*fresh, *deleted, *partners, *decided])
        if touched or written:
            self._cluster(update, written, gone, set(deleted), pairs, touched, batch)
        return update

    def _check_codes(self, codes: Sequence[int], ids: Sequence[str]) -> None:
        by_code: dict[int, str] = {}
        for code, record_id in zip(codes, ids, strict=True):
            member = self._rows.member(code)
            known = by_code.setdefault(code, member.id if member is not None else record_id)
            if known != record_id:
                raise SameCode(known, record_id)

    def _pairs(self, written: Sequence[Record], gone: set[str], hit: set[int]) -> list[Pair]:
        """The accepted pairs of records that are written, with each other and with those that stay."""
        if not written:
            return []
        if self._addressing is None:
            assert self._of_all is not None
            return sorted(self._of_all(written, gone))
        there = [record for code in sorted(hit) if (record := self._rows.record(code)) is not None]
        records = [*written, *(record for record in there if record.id not in gone)]
        records.sort(key=attrgetter("id"))
        fresh = {record.id for record in written}
        is_new = np.array([record.id in fresh for record in records])
        i, j = pairs_at([self._addressing.of(records)], len(records), is_new)
        comparison = comparison_of(self._plan)
        columns = [
            [record.items[each.ordinal or 0] for record in records] for each in self._plan.schema.fields
        ]
        block = comparison.block(columns, np.arange(len(records)))
        found: list[Pair] = []
        for scored in comparison.listed(block, [(i, j)] if len(i) else []):
            kept = scored.distances <= self._plan.cutoff
            ends = (
                scored.rows[kept].tolist(),
                scored.columns[kept].tolist(),
                scored.distances[kept].tolist(),
            )
            found += [(records[a].id, records[b].id, distance) for a, b, distance in zip(*ends, strict=True)]
        return found

    def _write(
        self,
        update: Update,
        written: Sequence[Record],
        deleted: Sequence[str],
        pairs: Sequence[Pair],
        addresses: Mapping[str, NDArray[np.uint32]],
    ) -> None:
        """The lines of records and pairs."""
        records: list[Record | str] = [*written, *deleted]
        none = np.zeros(0, np.uint32)
        at = [none if isinstance(each, str) else addresses.get(each.id, none) for each in records]
        codes = self._codes([each if isinstance(each, str) else each.id for each in records])
        for some in in_lines(len(records)):
            update.records.append(KeptRecords.of(self._number, codes[some], at[some], records[some]))
        a, b = (self._codes([pair[side] for pair in pairs]) for side in (0, 1))
        distances = np.array([pair[2] for pair in pairs], np.int64)
        for some in in_lines(len(pairs)):
            update.pairs.append(KeptPairs.of(self._number, a[some], b[some], distances[some]))

    def _codes(self, ids: Sequence[str]) -> Codes64:
        return codes_of(as_bytes(ids), self._salt)

    def _touched(self, ids: Iterable[str]) -> set[int]:
        """The codes of all records of the state that something of these joins."""
        rows, codes = self._rows, set(self._rows.codes(list(dict.fromkeys(ids))))
        if unknown := codes - rows.members.keys() if codes else None:
            rows.bring_members(unknown)
        components = {member.component for code in codes if (member := rows.member(code)) is not None}
        if components:
            rows.bring_members(components=components)
        return {
            code for code, member in rows.members.items() if member.entity and member.component in components
        }

    def _cluster(
        self,
        update: Update,
        written: Sequence[Record],
        gone: set[str],
        deleted: set[str],
        pairs: Sequence[Pair],
        touched: set[int],
        batch: Batch,
    ) -> None:
        """The lines of members, and the log, of what the touched records and those written become."""
        rows = self._rows
        members = {code: rows.members[code] for code in touched}
        fresh = {record.id: record for record in written}
        stay = {member.id for member in members.values()} - deleted
        ids = sorted(stay | fresh.keys())
        place = {record_id: number for number, record_id in enumerate(ids)}
        a, b, distances, lost = self._all_pairs(members, gone, pairs, place)
        decided = _decided(batch.decisions, place)
        links = Links.of(np.array(a, np.int32), np.array(b, np.int32), np.array(distances, np.int64))
        clusters = self._clustering(ids, fresh, links).clusters(len(ids), links, decided)
        groups: dict[int, list[str]] = defaultdict(list)
        for record_id, first in zip(ids, clusters.cluster.tolist(), strict=True):
            groups[first].append(record_id)
        before = {member.id: member.entity for member in members.values()}
        listed = list(groups.values())
        entities = continued(listed, before)
        new_ids = entity_ids(self._lineage, self._number + self._older, [group[0] for group in listed])
        after = {
            record_id: entity or new_id
            for group, entity, new_id in zip(listed, entities, new_ids, strict=True)
            for record_id in group
        }
        self._write_members(update, ids, after, clusters.component, sorted(deleted), fresh, members)
        changed = fresh.keys() & before.keys()
        update.log = list(
            changes(
                self._number,
                before,
                after,
                changed,
                Reasons(self._told(pairs), self._told(lost), batch.decided),
            )
        )
        update.counts["entities"] = len(set(after.values())) - len(set(before.values()))
        update.counts["records"] = len(ids) - len(before)

    def _told(self, pairs: Sequence[Pair]) -> list[TellingPair]:
        """Pairs as the log has them: of a model with probabilities in the place of distances."""
        steps = log_odds_steps(self._plan)
        return [
            (a, b, round(probability_of(distance, steps), 6) if steps else distance)
            for a, b, distance in pairs
        ]

    def _all_pairs(
        self, members: Mapping[int, Member], gone: set[str], pairs: Sequence[Pair], place: Mapping[str, int]
    ) -> tuple[list[int], list[int], list[int], list[Pair]]:
        """All pairs that hold, and those that no longer do."""
        a, b, distances = [], [], []
        lost: list[Pair] = []
        again = {pair[:2] for pair in pairs}
        there = self._rows.bring_pairs(members) if members else ()
        for first, second, distance in holding(there, members):
            if first.id in gone or second.id in gone:
                ends = sorted((first.id, second.id))
                if (ends[0], ends[1]) not in again:
                    lost.append((ends[0], ends[1], distance))
                continue
            a.append(place[first.id])
            b.append(place[second.id])
            distances.append(distance)
        for one_id, two_id, distance in pairs:
            a.append(place[one_id])
            b.append(place[two_id])
            distances.append(distance)
        return a, b, distances, sorted(set(lost))

    def _clustering(self, ids: Sequence[str], fresh: Mapping[str, Record], links: Links) -> Clustering:
        settings, plan = self._plan.settings, self._plan
        far = max(settings.scale, plan.cutoff)
        measure = None
        if settings.cluster_by == "average" and settings.cluster_absent == "computed":
            records = self._values(ids, fresh, links)
            columns = [
                ["" if record is None else record.items[each.ordinal or 0] for record in records]
                for each in plan.schema.fields
            ]
            known = np.array([record is not None for record in records], np.bool_)
            measure = measure_of(comparison_of(plan), columns, known, far)
        mean = plan.cutoff if settings.cluster_mean is None else settings.cluster_mean
        return Clustering(
            settings.cluster_by,
            plan.cutoff,
            mean,
            far,
            lambda node: hashed(f"\0{ids[node]}"),
            measure=measure,
        )

    def _values(self, ids: Sequence[str], fresh: Mapping[str, Record], links: Links) -> list[Record | None]:
        """The records that have a pair; nobody asks how far others are from anything."""
        asked = np.unique(np.concatenate([links.a, links.b])).tolist()
        codes = dict(zip(asked, self._rows.codes([ids[number] for number in asked]), strict=True))
        missing = {
            code
            for number, code in codes.items()
            if ids[number] not in fresh and self._rows.record(code) is None
        }
        if missing:
            self._rows.bring_records(missing)
        found: list[Record | None] = [None] * len(ids)
        for number, code in codes.items():
            found[number] = fresh.get(ids[number]) or self._rows.record(code)
        return found

    def _write_members(
        self,
        update: Update,
        ids: Sequence[str],
        after: Mapping[str, str],
        component: NDArray[np.int32],
        deleted: Sequence[str],
        fresh: Mapping[str, Record],
        members: Mapping[int, Member],
    ) -> None:
        since_of = {member.id: member.since for member in members.values()}
        names = [*ids, *deleted]
        codes = self._codes(names)
        # Not the same as in any version before, so that what is found under one is of this version.
        labels = mixed(codes[component] + np.uint64(self._number)) if len(ids) else np.zeros(0, np.uint64)
        labels = np.concatenate([labels, np.zeros(len(deleted), np.uint64)])
        since = np.array(
            [self._number if each in fresh else since_of.get(each, self._number) for each in names], np.uint32
        )
        rows = [(each, after.get(each, "")) for each in names]
        for some in in_lines(len(names)):
            update.members.append(
                KeptMembers.of(self._number, codes[some], labels[some], since[some], rows[some])
            )


def _decided(decisions: Sequence[Decision], place: Mapping[str, int]) -> Decided:
    pairs: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    for each in decisions:
        a, b = place.get(each.a[1]), place.get(each.b[1])
        if a is not None and b is not None:
            pairs[each.same].append((a, b))
    return Decided(*(np.array(pairs[same], np.int64).reshape(-1, 2) for same in (True, False)))
