"""How fast hands move through space, and targets slowed down until they are slow enough.

A hand is every capsule beyond the last joint of an arm, and the wrist. The velocity of a rigid
body is affine in the point, so it is largest at the ends of the capsules' segments.
"""
from __future__ import annotations

import numpy as np

from ..types import Float64Array
from .collision_capsules import cross
from .collision_model import CollisionModel, GuardedRobot

NO_CAP_M_S = 10.0
"""A cap this high is none."""

_LOOKS = 4  # in each knot interval
_RESERVE_SHARE, _RESERVE_M_S = 0.02, 0.005
_HURRY = 1.1  # over slowed targets, to catch up with them
_CREEP = 0.05  # of the cap: what each joint may always do


class HandSpeed:
    """Speed of a robot's hands; immutable.

    Args:
        model: capsules and kinematics.
        robot: the profile.
        rate_hz: knots per second.
    """

    def __init__(self, model: CollisionModel, robot: GuardedRobot, rate_hz: int) -> None:
        hands = {link for arm in robot.arms for link in robot.urdf.links
                 if arm.joints[-1] in robot.urdf.joints_to(link)}
        self._rows = np.array([row for row, capsule in enumerate(model.capsules)
                               if capsule.link in hands], dtype=np.intp)
        self._model, self._step_s = model, 1.0 / rate_hz
        self._moves = model.moves[self._rows]
        self._reach = model.single_reach[self._rows].max(axis=0, initial=1e-6)
        self._velocity = robot.limits.velocity

    def bound(self, velocities: Float64Array) -> Float64Array:
        """Return a speed that hands do not exceed in any pose, shape (T,), [m/s]."""
        return np.asarray(np.abs(velocities) @ self._reach)

    def speeds(self, positions: Float64Array, velocities: Float64Array) -> Float64Array:
        """Return the speed of the fastest point of the hands.

        Args:
            positions: shape (T, N), [rad].
            velocities: shape (T, N), [rad/s].

        Returns:
            Shape (T,), [m/s].
        """
        placement = self._model.place(positions)
        weights = self._moves * velocities[:, None]
        linear, angular = weights @ placement.moments, weights @ placement.axes
        start = placement.starts[:, self._rows]
        ends = (start, start + placement.alongs[:, self._rows])
        found = [linear + cross(angular, point) for point in ends]
        return np.asarray(np.linalg.norm(np.stack(found), axis=-1).max(axis=(0, 2), initial=0.0))

    def keeps(self, positions: Float64Array, velocities: Float64Array,
              allowed_m_s: Float64Array) -> bool:
        """Return whether hands stay below a speed at every instant.

        Args:
            positions: K knots joined by parabolas, of one stretch or more, shape (..., K, N),
                [rad].
            velocities: likewise, [rad/s].
            allowed_m_s: shape (..., K - 1), largest speed in each interval.
        """
        share = np.linspace(0.0, 1.0, _LOOKS + 1).reshape(-1, *[1] * positions.ndim)
        begin = velocities[..., :-1, :]
        change = velocities[..., 1:, :] - begin
        between = begin + share * change
        poses = positions[..., :-1, :] + self._step_s * share * (begin + 0.5 * share * change)
        allowed = np.broadcast_to(allowed_m_s, between.shape[:-1]).ravel()
        between, poses = (rows.reshape(-1, positions.shape[-1]) for rows in (between, poses))
        fast = self.bound(between) > allowed
        if not fast.any():
            return True
        return bool((self.speeds(poses[fast], between[fast]) <= allowed[fast]).all())

    def allowed(self, cap_m_s: float, positions: Float64Array,
                velocities: Float64Array, count: int) -> Float64Array:
        """Return what is allowed in each of some intervals, shape (count,), [m/s].

        That is the cap, less a reserve for what lies between two looks; for hands that are too
        fast already, what the brake from there would still do.

        Args:
            cap_m_s: largest speed.
            positions: the brake, its start included, shape (K, N), [rad].
            velocities: likewise, [rad/s].
            count: number of intervals.
        """
        allowed = np.full(count, cap_m_s * (1.0 - _RESERVE_SHARE) - _RESERVE_M_S)
        if (self.bound(velocities) > cap_m_s).any():
            speed = self.speeds(positions, velocities) * (1.0 + _RESERVE_SHARE)
            falling = np.maximum.accumulate(speed[::-1])[::-1][:count]
            allowed[:len(falling)] = np.maximum(allowed[:len(falling)], falling)
        return allowed

    def slowed(self, cap_m_s: float, previous: Float64Array,
               targets: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return targets that hands reach no faster than a cap, lagging where they must.

        Args:
            cap_m_s: largest speed.
            previous: target before the first, shape (N,), [rad].
            targets: shape (K, N), finite, [rad].

        Returns:
            Targets, shape (K, N), and the fraction of the velocity limits that is enough to
            follow them, shape (N,).
        """
        slowed, last = np.empty_like(targets), previous
        for row, target in enumerate(targets):
            step = target - last
            if self.bound(step[None])[0] > cap_m_s * self._step_s:
                speed = self.speeds(last[None], step[None] / self._step_s)[0]
                if speed > cap_m_s:
                    target = last + step * (cap_m_s / speed)
            slowed[row] = last = target
        speed = np.abs(np.diff(slowed, axis=0, prepend=previous[None])).max(axis=0, initial=0.0)
        enough = _HURRY * speed / self._step_s + _CREEP * cap_m_s / self._reach
        return slowed, np.minimum(enough / self._velocity, 1.0)
