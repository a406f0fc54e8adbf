"""What the launch files start, as plain values; importable and testable without ``launch``.

An argument left empty is not passed on, so that a parameter file keeps the last word on what the
command line does not mention.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import soundfile

from .exceptions import ConfigError
from .resources import PACKAGE_NAME, share_path

_TRUE, _FALSE = ('true', '1', 'yes', 'on'), ('false', '0', 'no', 'off')


@dataclass(frozen=True, slots=True)
class LaunchArgument:
    """One ``name:=value`` of a launch file.

    Attributes:
        name: what the user types.
        doc: shown by ``ros2 launch ... --show-args``.
        default: value when nothing is given; empty leaves the choice to the parameter file.
    """

    name: str
    doc: str
    default: str = ''


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One process to start.

    Attributes:
        executable: console script of this package; also the node's name.
        namespace: ROS namespace.
        parameters: parameter files and overrides, later ones win.
        remappings: (name in the code, name on this robot).
        log_level: severity from which messages are shown.
        required: whether the launch ends when this process does.
    """

    executable: str
    namespace: str
    parameters: tuple[str | dict[str, Any], ...]
    remappings: tuple[tuple[str, str], ...] = ()
    log_level: str = 'info'
    required: bool = False


COMMON_ARGUMENTS = (
    LaunchArgument('namespace', 'Namespace of all nodes.'),
    LaunchArgument('use_sim_time', 'Follow /clock of a simulator instead of the wall clock.',
                   'false'),
    LaunchArgument('log_level', 'Severity from which messages are shown.', 'info'),
)
GESTURE_ARGUMENTS = (
    *COMMON_ARGUMENTS,
    LaunchArgument('params_file', 'Parameter file; empty takes config/gesture_node.yaml.'),
    LaunchArgument('robot', 'Robot profile in config/robots, or path of a profile YAML.'),
    LaunchArgument('bundle', 'Folder of the model bundle; empty takes the shipped one.'),
    LaunchArgument('urdf_source', 'Where the URDF comes from: profile (its file) or topic '
                                  '(robot_description).'),
    LaunchArgument('autostart', 'Configure and activate at start.'),
    LaunchArgument('require_joint_states', 'Wait for joint_states before the first trajectory.'),
    LaunchArgument('audio_topic', "Topic of the robot's own voice.", 'audio'),
    LaunchArgument('joint_states_topic', 'Topic of the measured joints.', 'joint_states'),
    LaunchArgument('trajectory_topic', 'Topic of the trajectory controller, such as '
                                       '/arm_controller/joint_trajectory.', 'joint_trajectory'),
)
_TEXTS = {'robot': 'robot', 'bundle': 'bundle', 'urdf_source': 'urdf_source'}
_FLAGS = {'autostart': 'autostart', 'require_joint_states': 'output.require_joint_states'}
_GESTURE_TOPICS = {'audio_topic': 'audio', 'joint_states_topic': 'joint_states',
                   'trajectory_topic': 'joint_trajectory'}
DEMO_ARGUMENTS = (
    *COMMON_ARGUMENTS,
    LaunchArgument('robot', 'Robot profile in config/robots, or path of a profile YAML.',
                   'humanoid'),
    LaunchArgument('bundle', 'Folder of the model bundle; empty takes the shipped one.'),
    LaunchArgument('audio', 'Sound file to speak; empty takes examples/hello.wav.'),
    LaunchArgument('video', 'MP4 to make; empty makes none.', 'out/demo/video.mp4'),
)
PLAYER_ARGUMENTS = (
    *COMMON_ARGUMENTS,
    LaunchArgument('robot', 'Robot profile in config/robots, or path of a profile YAML.',
                   'humanoid'),
    LaunchArgument('kind', 'What is written: profile, joint_state or float64_multi_array.',
                   'profile'),
    LaunchArgument('joint_states_topic', 'Topic of the measured joints.', 'joint_states'),
    LaunchArgument('trajectory_topic', 'Topic of the plan that is played.', 'joint_trajectory'),
)
SIMULATED_LEAD_S = 0.02
"""How far the joints of ``gesture_sim`` follow behind (``sim.model.FOLLOW_LAG_S``)."""
_PLAYER_TOPICS = {'joint_states_topic': 'joint_states', 'trajectory_topic': 'joint_trajectory'}
START_S, SETTLE_S = 8.0, 8.0
"""How long the demo may take to start, and to come to rest after the last word."""


def defaults(arguments: tuple[LaunchArgument, ...]) -> dict[str, str]:
    """Return the default of every argument."""
    return {argument.name: argument.default for argument in arguments}


