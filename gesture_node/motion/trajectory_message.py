"""A stretch of a plan as a trajectory message carries it, in each of the three stamp policies.

What a controller does with it (``joint_trajectory_controller`` of ros2_controllers, Humble to
Kilted): it forgets the running trajectory on receipt, skips the points already past, and runs a
cubic through positions and velocities between the two points around the present time. So::

            t0        t1   now  t2        t3              stamp     first point after
    past    x---------x----|----x---------x--- ...        t1        0
    future                      x---------x--- ...        t2        0   (t2 past the horizon)
    zero                   |----x---------x--- ...        0         t2 - now

With ``past`` two messages that share their knots make the controller run the same cubic, bit for
bit: nothing shows where one message replaced the other, and a lost one does no harm.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import Float64Array
from .trajectory_knots import Knots

STAMP_POLICIES = ('past', 'future', 'zero')


@dataclass(frozen=True, slots=True)
class TrajectoryMessage:
    """What ``trajectory_msgs/JointTrajectory`` is filled from.

    Attributes:
        joint_names: N joints, order of the columns.
        stamp_ns: ROS time of ``time_from_start`` 0 [ns]; 0 means on receipt.
        times_from_start_ns: P integers, strictly increasing [ns].
        positions: shape (P, N), [rad].
        velocities: shape (P, N), [rad/s]; the last row is exactly zero.
    """

    joint_names: tuple[str, ...]
    stamp_ns: int
    times_from_start_ns: tuple[int, ...]
    positions: Float64Array
    velocities: Float64Array


def trajectory_message(joint_names: tuple[str, ...], knots: Knots, now_ns: int, policy: str,
                       lead_ns: int) -> TrajectoryMessage | None:
    """Return the message for a plan, or ``None`` when the plan ends by now.

    Args:
        joint_names: N joints.
        knots: the plan.
        now_ns: ROS time.
        policy: one of ``STAMP_POLICIES``.
        lead_ns: how far beyond now a ``future`` stamp is at least.

    Raises:
        ValueError: the policy is none of the three.
    """
    if policy not in STAMP_POLICIES:
        allowed = ', '.join(STAMP_POLICIES)
        raise ValueError(f'stamp policy must be one of {allowed}, got {policy!r}')
    times = knots.times_ns
    if not len(times) or times[-1] <= now_ns:
        return None
    if policy == 'past':
        first = max(int(np.searchsorted(times, now_ns, side='right')) - 1, 0)
        stamp_ns = int(times[first])
    elif policy == 'future':
        first = min(int(np.searchsorted(times, now_ns + lead_ns)), len(times) - 1)
        stamp_ns = int(times[first])
    else:
        first = int(np.searchsorted(times, now_ns, side='right'))
        stamp_ns = 0
    origin_ns = stamp_ns if stamp_ns else now_ns
    return TrajectoryMessage(
        joint_names=joint_names, stamp_ns=stamp_ns,
        times_from_start_ns=tuple(int(time_ns) - origin_ns for time_ns in times[first:]),
        positions=knots.positions[first:].copy(), velocities=knots.velocities[first:].copy())
