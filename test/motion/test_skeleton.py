"""The canonical skeleton: names, rest pose, pose vectors, forward kinematics, mirroring."""
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np

from gesture_node.motion.rotations import matrix_from_rotvec
from gesture_node.motion.skeleton import (
    FINGER_DIRECTION,
    FINGER_NAMES,
    forward_kinematics,
    HAND_TIP_M,
    JOINT_INDEX,
    JOINT_NAMES,
    mirror_pose,
    OFFSETS_M,
    pack_pose,
    PALM_NORMAL,
    PARENTS,
    POSE_DIM,
    project_pose,
    rest_pose,
    unpack_pose,
)

_SEEDS = st.integers(0, 2**31 - 1)


def _random_pose(seed: int, count: int = 4) -> np.ndarray:
    random = np.random.default_rng(seed)
    rotations = matrix_from_rotvec(random.normal(0.0, 0.8, (count, len(JOINT_NAMES), 3)))
    return pack_pose(rotations, random.uniform(0.0, 1.0, (count, len(FINGER_NAMES))))


def _positions(pose: np.ndarray) -> np.ndarray:
    return forward_kinematics(unpack_pose(pose)[0])[0]


def test_dimensions_and_parents():
    assert POSE_DIM == 84
    assert len(JOINT_NAMES) == len(PARENTS) == len(OFFSETS_M) == 12
    assert all(parent < joint for joint, parent in enumerate(PARENTS))
    assert len(FINGER_NAMES) == 12


def test_rest_pose_hangs_straight_and_symmetric():
    positions, frames = forward_kinematics(unpack_pose(rest_pose())[0])
    assert np.allclose(frames, np.eye(3))
    for side in ('left', 'right'):
        shoulder, elbow, wrist = (positions[JOINT_INDEX[f'{side}_{joint}']]
                                  for joint in ('shoulder', 'elbow', 'wrist'))
        assert np.allclose(shoulder[:2], elbow[:2]) and np.allclose(elbow[:2], wrist[:2])
        assert shoulder[2] > elbow[2] > wrist[2]
        assert PALM_NORMAL[side][1] * shoulder[1] < 0.0
    assert HAND_TIP_M @ FINGER_DIRECTION > 0.0
    assert np.allclose(mirror_pose(rest_pose()), rest_pose())


@settings(max_examples=20)
@given(_SEEDS)
def test_segments_keep_their_length(seed):
    positions = _positions(_random_pose(seed))
    for joint, parent in enumerate(PARENTS):
        start = positions[:, parent] if parent >= 0 else np.zeros(3)
        length = np.linalg.norm(positions[:, joint] - start, axis=-1)
        assert np.allclose(length, np.linalg.norm(OFFSETS_M[joint]))


@settings(max_examples=20)
@given(_SEEDS)
def test_pack_and_unpack_are_inverse(seed):
    pose = _random_pose(seed)
    rotations, fingers = unpack_pose(pose)
    assert np.allclose(pack_pose(rotations, fingers), pose, atol=1e-12)


@settings(max_examples=30)
@given(_SEEDS)
def test_projection_is_valid_and_idempotent(seed):
    wild = np.random.default_rng(seed).normal(0.0, 3.0, (3, POSE_DIM))
    once = project_pose(wild)
    rotations, fingers = unpack_pose(once)
    assert np.allclose(np.swapaxes(rotations, -1, -2) @ rotations, np.eye(3), atol=1e-9)
    assert fingers.min() >= 0.0 and fingers.max() <= 1.0
    assert np.allclose(project_pose(once), once, atol=1e-9)


@settings(max_examples=20)
@given(_SEEDS)
def test_mirror_twice_is_identity(seed):
    pose = _random_pose(seed)
    assert np.allclose(mirror_pose(mirror_pose(pose)), pose, atol=1e-12)


@settings(max_examples=20)
@given(_SEEDS)
def test_mirror_reflects_every_joint_of_the_other_side(seed):
    pose = _random_pose(seed)
    positions, mirrored = _positions(pose), _positions(mirror_pose(pose))
    for name, index in JOINT_INDEX.items():
        swap = name.replace('left', 'x').replace('right', 'left').replace('x', 'right')
        assert np.allclose(mirrored[:, JOINT_INDEX[swap]], positions[:, index] * [1.0, -1.0, 1.0],
                           atol=1e-12)


def test_mirror_swaps_fingers():
    pose = rest_pose()
    pose[-12:] = np.arange(12) / 12.0
    assert np.allclose(mirror_pose(pose)[-12:], np.roll(np.arange(12) / 12.0, 6))


def test_elbow_flexion_about_minus_y_brings_the_hand_forward():
    rotations, fingers = unpack_pose(rest_pose())
    rotations[JOINT_INDEX['left_elbow']] = matrix_from_rotvec(np.array([0.0, -np.pi / 2, 0.0]))
    positions = _positions(pack_pose(rotations, fingers))
    forearm = positions[JOINT_INDEX['left_wrist']] - positions[JOINT_INDEX['left_elbow']]
    assert np.allclose(forearm / np.linalg.norm(forearm), [1.0, 0.0, 0.0], atol=1e-9)
