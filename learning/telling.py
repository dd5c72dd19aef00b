"""What a model says for people: what it found, what is not safe about it, and what to do."""

import math
from collections.abc import Sequence

import numpy as np

from pehchan.learning.em import sigmoid
from pehchan.learning.labelled import LabelledPairs
from pehchan.learning.labels import MATCH, NO_MATCH
from pehchan.learning.lookalikes import INFORMATIVE, information
from pehchan.learning.model import Model
from pehchan.learning.patterns import Floats

#: Of the matches at least so many are expected to be right, and of all so many to be found, where no warning is due.
SAFE = 0.95
#: Labels that are far from what the model says: beyond these log odds on the wrong side.
FAR = 3.0
#: The share of all pairs that match, from which on they hide what strangers are like.
MOST = 0.25
#: A warning is due where so many times as many pairs match as match among those that are compared.
FEW_COMPARED = 4
#: Of a column in which nearly all records are alike, the share of strangers whose values have nothing in common.
SELDOM_DIFFERENT = 0.1
#: Names and keys that are told, the best first.
SHOWN = 6
#: So many pairs people are asked to label.
ASK = 20


def expected(log_odds: Floats, inclusion: Floats | float = 1.0) -> tuple[float, float, float]:
    """What the model itself expects: how many matches there are among the pairs it takes for some, the share of these
    that is right, and the share of all matches that they are.
    """
    weight = 1.0 / np.broadcast_to(np.asarray(inclusion, dtype=np.float64), len(log_odds))
    likely = sigmoid(log_odds) * weight
    taken = log_odds > 0
    found, right = float(weight[taken].sum()), float(likely[taken].sum())
    return right, right / found if found else 1.0, right / max(float(likely.sum()), 1e-9)


def findings(model: Model, log_odds: Floats, inclusion: Floats | float) -> list[str]:
    """Which fields identify, which keys find candidates, and how many matches are expected."""
    said = information(model.estimate)
    order = sorted(range(len(said)), key=lambda field: (-said[field], field))
    identify = [model.fields[field].name for field in order if said[field] > INFORMATIVE]
    found = []
    if identify:
        found.append(f"What identifies, the most telling first: {_first(identify, ', ')}.")
    little = [model.fields[field].name for field in order if said[field] <= INFORMATIVE]
    if little:
        found.append(f"What says little: {_first(little, ', ')}.")
    if texts := model.keys.texts(model.fields):
        keys = f"one of {len(texts)} keys" if len(texts) > 1 else "a key"
        found.append(
            f"Records are compared that share {keys}, which {_percent(model.keys.recall)} of the matches are "
            f"expected to do: {_first(texts, '; ')}."
        )
    matches, right, all_found = expected(log_odds, inclusion)
    if not model.clean and matches >= 1:
        found.append(
            f"About {matches:,.0f} pairs match, by its own estimate: {_percent(right)} of those that it takes for "
            f"matches are right, and {_percent(all_found)} of those that are there are taken."
        )
    return found


def _first(names: Sequence[str], between: str) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - SHOWN
    # One more takes no more room than to say so.
    return between.join(names) if more <= 1 else between.join(names[:SHOWN]) + f" and {more} more"


def _percent(share: float) -> str:
    """Rounded down, as an estimate is never sure of all."""
    return f"{min(math.floor(share * 1000) / 10, 99.9):.1f} %"


def warnings(
    model: Model,
    log_odds: Floats,
    inclusion: Floats | float,
    labels: LabelledPairs | None,
    of_labels: Floats | None,
) -> list[str]:
    """What is not safe.

    log_odds   float64[n], of the candidates, less the threshold
    of_labels  float64[labels], the same of the labelled pairs
    """
    found = [*_of_data(model, log_odds, inclusion)]
    if labels is None:
        found += _without_labels(model, log_odds, inclusion)
    elif of_labels is not None:
        found += _of_labels(labels, of_labels)
    return found


