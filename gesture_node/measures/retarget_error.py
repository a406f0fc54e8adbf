"""By how much a robot's limbs point elsewhere than the person's, and the limits' part in it.

Compared are directions: upper arm, forearm and hand in the frame of the chest, the look of the
head in the frame of the pelvis. What no joint values inside the limits could show is not the
solver's fault: :func:`least_errors` searches for the best there is, arm by arm, from many starts.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ..motion.kinematics import DirectionKinematics, LinkVector
from ..motion.profile import Arm, RobotProfile
from ..motion.rotations import Array
from ..motion.skeleton import FINGER_DIRECTION, forward_kinematics, JOINT_INDEX, unpack_pose
from ..types import Float64Array

LIMBS = ('upper arm', 'forearm', 'hand', 'head')
_ALONG_ARM = np.array([0.0, 0.0, -1.0])
_ARM_LIMBS = (('shoulder', _ALONG_ARM), ('elbow', _ALONG_ARM), ('wrist', FINGER_DIRECTION))
_SEARCH_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Wanted:
    """Directions of a person in T frames, unit vectors.

    Attributes:
        arms: shape (T, A, 3, 3): upper arm, forearm and fingers of each arm, chest frame.
        head: shape (T, 3): where the face looks, pelvis frame.
    """

    arms: Array
    head: Array


class LimbDirections:
    """Where the limbs of a robot point.

    Args:
        profile: the robot.

    Raises:
        RobotError: Pinocchio is missing or refuses the URDF.
    """

    def __init__(self, profile: RobotProfile) -> None:
        self.profile = profile
        parts = [profile.root, profile.torso, *([profile.head] if profile.head else [])]
        vectors = [LinkVector(part.link, axis) for part in parts for axis in part.frame.T]
        self._arm_rows = len(vectors)
        vectors += [LinkVector(link, direction) for arm in profile.arms for link, direction in (
            (arm.upper_arm_link, arm.upper_arm), (arm.forearm_link, arm.forearm),
            (arm.hand_link, arm.fingers))]
        self._kinematics = DirectionKinematics(profile.urdf, profile.joint_names, vectors)
        self._workspace = self._kinematics.workspace()

    def wanted(self, poses: Array) -> Wanted:
        """Return what poses ``(T, 84)`` show."""
        _, frames = forward_kinematics(unpack_pose(np.asarray(poses, np.float64))[0])
        from_chest = np.swapaxes(frames[:, JOINT_INDEX['chest']], -1, -2)
        arms = [[(from_chest @ frames[:, JOINT_INDEX[f'{arm.side}_{joint}']]) @ axis
                 for joint, axis in _ARM_LIMBS] for arm in self.profile.arms]
        count = len(self.profile.arms)
        stacked = np.array(arms).reshape(count, 3, len(poses), 3).transpose(2, 0, 1, 3)
        return Wanted(stacked, frames[:, JOINT_INDEX['head'], :, 0])

    def shown(self, positions: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return arms ``(A, 3, 3)`` in the chest frame, look ``(3,)`` in the pelvis frame.

        A robot without a head looks where its chest faces.

        Args:
            positions: shape (N,) [rad].
        """
        _, vectors = self._kinematics.directions(self._workspace, positions)
        pelvis, chest = vectors[:3], vectors[3:6]
        look = vectors[6] if self.profile.head else chest[0]
        arms = vectors[self._arm_rows:] @ chest.T
        return arms.reshape(-1, 3, 3), pelvis @ look


def direction_errors(robot: LimbDirections, poses: Array,
                     positions: Float64Array) -> dict[str, Float64Array]:
    """Return the angles by which limbs miss, shape (T, arms) or (T, 1) for the head, [rad].

    Args:
        robot: of the profile the positions belong to.
        poses: shape (T, 84).
        positions: shape (T, N) [rad].
    """
    wanted = robot.wanted(poses)
    shown = [robot.shown(row) for row in positions]
    arms = np.stack([arm for arm, _ in shown])
    angles = angles_between(arms, wanted.arms)
    errors = {limb: angles[:, :, index] for index, limb in enumerate(LIMBS[:3])}
    if robot.profile.head:
        errors['head'] = angles_between(np.stack([look for _, look in shown]),
                                        wanted.head)[:, None]
    return errors


def angles_between(one: Array, other: Array) -> Float64Array:
    """Return the angles between unit vectors ``(..., 3)`` [rad], exact for small ones too."""
    apart = np.linalg.norm(one - other, axis=-1)
    return np.asarray(2.0 * np.arcsin(np.clip(0.5 * apart, 0.0, 1.0)))


def least_errors(robot: LimbDirections, pose: Array, positions: Float64Array, starts: int,
                 seed: int) -> Float64Array:
    """Return the smallest errors that joint values inside the limits can have, (A, 3) [rad].

    Upper arm and forearm together, then the hand on the arm so found: the mean square of the
    angles is what is minimised, from the given positions and from random ones.

    Args:
        robot: the robot.
        pose: shape (84,).
        positions: shape (N,), where torso and head stay and the first search starts.
        starts: number of random starts of each search.
        seed: of these.
    """
    wanted = robot.wanted(pose[None]).arms[0]
    random = np.random.default_rng(seed)
    found = np.empty((len(robot.profile.arms), 3))
    for index, arm in enumerate(robot.profile.arms):
        best = positions.copy()
        for names, rows in _stages(robot.profile, arm):
            columns = np.array([robot.profile.joint_names.index(name) for name in names],
                               dtype=np.intp)
            if len(columns):
                best = _searched(robot, index, columns, rows, wanted[index], best, starts, random)
        found[index] = angles_between(robot.shown(best)[0][index], wanted[index])
    return found


def _stages(profile: RobotProfile, arm: Arm) -> Sequence[tuple[list[str], slice]]:
    to_forearm = profile.urdf.joints_to(arm.forearm_link)
    reaching = [name for name in arm.joints if name in to_forearm]
    turning = [name for name in arm.joints if name not in to_forearm]
    return (reaching, slice(0, 2)), (turning, slice(2, 3))


def _searched(robot: LimbDirections, index: int, columns: NDArray[np.intp], rows: slice,
              wanted: Array, positions: Float64Array, starts: int,
              random: np.random.Generator) -> Float64Array:
    """Return the positions with the given joints where the rows of an arm fit best."""
    limits = robot.profile.limits
    lower, upper = limits.lower[columns], limits.upper[columns]

    def moved(values: Float64Array) -> Float64Array:
        changed: Float64Array = positions.copy()
        changed[columns] = values
        return changed

    def misses(values: Float64Array) -> Float64Array:
        return np.asarray((robot.shown(moved(values))[0][index, rows] - wanted[rows]).ravel())

    slack = 1e-6 * (upper - lower)
    begins = [positions[columns], *random.uniform(lower, upper, (starts, len(columns)))]
    results = [least_squares(misses, np.clip(begin, lower + slack, upper - slack),
                             bounds=(lower, upper), xtol=_SEARCH_TOLERANCE,
                             ftol=_SEARCH_TOLERANCE, gtol=_SEARCH_TOLERANCE, max_nfev=30)
               for begin in begins]
    best = min(results, key=lambda result: float(result.cost))
    kept = float(np.sum(misses(positions[columns]) ** 2)) / 2.0 <= best.cost
    return positions if kept else moved(best.x)
