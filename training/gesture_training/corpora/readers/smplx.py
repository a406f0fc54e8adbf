"""Reader of SMPL-X parameter files (BEAT2, AMASS): rotations only, no body model needed.

An npz holds ``poses`` (T, 165), axis-angle of 55 joints in the order of ``JOINTS`` [rad], and
``mocap_frame_rate`` (BEAT2) or ``mocap_framerate`` (AMASS) [Hz]; ``betas``, ``trans`` and
``expressions`` are left alone: the pelvis is fixed, and directions do not depend on the build.
Names, order and parents of the joints are those of the SMPL-X model (Pavlakos et al., "Expressive
Body Capture", CVPR 2019). All-zero rotation is a T pose: y up, z forward, left arm along +x, palms
down. Where the joints lie in it is only needed as directions; ``_OFFSETS_M`` is a person of
average build, rounded to centimetres.

Poses of the hands are often relative to the mean of the hand model, a relaxed hand, and not to a
flat one. That mean is part of the model file; here it is a relaxed hand of our own making.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any
import zipfile

import numpy as np

from gesture_node.motion.rotations import matrix_from_rotvec
from gesture_node.types import Float64Array

from ..problems import UnusableFile
from ..skeletal import Joint, SkeletalMotion

_FINGER_ORDER = ('index', 'middle', 'pinky', 'ring', 'thumb')
_BODY = (
    ('pelvis', ''), ('left_hip', 'pelvis'), ('right_hip', 'pelvis'), ('spine1', 'pelvis'),
    ('left_knee', 'left_hip'), ('right_knee', 'right_hip'), ('spine2', 'spine1'),
    ('left_ankle', 'left_knee'), ('right_ankle', 'right_knee'), ('spine3', 'spine2'),
    ('left_foot', 'left_ankle'), ('right_foot', 'right_ankle'), ('neck', 'spine3'),
    ('left_collar', 'spine3'), ('right_collar', 'spine3'), ('head', 'neck'),
    ('left_shoulder', 'left_collar'), ('right_shoulder', 'right_collar'),
    ('left_elbow', 'left_shoulder'), ('right_elbow', 'right_shoulder'),
    ('left_wrist', 'left_elbow'), ('right_wrist', 'right_elbow'),
    ('jaw', 'head'), ('left_eye', 'head'), ('right_eye', 'head'))
_HAND = tuple((f'{finger}{k}', f'{finger}{k - 1}' if k > 1 else 'wrist')
              for finger in _FINGER_ORDER for k in (1, 2, 3))
JOINTS: tuple[tuple[str, str], ...] = _BODY + tuple(
    (f'{side}_{name}', f'{side}_{parent}') for side in ('left', 'right') for name, parent in _HAND)
"""Name and parent of the 55 joints, in the order of ``poses``."""
BODY_JOINTS = 22

# Left side and middle, in the parent's frame: x to the left, y up, z forward.
_OFFSETS_M: dict[str, tuple[float, float, float]] = {
    'left_hip': (0.06, -0.09, 0.0), 'spine1': (0.0, 0.11, -0.02), 'left_knee': (0.05, -0.38, 0.0),
    'spine2': (0.0, 0.13, -0.01), 'left_ankle': (-0.04, -0.40, -0.02), 'spine3': (0.0, 0.06, 0.02),
    'left_foot': (0.04, -0.06, 0.12), 'neck': (0.0, 0.17, -0.02),
    'left_collar': (0.05, 0.08, -0.01), 'head': (0.0, 0.16, 0.02),
    'left_shoulder': (0.11, 0.04, -0.01),
    'left_elbow': (0.25, 0.0, 0.0), 'left_wrist': (0.25, 0.0, 0.0), 'jaw': (0.0, 0.0, 0.02),
    'left_eye': (0.03, 0.06, 0.07),
    'left_index1': (0.10, 0.0, 0.02), 'left_index2': (0.03, 0.0, 0.0),
    'left_index3': (0.02, 0.0, 0.0), 'left_middle1': (0.11, 0.0, 0.0),
    'left_middle2': (0.03, 0.0, 0.0), 'left_middle3': (0.02, 0.0, 0.0),
    'left_pinky1': (0.09, 0.0, -0.05), 'left_pinky2': (0.02, 0.0, 0.0),
    'left_pinky3': (0.01, 0.0, 0.0), 'left_ring1': (0.10, 0.0, -0.03),
    'left_ring2': (0.03, 0.0, 0.0), 'left_ring3': (0.02, 0.0, 0.0),
    'left_thumb1': (0.04, -0.01, 0.03), 'left_thumb2': (0.03, -0.01, 0.03),
    'left_thumb3': (0.02, 0.0, 0.02)}
_TIPS_M = {finger: (0.02, 0.0, 0.0) for finger in _FINGER_ORDER} | {'thumb': (0.02, 0.0, 0.02)}
HANDS = ('relaxed', 'flat')
_RELAXED_BEND_RAD = {'index': 0.45, 'middle': 0.5, 'pinky': 0.45, 'ring': 0.5, 'thumb': 0.15}
"""Flexion of every joint of a relaxed hand, within the spread of resting hands."""


def _skeleton() -> tuple[Joint, ...]:
    joints: list[Joint] = []
    index: dict[str, int] = {}
    for name, parent in JOINTS:
        right = name.startswith('right_')
        offset = np.array(_OFFSETS_M.get(name.replace('right_', 'left_'), (0.0, 0.0, 0.0)))
        index[name] = len(joints)
        joints.append(Joint(name, index.get(parent, -1),
                            offset * (-1.0 if right else 1.0, 1.0, 1.0)))
    for side, sign in (('left', 1.0), ('right', -1.0)):
        for finger in _FINGER_ORDER:
            last = f'{side}_{finger}3'
            joints.append(Joint(f'{last}_end', index[last],
                                np.array(_TIPS_M[finger]) * (sign, 1.0, 1.0)))
    return tuple(joints)


def read_smplx(path: Path, hands: str = 'relaxed') -> SkeletalMotion:
    """Read an SMPL-X npz.

    Args:
        path: the file.
        hands: what all-zero hand joints mean, ``relaxed`` (the mean of the hand model: BEAT2) or
            ``flat``.

    Raises:
        UnusableFile: the file is not an npz of numbers, or ``poses`` or the rate are missing or
            out of range.
    """
    if hands not in HANDS:
        raise UnusableFile(f'hands must be one of {", ".join(HANDS)}, got {hands!r}')
    poses, fps = _arrays(path)
    count = min(poses.shape[1] // 3, len(JOINTS))
    joints = _skeleton()
    rotations = np.tile(np.eye(3), (len(poses), len(joints), 1, 1))
    rotations[:, :count] = matrix_from_rotvec(poses[:, :3 * count].reshape(len(poses), count, 3))
    if hands == 'relaxed':
        for i, (name, _) in enumerate(JOINTS):
            side, _, finger = name.partition('_')
            if finger[:-1] in _RELAXED_BEND_RAD:
                rotations[:, i] = rotations[:, i] @ _bend(side, finger[:-1])
    return SkeletalMotion(joints, rotations, np.zeros((len(poses), 3)), fps)


def _bend(side: str, finger: str) -> Float64Array:
    """Return the flexion of one relaxed joint: fingers about the axis across the palm."""
    axis = np.array([0.0, 0.0, -1.0]) if finger != 'thumb' else np.array([0.0, 1.0, 0.0])
    sign = 1.0 if side == 'left' else -1.0
    return np.asarray(matrix_from_rotvec(axis * sign * _RELAXED_BEND_RAD[finger]))


def _arrays(path: Path) -> tuple[Float64Array, float]:
    """Return ``poses`` and the frame rate, checked."""
    try:
        with np.load(path, allow_pickle=False) as loaded:
            data: dict[str, Any] = {key: loaded[key] for key in
                                    ('poses', 'mocap_frame_rate', 'mocap_framerate')
                                    if key in loaded.files}
    except (OSError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise UnusableFile(f'{path}: cannot be read as npz of numbers ({error})') from None
    if 'poses' not in data or len(data) < 2:
        raise UnusableFile(f'{path}: there is no poses or no mocap_frame_rate in it')
    poses = np.asarray(data.pop('poses'), dtype=np.float64)
    fps = float(np.asarray(next(iter(data.values()))).reshape(-1)[0])
    if poses.ndim != 2 or not len(poses) or poses.shape[1] < 3 * BODY_JOINTS:
        raise UnusableFile(f'{path}: poses must have shape (T, 165), or at least '
                           f'{3 * BODY_JOINTS} columns, got {poses.shape}')
    if not np.isfinite(poses).all():
        raise UnusableFile(f'{path}: poses hold numbers that are not finite')
    if not 1.0 <= fps <= 1000.0:
        raise UnusableFile(f'{path}: mocap_frame_rate must lie in [1, 1000] Hz, got {fps}')
    return poses, fps
