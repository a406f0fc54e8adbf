"""Joint limits, and the limiter that no motion leaves.

Promise: whatever targets come in (steps, noise, NaN, infinities, a hostile network), what goes
out is inside the position, velocity and acceleration limits at every instant, between knots too,
and the acceleration changes by at most ``jerk * T`` from one knot interval to the next.

How: the acceleration is constant over each interval of the knot grid, so positions are parabolas
and a controller's cubic through ``(position, velocity)`` at the knots reproduces them exactly. A
candidate step is taken only if the brake that would follow it (``limiter_brake``) stays inside
the limits. The brake of the present state is itself such a step, so there always is one: the
limits hold by induction from any start at rest inside them, and a start outside them (measured
positions beyond a soft limit) is never left further behind, only brought back.

Tracking: targets are the control points of a quadratic B-spline, moved half an interval ahead by
the last difference, ``c = target + (target - last target) / 2``: no lag for steady motion, no
ringing, and only the present and the last target are needed, so cutting the targets into calls
differently changes no bit. Where limits forbid that motion, the joint takes the quickest way
back to it: the acceleration at which a brake relative to the moving target would end on it. The
idea of a limit filter steered by stopping distances is that of time-optimal trajectory filters
(Kröger, "On-Line Trajectory Generation in Robotic Systems", 2010; Biagiotti and Melchiorri,
"Trajectory Planning for Automatic Machines and Robots", 2008, ch. 4).
"""
from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ..exceptions import RobotError
from ..timeline import KNOT_RATE_HZ
from ..types import Float64Array
from .limiter_brake import brake_extent, brake_step
from .limiter_follow import Follower
from .limiter_state import LimitedMotion, LimiterState, LimitReport
from .limiter_step import Bounds

__all__ = ['JointLimits', 'LimitedMotion', 'LimiterState', 'LimitReport', 'MotionLimiter']

_LARGEST_MARGIN = 0.25  # of a joint's range: a margin never closes a short range


@dataclass(frozen=True, slots=True)
class JointLimits:
    """What N joints may do; every array has shape (N,), float64.

    Attributes:
        lower: lowest position [rad].
        upper: highest position [rad].
        velocity: largest speed [rad/s].
        acceleration: largest acceleration [rad/s^2].
        jerk: largest rate of acceleration [rad/s^3]; on a knot grid of spacing T the
            acceleration steps by at most ``jerk * T``.
    """

    lower: Float64Array
    upper: Float64Array
    velocity: Float64Array
    acceleration: Float64Array
    jerk: Float64Array

    def __post_init__(self) -> None:
        """Check shapes and values, and take float64 copies.

        Raises:
            RobotError: naming the first limit and joint that cannot be right.
        """
        for item in fields(self):
            values = np.array(getattr(self, item.name), dtype=np.float64)
            values.flags.writeable = False
            object.__setattr__(self, item.name, values)
            if values.shape != self.lower.shape or values.ndim != 1:
                raise RobotError(f'{item.name} limits must have shape {self.lower.shape[:1]}, '
                                 f'one per joint, got {values.shape}')
            _require(np.isfinite(values), item.name, values, 'finite')
            if item.name not in ('lower', 'upper'):
                _require(values > 0.0, item.name, values, 'above zero')
        _require(self.lower < self.upper, 'upper', self.upper, 'above the lower limit')

    @property
    def n_joints(self) -> int:
        """Number of joints."""
        return len(self.lower)

    def scaled(self, velocity: float = 1.0, acceleration: float = 1.0,
               margin_rad: float = 0.0) -> JointLimits:
        """Return limits further inside.

        Args:
            velocity: factor on velocity limits, in (0, 1].
            acceleration: factor on acceleration and jerk limits, in (0, 1].
            margin_rad: distance kept from both position limits, at most a quarter of a
                joint's range.

        Raises:
            RobotError: a factor is outside (0, 1], or the margin is negative.
        """
        for name, factor in (('velocity', velocity), ('acceleration', acceleration)):
            if not 0.0 < factor <= 1.0:
                raise RobotError(f'{name} factor must be in (0, 1], got {factor}')
        if not margin_rad >= 0.0:
            raise RobotError(f'position margin must not be negative, got {margin_rad} rad')
        margin = np.minimum(margin_rad, _LARGEST_MARGIN * (self.upper - self.lower))
        return JointLimits(self.lower + margin, self.upper - margin, self.velocity * velocity,
                           self.acceleration * acceleration, self.jerk * acceleration)


