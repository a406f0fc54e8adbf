"""Easing a robot over from one plan to another that commands something else. Knows no ROS."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..motion.limits import JointLimits
from ..sim.controller import interpolate, JointCommand, TrajectoryPoint
from ..timeline import NS_PER_S

_SHORTEST_S = 0.3
_SAME = 1e-9
"""Positions [rad] and velocities [rad/s] that differ by less are the same."""


def is_same(one: JointCommand, other: JointCommand) -> bool:
    """Return whether two commands are the same motion at one time."""
    return bool(np.abs(one.positions - other.positions).max(initial=0.0) <= _SAME
                and np.abs(one.velocities - other.velocities).max(initial=0.0) <= _SAME)


@dataclass(frozen=True, slots=True)
class Ease:
    """An offset that fades out: added to a plan, it begins where the robot is commanded to be.

    Attributes:
        offset: positions [rad] and velocities [rad/s] at the start, each (N,).
        start_ns, end_ns: when it begins and when it is gone.
    """

    offset: TrajectoryPoint
    start_ns: int
    end_ns: int

    @classmethod
    def between(cls, old: JointCommand, new: JointCommand, now_ns: int,
                limits: JointLimits) -> Ease | None:
        """Return the offset from ``new`` to ``old`` now; ``None`` if there is none.

        It takes as long as it must so that it adds at most half of the velocity limit and half
        of the acceleration limit: a quintic over T from an offset p moves at up to 1.875 p/T and
        accelerates at up to 5.78 p/T^2, one from a velocity v accelerates at up to 3.95 v/T.
        """
        gap = np.abs(old.positions - new.positions)
        speed = np.abs(old.velocities - new.velocities)
        if is_same(old, new):
            return None
        needed_s = np.maximum.reduce([
            2.0 * 1.875 * gap / limits.velocity, np.sqrt(2.0 * 5.78 * gap / limits.acceleration),
            2.0 * 3.95 * speed / limits.acceleration])
        duration_s = max(_SHORTEST_S, float(needed_s.max(initial=0.0)))
        offset = TrajectoryPoint(0, old.positions - new.positions,
                                 old.velocities - new.velocities, np.zeros(len(gap)))
        return cls(offset, now_ns, now_ns + round(duration_s * NS_PER_S))

    def added_to(self, command: JointCommand, now_ns: int) -> JointCommand:
        """Return a command with what is left of the offset."""
        zero = np.zeros(len(command.positions))
        left = interpolate(self.offset, self.start_ns, TrajectoryPoint(0, zero, zero, zero),
                           self.end_ns, now_ns)
        return JointCommand(command.positions + left.positions,
                            command.velocities + left.velocities,
                            command.accelerations + left.accelerations)
