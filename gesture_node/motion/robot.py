"""Reading robot profiles: which joints of which URDF show which part of a person.

A profile is a YAML file of named keys (``docs/add_a_robot.md`` explains each); those that ship
are in ``config/robots/``. Reading one checks it against its URDF, so a profile that was read can
be retargeted to.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np

from .limits import JointLimits
from .profile import Arm, ClosingJoint, OrientedPart, RobotProfile
from .profile_yaml import Node, read_yaml
from .skeleton import FINGER_NAMES
from .urdf import MOVING_TYPES, read_urdf, Urdf
from ..exceptions import ConfigError, RobotError
from ..resources import share_path
from ..types import Float64Array

__all__ = ['load_profile', 'profile_names', 'RobotProfile']

CURL_NAMES = ('hand', *(name.removeprefix('left_') for name in FINGER_NAMES[:6]))
"""What a closing joint may follow; ``hand`` is the mean of the four fingers."""
_KEYS = ('name', 'source', 'licence', 'urdf', 'limits', 'root', 'torso', 'head', 'arms', 'rest',
         'interface')
_LIMIT_KEYS = ('lower', 'upper', 'velocity', 'acceleration', 'jerk')
_RATE_KEYS = ('velocity', 'acceleration', 'jerk')


def profile_names() -> tuple[str, ...]:
    """Return the names of the profiles that ship, sorted."""
    return tuple(sorted(path.stem for path in share_path('config', 'robots').glob('*.yaml')))


def load_profile(name_or_path: str | Path) -> RobotProfile:
    """Read a robot profile and check it against its URDF.

    Args:
        name_or_path: name of a profile that ships (``nao``), or path of a YAML file.

    Raises:
        RobotError: no such profile; the YAML or the URDF is malformed; the profile lacks a key,
            has an unknown one, names a joint or link the URDF does not have, or has limits that
            contradict each other or the URDF.
    """
    path = _find(name_or_path)
    node = read_yaml(path).allow(_KEYS)
    urdf_path = _resolve(node.text('urdf'), path)
    urdf = read_urdf(urdf_path)
    root = _oriented(node.child('root').allow(('link', 'forward', 'up')), urdf, ())
    torso_node = node.child('torso').allow(('link', 'joints', 'forward', 'up'))
    torso = _oriented(torso_node, urdf, torso_node.names('joints'))
    head = _head(node, urdf)
    arms = _arms(node.child('arms').allow(('left', 'right')), urdf)
    names = (*torso.joints, *(head.joints if head else ()),
             *(name for arm in arms
               for name in (*arm.joints, *(joint.name for joint in arm.closing))))
    _check_joints(names, urdf)
    limits = _limits(node.child('limits').allow(('default', 'joints')), names, urdf)
    interface = node.child('interface') if node.has('interface') else None
    return RobotProfile(
        name=node.text('name'), source=node.text('source'), licence=node.text('licence'),
        urdf_path=urdf_path, urdf=urdf, joint_names=names, limits=limits,
        rest_positions=_rest(node, names, limits), root=root, torso=torso, head=head, arms=arms,
        interface={key: interface.text(key) for key in interface.keys()} if interface else {})


def _find(name_or_path: str | Path) -> Path:
    """Return the path of a profile; a bare word is a name, anything else a path."""
    text = str(name_or_path)
    if Path(text).suffix not in ('.yaml', '.yml') and '/' not in text:
        if text not in profile_names():
            raise RobotError(f'unknown robot {text!r}; known: {", ".join(profile_names())}, '
                             f'or give the path of a profile YAML')
        return share_path('config', 'robots', f'{text}.yaml')
    path = Path(text).expanduser()
    if not path.is_file():
        raise RobotError(f'there is no robot profile at {text!r}')
    return path.resolve()


def _resolve(urdf: str, profile_path: Path) -> Path:
    """Return the URDF's path: absolute, beside the profile, or below the share folder."""
    if urdf.startswith('package://'):
        package, _, inside = urdf.removeprefix('package://').partition('/')
        return _package_share(package) / inside
    beside = profile_path.parent / Path(urdf).expanduser()
    if beside.is_file():
        return beside.resolve()
    try:
        return share_path(*Path(urdf).parts)
    except ConfigError as error:
        raise RobotError(f'robot profile {profile_path.name} names the URDF {urdf!r}, which is '
                         f'neither beside it nor among the shipped files') from error


