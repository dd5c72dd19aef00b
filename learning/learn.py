"""Learning: from counts, a sample of records and candidate pairs, and labels if there are any, a model.

First how often matches agree is found by EM, without labels. Labels then move what each field counts, as far as they
have reason to. Last the model teaches itself: a regression on finer evidence than levels learns to tell what the
model holds for matches from what it holds for strangers, so that evidence that goes along with what is known counts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from pehchan.distance import libm
from pehchan.learning import em, lookalikes, regression
from pehchan.learning.comparison import COMPARISONS
from pehchan.learning.em import Estimate
from pehchan.learning.evidence import Evidence
from pehchan.learning.fields import LearntField
from pehchan.learning.keys import Keys
from pehchan.learning.labelled import LabelledPairs
from pehchan.learning.labels import MATCH
from pehchan.learning.lookalikes import Lookalikes
from pehchan.learning.model import LOOKALIKE, Model, features, rounded, rounded_all
from pehchan.learning.patterns import Floats, Patterns, Positions
from pehchan.learning.profile import Profile
from pehchan.learning.strangers import Strangers
from pehchan.learning.table import Table
from pehchan.learning.telling import findings, warnings
from pehchan.learning.threshold import best_of_each, link_threshold, one_to_one

#: So likely a label is wrong.
WRONG = 0.03
#: How far labels are expected to move a coefficient from 1, and the intercept.
SPREAD, INTERCEPT_SPREAD = 0.3, 1.5
#: With labels of one answer alone the coefficients move so much less. The intercept then stays: such labels do not
#: say where matches begin, however many they are.
ONE_SIDED = 0.5
#: How far they are expected to move what lookalikes take away: whether they are matches cannot be known without.
LOOKALIKE_SPREAD = 1.0
#: When the model teaches itself a label counts as so many pairs at the least, and as such a share of them. Of links
#: less: what labels say of single pairs, and what competition makes of these, are two things.
LABEL, SHARE_OF_LABEL, SHARE_OF_LINK_LABEL = 3.0, 0.02, 0.002
#: A feature varies at least so much.
LEAST_SPREAD = 1e-4
#: Of random pairs such a share are matches that what strangers are like is told apart from them, and so often.
MANY, REFITS = 0.02, 5
#: Pairs from which the model teaches itself, and how often it does. Links compete more each time, until what labels
#: say of single pairs no longer fits: with labels they are taught once.
TAUGHT, TEACHINGS, TEACHINGS_OF_LABELLED_LINKS = 40_000, 2, 1


@dataclass(frozen=True)
class Pairs:
    """Pairs of records of a table.

    table      of the records
    i, j       int64[n], rows; where there are two sets, of either
    inclusion  how likely it was that a candidate pair is among these, for each or for all, in (0, 1]
    """

    table: Table
    i: Positions
    j: Positions
    inclusion: Floats | float = 1.0

    def __len__(self) -> int:
        return len(self.i)

    def in_order(self) -> "Pairs":
        """The same in an order that their own does not decide: records and pairs by the hashes of the records."""
        order = self.table.sample(len(self.table))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        table = self.table.take(order)
        i, j = place[self.i], place[self.j]
        low, high = np.minimum(i, j), np.maximum(i, j)
        if table.two_sets:
            swap = table.sets[low] > table.sets[high]
            low, high = np.where(swap, high, low), np.where(swap, low, high)
        by = np.lexsort((high, low))
        inclusion = np.broadcast_to(np.asarray(self.inclusion, dtype=np.float64), len(low))[by]
        return Pairs(table, low[by], high[by], inclusion)


def learn(
    profile: Profile,
    strangers: Strangers,
    pairs: Pairs,
    keys: Keys,
    labels: LabelledPairs | None = None,
    within: Pairs | None = None,
    clean: Sequence[int] = (0, 1),
) -> Model:
    """The model of the records that a profile counts.

    strangers  how often they agree
    pairs      candidate pairs that `keys` find, all or a share of them
    labels     what people said
    within     of two sets, candidate pairs within one of them, for where links begin
    clean      of two sets, those without duplicates: 0 the first, 1 the second
    """
    pairs = pairs.in_order()
    sizes = [profile.records[number] for number in sorted(profile.records)]
    two = len(sizes) == 2
    clean = tuple(sorted(clean)) if two else ()
    all_pairs = float(sizes[0]) * sizes[1] if two else sum(sizes) * (sum(sizes) - 1) / 2
    evidence = Evidence.of(pairs.table, pairs.i, pairs.j)
    estimate, looks = _estimate(strangers, pairs, evidence, sizes, max(all_pairs, 1.0), clean)
    labels = labels.settled() if labels is not None and pairs.table.fields else None
    if labels is not None and not len(labels):
        labels = None
    taught = len(pairs) > 0 and len(pairs.table.fields) > 1 and (bool(clean) or _fewer(labels) > 0)
    # What words have in common takes long to find, and only a taught model makes use of it.
    made = features(pairs.table, pairs.i, pairs.j, evidence, estimate, looks, None if taught else {})
    labelled = None
    if labels is not None:
        of_labels = Evidence.of(labels.table, labels.i, labels.j)
        labelled = features(labels.table, labels.i, labels.j, of_labels, estimate, looks)
    # Of links it is the threshold that says so.
    begins = not clean and estimate.share * all_pairs > 1
    coefficients, intercept = _by_labels(evidence, estimate, looks, labelled, labels, begins)
    scores = _sum(made, coefficients, intercept, len(pairs))
    believed = None
    if labelled is not None and labels is not None:
        # A label against what the model is sure of is more likely wrong than right.
        said = np.where(labels.labels == MATCH, 1.0, -1.0) * math.log((1 - WRONG) / WRONG)
        believed = expit(_sum(labelled, coefficients, intercept, len(labels)) + said)
    teachings = TEACHINGS_OF_LABELLED_LINKS if clean and labelled is not None else TEACHINGS
    for _ in range(teachings if taught else 0):
        coefficients, intercept = _self_taught(pairs, made, scores, clean, labelled, believed)
        scores = _sum(made, coefficients, intercept, len(pairs))
    model = Model(
        tuple(pairs.table.fields),
        keys,
        estimate,
        looks,
        coefficients,
        intercept,
        0.0,
        clean,
        {
            "records": sum(sizes),
            "candidate pairs": len(pairs),
            "of all candidate pairs": rounded(
                len(pairs) / max(float((1 / np.asarray(pairs.inclusion, dtype=np.float64)).sum()), 1.0)
            )
            if len(pairs)
            else 1.0,
            "labels": 0 if labels is None else len(labels),
        },
    )
    if clean and len(pairs):
        model = replace(model, threshold=_link_threshold(model, pairs, scores, within, sizes))
    model = replace(model, findings=tuple(findings(model, scores - model.threshold, pairs.inclusion)))
    of_labels_scores = None
    if labelled is not None and labels is not None:
        of_labels_scores = _sum(labelled, coefficients, intercept, len(labels)) - model.threshold
    return replace(
        model,
        warnings=tuple(warnings(model, scores - model.threshold, pairs.inclusion, labels, of_labels_scores)),
    )


def _estimate(
    strangers: Strangers,
    pairs: Pairs,
    evidence: Evidence,
    sizes: list[int],
    all_pairs: float,
    clean: Sequence[int],
) -> tuple[Estimate, Lookalikes | None]:
    fields, u = pairs.table.fields, strangers.u
    comparisons = [COMPARISONS[each.kind] for each in fields]
    usual = [em.usual(each.levels, graded=each.graded) for each in comparisons]
    patterns = Patterns.of(evidence.levels, pairs.inclusion)
    looks = None
    if clean:
        # Of the records of a set that holds duplicates each has a partner of its own.
        links = min(sizes) if len(clean) == 2 else sizes[1 - clean[0]]
        estimate = em.fit_links(patterns, _single(pairs, clean), u, usual, all_pairs, links, pairs.inclusion)
    else:
        estimate = em.fit(patterns, u, usual, all_pairs)
        random = strangers.patterns
        for _ in range(REFITS):
            matches = em.sigmoid(estimate.log_odds(random.levels)) * random.counts
            share = min(float(matches.sum()) / max(float(random.counts.sum()), 1.0), em.MOST_MATCHES)
            if share < MANY:
                break
            # Candidates are not all pairs that match, where most do.
            estimate = em.fit(patterns, strangers.without(matches), usual, all_pairs)
            estimate = replace(estimate, share=max(share, estimate.share))
        # Where nearly all match, what differs from most of them is no class beside strangers.
        few = estimate.share < em.MOST_MATCHES
        found = lookalikes.find(patterns, estimate, all_pairs) if few else None
        if found is not None and lookalikes.contested(patterns, estimate, *found) > lookalikes.CONTESTED:
            estimate, looks = found
            looks = Lookalikes(rounded_all(looks.m), rounded(looks.share), looks.fields)
    if len(fields) == 1:
        # Nothing else tells how alike the values of different things are, so that only equal ones speak for a match.
        (m,), (each,) = estimate.m, u
        differ = each[:-1] / each[:-1].sum() * (1 - m[-1])
        estimate = Estimate([np.append(differ, m[-1])], u, estimate.share)
    return Estimate(rounded_all(estimate.m), rounded_all(estimate.u), rounded(estimate.share)), looks


def _single(pairs: Pairs, clean: Sequence[int]) -> list[Positions]:
    """Of each pair the records that have one partner at most: the other set is without duplicates."""
    return [end for number, end in enumerate((pairs.i, pairs.j)) if 1 - number in clean]


def weighed(
    fields: Sequence[LearntField], estimate: Estimate, looks: Lookalikes | None
) -> tuple[list[str], regression.Prior]:
    """The features that labels give weights to, and what is believed of these before there are any."""
    names = [f"{each.name}: weight" for each in fields]
    means, spreads = [1.0] * len(names), [SPREAD] * len(names)
    if looks is not None:
        names.append(LOOKALIKE)
        means.append(1.0 if looks.sure else 0.0)
        spreads.append(LOOKALIKE_SPREAD)
    return names, regression.Prior(
        np.array(means), np.array(spreads), estimate.prior_log_odds, INTERCEPT_SPREAD
    )


def moved_less(prior: regression.Prior, fewer: int) -> regression.Prior:
    """What is believed where the estimate says where matches begin, and the rarer answer has so many labels."""
    return replace(
        prior,
        spreads=prior.spreads * (1.0 if fewer else ONE_SIDED),
        intercept_spread=prior.intercept_spread * max(math.sqrt(fewer / (fewer + 1)), 0.01),
    )


def _by_labels(
    evidence: Evidence,
    estimate: Estimate,
    looks: Lookalikes | None,
    labelled: dict[str, Floats] | None,
    labels: LabelledPairs | None,
    begins: bool,
) -> tuple[dict[str, float], float]:
    """What the weights of the fields count: 1 each, and with labels what these make of it.

    begins  whether the estimate alone, which found matches, says where they begin
    """
    names, prior = weighed(evidence.fields, estimate, looks)
    if labelled is None or labels is None:
        counted = {name: mean for name, mean in zip(names, prior.means.tolist(), strict=True) if mean}
        base = estimate.prior_log_odds
        if len(evidence.fields) == 1:
            # Equal values match that fewer than about the root of the records have.
            base = -0.5 * math.log(max(evidence.fields[0].records, 1))
        return counted, rounded(base)
    examples = regression.Examples(
        _columns(labelled, names), (labels.labels == MATCH).astype(np.float64), np.ones(len(labels))
    )
    if begins:
        prior = moved_less(prior, _fewer(labels))
    coefficients, intercept = regression.fit(examples, prior, WRONG)
    return dict(zip(names, map(rounded, coefficients.tolist()), strict=True)), rounded(intercept)


def _fewer(labels: LabelledPairs | None) -> int:
    """How many labels there are of the answer that has fewer."""
    matches = 0 if labels is None else int((labels.labels == MATCH).sum())
    return 0 if labels is None else min(matches, len(labels) - matches)


def _self_taught(
    pairs: Pairs,
    made: dict[str, Floats],
    scores: Floats,
    clean: Sequence[int],
    labelled: dict[str, Floats] | None,
    believed: Floats | None,
) -> tuple[dict[str, float], float]:
    """Coefficients of all features, learnt from how likely the pairs are matches by these scores.

    believed  of the labelled pairs, how likely they are matches by their labels and all else
    """
    likely = expit(scores)
    if clean:
        likely = em.compete(libm.exp(np.clip(scores, -35.0, 35.0)), _single(pairs, clean))
    # Pairs are in the order of hashes, so every so many of them are a random sample.
    taken = np.arange(0, len(pairs), max(1, -(-len(pairs) // TAUGHT)))
    names = list(made)
    inputs, targets = _columns(made, names)[taken], likely[taken]
    weights = 1 / np.broadcast_to(np.asarray(pairs.inclusion, dtype=np.float64), len(pairs))[taken]
    weights = weights / weights.mean()
    if labelled is not None and believed is not None:
        inputs = np.concatenate([inputs, _columns(labelled, names)])
        targets = np.concatenate([targets, believed])
        share = SHARE_OF_LINK_LABEL if clean else SHARE_OF_LABEL
        weights = np.concatenate([weights, np.full(len(believed), max(LABEL, share * len(taken)))])
    centre, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    standard = np.asfortranarray((inputs - centre) / spread)
    count = len(names)
    prior = regression.Prior(np.full(count, 0.1), np.ones(count), -3.0, 10.0)
    found, base = regression.fit(regression.Examples(standard, targets, weights), prior, 0.002)
    # What is the same for all pairs has no say.
    found = np.where(spread > LEAST_SPREAD, found / spread, 0.0)
    learnt = {name: rounded(each) for name, each in zip(names, found.tolist(), strict=True) if each > 0}
    return learnt, rounded(base - float((centre * found).sum()))


def _link_threshold(
    model: Model, pairs: Pairs, scores: Floats, within: Pairs | None, sizes: list[int]
) -> float:
    inclusion = np.broadcast_to(np.asarray(pairs.inclusion, dtype=np.float64), len(pairs))
    shared = len(model.clean) == 1
    if shared:
        own_set = model.clean[0]
        linking, partners = sizes[1 - own_set], sizes[own_set]
        (single,) = _single(pairs, model.clean)
        _, links = best_of_each(single, scores)
    else:
        own_set = int(np.argmin(sizes))
        linking, partners = min(sizes), max(sizes)
        links = one_to_one(pairs.i, pairs.j, scores)
    strangers_scores, stranger_weights = np.zeros(0), np.zeros(0)
    if within is not None and len(within):
        within = within.in_order()
        own = within.table.sets[within.i] == sorted({*within.table.sets.tolist()})[own_set]
        i, j = within.i[own], within.j[own]
        own_inclusion = np.broadcast_to(np.asarray(within.inclusion, dtype=np.float64), len(within))[own]
        scored = np.tile(model.log_odds(within.table, i, j), 2)
        _, best = best_of_each(np.concatenate([i, j]), scored)
        strangers_scores, stranger_weights = scored[best], 1 / np.tile(own_inclusion, 2)[best]
    found = link_threshold(
        scores[links], strangers_scores, (linking, partners), 1 / inclusion[links], stranger_weights, shared
    )
    # Below the score that it is, so that no rounding leaves that link out.
    return 0.0 if found is None else (math.floor(found[0] * 1000) - 1) / 1000


def _sum(made: dict[str, Floats], coefficients: dict[str, float], intercept: float, pairs: int) -> Floats:
    total = np.full(pairs, intercept)
    for name, coefficient in coefficients.items():
        total += made[name] * coefficient
    return total


def _columns(made: dict[str, Floats], names: list[str]) -> Floats:
    return np.asfortranarray(np.stack([made[name] for name in names], axis=1))
