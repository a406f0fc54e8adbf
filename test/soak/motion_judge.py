"""What a robot is commanded to by the trajectories that reach it, judged at every millisecond.

The judge knows only messages and when they arrived. A controller runs the cubic through positions
and velocities of the two points around the present time; a newer message replaces what runs at
once. Every millisecond of that is held against the limits, and every knot that was run against
``limit_audit``, which looks where each cubic is extreme.
"""
from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import numpy as np

from gesture_node.measures.limit_audit import audit_motion
from gesture_node.motion.collision import SelfCollisionGuard
from gesture_node.motion.limits import JointLimits
from gesture_node.motion.trajectory import TrajectoryMessage

LOOK_NS = 1_000_000
STEP_S = 0.02
ROUNDING = 1e-7
JUMP_RAD, JUMP_RAD_S = 1e-6, 1e-4
_LONGEST_STEP_NS = 21_000_000


@dataclass(slots=True)
class Findings:
    """How many looks at one joint, or at all joints, broke a promise; all zero is the aim.

    Attributes:
        position, velocity, acceleration: looks at a joint beyond its limit.
        jerk: steps of acceleration from one look to the next above jerk limit x 0.02 s.
        collision: looks at which watched links touch.
        jump: messages at whose arrival the commanded position or velocity jumped.
        nonfinite: numbers of messages that are NaN or infinite.
        audit: violations that ``limit_audit`` finds in the knots that were run.
    """

    position: int = 0
    velocity: int = 0
    acceleration: int = 0
    jerk: int = 0
    collision: int = 0
    jump: int = 0
    nonfinite: int = 0
    audit: int = 0

    def any(self) -> bool:
        """Return whether anything was found."""
        return any(asdict(self).values())

    def __str__(self) -> str:
        found = [f'{item.name} {getattr(self, item.name)}' for item in fields(self)
                 if getattr(self, item.name)]
        return ', '.join(found) or '0'


class MotionJudge:
    """Plays messages as a controller does and looks at every millisecond.

    Args:
        limits: what no look may exceed.
        hard: limits for ``limit_audit``.
        guard: knows which links must keep apart.
        positions: where the robot stands, shape (N,), [rad].

    Attributes:
        looks: milliseconds looked at while the robot moved.
        findings: what was found.
    """

    def __init__(self, limits: JointLimits, hard: JointLimits, guard: SelfCollisionGuard,
                 positions: np.ndarray, now_ns: int) -> None:
        self._limits, self._hard, self._guard = limits, hard, guard
        self._seen_ns = -(-now_ns // LOOK_NS) * LOOK_NS
        self._from_ns = now_ns
        self._times = np.array([now_ns], dtype=np.int64)
        self._positions = positions[None].copy()
        self._velocities = np.zeros_like(self._positions)
        self._last_acceleration = np.zeros(len(positions))
        self._run: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.looks = 0
        self.findings = Findings()

    def measured(self, now_ns: int) -> np.ndarray:
        """Return where the joints are, shape (N,), [rad]."""
        return self._at(np.array([now_ns]))[0][0]

    def receive(self, message: TrajectoryMessage, now_ns: int) -> None:
        """Let a message replace what runs."""
        self.pass_until(now_ns)
        self._keep_run_knots(now_ns)
        before = self._at(np.array([now_ns]))
        found = self.findings
        found.nonfinite += int(np.count_nonzero(~np.isfinite(message.positions)))
        found.nonfinite += int(np.count_nonzero(~np.isfinite(message.velocities)))
        self._times = message.stamp_ns + np.array(message.times_from_start_ns, dtype=np.int64)
        self._positions, self._velocities = message.positions, message.velocities
        after = self._at(np.array([now_ns]))
        found.jump += int(np.abs(after[0] - before[0]).max() > JUMP_RAD
                          or np.abs(after[1] - before[1]).max() > JUMP_RAD_S)
        self._from_ns = now_ns

    def pass_until(self, now_ns: int) -> None:
        """Look at every millisecond before a time."""
        times = np.arange(self._seen_ns, now_ns, LOOK_NS)
        if not len(times):
            return
        self._seen_ns = int(times[-1]) + LOOK_NS
        positions, velocities, accelerations = self._at(times)
        limits, found = self._limits, self.findings
        outside = (positions < limits.lower - ROUNDING) | (positions > limits.upper + ROUNDING)
        found.position += int((outside | ~np.isfinite(positions)).sum())
        found.velocity += int((np.abs(velocities) > limits.velocity * (1 + ROUNDING)
                               + ROUNDING).sum())
        found.acceleration += int((np.abs(accelerations) > limits.acceleration * (1 + ROUNDING)
                                   + 1e-6).sum())
        steps = np.diff(accelerations, axis=0, prepend=self._last_acceleration[None])
        found.jerk += int((np.abs(steps) > limits.jerk * STEP_S * (1 + ROUNDING) + 1e-6).sum())
        self._last_acceleration = accelerations[-1]
        moves = velocities.any(axis=1)
        found.collision += self._guard.audit(positions[moves])
        self.looks += int(moves.sum())

    def finish(self, now_ns: int) -> Findings:
        """Look at what is left and audit all knots that were run."""
        self.pass_until(now_ns)
        self._keep_run_knots(now_ns)
        times, positions, velocities = (np.concatenate(rows) for rows in zip(*self._run))
        cuts = np.flatnonzero(np.diff(times) > _LONGEST_STEP_NS) + 1
        for rows in np.split(np.arange(len(times)), cuts):
            found = audit_motion((times[rows] - times[0]) * 1e-9, positions[rows],
                                 velocities[rows], self._hard)
            self.findings.audit += found.total
        return self.findings

    def _keep_run_knots(self, now_ns: int) -> None:
        rows = (self._times > self._from_ns) & (self._times <= now_ns)
        self._run.append((self._times[rows], self._positions[rows], self._velocities[rows]))

    def _at(self, times_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return positions, velocities and accelerations at some times, each (M, N).

        Before the first point and after the last the robot stands where that is.
        """
        last = len(self._times) - 1
        if last < 1:
            still = np.zeros((len(times_ns), self._positions.shape[1]))
            return np.repeat(self._positions[:1], len(times_ns), axis=0), still, still
        row = np.clip(np.searchsorted(self._times, times_ns, side='right') - 1, 0, last - 1)
        span_s = (self._times[row + 1] - self._times[row])[:, None] * 1e-9
        t = np.clip((times_ns - self._times[row])[:, None] * 1e-9, 0.0, span_s)
        p0, v0, v1 = self._positions[row], self._velocities[row], self._velocities[row + 1]
        way = self._positions[row + 1] - p0
        c2 = (3.0 * way / span_s - 2.0 * v0 - v1) / span_s
        c3 = (v0 + v1 - 2.0 * way / span_s) / span_s ** 2
        runs = ((times_ns >= self._times[0]) & (times_ns < self._times[-1]))[:, None]
        return (p0 + t * (v0 + t * (c2 + t * c3)), runs * (v0 + t * (2.0 * c2 + 3.0 * t * c3)),
                runs * (2.0 * c2 + 6.0 * t * c3))
