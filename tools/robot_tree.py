"""A robot to be built: its kinematic tree, what we say about it, and geometry that follows.

All vectors of a description are given in the *posture frame*: x forward, y left, z up, as the
robot stands with all joints at zero, with its origin in the root link. So a description reads the
same however the maker turned the frames of links.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from robot_facts import Array, Node, Pose, zero_poses
import yaml

from gesture_node.motion.rotations import matrix_from_rpy

SIDES = ('left', 'right')
_NAMES = {'left': {'side': 'left', 'Side': 'Left', 'S': 'L', 's': 'l'},
          'right': {'side': 'right', 'Side': 'Right', 'S': 'R', 's': 'r'}}
_MIRROR = np.array([1.0, -1.0, 1.0])
_PARALLEL = 0.2


def sided(value: Any, side: str) -> Any:
    """Return a value of a description with ``{side} {Side} {S} {s}`` filled in everywhere."""
    if isinstance(value, str):
        return value.format(**_NAMES[side])
    if isinstance(value, dict):
        return {sided(key, side): sided(item, side) for key, item in value.items()}
    return [sided(item, side) for item in value] if isinstance(value, list) else value


def unit(vector: Any) -> Array:
    """Return a vector scaled to length 1."""
    return np.asarray(vector, float) / float(np.linalg.norm(vector))


@dataclass(frozen=True, slots=True)
class ArmPoints:
    """Where one arm bends, in the root link with all joints at zero [m]: shape (3,) each."""

    shoulder: Array
    elbow: Array
    wrist: Array


class RobotTree:
    """One robot of ``models/``.

    Args:
        folder: holds ``description.yaml`` and ``kinematics.yaml``.

    Attributes:
        description: what we say about the robot.
        source: where its numbers come from.
        licence: licence of those numbers.
        root: the root link.
        joints: by name, in order from the root.
        poses: of all links in the root link, joints at zero.
        posture: shape (3, 3); columns are forward, left and up in the root link.
    """

    def __init__(self, folder: Path) -> None:
        self.description: Node = _yaml(folder / 'description.yaml')
        facts = _yaml(folder / self.description['kinematics'])
        self.source, self.licence = str(facts['source']), str(facts['licence'])
        self.root: str = facts['root']
        held = self.description.get('held_m', {})
        for joint in facts['joints']:
            if joint['name'] in held:
                _hold(joint, held[joint['name']])
        self.joints: dict[str, Node] = {joint['name']: joint for joint in facts['joints']}
        self.poses: dict[str, Pose] = zero_poses(self.root, facts['joints'])
        forward = unit(self.description.get('forward', [1, 0, 0]))
        self.posture = np.stack([forward, np.cross([0, 0, 1], forward), [0, 0, 1]], axis=1)

    def arm(self, side: str) -> Node:
        """Return the description of one arm, names of that side filled in."""
        return dict(sided(self.description['arms'], side))

    def children(self, link: str) -> Iterator[Node]:
        """Yield the joints that hang from a link."""
        return (joint for joint in self.joints.values() if joint['parent'] == link)

    def origin(self, joint: str) -> Array:
        """Return where a joint is, root link, joints at zero [m]."""
        return self.poses[self.joints[joint]['child']].place

    def axis(self, joint: str) -> Array:
        """Return the axis of a joint in the root link, joints at zero."""
        row = self.joints[joint]
        return unit(self.poses[row['child']].rotation @ np.asarray(row['axis'], float))

    def from_posture(self, vector: Any, side: str = 'left') -> Array:
        """Return a vector of the posture frame, mirrored for the right side, in the root link."""
        return self.posture @ (np.asarray(vector, float) * (_MIRROR if side == 'right' else 1.0))

    def in_link(self, link: str, vector: Array) -> Array:
        """Return a direction of the root link in the frame of a link."""
        return self.poses[link].rotation.T @ vector

    def at_link(self, link: str, point: Array) -> Array:
        """Return a point of the root link in the frame of a link."""
        return self.poses[link].rotation.T @ (point - self.poses[link].place)

    def points(self, side: str) -> ArmPoints:
        """Return where shoulder, elbow and wrist are.

        A hinge may slide along its axis without a difference to motion, so shoulder and elbow
        are the points of their axes nearest to the axis of the joint before them.
        """
        arm = self.arm(side)
        shoulder, elbow = (
            self._nearest(arm[key], arm['joints'][arm['joints'].index(arm[key]) - 1])
            for key in ('shoulder', 'elbow'))
        if isinstance(arm['wrist'], str):
            wrist = self.origin(arm['wrist'])
            along = self.axis(arm['wrist'])
            if abs(along @ unit(wrist - elbow)) < 1.0 - _PARALLEL:
                wrist = wrist - along * (along @ (wrist - elbow))
        else:
            wrist = elbow + self.from_posture(arm['wrist'], side)
        return ArmPoints(shoulder, elbow, wrist)

    def _nearest(self, joint: str, other: str) -> Array:
        """Return the point of a joint's axis that is nearest to another joint's axis."""
        place, axis = self.origin(joint), self.axis(joint)
        between, along = place - self.origin(other), self.axis(other)
        mixed = axis @ along
        slant = 1.0 - mixed * mixed
        if slant < _PARALLEL:
            return place
        return np.asarray(place + axis * (mixed * (along @ between) - axis @ between) / slant)

    def upper_arm_link(self, side: str) -> str:
        """Return the link that turns with the upper arm."""
        arm = self.arm(side)
        return str(arm.get('upper_arm_link', self.joints[arm['elbow']]['parent']))

    def forearm_link(self, side: str) -> str:
        """Return the link the elbow carries."""
        return str(self.joints[self.arm(side)['elbow']]['child'])

    def hand_link(self, side: str) -> str:
        """Return the last link of the arm."""
        arm = self.arm(side)
        return str(arm.get('hand_link', self.joints[arm['joints'][-1]]['child']))

    def upper_arm(self, side: str) -> Array:
        """Return where the upper arm points, root link, joints at zero."""
        points = self.points(side)
        return unit(points.elbow - points.shoulder)

    def forearm(self, side: str) -> Array:
        """Return where the forearm points, root link, joints at zero."""
        points = self.points(side)
        return unit(points.wrist - points.elbow)

    def fingers(self, side: str) -> Array:
        """Return where straight fingers point, root link, joints at zero."""
        arm = self.arm(side)
        return (unit(self.from_posture(arm['fingers'], side)) if 'fingers' in arm
                else self.forearm(side))

    def palm(self, side: str) -> Array:
        """Return the normal out of the palm, root link, joints at zero."""
        palm, fingers = self.from_posture(self.arm(side)['palm'], side), self.fingers(side)
        return unit(palm - fingers * (fingers @ palm))


def _hold(joint: Node, distance_m: float) -> None:
    """Turn a sliding joint into a fixed one at some distance."""
    along = matrix_from_rpy(joint['rpy']) @ np.asarray(joint['axis'], float)
    joint['xyz'] = [float(x) for x in np.add(joint['xyz'], along * distance_m)]
    joint['type'] = 'fixed'


def _yaml(path: Path) -> Node:
    loader = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
    return dict(yaml.load(path.read_text(encoding='utf-8'), Loader=loader))