def _package_share(package: str) -> Path:
    try:
        from ament_index_python.packages import get_package_share_directory
    except ImportError as error:
        raise RobotError(f'package://{package} needs a sourced ROS 2 installation; '
                         f'give the path of the URDF instead') from error
    try:
        return Path(get_package_share_directory(package))
    except LookupError as error:
        raise RobotError(f'ROS package {package!r} is not installed') from error


def _oriented(node: Node, urdf: Urdf, joints: tuple[str, ...]) -> OrientedPart:
    link = node.text('link')
    _check_chain(joints, link, urdf)
    forward, up = node.direction('forward'), node.direction('up')
    if abs(forward @ up) > 0.01:
        raise RobotError(f'forward and up of link {link!r} must be perpendicular, '
                         f'got {forward.tolist()} and {up.tolist()}')
    left = np.cross(up, forward)
    return OrientedPart(link, joints, np.stack([forward, left, np.cross(forward, left)], axis=1))


def _head(node: Node, urdf: Urdf) -> OrientedPart | None:
    if not node.has('head'):
        return None
    head = node.child('head').allow(('link', 'joints', 'forward', 'up'))
    return _oriented(head, urdf, head.names('joints'))


def _arms(node: Node, urdf: Urdf) -> tuple[Arm, ...]:
    return tuple(_arm(side, node.child(side), urdf) for side in ('left', 'right')
                 if node.has(side))


def _arm(side: str, node: Node, urdf: Urdf) -> Arm:
    node.allow(('joints', 'upper_arm', 'forearm', 'hand', 'closing', 'hang_out_rad'))
    upper = node.child('upper_arm').allow(('link', 'direction'))
    forearm = node.child('forearm').allow(('link', 'direction'))
    hand = node.child('hand').allow(('link', 'fingers', 'palm'))
    arm = Arm(
        side=side, joints=node.names('joints'),
        upper_arm_link=upper.text('link'), upper_arm=upper.direction('direction'),
        forearm_link=forearm.text('link'), forearm=forearm.direction('direction'),
        hand_link=hand.text('link'), fingers=hand.direction('fingers'),
        palm=hand.direction('palm'),
        closing=_closing(node.child('closing')) if node.has('closing') else (),
        hang_out_rad=node.number('hang_out_rad') if node.has('hang_out_rad') else 0.0)
    _check_chain(arm.joints, arm.hand_link, urdf)
    upper_path, fore_path = (urdf.joints_to(arm.upper_arm_link), urdf.joints_to(arm.forearm_link))
    if fore_path[:len(upper_path)] != upper_path or fore_path == upper_path:
        raise RobotError(f'link {arm.forearm_link!r} must hang from {arm.upper_arm_link!r}, '
                         f'as a forearm hangs from its upper arm')
    if urdf.joints_to(arm.hand_link)[:len(fore_path)] != fore_path:
        raise RobotError(f'link {arm.hand_link!r} must hang from {arm.forearm_link!r}, '
                         f'as a hand hangs from its forearm')
    return arm


def _closing(node: Node) -> tuple[ClosingJoint, ...]:
    joints = []
    for name in node.keys():
        entry = node.child(name).allow(('curl', 'open', 'closed'))
        curl = entry.text('curl')
        if curl not in CURL_NAMES:
            raise RobotError(f'curl of joint {name!r} must be one of {", ".join(CURL_NAMES)}, '
                             f'got {curl!r}')
        joints.append(ClosingJoint(name, curl, entry.number('open'), entry.number('closed')))
    return tuple(joints)


def _check_chain(joints: tuple[str, ...], link: str, urdf: Urdf) -> None:
    path = urdf.joints_to(link)
    for name in joints:
        if name not in urdf.joints:
            raise RobotError(_no_joint(name, urdf))
        if name not in path:
            raise RobotError(f'joint {name!r} does not move link {link!r}; the joints that do: '
                             f'{", ".join(path) or "none"}')


