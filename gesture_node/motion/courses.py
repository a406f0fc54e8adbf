"""Courses from 0 to 1 that everything which moves smoothly from here to there is made of."""
from __future__ import annotations

import numpy as np

from ..types import Float32Array, Float64Array
from .rotations import Array


def minimum_jerk(progress: Array | float) -> Float64Array:
    """Return the course of a hand that goes from 0 to 1, held outside [0, 1].

    Speed and acceleration are zero at both ends; the peak speed, half way, is 1.875 times the
    mean. Source: Flash and Hogan, J. Neurosci. 1985.
    """
    x = np.clip(progress, 0.0, 1.0)
    return np.asarray(x ** 3 * (10.0 - 15.0 * x + 6.0 * x ** 2))


def smoothstep(progress: Array | float) -> Float64Array:
    """Return the cubic from 0 to 1 without speed at both ends (Hermite), held outside [0, 1]."""
    # Costs half of np.clip on the few numbers of a pose.
    x = np.minimum(np.maximum(progress, 0.0), 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x))


def fade_in(plan: Float32Array, frames: Float32Array, span_frames: float) -> Float32Array:
    """Return frames that begin as was planned before and go their own way within a span.

    Between two windows of short hops, which heard almost the same, this is smoother than carrying
    an error over; a plan that knew much less of the speech is better not followed.

    Args:
        plan: shape (P, D), what the last window said of the first P of the frames.
        frames: shape (T, D).
        span_frames: from here on nothing of the plan is left.

    Returns:
        shape (T, D).
    """
    count = min(len(plan), len(frames))
    progress = np.arange(1, count + 1) / max(2.0, span_frames)
    weight = 1.0 - minimum_jerk(progress)[:, None].astype(np.float32)
    faded: Float32Array = frames.copy()
    faded[:count] += weight * (plan[:count] - frames[:count])
    return faded
