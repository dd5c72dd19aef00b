"""How distances are told: those of measures as they are, those of a model as log odds and probabilities."""

from collections.abc import Sequence

from pehchan.learning.odds import log_odds_of, probability_of
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.exporting import log_odds_steps


class ScaleWords:
    """The words and numbers for the distances of a plan.

    name      what an axis is called
    heading   what a part of a page is called
    cutoff    the one in force, for people
    within    what pairs are that are kept
    adds      what a field gives
    adding    how that makes the whole
    line      what the line at `line_at` is
    """

    def __init__(self, plan: Plan, cutoff: int):
        self._steps = log_odds_steps(plan)
        self._largest = plan.settings.scale
        if self._steps:
            self.name, self.heading = "log odds above the threshold", "How sure the matches are"
            self.cutoff, self.within = "log odds of 0, a probability of 0.5", "taken for matches"
            self.adds, self.line, self.line_at = "log odds", "the threshold", 0.0
            self.adding = (
                "Log odds add up to those of a match; above 0, the threshold, a pair is taken for one."
            )
        else:
            self.name, self.heading = f"distance, of {self._largest:,}", "The distances of the pairs"
            self.cutoff, self.within = f"{cutoff:,} of {self._largest:,}", f"at or under {cutoff:,}"
            self.adds, self.line, self.line_at = "adds", "the cutoff", float(cutoff)
            self.adding = "The shares of the fields add up to the distance."

    def at(self, distance: int) -> float:
        """Where a distance lies on an axis."""
        return log_odds_of(distance, self._steps) if self._steps else float(distance)

    def shown(self, distance: int) -> str:
        """A distance, as text."""
        if not self._steps:
            return f"{distance:,}"
        likely = probability_of(distance, self._steps)
        return f"{log_odds_of(distance, self._steps):+.2f} (probability {likely:.4f})"

    def farthest(self, distance: int) -> str:
        """What is said of the farthest pair of a cluster."""
        return (
            f"at a probability of {probability_of(distance, self._steps):.4f}"
            if self._steps
            else f"{distance:,}"
        )

    def points(self, share: float) -> str:
        """What a field adds."""
        return f"{share:+.2f}" if self._steps else f"{share:,.1f}"

    def reach(self, shares: Sequence[float]) -> tuple[float, float]:
        """Between which ends a sum is drawn."""
        low, high, running = 0.0, 1.0, 0.0
        for share in shares:
            running += share
            low, high = min(low, running), max(high, running)
        return min(low, self.line_at), max(high, self.line_at * 1.05)
