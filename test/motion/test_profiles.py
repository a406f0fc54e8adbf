"""Every robot in canonical poses, measured by its own kinematics; what it cannot, it cannot."""
from __future__ import annotations

import importlib.util
from pathlib import Path
import sys

import numpy as np
import pytest
from scipy.optimize import least_squares

sys.path.insert(0, str(Path(__file__).parent))

from profile_world import CLASPED, degrees_between, hangs, POSES, Robot, robot, SIDES, wanted_parts

from gesture_node.motion.profile_cannot import CANONICAL_POSES
from gesture_node.motion.robot import load_profile, profile_names

ROOT = Path(__file__).resolve().parents[2]
ROBOTS = profile_names()
TOLERANCE_DEG = {'torso': 10.0, 'head': 10.0, 'left': 15.5, 'right': 15.5}
"""Arms as wholes: the larger of upper arm and forearm. Shoulders of QTrobot and Reachy 2 do not
close the last 15 degrees to the body."""
HELD_OUT_DEG = {('icub3', 'rest'): 18.5}
"""The shoulder of iCub 3 keeps the arm out by 14 degrees, and its elbow would have to stand
sideways for the forearm to hang."""
PLACES_DEG = 3.0
HEAD_JOINTS = {
    'ari': ('head_2_joint', 1, 'head_1_joint', 1),
    'baxter': (None, 0, 'head_pan', 1),
    'ergocub': ('neck_pitch', -1, 'neck_yaw', 1),
    'fourier_gr1': ('head_pitch_joint', 1, 'head_yaw_joint', 1),
    'fourier_gr3': ('head_pitch_joint', 1, 'head_yaw_joint', 1),
    'humanoid': ('head_pitch', 1, 'head_yaw', 1),
    'icub2': ('neck_pitch', -1, 'neck_yaw', 1),
    'icub3': ('neck_pitch', -1, 'neck_yaw', 1),
    'nao': ('HeadPitch', 1, 'HeadYaw', 1),
    'pepper': ('HeadPitch', 1, 'HeadYaw', 1),
    'poppy_humanoid': ('head_y', -1, 'head_z', 1),
    'poppy_torso': ('head_y', -1, 'head_z', 1),
    'qtrobot': ('HeadPitch', 1, 'HeadYaw', 1),
    'reachy2': ('neck_pitch', 1, 'neck_yaw', 1),
    'talos': ('head_1_joint', 1, 'head_2_joint', 1),
    'tiago_dual': ('head_2_joint', -1, 'head_1_joint', 1),
    'tiago_pro': ('head_2_joint', -1, 'head_1_joint', 1),
}
"""Joint that bows the head and its sign, joint that turns it to the left and its sign."""
STARTS = 10
NEIGHBOURS = 2


def part_of(kind: str) -> str:
    return kind if kind in ('torso', 'head') else 'arms'


def declared_pose(name: str, kind: str) -> str:
    """Return the pose under which a robot declares what it cannot: hanging arms are rest."""
    return 'rest' if kind in SIDES and hangs(name, kind) else name


def rows_of(world: Robot, kind: str) -> tuple[list[str], list[str]]:
    """Return which directions make a part, and the joints that turn them."""
    if kind in SIDES:
        arm = next(arm for arm in world.profile.arms if arm.side == kind)
        return [f'{kind} upper arm', f'{kind} forearm'], list(arm.joints)
    part = world.profile.torso if kind == 'torso' else world.profile.head
    return [kind], [] if part is None else list(part.joints)


