"""Capsules of a robot's links, read from its URDF, and the distance between capsules.

A capsule is a segment and a radius. Collision shapes become capsules that cover them: a cylinder
its axis, a sphere a segment of no length, a box its longest axis with the half diagonal of the
other two as radius, or, if it is flat, two or three such capsules side by side. A shape that lies
inside another of the same link is left out. Meshes are not
read: a link that has nothing else has no capsule.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from ..exceptions import RobotError
from ..types import Float64Array
from .rotations import matrix_from_rpy
from .urdf import read_urdf

_PARALLEL = 1e-12
_SLACK_M = 1e-6
_MOST_PER_BOX = 3


@dataclass(frozen=True, slots=True)
class Capsule:
    """A segment with a radius, fixed in a link.

    Attributes:
        link: name of the link.
        start: shape (3,), [m], in the link's frame.
        end: shape (3,), [m], in the link's frame.
        radius: [m].
    """

    link: str
    start: Float64Array
    end: Float64Array
    radius: float

    def covers(self, other: Capsule) -> bool:
        """Return whether another capsule of the same link lies inside this one."""
        reach = max(_distance_to_segment(point, self.start, self.end)
                    for point in (other.start, other.end))
        return self.link == other.link and reach + other.radius <= self.radius + _SLACK_M


def read_capsules(urdf_path: Path) -> tuple[Capsule, ...]:
    """Return the capsules of all links of a URDF that have primitive collision shapes.

    Raises:
        RobotError: the file cannot be read, is no URDF, or a shape's size is no number.
    """
    read_urdf(urdf_path)
    root = ElementTree.parse(urdf_path).getroot()
    found: list[Capsule] = []
    for link in root.findall('link'):
        shapes = [capsule for element in link.findall('collision')
                  for capsule in _capsules(link.get('name', ''), element)]
        # Largest first, so that each is compared with those that may cover it.
        shapes.sort(key=lambda shape: (-shape.radius, -_length(shape)))
        kept: list[Capsule] = []
        for shape in shapes:
            if not any(other.covers(shape) for other in kept):
                kept.append(shape)
        found += kept
    return tuple(found)


def _capsules(link: str, element: ElementTree.Element) -> list[Capsule]:
    origin, geometry = element.find('origin'), element.find('geometry')
    shape = None if geometry is None else next(iter(geometry), None)
    if shape is None or shape.tag not in ('cylinder', 'capsule', 'sphere', 'box'):
        return []
    centre = _numbers(origin, 'xyz', 3, link) if origin is not None else np.zeros(3)
    turn = matrix_from_rpy(_numbers(origin, 'rpy', 3, link)) if origin is not None else np.eye(3)
    if shape.tag == 'box':
        return _box(link, centre, turn, _numbers(shape, 'size', 3, link))
    half = np.zeros(3)
    radius = float(_numbers(shape, 'radius', 1, link)[0])
    if shape.tag != 'sphere':
        half[2] = 0.5 * _numbers(shape, 'length', 1, link)[0]
    return [Capsule(link, centre - turn @ half, centre + turn @ half, radius)]


def _box(link: str, centre: Float64Array, turn: Float64Array,
         size: Float64Array) -> list[Capsule]:
    """Return capsules along the longest axis of a box, side by side along the second longest."""
    thin, wide, long = np.argsort(size, kind='stable')
    count = int(np.clip(np.round(size[wide] / max(size[thin], 1e-6)), 1, _MOST_PER_BOX))
    half, step = np.zeros(3), size[wide] / count
    half[long] = 0.5 * size[long]
    radius = 0.5 * float(np.hypot(size[thin], step))
    found = []
    for index in range(count):
        middle = np.zeros(3)
        middle[wide] = (index + 0.5) * step - 0.5 * size[wide]
        found.append(Capsule(link, centre + turn @ (middle - half),
                             centre + turn @ (middle + half), radius))
    return found


def _numbers(element: ElementTree.Element, key: str, count: int, link: str) -> Float64Array:
    text = element.get(key, ' '.join(['0'] * count))
    try:
        values = np.array([float(word) for word in text.split()])
    except ValueError:
        values = np.empty(0)
    if values.shape != (count,) or not np.isfinite(values).all():
        raise RobotError(f'{key} of a collision shape of link {link!r} must be {count} numbers, '
                         f'got {text!r}')
    return values


def _length(capsule: Capsule) -> float:
    return float(np.linalg.norm(capsule.end - capsule.start))


def _distance_to_segment(point: Float64Array, start: Float64Array, end: Float64Array) -> float:
    along = end - start
    share = np.clip((point - start) @ along / max(float(along @ along), _PARALLEL), 0.0, 1.0)
    return float(np.linalg.norm(point - start - share * along))


@dataclass(frozen=True, slots=True)
class Contacts:
    """Nearest points of many pairs of segments; leading shape (...,).

    Attributes:
        distance: between the segments [m], shape (...,).
        first: nearest point of the first segment, shape (..., 3).
        second: nearest point of the second segment, shape (..., 3).
    """

    distance: Float64Array
    first: Float64Array
    second: Float64Array


def segment_contacts(start: Float64Array, along: Float64Array, other_start: Float64Array,
                     other_along: Float64Array) -> Contacts:
    """Return the nearest points of pairs of segments.

    The clamping of both parameters follows Ericson, "Real-Time Collision Detection", 2005, 5.1.9.

    Args:
        start: shape (..., 3), where the first segments begin.
        along: shape (..., 3), from their beginnings to their ends.
        other_start: likewise for the second segments.
        other_along: likewise.
    """
    between = start - other_start
    size = np.maximum(dot(along, along), _PARALLEL)
    other_size = np.maximum(dot(other_along, other_along), _PARALLEL)
    mixed, c, f = dot(along, other_along), dot(along, between), dot(other_along, between)
    slant = size * other_size - mixed * mixed
    share = np.where(slant > _PARALLEL * size * other_size,
                     _share((mixed * f - c * other_size) / np.maximum(slant, 1e-300)), 0.0)
    other_share = _share((mixed * share + f) / other_size)
    # The second share was clamped, so the first is best chosen again.
    share = _share((mixed * other_share - c) / size)
    first = start + share[..., None] * along
    second = other_start + other_share[..., None] * other_along
    gap = first - second
    return Contacts(np.sqrt(dot(gap, gap)), first, second)


def _share(value: Float64Array) -> Float64Array:
    return np.asarray(np.minimum(np.maximum(value, 0.0), 1.0))


def dot(first: Float64Array, second: Float64Array) -> Float64Array:
    """Return scalar products of vectors (..., 3); several times as fast as ``np.einsum``."""
    return np.asarray(first[..., 0] * second[..., 0] + first[..., 1] * second[..., 1]
                      + first[..., 2] * second[..., 2])


def cross(first: Float64Array, second: Float64Array) -> Float64Array:
    """Return vector products of vectors (..., 3); several times as fast as ``np.cross``."""
    product = np.empty(np.broadcast_shapes(first.shape, second.shape))
    for axis in range(3):
        after, last = (axis + 1) % 3, (axis + 2) % 3
        np.multiply(first[..., after], second[..., last], out=product[..., axis])
        product[..., axis] -= first[..., last] * second[..., after]
    return product
