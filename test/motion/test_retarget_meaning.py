"""Retargeting keeps the meaning: hands meet, a point points, what is missing costs only itself."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import sys

import numpy as np
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))

from retarget_world import (
    degrees_between,
    DOWN,
    errors_deg,
    glide,
    Measured,
    pose,
    POSES,
    ROBOTS,
    settled,
    turn,
)

from gesture_node.exceptions import RobotError
from gesture_node.motion.profile import RobotProfile
from gesture_node.motion.retarget import Retargeter
from gesture_node.motion.retarget_targets import pose_frames
from gesture_node.motion.robot import load_profile
from gesture_node.motion.rotations import matrix_from_rotvec
from gesture_node.motion.skeleton import (
    FINGER_DIRECTION,
    FINGER_NAMES,
    forward_kinematics,
    JOINT_INDEX,
    rest_pose,
    unpack_pose,
)
from gesture_node.resources import share_path

HUMANOID = share_path('config', 'robots', 'humanoid.yaml')


def clasped(inward: float = 26.0) -> np.ndarray:
    """Return hands that meet in front of the chest; less inward, further apart."""
    return pose(left_shoulder=turn('y', -20) @ turn('z', -inward), left_elbow=turn('y', -95),
                right_shoulder=turn('y', -20) @ turn('z', inward), right_elbow=turn('y', -95))


def pointing(target: np.ndarray, side: str = 'right') -> np.ndarray:
    """Return a pose with one index finger out of a fist."""
    changed = target.copy()
    curls = changed[-len(FINGER_NAMES):]
    for name in ('thumb', 'middle', 'ring', 'little'):
        curls[FINGER_NAMES.index(f'{side}_{name}')] = 0.9
    curls[FINGER_NAMES.index(f'{side}_index')] = 0.0
    return changed


def wider(scale: float) -> RobotProfile:
    """Return our humanoid with shoulders further apart; its hands would not meet by direction."""
    profile = load_profile('humanoid')
    text = profile.urdf_path.read_text(encoding='utf-8')
    return profile if scale == 1.0 else replace(profile, urdf=_wide_urdf(text, scale))


def _wide_urdf(text: str, scale: float):
    from xml.etree import ElementTree

    from gesture_node.motion.urdf import parse_urdf

    root = ElementTree.fromstring(text)
    for joint in root.findall('joint'):
        if joint.get('name', '').endswith('shoulder_pitch'):
            origin = joint.find('origin')
            x, y, z = map(float, origin.get('xyz').split())
            origin.set('xyz', f'{x} {scale * y} {z}')
    return parse_urdf(ElementTree.tostring(root, encoding='unicode'), 'wide humanoid')


def apart_m(profile: RobotProfile, positions: np.ndarray) -> np.ndarray:
    """Return where the middle of the left palm is, seen from that of the right [m]."""
    solver = Retargeter(profile)._solver
    workspace = solver.kinematics.workspace()
    solver.kinematics.directions(workspace, positions)
    left, right, _ = solver.kinematics.points(workspace)[0]
    return np.asarray(left - right)


def without(profile: RobotProfile, **weights: float) -> RobotProfile:
    return replace(profile, weights=replace(profile.weights, **weights))


@pytest.mark.parametrize('scale', [0.6, 1.6])
def test_hands_that_come_together_come_together(scale):
    profile = wider(scale)
    person = pose_frames(clasped()[None]).palms
    assert np.linalg.norm(person['left'] - person['right']) < 0.08
    together = apart_m(profile, settled(Retargeter(profile), clasped()))
    apart = apart_m(profile, settled(Retargeter(without(profile, hands_together=0.0)), clasped()))
    assert 0.04 < together[1] < 0.11 and np.linalg.norm(together) < 0.11
    assert not 0.0 < apart[1] < 0.15, 'by direction alone they cross or stay apart'


def test_short_arms_bring_hands_together_too():
    profile = load_profile('nao')
    together = apart_m(profile, settled(Retargeter(profile), clasped()))
    apart = apart_m(profile, settled(Retargeter(without(profile, hands_together=0.0)), clasped()))
    assert 0.02 < together[1] < 0.08 < 0.12 < apart[1]


@pytest.mark.parametrize('name', ROBOTS)
def test_the_pull_fades_in_as_hands_come_near(name):
    """No jump on the way: the joints go as steadily as they do without."""
    profile = load_profile(name)
    poses = glide(rest_pose(), clasped(-30.0), frames=20, hold=5)
    poses = np.concatenate([poses, glide(clasped(-30.0), clasped(), frames=40, hold=10)])
    steps = {}
    for key, robot in (('with', profile), ('without', without(profile, hands_together=0.0))):
        retargeter = Retargeter(robot)
        positions, _ = retargeter.retarget(poses, retargeter.initial_state())
        steps[key] = np.abs(np.diff(positions[25:], axis=0)).max()
    assert steps['with'] < steps['without'] + 0.15


@pytest.mark.parametrize('name', ROBOTS)
def test_hands_that_are_apart_are_left_alone(name):
    profile = load_profile(name)
    none = without(profile, hands_together=0.0, hand_on_chest=0.0)
    for target in ('rest', 't_pose', 'hands_up', 'elbows_bent', 'wave'):
        assert np.allclose(settled(Retargeter(profile), POSES[target]),
                           settled(Retargeter(none), POSES[target]), atol=1e-9), target


def test_a_hand_on_the_chest_is_drawn_to_the_breastbone():
    profile = wider(1.6)
    offsets = {}
    for key, weight in (('with', 3.0), ('without', 0.0)):
        robot = without(profile, hand_on_chest=weight, hands_together=0.0)
        positions = settled(Retargeter(robot), POSES['hands_on_chest'])
        solver = Retargeter(robot)._solver
        workspace = solver.kinematics.workspace()
        solver.kinematics.directions(workspace, positions)
        left, _, breast = solver.kinematics.points(workspace)[0]
        offsets[key] = abs(float(left[1] - breast[1]))
    assert offsets['with'] < 0.6 * offsets['without']


def pointed_deg(profile: RobotProfile, target: np.ndarray, pelvis: bool = True) -> float:
    """Return by how much the robot's right fingers miss where the person points."""
    arm = next(arm for arm in profile.arms if arm.side == 'right')
    robot = Measured(profile, settled(Retargeter(profile), target))
    _, frames = forward_kinematics(unpack_pose(target)[0])
    wanted = frames[JOINT_INDEX['right_wrist']] @ FINGER_DIRECTION
    return degrees_between(robot.rotation(arm.hand_link) @ arm.fingers, wanted)


