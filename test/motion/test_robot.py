"""Robot profiles: those that ship, and every mistake a profile can hold."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gesture_node.exceptions import RobotError
from gesture_node.motion.robot import load_profile, profile_names
from gesture_node.motion.urdf import parse_urdf, read_urdf
from gesture_node.resources import share_path

ROBOTS = ('humanoid', 'unitree_g1', 'nao')


def _edited(folder: Path, old: str, new: str, name: str = 'humanoid') -> Path:
    """Write a copy of a shipped profile with one edit, its URDF named by absolute path."""
    text = share_path('config', 'robots', f'{name}.yaml').read_text(encoding='utf-8')
    assert old in text
    text = text.replace(old, new).replace('urdf: models/', f'urdf: {share_path("models")}/')
    path = folder / 'edited.yaml'
    path.write_text(text, encoding='utf-8')
    return path


@pytest.mark.parametrize('name', ROBOTS)
def test_shipped_profiles_load(name):
    profile = load_profile(name)
    count = len(profile.joint_names)
    assert profile.name == name
    assert profile.urdf_path.is_file()
    assert profile.root_link == profile.urdf.root_link
    assert profile.source and profile.licence and profile.interface
    for limit in ('lower', 'upper', 'velocity', 'acceleration', 'jerk'):
        assert getattr(profile.limits, limit).shape == (count,)
    assert (profile.limits.lower < profile.limits.upper).all()
    assert (profile.rest_positions >= profile.limits.lower).all()
    assert (profile.rest_positions <= profile.limits.upper).all()


def test_joint_counts():
    counts = {name: len(load_profile(name).joint_names) for name in ROBOTS}
    assert counts == {'humanoid': 3 + 3 + 2 * 8, 'unitree_g1': 3 + 2 * 7, 'nao': 2 + 2 * 6}


def test_names_list_what_ships():
    assert set(ROBOTS) <= set(profile_names())


def test_unknown_robot_lists_the_known_ones():
    with pytest.raises(RobotError, match="unknown robot 'c3po'; known: .*humanoid.*nao"):
        load_profile('c3po')


def test_missing_file_is_named():
    with pytest.raises(RobotError, match='no robot profile at'):
        load_profile('/nowhere/robot.yaml')


def test_a_profile_may_be_given_by_path(tmp_path):
    profile = load_profile(_edited(tmp_path, 'name: humanoid', 'name: mine'))
    assert profile.name == 'mine'
    assert profile.joint_names == load_profile('humanoid').joint_names


def test_urdf_beside_the_profile_is_found(tmp_path):
    path = _edited(tmp_path, 'name: humanoid', 'name: humanoid')
    (tmp_path / 'robot.urdf').write_bytes(
        share_path('models', 'humanoid', 'humanoid.urdf').read_bytes())
    path.write_text(path.read_text().replace(
        f'urdf: {share_path("models")}/humanoid/humanoid.urdf', 'urdf: robot.urdf'))
    assert load_profile(path).urdf_path == (tmp_path / 'robot.urdf').resolve()


def test_limits_are_the_narrower_of_urdf_and_profile():
    profile = load_profile('unitree_g1')
    waist = profile.joint_names.index('waist_yaw_joint')
    assert (profile.limits.lower[waist], profile.limits.upper[waist]) == (-1.0, 1.0)
    assert profile.limits.velocity[waist] == 0.8
    elbow = profile.joint_names.index('left_elbow_joint')
    assert profile.limits.upper[elbow] == profile.urdf.joints['left_elbow_joint'].upper
    assert (profile.limits.velocity <= [profile.urdf.joints[name].velocity
                                        for name in profile.joint_names]).all()


def test_frames_are_right_handed():
    for name in ROBOTS:
        profile = load_profile(name)
        for part in (profile.root, profile.torso, profile.head):
            if part is not None:
                assert np.linalg.det(part.frame) == pytest.approx(1.0)


MISTAKES = [
    ('left_elbow,', 'left_elbo,', "has no joint 'left_elbo'; it has: .*left_elbow"),
    ('head_yaw, head_pitch', 'left_elbow, head_pitch', "'left_elbow' does not move link 'head'"),
    ('joints: [torso_yaw, torso_roll', 'joints: [stand_fixed, torso_roll', 'does not move link'),
    ('head_pitch, head_roll', 'head_pitch, head_pitch', 'named twice'),
    ('{left_hand_close: {curl', '{left_thumb_close: {curl', "follows 'left_hand_close'"),
    ('curl: hand', 'curl: toe', "curl of joint .* must be one of hand, thumb, .*, got 'toe'"),
    ('link: torso\n', 'link: torzo\n', "no link 'torzo'"),
    ('upper_arm: {link: left_upper_arm', 'upper_arm: {link: left_hand', 'as a forearm hangs'),
    ('hand: {link: left_hand', 'hand: {link: left_upper_arm', 'link'),
    ('urdf: ', 'urfd: ', "unknown key 'urfd'; allowed: name, source"),
    ('licence: Apache-2.0\n', '', "lacks the key 'licence'"),
    ('velocity: 5.0, acceleration', 'velocity: fast, acceleration', 'must be a finite number'),
    ('velocity: 5.0, acceleration', 'velocity: .nan, acceleration', 'must be a finite number'),
    ('acceleration: 50.0', 'acceleration: -50.0', 'acceleration limit .* must be above 0'),
    ('torso_yaw: {velocity: 1.5', 'torso_yaw: {lower: 0.5, upper: 0.2, velocity: 1.5',
     'lower limit 0.5 not below its upper limit 0.2'),
    ('torso_yaw: {velocity: 1.5', 'torso_yaw: {upper: 9.0, velocity: 1.5', 'reach beyond'),
    ('torso_yaw: {velocity: 1.5', 'torso_yaw: {velocity: 50.0', "above the URDF's 3.0"),
    ('torso_yaw: {velocity: 1.5', 'torsoyaw: {velocity: 1.5', 'not a commanded joint'),
    ('torso_yaw: {velocity: 1.5', 'torso_yaw: {speed: 1.5', "unknown key 'speed'"),
    ('rest: {left_hand_close: 0.263', 'rest: {left_hand_close: 7.0', 'outside its limits'),
    ('rest: {left_hand_close: 0.263', 'rest: {left_foot: 0.2', 'rest names .left_foot'),
    ('fingers: [0, 0, -1]', 'fingers: [0, 0, 0]', 'must not be zero'),
    ('fingers: [0, 0, -1]', 'fingers: [0, 1]', 'must be three numbers'),
    ('forward: [1, 0, 0], up: [0, 0, 1]', 'forward: [1, 0, 0], up: [1, 0, 1]', 'perpendicular'),
    ('torso:\n', 'torso: 3\nspare:\n', 'unknown key'),
    ('name: humanoid\n', 'name: [humanoid]\n', 'must be text'),
    ('name: humanoid\n', 'name: "humanoid\n', 'is not YAML'),
    ('humanoid.urdf', 'missing.urdf', 'neither beside it nor among'),
    ('humanoid.urdf', 'description.yaml', 'is not XML'),
]


@pytest.mark.parametrize(('old', 'new', 'message'), MISTAKES)
def test_every_mistake_is_one_sentence(tmp_path, old, new, message):
    with pytest.raises(RobotError, match=message) as caught:
        load_profile(_edited(tmp_path, old, new))
    assert '\n' not in str(caught.value)


def test_empty_file_is_no_profile(tmp_path):
    path = tmp_path / 'empty.yaml'
    path.write_text('')
    with pytest.raises(RobotError, match='mapping of named keys'):
        load_profile(path)


def test_package_addresses_need_ros_or_the_package(tmp_path):
    path = _edited(tmp_path, 'name: humanoid', 'name: humanoid')
    path.write_text(path.read_text().replace(
        f'urdf: {share_path("models")}/humanoid', 'urdf: package://no_such_robot'))
    with pytest.raises(RobotError, match='no_such_robot'):
        load_profile(path)


LINK = '<link name="a"/><link name="b"/>'
JOINT = '<joint name="j" type="{kind}"><parent link="a"/><child link="{child}"/>{limit}</joint>'


@pytest.mark.parametrize(('text', 'message'), [
    ('not xml', 'is not XML'),
    ('<sdf/>', 'is no URDF'),
    ('<robot name="r"/>', 'is no URDF'),
    (f'<robot>{LINK}</robot>', 'not one tree: 2 roots'),
    (f'<robot>{LINK}{JOINT.format(kind="fixed", child="c", limit="")}</robot>', "link 'c'"),
    (f'<robot>{LINK}<joint name="j" type="fixed"/></robot>', 'lacks its parent or child'),
    (f'<robot>{LINK}' + JOINT.format(kind='revolute', child='b', limit='<limit lower="x"/>')
     + '</robot>', 'lower .* is no number'),
])
def test_bad_urdf_is_one_sentence(text, message):
    with pytest.raises(RobotError, match=message):
        parse_urdf(text, 'test')


def test_urdf_tree_and_limits():
    limit = '<limit lower="-1" upper="2" velocity="3" effort="4"/>'
    text = f'<robot name="r">{LINK}{JOINT.format(kind="revolute", child="b", limit=limit)}</robot>'
    urdf = parse_urdf(text, 'test')
    assert urdf.root_link == 'a'
    assert urdf.joints_to('b') == ('j',) and urdf.joints_to('a') == ()
    joint = urdf.joints['j']
    assert (joint.lower, joint.upper, joint.velocity) == (-1.0, 2.0, 3.0)
    with pytest.raises(RobotError, match="no link 'c'"):
        urdf.joints_to('c')


def test_continuous_joints_need_limits_in_the_profile(tmp_path):
    urdf = share_path('models', 'humanoid', 'humanoid.urdf').read_text(encoding='utf-8')
    (tmp_path / 'robot.urdf').write_text(urdf.replace(
        '<joint name="left_wrist_yaw" type="revolute">',
        '<joint name="left_wrist_yaw" type="continuous">'))
    path = _edited(tmp_path, 'name: humanoid', 'name: humanoid')
    path.write_text(path.read_text().replace(
        f'urdf: {share_path("models")}/humanoid/humanoid.urdf', 'urdf: robot.urdf'))
    with pytest.raises(RobotError, match="'left_wrist_yaw' has no position limits"):
        load_profile(path)
    path.write_text(path.read_text().replace(
        'left_wrist_yaw: {velocity', 'left_wrist_yaw: {lower: -1.0, upper: 1.0, velocity'))
    profile = load_profile(path)
    assert profile.limits.upper[profile.joint_names.index('left_wrist_yaw')] == 1.0


def test_unreadable_urdf_is_named(tmp_path):
    with pytest.raises(RobotError, match='cannot read URDF'):
        read_urdf(tmp_path / 'none.urdf')
