"""Play ``joint_trajectory`` to a robot that has no trajectory controller.

``ros2 launch gesture_node player.launch.py robot:=qtrobot``
"""
from typing import Any

from launch.actions import OpaqueFunction

from gesture_node import launch_logic
from launch import LaunchDescription


def _start(context: Any) -> list[Any]:
    values = launch_logic.read(context, launch_logic.PLAYER_ARGUMENTS)
    return launch_logic.start((launch_logic.player_node(values),))


def generate_launch_description() -> LaunchDescription:
    """Return the arguments, then the node they describe."""
    return LaunchDescription([
        *launch_logic.describe(launch_logic.PLAYER_ARGUMENTS), OpaqueFunction(function=_start)])
