"""Judges what a node published in the dialogue soak: limits, numbers, stops. Knows no ROS."""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gesture_node.measures.limit_audit import audit_motion, segment_accelerations
from gesture_node.motion.limits import JointLimits
from gesture_node.sim.controller import JointCommand, TrajectoryController, TrajectoryMessage

NS = 1_000_000_000
SAME_RAD = 1e-6
_SAME_RAD_S = 1e-4
_GRID_NS = 1_000_000
_LOOK_NS = NS // 2


@dataclass(frozen=True)
class Plan:
    """A trajectory message and when it was published [ns, ROS time and steady time]."""

    message: TrajectoryMessage
    arrival_ns: int
    steady_ns: int

    @property
    def end_ns(self) -> int:
        return self.message.stamp_ns + self.message.points[-1].time_from_start_ns

    def moves_after(self, time_ns: int, speed_rad_s: float) -> bool:
        """Return whether a knot after a time has more than a speed."""
        return any(self.message.stamp_ns + point.time_from_start_ns > time_ns
                   and np.abs(point.velocities).max() > speed_rad_s
                   for point in self.message.points)

    def at(self, times_ns: np.ndarray) -> list[JointCommand]:
        """Return what a controller that has nothing else commands at times."""
        first = self.message.points[0].positions
        controller = TrajectoryController(self.message.joint_names, first)
        controller.accept(self.message, self.message.stamp_ns)
        return [controller.sample(int(time_ns), first) for time_ns in times_ns]

    def agrees(self, other: Plan, time_ns: int) -> bool:
        """Return whether another wants the same at a time; one that begins when it comes does."""
        stamps_ns = self.message.stamp_ns, other.message.stamp_ns
        if not all(stamps_ns) or stamps_ns[1] > time_ns:
            return True
        was, now = (plan.at(np.array([time_ns]))[0] for plan in (self, other))
        return bool(np.abs(was.positions - now.positions).max() < SAME_RAD
                    and np.abs(was.velocities - now.velocities).max() < _SAME_RAD_S)


class MotionAuditor:
    """Counts what must never be published, and never be commanded.

    Args:
        limits: hard limits of the robot.

    Attributes:
        found: how often what was broken.
        plans, face_frames, cycles: how many were judged.
        acceleration_share: the largest acceleration of the last cycle, of its limit.
    """

    def __init__(self, limits: JointLimits) -> None:
        self.found: Counter[str] = Counter()
        self.plans = self.face_frames = self.cycles = 0
        self.acceleration_share = 0.0
        self._limits = limits
        self._last: tuple[int, JointCommand] | None = None

    def take_plan(self, message: TrajectoryMessage) -> bool:
        """Judge every knot of a plan, and every instant between; return whether it is broken."""
        self.plans += 1
        before = self.found.total()
        self._judge(message)
        return self.found.total() > before

    def _judge(self, message: TrajectoryMessage) -> None:
        points = message.points
        positions = np.array([point.positions for point in points])
        velocities = np.array([point.velocities for point in points])
        if not (np.isfinite(positions).all() and np.isfinite(velocities).all()):
            self.found['numbers not finite'] += 1
            return
        times_s = np.array([point.time_from_start_ns for point in points]) / NS
        if len(points) > 1:
            broken = audit_motion(times_s, positions, velocities, self._limits)
            self.found['position'] += broken.position
            self.found['velocity'] += broken.velocity
            self.found['acceleration'] += broken.acceleration
            self.found['jerk'] += broken.jerk and _rough_knots(
                times_s, positions, velocities, self._limits)
        self.found['plan that ends moving'] += int(np.abs(velocities[-1]).max() > 1e-6)

    def take_face(self, weights: Sequence[float]) -> None:
        """Judge a frame of the face."""
        self.face_frames += 1
        values = np.array(weights)
        if not np.isfinite(values).all():
            self.found['numbers not finite'] += 1
        elif values.min(initial=0.0) < 0.0 or values.max(initial=0.0) > 1.0:
            self.found['face outside 0..1'] += 1

    def take_command(self, now_ns: int, command: JointCommand) -> bool:
        """Judge what the controller commands, across messages too; return whether it is broken."""
        self.cycles += 1
        limits, before = self._limits, self.found.total()
        outside = (command.positions < limits.lower - SAME_RAD) | (
            command.positions > limits.upper + SAME_RAD)
        fast = np.abs(command.velocities) > limits.velocity * 1.001 + 1e-6
        self.found['commanded position'] += int(outside.sum())
        self.found['commanded velocity'] += int(fast.sum())
        if self._last is not None and now_ns > self._last[0]:
            dt_s = (now_ns - self._last[0]) / NS
            last = self._last[1]
            step = np.abs(command.velocities - last.velocities)
            self.acceleration_share = float((step / (limits.acceleration * dt_s)).max())
            self.found['commanded acceleration'] += int(
                (step > limits.acceleration * 1.001 * dt_s + 1e-4).sum())
            moved = np.abs(command.positions - last.positions)
            self.found['commanded jump'] += int(
                (moved > limits.velocity * 1.001 * dt_s + 1e-5).sum())
        self._last = now_ns, command
        return self.found.total() > before

    def forget(self) -> None:
        """Let the next command be anywhere: the controller was restarted."""
        self._last = None


