"""Jaro-Winkler distance, made for the names of people: agreement at the beginning counts more.

M. A. Jaro, 1989; W. E. Winkler, "String Comparator Metrics and Enhanced Decision Rules in the Fellegi-Sunter
Model of Record Linkage", 1990. As in Winkler's program, the prefix counts only where Jaro's similarity is
above 0.7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import JaroWinkler as rapidfuzz_jaro_winkler

from pehchan.distance.scored import Scored


@dataclass(frozen=True)
class JaroWinkler(Scored):
    """1 - Jaro-Winkler similarity of the whole value; in [0, 1].

    prefix_weight  gain for each of the first 4 letters that agree, 0 (Jaro's own distance) to 0.25
    """

    prefix_weight: float = 0.1

    cost = 0.02
    listed_cost = 0.2
    scorer = staticmethod(rapidfuzz_jaro_winkler.normalized_distance)

    def check(self) -> str | None:
        if not 0 <= self.prefix_weight <= 0.25:
            return f"prefix_weight {self.prefix_weight} is not between 0 and 0.25"
        return None

    def scorer_parameters(self) -> Mapping[str, Any]:
        return {"prefix_weight": self.prefix_weight}
