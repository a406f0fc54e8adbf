"""The way back to rest when a gesture is broken off: brake, and meanwhile set out for the goal."""
from __future__ import annotations

import math

import numpy as np

from ..motion.courses import minimum_jerk
from ..motion.limits import JointLimits, LimitedMotion
from ..types import Float64Array

SHORTEST_S = 0.55
"""People take about half a second to drop a gesture (sources: ``docs/dialogue.md``)."""
_SHARE = 0.7
"""Of the limits that a retraction plans to use; the rest is for the brake that it is added to."""
_SETTLE_KNOTS = 8


def retraction_s(way_rad: Float64Array, limits: JointLimits) -> float:
    """Return how long a minimum-jerk course takes that stays well inside limits [s].

    Args:
        way_rad: shape (N,), how far each joint has to go [rad].
        limits: of the N joints.
    """
    way = np.abs(way_rad)
    needed_s = np.stack([1.875 * way / (_SHARE * limits.velocity),
                         np.sqrt(5.77 * way / (_SHARE * limits.acceleration)),
                         np.cbrt(60.0 * way / (_SHARE * limits.jerk))])
    return max(SHORTEST_S, float(needed_s.max(initial=0.0)))


def retraction(brake: LimitedMotion, goal: Float64Array, limits: JointLimits,
               rate_hz: int) -> Float64Array:
    """Return targets for a limiter, shape (K, N), [rad]: from what is moving to rest at a goal.

    The sum of the brake and a minimum-jerk course begins with the very velocity and acceleration
    that the robot has, so nothing jerks where one motion gives way to the other.

    Args:
        brake: the stop from the present motion.
        goal: shape (N,), [rad].
        limits: of the N joints.
        rate_hz: knots per second.
    """
    stop = brake.positions[-1]
    span = math.ceil(retraction_s(goal - stop, limits) * rate_hz)
    count = max(span, len(brake.positions))
    held = np.repeat(stop[None], count - len(brake.positions), axis=0)
    share = minimum_jerk(np.arange(1, count + 1) / span)[:, None]
    course = np.concatenate([brake.positions, held]) + share * (goal - stop)
    # The limiter may lag behind where brake and course together ask for all there is.
    return np.concatenate([course, np.repeat(goal[None], _SETTLE_KNOTS, axis=0)])
