"""Counts limit violations on motion that was published, knowing nothing of how it was made.

The motion is taken at its word: knots with positions and velocities, between which a controller
runs a cubic. Its acceleration is extreme at the ends of a segment, so checking those two values
checks the whole segment. Jerk is the step of acceleration over the knot interval, as the limiter
defines it. Rounding of the message format is allowed for; nothing else is.
"""
from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from .motion.limits import JointLimits
from .types import Float64Array

_ROUNDING_RAD = 1e-6
_ROUNDING_SHARE = 1e-3
"""Velocities and accelerations may exceed their limit by a thousandth, which is rounding."""


@dataclass(frozen=True, slots=True)
class LimitViolations:
    """How many joint-knots broke a limit; one joint beyond a limit for one second counts 50.

    Attributes:
        position, velocity, acceleration, jerk: joint-knots.
        self_collision: knots at which links touch; -1 where it was not checked.
    """

    position: int = 0
    velocity: int = 0
    acceleration: int = 0
    jerk: int = 0
    self_collision: int = 0

    def __add__(self, other: LimitViolations) -> LimitViolations:
        """Return the counts of two stretches together."""
        mine, theirs = asdict(self), asdict(other)
        return LimitViolations(**{name: mine[name] + theirs[name] for name in mine})

    @property
    def total(self) -> int:
        """All violations that were found."""
        return sum(max(0, count) for count in asdict(self).values())


def audit_motion(positions: Float64Array, velocities: Float64Array, limits: JointLimits,
                 rate_hz: float, with_jerk: bool = True) -> LimitViolations:
    """Return the violations of a stretch of knots.

    Args:
        positions: shape (K, N), [rad].
        velocities: shape (K, N), [rad/s].
        limits: hard limits of the N joints.
        rate_hz: knots per second.
        with_jerk: false where knots are not of one continuous motion.
    """
    position, velocity = np.asarray(positions), np.asarray(velocities)
    bad = ~(np.isfinite(position) & np.isfinite(velocity))
    outside = bad | (position < limits.lower - _ROUNDING_RAD) | (
        position > limits.upper + _ROUNDING_RAD)
    fast = np.abs(velocity) > limits.velocity * (1.0 + _ROUNDING_SHARE)
    start, end = segment_accelerations(position, velocity, rate_hz)
    extreme = np.maximum(np.abs(start), np.abs(end))
    steep = extreme > limits.acceleration * (1.0 + _ROUNDING_SHARE) + _ROUNDING_RAD * rate_hz ** 2
    rough = np.abs(np.diff(0.5 * (start + end), axis=0)) * rate_hz > (
        limits.jerk * (1.0 + _ROUNDING_SHARE) + _ROUNDING_RAD * rate_hz ** 3)
    return LimitViolations(int(outside.sum()), int(fast.sum()), int(steep.sum()),
                           int(rough.sum()) if with_jerk else 0)


def segment_accelerations(positions: Float64Array, velocities: Float64Array,
                          rate_hz: float) -> tuple[Float64Array, Float64Array]:
    """Return accelerations (K - 1, N) at the start and the end of the cubic of each segment."""
    slope = np.diff(positions, axis=0) * rate_hz
    before, after = velocities[:-1], velocities[1:]
    return ((6.0 * slope - 4.0 * before - 2.0 * after) * rate_hz,
            (-6.0 * slope + 2.0 * before + 4.0 * after) * rate_hz)
