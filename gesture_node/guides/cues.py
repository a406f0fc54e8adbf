"""What the body denoiser is told outright about a window: its guides and how lively the voice is.

A *guide* is a moment at which a beat has its apex: a stroke, with where both wrists are then, or a
pulse, with its size. Speech tokens hold the accents too, but which gesture comes is chance; a
denoiser that has to settle both at once says a little of everything at no particular moment
(docs/decisions/0005). Guide poses are the idea of Audio2Photoreal (Ng et al., CVPR 2024): sparse
poses say where, diffusion fills in how.

A guide is a row of 9 numbers: apex [s], size, 1 for a stroke and 0 for a pulse, and the left and
right wrist against the idle pose [m].
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..types import Float32Array, Float64Array

GUIDE_DIM = 9
TIME, SIZE, STROKE = 0, 1, 2
WRISTS = slice(3, 9)
CUE_DIM = 23
AROUSAL, KNOWN = 21, 22
BUMP_S = 0.05
NEAR_S, WAY_S, HOLD_S = 0.25, 0.8, 3.0
WRIST_UNIT_M = 0.3
CONFIRMED_S = 0.12
"""An accent is known so long after its vowel onset: when its energy has passed the peak."""


def guide_cues(guides: NDArray[np.floating], times_s: Float64Array,
               arousal: float) -> Float32Array:
    """Return the cues of body frames, shape (W, 23).

    Columns: bump on the apex of a stroke; nearness of the next stroke on two time scales and its
    wrists (6), fading in; nearness of the last one on three and its wrists, fading out; bump,
    next and last nearness of pulses times their size; arousal in [-1, 1]; a one. Frames of which
    nothing is known have zeros (:func:`no_cues`).

    Args:
        guides: shape (G, 9), in order of time.
        times_s: shape (W,), of the frames, on the clock of the guides.
        arousal: in [0, 1].
    """
    cues = np.zeros((len(times_s), CUE_DIM), np.float32)
    strokes = guides[guides[:, STROKE] > 0.5]
    pulses = guides[guides[:, STROKE] <= 0.5]
    if len(strokes):
        after = np.searchsorted(strokes[:, TIME], times_s)
        ahead = np.minimum(after, len(strokes) - 1)
        ahead_s = np.where(after < len(strokes), strokes[ahead, TIME] - times_s, np.inf)
        behind = np.maximum(after - 1, 0)
        behind_s = np.where(after > 0, times_s - strokes[behind, TIME], np.inf)
        cues[:, 0] = _bump(np.minimum(ahead_s, behind_s))
        cues[:, 1], cues[:, 2] = np.exp(-ahead_s / NEAR_S), np.exp(-ahead_s / WAY_S)
        cues[:, 3:9] = strokes[ahead, WRISTS] / WRIST_UNIT_M * cues[:, 2:3]
        for column, reach_s in zip((9, 10, 11), (NEAR_S, WAY_S, HOLD_S)):
            cues[:, column] = np.exp(-behind_s / reach_s)
        cues[:, 12:18] = strokes[behind, WRISTS] / WRIST_UNIT_M * cues[:, 11:12]
    if len(pulses):
        ahead_s = pulses[:, TIME] - times_s[:, None]
        near = pulses[:, SIZE] * np.exp(-np.abs(ahead_s) / NEAR_S)
        cues[:, 18] = (pulses[:, SIZE] * _bump(ahead_s)).max(axis=1)
        cues[:, 19] = (near * (ahead_s >= 0.0)).max(axis=1)
        cues[:, 20] = (near * (ahead_s < 0.0)).max(axis=1)
    cues[:, AROUSAL] = 2.0 * arousal - 1.0
    cues[:, KNOWN] = 1.0
    return cues


def no_cues(frames: int) -> Float32Array:
    """Return the cues of frames of which nothing is known, shape (frames, 23): the body decides."""
    return np.zeros((frames, CUE_DIM), np.float32)


def _bump(away_s: Float64Array) -> Float64Array:
    return np.exp(-0.5 * (np.asarray(away_s) / BUMP_S) ** 2)