def _no_joint(name: str, urdf: Urdf) -> str:
    moving = [joint.name for joint in urdf.joints.values() if joint.kind in MOVING_TYPES]
    return f'the URDF of {urdf.name} has no joint {name!r}; it has: {", ".join(moving)}'


def _check_joints(names: tuple[str, ...], urdf: Urdf) -> None:
    if not names:
        raise RobotError('a robot profile must name at least one joint')
    for name in names:
        if name not in urdf.joints:
            raise RobotError(_no_joint(name, urdf))
        joint = urdf.joints[name]
        if joint.kind not in ('revolute', 'continuous'):
            raise RobotError(f'joint {name!r} is {joint.kind}; only revolute and continuous '
                             f'joints can gesture')
        if joint.mimics:
            raise RobotError(f'joint {name!r} follows {joint.mimics!r} and cannot be commanded')
        if names.count(name) > 1:
            raise RobotError(f'joint {name!r} is named twice')


def _limits(node: Node, names: tuple[str, ...], urdf: Urdf) -> JointLimits:
    default = node.child('default').allow(_RATE_KEYS)
    special = node.child('joints') if node.has('joints') else None
    for name in special.keys() if special else ():
        if name not in names:
            raise RobotError(f'limits are given for {name!r}, which is not a commanded joint; '
                             f'commanded: {", ".join(names)}')
    rows = []
    for name in names:
        joint = urdf.joints[name]
        own = special.child(name).allow(_LIMIT_KEYS) if special and special.has(name) else None
        row = {'lower': joint.lower, 'upper': joint.upper}
        row |= {key: default.number(key) for key in _RATE_KEYS}
        row['velocity'] = min(row['velocity'], joint.velocity)
        if own is not None:
            row |= {key: own.number(key) for key in own.keys()}
        _check_limits(name, row, urdf)
        rows.append(row)
    return JointLimits(**{key: np.array([row[key] for row in rows]) for key in _LIMIT_KEYS})


def _check_limits(name: str, row: dict[str, float], urdf: Urdf) -> None:
    joint = urdf.joints[name]
    if not np.isfinite([row['lower'], row['upper']]).all():
        raise RobotError(f'joint {name!r} has no position limits in the URDF; '
                         f'give lower and upper in the profile')
    if row['lower'] >= row['upper']:
        raise RobotError(f'joint {name!r} has lower limit {row["lower"]} not below its upper '
                         f'limit {row["upper"]}')
    if row['lower'] < joint.lower or row['upper'] > joint.upper:
        raise RobotError(f'limits [{row["lower"]}, {row["upper"]}] of joint {name!r} reach beyond '
                         f'the URDF\'s [{joint.lower}, {joint.upper}]')
    if row['velocity'] > joint.velocity:
        raise RobotError(f'velocity limit {row["velocity"]} of joint {name!r} is above the URDF\'s '
                         f'{joint.velocity}')
    for key in _RATE_KEYS:
        if row[key] <= 0.0:
            raise RobotError(f'{key} limit of joint {name!r} must be above 0, got {row[key]}')


def _rest(node: Node, names: tuple[str, ...], limits: JointLimits) -> Float64Array:
    """Return the rest positions: 0, or the nearest the limits allow, where none is given."""
    rest = np.clip(np.zeros(len(names)), limits.lower, limits.upper)
    given = node.child('rest') if node.has('rest') else None
    for name in given.keys() if given else ():
        if name not in names:
            raise RobotError(f'rest names {name!r}, which is not a commanded joint; '
                             f'commanded: {", ".join(names)}')
        index, value = names.index(name), given.number(name) if given else 0.0
        if not limits.lower[index] <= value <= limits.upper[index]:
            raise RobotError(f'rest position {value} of joint {name!r} is outside its limits '
                             f'[{limits.lower[index]}, {limits.upper[index]}]')
        rest[index] = value
    rest.flags.writeable = False
    return rest
