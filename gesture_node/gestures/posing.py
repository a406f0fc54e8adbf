"""From directions of limbs to joint rotations of the canonical skeleton.

An arm is given by where upper arm, forearm and fingers point and where the palm faces. The upper
arm is twisted so that the elbow hinge is perpendicular to both segments, the forearm as the hand
needs it, and the wrist only bends: the anatomical order, so that poses blend without odd twists.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..motion.rotations import Array, matrix_from_rotvec, slerp

_TINY = 1e-6
_LOWER_SHARE = 0.4
"""Share of a turn of head or trunk that the lower of its two joints takes."""


@dataclass(frozen=True, slots=True)
class ArmDirections:
    """Where an arm points, unit vectors of shape (3,), chest frame at rest (x forward, y left).

    Attributes:
        upper: from shoulder to elbow.
        fore: from elbow to wrist.
        fingers: along the straight fingers.
        palm: out of the palm; only its part perpendicular to the fingers counts.
    """

    upper: Array
    fore: Array
    fingers: Array
    palm: Array


def outward(direction: Array, side: str) -> Array:
    """Return a vector ``(3,)`` given as [forward, outward, up] in axes x forward, y left, z up."""
    return np.asarray(direction * np.array([1.0, 1.0 if side == 'left' else -1.0, 1.0]))


def arm_rotations(arm: ArmDirections, side: str, lift_rad: float = 0.0) -> Array:
    """Return rotations of clavicle, shoulder, elbow and wrist, shape (4, 3, 3).

    Args:
        arm: directions.
        side: ``left`` or ``right``.
        lift_rad: how far the shoulder is lifted [rad].
    """
    lift = lift_rad if side == 'left' else -lift_rad
    clavicle = matrix_from_rotvec(np.array([lift, 0.0, 0.0]))
    hinge = np.cross(arm.upper, arm.fore)
    if np.linalg.norm(hinge) < _TINY:
        hinge = _across(arm.upper)
    upper = _frame(arm.upper, -hinge)
    across = arm.palm if side == 'right' else -arm.palm
    if np.linalg.norm(np.cross(arm.fingers, across)) < _TINY:
        across = upper[:, 1]
    hand = _frame(arm.fingers, across)
    twist = hand[:, 1]
    if np.linalg.norm(np.cross(arm.fore, twist)) < _TINY:
        twist = upper[:, 1]
    fore = _frame(arm.fore, twist)
    return np.stack([clavicle, clavicle.T @ upper, upper.T @ fore, fore.T @ hand])


def _across(along: Array) -> Array:
    """Return some hinge axis of a straight arm: one about which it would bend upwards."""
    hinge = np.cross(along, np.array([0.0, 0.0, 1.0]))
    return hinge if np.linalg.norm(hinge) > _TINY else np.array([0.0, -1.0, 0.0])


def _frame(along: Array, across: Array) -> Array:
    """Return the frame whose -z points along, and whose y is as near to ``across`` as can be."""
    z = -along / np.linalg.norm(along)
    y = across - (across @ z) * z
    y = y / np.linalg.norm(y)
    return np.stack([np.cross(y, z), y, z], axis=1)


def turn_rotations(turn_rad: float, nod_rad: float, tilt_rad: float) -> Array:
    """Return the rotations of two joints, the lower first, shape (2, 3, 3), that turn a part.

    Args:
        turn_rad: to the left.
        nod_rad: forward and down.
        tilt_rad: to the right.
    """
    angles = np.diag([tilt_rad, nod_rad, turn_rad])
    roll, pitch, yaw = (matrix_from_rotvec(row) for row in angles)
    whole = yaw @ pitch @ roll
    lower = slerp(np.eye(3), whole, _LOWER_SHARE)
    return np.stack([lower, lower.T @ whole])
