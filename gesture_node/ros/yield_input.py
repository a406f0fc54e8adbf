"""The topics by which other nodes own joints: ``~/yield`` asks, ``~/yielded`` says what is so."""
from __future__ import annotations

from collections.abc import Callable
import json

from rclpy.node import Node
from std_msgs.msg import String

from ..dialogue.joint_groups import JointOwnership
from ..exceptions import ConfigError
from ..motion.robot import RobotProfile
from . import qos

Ask = Callable[[frozenset[str]], str]


class YieldInput:
    """Takes requests and answers each.

    Args:
        node: who subscribes.
        profile: the robot; ``None`` when the node moves none.
        yielded: returns the joints that are yielded now.
        ask: yields these joints and no others, and returns why that cannot be, empty if it was
            done.
    """

    def __init__(self, node: Node, profile: RobotProfile | None,
                 yielded: Callable[[], frozenset[str]], ask: Ask) -> None:
        self._node, self._yielded, self._ask = node, yielded, ask
        self._ownership = None if profile is None else JointOwnership(profile)
        self._names = () if profile is None else profile.joint_names
        self._answers = node.create_publisher(String, '~/yielded', qos.LATCHED)
        self._subscription = node.create_subscription(String, '~/yield', self._take, qos.VOICES)
        self._answer('')

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)
        self._node.destroy_publisher(self._answers)

    def _take(self, message: String) -> None:
        if self._ownership is None:
            self._answer('the node moves no robot')
            return
        try:
            wanted = self._ownership.asked(message.data, self._yielded())
        except ConfigError as error:
            self._answer(str(error))
            return
        self._answer(self._ask(wanted))

    def _answer(self, error: str) -> None:
        """Say which joints are yielded, and why a request was refused."""
        if error:
            self._node.get_logger().warning(f'~/yield: {error}')
        yielded = self._yielded()
        self._answers.publish(String(data=json.dumps({
            'joints': [name for name in self._names if name in yielded], 'error': error})))
