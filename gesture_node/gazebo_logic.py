"""What ``gazebo.launch.py`` starts, as plain values; importable and testable without ``launch``.

::

    at once            Gazebo server (and window), ros_gz_bridge, robot_state_publisher
    one after another  the robot is created, then (ros2_control) its controllers are started
    after the last     gesture_node, audio_source

Everything follows ``/clock``. A step that fails ends the launch.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
import os
from pathlib import Path
import shlex
import tempfile
from typing import Any

import yaml

from . import launch_logic
from .exceptions import ConfigError
from .gazebo import model, outputs
from .launch_logic import as_flag, LaunchArgument, NodeSpec
from .motion.profile import RobotProfile
from .motion.robot import load_profile
from .resources import share_path

NO_AUDIO = 'none'
START_DELAY_S = 2.0
"""Simulated time between all nodes being there and the first word."""
GAZEBO_ARGUMENTS = (
    LaunchArgument('robot', 'Robot profile in config/robots, or path of a profile YAML.',
                   'humanoid'),
    LaunchArgument('headless', 'Simulate without a window.', 'false'),
    LaunchArgument('use_ros2_control', 'true: joint_trajectory_controller inside gz_ros2_control; '
                                       "false: Gazebo's own trajectory plugin behind "
                                       'ros_gz_bridge.', 'true'),
    LaunchArgument('world', 'World file; empty takes worlds/gesture.sdf.'),
    LaunchArgument('audio', 'Sound file to speak; empty takes examples/hello.wav, "none" leaves '
                            'the topic audio to another node.'),
    LaunchArgument('params_file', 'Parameter file; empty takes config/gesture_node.yaml.'),
    LaunchArgument('bundle', 'Folder of the model bundle; empty takes the shipped one.'),
    LaunchArgument('log_level', 'Severity from which messages are shown.', 'info'),
)
_PLAIN_PACKAGES = ('robot_state_publisher', 'ros_gz_bridge', 'ros_gz_sim')
_CONTROL_PACKAGES = ('controller_manager', 'gz_ros2_control', 'joint_state_broadcaster',
                     'joint_trajectory_controller')
_BROADCASTER = 'joint_state_broadcaster'


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process of another package.

    Attributes:
        package: ROS package.
        executable: its executable.
        arguments: command line.
        parameters: ROS parameters.
    """

    package: str
    executable: str
    arguments: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GazeboPlan:
    """All that is started for one robot in Gazebo.

    Attributes:
        simulator: arguments of ``gz_sim.launch.py`` of ros_gz_sim.
        resource_folders: where Gazebo finds ``model://`` addresses.
        packages: ROS packages that must be installed.
        beside: processes that run all the time.
        steps: processes that end; each begins when the one before has ended well.
        nodes: processes of this package, begun after the last step.
    """

    simulator: dict[str, str]
    resource_folders: tuple[str, ...]
    packages: tuple[str, ...]
    beside: tuple[ProcessSpec, ...]
    steps: tuple[ProcessSpec, ...]
    nodes: tuple[NodeSpec, ...]


def plan(values: Mapping[str, str], folder: Path | None = None) -> GazeboPlan:
    """Return what to start, and write the files it reads.

    Args:
        values: value of every argument in :data:`GAZEBO_ARGUMENTS`.
        folder: where the robot, the bridge's and the controllers' configuration are written; a
            new temporary folder without it.

    Raises:
        ConfigError: an argument is of the wrong type, or names a file that does not exist.
        RobotError: the profile or its URDF is malformed, or cannot be simulated.
    """
    has_control = as_flag('use_ros2_control', values['use_ros2_control'])
    headless = as_flag('headless', values['headless'])
    world = Path(values['world'] or share_path('worlds', 'gesture.sdf')).expanduser()
    if not world.is_file():
        raise ConfigError(f'launch argument world: there is no file {str(world)!r}')
    profile = load_profile(values['robot'])
    folder = folder or Path(tempfile.mkdtemp(prefix='gesture_node_gazebo_'))
    robot, bridge, controllers = _write_files(profile, has_control, folder)
    return GazeboPlan(
        simulator={'gz_args': f'-r {"-s " if headless else ""}-v 3 {shlex.quote(str(world))}',
                   'on_exit_shutdown': 'true'},
        resource_folders=_resource_folders(profile),
        packages=_PLAIN_PACKAGES + (_CONTROL_PACKAGES if has_control else ()),
        beside=(ProcessSpec('ros_gz_bridge', 'parameter_bridge', (),
                            {'config_file': str(bridge), 'use_sim_time': True}),
                ProcessSpec('robot_state_publisher', 'robot_state_publisher', (),
                            {'robot_description': _description(profile, has_control),
                             'use_sim_time': True})),
        steps=(_create(profile, robot), *(_spawners(profile, controllers) if has_control else ())),
        nodes=_nodes(values, profile, has_control))


def _write_files(profile: RobotProfile, has_control: bool, folder: Path
                 ) -> tuple[Path, Path, Path]:
    """Write model, bridge and controllers; return their paths."""
    bridge, controllers = folder / 'bridge.yaml', folder / 'controllers.yaml'
    plugins = [model.ros2_control_plugin(controllers)] if has_control else (
        model.trajectory_plugins(profile))
    name, text = model.spawned_model(profile, plugins)
    (folder / name).write_text(text, encoding='utf-8')
    bridge.write_text(yaml.safe_dump(outputs.bridge_entries(profile, has_control)),
                      encoding='utf-8')
    if has_control:
        controllers.write_text(yaml.safe_dump(outputs.controller_parameters(profile)),
                               encoding='utf-8')
    return folder / name, bridge, controllers


