"""How good a result is, measured against truth: precision, recall and F1 of pairs and of clusters."""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2, sqrt

from pehchan.clustering.truth import Pair, RecordKey, Truth, implied_pairs, ordered

#: Sizes of clusters, and cutoffs of a curve, that are shown.
SIZES_SHOWN, CURVE_SHOWN = 10, 12


@dataclass(frozen=True)
class Scores:
    """How much of what was predicted is true, and how much of what is true was predicted.

    Where nothing was predicted the precision is 0, where nothing is true the recall, and where one of them
    is 0 the F1. `unknown` counts records of the truth that the result does not have, None where the
    result does not say which records it has; their pairs count as missed.
    """

    true_positive: int
    predicted: int
    actual: int
    unknown: int | None = None

    @property
    def precision(self) -> float:
        return _share(self.true_positive, self.predicted)

    @property
    def recall(self) -> float:
        return _share(self.true_positive, self.actual)

    @property
    def f1(self) -> float:
        return _share(2 * self.true_positive, self.predicted + self.actual)

    def to_dict(self) -> dict[str, int | float | None]:
        """All of it, for JSON."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "true_positive": self.true_positive,
            "predicted": self.predicted,
            "actual": self.actual,
            "unknown": self.unknown,
        }


def wilson_interval(part: int, whole: int) -> tuple[float, float]:
    """Between what a share lies with 95% confidence, of which a sample has so many of so many.

    E. B. Wilson, "Probable inference", 1927: within 0 and 1, also where the sample is small or all of it agrees.
    """
    z, share = 1.959964, _share(part, whole)
    middle = share + z * z / (2 * whole)
    half = z * sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    return max(0.0, (middle - half) / (1 + z * z / whole)), min(1.0, (middle + half) / (1 + z * z / whole))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def pair_scores(
    predicted_pairs: Iterable[Pair], truth: Truth, records: Collection[RecordKey] | None = None
) -> Scores:
    """Scores of pairs, in any order and each counted once; `records` are all that the result has.

    A record with itself is no pair, and where sets are linked neither are two records of one set.
    """
    predicted = {ordered(a, b) for a, b in predicted_pairs if a != b and not (truth.across and a[0] == b[0])}
    found = sum(truth.holds(a, b) for a, b in predicted)
    unknown = None if records is None else _unknown(set(records), truth)
    return Scores(found, len(predicted), truth.pairs, unknown)


def cluster_pair_scores(clusters: Mapping[RecordKey, Hashable], truth: Truth) -> Scores:
    """Scores of the pairs that are together in a cluster, counted without listing them."""
    return Scores(
        truth.pairs_inside(clusters),
        implied_pairs(clusters, truth.across),
        truth.pairs,
        _unknown(clusters, truth),
    )


def known_pair_scores(clusters: Mapping[RecordKey, Hashable], truth: Truth) -> Scores:
    """Scores of the pairs that are together in a cluster, of which the truth, told by pairs, knows something."""
    found = truth.pairs_inside(clusters)
    wrong = sum(a in clusters and clusters[a] == clusters.get(b) for a, b in truth.apart or ())
    return Scores(found, found + wrong, truth.pairs, _unknown(clusters, truth))


def exact_cluster_scores(clusters: Mapping[RecordKey, Hashable], truth: Truth) -> Scores:
    """Scores of whole clusters, of two records or more: right is one with exactly the true records."""
    predicted = _members(clusters)
    actual = _members(truth.clusters)
    return Scores(len(predicted & actual), len(predicted), len(actual), _unknown(clusters, truth))


@dataclass(frozen=True)
class ClusterMeasures:
    """How far clusters are from the true ones, over all records of both; one that a side lacks stands alone there.

    precision    mean over the records: the share of those in its cluster, itself included, that truly belong to it
    recall       mean over the records: the share of those that truly belong to it that are in its cluster
                 (B-cubed; A. Bagga and B. Baldwin, "Entity-based cross-document coreferencing", 1998)
    information  variation of information in bits, 0 where the clusters are the true ones (M. Meila, "Comparing
                 clusterings by the variation of information", 2003)
    sizes        size -> how many clusters of it there are, and how many true ones
    """

    precision: float
    recall: float
    information: float
    sizes: Mapping[int, tuple[int, int]]

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.precision * self.recall / (self.precision + self.recall) if self.precision else 0.0

    def to_dict(self) -> dict[str, object]:
        """All of it, for JSON."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "variation_of_information": self.information,
            "sizes": [[size, *counts] for size, counts in self.sizes.items()],
        }


