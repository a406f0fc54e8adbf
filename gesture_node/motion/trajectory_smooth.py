"""Plans whose acceleration is continuous, for messages that carry accelerations.

The limiter's motion is a parabola between knots, so its acceleration steps at every knot. The mean
over one knot interval, ``p(t) = 1/T integral of q from t - T to t``, has the jerk
``(a(t) - a(t - T)) / T``: at most the jerk limit, since one step is at most ``jerk * T``. A mean
leaves no interval, so position, velocity and acceleration limits hold as before. It is a cubic
between knots: a controller's quintic through positions, velocities and accelerations runs exactly
it, and so does a cubic through the first two. The price is that motion comes ``T / 2`` later.

A smoothed knot depends on the interval before it alone, so knots that were frozen stay so.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..timeline import NS_PER_S
from ..types import Float64Array
from .trajectory_knots import Knots


@dataclass(frozen=True, slots=True)
class SmoothKnots:
    """A smoothed plan.

    Attributes:
        knots: K + 1 knots or more, the last one at rest.
        accelerations: at the knots, (K + 1, N), [rad/s^2].
    """

    knots: Knots
    accelerations: Float64Array


def smoothed(knots: Knots, step_ns: int) -> SmoothKnots:
    """Return a plan with continuous acceleration, half an interval later.

    Knots need not be evenly spaced; the smoothed plan then has more of them.

    Args:
        knots: at least one, joined by parabolas, at rest before the first and after the last.
        step_ns: the interval T [ns].
    """
    own = knots.times_ns
    times = np.unique(np.concatenate([own, own + step_ns]))
    step_s = step_ns / NS_PER_S
    now, before = _looked_at(knots, times), _looked_at(knots, times - step_ns)
    positions = (now[0] - before[0]) / step_s
    velocities = (now[1] - before[1]) / step_s
    accelerations = (now[2] - before[2]) / step_s
    # Rest is assigned, not computed, so that it is exact.
    positions[-1], velocities[-1], accelerations[-1] = knots.positions[-1], 0.0, 0.0
    return SmoothKnots(Knots(times, positions, velocities), accelerations)


def _looked_at(knots: Knots, times: np.ndarray) -> tuple[Float64Array, ...]:
    """Return integral of the positions from the first knot on, positions and velocities."""
    own, q, v = knots.times_ns, knots.positions, knots.velocities
    spans_s = (np.diff(own) / NS_PER_S)[:, None]
    # Over a parabola the mean is that of its ends, less a twelfth of the change of velocity.
    whole = spans_s * (0.5 * (q[:-1] + q[1:]) - spans_s / 12.0 * np.diff(v, axis=0))
    sums = np.concatenate([np.zeros((1, q.shape[1])), np.cumsum(whole, axis=0)])
    row = np.clip(np.searchsorted(own, times, side='right') - 1, 0, len(own) - 1)
    t = ((times - own[row]) / NS_PER_S)[:, None]
    moves = (row < len(own) - 1)[:, None] & (t >= 0.0)
    following = np.minimum(row + 1, len(own) - 1)
    span_s = np.where(moves, ((own[following] - own[row]) / NS_PER_S)[:, None], 1.0)
    leave = np.where(moves, v[row], 0.0)
    bend = np.where(moves, (v[following] - v[row]) / span_s, 0.0)
    return (sums[row] + t * (q[row] + t * (0.5 * leave + t / 6.0 * bend)),
            q[row] + t * (leave + 0.5 * t * bend), leave + t * bend)
