"""What Gazebo is given: the humanoid's SDF is its URDF, every robot and the world are valid."""
from __future__ import annotations

from collections.abc import Iterator
import importlib.util
from pathlib import Path
import shutil
import subprocess
import sys
from types import ModuleType
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from gesture_node.exceptions import RobotError
from gesture_node.gazebo import model, outputs
from gesture_node.gazebo.bodies import joint_loads, link_frames, lowest_point_m
from gesture_node.gazebo.rotors import ROTOR_SHARE
from gesture_node.motion.robot import load_profile, profile_names
from gesture_node.motion.urdf import MOVING_TYPES, parse_urdf
from gesture_node.resources import share_path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).parent / 'gazebo'))
HUMANOID = ROOT / 'models' / 'humanoid'
SDF = (HUMANOID / 'model.sdf').read_text(encoding='utf-8')
WORLD = ROOT / 'worlds' / 'gesture.sdf'
URDF = ET.parse(HUMANOID / 'humanoid.urdf').getroot()
CHECK_SDF = ['gz', 'sdf', '-k'] if shutil.which('gz') else ['ign', 'sdf', '-k']
needs_sdf_checker = pytest.mark.skipif(
    shutil.which(CHECK_SDF[0]) is None,
    reason='needs gz or ign with libsdformat (Debian: ignition-tools libsdformat-dev)')
needs_check_urdf = pytest.mark.skipif(
    shutil.which('check_urdf') is None, reason='needs check_urdf (Debian: liburdfdom-tools)')


def ways(name: str) -> Iterator[tuple[str, str]]:
    """Return file name and text of what is spawned for a robot, in both ways."""
    profile = load_profile(name)
    yield model.spawned_model(profile, [model.ros2_control_plugin(Path('/tmp/controllers.yaml'))])
    yield model.spawned_model(profile, model.trajectory_plugins(profile))


def by_name(root: ET.Element, tag: str) -> dict[str, ET.Element]:
    found = {element.get('name', ''): element for element in root.iter(tag)}
    assert len(found) == len(list(root.iter(tag))), f'a {tag} of the same name twice'
    return found


def build_sdf() -> ModuleType:
    spec = importlib.util.spec_from_file_location('build_sdf', ROOT / 'tools' / 'build_sdf.py')
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_the_sdf_is_what_the_urdf_gives() -> None:
    assert build_sdf().main(['--check']) == 0


def test_model_config_names_the_file() -> None:
    config = ET.parse(HUMANOID / 'model.config').getroot()
    sdf = config.find('sdf')
    assert sdf is not None and (HUMANOID / (sdf.text or '')).is_file()
    assert sdf.get('version') == ET.fromstring(SDF).get('version') == '1.9'


def test_joints_and_limits_are_the_urdfs() -> None:
    joints = {name: joint for name, joint in by_name(ET.fromstring(SDF)[0], 'joint').items()
              if name != 'fixed_to_world'}
    wanted = by_name(URDF, 'joint')
    assert list(joints) == list(wanted)
    for name, joint in joints.items():
        own = wanted[name]
        for end in ('parent', 'child'):
            assert joint.findtext(end) == own.find(end).get('link')
        assert joint.get('type') == own.get('type')
        for key, value in (() if (limit := own.find('limit')) is None else limit.attrib.items()):
            assert float(joint.findtext(f'axis/limit/{key}')) == float(value), (name, key)
        if own.find('dynamics') is not None:
            damping = float(joint.findtext('axis/dynamics/damping'))
            assert damping == float(own.find('dynamics').get('damping'))


@pytest.mark.parametrize('seed', [None, 1, 2])
def test_links_are_where_the_urdf_has_them(seed: int | None) -> None:
    """By MuJoCo and an own reading of SDF's poses on one side, Pinocchio on the other."""
    mujoco = pytest.importorskip('mujoco')
    import pinocchio
    from sdf_physics import compile_sdf

    robot = compile_sdf(SDF)
    data = mujoco.MjData(robot)
    other = pinocchio.buildModelFromXML(ET.tostring(URDF, encoding='unicode'))
    pose, kinematics = pinocchio.neutral(other), other.createData()
    if seed is not None:
        data.qpos[:] = np.random.default_rng(seed).uniform(*robot.jnt_range.T)
        for k in range(robot.njnt):
            pose[other.joints[other.getJointId(robot.joint(k).name)].idx_q] = data.qpos[k]
    mujoco.mj_kinematics(robot, data)
    pinocchio.framesForwardKinematics(other, kinematics, pose)
    floor = data.body('pelvis').xpos.copy()
    for link in by_name(URDF, 'link'):
        frame = kinematics.oMf[other.getFrameId(link)]
        assert np.allclose(data.body(link).xpos - floor, frame.translation, atol=1e-5), link
        assert np.allclose(data.body(link).xmat.reshape(3, 3), frame.rotation, atol=1e-5), link
    assert floor == pytest.approx([0.0, 0.0, 0.911], abs=1e-6)


