"""What Gazebo is given to simulate: a robot fixed to the ground, with the plugins that move it.

A robot with a ``model.sdf`` beside its URDF is spawned from that, any other from its URDF. Either
way the joints are commanded in one of two ways:

- by ``gz_ros2_control``, a controller manager inside the simulator;
- by Gazebo's own ``JointTrajectoryController`` plugin, which needs nothing but ``ros_gz_bridge``.
  It steps from point to point without interpolation, with torques from the gains found here.

Plugins are those of Gazebo Harmonic and later.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
import copy
from dataclasses import dataclass
import math
from pathlib import Path
from xml.etree import ElementTree

from ..exceptions import RobotError
from ..motion.profile import RobotProfile
from ..motion.urdf import MOVING_TYPES
from .bodies import check_masses, joint_loads, JointLoad, lowest_point_m
from .outputs import gazebo_topic, held_joints, joint_state_topic, model_name, outputs
from .rotors import with_rotors

STEP_S = 0.001
"""Step of the physics in ``worlds/gesture.sdf``; gains are stable at it."""
_STIFF_RAD_S = 30.0
_SAG_RAD = 0.01
_DAMPED = 0.9
_DAMPING_SHARE = 0.4
JOINT_STATES_HZ = 100.0
POSITION_GAIN = 0.2
"""Share of its position error that a joint under gz_ros2_control moves in one control cycle."""
_PLUGIN = 'gz-sim-{}-system'
_VENDORS_OWN = ('ros2_control', 'gazebo', 'transmission', 'mujoco')
_FIXED_JOINT = 'fixed_to_world'


@dataclass(frozen=True, slots=True)
class Gains:
    """How Gazebo's trajectory plugin turns errors of one joint into torque.

    Attributes:
        stiffness: torque per position error [N m/rad].
        damping: torque per velocity error [N m s/rad].
        effort: largest torque [N m].
    """

    stiffness: float
    damping: float
    effort: float


def gains_of(load: JointLoad) -> Gains:
    """Return gains that carry a joint's load, and are stable in Gazebo's time step.

    The stiffness is that of a servo of 30 rad/s, or more where gravity would pull the joint more
    than 0.01 rad from its target. The damping is nearly critical, but removes at most 0.4 of the
    velocity error of the lightest posture in one step.
    """
    stiffness = max(load.largest_inertia * _STIFF_RAD_S ** 2, load.weight / _SAG_RAD)
    critical = 2.0 * math.sqrt(stiffness * load.largest_inertia)
    stable = _DAMPING_SHARE * (load.smallest_inertia / STEP_S + load.damping)
    return Gains(stiffness, min(_DAMPED * critical, stable), load.effort)


def simulated_urdf(profile: RobotProfile) -> ElementTree.Element:
    """Return a robot's URDF as Gazebo gets it: rotors added, mimics and vendors' plugins removed.

    Raises:
        RobotError: a moving joint carries no mass.
    """
    document = ElementTree.parse(profile.urdf_path).getroot()
    check_masses(document, profile.urdf)
    _remove(document, _VENDORS_OWN)
    for joint in document.findall('joint'):
        _remove(joint, ('mimic',))
        limit = joint.find('limit')
        if limit is not None and float(limit.get('effort', 0.0)) <= 0.0:
            limit.attrib.pop('effort', None)
    for mesh in document.iter('mesh'):
        mesh.set('filename', _absolute(mesh.get('filename', ''), profile.urdf_path))
    return with_rotors(document)


def spawned_model(profile: RobotProfile, plugins: Sequence[ElementTree.Element]
                  ) -> tuple[str, str]:
    """Return the file name and the text of the model to spawn at the world's origin.

    Raises:
        RobotError: a moving joint carries no mass.
    """
    sdf_path = profile.urdf_path.with_name('model.sdf')
    if sdf_path.is_file():
        root = ElementTree.parse(sdf_path).getroot()
        model = root.find('model')
        if model is None:
            raise RobotError(f'{str(sdf_path)!r} has no <model>')
        model.extend(plugins)
        return 'robot.sdf', ElementTree.tostring(root, encoding='unicode')
    document = simulated_urdf(profile)
    _stand(document, profile)
    ElementTree.SubElement(document, 'gazebo').extend(plugins)
    return 'robot.urdf', ElementTree.tostring(document, encoding='unicode')


def _stand(document: ElementTree.Element, profile: RobotProfile) -> None:
    """Fix the root link to the world so that the lowest point touches the ground."""
    if profile.urdf.root_link == 'world':
        return
    height = -lowest_point_m(document, profile.urdf, {})
    document.insert(0, ElementTree.Element('link', name='world'))
    joint = ElementTree.SubElement(document, 'joint', name=_FIXED_JOINT, type='fixed')
    ElementTree.SubElement(joint, 'parent', link='world')
    ElementTree.SubElement(joint, 'child', link=profile.urdf.root_link)
    ElementTree.SubElement(joint, 'origin', xyz=f'0 0 {height:.6g}', rpy='0 0 0')


def trajectory_plugins(profile: RobotProfile) -> list[ElementTree.Element]:
    """Return Gazebo's own plugins: one trajectory follower per output, and one for joint states.

    Joints that the profile does not command are held by a follower that nobody talks to.

    Raises:
        RobotError: a moving joint carries no mass.
    """
    loads = joint_loads(simulated_urdf(profile))
    rest = dict(zip(profile.joint_names, profile.rest_positions.tolist()))
    model, held = model_name(profile), held_joints(profile)
    followers = [(gazebo_topic(model, output.name), {j: rest[j] for j in output.joints})
                 for output in outputs(profile)]
    if held:
        followers.append((gazebo_topic(model, 'held'), held))
    plugins = [_follower(topic, start, loads) for topic, start in followers]
    states = _plugin('joint-state-publisher', 'JointStatePublisher')
    _text(states, 'topic', joint_state_topic(model))
    _text(states, 'update_rate', f'{JOINT_STATES_HZ:g}')
    return [*plugins, states]


def _follower(topic: str, start: dict[str, float], loads: dict[str, JointLoad]
              ) -> ElementTree.Element:
    plugin = _plugin('joint-trajectory-controller', 'JointTrajectoryController')
    _text(plugin, 'topic', topic)
    # In the model's order, so that names and numbers match whichever way they are paired.
    for name in [name for name in loads if name in start]:
        gains = gains_of(loads[name])
        effort = gains.effort if math.isfinite(gains.effort) else 1e6
        _text(plugin, 'joint_name', name)
        for key, value in (('initial_position', start[name]),
                           ('position_p_gain', gains.stiffness),
                           ('position_i_gain', 0.0), ('position_d_gain', 0.0),
                           ('position_cmd_min', -effort), ('position_cmd_max', effort),
                           ('velocity_p_gain', gains.damping),
                           ('velocity_i_gain', 0.0), ('velocity_d_gain', 0.0),
                           ('velocity_cmd_min', -effort), ('velocity_cmd_max', effort)):
            _text(plugin, key, f'{value:.6g}')
    return plugin


def ros2_control_plugin(parameters: Path) -> ElementTree.Element:
    """Return the plugin that runs a controller manager inside the simulator.

    Args:
        parameters: absolute path of the controllers' YAML.
    """
    plugin = ElementTree.Element('plugin', filename='gz_ros2_control-system',
                                 name='gz_ros2_control::GazeboSimROS2ControlPlugin')
    _text(plugin, 'parameters', str(parameters))
    _text(plugin, 'position_proportional_gain', f'{POSITION_GAIN:g}')
    _text(plugin, 'hold_joints', 'true')
    return plugin


def controlled_description(profile: RobotProfile) -> str:
    """Return the ``robot_description`` with a ``<ros2_control>`` block for Gazebo.

    Mimic joints have no command: gz_ros2_control moves them along by the URDF's ``<mimic>``.
    """
    document = ElementTree.parse(profile.urdf_path).getroot()
    _remove(document, _VENDORS_OWN)
    rest = dict(zip(profile.joint_names, profile.rest_positions.tolist())) | held_joints(profile)
    system = ElementTree.SubElement(document, 'ros2_control', name='GazeboSimSystem',
                                    type='system')
    hardware = ElementTree.SubElement(system, 'hardware')
    _text(hardware, 'plugin', 'gz_ros2_control/GazeboSimSystem')
    for joint in profile.urdf.joints.values():
        if joint.kind not in MOVING_TYPES:
            continue
        element = ElementTree.SubElement(system, 'joint', name=joint.name)
        if not joint.mimics:
            ElementTree.SubElement(element, 'command_interface', name='position')
        state = ElementTree.SubElement(element, 'state_interface', name='position')
        start = ElementTree.SubElement(state, 'param', name='initial_value')
        start.text = f'{rest[joint.name]:.6g}'
        ElementTree.SubElement(element, 'state_interface', name='velocity')
    return ElementTree.tostring(document, encoding='unicode')


def plain_description(profile: RobotProfile) -> str:
    """Return the ``robot_description`` of a robot that Gazebo's own plugins move."""
    document = copy.deepcopy(ElementTree.parse(profile.urdf_path).getroot())
    _remove(document, _VENDORS_OWN)
    return ElementTree.tostring(document, encoding='unicode')


def _plugin(file: str, name: str) -> ElementTree.Element:
    return ElementTree.Element('plugin', filename=_PLUGIN.format(file),
                               name=f'gz::sim::systems::{name}')


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text


def _remove(parent: ElementTree.Element, tags: Iterable[str]) -> None:
    for tag in tags:
        for element in parent.findall(tag):
            parent.remove(element)


def _absolute(address: str, urdf: Path) -> str:
    """Return a mesh's address so that it holds for a copy of the URDF elsewhere."""
    if '://' in address or Path(address).is_absolute():
        return address
    return f'file://{(urdf.parent / address).resolve()}'
