"""Learning of records that fit into memory, from columns to a model and the candidate pairs with their scores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pehchan.learning.alike import strangers_where_all_alike, without_frequencies
from pehchan.learning.candidates import candidate_pairs
from pehchan.learning.fields import LearntField, kinds_of
from pehchan.learning.keys import Keys, KnownPairs, learn_keys
from pehchan.learning.labelled import LabelledPairs
from pehchan.learning.labels import MATCH
from pehchan.learning.learn import Pairs, learn
from pehchan.learning.model import Model
from pehchan.learning.neighbours import neighbour_pairs, wanted
from pehchan.learning.patterns import Floats, Positions
from pehchan.learning.profile import Profile
from pehchan.learning.questions import draws
from pehchan.learning.strangers import strangers
from pehchan.learning.table import Table

#: Records of the sample that says how often strangers agree.
SAMPLE = 8_000
#: Candidate pairs that are learnt from.
MOST_PAIRS = 200_000
#: Of the first look, which only serves to find pairs that surely match: those from which keys are learnt anew.
FIRST_LOOK = 20_000
#: Log odds from which a pair is one of them, and how many there must be.
SURE, SURE_PAIRS = 3.0, 20


@dataclass(frozen=True)
class RawLabels:
    """Labels with the raw values of both records, as a file of labels has them.

    columns  by the name of each profiled column the values of the records; ids of these, and sets where there are two
    i, j     positions of the labelled pairs; labels 1 match, 0 no match, 2 unsure
    """

    columns: Sequence[Sequence[str]]
    ids: Sequence[str]
    i: Sequence[int]
    j: Sequence[int]
    labels: Sequence[int]
    sets: Sequence[int] | None = None

    def of(self, fields: Sequence[LearntField]) -> LabelledPairs:
        """As rows of a table of the fields."""
        table = Table.of(fields, [self.columns[each.ordinal] for each in fields], self.ids, self.sets)
        return LabelledPairs(
            table,
            np.array(self.i, dtype=np.int64),
            np.array(self.j, dtype=np.int64),
            np.array(self.labels, dtype=np.int8),
        )


@dataclass(frozen=True)
class Learnt:
    """A model, and what it says of the records that it was learnt from.

    table     of the records, in the order they were given
    i, j      int64[n], the candidate pairs
    log_odds  float64[n], less the threshold
    """

    model: Model
    table: Table
    i: Positions
    j: Positions
    log_odds: Floats


def learn_from(
    names: Sequence[str],
    raw_columns: Sequence[Sequence[str]],
    ids: Sequence[str],
    sets: NDArray[np.int8] | Sequence[int] | None = None,
    labels: RawLabels | None = None,
    clean: Sequence[int] = (0, 1),
) -> Learnt:
    """Of records in columns, one list of raw values for each name; with sets of numbers, matches are across two.

    clean  of two sets, those without duplicates: 0 the first, 1 the second
    """
    of_set = np.zeros(len(ids), np.int8) if sets is None else np.asarray(sets, dtype=np.int8)
    profile = Profile.of(names, raw_columns, of_set)
    fields = kinds_of(profile).fields
    table = Table.of(fields, [raw_columns[each.ordinal] for each in fields], ids, of_set)
    model, pairs, i, j = learn_of(profile, table, None if labels is None else labels.of(fields), clean)
    return Learnt(model, pairs.table, i, j, model.log_odds(pairs.table, i, j) - model.threshold)


def learn_of(
    profile: Profile, table: Table, labels: LabelledPairs | None = None, clean: Sequence[int] = (0, 1)
) -> tuple[Model, Pairs, Positions, Positions]:
    """The model of the records that a profile counts, of which a table has all or a sample by the hash of set and id.

    Also the candidate pairs of the table, those that were learnt from and all of them. The table of the former has
    the fields of the model, which may count values otherwise than those that were given.
    clean  of two sets, those without duplicates: 0 the first, 1 the second
    """
    records = sum(profile.records.values())
    # Of a pair both records are in the sample.
    share = min(1.0, (len(table) / max(records, 1)) ** 2)
    known = None
    if labels is not None and (labels.labels == MATCH).any():
        yes = labels.labels == MATCH
        known = KnownPairs(labels.table, labels.i[yes], labels.j[yes])
    sample = table.take(table.sample(SAMPLE))
    # Of sets without duplicates it is known that all are different, however alike.
    apart = None if table.two_sets and clean else strangers_where_all_alike(sample)
    if apart is None:
        apart = strangers(sample)
    else:
        table = without_frequencies(table)
        labels = None if labels is None else replace(labels, table=without_frequencies(labels.table))
    keys = learn_keys(table, records, known)
    i, j = pairs_of(table, keys)
    first = sampled(table, i, j, FIRST_LOOK, share)
    look = learn(profile, apart, first, keys, labels, clean=clean)
    sure = look.log_odds(table, first.i, first.j) - max(look.threshold, 0.0) > SURE
    if sure.sum() >= SURE_PAIRS:
        again = learn_keys(table, records, KnownPairs(table, first.i[sure], first.j[sure]))
        keys = keys_of_both(keys, again)
        i, j = pairs_of(table, keys)
    within = None
    if table.two_sets and clean:
        within = Pairs(table, *pairs_of(table, keys, within=True), share)
    taken = sampled(table, i, j, MOST_PAIRS, share)
    return learn(profile, apart, taken, keys, labels, within, clean), taken, i, j


def candidates_of(model: Model, table: Table) -> Pairs:
    """Candidate pairs of a table by the keys of a model, some of them where there are many."""
    i, j = pairs_of(table, model.keys)
    return sampled(table, i, j, MOST_PAIRS)


def pairs_of(table: Table, keys: Keys, within: bool = False) -> tuple[Positions, Positions]:
    """Candidate pairs of keys, and where there are texts those of their neighbours."""
    i, j = candidate_pairs(table, keys, within=within)
    if not wanted(table.fields):
        return i, j
    near_i, near_j = neighbour_pairs(table, within=within)
    coded = np.unique(np.concatenate([i * len(table) + j, near_i * len(table) + near_j]))
    return coded // max(len(table), 1), coded % max(len(table), 1)


def sampled(table: Table, i: Positions, j: Positions, most: int, share: float = 1.0) -> Pairs:
    """About so many of the pairs at the most, by the hashes of their records; they are a share of all already."""
    if len(i) <= most:
        return Pairs(table, i, j, share)
    order = np.argsort(draws(table.record_hashes, i, j), kind="stable")[:most]
    return Pairs(table, i[order], j[order], share * most / len(i))


def keys_of_both(first: Keys, second: Keys) -> Keys:
    """The keys of both, each once."""
    keys = first.keys + tuple(key for key in second.keys if key not in first.keys)
    return Keys(keys, first.refinements, max(first.recall, second.recall), first.cost + second.cost)