def _description(profile: RobotProfile, has_control: bool) -> str:
    return (model.controlled_description if has_control else model.plain_description)(profile)


def _create(profile: RobotProfile, robot: Path) -> ProcessSpec:
    """Return the process that puts the robot into the world; the file says where it stands."""
    return ProcessSpec('ros_gz_sim', 'create', (
        '-name', outputs.model_name(profile), '-file', str(robot),
        '-x', '0', '-y', '0', '-z', '0'))


def _spawners(profile: RobotProfile, controllers: Path) -> tuple[ProcessSpec, ...]:
    names = (_BROADCASTER, *(output.name for output in outputs.outputs(profile)))
    return tuple(ProcessSpec('controller_manager', 'spawner',
                             (name, '--param-file', str(controllers))) for name in names)


def _resource_folders(profile: RobotProfile) -> tuple[str, ...]:
    """Return the folder of our models, and that of the ROS package the URDF lies in."""
    package = next((folder for folder in profile.urdf_path.resolve().parents
                    if (folder / 'package.xml').is_file()), None)
    return (str(share_path('models')), *([str(package.parent)] if package else ()))


def _nodes(values: Mapping[str, str], profile: RobotProfile, has_control: bool
           ) -> tuple[NodeSpec, ...]:
    """Return gesture_node, and audio_source where there is something to speak."""
    shared = {key: values[key] for key in ('robot', 'params_file', 'bundle', 'log_level')}
    gesture = launch_logic.gesture_node({
        **launch_logic.defaults(launch_logic.GESTURE_ARGUMENTS), **shared,
        'use_sim_time': 'true', 'require_joint_states': 'true'})
    overrides: dict[str, Any] = {'output.controllers': outputs.controllers_choice(profile)}
    if has_control:
        gesture = replace(gesture, remappings=tuple(
            (output.topic, outputs.controller_topic(output))
            for output in outputs.outputs(profile)
            if output.topic != outputs.controller_topic(output)))
    else:
        # The plugin takes the time of arrival for the start, whatever the stamp says, and warns
        # of accelerations in every message.
        overrides |= {'output.stamp_policy': 'zero', 'output.accelerations': False}
    gesture = replace(gesture, parameters=(*gesture.parameters, overrides))
    if values['audio'] == NO_AUDIO:
        return (gesture,)
    sound = values['audio'] or str(share_path('examples', 'hello.wav'))
    if not Path(sound).is_file():
        raise ConfigError(f'launch argument audio: there is no file {sound!r}')
    source = NodeSpec('audio_source', '', (
        {'file': sound, 'start_delay_s': START_DELAY_S, 'use_sim_time': True},),
        (), values['log_level'])
    return gesture, source


def start(made: GazeboPlan) -> list[Any]:
    """Return the plan as launch actions; needs ``launch``, ``launch_ros`` and ``ros_gz_sim``.

    Raises:
        ConfigError: a package that Gazebo needs is not installed.
    """
    from launch.actions import AppendEnvironmentVariable, IncludeLaunchDescription
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    shares = {package: _share_of(package) for package in made.packages}
    simulator = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(
            os.path.join(shares['ros_gz_sim'], 'launch', 'gz_sim.launch.py')),
        launch_arguments=list(made.simulator.items()))
    steps = [_node(spec) for spec in made.steps]
    return [AppendEnvironmentVariable('GZ_SIM_RESOURCE_PATH', os.pathsep.join(
                made.resource_folders)),
            simulator, *(_node(spec) for spec in made.beside),
            *_chain(steps, launch_logic.start(made.nodes)), steps[0]]


def _share_of(package: str) -> str:
    from ament_index_python.packages import (
        get_package_share_directory,
        PackageNotFoundError,
    )

    try:
        return str(get_package_share_directory(package))
    except PackageNotFoundError as error:
        name = f'ros-{os.environ.get("ROS_DISTRO", "DISTRO")}-{package.replace("_", "-")}'
        raise ConfigError(f'gazebo.launch.py needs the ROS package {package}: apt install {name}'
                          ) from error


def _node(spec: ProcessSpec) -> Any:
    from launch_ros.actions import Node
    from launch_ros.parameter_descriptions import ParameterValue

    # A description is text, not the YAML that launch would read it as.
    parameters = {key: ParameterValue(value, value_type=str) if isinstance(value, str) else value
                  for key, value in spec.parameters.items()}
    return Node(package=spec.package, executable=spec.executable, output='screen',
                arguments=list(spec.arguments), parameters=[parameters] if parameters else [])


def _chain(steps: list[Any], nodes: list[Any]) -> list[Any]:
    """Return handlers that begin each step after the one before, and the nodes after the last."""
    from launch.actions import RegisterEventHandler
    from launch.event_handlers import OnProcessExit

    following = [[step] for step in steps[1:]] + [nodes]
    return [RegisterEventHandler(OnProcessExit(target_action=step,
                                               on_exit=_after(made, actions)))
            for step, made, actions in zip(steps, _names(steps), following)]


def _names(steps: list[Any]) -> list[str]:
    return [f'step {number} of {len(steps)}' for number, _ in enumerate(steps, 1)]


def _after(name: str, actions: list[Any]) -> Any:
    """Return what follows a process: the next actions, or the end of the launch if it failed."""
    def follow(event: Any, context: Any) -> list[Any]:
        from launch.actions import Shutdown

        if event.returncode:
            return [Shutdown(reason=f'{event.process_name} ({name}) ended with exit code '
                                    f'{event.returncode}')]
        return actions

    return follow
