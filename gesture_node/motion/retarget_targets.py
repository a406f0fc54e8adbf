"""What a pose asks of a robot: directions of torso, head, arms and hands.

Torso and head are asked for in the pelvis frame. Arms are asked for in the frame of the chest, so
that hands keep their place before the body on a robot whose torso cannot follow; an arm that
points is asked for in the pelvis frame, as what it points at stands still. All of it is computed
for whole arrays of poses, and row by row the same however they are cut.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..types import Float64Array
from .courses import smoothstep
from .profile import Arm, ClosingJoint
from .retarget_points import cross, PALM_CENTRE_M
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
_BENT_FORWARD = np.array([1.0, 0.0, 0.0])
_NO_LENGTH = 1e-6
_TWIST_PRIOR = 0.5
ARM_ROWS = 6
_FINGERS = ('index', 'middle', 'ring', 'little')
_CURLS = {side: [FINGER_NAMES.index(f'{side}_{name}') for name in _FINGERS]
          for side in ('left', 'right')}
_POINTING_CURL = (0.2, 0.45)
_STRAIGHT_COS = (0.80, 0.94)
_RAISED = (-0.8, -0.4)
_YIELD = 0.8  # of the forearm's weight, where pointing needs it


@dataclass(frozen=True, slots=True)
class PoseFrames:
    """Orientations of T poses.

    Attributes:
        chest: shape (T, 3, 3), pelvis frame.
        head: shape (T, 3, 3), pelvis frame.
        segments: upper arm, forearm and hand of each side, shape (T, 3, 3) each, chest frame.
        palms: middle of the palm of each side, shape (T, 3) [m], from the origin of the chest in
            its frame.
        fingers: shape (T, 12), curls in [0, 1] in the order of ``FINGER_NAMES``.
    """

    chest: Array
    head: Array
    segments: Mapping[str, tuple[Array, ...]]
    palms: Mapping[str, Array]
    fingers: Array


def pose_frames(poses: Array) -> PoseFrames:
    """Return the orientations that pose vectors ``(T, 84)`` describe."""
    rotations, fingers = unpack_pose(np.asarray(poses, np.float64))
    places, frames = forward_kinematics(rotations)
    chest = frames[:, JOINT_INDEX['chest']]
    from_chest = np.swapaxes(chest, -1, -2)
    segments = {
        side: tuple(from_chest @ frames[:, JOINT_INDEX[f'{side}_{joint}']]
                    for joint in ('shoulder', 'elbow', 'wrist'))
        for side in ('left', 'right')}
    origin = places[:, JOINT_INDEX['chest']]
    palms = {
        side: (from_chest @ (places[:, JOINT_INDEX[f'{side}_wrist']] - origin)[..., None])[..., 0]
        + PALM_CENTRE_M * (segments[side][2] @ FINGER_DIRECTION) for side in ('left', 'right')}
    return PoseFrames(chest, frames[:, JOINT_INDEX['head']], segments, palms, fingers)


@dataclass(frozen=True, slots=True)
class ArmTargets:
    """What T poses ask of one arm.

    The rows are upper arm, forearm, elbow hinge axis (positive in flexion), fingers, palm normal,
    and the edge of the hand, which is perpendicular to both.

    Attributes:
        directions: shape (T, 6, 3), chest frame.
        shares: shape (T, 6) in [0, 1], what is left of the weight of each row.
        pointing: shape (T,) in [0, 1], how much the arm points.
    """

    directions: Array
    shares: Array
    pointing: Array


def arm_targets(arm: Arm, frames: PoseFrames) -> ArmTargets:
    """Return what is asked of an arm.

    The hinge axis is the normal of the plane of upper arm and forearm; as the arm straightens and
    that plane fades, the twist of the upper arm takes over. An elbow bent backwards is
    straightened first: a robot would turn its upper arm by half a turn to show it, and back the
    next moment.
    """
    upper, fore, hand = frames.segments[arm.side]
    along, beyond = upper @ _ALONG_ARM, fore @ _ALONG_ARM
    bent = upper @ _BENT_FORWARD
    beyond = _unit(beyond - np.minimum((beyond * bent).sum(axis=-1, keepdims=True), 0.0) * bent
                   + _NO_LENGTH * along)
    hinge = cross(along, beyond) + _TWIST_PRIOR * (upper @ _ELBOW_AXIS)
    fingers = hand @ FINGER_DIRECTION
    palm = hand @ PALM_NORMAL[arm.side]
    rows = np.array([along, beyond, _unit(hinge), fingers, palm,
                     cross(palm, fingers)]).swapaxes(0, 1)
    pointing = _pointing(along, beyond, fingers, frames.fingers[:, _CURLS[arm.side]])
    shares = np.ones(rows.shape[:2])
    shares[:, 1] = 1.0 - _YIELD * pointing
    if arm.hang_out_rad != 0.0:
        hanging = np.maximum(-along[:, 2], 0.0) * np.maximum(-beyond[:, 2], 0.0)
        outward = arm.hang_out_rad if arm.side == 'left' else -arm.hang_out_rad
        rows = _turned_about_forward(rows, outward * hanging * hanging * (1.0 - pointing))
    return ArmTargets(rows, shares, pointing)


def _unit(vectors: Array) -> Array:
    """Return vectors ``(T, 3)``, none of them zero, at length one."""
    return np.asarray(vectors / np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True)))


def _pointing(along: Array, beyond: Array, fingers: Array, curls: Array) -> Array:
    """Return how much an arm points, shape (T,) in [0, 1].

    An arm points when the index finger is straight while the others are curled, or when raised
    arm, forearm and hand are one line.

    Args:
        along: upper arm, shape (T, 3), chest frame; so are forearm and fingers.
        beyond: forearm.
        fingers: straight fingers.
        curls: of index, middle, ring and little finger, shape (T, 4).
    """
    others = (curls[:, 1] + curls[:, 2] + curls[:, 3]) / 3.0
    by_finger = _risen(others - curls[:, 0], *_POINTING_CURL)
    straight = np.minimum((along * beyond).sum(axis=-1), (beyond * fingers).sum(axis=-1))
    by_arm = _risen(straight, *_STRAIGHT_COS) * _risen(beyond[:, 2], *_RAISED)
    return by_finger + by_arm - by_finger * by_arm


def _risen(value: Array, low: float, high: float) -> Array:
    """Return 0 below ``low``, 1 above ``high``, and a smooth step between."""
    return smoothstep((value - low) / (high - low))


def _turned_about_forward(rows: Array, angle_rad: Array) -> Array:
    """Return vectors ``(T, R, 3)`` turned about the x axis by angles ``(T,)``."""
    cosine, sine = np.cos(angle_rad)[:, None], np.sin(angle_rad)[:, None]
    x, y, z = rows[..., 0], rows[..., 1], rows[..., 2]
    turned = np.empty(rows.shape)
    turned[..., 0], turned[..., 1] = x, cosine * y - sine * z
    turned[..., 2] = sine * y + cosine * z
    return turned


def closing_positions(arm: Arm, frames: PoseFrames) -> Float64Array:
    """Return the positions of an arm's finger joints, shape (T, number of finger joints)."""
    columns = [_position(joint, arm.side, frames.fingers) for joint in arm.closing]
    return np.stack(columns, axis=1) if columns else np.zeros((len(frames.fingers), 0))


def _position(joint: ClosingJoint, side: str, fingers: Array) -> Float64Array:
    names = _FINGERS if joint.curl == 'hand' else (joint.curl,)
    columns = [fingers[:, FINGER_NAMES.index(f'{side}_{name}')] for name in names]
    curl = np.mean(np.stack(columns), axis=0)
    return np.asarray(joint.open_rad + (joint.closed_rad - joint.open_rad) * curl)
