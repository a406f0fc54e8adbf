"""A small world for tests of the plan: a stream of chunks, a lossy line, and a controller."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from controller_oracle import ControllerOracle
import numpy as np

from gesture_node.motion.limits import JointLimits, LimiterState, MotionLimiter
from gesture_node.motion.trajectory import TrajectoryMessage, TrajectoryPlan
from gesture_node.types import JointChunk

EPOCH_NS = 1_700_000_000_123_456_789
RATE_HZ = 50
MS = 1_000_000
HOP, TAIL = 10, 20
HORIZON_NS = 60 * MS
LEAD_NS = 120 * MS
"""How long before its first knot a punctual chunk is ready."""
HOP_NS = HOP * 20 * MS
NAMES = ('a', 'b', 'c')
LIMITS = JointLimits(lower=np.full(3, -1.5), upper=np.full(3, 1.5), velocity=np.full(3, 3.0),
                     acceleration=np.full(3, 20.0), jerk=np.full(3, 400.0))
LIMITER = MotionLimiter(LIMITS)


def gesture_target(times_s: np.ndarray) -> np.ndarray:
    """Return three joints in lively motion, partly beyond the limits, at rest at time 0."""
    grow = np.minimum(times_s, 1.0)[:, None]
    waves = 0.6 * np.sin(2 * np.pi * times_s[:, None] * [0.7, 1.1, 2.5])
    return grow * (waves + 0.2 * np.sin(2 * np.pi * times_s[:, None] * 0.31))


def chunk_of(state: LimiterState, first: int,
             target: Callable[[np.ndarray], np.ndarray] = gesture_target, hop: int = HOP,
             tail: int = TAIL) -> tuple[JointChunk, LimiterState]:
    """Return a chunk of committed and provisional knots and a brake, and the state after it."""
    times_s = np.arange(first, first + hop + tail) / RATE_HZ
    targets = target(times_s)
    done = LIMITER.follow(state, targets[:hop])
    ahead = LIMITER.follow(done.state, targets[hop:])
    parts = (done, ahead, LIMITER.brake(ahead.state))
    return JointChunk(NAMES, first, np.concatenate([p.positions for p in parts]),
                      np.concatenate([p.velocities for p in parts]),
                      np.concatenate([p.accelerations for p in parts]), hop, RATE_HZ), done.state


def new_plan() -> TrajectoryPlan:
    return TrajectoryPlan(NAMES, RATE_HZ, HORIZON_NS * 1e-9)


def at_knot(knot: int) -> int:
    return EPOCH_NS + knot * 20 * MS


def chunks_of(count: int) -> list[JointChunk]:
    state, chunks = LIMITER.rest_state(np.zeros(3)), []
    for index in range(count):
        chunk, state = chunk_of(state, index * HOP)
        chunks.append(chunk)
    return chunks


@dataclass
class Line:
    """A line that delays messages and loses some."""

    seed: int
    jitter_ms: float = 20.0
    loss: float = 0.0
    waiting: list[tuple[int, TrajectoryMessage]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)

    def send(self, message: TrajectoryMessage | None, now_ns: int) -> None:
        if message is not None and self.random.random() >= self.loss:
            delay_ns = int(self.random.uniform(0.0, self.jitter_ms) * MS)
            self.waiting.append((now_ns + delay_ns, message))

    def deliver(self, controller: ControllerOracle, now_ns: int) -> None:
        """Hand over what has arrived, in order of sending: ROS 2 keeps a publisher's order."""
        while self.waiting and self.waiting[0][0] <= now_ns:
            controller.receive(self.waiting.pop(0)[1], now_ns)


@dataclass
class Commands:
    """What a controller commanded: times (M,) [ns], positions (M, N) [rad]."""

    times_ns: np.ndarray
    positions: np.ndarray

    def speeds(self) -> np.ndarray:
        return np.diff(self.positions, axis=0) / (np.diff(self.times_ns)[:, None] * 1e-9)

    def accelerations(self) -> np.ndarray:
        period_s = float(np.diff(self.times_ns)[0]) * 1e-9
        return np.diff(self.positions, n=2, axis=0) / period_s ** 2


def play(plan: TrajectoryPlan, events: list[tuple[int, Callable[[int], None]]], end_ns: int,
         line: Line, controller: ControllerOracle, controller_hz: int, policy: str = 'past',
         repeat_ns: int = 100 * MS) -> Commands:
    """Run events at their times, repeat messages, and step the controller, in one clock."""
    period_ns = 1_000_000_000 // controller_hz
    times = np.arange(EPOCH_NS - 200 * MS, end_ns, period_ns)
    events, positions, repeated_ns = sorted(events, key=lambda event: event[0]), [], 0
    for now_ns in (int(time_ns) for time_ns in times):
        while events and events[0][0] <= now_ns:
            time_ns, act = events.pop(0)
            act(time_ns)
            line.send(plan.message(time_ns, policy), time_ns)
        if now_ns - repeated_ns >= repeat_ns:
            repeated_ns = now_ns
            line.send(plan.message(now_ns, policy), now_ns)
        line.deliver(controller, now_ns)
        positions.append(controller.tick(now_ns))
    return Commands(times, np.array(positions))
