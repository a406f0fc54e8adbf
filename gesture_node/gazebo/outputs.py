"""Who commands which joints in Gazebo, on which topics: bridge and controllers of one robot.

``config/gazebo/*.yaml`` are those of our own humanoid, to be used as they are or as the pattern
from which the files of any other robot are made here.
"""
from __future__ import annotations

from copy import deepcopy
import math
from pathlib import Path
import re
from typing import Any

import yaml

from ..exceptions import ConfigError
from ..motion.profile import RobotProfile
from ..motion.profile_interface import Controller
from ..motion.urdf import MOVING_TYPES
from ..resources import share_path

DEFAULT_CONTROLLER, DEFAULT_TOPIC = 'joint_trajectory_controller', '/joint_trajectory'
_TRAJECTORY = 'trajectory_msgs/msg/JointTrajectory'
_JOINT_STATE = 'sensor_msgs/msg/JointState'
_MANAGER = 'controller_manager'


def outputs(profile: RobotProfile) -> tuple[Controller, ...]:
    """Return the trajectory controllers of a robot in Gazebo, every commanded joint in one.

    They are the profile's own. Where those leave out joints, which adapters play on the real
    robot, a single one called ``joint_trajectory_controller`` takes the whole plan instead.
    """
    own = profile.interface.controllers
    taken = {joint for controller in own for joint in controller.joints}
    if taken == set(profile.joint_names):
        return own
    return (Controller(DEFAULT_CONTROLLER, DEFAULT_TOPIC, profile.joint_names),)


def controllers_choice(profile: RobotProfile) -> str:
    """Return the value of ``output.controllers`` that addresses :func:`outputs`."""
    return 'profile' if outputs(profile) == profile.interface.controllers else 'none'


def held_joints(profile: RobotProfile) -> dict[str, float]:
    """Return the moving joints that nobody commands, and the position [rad] they are held at.

    Mimic joints are held where the rest position of their source puts them; others at 0, or the
    limit nearest to it.
    """
    rest = dict(zip(profile.joint_names, profile.rest_positions.tolist()))
    held = {}
    for joint in profile.urdf.joints.values():
        if joint.kind in MOVING_TYPES and joint.name not in rest:
            position = 0.0
            if joint.mimics:
                multiplier, offset = _mimic(profile, joint.name)
                position = multiplier * rest.get(joint.mimics, 0.0) + offset
            held[joint.name] = min(max(position, joint.lower), joint.upper)
    return held


def _mimic(profile: RobotProfile, name: str) -> tuple[float, float]:
    from xml.etree import ElementTree

    element = ElementTree.parse(profile.urdf_path).find(f"joint[@name='{name}']/mimic")
    assert element is not None
    return float(element.get('multiplier', 1.0)), float(element.get('offset', 0.0))


def model_name(profile: RobotProfile) -> str:
    """Return the robot's name in Gazebo, fit to be part of a topic."""
    return re.sub(r'\W', '_', profile.name)


def gazebo_topic(model: str, controller: str) -> str:
    """Return where one trajectory plugin of a model listens inside Gazebo."""
    return f'/model/{model}/{controller}/joint_trajectory'


def joint_state_topic(model: str) -> str:
    """Return where a model's joint states appear inside Gazebo."""
    return f'/model/{model}/joint_state'


def controller_topic(controller: Controller) -> str:
    """Return where a trajectory controller of ros2_control listens."""
    return f'/{controller.name}/joint_trajectory'


def bridge_entries(profile: RobotProfile, use_ros2_control: bool) -> list[dict[str, Any]]:
    """Return the configuration of ``ros_gz_bridge`` for a robot.

    Args:
        profile: the robot.
        use_ros2_control: trajectories and joint states go through ros2_control; only the clock is
            bridged.

    Raises:
        ConfigError: ``config/gazebo/bridge.yaml`` is missing or no list of topics.
    """
    path = share_path('config', 'gazebo', 'bridge.yaml')
    pattern = _read(path)
    if not isinstance(pattern, list) or not all(isinstance(entry, dict) for entry in pattern):
        raise ConfigError(f'{str(path)!r} must be a list of topics')
    model, entries = model_name(profile), []
    for entry in pattern:
        kind = entry.get('ros_type_name')
        if kind not in (_TRAJECTORY, _JOINT_STATE):
            entries.append(entry)
        elif use_ros2_control:
            continue
        elif kind == _JOINT_STATE:
            entries.append({**entry, 'gz_topic_name': joint_state_topic(model)})
        else:
            entries += [{**entry, 'ros_topic_name': output.topic,
                         'gz_topic_name': gazebo_topic(model, output.name)}
                        for output in outputs(profile)]
    return entries


def controller_parameters(profile: RobotProfile) -> dict[str, Any]:
    """Return the parameters of the controller manager and of every controller of a robot.

    Raises:
        ConfigError: ``config/gazebo/controllers.yaml`` is missing or lacks a part.
    """
    path = share_path('config', 'gazebo', 'controllers.yaml')
    pattern = _read(path)
    try:
        manager = dict(pattern[_MANAGER]['ros__parameters'])
        follower = dict(pattern[DEFAULT_CONTROLLER]['ros__parameters'])
        kind = manager.pop(DEFAULT_CONTROLLER)
    except (TypeError, KeyError) as error:
        raise ConfigError(f'{str(path)!r} lacks {error}') from error
    made = {name: part for name, part in pattern.items()
            if name not in (_MANAGER, DEFAULT_CONTROLLER)}
    for output in outputs(profile):
        # Copies: YAML would write what is shared as aliases, which ROS does not read.
        manager[output.name] = deepcopy(kind)
        made[output.name] = {
            'ros__parameters': {**deepcopy(follower), 'joints': list(output.joints)}}
    return {_MANAGER: {'ros__parameters': manager}, **made}


def control_rate_hz() -> float:
    """Return how often the controllers run [Hz]."""
    rate = _read(share_path('config', 'gazebo', 'controllers.yaml'))
    return float(rate[_MANAGER]['ros__parameters'].get('update_rate', math.nan))


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f'cannot read {str(path)!r}: {error}') from error