def _require(holds: NDArray[np.bool_], name: str, values: Float64Array, allowed: str) -> None:
    if not holds.all():
        joint = int(np.argmin(holds))
        raise RobotError(f'{name} limit of joint {joint} must be {allowed}, got {values[joint]}')


class MotionLimiter:
    """Turns target positions into motion that obeys every limit; immutable, safe to share."""

    def __init__(self, limits: JointLimits, rate_hz: int = KNOT_RATE_HZ) -> None:
        """Prepare a limiter.

        Args:
            limits: what the joints may do.
            rate_hz: knots per second; targets and output are on this grid.
        """
        self.limits = limits
        self.rate_hz = rate_hz
        step = limits.jerk / rate_hz
        self._step = step
        self._bounds = Bounds(lower=limits.lower, upper=limits.upper, unit=step / rate_hz ** 2,
                              cap=limits.acceleration / step,
                              speed=limits.velocity * rate_hz / step)
        self._follower = Follower(self._bounds, step)

    def rest_state(self, positions: Float64Array, speed_scale: float = 1.0) -> LimiterState:
        """Return a state at rest.

        Args:
            positions: shape (N,), [rad]; may lie outside the limits, as measured positions do:
                the motion then only comes back in.
            speed_scale: fraction of the velocity limits to start with, for a gentle approach
                from far away; it grows by 1 % a knot, and is 1 once a joint has caught up.

        Raises:
            RobotError: a position is not finite, the shape is wrong, or the scale is not in
                (0, 1].
        """
        positions = np.asarray(positions, dtype=np.float64)
        return self.moving_state(positions, np.zeros_like(positions), None, speed_scale)

    def moving_state(self, positions: Float64Array, velocities: Float64Array,
                     accelerations: Float64Array | None = None,
                     speed_scale: float = 1.0) -> LimiterState:
        """Return the state of a motion under way, such as a knot of a plan that is being played.

        Args:
            positions: shape (N,), [rad].
            velocities: shape (N,), [rad/s].
            accelerations: shape (N,), [rad/s^2], of the interval that ends at the knot; zero
                when not given.
            speed_scale: see :meth:`rest_state`.

        Raises:
            RobotError: something is not finite or not of shape (N,).
        """
        if not 0.0 < speed_scale <= 1.0:
            raise RobotError(f'speed scale must be in (0, 1], got {speed_scale}')
        if accelerations is None:
            accelerations = np.zeros(self.limits.n_joints)
        arrays = []
        for name, values in (('position', positions), ('velocity', velocities),
                             ('acceleration', accelerations)):
            values = np.array(values, dtype=np.float64)
            if values.shape != (self.limits.n_joints,):
                raise RobotError(f'{name} must have shape ({self.limits.n_joints},), '
                                 f'got {values.shape}')
            _require(np.isfinite(values), name, values, 'finite')
            arrays.append(values)
        half = 0.5 * arrays[1] / self.rate_hz
        unknown = np.full(self.limits.n_joints, np.nan)
        return LimiterState(before=arrays[0] - half, after=arrays[0] + half,
                            accelerations=arrays[2], reference_before=unknown,
                            reference_after=unknown, target=unknown,
                            speed_scale=np.full(self.limits.n_joints, float(speed_scale)),
                            rate_hz=self.rate_hz)

    def follow(self, state: LimiterState, targets: Float64Array,
               speed_share: Float64Array | None = None) -> LimitedMotion:
        """Follow targets; cutting them into several calls gives the same bits.

        Args:
            state: motion at the knot before the first target.
            targets: shape (K, N), [rad]; anything, NaN and infinity included.
            speed_share: fraction of each joint's velocity limit to use, shape (N,); all of it
                when not given.

        Raises:
            RobotError: the targets do not have one column per joint.
        """
        targets = np.asarray(targets, dtype=np.float64)
        if targets.ndim != 2 or targets.shape[1] != self.limits.n_joints:
            raise RobotError(f'targets must have shape (K, {self.limits.n_joints}), '
                             f'got {targets.shape}')
        return self._follower.follow(state, targets, speed_share)

    def allows(self, positions: Float64Array, velocities: Float64Array) -> bool:
        """Return whether motion (K, N) on the knot grid may be played; this limiter sees no links.

        Args:
            positions: shape (K, N), [rad].
            velocities: shape (K, N), [rad/s].
        """
        return True

    def brake_lengths(self, velocities: Float64Array,
                      accelerations: Float64Array) -> Float64Array:
        """Return how long the path of every joint is in the stops from some knots.

        Args:
            velocities: shape (K, N), [rad/s].
            accelerations: of the intervals that end there, shape (K, N), [rad/s^2].

        Returns:
            Shape (K, N), [rad].
        """
        unit = self._bounds.unit
        extent = brake_extent(velocities / (self.rate_hz * unit), accelerations / self._step,
                              self._bounds.cap)
        # A brake turns round at most once: out to its furthest point, then to where it stops.
        furthest = np.where(extent.upper > np.maximum(extent.stop, 0.0), extent.upper,
                            extent.lower)
        return np.asarray(unit * np.maximum(np.abs(extent.stop),
                                            np.abs(furthest) + np.abs(extent.stop - furthest)))

    def brakes(self, positions: Float64Array, velocities: Float64Array,
               accelerations: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return the stops from some knots, those that end sooner held.

        Args:
            positions: shape (K, N), [rad].
            velocities: shape (K, N), [rad/s].
            accelerations: of the intervals that end there, shape (K, N), [rad/s^2].

        Returns:
            Positions [rad] and velocities [rad/s], shape (K, M, N), the knots themselves first.
        """
        half, unknown = 0.5 * velocities / self.rate_hz, np.full(self.limits.n_joints, np.nan)
        stops = self.brake(LimiterState(
            before=positions - half, after=positions + half, accelerations=accelerations,
            reference_before=unknown, reference_after=unknown, target=unknown,
            speed_scale=unknown, rate_hz=self.rate_hz))
        return (np.concatenate([positions[None], stops.positions]).swapaxes(0, 1),
                np.concatenate([velocities[None], stops.velocities]).swapaxes(0, 1))

    def brake(self, state: LimiterState) -> LimitedMotion:
        """Stop as fast as the limits allow.

        Returns:
            At least one knot; at the last one velocity and acceleration are exactly zero.
        """
        before, after = state.before, state.after
        acceleration = state.accelerations / self._step
        points: list[Float64Array] = [before, after]
        steps: list[Float64Array] = []
        while not steps or steps[-1].any() or not np.array_equal(points[-1], points[-2]):
            velocity = (after - before) / self._bounds.unit
            acceleration = brake_step(velocity, acceleration, self._bounds.cap)
            # Landing is assigned, not computed, so that it is exact.
            lands = np.abs(velocity + acceleration) < 1e-9
            before, after = after, np.where(
                lands, after, after + (velocity + acceleration) * self._bounds.unit)
            points.append(after)
            steps.append(acceleration * self._step)
        controls = np.array(points)
        held = np.full(self.limits.n_joints, np.nan)
        final = LimiterState(before=before, after=after, accelerations=steps[-1],
                             reference_before=held, reference_after=held, target=held,
                             speed_scale=state.speed_scale, rate_hz=self.rate_hz)
        return LimitedMotion.through(controls, np.array(steps), final, LimitReport())
