"""Keeps arms from meeting the body, the head and each other.

The guard works on target poses, before the limiter. A pose in which two watched capsules come
closer than the margin is moved, by damped steps along the gradient of the smallest clearance,
until they do not: the hand slides along the body instead of stopping at it. Where that fails, the
pose stays as near as is safe to the last one given out. A pose that needs neither, and lies no
further from the last than joints may move in that time, is not touched. Only the last pose given
out is remembered, so cutting the poses into calls differently changes nothing.

What is guaranteed: every pose given out keeps the margin, or is as close to the last one given
out as it must be. Between poses, and where the limiter lags behind its targets, the margin is
what protects; ``collision_follow`` looks after the limited motion itself, and
:meth:`SelfCollisionGuard.audit` counts overlaps of motion as published.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..timeline import BODY_RATE_HZ
from ..types import Float64Array
from .collision_capsules import Contacts
from .collision_model import CollisionModel, GuardedRobot
from .collision_walls import Walls

DEFAULT_MARGIN_M = 0.02
_REST_SHARE = 0.5  # of the clearance at rest: a hanging arm is never pushed away by the margin
_ROUNDS = 12
_DAMPING = 0.05 ** 2  # [m^2/rad^2], against wild steps where no joint changes the distance
_OVERSHOOT_M = 0.002
_HASTE = 1.5  # of the velocity limit: no step between poses is larger, as none could be followed
_LARGEST_MOVE_RAD = 0.15
_AUDIT_ROWS = 200
_SHARES_FORWARD = np.linspace(0.0, 1.0, 6)


class SelfCollisionGuard:
    """Self-collision guard of one robot.

    Args:
        robot: the profile.
        margin_m: clearance that poses keep; half the clearance at rest where that is less.
        rate_hz: poses per second, for how fast a kept pose is left.
        walls: workspace that the wrists keep to.

    Attributes:
        model: capsules, watched pairs and kinematics.
    """

    def __init__(self, robot: GuardedRobot, margin_m: float = DEFAULT_MARGIN_M,
                 rate_hz: float = BODY_RATE_HZ, walls: Walls | None = None) -> None:
        self.model = CollisionModel(robot, walls)
        self._margin = np.minimum(margin_m, _REST_SHARE * self.model.rest_clearance)
        self._lower, self._upper = robot.limits.lower, robot.limits.upper
        self._step = _HASTE * robot.limits.velocity / rate_hz

    def guard(self, positions: Float64Array, previous: Float64Array) -> tuple[Float64Array, int]:
        """Return poses that keep the margin.

        Args:
            positions: shape (T, N), finite, [rad].
            previous: shape (N,), the pose before the first.

        Returns:
            Shape (T, N), [rad], and the number of poses that were changed.
        """
        positions = np.asarray(positions, dtype=np.float64)
        if not len(self.model.pairs) or not len(positions):
            return positions.copy(), 0
        safe, shortfall = self._separated(positions)
        last = previous
        for row, wanted in enumerate(safe.copy()):
            if shortfall[row] > 0.0 or (np.abs(wanted - last) > self._step).any():
                safe[row] = self._approach(last, wanted)
            last = safe[row]
        return safe, int(np.count_nonzero((safe != positions).any(axis=1)))

    def clearance(self, positions: Float64Array) -> Float64Array:
        """Return the smallest clearance of each of T poses, shape (T,), [m].

        It is infinite where nothing is watched.
        """
        if not len(self.model.pairs):
            return np.full(len(positions), np.inf)
        return np.concatenate([
            self.model.clearances(self.model.place(positions[row:row + _AUDIT_ROWS])).min(axis=1)
            for row in range(0, len(positions), _AUDIT_ROWS)] or [np.empty(0)])

    def keeps(self, positions: Float64Array, clearance_m: float) -> NDArray[np.bool_]:
        """Return in which of T poses no watched pair is nearer than a clearance, shape (T,).

        The same as comparing :meth:`clearance`, but only pairs that may be near are looked at.
        """
        if not len(self.model.pairs) or not len(positions):
            return np.ones(len(positions), dtype=bool)
        placement = self.model.place(positions)
        pairs = self.model.near_pairs(placement, clearance_m)
        return np.asarray((self.model.clearances(placement, pairs) >= clearance_m).all(axis=1))

    def audit(self, positions: Float64Array) -> int:
        """Return in how many of T poses (T, N) watched links overlap."""
        return int(np.count_nonzero(np.concatenate([
            ~self.keeps(positions[row:row + _AUDIT_ROWS], 0.0)
            for row in range(0, len(positions), _AUDIT_ROWS)] or [np.empty(0, bool)])))

    def _separated(self, positions: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return poses moved apart (T, N), and by how much each still misses the margin (T,)."""
        safe, shortfall = positions.copy(), np.zeros(len(positions))
        rows = np.arange(len(positions))
        for turn in range(_ROUNDS + 1):
            placement = self.model.place(safe[rows])
            pairs = self.model.near_pairs(placement, self._margin)
            if not len(pairs):
                shortfall[rows] = 0.0
                break
            contacts = self.model.contacts(placement, pairs)
            miss = self._margin[pairs] + self.model.radii[pairs] - contacts.distance
            worst = np.argmax(miss, axis=1)
            every = np.arange(len(rows))
            amount = miss[every, worst]
            shortfall[rows] = np.maximum(amount, 0.0)
            near = amount > 0.0
            if not near.any() or turn == _ROUNDS:
                break
            nearest = Contacts(contacts.distance[every, worst], contacts.first[every, worst],
                               contacts.second[every, worst])
            slope = self.model.gradients(placement, pairs[worst], nearest)
            gain = (amount + _OVERSHOOT_M) / (np.sum(slope * slope, axis=1) + _DAMPING)
            move = np.clip(slope * gain[:, None], -_LARGEST_MOVE_RAD, _LARGEST_MOVE_RAD)
            rows = rows[near]
            safe[rows] = np.clip(safe[rows] + move[near], self._lower, self._upper)
        return safe, shortfall

    def _approach(self, last: Float64Array, wanted: Float64Array) -> Float64Array:
        """Return the pose to go to from ``last`` towards the wanted one.

        It goes as fast as joints may move, sliding along what is in the way, or as far as is
        safe, or not at all.
        """
        step = np.clip(wanted - last, -self._step, self._step)
        slid, shortfall = self._separated((last + step)[None])
        if shortfall[0] <= 0.0 and (np.abs(slid[0] - last) <= _HASTE * self._step).all():
            pose: Float64Array = slid[0]
            return pose
        trials: Float64Array = last + _SHARES_FORWARD[:, None] * step
        miss = (self._margin - self.model.clearances(self.model.place(trials))).max(axis=1)
        fine = miss <= max(float(miss[0]), 0.0)
        pose = trials[-1 if fine.all() else int(np.argmin(fine)) - 1]
        return pose
