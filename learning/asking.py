"""The pairs of a model to ask people about next."""

import numpy as np

from pehchan.learning.evidence import Evidence
from pehchan.learning.labelled import LabelledPairs
from pehchan.learning.learn import Pairs
from pehchan.learning.model import Model
from pehchan.learning.patterns import Positions
from pehchan.learning.questions import AT_A_TIME, draws, questions


def to_ask(
    model: Model, pairs: Pairs, labels: LabelledPairs | None = None, number: int = AT_A_TIME, seed: int = 0
) -> Positions:
    """Positions among the pairs, the most telling first; none that has a label already.

    seed  another one draws other random pairs
    """
    table, i, j = pairs.table, pairs.i, pairs.j
    evidence = Evidence.of(table, i, j)
    asked = np.zeros(len(i), dtype=bool)
    if labels is not None and len(labels):
        known = draws(labels.table.record_hashes, labels.i, labels.j)
        asked = np.isin(draws(table.record_hashes, i, j), known)
    contrast = None
    # Five of each class tell what lookalikes are; after the first round all questions are for what is unsure.
    if model.lookalikes is not None and int(asked.sum()) < AT_A_TIME:
        contrast = model.lookalikes.contrast(evidence.levels, model.estimate)
    return questions(
        model.log_odds(table, i, j) - model.threshold,
        evidence.levels,
        draws(table.record_hashes, i, j, seed),
        asked,
        contrast,
        number,
    )
