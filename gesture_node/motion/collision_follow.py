"""Follows targets so that the limited motion itself, not only its targets, keeps links apart.

The guard moves targets apart, but the limiter follows each joint for itself and may lag, so the
motion can cut a corner that its targets went round. Here each stretch of motion is taken only if
it and the brake after it are free of overlaps; otherwise, in this order:

1. the targets are replaced by the motion's own poses moved apart, and followed anew;
2. as much of the motion is kept as leaves a free brake, and then that brake is taken.

The brake of the state before was found free when that state was taken, so there is always one
free way on: a robot that starts free stays free, at every knot. Between knots a small reserve
protects. A start in contact is not made worse.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..types import Float64Array
from .collision import SelfCollisionGuard
from .limiter_state import LimitedMotion, LimiterState
from .limits import MotionLimiter

RESERVE_M = 0.002
_EASED_M = 1e-9


@dataclass(frozen=True, slots=True)
class FreeMotion:
    """Motion that keeps links apart.

    Attributes:
        motion: K knots inside every limit.
        brake: the free stop after the last of them.
        parted: whether targets were replaced because the motion would have met a link.
        braked_knots: knots at the end that brake because nothing else was free.
    """

    motion: LimitedMotion
    brake: LimitedMotion
    parted: bool = False
    braked_knots: int = 0


class CollisionFreeLimiter:
    """A limiter and a guard together; immutable.

    Args:
        limiter: keeps position, velocity, acceleration and jerk limits.
        guard: knows the links.
    """

    def __init__(self, limiter: MotionLimiter, guard: SelfCollisionGuard) -> None:
        self.limiter, self.guard = limiter, guard

    def follow(self, state: LimiterState, targets: Float64Array) -> FreeMotion:
        """Follow targets (K, N) from a state whose brake is free; see ``MotionLimiter.follow``.

        Unlike there, cutting targets into calls differently may change the motion where a link
        is near, because every call ends with a brake that is looked at.
        """
        motion = self.limiter.follow(state, targets)
        brake = self.limiter.brake(motion.state)
        if not len(motion.positions) or self._is_free(motion, brake, RESERVE_M):
            return FreeMotion(motion, brake)
        # What the state itself cannot avoid any more is not asked for.
        reserve = min(RESERVE_M, self._clearance(self.limiter.brake(state))) - _EASED_M
        apart, _ = self.guard.guard(motion.positions, state.positions)
        around = self.limiter.follow(state, apart)
        brake = self.limiter.brake(around.state)
        if self._is_free(around, brake, reserve):
            whole = replace(around, report=motion.report + around.report)
            return FreeMotion(whole, brake, parted=True)
        return self._braked(state, targets, motion, reserve)

    def _clearance(self, motion: LimitedMotion) -> float:
        return float(self.guard.clearance(motion.positions).min())

    def _is_free(self, motion: LimitedMotion, brake: LimitedMotion, reserve: float) -> bool:
        poses = np.concatenate([motion.positions, brake.positions])
        return bool(self.guard.keeps(poses, reserve).all())

    def _braked(self, state: LimiterState, targets: Float64Array, motion: LimitedMotion,
                reserve: float) -> FreeMotion:
        """Return the motion up to where its brake is still free, then the brake."""
        count = len(targets)
        near = ~self.guard.keeps(motion.positions, reserve)
        kept = int(np.argmax(near)) if near.any() else count - 1
        part = self.limiter.follow(state, targets[:kept])
        brake = self.limiter.brake(part.state)
        while kept and not self._is_free(part, brake, reserve):
            kept //= 2
            part = self.limiter.follow(state, targets[:kept])
            brake = self.limiter.brake(part.state)
        rows = np.minimum(np.arange(count - kept), len(brake.positions) - 1)
        positions = np.concatenate([part.positions, brake.positions[rows]])
        velocities = np.concatenate([part.velocities, brake.velocities[rows]])
        accelerations = np.concatenate([part.accelerations, brake.accelerations[rows]])
        final = self.limiter.moving_state(positions[-1], velocities[-1], accelerations[-1])
        final = replace(final, speed_scale=part.state.speed_scale)
        braked = LimitedMotion(positions, velocities, accelerations, final, motion.report)
        return FreeMotion(braked, self.limiter.brake(final), parted=True,
                          braked_knots=count - kept)
