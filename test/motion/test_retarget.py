"""Retargeting: what canonical poses look like on each robot, measured by its own kinematics."""
from __future__ import annotations

from pathlib import Path
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.optimize import least_squares

sys.path.insert(0, str(Path(__file__).parent))

from retarget_world import (
    degrees_between,
    DOWN,
    errors_deg,
    FORWARD,
    glide,
    Measured,
    pose,
    POSES,
    ROBOTS,
    settled,
    smooth_motion,
    turn,
)

from gesture_node.exceptions import RobotError
from gesture_node.motion.profile import RobotProfile
from gesture_node.motion.retarget import Retargeter, RetargetState
from gesture_node.motion.robot import load_profile
from gesture_node.motion.skeleton import (
    forward_kinematics,
    JOINT_INDEX,
    mirror_pose,
    rest_pose,
    unpack_pose,
)
from gesture_node.resources import share_path

MAX_STEP_RAD = 0.5
TOLERANCE_DEG = 3.0
HANGING_DEG = {'humanoid': 0.0, 'unitree_g1': 7.0, 'nao': 5.0}
"""By how much arms are held away from the body where they would hang straight."""
CANNOT_DEG: dict[tuple[str, str, str], float] = {
    **{('nao', name, kind): 15.0 for name in ('t_pose', 'wave') for kind in ('arm', 'hand')},
    **{('nao', 'hands_on_chest', kind): 20.0 for kind in ('arm', 'hand')},
    ('unitree_g1', 'hands_on_chest', 'arm'): 5.0,
    ('nao', 'tilt', 'head up'): 12.5,
    ('nao', 'sway', 'head up'): 8.5,
}
"""What limits forbid: NAO raises its arms sideways to 76 degrees, bends its elbows to 88, and has
no roll in its neck. Hands on the chest are drawn to where they lie on a person."""


@pytest.fixture(scope='module', params=ROBOTS)
def robot(request) -> tuple[RobotProfile, Retargeter]:
    profile = load_profile(request.param)
    return profile, Retargeter(profile)


@pytest.mark.parametrize('name', POSES)
def test_canonical_poses_come_out(robot, name):
    profile, retargeter = robot
    hanging = name not in ('t_pose', 'arms_forward', 'hands_up', 'elbows_bent', 'palms_up',
                           'hands_on_chest')
    for kind, error in errors_deg(profile, POSES[name], settled(retargeter, POSES[name])).items():
        allowed = TOLERANCE_DEG
        if hanging and kind in ('arm', 'hand'):
            allowed += HANGING_DEG[profile.name]
        allowed = max(allowed, CANNOT_DEG.get((profile.name, name, kind), 0.0))
        assert error <= allowed, f'{kind} is off by {error:.1f} degrees'


def test_the_elbow_stands_where_the_upper_arm_points(robot):
    profile, retargeter = robot
    points = {'humanoid': ('shoulder_roll_link', 'forearm'),
              'unitree_g1': ('shoulder_roll_link', 'elbow_link')}
    if profile.name not in points:
        pytest.skip('the elbow of NAO stands beside the axis of its upper arm')
    shoulder, elbow = points[profile.name]
    for name in ('t_pose', 'arms_forward', 'elbows_bent'):
        measured = Measured(profile, settled(retargeter, POSES[name]))
        upper = measured.point(f'left_{elbow}') - measured.point(f'left_{shoulder}')
        wanted = unpack_pose(POSES[name])[0][JOINT_INDEX['left_shoulder']] @ DOWN
        assert degrees_between(upper, wanted) < 5.0


def test_rest_stays_at_rest(robot):
    profile, retargeter = robot
    positions, _ = retargeter.retarget(np.repeat(rest_pose()[None], 50, axis=0),
                                       retargeter.initial_state())
    assert np.abs(positions - profile.rest_positions).max() < 0.03


def test_arms_hang_again_after_a_gesture(robot):
    profile, retargeter = robot
    there = glide(rest_pose(), POSES['hands_on_chest'])
    back = glide(POSES['hands_on_chest'], rest_pose(), hold=50)
    positions, _ = retargeter.retarget(np.concatenate([there, back]), retargeter.initial_state())
    assert np.abs(positions[-1] - profile.rest_positions).max() < 0.05


