"""Reading a URDF for MuJoCo: meshes found, the base fixed, mimic joints kept.

MuJoCo reads URDF itself, but not ``package://`` addresses, mesh formats beyond STL and OBJ, or a
robot standing on a free joint. This module rewrites the XML so that it can, and says what it had
to leave out.
"""
from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import xml.etree.ElementTree as ElementTree

from ..exceptions import RobotError
from ..motion.urdf import MOVING_TYPES
from .bones import add_bones

_READABLE_MESHES = ('.stl', '.obj', '.msh')


@dataclass(frozen=True, slots=True)
class Mimic:
    """``position = multiplier * position(source) + offset``."""

    joint: str
    source: str
    multiplier: float
    offset: float


@dataclass(frozen=True, slots=True)
class PreparedUrdf:
    """A URDF that MuJoCo can read.

    Attributes:
        name: robot name.
        xml: the rewritten document.
        joint_names: moving joints that are commanded, in document order (no mimic joints).
        mimics: joints that follow another one.
        has_materials: true when the document gives its links colours.
        left_out: meshes that were dropped, as written in the document.
    """

    name: str
    xml: str
    joint_names: tuple[str, ...]
    mimics: tuple[Mimic, ...]
    has_materials: bool
    left_out: tuple[str, ...]


def prepare_urdf(path: Path) -> PreparedUrdf:
    """Return the URDF at ``path`` rewritten for MuJoCo, its base fixed to the world.

    Raises:
        RobotError: the file is missing, is not a URDF, or has no moving joint.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise RobotError(f'cannot read URDF {str(path)!r}: {error}') from error
    if root.tag != 'robot' or root.find('link') is None:
        raise RobotError(f'{str(path)!r} is not a URDF: expected a <robot> with links')
    _fix_base(root)
    left_out, lost = _resolve_meshes(root, path)
    add_bones(root, lost)
    for extension in root.findall('mujoco'):
        root.remove(extension)
    options = {'discardvisual': 'false', 'fusestatic': 'false', 'strippath': 'false',
               'balanceinertia': 'true', 'boundmass': '1e-4', 'boundinertia': '1e-7'}
    extension = ElementTree.Element('mujoco')
    extension.append(ElementTree.Element('compiler', options))
    root.insert(0, extension)
    joints = [joint for joint in root.findall('joint') if joint.get('type') in MOVING_TYPES]
    if not joints:
        raise RobotError(f'{str(path)!r} has no moving joint')
    mimics = tuple(_mimic(joint) for joint in joints if joint.find('mimic') is not None)
    for joint in joints:
        for element in joint.findall('mimic'):
            joint.remove(element)
    following = {mimic.joint for mimic in mimics}
    return PreparedUrdf(
        name=root.get('name', path.stem), xml=ElementTree.tostring(root, encoding='unicode'),
        joint_names=tuple(joint.get('name', '') for joint in joints
                          if joint.get('name') not in following),
        mimics=mimics, has_materials=root.find('.//visual/material') is not None,
        left_out=tuple(left_out))


def _mimic(joint: ElementTree.Element) -> Mimic:
    element = joint.find('mimic')
    assert element is not None
    return Mimic(joint.get('name', ''), element.get('joint', ''),
                 float(element.get('multiplier', 1.0)), float(element.get('offset', 0.0)))


def _fix_base(root: ElementTree.Element) -> None:
    """Turn floating and planar joints into fixed ones: a gesturing robot does not walk."""
    for joint in root.findall('joint'):
        if joint.get('type') in ('floating', 'planar'):
            joint.set('type', 'fixed')


def _resolve_meshes(root: ElementTree.Element, urdf: Path) -> tuple[list[str], set[str]]:
    """Replace mesh addresses by absolute paths, and drop those that cannot be used.

    Returns:
        What was dropped, and the links that it belonged to.
    """
    left_out: list[str] = []
    lost: set[str] = set()
    for link in root.findall('link'):
        for shape in [*link.findall('visual'), *link.findall('collision')]:
            mesh = shape.find('geometry/mesh')
            if mesh is None:
                continue
            address = mesh.get('filename', '')
            found = _find_mesh(address, urdf)
            if found is None or found.suffix.lower() not in _READABLE_MESHES:
                left_out.append(address)
                lost.add(link.get('name', ''))
                link.remove(shape)
            else:
                mesh.set('filename', str(found))
    return left_out, lost


def _find_mesh(address: str, urdf: Path) -> Path | None:
    if address.startswith('package://'):
        below = address.removeprefix('package://')
        inside = below.partition('/')[2]
        candidates = [folder / part for folder in urdf.resolve().parents
                      for part in (below, inside)]
        candidates += [Path(prefix) / 'share' / below for prefix in
                       filter(None, os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep))]
    else:
        candidates = [urdf.resolve().parent / address.removeprefix('file://')]
    return next((path for path in candidates if path.is_file()), None)
