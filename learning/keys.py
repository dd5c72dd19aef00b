"""Which keys find candidates: cheap ones that together find nearly all pairs of one entity.

The cost of a key is counted on a sample of records. How likely two records of one entity share it is not known
without labels: virtual pairs agree in each field by a prior, or as a pair known to be of one entity does. Keys are
then taken greedily, the one that finds most for its cost first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pehchan.learning.fields import LearntField
from pehchan.learning.hashing import combined
from pehchan.learning.predicates import PREDICATES, Key, Part, part_hashes, parts_of
from pehchan.learning.table import Table

#: Records on which the cost of keys is counted.
SAMPLE = 8_000
#: Candidate pairs a record that all keys together may cost; one key may cost a third of them.
BUDGET = 20.0
#: Where keys within the budget find less of the pairs of one entity, it is doubled while all candidates are so few.
LEAST_RECALL, FEW_PAIRS = 0.9, 500_000
#: Keys at the most.
MOST_KEYS = 24
#: Known pairs that are made use of.
MOST_KNOWN = 2_000

_VIRTUAL = 2_000
#: Known pairs from which on they count more than the prior.
_PRIOR_PAIRS = 400
#: Some pairs are more damaged than others: a pair agrees as often as the prior to the power of 2^-this to 2^this.
_DAMAGE = 1.5
#: Both records of a pair mostly miss a value together; this often only one of them does, of a field that most have.
_ONE_MISSES = 0.05
#: A pair should be found by three keys; the first one counts most.
_WORTH = np.array([100.0, 30.0, 30.0, 2.0])
#: What a key costs besides its candidates, in candidates a record.
_OVERHEAD = 0.5
_LEAST_GAIN = 0.0004
#: The weights of all pairs together.
_WHOLE = 1e9
#: Records that are looked through for twins of one of them.
_FEW = 20
#: Bounds of the search: parts that are combined, pairs of them that are still too large and get a third part.
_MOST_PARTS, _MOST_PAIRS = 70, 60
_REFINING = ("exact", "prefix3", "soundex", "first_half", "year")
_MOST_REFINEMENTS = 12


@dataclass(frozen=True)
class Keys:
    """What makes records meet.

    keys         of which two records must share one
    refinements  what splits the blocks that are too large, best first
    recall       share of the pairs of one entity that are expected to share a key
    cost         candidate pairs a record that are expected
    """

    keys: tuple[Key, ...]
    refinements: tuple[Part, ...]
    recall: float
    cost: float

    def texts(self, fields: Sequence[LearntField]) -> list[str]:
        """The keys as a schema would write them."""
        return [key.text(fields) for key in self.keys]


@dataclass(frozen=True)
class KnownPairs:
    """Pairs of records of one entity: rows i and j of a table."""

    table: Table
    i: NDArray[np.int64]
    j: NDArray[np.int64]

    def agreements(self, parts: Sequence[Part]) -> NDArray[np.bool_]:
        """bool[parts, pairs]: whether both records have the same value of a part; of MOST_KNOWN pairs at most.

        Which pairs, and their order, is told by the hashes of their records.
        """
        one, two = self.table.record_hashes[self.i], self.table.record_hashes[self.j]
        order = np.lexsort((np.maximum(one, two), combined([np.minimum(one, two), np.maximum(one, two)])))
        i, j = self.i[order[:MOST_KNOWN]], self.j[order[:MOST_KNOWN]]
        agree = np.zeros((len(parts), len(i)), bool)
        for k, part in enumerate(parts):
            hashes = part_hashes(self.table, part)
            agree[k] = (hashes[i] == hashes[j]) & (hashes[i] != 0)
        return agree


def learn_keys(
    table: Table, records: int, known: KnownPairs | None = None, budget: float = BUDGET, seed: int = 20261121
) -> Keys:
    """The keys for `records` records, of which the table holds a sample: all, or some by the hash of set and id.

    known  pairs of one entity: labels, or those that a first model is sure of; they need not be of the table
    """
    if not len(table) or not table.fields:
        return Keys((), (), 0.0, 0.0)
    sample = _Sample(table.take(table.sample(SAMPLE)), records)
    agree = _virtual_pairs(sample, known, np.random.default_rng(seed))
    weights = np.full(agree.shape[1], 1 / _VIRTUAL)
    # Half as much again for the known pairs as they are.
    weights[_VIRTUAL:] = 0.5 / max(agree.shape[1] - _VIRTUAL, 1)
    # Whole numbers, so that their sums are the same in whatever order they are taken.
    weights = np.rint(weights / weights.sum() * _WHOLE)
    while True:
        keys = _chosen(sample, _affordable(sample, agree, weights, budget / 3), agree, weights, budget)
        budget *= 2
        if keys.recall >= LEAST_RECALL or budget * records > FEW_PAIRS:
            return keys


class _Sample:
    """Parts and what they make of the records of a sample."""

    def __init__(self, table: Table, records: int):
        self.table = table
        single = ~_twins(table)
        #: Candidates a record of all that a candidate of the sample stands for.
        self.scale = records / int(single.sum()) ** 2
        self.parts: list[Part] = []
        #: Share of the records that have a value of each part.
        self.coverage: list[float] = []
        #: Of each part and record a number, -1 where there is no value. Without twins: candidates that are of one
        #: entity cost nothing, they are what is looked for.
        self.codes: list[NDArray[np.int64]] = []
        self.distinct: list[int] = []
        seen = set()
        for part in parts_of(table.fields):
            hashes = part_hashes(table, part)
            if (hashes != 0).mean() < 0.02:
                continue
            values, codes = np.unique(hashes, return_inverse=True)
            first = int(values[0] == 0)
            # One that tells records apart as another of the field does is of no use.
            _, where, order = np.unique(codes, return_index=True, return_inverse=True)
            partition = (part.field, np.argsort(np.argsort(where))[order].tobytes())
            if partition in seen:
                continue
            seen.add(partition)
            self.parts.append(part)
            self.coverage.append(float((hashes != 0).mean()))
            self.codes.append(codes[single].astype(np.int64) - first)
            self.distinct.append(len(values) - first)
        self.sets = table.sets[single] if table.two_sets else None

    def cost(self, numbers: Sequence[int]) -> float:
        """Candidates a record of the key of these parts."""
        code = self.codes[numbers[0]]
        for number in numbers[1:]:
            missing = (code < 0) | (self.codes[number] < 0)
            code = code * self.distinct[number] + self.codes[number]
            code[missing] = -1
            if len(numbers) > 2 and number != numbers[-1]:
                # Small again, so that no product overflows.
                values, code = np.unique(code, return_inverse=True)
                code = code - int(values[0] < 0)
        if self.sets is None:
            return float(_pairs(np.sort(code[code >= 0])) * self.scale)
        present = code >= 0
        both = _pairs(np.sort(code[present]))
        own = sum(
            _pairs(np.sort(code[present & (self.sets == number)])) for number in np.unique(self.sets).tolist()
        )
        return float((both - own) * self.scale)


def _twins(table: Table) -> NDArray[np.bool_]:
    """bool[n]: the records that are plainly of one entity with one before them.

    Plainly are two whose equal values tell more than their different ones, and more than the number of records: a
    value tells the logarithm of how seldom two records have the same by chance.
    """
    twins = np.zeros(len(table), bool)
    codes = [column.codes for column in table.columns]
    pairs = [np.zeros(0, np.int64)]
    for code in codes:
        order = np.argsort(code, kind="stable")
        ordered = code[order]
        sizes = np.bincount(code)[ordered]
        few = (ordered > 0) & (sizes <= _FEW)
        order, ordered = order[few], ordered[few]
        for step in range(1, _FEW):
            same = ordered[:-step] == ordered[step:]
            if not same.any():
                break
            # A stable order: the earlier record comes first.
            pairs.append(order[:-step][same] * len(table) + order[step:][same])
    distinct = np.unique(np.concatenate(pairs))
    i, j = distinct // len(table), distinct % len(table)
    equal, different = np.zeros(len(i)), np.zeros(len(i))
    for column, code in zip(table.columns, codes, strict=True):
        tells = -math.log(column.field.chance)
        one, two = code[i], code[j]
        same = one == two
        equal += tells * (same & (one > 0))
        different += tells * (~same & (one > 0) & (two > 0))
    plain = (equal > different) & (equal > math.log(max(field.records for field in table.fields)))
    if table.two_sets:
        plain &= table.sets[i] != table.sets[j]
    twins[j[plain]] = True
    return twins


def _pairs(ordered: NDArray[np.int64]) -> int:
    """Pairs of equal numbers."""
    if not len(ordered):
        return 0
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1], [True])))
    sizes = np.diff(starts)
    return int((sizes * (sizes - 1) // 2).sum())


def _virtual_pairs(sample: _Sample, known: KnownPairs | None, rng: np.random.Generator) -> NDArray[np.bool_]:
    """bool[parts, pairs]: what pairs of one entity may agree in, the virtual pairs first, then the known ones.

    Of a virtual pair each field by itself does as the field of a known pair, drawn at random, or by the prior.
    """
    parts = sample.parts
    pairs = known.agreements(parts) if known is not None else np.zeros((len(parts), 0), bool)
    count = pairs.shape[1]
    agree = np.zeros((len(parts), _VIRTUAL), bool)
    damage = 2 ** (rng.random(_VIRTUAL) * 2 * _DAMAGE - _DAMAGE)
    for number, field in enumerate(sample.table.fields):
        by_known = rng.random(_VIRTUAL) < count / (count + _PRIOR_PAIRS)
        drawn = rng.integers(0, max(count, 1), (2, _VIRTUAL))
        luck = rng.random(_VIRTUAL) ** (1 / damage)
        present = rng.random(_VIRTUAL) < field.coverage
        if field.coverage >= 0.5:
            present &= rng.random(_VIRTUAL) >= _ONE_MISSES
        for k, part in enumerate(parts):
            if part.field != number:
                continue
            has = sample.coverage[k] / field.coverage
            by_prior = present & (luck < PREDICATES[part.predicate].prior) & (rng.random(_VIRTUAL) < has)
            if count:
                # What is known was found by keys, and is less damaged than what was not.
                as_known = pairs[k][drawn[0]] & (pairs[k][drawn[1]] | (damage < 1))
                agree[k] = np.where(by_known, as_known, by_prior)
            else:
                agree[k] = by_prior
    return np.concatenate([agree, pairs], axis=1)


def _affordable(
    sample: _Sample, agree: NDArray[np.bool_], weights: NDArray[np.float64], most: float
) -> dict[tuple[int, ...], float]:
    """Keys of one to three parts, by the numbers of the parts, that cost no more than `most`, with their costs.

    None holds another: what costs little enough already is not made more selective.
    """
    affordable: dict[tuple[int, ...], float] = {}
    for number in range(len(sample.parts)):
        cost = sample.cost((number,))
        if cost <= most:
            affordable[number,] = cost
    share = agree @ weights / _WHOLE
    useful = sorted(np.flatnonzero(share > 0.05).tolist(), key=lambda k: (-share[k], k))[:_MOST_PARTS]
    open_parts = [k for k in useful if (k,) not in affordable]
    large = []
    for one, two in combinations(open_parts, 2):
        if sample.parts[one].field == sample.parts[two].field:
            continue
        found = float(weights[agree[one] & agree[two]].sum()) / _WHOLE
        if found < 0.05:
            continue
        pair = (min(one, two), max(one, two))
        cost = sample.cost(pair)
        if cost <= most:
            affordable[pair] = cost
        else:
            large.append((found, pair))
    large.sort(key=lambda each: (-each[0], each[1]))
    for _, pair in large[:_MOST_PAIRS]:
        fields = {sample.parts[k].field for k in pair}
        for third in open_parts:
            triple = tuple(sorted((*pair, third)))
            if sample.parts[third].field in fields or triple in affordable:
                continue
            if any(each in affordable for each in combinations(triple, 2)):
                continue
            cost = sample.cost(triple)
            if cost <= most:
                affordable[triple] = cost
    return affordable


def _chosen(
    sample: _Sample,
    affordable: dict[tuple[int, ...], float],
    agree: NDArray[np.bool_],
    weights: NDArray[np.float64],
    budget: float,
) -> Keys:
    keys = sorted(affordable)
    refinements = _refinements(sample)
    if not keys:
        return Keys((), refinements, 0.0, 0.0)
    finds = np.array([np.logical_and.reduce(agree[list(key)]) for key in keys])
    costs = np.array([affordable[key] for key in keys])
    found = np.zeros(agree.shape[1], np.int64)
    chosen: list[int] = []
    total = 0.0
    worth = _WORTH[np.minimum(found, 3)] * weights
    # Whole numbers, so that it does not matter in which order they are summed, or when.
    summed = finds @ worth
    while len(chosen) < MOST_KEYS:
        gains = summed / (_WORTH[0] * _WHOLE)
        gains[chosen] = 0
        rates = np.where(costs + total > budget, 0, gains / (costs + _OVERHEAD))
        best = int(np.argmax(rates))
        if rates[best] <= 0 or gains[best] < _LEAST_GAIN:
            break
        chosen.append(best)
        total += float(costs[best])
        found += finds[best]
        now = _WORTH[np.minimum(found, 3)] * weights
        changed = np.flatnonzero(now != worth)
        summed += finds[:, changed] @ (now - worth)[changed]
        worth = now
    return Keys(
        tuple(Key(tuple(sample.parts[k] for k in keys[each])) for each in chosen),
        refinements,
        round(float(weights[found > 0].sum() / weights.sum()), 6),
        round(total, 6),
    )


def _refinements(sample: _Sample) -> tuple[Part, ...]:
    """The parts that split most finely."""
    order = sorted(range(len(sample.parts)), key=lambda k: (-sample.distinct[k], k))
    return tuple(sample.parts[k] for k in order if sample.parts[k].predicate in _REFINING)[:_MOST_REFINEMENTS]
