"""How a joint trajectory controller obeys a trajectory: the sampling rules, without ROS.

This follows ``joint_trajectory_controller`` of ros2_controllers as Humble, Jazzy and Kilted ship
it: a message that passes validation **replaces** the running trajectory at once, whatever its
stamp. Then, with ``start`` the stamp of the message (0 means the time of the first sample)::

    t <  start + tfs[0]             from the state before the message to point 0
    tfs[i] <= t - start < tfs[i+1]  inside that segment only; points already past are skipped
    t >= start + tfs[last]          the last point is held

A segment is linear, cubic or quintic by the fields that both its ends carry. Times are integer
nanoseconds on one clock (ROS time); positions are radians (or metres), in the controller's order.

One thing is stricter here than in the real controller: a trajectory with a number that is not
finite is rejected, because a physics engine fed with it would be lost for good.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from ..timeline import NS_PER_S
from ..types import Float64Array

_STOPPED_RAD_S = float(np.finfo(np.float32).eps)
"""Largest end velocity that the controller takes for zero."""


class Rejection(Enum):
    """Why a controller refuses a trajectory message."""

    NO_JOINTS = 'joint_names is empty'
    JOINT_COUNT = 'the number of joints is not that of the controller'
    UNKNOWN_JOINT = 'a joint is unknown to the controller, or named twice'
    NO_POINTS = 'points is empty'
    END_VELOCITY = 'velocity of the last point is not zero'
    ENDS_IN_PAST = 'the trajectory ends in the past'
    TIMES_NOT_INCREASING = 'time_from_start does not increase strictly'
    SIZE_MISMATCH = 'a point has the wrong number of values'
    NOT_FINITE = 'a value is not finite'


@dataclass(frozen=True, slots=True)
class TrajectoryPoint:
    """One way-point; empty arrays are absent fields.

    Attributes:
        time_from_start_ns: time after the start of the trajectory [ns].
        positions: shape (N,), [rad].
        velocities: shape (N,) or empty, [rad/s].
        accelerations: shape (N,) or empty, [rad/s^2].
    """

    time_from_start_ns: int
    positions: Float64Array
    velocities: Float64Array = field(default_factory=lambda: np.empty(0))
    accelerations: Float64Array = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, slots=True)
class TrajectoryMessage:
    """What ``trajectory_msgs/JointTrajectory`` carries, as plain values.

    Attributes:
        joint_names: joints in the order of the points' values; any order, all of the controller's.
        stamp_ns: start of the trajectory [ns]; 0 means as soon as it is sampled.
        points: way-points in order of time.
    """

    joint_names: tuple[str, ...]
    stamp_ns: int
    points: tuple[TrajectoryPoint, ...]


@dataclass(frozen=True, slots=True)
class JointCommand:
    """Where the joints are wanted at one time: positions, velocities, accelerations, each (N,)."""

    positions: Float64Array
    velocities: Float64Array
    accelerations: Float64Array


@dataclass(frozen=True, slots=True)
class _Active:
    """The running trajectory, and the state from before it."""

    start_ns: int
    points: tuple[TrajectoryPoint, ...]
    before_ns: int
    before: TrajectoryPoint


class TrajectoryController:
    """A position-controlled group of joints that obeys trajectory messages.

    Args:
        joint_names: the N joints, order of every array.
        positions: where the joints are now, shape (N,), [rad]; held until a trajectory comes.
        allow_partial_joints: accept messages that leave joints out; those hold their command.
        allow_moving_end: accept a last point with velocity, as Humble does by default.
        interpolate_from_desired: take the last command as the state before a message, as
            ``interpolate_from_desired_state`` (``open_loop_control`` in Humble) does; otherwise
            the measured state, as controllers do by default.
    """

    def __init__(self, joint_names: Sequence[str], positions: Float64Array, *,
                 allow_partial_joints: bool = False, allow_moving_end: bool = False,
                 interpolate_from_desired: bool = False) -> None:
        self.joint_names = tuple(joint_names)
        self.accepted = 0
        self.rejected: Counter[Rejection] = Counter()
        self._index = {name: i for i, name in enumerate(self.joint_names)}
        self._allow_partial = allow_partial_joints
        self._allow_moving_end = allow_moving_end
        self._from_desired = interpolate_from_desired
        zero = np.zeros(len(self.joint_names))
        self._command = JointCommand(np.array(positions, dtype=np.float64), zero, zero)
        self._command_ns: int | None = None
        self._pending: TrajectoryMessage | None = None
        self._active: _Active | None = None

    def accept(self, message: TrajectoryMessage, now_ns: int) -> Rejection | None:
        """Take over a message at the next sample, or return (and count) why it is refused."""
        reason = self._reason_against(message, now_ns)
        if reason is None:
            self.accepted += 1
            self._pending = message
        else:
            self.rejected[reason] += 1
        return reason

    def sample(self, now_ns: int, measured_positions: Float64Array,
               measured_velocities: Float64Array | None = None) -> JointCommand:
        """Return the command for this control cycle.

        Args:
            now_ns: time of the cycle [ns]; never decreases.
            measured_positions: shape (N,), [rad], used as state before a new message.
            measured_velocities: shape (N,), [rad/s]; ``None`` for hardware without them, for
                which the controller assumes zero.
        """
        if self._pending is not None:
            self._start(self._pending, now_ns, measured_positions, measured_velocities)
            self._pending = None
        if self._active is not None:
            self._command = _sample(self._active, now_ns)
        self._command_ns = now_ns
        return self._command

    def _start(self, message: TrajectoryMessage, now_ns: int, positions: Float64Array,
               velocities: Float64Array | None) -> None:
        if self._from_desired and self._command_ns is not None:
            before_ns = self._command_ns
            before = TrajectoryPoint(0, self._command.positions, self._command.velocities,
                                     self._command.accelerations)
        else:
            moving = np.zeros(len(self.joint_names)) if velocities is None else velocities
            before_ns = now_ns
            before = TrajectoryPoint(0, np.array(positions), np.array(moving))
        points = tuple(self._ordered(message.joint_names, point) for point in message.points)
        self._active = _Active(message.stamp_ns or now_ns, points, before_ns, before)

    def _ordered(self, names: tuple[str, ...], point: TrajectoryPoint) -> TrajectoryPoint:
        """Return the point in the controller's order; joints left out keep their command."""
        columns = [self._index[name] for name in names]

        def ordered(values: Float64Array, held: Float64Array) -> Float64Array:
            if not len(values):
                return np.empty(0)
            full: Float64Array = held.copy()
            full[columns] = values
            return full

        still = np.zeros(len(self.joint_names))
        return TrajectoryPoint(point.time_from_start_ns,
                               ordered(point.positions, self._command.positions),
                               ordered(point.velocities, still),
                               ordered(point.accelerations, still))

    def _reason_against(self, message: TrajectoryMessage, now_ns: int) -> Rejection | None:
        names, points = message.joint_names, message.points
        if not names:
            return Rejection.NO_JOINTS
        if len(names) > len(self.joint_names) or (
                len(names) != len(self.joint_names) and not self._allow_partial):
            return Rejection.JOINT_COUNT
        if not self._index.keys() >= set(names) or len(set(names)) != len(names):
            return Rejection.UNKNOWN_JOINT
        if not points:
            return Rejection.NO_POINTS
        if message.stamp_ns and message.stamp_ns + points[-1].time_from_start_ns < now_ns:
            return Rejection.ENDS_IN_PAST
        return self._reason_against_points(points, len(names))

    def _reason_against_points(self, points: tuple[TrajectoryPoint, ...],
                               count: int) -> Rejection | None:
        for point in points:
            if len(point.positions) != count or any(
                    len(values) not in (0, count)
                    for values in (point.velocities, point.accelerations)):
                return Rejection.SIZE_MISMATCH
            if not all(np.isfinite(values).all() for values in (
                    point.positions, point.velocities, point.accelerations)):
                return Rejection.NOT_FINITE
        times = [point.time_from_start_ns for point in points]
        if times[0] < 0 or any(b <= a for a, b in zip(times, times[1:])):
            return Rejection.TIMES_NOT_INCREASING
        moving_end = bool(np.any(np.abs(points[-1].velocities) > _STOPPED_RAD_S))
        return Rejection.END_VELOCITY if moving_end and not self._allow_moving_end else None


