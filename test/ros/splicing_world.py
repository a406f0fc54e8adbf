"""The output of a robot, a bad line and controllers, all on one clock: no ROS, no waiting.

Chunks are made as the runtime makes them: what is committed follows the motion, what is only
provisional guesses wrong, so that a controller that misses a change is seen to miss it.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
import sys

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / 'motion'))

from controller_oracle import ControllerOracle
from plan_world import gesture_target, LIMITER, Line, MS, NAMES

from gesture_node.config import OutputConfig
from gesture_node.motion.limits import LimiterState
from gesture_node.motion.profile_interface import Controller
from gesture_node.motion.trajectory import TrajectoryMessage
from gesture_node.motion.trajectory_controllers import message_for
from gesture_node.ros.body_output import BodyOutput
from gesture_node.ros.inbox import MeasuredJoints
from gesture_node.ros.problems import ProblemLog
from gesture_node.types import JointChunk

BEGIN_NS = 1_700_000_000_000_000_000
DELAY_NS = 500 * MS
HOP, TAIL, RATE_HZ = 10, 30, 50
TICK_NS = 10 * MS
WHOLE = Controller('all', 'all/joint_trajectory', NAMES)


class GuessingRobot:
    """Robot half of a stream: limits a gesture whose future it guesses wrong."""

    def __init__(self, seed: int) -> None:
        self.limiter = LIMITER
        self._random = np.random.default_rng(seed)
        self.reset(np.zeros(len(NAMES)))

    def reset(self, positions: np.ndarray) -> None:
        self.state: LimiterState = LIMITER.rest_state(positions, 0.3)

    def rebase(self, positions: np.ndarray, velocities: np.ndarray,
               accelerations: np.ndarray) -> None:
        self.state = LIMITER.moving_state(positions, velocities, accelerations)

    def chunk(self, first: int) -> JointChunk:
        """Return the chunk whose first knot is ``first``."""
        targets = gesture_target(np.arange(first, first + HOP + TAIL) / RATE_HZ)
        done = LIMITER.follow(self.state, targets[:HOP])
        wrong = np.linspace(0.0, 1.0, TAIL)[:, None] * self._random.normal(0.0, 1.0, len(NAMES))
        ahead = LIMITER.follow(done.state, targets[HOP:] + wrong)
        parts = (done, ahead, LIMITER.brake(ahead.state))
        self.state = done.state
        return JointChunk(NAMES, first, np.concatenate([p.positions for p in parts]),
                          np.concatenate([p.velocities for p in parts]),
                          np.concatenate([p.accelerations for p in parts]), HOP, RATE_HZ)


@dataclass
class Seen:
    """What was commanded and planned at every control cycle; (M, N) [rad], times (M,) [ns]."""

    times_ns: np.ndarray
    commanded: np.ndarray
    planned: np.ndarray

    def error_rad(self) -> float:
        return float(np.abs(self.commanded - self.planned).max())

    def accelerations(self) -> np.ndarray:
        period_s = float(np.diff(self.times_ns)[0]) * 1e-9
        return np.diff(self.commanded, n=2, axis=0) / period_s ** 2

    def part(self, begin_ns: int, end_ns: int) -> Seen:
        rows = slice(*np.searchsorted(self.times_ns, [begin_ns, end_ns]))
        return Seen(self.times_ns[rows], self.commanded[rows], self.planned[rows])


@dataclass
class World:
    """One output, and for each controller a line of its own.

    Attributes:
        policy: of the stamps.
        generation: of the controllers.
        closed_loop: of the controllers.
        controller_hz: of the controllers.
        loss: fraction of messages lost.
        late_ns: how much later than usual the chunk of an index is ready.
        controllers: which joints go where.
    """

    policy: str = 'past'
    generation: str = 'A'
    closed_loop: bool = True
    controller_hz: int = 500
    loss: float = 0.05
    seed: int = 1
    late_ns: dict[int, int] = field(default_factory=dict)
    controllers: tuple[Controller, ...] = (WHOLE,)
    start: np.ndarray = field(default_factory=lambda: np.zeros(len(NAMES)))
    is_measured: bool = True

    def __post_init__(self) -> None:
        self.now_ns = BEGIN_NS
        self.messages: list[TrajectoryMessage] = []
        self.said: list[str] = []
        self.joints = MeasuredJoints()
        self.robot = GuessingRobot(self.seed)
        self.body = BodyOutput(NAMES, OutputConfig(stamp_policy=self.policy), self.joints,
                               self._publish, ProblemLog(self.said.append))
        self.columns = [[NAMES.index(name) for name in controller.joints]
                        for controller in self.controllers]
        self.oracles = [ControllerOracle(self.start[columns], self.closed_loop, self.generation,
                                         controller.joints)
                        for controller, columns in zip(self.controllers, self.columns)]
        self.lines = [Line(self.seed + i, loss=self.loss) for i in range(len(self.oracles))]
        self._random = np.random.default_rng(self.seed)
        self._chunks = 0
        self._epoch_ns: int | None = None
        self._due_ns = self._tick_ns = self.now_ns
        self._rows: list[tuple[int, np.ndarray, np.ndarray]] = []

    def speak(self) -> None:
        """Begin a stream; chunks follow by themselves until :meth:`be_silent`."""
        self._epoch_ns = self.now_ns + DELAY_NS
        start = self.body.begin(self.robot, self._epoch_ns, self.now_ns)
        self.robot.reset(np.zeros(len(NAMES)) if start is None else start)
        self._chunks = 0
        self._plan_next()

    def be_silent(self) -> None:
        self._epoch_ns = None

    def stop(self) -> None:
        self.be_silent()
        self.body.stop(self.now_ns)

    def commanded(self) -> np.ndarray:
        positions = np.zeros(len(NAMES))
        for oracle, columns in zip(self.oracles, self.columns):
            positions[columns] = oracle.positions
        return positions

    def run(self, seconds: float) -> Seen:
        """Let time pass and return what was seen in it."""
        first = len(self._rows)
        for _ in range(round(seconds * self.controller_hz)):
            self.now_ns += 1_000_000_000 // self.controller_hz
            self._act()
            self._control()
        return self.seen(first)

    def seen(self, first: int = 0) -> Seen:
        """Return what was seen in every control cycle from a number on."""
        times, commands, plans = zip(*self._rows[first:])
        return Seen(np.array(times), np.array(commands), np.array(plans))

    def stall(self, seconds: float) -> None:
        """Let time pass for all but the node, from within what it does in a cycle."""
        for _ in range(round(seconds * self.controller_hz)):
            self._control()
            self.now_ns += 1_000_000_000 // self.controller_hz

    def _control(self) -> None:
        for oracle, line in zip(self.oracles, self.lines):
            line.deliver(oracle, self.now_ns)
            oracle.tick(self.now_ns)
        self._rows.append((self.now_ns, self.commanded(), self._planned()))

    def _planned(self) -> np.ndarray:
        plan = self.body._plan
        return self.commanded() if plan.is_empty else plan.sample(self.now_ns)[0]

    def _act(self) -> None:
        """Do what the node does: measure, compute, tick."""
        if self.is_measured:
            self.joints.put(dict(zip(NAMES, self.commanded())), self.now_ns)
        while self._epoch_ns is not None and self._due_ns <= self.now_ns:
            chunk = self.robot.chunk(self._chunks * HOP)
            self.body.extend(chunk, self._epoch_ns, self.now_ns)
            self._chunks += 1
            self._plan_next()
        if self.now_ns - self._tick_ns >= TICK_NS:
            self._tick_ns = self.now_ns
            self.body.tick(self.now_ns)

    def _plan_next(self) -> None:
        """Choose when the next chunk is ready: before its first knot by 90 to 180 ms."""
        assert self._epoch_ns is not None
        first_ns = self._epoch_ns + self._chunks * HOP * 20 * MS
        self._due_ns = first_ns - round(self._random.uniform(90, 180) * MS) + (
            self.late_ns.get(self._chunks, 0))

    def _publish(self, message: TrajectoryMessage) -> None:
        self.messages.append(message)
        for controller, line in zip(self.controllers, self.lines):
            line.send(message_for(controller, message), self.now_ns)
