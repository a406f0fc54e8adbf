"""Write ``models/humanoid/model.sdf`` and ``model.config`` from ``humanoid.urdf``.

The SDF says the same as the URDF in Gazebo's words: capsules in place of cylinders with two
balls, colours in place of named materials, the inertia of the drives' rotors added, the pelvis
fixed to the world at the height where the robot stands on the ground. It holds no plugins: those
depend on who is to command the joints, and ``gazebo.launch.py`` adds them.

Run ``python tools/build_sdf.py`` to write, ``--check`` to fail when a file is stale.
"""
from __future__ import annotations

from pathlib import Path
import sys
from xml.etree import ElementTree as ET

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gesture_node.gazebo.bodies import frame_of, lowest_point_m, numbers  # noqa: E402
from gesture_node.gazebo.model import simulated_urdf  # noqa: E402
from gesture_node.motion.robot import load_profile  # noqa: E402
from gesture_node.ros.generated_files import generator_arguments, update_files  # noqa: E402

SDF_VERSION = '1.9'
ROBOTS = ('humanoid',)
_TOUCHES_M = 1e-6
_MOMENTS = ('ixx', 'ixy', 'ixz', 'iyy', 'iyz', 'izz')
_KINDS = {'continuous': 'revolute'}


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = text


def _pose(parent: ET.Element, origin: ET.Element | None, relative_to: str = '') -> None:
    """Write an ``<origin>`` as ``<pose>``, which has the same order and meaning of angles."""
    xyz, rpy = ('0 0 0', '0 0 0') if origin is None else (
        origin.get('xyz', '0 0 0'), origin.get('rpy', '0 0 0'))
    _text(parent, 'pose', f'{xyz} {rpy}', **({'relative_to': relative_to} if relative_to else {}))


def _ball_centres(shapes: list[ET.Element], radius: str) -> list[np.ndarray]:
    return [frame_of(shape.find('origin'))[:3, 3] for shape in shapes
            if (ball := shape.find('geometry/sphere')) is not None and (
                ball.get('radius') == radius)]


def _is_capsule(shapes: list[ET.Element]) -> bool:
    """Return whether three shapes are a cylinder with a ball on either end."""
    cylinder = shapes[0].find('geometry/cylinder')
    if len(shapes) < 3 or cylinder is None:
        return False
    frame, half = frame_of(shapes[0].find('origin')), float(cylinder.get('length', 0.0)) / 2.0
    balls = _ball_centres(shapes[1:3], cylinder.get('radius', ''))
    ends = [frame[:3, 3] - half * frame[:3, 2], frame[:3, 3] + half * frame[:3, 2]]
    return len(balls) == 2 and bool(np.allclose(balls, ends, atol=10.0 * _TOUCHES_M))


def _add_shapes(link: ET.Element, role: str, shapes: list[ET.Element],
                colours: dict[str, str]) -> None:
    count = 0
    while shapes:
        capsule = _is_capsule(shapes)
        element = ET.SubElement(link, role, name=f'{role}_{count}')
        _pose(element, shapes[0].find('origin'))
        source = shapes[0].find('geometry')
        assert source is not None
        solid = ET.SubElement(ET.SubElement(element, 'geometry'),
                              'capsule' if capsule else source[0].tag)
        for key, value in source[0].attrib.items():
            _text(solid, key, value)
        material = shapes[0].find('material')
        if material is not None:
            paint = ET.SubElement(element, 'material')
            for light in ('ambient', 'diffuse'):
                _text(paint, light, colours[material.get('name', '')])
        shapes = shapes[3 if capsule else 1:]
        count += 1


def _add_link(model: ET.Element, link: ET.Element, carrier: str, height: float,
              colours: dict[str, str]) -> None:
    element = ET.SubElement(model, 'link', name=link.get('name', ''))
    if carrier:
        _text(element, 'pose', '0 0 0 0 0 0', relative_to=carrier)
    else:
        _text(element, 'pose', f'0 0 {height:.6g} 0 0 0')
    inertial = link.find('inertial')
    if inertial is not None:
        mass, moments = inertial.find('mass'), inertial.find('inertia')
        assert mass is not None and moments is not None
        target = ET.SubElement(element, 'inertial')
        _pose(target, inertial.find('origin'))
        _text(target, 'mass', mass.get('value', ''))
        inertia = ET.SubElement(target, 'inertia')
        for key in _MOMENTS:
            _text(inertia, key, moments.get(key, '0'))
    for role in ('collision', 'visual'):
        _add_shapes(element, role, link.findall(role), colours)


