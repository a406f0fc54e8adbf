"""The numbers of a robot profile: limits and rest positions of the commanded joints."""
from __future__ import annotations

import numpy as np

from ..exceptions import RobotError
from ..types import Float64Array
from .limits import JointLimits
from .profile_yaml import Node
from .urdf import Urdf, UrdfJoint

_RATE_KEYS = ('velocity', 'acceleration', 'jerk')
_LIMIT_KEYS = ('lower', 'upper', *_RATE_KEYS)


def read_limits(node: Node, names: tuple[str, ...], urdf: Urdf) -> JointLimits:
    """Return the limits of the commanded joints: the URDF's, narrowed by the profile.

    Raises:
        RobotError: a limit is missing, not a number, contradicts another, is wider than the
            URDF's, or is given for a joint that is not commanded.
    """
    node.allow(('default', 'joints'))
    default = node.child('default').allow(_RATE_KEYS)
    special = node.child('joints') if node.has('joints') else Node({}, 'joints')
    _check_commanded('limits are given for', special, names)
    rows = [_joint_limits(urdf.joints[name], default,
                          special.child(name) if special.has(name) else Node({}, name))
            for name in names]
    return JointLimits(**{key: np.array([row[key] for row in rows]) for key in _LIMIT_KEYS})


def _joint_limits(joint: UrdfJoint, default: Node, own: Node) -> dict[str, float]:
    own.allow(_LIMIT_KEYS)
    row = {'lower': joint.lower, 'upper': joint.upper}
    row |= {key: default.number(key) for key in _RATE_KEYS}
    row['velocity'] = min(row['velocity'], joint.velocity)
    row |= {key: own.number(key) for key in own}
    _check(joint, row)
    return row


def _check(joint: UrdfJoint, row: dict[str, float]) -> None:
    lower, upper = row['lower'], row['upper']
    if not np.isfinite([lower, upper]).all():
        raise RobotError(f'joint {joint.name!r} has no position limits in the URDF; '
                         f'give lower and upper in the profile')
    if lower >= upper:
        raise RobotError(f'joint {joint.name!r} has lower limit {lower} not below its upper '
                         f'limit {upper}')
    if lower < joint.lower or upper > joint.upper:
        raise RobotError(f'limits [{lower}, {upper}] of joint {joint.name!r} reach beyond '
                         f"the URDF's [{joint.lower}, {joint.upper}]")
    if row['velocity'] > joint.velocity:
        raise RobotError(f'velocity limit {row["velocity"]} of joint {joint.name!r} is above '
                         f"the URDF's {joint.velocity}")
    for key in _RATE_KEYS:
        if row[key] <= 0.0:
            raise RobotError(f'{key} limit of joint {joint.name!r} must be above 0, '
                             f'got {row[key]}')


def read_rest(node: Node, names: tuple[str, ...], limits: JointLimits) -> Float64Array:
    """Return rest positions ``(N,)`` [rad]: as given, else 0 or the nearest the limits allow.

    Raises:
        RobotError: a position is outside its limits or given for a joint that is not commanded.
    """
    _check_commanded('rest names', node, names)
    rest = np.clip(np.zeros(len(names)), limits.lower, limits.upper)
    for name in node:
        index, value = names.index(name), node.number(name)
        if not limits.lower[index] <= value <= limits.upper[index]:
            raise RobotError(f'rest position {value} of joint {name!r} is outside its limits '
                             f'[{limits.lower[index]}, {limits.upper[index]}]')
        rest[index] = value
    rest.flags.writeable = False
    return rest


def _check_commanded(what: str, node: Node, names: tuple[str, ...]) -> None:
    for name in node:
        if name not in names:
            raise RobotError(f'{what} {name!r}, which is not a commanded joint; '
                             f'commanded: {", ".join(names)}')
