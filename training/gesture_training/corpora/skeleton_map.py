"""From the skeleton of a BVH file to the canonical upper body of ``motion/skeleton.py``.

Every canonical segment gets the *world orientation* of the matching source segment::

    G = A @ R_source @ A^T @ C

``A`` turns the axes of the file into x forward, y left, z up; ``R_source`` is the world rotation
of the source joint against its bind pose; ``C`` turns the canonical rest pose (arms hanging, palms
to the thighs) into the source's bind pose (A or T). ``C`` is built from two directions that both
skeletons have, read from the offsets of the file: along the limb, and towards the side of the
thumb (forward in a hanging arm). Trunk, head and clavicles are taken as upright at bind: C = 1.

Three turns that rigs put into different joints are put where a body has them: the upper arm's
twist follows the plane in which the elbow bends (as far as it is bent), and all pronation is in
the forearm, so the canonical wrist only flexes and deviates. No direction changes by this.

The pelvis frame is the world turned about the vertical by one angle per clip, the mean heading of
the hips: whoever was recorded facing elsewhere faces +x. A lean of the hips shows in the spine.

Fingers become six numbers a hand: the summed flexion of the three joints over 240 degrees (thumb:
two joints over 120), and thumb opposition from the direction of the thumb's first segment around
the axis of the fingers (0 beside the palm, 1 when it points out of the palm; an approximation).
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from gesture_node.motion.rotations import slerp
from gesture_node.motion.skeleton import JOINT_INDEX, JOINT_NAMES, pack_pose, PARENTS
from gesture_node.types import Float64Array

from .bvh import BvhError, BvhMotion

FINGER_CLOSED_RAD = np.radians(240.0)
THUMB_CLOSED_RAD = np.radians(120.0)
OPPOSITION_RAD = np.radians(80.0)
CLAVICLE_SHARE = 0.5
"""Rigs turn clavicles further than bones, up to 27 degrees in a relaxed stance; upper arms keep
their world direction."""
SOURCE_TWIST_WEIGHT = 0.25
"""How much of the rig's own upper-arm twist is trusted against the sine of the elbow's flexion."""

_CONFIG = Path(__file__).resolve().parents[2] / 'config' / 'smartbody.yaml'


@dataclass(frozen=True, slots=True)
class SkeletonMap:
    """Names of a family of BVH skeletons, as read from a YAML file."""

    axes: Float64Array
    root: str
    segments: dict[str, list[str]]
    arms: dict[str, dict[str, str]]
    fingers: list[str]


def load_map(path: Path = _CONFIG) -> SkeletonMap:
    """Read a joint map (see ``training/config/smartbody.yaml``)."""
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding='utf-8'))
    axes = np.array([data['forward'], data['left'], data['up']], dtype=np.float64)
    return SkeletonMap(axes, data['root'], data['segments'], data['arms'], data['fingers'])


class _Source:
    """World rotations and bind directions of a BVH motion, in canonical axes."""

    def __init__(self, motion: BvhMotion, axes: Float64Array) -> None:
        self._index = {joint.name: i for i, joint in enumerate(motion.joints)}
        self._world = axes @ motion.world_rotations() @ axes.T
        bind = np.zeros((len(motion.joints), 3))
        for i, joint in enumerate(motion.joints):
            if joint.parent >= 0:
                bind[i] = bind[joint.parent] + axes @ joint.offset
        self._bind = bind

    def first(self, names: list[str]) -> str:
        for name in names:
            if name in self._index:
                return name
        raise BvhError(f'none of the joints {", ".join(names)} is in the file')

    def world(self, name: str) -> Float64Array:
        return np.asarray(self._world[:, self._index[self.first([name])]])

    def between(self, start: str, end: str) -> Float64Array:
        """Return the unit direction between two joints at bind."""
        direction = self._bind[self._index[self.first([end])]] - self._bind[
            self._index[self.first([start])]]
        return np.asarray(direction / np.linalg.norm(direction))


def limb_frame(along: Float64Array, thumb_side: Float64Array) -> Float64Array:
    """Return the orientation ``(..., 3, 3)`` of a hanging limb turned to given directions.

    At rest a limb points along -z and its thumb side is +x; the first is kept exactly, the second
    as nearly as it can be.

    Args:
        along: unit vectors ``(..., 3)`` along the limb.
        thumb_side: vectors ``(..., 3)``, any length, not parallel to ``along``.
    """
    side = thumb_side - along * np.sum(along * thumb_side, axis=-1, keepdims=True)
    side = side / np.linalg.norm(side, axis=-1, keepdims=True)
    return np.stack([side, np.cross(-along, side), -along], axis=-1)


def canonical_orientations(motion: BvhMotion, names: SkeletonMap) -> Float64Array:
    """Return world orientations ``(T, 12, 3, 3)`` of the canonical segments, pelvis frame.

    Raises:
        BvhError: a joint that the map needs is missing.
    """
    source = _Source(motion, names.axes)
    world = np.empty((len(motion.rotations), len(JOINT_NAMES), 3, 3))
    for segment, choices in names.segments.items():
        world[:, JOINT_INDEX[segment]] = source.world(source.first(choices))
    for side in ('left', 'right'):
        joint, chest = JOINT_INDEX[f'{side}_clavicle'], world[:, JOINT_INDEX['chest']]
        world[:, joint] = slerp(chest, world[:, joint], CLAVICLE_SHARE)
    for side in ('left', 'right'):
        upper, fore, hand = _arm(source, names, side)
        world[:, JOINT_INDEX[f'{side}_shoulder']] = upper
        world[:, JOINT_INDEX[f'{side}_elbow']] = fore
        world[:, JOINT_INDEX[f'{side}_wrist']] = hand
    return np.asarray(_heading(source.world(names.root)).T @ world)


def _heading(hips: Float64Array) -> Float64Array:
    """Return the turn about the vertical from +x to where the hips face on average."""
    x, y = np.mean(hips[:, :2, 0], axis=0)
    norm = max(float(np.hypot(x, y)), 1e-9)
    return np.array([[x, -y, 0.0], [y, x, 0.0], [0.0, 0.0, norm]]) / norm


def _arm(source: _Source, names: SkeletonMap,
         side: str) -> tuple[Float64Array, Float64Array, Float64Array]:
    arm = names.arms[side]
    forward = np.array([1.0, 0.0, 0.0])
    upper_bind = limb_frame(source.between(arm['upper'], arm['fore']), forward)
    fore_bind = source.between(arm['fore'], arm['hand'])
    hand_bind = _hand_bind(source, names, side)
    upper = source.world(arm['upper']) @ upper_bind
    hand = source.world(arm['hand']) @ hand_bind
    along_fore = source.world(arm['fore']) @ fore_bind
    along_upper = -upper[..., :, 2]
    upper = limb_frame(along_upper, along_fore + SOURCE_TWIST_WEIGHT * upper[..., :, 0])
    return upper, _untwisted_forearm(along_fore, hand), hand


def _untwisted_forearm(along: Float64Array, hand: Float64Array) -> Float64Array:
    """Return the forearm from which the hand is reached by the shortest turn (no wrist twist)."""
    fingers = -hand[..., :, 2]
    axis = np.cross(fingers, along)
    cosine = np.sum(fingers * along, axis=-1)[..., None, None]
    cross = np.zeros((*axis.shape[:-1], 3, 3))
    cross[..., 0, 1], cross[..., 1, 2] = -axis[..., 2], -axis[..., 0]
    cross[..., 0, 2] = axis[..., 1]
    cross = cross - np.swapaxes(cross, -1, -2)
    swing = np.eye(3) + cross + cross @ cross / np.maximum(1.0 + cosine, 1e-3)
    return limb_frame(along, (swing @ hand)[..., :, 0])


def _hand_bind(source: _Source, names: SkeletonMap, side: str) -> Float64Array:
    hand = names.arms[side]['hand']
    return limb_frame(source.between(hand, f'{hand}{names.fingers[2]}1'),
                      source.between(f'{hand}{names.fingers[4]}1', f'{hand}{names.fingers[1]}1'))


def finger_numbers(motion: BvhMotion, names: SkeletonMap) -> Float64Array:
    """Return finger numbers ``(T, 12)`` in [0, 1], order of ``skeleton.FINGER_NAMES``."""
    source = _Source(motion, names.axes)
    return np.concatenate([_hand_fingers(source, names, side) for side in ('left', 'right')],
                          axis=-1)


def _hand_fingers(source: _Source, names: SkeletonMap, side: str) -> Float64Array:
    hand = names.arms[side]['hand']
    frame = source.world(hand) @ _hand_bind(source, names, side)
    palm = frame[..., :, 1] * (-1.0 if side == 'left' else 1.0)
    fingers, thumb_side = -frame[..., :, 2], frame[..., :, 0]
    numbers = []
    for name in names.fingers:
        chain = [f'{hand}{name}{k}' for k in (1, 2, 3)] + [f'{hand}{name}3_end']
        parts = [np.einsum('tij,j->ti', source.world(a), source.between(a, b))
                 for a, b in zip(chain[:-1], chain[1:])]
        if name == 'Thumb':
            turns = [np.arccos(np.clip(np.sum(a * b, axis=-1), -1.0, 1.0))
                     for a, b in zip(parts[:-1], parts[1:])]
            numbers.append(sum(turns) / THUMB_CLOSED_RAD)
            opposition = np.arctan2(np.sum(parts[0] * palm, axis=-1),
                                    np.maximum(np.sum(parts[0] * thumb_side, axis=-1), 0.2))
        else:
            angles = [np.arctan2(np.sum(part * palm, axis=-1), np.sum(part * fingers, axis=-1))
                      for part in parts]
            bend = angles[0] + sum(_wrapped(b - a) for a, b in zip(angles[:-1], angles[1:]))
            numbers.append(bend / FINGER_CLOSED_RAD)
    numbers.append(opposition / OPPOSITION_RAD)
    return np.asarray(np.clip(np.stack(numbers, axis=-1), 0.0, 1.0))


def _wrapped(angle_rad: Float64Array) -> Float64Array:
    return np.asarray((angle_rad + np.pi) % (2.0 * np.pi) - np.pi)


def canonical_poses(motion: BvhMotion, names: SkeletonMap) -> Float64Array:
    """Return pose vectors ``(T, 84)`` at the frame rate of the file."""
    world = canonical_orientations(motion, names)
    local = world.copy()
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            local[:, joint] = np.swapaxes(world[:, parent], -1, -2) @ world[:, joint]
    return np.asarray(pack_pose(local, finger_numbers(motion, names)), dtype=np.float64)
