"""Where the robot's URDF comes from: the profile's file, a parameter, or ``robot_description``.

The profile still says which joints show what and has the shapes that keep the robot from touching
itself; the URDF says where the joints are and what they may do.
"""
from __future__ import annotations

import time

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import String

from ..exceptions import RobotError
from ..motion.robot import load_profile, RobotProfile
from . import qos
from .node_config import NodeConfig

TOPIC = 'robot_description'
_POLL_S = 0.1


def find_profile(node: Node, config: NodeConfig) -> RobotProfile:
    """Return the robot that the parameters name, with the URDF that they name.

    Args:
        node: whose topic and log are used.
        config: its parameters; ``robot`` names a profile.

    Raises:
        RobotError: the profile or the URDF cannot be used, they do not fit each other, or no
            URDF came in time.
    """
    robot = config.gesture.robot
    if config.urdf_source == 'topic':
        source = f'topic {node.resolve_topic_name(TOPIC)}'
        text = receive_urdf(node, config.robot_description_timeout_s)
    elif config.urdf_source == 'auto' and config.robot_description.strip():
        source, text = 'parameter robot_description', config.robot_description
    else:
        return load_profile(robot)
    try:
        profile = load_profile(robot, urdf_text=text)
    except RobotError as error:
        raise RobotError(f'robot {robot!r} with the URDF from {source}: {error}') from error
    node.get_logger().info(f'URDF of {profile.urdf.name} from {source}')
    return profile


def receive_urdf(node: Node, timeout_s: float) -> str:
    """Wait for the latched URDF.

    The wait has a node and an executor of its own: the node that is being configured may be
    spun by an executor that waits for this very call.

    Raises:
        RobotError: none came in time.
    """
    topic = node.resolve_topic_name(TOPIC)
    node.get_logger().info(f'waiting up to {timeout_s:g} s for the URDF on {topic}')
    received: list[str] = []
    listener = Node(f'{node.get_name()}_{TOPIC}', namespace=node.get_namespace(),
                    context=node.context, use_global_arguments=False,
                    start_parameter_services=False, enable_rosout=False)
    executor = SingleThreadedExecutor(context=node.context)
    try:
        executor.add_node(listener)
        listener.create_subscription(
            String, topic, lambda message: received.append(message.data), qos.LATCHED)
        until_s = time.monotonic() + timeout_s
        while not received and time.monotonic() < until_s:
            executor.spin_once(timeout_sec=_POLL_S)
    finally:
        executor.shutdown()
        listener.destroy_node()
    if not received:
        raise RobotError(f'no URDF came on {topic} within {timeout_s:g} s; start '
                         'robot_state_publisher, or set urdf_source to profile')
    return received[-1]
