"""How far labels move what a model makes of the pairs that are asked about, one label after the other.

When further labels move nothing any more, they say what is known, and it is time to learn and to ask of other pairs.

Of the steps by which a model learns (pehchan.learning.learn) only the first is taken here, the weights that labels
give to the fields: it needs the labelled pairs and how often the values of all records agree, which stands in the
model. What the model then teaches itself needs the records, and is left to learning.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pehchan.learning import regression
from pehchan.learning.evidence import Evidence
from pehchan.learning.labels import MATCH, UNSURE
from pehchan.learning.learn import INTERCEPT_SPREAD, LOOKALIKE_SPREAD, SPREAD, WRONG
from pehchan.learning.model import LOOKALIKE, Model, features
from pehchan.learning.patterns import Floats
from pehchan.learning.table import Table
from pehchan.metadata.records import Record

RecordPair = tuple[Record, Record]


@dataclass(frozen=True)
class Weighing:
    """The evidence of pairs: those that are asked about, and behind them those that have a label.

    features  float64[asked + labelled, f]
    prior     what is believed before there are labels
    asked     how many pairs are asked about
    answers   int64[labelled]: MATCH, NO_MATCH or UNSURE
    """

    features: Floats
    prior: regression.Prior
    asked: int
    answers: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        model: Model,
        columns: Sequence[str],
        asked: Sequence[RecordPair],
        labelled: Sequence[RecordPair],
        answers: Sequence[int],
    ) -> "Weighing":
        """Of pairs whose records have these columns. Raises ValueError, for a person, where the model has others."""
        lacking = [each.name for each in model.fields if each.name not in columns]
        if lacking or not model.fields:
            raise ValueError(f"the pairs have no column {', '.join(lacking) or 'that it knows'}")
        records = [record for pair in [*asked, *labelled] for record in pair]
        places = [list(columns).index(each.name) for each in model.fields]
        values = [[record.items[place] for record in records] for place in places]
        table = Table.of(model.fields, values, [str(number) for number in range(len(records))])
        first = np.arange(0, len(records), 2, dtype=np.int64)
        evidence = Evidence.of(table, first, first + 1)
        made = features(table, first, first + 1, evidence, model.estimate, model.lookalikes, {})
        names = [f"{each.name}: weight" for each in model.fields]
        means, spreads = [1.0] * len(names), [SPREAD] * len(names)
        if model.lookalikes is not None:
            names.append(LOOKALIKE)
            means.append(1.0 if model.lookalikes.sure else 0.0)
            spreads.append(LOOKALIKE_SPREAD)
        prior = regression.Prior(
            np.array(means), np.array(spreads), model.estimate.prior_log_odds, INTERCEPT_SPREAD
        )
        columns_made = np.asfortranarray(np.stack([made[name] for name in names], axis=1))
        return cls(columns_made, prior, len(asked), np.array(answers, dtype=np.int64))

    def probabilities(self, labels: int) -> Floats:
        """float64[asked]: of a match, by the first so many labels, in [0, 1]."""
        answers = self.answers[:labels]
        told = np.flatnonzero(answers != UNSURE)
        coefficients, intercept = self.prior.means, self.prior.intercept
        if len(told):
            matches = (answers[told] == MATCH).astype(np.float64)
            examples = regression.Examples(
                np.asfortranarray(self.features[self.asked + told]), matches, np.ones(len(told))
            )
            fewer = min(matches.sum(), len(told) - matches.sum())
            # Answers of one kind do not say where the other begins.
            spread = INTERCEPT_SPREAD * max(math.sqrt(fewer / (fewer + 1)), 0.01)
            prior = regression.Prior(self.prior.means, self.prior.spreads, intercept, spread)
            coefficients, intercept = regression.fit(examples, prior, WRONG)
        log_odds = regression.linear(self.features[: self.asked], coefficients, intercept)
        found: Floats = expit(log_odds)
        return found

    def movements(self) -> list[float]:
        """For each label the mean, over all that is asked about, of how far it moved the probability, in [0, 1]."""
        found = [self.probabilities(labels) for labels in range(len(self.answers) + 1)]
        return [
            float(np.abs(after - before).mean()) if self.asked else 0.0 for before, after in pairwise(found)
        ]
