"""What a run found, or what is in a state, against the truth."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
from pehchan.console.clusters_shown import Values, clustered, compared_columns, items_of, side_by_side
from pehchan.console.output import read_plan, read_run, tagged_lines
from pehchan.distance.record import RecordDistance
from pehchan.identity.held import HeldRecords
from pehchan.identity.state import State, is_state, open_state
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.places import Place, place
from pehchan.mrjobs.wire import PAIRS, Identity, Pairs


@dataclass(frozen=True)
class _Found:
    """What is compared with the truth.

    cutoff    of the clusters; None where nobody knows it
    clusters  by record; empty where there are none
    kept      pairs with their distances; None where there are none
    items     of some records the names of their columns, and the values
    """

    plan: Plan | None
    cutoff: int | None
    clusters: Mapping[Identity, Identity]
    kept: Sequence[tuple[Pair, int]] | None
    items: Callable[[Collection[Identity]], tuple[list[str], Values]]


def _in_output(out: Place) -> _Found:
    run, plan = read_run(out), read_plan(out)
    clusters = {record: cluster for cluster, record in clustered(out)}
    kept = list(kept_pairs(out)) if (out / "internal" / "pairs").exists() else None
    if kept is None and not clusters:
        right = "Name an output of match, dedupe, link, similarity or cluster, or a state."
        raise MistakesError([Mistake(str(out), "holds no clusters and no pairs.", right)])
    return _Found(plan, run["cluster_cutoff"], clusters, kept, partial(items_of, out, plan))


def _in_state(state: State) -> _Found:
    plan, held = state.read_plan(), HeldRecords(state)
    entities = {("", record): ("", entity) for record, entity in held.members()}
    ids, columns = list(entities), compared_columns(plan)
    row_of = {record: row for row, record in enumerate(ids)}
    a, b, distances = (column.tolist() for column in held.pairs(state))
    kept = [(ordered(ids[i], ids[j]), distance) for i, j, distance in zip(a, b, distances, strict=True)]

    def items(wanted: Collection[Identity]) -> tuple[list[str], Values]:
        rows = np.array(sorted(row_of[record] for record in wanted if record in row_of), np.int64)
        values = {
            ("", each.id): [each.items[ordinal] for _, ordinal in columns] for each in held.records(rows)
        }
        return [name for name, _ in columns], values

    return _Found(plan, plan.cutoff, entities, kept, items)


class Evaluation:
    """How good what a run found is, or what is in a state: all of it that lies in files is read once.

    Where the truth is `partial`, only records that it has in a cluster count, or of pairs only those that it names
    and what follows from them. Raises MistakesError where `path` or the truth cannot be used.
    """

    def __init__(self, path: str, truth_path: str, partial: bool = False):
        found = _in_state(open_state(path)) if is_state(path) else _in_output(place(path))
        self._found, self._plan, self._cutoff = found, found.plan, found.cutoff
        sets = self._plan.sets if self._plan is not None else ()
        self._truth = read_truth(truth_path, sets=sets if len(sets) > 1 else ())
        self._clusters, self._kept = found.clusters, found.kept
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
        told = _Told(self._found, [*wrong, *missed])
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

    def __init__(self, found: _Found, pairs: Sequence[Pair]):
        self._plan = plan = found.plan
        self._names, self._items = found.items({record for pair in pairs for record in pair})
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
