"""Which fields find the pairs of two blocks for least, and up to which limits: told from some of their records."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pehchan.distance.arrays import Positions, some_of
from pehchan.distance.cascade import Cascade
from pehchan.distance.columns import Block, Column, pairs_between
from pehchan.distance.curves import largest_raw
from pehchan.distance.index import Index
from pehchan.distance.measure import Distances, Prepared
from pehchan.distance.near import Near, near_values
from pehchan.distance.near_pairs import NearPairs, variance

#: Parts in which the sum is allotted to the fields.
PARTS = 24

#: A little more than rounding can take from what is allotted.
MARGIN = 1 + 1e-9

#: Microseconds, about: a pair of records of a sample, by one field; and a pair that was found, besides its measures.
A_SAMPLED_PAIR, A_CANDIDATE = 0.05, 0.5

#: Bytes of a pair of values that was found.
CANDIDATE_BYTES = 32

#: Values from which it is told what it costs to look all of them up. A length that few of them have may cost much.
COSTED = 5000

#: Indexes that cost up to so many times as much as the cheapest may be it: their pairs are looked at among more
#: records. So often others may then be the first.
MAY_BE_CHEAPEST, CLOSER_TIMES = 1.25, 3

#: Microseconds, about, that this may take; more for an index that takes long itself: a share.
CLOSER, CLOSER_SHARE = 500_000.0, 0.02

#: The least times as many records that are worth it.
WORTH_A_CLOSER_LOOK = 2.0


class Choice:
    """Chooses an index of two blocks by a sample of their records.

    sample  records of each block that are looked at
    more    blocks from which those two are drawn, to look closer at what may be chosen
    """

    def __init__(
        self,
        cascade: Cascade,
        rows: Block,
        columns: Block,
        sample: int,
        more: tuple[Block, Block] | None = None,
    ):
        self._cascade, self._rows, self._columns, self._more = cascade, rows, columns, more
        self._sampled = [some_of(len(block), sample) for block in _sides(rows, columns)]
        self._loose = loose(cascade, *(more or (rows, columns)))
        self._samples: dict[int, _Sample] = {}
        #: Microseconds that are left for a closer look.
        self._left: float | None = None
        self._near: dict[tuple[int, float], Near] = {}

    def cheapest(self, times: float, pairs: float, at_most: float, room: float) -> list[Index]:
        """Indexes of so many times as many records, the cheapest first.

        pairs    of these records that meet
        at_most  microseconds that they may cost
        room     bytes that they may hold
        """
        self._times, self._at_most, self._room, self._all_pairs = times, at_most, room, pairs
        found = self._found()
        if found and self._left is None:
            self._left = max(CLOSER, CLOSER_SHARE * found[0].cost)
        for _ in range(CLOSER_TIMES if self._more else 0):
            if not self._look_closer(found):
                break
            found = self._found()
        return [replace(index, error=self._error(index)) for index in found]

    def _found(self) -> list[Index]:
        self._nothing = Index({}, self._all_pairs, loose=frozenset(self._loose))
        self._offers: dict[tuple[int, float], Index | None] = {}
        by_limits = {tuple(sorted(index.limits.items())): index for index in self._possible()}
        return sorted(
            (index for index in by_limits.values() if index.cost < self._at_most),
            key=lambda index: index.cost,
        )

    def _possible(self) -> Iterator[Index]:
        cascade = self._cascade
        fields, total = cascade.fields, cascade.largest_total
        # A field that may not count takes its part of what the others may add up to with it.
        loose = self._loose
        firm = [number for number in range(len(fields)) if number not in loose]
        for number in firm:
            if (offer := self._alone(number)) is not None:
                yield offer
        besides = 1.0 if cascade.score.id_counted else 0.0
        # Two records of which nothing but the id counts are 0 apart, and have no values.
        if not (total < np.inf and (firm or not besides)) or (loose and cascade.score.exponent < 1):
            return
        weights = [field.weight for field in fields]
        counted = sum(weights) + besides
        needed = self._nothing
        for number in loose:
            offer = self._offer(number, self._limit(number, weights[number] / counted))
            if offer is None:
                return
            needed = needed + offer
        if not firm:
            yield needed
            return
        share = (sum(weights[number] for number in firm) + besides) / counted
        for left_out in (None, *firm):
            rest = [number for number in firm if number != left_out]
            if (several := self._shared_out(rest, share)) is not None:
                yield needed + several

    def _shared_out(self, numbers: Sequence[int], share: float) -> Index | None:
        """A share of the sum allotted to fields so that it costs least: a knapsack of PARTS."""
        best: dict[int, Index] = {0: self._nothing}
        for number in numbers:
            offers: list[tuple[int, Index]] = []
            for parts in range(1, PARTS + 1):
                offer = self._offer(number, self._limit(number, share * parts / PARTS))
                if offer is None:
                    break
                offers.append((parts, offer))
            better = dict(best)
            for parts, index in best.items():
                for more, offer in offers:
                    allotted, together = min(PARTS, parts + more), index + offer
                    if allotted not in better or together.cost < better[allotted].cost:
                        better[allotted] = together
            best = better
        return best.get(PARTS)

    def _alone(self, number: int) -> Index | None:
        """The pairs within what the field allows by itself."""
        return self._offer(number, self._cascade.limits[number])

    def _limit(self, number: int, part: float) -> float:
        """The raw distance above which a field's share is more than a part of the sum."""
        field, score = self._cascade.fields[number], self._cascade.score
        share = part * self._cascade.largest_total / field.weight * MARGIN
        return min(largest_raw(field.curve, score.effective_of(share)) * MARGIN, self._cascade.limits[number])

    def _offer(self, number: int, limit: float) -> Index | None:
        """What it costs to find the pairs within a limit of a field; None where that cannot be, or costs too much."""
        if (number, limit) not in self._offers:
            self._offers[number, limit] = self._looked_up(number, limit)
        return self._offers[number, limit]

    def _looked_up(self, number: int, limit: float) -> Index | None:
        measure = self._cascade.measures[number]
        if not limit < 1 or not measure.symmetric:
            return None
        if number not in self._samples:
            self._samples[number] = self._sample(number)
        sampled = self._samples[number]
        near, times = self._near_values(number, limit, self._times)
        candidates = sampled.share(limit) * self._all_pairs
        held = max(near.held * times, CANDIDATE_BYTES * candidates)
        each = A_CANDIDATE + self._cascade.measures[self._cascade.order[0]].listed_cost
        cost = near.each * times + near.each_two * times**2 + candidates * each
        if held > self._room or cost > self._at_most:
            return None
        return replace(
            self._nothing,
            limits={number: limit},
            candidates=candidates,
            costs={number: cost},
            signatures=near.signatures * times,
            held=held,
        )

    def _near_values(self, number: int, limit: float, times: float) -> tuple[Near, float]:
        """What it costs to look up a few values of a field, and how many times as many so many more records have."""
        sampled = self._samples[number]
        more = sampled.times_in(times)
        if (number, limit) not in self._near:
            cost = self._cascade.measures[number].cost
            self._near[number, limit] = near_values(sampled.few, sampled.count, cost, limit, more)
        return self._near[number, limit], more

    def _sample(self, number: int) -> "_Sample":
        """The values of a field that records of the sample have."""
        measure = self._cascade.measures[number]
        sides = [block.columns[number] for block in _sides(self._rows, self._columns)]
        whole = sides[0]
        texts, codes = _values_of(sides, self._sampled)
        near = NearPairs.by_matrix(measure.prepare(texts), len(texts), codes, self._cascade.limits[number])
        known, times, growth = whole, 1.0, 1.0
        if self._more and self._times_more > 1 and whole.present:
            known, times = self._more[0].columns[number], self._times_more
            growth = min(1.0, math.log(known.present / whole.present) / math.log(times))
        # The same ones in whatever order the records came.
        in_order = sorted(known.values[: known.present])
        few = [in_order[place] for place in some_of(len(in_order), COSTED)]
        values_in_sample = known.present / times**growth
        return _Sample(measure.prepare(few), len(few), values_in_sample / max(1, len(few)), growth, [near])

    @property
    def _times_more(self) -> float:
        """How many times as many records there are to look closer at."""
        assert self._more
        of_more, of_ours = _sides(*self._more), _sides(self._rows, self._columns)
        return sum(map(len, of_more)) / max(1, sum(map(len, of_ours)))

    def _look_closer(self, indexes: Sequence[Index]) -> bool:
        """Look among more records for the pairs of those that may be the cheapest; whether there was anything new."""
        assert self._more
        wanted: dict[int, float] = {}
        for index in indexes:
            if index.cost > MAY_BE_CHEAPEST * indexes[0].cost:
                break
            for number, limit in index.limits.items():
                if limit > self._samples[number].told:
                    wanted[number] = max(limit, wanted.get(number, 0.0))
        for place, (number, limit) in enumerate(sorted(wanted.items())):
            sampled = self._samples[number]
            sampled.told = limit
            near, times = self._near_values(number, limit, self._times_more)
            candidates = sampled.share(limit) * pairs_between(*self._more)
            cost = near.each * times + near.each_two * times**2 + candidates * A_CANDIDATE
            assert self._left is not None
            may_cost = self._left / (len(wanted) - place)
            share = min(1.0, may_cost / max(1.0, cost))
            if share * self._times_more < WORTH_A_CLOSER_LOOK:
                continue
            self._left -= share * cost
            sides = _sides(*self._more)
            some = [some_of(len(side), math.ceil(len(side) * share)) for side in sides]
            texts, codes = _values_of([side.columns[number] for side in sides], some)
            measure = self._cascade.measures[number]
            closer = NearPairs.by_index(measure, measure.prepare(texts), len(texts), codes, limit)
            sampled.near[1:] = [closer]
        return bool(wanted)

    def _error(self, index: Index) -> float:
        """Standard error of the candidates of an index."""
        drawn: dict[tuple[int, ...], list[list[Distances]]] = defaultdict(list)
        for number, limit in index.limits.items():
            near = self._samples[number].near_up_to(limit)
            drawn[tuple(map(len, near.sides))].append(near.degrees(limit))
        records = [self._times * len(side) for side in _sides(self._rows, self._columns)]
        found = 0.0
        for sizes, of_fields in drawn.items():
            # Those of several fields are of the same records.
            degrees = [np.sum(of_side, axis=0) for of_side in zip(*of_fields, strict=True)]
            every = sizes[0] * sizes[1] if len(sizes) == 2 else sizes[0] * (sizes[0] - 1) / 2
            found += variance(degrees, records) / max(1.0, every) ** 2
        return math.sqrt(found) * self._all_pairs


