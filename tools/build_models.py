"""Write the URDF of every robot in ``models/`` from its ``description.yaml``.

A description lists links with the joint that carries them, a mass and primitive shapes; links
whose name holds ``{side}`` (left, right), ``{Side}`` (L, R) or ``{s}`` (l, r) are written for the
left side and mirrored in the sagittal plane for the right. Inertias are those of the shapes,
solid and of one density per link.

Run ``python tools/build_models.py`` to write them all, ``--check`` to fail when a file is stale.
Robots that are described by facts of their joints instead are written by ``build_profiles.py``.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gesture_node.motion.rotations import matrix_from_rpy  # noqa: E402
from gesture_node.ros.generated_files import generator_arguments, update_files  # noqa: E402

Vector: TypeAlias = NDArray[np.float64]
Node: TypeAlias = dict[str, Any]
MODELS = ROOT / 'models'
_FLIP = np.array([1.0, -1.0, 1.0])
_SIDES = ({'side': 'left', 'Side': 'L', 's': 'l'}, {'side': 'right', 'Side': 'R', 's': 'r'})


@dataclass(frozen=True)
class Solid:
    """One primitive: URDF geometry, pose in the link frame and volume properties of unit density.

    Attributes:
        tag: ``box``, ``cylinder`` or ``sphere``.
        sizes: URDF attributes of the geometry [m].
        at: centre in the link frame [m].
        rpy: fixed-axis roll, pitch, yaw [rad].
        volume: [m^3].
        moments: principal moments of inertia per unit mass [m^2].
    """

    tag: str
    sizes: dict[str, str]
    at: Vector
    rpy: Vector
    volume: float
    moments: Vector


def _text(values: Any) -> str:
    rounded = np.round(np.atleast_1d(np.asarray(values, float)), 6) + 0.0
    return ' '.join(f'{value:.10g}' for value in rounded)


def _sphere(radius: float, at: Vector) -> Solid:
    return Solid('sphere', {'radius': _text(radius)}, at, np.zeros(3),
                 4.0 / 3.0 * np.pi * radius ** 3, np.full(3, 0.4 * radius ** 2))


def _cylinder(radius: float, length: float, at: Vector, rpy: Vector) -> Solid:
    across = (3.0 * radius ** 2 + length ** 2) / 12.0
    return Solid('cylinder', {'radius': _text(radius), 'length': _text(length)}, at, rpy,
                 np.pi * radius ** 2 * length, np.array([across, across, 0.5 * radius ** 2]))


def _box(size: Vector, at: Vector, rpy: Vector) -> Solid:
    square = size ** 2
    return Solid('box', {'size': _text(size)}, at, rpy, float(np.prod(size)),
                 (square.sum() - square) / 12.0)


def _limb(start: Vector, end: Vector, radius: float) -> list[Solid]:
    """Return a capsule as a cylinder and two balls (URDF has no capsule)."""
    along = end - start
    length = float(np.linalg.norm(along))
    x, y, z = along / length
    # Without noise in x and y a vertical limb has one way to be written, on any machine.
    x, y = np.round([x, y], 9) + 0.0
    rpy = np.array([0.0, np.arctan2(np.hypot(x, y), z), np.arctan2(y, x)])
    middle = 0.5 * (start + end)
    return [_cylinder(radius, length, middle, rpy), _sphere(radius, start), _sphere(radius, end)]


def solids_of(shape: Node, mirrored: bool) -> list[Solid]:
    """Return the primitives of one shape of a description, mirrored for the right side.

    Raises:
        ValueError: the shape is of an unknown kind.
    """
    flip = _FLIP if mirrored else np.ones(3)
    turn = np.array([-1.0, 1.0, -1.0]) if mirrored else np.ones(3)
    for kind in ('limb', 'box', 'sphere', 'cylinder'):
        if kind in shape:
            size = shape[kind]
            at = flip * np.array(size.get('at', [0.0, 0.0, 0.0]), float)
            rpy = turn * np.array(size.get('rpy', [0.0, 0.0, 0.0]), float)
            break
    else:
        raise ValueError(f'shape must be a limb, box, sphere or cylinder, got {sorted(shape)}')
    if kind == 'limb':
        start, end = np.array(size['from'], float), np.array(size['to'], float)
        return _limb(flip * start, flip * end, size['radius'])
    if kind == 'box':
        return [_box(np.array(size['size'], float), at, rpy)]
    if kind == 'sphere':
        return [_sphere(size['radius'], at)]
    return [_cylinder(size['radius'], size['length'], at, rpy)]


def inertia_of(solids: list[Solid], mass_kg: float) -> tuple[Vector, Vector]:
    """Return centre of mass [m] and inertia about it [kg m^2], masses shared by volume."""
    masses = mass_kg * np.array([s.volume for s in solids]) / sum(s.volume for s in solids)
    centre = sum((m * s.at for m, s in zip(masses, solids)), np.zeros(3)) / mass_kg
    inertia = np.zeros((3, 3))
    for mass, solid in zip(masses, solids):
        frame, arm = matrix_from_rpy(solid.rpy), solid.at - centre
        inertia += mass * (frame @ np.diag(solid.moments) @ frame.T
                           + arm @ arm * np.eye(3) - np.outer(arm, arm))
    # Rounding leaves dust that differs from one version of numpy to the next.
    return centre, np.round(inertia, 12)


def _add_link(robot: ET.Element, link: Node, mirrored: bool, floor: float) -> None:
    element = ET.SubElement(robot, 'link', name=link['link'])
    shapes = [(shape, solids_of(shape, mirrored)) for shape in link.get('shapes', [])]
    if 'mass_kg' in link:
        centre, inertia = inertia_of([s for _, solids in shapes for s in solids], link['mass_kg'])
        inertia = inertia + np.eye(3) * max(0.0, floor - np.linalg.eigvalsh(inertia)[0])
        inertial = ET.SubElement(element, 'inertial')
        ET.SubElement(inertial, 'origin', xyz=_text(centre), rpy='0 0 0')
        ET.SubElement(inertial, 'mass', value=_text(link['mass_kg']))
        ET.SubElement(inertial, 'inertia', {
            f'i{a}{b}': f'{inertia["xyz".index(a), "xyz".index(b)] + 0.0:.6g}'
            for a, b in ('xx', 'xy', 'xz', 'yy', 'yz', 'zz')})
    for shape, solids in shapes:
        for solid in solids:
            _add_geometry(element, 'visual', solid, shape['material'])
            if shape.get('collide', True):
                _add_geometry(element, 'collision', solid, None)


def _add_geometry(link: ET.Element, role: str, solid: Solid, material: str | None) -> None:
    element = ET.SubElement(link, role)
    ET.SubElement(element, 'origin', xyz=_text(solid.at), rpy=_text(solid.rpy))
    ET.SubElement(ET.SubElement(element, 'geometry'), solid.tag, solid.sizes)
    if material:
        ET.SubElement(element, 'material', name=material)


def _add_joint(robot: ET.Element, joint: Node, child: str, mirrored: bool) -> None:
    kind = joint.get('type', 'revolute')
    xyz = np.array(joint.get('xyz', [0.0, 0.0, 0.0]), float)
    rpy = np.array(joint.get('rpy', [0.0, 0.0, 0.0]), float)
    if mirrored:
        xyz, rpy = xyz * _FLIP, rpy * np.array([-1.0, 1.0, -1.0])
    element = ET.SubElement(robot, 'joint', name=joint['name'], type=kind)
    ET.SubElement(element, 'parent', link=joint['parent'])
    ET.SubElement(element, 'child', link=child)
    ET.SubElement(element, 'origin', xyz=_text(xyz), rpy=_text(rpy))
    if kind == 'fixed':
        return
    axis, lower, upper = np.array(joint['axis'], float), joint['lower'], joint['upper']
    if mirrored and joint.get('mirror', 'limits') == 'axis':
        axis = axis * np.array([-1.0, 1.0, -1.0])
    elif mirrored and abs(axis[1]) < max(abs(axis[0]), abs(axis[2])):
        lower, upper = -upper, -lower
    ET.SubElement(element, 'axis', xyz=_text(axis / np.linalg.norm(axis)))
    ET.SubElement(element, 'limit', lower=_text(lower), upper=_text(upper),
                  velocity=_text(joint['velocity']), effort=_text(joint['effort']))
    ET.SubElement(element, 'dynamics', damping=_text(joint.get('damping', 0.0)), friction='0')
    if 'mimic' in joint:
        mimic = joint['mimic']
        ET.SubElement(element, 'mimic', joint=mimic['joint'],
                      multiplier=_text(mimic.get('multiplier', 1.0)),
                      offset=_text(mimic.get('offset', 0.0)))


def _named(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, str):
        return node.format(**names)
    if isinstance(node, dict):
        return {key: _named(value, names) for key, value in node.items()}
    if isinstance(node, list):
        return [_named(value, names) for value in node]
    return node


def build_urdf(description: Node) -> str:
    """Return the URDF text of one description.

    Raises:
        KeyError: the description lacks a key.
        ValueError: a shape is of an unknown kind.
    """
    robot = ET.Element('robot', name=description['name'])
    extension = ET.SubElement(robot, 'mujoco')
    ET.SubElement(extension, 'compiler', discardvisual='false', fusestatic='false',
                  balanceinertia='true')
    for name, rgba in description['materials'].items():
        ET.SubElement(ET.SubElement(robot, 'material', name=name), 'color', rgba=_text(rgba))
    floor = float(description.get('inertia_floor_kg_m2', 0.0))
    for template in description['links']:
        paired = '{' in template['link']
        for mirrored, names in enumerate(_SIDES if paired else _SIDES[:1]):
            link = _named(template, names)
            _add_link(robot, link, bool(mirrored), floor)
            if 'joint' in link:
                _add_joint(robot, link['joint'], link['link'], bool(mirrored))
    ET.indent(robot)
    comment = (f'<!-- Written by tools/build_models.py from description.yaml. '
               f'Facts: {description["source"]}; licence: {description["licence"]}. -->')
    body = ET.tostring(robot, encoding='unicode')
    return f'<?xml version="1.0"?>\n{comment}\n{body}\n'


def main(arguments: list[str] | None = None) -> int:
    """Write all URDFs, or check them; return the exit status."""
    check = generator_arguments(__doc__).parse_args(arguments).check
    files = {}
    for path in sorted(MODELS.glob('*/description.yaml')):
        description = yaml.safe_load(path.read_text(encoding='utf-8'))
        if 'kinematics' in description:
            continue  # described by facts: tools/build_profiles.py
        files[path.with_name(f'{description["name"]}.urdf')] = build_urdf(description)
    return update_files(files, check, 'python tools/build_models.py')


if __name__ == '__main__':
    sys.exit(main())
