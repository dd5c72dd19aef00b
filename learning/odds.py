"""Log odds as the whole distances that jobs hand each other, and back.

Log odds above the threshold of a model are clipped at CLIP on both sides; a distance is the hundredths that are
missing to its upper end. So 0 is surely a match, CUTOFF the threshold, and SCALE surely none, and means of distances
are means of log odds.
"""

import math

#: Log odds beyond which a pair is as sure as any; and distances to one of them.
CLIP, STEPS = 12.0, 100

#: The distance at the threshold, and the largest.
CUTOFF = round(CLIP * STEPS)
SCALE = 2 * CUTOFF


def log_odds_of(distance: int) -> float:
    """Log odds above the threshold of a distance from 0 to SCALE."""
    return (CUTOFF - distance) / STEPS


def probability_of(distance: int) -> float:
    """Of a match, taking the threshold for even odds."""
    return 1 / (1 + math.exp(-log_odds_of(distance)))
