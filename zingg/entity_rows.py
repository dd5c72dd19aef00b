"""The records of a state as Zingg's users read them: behind the entity of each, and how sure it is of its mates."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pehchan.identity.held import HeldRecords
from pehchan.identity.state import State
from pehchan.learning.odds import probability_of
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.mrjobs.exporting import log_odds_steps
from pehchan.zingg.extras import library
from pehchan.zingg.kept_rows import KeptRows

pa = library("pyarrow")

#: The column of the entity of a record.
ZINGG_ID = "ZINGG_ID"

#: Rows that are in memory as values at a time.
ROWS = 20_000

#: Probabilities are told with so many decimals.
DECIMALS = 6


class EntityRows:
    """All records of a state, in the order of their keys. They are in memory, as compactly as a state has them.

    Raises MistakesError where no phase made the state.
    """

    def __init__(self, state: State):
        columns = state.read_plan().schema.columns
        kept = KeptRows.in_columns(columns)
        if kept is None:
            what = "it keeps no whole rows, as states that pehchan's own commands make."
            raise MistakesError([Mistake(str(state.folder), what, "Make one with the phase match.")])
        self.kept = kept
        self._place = list(columns).index(kept.column)
        self._state, self._held = state, HeldRecords(state)
        members = list(self._held.members())
        order = sorted(range(len(members)), key=lambda row: members[row][0])
        self._order = np.array(order, np.int64)
        #: Of each record, in their order.
        self.keys, self.entities = [members[row][0] for row in order], [members[row][1] for row in order]

    def __len__(self) -> int:
        return len(self.keys)

    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """The pairs of records of one entity that match, by their numbers in the order; and their probabilities."""
        a, b, distances = self._held.pairs(self._state)
        number = np.empty(len(self), np.int64)
        number[self._order] = np.arange(len(self))
        a, b = number[a], number[b]
        names = np.array(self.entities, dtype=object)
        mates = names[a] == names[b] if len(a) else np.zeros(0, np.bool_)
        steps = log_odds_steps(self._state.read_plan())
        told = [round(probability_of(distance, steps), DECIMALS) for distance in distances[mates].tolist()]
        return a[mates], b[mates], np.array(told, np.float64)

    def batches(
        self, fields: Sequence[str], entities: frozenset[str] | None = None
    ) -> tuple[Iterator[Any], Any]:
        """All of them as pyarrow.RecordBatches behind z_minScore, z_maxScore and ZINGG_ID, and their schema.

        fields    the columns that come first
        entities  those whose records are wanted; None: all
        """
        columns = [name for name in fields if name in self.kept.schema.names]
        columns += [name for name in self.kept.schema.names if name not in columns]
        front = [("z_minScore", pa.float64()), ("z_maxScore", pa.float64()), (ZINGG_ID, pa.string())]
        schema = pa.schema([*front, *(self.kept.schema.field(name) for name in columns)])
        least, most = self._scores()
        wanted = np.array(
            [number for number, entity in enumerate(self.entities) if entities is None or entity in entities],
            np.int64,
        )

        def batches() -> Iterator[Any]:
            for start in range(0, len(wanted), ROWS):
                some = wanted[start : start + ROWS]
                records = self._held.records(self._order[some])
                rows = self.kept.batch([record.items[self._place] for record in records])
                made = [
                    *(pa.array(scores[some], mask=np.isnan(scores[some])) for scores in (least, most)),
                    pa.array([self.entities[number] for number in some.tolist()], pa.string()),
                    *(rows.column(name) for name in columns),
                ]
                yield pa.RecordBatch.from_arrays(made, schema=schema)

        return batches(), schema

    def _scores(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The least and the largest probability of the pairs of each record; nan where it has none."""
        a, b, probabilities = self.pairs()
        least, most = np.full(len(self), np.inf), np.full(len(self), -np.inf)
        for ends in (a, b):
            np.minimum.at(least, ends, probabilities)
            np.maximum.at(most, ends, probabilities)
        return (np.where(np.isinf(scores), np.nan, scores) for scores in (least, most))  # type: ignore[return-value]
