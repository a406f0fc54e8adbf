"""What is measured of a voice and told to the body outright: its accents and how lively it is.

Speech tokens hold both, but a network has to find them there; told outright, strokes fall on the
accents, and gestures are as large as the voice is lively (docs/decisions/0005). Only what was
heard counts: the same code measures training windows and the windows of a stream.

A *cue* is CUE_DIM numbers for every body frame: a bump on the moment at which the apex of a beat
belongs, then how near the next and the last such moment are on two time scales, each as high as
the accent is prominent; last the arousal in [-1, 1] and a one, all zero where nothing was heard.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..timeline import BODY_RATE_HZ, FEATURE_RATE_HZ
from ..types import Float32Array, Float64Array
from .accents import accented, find_nuclei, Nuclei
from .alignment import BEAT_LAG_S
from .arousal import arousal_curve

CUE_DIM = 7
AROUSAL, KNOWN = 5, 6
MEL_FEATURES = 83
"""Features that accents are found in; of those of another front end nothing is known."""
BUMP_S = 0.05
REACHES_S = (0.25, 0.8)
_PLAIN, _STRONG = -0.1, 1.5
"""Prominences (z-scores) that give the lowest and the highest bump."""
_LOWEST = 0.3
_LEAST_FRAMES = 8


def speech_cues(history: NDArray[np.floating], heard: NDArray[np.floating], first_feature: int,
                frames: int, arousal: float | None = None) -> Float32Array:
    """Return the cues of a body window, shape (frames, 7).

    Args:
        history: shape (P, 83), features up to the end of what the window hears.
        heard: shape (P,), 1 where there was a stream.
        first_feature: first feature frame of the window, counted from the end of ``history``;
            negative, for windows begin in the past.
        frames: body frames of the window.
        arousal: in [0, 1], to be told instead of the voice's own.
    """
    cues = np.zeros((frames, CUE_DIM), np.float32)
    known = np.flatnonzero(np.asarray(heard) > 0.5)
    if history.shape[1] != MEL_FEATURES or len(known) < _LEAST_FRAMES:
        return cues
    features = np.asarray(history[known[0]:known[-1] + 1], np.float32)
    nuclei = find_nuclei(features)
    accents = accented(nuclei)
    # Seconds from the end of the history.
    apexes_s = accents.onsets_s + BEAT_LAG_S - (len(history) - known[0]) / FEATURE_RATE_HZ
    times_s = first_feature / FEATURE_RATE_HZ + np.arange(frames) / BODY_RATE_HZ
    cues[:, :AROUSAL] = _nearness(times_s, apexes_s, accents.prominences)
    own = arousal_now(features, nuclei) if arousal is None else arousal
    cues[:, AROUSAL] = 2.0 * own - 1.0
    cues[:, KNOWN] = 1.0
    return cues


def arousal_now(features: NDArray[np.floating], nuclei: Nuclei | None = None) -> float:
    """Return the arousal in [0, 1] of the last 8 s of features ``(F, 83)``; 0 if unknown."""
    if features.shape[1] != MEL_FEATURES or len(features) < _LEAST_FRAMES:
        return 0.0
    return float(arousal_curve(features, nuclei)[-1])


def _nearness(times_s: Float64Array, apexes_s: Float64Array,
              prominences: Float64Array) -> Float64Array:
    """Return shape (frames, 5): bump, then next and last apex on either scale."""
    if len(apexes_s) == 0:
        return np.zeros((len(times_s), AROUSAL))
    share = np.clip((prominences - _PLAIN) / (_STRONG - _PLAIN), 0.0, 1.0)
    height = _LOWEST + (1.0 - _LOWEST) * share
    ahead_s = apexes_s - times_s[:, None]
    columns = [np.exp(-0.5 * (ahead_s / BUMP_S) ** 2)]
    for reach_s in REACHES_S:
        near = np.exp(-np.abs(ahead_s) / reach_s)
        columns += [near * (ahead_s >= 0.0), near * (ahead_s < 0.0)]
    return np.stack([(height * column).max(axis=1) for column in columns], axis=-1)
