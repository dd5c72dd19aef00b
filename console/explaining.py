"""Why two records are as far apart as they are: what each field says of them, and what it adds to the sum."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.aggregation import WeightedDistance
from pehchan.distance.arrays import Mask, Positions
from pehchan.distance.curves import apply
from pehchan.distance.measure import Distances
from pehchan.distance.record import RecordDistance
from pehchan.learning.evidence import Evidence
from pehchan.learning.model import START, Model
from pehchan.learning.odds import CUTOFF, steps_of
from pehchan.learning.table import Table
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.learnt import comparison_of, model_of

#: Pairs that are compared at a time.
AT_ONCE = 100_000

#: What becomes of missing values, by what the schema says.
MISSING = {"max": "counts as 1", "skip": "not counted", "previous": "counts as the field before"}


class Part(NamedTuple):
    """One line of a sum.

    distance  of the two values, in [0, 1]; None where a value is missing, or where it is no field
    share     what it adds: points of the distance, or log odds of a match
    said      what is special about it, "" for nothing
    """

    name: str
    distance: float | None
    share: float
    said: str


class Why(NamedTuple):
    """A pair, part by part.

    distance  of the two records; None where a field beyond its threshold cuts the pair
    total     what the parts make together, before it is cut to whole numbers or clipped
    """

    distance: int | None
    parts: Sequence[Part]
    total: float
    said: Sequence[str]


@dataclass(frozen=True)
class Explained:
    """n pairs of records.

    names      of the parts: first the fields, then what else counts
    fields     how many of them are fields
    distances  of each field float64[n], NaN where a value is missing
    shares     of each part float64[n]
    apart      int64[n] distances of the records, -1 where a threshold cuts
    of_parts   (number of the part, bool[n], what is said of it where that is so)
    of_pairs   (bool[n], what is said of the whole pair)
    """

    names: Sequence[str]
    distances: Sequence[Distances]
    shares: Sequence[Distances]
    apart: NDArray[np.int64]
    of_parts: Sequence[tuple[int, Mask, str]] = ()
    of_pairs: Sequence[tuple[Mask, str]] = ()

    def why(self, k: int) -> Why:
        """Of the pair at a position."""
        parts = []
        for number, (name, shares) in enumerate(zip(self.names, self.shares, strict=True)):
            apart = float(self.distances[number][k]) if number < len(self.distances) else np.nan
            said = [text for part, mask, text in self.of_parts if part == number and mask[k]]
            parts.append(Part(name, None if np.isnan(apart) else apart, float(shares[k]), ", ".join(said)))
        # A sum begins with what it begins with.
        parts.sort(key=lambda part: part.name != START)
        distance = int(self.apart[k])
        return Why(
            None if distance < 0 else distance,
            parts,
            sum(part.share for part in parts),
            [text for mask, text in self.of_pairs if mask[k]],
        )


def explain(plan: Plan, records: Sequence[Sequence[str]], i: Positions, j: Positions) -> Explained:
    """The pairs of records i[k] and j[k], by the measures of a plan or by its model.

    records  values of the compared fields, in the order of the schema
    """
    columns = [[record[number] for record in records] for number in range(len(plan.schema.fields))]
    apart = distances(plan, columns, i, j)
    return (_by_measures if plan.model is None else _by_model)(plan, columns, i, j, apart)


def distances(plan: Plan, columns: Sequence[Sequence[str]], i: Positions, j: Positions) -> NDArray[np.int64]:
    """int64[n]: of the pairs of records with these values, -1 where a threshold cuts the pair."""
    comparison = comparison_of(plan)
    records = len(columns[0]) if columns else 0
    block = comparison.block(columns, np.arange(records))
    # Pairs come back in any order, and those that a threshold cuts not at all.
    keys, place = np.unique(i * records + j, return_inverse=True)
    found = np.full(len(keys), -1, dtype=np.int64)
    for start in range(0, len(i), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        for kept in comparison.listed(block, [(i[some], j[some])]):
            found[np.searchsorted(keys, kept.rows * records + kept.columns)] = kept.distances
    return found[place]


def all_distances(
    plan: Plan, columns: Sequence[Sequence[str]]
) -> tuple[Positions, Positions, NDArray[np.int64]]:
    """Every two of these records i[k] < j[k], and their distances: -1 where a threshold cuts."""
    records = len(columns[0]) if columns else 0
    i, j = (each.astype(np.int64) for each in np.triu_indices(records, 1))
    comparison = comparison_of(plan)
    if not isinstance(comparison, RecordDistance):
        return i, j, distances(plan, columns, i, j)
    # Whole tiles cost less than lists of pairs.
    block = comparison.block(columns, np.arange(records))
    apart = np.full((records, records), -1, dtype=np.int64)
    for found in comparison.compare(block, block):
        apart[found.rows, found.columns] = apart[found.columns, found.rows] = found.distances
    return i, j, apart[i, j]


def _by_measures(
    plan: Plan, columns: Sequence[Sequence[str]], i: Positions, j: Positions, apart: NDArray[np.int64]
) -> Explained:
    settings, fields = plan.settings, plan.schema.fields
    distance = RecordDistance(plan.schema, settings.scale, settings.scale, settings.compat, "tiles")
    score: WeightedDistance = distance.score
    block = distance.block(columns, np.arange(len(columns[0]) if columns else 0))
    told, shares = [], []
    of_parts: list[tuple[int, Mask, str]] = []
    of_pairs: list[tuple[Mask, str]] = []
    counted = np.full(len(i), 1.0 if score.id_counted else 0.0)
    before = np.zeros(len(i))
    for number, (field, (raw, missing)) in enumerate(
        zip(fields, distance.by_field(block, i, j), strict=True)
    ):
        told.append(np.where(missing, np.nan, raw))
        skipped = missing if field.missing == "skip" else np.zeros(len(i), dtype=bool)
        taken = np.where(missing, before if field.missing == "previous" else 1.0, raw)
        share = score.share(field, taken, skipped)
        effective = apply(field.curve, np.abs(taken))
        counted += np.where(skipped, 0.0, field.weight)
        shares.append(share)
        of_parts.append((number, missing, f"missing, {MISSING[field.missing]}"))
        if field.threshold is not None:
            of_parts.append((number, ~skipped & (taken > field.threshold), f"beyond its {field.threshold:g}"))
        for far, limit, text in (
            (effective < field.implode, field.implode, "makes the distance 0"),
            (effective > field.explode, field.explode, f"makes the distance {settings.scale}"),
        ):
            of_parts.append((number, far & ~skipped, f"{text} ({limit:g})"))
        before = taken
    total = np.sum(shares, axis=0) if shares else np.zeros(len(i))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # Where the sum stands under a root, each has as much of the result as of the sum.
        result = score.scale * _rooted(score, total) / counted
        points = [np.nan_to_num(result * share / total, posinf=0.0) for share in shares]
    of_pairs.append((counted == 0, "no field counts"))
    if score.exponent != 1:
        of_pairs.append((total > 0, f"shares in a sum of {score.aggregation} distances, under its root"))
    return Explained([each.name for each in fields], told, points, apart, of_parts, of_pairs)


def _rooted(score: WeightedDistance, total: Distances) -> Distances:
    return total if score.exponent == 1 else np.power(total, 1 / score.exponent)


def _by_model(
    plan: Plan, columns: Sequence[Sequence[str]], i: Positions, j: Positions, apart: NDArray[np.int64]
) -> Explained:
    model = model_of(plan)
    table = table_of(plan, model, columns)
    by_part = model.shares(table, i, j)
    similarities = Evidence.of(table, i, j).similarities
    told = [1.0 - similarities[:, number] for number in range(len(model.fields))]
    missing = [(number, np.isnan(each), "missing") for number, each in enumerate(told)]
    total = np.sum(list(by_part.values()), axis=0)
    steps = steps_of(bool(model.clean))
    clipped = np.ceil(CUTOFF - np.clip(total * steps, -CUTOFF, CUTOFF)).astype(np.int64)
    # What a rule of the schema says is nothing that was added up, and differs by more than a last digit.
    ruled = np.abs(clipped - apart) > 1
    return Explained(
        list(by_part), told, list(by_part.values()), apart, missing, [(ruled, "a rule of the schema decides")]
    )


def table_of(plan: Plan, model: Model, columns: Sequence[Sequence[str]]) -> Table:
    """Records with these values, a column a field of the schema, as a model reads them."""
    places = {field.name: place for place, field in enumerate(plan.schema.fields)}
    listed = [columns[places[field.name]] for field in model.fields]
    return Table.of(model.fields, listed, [str(number) for number in range(len(listed[0]) if listed else 0)])
