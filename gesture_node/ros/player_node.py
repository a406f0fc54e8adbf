"""``trajectory_player``: plays ``joint_trajectory`` for robots that have no trajectory controller.

Callbacks only store; one thread samples the plan and writes the messages that the robot's profile
names, each at its own rate. It holds the last position when no trajectory comes, and at the end
brakes and hands the joints back before the process goes.
"""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import sys
from threading import Event, Thread
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from ..exceptions import RobotError
from ..motion.limits import JointLimits
from ..motion.profile import RobotProfile
from ..motion.profile_interface import Adapter, MESSAGES
from ..motion.robot import load_profile
from ..sim.controller import JointCommand, TrajectoryMessage
from ..types import Float64Array
from . import qos
from .conversions import measured_positions, to_time
from .inbox import MeasuredJoints
from .parameters import ConfigParameters
from .player_config import PlayerConfig, PROFILE_KIND
from .player_plan import PlayedPlan, PlayerState
from .player_writers import load_message, make_writer, Writer
from .problems import ProblemLog
from .runner import run_node
from .sim_messages import trajectory_of
from .steady_clock import steady_clock

_COMMON_RATE_HZ = 100.0
_BRAKE_S = 3.0
"""Longest time for coming to rest at the end, beside that of the weight."""


@dataclass(slots=True)
class Outlet:
    """One adapter at work.

    Attributes:
        adapter: what it writes, as the profile says.
        writer: makes the messages.
        publisher: takes them.
        columns: its joints among those played.
        period_s: time between two messages.
        due_s: when the next one leaves, on the machine's clock.
    """

    adapter: Adapter
    writer: Writer
    publisher: Any
    columns: NDArray[np.intp]
    period_s: float
    due_s: float = 0.0

    def send(self, command: JointCommand, ros_ns: int, steady_ns: int) -> None:
        """Publish this adapter's part of a command."""
        self.publisher.publish(self.writer.write(
            command.positions[self.columns], command.velocities[self.columns], ros_ns, steady_ns))

    def is_due(self, now_s: float) -> bool:
        """Return whether a message leaves now, and set the time of the next."""
        if now_s < self.due_s:
            return False
        late = now_s - self.due_s > self.period_s
        self.due_s = (now_s if late else self.due_s) + self.period_s
        return True


def adapters_of(profile: RobotProfile, config: PlayerConfig) -> tuple[Adapter, ...]:
    """Return what is to be written.

    Raises:
        RobotError: the profile names no adapter and the parameters choose no message either.
    """
    if config.kind != PROFILE_KIND:
        return (Adapter(
            kind=config.kind, topic=config.topic, message=MESSAGES[config.kind],
            joints=profile.joint_names, unit=config.unit, rate_hz=_COMMON_RATE_HZ, speed=1.0,
            motors=(), blend_motor=None, stiffness=0.0, damping=0.0),)
    if not profile.interface.adapters:
        raise RobotError(f'the profile of {profile.name} names no adapter: its joints are reached '
                         'by trajectory controllers, or set the parameter kind to joint_state or '
                         'float64_multi_array')
    return profile.interface.adapters


