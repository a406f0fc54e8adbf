"""Holds the plan of one robot and publishes it: on every chunk, and again while it moves.

Knows no ROS. Motion starts from where the robot is: where it was last commanded to be, if it is
still there, otherwise where ``joint_states`` says. Until that is known nothing is published.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..config import OutputConfig
from ..motion.trajectory import TrajectoryMessage, TrajectoryPlan
from ..robot_output import RobotOutput
from ..timeline import KNOT_RATE_HZ, NS_PER_S
from ..types import Float64Array, JointChunk
from .inbox import MeasuredJoints
from .problems import ProblemLog

MOVED_RAD = 0.15
"""Further from its last command than this, a resting robot was moved by somebody else."""

WORTH_REPEATING_NS = 200_000_000
"""Shorter plans are not repeated: a controller refuses what ends before it arrives."""


class BodyOutput:
    """The plan of one robot, across all streams.

    Args:
        joint_names: commanded joints.
        config: horizon, stamps and repetition.
        joints: what was measured.
        publish: takes messages.
        problems: takes what is wrong.
    """

    def __init__(self, joint_names: tuple[str, ...], config: OutputConfig, joints: MeasuredJoints,
                 publish: Callable[[TrajectoryMessage], None], problems: ProblemLog) -> None:
        self._names, self._config = joint_names, config
        self._joints, self._publish, self._problems = joints, publish, problems
        self._plan = TrajectoryPlan(joint_names, KNOT_RATE_HZ, config.frozen_horizon_s)
        self._earlier_underruns = 0
        self._commanded: Float64Array | None = None
        self._robot: RobotOutput | None = None
        self._is_held = False
        self._published_ns = 0

    @property
    def underruns(self) -> int:
        """Chunks that came too late to be played as computed."""
        return self._earlier_underruns + self._plan.underruns

    def configure(self, config: OutputConfig) -> None:
        """Take other choices; only while the robot is at rest."""
        if config.frozen_horizon_s != self._config.frozen_horizon_s:
            self._earlier_underruns += self._plan.underruns
            self.forget()
            self._plan = TrajectoryPlan(self._names, KNOT_RATE_HZ, config.frozen_horizon_s)
        self._config = config

    def begin(self, robot: RobotOutput | None, start_ns: int, now_ns: int) -> Float64Array | None:
        """Prepare for a new stream.

        Args:
            robot: robot half of the stream; ``None`` when only the face is wanted.
            start_ns: presentation time of stream time 0.
            now_ns: ROS time.

        Returns:
            Joint positions [rad] the stream starts from; ``None`` for its idle pose.
        """
        self._robot, self._is_held = robot, False
        if robot is None:
            return None
        commanded = self._commanded_at(start_ns)
        measured = self._measured(now_ns)
        if measured is not None and (commanded is None or self._was_moved(measured, now_ns)):
            self._plan.clear()
            return measured
        if commanded is None and self._config.require_joint_states:
            self._is_held = True
            self._problems.report('joint_states', (
                f'no trajectory is published before joint_states hold {self._missing()}; '
                'or set output.require_joint_states to false'))
        return commanded

    def extend(self, chunk: JointChunk, start_ns: int, now_ns: int) -> bool:
        """Take in a chunk of the running stream and publish; return whether it was published."""
        if self._is_held or self._robot is None:
            return False
        result = self._plan.extend(chunk, start_ns, now_ns, self._robot.limiter)
        if result.late_knots:
            self._problems.report('underrun', (
                f'motion was computed too late for {result.late_knots} knots and is eased in; '
                'raise body.hop_s or output.presentation_delay_s, or free the processor'))
        if result.resume is not None:
            resume = result.resume
            self._robot.rebase(resume.positions, resume.velocities, resume.accelerations)
        return self._send(now_ns)

    def tick(self, now_ns: int) -> None:
        """Repeat the plan while it moves; let a held robot go once its joints are known."""
        if self._is_held and self._robot is not None:
            measured = self._measured(now_ns)
            if measured is not None:
                self._robot.reset(measured)
                self._is_held = False
        end_ns = self._plan.end_ns
        if end_ns is not None and end_ns - now_ns > WORTH_REPEATING_NS and (
                now_ns - self._published_ns >= NS_PER_S / self._config.repeat_hz):
            self._send(now_ns)

    def stop(self, now_ns: int) -> None:
        """Brake at once."""
        if self._robot is not None:
            self._plan.stop(now_ns, self._robot.limiter)
            self._send(now_ns)

    def forget(self) -> None:
        """Drop the plan without braking, because its times mean nothing any more."""
        if not self._plan.is_empty:
            self._commanded = self._plan.state(self._plan.end_ns or 0).positions
        self._plan.clear()

    def is_moving(self, now_ns: int) -> bool:
        """Whether the plan has something left to play."""
        return not self._plan.is_settled(now_ns)

    def waiting_for(self, now_ns: int) -> str:
        """Return what motion waits for, empty for nothing."""
        if not self._names or not self._config.require_joint_states or (
                self._commanded_at(now_ns) is not None or self._measured(now_ns) is not None):
            return ''
        return f'joint_states with {self._missing()}'

    def _send(self, now_ns: int) -> bool:
        message = self._plan.message(now_ns, self._config.stamp_policy)
        if message is None:
            return False
        self._published_ns = now_ns
        self._publish(message)
        return True

    def _commanded_at(self, time_ns: int) -> Float64Array | None:
        if self._plan.is_empty:
            return self._commanded
        return self._plan.state(time_ns).positions

    def _measured(self, now_ns: int) -> Float64Array | None:
        found = self._joints.fresh(self._names, now_ns)
        return None if found is None else np.array([found[name] for name in self._names])

    def _was_moved(self, measured: Float64Array, now_ns: int) -> bool:
        """Return whether a resting robot is elsewhere than commanded."""
        commanded = self._commanded_at(now_ns)
        return commanded is None or (self._plan.is_settled(now_ns) and bool(
            np.abs(measured - commanded).max(initial=0.0) > MOVED_RAD))

    def _missing(self) -> str:
        missing = self._joints.missing(self._names)
        if not missing:
            return 'fresh positions'
        more = f' and {len(missing) - 3} more' if len(missing) > 3 else ''
        return ', '.join(missing[:3]) + more
