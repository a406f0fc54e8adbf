"""The whole launch in Gazebo itself; runs only where Gazebo, ros_gz and launch_testing are.

Starts ``gazebo.launch.py`` without a window, speaks the shipped greeting, and looks at what the
simulated robot does: it comes up, moves its arms, and comes to rest again.
"""
from __future__ import annotations

import importlib.util
import os
from pathlib import Path
import shutil
import sys
import time
from typing import Any
import unittest

import pytest

_PACKAGES = ('ros_gz_sim', 'ros_gz_bridge', 'robot_state_publisher', 'gesture_node')
_CONTROL = ('gz_ros2_control', 'controller_manager', 'joint_state_broadcaster',
            'joint_trajectory_controller')
_LIMIT_S = 600.0
_MOVED_RAD, _STILL_RAD_S = 0.2, 0.05
_REST_NS = 2_000_000_000


def _missing() -> str:
    """Return what this machine lacks to run the test, empty if nothing."""
    for module in ('launch', 'launch_ros', 'launch_testing', 'ament_index_python', 'rclpy'):
        if importlib.util.find_spec(module) is None:
            return f'the module {module}'
    if not (shutil.which('gz') or shutil.which('ign')):
        return 'Gazebo'
    from ament_index_python.packages import get_packages_with_prefixes

    absent = sorted(set(_PACKAGES) - set(get_packages_with_prefixes()))
    return f'the package {absent[0]}' if absent else ''


if _missing():
    pytest.skip(f'needs {_missing()}', allow_module_level=True)

from ament_index_python.packages import get_packages_with_prefixes  # noqa: E402
from launch.actions import IncludeLaunchDescription, TimerAction  # noqa: E402
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402
import launch_testing  # noqa: E402
import launch_testing.actions  # noqa: E402
import launch_testing.markers  # noqa: E402
import rclpy  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402

from gesture_node.motion.robot import load_profile  # noqa: E402
from gesture_node.resources import share_path  # noqa: E402
from launch import LaunchDescription  # noqa: E402

_WAYS = ['false', *(['true'] if set(_CONTROL) <= set(get_packages_with_prefixes()) else [])]


@pytest.mark.launch_test
@launch_testing.parametrize('use_ros2_control', _WAYS)
@launch_testing.markers.keep_alive
def generate_test_description(use_ros2_control: str) -> tuple[Any, dict[str, Any]]:
    """Start Gazebo with the humanoid; a domain and a partition of its own keep others out."""
    os.environ['GZ_PARTITION'] = f'gesture_node_{os.getpid()}_{use_ros2_control}'
    whole = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share_path('launch', 'gazebo.launch.py'))),
        launch_arguments=[('robot', 'humanoid'), ('headless', 'true'),
                          ('use_ros2_control', use_ros2_control)])
    ready = TimerAction(period=1.0, actions=[launch_testing.actions.ReadyToTest()])
    return LaunchDescription([whole, ready]), {'use_ros2_control': use_ros2_control}


class TestTheRobotSpeaks(unittest.TestCase):
    """What the joints do from the start to the rest after the greeting."""

    def setUp(self) -> None:
        rclpy.init()
        self.node = rclpy.create_node(
            'observer', parameter_overrides=[Parameter('use_sim_time', value=True)])
        self.states: list[JointState] = []
        self.node.create_subscription(JointState, '/joint_states', self.states.append, 100)

    def tearDown(self) -> None:
        self.node.destroy_node()
        rclpy.try_shutdown()

    def wait_for(self, what: str, is_there: Any) -> None:
        end = time.monotonic() + _LIMIT_S
        while not is_there():
            self.assertLess(time.monotonic(), end, f'{what} did not come; {len(self.states)} '
                                                   'joint states were seen')
            rclpy.spin_once(self.node, timeout_sec=0.2)

    def test_it_moves_inside_its_limits_and_rests(self) -> None:
        profile = load_profile('humanoid')
        self.wait_for('joint_states', lambda: self.states)
        self.assertGreaterEqual(set(self.states[0].name), set(profile.joint_names))
        self.wait_for('motion', lambda: self._swing() > _MOVED_RAD)
        self.wait_for('rest after the greeting', lambda: self._still_ns() > _REST_NS)
        for state in self.states:
            for name, position in zip(state.name, state.position):
                joint = profile.urdf.joints[name]
                self.assertGreater(position, joint.lower - 0.1, name)
                self.assertLess(position, joint.upper + 0.1, name)

    def _swing(self) -> float:
        """Return the largest way from the first measured posture [rad]."""
        first = dict(zip(self.states[0].name, self.states[0].position))
        last = self.states[-1]
        return max(abs(first[name] - position) for name, position in zip(last.name, last.position))

    def _still_ns(self) -> int:
        """Return for how long no joint has moved [ns of simulated time]."""
        last = _stamp_ns(self.states[-1])
        for state in reversed(self.states):
            if any(abs(velocity) > _STILL_RAD_S for velocity in state.velocity):
                return last - _stamp_ns(state)
        return 0


def _stamp_ns(state: JointState) -> int:
    return int(state.header.stamp.sec) * 1_000_000_000 + int(state.header.stamp.nanosec)


if __name__ == '__main__':
    sys.exit(pytest.main([str(Path(__file__))]))
