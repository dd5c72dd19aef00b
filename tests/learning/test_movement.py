"""How far labels move a model: the same as learning makes of them where it takes the same step."""

import numpy as np
import pytest
from people import NAMES, people

from pehchan.learning import learn
from pehchan.learning.em import sigmoid
from pehchan.learning.in_memory import RawLabels, learn_from
from pehchan.learning.labels import MATCH, NO_MATCH, UNSURE
from pehchan.learning.movement import LAST, SETTLED, Weighing, movement, settled
from pehchan.metadata.records import Record


@pytest.fixture(scope="module")
def known():
    columns, ids, pairs = people(400)
    records = [Record("", each, items) for each, items in zip(ids, zip(*columns, strict=True), strict=True)]
    model = learn_from(NAMES, columns, ids).model
    asked = [*pairs[:20], *((k, k + 7) for k in range(0, 60, 3))]
    return columns, ids, records, model, asked


def weighing(known, labelled, answers):
    _, _, records, model, asked = known
    of = [[(records[i], records[j]) for i, j in each] for each in (asked, labelled)]
    return Weighing.of(model, NAMES, *of, answers)


@pytest.mark.parametrize("answers", [[], [MATCH, NO_MATCH, MATCH, NO_MATCH, NO_MATCH], [NO_MATCH] * 4])
def test_it_is_the_first_step_of_learning(known, answers, monkeypatch):
    columns, ids, _, _, asked = known
    labelled = [*asked[:2], *asked[30:34]][: len(answers)]
    monkeypatch.setattr(learn, "TEACHINGS", 0)
    labels = RawLabels(columns, ids, *map(list, zip(*labelled, strict=True)), answers) if answers else None
    learnt = learn_from(NAMES, columns, ids, labels=labels)
    i, j = np.array(asked).T
    expected = sigmoid(learnt.model.log_odds(learnt.table, i, j))
    found = weighing(known, labelled, answers).probabilities(len(answers))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_unsure_moves_nothing_and_what_is_known_less_than_what_is_new(known):
    _, _, _, _, asked = known
    before = weighing(known, [], []).probabilities(0)
    matches = asked[int(np.argmax(before))]

    def moved(answer):
        return movement(before, weighing(known, [matches], [answer]).probabilities(1))

    assert moved(UNSURE) == 0
    assert moved(MATCH) < moved(NO_MATCH)


def test_other_columns_are_told():
    columns, ids, _ = people(50)
    model = learn_from(NAMES, columns, ids).model
    with pytest.raises(ValueError, match="the pairs have no column "):
        Weighing.of(model, ["colour"], [], [], [])


def test_labels_settle_only_when_there_are_some_of_each_answer():
    still = [SETTLED / 2] * LAST
    assert settled(still, [MATCH, NO_MATCH] * 5)
    assert not settled(still, [MATCH] * 9 + [NO_MATCH])
    assert not settled(still[1:], [MATCH, NO_MATCH] * 5)
    assert not settled([*still[1:], SETTLED * LAST], [MATCH, NO_MATCH] * 5)
    assert settled([1.0, *still], [MATCH, NO_MATCH] * 6)
