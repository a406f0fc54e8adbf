"""What a robot was told to do: the published plans, joined as a controller joins them.

Each message replaces the one before it, so what is executed of it reaches from its stamp, the
last knot before it was published, to the stamp of the next. Frozen knots are the same in both,
so a controller that gets it later, within the frozen horizon, does the same; messages that take
longer are counted by :func:`late_plans`::

    message 1   k0 k1 k2 k3|k4 k5 k6 brake
    message 2            k3 k4 k5 k6|k7 k8 brake
    executed    k0 k1 k2 k3 k4 k5 k6 k7 ...
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..measures.limit_audit import audit_motion, LimitViolations
from ..motion.collision import SelfCollisionGuard
from ..motion.robot import RobotProfile
from ..sim.controller import TrajectoryMessage
from ..timeline import KNOT_RATE_HZ, NS_PER_S
from ..types import Float64Array

_LONGEST_STEP_S = 1.5 / KNOT_RATE_HZ


@dataclass(frozen=True, slots=True)
class PublishedMotion:
    """Knots in order of time.

    Attributes:
        times_s: shape (K,), ROS time [s].
        positions: shape (K, N), [rad].
        velocities: shape (K, N), [rad/s].
    """

    times_s: Float64Array
    positions: Float64Array
    velocities: Float64Array

    def __len__(self) -> int:
        return len(self.times_s)


def motion_of(message: TrajectoryMessage, columns: Sequence[str]) -> PublishedMotion:
    """Return the knots of one message with joints in the order of ``columns``."""
    order = [message.joint_names.index(name) for name in columns]
    times_ns = np.array([message.stamp_ns + point.time_from_start_ns for point in message.points])
    return PublishedMotion(
        times_ns / NS_PER_S, np.stack([point.positions for point in message.points])[:, order],
        np.stack([point.velocities for point in message.points])[:, order])


def executed(plans: Sequence[TrajectoryMessage],
             columns: Sequence[str]) -> list[PublishedMotion]:
    """Return what was executed of the plans, cut where a plan ended before the next began.

    Args:
        plans: messages in order of publication.
        columns: N joint names, order of the result.
    """
    parts: list[PublishedMotion] = []
    for index, message in enumerate(plans):
        motion = motion_of(message, columns)
        later_s = (plans[index + 1].stamp_ns / NS_PER_S if index + 1 < len(plans)
                   else float('inf'))
        chosen = motion.times_s < later_s
        parts.append(PublishedMotion(motion.times_s[chosen], motion.positions[chosen],
                                     motion.velocities[chosen]))
    return _runs(_joined(parts, len(columns)))


def late_plans(plans: Sequence[tuple[int, TrajectoryMessage]], horizon_s: float) -> int:
    """Return how many of the plans (arrival [ns], message) came after their frozen horizon.

    A plan is said several times, in case one message is lost; its first arrival counts.
    """
    allowed_ns = round((horizon_s + 1.0 / KNOT_RATE_HZ) * NS_PER_S)
    arrived: dict[tuple[int, bytes], int] = {}
    for arrival_ns, message in plans:
        positions = np.array([point.positions for point in message.points])
        arrived.setdefault((message.stamp_ns, positions.tobytes()), arrival_ns)
    return sum(arrival_ns - stamp_ns > allowed_ns
               for (stamp_ns, _), arrival_ns in arrived.items())


def _joined(parts: Sequence[PublishedMotion], count: int) -> PublishedMotion:
    return PublishedMotion(
        np.concatenate([np.empty(0), *(part.times_s for part in parts)]),
        np.concatenate([np.empty((0, count)), *(part.positions for part in parts)]),
        np.concatenate([np.empty((0, count)), *(part.velocities for part in parts)]))


def _runs(motion: PublishedMotion) -> list[PublishedMotion]:
    """Return the stretches without a gap; stamps of the two sides of a gap differ in phase."""
    steps = np.diff(motion.times_s)
    cuts = np.flatnonzero((steps > _LONGEST_STEP_S) | (steps <= 0.0)) + 1
    edges = [0, *cuts.tolist(), len(motion)]
    return [PublishedMotion(motion.times_s[a:b], motion.positions[a:b], motion.velocities[a:b])
            for a, b in zip(edges, edges[1:]) if b > a]


def audit_published(plans: Sequence[TrajectoryMessage], profile: RobotProfile,
                    motion: Sequence[PublishedMotion]) -> LimitViolations:
    """Return the violations in what was executed and in every message, executed or not.

    Args:
        plans: every message.
        profile: the robot.
        motion: what was executed of them; only this is looked at for self-collisions.
    """
    found = LimitViolations()
    published = [motion_of(message, profile.joint_names) for message in plans]
    for stretch in (*motion, *published):
        found += audit_motion(stretch.times_s, stretch.positions, stretch.velocities,
                              profile.limits)
    guard = SelfCollisionGuard(profile)
    touching = sum(guard.audit(stretch.positions) for stretch in motion)
    return replace(found, self_collision=touching)