BENT_WRIST = {
    'across': pose(right_shoulder=turn('y', -35), right_elbow=turn('y', -50),
                   right_wrist=turn('x', 35)),
    'down': pose(right_shoulder=turn('y', -60), right_elbow=turn('y', -30),
                 right_wrist=turn('y', 40)),
}


@pytest.mark.parametrize('name', ROBOTS)
@pytest.mark.parametrize('target', BENT_WRIST)
def test_a_pointing_finger_points_even_without_a_wrist(name, target):
    profile = load_profile(name)
    assert pointed_deg(profile, pointing(BENT_WRIST[target])) < 9.0
    if name == 'nao':
        assert pointed_deg(profile, BENT_WRIST[target]) > 25.0


def test_a_point_stays_on_its_target_when_the_trunk_cannot_turn_along():
    """The arm of a robot without a waist points past the body, not with an imagined chest."""
    profile = load_profile('nao')
    turned = pose(chest=turn('z', -25), right_shoulder=turn('y', -80))
    assert pointed_deg(profile, turned) < 5.0
    assert pointed_deg(profile, pointing(turned)) < 5.0


def edited(tmp_path: Path, change) -> RobotProfile:
    """Return our humanoid after a change of its profile."""
    values = yaml.safe_load(HUMANOID.read_text(encoding='utf-8'))
    values.pop('interface', None)
    change(values)
    path = tmp_path / 'changed.yaml'
    path.write_text(yaml.safe_dump(values), encoding='utf-8')
    return load_profile(path)


def drop_joints(values, endings: tuple[str, ...]) -> None:
    """Leave joints out wherever a profile names them."""
    for part in (values['torso'], values.get('head', {}), *values['arms'].values()):
        if 'joints' in part:
            part['joints'] = [name for name in part['joints'] if not name.endswith(endings)]
    for where in (values['limits']['joints'], values['rest']):
        for name in [name for name in where if name.endswith(endings)]:
            del where[name]


LOSSES = {
    'no_wrist': ('wrist_yaw', 'wrist_pitch', 'wrist_roll'),
    'one_wrist_joint': ('wrist_pitch', 'wrist_roll'),
    'one_waist_joint': ('torso_roll', 'torso_pitch'),
    'no_waist': ('torso_yaw', 'torso_roll', 'torso_pitch'),
    'no_head_roll': ('head_roll',),
    'no_shoulder_yaw': ('shoulder_yaw',),
}
STILL_RIGHT = {
    'no_wrist': ('arm', 'torso', 'head forward', 'head up'),
    'one_wrist_joint': ('arm', 'torso', 'head forward', 'head up'),
    'one_waist_joint': ('arm', 'hand', 'head forward', 'head up'),
    'no_waist': ('arm', 'hand', 'head forward', 'head up'),
    'no_head_roll': ('arm', 'hand', 'torso', 'head forward'),
    'no_shoulder_yaw': ('torso', 'head forward', 'head up'),
}


@pytest.mark.parametrize('loss', LOSSES)
def test_what_is_missing_costs_no_more_than_itself(tmp_path, loss):
    profile = edited(tmp_path, lambda values: drop_joints(values, LOSSES[loss]))
    retargeter = Retargeter(profile)
    for name in ('rest', 'arms_forward', 'palms_up', 'wave', 'lean', 'sway', 'tilt', 'point_left'):
        errors = errors_deg(profile, POSES[name], settled(retargeter, POSES[name]))
        for kind in STILL_RIGHT[loss]:
            assert errors.get(kind, 0.0) < 4.0, f'{name}: {kind}'