def gesture_node(values: Mapping[str, str]) -> NodeSpec:
    """Return how ``gesture_node`` is started.

    Args:
        values: value of every argument in :data:`GESTURE_ARGUMENTS`.

    Raises:
        ConfigError: an argument is of the wrong type.
    """
    params_file = values['params_file'] or str(share_path('config', 'gesture_node.yaml'))
    return NodeSpec(
        'gesture_node', values['namespace'],
        (params_file, {**_overrides(values), **_clock(values)}),
        _remappings(values, _GESTURE_TOPICS), values['log_level'])


def player_node(values: Mapping[str, str]) -> NodeSpec:
    """Return how ``trajectory_player`` is started; the launch ends with it.

    Args:
        values: value of every argument in :data:`PLAYER_ARGUMENTS`.

    Raises:
        ConfigError: an argument is of the wrong type.
    """
    return NodeSpec(
        'trajectory_player', values['namespace'],
        ({'robot': values['robot'], 'kind': values['kind'], **_clock(values)},),
        _remappings(values, _PLAYER_TOPICS), values['log_level'], required=True)


def demo_nodes(values: Mapping[str, str]) -> tuple[NodeSpec, ...]:
    """Return how speech, motion and a simulated robot are started together.

    The simulator ends by itself when the robot is at rest, makes the video, and ends the launch.

    Args:
        values: value of every argument in :data:`DEMO_ARGUMENTS`.

    Raises:
        ConfigError: the sound file cannot be read, or an argument is of the wrong type.
    """
    audio = values['audio'] or str(share_path('examples', 'hello.wav'))
    speech_s = _duration_s(audio)
    clock, namespace, log_level = _clock(values), values['namespace'], values['log_level']
    gesture = gesture_node({**defaults(GESTURE_ARGUMENTS), **values})
    gesture = replace(gesture, parameters=(*gesture.parameters,
                                           {'body.lead_s': SIMULATED_LEAD_S}))
    source = NodeSpec('audio_source', namespace, ({'file': audio, **clock},), (), log_level)
    simulator = NodeSpec(
        'gesture_sim', namespace,
        ({'robot': values['robot'], 'video': values['video'],
          'duration_s': START_S + speech_s + SETTLE_S, **clock},), (), log_level, required=True)
    return simulator, gesture, source


def _overrides(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters that the given arguments set."""
    found: dict[str, Any] = {
        parameter: values[name] for name, parameter in _TEXTS.items() if values.get(name)}
    return found | {parameter: as_flag(name, values[name])
                    for name, parameter in _FLAGS.items() if values.get(name)}


def _remappings(values: Mapping[str, str],
                topics: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return ``(name in the code, name given)`` of the topics that were given another name."""
    return tuple((own, values[name]) for name, own in topics.items() if values[name] != own)


def _duration_s(path: str) -> float:
    try:
        return float(soundfile.info(path).duration)
    except (soundfile.LibsndfileError, TypeError):
        raise ConfigError(f'launch argument audio: {path!r} is no sound file') from None


def as_flag(name: str, value: str) -> bool:
    """Return a launch argument as a truth value.

    Raises:
        ConfigError: it is neither true nor false.
    """
    if value.lower() in _TRUE + _FALSE:
        return value.lower() in _TRUE
    raise ConfigError(f'launch argument {name} must be true or false, got {value!r}')


def _clock(values: Mapping[str, str]) -> dict[str, Any]:
    return {'use_sim_time': as_flag('use_sim_time', values['use_sim_time'])}


def describe(arguments: tuple[LaunchArgument, ...]) -> list[Any]:
    """Return the arguments as ``DeclareLaunchArgument`` actions; needs ``launch``."""
    from launch.actions import DeclareLaunchArgument

    return [DeclareLaunchArgument(item.name, default_value=item.default, description=item.doc)
            for item in arguments]


def read(context: Any, arguments: tuple[LaunchArgument, ...]) -> dict[str, str]:
    """Return what the user gave for each argument; needs ``launch``."""
    from launch.substitutions import LaunchConfiguration

    return {item.name: LaunchConfiguration(item.name).perform(context) for item in arguments}


def start(specs: tuple[NodeSpec, ...]) -> list[Any]:
    """Return the processes as launch actions; needs ``launch`` and ``launch_ros``."""
    from launch.actions import Shutdown
    from launch_ros.actions import Node

    return [Node(package=PACKAGE_NAME, executable=spec.executable, name=spec.executable,
                 namespace=spec.namespace, parameters=list(spec.parameters),
                 remappings=list(spec.remappings),
                 arguments=['--ros-args', '--log-level', spec.log_level],
                 output='screen', emulate_tty=True,
                 on_exit=[Shutdown()] if spec.required else [])
            for spec in specs]
