"""The canonical upper body: joints, frames, rest pose, pose vector, forward kinematics.

Frames follow REP-103: x forward, y left, z up, metres, radians. The pelvis is fixed at the
origin. In the **rest pose** the person stands upright, looks along +x, the arms hang straight
down, palms face the thighs (left palm normal -y, right palm normal +y), fingers point along -z
and thumbs forward (+x). At rest every joint frame is aligned with the pelvis frame, so a joint
rotation ``R`` is simply the turn of its segment against its parent, in world-aligned axes::

    pelvis - spine - chest -+- neck - head
                            +- left_clavicle  - left_shoulder  - left_elbow  - left_wrist
                            +- right_clavicle - right_shoulder - right_elbow - right_wrist

``left_elbow`` turns the forearm segment (flexion and pronation), ``left_wrist`` the hand.

A **pose vector** has ``POSE_DIM`` = 84 numbers: 12 joints x 6-D rotation (columns one and two of
``R``), then for the left and the right hand six numbers each: curl of thumb, index, middle, ring
and little finger (0 straight .. 1 closed) and thumb opposition (0 beside the palm .. 1 across it).
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .rotations import Array, matrix_from_6d, matrix_to_6d

JOINT_NAMES: tuple[str, ...] = (
    'spine', 'chest', 'neck', 'head',
    'left_clavicle', 'left_shoulder', 'left_elbow', 'left_wrist',
    'right_clavicle', 'right_shoulder', 'right_elbow', 'right_wrist',
)
FINGER_NAMES: tuple[str, ...] = tuple(
    f'{side}_{name}' for side in ('left', 'right')
    for name in ('thumb', 'index', 'middle', 'ring', 'little', 'thumb_opposition'))
PARENTS: tuple[int, ...] = (-1, 0, 1, 2, 1, 4, 5, 6, 1, 8, 9, 10)
OFFSETS_M: NDArray[np.float64] = np.array([
    [0.0, 0.0, 0.10], [0.0, 0.0, 0.18], [0.0, 0.0, 0.28], [0.02, 0.0, 0.10],
    [0.0, 0.03, 0.22], [0.0, 0.15, 0.0], [0.0, 0.0, -0.29], [0.0, 0.0, -0.26],
    [0.0, -0.03, 0.22], [0.0, -0.15, 0.0], [0.0, 0.0, -0.29], [0.0, 0.0, -0.26],
])
"""Rest position of each joint in its parent's frame [m]; a person of about 1.75 m."""
HAND_TIP_M: NDArray[np.float64] = np.array([0.0, 0.0, -0.18])
"""Tip of the middle finger in the wrist frame at rest [m]."""
HEAD_TOP_M: NDArray[np.float64] = np.array([0.0, 0.0, 0.20])
PALM_NORMAL: dict[str, NDArray[np.float64]] = {
    'left': np.array([0.0, -1.0, 0.0]), 'right': np.array([0.0, 1.0, 0.0])}
"""Unit normal out of the palm, in the wrist frame."""
FINGER_DIRECTION: NDArray[np.float64] = np.array([0.0, 0.0, -1.0])
"""Unit vector along the straight fingers, in the wrist frame."""

JOINT_COUNT = len(JOINT_NAMES)
FINGER_COUNT = len(FINGER_NAMES)
ROTATION_DIM = 6 * JOINT_COUNT
POSE_DIM = ROTATION_DIM + FINGER_COUNT
JOINT_INDEX: dict[str, int] = {name: i for i, name in enumerate(JOINT_NAMES)}
_MIRRORED = tuple(
    JOINT_INDEX[n.replace('left', 'R_').replace('right', 'left').replace('R_', 'right')]
    for n in JOINT_NAMES)


def rest_pose() -> NDArray[np.float64]:
    """Return the rest pose vector ``(84,)``: identity rotations, open relaxed hands."""
    identity = np.broadcast_to(np.eye(3), (JOINT_COUNT, 3, 3))
    fingers = np.array([0.15, 0.2, 0.25, 0.3, 0.3, 0.3] * 2)
    return np.concatenate([matrix_to_6d(identity).reshape(-1), fingers])


def pack_pose(rotations: Array, fingers: Array) -> Array:
    """Return pose vectors ``(..., 84)``: rotations ``(..., 12, 3, 3)``, fingers ``(..., 12)``."""
    flat = matrix_to_6d(rotations).reshape(*rotations.shape[:-3], ROTATION_DIM)
    return np.concatenate([flat, fingers], axis=-1)


def unpack_pose(pose: Array) -> tuple[Array, Array]:
    """Return rotations ``(..., 12, 3, 3)`` and fingers ``(..., 12)`` in [0, 1] of pose vectors.

    Rotations are orthonormalised and fingers clipped, so any finite vector gives a valid pose.
    """
    flat = pose[..., :ROTATION_DIM].reshape(*pose.shape[:-1], JOINT_COUNT, 6)
    return matrix_from_6d(flat), np.clip(pose[..., ROTATION_DIM:], 0.0, 1.0)


def project_pose(pose: Array) -> Array:
    """Return the nearest valid pose vectors: orthonormal rotations, fingers in [0, 1]."""
    return pack_pose(*unpack_pose(pose))


def forward_kinematics(rotations: Array) -> tuple[Array, Array]:
    """Return joint positions and orientations in the pelvis frame.

    Args:
        rotations: local joint rotations ``(..., 12, 3, 3)``.

    Returns:
        positions ``(..., 12, 3)`` [m] and orientations ``(..., 12, 3, 3)``, both pelvis frame.
    """
    positions = np.empty((*rotations.shape[:-3], JOINT_COUNT, 3))
    orientations = np.empty(rotations.shape)
    for joint, parent in enumerate(PARENTS):
        if parent < 0:
            positions[..., joint, :] = OFFSETS_M[joint]
            orientations[..., joint, :, :] = rotations[..., joint, :, :]
        else:
            frame = orientations[..., parent, :, :]
            positions[..., joint, :] = positions[..., parent, :] + frame @ OFFSETS_M[joint]
            orientations[..., joint, :, :] = frame @ rotations[..., joint, :, :]
    return positions, orientations


def mirror_pose(pose: Array) -> Array:
    """Return pose vectors ``(..., 84)`` mirrored in the sagittal plane."""
    rotations, fingers = unpack_pose(pose)
    flip = np.diag([1.0, -1.0, 1.0])
    mirrored = flip @ rotations[..., list(_MIRRORED), :, :] @ flip
    half = FINGER_COUNT // 2
    swapped = np.concatenate([fingers[..., half:], fingers[..., :half]], axis=-1)
    return pack_pose(mirrored, swapped)
