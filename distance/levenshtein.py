"""Levenshtein distance: the least number of letters inserted, deleted or replaced.

V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", 1966.
"""

from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein as rapidfuzz_levenshtein

from pehchan.distance.scored import ByLetters, Scored


@dataclass(frozen=True)
class Levenshtein(Scored):
    """Edits of the whole value / the longer length; in [0, 1]. Lengths in characters; case counts."""

    cost = 0.012
    listed_cost = 0.2
    values = ByLetters
    scorer = staticmethod(rapidfuzz_levenshtein.normalized_distance)
