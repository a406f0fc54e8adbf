"""Counts limit violations of motion as published, knowing nothing of how it was made.

Motion is taken at its word: knots with positions and velocities, between which a controller runs
a cubic. Each segment is checked where it is extreme, so between knots too: position where its
velocity vanishes, velocity where its acceleration vanishes, acceleration, which is linear, at
both ends. Jerk is what knots allow it to mean: from one segment to the next the mean
acceleration may change by the jerk limit times the time between their middles.

Tolerances, stated once: a millionth of each limit, plus the rounding of positions and velocities
in float64 near one radian (``TOLERANCE_RAD``) carried through the differences that are taken.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

NS_PER_S = 1e9
RELATIVE_TOLERANCE = 1e-6
TOLERANCE_RAD = 1e-9
_CHECKS_PER_S = 50
Float64Array = NDArray[np.float64]


class Limits(Protocol):
    """Limits of N joints, each array of shape (N,): what ``motion.limits.JointLimits`` has."""

    @property
    def lower(self) -> Float64Array:
        """Lowest position [rad]."""

    @property
    def upper(self) -> Float64Array:
        """Highest position [rad]."""

    @property
    def velocity(self) -> Float64Array:
        """Largest speed [rad/s]."""

    @property
    def acceleration(self) -> Float64Array:
        """Largest acceleration [rad/s^2]."""

    @property
    def jerk(self) -> Float64Array:
        """Largest jerk [rad/s^3]."""


@dataclass(frozen=True, slots=True)
class LimitAudit:
    """How often limits were broken.

    Attributes:
        position: joint-segments that leave the position limits, or are not finite.
        velocity: joint-segments faster than the limit.
        acceleration: joint-segments with more acceleration than the limit.
        jerk: joint-knots at which the acceleration steps by more than the limit.
        self_collision: poses in which links overlap.
    """

    position: int = 0
    velocity: int = 0
    acceleration: int = 0
    jerk: int = 0
    self_collision: int = 0

    def __add__(self, other: LimitAudit) -> LimitAudit:
        """Return the counts of two stretches together."""
        mine, theirs = asdict(self), asdict(other)
        return LimitAudit(**{name: mine[name] + theirs[name] for name in mine})

    @property
    def total(self) -> int:
        """All violations."""
        return sum(asdict(self).values())

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name, as ``summary.json`` has them."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Segments:
    """Cubics between K knots: arrays of shape (K - 1, N), spans (K - 1, 1) [s]."""

    start: Float64Array
    end: Float64Array
    leave: Float64Array
    arrive: Float64Array
    span_s: Float64Array

    @property
    def accelerations(self) -> tuple[Float64Array, Float64Array]:
        """Accelerations at the beginning and at the end."""
        slope = (self.end - self.start) / self.span_s
        return ((6.0 * slope - 4.0 * self.leave - 2.0 * self.arrive) / self.span_s,
                (-6.0 * slope + 2.0 * self.leave + 4.0 * self.arrive) / self.span_s)

    def positions(self, share: Float64Array) -> Float64Array:
        """Positions at shares of the span, shape (..., K - 1, N)."""
        leave, arrive = self.leave * self.span_s, self.arrive * self.span_s
        bend = 3.0 * (self.end - self.start) - 2.0 * leave - arrive
        twist = 2.0 * (self.start - self.end) + leave + arrive
        return self.start + share * (leave + share * (bend + share * twist))


def audit_limits(times_ns: NDArray[np.int64], positions: Float64Array, velocities: Float64Array,
                 limits: Limits,
                 overlaps: Callable[[Float64Array], int] | None = None) -> LimitAudit:
    """Count the violations of one stretch of motion.

    Args:
        times_ns: shape (K,), strictly increasing [ns].
        positions: shape (K, N), [rad].
        velocities: shape (K, N), [rad/s].
        limits: of the N joints.
        overlaps: takes poses (T, N) and returns in how many links overlap; the motion is sampled
            at 50 Hz for it. Not counted when absent.
    """
    finite = np.isfinite(positions) & np.isfinite(velocities)
    if not finite.all():
        return LimitAudit(position=int(np.count_nonzero(~finite)))
    if len(positions) < 2:
        outside = (positions < limits.lower) | (positions > limits.upper)
        return LimitAudit(position=int(np.count_nonzero(outside)))
    span_s = (np.diff(times_ns) / NS_PER_S)[:, None]
    segments = _Segments(positions[:-1], positions[1:], velocities[:-1], velocities[1:], span_s)
    lowest, highest = _position_range(segments)
    begin, end = segments.accelerations
    slack = TOLERANCE_RAD
    outside = (lowest < limits.lower - slack) | (highest > limits.upper + slack)
    fast = _top_speed(segments, begin, end) > _eased(limits.velocity) + slack / span_s
    force = np.maximum(np.abs(begin), np.abs(end))
    steep = force > _eased(limits.acceleration) + slack / span_s ** 2
    mean = (segments.arrive - segments.leave) / span_s
    middle_s = 0.5 * (span_s[1:] + span_s[:-1])
    step = np.abs(np.diff(mean, axis=0))
    rough = step > _eased(limits.jerk) * middle_s + slack / middle_s ** 2
    touching = 0 if overlaps is None else overlaps(_sampled(times_ns, segments))
    return LimitAudit(int(np.count_nonzero(outside)), int(np.count_nonzero(fast)),
                      int(np.count_nonzero(steep)), int(np.count_nonzero(rough)), int(touching))


def _eased(limit: Float64Array) -> Float64Array:
    return limit * (1.0 + RELATIVE_TOLERANCE)


def _position_range(segments: _Segments) -> tuple[Float64Array, Float64Array]:
    """Return the lowest and highest position of every cubic."""
    begin, end = segments.accelerations
    twist, bend = (end - begin) / segments.span_s, begin
    # Velocity is leave + bend t + twist t^2 / 2; both roots, by the form that does not cancel.
    root = np.sqrt(np.maximum(bend * bend - 2.0 * twist * segments.leave, 0.0))
    carrier = -(bend + np.copysign(root, bend))
    with np.errstate(divide='ignore', invalid='ignore'):
        times = np.stack([carrier / twist, 2.0 * segments.leave / carrier])
    share = np.clip(np.nan_to_num(times / segments.span_s, posinf=0.0, neginf=0.0), 0.0, 1.0)
    ends = np.stack([segments.start, segments.end])
    reached = np.concatenate([segments.positions(share), ends])
    return reached.min(axis=0), reached.max(axis=0)


def _top_speed(segments: _Segments, begin: Float64Array, end: Float64Array) -> Float64Array:
    """Return the highest speed of every cubic."""
    change = end - begin
    share = np.clip(np.where(change != 0.0, -begin / np.where(change != 0.0, change, 1.0), 0.0),
                    0.0, 1.0)
    inner = segments.leave + segments.span_s * share * (begin + 0.5 * share * change)
    return np.maximum(np.abs(inner), np.maximum(np.abs(segments.leave), np.abs(segments.arrive)))


def _sampled(times_ns: NDArray[np.int64], segments: _Segments) -> Float64Array:
    """Return poses at 50 Hz over the whole stretch, both ends included."""
    elapsed_s = (times_ns - times_ns[0]) / NS_PER_S
    count = int(np.ceil(elapsed_s[-1] * _CHECKS_PER_S)) + 1
    at_s = np.minimum(np.arange(count) / _CHECKS_PER_S, elapsed_s[-1])
    row = np.clip(np.searchsorted(elapsed_s, at_s, side='right') - 1, 0, len(elapsed_s) - 2)
    picked = _Segments(*(values[row] for values in (
        segments.start, segments.end, segments.leave, segments.arrive, segments.span_s)))
    return picked.positions((at_s - elapsed_s[row])[:, None] / picked.span_s)
