"""From the distances of the attributes to one distance of the records: L1, L2 and Lp, as sifarish scales them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.columns import Column, Mask
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
        missing: Sequence[Mask],
    ) -> Distances:
        """float64[n] of whole numbers from 0: the scaled, truncated distance of n pairs.

        distances[k] float64[n] raw distances of field k; missing[k] bool[n]: field k does not count for the
        pair. columns and codes are part of the interface that scores share; this one does not need them.
        """
        pairs = len(distances[0]) if distances else 0
        total = np.zeros(pairs)
        counted = np.full(pairs, 1.0 if self.id_counted else 0.0)
        imploded = np.zeros(pairs, dtype=bool)
        exploded = np.zeros(pairs, dtype=bool)
        for field, raw, absent in zip(self.fields, distances, missing, strict=True):
            effective = apply(field.curve, np.abs(raw))
            counts = ~absent
            total += np.where(counts, field.weight * self._powered(effective), 0.0)
            counted += np.where(counts, field.weight, 0.0)
            imploded |= counts & (effective < field.implode)
            exploded |= counts & (effective > field.explode)
        # Java yields infinities and NaN here without a word; what they become is decided below.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            scaled = self._rooted(total) * self.scale / counted
        scaled = np.where(exploded & ~imploded, float(self.scale), scaled)
        scaled = np.where(imploded & ~exploded, 0.0, scaled)
        unknown = 0.0 if self.compat else float(self.scale)
        scaled = np.where(np.isnan(scaled), unknown, scaled)
        return np.clip(np.trunc(scaled), -JAVA_MAX_INT, JAVA_MAX_INT)

    def _powered(self, effective: Distances) -> Distances:
        if self.aggregation == "euclidean":
            return effective * effective
        if self.aggregation == "minkowski":
            with np.errstate(over="ignore", invalid="ignore"):
                return np.power(effective, self.power)
        return effective

    def _rooted(self, total: Distances) -> Distances:
        if self.aggregation == "euclidean":
            return np.sqrt(total)
        if self.aggregation == "minkowski":
            return np.power(total, np.float64(1.0) / np.float64(self.power))
        return total
