"""How a joint trajectory controller obeys messages, written for the tests alone.

Own reading of ros2_controllers' trajectory sampling (Humble to Kilted), kept apart from the
simulator's on purpose: a misunderstanding would have to be made twice. A new message replaces the
old one at once. With ``start`` the stamp, or the time of the first sample when the stamp is 0:
before the first point the controller goes there from the state it was in on receipt; between
points it runs the cubic of that segment alone; after the last it holds. A message that ends in
the past, does not end at rest, or whose times do not increase is refused.
"""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gesture_node.motion.trajectory import TrajectoryMessage

_EPSILON_RAD_S = 1.19e-7
_S_PER_NS = 1e-9


@dataclass
class ControllerOracle:
    """A position controller of N joints.

    Attributes:
        positions: last command, shape (N,), [rad].
        closed_loop: before the first point, start from rest at the last command, as a robot whose
            state has no velocity does; otherwise with the last commanded velocity.
        refused: messages refused.
    """

    positions: np.ndarray
    closed_loop: bool = True
    refused: int = 0
    _velocities: np.ndarray = field(init=False)
    _message: TrajectoryMessage | None = None
    _start_ns: int | None = None
    _before: tuple[int, np.ndarray, np.ndarray] | None = None
    _last_ns: int = 0

    def __post_init__(self) -> None:
        self.positions = np.array(self.positions, dtype=np.float64)
        self._velocities = np.zeros_like(self.positions)

    def receive(self, message: TrajectoryMessage, now_ns: int) -> bool:
        """Take a message; return whether it is accepted."""
        times = message.times_from_start_ns
        rising = all(b > a for a, b in zip(times, times[1:])) and times[0] >= 0
        ends_in_past = message.stamp_ns != 0 and message.stamp_ns + times[-1] < now_ns
        moving_end = (np.abs(message.velocities[-1]) > _EPSILON_RAD_S).any()
        shape = (len(times), len(message.joint_names))
        sized = message.positions.shape == shape == message.velocities.shape
        if not (rising and sized) or ends_in_past or moving_end:
            self.refused += 1
            return False
        self._message, self._start_ns = message, message.stamp_ns or None
        velocities = np.zeros_like(self.positions) if self.closed_loop else self._velocities
        self._before = (self._last_ns, self.positions, velocities)
        return True

    def tick(self, now_ns: int) -> np.ndarray:
        """Return the position command of one control cycle, shape (N,)."""
        if self._message is not None:
            if self._start_ns is None:
                self._start_ns = now_ns
            self.positions, self._velocities = self._sample(now_ns)
        self._last_ns = now_ns
        return self.positions

    def _sample(self, now_ns: int) -> tuple[np.ndarray, np.ndarray]:
        message, start_ns, before = self._message, self._start_ns, self._before
        assert message is not None and start_ns is not None and before is not None
        times = [start_ns + after_ns for after_ns in message.times_from_start_ns]
        if now_ns < times[0]:
            return _cubic(before[0], before[1], before[2], times[0], message.positions[0],
                          message.velocities[0], now_ns)
        for row in range(len(times) - 1):
            if times[row] <= now_ns < times[row + 1]:
                return _cubic(times[row], message.positions[row], message.velocities[row],
                              times[row + 1], message.positions[row + 1],
                              message.velocities[row + 1], now_ns)
        return message.positions[-1], message.velocities[-1]


def _cubic(begin_ns: int, p0: np.ndarray, v0: np.ndarray, end_ns: int, p1: np.ndarray,
           v1: np.ndarray, now_ns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return position and velocity on the cubic in powers of time since its beginning."""
    span, t = (end_ns - begin_ns) * _S_PER_NS, (now_ns - begin_ns) * _S_PER_NS
    c2 = (-3.0 * p0 + 3.0 * p1 - 2.0 * v0 * span - v1 * span) / span ** 2
    c3 = (2.0 * p0 - 2.0 * p1 + v0 * span + v1 * span) / span ** 3
    return p0 + v0 * t + c2 * t ** 2 + c3 * t ** 3, v0 + 2.0 * c2 * t + 3.0 * c3 * t ** 2