def nearest_deg(world: Robot, name: str, kind: str, starts: list[np.ndarray]) -> float:
    """Return the least miss of a part that a search from some joint positions finds."""
    rows, joints = rows_of(world, kind)
    profile, wanted = world.profile, wanted_parts(name)
    columns = [profile.joint_names.index(joint) for joint in joints]
    if not columns:
        return world.errors_deg(name, profile.rest_positions)[kind]
    lower, upper = profile.limits.lower[columns], profile.limits.upper[columns]

    def whole(some: np.ndarray) -> np.ndarray:
        positions = profile.rest_positions.copy()
        positions[columns] = some
        return positions

    def missed(some: np.ndarray) -> np.ndarray:
        shown = world.shown(whole(some))
        return np.concatenate([shown[row] - wanted[row] for row in rows])

    best = 180.0
    for start in starts:
        inside = np.clip(start[columns], lower + 1e-6, upper - 1e-6)
        found = least_squares(missed, inside, bounds=(lower, upper), max_nfev=40)
        shown = world.shown(whole(found.x))
        best = min(best, max(degrees_between(shown[row], wanted[row]) for row in rows))
        if best <= TOLERANCE_DEG[kind]:
            break
    return best


def anywhere(world: Robot, seed: int = 7) -> list[np.ndarray]:
    random, limits = np.random.default_rng(seed), world.profile.limits
    return [random.uniform(limits.lower, limits.upper) for _ in range(STARTS)]


def test_the_poses_are_those_that_profiles_name():
    assert set(POSES) == set(CANONICAL_POSES)


def test_there_are_twenty_robots_and_their_heads_are_known():
    assert len(ROBOTS) >= 20
    heads = {name for name in ROBOTS if load_profile(name).head is not None}
    assert heads == set(HEAD_JOINTS)


@pytest.mark.parametrize('before', [None, CLASPED], ids=['from rest', 'from clasped hands'])
@pytest.mark.parametrize('name', ROBOTS)
def test_canonical_poses_come_out_or_are_declared(name, before):
    """With the weights that ship: hands are drawn together only where a person's are."""
    world = robot(name)
    declared = {(entry.pose, entry.part) for entry in world.profile.cannot}
    for pose in POSES:
        for kind, error in world.errors_deg(pose, world.settled(pose, before)).items():
            stands_for = declared_pose(pose, kind)
            if (stands_for, part_of(kind)) not in declared:
                allowed = HELD_OUT_DEG.get((name, stands_for), TOLERANCE_DEG[kind])
                assert error <= allowed, f'{pose}: {kind} is off by {error:.1f} degrees'


@pytest.mark.parametrize('name', [name for name in ROBOTS if load_profile(name).cannot])
def test_what_a_robot_declares_impossible_is(name):
    world = robot(name)
    for entry in world.profile.cannot:
        # One arm is enough, as robots are the same on both sides.
        one_arm = 'right' if entry.pose == 'point_right' else 'left'
        for kind in (one_arm if entry.part == 'arms' else entry.part,):
            where = f'{entry.pose}: {kind}'
            reach = nearest_deg(world, entry.pose, kind, anywhere(world))
            if entry.cause == 'limits':
                assert reach > TOLERANCE_DEG[kind], f'{where} is reached to {reach:.1f} degrees'
            else:
                assert reach <= TOLERANCE_DEG[kind], f'{where} is not reached, cause is limits'
                near = nearest_deg(world, entry.pose, kind, [world.settled(entry.pose)])
                assert near > TOLERANCE_DEG[kind], f'{where} is reached to {near:.1f} degrees'


@pytest.mark.parametrize('name', ROBOTS)
def test_frames_agree_with_where_joints_are(name):
    """Left is where the left shoulder is, arms point from shoulder to wrist."""
    world = robot(name)
    still = np.zeros(len(world.profile.joint_names))
    world.shown(still)
    left, right = (world.data.oMi[world.bends[side][0].joint].act(world.bends[side][0].place)
                   for side in SIDES)
    for part in (world.profile.root, world.profile.torso):
        placement = world.data.oMf[world.model.getFrameId(part.link)].rotation
        assert degrees_between(placement @ part.frame[:, 1], left - right) < PLACES_DEG
        assert degrees_between(placement @ part.frame[:, 2], [0.0, 0.0, 1.0]) < PLACES_DEG
    shown = world.shown(still)
    for arm in world.profile.arms:
        chest = world._frame(world.profile.torso)
        for what, link, direction in (('upper arm', arm.upper_arm_link, arm.upper_arm),
                                      ('forearm', arm.forearm_link, arm.forearm)):
            stated = world.data.oMf[world.model.getFrameId(link)].rotation @ direction
            allowed = 10.0 if name == 'nao' else PLACES_DEG  # NAO's stands beside its elbow
            assert degrees_between(chest.T @ stated, shown[f'{arm.side} {what}']) < allowed


