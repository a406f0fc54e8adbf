"""What the body denoiser is told outright about a window: its guides and how lively the voice is.

A *guide* is a moment at which a beat has its apex: a stroke, with where both wrists are then, or a
pulse, with its size. Speech tokens hold the accents too, but which gesture comes is chance; a
denoiser that has to settle both at once says a little of everything at no particular moment
(docs/decisions/0006). Guide poses are the idea of Audio2Photoreal (Ng et al., CVPR 2024): sparse
poses say where, diffusion fills in how.

A guide is a row of 63 numbers: apex [s], size, 1 for a stroke and 0 for a pulse, and how the arms
are then: the 48 rotation numbers of clavicles, shoulders, elbows and wrists and the 12 of the
fingers, normalised as the denoiser's frames are; zeros for a pulse, which goes nowhere.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..motion.skeleton import JOINT_INDEX, POSE_DIM, ROTATION_DIM
from ..types import Float32Array, Float64Array

ARM_INDEX = np.array([
    6 * JOINT_INDEX[f'{side}_{part}'] + number for side in ('left', 'right')
    for part in ('clavicle', 'shoulder', 'elbow', 'wrist') for number in range(6)
] + list(range(ROTATION_DIM, POSE_DIM)))
"""Which numbers of a pose vector are the arms', shape (60,)."""
ARM_DIM = len(ARM_INDEX)
GUIDE_DIM = 3 + ARM_DIM
TIME, SIZE, STROKE = 0, 1, 2
ARMS = slice(3, GUIDE_DIM)
AROUSAL, KNOWN = 9, 10
_NEXT, _LAST = slice(11, 11 + ARM_DIM), slice(11 + ARM_DIM, 11 + 2 * ARM_DIM)
CUE_DIM = 11 + 2 * ARM_DIM
BUMP_S = 0.05
NEAR_S, WAY_S, HOLD_S = 0.25, 0.8, 3.0
_FAR, _AT_HAND = 0.15, 0.4
CONFIRMED_S = 0.12
"""An accent is known so long after its vowel onset: when its energy has passed the peak."""


def guide_cues(guides: NDArray[np.floating], times_s: Float64Array,
               arousal: float) -> Float32Array:
    """Return the cues of body frames, shape (W, 131).

    Columns: bump on the apex of a stroke; nearness of the next stroke on two time scales and of
    the last one on three; bump, next and last nearness of pulses times their size; arousal in
    [-1, 1]; a one; the arms of the next stroke (60), fading in, and of the last one, fading out.
    Frames of which nothing is known have zeros (:func:`no_cues`).

    Args:
        guides: shape (G, 63), in order of time.
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
        cues[:, _NEXT] = strokes[ahead, ARMS] * cues[:, 2:3]
        for column, reach_s in zip((3, 4, 5), (NEAR_S, WAY_S, HOLD_S)):
            cues[:, column] = np.exp(-behind_s / reach_s)
        cues[:, _LAST] = strokes[behind, ARMS] * cues[:, 5:6]
    if len(pulses):
        ahead_s = pulses[:, TIME] - times_s[:, None]
        near = pulses[:, SIZE] * np.exp(-np.abs(ahead_s) / NEAR_S)
        cues[:, 6] = (pulses[:, SIZE] * _bump(ahead_s)).max(axis=1)
        cues[:, 7] = (near * (ahead_s >= 0.0)).max(axis=1)
        cues[:, 8] = (near * (ahead_s < 0.0)).max(axis=1)
    cues[:, AROUSAL] = 2.0 * arousal - 1.0
    cues[:, KNOWN] = 1.0
    return cues


def near_guides(cues: Float32Array) -> Float32Array:
    """Return how near a stroke or pulse each frame is, shape (W, 1): 1 at hand, 0 far from all.

    From 0.22 s on it falls, and is 0 beyond 0.47 s; 1 too where nothing is known.
    """
    near = cues[:, [1, 3, 7, 8]]
    near[:, 2:] = np.minimum(4.0 * near[:, 2:], 1.0)
    share = np.clip((near.max(axis=1) - _FAR) / (_AT_HAND - _FAR), 0.0, 1.0)
    return np.asarray(np.where(cues[:, KNOWN] > 0.0, share, 1.0)[:, None], np.float32)


def no_cues(frames: int) -> Float32Array:
    """Return the cues of frames of which nothing is known, shape (frames, 131)."""
    return np.zeros((frames, CUE_DIM), np.float32)


def _bump(away_s: Float64Array) -> Float64Array:
    return np.exp(-0.5 * (np.asarray(away_s) / BUMP_S) ** 2)
