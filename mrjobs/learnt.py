"""A learnt model where measures stand otherwise: its place in a plan, and how it compares listed pairs of records."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.arrays import Positions
from pehchan.learning.fields import LearntField
from pehchan.learning.model import Model
from pehchan.learning.table import Table
from pehchan.metadata.plan import Plan


def model_of(plan: Plan) -> Model:
    """The model of a plan. Raises ValueError where it has none."""
    if plan.model is None:
        raise ValueError("the plan holds no model")
    return Model.from_dict(plan.model)


def ordinals_of(plan: Plan, fields: Sequence[LearntField]) -> list[int]:
    """The numbers of the columns of fields that are learnt from."""
    of_name = {field.name: field.ordinal or 0 for field in plan.schema.fields}
    return [of_name[field.name] for field in fields]


@dataclass(frozen=True)
class Scored:
    """Listed pairs: positions of their records int64[m], and distances int64[m]."""

    rows: Positions
    columns: Positions
    distances: NDArray[np.int64]


class LearntDistance:
    """Compares listed pairs of records as RecordDistance does, by a model."""

    def __init__(self, plan: Plan):
        self._model = model_of(plan)
        places = {field.name: place for place, field in enumerate(plan.schema.fields)}
        self._places = [places[field.name] for field in self._model.fields]

    def block(self, columns: Iterable[Sequence[str]], rank: Positions) -> Table:
        """Records with these values, a column a field of the schema."""
        listed = list(columns)
        ids = [str(number) for number in rank.tolist()]
        return Table.of(self._model.fields, [listed[place] for place in self._places], ids)

    def listed(self, block: Table, pairs: Iterable[tuple[Positions, Positions]]) -> Iterator[Scored]:
        """The pairs of records i[k] and j[k], list by list."""
        for i, j in pairs:
            yield Scored(i, j, self._model.distances(block, i, j))