def _rough_knots(times_s: np.ndarray, positions: np.ndarray, velocities: np.ndarray,
                 limits: JointLimits) -> int:
    """Count steps of acceleration above jerk limit times knot spacing.

    Where a plan goes on from another one's grid a segment is shorter than the spacing, which for
    this purpose is that of its neighbour; ``audit_motion`` knows only the segments themselves.
    """
    duration_s = np.diff(times_s)[:, None]
    start, end = segment_accelerations(duration_s, positions, velocities)
    spacing_s = np.maximum(duration_s[:-1], duration_s[1:])
    steps = np.abs(np.diff(0.5 * (start + end), axis=0))
    return int((steps > limits.jerk * 1.001 * spacing_s + 2e-3).sum())


def shortest_stop_s(velocities: np.ndarray, accelerations: np.ndarray,
                    limits: JointLimits) -> float:
    """Return the least time [s] to rest for the slowest joint, inside acceleration and jerk.

    Time-optimal: the acceleration falls to a peak against the motion, holds it if it must, and
    returns to zero.
    """
    jerk, most = limits.jerk, limits.acceleration
    towards = velocities + accelerations * np.abs(accelerations) / (2.0 * jerk)
    sign = np.where(towards < 0.0, -1.0, 1.0)
    v, a = velocities * sign, accelerations * sign
    peak = np.sqrt(np.maximum(jerk * v + 0.5 * a * a, 0.0))
    free_s = (a + 2.0 * peak) / jerk
    held_s = (a + 2.0 * most) / jerk + (v + a * a / (2.0 * jerk) - most * most / jerk) / most
    return float(np.maximum(np.where(peak > most, held_s, free_s), 0.0).max())


@dataclass(frozen=True)
class Stop:
    """How one stop went.

    Attributes:
        published_s: from the request to the publication of the first plan that brakes.
        departs_s: from the request to the instant at which that plan leaves the one before.
        rest_s: from there to rest.
        needed_s: the least that limits allow from there.
    """

    published_s: float
    departs_s: float
    rest_s: float
    needed_s: float


@dataclass(frozen=True)
class StopSeen:
    """A stop as it was seen; it is judged when there is time.

    Attributes:
        before: the newest plan at the request.
        after: all that came since.
        requested_ns: ROS time of the request.
        steady_ns: steady time of the request.
        is_final: whether it ends where the brake ends; else it goes on to a pose.
    """

    before: Plan
    after: list[Plan]
    requested_ns: int
    steady_ns: int
    is_final: bool

    def judged(self, limits: JointLimits) -> Stop | None:
        """Return how it went; ``None`` if nothing had to be braked."""
        before, final_ns = self.before, self.after[-1].end_ns if self.after else 0
        for plan in self.after:
            is_last = abs(plan.end_ns - final_ns) <= _GRID_NS
            if is_last if self.is_final else plan.end_ns < before.end_ns - _GRID_NS:
                return _judged(before, plan, self.requested_ns, self.steady_ns, limits)
            if is_last:
                return None
            before = plan
        return None


def _judged(before: Plan, brake: Plan, requested_ns: int, steady_ns: int,
            limits: JointLimits) -> Stop | None:
    times_ns = np.arange(requested_ns, max(brake.end_ns, requested_ns + _LOOK_NS), _GRID_NS)
    was, now = before.at(times_ns), brake.at(times_ns)
    # A plan says nothing of the time before its first knot.
    known = times_ns >= max(before.message.stamp_ns, brake.message.stamp_ns)
    parted = known & np.array([bool(np.abs(a.positions - b.positions).max() > SAME_RAD)
                               for a, b in zip(was, now)])
    if not parted.any():
        return None
    row = int(np.argmax(parted))
    moving = [row for row, command in enumerate(now) if np.abs(
        command.positions - now[-1].positions).max() > SAME_RAD]
    rest_ns = int(times_ns[moving[-1]]) if moving else requested_ns
    if rest_ns < int(times_ns[row]):
        # It was about to come to rest there anyway.
        return None
    return Stop((brake.steady_ns - steady_ns) / NS, (int(times_ns[row]) - requested_ns) / NS,
                (rest_ns - int(times_ns[row])) / NS,
                shortest_stop_s(was[row].velocities, was[row].accelerations, limits))
