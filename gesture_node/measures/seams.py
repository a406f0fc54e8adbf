"""Whether motion is rougher where chunks meet than within them.

Motion is sampled at a fixed rate and a chunk begins every ``hop`` samples. The jump of velocity
at a sample is the difference of the velocities before and after it, of acceleration likewise
from one sample more on either side. A seam is compared with the 99th percentile of the same
figure away from seams, so 1 means: as rough as the motion itself ever is.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_PERCENTILE = 99.0


@dataclass(frozen=True, slots=True)
class SeamRatio:
    """Roughness of seams over roughness within chunks.

    Attributes:
        velocity: largest velocity jump at a seam over the 99th percentile within chunks.
        acceleration: the same for acceleration jumps.
        median_velocity: median velocity jump at seams over the same percentile.
        seams: number of seams that were measured.
        p99_velocity, p99_acceleration: 99th percentile of the jumps at seams over the same
            percentile: 1 where seams are neither rougher nor smoother than the motion.
    """

    velocity: float
    acceleration: float
    median_velocity: float
    seams: int
    p99_velocity: float
    p99_acceleration: float


def seam_ratio(motion: NDArray[np.floating], hop: int, rate_hz: float,
               first_seam: int | None = None) -> SeamRatio:
    """Measure the seams of motion made in chunks.

    Args:
        motion: shape (T, D), samples of positions, pose vectors or weights.
        hop: samples per chunk.
        rate_hz: samples per second.
        first_seam: index of the first sample of the second chunk; ``hop`` by default.

    Returns:
        Ratios of 0 when the motion has no seam, or stands still.
    """
    first = hop if first_seam is None else first_seam
    velocity = np.diff(np.asarray(motion, dtype=np.float64), axis=0) * rate_hz
    acceleration = np.diff(velocity, axis=0) * rate_hz
    # Row r of a difference of order n spans samples r to r + n; a seam is between seam - 1 and
    # seam, so these rows are touched by it.
    step, bend = np.abs(np.diff(velocity, axis=0)), np.abs(np.diff(acceleration, axis=0))
    seams = np.arange(first, len(motion), hop)
    speed, median, high_speed = _ratios(step, seams, 2)
    force, _, high_force = _ratios(bend, seams, 3)
    return SeamRatio(velocity=speed, acceleration=force, median_velocity=median,
                     seams=len(seams), p99_velocity=high_speed, p99_acceleration=high_force)


def _ratios(jumps: NDArray[np.float64], seams: NDArray[np.intp],
            order: int) -> tuple[float, float, float]:
    """Return the largest, median and 99th jump at seams over the percentile elsewhere."""
    size = np.sqrt(np.sum(jumps * jumps, axis=1))
    rows = seams[:, None] - 1 - np.arange(order)[None]
    rows = rows[((rows >= 0) & (rows < len(size))).all(axis=1)]
    within = np.delete(size, rows.ravel())
    if not len(rows) or not len(within):
        return 0.0, 0.0, 0.0
    usual = float(np.percentile(within, _PERCENTILE))
    at_seam = size[rows].max(axis=1)
    # Rows one by one for the percentile: the larger of two would be rougher by being chosen.
    figures = at_seam.max(), np.median(at_seam), np.percentile(size[rows], _PERCENTILE)
    if usual <= 0.0:
        return (0.0,) * 3 if at_seam.max() <= 0.0 else (float('inf'),) * 3
    largest, median, high = (float(figure) / usual for figure in figures)
    return largest, median, high
