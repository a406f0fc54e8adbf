"""Masses and extents of a URDF: what its joints carry, and how far it reaches down.

Gazebo, unlike everything else here, moves real masses by real torques. Which torque a joint needs
is read from the URDF's own inertias, so that any robot stands without a table of gains.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math
from xml.etree import ElementTree

import numpy as np

from ..exceptions import RobotError
from ..motion.urdf import MOVING_TYPES, parse_urdf, Urdf
from ..types import Float64Array

_POSTURES = 48
_SEED = 0


@dataclass(frozen=True, slots=True)
class JointLoad:
    """What one joint moves, over postures spread through the joints' ranges.

    Attributes:
        largest_inertia: about its axis, all other joints held [kg m^2].
        smallest_inertia: about its axis, all other joints free to give way [kg m^2].
        weight: largest torque of gravity on it [N m].
        effort: largest torque its drive can give [N m]; infinity where the URDF states none.
        damping: viscous friction that the URDF states [N m s/rad].
    """

    largest_inertia: float
    smallest_inertia: float
    weight: float
    effort: float
    damping: float


def joint_loads(document: ElementTree.Element) -> dict[str, JointLoad]:
    """Return what every moving joint of a URDF carries.

    Args:
        document: the ``<robot>`` element; its root link is taken to be fixed.

    Raises:
        RobotError: a moving joint carries no mass, or Pinocchio refuses the document.
    """
    urdf = parse_urdf(ElementTree.tostring(document, encoding='unicode'), 'robot')
    check_masses(document, urdf)
    names, largest, smallest, weight = _sweep(document, urdf)
    loads = {}
    for element in document.findall('joint'):
        name = element.get('name', '')
        if name in names:
            k = names.index(name)
            effort = attribute(element.find('limit'), 'effort', math.inf)
            loads[name] = JointLoad(
                float(largest[k]), float(smallest[k]), float(weight[k]),
                effort if effort > 0.0 else math.inf,
                attribute(element.find('dynamics'), 'damping', 0.0))
    return loads


def attribute(element: ElementTree.Element | None, key: str, default: float) -> float:
    """Return a number of an element that may be missing, as may the number."""
    return default if element is None else float(element.get(key, default))


def check_masses(document: ElementTree.Element, urdf: Urdf) -> None:
    """Require that every moving joint carries mass; Gazebo drops joints that do not.

    Raises:
        RobotError: naming the first joint that carries none.
    """
    mass = {link.get('name', ''): attribute(link.find('inertial/mass'), 'value', 0.0)
            for link in document.findall('link')}
    for joint in urdf.joints.values():
        if joint.kind not in MOVING_TYPES:
            continue
        carried, total = [joint.child], 0.0
        while carried:
            link = carried.pop()
            total += mass[link]
            carried += [other.child for other in urdf.joints.values()
                        if other.parent == link and other.kind not in MOVING_TYPES]
        if total <= 0.0:
            raise RobotError(f'joint {joint.name!r} of {urdf.name!r} carries no mass; Gazebo '
                             f'needs an <inertial> with a mass above 0 in link {joint.child!r}')


def _sweep(document: ElementTree.Element, urdf: Urdf
           ) -> tuple[list[str], Float64Array, Float64Array, Float64Array]:
    """Return joint names, inertias (largest, smallest) and weights over many postures."""
    try:
        import pinocchio
    except ImportError as error:
        raise RobotError('robots need the package "pin" (Pinocchio): pip install pin') from error
    try:
        model = pinocchio.buildModelFromXML(ElementTree.tostring(document, encoding='unicode'))
    except (RuntimeError, ValueError) as error:
        raise RobotError(f'Pinocchio refuses the URDF of {urdf.name}: {error}') from error
    names = list(model.names)[1:]
    data, rng = model.createData(), np.random.default_rng(_SEED)
    lower = np.array([max(urdf.joints[name].lower, -math.pi) for name in names])
    upper = np.array([min(urdf.joints[name].upper, math.pi) for name in names])
    largest, weight = np.zeros(model.nv), np.zeros(model.nv)
    smallest = np.full(model.nv, np.inf)
    for posture in range(_POSTURES):
        turn = rng.uniform(lower, upper) if posture else np.zeros(model.nv)
        pose = pinocchio.integrate(model, pinocchio.neutral(model), turn)
        upper_half = np.triu(pinocchio.crba(model, data, pose))
        inertia = upper_half + np.triu(upper_half, 1).T
        largest = np.maximum(largest, np.diag(inertia))
        smallest = np.minimum(smallest, 1.0 / np.diag(np.linalg.inv(inertia)))
        weight = np.maximum(weight, np.abs(
            pinocchio.computeGeneralizedGravity(model, data, pose)))
    return names, largest, smallest, weight


def lowest_point_m(document: ElementTree.Element, urdf: Urdf,
                   positions: Mapping[str, float]) -> float:
    """Return how high the lowest point of a robot is above its root link, usually below 0 [m].

    Boxes, cylinders and spheres count with their extent, meshes with their origin.

    Args:
        document: the ``<robot>`` element.
        urdf: its kinematic tree.
        positions: joint positions [rad]; 0 for joints not named.
    """
    frames = link_frames(document, urdf, positions)
    heights = [float(frames[link.get('name', '')][2, 3]) - _reach_down(
        frames[link.get('name', '')] @ frame_of(shape.find('origin')), shape, link, frames)
        for link in document.findall('link')
        for shape in [*link.findall('collision'), *link.findall('visual')]]
    return min(heights, default=0.0)


def _reach_down(frame: Float64Array, shape: ElementTree.Element, link: ElementTree.Element,
                frames: dict[str, Float64Array]) -> float:
    """Return how far below its link's origin a shape reaches [m]."""
    drop = float(frames[link.get('name', '')][2, 3] - frame[2, 3])
    up = frame[2, :3]
    box, cylinder, ball = (shape.find(f'geometry/{tag}') for tag in ('box', 'cylinder', 'sphere'))
    if box is not None:
        return drop + float(np.abs(up) @ numbers(box.get('size', '0 0 0'))) / 2.0
    if cylinder is not None:
        radius, length = attribute(cylinder, 'radius', 0.0), attribute(cylinder, 'length', 0.0)
        return drop + float(abs(up[2]) * length / 2.0 + radius * np.hypot(up[0], up[1]))
    return drop + attribute(ball, 'radius', 0.0)


