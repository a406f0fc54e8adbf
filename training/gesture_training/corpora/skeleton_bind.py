"""The bind pose of a rig: how its joints are turned when the person stands upright, arms out.

Rigs differ in what their joint frames mean. Found here, once per file, is for every joint the
turn ``B`` from its own frame to the canonical axes (x forward, y left, z up) in a pose in which
the trunk is upright and the arms are those of a T or A pose. With the world turn ``W`` of a frame
of the recording, ``W @ B.T`` is then what happened to the body segment, whatever the rig.
"""
from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gesture_node.types import Float64Array

from .problems import UnusableFile
from .skeletal import SkeletalMotion
from .skeleton_names import Names, SIDES, SkeletonMap

_FORWARD, _LEFT, _UP = np.eye(3)
_SIGN = {'left': 1.0, 'right': -1.0}
_MISFACING_RAD = np.radians(20.0)


class Rig:
    """The joints of a recording, found by the names of a map.

    Args:
        motion: the recording.
        names: the joint map.

    Raises:
        UnusableFile: a joint that the map needs is missing.
    """

    def __init__(self, motion: SkeletalMotion, names: SkeletonMap) -> None:
        self.motion, self.names = motion, names
        self.root = self.find(names.root)
        self.segments = {key: self.find(value) for key, value in names.segments.items()}
        self.arms = {side: {part: self.find(value) for part, value in parts.items()}
                     for side, parts in names.arms.items()}
        self.fingers = {side: {finger: self._chain(joints) for finger, joints in hand.items()}
                        for side, hand in names.fingers.items()}
        self.legs = {side: self.find(value) for side, value in names.legs.items()}

    def find(self, choices: Names) -> int:
        """Return the index of the first of the names that the file has."""
        for name in choices:
            if name in self.motion.named:
                return self.motion.named[name]
        raise UnusableFile(f'none of the joints {", ".join(choices)} of joint map '
                           f'{self.names.name!r} is in the file')

    def _chain(self, joints: Iterable[Names]) -> list[int]:
        """Return the joints of a finger that the file has, with the tip where it is known."""
        found = [next((self.motion.named[n] for n in names if n in self.motion.named), -1)
                 for names in joints]
        chain = [joint for joint in found if joint >= 0]
        if not chain or len(chain) > 3:
            return chain[:4]
        tips = [i for i, joint in enumerate(self.motion.joints)
                if joint.parent == chain[-1] and joint.offset.any()]
        return chain + tips[:1]

    def path(self, start: int, end: int) -> list[int]:
        """Return the joints from ``start`` (not included) down to ``end``.

        Raises:
            UnusableFile: ``end`` does not hang on ``start``.
        """
        joints, at = [], end
        while at != start:
            joints.append(at)
            at = self.motion.joints[at].parent
            if at < 0:
                raise UnusableFile(f'joint {self.motion.joints[end].name} does not hang on '
                                   f'{self.motion.joints[start].name}')
        return joints[::-1]

    def bone(self, start: int, end: int) -> Float64Array:
        """Return where ``end`` lies in the frame of ``start`` at zero rotation, file units."""
        return np.sum([self.motion.joints[i].offset for i in self.path(start, end)], axis=0)

    def across(self, side: str, hand: int) -> Float64Array | None:
        """Return the direction of the thumb's side in the frame of the hand; None if unknown."""
        fingers = self.fingers.get(side, {})
        index, little = fingers.get('index', []), fingers.get('little', [])
        if index and little:
            found = self.bone(hand, index[0]) - self.bone(hand, little[0])
            if found.any():
                return np.asarray(found)
        thumb = fingers.get('thumb', [])
        parent = self.motion.joints[hand].parent
        for a, b in zip(thumb[:-1], thumb[1:]):
            # A thumb may hang on the wrist that the hand sits on without a turn of its own.
            if hand in (parents := self._ancestors(a)) or parent in parents:
                return self.bone(a, b)
        return None

    def along(self, side: str, hand: int) -> Float64Array | None:
        """Return the direction of the palm in the frame of the hand; None if unknown."""
        for finger in ('middle', 'index', 'ring', 'little'):
            chain = self.fingers.get(side, {}).get(finger, [])
            if chain and self.bone(hand, chain[0]).any():
                return self.bone(hand, chain[0])
        return None

    def _ancestors(self, joint: int) -> set[int]:
        found = set()
        while joint >= 0:
            found.add(joint)
            joint = self.motion.joints[joint].parent
        return found


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