def test_masses_are_the_urdfs_and_inertias_those_of_bodies() -> None:
    links, joints = by_name(ET.fromstring(SDF), 'link'), by_name(URDF, 'joint')
    loads = joint_loads(URDF)
    rotor = {joint.find('child').get('link'): ROTOR_SHARE * loads[name].largest_inertia
             for name, joint in joints.items() if name in loads}
    for name, own in by_name(URDF, 'link').items():
        mass = links[name].findtext('inertial/mass')
        assert float(mass) == float(own.find('inertial/mass').get('value')) > 0.0
        heavier, lighter = np.zeros((3, 3)), np.zeros((3, 3))
        for i, j, key in ((0, 0, 'ixx'), (1, 1, 'iyy'), (2, 2, 'izz'),
                          (0, 1, 'ixy'), (0, 2, 'ixz'), (1, 2, 'iyz')):
            heavier[i, j] = heavier[j, i] = float(links[name].findtext(f'inertial/inertia/{key}'))
            lighter[i, j] = lighter[j, i] = float(own.find('inertial/inertia').get(key))
        assert np.allclose(heavier, lighter + rotor.get(name, 0.0) * np.eye(3), rtol=1e-4), name
        moments = np.linalg.eigvalsh(heavier)
        assert moments[0] > 0.0 and moments[0] + moments[1] >= moments[2], name


def test_capsules_stand_for_a_cylinder_with_two_balls() -> None:
    for name, link in by_name(ET.fromstring(SDF), 'link').items():
        own = URDF.find(f"link[@name='{name}']")
        for role in ('collision', 'visual'):
            shapes = [shape.find('geometry')[0] for shape in link.findall(role)]
            wanted = [shape.find('geometry')[0] for shape in own.findall(role)]
            count = {tag: sum(shape.tag == tag for shape in shapes)
                     for tag in ('capsule', 'cylinder', 'sphere', 'box')}
            limbs = count['capsule']
            assert limbs + count['cylinder'] == sum(s.tag == 'cylinder' for s in wanted)
            assert 2 * limbs + count['sphere'] == sum(s.tag == 'sphere' for s in wanted)
            lengths = sorted(float(s.findtext('length')) for s in shapes
                             if s.tag in ('capsule', 'cylinder'))
            assert lengths == sorted(float(s.get('length')) for s in wanted
                                     if s.tag == 'cylinder')


@pytest.mark.parametrize('name', profile_names())
def test_plugins_name_the_robots_joints(name: str) -> None:
    profile = load_profile(name)
    *followers, states = model.trajectory_plugins(profile)
    topics = [follower.findtext('topic') for follower in followers]
    assert len(set(topics)) == len(topics) and states.findtext('topic') not in topics
    joints = [item.text for follower in followers for item in follower.findall('joint_name')]
    moving = {joint.name for joint in profile.urdf.joints.values()
              if joint.kind in MOVING_TYPES}
    assert sorted(joints) == sorted(moving) and set(profile.joint_names) <= moving
    commanded = [item.text for output, follower in zip(outputs.outputs(profile), followers)
                 for item in follower.findall('joint_name')]
    assert sorted(commanded) == sorted(profile.joint_names)
    for follower in followers:
        names = [item.text for item in follower.findall('joint_name')]
        starts = [float(item.text) for item in follower.findall('initial_position')]
        assert len(starts) == len(names)
        for joint, start in zip(names, starts):
            limits = profile.urdf.joints[joint]
            assert limits.lower - 1e-6 <= start <= limits.upper + 1e-6, joint


@pytest.mark.parametrize('name', profile_names())
def test_gains_carry_the_load_and_are_stable(name: str) -> None:
    for joint, load in joint_loads(model.simulated_urdf(load_profile(name))).items():
        gains = model.gains_of(load)
        assert gains.stiffness * 0.0101 >= load.weight, joint
        assert gains.damping * model.STEP_S < 0.5 * (
            load.smallest_inertia + model.STEP_S * load.damping), joint
        assert 0.0 < load.smallest_inertia <= load.largest_inertia, joint


@pytest.mark.parametrize('name', profile_names())
def test_ros2_control_commands_every_joint_that_mimics_none(name: str) -> None:
    profile = load_profile(name)
    root = ET.fromstring(model.controlled_description(profile))
    systems = root.findall('ros2_control')
    assert len(systems) == 1 and systems[0].findtext('hardware/plugin') == (
        'gz_ros2_control/GazeboSimSystem')
    joints = by_name(systems[0], 'joint')
    moving = {j.name: j for j in profile.urdf.joints.values() if j.kind in MOVING_TYPES}
    assert set(joints) == set(moving) >= set(profile.joint_names)
    for joint, element in joints.items():
        assert (element.find('command_interface') is None) == bool(moving[joint].mimics)
        states = {state.get('name') for state in element.findall('state_interface')}
        assert states == {'position', 'velocity'}
        start = float(element.findtext('state_interface/param'))
        assert moving[joint].lower - 1e-6 <= start <= moving[joint].upper + 1e-6
    # The description stays a URDF that everything else here can read.
    assert parse_urdf(ET.tostring(root, encoding='unicode'), name).joints == profile.urdf.joints


