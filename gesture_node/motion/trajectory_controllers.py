"""Which joints of a plan go to which trajectory controller, and the message for each.

A controller takes every one of its joints in every message and no joint of another, so the plan
of a robot with several is cut by columns: same knots, same stamp, other joints.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from ..exceptions import ConfigError
from .profile_interface import Controller, RobotInterface
from .trajectory_message import TrajectoryMessage

OF_PROFILE, WITHOUT = 'profile', 'none'
_SHOWN = 4


def choose_controllers(choice: str, interface: RobotInterface,
                       joint_names: Sequence[str]) -> tuple[Controller, ...]:
    """Return the controllers that each get a message of their own.

    Args:
        choice: ``profile`` for those of the robot's profile; ``none``; or a YAML mapping of the
            name of each controller to its joints, whose topic is ``<name>/joint_trajectory``.
        interface: of the robot's profile.
        joint_names: the commanded joints.

    Raises:
        ConfigError: the text is no such mapping, names a joint that is not commanded or that has
            a controller already, or leaves one out.
    """
    if choice == OF_PROFILE:
        return interface.controllers
    if choice == WITHOUT:
        return ()
    found: list[Controller] = []
    owners: dict[str, str] = {}
    for name, joints in _mapping(choice).items():
        for joint in joints:
            if joint not in joint_names:
                raise ConfigError(f'output.controllers gives {name} the joint {joint!r}, which '
                                  f'is not commanded; commanded: {", ".join(joint_names)}')
            if joint in owners:
                raise ConfigError(f'output.controllers gives the joint {joint!r} to '
                                  f'{owners[joint]} and to {name}; it must go to one')
            owners[joint] = name
        found.append(Controller(name, f'{name}/joint_trajectory', tuple(joints)))
    missing = [joint for joint in joint_names if joint not in owners]
    if missing:
        more = f' and {len(missing) - _SHOWN} more' if len(missing) > _SHOWN else ''
        raise ConfigError(f'output.controllers leaves out {", ".join(missing[:_SHOWN])}{more}; '
                          f'every commanded joint must go to one controller')
    return tuple(found)


def message_for(controller: Controller, message: TrajectoryMessage) -> TrajectoryMessage:
    """Return the part of a message that a controller takes."""
    index = {name: column for column, name in enumerate(message.joint_names)}
    columns = [index[name] for name in controller.joints]
    whole = message.accelerations
    return TrajectoryMessage(controller.joints, message.stamp_ns, message.times_from_start_ns,
                             message.positions[:, columns], message.velocities[:, columns],
                             None if whole is None else whole[:, columns])


def _mapping(text: str) -> Mapping[str, list[str]]:
    try:
        found: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict) or not found or not all(
            isinstance(name, str) and name and isinstance(joints, list) and joints
            and all(isinstance(joint, str) for joint in joints)
            for name, joints in found.items()):
        raise ConfigError(
            f'output.controllers must be "{OF_PROFILE}", "{WITHOUT}" or a YAML mapping such as '
            f'{{head_controller: [head_yaw, head_pitch], ...}}, got {text!r}')
    return found