def test_one_waist_joint_keeps_what_it_can(tmp_path):
    profile = edited(tmp_path, lambda values: drop_joints(values, LOSSES['one_waist_joint']))
    positions = settled(Retargeter(profile), pose(chest=turn('z', 20) @ turn('x', 6)))
    assert positions[0] == pytest.approx(np.radians(20), abs=0.03)


def test_arms_of_four_joints_show_upper_arm_and_forearm(tmp_path):
    profile = edited(tmp_path, lambda values: drop_joints(values, LOSSES['no_wrist']))
    assert [len(arm.joints) for arm in profile.arms] == [4, 4]
    for target in ('t_pose', 'hands_up', 'elbows_bent', 'hands_on_chest'):
        errors = errors_deg(profile, POSES[target], settled(Retargeter(profile), POSES[target]))
        assert errors['arm'] < 6.0, target


def test_no_head_and_no_arms_to_move_leave_the_rest(tmp_path):
    def change(values) -> None:
        head = values.pop('head')
        for name in head['joints']:
            values['limits']['joints'].pop(name)
        values['arms'].pop('right')
        for where in (values['limits']['joints'], values['rest']):
            for name in [name for name in where if name.startswith('right')]:
                del where[name]

    profile = edited(tmp_path, change)
    errors = errors_deg(profile, POSES['sway'], settled(Retargeter(profile), POSES['sway']))
    assert errors['arm'] < 2.0 and errors['torso'] < 2.0
    settled(Retargeter(profile), clasped())


def test_mitten_hands_follow_the_mean_of_the_fingers():
    profile = load_profile('humanoid')
    target = rest_pose()
    target[-len(FINGER_NAMES):] = 0.0
    for name in ('index', 'middle'):
        target[-len(FINGER_NAMES) + FINGER_NAMES.index(f'left_{name}')] = 1.0
    positions = settled(Retargeter(profile), target)
    assert positions[profile.joint_names.index('left_hand_close')] == pytest.approx(0.5)


@pytest.mark.parametrize('name', ROBOTS)
def test_arms_hang_while_the_rest_moves(name):
    profile = load_profile(name)
    head_and_trunk = pose(spine=turn('y', 6), chest=turn('z', 15), head=turn('z', -20))
    positions = settled(Retargeter(profile), head_and_trunk)
    robot = Measured(profile, positions)
    chest = robot.rotation(profile.torso.link) @ profile.torso.frame
    for arm in profile.arms:
        for link, inside in ((arm.upper_arm_link, arm.upper_arm),
                             (arm.forearm_link, arm.forearm)):
            hanging = chest.T @ robot.rotation(link) @ inside
            assert degrees_between(hanging, DOWN) < np.degrees(arm.hang_out_rad) + 2.0


def test_weights_of_a_profile_count(tmp_path):
    """A robot that may not bend both segments right gives up what weighs less."""
    twist = pose(left_shoulder=turn('y', -20) @ turn('z', -50), left_elbow=turn('y', -80))
    found = {}
    for key, weights in (('upper', {'forearm': 0.05}), ('fore', {'upper_arm': 0.05})):
        def change(values, weights=weights) -> None:
            drop_joints(values, ('shoulder_yaw',))
            values['weights'] = weights

        profile = edited(tmp_path, change)
        robot = Measured(profile, settled(Retargeter(profile), twist))
        _, frames = forward_kinematics(unpack_pose(twist)[0])
        arm = profile.arms[0]
        found[key] = [degrees_between(robot.rotation(link) @ inside,
                                      frames[JOINT_INDEX[f'left_{joint}']] @ DOWN)
                      for link, inside, joint in (
                          (arm.upper_arm_link, arm.upper_arm, 'shoulder'),
                          (arm.forearm_link, arm.forearm, 'elbow'))]
    assert found['fore'][1] < found['upper'][1] - 3.0


@pytest.mark.parametrize(('weights', 'message'), [
    ({'arm': 1.0}, "unknown key 'arm'"), ({'palm': -1.0}, 'at least 0'),
    ({'palm': 'much'}, 'finite number')])
def test_wrong_weights_are_one_sentence(tmp_path, weights, message):
    with pytest.raises(RobotError, match=message):
        edited(tmp_path, lambda values: values.update(weights=weights))


def test_a_forearm_bent_backwards_is_straightened():
    """People's elbows do not; a network's may for a moment, and no arm shall whirl for it."""
    profile = load_profile('humanoid')
    retargeter = Retargeter(profile)
    down = np.linspace(25.0, -20.0, 30)
    angles = np.radians(np.concatenate([down, down[::-1]]))
    poses = np.stack([pose(left_elbow=matrix_from_rotvec(np.array([0.0, -angle, 0.0])))
                      for angle in angles])
    positions, _ = retargeter.retarget(poses, retargeter.initial_state())
    assert np.abs(np.diff(positions, axis=0)).max() < 0.06
