"""Let a robot in Gazebo speak and gesture, on simulated time.

``ros2 launch gesture_node gazebo.launch.py robot:=nao headless:=true use_ros2_control:=false``
"""
from typing import Any

from launch.actions import OpaqueFunction

from gesture_node import gazebo_logic, launch_logic
from launch import LaunchDescription


def _start(context: Any) -> list[Any]:
    values = launch_logic.read(context, gazebo_logic.GAZEBO_ARGUMENTS)
    return gazebo_logic.start(gazebo_logic.plan(values))


def generate_launch_description() -> LaunchDescription:
    """Return the arguments, then Gazebo, the robot and the nodes they describe."""
    return LaunchDescription([
        *launch_logic.describe(gazebo_logic.GAZEBO_ARGUMENTS), OpaqueFunction(function=_start)])
