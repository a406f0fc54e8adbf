"""Follows targets so that the limited motion itself, not only its targets, keeps links apart.

The guard moves targets apart, but the limiter follows each joint for itself and may lag, so the
motion can cut a corner that its targets went round. Here each stretch of motion is taken only if
it and the brake after it are free of overlaps; otherwise, in this order:

1. the targets are replaced by the motion's own poses moved apart, and followed anew;
2. as much of the motion is kept as leaves a free brake, and then that brake is taken.

The brake of the state before was found free when that state was taken, so there is always one
free way on: a robot that starts free stays free, at every instant (``collision_path``). A start
in contact is not made worse.

With a cap on the speed of hands (``safety_speed``) the same holds for that: targets are slowed
down, and what would still be too fast is followed anew more slowly, or not at all.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..types import Float64Array
from .collision import SelfCollisionGuard
from .collision_path import PathClearance
from .limiter_state import LimitedMotion, LimiterState
from .limits import MotionLimiter
from .safety_speed import HandSpeed

RESERVE_M = 0.002
_EASED_M = 1e-9
_SLOWER = (0.9, 0.6, 0.3)  # of the cap, for targets


@dataclass(frozen=True, slots=True)
class FreeMotion:
    """Motion that keeps links apart.

    Attributes:
        motion: K knots inside every limit.
        brake: the free stop after the last of them.
        parted: whether targets were replaced because the motion would have met a link or a wall.
        slowed_knots: knots whose targets were slowed down for the cap on hands.
        braked_knots: knots at the end that brake because nothing else was free.
    """

    motion: LimitedMotion
    brake: LimitedMotion
    parted: bool = False
    slowed_knots: int = 0
    braked_knots: int = 0


@dataclass(frozen=True, slots=True)
class _Demand:
    """What motion from a state must keep to.

    Attributes:
        start: the state.
        reserve_m: clearance.
        allowed_m_s: speed of hands by interval, as far as motion and brake may last; ``None``
            without a cap.
    """

    start: LimiterState
    reserve_m: float
    allowed_m_s: Float64Array | None = None


class CollisionFreeLimiter:
    """A limiter and a guard together; immutable.

    Args:
        limiter: keeps position, velocity, acceleration and jerk limits.
        guard: knows the links.
        hands: knows the speed of hands; needed for a cap.
    """

    def __init__(self, limiter: MotionLimiter, guard: SelfCollisionGuard,
                 hands: HandSpeed | None = None) -> None:
        self.limiter, self.guard = limiter, guard
        self._hands = hands
        self._path = PathClearance(guard.model, limiter.rate_hz)

    def follow(self, state: LimiterState, targets: Float64Array,
               cap_m_s: float | None = None) -> FreeMotion:
        """Follow targets (K, N) from a state whose brake is free; see ``MotionLimiter.follow``.

        Unlike there, cutting targets into calls differently may change the motion where a link
        is near or hands are slowed, because every call ends with a brake that is looked at.

        Args:
            state: motion at the knot before the first target.
            targets: shape (K, N), [rad]; finite if there is a cap.
            cap_m_s: largest speed of the hands.
        """
        if not len(targets):
            motion = self.limiter.follow(state, targets)
            return FreeMotion(motion, self.limiter.brake(state))
        if cap_m_s is not None:
            return self._follow_slowly(state, targets, cap_m_s)
        motion = self.limiter.follow(state, targets)
        brake = self.limiter.brake(motion.state)
        if self._is_free(motion, brake, _Demand(state, RESERVE_M)):
            return FreeMotion(motion, brake)
        demand = self._bearable(state)
        found = self._around(motion, demand, None)
        return found or self._braked(targets, motion, demand, None)

    def allows(self, positions: Float64Array, velocities: Float64Array,
               cap_m_s: float | None = None) -> bool:
        """Return whether motion, and a stop at any of its knots, is as free as its start is.

        Args:
            positions: at K knots, shape (K, N), [rad].
            velocities: likewise, [rad/s].
            cap_m_s: largest speed of the hands.
        """
        least = float(self.guard.clearance(positions[:1])[0])
        demand = _Demand(self.limiter.moving_state(positions[0], velocities[0]),
                         min(least - _EASED_M, 0.0))
        if cap_m_s is not None and self._hands is not None:
            demand = replace(demand, allowed_m_s=self._hands.allowed(
                cap_m_s, positions[:1], velocities[:1], len(positions)))
        accelerations = np.diff(velocities, axis=0) * self.limiter.rate_hz
        return self._is_right(positions, velocities, accelerations, demand)

    def _follow_slowly(self, state: LimiterState, targets: Float64Array,
                       cap_m_s: float) -> FreeMotion:
        """Follow targets with hands below a speed."""
        hands = self._hands
        if hands is None:
            raise ValueError('a cap on hands needs their kinematics')
        demand, stop = self._bearable(state), self.limiter.brake(state)
        demand = replace(demand, allowed_m_s=hands.allowed(
            cap_m_s, np.concatenate([state.positions[None], stop.positions]),
            np.concatenate([state.velocities[None], stop.velocities]), len(targets)))
        previous = np.where(np.isnan(state.target), state.positions, state.target)
        for slower in _SLOWER:
            slowed, share = hands.slowed(slower * cap_m_s, previous, targets)
            motion = self.limiter.follow(state, slowed, share)
            brake = self.limiter.brake(motion.state)
            changed = int(np.count_nonzero((slowed != targets).any(axis=1)))
            if self._is_free(motion, brake, demand):
                return FreeMotion(motion, brake, slowed_knots=changed)
            found = self._around(motion, demand, share)
            if found is not None:
                return replace(found, slowed_knots=changed)
        return replace(self._braked(slowed, motion, demand, share), slowed_knots=changed)

    def _bearable(self, state: LimiterState) -> _Demand:
        """Return the demand on motion from a state; what it cannot avoid is not asked for."""
        stop = self.limiter.brake(state)
        poses = np.concatenate([state.positions[None], stop.positions])
        clearance = float(self.guard.clearance(poses).min())
        return _Demand(state, min(RESERVE_M, clearance - _EASED_M))

    def _is_free(self, motion: LimitedMotion, brake: LimitedMotion, demand: _Demand) -> bool:
        start = demand.start
        return self._is_right(
            np.concatenate([start.positions[None], motion.positions, brake.positions]),
            np.concatenate([start.velocities[None], motion.velocities, brake.velocities]),
            motion.accelerations[:-1], demand)

    def _is_right(self, positions: Float64Array, velocities: Float64Array,
                  accelerations: Float64Array, demand: _Demand) -> bool:
        """Return whether motion (K, N) keeps to a demand, and stops as well.

        Args:
            positions: shape (K, N), [rad].
            velocities: shape (K, N), [rad/s].
            accelerations: of the first intervals, shape (S, N), [rad/s^2]; the stops from the
                knots at their ends are looked at.
            demand: what to keep to.
        """
        return (self._is_slow(positions, velocities, demand, np.array(0))
                and self._path.keeps(positions, velocities, demand.reserve_m)
                and self._may_stop((positions[1:len(accelerations) + 1],
                                    velocities[1:len(accelerations) + 1], accelerations), demand))

    def _is_slow(self, positions: Float64Array, velocities: Float64Array, demand: _Demand,
                 begins: NDArray[np.intp]) -> bool:
        """Return whether stretches (..., K, N) that begin at some knots (...) keep hands slow."""
        if self._hands is None or demand.allowed_m_s is None:
            return True
        intervals = begins[..., None] + np.arange(positions.shape[-2] - 1)
        return self._hands.keeps(positions, velocities, demand.allowed_m_s[
            np.minimum(intervals, len(demand.allowed_m_s) - 1)])

    def _may_stop(self, knots: tuple[Float64Array, Float64Array, Float64Array],
                  demand: _Demand) -> bool:
        """Return whether stops from knots, the first of them the one after the start, may be."""
        if not len(knots[0]):
            return True
        if demand.allowed_m_s is not None and not self._is_slow(
                *self.limiter.brakes(*knots), demand, 1 + np.arange(len(knots[0]))):
            return False
        near = self._path.stops_to_look_at(*knots[:2], self.limiter.brake_lengths(*knots[1:]))
        return not len(near) or self._path.all_keep(
            *self.limiter.brakes(*(rows[near] for rows in knots)), min(demand.reserve_m, 0.0))

    def _around(self, motion: LimitedMotion, demand: _Demand,
                share: Float64Array | None) -> FreeMotion | None:
        """Return motion along targets moved apart, if that is free."""
        apart, _ = self.guard.guard(motion.positions, demand.start.positions)
        around = self.limiter.follow(demand.start, apart, share)
        brake = self.limiter.brake(around.state)
        if not self._is_free(around, brake, demand):
            return None
        whole = replace(around, report=motion.report + around.report)
        return FreeMotion(whole, brake, parted=True)

    def _braked(self, targets: Float64Array, motion: LimitedMotion, demand: _Demand,
                share: Float64Array | None) -> FreeMotion:
        """Return the motion up to where its brake is still free, then the brake."""
        count, state = len(targets), demand.start
        near = ~self.guard.keeps(motion.positions, demand.reserve_m)
        kept = int(np.argmax(near)) if near.any() else count - 1
        part = self.limiter.follow(state, targets[:kept], share)
        brake = self.limiter.brake(part.state)
        while kept and not self._is_free(part, brake, demand):
            kept //= 2
            part = self.limiter.follow(state, targets[:kept], share)
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
