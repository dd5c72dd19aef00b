"""How the candidates of a cell are found and scored: the reducers of score_candidates."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, product

import numpy as np
import orjson
from numpy.typing import NDArray

from pehchan.distance.arrays import Positions, uncollected
from pehchan.learning.addresses import Addressing, Frozen, pairs_at
from pehchan.learning.candidates import candidate_pairs
from pehchan.learning.neighbours import NEAREST, nearest, neighbour_pairs, wanted, word_vectors
from pehchan.learning.predicates import key_hashes
from pehchan.learning.table import Table, record_hashes
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Record, Records, ascii_json
from pehchan.mrjobs.joins.all_pairs import bucket_of
from pehchan.mrjobs.learnt import Rules, model_of, ordinals_of
from pehchan.mrjobs.wire import Identity, Pair, Pairs

#: Pairs that are scored at a time, and on a line of output.
AT_ONCE, PAIRS_A_LINE = 100_000, 1000


class CellScores:
    """Scores the candidates of one cell after the other.

    count         is told (group, name, amount) for the counters
    sign_of_life  is told of pairs that were scored
    """

    def __init__(
        self,
        plan: Plan,
        count: Callable[[str, str, int], None],
        sign_of_life: Callable[[str, int], None],
    ):
        self._plan, self._model, self._rules = plan, model_of(plan), Rules(plan)
        self._ordinals = ordinals_of(plan, self._model.fields)
        self._count, self._sign_of_life = count, sign_of_life
        self._addressing = None
        if plan.frozen is not None:
            self._addressing = Addressing(
                self._model.keys, Frozen.from_dict(plan.frozen) if plan.frozen else None
            )

    def found_frozen(self) -> bytes | None:
        """What of candidacy was found out, as JSON; None where it is settled or others have a say."""
        if self._addressing is None or self._plan.frozen:
            return None
        return ascii_json(self._addressing.found.to_dict())

    def of_keys(self, records: Sequence[Records], cell: int, cells: int, all_near: bool) -> Iterator[Pairs]:
        """The pairs of records that share a key of a cell; all_near: and with texts those that are nearest here."""
        table, ruled = self._table(records), self._ruled(records)
        hashes = key_hashes(table, self._model.keys.keys)
        linked = ruled[:, : self._rules.count].copy()
        if cells > 1:
            for each in (hashes, linked):
                each[each % np.uint64(cells) != cell] = 0
        if len(self._plan.sets) > 1 and not table.two_sets:
            # Records of one set never meet each other.
            return
        if self._addressing is not None:
            i, j = pairs_at(self._addressing.by_key(table, hashes, linked), len(table))
        else:
            found = [candidate_pairs(table, self._model.keys, hashes)]
            if self._rules.count:
                found.append(self._rules.pairs(linked, ruled, table))
            if all_near and wanted(table.fields):
                found.append(neighbour_pairs(table))
            i, j = found[0] if len(found) == 1 else _all_of(table, found)
        for start in range(0, len(i), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            yield from self._kept(table, ruled, i[some], j[some])

    def _distances(
        self, table: Table, ruled: NDArray[np.uint64], i: Positions, j: Positions
    ) -> NDArray[np.int64]:
        distances = self._model.distances(table, i, j)
        return self._rules.settle(distances, ruled, i, j) if self._rules else distances

    def _kept(self, table: Table, ruled: NDArray[np.uint64], i: Positions, j: Positions) -> Iterator[Pairs]:
        distances = self._distances(table, ruled, i, j)
        self._count("Pairs", "Compared", len(i))
        self._sign_of_life("score", len(i))
        kept = distances <= self._plan.cutoff
        i, j, distances = i[kept], j[kept], distances[kept]
        self._count("Pairs", "Kept", len(i))
        for start in range(0, len(i), PAIRS_A_LINE):
            some = slice(start, start + PAIRS_A_LINE)
            yield self._pairs(table, i[some], j[some], distances[some])

    def _pairs(self, table: Table, i: Positions, j: Positions, distances: NDArray[np.int64]) -> Pairs:
        """Those of the records in these rows, in their order by set and id."""
        names = self._plan.sets

        def identities(rows: Positions) -> Iterator[Identity]:
            sets = (names[number] for number in table.sets[rows].tolist())
            return zip(sets, map(table.ids.__getitem__, rows.tolist()), strict=True)

        both = zip(identities(i), identities(j), distances.tolist(), strict=True)
        return Pairs.of([Pair(*sorted((one, two)), distance) for one, two, distance in both])

    def of_texts(
        self, records: Sequence[Records], bucket: int, other: int, buckets: int
    ) -> Iterator[tuple[Identity, bytes]]:
        """Of two buckets, each record with those of the other bucket that are near it by their words."""
        table, ruled = self._table(records), self._ruled(records)
        identities = self._identities(table)
        number = np.array([bucket_of(Record(name, each, ()), buckets) for name, each in identities])
        vectors = word_vectors(table)
        # Of two sets, each record has its neighbours in the other one.
        sets = range(len(self._plan.sets))
        theirs = [
            (table.sets == each, table.sets != each if len(sets) > 1 else table.sets == each) for each in sets
        ]
        sides = [(bucket, other)] if bucket == other else [(bucket, other), (other, bucket)]
        for (one, two), (own, met) in product(sides, theirs):
            rows, across = np.flatnonzero((number == one) & own), np.flatnonzero((number == two) & met)
            i, j, cosine = nearest(table, vectors, rows, across)
            distances = self._distances(table, ruled, i, j)
            self._count("Pairs", "Compared", len(i))
            self._sign_of_life("score", len(i))
            starts = np.flatnonzero(np.append(True, i[1:] != i[:-1])) if len(i) else np.zeros(0, np.int64)
            for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(i)], strict=True):
                near = [
                    [*identities[row], apart, distance]
                    for row, apart, distance in zip(
                        j[start:end].tolist(),
                        cosine[start:end].tolist(),
                        distances[start:end].tolist(),
                        strict=True,
                    )
                ]
                yield identities[int(i[start])], ascii_json(near)

    def with_nearest(self, record: Sequence[str], values: Iterable[bytes]) -> Pairs:
        """The pairs of a record with the nearest of all that are near it, at or under the cutoff."""
        first = (record[0], record[1])
        near = list(chain.from_iterable(map(orjson.loads, values)))
        numbers = [self._plan.sets.index(each[0]) for each in near]
        hashes = record_hashes(numbers, [each[1] for each in near]).tolist()
        order = sorted(range(len(near)), key=lambda k: (-near[k][2], hashes[k]))[:NEAREST]
        pairs = [
            Pair(*sorted((first, (near[k][0], near[k][1]))), near[k][3])
            for k in order
            if near[k][3] <= self._plan.cutoff
        ]
        self._count("Pairs", "Kept", len(pairs))
        return Pairs.of(pairs)

    def _table(self, records: Sequence[Records]) -> Table:
        with uncollected():
            columns = [
                list(chain.from_iterable(some.column(ordinal) for some in records))
                for ordinal in self._ordinals
            ]
            ids = list(chain.from_iterable(some.ids for some in records))
            numbers = {name: number for number, name in enumerate(self._plan.sets)}
            sets = np.array([numbers[some.set] for some in records], np.int8).repeat(list(map(len, records)))
            return Table.of(self._model.fields, columns, ids, sets)

    def _ruled(self, records: Sequence[Records]) -> NDArray[np.uint64]:
        if not self._rules:
            return np.zeros((sum(map(len, records)), 0), np.uint64)
        columns = [
            list(chain.from_iterable(some.column(field.ordinal or 0) for some in records))
            for field in self._plan.schema.fields
        ]
        return self._rules.hashes(columns)

    def _identities(self, table: Table) -> list[Identity]:
        names = self._plan.sets
        return [(names[number], each) for number, each in zip(table.sets.tolist(), table.ids, strict=True)]


def _all_of(table: Table, pairs: Sequence[tuple[Positions, Positions]]) -> tuple[Positions, Positions]:
    """All pairs, each once."""
    coded = np.unique(np.concatenate([i * len(table) + j for i, j in pairs]))
    return coded // max(len(table), 1), coded % max(len(table), 1)
