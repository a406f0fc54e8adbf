"""Reading what a robot profile says of collisions."""
from __future__ import annotations

import numpy as np

from ..exceptions import RobotError
from ..types import Float64Array
from .collision_capsules import Capsule
from .collision_pairs import CollisionNotes, link_pair
from .profile_yaml import Node
from .urdf import Urdf


def read_collision(node: Node, urdf: Urdf) -> CollisionNotes:
    """Return the capsules and the allowed pairs of a profile.

    ``capsules`` is a list of ``{link, start: {x, y, z}, end: {x, y, z}, radius}`` [m] in the
    link's frame; ``allowed`` names for a link those that it may touch.

    Raises:
        RobotError: a key is unknown or missing, a link does not exist, a radius is not above 0.
    """
    node.allow(('capsules', 'allowed'))
    rows = node.children('capsules') if node.has('capsules') else ()
    allowed = node.child('allowed') if node.has('allowed') else Node({}, node.where)
    pairs = frozenset(link_pair(_link(first, urdf, allowed), _link(second, urdf, allowed))
                      for first in allowed for second in allowed.names(first))
    return CollisionNotes(tuple(_capsule(row, urdf) for row in rows), pairs)


def _capsule(row: Node, urdf: Urdf) -> Capsule:
    row.allow(('link', 'start', 'end', 'radius'))
    radius = row.number('radius')
    if radius <= 0.0:
        raise RobotError(f'{row.where}: radius must be above 0 m, got {radius}')
    return Capsule(_link(row.text('link'), urdf, row), _point(row.child('start')),
                   _point(row.child('end')), radius)


def _point(node: Node) -> Float64Array:
    node.allow('xyz')
    return np.array([node.number(axis) for axis in 'xyz'])


def _link(name: str, urdf: Urdf, node: Node) -> str:
    if name not in urdf.links:
        raise RobotError(f'{node.where}: the URDF of {urdf.name} has no link {name!r}')
    return name
