"""What the launch files start, as plain values; importable and testable without ``launch``.

An argument left empty is not passed on, so that a parameter file keeps the last word on what the
command line does not mention.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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


@dataclass(frozen=True, slots=True)
class _Overrides:
    """Which launch argument sets which parameter, and of which type."""

    texts: dict[str, str] = field(default_factory=dict)
    flags: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)

    def from_values(self, values: Mapping[str, str]) -> dict[str, Any]:
        """Return the parameters that the given arguments set.

        Raises:
            ConfigError: an argument is not of the type its parameter has.
        """
        found: dict[str, Any] = {
            parameter: values[name] for name, parameter in self.texts.items() if values.get(name)}
        for name, parameter in self.flags.items():
            if values.get(name):
                found[parameter] = as_flag(name, values[name])
        for name, parameter in self.numbers.items():
            if values.get(name):
                found[parameter] = as_number(name, values[name])
        return found


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
    LaunchArgument('autostart', 'Configure and activate at start.'),
    LaunchArgument('require_joint_states', 'Wait for joint_states before the first trajectory.'),
    LaunchArgument('audio_topic', 'Topic of the robot\'s own voice.', 'audio'),
    LaunchArgument('joint_states_topic', 'Topic of the measured joints.', 'joint_states'),
    LaunchArgument('trajectory_topic', 'Topic of the trajectory controller, such as '
                                       '/arm_controller/joint_trajectory.', 'joint_trajectory'),
)
_GESTURE_OVERRIDES = _Overrides(
    texts={'robot': 'robot', 'bundle': 'bundle'},
    flags={'autostart': 'autostart',
           'require_joint_states': 'output.require_joint_states'})
_GESTURE_TOPICS = {'audio_topic': 'audio', 'joint_states_topic': 'joint_states',
                   'trajectory_topic': 'joint_trajectory'}


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
        (params_file, {**_GESTURE_OVERRIDES.from_values(values), **_clock(values)}),
        tuple((own, values[name]) for name, own in _GESTURE_TOPICS.items()
              if values[name] != own),
        values['log_level'])


def as_flag(name: str, value: str) -> bool:
    """Return a launch argument as a truth value.

    Raises:
        ConfigError: it is neither true nor false.
    """
    if value.lower() in _TRUE + _FALSE:
        return value.lower() in _TRUE
    raise ConfigError(f'launch argument {name} must be true or false, got {value!r}')


def as_number(name: str, value: str) -> float:
    """Return a launch argument as a number.

    Raises:
        ConfigError: it is not a number.
    """
    try:
        return float(value)
    except ValueError:
        raise ConfigError(f'launch argument {name} must be a number, got {value!r}') from None


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