def test_a_mirrored_pose_gives_mirrored_joints(robot):
    profile, retargeter = robot
    names = profile.joint_names
    twins = [names.index(name.replace('left', 'x').replace('right', 'left').replace('x', 'right'))
             if profile.name != 'nao' else
             names.index({'L': 'R', 'R': 'L'}.get(name[0], name[0]) + name[1:]) for name in names]
    one = settled(retargeter, POSES['wave'])
    other = settled(retargeter, mirror_pose(POSES['wave']))
    assert np.allclose(np.abs(one), np.abs(other[twins]), atol=0.01)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_any_motion_stays_inside_limits_without_jumps(robot, seed):
    profile, retargeter = robot
    noise = np.random.default_rng(seed).normal(0.0, 10.0, (20, 84))
    for poses in (smooth_motion(seed), noise):
        positions, _ = retargeter.retarget(poses, retargeter.initial_state())
        assert np.isfinite(positions).all()
        assert (positions >= profile.limits.lower).all()
        assert (positions <= profile.limits.upper).all()
        steps = np.diff(positions, axis=0, prepend=profile.rest_positions[None])
        assert np.abs(steps).max() <= MAX_STEP_RAD + 1e-9


def test_calls_may_be_cut_anywhere(robot):
    _, retargeter = robot
    poses = smooth_motion(7)
    whole, last = retargeter.retarget(poses, retargeter.initial_state())
    state, parts = retargeter.initial_state(), []
    for cut in np.split(poses, [1, 2, 9, 9, 40]):
        part, state = retargeter.retarget(cut, state)
        parts.append(part)
    assert (np.concatenate(parts) == whole).all()
    assert (state.positions == last.positions).all()


@pytest.mark.parametrize('target', ['palms_up', 'wave', 'hands_on_chest'])
def test_provisional_poses_are_followed_nearly_and_leave_no_trace(robot, target):
    """One step a pose does, as the hand is turned to where the arm is about to carry it."""
    _, retargeter = robot
    poses = glide(rest_pose(), POSES[target], frames=30, hold=10)
    start = retargeter.initial_state()
    whole, _ = retargeter.retarget(poses, start)
    mixed, state = retargeter.retarget(poses, start, ahead=35)
    assert (mixed[:7] == whole[:7]).all() and (mixed[7:] != whole[7:]).any()
    assert np.abs(mixed - whole).max() < 0.15
    assert np.abs(mixed[-1] - whole[-1]).max() < 0.001
    assert (state.positions == whole[4]).all()
    assert (retargeter.retarget(poses, start, ahead=40)[1].positions == start.positions).all()


def test_states_are_values(robot):
    profile, retargeter = robot
    before = retargeter.initial_state()
    first, after = retargeter.retarget(smooth_motion(3), before)
    assert (before.positions == profile.rest_positions).all()
    again, _ = Retargeter(profile).retarget(smooth_motion(3), before)
    assert (first == again).all()
    assert not np.shares_memory(after.positions, before.positions)


def test_single_precision_poses_do(robot):
    _, retargeter = robot
    poses = smooth_motion(5)
    single, _ = retargeter.retarget(poses.astype(np.float32), retargeter.initial_state())
    double, _ = retargeter.retarget(poses, retargeter.initial_state())
    assert single.dtype == np.float64
    assert np.allclose(single, double, atol=1e-2)


def test_no_pose_gives_no_positions(robot):
    profile, retargeter = robot
    state = retargeter.initial_state()
    positions, after = retargeter.retarget(np.zeros((0, 84)), state)
    assert positions.shape == (0, len(profile.joint_names))
    assert after.positions is state.positions


@pytest.mark.parametrize(('bad', 'message'), [
    (np.zeros((3, 83)), 'shape'), (np.zeros(84), 'shape'), (np.full((1, 84), np.nan), 'finite')])
def test_poses_that_are_none_are_refused(robot, bad, message):
    with pytest.raises(RobotError, match=message):
        robot[1].retarget(bad, robot[1].initial_state())


