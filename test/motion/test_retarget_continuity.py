"""Retargeting is continuous: small changes of a pose move joints little, and nothing winds up."""
from __future__ import annotations

from pathlib import Path
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from retarget_world import FORWARD, glide, pose, POSES, ROBOTS, turn

from gesture_node.motion.profile import RobotProfile
from gesture_node.motion.retarget import Retargeter
from gesture_node.motion.robot import load_profile
from gesture_node.motion.rotations import matrix_from_rotvec, rotvec_from_matrix
from gesture_node.motion.skeleton import (
    FINGER_NAMES,
    forward_kinematics,
    JOINT_INDEX,
    JOINT_NAMES,
    pack_pose,
    rest_pose,
    unpack_pose,
)

GAIN = 6.0
"""Joints may move so many times as far as the fastest segment of the person turns: near the poses
in which two joint axes nearly agree, a little of the one takes much of the other."""
QUIET_GAIN = 3.0
FREE_RAD = 0.04
"""And so much without the pose: what drifts to rest, and what limits let go."""
PERIOD_FRAMES = 50


def periodic_motion(seed: int, size_rad: float, frames: int) -> np.ndarray:
    """Return poses of a person who repeats a smooth motion of all joints every two seconds.

    Shoulders and trunk turn anyhow within their size, elbows bend and forearms turn, as people's
    do, from nearly straight to sharply bent.
    """
    random = np.random.default_rng(seed)
    phase = 2.0 * np.pi * np.arange(frames)[:, None, None] / PERIOD_FRAMES
    harmonics = random.integers(1, 3, (2, len(JOINT_NAMES), 3))
    offsets = random.uniform(0.0, 2.0 * np.pi, (2, len(JOINT_NAMES), 3))
    waves = np.sin(harmonics[0] * phase + offsets[0]) + np.sin(harmonics[1] * phase + offsets[1])
    waves = waves + random.normal(scale=0.5, size=(len(JOINT_NAMES), 3))
    scale = np.where(['shoulder' in name for name in JOINT_NAMES], 1.0, 0.3)[:, None]
    turns = matrix_from_rotvec(size_rad * scale * waves)
    for side in ('left', 'right'):
        joint = JOINT_INDEX[f'{side}_elbow']
        flexion = 1.0 + 0.45 * np.clip(waves[:, joint, 0], -2.0, 2.0)
        twist = 0.5 * waves[:, joint, 1]
        turns[:, joint] = (matrix_from_rotvec(np.outer(flexion, [0.0, -1.0, 0.0]))
                           @ matrix_from_rotvec(np.outer(twist, [0.0, 0.0, 1.0])))
    fingers = 0.5 + 0.5 * np.sin(phase[:, 0] + np.arange(len(FINGER_NAMES)))
    return pack_pose(turns, fingers)


def turned_rad(poses: np.ndarray) -> np.ndarray:
    """Return by how much the fastest segment turns from frame to frame, shape (T - 1,)."""
    _, frames = forward_kinematics(unpack_pose(poses)[0])
    turns = rotvec_from_matrix(np.swapaxes(frames[:-1], -1, -2) @ frames[1:])
    return np.linalg.norm(turns, axis=-1).max(axis=1)


def body_columns(profile: RobotProfile) -> list[int]:
    fingers = {joint.name for arm in profile.arms for joint in arm.closing}
    return [i for i, name in enumerate(profile.joint_names) if name not in fingers]


def played(retargeter: Retargeter, profile: RobotProfile, poses: np.ndarray) -> np.ndarray:
    """Return the joints without fingers, once the first pose has been reached."""
    still = np.repeat(poses[:1], 40, axis=0)
    _, state = retargeter.retarget(still, retargeter.initial_state())
    return retargeter.retarget(poses, state)[0][:, body_columns(profile)]


@pytest.fixture(scope='module', params=ROBOTS)
def robot(request) -> tuple[RobotProfile, Retargeter]:
    profile = load_profile(request.param)
    return profile, Retargeter(profile)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 100_000), size_rad=st.floats(0.1, 0.4))