def _sample(active: _Active, now_ns: int) -> JointCommand:
    elapsed_ns = now_ns - active.start_ns
    points = active.points
    if elapsed_ns < points[0].time_from_start_ns:
        reach_ns = active.start_ns + points[0].time_from_start_ns
        return interpolate(active.before, active.before_ns, points[0], reach_ns, now_ns)
    if elapsed_ns >= points[-1].time_from_start_ns:
        return _full(points[-1])
    times = [point.time_from_start_ns for point in points]
    segment = int(np.searchsorted(times, elapsed_ns, side='right')) - 1
    return interpolate(points[segment], active.start_ns + times[segment], points[segment + 1],
                        active.start_ns + times[segment + 1], now_ns)


def _full(point: TrajectoryPoint) -> JointCommand:
    zero = np.zeros(len(point.positions))
    return JointCommand(point.positions,
                        point.velocities if len(point.velocities) else zero,
                        point.accelerations if len(point.accelerations) else zero)


def interpolate(start: TrajectoryPoint, start_ns: int, end: TrajectoryPoint, end_ns: int,
                now_ns: int) -> JointCommand:
    """Return the state inside a segment: a polynomial as high as the fields of both ends allow.

    Args:
        start: state at the beginning; its ``time_from_start_ns`` is not read.
        start_ns: when it begins.
        end: state at the end; its ``time_from_start_ns`` is not read.
        end_ns: when it ends.
        now_ns: the time wanted; outside of the segment its nearer end is returned.
    """
    duration_s = (end_ns - start_ns) / NS_PER_S
    t = min(max((now_ns - start_ns) / NS_PER_S, 0.0), duration_s)
    if duration_s <= 0.0:
        return _full(end)
    p0, p1 = start.positions, end.positions
    rows = [p0]
    if len(start.velocities) and len(end.velocities):
        v0, v1 = start.velocities, end.velocities
        if len(start.accelerations) and len(end.accelerations):
            rows += _quintic(p0, p1, v0, v1, start.accelerations, end.accelerations, duration_s)
        else:
            rows += _cubic(p0, p1, v0, v1, duration_s)
    else:
        rows.append((p1 - p0) / duration_s)
    return _evaluate(np.stack(rows), t)