def shortest_turn(start: Float64Array, end: Float64Array) -> Float64Array:
    """Return the turns ``(..., 3, 3)`` that bring unit vectors to others the shortest way.

    Opposite vectors, which have no shortest way, give some half turn.
    """
    axis = np.cross(start, end)
    cosine = np.sum(start * end, axis=-1)[..., None, None]
    cross = np.zeros((*axis.shape[:-1], 3, 3))
    cross[..., 0, 1], cross[..., 1, 2] = -axis[..., 2], -axis[..., 0]
    cross[..., 0, 2] = axis[..., 1]
    cross = cross - np.swapaxes(cross, -1, -2)
    turn = np.eye(3) + cross + cross @ cross / np.maximum(1.0 + cosine, 1e-6)
    aside = np.cross(start, np.where(np.abs(start[..., :1]) < 0.7, _FORWARD, _LEFT))
    aside = aside / np.linalg.norm(aside, axis=-1, keepdims=True)
    half = 2.0 * aside[..., :, None] * aside[..., None, :] - np.eye(3)
    return np.asarray(np.where(cosine < -1.0 + 1e-6, half, turn))


def unit(vector: Float64Array) -> Float64Array:
    """Return a vector at length one (zero stays zero)."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12))


def bind_turns(rig: Rig) -> tuple[Float64Array, bool]:
    """Return the turns ``B`` ``(J, 3, 3)`` from joint frames to canonical axes at bind.

    Also returned is whether that pose is one of the file; a T pose made of straight chains does
    not know how collar bones are rolled.

    Raises:
        UnusableFile: the zero pose was said to be upright and is not, or cannot be made so.
    """
    axes, count = rig.names.axes, len(rig.motion.joints)
    zero = np.broadcast_to(axes, (count, 3, 3)).copy()
    if rig.names.bind == 'first_frame':
        return _facing_forward(rig, axes @ _world_of_frame(rig.motion, 0), 0.0), True
    if rig.names.bind == 'zero':
        return zero, True
    if rig.names.bind == 'auto':
        for frame in (axes, *_upright_frames()):
            turns = np.broadcast_to(frame, zero.shape).copy()
            if _stands(rig, turns):
                return _facing_forward(rig, turns, _MISFACING_RAD), True
    return _straight(rig), False


def _upright_frames() -> list[Float64Array]:
    """Return turns that bring each axis of the file up once.

    A body model may be built in other axes than those of the world it moves in.
    """
    frames = []
    for axis in range(3):
        for sign in (1.0, -1.0):
            up, ahead = sign * np.eye(3)[axis], np.eye(3)[(axis + 1) % 3]
            frames.append(np.stack([ahead, np.cross(up, ahead), up]))
    return frames


def bind_positions(rig: Rig, turns: Float64Array) -> Float64Array:
    """Return joint positions ``(J, 3)`` at bind, canonical axes, file units."""
    positions = np.zeros((len(rig.motion.joints), 3))
    for i, joint in enumerate(rig.motion.joints):
        if joint.parent >= 0:
            positions[i] = positions[joint.parent] + turns[joint.parent] @ joint.offset
    return positions


def _world_of_frame(motion: SkeletalMotion, frame: int) -> Float64Array:
    world = motion.rotations[frame].copy()
    for i, joint in enumerate(motion.joints):
        if joint.parent >= 0:
            world[i] = world[joint.parent] @ motion.rotations[frame, i]
    return np.asarray(world)


def _facing_forward(rig: Rig, turns: Float64Array, allowed_rad: float) -> Float64Array:
    """Return a bind pose turned about the vertical so that the left shoulder is on the left.

    Less than ``allowed_rad`` is how somebody is built, and stays.
    """
    positions = bind_positions(rig, turns)
    line = positions[rig.arms['left']['upper']] - positions[rig.arms['right']['upper']]
    angle = float(np.arctan2(-line[0], line[1]))
    if abs(angle) < allowed_rad:
        return turns
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]]) @ turns)


def _stands(rig: Rig, turns: Float64Array) -> bool:
    """Return whether a bind pose is an upright person in something between a T and an A pose."""
    positions = bind_positions(rig, turns)

    def direction(start: int, end: int) -> Float64Array:
        return unit(positions[end] - positions[start])

    upright = direction(rig.root, rig.segments['head']) @ _UP > np.cos(np.radians(30.0))
    shoulders = direction(rig.arms['right']['upper'], rig.arms['left']['upper'])
    if not upright or abs(shoulders @ _UP) > 0.35:
        return False
    upper, fore = {}, {}
    for side, arm in rig.arms.items():
        upper[side] = direction(arm['upper'], arm['fore'])
        fore[side] = direction(arm['fore'], arm['hand'])
    mirrored = upper['right'] - 2.0 * shoulders * (upper['right'] @ shoulders)
    return bool(upper['left'] @ mirrored > np.cos(np.radians(30.0))
                and all(upper[side] @ (_SIGN[side] * shoulders) > -0.2
                        and upper[side] @ _UP < 0.5
                        and upper[side] @ fore[side] > np.cos(np.radians(50.0))
                        for side in SIDES))


def _straight(rig: Rig) -> Float64Array:
    """Return a T pose built from chains whose joints agree at zero: trunk up, arms aside."""
    fixed = _straight_trunk(rig)
    chest = fixed[rig.segments['chest']]
    for side in SIDES:
        fixed |= _straight_arm(rig, side, chest)
    turns = np.empty((len(rig.motion.joints), 3, 3))
    for i, joint in enumerate(rig.motion.joints):
        # What the map does not name does not turn against its parent.
        turns[i] = fixed.get(i, turns[joint.parent] if joint.parent >= 0 else rig.names.axes)
    return turns


def _straight_trunk(rig: Rig) -> dict[int, Float64Array]:
    """Return the one turn of all trunk joints: head above hips, left side left."""
    root, chest, head = rig.root, rig.segments['chest'], rig.segments['head']
    trunk = [root, *rig.path(root, head)]
    if chest not in trunk:
        raise UnusableFile('the head does not hang on the chest')
    for joint, pair in ((chest, _clavicles(rig)), (root, [rig.legs[s] for s in rig.legs])):
        if len(pair) == 2 and (line := rig.bone(joint, pair[0]) - rig.bone(joint, pair[1])).any():
            return dict.fromkeys(trunk, _upright(unit(rig.bone(root, head)), line))
    raise UnusableFile('left and right cannot be told apart: the map names neither collar bones '
                       'nor legs that stand apart')


def _clavicles(rig: Rig) -> list[int]:
    keys = [f'{side}_clavicle' for side in SIDES]
    return [rig.segments[key] for key in keys] if keys[0] in rig.segments else []


def _upright(up: Float64Array, left: Float64Array) -> Float64Array:
    """Return the turn that brings a joint's own up and left direction to z and y."""
    left = unit(left - up * (up @ left))
    return np.stack([np.cross(left, up), left, up])


def _straight_arm(rig: Rig, side: str, chest: Float64Array) -> dict[int, Float64Array]:
    """Return the one turn of all joints of an arm: fingers to the side, palm down."""
    arm, aside = rig.arms[side], _SIGN[side] * _LEFT
    along, across = rig.along(side, arm['hand']), rig.across(side, arm['hand'])
    if along is not None and across is not None:
        turn = limb_frame(aside, _FORWARD) @ limb_frame(unit(along), across).T
    else:
        turn = shortest_turn(chest @ unit(rig.bone(arm['fore'], arm['hand'])), aside) @ chest
    clavicle = rig.segments.get(f'{side}_clavicle', arm['upper'])
    return dict.fromkeys((clavicle, *arm.values()), turn)
