"""Gazebo's launch file: what it starts for every robot in either way, names that fit together."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
import itertools
from pathlib import Path
import re
import sys
from types import ModuleType, SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from gesture_node import gazebo_logic, launch_logic
from gesture_node.config import GestureConfig, walk
from gesture_node.exceptions import ConfigError, RobotError
from gesture_node.gazebo import outputs
from gesture_node.gazebo_logic import GAZEBO_ARGUMENTS, GazeboPlan
from gesture_node.motion.robot import load_profile, profile_names
from gesture_node.resources import share_path
from gesture_node.ros.audio_source_config import AudioSourceConfig
from gesture_node.ros.node_config import NodeConfig

ROOT = Path(__file__).parents[1]
LAUNCH = ROOT / 'launch' / 'gazebo.launch.py'
TRAJECTORY = 'trajectory_msgs/msg/JointTrajectory'
TYPES = {'rosgraph_msgs/msg/Clock': 'gz.msgs.Clock', 'sensor_msgs/msg/JointState': 'gz.msgs.Model',
         TRAJECTORY: 'gz.msgs.JointTrajectory'}
WAYS = ('true', 'false')


def planned(folder: Path, **given: str) -> GazeboPlan:
    return gazebo_logic.plan({**launch_logic.defaults(GAZEBO_ARGUMENTS), **given}, folder)


def read(folder: Path, name: str) -> Any:
    return yaml.safe_load((folder / name).read_text(encoding='utf-8'))


def spawned(made: GazeboPlan) -> Path:
    arguments = made.steps[0].arguments
    return Path(arguments[arguments.index('-file') + 1])


def published(made: GazeboPlan, robot: str) -> set[str]:
    """Return the trajectory topics of gesture_node after its remappings."""
    renamed = dict(made.nodes[0].remappings)
    return {renamed.get(topic, topic) for topic in (
        {output.topic for output in outputs.outputs(load_profile(robot))})}


def test_every_combination_is_a_plan(tmp_path: Path) -> None:
    for number, (headless, control, audio, robot) in enumerate(itertools.product(
            WAYS, WAYS, ('', 'none'), ('humanoid', 'nao'))):
        folder = tmp_path / str(number)
        folder.mkdir()
        made = planned(folder, headless=headless, use_ros2_control=control, audio=audio,
                       robot=robot)
        words = made.simulator['gz_args'].split()
        assert ('-s' in words) == (headless == 'true') and words[0] == '-r'
        assert Path(words[-1]) == share_path('worlds', 'gesture.sdf')
        assert made.simulator['on_exit_shutdown'] == 'true'
        assert spawned(made).is_file()
        assert [spec.executable for spec in made.beside] == [
            'parameter_bridge', 'robot_state_publisher']
        assert [spec.executable for spec in made.steps] == ['create'] + 2 * ['spawner'] * (
            control == 'true')
        assert [node.executable for node in made.nodes] == [
            'gesture_node', *(['audio_source'] if audio == '' else [])]
        needed = {spec.package for spec in (*made.beside, *made.steps)} | {'ros_gz_sim'}
        assert needed <= set(made.packages)
        assert ('gz_ros2_control' in made.packages) == (control == 'true')
        assert str(ROOT / 'models') in made.resource_folders


@pytest.mark.parametrize('robot', profile_names())
def test_own_plugins_and_bridge_agree(tmp_path: Path, robot: str) -> None:
    made = planned(tmp_path, robot=robot, use_ros2_control='false')
    plugins = {plugin.findtext('topic'): plugin
               for plugin in ET.parse(spawned(made)).getroot().iter('plugin')}
    bridged: set[str] = set()
    for entry in read(tmp_path, 'bridge.yaml'):
        assert TYPES[entry['ros_type_name']] == entry['gz_type_name']
        goes_in = entry['ros_type_name'] == TRAJECTORY
        assert entry['direction'] == ('ROS_TO_GZ' if goes_in else 'GZ_TO_ROS')
        if entry['ros_topic_name'] != '/clock':
            plugin = plugins.pop(entry['gz_topic_name'])
            kind = 'JointTrajectoryController' if goes_in else 'JointStatePublisher'
            assert plugin.get('name') == f'gz::sim::systems::{kind}'
        if goes_in:
            bridged.add(entry['ros_topic_name'])
    assert bridged == published(made, robot)
    # What is left is held, by a plugin that nobody talks to.
    profile = load_profile(robot)
    assert len(plugins) == bool(outputs.held_joints(profile))
    # Names of topics in Gazebo may not hold just any character.
    assert re.fullmatch(r'\w+', outputs.model_name(profile))
    assert made.steps[0].arguments[:2] == ('-name', outputs.model_name(profile))


@pytest.mark.parametrize('robot', profile_names())
def test_controllers_take_every_joint_once(tmp_path: Path, robot: str) -> None:
    made, profile = planned(tmp_path, robot=robot), load_profile(robot)
    parameters = read(tmp_path, 'controllers.yaml')
    plugin = ET.parse(spawned(made)).getroot().findall('.//plugin')
    assert len(plugin) == 1 and plugin[0].findtext('parameters') == str(
        tmp_path / 'controllers.yaml')
    manager = parameters['controller_manager']['ros__parameters']
    followers = [name for name, part in manager.items() if isinstance(part, dict)
                 and part['type'].endswith('/JointTrajectoryController')]
    joints = [joint for name in followers
              for joint in parameters[name]['ros__parameters']['joints']]
    assert sorted(joints) == sorted(profile.joint_names)
    assert manager['use_sim_time'] is True
    started = [spec.arguments[0] for spec in made.steps[1:]]
    assert started[0] == 'joint_state_broadcaster' and set(started[1:]) == set(followers)
    assert published(made, robot) == {f'/{name}/joint_trajectory' for name in followers}
    commanded = {joint.get('name') for joint in
                 ET.fromstring(made.beside[1].parameters['robot_description']).findall(
                     'ros2_control/joint') if joint.find('command_interface') is not None}
    assert set(joints) <= commanded
    assert [entry['ros_topic_name'] for entry in read(tmp_path, 'bridge.yaml')] == ['/clock']


def test_the_files_that_ship_are_the_humanoids() -> None:
    profile, folder = load_profile('humanoid'), ROOT / 'config' / 'gazebo'
    assert read(folder, 'bridge.yaml') == outputs.bridge_entries(profile, False)
    assert read(folder, 'controllers.yaml') == outputs.controller_parameters(profile)


def test_controllers_splice_streamed_trajectories() -> None:
    follower = read(ROOT / 'config' / 'gazebo', 'controllers.yaml')[
        'joint_trajectory_controller']['ros__parameters']
    assert follower['command_interfaces'] == ['position']
    assert follower['state_interfaces'] == ['position', 'velocity']
    assert follower['interpolate_from_desired_state'] is True
    assert follower['allow_trajectory_replacement'] is False
    assert follower['constraints'] == {'stopped_velocity_tolerance': 0.0, 'goal_time': 0.0}


@pytest.mark.parametrize('way', WAYS)
def test_everything_follows_simulated_time_with_parameters_that_exist(
        tmp_path: Path, way: str) -> None:
    made = planned(tmp_path, use_ros2_control=way)
    known = {name for name, _, _ in itertools.chain(
        walk(GestureConfig()), walk(NodeConfig()), walk(AudioSourceConfig()))}
    for node in made.nodes:
        merged: dict[str, Any] = {}
        for part in node.parameters:
            merged |= part if isinstance(part, dict) else {}
        assert merged.pop('use_sim_time') is True
        assert set(merged) <= known | {'autostart'}
    assert all(spec.parameters['use_sim_time'] is True for spec in made.beside)


def test_the_plugin_without_stamps_gets_none(tmp_path: Path) -> None:
    overrides = [planned(tmp_path, use_ros2_control=way).nodes[0].parameters[-1] for way in WAYS]
    assert [part.get('output.stamp_policy') for part in overrides] == [None, 'zero']
    assert [part.get('output.accelerations') for part in overrides] == [None, False]


def test_robots_with_controllers_of_their_own_keep_them(tmp_path: Path) -> None:
    for robot in profile_names():
        profile = load_profile(robot)
        own = profile.interface.controllers
        choice = planned(tmp_path, robot=robot).nodes[0].parameters[-1]['output.controllers']
        assert choice == ('profile' if own else 'none')
        if own:
            assert outputs.outputs(profile) == own


def test_controllers_are_those_of_the_real_robots_files() -> None:
    for robot in profile_names():
        own = yaml.safe_load(share_path('config', 'controllers', f'{robot}.yaml').read_text())
        made = outputs.controller_parameters(load_profile(robot))
        assert set(made) == {name for name in own if name.endswith(('controller', 'manager'))}
        for name in set(made) - {'controller_manager'}:
            mine, real = (part[name]['ros__parameters'] for part in (made, own))
            assert mine['joints'] == real['joints'], f'{robot}: {name}'
            assert mine['command_interfaces'] == real['command_interfaces'] == ['position']


@pytest.mark.parametrize('given,sentence', [
    ({'robot': 'r2d2'}, "unknown robot 'r2d2'"),
    ({'headless': 'maybe'}, "headless must be true or false, got 'maybe'"),
    ({'use_ros2_control': '2'}, "use_ros2_control must be true or false, got '2'"),
    ({'world': '/nowhere.sdf'}, "world: there is no file '/nowhere.sdf'"),
    ({'audio': '/nowhere.wav'}, "audio: there is no file '/nowhere.wav'")])
def test_what_cannot_be_started_is_one_sentence(
        tmp_path: Path, given: dict[str, str], sentence: str) -> None:
    with pytest.raises((ConfigError, RobotError), match=re.escape(sentence)):
        planned(tmp_path, **given)


def test_a_world_in_a_folder_with_a_space(tmp_path: Path) -> None:
    world = tmp_path / 'my world.sdf'
    world.write_text('<sdf version="1.9"><world name="w"/></sdf>')
    assert planned(tmp_path, world=str(world)).simulator['gz_args'].endswith(f"'{world}'")


class Recorded(SimpleNamespace):
    """An action of ``launch`` that only remembers what it was given."""


def record(kind: str) -> Callable[..., Recorded]:
    return lambda *args, **kwargs: Recorded(kind=kind, args=args, **kwargs)


class LaunchConfiguration:
    def __init__(self, name: str) -> None:
        self.name = name

    def perform(self, context: dict[str, str]) -> str:
        return context[self.name]


class PackageNotFoundError(LookupError):
    pass


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """The part of ``launch`` and ``launch_ros`` that is used; the set says which packages are."""
    packages = {'ros_gz_sim', 'ros_gz_bridge', 'robot_state_publisher', 'gz_ros2_control',
                'controller_manager', 'joint_state_broadcaster', 'joint_trajectory_controller'}

    def share(package: str) -> str:
        if package not in packages:
            raise PackageNotFoundError(package)
        return f'/opt/ros/share/{package}'

    def module(name: str, **contents: Any) -> None:
        created = ModuleType(name)
        created.__dict__.update(contents)
        monkeypatch.setitem(sys.modules, name, created)

    module('launch', LaunchDescription=list)
    module('launch.actions', **{name: record(name) for name in (
        'DeclareLaunchArgument', 'OpaqueFunction', 'Shutdown', 'AppendEnvironmentVariable',
        'IncludeLaunchDescription', 'RegisterEventHandler')})
    module('launch.event_handlers', OnProcessExit=record('OnProcessExit'))
    module('launch.launch_description_sources', PythonLaunchDescriptionSource=record('source'))
    module('launch.substitutions', LaunchConfiguration=LaunchConfiguration)
    module('launch_ros')
    module('launch_ros.actions', Node=record('Node'))
    module('launch_ros.parameter_descriptions', ParameterValue=record('value'))
    module('ament_index_python')
    module('ament_index_python.packages', get_package_share_directory=share,
           PackageNotFoundError=PackageNotFoundError)
    yield packages


def launched(**given: str) -> list[Recorded]:
    loader = SourceFileLoader('gazebo_launch_file', str(LAUNCH))
    loaded = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(loaded)
    *arguments, function = loaded.generate_launch_description()
    context = {item.args[0]: item.default_value for item in arguments}
    assert all(item.description for item in arguments) and set(given) <= set(context)
    return function.function({**context, **given})


def of_kind(actions: list[Recorded], kind: str) -> list[Recorded]:
    return [action for action in actions if action.kind == kind]


@pytest.mark.parametrize('way', WAYS)
def test_the_launch_file_starts_one_after_another(installed: set[str], way: str) -> None:
    actions = launched(use_ros2_control=way, headless='true')
    (environment,) = of_kind(actions, 'AppendEnvironmentVariable')
    assert environment.args[0] == 'GZ_SIM_RESOURCE_PATH'
    (simulator,) = of_kind(actions, 'IncludeLaunchDescription')
    assert simulator.args[0].args[0] == '/opt/ros/share/ros_gz_sim/launch/gz_sim.launch.py'
    assert ' -s ' in dict(simulator.launch_arguments)['gz_args']
    assert actions.index(environment) < actions.index(simulator)
    nodes = of_kind(actions, 'Node')
    assert [node.executable for node in nodes] == [
        'parameter_bridge', 'robot_state_publisher', 'create']
    # Handlers stand before the process they watch, or it could end unseen.
    handlers = of_kind(actions, 'RegisterEventHandler')
    assert max(map(actions.index, handlers)) < actions.index(nodes[-1])
    order, step = [], nodes[-1]
    for handler in handlers:
        assert handler.args[0].target_action is step
        following = handler.args[0].on_exit(SimpleNamespace(returncode=0), None)
        order += [node.executable for node in following]
        step = following[0]
    assert order == ['spawner', 'spawner'] * (way == 'true') + ['gesture_node', 'audio_source']


def test_a_step_that_fails_ends_the_launch(installed: set[str]) -> None:
    for handler in of_kind(launched(), 'RegisterEventHandler'):
        event = SimpleNamespace(returncode=1, process_name='create-4')
        (action,) = handler.args[0].on_exit(event, None)
        assert action.kind == 'Shutdown' and 'create-4 (step ' in action.reason
        assert action.reason.endswith('ended with exit code 1')


def test_descriptions_stay_text(installed: set[str]) -> None:
    publisher = of_kind(launched(), 'Node')[1]
    description = publisher.parameters[0]['robot_description']
    assert description.kind == 'value' and description.value_type is str
    assert description.args[0].startswith('<robot')


@pytest.mark.parametrize('missing,way', [
    ('ros_gz_sim', 'true'), ('gz_ros2_control', 'true'), ('ros_gz_bridge', 'false')])
def test_a_missing_package_is_named(installed: set[str], monkeypatch: pytest.MonkeyPatch,
                                    missing: str, way: str) -> None:
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    installed.remove(missing)
    wanted = f'needs the ROS package {missing}: apt install ros-jazzy-{missing.replace("_", "-")}'
    with pytest.raises(ConfigError, match=wanted):
        launched(use_ros2_control=way)


def test_own_plugins_need_no_ros2_control(installed: set[str]) -> None:
    installed -= {'gz_ros2_control', 'controller_manager', 'joint_state_broadcaster',
                  'joint_trajectory_controller'}
    assert launched(use_ros2_control='false')


def test_worlds_are_packaged() -> None:
    setup = (ROOT / 'setup.py').read_text(encoding='utf-8')
    folders = re.search(r'DATA_FOLDERS = \((.*?)\)', setup, re.DOTALL)
    assert folders is not None and "'worlds'" in folders[1]
    manifest = (ROOT / 'MANIFEST.in').read_text(encoding='utf-8')
    assert 'recursive-include worlds *' in manifest
