"""How a robot's joints are reached in ROS 2: trajectory controllers, or adapters without one.

A *controller* takes ``trajectory_msgs/msg/JointTrajectory`` and interpolates by itself. An
*adapter* samples the planned trajectory at a fixed rate and writes messages that hold positions
only. ``docs/add_a_robot.md`` has the keys.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..exceptions import RobotError
from .profile_yaml import Node

ADAPTER_KINDS = ('float64_multi_array', 'joint_state', 'joint_angles_with_speed', 'low_cmd',
                 'hand_cmd')
"""What an adapter may write; the last three need a package of the robot's maker."""
MESSAGES = {
    'float64_multi_array': 'std_msgs/msg/Float64MultiArray',
    'joint_state': 'sensor_msgs/msg/JointState',
    'joint_angles_with_speed': 'naoqi_bridge_msgs/msg/JointAnglesWithSpeed',
    'low_cmd': 'unitree_hg/msg/LowCmd',
    'hand_cmd': 'unitree_hg/msg/HandCmd',
}
"""Message type of each kind where the profile names no other."""
UNITS = ('rad', 'deg')
_MOTOR_KINDS = ('low_cmd', 'hand_cmd')
_NOT_NOTES = ('controllers', 'adapters')


@dataclass(frozen=True, slots=True)
class Controller:
    """A joint trajectory controller.

    Attributes:
        name: name of the controller, as the controller manager knows it.
        topic: where it listens, ``trajectory_msgs/msg/JointTrajectory``.
        joints: commanded joints it takes; it takes them all in every message.
    """

    name: str
    topic: str
    joints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Adapter:
    """One stream of messages that hold positions.

    Attributes:
        kind: one of ``ADAPTER_KINDS``.
        topic: where the messages go.
        message: their ROS type, ``package/msg/Name``.
        joints: commanded joints in the order of the message.
        unit: ``rad`` or ``deg``.
        rate_hz: messages per second.
        speed: fraction (0, 1] of the maker's full speed that the robot may use to reach a point;
            only of ``joint_angles_with_speed``.
        motors: index of each joint's motor in the message; only of ``low_cmd`` and ``hand_cmd``.
        blend_motor: index of the motor whose position is the weight 0 .. 1 of these commands
            against the maker's own; ``None`` where there is none.
        stiffness: gain ``kp`` of each motor [N m/rad].
        damping: gain ``kd`` of each motor [N m s/rad].
    """

    kind: str
    topic: str
    message: str
    joints: tuple[str, ...]
    unit: str
    rate_hz: float
    speed: float
    motors: tuple[int, ...]
    blend_motor: int | None
    stiffness: float
    damping: float


@dataclass(frozen=True, slots=True)
class RobotInterface:
    """How the commanded joints of a robot are reached.

    Without controllers and adapters the whole trajectory goes to one topic, as the parameters of
    the node say.

    Attributes:
        controllers: joint trajectory controllers, joints disjoint.
        adapters: streams of positions, joints disjoint from each other and the controllers'.
        notes: further facts for people, by name.
    """

    controllers: tuple[Controller, ...] = ()
    adapters: tuple[Adapter, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)


def read_interface(node: Node, joint_names: tuple[str, ...]) -> RobotInterface:
    """Return the interface of a robot whose commanded joints are ``joint_names``.

    Raises:
        RobotError: a key is missing, unknown or of the wrong type; or a commanded joint is in
            none or in two of the outputs, or one is named that is not commanded.
    """
    controllers = tuple(_controller(item) for item in _items(node, 'controllers'))
    adapters = tuple(_adapter(item) for item in _items(node, 'adapters'))
    if controllers or adapters:
        _check_joints([*controllers, *adapters], joint_names)
    return RobotInterface(controllers, adapters, {
        key: node.text(key) for key in node if key not in _NOT_NOTES})


def _items(node: Node, key: str) -> tuple[Node, ...]:
    return node.children(key) if node.has(key) else ()


def _controller(node: Node) -> Controller:
    node.allow(('name', 'topic', 'joints'))
    return Controller(node.text('name'), node.text('topic'), node.names('joints'))


def _adapter(node: Node) -> Adapter:
    kind = node.one_of('kind', ADAPTER_KINDS)
    keys = ['kind', 'topic', 'message', 'joints', 'unit', 'rate_hz']
    if kind == 'joint_angles_with_speed':
        keys.append('speed')
    if kind in _MOTOR_KINDS:
        keys += ['motors', 'blend_motor', 'stiffness', 'damping']
    node.allow(keys)
    joints = node.names('joints')
    motors = node.indices('motors') if kind in _MOTOR_KINDS else ()
    if kind in _MOTOR_KINDS and (len(motors) != len(joints) or len(set(motors)) < len(motors)):
        raise RobotError(f'{kind} on {node.text("topic")} needs one motor index of its own for '
                         f'each of its {len(joints)} joints, got {list(motors)}')
    blend = node.indices('blend_motor') if node.has('blend_motor') else ()
    return Adapter(
        kind=kind, topic=node.text('topic'),
        message=node.text('message') if node.has('message') else MESSAGES[kind],
        joints=joints, unit=node.one_of('unit', UNITS) if node.has('unit') else 'rad',
        rate_hz=_above_zero(node, 'rate_hz'),
        speed=_fraction(node, 'speed') if kind == 'joint_angles_with_speed' else 1.0,
        motors=motors, blend_motor=blend[0] if blend else None,
        stiffness=_above_zero(node, 'stiffness') if kind in _MOTOR_KINDS else 0.0,
        damping=_above_zero(node, 'damping') if kind in _MOTOR_KINDS else 0.0)


def _above_zero(node: Node, key: str) -> float:
    value = node.number(key)
    if value <= 0.0:
        raise RobotError(f'{node.where}: {key} must be above 0, got {value}')
    return value


def _fraction(node: Node, key: str) -> float:
    value = _above_zero(node, key)
    if value > 1.0:
        raise RobotError(f'{node.where}: {key} must be at most 1, got {value}')
    return value


def _check_joints(outputs: Iterable[Controller | Adapter], joint_names: tuple[str, ...]) -> None:
    taken: dict[str, str] = {}
    for output in outputs:
        for joint in output.joints:
            if joint not in joint_names:
                raise RobotError(f'{output.topic} names the joint {joint!r}, which is not '
                                 f'commanded; commanded: {", ".join(joint_names)}')
            if joint in taken:
                raise RobotError(f'joint {joint!r} goes to {taken[joint]} and to {output.topic}; '
                                 f'it must go to one')
            taken[joint] = output.topic
    missing = [joint for joint in joint_names if joint not in taken]
    if missing:
        raise RobotError(f'the interface leaves out the commanded joints {", ".join(missing)}; '
                         f'name each in a controller or an adapter')
