"""How fast wrists move: distributions of speed, acceleration and jerk, and how far two are apart.

Positions are resampled to 100 Hz and low-passed at 6 Hz as for beats, so that the result does not
depend on the frame rate. *Moving* is a wrist faster than 0.12 m/s, the least speed of a stroke;
only moving samples count, so somebody who gestures less is not another mover. Values are counted
in bins of equal width in the logarithm: slow and fast parts of a stroke are both seen.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .beats import MIN_SPEED, smooth_positions

Array = NDArray[np.float64]
EDGES: dict[str, Array] = {
    'speed': np.geomspace(MIN_SPEED, 6.0, 25),
    'acceleration': np.geomspace(0.1, 100.0, 25),
    'jerk': np.geomspace(2.0, 2_000.0, 25)}
"""Edges of the 24 bins of each quantity [m/s, m/s^2, m/s^3]; the outer bins are open."""
_RATE_HZ = 100
_END_SAMPLES = 12
"""Samples left out at either end, where the filter knows one side only."""


@dataclass(frozen=True, slots=True)
class WristKinematics:
    """Magnitudes over the moving samples of both wrists, each shape (N,).

    Attributes:
        speed: [m/s].
        acceleration: [m/s^2].
        jerk: [m/s^3].
    """

    speed: Array
    acceleration: Array
    jerk: Array


def wrist_kinematics(positions: Array, fps: float) -> WristKinematics:
    """Return how two wrists move.

    Args:
        positions: shape (T, 2, 3), [m].
        fps: frames per second.
    """
    _, smooth = smooth_positions(positions, fps)
    if len(smooth) <= 2 * _END_SAMPLES + 4:
        return WristKinematics(np.zeros(0), np.zeros(0), np.zeros(0))
    magnitudes, derivative = [], smooth
    for _ in range(3):
        derivative = np.gradient(derivative, 1.0 / _RATE_HZ, axis=0)
        magnitudes.append(np.linalg.norm(derivative, axis=-1)[_END_SAMPLES:-_END_SAMPLES])
    moving = magnitudes[0] > MIN_SPEED
    return WristKinematics(*(values[moving] for values in magnitudes))


def log_histograms(motions: Iterable[WristKinematics]) -> dict[str, Array]:
    """Return the share of moving samples in each bin of ``EDGES``, over all motions together.

    Returns:
        for each quantity shape (24,), summing to 1, or all zero when nothing moves.
    """
    found = list(motions)
    result = {}
    for name, edges in EDGES.items():
        values = np.concatenate([np.zeros(0), *(getattr(motion, name) for motion in found)])
        counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0].astype(np.float64)
        result[name] = counts / max(counts.sum(), 1.0)
    return result


def hellinger(one: Array, other: Array) -> float:
    """Return the Hellinger distance of two distributions, 0 (same) to 1 (nothing in common).

    Args:
        one: shape (N,), shares that sum to 1. A distribution that is all zero, of somebody who
            never moves, has nothing in common with any other.
        other: shape (N,).
    """
    overlap = float(np.sum(np.sqrt(one * other)))
    return float(np.sqrt(max(0.0, 1.0 - overlap)))
