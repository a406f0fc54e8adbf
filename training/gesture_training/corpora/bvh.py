"""Reader of BVH motion files: any hierarchy, any channel order.

A BVH file ("Biovision hierarchy") lists joints with an offset from their parent and, per frame,
the values of their channels. Rotation channels are Euler angles in degrees, applied in the order
in which they are listed: ``Zrotation Xrotation Yrotation`` means ``R = Rz @ Rx @ Ry``. All-zero
angles are the file's own bind pose. Units and axes are those of the file; nothing is converted
here (see ``skeleton_map.py``).
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gesture_node.exceptions import GestureError
from gesture_node.types import Float64Array

_AXES = {'X': 0, 'Y': 1, 'Z': 2}


class BvhError(GestureError):
    """A BVH file is truncated or does not follow the format."""


@dataclass(frozen=True, slots=True)
class BvhJoint:
    """One joint, or the end site of a chain.

    Attributes:
        name: joint name; an end site is ``<parent>_end``.
        parent: index of the parent joint, -1 for the root.
        offset: shape (3,), position in the parent's frame at all-zero rotation, file units.
        channels: channel names in file order; empty for an end site.
    """

    name: str
    parent: int
    offset: Float64Array
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BvhMotion:
    """A parsed file.

    Attributes:
        joints: J joints and end sites, parents before children.
        rotations: shape (T, J, 3, 3), local rotations; identity for end sites.
        root_positions: shape (T, 3), position channels of the root (zero where absent).
        fps: frames per second.
    """

    joints: tuple[BvhJoint, ...]
    rotations: Float64Array
    root_positions: Float64Array
    fps: float

    def index(self, name: str) -> int:
        """Return the index of a joint.

        Raises:
            BvhError: there is no joint of that name.
        """
        for i, joint in enumerate(self.joints):
            if joint.name == name:
                return i
        raise BvhError(f'no joint {name!r}; joints are: {", ".join(j.name for j in self.joints)}')

    def world_rotations(self) -> Float64Array:
        """Return orientations ``(T, J, 3, 3)`` in the axes of the file."""
        world: Float64Array = self.rotations.copy()
        for i, joint in enumerate(self.joints):
            if joint.parent >= 0:
                world[:, i] = world[:, joint.parent] @ self.rotations[:, i]
        return world

    def world_positions(self) -> Float64Array:
        """Return joint positions ``(T, J, 3)`` in the axes and units of the file."""
        world = self.world_rotations()
        positions = np.empty((*world.shape[:2], 3))
        for i, joint in enumerate(self.joints):
            if joint.parent < 0:
                positions[:, i] = joint.offset + self.root_positions
            else:
                parent = joint.parent
                positions[:, i] = positions[:, parent] + world[:, parent] @ joint.offset
        return positions


def read_bvh(path: Path) -> BvhMotion:
    """Read a BVH file.

    Raises:
        BvhError: the file does not follow the format, or its frames are short of numbers.
    """
    return parse_bvh(path.read_text(encoding='utf-8'), str(path))


def parse_bvh(text: str, name: str = 'BVH text') -> BvhMotion:
    """Parse the text of a BVH file; ``name`` is used in errors.

    Raises:
        BvhError: the text does not follow the format, or its frames are short of numbers.
    """
    head, found, tail = text.partition('MOTION')
    if not found:
        raise BvhError(f'{name}: there is no MOTION section')
    joints = _hierarchy(head.split(), name)
    tokens = tail.split()
    try:
        frames = int(tokens[tokens.index('Frames:') + 1])
        time_at = tokens.index('Time:') + 1
        frame_s = float(tokens[time_at])
        values = np.array(tokens[time_at + 1:], dtype=np.float64)
    except (ValueError, IndexError) as error:
        raise BvhError(f'{name}: cannot read the MOTION section ({error})') from None
    width = sum(len(joint.channels) for joint in joints)
    if width == 0 or values.size != frames * width or frame_s <= 0.0:
        raise BvhError(f'{name}: expected {frames} frames of {width} numbers, '
                       f'found {values.size} numbers at frame time {frame_s}')
    rotations, positions = _channels(joints, values.reshape(frames, width))
    return BvhMotion(tuple(joints), rotations, positions, 1.0 / frame_s)


def _hierarchy(tokens: list[str], name: str) -> list[BvhJoint]:
    """Read joints from the tokens of the HIERARCHY section."""
    joints: list[BvhJoint] = []
    stack: list[int] = []
    label, at = '', 0
    try:
        while at < len(tokens):
            token = tokens[at]
            if token in ('ROOT', 'JOINT'):
                label, at = tokens[at + 1], at + 2
            elif token == 'End':
                label, at = f'{joints[stack[-1]].name}_end', at + 2
            elif token == 'OFFSET':
                offset = np.array(tokens[at + 1:at + 4], dtype=np.float64)
                joints.append(BvhJoint(label, stack[-2] if len(stack) > 1 else -1, offset, ()))
                stack[-1], at = len(joints) - 1, at + 4
            elif token == 'CHANNELS':
                count = int(tokens[at + 1])
                last = joints[-1]
                joints[-1] = BvhJoint(last.name, last.parent, last.offset,
                                      tuple(tokens[at + 2:at + 2 + count]))
                at += 2 + count
            else:
                if token == '{':
                    stack.append(-1)
                elif token == '}':
                    stack.pop()
                elif token != 'HIERARCHY':
                    raise ValueError(f'unexpected {token!r}')
                at += 1
    except (ValueError, IndexError) as error:
        raise BvhError(f'{name}: cannot read the HIERARCHY section ({error})') from None
    if stack or not joints:
        raise BvhError(f'{name}: the HIERARCHY section ends too early')
    return joints


def _channels(joints: list[BvhJoint],
              values: NDArray[np.float64]) -> tuple[Float64Array, Float64Array]:
    """Return local rotations and root positions of channel values ``(T, C)``."""
    frames = len(values)
    rotations = np.tile(np.eye(3), (frames, len(joints), 1, 1))
    positions = np.zeros((frames, 3))
    column = 0
    for i, joint in enumerate(joints):
        for channel in joint.channels:
            axis = _AXES[channel[0].upper()]
            if channel[1:].lower() == 'rotation':
                turn = _axis_rotation(axis, np.radians(values[:, column]))
                rotations[:, i] = rotations[:, i] @ turn
            elif joint.parent < 0:
                positions[:, axis] = values[:, column]
            column += 1
    return rotations, positions


def _axis_rotation(axis: int, angle_rad: Float64Array) -> Float64Array:
    """Return rotations ``(T, 3, 3)`` about a coordinate axis."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    matrix = np.zeros((len(angle_rad), 3, 3))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    matrix[:, axis, axis] = 1.0
    matrix[:, one, one] = matrix[:, two, two] = cos
    matrix[:, two, one], matrix[:, one, two] = sin, -sin
    return matrix
