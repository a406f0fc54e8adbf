"""Blinks in face weights: how often, how long, how far.

People blink 26 times a minute in conversation and 17 at rest (Bentivoglio et al., Movement
Disorders 1997); a blink takes 0.15 to 0.4 s.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..motion.face import BLENDSHAPE_INDEX

BLINK_THRESHOLD = 0.5
_EDGE = 0.2


@dataclass(frozen=True, slots=True)
class BlinkStatistics:
    """Blinks of a recording.

    Attributes:
        count: blinks found.
        rate_per_min: blinks per minute.
        median_duration_s: time from leaving to regaining 20 % of closure; nan without blinks.
        median_depth: median of the highest closure of each; nan without blinks.
        interval_variation: standard deviation over mean of the intervals (0 is a metronome,
            1 a Poisson process); nan below three blinks.
    """

    count: int
    rate_per_min: float
    median_duration_s: float
    median_depth: float
    interval_variation: float


def find_blinks(weights: NDArray[np.floating]) -> list[tuple[int, int, float]]:
    """Return first frame, end frame and depth of each blink.

    A blink is a stretch above 20 % closure (mean of both lids) that reaches 50 %.

    Args:
        weights: shape (T, 52).
    """
    lids = 0.5 * (weights[:, BLENDSHAPE_INDEX['eyeBlinkLeft']]
                  + weights[:, BLENDSHAPE_INDEX['eyeBlinkRight']])
    above = np.concatenate([[False], lids > _EDGE, [False]]).astype(np.int8)
    edges = np.diff(above)
    stretches = zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1))
    found = [(int(a), int(b), float(lids[a:b].max())) for a, b in stretches]
    return [blink for blink in found if blink[2] >= BLINK_THRESHOLD]


def blink_statistics(weights: NDArray[np.floating], rate_hz: float) -> BlinkStatistics:
    """Return how somebody blinks.

    Args:
        weights: shape (T, 52), ARKit weights.
        rate_hz: frames per second.
    """
    blinks = find_blinks(weights)
    minutes = len(weights) / rate_hz / 60.0
    if not blinks:
        return BlinkStatistics(0, 0.0, float('nan'), float('nan'), float('nan'))
    starts, ends, depths = (np.array(column, dtype=np.float64) for column in zip(*blinks))
    intervals = np.diff(starts)
    variation = float(intervals.std() / intervals.mean()) if len(blinks) > 2 else float('nan')
    return BlinkStatistics(len(blinks), len(blinks) / minutes,
                           float(np.median(ends - starts)) / rate_hz, float(np.median(depths)),
                           variation)