@pytest.mark.parametrize('name', profile_names())
def test_robots_stand_on_the_ground(name: str) -> None:
    for file, text in ways(name):
        root = ET.fromstring(text)
        if file.endswith('.sdf'):
            continue
        urdf = parse_urdf(text, name)
        assert lowest_point_m(root, urdf, {}) == pytest.approx(0.0, abs=1e-5) or (
            load_profile(name).urdf.root_link == 'world')
        assert urdf.root_link == 'world'
        frames = link_frames(root, urdf, {})
        assert set(frames) == set(urdf.links)
        assert len(root.findall('gazebo')) == 1 and root.find('.//mimic') is None


def test_the_lowest_point_of_turned_shapes() -> None:
    root = ET.fromstring(
        '<robot name="r"><link name="a"><collision><origin xyz="0 0 1" rpy="0 1.5707963267949 0"/>'
        '<geometry><cylinder radius="0.2" length="3"/></geometry></collision></link>'
        '<link name="b"><collision><geometry><box size="1 2 4"/></geometry></collision></link>'
        '<joint name="j" type="revolute"><parent link="a"/><child link="b"/>'
        '<origin xyz="0 0 0.5"/><axis xyz="1 0 0"/><limit lower="-2" upper="2"/></joint></robot>')
    urdf = parse_urdf(ET.tostring(root, encoding='unicode'), 'r')
    assert lowest_point_m(root, urdf, {}) == pytest.approx(-1.5)
    assert lowest_point_m(root, urdf, {'j': np.pi / 2}) == pytest.approx(-0.5)
    root.remove(root.findall('link')[1])
    root.remove(root.find('joint'))
    lone = parse_urdf(ET.tostring(root, encoding='unicode'), 'r')
    assert lowest_point_m(root, lone, {}) == pytest.approx(0.8)


def test_a_joint_that_carries_nothing_is_refused() -> None:
    root = ET.fromstring(
        '<robot name="r"><link name="a"/><link name="b"/><joint name="j" type="revolute">'
        '<parent link="a"/><child link="b"/><axis xyz="1 0 0"/>'
        '<limit lower="-1" upper="1" effort="1" velocity="1"/></joint></robot>')
    with pytest.raises(RobotError, match="joint 'j' of 'r' carries no mass; .* in link 'b'"):
        joint_loads(root)


def test_the_world_runs_what_is_spawned_into_it() -> None:
    world = ET.parse(WORLD).getroot().find('world')
    systems = {plugin.get('filename'): plugin.get('name') for plugin in world.findall('plugin')}
    assert systems == {
        'gz-sim-physics-system': 'gz::sim::systems::Physics',
        'gz-sim-user-commands-system': 'gz::sim::systems::UserCommands',
        'gz-sim-scene-broadcaster-system': 'gz::sim::systems::SceneBroadcaster'}
    assert float(world.findtext('physics/max_step_size')) == model.STEP_S
    assert float(world.findtext('physics/real_time_factor')) == 1.0
    assert share_path('worlds', 'gesture.sdf') == WORLD


def test_the_control_rate_fits_the_physics() -> None:
    step = 1.0 / outputs.control_rate_hz() / model.STEP_S
    assert step == pytest.approx(round(step)) and step >= 1.0
    # Beyond 1 a joint under gz_ros2_control would overshoot its command.
    assert 0.0 < model.POSITION_GAIN <= 1.0


@needs_sdf_checker
def test_files_that_ship_are_valid_sdf() -> None:
    for path in (HUMANOID / 'model.sdf', WORLD):
        assert problems(path) == ''


@needs_sdf_checker
@pytest.mark.parametrize('name', ['humanoid', 'nao', 'unitree_g1'])
def test_what_is_spawned_is_valid(tmp_path: Path, name: str) -> None:
    for file, text in ways(name):
        (tmp_path / file).write_text(text, encoding='utf-8')
        assert problems(tmp_path / file) == ''


def problems(path: Path) -> str:
    """Return what the checker says, without what it always says."""
    done = subprocess.run([*CHECK_SDF, str(path)], capture_output=True, text=True)
    lines = (done.stdout + done.stderr).splitlines()
    assert 'Valid.' in lines, f'{path.name}: {lines}'
    return '\n'.join(line for line in lines if line.startswith(('Error', 'Warning')))


@needs_sdf_checker
def test_the_checker_sees_what_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / 'model.sdf'
    wrong.write_text(SDF.replace('<parent>torso</parent>', '<parent>tail</parent>', 1))
    with pytest.raises(AssertionError):
        problems(wrong)


@needs_check_urdf
@pytest.mark.parametrize('describe', [model.controlled_description, model.plain_description])
def test_descriptions_are_valid_urdf(tmp_path: Path, describe: object) -> None:
    for name in profile_names():
        path = tmp_path / 'robot.urdf'
        path.write_text(describe(load_profile(name)), encoding='utf-8')  # type: ignore[operator]
        done = subprocess.run(['check_urdf', str(path)], capture_output=True, text=True)
        assert done.returncode == 0, f'{name}: {done.stdout}{done.stderr}'
