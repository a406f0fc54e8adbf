"""What passes in and out of the motion limiter: its state, its output and its report.

Motion with constant acceleration in each knot interval is a quadratic B-spline on the knot grid:
it is given by one control point per interval, and at knot ``k`` between the control points
``before`` and ``after``::

    position = (before + after) / 2          before       after
    velocity = (after - before) / T            o------x------o
    acceleration of the next interval =             knot k
        (next - 2 after + before) / T**2

The state holds control points rather than position and velocity, so that following a target
exactly is an assignment, equal to the last bit however the targets are cut into calls.
"""
from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ..types import Float64Array


@dataclass(frozen=True, slots=True)
class LimiterState:
    """Motion of N joints at one knot; a value that is never changed in place.

    Attributes:
        before: control points of the interval that ended at this knot, shape (N,), [rad].
        after: control points of the interval that begins, ``position + velocity * T / 2``, [rad].
        accelerations: acceleration of the interval that ended, shape (N,), [rad/s^2].
        reference_before: what ``before`` would be without limits, [rad]; NaN before any target.
        reference_after: what ``after`` would be without limits, [rad]; NaN before any target.
        target: last target used, shape (N,), [rad]; NaN before the first.
        speed_scale: fraction of the velocity limit in use, shape (N,); it returns to 1 for each
            joint when that joint has caught up with its target.
        rate_hz: knots per second.
    """

    before: Float64Array
    after: Float64Array
    accelerations: Float64Array
    reference_before: Float64Array
    reference_after: Float64Array
    target: Float64Array
    speed_scale: Float64Array
    rate_hz: int

    @property
    def positions(self) -> Float64Array:
        """Positions at the knot, shape (N,), [rad]."""
        return 0.5 * (self.before + self.after)

    @property
    def velocities(self) -> Float64Array:
        """Velocities at the knot, shape (N,), [rad/s]."""
        return (self.after - self.before) * self.rate_hz

    @property
    def is_at_rest(self) -> bool:
        """Whether velocity and acceleration are exactly zero in every joint."""
        return bool(np.array_equal(self.before, self.after) and not self.accelerations.any())

    @property
    def is_on_target(self) -> bool:
        """Whether every joint follows its targets without being changed by a limit."""
        return bool(np.array_equal(self.before, self.reference_before)
                    and np.array_equal(self.after, self.reference_after))


@dataclass(frozen=True, slots=True)
class LimitReport:
    """What the limiter changed; counts are joint-knots, so one joint for one second is 50.

    Attributes:
        total: joint-knots seen.
        changed: joint-knots whose motion differs from the motion asked for.
        nonfinite: targets that were NaN or infinite and replaced by the last good one.
        position: targets outside the position limits, moved onto them, and motion slowed so
            that it stops before a limit.
        velocity: joint-knots at which the motion asked for broke the velocity limit.
        acceleration: the same for the acceleration limit.
        jerk: the same for the step of acceleration between intervals.
        largest_change_rad: largest distance from a finite target to the position given out.
        summed_change_rad: sum of those distances; over ``total`` it is the mean.
    """

    total: int = 0
    changed: int = 0
    nonfinite: int = 0
    position: int = 0
    velocity: int = 0
    acceleration: int = 0
    jerk: int = 0
    largest_change_rad: float = 0.0
    summed_change_rad: float = 0.0

    def __add__(self, other: LimitReport) -> LimitReport:
        """Return the report of two stretches of motion together."""
        sums = {item.name: getattr(self, item.name) + getattr(other, item.name)
                for item in fields(self) if item.name != 'largest_change_rad'}
        largest = max(self.largest_change_rad, other.largest_change_rad)
        return LimitReport(largest_change_rad=largest, **sums)

    def as_dict(self) -> dict[str, float]:
        """Return the report for ``summary.json``, with the mean change added."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        values['mean_change_rad'] = self.summed_change_rad / max(self.total, 1)
        return values


@dataclass(frozen=True, slots=True)
class LimitedMotion:
    """K knots of motion inside every limit, and the state after them.

    Row i belongs to target i. The interval that ends at row i has the constant acceleration
    ``accelerations[i]``, so the cubic through ``(position, velocity)`` of two neighbouring rows
    is exactly the parabola that was limited.

    Attributes:
        positions: shape (K, N), [rad].
        velocities: shape (K, N), [rad/s].
        accelerations: shape (K, N), [rad/s^2], of the interval that ends at the row.
        state: state at the last row, to follow on from.
        report: what was changed.
    """

    positions: Float64Array
    velocities: Float64Array
    accelerations: Float64Array
    state: LimiterState
    report: LimitReport

    def then(self, later: LimitedMotion) -> LimitedMotion:
        """Return this motion followed by motion that goes on from its state."""
        return LimitedMotion(
            np.concatenate([self.positions, later.positions]),
            np.concatenate([self.velocities, later.velocities]),
            np.concatenate([self.accelerations, later.accelerations]),
            later.state, self.report + later.report)

    def after(self, row: int) -> LimitedMotion:
        """Return the motion after a row; the row itself once more if it is the last."""
        rows = slice(min(row + 1, len(self.positions) - 1), None)
        return LimitedMotion(self.positions[rows], self.velocities[rows],
                             self.accelerations[rows], self.state, self.report)

    @classmethod
    def through(cls, controls: Float64Array, accelerations: Float64Array, state: LimiterState,
                report: LimitReport) -> LimitedMotion:
        """Return the motion through control points.

        Args:
            controls: shape (K + 2, N), [rad], the first two being those of the state before.
            accelerations: shape (K, N), [rad/s^2].
            state: state after the last row.
            report: what was changed.
        """
        return cls(positions=0.5 * (controls[1:-1] + controls[2:]),
                   velocities=(controls[2:] - controls[1:-1]) * state.rate_hz,
                   accelerations=accelerations, state=state, report=report)
