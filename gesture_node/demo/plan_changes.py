"""Which hop a published plan brought: the time from which it differs from the plan before it.

A plan carries no number. But knots that were published never change, and a window changes what is
planned from the first frame of its hop on. So the first knot that moved elsewhere lies in the hop
that was new, however many hops before it were left out or how often the plan was repeated.
"""
from __future__ import annotations

import numpy as np

from ..sim.controller import TrajectoryMessage
from ..types import Float64Array

_CHANGED_RAD = 1e-9
"""Kept knots are the same to the bit; anything computed anew is further off than this."""


def first_change_ns(before: TrajectoryMessage | None, after: TrajectoryMessage) -> int | None:
    """Return the ROS time [ns] of the first knot that is new in a plan; None if none is.

    Args:
        before: the plan it replaces, which holds its last positions after its end; None where
            there was none, so that the robot stood where the new plan begins.
        after: the plan.
    """
    times = after.stamp_ns + np.array([point.time_from_start_ns for point in after.points])
    positions = np.stack([point.positions for point in after.points])
    if before is None:
        known = np.repeat(positions[:1], len(times), axis=0)
    else:
        known = _planned(before, after.joint_names, times)
    changed = ~(np.abs(positions - known).max(axis=1, initial=0.0) <= _CHANGED_RAD)
    return int(times[int(np.argmax(changed))]) if changed.any() else None


def _planned(plan: TrajectoryMessage, joint_names: tuple[str, ...],
             times_ns: Float64Array) -> Float64Array:
    """Return what a plan has at times (T,), shape (T, N); nan where it has no knot before its end.

    Before its first knot a plan says nothing, and neither does it between knots.
    """
    order = [plan.joint_names.index(name) for name in joint_names]
    knots = {plan.stamp_ns + point.time_from_start_ns: point.positions[order]
             for point in plan.points}
    end_ns, held = max(knots), plan.points[-1].positions[order]
    unknown = np.full(len(order), np.nan)
    return np.stack([held if time_ns > end_ns else knots.get(int(time_ns), unknown)
                     for time_ns in times_ns])
