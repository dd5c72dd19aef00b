"""Pairs of records that may match, with how sure a learnt model is of each.

in   settled records, tagged lines of settle_records
out  tagged lines: `pairs`, those whose distance is at or under the cutoff of the plan, each pair of records once;
     `frozen`, which addresses are too many records', where a plan asks to find it out

Records that share a learnt key meet in the cell of its hash; with texts, each record also meets all others, in cells
of two buckets, and its nearest by their words become candidates. What a cell finds does not depend on the others, and
all together find the same pairs however many there are.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import orjson
from mrjob.step import MRStep

from pehchan.metadata.records import Records, ascii_json
from pehchan.mrjobs.job import PlannedJob
from pehchan.mrjobs.joins.all_pairs import bucket_of, hashed
from pehchan.mrjobs.wire import FROZEN, NEAR, PAIRS, RECORDS, Pairs, tagged

if TYPE_CHECKING:
    from pehchan.mrjobs.scoring import CellScores

#: Records whose hashes a mapper makes at a time, and of a cell that it gathers before it sends them.
HASHED, GATHERED = 5000, 500

#: Parts of the pairs among which repeated ones are looked for.
PARTS = 64


class ScoreCandidates(PlannedJob):
    @cached_property
    def _cells(self) -> int:
        """Cells that share the keys."""
        return self.plan.shared_cells

    @cached_property
    def _buckets(self) -> int:
        """Buckets of records, where texts have neighbours: 2 or more where the keys have several cells; 1 where there
        are no texts.
        """
        return self.plan.default_buckets[0]

    def steps(self) -> list[MRStep]:
        meet = MRStep(
            mapper_init=self.start_meeting,
            mapper=self.to_cells,
            mapper_final=self.stop_meeting,
            reducer=self.score_cell,
            reducer_final=self.stop_scoring,
        )
        if self._cells == 1 and self._buckets == 1:
            return [meet]
        nearest = MRStep(reducer=self.nearest, reducer_final=self.send_counters)
        once = MRStep(mapper=self.to_parts, reducer=self.each_once, reducer_final=self.send_counters)
        return [meet, nearest, once] if self._buckets > 1 else [meet, once]

    def start_meeting(self) -> None:
        self._hashes = None
        if self._cells > 1:
            # Here, as numpy takes a task longer to import than all else.
            from pehchan.learning.key_hashes import KeyHashes
            from pehchan.mrjobs.learnt import Rules, model_of, ordinals_of

            model = model_of(self.plan)
            self._hashes = KeyHashes(model.fields, model.keys.keys)
            self._ordinals, self._rules = ordinals_of(self.plan, model.fields), Rules(self.plan)
        self._waiting: dict[tuple[str, int], Records] = {}

    def to_cells(self, _: None, line: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Settled records -> the cells where they meet others."""
        tag, payload = tagged(line)
        if tag != RECORDS:
            return
        if self._hashes is None and self._buckets == 1:
            yield ascii_json(["k", 0]), payload
            return
        records = Records.decode(payload)
        waiting = self._waiting.setdefault((records.set, records.width), Records(records.set, records.width))
        waiting.values += records.values
        if len(waiting) >= HASHED:
            yield from self._send(self._waiting.pop((records.set, records.width)))

    def _send(self, records: Records) -> Iterator[tuple[bytes, bytes]]:
        """Records, each to the cells of its keys, and with texts to those of its bucket."""
        of_cells: dict[bytes, Records] = {}
        for cell, rows in self._cells_of(records):
            some = of_cells.setdefault(cell, Records(records.set, records.width))
            for row in rows:
                some.values += records.values[row * records.width : (row + 1) * records.width]
                if len(some) >= GATHERED:
                    yield cell, some.encode()
                    some = of_cells[cell] = Records(records.set, records.width)
        for cell, some in of_cells.items():
            if len(some):
                yield cell, some.encode()

    def _cells_of(self, records: Records) -> Iterator[tuple[bytes, list[int]]]:
        """The cells in which some of the records meet others, and which of them, by their places."""
        if self._hashes is None:
            yield ascii_json(["k", 0]), list(range(len(records)))
        else:
            import numpy as np

            hashes = np.zeros((len(records), 0), np.uint64)
            if self._ordinals:
                hashes = self._hashes.of([records.column(ordinal) for ordinal in self._ordinals])
            if self._rules.count:
                columns = [records.column(field.ordinal or 0) for field in self.plan.schema.fields]
                hashes = np.hstack([hashes, self._rules.hashes(columns)[:, : self._rules.count]])
            cells = np.where(hashes == 0, -1, (hashes % np.uint64(self._cells)).astype(np.int64))
            for cell in range(self._cells):
                rows = np.flatnonzero((cells == cell).any(axis=1)).tolist()
                if rows:
                    yield ascii_json(["k", cell]), rows
        if self._buckets == 1:
            return
        of_bucket: dict[int, list[int]] = defaultdict(list)
        for row, record in enumerate(records):
            of_bucket[bucket_of(record, self._buckets)].append(row)
        for bucket, rows in sorted(of_bucket.items()):
            for other in range(self._buckets):
                yield ascii_json(["t", min(bucket, other), max(bucket, other)]), rows

    def stop_meeting(self) -> Iterator[tuple[bytes, bytes]]:
        for records in self._waiting.values():
            yield from self._send(records)

    @cached_property
    def _scores(self) -> "CellScores":
        from pehchan.mrjobs.scoring import CellScores

        return CellScores(self.plan, self.count, self.sign_of_life)

    def score_cell(self, key: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The records of a cell -> its pairs; of texts, near ones of each record if there are several buckets."""
        kind, *cell = orjson.loads(key)
        records = list(map(Records.decode, values))
        if kind == "k":
            found = self._scores.of_keys(records, cell[0], self._cells, self._buckets == 1)
            yield from ((PAIRS, pairs.encode()) for pairs in found)
            return
        for record, near in self._scores.of_texts(records, cell[0], cell[1], self._buckets):
            yield NEAR + ascii_json(record), near

    def stop_scoring(self) -> Iterator[tuple[bytes, bytes]]:
        if self.plan.frozen is not None and (found := self._scores.found_frozen()) is not None:
            yield FROZEN, found
        self.send_counters()

    def nearest(self, key: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """What is near a record, from all cells -> its pairs with the nearest; other pairs pass."""
        if key in (PAIRS, FROZEN):
            yield from ((key, value) for value in values)
            return
        pairs = self._scores.with_nearest(orjson.loads(key.removeprefix(NEAR)), values)
        if len(pairs):
            yield PAIRS, pairs.encode()

    def to_parts(self, tag: bytes, payload: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs -> the part of their first record; what else there is passes."""
        if tag == FROZEN:
            yield FROZEN, payload
            return
        of_parts: dict[int, Pairs] = defaultdict(Pairs)
        for pair in Pairs.decode(payload):
            of_parts[hashed("\0".join(pair.first)) % PARTS].append(pair)
        for part, pairs in of_parts.items():
            yield b"%d" % part, pairs.encode()

    def each_once(self, part: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The pairs of a part -> each of them once."""
        if part == FROZEN:
            yield from ((FROZEN, value) for value in values)
            return
        once = {}
        for pair in (pair for value in values for pair in Pairs.decode(value)):
            if (pair.first, pair.second) in once:
                self.count("Pairs", "Kept", -1)
            once[pair.first, pair.second] = pair
        # Each as a line of its own would be too many, all on one too long.
        pairs = [once[both] for both in sorted(once)]
        for start in range(0, len(pairs), GATHERED):
            yield PAIRS, Pairs.of(pairs[start : start + GATHERED]).encode()


if __name__ == "__main__":
    ScoreCandidates.run()
