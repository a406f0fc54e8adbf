"""``trajectory_player`` on a robot with a blend weight: taken in, held on starvation, given back.

The node runs in this process, because its message is a stand-in that ROS cannot send: publishers
of stand-ins are replaced by lists. Everything else is real.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
import importlib.util
import os
from pathlib import Path
import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

if importlib.util.find_spec('rclpy') is None:
    pytest.skip('needs ROS 2', allow_module_level=True)

from builtin_interfaces.msg import Duration
import rclpy
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from gesture_node.exceptions import RobotError
from gesture_node.motion.robot import load_profile
from gesture_node.ros.player_node import Outlet, TrajectoryPlayer

sys.path.insert(0, str(Path(__file__).parent))
import player_message_fakes as fakes

ROBOT = load_profile('unitree_g1')
NAMES, REST = ROBOT.joint_names, ROBOT.rest_positions
NS, MS = 1_000_000_000, 1_000_000
MOVED = NAMES.index('left_elbow_joint')
MOTOR, WEIGHT = 18, 29
LIMIT_S = 30.0


class Sent(list):
    """A publisher that keeps ``(machine's clock [s], message)``."""

    topic_name = '/arm_sdk'

    def publish(self, message: Any) -> None:
        self.append((time.monotonic(), deepcopy(message)))

    def of(self, motor: int) -> np.ndarray:
        return np.array([message.motor_cmd[motor].q for _, message in self])


@pytest.fixture
def ros(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sent]:
    """A ROS context, Unitree's messages, and what is published of them."""
    sent, create = Sent(), Node.create_publisher

    def publisher(node: Node, kind: type, *args: Any, **kwargs: Any) -> Any:
        return sent if issubclass(kind, fakes.Message) else create(node, kind, *args, **kwargs)

    fakes.install(monkeypatch, 'unitree_hg')
    monkeypatch.setattr(Node, 'create_publisher', publisher)
    rclpy.init(args=['--ros-args', '-p', 'robot:=unitree_g1', '-p', 'weight_ramp_s:=0.5',
                     '-p', 'rate_hz:=100.0', '-p', 'stale_s:=0.3'],
               domain_id=30 + os.getpid() % 100)
    yield sent
    rclpy.try_shutdown()


def plan(start_ns: int, seconds: float) -> JointTrajectory:
    """Return a message that bends the elbow by 0.5 rad, at rest at both ends."""
    message = JointTrajectory(joint_names=list(NAMES))
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(start_ns, NS)
    for row in range(round(seconds * 50) + 1):
        x = row / (seconds * 50)
        positions, velocities = REST.copy(), np.zeros(len(NAMES))
        positions[MOVED] -= 0.5 * (10 * x**3 - 15 * x**4 + 6 * x**5)
        velocities[MOVED] = -0.5 * (30 * x**2 - 60 * x**3 + 30 * x**4) / seconds
        message.points.append(JointTrajectoryPoint(
            positions=positions.tolist(), velocities=velocities.tolist(),
            time_from_start=Duration(sec=row // 50, nanosec=row % 50 * 20 * MS)))
    return message


def still(start_ns: int) -> JointTrajectory:
    """Return a message that stands at rest for a quarter of an hour."""
    message = JointTrajectory(joint_names=list(NAMES))
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(start_ns, NS)
    message.points = [JointTrajectoryPoint(
        positions=REST.tolist(), velocities=[0.0] * len(NAMES),
        time_from_start=Duration(sec=sec)) for sec in (0, 900)]
    return message


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_S
    while not holds():
        time.sleep(0.01)
        assert time.monotonic() < end


def test_the_weight_is_taken_held_on_starvation_and_given_back_while_braking(ros: Sent):
    player = TrajectoryPlayer()
    player.start()
    assert not ros
    player._on_trajectory(plan(player._now_ns(), 4.0))
    until(lambda: bool(ros) and ros[-1][1].motor_cmd[WEIGHT].q == 1.0)
    until(lambda: player._plan.state.value == 'starved')
    count = len(ros)
    until(lambda: len(ros) > count + 20)
    assert (ros.of(WEIGHT)[count:] == 1.0).all()
    before = len(ros)
    player.close()
    weights, elbow = ros.of(WEIGHT), ros.of(MOTOR)
    assert weights[0] == 0.0 and weights[-1] == 0.0
    assert (np.diff(weights[:count]) >= 0.0).all() and (np.diff(weights[before:]) <= 0.0).all()
    # It braked at once, not at the end of the plan, and stood when the weight was gone.
    assert REST[MOVED] - 0.5 < elbow[-1] < elbow[0]
    assert (elbow[-5:] == elbow[-1]).all()
    steps_s = np.diff([at_s for at_s, _ in ros])
    assert (np.abs(np.diff(elbow)) <= ROBOT.limits.velocity[MOVED] * (steps_s + 0.1)).all()
    assert all(np.isfinite([motor.q for motor in message.motor_cmd]).all() for _, message in ros)
    assert ros[-1][1].motor_cmd[MOTOR].kp > 0.0
    player.destroy_node()


def test_every_outlet_keeps_its_own_rate_and_does_not_catch_up():
    outlet = Outlet(ROBOT.interface.adapters[0], None, None, np.arange(1), period_s=0.02)
    times = np.arange(0.0, 1.0, 0.005) + 50.0
    assert sum(outlet.is_due(at_s) for at_s in times) == 50
    # After a pause of half a second one message leaves, not twenty-five.
    assert [outlet.is_due(51.5 + late_s) for late_s in (0.0, 0.005, 0.021)] == [
        True, False, True]


def test_nothing_is_taken_over_when_no_trajectory_ever_came(ros: Sent):
    player = TrajectoryPlayer()
    player.start()
    time.sleep(0.1)
    player.close()
    assert not ros
    player.destroy_node()


def test_a_robot_whose_package_is_missing_is_refused(monkeypatch: pytest.MonkeyPatch, ros: Sent):
    fakes.install(monkeypatch)
    with pytest.raises(RobotError, match='needs unitree_hg/msg/LowCmd, but no package'):
        TrajectoryPlayer()


def test_diagnostics_tell_state_and_weight(ros: Sent):
    player = TrajectoryPlayer()
    reports: list[Any] = []
    player._diagnostics = SimpleNamespace(publish=reports.append)
    player._on_trajectory(still(player._now_ns()))
    player._report()
    player._cycle()
    player._on_trajectory(JointTrajectory())
    player._cycle()
    player._report()
    player._report()
    first, second, third = ({v.key: v.value for v in r.status[0].values} for r in reports)
    assert first['state'] == 'waiting' and second['state'] == 'playing'
    assert second['weight /arm_sdk'] == '0.000' and second['trajectories accepted'] == '1'
    assert third['problem trajectory_no_joints'] == '1'
    assert [report.status[0].level[0] for report in reports] == [0, 1, 0]
    player.destroy_node()
