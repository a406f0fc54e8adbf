"""Drift: whether the torso ends up elsewhere after a long time than where it began.

The pelvis of the canonical skeleton is fixed, so feet cannot slide; what could creep is how the
trunk leans and turns above it. The mean of the first minute is compared with that of the last.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..motion.rotations import rotvec_from_matrix
from ..motion.skeleton import forward_kinematics, JOINT_INDEX, unpack_pose

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Drift:
    """First minute against last minute.

    Attributes:
        torso_deg: angle between the mean orientations of the chest [deg].
        neck_cm: distance between the mean positions of the base of the neck [cm].
        wrists_cm: largest distance between the mean positions of a wrist [cm].
        torso_spread_deg: largest angle of the chest of any one minute from the mean of all [deg]:
            what posture shifts do within the time.
    """

    torso_deg: float
    neck_cm: float
    wrists_cm: float
    torso_spread_deg: float


def mean_rotation(matrices: NDArray[np.floating]) -> Array:
    """Return the rotation (3, 3) nearest to the mean of rotations ``(N, 3, 3)``."""
    left, _, right = np.linalg.svd(matrices.mean(axis=0))
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return np.asarray(left @ sign @ right)


def measure_drift(poses: NDArray[np.floating], fps: float, minute_s: float = 60.0) -> Drift:
    """Return how far the body has drifted.

    Args:
        poses: shape (T, 84), pose vectors.
        fps: frames per second.
        minute_s: length of what is averaged at either end [s].

    Raises:
        ValueError: fewer than two minutes.
    """
    count = round(minute_s * fps)
    if len(poses) < 2 * count:
        raise ValueError(f'drift needs two stretches of {minute_s:g} s, got '
                         f'{len(poses) / fps:g} s')
    positions, orientations = forward_kinematics(unpack_pose(poses.astype(np.float64))[0])
    chest = orientations[:, JOINT_INDEX['chest']]
    minutes = [mean_rotation(chest[first:first + count])
               for first in range(0, len(poses) - count + 1, count)]
    middle = mean_rotation(np.stack(minutes))
    moved_m = positions[-count:].mean(axis=0) - positions[:count].mean(axis=0)
    wrists = [JOINT_INDEX['left_wrist'], JOINT_INDEX['right_wrist']]
    distance_cm = 100.0 * np.linalg.norm(moved_m, axis=-1)
    return Drift(
        torso_deg=_angle_deg(minutes[0], mean_rotation(chest[-count:])),
        neck_cm=float(distance_cm[JOINT_INDEX['neck']]),
        wrists_cm=float(distance_cm[wrists].max()),
        torso_spread_deg=max(_angle_deg(middle, minute) for minute in minutes))


def _angle_deg(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    return float(np.degrees(np.linalg.norm(rotvec_from_matrix(one.T @ other))))