@pytest.mark.parametrize('name', sorted(HEAD_JOINTS))
def test_the_head_bows_and_turns_by_the_signs_of_the_maker(name):
    world = robot(name)
    bow, down, yaw, left = HEAD_JOINTS[name]
    names, rest = world.profile.joint_names, world.profile.rest_positions
    if bow is not None:
        assert down * (world.settled('nod') - rest)[names.index(bow)] > np.radians(5.0)
    assert left * (world.settled('shake') - rest)[names.index(yaw)] > np.radians(25.0)


@pytest.mark.parametrize('name', ROBOTS)
def test_the_rest_posture_is_hanging_arms(name):
    world = robot(name)
    positions, rest = world.settled('rest'), world.profile.rest_positions
    assert np.abs(positions - rest).max() < 0.05


@pytest.mark.parametrize('name', ROBOTS)
def test_limits_are_for_people_nearby(name):
    profile = load_profile(name)
    limits, wrists = profile.limits, {
        joint for arm in profile.arms for joint in arm.joints[-4:]} | {
        joint.name for arm in profile.arms for joint in arm.closing}
    for index, joint in enumerate(profile.joint_names):
        velocity, acceleration = limits.velocity[index], limits.acceleration[index]
        top = 1.5 if joint in profile.torso.joints else 7.0 if joint in wrists else 5.0
        assert 0.3 <= velocity <= top, joint
        assert 4.0 <= acceleration / velocity <= 15.0, joint
        assert 8.0 <= limits.jerk[index] / acceleration <= 25.0, joint


@pytest.mark.parametrize('name', ROBOTS)
def test_every_joint_goes_to_one_place_in_ros(name):
    interface = load_profile(name).interface
    if name == 'humanoid':
        assert not interface.controllers and not interface.adapters and interface.notes
        return
    assert bool(interface.controllers) != bool(interface.adapters)
    for output in (*interface.controllers, *interface.adapters):
        assert output.topic.startswith('/') and output.joints


@pytest.mark.parametrize('name', ROBOTS)
def test_at_rest_only_neighbours_touch(name):
    mujoco = pytest.importorskip('mujoco')
    profile = load_profile(name)
    model = mujoco.MjModel.from_xml_path(str(profile.urdf_path))
    data = mujoco.MjData(model)
    for joint, position in zip(profile.joint_names, profile.rest_positions):
        data.qpos[model.joint(joint).qposadr[0]] = position
    mujoco.mj_forward(model, data)
    in_arms = {joint for arm in profile.arms for joint in arm.joints}
    shoulders = {arm.joints[0] for arm in profile.arms}
    for contact in data.contact:
        links = [model.body(model.geom_bodyid[geom]).name
                 for geom in (contact.geom1, contact.geom2)]
        one, other = (set(profile.urdf.joints_to(link)) if link != 'world' else set()
                      for link in links)
        moving = {joint for joint in one ^ other if profile.urdf.joints[joint].kind != 'fixed'}
        if moving & in_arms and not one & other & shoulders:
            assert len(moving) <= NEIGHBOURS, f'{links[0]} touches {links[1]}'


@pytest.mark.parametrize('tool', ['build_profiles', 'robots_page'])
def test_generated_files_are_up_to_date(tool):
    spec = importlib.util.spec_from_file_location(tool, ROOT / f'tools/{tool}.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    assert module.main(['--check']) == 0
