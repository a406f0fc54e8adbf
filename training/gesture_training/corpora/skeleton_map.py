"""From any skeleton to the canonical upper body of ``motion/skeleton.py``.

Every canonical segment gets the *world orientation* of the matching source segment::

    G = W @ B^T @ C

``W`` is the world rotation of the source joint in the canonical axes (x forward, y left, z up);
``B`` is the same in the rig's bind pose (``skeleton_bind.py``); ``C`` turns the canonical rest
pose (arms hanging, palms to the thighs) into that bind pose (A or T). ``C`` is built from two
directions that both skeletons have, read from the offsets of the file: along the limb, and towards
the side of the thumb (forward in a hanging arm). Trunk, head and clavicles are taken as upright at
bind: C = 1. Lengths do not matter, so neither do units.

Three turns that rigs put into different joints are put where a body has them: the upper arm's
twist follows the plane in which the elbow bends (as far as it is bent), and all pronation is in
the forearm, so the canonical wrist only flexes and deviates. No direction changes by this.

The pelvis frame is the world turned about the vertical by the heading of the hips, averaged over
the clip or, in long recordings, over some seconds: whoever was recorded facing elsewhere faces +x.
A lean of the hips shows in the spine.

Fingers become six numbers a hand: the summed flexion of the three joints over 240 degrees (thumb:
two joints over 120), less where a rig has fewer joints, and thumb opposition from the direction of
the thumb's first segment around the axis of the fingers (0 beside the palm, 1 when it points out
of the palm; an approximation). Fingers that a rig does not have stay relaxed.
"""
from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gesture_node.motion.rotations import slerp
from gesture_node.motion.skeleton import (
    FINGER_COUNT,
    JOINT_INDEX,
    JOINT_NAMES,
    pack_pose,
    PARENTS,
    rest_pose,
)
from gesture_node.types import Float64Array

from .problems import UnusableFile
from .skeletal import SkeletalMotion
from .skeleton_bind import bind_positions, bind_turns, limb_frame, Rig, shortest_turn, unit
from .skeleton_names import FINGERS, load_map, SIDES, SkeletonMap

__all__ = ['canonical_orientations', 'canonical_poses', 'finger_numbers', 'limb_frame',
           'load_map', 'SkeletonMap']

FINGER_CLOSED_RAD = np.radians(240.0)
THUMB_CLOSED_RAD = np.radians(120.0)
OPPOSITION_RAD = np.radians(80.0)
CLAVICLE_SHARE = 0.5
"""Rigs turn clavicles further than bones, up to 27 degrees in a relaxed stance; upper arms keep
their world direction."""
SOURCE_TWIST_WEIGHT = 0.25
"""How much of the rig's own upper-arm twist is trusted against the sine of the elbow's flexion."""
LOWEST_HEAD = 0.5
"""Mean height of the head over the hips, as a share of their distance, below which a file was
not read as its joint map says."""

_RELAXED = rest_pose()[-FINGER_COUNT:].reshape(2, -1)


