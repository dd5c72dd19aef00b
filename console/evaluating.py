"""The output of a run against the truth."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from itertools import islice

import numpy as np

from pehchan.clustering.evaluation import (
    ClusterMeasures,
    CutoffScores,
    Scores,
    best_cutoff,
    cluster_measures,
    cluster_pair_scores,
    curve,
    exact_cluster_scores,
    known_pair_scores,
    pair_scores,
)
from pehchan.clustering.truth import ClusterTruth, Pair, ordered, read_truth
from pehchan.console.clusters_shown import clustered, items_of, side_by_side
from pehchan.console.output import read_plan, read_run, tagged_lines
from pehchan.distance.record import RecordDistance
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.places import Place
from pehchan.mrjobs.wire import PAIRS, Identity, Pairs


class Evaluation:
    """How good what a run found is: all of it that lies in files is read once.

    Where the truth is `partial`, only records that it has in a cluster count, or of pairs only those that it names
    and what follows from them. Raises MistakesError where `out` or the truth cannot be used.
    """

    def __init__(self, out: Place, truth_path: str, partial: bool = False):
        self._out, self._cutoff = out, read_run(out)["cluster_cutoff"]
        self._plan = read_plan(out)
        sets = self._plan.sets if self._plan is not None else ()
        self._truth = read_truth(truth_path, sets=sets if len(sets) > 1 else ())
        self._clusters = clusters(out)
        #: None where the run holds no pairs.
        self._kept = list(kept_pairs(out)) if (out / "internal" / "pairs").exists() else None
        #: Whether pairs are all that is known, so that whole clusters cannot be told.
        self._of_pairs = partial and not (isinstance(self._truth, ClusterTruth) and self._truth.apart is None)
        if partial:
            covers = self._truth.covers
            if self._kept is not None:
                self._kept = [(pair, distance) for pair, distance in self._kept if covers(*pair)]
            if not self._of_pairs:
                known = self._truth.clusters
                self._clusters = {
                    record: cluster for record, cluster in self._clusters.items() if record in known
                }

    @property
    def scores(self) -> dict[str, Scores]:
        """By name, of pairs and clusters."""
        found: dict[str, Scores] = {}
        truth, of_record = self._truth, self._clusters
        if self._kept is not None:
            pairs = (pair for pair, distance in self._kept if self._within(distance))
            found["pairs at or under the cutoff"] = pair_scores(pairs, truth, of_record or None)
        if of_record and self._of_pairs:
            found["pairs within clusters"] = known_pair_scores(of_record, truth)
        elif of_record:
            found["pairs within clusters"] = cluster_pair_scores(of_record, truth)
            found["whole clusters"] = exact_cluster_scores(of_record, truth)
        return found

    @property
    def measures(self) -> ClusterMeasures | None:
        """Of the clusters; None where the run made none, or only pairs are known."""
        if not self._clusters or self._of_pairs:
            return None
        return cluster_measures(self._clusters, self._truth)

    @property
    def curve(self) -> list[CutoffScores]:
        """Of the pairs that were kept, by cutoff; none where none were."""
        return curve(self._kept or (), self._truth)

    def _within(self, distance: int) -> bool:
        return self._cutoff is None or distance <= self._cutoff

    def to_dict(self) -> dict[str, object]:
        """All of it, for JSON."""
        data: dict[str, object] = {name: score.to_dict() for name, score in self.scores.items()}
        if (measures := self.measures) is not None:
            data["b-cubed"] = measures.to_dict()
        points = self.curve
        if best := best_cutoff(points):
            data["best cutoff"] = {"cutoff": best.cutoff, **best.scores.to_dict()}
            data["curve"] = [{"cutoff": point.cutoff, **point.scores.to_dict()} for point in points]
        return data

    def errors_text(self, number: int) -> str:
        """Some of the pairs that are wrongly together, and of those that are missed, with what each field says.

        Of both those first that were kept, the nearest before the others: of the wrong ones these look most alike.
        """
        truth, of_record = self._truth, self._clusters
        kept = {ordered(a, b): distance for (a, b), distance in self._kept or ()}

        def together(pair: Pair) -> bool:
            a, b = pair
            if of_record:
                return a in of_record and of_record[a] == of_record.get(b)
            return pair in kept and self._within(kept[pair])

        def is_wrong(pair: Pair) -> bool:
            across = truth.across and pair[0][0] == pair[1][0]
            unknown = self._of_pairs and not truth.covers(*pair)
            return together(pair) and not truth.holds(*pair) and not across and not unknown

        within = ClusterTruth(of_record, truth.across).each_pair()
        wrong = _first(
            number,
            kept,
            filter(is_wrong, kept),
            (pair for pair in within if pair not in kept and is_wrong(pair)),
        )
        missed = _first(
            number,
            kept,
            (pair for pair in kept if truth.holds(*pair) and not together(pair)),
            (pair for pair in truth.each_pair() if pair not in kept and not together(pair)),
        )
        told = _Told(self._out, self._plan, [*wrong, *missed])
        texts = [told.text(f"wrong: {told.apart(pair, kept)}", pair) for pair in wrong]
        for pair in missed:
            why = "in two clusters"
            if pair not in kept:
                why = told.why_not_kept(pair)
            elif not self._within(kept[pair]):
                why = f"beyond the cutoff of {self._cutoff}"
            texts.append(told.text(f"missed: {told.apart(pair, kept)}, {why}", pair))
        return "\n".join(texts) if texts else "No pair is wrong, and none is missed.\n"


def _first(
    number: int, kept: Mapping[Pair, int], those: Iterable[Pair], others: Iterable[Pair]
) -> list[Pair]:
    """Of kept pairs the nearest, and where they are too few some of the others."""
    nearest = nsmallest(number, those, key=lambda pair: (kept[pair], pair))
    return [*nearest, *islice(others, number - len(nearest))]


class _Told:
    """What a run knows of some pairs: the values of their records, and how far apart these are."""

    def __init__(self, out: Place, plan: Plan | None, pairs: Sequence[Pair]):
        self._plan = plan
        self._names, self._items = items_of(out, plan, {record for pair in pairs for record in pair})
        self._by_field: dict[Pair, str] = {}
        self._distances: dict[Pair, int] = {}
        known = [pair for pair in pairs if pair[0] in self._items and pair[1] in self._items]
        if plan is not None and known:
            self._measure(plan, known)

    def _measure(self, plan: Plan, pairs: Sequence[Pair]) -> None:
        records = sorted({record for pair in pairs for record in pair})
        place = {record: number for number, record in enumerate(records)}
        settings = plan.settings
        distance = RecordDistance(plan.schema, settings.scale, settings.scale, settings.compat, "tiles")
        columns = zip(*(self._items[record] for record in records), strict=True)
        block = distance.block(columns, np.arange(len(records)))
        i, j = (np.array([place[pair[side]] for pair in pairs], dtype=np.int64) for side in (0, 1))
        by_field = distance.by_field(block, i, j)
        for k, pair in enumerate(pairs):
            self._by_field[pair] = ", ".join(
                f"{field.name} {'missing' if missing[k] else format(raw[k], '.3f')}"
                for field, (raw, missing) in zip(plan.schema.fields, by_field, strict=True)
            )
        for found in distance.listed(block, [(i, j)]):
            for a, b, apart in zip(found.rows, found.columns, found.distances, strict=True):
                self._distances[records[a], records[b]] = int(apart)

    def apart(self, pair: Pair, kept: Mapping[Pair, int]) -> str:
        """How far apart a pair is."""
        distance = kept.get(pair, self._distances.get(pair))
        return "at an unknown distance" if distance is None else f"{distance} apart"

    def why_not_kept(self, pair: Pair) -> str:
        """Why a true pair is none that the run kept."""
        if pair not in self._by_field or self._plan is None:
            return "not kept"
        distance = self._distances.get(pair)
        if distance is None:
            return "a field beyond its threshold"
        if distance > self._plan.cutoff:
            return f"beyond the {self._plan.cutoff} up to which pairs were kept"
        return "never compared"

    def text(self, title: str, pair: Pair) -> str:
        """The two records side by side."""
        if pair in self._by_field:
            title += f"; {self._by_field[pair]}"
        return side_by_side(title, self._names, pair, self._items, self._plan)


def kept_pairs(out: Place) -> Iterator[tuple[Pair, int]]:
    """The pairs that a run kept, and their distances."""
    for tag, payload in tagged_lines([out / "internal" / "pairs"]):
        if tag == PAIRS:
            for pair in Pairs.decode(payload):
                yield (pair.first, pair.second), pair.distance


def clusters(out: Place) -> dict[Identity, Identity]:
    """The cluster of every record of a run; none where it made no clusters."""
    return {record: cluster for cluster, record in clustered(out)}
