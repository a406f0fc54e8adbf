"""Where a listener would nod: the accents of a recording as a curve that a network can learn.

Every accent (``gesture_node.measures.accents``) becomes a bump on the moment at which a beat
gesture would have its apex, as high as the accent is prominent. Taken from clean sound, so that a
network that hears the same speech in noise learns to find them all the same.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gesture_node.measures.accents import find_accents
from gesture_node.measures.alignment import BEAT_LAG_S
from gesture_node.timeline import FEATURE_RATE_HZ

SIGMA_S = 0.05
_PLAIN, _STRONG = 0.7, 2.5
"""Prominences (z-scores) that give the lowest and the highest bump."""
_LOWEST = 0.4


def bump_heights(prominences: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return heights in [0.4, 1] of accents with these prominences (z-scores)."""
    share = np.clip((np.asarray(prominences) - _PLAIN) / (_STRONG - _PLAIN), 0.0, 1.0)
    return np.asarray(_LOWEST + (1.0 - _LOWEST) * share)


def accent_curve(features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the accent curve ``(F,)`` in [0, 1] at 50 Hz of clean features ``(F, 83)``."""
    accents = find_accents(features)
    curve = np.zeros(len(features))
    time_s = np.arange(len(features)) / FEATURE_RATE_HZ
    for onset_s, height in zip(accents.onsets_s, bump_heights(accents.prominences)):
        bump = np.exp(-0.5 * ((time_s - onset_s - BEAT_LAG_S) / SIGMA_S) ** 2)
        curve = np.maximum(curve, height * bump)
    return curve.astype(np.float32)