class _Source:
    """World rotations and bind pose of a recording, in canonical axes."""

    def __init__(self, motion: SkeletalMotion, names: SkeletonMap) -> None:
        self.rig = Rig(motion, names)
        self._bind, self._rolls_known = bind_turns(self.rig)
        self._positions = bind_positions(self.rig, self._bind)
        self._world = self._world_rotations(motion, names.axes, names.skip_frames)

    def _world_rotations(self, motion: SkeletalMotion, axes: Float64Array,
                         first: int) -> dict[int, Float64Array]:
        """Return world rotations ``(T, 3, 3)`` of the joints above the waist and their parents."""
        rig = self.rig
        wanted = {rig.root, *rig.segments.values()}
        wanted |= {joint for arm in rig.arms.values() for joint in arm.values()}
        wanted |= {joint for hand in rig.fingers.values() for chain in hand.values()
                   for joint in chain}
        for i in range(len(motion.joints) - 1, -1, -1):
            if i in wanted and motion.joints[i].parent >= 0:
                wanted.add(motion.joints[i].parent)
        world: dict[int, Float64Array] = {}
        for i in sorted(wanted):
            parent, local = motion.joints[i].parent, motion.rotations[first:, i]
            world[i] = world[parent] @ local if parent >= 0 else axes @ local
        return world

    def turn(self, joint: int) -> Float64Array:
        """Return the turn of a segment against its bind pose, shape (T, 3, 3)."""
        return np.asarray(self._world[joint] @ self._bind[joint].T)

    def clavicle(self, side: str, chest: Float64Array) -> Float64Array:
        """Return the turn of a collar bone (T, 3, 3), without roll where that is not known."""
        joint = self.rig.segments[f'{side}_clavicle']
        if self._rolls_known:
            return self.turn(joint)
        aside = np.array([0.0, 1.0 if side == 'left' else -1.0, 0.0])
        bone = np.einsum('tji,tj->ti', chest, self.bone(joint, self.rig.arms[side]['upper']))
        return np.asarray(chest @ shortest_turn(np.broadcast_to(aside, bone.shape), bone))

    def between(self, start: int, end: int) -> Float64Array:
        """Return the unit direction from one joint to another at bind."""
        return unit(self._positions[end] - self._positions[start])

    def bone(self, start: int, end: int) -> Float64Array:
        """Return the direction of a bone over time, shape (T, 3)."""
        return np.asarray(self._world[start] @ unit(self.rig.bone(start, end)))

    def hand_bind(self, side: str) -> Float64Array:
        """Return the orientation of the hand at bind; palms down where fingers do not tell."""
        arm = self.rig.arms[side]
        hand = arm['hand']
        along, across = self.rig.along(side, hand), self.rig.across(side, hand)
        direction = (self.between(arm['fore'], hand) if along is None
                     else self._bind[hand] @ unit(along))
        thumb = np.array([1.0, 0.0, 0.0]) if across is None else self._bind[hand] @ across
        return limb_frame(direction, thumb)

    def check_upright(self) -> None:
        """Refuse a file in which the head is not above the hips."""
        path = self.rig.path(self.rig.root, self.rig.segments['head'])
        joints = self.rig.motion.joints
        spine = np.sum([self._world[joints[i].parent] @ joints[i].offset for i in path], axis=0)
        height = np.mean(spine[:, 2] / np.maximum(np.linalg.norm(spine, axis=-1), 1e-12))
        if height < LOWEST_HEAD:
            raise UnusableFile(
                f'the head is not above the hips (mean height {height:.2f} of their distance, at '
                f'least {LOWEST_HEAD}): are up and forward of joint map {self.rig.names.name!r} '
                'those of the file?')


def canonical_orientations(motion: SkeletalMotion, names: SkeletonMap,
                           heading_s: float | None = None) -> Float64Array:
    """Return world orientations ``(T, 12, 3, 3)`` of the canonical segments, pelvis frame.

    Args:
        motion: the recording, T frames after those that the map skips.
        names: the joint map.
        heading_s: time constant of the pelvis' heading [s]; None takes one heading for all.

    Raises:
        UnusableFile: a joint that the map needs is missing, or the head is not above the hips.
    """
    return _orientations(_Source(motion, names), heading_s)


def _orientations(source: _Source, heading_s: float | None) -> Float64Array:
    source.check_upright()
    root, segments = source.turn(source.rig.root), source.rig.segments
    world = np.empty((len(root), len(JOINT_NAMES), 3, 3))
    for name in ('spine', 'chest', 'neck', 'head'):
        if name in segments:
            world[:, JOINT_INDEX[name]] = source.turn(segments[name])
    chest = world[:, JOINT_INDEX['chest']]
    if 'neck' not in segments:
        halfway = slerp(chest, world[:, JOINT_INDEX['head']], 0.5)
        world[:, JOINT_INDEX['neck']] = halfway
    for side in SIDES:
        joint = JOINT_INDEX[f'{side}_clavicle']
        given = f'{side}_clavicle' in segments
        turned = source.clavicle(side, chest) if given else chest
        world[:, joint] = slerp(chest, turned, CLAVICLE_SHARE)
        upper, fore, hand = _arm(source, side)
        world[:, JOINT_INDEX[f'{side}_shoulder']] = upper
        world[:, JOINT_INDEX[f'{side}_elbow']] = fore
        world[:, JOINT_INDEX[f'{side}_wrist']] = hand
    sigma = None if heading_s is None else heading_s * source.rig.motion.fps
    return np.asarray(np.swapaxes(_heading(root, sigma), -1, -2)[:, None] @ world)


