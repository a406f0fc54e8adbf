"""A stretch of a plan as a trajectory message carries it, in each of the three stamp policies.

What controllers do with it differs by version (``docs/trajectories.md``); all of them run the
cubic through positions and velocities of the two points around the present time. With t3 the
first knot that the last change touched::

            t0        t1   now  t2        t3        t4    stamp             first point after
    past    x---------x----|----x---------x---------x---  t1                0
    future                      x---------x---------x---  t2, t2 > horizon  0
    zero                   |----x---------x---------x---  0                 t2 - now

With ``past`` two messages that share their knots make the controller run the same cubic, bit for
bit: nothing shows where one message replaced the other, and a lost one does no harm while another
comes before the change is played. ``future`` is for controllers that keep what they run until the
stamp; it never stamps beyond the change itself, nor beyond the stamp of a message that still
waits, since a controller with one waiting place would drop what that one said.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import Float64Array
from .trajectory_knots import Knots
from .trajectory_smooth import smoothed

STAMP_POLICIES = ('past', 'future', 'zero')

SHORTEST_NS = 200_000_000
"""A message holds the last position until at least so long after now: a controller refuses what
ends before it arrives."""


@dataclass(frozen=True, slots=True)
class TrajectoryMessage:
    """What ``trajectory_msgs/JointTrajectory`` is filled from.

    Attributes:
        joint_names: N joints, order of the columns.
        stamp_ns: ROS time of ``time_from_start`` 0 [ns]; 0 means on receipt.
        times_from_start_ns: P integers, strictly increasing [ns].
        positions: shape (P, N), [rad].
        velocities: shape (P, N), [rad/s]; the last row is exactly zero.
        accelerations: shape (P, N), [rad/s^2]; ``None`` when they are not published.
    """

    joint_names: tuple[str, ...]
    stamp_ns: int
    times_from_start_ns: tuple[int, ...]
    positions: Float64Array
    velocities: Float64Array
    accelerations: Float64Array | None = None

    @classmethod
    def hold(cls, joint_names: tuple[str, ...], positions: Float64Array,
             within_ns: int) -> TrajectoryMessage:
        """Return the message that leads from whatever is commanded to rest at a position.

        Args:
            joint_names: N joints.
            positions: shape (N,), [rad].
            within_ns: time to get there, from receipt on.
        """
        return cls(joint_names, 0, (within_ns,), positions[None].copy(),
                   np.zeros((1, len(positions))))


def trajectory_message(joint_names: tuple[str, ...], knots: Knots, now_ns: int, policy: str,
                       step_ns: int, future_ns: int,
                       smooth: bool = False) -> TrajectoryMessage | None:
    """Return the message for a plan, or ``None`` when the plan ends by now.

    Args:
        joint_names: N joints.
        knots: the plan.
        now_ns: ROS time.
        policy: one of ``STAMP_POLICIES``.
        step_ns: spacing of knots, for those added to a plan that ends soon.
        future_ns: time that a ``future`` stamp is at, or the knot after it.
        smooth: whether to publish accelerations, of the plan smoothed to have steady ones.

    Raises:
        ValueError: the policy is none of the three.
    """
    if policy not in STAMP_POLICIES:
        allowed = ', '.join(STAMP_POLICIES)
        raise ValueError(f'stamp policy must be one of {allowed}, got {policy!r}')
    if not len(knots) or knots.times_ns[-1] <= now_ns:
        return None
    if policy == 'future':
        knots = knots.held_until(future_ns, step_ns)
    knots, accelerations = knots.held_until(now_ns + SHORTEST_NS, step_ns), None
    if smooth:
        steady = smoothed(knots, step_ns)
        knots, accelerations = steady.knots, steady.accelerations
    times = knots.times_ns
    if policy == 'past':
        first = max(int(np.searchsorted(times, now_ns, side='right')) - 1, 0)
    elif policy == 'future':
        first = int(np.searchsorted(times, future_ns))
    else:
        first = int(np.searchsorted(times, now_ns, side='right'))
    stamp_ns = 0 if policy == 'zero' else int(times[first])
    origin_ns = stamp_ns if stamp_ns else now_ns
    return TrajectoryMessage(
        joint_names=joint_names, stamp_ns=stamp_ns,
        times_from_start_ns=tuple(int(time_ns) - origin_ns for time_ns in times[first:]),
        positions=knots.positions[first:].copy(), velocities=knots.velocities[first:].copy(),
        accelerations=None if accelerations is None else accelerations[first:].copy())
