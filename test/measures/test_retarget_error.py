"""The error of retargeting: exact on a robot that shows all, and no search does worse."""
from __future__ import annotations

import numpy as np
import pytest

from gesture_node.measures.retarget_error import (
    angles_between,
    direction_errors,
    least_errors,
    LimbDirections,
    LIMBS,
)
from gesture_node.motion.retarget import Retargeter
from gesture_node.motion.robot import load_profile
from gesture_node.motion.rotations import matrix_from_rotvec
from gesture_node.motion.skeleton import (
    FINGER_NAMES,
    JOINT_INDEX,
    JOINT_NAMES,
    pack_pose,
    rest_pose,
)


def posed(**rotvecs: tuple[float, float, float]) -> np.ndarray:
    turns = np.broadcast_to(np.eye(3), (len(JOINT_NAMES), 3, 3)).copy()
    for joint, rotvec in rotvecs.items():
        turns[JOINT_INDEX[joint]] = matrix_from_rotvec(np.array(rotvec))
    return pack_pose(turns, np.full(len(FINGER_NAMES), 0.2))


def settled(name: str, pose: np.ndarray) -> np.ndarray:
    retargeter = Retargeter(load_profile(name))
    return retargeter.retarget(np.repeat(pose[None], 60, axis=0),
                               retargeter.initial_state())[0][-1]


def test_angles_are_exact_for_small_and_large_ones():
    along = np.array([1.0, 0.0, 0.0])
    for angle in (1e-6, 0.3, 2.0, np.pi):
        turned = np.array([np.cos(angle), np.sin(angle), 0.0])
        assert angles_between(along, turned) == pytest.approx(angle, rel=1e-6)


def test_a_joint_off_by_an_angle_is_an_error_of_that_angle():
    """The right elbow bends only the right forearm, and with it the hand."""
    robot = LimbDirections(load_profile('humanoid'))
    pose = posed(right_elbow=(0.0, -1.2, 0.0), head=(0.0, 0.0, 0.4))
    positions = settled('humanoid', pose)
    off = positions.copy()
    off[robot.profile.joint_names.index('right_elbow')] += 0.2
    off[robot.profile.joint_names.index('head_yaw')] += 0.1
    for rows, extra, look in ((positions, 0.0, 0.0), (off, 0.2, 0.1)):
        errors = direction_errors(robot, pose[None], rows[None])
        assert set(errors) == set(LIMBS)
        assert errors['upper arm'].max() < 0.01
        for limb in ('forearm', 'hand'):
            assert errors[limb][0] == pytest.approx([0.0, extra], abs=0.01)
        assert errors['head'][0, 0] == pytest.approx(look, abs=0.01)


def test_a_turned_root_does_not_count():
    robot = LimbDirections(load_profile('nao'))
    turned = posed(spine=(0.0, 0.0, 0.3))
    errors = direction_errors(robot, turned[None], settled('nao', turned)[None])
    assert errors['upper arm'].max() < 0.1


def test_a_robot_without_a_head_has_no_error_of_it():
    robot = LimbDirections(load_profile('unitree_g1'))
    errors = direction_errors(robot, rest_pose()[None], robot.profile.rest_positions[None])
    assert 'head' not in errors


def test_the_least_error_is_none_where_all_can_be_shown():
    robot = LimbDirections(load_profile('humanoid'))
    pose = posed(left_shoulder=(0.0, -1.0, 0.0), right_elbow=(0.0, -1.5, 0.0))
    least = least_errors(robot, pose, robot.profile.rest_positions, 2, 0)
    assert least.shape == (2, 3)
    assert least.max() < np.radians(0.5)


def test_the_least_error_is_what_limits_cost():
    """NAO raises its arms sideways to 76 degrees; 14 are lost, whoever solves it."""
    robot = LimbDirections(load_profile('nao'))
    pose = posed(left_shoulder=(np.pi / 2, 0.0, 0.0), right_shoulder=(-np.pi / 2, 0.0, 0.0))
    positions = settled('nao', pose)
    least = least_errors(robot, pose, positions, 3, 0)
    ours = direction_errors(robot, pose[None], positions[None])
    assert np.degrees(least[:, 0].min()) > 4.0
    shown = np.stack([ours[limb][0] for limb in LIMBS[:2]], axis=1)
    assert (np.square(least[:, :2]).sum(axis=1) <= np.square(shown).sum(axis=1) + 1e-6).all()