def _cubic(p0: Float64Array, p1: Float64Array, v0: Float64Array, v1: Float64Array,
           duration_s: float) -> list[Float64Array]:
    """Return coefficients 1..3 of the Hermite cubic."""
    d = p1 - p0
    return [v0,
            (3.0 * d - (2.0 * v0 + v1) * duration_s) / duration_s**2,
            (-2.0 * d + (v0 + v1) * duration_s) / duration_s**3]


def _quintic(p0: Float64Array, p1: Float64Array, v0: Float64Array, v1: Float64Array,
             a0: Float64Array, a1: Float64Array, duration_s: float) -> list[Float64Array]:
    """Return coefficients 1..5 of the Hermite quintic."""
    t, d = duration_s, p1 - p0
    return [v0, 0.5 * a0,
            (20.0 * d - (8.0 * v1 + 12.0 * v0) * t - (3.0 * a0 - a1) * t**2) / (2.0 * t**3),
            (-30.0 * d + (14.0 * v1 + 16.0 * v0) * t + (3.0 * a0 - 2.0 * a1) * t**2)
            / (2.0 * t**4),
            (12.0 * d - 6.0 * (v1 + v0) * t + (a1 - a0) * t**2) / (2.0 * t**5)]


def _evaluate(coefficients: Float64Array, t: float) -> JointCommand:
    """Return value, first and second derivative of polynomials ``(D, N)``, lowest power first."""
    power = np.arange(len(coefficients))
    position = t**power @ coefficients
    velocity = (power[1:] * t**(power[1:] - 1)) @ coefficients[1:]
    factor = power[2:] * (power[2:] - 1)
    acceleration = ((factor * t**(power[2:] - 2)) @ coefficients[2:] if len(factor)
                    else np.zeros(coefficients.shape[1]))
    return JointCommand(position, velocity, acceleration)
