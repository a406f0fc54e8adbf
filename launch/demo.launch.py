"""Speak a sentence to a simulated robot and make a video of it.

``ros2 launch gesture_node demo.launch.py robot:=unitree_g1 audio:=/path/to/speech.wav``
"""
from typing import Any

from launch.actions import OpaqueFunction

from gesture_node import launch_logic
from launch import LaunchDescription


def _start(context: Any) -> list[Any]:
    values = launch_logic.read(context, launch_logic.DEMO_ARGUMENTS)
    return launch_logic.start(launch_logic.demo_nodes(values))


def generate_launch_description() -> LaunchDescription:
    """Return the arguments, then the three nodes they describe."""
    return LaunchDescription([
        *launch_logic.describe(launch_logic.DEMO_ARGUMENTS), OpaqueFunction(function=_start)])
