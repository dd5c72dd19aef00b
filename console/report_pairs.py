"""What a report says of the pairs that a run kept: how far apart they are, and some of them."""

from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from pehchan.console.least import Least
from pehchan.console.output import tagged_lines
from pehchan.learning.hashing import combined, text_hashes
from pehchan.mrjobs.places import Place
from pehchan.mrjobs.wire import PAIRS, Identity, Pairs

#: Two records and their distance.
Near: TypeAlias = tuple[Identity, Identity, int]

#: Pairs whose fields are compared once more, and pairs at the cutoff that are shown on either side of it.
SAMPLED, SHOWN = 1000, 8


@dataclass(frozen=True)
class PairsSeen:
    """Of the pairs of a run.

    distances  how many there are at each distance, ascending
    sample     some of those at or under the cutoff of the clusters, by a hash of their ids
    farthest   those nearest to the cutoff, of those at or under it
    refused    the same of those that were kept and are beyond it
    """

    distances: dict[int, int]
    sample: list[Near]
    farthest: list[Near]
    refused: list[Near]


def look_at_pairs(out: Place, cutoff: int) -> PairsSeen:
    """Read the pairs once; no more of them is held than is shown."""
    counts: Counter[int] = Counter()
    sample, farthest, refused = Least[Near](SAMPLED), Least[Near](SHOWN), Least[Near](SHOWN)
    for tag, payload in tagged_lines([out / "internal" / "pairs"]):
        if tag != PAIRS:
            continue
        pairs = Pairs.decode(payload)
        distances = np.array(pairs.distances, dtype=np.int64)
        counts.update(pairs.distances)
        hashes = combined([text_hashes(pairs.first_ids), text_hashes(pairs.second_ids)])
        for least, of, keys in (
            (sample, distances <= cutoff, hashes),
            (farthest, distances <= cutoff, cutoff - distances),
            (refused, distances > cutoff, distances - cutoff),
        ):
            places = np.flatnonzero(of)
            least.offer(keys[places], lambda k, pairs=pairs, places=places: _near(pairs, int(places[k])))
    in_order = {distance: counts[distance] for distance in sorted(counts)}
    return PairsSeen(in_order, sample.things, farthest.things, refused.things)


def _near(pairs: Pairs, k: int) -> Near:
    first = (pairs.first_sets[k], pairs.first_ids[k])
    second = (pairs.second_sets[k], pairs.second_ids[k])
    return first, second, pairs.distances[k]
