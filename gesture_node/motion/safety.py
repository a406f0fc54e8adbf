"""The safety layer: whatever joint positions are asked for, what comes out is safe to command.

The contract (``docs/safety.md`` says how each line is kept and proved). For any input, NaN and
infinity included, from any start at rest that is itself inside, the motion that comes out

- is inside the position limits less the margin, and inside the scaled velocity and acceleration
  limits, at every instant: at the knots and on the cubic that a controller runs between them;
- changes its acceleration from one knot interval to the next by at most jerk limit x interval;
- keeps watched links apart and wrists inside the walls, at every instant;
- keeps hands below the cap on their speed, if there is one, at every instant;
- can always be continued by a brake that keeps all of this as well.

A start outside of a limit, as measured robots may be, is never left further behind, only brought
back. All memory is in the state, a value; the layer is immutable and may be shared.
"""
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import numpy as np

from ..config import LimitsConfig
from ..timeline import BODY_RATE_HZ, KNOT_RATE_HZ
from ..types import Float64Array
from .collision import SelfCollisionGuard
from .collision_follow import CollisionFreeLimiter, FreeMotion
from .collision_model import GuardedRobot
from .collision_walls import Walls
from .limits import LimitedMotion, LimiterState, MotionLimiter
from .safety_report import Interventions
from .safety_speed import HandSpeed, NO_CAP_M_S

_KNOTS_PER_FRAME = KNOT_RATE_HZ // BODY_RATE_HZ
_FRAMES_FOR_SLOPE = 2
_PLAN_HOP_KNOTS = 10
_APPROACH_SPEED = 0.3
"""Fraction of the velocity limits with which a measured posture is left."""

Measure = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class SafetyState:
    """Motion at the last committed knot; a value.

    Attributes:
        limiter: positions, velocities and what the limiter remembers.
        target: last target, shape (N,), [rad].
        ahead: provisional motion after the knot, ending at rest; ``None`` for a brake.
    """

    limiter: LimiterState
    target: Float64Array
    ahead: LimitedMotion | None = None


@dataclass(frozen=True, slots=True)
class SafeMotion:
    """One hop of motion.

    Attributes:
        committed: motion that stays.
        ahead: provisional motion from there to rest.
        state: state after the committed motion.
    """

    committed: LimitedMotion
    ahead: LimitedMotion
    state: SafetyState