def cluster_measures(clusters: Mapping[RecordKey, Hashable], truth: Truth) -> ClusterMeasures:
    """How far the clusters are from those of the truth."""
    both = [
        (clusters.get(record, ("alone", record)), truth.clusters.get(record, ("alone", record)))
        for record in {**clusters, **truth.clusters}
    ]
    found, true, shared = Counter(each for each, _ in both), Counter(each for _, each in both), Counter(both)
    precision = recall = information = 0.0
    # In a defined order, as the last digits of a sum depend on it.
    for (cluster, own), count in sorted(
        ((found[cluster], true[own]), count) for (cluster, own), count in shared.items()
    ):
        precision += count * count / cluster
        recall += count * count / own
        information -= count * (log2(count / cluster) + log2(count / own))
    sizes, true_sizes = Counter(found.values()), Counter(true.values())
    number = max(1, len(both))
    return ClusterMeasures(
        precision / number,
        recall / number,
        information / number,
        {size: (sizes[size], true_sizes[size]) for size in sorted(sizes | true_sizes)},
    )


@dataclass(frozen=True)
class CutoffScores:
    """Scores of the pairs at or under a cutoff."""

    cutoff: int
    scores: Scores


def curve(pairs: Iterable[tuple[Pair, int]], truth: Truth) -> list[CutoffScores]:
    """Scores of the pairs at or under each distance that occurs, ascending.

    Of a pair that is there several times the smallest distance counts.
    """
    nearest: dict[Pair, int] = {}
    for (a, b), distance in pairs:
        if a != b and not (truth.across and a[0] == b[0]):
            pair = ordered(a, b)
            nearest[pair] = min(distance, nearest.get(pair, distance))
    predicted = Counter(nearest.values())
    right = Counter(distance for (a, b), distance in nearest.items() if truth.holds(a, b))
    found, so_far, points = 0, 0, []
    for distance in sorted(predicted):
        found += right[distance]
        so_far += predicted[distance]
        points.append(CutoffScores(distance, Scores(found, so_far, truth.pairs)))
    return points


def best_cutoff(points: Sequence[CutoffScores]) -> CutoffScores | None:
    """The smallest cutoff of the largest F1; None where there are no pairs."""
    return max(points, key=lambda point: (point.scores.f1, -point.cutoff), default=None)


def format_sizes(measures: ClusterMeasures) -> str:
    """How many clusters there are of a size, and how many true ones; of many sizes the large ones together."""
    lines = [f"{'size':>9}  {'clusters':>9}  {'true':>9}"]
    listed = list(measures.sizes.items())
    lines += [f"{size:>9}  {found:>9}  {true:>9}" for size, (found, true) in listed[:SIZES_SHOWN]]
    if rest := listed[SIZES_SHOWN:]:
        found, true = (sum(counts[side] for _, counts in rest) for side in (0, 1))
        lines.append(f"{f'to {rest[-1][0]}':>9}  {found:>9}  {true:>9}")
    return "\n".join(lines) + "\n"


def format_curve(points: Sequence[CutoffScores]) -> str:
    """Some of the cutoffs, and the best of all."""
    best = best_cutoff(points)
    if best is None:
        return ""
    some = {points[len(points) * k // CURVE_SHOWN].cutoff for k in range(CURVE_SHOWN)}
    some |= {points[-1].cutoff, best.cutoff}
    lines = ["   cutoff  precision     recall         f1"]
    for point in points:
        if point.cutoff in some:
            of_point = (point.scores.precision, point.scores.recall, point.scores.f1)
            mark = "  best" if point is best else ""
            lines.append(f"{point.cutoff:>9}" + "".join(f"  {share:9.4f}" for share in of_point) + mark)
    return "\n".join(lines) + "\n"


def format_scores(scores: Mapping[str, Scores], measures: ClusterMeasures | None = None) -> str:
    """A table with a line for every score, by its name, one for the measures, and what is to be known about them."""
    names = [*scores, *([] if measures is None else ["b-cubed"])]
    width = max(map(len, names), default=0)
    heads = ("precision", "recall", "f1", "right", "predicted", "true")
    lines = [" " * width + "".join(f"  {head:>9}" for head in heads)]
    for name, score in scores.items():
        shares = "".join(f"  {share:9.4f}" for share in (score.precision, score.recall, score.f1))
        counts = "".join(f"  {n:>9}" for n in (score.true_positive, score.predicted, score.actual))
        lines.append(f"{name:<{width}}{shares}{counts}")
    if measures is not None:
        of_records = (measures.precision, measures.recall, measures.f1)
        lines.append(f"{'b-cubed':<{width}}" + "".join(f"  {share:9.4f}" for share in of_records))
        lines.append(f"variation of information: {measures.information:.4f} bits")
    unknown = max([score.unknown or 0 for score in scores.values()], default=0)
    if unknown:
        some = "1 record" if unknown == 1 else f"{unknown} records"
        lines.append(f"{some} of the truth not in the result: the pairs count as missed.")
    return "\n".join(lines) + "\n"


def _unknown(records: Collection[RecordKey], truth: Truth) -> int:
    return sum(record not in records for record in truth.clusters)


def _members(clusters: Mapping[RecordKey, Hashable]) -> set[frozenset[RecordKey]]:
    groups: dict[Hashable, list[RecordKey]] = defaultdict(list)
    for record, cluster in clusters.items():
        groups[cluster].append(record)
    return {frozenset(group) for group in groups.values() if len(group) > 1}
