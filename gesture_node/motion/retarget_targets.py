"""What a pose asks of a robot: directions of torso, head, arms and hands.

Torso and head are asked for in the pelvis frame. Arms are asked for in the frame of the chest, so
that hands keep their place before the body on a robot whose torso cannot follow. All of it is
computed for whole arrays of poses, and row by row the same however they are cut.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..types import Float64Array
from .profile import Arm, ClosingJoint
from .rotations import Array
from .skeleton import (
    FINGER_DIRECTION,
    FINGER_NAMES,
    forward_kinematics,
    JOINT_INDEX,
    PALM_NORMAL,
    unpack_pose,
)

_ALONG_ARM = np.array([0.0, 0.0, -1.0])
_ELBOW_AXIS = np.array([0.0, -1.0, 0.0])
_TWIST_PRIOR = 0.25
_FINGERS = ('index', 'middle', 'ring', 'little')


@dataclass(frozen=True, slots=True)
class PoseFrames:
    """Orientations of T poses.

    Attributes:
        chest: shape (T, 3, 3), pelvis frame.
        head: shape (T, 3, 3), pelvis frame.
        segments: upper arm, forearm and hand of each side, shape (T, 3, 3) each, chest frame.
        fingers: shape (T, 12), curls in [0, 1] in the order of ``FINGER_NAMES``.
    """

    chest: Array
    head: Array
    segments: Mapping[str, tuple[Array, ...]]
    fingers: Array


def pose_frames(poses: Array) -> PoseFrames:
    """Return the orientations that pose vectors ``(T, 84)`` describe."""
    rotations, fingers = unpack_pose(np.asarray(poses, np.float64))
    _, frames = forward_kinematics(rotations)
    chest = frames[:, JOINT_INDEX['chest']]
    from_chest = np.swapaxes(chest, -1, -2)
    segments = {
        side: tuple(from_chest @ frames[:, JOINT_INDEX[f'{side}_{joint}']]
                    for joint in ('shoulder', 'elbow', 'wrist'))
        for side in ('left', 'right')}
    return PoseFrames(chest, frames[:, JOINT_INDEX['head']], segments, fingers)


def arm_directions(arm: Arm, frames: PoseFrames) -> Array:
    """Return what is asked of an arm, shape (T, 5, 3), unit vectors in the chest frame.

    The rows are upper arm, forearm, elbow hinge axis (positive in flexion), fingers, palm normal.
    The hinge axis is the normal of the plane of upper arm and forearm; as the arm straightens and
    that plane fades, the twist of the upper arm takes over.
    """
    upper, fore, hand = frames.segments[arm.side]
    along, beyond = upper @ _ALONG_ARM, fore @ _ALONG_ARM
    hinge = np.cross(along, beyond) + _TWIST_PRIOR * (upper @ _ELBOW_AXIS)
    length = np.sqrt(np.sum(hinge * hinge, axis=-1, keepdims=True))
    rows = np.stack([along, beyond, hinge / np.maximum(length, 1e-6), hand @ FINGER_DIRECTION,
                     hand @ PALM_NORMAL[arm.side]], axis=1)
    if arm.hang_out_rad == 0.0:
        return rows
    hanging = np.clip(-along[:, 2], 0.0, 1.0) * np.clip(-beyond[:, 2], 0.0, 1.0)
    outward = arm.hang_out_rad if arm.side == 'left' else -arm.hang_out_rad
    return _turned_about_forward(rows, outward * hanging * hanging)


def _turned_about_forward(rows: Array, angle_rad: Array) -> Array:
    """Return vectors ``(T, R, 3)`` turned about the x axis by angles ``(T,)``."""
    cosine, sine = np.cos(angle_rad)[:, None], np.sin(angle_rad)[:, None]
    x, y, z = rows[..., 0], rows[..., 1], rows[..., 2]
    return np.stack([x, cosine * y - sine * z, sine * y + cosine * z], axis=-1)


def closing_positions(arm: Arm, frames: PoseFrames) -> Float64Array:
    """Return the positions of an arm's finger joints, shape (T, number of finger joints)."""
    columns = [_position(joint, arm.side, frames.fingers) for joint in arm.closing]
    return np.stack(columns, axis=1) if columns else np.zeros((len(frames.fingers), 0))


def _position(joint: ClosingJoint, side: str, fingers: Array) -> Float64Array:
    names = _FINGERS if joint.curl == 'hand' else (joint.curl,)
    columns = [fingers[:, FINGER_NAMES.index(f'{side}_{name}')] for name in names]
    curl = np.mean(np.stack(columns), axis=0)
    return np.asarray(joint.open_rad + (joint.closed_rad - joint.open_rad) * curl)
