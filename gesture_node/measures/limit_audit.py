"""Counts limit violations on motion that was published, knowing nothing of how it was made.

The motion is taken at its word: knots with positions and velocities, between which a controller
runs a cubic. Each is checked where it is extreme, so between knots too: position where its
velocity vanishes, velocity where its acceleration vanishes, acceleration, which is linear, at both
ends of the segment. Jerk is the step of acceleration over the knot interval, as the limiter
defines it. Rounding of the message format is allowed for; nothing else is.
"""
from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from ..motion.limits import JointLimits
from ..types import Float64Array

_ROUNDING_RAD = 1e-6
_ROUNDING_SHARE = 1e-3
"""Velocities and accelerations may exceed their limit by a thousandth, which is rounding."""


@dataclass(frozen=True, slots=True)
class LimitViolations:
    """How many joint-knots broke a limit; one joint beyond a limit for one second counts 50.

    Attributes:
        position, velocity, acceleration, jerk: joint-knots.
        self_collision: knots at which links touch.
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
        return sum(asdict(self).values())


@np.errstate(invalid='ignore')
def audit_motion(times_s: Float64Array, positions: Float64Array, velocities: Float64Array,
                 limits: JointLimits) -> LimitViolations:
    """Return the violations of a stretch of continuous motion.

    Args:
        times_s: shape (K,), increasing, [s].
        positions: shape (K, N), [rad].
        velocities: shape (K, N), [rad/s].
        limits: hard limits of the N joints.
    """
    bad = ~(np.isfinite(positions) & np.isfinite(velocities))
    outside = bad | (positions < limits.lower - _ROUNDING_RAD) | (
        positions > limits.upper + _ROUNDING_RAD)
    fast = np.abs(velocities) > limits.velocity * (1.0 + _ROUNDING_SHARE)
    duration_s = np.diff(times_s)[:, None]
    start, end = segment_accelerations(duration_s, positions, velocities)
    extreme = np.maximum(np.abs(start), np.abs(end))
    lowest, highest = _inner_positions(duration_s, positions, velocities, start, end)
    beyond = (lowest < limits.lower - _ROUNDING_RAD) | (highest > limits.upper + _ROUNDING_RAD)
    outside[1:] |= beyond
    fast[1:] |= _inner_speed(duration_s, velocities, start, end) > (
        limits.velocity * (1.0 + _ROUNDING_SHARE) + _ROUNDING_RAD / duration_s)
    steep = extreme > (limits.acceleration * (1.0 + _ROUNDING_SHARE)
                       + _ROUNDING_RAD / duration_s ** 2)
    between_s = 0.5 * (duration_s[:-1] + duration_s[1:])
    rough = np.abs(np.diff(0.5 * (start + end), axis=0)) / between_s > (
        limits.jerk * (1.0 + _ROUNDING_SHARE) + _ROUNDING_RAD / between_s ** 3)
    return LimitViolations(int(outside.sum()), int(fast.sum()), int(steep.sum()),
                           int(rough.sum()))


def segment_accelerations(duration_s: Float64Array, positions: Float64Array,
                          velocities: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return accelerations (K - 1, N) at the start and the end of the cubic of each segment.

    Args:
        duration_s: shape (K - 1, 1), length of each segment.
        positions: shape (K, N).
        velocities: shape (K, N).
    """
    slope = np.diff(positions, axis=0) / duration_s
    before, after = velocities[:-1], velocities[1:]
    return ((6.0 * slope - 4.0 * before - 2.0 * after) / duration_s,
            (-6.0 * slope + 2.0 * before + 4.0 * after) / duration_s)


def _inner_positions(duration_s: Float64Array, positions: Float64Array, velocities: Float64Array,
                     start: Float64Array, end: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return the lowest and the highest position (K - 1, N) at which each cubic turns."""
    leave, twist = velocities[:-1], (end - start) / duration_s
    # The velocity is leave + start t + twist t^2 / 2; both roots, in the form that does not
    # cancel. A root outside the segment is moved to its end, where it does no harm.
    carrier = -(start + np.copysign(np.sqrt(np.maximum(
        start * start - 2.0 * twist * leave, 0.0)), start))
    with np.errstate(divide='ignore', invalid='ignore'):
        roots_s = np.nan_to_num(np.stack([carrier / twist, 2.0 * leave / carrier]))
    at_s = np.clip(roots_s, 0.0, duration_s)
    turns = positions[:-1] + at_s * (leave + at_s * (0.5 * start + at_s * twist / 6.0))
    return turns.min(axis=0), turns.max(axis=0)


def _inner_speed(duration_s: Float64Array, velocities: Float64Array, start: Float64Array,
                 end: Float64Array) -> Float64Array:
    """Return the speed (K - 1, N) of each cubic where its acceleration vanishes."""
    change = end - start
    share = np.clip(-start / np.where(change == 0.0, 1.0, change), 0.0, 1.0)
    share = np.where(change == 0.0, 0.0, share)
    return np.abs(velocities[:-1] + duration_s * share * (start + 0.5 * share * change))
