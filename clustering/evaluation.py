"""How good a result is, measured against truth: precision, recall and F1 of pairs and of clusters."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

from pehchan.clustering.truth import Pair, RecordKey, Truth, implied_pairs, ordered


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


def exact_cluster_scores(clusters: Mapping[RecordKey, Hashable], truth: Truth) -> Scores:
    """Scores of whole clusters, of two records or more: right is one with exactly the true records."""
    predicted = _members(clusters)
    actual = _members(truth.clusters)
    return Scores(len(predicted & actual), len(predicted), len(actual), _unknown(clusters, truth))


def format_scores(scores: Mapping[str, Scores]) -> str:
    """A table with a line for every score, by its name, and what is to be known about it."""
    width = max([len(name) for name in scores], default=0)
    heads = ("precision", "recall", "f1", "right", "predicted", "true")
    lines = [" " * width + "".join(f"  {head:>9}" for head in heads)]
    for name, score in scores.items():
        shares = "".join(f"  {share:9.4f}" for share in (score.precision, score.recall, score.f1))
        counts = "".join(f"  {n:>9}" for n in (score.true_positive, score.predicted, score.actual))
        lines.append(f"{name:<{width}}{shares}{counts}")
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
