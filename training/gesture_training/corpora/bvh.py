"""Reader of BVH motion files: any hierarchy, any channel order, any frame rate.

A BVH file ("Biovision hierarchy") lists joints with an offset from their parent and, per frame,
the values of their channels. Rotation channels are Euler angles in degrees, applied in the order
in which they are listed: ``Zrotation Xrotation Yrotation`` means ``R = Rz @ Rx @ Ry``. All-zero
angles are the file's own zero pose, which need not be one a person could stand in. Units and axes
are those of the file; nothing is converted here (see ``skeleton_map.py``).

Some exporters write position channels for every joint, and leave the offsets at zero: the median
of the channel is then the offset, since bones do not grow.
"""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import re
import warnings

import numpy as np
from numpy.typing import NDArray

from gesture_node.types import Float64Array

from .problems import UnusableFile
from .skeletal import Joint, SkeletalMotion

_AXES = {'X': 0, 'Y': 1, 'Z': 2}
_MOTION_HEADER = re.compile(r'\s*Frames:\s*(\d+)\s+Frame Time:\s*([-+.\deE]+)')
_CHANNELS = frozenset(f'{axis}{kind}' for axis in 'xyz' for kind in ('position', 'rotation'))


class BvhError(UnusableFile):
    """A BVH file is truncated or does not follow the format."""


def read_bvh(path: Path, lowest_fps: float | None = None) -> SkeletalMotion:
    """Read a BVH file.

    Args:
        path: the file.
        lowest_fps: leave out frames evenly as long as at least so many remain a second; None
            reads them all.

    Raises:
        BvhError: the file does not follow the format, or its frames are short of numbers.
    """
    try:
        text = path.read_text(encoding='utf-8', errors='replace')
    except OSError as error:
        raise BvhError(f'{path}: cannot be read ({error.strerror})') from None
    return parse_bvh(text, str(path), lowest_fps)


def parse_bvh(text: str, name: str = 'BVH text',
              lowest_fps: float | None = None) -> SkeletalMotion:
    """Parse the text of a BVH file; ``name`` is used in errors, the rest as in ``read_bvh``.

    Raises:
        BvhError: the text does not follow the format, or its frames are short of numbers.
    """
    head, found, tail = text.partition('MOTION')
    if not found:
        raise BvhError(f'{name}: there is no MOTION section')
    joints = _hierarchy(head.split(), name)
    header = _MOTION_HEADER.match(tail)
    if header is None:
        raise BvhError(f'{name}: cannot read the MOTION section (no "Frames:" and "Frame Time:")')
    frames, frame_s = int(header[1]), float(header[2])
    values = _numbers(tail[header.end():], name)
    width = sum(len(joint.channels) for joint in joints)
    if width == 0 or frames < 1 or values.size != frames * width or not frame_s > 0.0:
        raise BvhError(f'{name}: expected {frames} frames of {width} numbers, '
                       f'found {values.size} numbers at frame time {frame_s}')
    if not np.isfinite(values).all():
        raise BvhError(f'{name}: frames hold numbers that are not finite')
    step = 1 if lowest_fps is None else max(1, int(1.0 / (frame_s * lowest_fps) + 1e-3))
    rotations, positions, offsets = _channels(joints, values.reshape(frames, width)[::step])
    return SkeletalMotion(
        tuple(replace(joint, offset=offset) for joint, offset in zip(joints, offsets)),
        rotations, positions, 1.0 / (frame_s * step))


def _numbers(text: str, name: str) -> NDArray[np.float64]:
    """Return all numbers of a text, separated by white space."""
    with warnings.catch_warnings():
        warnings.simplefilter('error', DeprecationWarning)
        try:
            return np.fromstring(text, dtype=np.float64, sep=' ')
        except (DeprecationWarning, ValueError):
            raise BvhError(f'{name}: the frames hold something that is not a number') from None


def _hierarchy(tokens: list[str], name: str) -> list[Joint]:
    """Read joints from the tokens of the HIERARCHY section."""
    joints: list[Joint] = []
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
                if len(offset) < 3 or not np.isfinite(offset).all():
                    raise ValueError(f'bad offset of {label}')
                joints.append(Joint(label, stack[-2] if len(stack) > 1 else -1, offset))
                stack[-1], at = len(joints) - 1, at + 4
            elif token == 'CHANNELS':
                count = int(tokens[at + 1])
                last = joints[-1]
                channels = tuple(tokens[at + 2:at + 2 + count])
                unknown = [c for c in channels if c.lower() not in _CHANNELS]
                if unknown:
                    raise ValueError(f'unknown channel {unknown[0]!r}')
                joints[-1] = replace(last, channels=channels)
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


def _channels(joints: list[Joint], values: NDArray[np.float64]
              ) -> tuple[Float64Array, Float64Array, list[Float64Array]]:
    """Return local rotations, root positions and offsets of channel values ``(T, C)``."""
    frames = len(values)
    rotations = np.tile(np.eye(3), (frames, len(joints), 1, 1))
    positions = np.zeros((frames, 3))
    offsets = [joint.offset.copy() for joint in joints]
    column = 0
    for i, joint in enumerate(joints):
        moved = joint.parent >= 0 and not joint.offset.any()
        for channel in joint.channels:
            axis = _AXES[channel[0].upper()]
            if channel[1:].lower() == 'rotation':
                turn = _axis_rotation(axis, np.radians(values[:, column]))
                rotations[:, i] = rotations[:, i] @ turn
            elif joint.parent < 0:
                positions[:, axis] = values[:, column]
            elif moved:
                offsets[i][axis] = np.median(values[:, column])
            column += 1
    return rotations, positions, offsets


def _axis_rotation(axis: int, angle_rad: Float64Array) -> Float64Array:
    """Return rotations ``(T, 3, 3)`` about a coordinate axis."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    matrix = np.zeros((len(angle_rad), 3, 3))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    matrix[:, axis, axis] = 1.0
    matrix[:, one, one] = matrix[:, two, two] = cos
    matrix[:, two, one], matrix[:, one, two] = sin, -sin
    return matrix