def loose(cascade: Cascade, rows: Block, columns: Block) -> list[int]:
    """The fields that do not count where a value is missing, which is so in some of the records."""
    return [
        number
        for number, field in enumerate(cascade.fields)
        if field.missing == "skip"
        and (rows.columns[number].missing.any() or columns.columns[number].missing.any())
    ]


def _sides(rows: Block, columns: Block) -> list[Block]:
    """A block whose records meet each other, or two."""
    return [rows] if rows is columns else [rows, columns]


def _values_of(columns: Sequence[Column], some: Sequence[Positions]) -> tuple[list[str], list[Positions]]:
    """The values that some of the records of one or two columns have, and the number of each; the last is missing."""
    codes = [column.codes[chosen] for column, chosen in zip(columns, some, strict=True)]
    known = np.unique(np.concatenate(codes))
    known = known[known < columns[0].present]
    texts = [columns[0].values[code] for code in known.tolist()]
    return texts, [
        np.where(each < columns[0].present, np.searchsorted(known, each), len(known)) for each in codes
    ]


@dataclass
class _Sample:
    """What some records tell of a field.

    few, count  some values, as read, and their number
    times       all values of the sample are so many times as many
    growth      power of the number of records with which the number of values grows
    near        the values of the sample that are near each other, and maybe those of more records, up to a limit
    told        the limit up to which more records were asked for
    """

    few: Prepared
    count: int
    times: float
    growth: float
    near: list[NearPairs]
    told: float = -1.0

    def times_in(self, times: float) -> float:
        """How many times as many as the few the values of so many times as many records are."""
        return self.times * times**self.growth

    def near_up_to(self, limit: float) -> NearPairs:
        """What tells most of a limit."""
        return self.near[-1] if limit <= self.near[-1].limit else self.near[0]

    def share(self, limit: float) -> float:
        """The share of the pairs of records whose values are there, and within a limit."""
        nearest = self.near_up_to(limit)
        if nearest is self.near[-1]:
            return nearest.share(limit)
        # Beyond what more records tell.
        closer = self.near[-1]
        return closer.share(closer.limit) + nearest.share(limit) - nearest.share(closer.limit)