def test_joints_move_no_faster_than_the_pose_allows(robot, seed, size_rad):
    profile, retargeter = robot
    poses = periodic_motion(seed, size_rad, 2 * PERIOD_FRAMES)
    steps = np.abs(np.diff(played(retargeter, profile, poses), axis=0)).max(axis=1)
    assert (steps <= GAIN * turned_rad(poses) + FREE_RAD).all()


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 100_000), size_rad=st.floats(0.1, 0.4))
def test_a_motion_that_repeats_brings_the_joints_back(robot, seed, size_rad):
    profile, retargeter = robot
    poses = periodic_motion(seed, size_rad, 4 * PERIOD_FRAMES)
    positions = played(retargeter, profile, poses)
    cycles = positions.reshape(4, PERIOD_FRAMES, -1)
    assert np.abs(cycles[3] - cycles[2]).max() < 0.02


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_the_swivel_of_a_straight_arm_is_quiet(robot, seed):
    """Noise of a degree about a straight elbow must not swing the upper arm round itself."""
    profile, retargeter = robot
    random = np.random.default_rng(seed)
    start = matrix_from_rotvec(random.uniform(-1.0, 1.0, 3) * [1.2, 0.6, 0.4])
    noise = np.radians(random.normal(scale=1.0, size=(60, 3)))
    poses = np.stack([pose(left_shoulder=start, left_elbow=matrix_from_rotvec(row))
                      for row in noise])
    steps = np.abs(np.diff(played(retargeter, profile, poses), axis=0)).max(axis=1)
    assert (steps <= QUIET_GAIN * turned_rad(poses) + FREE_RAD).all()


@pytest.mark.parametrize('turns', [1, 3])
def test_circles_of_the_arm_do_not_wind_up(robot, turns):
    """After drawing circles in the air the joints are where they were after the first."""
    profile, retargeter = robot
    angles = 2.0 * np.pi * np.arange(50 * turns) / 50.0
    poses = np.stack([
        pose(right_shoulder=matrix_from_rotvec(np.array([0.0, -1.2, 0.0]))
             @ matrix_from_rotvec(0.5 * np.array([np.cos(angle), np.sin(angle), 0.0])),
             right_elbow=turn('y', -20)) for angle in angles])
    positions = played(retargeter, profile, poses)
    assert np.abs(np.diff(positions, axis=0)).max() < 0.4
    assert np.abs(positions[-1] - played(retargeter, profile, poses[-1:])[-1]).max() < 0.1


def test_a_wrist_turned_to_its_limit_and_beyond_comes_back_the_same_way(robot):
    profile, retargeter = robot
    ramp = np.concatenate([np.linspace(0.0, 110.0, 60), np.linspace(110.0, 0.0, 60)])
    poses = np.stack([pose(left_elbow=FORWARD, left_wrist=turn('x', angle)) for angle in ramp])
    positions = played(retargeter, profile, poses)
    assert np.abs(np.diff(positions, axis=0)).max() < 0.25
    assert np.abs(positions[-1] - positions[0]).max() < 0.05


def test_a_continuous_wrist_stays_within_one_turn(tmp_path):
    """Limits of a profile wider than a turn: the joint must not collect turns, nor jump."""
    path = tmp_path / 'wide.yaml'
    urdf = load_profile('humanoid').urdf_path
    text = urdf.read_text(encoding='utf-8')
    for side in ('left', 'right'):
        at = text.index(f'name="{side}_wrist_yaw"')
        head, tail = text[:at], text[at:]
        end = tail.index('</joint>')
        joint = tail[:end].replace('type="revolute"', 'type="continuous"')
        text = head + joint + tail[end:]
    (tmp_path / 'wide.urdf').write_text(text, encoding='utf-8')
    source = Path(__file__).parents[2] / 'config' / 'robots' / 'humanoid.yaml'
    wide = source.read_text(encoding='utf-8').replace('models/humanoid/humanoid.urdf', 'wide.urdf')
    for side in ('left', 'right'):
        wide = wide.replace(f'{side}_wrist_yaw: {{', f'{side}_wrist_yaw: {{lower: -7.0, '
                                                     'upper: 7.0, ')
    path.write_text(wide, encoding='utf-8')
    profile = load_profile(path)
    retargeter = Retargeter(profile)
    joint = body_columns(profile).index(profile.joint_names.index('left_wrist_yaw'))
    back_and_forth = 170.0 * np.sin(2.0 * np.pi * np.arange(200) / 100.0)
    poses = np.stack([pose(left_elbow=FORWARD @ turn('z', angle)) for angle in back_and_forth])
    positions = played(retargeter, profile, poses)[:, joint]
    assert np.abs(np.diff(positions)).max() < 0.4
    assert np.abs(positions).max() < np.radians(190.0)
    assert abs(positions[-1] - positions[99]) < 0.05


@pytest.mark.parametrize('target', ['wave', 'hands_up', 'hands_on_chest', 'palms_up'])
def test_there_and_back_is_where_it_was(robot, target):
    profile, retargeter = robot
    there = glide(rest_pose(), POSES[target], frames=15, hold=5)
    back = glide(POSES[target], rest_pose(), frames=15, hold=40)
    positions = played(retargeter, profile, np.concatenate([there, back] * 2))
    half = len(positions) // 2
    assert np.abs(positions[-1] - positions[half - 1]).max() < 0.02