def link_frames(document: ElementTree.Element, urdf: Urdf,
                positions: Mapping[str, float]) -> dict[str, Float64Array]:
    """Return the pose of every link in the root link's frame, shape (4, 4) each.

    Args:
        document: the ``<robot>`` element.
        urdf: its kinematic tree.
        positions: joint positions [rad] or [m]; 0 for joints not named.
    """
    elements = {element.get('name', ''): element for element in document.findall('joint')}
    below: dict[str, list[str]] = {}
    for joint in urdf.joints.values():
        below.setdefault(joint.parent, []).append(joint.name)
    frames = {urdf.root_link: np.eye(4)}
    waiting = [urdf.root_link]
    while waiting:
        parent = waiting.pop()
        for name in below.get(parent, []):
            joint, element = urdf.joints[name], elements[name]
            moved = _moved(element, joint.kind, positions.get(name, 0.0))
            frames[joint.child] = frames[parent] @ frame_of(element.find('origin')) @ moved
            waiting.append(joint.child)
    return frames


def _moved(element: ElementTree.Element, kind: str, position: float) -> Float64Array:
    from ..motion.rotations import matrix_from_rotvec

    moved = np.eye(4)
    if kind in MOVING_TYPES:
        axis_element = element.find('axis')
        axis = numbers('1 0 0' if axis_element is None else axis_element.get('xyz', '1 0 0'))
        axis = axis / np.linalg.norm(axis)
        if kind == 'prismatic':
            moved[:3, 3] = axis * position
        else:
            moved[:3, :3] = matrix_from_rotvec(axis * position)
    return moved


def frame_of(origin: ElementTree.Element | None) -> Float64Array:
    """Return the pose (4, 4) of an ``<origin>``, the identity where there is none."""
    frame = np.eye(4)
    if origin is not None:
        (cr, cp, cy), (sr, sp, sy) = (f(numbers(origin.get('rpy', '0 0 0')))
                                      for f in (np.cos, np.sin))
        frame[:3, :3] = [[cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
                         [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
                         [-sp, cp * sr, cp * cr]]
        frame[:3, 3] = numbers(origin.get('xyz', '0 0 0'))
    return frame


def numbers(text: str) -> Float64Array:
    """Return the numbers of an attribute such as ``'0 0 1'``."""
    return np.array([float(word) for word in text.split()])
