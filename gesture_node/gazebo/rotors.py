"""Inertia of the drives' rotors, which a URDF does not state and a simulator cannot do without.

A geared motor's rotor, seen from the joint, weighs as much as the arm it moves. Without it two
joints whose axes come to lie in one line (a shoulder's pitch and yaw with the arm held out) have
almost nothing between them, and no servo with a fixed time step is both stiff and stable. Neither
URDF nor SDF knows rotors, so they become part of the links they turn.
"""
from __future__ import annotations

import copy
from xml.etree import ElementTree

from .bodies import attribute, joint_loads

ROTOR_SHARE = 0.25
"""Rotor inertia as a share of the largest inertia that its joint moves, as in ``gesture_sim``."""
_MOMENTS = ('ixx', 'iyy', 'izz')


def with_rotors(document: ElementTree.Element) -> ElementTree.Element:
    """Return a copy of a URDF in which every driven link has the inertia of its drive's rotor.

    It is added alike about all axes, which keeps the triangle inequality of the moments: a rotor
    about one axis alone would be no inertia that a body can have.

    Raises:
        RobotError: a moving joint carries no mass.
    """
    heavier = copy.deepcopy(document)
    loads = joint_loads(document)
    links = {link.get('name'): link for link in heavier.findall('link')}
    for joint in heavier.findall('joint'):
        load, child = loads.get(joint.get('name', '')), joint.find('child')
        if load is None or child is None:
            continue
        inertia = links[child.get('link')].find('inertial/inertia')
        if inertia is not None:
            rotor = ROTOR_SHARE * load.largest_inertia
            for moment in _MOMENTS:
                inertia.set(moment, f'{attribute(inertia, moment, 0.0) + rotor:.6g}')
    return heavier