def _heading(hips: Float64Array, sigma_frames: float | None) -> Float64Array:
    """Return turns ``(T or 1, 3, 3)`` about the vertical from +x to where the hips face."""
    ahead = hips[:, :2, 0]
    if sigma_frames is None:
        ahead = np.mean(ahead, axis=0, keepdims=True)
    else:
        ahead = gaussian_filter1d(ahead, sigma_frames, axis=0, mode='nearest')
    x, y = ahead.T / np.maximum(np.linalg.norm(ahead, axis=-1), 1e-9)
    turn = np.zeros((len(x), 3, 3))
    turn[:, 0, 0] = turn[:, 1, 1] = x
    turn[:, 1, 0], turn[:, 0, 1], turn[:, 2, 2] = y, -y, 1.0
    return turn


def _arm(source: _Source, side: str) -> tuple[Float64Array, Float64Array, Float64Array]:
    arm = source.rig.arms[side]
    forward = np.array([1.0, 0.0, 0.0])
    upper_bind = limb_frame(source.between(arm['upper'], arm['fore']), forward)
    fore_bind = source.between(arm['fore'], arm['hand'])
    upper = source.turn(arm['upper']) @ upper_bind
    hand = source.turn(arm['hand']) @ source.hand_bind(side)
    along_fore = source.turn(arm['fore']) @ fore_bind
    along_upper = -upper[..., :, 2]
    upper = limb_frame(along_upper, along_fore + SOURCE_TWIST_WEIGHT * upper[..., :, 0])
    return upper, _untwisted_forearm(along_fore, hand), hand


def _untwisted_forearm(along: Float64Array, hand: Float64Array) -> Float64Array:
    """Return the forearm from which the hand is reached by the shortest turn (no wrist twist)."""
    swing = shortest_turn(-hand[..., :, 2], along)
    return limb_frame(along, (swing @ hand)[..., :, 0])


def finger_numbers(motion: SkeletalMotion, names: SkeletonMap) -> Float64Array:
    """Return finger numbers ``(T, 12)`` in [0, 1], order of ``skeleton.FINGER_NAMES``."""
    return _fingers(_Source(motion, names))


def _fingers(source: _Source) -> Float64Array:
    return np.concatenate([_hand_fingers(source, side) for side in SIDES], axis=-1)


def _hand_fingers(source: _Source, side: str) -> Float64Array:
    chains, hand = source.rig.fingers.get(side, {}), source.rig.arms[side]['hand']
    frame = source.turn(hand) @ source.hand_bind(side)
    palm = frame[..., :, 1] * (-1.0 if side == 'left' else 1.0)
    fingers, thumb_side = -frame[..., :, 2], frame[..., :, 0]
    numbers = np.tile(_RELAXED[SIDES.index(side)], (len(frame), 1))
    for column, name in enumerate(FINGERS):
        chain = chains.get(name, [])
        parts = [source.bone(a, b) for a, b in zip(chain[:-1], chain[1:])]
        if name == 'thumb' and parts:
            turns = [np.arccos(np.clip(np.sum(a * b, axis=-1), -1.0, 1.0))
                     for a, b in zip(parts[:-1], parts[1:])]
            if turns:
                numbers[:, column] = sum(turns) / (THUMB_CLOSED_RAD * len(turns) / 2.0)
            opposition = np.arctan2(np.sum(parts[0] * palm, axis=-1),
                                    np.maximum(np.sum(parts[0] * thumb_side, axis=-1), 0.2))
            numbers[:, -1] = opposition / OPPOSITION_RAD
        elif parts:
            angles = [np.arctan2(np.sum(part * palm, axis=-1), np.sum(part * fingers, axis=-1))
                      for part in parts]
            bend = angles[0] + sum(_wrapped(b - a) for a, b in zip(angles[:-1], angles[1:]))
            numbers[:, column] = bend / (FINGER_CLOSED_RAD * len(parts) / 3.0)
    return np.asarray(np.clip(numbers, 0.0, 1.0))


def _wrapped(angle_rad: Float64Array) -> Float64Array:
    return np.asarray((angle_rad + np.pi) % (2.0 * np.pi) - np.pi)


def canonical_poses(motion: SkeletalMotion, names: SkeletonMap,
                    heading_s: float | None = None) -> Float64Array:
    """Return pose vectors ``(T, 84)`` at the frame rate of the file; see the functions above."""
    source = _Source(motion, names)
    world = _orientations(source, heading_s)
    local = world.copy()
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            local[:, joint] = np.swapaxes(world[:, parent], -1, -2) @ world[:, joint]
    return np.asarray(pack_pose(local, _fingers(source)), dtype=np.float64)