@pytest.mark.parametrize('name', ['humanoid', 'nao'])
def test_hands_open_and_close(name):
    profile = load_profile(name)
    retargeter = Retargeter(profile)
    for curl in (0.0, 1.0):
        positions = settled(retargeter, pose(curl))
        for arm in profile.arms:
            for joint in arm.closing:
                expected = joint.closed_rad if curl else joint.open_rad
                assert positions[profile.joint_names.index(joint.name)] == pytest.approx(expected)


def test_a_robot_without_a_head_ignores_the_head():
    retargeter = Retargeter(load_profile('unitree_g1'))
    assert np.allclose(settled(retargeter, POSES['shake']), settled(retargeter, pose()),
                       atol=1e-12)


def test_a_robot_without_a_torso_keeps_its_arms_before_its_chest():
    retargeter = Retargeter(load_profile('nao'))
    turned = pose(chest=turn('z', 25), left_elbow=FORWARD)
    upright = pose(left_elbow=FORWARD)
    one, other = settled(retargeter, turned), settled(retargeter, upright)
    assert np.allclose(one[2:], other[2:], atol=1e-6)
    assert one[0] == pytest.approx(np.radians(25), abs=0.02)


def test_a_root_that_faces_backwards_is_turned_round(tmp_path):
    urdf = share_path('models', 'humanoid', 'humanoid.urdf').read_text(encoding='utf-8')
    base = ('<link name="base"/><joint name="base_fixed" type="fixed"><parent link="base"/>'
            '<child link="pelvis"/><origin xyz="0 0 1" rpy="0 0 3.14159265358979"/></joint>')
    (tmp_path / 'turned.urdf').write_text(urdf.replace('</robot>', base + '</robot>'))
    text = share_path('config', 'robots', 'humanoid.yaml').read_text(encoding='utf-8')
    text = text.replace('models/humanoid/humanoid.urdf', 'turned.urdf').replace(
        'root: {link: pelvis, forward: [1, 0, 0]', 'root: {link: base, forward: [-1, 0, 0]')
    (tmp_path / 'turned.yaml').write_text(text)
    turned = Retargeter(load_profile(tmp_path / 'turned.yaml'))
    plain = Retargeter(load_profile('humanoid'))
    for name in ('wave', 'lean', 'point_left'):
        assert np.allclose(settled(turned, POSES[name]), settled(plain, POSES[name]), atol=1e-4)


@pytest.mark.parametrize('name', ROBOTS)
@pytest.mark.parametrize('seed', [11, 12, 13])
def test_no_general_solver_finds_a_better_arm_nearby(name, seed):
    """The arm's own problem, handed to SciPy's bounded least squares from where we stopped."""
    profile = load_profile(name)
    target = smooth_motion(seed, frames=30, size_rad=0.35)[-1]
    retargeter = Retargeter(profile)
    still = np.repeat(target[None], 40, axis=0)
    positions = retargeter.retarget(still, RetargetState(settled(retargeter, target)))[0][-1]
    arm = profile.arms[0]
    reach = [i for i, joint in enumerate(profile.joint_names)
             if joint in arm.joints and joint in profile.urdf.joints_to(arm.forearm_link)]
    _, frames = forward_kinematics(unpack_pose(target)[0])
    chest = frames[JOINT_INDEX['chest']]
    wanted = [chest.T @ frames[JOINT_INDEX[f'left_{joint}']] @ DOWN
              for joint in ('shoulder', 'elbow')]

    def residuals(joints: np.ndarray) -> np.ndarray:
        changed = positions.copy()
        changed[reach] = joints
        robot = Measured(profile, changed)
        torso = robot.rotation(profile.torso.link) @ profile.torso.frame
        return np.concatenate([
            robot.rotation(arm.upper_arm_link) @ arm.upper_arm - torso @ wanted[0],
            robot.rotation(arm.forearm_link) @ arm.forearm - torso @ wanted[1]])

    lower, upper = profile.limits.lower[reach], profile.limits.upper[reach]
    inside = np.clip(positions[reach], lower + 1e-6, upper - 1e-6)
    best = least_squares(residuals, inside, bounds=(lower, upper))
    ours = float(np.linalg.norm(residuals(positions[reach])))
    assert ours <= np.linalg.norm(best.fun) + np.radians(4.0) + profile.arms[0].hang_out_rad
