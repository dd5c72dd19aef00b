"""How far labels move what a model makes of the pairs that are asked about, one label after the other.

When further labels move hardly anything, they say what is known, and it is time to learn, and to ask of other pairs.

Of the steps by which a model learns (pehchan.learning.learn) only the first is taken here, the weights that labels
give to the fields: it needs the labelled pairs, and how often the values of all records agree, which stands in the
model. What the model then teaches itself needs the records, and is left to learning.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pehchan.learning import regression
from pehchan.learning.evidence import Evidence
from pehchan.learning.labels import MATCH, NO_MATCH, UNSURE
from pehchan.learning.learn import WRONG, moved_less, weighed
from pehchan.learning.model import Model, features
from pehchan.learning.patterns import Floats
from pehchan.learning.table import Table
from pehchan.metadata.records import Record

#: Labels move hardly anything when the last so many of them moved the probabilities by less than so much, in the
#: mean; and there are so many of each answer at least.
LAST, SETTLED, OF_EACH = 10, 0.005, 5

RecordPair = tuple[Record, Record]


@dataclass(frozen=True)
class Weighing:
    """The evidence of pairs: those that are asked about, and behind them those that have a label.

    features  float64[asked + labelled, f]
    prior     what is believed before there are labels
    begins    whether the model knows without labels where matches begin
    asked     how many pairs are asked about
    answers   int64[labelled]: MATCH, NO_MATCH or UNSURE
    """

    features: Floats
    prior: regression.Prior
    begins: bool
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
            raise ValueError(f"the pairs have no column {', '.join(lacking) or 'that the model knows'}")
        records = [record for pair in [*asked, *labelled] for record in pair]
        places = [list(columns).index(each.name) for each in model.fields]
        values = [[record.items[place] for record in records] for place in places]
        table = Table.of(model.fields, values, [str(number) for number in range(len(records))])
        first = np.arange(0, len(records), 2, dtype=np.int64)
        evidence = Evidence.of(table, first, first + 1)
        made = features(table, first, first + 1, evidence, model.estimate, model.lookalikes, {})
        names, prior = weighed(model.fields, model.estimate, model.lookalikes)
        return cls(
            np.asfortranarray(np.stack([made[name] for name in names], axis=1)),
            prior,
            not model.clean,
            len(asked),
            np.array(answers, dtype=np.int64),
        )

    def probabilities(self, labels: int) -> Floats:
        """float64[asked]: of a match, by the first so many labels, in [0, 1]."""
        answers = self.answers[:labels]
        told = np.flatnonzero(answers != UNSURE)
        coefficients, intercept = self.prior.means, self.prior.intercept
        if len(told):
            matches = (answers[told] == MATCH).astype(np.float64)
            of_told = np.asfortranarray(self.features[self.asked + told])
            examples = regression.Examples(of_told, matches, np.ones(len(told)))
            coefficients, intercept = regression.fit(examples, self._prior(matches), WRONG)
        found: Floats = expit(regression.linear(self.features[: self.asked], coefficients, intercept))
        return found

    def _prior(self, matches: Floats) -> regression.Prior:
        """With labels of one answer alone less is moved, as when a model learns from them."""
        if not self.begins:
            return self.prior
        return moved_less(self.prior, int(min(matches.sum(), len(matches) - matches.sum())))


def movement(before: Floats, after: Floats) -> float:
    """The mean of how far probabilities moved, in [0, 1]; of none 0."""
    return float(np.abs(after - before).mean()) if len(before) else 0.0


def settled(moved: Sequence[float], answers: Sequence[int]) -> bool:
    """Whether further labels of such pairs would move hardly anything, given what the last ones moved."""
    enough = all(list(answers).count(answer) >= OF_EACH for answer in (MATCH, NO_MATCH))
    return enough and len(moved) >= LAST and sum(moved[-LAST:]) / LAST < SETTLED