class TrajectoryPlayer(Node):
    """Plays trajectories to a robot; see :class:`PlayerConfig` for its parameters.

    Subscribes ``joint_trajectory`` and ``joint_states``; publishes what the adapters name.

    Raises:
        ConfigError: a parameter is of the wrong type or out of range.
        RobotError: the profile cannot be used, or names a message that is not installed.
    """

    def __init__(self) -> None:
        super().__init__('trajectory_player')
        self.done = False
        config = ConfigParameters(self, PlayerConfig()).config
        profile = load_profile(config.robot)
        self._robot = profile.name
        adapters = adapters_of(profile, config)
        self._names = tuple(name for adapter in adapters for name in adapter.joints)
        self._outlets = [self._outlet(adapter, profile, config) for adapter in adapters]
        self._problems = ProblemLog(self._warn)
        self._plan = PlayedPlan(self._names, profile.joint_names,
                                _limits_of(profile, self._names), config.stale_s, self._problems)
        self._joints = MeasuredJoints()
        self._inbox: deque[TrajectoryMessage] = deque(maxlen=8)
        self._ending, self._longest_end_s = Event(), _BRAKE_S + config.weight_ramp_s
        self._written = 0
        self._seen: dict[str, int] = {}
        self._worker = Thread(target=self._work, name='player', daemon=True)
        self._diagnostics = self.create_publisher(
            DiagnosticArray, '/diagnostics', qos.DIAGNOSTICS)
        self.create_timer(1.0 / config.diagnostics_hz, self._report, clock=steady_clock())

    def start(self) -> None:
        """Subscribe and begin to write as soon as there is a trajectory."""
        self.create_subscription(JointTrajectory, 'joint_trajectory', self._on_trajectory,
                                 qos.PLAN, qos_overriding_options=qos.overridable())
        self.create_subscription(JointState, 'joint_states', self._on_joints, qos.JOINT_STATES,
                                 qos_overriding_options=qos.overridable())
        self._worker.start()
        what = ', '.join(f'{outlet.adapter.kind} on {outlet.publisher.topic_name} at '
                         f'{1.0 / outlet.period_s:g} Hz' for outlet in self._outlets)
        self.get_logger().info(f'playing {self._robot}, {len(self._names)} joints: {what}')

    def close(self) -> None:
        """Brake, hand the joints back, and stop writing."""
        self._ending.set()
        if self._worker.is_alive():
            self._worker.join(timeout=self._longest_end_s + 2.0)

    def _outlet(self, adapter: Adapter, profile: RobotProfile, config: PlayerConfig) -> Outlet:
        message_class = load_message(adapter)
        writer = make_writer(adapter, profile, config.weight_ramp_s, message_class)
        columns = np.array([self._names.index(name) for name in adapter.joints], dtype=np.intp)
        publisher = self.create_publisher(message_class, adapter.topic, qos.COMMANDS,
                                          qos_overriding_options=qos.overridable())
        return Outlet(adapter, writer, publisher, columns,
                      1.0 / (config.rate_hz or adapter.rate_hz))

    def _on_trajectory(self, message: JointTrajectory) -> None:
        self._inbox.append(trajectory_of(message))

    def _on_joints(self, message: JointState) -> None:
        self._joints.put(measured_positions(message), self._now_ns())

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _warn(self, sentence: str) -> None:
        self.get_logger().warning(sentence)

    def _work(self) -> None:
        """Sample and write until the end, and until the joints are handed back."""
        until_s: float | None = None
        try:
            while until_s is None or not (self._is_over() or time.monotonic() > until_s):
                if until_s is None and self._ending.is_set():
                    until_s = time.monotonic() + self._longest_end_s
                    self._release()
                self._cycle()
                wait_s = min(outlet.due_s for outlet in self._outlets) - time.monotonic()
                if until_s is None:
                    self._ending.wait(max(0.0, wait_s))
                else:
                    time.sleep(max(0.0, wait_s))
        except Exception as error:
            # A thread that dies would leave a process behind that only seems to play.
            self.get_logger().error(
                f'nothing is written any more: {type(error).__name__}: {error}')
            self.done = True

    def _release(self) -> None:
        self._plan.brake()
        for outlet in self._outlets:
            outlet.writer.release()

    def _is_over(self) -> bool:
        """Return whether the robot is at rest and its joints are handed back."""
        return not self._written or (self._plan.is_at_rest and all(
            outlet.writer.is_released for outlet in self._outlets))

    def _cycle(self) -> None:
        """Take over what arrived, and write what is due."""
        now_ns, steady_ns = self._now_ns(), time.monotonic_ns()
        while self._inbox:
            self._plan.accept(self._inbox.popleft(), now_ns)
        command = self._plan.sample(now_ns, steady_ns, self._measured(now_ns))
        due = [outlet for outlet in self._outlets if outlet.is_due(steady_ns / 1e9)]
        if command is None:
            return
        if not np.isfinite(command.positions).all():
            self._problems.report('not_finite', 'a command that is not finite was not written')
            return
        for outlet in due:
            outlet.send(command, now_ns, steady_ns)
            self._written += 1

    def _measured(self, now_ns: int) -> Float64Array | None:
        if self._plan.state is not PlayerState.WAITING:
            return None
        found = self._joints.fresh(self._names, now_ns)
        return None if found is None else np.array([found[name] for name in self._names])

    def _report(self) -> None:
        """Publish what the player does and what went wrong since the last report."""
        counts = self._problems.counts()
        worse = [cause for cause, count in counts.items() if count > self._seen.get(cause, 0)]
        self._seen = counts
        state = self._plan.state
        level, text = DiagnosticStatus.OK, state.value
        if worse or state is PlayerState.STARVED:
            level = DiagnosticStatus.WARN
            text += f'; increased: {", ".join(worse)}' if worse else ''
        values = {'state': state.value, 'robot': self._robot,
                  'trajectories accepted': str(self._plan.accepted),
                  'messages written': str(self._written),
                  **{f'weight {outlet.publisher.topic_name}': f'{weight.value:.3f}'
                     for outlet in self._outlets
                     if (weight := getattr(outlet.writer, 'weight', None)) is not None},
                  **{f'problem {cause}': str(count) for cause, count in counts.items()}}
        array = DiagnosticArray(status=[DiagnosticStatus(
            level=level, name=f'{self.get_fully_qualified_name().lstrip("/")}: playing',
            message=text, hardware_id=self._robot,
            values=[KeyValue(key=key, value=value) for key, value in values.items()])])
        array.header.stamp = to_time(self._now_ns())
        self._diagnostics.publish(array)


def _limits_of(profile: RobotProfile, names: tuple[str, ...]) -> JointLimits:
    """Return the limits of some of the commanded joints, in their order."""
    columns = [profile.joint_names.index(name) for name in names]
    limits = profile.limits
    return JointLimits(limits.lower[columns], limits.upper[columns], limits.velocity[columns],
                       limits.acceleration[columns], limits.jerk[columns])


def main(arguments: list[str] | None = None) -> int:
    """Run the node; return the exit code."""
    return run_node(TrajectoryPlayer, arguments)


if __name__ == '__main__':
    sys.exit(main())
