"""How joint trajectory controllers obey messages, written for the tests alone.

Own reading of ros2_controllers' trajectory sampling, kept apart from the simulator's on purpose:
a misunderstanding would have to be made twice. Three generations differ in what a new message
does to the running one:

- ``A`` (Humble 2.x, Jazzy 4.x, Kilted 5.x) replaces it at once, whatever the stamp.
- ``B`` (6.8, 6.9) lets a message with a stamp ahead wait in its only waiting place, where a newer
  one takes its place, and replaces the running one at the stamp.
- ``C`` (after 6.9) keeps the running points until the stamp and appends the new ones; a stamp
  that is past is taken for now, so the message is shifted in time.

All sample alike. With ``start`` the stamp, or the time of the first sample when the stamp is 0:
before the first point the controller goes there from the state it was in on receipt; between
points it runs the cubic of that segment alone; after the last it holds. A message that ends in
the past, does not end at rest, whose times do not increase, or that names other joints than the
controller's is refused.
"""
from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np

from gesture_node.motion.trajectory import TrajectoryMessage

_EPSILON_RAD_S = 1.19e-7
_S_PER_NS = 1e-9
Point = tuple[int, np.ndarray, np.ndarray]
"""Time [ns], positions [rad] and velocities [rad/s] of one way-point, times absolute."""


@dataclass
class ControllerOracle:
    """A position controller of N joints.

    Attributes:
        positions: last command, shape (N,), [rad].
        closed_loop: the state before a message is what is measured: the robot lags behind the
            command and its state has no velocity; otherwise it is the last command, velocity
            included.
        generation: ``A``, ``B`` or ``C``.
        joint_names: joints of the controller, any when empty.
        lag_s: time constant of the robot.
        refused: messages refused.
        replaced_waiting: messages that never ran because a newer one took their waiting place.
    """

    positions: np.ndarray
    closed_loop: bool = True
    generation: str = 'A'
    joint_names: tuple[str, ...] = ()
    lag_s: float = 0.06
    refused: int = 0
    replaced_waiting: int = 0
    _velocities: np.ndarray = field(init=False)
    _measured: np.ndarray = field(init=False)
    _points: list[Point] = field(default_factory=list)
    _before: Point | None = None
    _waiting: TrajectoryMessage | None = None
    _last_ns: int = 0

    def __post_init__(self) -> None:
        self.positions = np.array(self.positions, dtype=np.float64)
        self._velocities = np.zeros_like(self.positions)
        self._measured = self.positions.copy()

    def receive(self, message: TrajectoryMessage, now_ns: int) -> bool:
        """Take a message; return whether it is accepted."""
        if not self._is_valid(message, now_ns):
            self.refused += 1
            return False
        self.replaced_waiting += self._waiting is not None and self.generation == 'B'
        self._waiting = message
        return True

    def tick(self, now_ns: int) -> np.ndarray:
        """Return the position command of one control cycle, shape (N,)."""
        share = 1.0 - np.exp(-(now_ns - self._last_ns) * _S_PER_NS / self.lag_s)
        self._measured = self._measured + share * (self.positions - self._measured)
        waiting = self._waiting
        if waiting is not None and (self.generation != 'B' or waiting.stamp_ns <= now_ns):
            self._waiting = None
            self._start(waiting, now_ns)
        if self._points:
            self.positions, self._velocities = self._sample(now_ns)
        self._last_ns = now_ns
        return self.positions

    def _is_valid(self, message: TrajectoryMessage, now_ns: int) -> bool:
        times = message.times_from_start_ns
        rising = all(b > a for a, b in zip(times, times[1:])) and times[0] >= 0
        ends_in_past = message.stamp_ns != 0 and message.stamp_ns + times[-1] < now_ns
        moving_end = (np.abs(message.velocities[-1]) > _EPSILON_RAD_S).any()
        shape = (len(times), len(self.positions))
        sized = message.positions.shape == shape == message.velocities.shape
        named = self.joint_names in ((), message.joint_names)
        return rising and sized and named and not ends_in_past and not moving_end

    def _start(self, message: TrajectoryMessage, now_ns: int) -> None:
        """Let a message become what runs."""
        if self.generation == 'C':
            start_ns = max(message.stamp_ns, now_ns)
        else:
            start_ns = message.stamp_ns or now_ns
        new = [(start_ns + after_ns, position, velocity) for after_ns, position, velocity in zip(
            message.times_from_start_ns, message.positions, message.velocities)]
        if self.generation == 'C' and self._points:
            begin_ns = new[0][0] if message.times_from_start_ns[0] == 0 else start_ns
            bridge = (start_ns, *self._sample(start_ns))
            old_ns = now_ns - 1_000_000_000
            kept = [point for point in self._points if old_ns < point[0] < begin_ns]
            new = [*kept, *([bridge] if new[0][0] > start_ns else []), *new]
        elif self.closed_loop:
            self._before = (now_ns, self._measured, np.zeros_like(self.positions))
        else:
            self._before = (self._last_ns, self.positions, self._velocities)
        self._points = new

    def _sample(self, now_ns: int) -> tuple[np.ndarray, np.ndarray]:
        points = self._points
        if now_ns < points[0][0]:
            assert self._before is not None
            return _cubic(self._before, points[0], now_ns)
        after = bisect_right(points, now_ns, key=lambda point: point[0])
        if after == len(points):
            return points[-1][1], points[-1][2]
        return _cubic(points[after - 1], points[after], now_ns)


def _cubic(start: Point, end: Point, now_ns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return position and velocity on the cubic in powers of time since its beginning."""
    (begin_ns, p0, v0), (end_ns, p1, v1) = start, end
    span, t = (end_ns - begin_ns) * _S_PER_NS, (now_ns - begin_ns) * _S_PER_NS
    c2 = (-3.0 * p0 + 3.0 * p1 - 2.0 * v0 * span - v1 * span) / span ** 2
    c3 = (2.0 * p0 - 2.0 * p1 + v0 * span + v1 * span) / span ** 3
    return p0 + v0 * t + c2 * t ** 2 + c3 * t ** 3, v0 + 2.0 * c2 * t + 3.0 * c3 * t ** 2
