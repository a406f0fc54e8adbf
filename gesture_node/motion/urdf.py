"""What motion needs of a URDF: the tree of links, the joints and their limits.

Geometry, inertia and transmissions are left alone. The XML goes on to Pinocchio stripped of
what is not kinematics, so missing meshes and vendors' extensions do no harm.
"""
from __future__ import annotations

from dataclasses import dataclass
import math
from pathlib import Path
from xml.etree import ElementTree

from ..exceptions import RobotError

MOVING_TYPES = ('revolute', 'continuous', 'prismatic')


@dataclass(frozen=True, slots=True)
class UrdfJoint:
    """A joint of a URDF.

    Attributes:
        name: joint name.
        kind: URDF type such as ``revolute`` or ``fixed``.
        parent: link it hangs from.
        child: link it carries.
        lower: position limit [rad] or [m]; minus infinity where the URDF states none.
        upper: position limit [rad] or [m]; infinity where the URDF states none.
        velocity: speed limit [rad/s] or [m/s]; infinity where the URDF states none.
        mimics: name of the joint it follows, empty when it is free.
    """

    name: str
    kind: str
    parent: str
    child: str
    lower: float
    upper: float
    velocity: float
    mimics: str


@dataclass(frozen=True, slots=True)
class Urdf:
    """The kinematic tree of a URDF.

    Attributes:
        name: robot name.
        root_link: the link that no joint carries.
        links: all link names.
        joints: all joints by name.
        kinematic_xml: the document with nothing but links, joints, axes and limits.
    """

    name: str
    root_link: str
    links: frozenset[str]
    joints: dict[str, UrdfJoint]
    kinematic_xml: str

    def joints_to(self, link: str) -> tuple[str, ...]:
        """Return the names of the joints from the root to a link, in order.

        Raises:
            RobotError: the URDF has no such link.
        """
        if link not in self.links:
            raise RobotError(f'URDF of {self.name} has no link {link!r}')
        carrier = {joint.child: joint for joint in self.joints.values()}
        path: list[str] = []
        while link != self.root_link:
            joint = carrier[link]
            path.append(joint.name)
            link = joint.parent
        return tuple(reversed(path))


def read_urdf(path: Path) -> Urdf:
    """Read the URDF at ``path``.

    Raises:
        RobotError: the file cannot be read, is no URDF, or its links are not one tree.
    """
    try:
        text = path.read_text(encoding='utf-8')
    except (OSError, UnicodeDecodeError) as error:
        raise RobotError(f'cannot read URDF {str(path)!r}: {error}') from error
    return parse_urdf(text, str(path))


def parse_urdf(text: str, origin: str) -> Urdf:
    """Return the kinematic tree of a URDF document.

    Args:
        text: the XML.
        origin: where it came from, for messages.

    Raises:
        RobotError: the text is no URDF, or its links are not one tree.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise RobotError(f'URDF {origin!r} is not XML: {error}') from error
    if root.tag != 'robot' or root.find('link') is None:
        raise RobotError(f'{origin!r} is no URDF: expected a <robot> with links')
    links = frozenset(element.get('name', '') for element in root.findall('link'))
    joints = [_joint(element, origin) for element in root.findall('joint')]
    for joint in joints:
        for link in (joint.parent, joint.child):
            if link not in links:
                raise RobotError(f'joint {joint.name!r} of URDF {origin!r} names the link '
                                 f'{link!r}, which does not exist')
    return Urdf(name=root.get('name', ''), root_link=_root_link(links, joints, origin),
                links=links, joints={joint.name: joint for joint in joints},
                kinematic_xml=_stripped(root))


def _joint(element: ElementTree.Element, origin: str) -> UrdfJoint:
    name = element.get('name', '')
    parent, child, limit = element.find('parent'), element.find('child'), element.find('limit')
    if parent is None or child is None:
        raise RobotError(f'joint {name!r} of URDF {origin!r} lacks its parent or child link')
    kind = element.get('type', '')
    bounded = limit is not None and kind != 'continuous'
    mimic = element.find('mimic')
    return UrdfJoint(
        name=name, kind=kind, parent=parent.get('link', ''), child=child.get('link', ''),
        lower=_number(limit, 'lower', 0.0, name, origin) if bounded else -math.inf,
        upper=_number(limit, 'upper', 0.0, name, origin) if bounded else math.inf,
        velocity=_number(limit, 'velocity', math.inf, name, origin),
        mimics='' if mimic is None else mimic.get('joint', ''))


def _number(limit: ElementTree.Element | None, key: str, default: float, joint: str,
            origin: str) -> float:
    text = None if limit is None else limit.get(key)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError as error:
        raise RobotError(f'limit {key} of joint {joint!r} in URDF {origin!r} is no number: '
                         f'{text!r}') from error


def _root_link(links: frozenset[str], joints: list[UrdfJoint], origin: str) -> str:
    children = [joint.child for joint in joints]
    roots = links.difference(children)
    if len(roots) != 1 or len(set(children)) != len(children):
        raise RobotError(f'links of URDF {origin!r} are not one tree: '
                         f'{len(roots)} roots ({", ".join(sorted(roots)) or "none"})')
    return next(iter(roots))


def _stripped(root: ElementTree.Element) -> str:
    """Return the document without geometry, inertia, mimic and extensions, all joints bounded.

    Pinocchio gives a continuous joint two coordinates; as a revolute joint it has one.
    """
    bare = ElementTree.Element('robot', name=root.get('name', 'robot'))
    for link in root.findall('link'):
        ElementTree.SubElement(bare, 'link', name=link.get('name', ''))
    for joint in root.findall('joint'):
        kind = joint.get('type', '')
        kind = 'revolute' if kind == 'continuous' else kind if kind in MOVING_TYPES else 'fixed'
        copy = ElementTree.SubElement(bare, 'joint', name=joint.get('name', ''), type=kind)
        copy.extend(part for tag in ('parent', 'child', 'origin', 'axis')
                    for part in joint.findall(tag))
        if kind != 'fixed':
            ElementTree.SubElement(copy, 'limit', lower='-100', upper='100', velocity='100',
                                   effort='100')
    return ElementTree.tostring(bare, encoding='unicode')