def _add_joint(model: ET.Element, joint: ET.Element) -> None:
    kind = joint.get('type', '')
    parent, child = joint.find('parent'), joint.find('child')
    assert parent is not None and child is not None
    element = ET.SubElement(model, 'joint', name=joint.get('name', ''),
                            type=_KINDS.get(kind, kind))
    _pose(element, joint.find('origin'), relative_to=parent.get('link', ''))
    _text(element, 'parent', parent.get('link', ''))
    _text(element, 'child', child.get('link', ''))
    axis, limit, dynamics = (joint.find(tag) for tag in ('axis', 'limit', 'dynamics'))
    if kind == 'fixed' or axis is None:
        return
    target = ET.SubElement(element, 'axis')
    _text(target, 'xyz', ' '.join(f'{x:.10g}' for x in numbers(axis.get('xyz', '1 0 0'))))
    limits = ET.SubElement(target, 'limit')
    for key in ('lower', 'upper', 'effort', 'velocity'):
        if limit is not None and key in limit.attrib:
            _text(limits, key, limit.attrib[key])
    losses = ET.SubElement(target, 'dynamics')
    for key in ('damping', 'friction'):
        _text(losses, key, '0' if dynamics is None else dynamics.get(key, '0'))


def build_sdf(name: str) -> str:
    """Return the SDF text of a robot that ships.

    Raises:
        RobotError: there is no such robot, or a moving joint carries no mass.
    """
    profile = load_profile(name)
    document = simulated_urdf(profile)
    height = -lowest_point_m(document, profile.urdf, {})
    colours = {material.get('name', ''): material.find('color').get('rgba', '')
               for material in document.findall('material')}
    carrier = {joint.child: joint.name for joint in profile.urdf.joints.values()}
    root = ET.Element('sdf', version=SDF_VERSION)
    model = ET.SubElement(root, 'model', name=name, canonical_link=profile.urdf.root_link)
    _text(model, 'self_collide', 'false')
    for link in document.findall('link'):
        _add_link(model, link, carrier.get(link.get('name', ''), ''), height, colours)
    fixed = ET.SubElement(model, 'joint', name='fixed_to_world', type='fixed')
    _text(fixed, 'parent', 'world')
    _text(fixed, 'child', profile.urdf.root_link)
    for joint in document.findall('joint'):
        _add_joint(model, joint)
    ET.indent(root)
    return ('<?xml version="1.0"?>\n'
            f'<!-- Written by tools/build_sdf.py from {profile.urdf_path.name}. -->\n'
            f'{ET.tostring(root, encoding="unicode")}\n')


def build_config(name: str) -> str:
    """Return the ``model.config`` by which Gazebo finds a robot as ``model://NAME``."""
    package = ET.parse(ROOT / 'package.xml')
    root = ET.Element('model')
    _text(root, 'name', name)
    _text(root, 'version', package.findtext('version', ''))
    _text(root, 'sdf', 'model.sdf', version=SDF_VERSION)
    author = ET.SubElement(root, 'author')
    _text(author, 'name', package.findtext('author', ''))
    _text(root, 'description', 'Upper body that gestures, fixed at the pelvis, on standing legs.')
    ET.indent(root)
    return f'<?xml version="1.0"?>\n{ET.tostring(root, encoding="unicode")}\n'


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or check them; return the exit status."""
    check = generator_arguments(__doc__).parse_args(arguments).check
    files = {}
    for name in ROBOTS:
        folder = load_profile(name).urdf_path.parent
        files |= {folder / 'model.sdf': build_sdf(name),
                  folder / 'model.config': build_config(name)}
    return update_files(files, check, 'python tools/build_sdf.py')


if __name__ == '__main__':
    sys.exit(main())
