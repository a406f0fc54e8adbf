"""Controller and robot on one clock, ticking at the control rate whatever calls them how often.

At every tick the robot's physics runs up to that time under the last command, the joints are
measured, and the controller turns measurement and trajectory into the next command: the order
``read, update, write`` of a ros2_control loop. A caller that comes late makes up for the ticks it
missed at their own times, so that its jitter does not reach the robot.
"""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock

from ..timeline import NS_PER_S
from ..types import Float64Array
from .controller import TrajectoryController, TrajectoryMessage
from .robot import SimulatedRobot

_LONGEST_GAP_NS = 2 * NS_PER_S
"""A longer pause of the caller, or a jump of the clock, is skipped instead of made up for."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One control cycle.

    Attributes:
        time_ns: ROS time of the cycle.
        commanded: shape (N,), what the controller wants from now on [rad].
        positions: shape (N,), measured at this time [rad].
        velocities: shape (N,), measured at this time [rad/s].
    """

    time_ns: int
    commanded: Float64Array
    positions: Float64Array
    velocities: Float64Array


class SimulatedRig:
    """A robot under a trajectory controller.

    Args:
        robot: what moves.
        controller: what it obeys; for the same joints.
        update_hz: control rate.
    """

    def __init__(self, robot: SimulatedRobot, controller: TrajectoryController,
                 update_hz: float) -> None:
        self.robot = robot
        self.controller = controller
        self.skipped_s = 0.0
        self._period_ns = round(NS_PER_S / update_hz)
        self._lock = Lock()
        self._inbox: deque[tuple[int, TrajectoryMessage]] = deque()
        self._next_ns: int | None = None
        self._offset_ns = 0

    def receive(self, message: TrajectoryMessage, arrival_ns: int) -> None:
        """Leave a trajectory for the first tick after its arrival; callable from any thread."""
        with self._lock:
            self._inbox.append((arrival_ns, message))

    def advance(self, now_ns: int) -> list[Tick]:
        """Run all control cycles up to a time and return them, oldest first.

        Raises:
            SimulationError: the physics diverged.
        """
        if self._next_ns is None or not (
                -self._period_ns <= now_ns - self._next_ns <= _LONGEST_GAP_NS):
            self._anchor(now_ns)
        assert self._next_ns is not None
        ticks = []
        while self._next_ns <= now_ns:
            ticks.append(self._tick(self._next_ns))
            self._next_ns += self._period_ns
        return ticks

    def _anchor(self, now_ns: int) -> None:
        """Put the next tick at a time, simulated time going on where it was."""
        if self._next_ns is not None:
            self.skipped_s += (now_ns - self._next_ns) / NS_PER_S
        self._next_ns = now_ns
        self._offset_ns = now_ns - round(self.robot.time_s * NS_PER_S) - self._period_ns

    def _tick(self, time_ns: int) -> Tick:
        with self._lock:
            while self._inbox and self._inbox[0][0] <= time_ns:
                arrival_ns, message = self._inbox.popleft()
                self.controller.accept(message, arrival_ns)
        self.robot.step_to((time_ns - self._offset_ns) / NS_PER_S)
        positions, velocities = self.robot.positions, self.robot.velocities
        command = self.controller.sample(time_ns, positions, velocities)
        self.robot.command(command.positions)
        return Tick(time_ns, command.positions, positions, velocities)
