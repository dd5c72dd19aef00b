"""From the distances of the attributes to one distance of the records: L1, L2 and Lp, as sifarish scales them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pehchan.distance import libm
from pehchan.distance.arrays import Mask
from pehchan.distance.columns import Column
from pehchan.distance.curves import apply
from pehchan.distance.measure import Distances
from pehchan.metadata.schema import Field, Schema

JAVA_MAX_INT = 2**31 - 1


@dataclass(frozen=True)
class WeightedDistance:
    """The distance of two records from those of their fields: closer is smaller.

    With e the effective distance of a field (its curve applied to the raw distance), w its weight, and n the
    sum of the weights of the fields that count:

        manhattan  scale * sum(w e) / n
        euclidean  scale * sqrt(sum(w e^2)) / n
        minkowski  scale * sum(w e^p)^(1/p) / n

    truncated to a whole number. n divides outside the root, as in sifarish, so two records that differ in all
    of four fields are 500 of 1000 apart under euclidean. A pair with an exploded field (e above the field's
    explode threshold) and no imploded one (e below its implode threshold) is scale apart, with an imploded
    field and no exploded one 0. A pair without a field that counts is scale apart (0 with compat).
    """

    fields: tuple[Field, ...]
    aggregation: str = "manhattan"
    power: float = 1.0
    scale: int = 1000
    id_counted: bool = False
    compat: bool = False

    #: A smaller score means that two records are more alike.
    closer_is_smaller = True

    @classmethod
    def of(cls, schema: Schema, scale: int, compat: bool) -> "WeightedDistance":
        """The aggregation that a schema asks for."""
        return cls(schema.fields, schema.aggregation, schema.power, scale, schema.id_counted, compat)

    def score(
        self,
        columns: Sequence[Column],
        codes: Sequence[tuple[NDArray[np.int32], NDArray[np.int32]]],
        distances: Sequence[Distances],
        missing: Sequence[Mask | None],
    ) -> Distances:
        """float64[n] of whole numbers from 0: the scaled, truncated distance of n pairs.

        distances[k] float64[n] raw distances of field k; missing[k] bool[n]: field k does not count for the
        pair, None where it counts for all. columns and codes are part of the interface that scores share; this
        one does not need them.
        """
        pairs = len(distances[0]) if distances else 0
        total = np.zeros(pairs)
        counted: Distances | float = 1.0 if self.id_counted else 0.0
        imploded: Mask | None = None
        exploded: Mask | None = None
        for field, raw, absent in zip(self.fields, distances, missing, strict=True):
            effective = apply(field.curve, np.abs(raw))
            total += self._share(field, effective, absent)
            counted = counted + (field.weight if absent is None else np.where(absent, 0.0, field.weight))
            imploded = _also(imploded, effective < field.implode, absent)
            exploded = _also(exploded, effective > field.explode, absent)
        # Java yields infinities and NaN here without a word; what they become is decided below.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            scaled = self._rooted(total) * self.scale / counted
        if exploded is not None:
            scaled[exploded if imploded is None else exploded & ~imploded] = self.scale
        if imploded is not None:
            scaled[imploded if exploded is None else imploded & ~exploded] = 0.0
        np.trunc(scaled, out=scaled)
        scaled[np.isnan(scaled)] = 0.0 if self.compat else self.scale
        return np.clip(scaled, -JAVA_MAX_INT, JAVA_MAX_INT, out=scaled)

    def largest_total(self, cutoff: int) -> float:
        """What the sum under the root may be, about, where the distance is at or under a cutoff."""
        counted = sum(field.weight for field in self.fields) + (1.0 if self.id_counted else 0.0)
        return _raised((cutoff + 1) * counted / self.scale, self.exponent)

    def effective_of(self, share: float) -> float:
        """The effective distance whose power is a share of the sum."""
        return _raised(share, self._root)

    @property
    def exponent(self) -> float:
        """The power that the effective distance of a field has in the sum."""
        return {"manhattan": 1.0, "euclidean": 2.0}.get(self.aggregation, self.power)

    @property
    def _root(self) -> float:
        return 1 / self.exponent if self.exponent else math.inf

    def share(self, field: Field, raw: Distances, absent: Mask | None) -> Distances:
        """What the raw distances of a field add to the sum; 0 where it does not count (None: it counts for all)."""
        return self._share(field, apply(field.curve, np.abs(raw)), absent)

    def _share(self, field: Field, effective: Distances, absent: Mask | None) -> Distances:
        share = self._powered(effective)
        if field.weight != 1:
            share = field.weight * share
        return share if absent is None else np.where(absent, 0.0, share)

    def _powered(self, effective: Distances) -> Distances:
        if self.aggregation == "euclidean":
            return effective * effective
        if self.aggregation == "minkowski":
            return libm.power(effective, self.power)
        return effective

    def _rooted(self, total: Distances) -> Distances:
        if self.aggregation == "euclidean":
            return np.sqrt(total)
        if self.aggregation == "minkowski":
            return libm.power(total, self._root)
        return total


def _raised(base: float, exponent: float) -> float:
    try:
        return base**exponent
    except OverflowError:
        return math.inf


def _also(marked: Mask | None, here: Mask, absent: Mask | None) -> Mask | None:
    """Pairs that are marked, or marked here where the field counts; None where there are none."""
    if not here.any():
        return marked
    here = here if absent is None else here & ~absent
    return here if marked is None else marked | here
