"""Damerau-Levenshtein distance: the least number of letters inserted, deleted, replaced or swapped.

The true distance, in which letters between two swapped ones may be edited too ("ca" to "abc" takes 2), not
the optimal string alignment that often goes by the same name (3). F. J. Damerau, 1964; R. Lowrance and
R. A. Wagner, "An Extension of the String-to-String Correction Problem", 1975.
"""

from dataclasses import dataclass

from rapidfuzz.distance import DamerauLevenshtein as rapidfuzz_damerau_levenshtein

from pehchan.distance.scored import ByLetters, Scored


@dataclass(frozen=True)
class DamerauLevenshtein(Scored):
    """Edits of the whole value, swaps of neighbours included / the longer length; in [0, 1]."""

    cost = 0.8
    listed_cost = 0.9
    values = ByLetters
    scorer = staticmethod(rapidfuzz_damerau_levenshtein.normalized_distance)
