"""What a robot cannot show, as its profile declares it: the key ``cannot``.

``test/motion/test_profiles.py`` shows every robot the canonical poses. What does not come out
must be declared, and what is declared must be out of reach.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..exceptions import RobotError
from .profile_yaml import Node

CANONICAL_POSES = ('rest', 't_pose', 'hands_up', 'hands_on_chest', 'point_left', 'point_right',
                   'nod', 'shake', 'lean')
BODY_PARTS = ('torso', 'head', 'arms')
CAUSES = ('limits', 'branch')


@dataclass(frozen=True, slots=True)
class Cannot:
    """A part of a canonical pose that a robot does not show.

    Attributes:
        pose: one of ``CANONICAL_POSES``; ``rest`` also stands for an arm that hangs in another.
        part: one of ``BODY_PARTS``.
        cause: ``limits`` where no joint positions show it, be it for want of joints; ``branch``
            where only positions do that cannot be reached from rest without letting go of the
            pose on the way.
        reason: for people.
    """

    pose: str
    part: str
    cause: str
    reason: str


def read_cannot(nodes: Sequence[Node]) -> tuple[Cannot, ...]:
    """Return what a robot cannot show.

    Raises:
        RobotError: a key is missing or unknown, a pose, part or cause is none of those known, or
            the same part of a pose is named twice.
    """
    found = tuple(_read(node) for node in nodes)
    for entry in found:
        if sum((other.pose, other.part) == (entry.pose, entry.part) for other in found) > 1:
            raise RobotError(f'cannot names {entry.part} in {entry.pose} twice')
    return found


def _read(node: Node) -> Cannot:
    node.allow(('pose', 'part', 'cause', 'reason'))
    return Cannot(node.one_of('pose', CANONICAL_POSES), node.one_of('part', BODY_PARTS),
                  node.one_of('cause', CAUSES), node.text('reason'))
