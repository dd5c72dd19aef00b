"""Log odds as the whole distances that jobs hand each other, and back.

Log odds above the threshold of a model are clipped on both sides; a distance is what is missing to the upper end, in
steps. So 0 is surely a match, CUTOFF the threshold, and SCALE surely none, and means of distances are means of log
odds.

Of links to a set without duplicates the likelier go first, also among very likely ones; so they are clipped only
where twice as much is known, at steps of half the size. Clusters are made by means, in which no pair should count
more than it has to.
"""

import math

#: The distance at the threshold, and the largest.
CUTOFF, SCALE = 1200, 2400

#: Distances to one of the log odds: usually, and of links to a set without duplicates.
STEPS, LINK_STEPS = 100, 50


def steps_of(clean: bool) -> int:
    """Distances to one of the log odds of a model, which are clipped at CUTOFF of them.

    clean  whether it links sets of which one or both are without duplicates
    """
    return LINK_STEPS if clean else STEPS


def log_odds_of(distance: int, steps: int) -> float:
    """Log odds above the threshold of a distance from 0 to SCALE."""
    return (CUTOFF - distance) / steps


def probability_of(distance: int, steps: int) -> float:
    """Of a match, taking the threshold for even odds."""
    return 1 / (1 + math.exp(-log_odds_of(distance, steps)))