class SafetyLayer:
    """Makes the motion of one robot safe.

    Args:
        robot: the profile.
        config: how far inside its limits to stay.

    Raises:
        RobotError: a shape of the URDF is malformed, or a wall is nearer than the hands at rest.
    """

    def __init__(self, robot: GuardedRobot, config: LimitsConfig) -> None:
        self._robot = robot
        limits = robot.limits.scaled(
            velocity=config.scale * config.velocity_scale,
            acceleration=config.scale * config.acceleration_scale,
            margin_rad=config.position_margin_rad)
        self._guard = SelfCollisionGuard(
            robot, walls=Walls(config.hand_reach_m, config.hand_height_m))
        hands = HandSpeed(self._guard.model, robot, KNOT_RATE_HZ)
        self._limiter = MotionLimiter(limits)
        self._follower = CollisionFreeLimiter(self._limiter, self._guard, hands)

    @property
    def guard(self) -> SelfCollisionGuard:
        """What keeps links apart and wrists inside walls."""
        return self._guard

    def limiter(self, hand_speed_m_s: float = NO_CAP_M_S) -> MotionLimiter:
        """Return a limiter that makes single stretches of motion safe, for late chunks."""
        return _PlanLimiter(self._follower, _cap(hand_speed_m_s))

    def at_rest(self, positions: Float64Array, target: Float64Array,
                is_measured: bool) -> SafetyState:
        """Return a state at rest.

        Args:
            positions: shape (N,), [rad].
            target: where it would be without limits, shape (N,), [rad].
            is_measured: whether somebody else left the robot there; the approach is gentle then.
        """
        scale = _APPROACH_SPEED if is_measured else 1.0
        return SafetyState(self._limiter.rest_state(positions, scale), target)

    def moved(self, state: SafetyState, positions: Float64Array, velocities: Float64Array,
              accelerations: Float64Array | None) -> SafetyState:
        """Return a state with the motion that the robot is really commanded to."""
        return SafetyState(self._limiter.moving_state(positions, velocities, accelerations),
                           state.target)

    def skipped(self, state: SafetyState, knots: int) -> SafetyState:
        """Return the state some knots later, the provisional motion being played meanwhile."""
        ahead = state.ahead or self._limiter.brake(state.limiter)
        row = min(knots, len(ahead.positions)) - 1
        reached = self._limiter.moving_state(
            ahead.positions[row], ahead.velocities[row], ahead.accelerations[row])
        reached = replace(reached, speed_scale=state.limiter.speed_scale)
        return SafetyState(reached, reached.positions, ahead.after(row))

    def step(self, state: SafetyState, wanted: Float64Array, committed: int,
             counts: Interventions, hand_speed_m_s: float = NO_CAP_M_S,
             measure: Measure = lambda stage: nullcontext(),
             brakes_at_once: bool = False) -> SafeMotion:
        """Return safe motion towards positions that follow those before.

        Args:
            state: after the motion committed before.
            wanted: shape (T, N) at the body's frame rate, [rad]; anything.
            committed: frames whose motion is committed; the rest is provisional.
            counts: what was changed is added.
            hand_speed_m_s: cap on the speed of hands; ``NO_CAP_M_S`` is none. From one call to
                the next it may be anything: hands slow down as fast as limits allow.
            measure: times the stages ``collision`` and ``limits``.
            brakes_at_once: whether the provisional motion is the brake alone, for those who
                never show it; what is committed is the same.
        """
        clean = self._cleaned(wanted, state.target)
        counts.nonfinite += int(np.count_nonzero(~np.isfinite(wanted[:committed])))
        cap = _cap(hand_speed_m_s)
        with measure('collision'):
            apart, _ = self._guard.guard(clean, state.target)
        with measure('limits'):
            targets = to_knots(np.concatenate([state.target[None], apart]))
            knots = committed * _KNOTS_PER_FRAME
            final = self._follower.follow(state.limiter, targets[:knots], cap)
            ahead = final.brake
            if not brakes_at_once:
                rest = self._follower.follow(final.motion.state, targets[knots:], cap)
                ahead = rest.motion.then(rest.brake)
        moved = int(np.count_nonzero((apart != clean)[:committed].any(axis=1)))
        counts.count(final, targets[:knots], moved)
        target = apart[committed - 1] if committed else state.target
        return SafeMotion(final.motion, ahead,
                          SafetyState(final.motion.state, target, ahead))

    def _cleaned(self, wanted: Float64Array, before: Float64Array) -> Float64Array:
        """Return positions inside the limits, the last finite one in place of what is not."""
        rows = np.concatenate([before[None], wanted])
        good = np.isfinite(rows)
        if not good.all():
            last = np.maximum.accumulate(
                np.where(good, np.arange(len(rows))[:, None], 0), axis=0)
            rows = np.take_along_axis(rows, last, axis=0)
        limits = self._robot.limits
        return np.asarray(np.clip(rows[1:], limits.lower, limits.upper))


class _PlanLimiter(MotionLimiter):
    """A limiter whose motion also keeps links apart."""

    def __init__(self, follower: CollisionFreeLimiter, cap_m_s: float | None) -> None:
        super().__init__(follower.limiter.limits, follower.limiter.rate_hz)
        self._free, self._cap_m_s = follower, cap_m_s

    def follow(self, state: LimiterState, targets: Float64Array,
               speed_share: Float64Array | None = None) -> LimitedMotion:
        found: FreeMotion = self._free.follow(state, targets, self._cap_m_s)
        if not found.braked_knots or len(targets) <= _PLAN_HOP_KNOTS:
            return found.motion
        # In hops, each of which goes round what is in the way for itself.
        motion = self._free.follow(state, targets[:_PLAN_HOP_KNOTS], self._cap_m_s).motion
        for row in range(_PLAN_HOP_KNOTS, len(targets), _PLAN_HOP_KNOTS):
            hop = targets[row:row + _PLAN_HOP_KNOTS]
            motion = motion.then(self._free.follow(motion.state, hop, self._cap_m_s).motion)
        return motion

    def allows(self, positions: Float64Array, velocities: Float64Array) -> bool:
        return self._free.allows(positions, velocities, self._cap_m_s)


def _cap(hand_speed_m_s: float) -> float | None:
    return hand_speed_m_s if hand_speed_m_s < NO_CAP_M_S else None


def to_knots(positions: Float64Array) -> Float64Array:
    """Return knots ``(2 T, N)`` at 50 Hz from frames ``(1 + T, N)`` at 25 Hz, the first before.

    Knots between frames are four-point cubic; past the last frame it is repeated.
    """
    padded = np.concatenate([positions, np.repeat(positions[-1:], _FRAMES_FOR_SLOPE, axis=0)])
    before, here, after, beyond = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    between = (9.0 * (here + after) - before - beyond) / 16.0
    knots = np.empty((2 * len(here), positions.shape[1]))
    knots[0::2], knots[1::2] = here, between
    return knots
