"""Stand-ins for links whose meshes cannot be shown: a bone to every joint further out.

A URDF names meshes that are not there, or in a format that MuJoCo does not read (Collada). Its
joints still say where the limbs are.
"""
from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np

from ..types import Float64Array

_THINNEST_M, _THICKEST_M, _THICKNESS = 0.008, 0.05, 0.16
_SHORTEST_M, _LARGEST_BALL_M = 0.01, 0.09


def add_bones(root: ElementTree.Element, lost: set[str]) -> None:
    """Give links without a shape a capsule to each of the joints that they carry.

    A link that carries none gets a ball at its centre of mass.

    Args:
        root: the URDF; changed in place.
        lost: names of links whose shapes were dropped; bare links between them and the root are
            meant too. Where none was and no link of the URDF has a shape, all links are meant.
    """
    links = {link.get('name', ''): link for link in root.findall('link')}
    bare = {name for name, link in links.items()
            if link.find('visual') is None and link.find('collision') is None}
    above = {_end(joint, 'child'): _end(joint, 'parent') for joint in root.findall('joint')}
    meant = set(lost) if lost or len(bare) < len(links) else set(links)
    for name in lost:
        while name in above and above[name] not in meant:
            name = above[name]
            meant.add(name)
    chosen = meant & bare
    children: dict[str, list[Float64Array]] = {}
    for joint in root.findall('joint'):
        parent, child = _end(joint, 'parent'), _end(joint, 'child')
        if child in meant:
            children.setdefault(parent, []).append(_place(joint))
    for name in sorted(chosen):
        ends = [end for end in children.get(name, []) if np.linalg.norm(end) > _SHORTEST_M]
        for end in ends:
            links[name].append(_bone(end))
        if not ends:
            links[name].append(_ball(_place(links[name].find('inertial'))))


def _end(joint: ElementTree.Element, which: str) -> str:
    found = joint.find(which)
    return '' if found is None else found.get('link', '')


def _place(element: ElementTree.Element | None) -> Float64Array:
    origin = None if element is None else element.find('origin')
    text = '0 0 0' if origin is None else origin.get('xyz', '0 0 0')
    return np.array([float(part) for part in text.split()])


def _bone(end: Float64Array) -> ElementTree.Element:
    length = float(np.linalg.norm(end))
    radius = float(np.clip(_THICKNESS * length, _THINNEST_M, _THICKEST_M))
    x, y, z = (end / length).tolist()
    yaw, pitch = np.arctan2(y, x), np.arctan2(np.hypot(x, y), z)
    return _shape(0.5 * end, f'0 {pitch} {yaw}', 'capsule',
                  {'radius': str(radius), 'length': str(length)})


def _ball(centre: Float64Array) -> ElementTree.Element:
    radius = float(np.clip(np.linalg.norm(centre), 2.0 * _THINNEST_M, _LARGEST_BALL_M))
    return _shape(centre, '0 0 0', 'sphere', {'radius': str(radius)})


def _shape(place: Float64Array, rpy: str, kind: str, size: dict[str, str]) -> ElementTree.Element:
    visual = ElementTree.Element('visual')
    ElementTree.SubElement(visual, 'origin', {'xyz': ' '.join(map(str, place.tolist())),
                                              'rpy': rpy})
    geometry = ElementTree.SubElement(visual, 'geometry')
    ElementTree.SubElement(geometry, kind, size)
    return visual
