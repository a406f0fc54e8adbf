"""Where arm and finger must point for a target, and whether a robot gets them there.

The line from the shoulder through the target counts: along it lie the forearm and the finger. The
shoulder is the robot's own, so that a small robot and a large one both point at the same thing.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exceptions import RequestError
from ..motion.kinematics import DirectionKinematics, LinkPoint, LinkVector
from ..motion.profile import RobotProfile
from ..motion.retarget import Retargeter
from ..motion.rotations import Array
from ..motion.skeleton import OFFSETS_M
from ..types import Float64Array
from .library import Key, KeyArm

_DROP_RAD = 0.2
"""How far the elbow hangs below the line."""
_BEHIND_RAD = {'out': np.radians(115.0), 'in': np.radians(45.0)}
"""How far from straight ahead an arm points, outwards and across the body."""
_STEEP_RAD = np.radians(75.0)
_NEAREST_M = 0.15
_LOOK_SHARE = 0.8
_MOST_LOOK_RAD = np.radians(np.array([55.0, 35.0]))
MOST_MISS_RAD = np.radians(30.0)
"""A robot that would miss its target by more refuses."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What one arm and the head do.

    Attributes:
        side: of the arm.
        direction: unit vector from the shoulder to the target, shape (3,), pelvis frame.
        look: turn to the left, nod, tilt of the head, shape (3,), [rad].
    """

    side: str
    direction: Float64Array
    look: Float64Array

    def key(self, key: Key, side: str) -> tuple[KeyArm | None, Float64Array | None]:
        """Return arm and head of a keyframe; see :func:`make_motion`."""
        out = np.array([1.0, 1.0 if side == 'left' else -1.0, 1.0])
        line = self.direction * out
        across = np.array([-line[1], line[0], 0.0])
        across /= np.linalg.norm(across)
        up = np.cross(line, across)
        up = up if up[2] >= 0.0 else -up
        upper = np.cos(_DROP_RAD) * line - np.sin(_DROP_RAD) * up
        # Palm down, or inwards where the arm points steeply.
        return KeyArm(upper, line, line, -up, 0.0), self.look


class Pointer:
    """Points with one robot, or with the canonical skeleton when there is none.

    Args:
        profile: the robot.
    """

    def __init__(self, profile: RobotProfile | None) -> None:
        self._profile = profile
        self.shoulders = {
            'left': OFFSETS_M[0] + OFFSETS_M[1] + OFFSETS_M[4] + OFFSETS_M[5],
            'right': OFFSETS_M[0] + OFFSETS_M[1] + OFFSETS_M[8] + OFFSETS_M[9]}
        self._eyes_m = OFFSETS_M[:4].sum(axis=0) + np.array([0.1, 0.0, 0.1])
        if profile is not None:
            self._measure(profile)

    def _measure(self, profile: RobotProfile) -> None:
        """Find shoulders and eyes of the robot at rest, in its pelvis frame."""
        links = [arm.upper_arm_link for arm in profile.arms]
        eyes = profile.head.link if profile.head else profile.torso.link
        vectors = [LinkVector(profile.root.link, axis) for axis in profile.root.frame.T]
        vectors += [LinkVector(arm.hand_link, arm.fingers) for arm in profile.arms]
        points = [LinkPoint(link, np.zeros(3)) for link in (profile.root.link, eyes, *links)]
        self._kinematics = DirectionKinematics(profile.urdf, profile.joint_names, vectors, points)
        self._workspace = self._kinematics.workspace()
        root, _, places = self._shown(profile.rest_positions)
        self._root_m, self._pelvis = places[0], root
        self._eyes_m = root @ (places[1] - places[0])
        self.shoulders = {arm.side: root @ (place - places[0])
                          for arm, place in zip(profile.arms, places[2:])}

    def _shown(self, positions: Float64Array) -> tuple[Array, Array, Array]:
        _, vectors = self._kinematics.directions(self._workspace, positions)
        points, _ = self._kinematics.points(self._workspace)
        return vectors[:3], vectors[3:], points

    def aim(self, target_m: tuple[float, ...], hand: str) -> Aim:
        """Return how to point at a target.

        Args:
            target_m: x, y, z in the frame of the root link [m].
            hand: ``left``, ``right``, or empty for the nearer one.

        Raises:
            RequestError: the target is behind the body, above or below it, or too near, or the
                robot lacks the hand.
        """
        target = np.array(target_m)
        if self._profile is not None:
            target = self._profile.root.frame.T @ target
        nearer = 'left' if target[1] >= 0.0 else 'right'
        sides = (hand,) if hand else (nearer, 'right' if nearer == 'left' else 'left')
        found = [side for side in sides if side in self.shoulders]
        if not found:
            raise RequestError(f'the robot has no {hand} arm' if hand
                               else 'the robot has no arm')
        side = found[0]
        line = target - self.shoulders[side]
        distance_m = float(np.linalg.norm(line))
        if distance_m < _NEAREST_M:
            raise RequestError(f'the target is {distance_m:.2f} m from the shoulder, too near to '
                               f'point at; {_NEAREST_M} m is the least')
        line = line / distance_m
        _check_direction(line, side)
        seen = target - self._eyes_m
        look = np.array([np.arctan2(seen[1], seen[0]),
                         -np.arctan2(seen[2], np.hypot(seen[0], seen[1]))])
        look = np.clip(_LOOK_SHARE * look, -_MOST_LOOK_RAD, _MOST_LOOK_RAD)
        return Aim(side, line, np.array([*look, 0.0]))

    def miss_rad(self, poses: Array, aim: Aim) -> float:
        """Return by how much the robot's fingers point elsewhere [rad].

        Args:
            poses: shape (T, 84), from rest to pointing, then held.
            aim: what was aimed at.
        """
        if self._profile is None:
            return 0.0
        retargeter = Retargeter(self._profile)
        positions, _ = retargeter.retarget(poses, retargeter.initial_state())
        root, fingers, _ = self._shown(positions[-1])
        arm = [arm.side for arm in self._profile.arms].index(aim.side)
        cosine = float(np.clip(root @ fingers[arm] @ aim.direction, -1.0, 1.0))
        return float(np.arccos(cosine))

    def check_miss(self, poses: Array, aim: Aim) -> None:
        """Refuse a target that the robot would miss.

        Raises:
            RequestError: its fingers would point more than ``MOST_MISS_RAD`` elsewhere.
        """
        miss_rad = self.miss_rad(poses, aim)
        if miss_rad > MOST_MISS_RAD:
            raise RequestError(f'the target is out of reach: the {aim.side} hand would point '
                               f'{np.degrees(miss_rad):.0f} degrees beside it')


def _check_direction(line: Float64Array, side: str) -> None:
    outwards = line[1] if side == 'left' else -line[1]
    azimuth = float(np.arctan2(abs(outwards), line[0]))
    most = _BEHIND_RAD['out' if outwards >= 0.0 else 'in']
    steep = abs(float(np.arcsin(np.clip(line[2], -1.0, 1.0))))
    if steep > _STEEP_RAD:
        raise RequestError(f'the target is {"above" if line[2] > 0.0 else "below"} the shoulder, '
                           f'at {np.degrees(steep):.0f} degrees; '
                           f'{np.degrees(_STEEP_RAD):.0f} is the most')
    if azimuth > most:
        raise RequestError(f'the target is behind the body or across it, '
                           f'{np.degrees(azimuth):.0f} degrees from straight ahead for the {side} '
                           f'hand; {np.degrees(most):.0f} is the most')
