"""Rotations as matrices, 6-D vectors, quaternions and rotation vectors, for whole arrays.

Every function takes and returns ``float`` arrays whose last axes are the rotation; leading axes
are free. Matrices are active and right-handed: ``p_parent = R @ p_child``. The 6-D form is the
first two columns of the matrix, stacked (Zhou et al., "On the Continuity of Rotation
Representations in Neural Networks", CVPR 2019). Quaternions are ``(w, x, y, z)``.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..types import Float64Array

Array = NDArray[np.floating]
_TINY = 1e-9


def matrix_to_6d(matrix: Array) -> Array:
    """Return the 6-D form ``(..., 6)`` of rotation matrices ``(..., 3, 3)``."""
    return np.concatenate([matrix[..., :, 0], matrix[..., :, 1]], axis=-1)


def matrix_from_rpy(roll_pitch_yaw: Array) -> Float64Array:
    """Return the matrix ``(3, 3)`` of URDF's fixed-axis roll, pitch, yaw ``(3,)`` [rad]."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(roll_pitch_yaw), np.sin(roll_pitch_yaw)
    return np.array([[cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
                     [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
                     [-sp, cp * sr, cp * cr]])


def matrix_from_6d(vector: Array) -> Array:
    """Return matrices ``(..., 3, 3)`` from 6-D vectors by Gram-Schmidt; any finite input is valid.

    A zero or collinear vector gives some valid rotation rather than NaN.
    """
    first = _normalise(vector[..., :3], np.array([1.0, 0.0, 0.0]))
    second = vector[..., 3:] - first * np.sum(first * vector[..., 3:], axis=-1, keepdims=True)
    second = _normalise(second, _any_orthogonal(first))
    third = np.cross(first, second)
    return np.stack([first, second, third], axis=-1)


def _normalise(vector: Array, fallback: Array) -> Array:
    norm = np.linalg.norm(vector, axis=-1, keepdims=True)
    return np.where(norm > _TINY, vector / np.maximum(norm, _TINY), fallback)


def _any_orthogonal(unit: Array) -> Array:
    helper = np.where(np.abs(unit[..., :1]) < 0.9, np.array([1.0, 0.0, 0.0]),
                      np.array([0.0, 1.0, 0.0]))
    side = np.cross(unit, helper)
    unit_side: Array = side / np.maximum(np.linalg.norm(side, axis=-1, keepdims=True), _TINY)
    return unit_side


def matrix_from_quaternion(quaternion: Array) -> Array:
    """Return matrices ``(..., 3, 3)`` from quaternions ``(..., 4)``, normalised first."""
    unit = quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
    w, x, y, z = np.moveaxis(unit, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def quaternion_from_matrix(matrix: Array) -> Array:
    """Return quaternions ``(..., 4)`` with ``w >= 0`` from matrices ``(..., 3, 3)``.

    Uses the largest of the four components as pivot (Shepperd 1978), so it is accurate everywhere.
    """
    m = matrix
    diagonal = np.stack([m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]], axis=-1)
    trace = np.sum(diagonal, axis=-1, keepdims=True)
    squares = np.concatenate([1 + trace, 1 - trace + 2 * diagonal], axis=-1)
    pivot = np.argmax(squares, axis=-1)
    xy, xz, yz = m[..., 0, 1], m[..., 0, 2], m[..., 1, 2]
    yx, zx, zy = m[..., 1, 0], m[..., 2, 0], m[..., 2, 1]
    table = np.stack([
        np.stack([squares[..., 0], zy - yz, xz - zx, yx - xy], axis=-1),
        np.stack([zy - yz, squares[..., 1], xy + yx, xz + zx], axis=-1),
        np.stack([xz - zx, xy + yx, squares[..., 2], yz + zy], axis=-1),
        np.stack([yx - xy, xz + zx, yz + zy, squares[..., 3]], axis=-1),
    ], axis=-2)
    row = np.take_along_axis(table, pivot[..., None, None], axis=-2)[..., 0, :]
    quaternion = row / np.linalg.norm(row, axis=-1, keepdims=True)
    upper: Array = np.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    return upper


def matrix_from_rotvec(rotvec: Array) -> Array:
    """Return matrices ``(..., 3, 3)`` from rotation vectors ``(..., 3)`` [rad] (Rodrigues)."""
    angle = np.linalg.norm(rotvec, axis=-1, keepdims=True)
    half = 0.5 * angle
    sinc = np.where(angle > _TINY, np.sin(half) / np.maximum(angle, _TINY), 0.5)
    return matrix_from_quaternion(np.concatenate([np.cos(half), rotvec * sinc], axis=-1))


def rotvec_from_matrix(matrix: Array) -> Array:
    """Return rotation vectors ``(..., 3)`` [rad], of length at most pi, from matrices."""
    quaternion = quaternion_from_matrix(matrix)
    norm = np.linalg.norm(quaternion[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(norm, quaternion[..., :1])
    scale = np.where(norm > _TINY, angle / np.maximum(norm, _TINY), 2.0)
    return quaternion[..., 1:] * scale


def slerp(start: Array, end: Array, fraction: Array | float) -> Array:
    """Return the rotation ``fraction`` of the way from ``start`` to ``end``, shortest way.

    Args:
        start: matrices ``(..., 3, 3)``.
        end: matrices ``(..., 3, 3)``.
        fraction: scalar or array that broadcasts against the leading axes; 0 gives ``start``,
            1 gives ``end``, values above 1 extrapolate.
    """
    turn = rotvec_from_matrix(np.swapaxes(start, -1, -2) @ end)
    return start @ matrix_from_rotvec(turn * np.asarray(fraction)[..., None])
