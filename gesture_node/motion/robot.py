"""Reading robot profiles: which joints of which URDF show which part of a person.

A profile is a YAML file of named keys (``docs/add_a_robot.md`` explains each); those that ship
are in ``config/robots/``. Reading one checks it against its URDF, so a profile that was read can
be retargeted to.
"""
from __future__ import annotations

from pathlib import Path

from ..exceptions import ConfigError, RobotError
from ..resources import share_path
from .collision_capsules import read_capsules
from .collision_profile import read_collision
from .profile import RobotProfile
from .profile_cannot import read_cannot
from .profile_chains import check_commanded, read_arms, read_part, read_root
from .profile_interface import read_interface
from .profile_numbers import read_limits, read_rest
from .profile_yaml import Node, read_yaml
from .retarget_weights import read_weights
from .urdf import parse_urdf, read_urdf, Urdf

__all__ = ['load_profile', 'profile_names', 'RobotProfile']

_KEYS = ('name', 'source', 'licence', 'urdf', 'limits', 'root', 'torso', 'head', 'arms', 'rest',
         'interface', 'cannot', 'weights', 'collision')


def profile_names() -> tuple[str, ...]:
    """Return the names of the profiles that ship, sorted."""
    return tuple(sorted(path.stem for path in share_path('config', 'robots').glob('*.yaml')))


def load_profile(name_or_path: str | Path, urdf_text: str = '') -> RobotProfile:
    """Read a robot profile and check it against its URDF.

    Args:
        name_or_path: name of a profile that ships (``nao``), or path of a YAML file.
        urdf_text: URDF that takes the place of the profile's file, which is then only read for
            the shapes of the links; empty takes the file.

    Raises:
        RobotError: no such profile; the YAML or the URDF is malformed; the profile lacks a key,
            has an unknown one, names a joint or link the URDF does not have, or has limits that
            contradict each other or the URDF.
    """
    path = _find(name_or_path)
    node = read_yaml(path).allow(_KEYS)
    urdf_path = _resolve(node.text('urdf'), path)
    urdf = _given_urdf(urdf_text, urdf_path) if urdf_text else read_urdf(urdf_path)
    root = read_root(node.child('root'), urdf)
    torso = read_part(node.child('torso'), urdf)
    head = read_part(node.child('head'), urdf) if node.has('head') else None
    arms = read_arms(node.child('arms'), urdf)
    fingers = {arm.side: tuple(joint.name for joint in arm.closing) for arm in arms}
    names = (*torso.joints, *(head.joints if head else ()),
             *(name for arm in arms for name in (*arm.joints, *fingers[arm.side])))
    check_commanded(names, urdf)
    limits = read_limits(node.child('limits'), names, urdf)
    return RobotProfile(
        name=node.text('name'), source=node.text('source'), licence=node.text('licence'),
        urdf_path=urdf_path, urdf=urdf, joint_names=names, limits=limits,
        rest_positions=read_rest(_optional(node, 'rest'), names, limits),
        root=root, torso=torso, head=head, arms=arms,
        interface=read_interface(_optional(node, 'interface'), names),
        cannot=read_cannot(node.children('cannot') if node.has('cannot') else ()),
        weights=read_weights(_optional(node, 'weights')),
        collision=read_collision(_optional(node, 'collision'), urdf))


def _given_urdf(text: str, shapes_path: Path) -> Urdf:
    """Return the URDF that was given, if it has all links that the file gives a shape."""
    urdf = parse_urdf(text, 'robot_description')
    for capsule in read_capsules(shapes_path):
        if capsule.link not in urdf.links:
            raise RobotError(f'the URDF of {urdf.name} has no link {capsule.link!r}, to which '
                             f'{shapes_path.name} gives a shape')
    return urdf


def _optional(node: Node, key: str) -> Node:
    return node.child(key) if node.has(key) else Node({}, key)


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
    """Return the share folder of a ROS package; ROS is only needed for such an address."""
    try:
        from ament_index_python.packages import get_package_share_directory
        return Path(get_package_share_directory(package))
    except (ImportError, LookupError, OSError, ValueError) as error:
        raise RobotError(f'package://{package} was not found: source the ROS 2 workspace that '
                         f'has it, or give the path of the URDF') from error
