"""Start ``gesture_node`` for one robot.

``ros2 launch gesture_node gesture.launch.py robot:=unitree_g1 audio_topic:=/audio_out/raw``
"""
from typing import Any

from launch.actions import OpaqueFunction

from gesture_node import launch_logic
from launch import LaunchDescription


def _start(context: Any) -> list[Any]:
    values = launch_logic.read(context, launch_logic.GESTURE_ARGUMENTS)
    return launch_logic.start((launch_logic.gesture_node(values),))


def generate_launch_description() -> LaunchDescription:
    """Return the arguments, then the node they describe."""
    return LaunchDescription([
        *launch_logic.describe(launch_logic.GESTURE_ARGUMENTS), OpaqueFunction(function=_start)])
