"""Launch files: what they start, and that they run against the interface of ``launch``."""
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
import sys
from types import ModuleType, SimpleNamespace

import pytest

from gesture_node import launch_logic
from gesture_node.config import GestureConfig, walk
from gesture_node.exceptions import ConfigError
from gesture_node.launch_logic import DEMO_ARGUMENTS, GESTURE_ARGUMENTS, PLAYER_ARGUMENTS
from gesture_node.ros.audio_source_config import AudioSourceConfig
from gesture_node.ros.player_config import PlayerConfig
from gesture_node.ros.sim_config import SimConfig
from gesture_node.sim.model import FOLLOW_LAG_S

LAUNCH = Path(__file__).parents[1] / 'launch'


def gesture(**given):
    return launch_logic.gesture_node({**launch_logic.defaults(GESTURE_ARGUMENTS), **given})


def demo(**given):
    return launch_logic.demo_nodes({**launch_logic.defaults(DEMO_ARGUMENTS), **given})


def test_the_parameter_file_keeps_the_last_word_on_what_is_not_given():
    spec = gesture()
    file, overrides = spec.parameters
    assert Path(file).name == 'gesture_node.yaml' and Path(file).is_file()
    assert overrides == {'use_sim_time': False}
    assert spec.remappings == () and spec.executable == 'gesture_node'


def test_given_arguments_become_typed_parameters_and_remappings():
    spec = gesture(robot='nao', autostart='False', use_sim_time='true', namespace='pepper',
                   require_joint_states='no', params_file='/tmp/mine.yaml', log_level='debug',
                   audio_topic='/audio_out/raw', trajectory_topic='/arms/joint_trajectory')
    assert spec.parameters == ('/tmp/mine.yaml', {
        'robot': 'nao', 'autostart': False, 'output.require_joint_states': False,
        'use_sim_time': True})
    assert dict(spec.remappings) == {
        'audio': '/audio_out/raw', 'joint_trajectory': '/arms/joint_trajectory'}
    assert spec.namespace == 'pepper' and spec.log_level == 'debug'


def test_overrides_are_parameters_that_exist():
    known = {name for name, _, _ in walk(GestureConfig())} | {
        'autostart', 'use_sim_time', 'urdf_source'}
    given = gesture(robot='nao', bundle='/b', autostart='1', require_joint_states='1',
                    urdf_source='topic')
    assert set(given.parameters[1]) <= known


def test_a_flag_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="autostart must be true or false, got 'maybe'"):
        gesture(autostart='maybe')


def test_the_demo_ends_after_its_sound_with_parameters_that_exist():
    simulator, node, source = demo(robot='nao')
    assert simulator.required and not node.required and not source.required
    assert set(source.parameters[0]) - {'use_sim_time'} <= {
        name for name, _, _ in walk(AudioSourceConfig())}
    assert set(simulator.parameters[0]) - {'use_sim_time'} <= {
        name for name, _, _ in walk(SimConfig())}
    assert simulator.parameters[0]['robot'] == node.parameters[1]['robot'] == 'nao'
    speech_s = simulator.parameters[0]['duration_s'] - (
        launch_logic.START_S + launch_logic.SETTLE_S)
    assert 10.0 <= speech_s <= 15.0


def test_a_demo_without_sound_is_refused(tmp_path):
    (tmp_path / 'x.wav').write_text('no sound')
    for path in (tmp_path / 'x.wav', tmp_path / 'missing.wav'):
        with pytest.raises(ConfigError, match='is no sound file'):
            demo(audio=str(path))


def test_the_player_takes_its_robot_and_topics_from_the_arguments():
    given = {**launch_logic.defaults(PLAYER_ARGUMENTS), 'robot': 'reachy2', 'namespace': 'r2',
             'use_sim_time': 'yes', 'trajectory_topic': '/plan'}
    spec = launch_logic.player_node(given)
    assert spec.executable == 'trajectory_player' and spec.namespace == 'r2'
    assert spec.parameters == ({'robot': 'reachy2', 'kind': 'profile', 'use_sim_time': True},)
    assert spec.remappings == (('joint_trajectory', '/plan'),)
    assert set(spec.parameters[0]) - {'use_sim_time'} <= {
        name for name, _, _ in walk(PlayerConfig())}


@pytest.fixture
def fake_launch(monkeypatch):
    """The part of ``launch`` and ``launch_ros`` that the files use, recording what they get."""
    class Recorded(SimpleNamespace):
        pass

    def record(kind):
        return lambda *args, **kwargs: Recorded(kind=kind, args=args, **kwargs)

    class LaunchConfiguration:
        def __init__(self, name):
            self.name = name

        def perform(self, context):
            return context[self.name]

    def module(name, **contents):
        created = ModuleType(name)
        created.__dict__.update(contents)
        monkeypatch.setitem(sys.modules, name, created)

    module('launch', LaunchDescription=list)
    module('launch.actions', DeclareLaunchArgument=record('argument'),
           OpaqueFunction=record('function'), Shutdown=record('shutdown'))
    module('launch.substitutions', LaunchConfiguration=LaunchConfiguration)
    module('launch_ros')
    module('launch_ros.actions', Node=record('node'))


def described(name):
    loader = SourceFileLoader('launch_file', str(LAUNCH / name))
    loaded = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(loaded)
    return loaded.generate_launch_description()


@pytest.mark.parametrize('name,executables', [
    ('gesture.launch.py', ['gesture_node']), ('player.launch.py', ['trajectory_player']),
    ('demo.launch.py', ['gesture_sim', 'gesture_node', 'audio_source'])])
def test_launch_files_start_their_nodes(fake_launch, name, executables):
    *arguments, start = described(name)
    context = {item.args[0]: item.default_value for item in arguments}
    assert all(item.kind == 'argument' and item.description for item in arguments)
    assert all(isinstance(value, str) for value in context.values())
    nodes = start.function(context)
    assert [node.executable for node in nodes] == executables
    assert all(node.package == 'gesture_node' and node.name == node.executable for node in nodes)
    assert [bool(node.on_exit) for node in nodes] == [
        name in ('gesture_sim', 'trajectory_player') for name in executables]


def test_the_simulated_robot_of_the_demo_is_led_as_its_drives_need():
    node = demo()[1]
    assert {k: v for values in node.parameters[1:] for k, v in values.items()}[
        'body.lead_s'] == FOLLOW_LAG_S
