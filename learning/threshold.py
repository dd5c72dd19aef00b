"""Where matches begin when two sets without duplicates are linked.

Pairs of two records of ONE of the sets are certain strangers. How often the best of them reaches a score says how
often a record without a partner gets a wrong one from the other set, which is as large.
"""

import numpy as np

from pehchan.learning.patterns import Floats, Positions

#: Of the repetition that finds how many links are wrong.
ROUNDS = 200


def one_to_one(first: Positions, second: Positions, scores: Floats, least: float = -np.inf) -> Positions:
    """The pairs that link records one to one, the best first; of equal ones that of the smaller records.

    first, second  int64[n], the records of either set
    least          no pair with a smaller score is taken
    """
    order = np.lexsort((second, first, -scores))
    taken_first: set[int] = set()
    taken_second: set[int] = set()
    found = []
    for place, a, b, score in zip(
        order.tolist(), first[order].tolist(), second[order].tolist(), scores[order].tolist(), strict=True
    ):
        if score < least:
            break
        if a not in taken_first and b not in taken_second:
            taken_first.add(a)
            taken_second.add(b)
            found.append(place)
    return np.array(found, dtype=np.int64)


def best_of_each(records: Positions, scores: Floats) -> tuple[Positions, Positions]:
    """Each record once, and the place of its best pair; of equally good ones the first."""
    order = np.lexsort((np.arange(len(records)), -scores, records))
    first = np.ones(len(order), dtype=bool)
    first[1:] = records[order][1:] != records[order][:-1]
    return records[order][first], order[first]


def link_threshold(
    linked: Floats,
    strangers: Floats,
    sizes: tuple[int, int],
    linked_weights: Floats | None = None,
    stranger_weights: Floats | None = None,
    shared: bool = False,
) -> tuple[float, float] | None:
    """The score from which links are taken, and the F1 that is expected of them; None where there are no links.

    linked     scores of the one-to-one links, in any order
    strangers  for records of the smaller set, the score of the best pair with another record of that set; those
               without any such pair are left out
    sizes      how many records the smaller set has, and the larger
    weights    what each of the scores counts where only a share of the pairs was compared
    shared     whether only one of the sets is without duplicates, so that its records may have several partners:
               then linked is the best pair of each record of the other set, strangers are of the set without
               duplicates, and sizes those of the other set and of that one

    Let q be the share of records whose best stranger, among the n records of their set, reaches t. Of N links at
    least as good as t so many are wrong as records without a right link find a partner among those of the larger
    set, of m records, that have none: wrong = (n - right) (1 - (1 - q)^((m - right) / n)), with right = N - wrong,
    of which the smallest solution is found by repetition. Where partners are shared, all m are open to each of the n:
    wrong = (n - right) q. Taken is the t of the largest 2 right / (N + all matches), where all matches are the most
    that are right for any t.
    """
    if not len(linked):
        return None
    order = np.argsort(-linked, kind="stable")
    scores = linked[order]
    weights = np.ones(len(scores)) if linked_weights is None else linked_weights[order]
    size, other = sizes
    own = other if shared else size
    found = np.minimum(np.cumsum(weights), size)
    worst = np.argsort(-strangers, kind="stable")
    counts = np.ones(len(worst)) if stranger_weights is None else stranger_weights[worst]
    reached = np.concatenate([[0.0], np.cumsum(counts)])
    q = np.minimum(reached[np.searchsorted(-strangers[worst], -scores, side="right")] / own, 1 - 1e-9)
    rate = np.log1p(-q) / own
    wrong = np.zeros(len(found))
    for _ in range(ROUNDS):
        right = found - wrong
        wrong = np.minimum(found, (size - right) * -np.expm1(rate * (own if shared else other - right)))
    # Both q and the wrong links are counts that vary by chance: one standard deviation more is reckoned with.
    wrong = np.minimum(found, wrong + np.sqrt(wrong + 2 * wrong**2 / np.maximum(q * own, 1.0)))
    wrong = np.maximum.accumulate(wrong)
    right = found - wrong
    f1 = 2 * right / (found + max(float(right.max()), 1e-9))
    # Links of one score are taken together.
    last = np.append(scores[1:] != scores[:-1], True)
    best = int(np.argmax(np.where(last, f1, -1.0)))
    if right[best] < 1:
        # Chance finds as many.
        return float(scores[0]) + 1.0, 0.0
    return float(scores[best]), float(f1[best])
