"""The chains of a robot profile: root, torso, head, arms and fingers, checked against the URDF."""
from __future__ import annotations

import numpy as np

from ..exceptions import RobotError
from .profile import Arm, ClosingJoint, OrientedPart
from .profile_yaml import Node
from .skeleton import FINGER_NAMES
from .urdf import MOVING_TYPES, Urdf

CURL_NAMES = ('hand', *(name.removeprefix('left_') for name in FINGER_NAMES[:6]))
"""What a closing joint may follow; ``hand`` is the mean of the four fingers."""


def read_root(node: Node, urdf: Urdf) -> OrientedPart:
    """Return the part that is fixed: its link and which way it faces.

    Raises:
        RobotError: a key is missing or unknown, the link does not exist, or the axes are not
            perpendicular.
    """
    return _oriented(node.allow(('link', 'forward', 'up')), urdf, ())


def read_part(node: Node, urdf: Urdf) -> OrientedPart:
    """Return torso or head: its link, the joints that turn it, and which way it faces.

    Raises:
        RobotError: as :func:`read_root`; or a joint does not exist or does not move the link.
    """
    node.allow(('link', 'joints', 'forward', 'up'))
    return _oriented(node, urdf, node.names('joints'))


def check_commanded(names: tuple[str, ...], urdf: Urdf) -> None:
    """Check that every joint exists, rotates, is free and is named once.

    Raises:
        RobotError: it does not, or there is none at all.
    """
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


def _oriented(node: Node, urdf: Urdf, joints: tuple[str, ...]) -> OrientedPart:
    link = node.text('link')
    _check_chain(joints, link, urdf)
    forward, up = node.direction('forward'), node.direction('up')
    if abs(forward @ up) > 0.01:
        raise RobotError(f'forward and up of link {link!r} must be perpendicular, '
                         f'got {forward.tolist()} and {up.tolist()}')
    left = np.cross(up, forward)
    return OrientedPart(link, joints, np.stack([forward, left, np.cross(forward, left)], axis=1))


def read_arms(node: Node, urdf: Urdf) -> tuple[Arm, ...]:
    """Return the arms of a profile, left before right.

    Raises:
        RobotError: a key is missing or unknown, a link or joint does not exist, or hand, forearm
            and upper arm do not hang from each other.
    """
    node.allow(('left', 'right'))
    return tuple(_arm(side, node.child(side), urdf) for side in ('left', 'right')
                 if node.has(side))


def _arm(side: str, node: Node, urdf: Urdf) -> Arm:
    node.allow(('joints', 'upper_arm', 'forearm', 'hand', 'closing', 'hang_out_rad'))
    upper = node.child('upper_arm').allow(('link', 'direction'))
    forearm = node.child('forearm').allow(('link', 'direction'))
    hand = node.child('hand').allow(('link', 'fingers', 'palm', 'centre_m'))
    arm = Arm(
        side=side, joints=node.names('joints'),
        upper_arm_link=upper.text('link'), upper_arm=upper.direction('direction'),
        forearm_link=forearm.text('link'), forearm=forearm.direction('direction'),
        hand_link=hand.text('link'), fingers=hand.direction('fingers'),
        palm=hand.direction('palm'),
        closing=_closing(node.child('closing')) if node.has('closing') else (),
        hang_out_rad=node.number('hang_out_rad') if node.has('hang_out_rad') else 0.0,
        palm_centre_m=hand.number('centre_m') if hand.has('centre_m') else None)
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
    for name in node:
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
