"""Motion as files: CSV tables of joints and blendshapes, and BVH of the canonical skeleton.

BVH is written in the convention of most viewers: y up, z forward, x to the character's left,
centimetres, rotations about Z, X, Y in that order. The pelvis stays at the origin. Offsets are
those of the rest pose of ``motion/skeleton.py``, arms hanging; fingers have no bones there.
"""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ..motion.skeleton import HAND_TIP_M, HEAD_TOP_M, JOINT_NAMES, OFFSETS_M, PARENTS, unpack_pose
from ..types import Float64Array

_CM_PER_M = 100.0
_ROOT = 'pelvis'
_ENDS = {'head': HEAD_TOP_M, 'left_wrist': HAND_TIP_M, 'right_wrist': HAND_TIP_M}
_TO_BVH = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
"""BVH axes (left, up, forward) from ours (forward, left, up)."""


def write_table(path: Path, names: Sequence[str], values: NDArray[np.floating],
                rate_hz: int) -> None:
    """Write a CSV file: ``time`` [s], then one column per name.

    Args:
        path: file to write.
        names: N column names.
        values: shape (K, N); row k is at ``k / rate_hz``.
        rate_hz: rows per second.
    """
    times = np.arange(len(values)) / rate_hz
    np.savetxt(path, np.column_stack([times, values]), delimiter=',', comments='',
               header=','.join(['time', *names]), fmt=['%.3f'] + ['%.6f'] * len(names))


def write_bvh(path: Path, poses: NDArray[np.floating], rate_hz: int) -> None:
    """Write canonical motion as BVH.

    Args:
        path: file to write.
        poses: shape (P, 84), pose vectors.
        rate_hz: poses per second.
    """
    rows = np.concatenate([np.zeros((len(poses), 6)), _euler_deg(poses)], axis=1)
    with path.open('w', encoding='ascii') as file:
        file.write('HIERARCHY\n' + '\n'.join(_hierarchy()) + '\nMOTION\n')
        file.write(f'Frames: {len(rows)}\nFrame Time: {1.0 / rate_hz:.6f}\n')
        np.savetxt(file, rows, fmt='%.4f')


def _euler_deg(poses: NDArray[np.floating]) -> Float64Array:
    """Return shape (P, 3 x joints): Z, X, Y angles [deg] in the order of the hierarchy."""
    rotations, _ = unpack_pose(np.asarray(poses, np.float64))
    turned = _TO_BVH @ rotations @ _TO_BVH.T
    flat = Rotation.from_matrix(turned.reshape(-1, 3, 3)).as_euler('ZXY', degrees=True)
    angles = flat.reshape(len(poses), len(JOINT_NAMES), 3)
    return np.asarray(angles[:, _depth_first(-1)].reshape(len(poses), -1))


def _children(joint: int) -> list[int]:
    return [child for child, parent in enumerate(PARENTS) if parent == joint]


def _depth_first(joint: int) -> list[int]:
    """Return the joints below a joint, parents before children, as BVH lists them."""
    return [index for child in _children(joint) for index in (child, *_depth_first(child))]


def _offset(offset_m: Float64Array) -> str:
    return 'OFFSET ' + ' '.join(f'{value:.4f}' for value in _CM_PER_M * _TO_BVH @ offset_m)


def _hierarchy() -> list[str]:
    lines = [f'ROOT {_ROOT}', '{', '  ' + _offset(np.zeros(3)),
             '  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation']
    for child in _children(-1):
        lines += _joint_lines(child, '  ')
    return [*lines, '}']


def _joint_lines(joint: int, indent: str) -> list[str]:
    name, inner = JOINT_NAMES[joint], indent + '  '
    lines = [f'{indent}JOINT {name}', f'{indent}{{', inner + _offset(OFFSETS_M[joint]),
             f'{inner}CHANNELS 3 Zrotation Xrotation Yrotation']
    for child in _children(joint):
        lines += _joint_lines(child, inner)
    if name in _ENDS:
        lines += [f'{inner}End Site', f'{inner}{{', f'{inner}  {_offset(_ENDS[name])}',
                  f'{inner}}}']
    return [*lines, f'{indent}}}']
