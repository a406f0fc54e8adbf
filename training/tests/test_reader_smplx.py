"""SMPL-X parameters without a body model: rotations become canonical directions."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from gesture_training.corpora.problems import UnusableFile
from gesture_training.corpora.readers.smplx import JOINTS, read_smplx
from gesture_training.corpora.skeleton_map import canonical_poses
from gesture_training.corpora.skeleton_names import load_map
import numpy as np
import pytest

from gesture_node.motion.rotations import matrix_from_rotvec, rotvec_from_matrix
from gesture_node.motion.skeleton import (
    FINGER_NAMES,
    forward_kinematics,
    JOINT_INDEX,
    PALM_NORMAL,
    unpack_pose,
)

INDEX = {name: i for i, (name, _) in enumerate(JOINTS)}


def write(path: Path, turns: dict[str, list[float]], frames: int = 2, **changes: Any) -> Path:
    """Write an npz whose joints are turned by rotation vectors in degrees, file axes."""
    poses = np.zeros((frames, 165), np.float32)
    for name, turn in turns.items():
        poses[:, 3 * INDEX[name]:3 * INDEX[name] + 3] = np.radians(turn)
    content = {'poses': poses, 'betas': np.zeros(300), 'trans': np.zeros((frames, 3)),
               'expressions': np.zeros((frames, 100)), 'mocap_frame_rate': np.array(30.0),
               'gender': np.array('neutral')} | changes
    np.savez(path, **{key: value for key, value in content.items() if value is not None})
    return path


def directions(path: Path, skeleton: str = 'smplx',
               hands: str = 'flat') -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    poses = canonical_poses(read_smplx(path, hands), load_map(skeleton))
    rotations, fingers = unpack_pose(poses[0])
    positions, world = forward_kinematics(rotations)
    return positions, world, dict(zip(FINGER_NAMES, fingers))


def test_the_tree_is_that_of_the_model() -> None:
    names = [name for name, _ in JOINTS]
    assert len(names) == 55
    assert names[20:25] == ['left_wrist', 'right_wrist', 'jaw', 'left_eye', 'right_eye']
    assert names[25:40] == [f'left_{f}{k}' for f in ('index', 'middle', 'pinky', 'ring', 'thumb')
                            for k in (1, 2, 3)]
    assert all(parent == '' or names.index(parent) < i for i, (_, parent) in enumerate(JOINTS))


def test_zero_is_a_t_pose_with_palms_down(tmp_path: Path) -> None:
    positions, world, fingers = directions(write(tmp_path / 'a.npz', {}))
    for side, sign in (('left', 1.0), ('right', -1.0)):
        arm = positions[JOINT_INDEX[f'{side}_wrist']] - positions[JOINT_INDEX[f'{side}_shoulder']]
        np.testing.assert_allclose(arm / np.linalg.norm(arm), [0, sign, 0], atol=1e-6)
        wrist = world[JOINT_INDEX[f'{side}_wrist']]
        np.testing.assert_allclose(wrist @ PALM_NORMAL[side], [0, 0, -1], atol=1e-6)
    np.testing.assert_allclose(world[JOINT_INDEX['head']], np.eye(3), atol=1e-6)
    assert max(v for name, v in fingers.items() if 'thumb' not in name) < 1e-6


def test_arms_are_lowered_and_elbows_bent_in_body_axes(tmp_path: Path) -> None:
    turns = {'left_shoulder': [0.0, 0.0, -90.0], 'right_shoulder': [0.0, 0.0, 90.0],
             'left_elbow': [0.0, -90.0, 0.0], 'head': [30.0, 0.0, 0.0]}
    positions, world, _ = directions(write(tmp_path / 'a.npz', turns))
    np.testing.assert_allclose(world[JOINT_INDEX['right_wrist']], np.eye(3), atol=1e-6)
    fore = positions[JOINT_INDEX['left_wrist']] - positions[JOINT_INDEX['left_elbow']]
    np.testing.assert_allclose(fore / np.linalg.norm(fore), [1, 0, 0], atol=1e-6)
    # About the file's x axis (to the left) by +30 degrees: the face turns down.
    np.testing.assert_allclose(world[JOINT_INDEX['head']] @ [1, 0, 0],
                               [np.cos(np.pi / 6), 0, -0.5], atol=1e-6)


def test_a_world_with_z_up_gives_the_same_person(tmp_path: Path) -> None:
    turns = {'left_shoulder': [10.0, -20.0, -60.0], 'spine3': [0.0, 15.0, 0.0],
             'right_elbow': [0.0, 70.0, 0.0], 'left_wrist': [0.0, 0.0, 20.0]}
    upright = directions(write(tmp_path / 'a.npz', turns))
    standing = matrix_from_rotvec(np.array([0.0, 0.0, 1.0])) @ matrix_from_rotvec(
        np.array([np.pi / 2, 0.0, 0.0]))
    lifted = {'pelvis': list(np.degrees(rotvec_from_matrix(standing)))}
    other = directions(write(tmp_path / 'b.npz', turns | lifted), 'smplx_z_up')
    np.testing.assert_allclose(other[0], upright[0], atol=1e-5)
    np.testing.assert_allclose(other[1], upright[1], atol=1e-5)
    with pytest.raises(UnusableFile, match='head is not above the hips'):
        directions(tmp_path / 'b.npz', 'smplx')


def test_fingers_bend_towards_the_palm_and_rest_half_open(tmp_path: Path) -> None:
    turns = {f'{side}_{finger}{k}': [0.0, 0.0, -60.0 if side == 'left' else 60.0]
             for side in ('left', 'right') for finger in ('index', 'ring') for k in (1, 2, 3)}
    fingers = directions(write(tmp_path / 'a.npz', turns))[2]
    for side in ('left', 'right'):
        assert fingers[f'{side}_index'] == pytest.approx(0.75, abs=1e-5)
        assert fingers[f'{side}_little'] == pytest.approx(0.0, abs=1e-5)
    relaxed = directions(write(tmp_path / 'b.npz', {}), hands='relaxed')[2]
    assert all(0.15 < value < 0.6 for name, value in relaxed.items() if 'thumb' not in name)
    assert all(relaxed[f'left_{f}'] == pytest.approx(relaxed[f'right_{f}'], abs=1e-6)
               for f in ('thumb', 'index', 'middle', 'ring', 'little', 'thumb_opposition'))


def test_body_only_files_keep_flat_hands(tmp_path: Path) -> None:
    short = np.zeros((3, 66))
    path = write(tmp_path / 'a.npz', {}, poses=short, mocap_frame_rate=None,
                 mocap_framerate=np.array([120.0]))
    motion = read_smplx(path)
    assert (len(motion.rotations), motion.fps) == (3, 120.0)


@pytest.mark.parametrize('changes, reason', [
    ({'poses': None}, 'no poses'),
    ({'mocap_frame_rate': None}, 'no mocap_frame_rate'),
    ({'poses': np.zeros((4, 24))}, 'must have shape'),
    ({'poses': np.full((2, 165), np.nan)}, 'not finite'),
    ({'mocap_frame_rate': np.array(0.0)}, r'lie in \[1, 1000\]'),
    ({'poses': np.array([{'a': 1}], dtype=object)}, 'npz of numbers'),
])
def test_broken_files_say_what_is_wrong(changes: dict[str, Any], reason: str,
                                        tmp_path: Path) -> None:
    with pytest.raises(UnusableFile, match=reason):
        read_smplx(write(tmp_path / 'a.npz', {}, **changes))
    (tmp_path / 'text.npz').write_text('hello')
    with pytest.raises(UnusableFile, match='cannot be read'):
        read_smplx(tmp_path / 'text.npz')