def _of_data(model: Model, log_odds: Floats, inclusion: Floats | float) -> list[str]:
    records = int(model.learnt_from["records"])
    found = []
    if records < 2:
        return [
            f"There {'is one record' if records else 'are no records'}, and so no pair. Give more records."
        ]
    if not model.fields:
        return [
            "No column can tell records apart: all are empty, or have one value. No two are taken for a match, "
            "though all may be one thing. Give other columns."
        ]
    if len(model.fields) == 1:
        found.append(
            f"Only one column, {model.fields[0].name}, can tell records apart. Records that agree in it are taken "
            "for one thing, though they may be several. Add columns if there are any."
        )
    if not len(log_odds):
        found.append(
            "No two records have a key in common, so that none can match. If there should be matches, check that the "
            "columns of the sets mean the same."
        )
        return found
    matches, _, _ = expected(log_odds, inclusion)
    alike = [
        field.name for field, u in zip(model.fields, model.estimate.u, strict=True) if u[0] < SELDOM_DIFFERENT
    ]
    if matches < 1 and len(alike) >= len(model.fields) / 2:
        found.append(
            f"No pair looks like a match, but nearly all records are alike in {', '.join(alike)}. Nothing tells "
            f"whether they are all one thing or all different: label {ASK} pairs, or add columns that tell records "
            "apart."
        )
    elif matches < 1:
        found.append(
            "No pair looks like a match: there seem to be no duplicates. If there should be some, label a few of "
            "them as matches."
        )
    elif not model.clean and model.estimate.share > MOST and records > 4:
        found.append(
            "A large part of all pairs look like matches, so that little tells how strangers differ. If not nearly "
            f"all records are one thing, label {ASK} pairs, or add columns that tell records apart."
        )
    there = model.estimate.share * records * (records - 1) / 2
    if not model.clean and 1 <= matches < there / FEW_COMPARED:
        found.append(
            f"About {there:,.0f} pairs match, and hardly {matches:,.0f} of them share a key: things have so many "
            "records that not all of them meet, and may come apart into several clusters. Leave out records that are "
            "equal to others, or join some by must_link in a schema."
        )
    return found


def _without_labels(model: Model, log_odds: Floats, inclusion: Floats | float) -> list[str]:
    found = []
    if model.lookalikes is not None:
        names = ", ".join(model.fields[field].name for field in model.lookalikes.fields)
        taken = "different" if model.lookalikes.sure else "matches"
        found.append(
            f"There are pairs that agree as matches do, but not in {names}: they may be lookalikes, such as "
            f"members of a household or branches of a chain. They are taken for {taken}. Records alone cannot tell "
            f"lookalikes from one that moved or changed its name: label {ASK} pairs, five of each kind are among "
            "those asked about."
        )
    if len(log_odds) and not model.clean:
        matches, right, all_found = expected(log_odds, inclusion)
        if matches >= 1 and (right < SAFE or all_found < SAFE):
            found.append(
                f"The columns do not tell matches from strangers well: {right:.0%} of the pairs taken for "
                f"matches are expected to be right, and {all_found:.0%} of all to be found. "
                f"Label {ASK} pairs, or add columns."
            )
    said = information(model.estimate)
    identify = [each.name for each, much in zip(model.fields, said, strict=True) if much > 2 * INFORMATIVE]
    if len(identify) < 3 and len(model.fields) > 1:
        names = f" ({', '.join(identify)})" if identify else ""
        found.append(
            f"Few columns identify{names}, so that chance agreements may be taken for matches. Label {ASK} pairs, "
            "or add columns."
        )
    return found


def _of_labels(labels: LabelledPairs, of_labels: Floats) -> list[str]:
    found = []
    yes, no = int((labels.labels == MATCH).sum()), int((labels.labels == NO_MATCH).sum())
    if not yes or not no:
        only, lacking = ("matches", "that do not match") if yes else ("no matches", "that match")
        found.append(f"All {yes + no} labels are {only}. Label some pairs {lacking}: both sides are needed.")
    if both := labels.contradictions():
        found.append(
            f"{both} pairs are labelled as a match and as no match; both labels count. Keep one of them."
        )
    against = int((np.where(labels.labels == MATCH, of_labels, -of_labels) < -FAR).sum())
    if against:
        found.append(f"{against} of the {yes + no} labels are against what all else says. Please check them.")
    return found
