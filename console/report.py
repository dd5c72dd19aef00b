"""What a run did, gathered from its output for a report: aggregates and samples, whatever the number of records.

Pairs, clusters and records are read once each and never held. What lies beyond the cutoff an index never compared: it
is told by some records that are compared with each other, chosen by a hash of their ids.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pehchan.clustering.evaluation import ClusterMeasures, CutoffScores, Scores
from pehchan.console.clusters_shown import Doubt, members_of, most_doubtful
from pehchan.console.explaining import Explained, Why, all_distances, explain
from pehchan.console.output import read_plan, record_folders
from pehchan.console.report_pairs import SAMPLED as SAMPLED_PAIRS
from pehchan.console.report_pairs import Near, PairsSeen, look_at_pairs
from pehchan.console.report_records import FieldSeen, RecordsSeen, look_at_records
from pehchan.distance.arrays import Positions
from pehchan.learning.odds import CUTOFF, SCALE
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Record
from pehchan.mrjobs.exporting import log_odds_steps
from pehchan.mrjobs.places import Place
from pehchan.mrjobs.planner import pairs_within
from pehchan.mrjobs.wire import Identity

#: Clusters that are shown, and records of each of them.
CLUSTERS, RECORDS_OF_A_CLUSTER = 8, 12

#: Pairs beyond the cutoff that are shown.
BEYOND_SHOWN = 5

#: Other cutoffs that are told about, as shares of the one in force; of a model, log odds above the threshold.
CUTOFFS, LOG_ODDS = (0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5), (4.0, 2.0, 1.0, 0.0, -1.0, -2.0, -4.0)

#: Parts into which the distances of a field are divided.
BINS = 10


@dataclass(frozen=True)
class Beyond:
    """Some records of a run that were compared with each other.

    records    how many; whole: they are all that there are
    pairs      of them that may meet by their sets and partitions
    times      so many pairs of all records stand behind each of them
    distances  how many of these pairs there are at each distance, ascending
    cut        pairs that a threshold of a field cuts, whatever the others say
    nearest    those nearest to the cutoff, of those beyond it
    """

    records: int
    whole: bool
    pairs: int
    times: float
    distances: Mapping[int, int]
    cut: int
    nearest: Sequence[Near]


@dataclass(frozen=True)
class FieldOfPairs:
    """The distances of a field in some pairs.

    counts   int64[BINS]: distances in [0, 1] in as many equal parts, 1 in the last
    missing  pairs in which a value is missing
    mean     of the others; None where there are none
    """

    counts: NDArray[np.int64]
    missing: int
    mean: float | None

    @classmethod
    def of(cls, apart: NDArray[np.float64]) -> "FieldOfPairs":
        """Of these distances, NaN where a value is missing."""
        there = apart[~np.isnan(apart)]
        parts = np.minimum((there * BINS).astype(np.int64), BINS - 1)
        mean = float(there.mean()) if len(there) else None
        return cls(np.bincount(parts, minlength=BINS), len(apart) - len(there), mean)


@dataclass(frozen=True)
class ShownPair:
    """A pair near the cutoff, side by side.

    sampled  it was never kept: it is one of the sample
    """

    near: Near
    values: tuple[Sequence[str], Sequence[str]]
    why: Why
    refused: bool
    sampled: bool


@dataclass(frozen=True)
class ShownCluster:
    """A doubtful cluster with some of its records and their values."""

    doubt: Doubt
    records: Sequence[tuple[Identity, Sequence[str]]]


@dataclass(frozen=True)
class Cut:
    """What another cutoff would keep.

    pairs  at or under it; about, where not exact
    found  how many of those beyond the cutoff are of the sample; None where none need be
    """

    cutoff: int
    pairs: int
    exact: bool
    found: int | None = None


@dataclass(frozen=True)
class Truth:
    """How good it is, where the truth is known."""

    scores: Mapping[str, Scores]
    measures: ClusterMeasures | None
    curve: Sequence[CutoffScores]


@dataclass(frozen=True)
class Report:
    """All that a report shows, but how.

    run       run.json
    cutoff    of the clusters
    sizes     clusters by their number of records, from 2 on
    sparse    clusters of which not all pairs are under the cutoff
    accepted  by field, of pairs at or under the cutoff; refused: of the nearest beyond it
    """

    run: Mapping[str, Any]
    plan: Plan
    cutoff: int
    records: RecordsSeen
    pairs: PairsSeen
    beyond: Beyond
    cuts: Sequence[Cut]
    accepted: Sequence[FieldOfPairs]
    refused: Sequence[FieldOfPairs]
    refused_pairs: int
    sizes: Mapping[int, int]
    sparse: int
    shown_pairs: Sequence[ShownPair]
    shown_clusters: Sequence[ShownCluster]
    truth: Truth | None = None
    fields: Sequence[FieldSeen] = field(default_factory=tuple)


@dataclass(frozen=True)
class Output:
    """The folder of a run, its plan, and where in it the settled records lie.

    Whoever made it knows; to look costs seconds where it is not on this machine.
    """

    folder: Place
    plan: Plan
    records: Sequence[Place]


def look_at_output(out: Place, run: Mapping[str, Any]) -> Output:
    """The output of an earlier run. Raises MistakesError where it holds no pairs, records and clusters."""
    plan = read_plan(out)
    records = record_folders(out, plan)
    has_all = records and run["cluster_cutoff"] is not None and (out / "internal" / "pairs").exists()
    if plan is None or not has_all:
        mistakes = Mistakes()
        mistakes.add(
            str(out), "holds not all that a report shows.", "Name an output of dedupe, link or match."
        )
        raise MistakesError(mistakes.found)
    return Output(out, plan, records)


def gather(output: Output, run: Mapping[str, Any], truth: Truth | None = None) -> Report:
    """All that a report shows of an output, of which this is run.json."""
    out, plan = output.folder, output.plan
    cutoff = int(run["cluster_cutoff"])
    pairs = look_at_pairs(out, cutoff)
    worst, sizes, sparse = most_doubtful(out, CLUSTERS)
    members = members_of(out, {doubt.cluster for doubt in worst}, RECORDS_OF_A_CLUSTER)
    kept = [*pairs.sample, *pairs.farthest, *pairs.refused]
    records = look_at_records(
        output.records,
        plan,
        {*chain.from_iterable(members.values()), *chain.from_iterable((a, b) for a, b, _ in kept)},
    )
    beyond, others = _beyond(plan, records, cutoff)
    values = dict(records.values)
    values |= {(record.set, record.id): record.items for record in records.sample}
    together = {pair[:2] for pair in kept}
    nearest = [near for near in beyond.nearest if near[:2] not in together][:BEYOND_SHOWN]
    explained = _Explained(plan, values, [*kept, *nearest, *others])
    shown = [(near, False, False) for near in pairs.farthest]
    shown += [(near, True, False) for near in pairs.refused]
    shown += [(near, True, True) for near in nearest]
    refused = others or pairs.refused
    return Report(
        run,
        plan,
        cutoff,
        records,
        pairs,
        beyond,
        _cuts(plan, cutoff, pairs, beyond),
        explained.fields(pairs.sample),
        explained.fields(refused),
        len(refused),
        sizes,
        sparse,
        [
            ShownPair(near, (values[near[0]], values[near[1]]), explained.why(near), *kind)
            for near, *kind in shown
        ],
        [
            ShownCluster(doubt, [(record, values[record]) for record in members[doubt.cluster]])
            for doubt in worst
        ],
        truth,
        records.fields,
    )


class _Explained:
    """Pairs that are explained all at once."""

    def __init__(self, plan: Plan, values: Mapping[Identity, Sequence[str]], pairs: Sequence[Near]):
        pairs = list(dict.fromkeys(pairs))
        records = sorted({record for first, second, _ in pairs for record in (first, second)})
        number = {record: k for k, record in enumerate(records)}
        i, j = (np.array([number[pair[side]] for pair in pairs], dtype=np.int64) for side in (0, 1))
        self._place = {pair: k for k, pair in enumerate(pairs)}
        self._found: Explained = explain(plan, [values[record] for record in records], i, j)

    def fields(self, pairs: Sequence[Near]) -> list[FieldOfPairs]:
        """By field, how far some of them are apart."""
        places = np.array([self._place[pair] for pair in pairs], dtype=np.int64)
        return [FieldOfPairs.of(apart[places]) for apart in self._found.distances]

    def why(self, pair: Near) -> Why:
        """Of one of them."""
        return self._found.why(self._place[pair])


def _beyond(plan: Plan, records: RecordsSeen, cutoff: int) -> tuple[Beyond, list[Near]]:
    """What some records that are compared with each other say; and those of their pairs that are refused, the nearest
    first.
    """
    sample = sorted(records.sample, key=lambda record: (record.set, record.id))
    fields = len(plan.schema.fields)
    i, j, apart = all_distances(plan, [[record.items[k] for record in sample] for k in range(fields)])
    meet = _meet(plan, sample, i, j)
    i, j, apart = i[meet], j[meet], apart[meet]
    there = apart >= 0
    counts = np.unique(apart[there], return_counts=True)
    behind = np.flatnonzero(apart > max(cutoff, plan.cutoff))
    behind = behind[np.argsort(apart[behind], kind="stable")][:SAMPLED_PAIRS]

    def identity(place: int) -> Identity:
        return sample[place].set, sample[place].id

    others = [(identity(int(i[k])), identity(int(j[k])), int(apart[k])) for k in behind.tolist()]
    of_sample = Counter(record.set for record in sample)
    whole = len(sample) == records.number
    meeting = pairs_within(plan, of_sample)
    times = 1.0 if whole or not meeting else pairs_within(plan, records.by_set) / meeting
    told = dict(zip(counts[0].tolist(), counts[1].tolist(), strict=True))
    cut = len(i) - int(np.count_nonzero(there))
    return Beyond(len(sample), whole, len(i), times, told, cut, others[: 2 * BEYOND_SHOWN]), others


def _meet(plan: Plan, sample: Sequence[Record], i: Positions, j: Positions) -> NDArray[np.bool_]:
    """Which pairs of some records may meet by their sets and partitions."""
    fit = np.ones(len(i), dtype=bool)
    if plan.sets != ("",):
        sets = _codes([record.set for record in sample])
        fit &= sets[i] != sets[j]
    if plan.schema.partition_ordinal is not None:
        partitions = _codes([record.items[-1] for record in sample])
        fit &= partitions[i] == partitions[j]
    return fit


def _codes(values: Sequence[str]) -> NDArray[np.int64]:
    code: dict[str, int] = {}
    return np.array([code.setdefault(value, len(code)) for value in values], dtype=np.int64)


def _cuts(plan: Plan, cutoff: int, pairs: PairsSeen, beyond: Beyond) -> list[Cut]:
    """What a little more or less would keep."""
    largest, levels = plan.settings.scale, [round(cutoff * share) for share in CUTOFFS]
    if plan.model is not None:
        steps = log_odds_steps(plan)
        largest, levels = SCALE, [round(CUTOFF - odds * steps) for odds in LOG_ODDS]
    kept = _under(pairs.distances)
    sampled = _under(beyond.distances)
    cuts = []
    for level in sorted({min(level, largest) for level in levels}):
        if level <= plan.cutoff:
            cuts.append(Cut(level, kept(level), exact=True))
            continue
        found = sampled(level) - sampled(plan.cutoff)
        cuts.append(Cut(level, kept(level) + round(found * beyond.times), beyond.whole, found))
    return cuts


def _under(counts: Mapping[int, int]) -> Callable[[int], int]:
    """How many are at or under a distance."""
    at = np.array(list(counts), dtype=np.int64)
    summed = np.cumsum([0, *counts.values()])
    return lambda level: int(summed[np.searchsorted(at, level, "right")])
