"""Follows what a ros-drivers publisher says about its bytes, if it says anything."""
from __future__ import annotations

from typing import Any

from rclpy.node import Node

from . import qos
from .audio_decoder import AudioFormat
from .audio_messages import format_of_info
from .optional_messages import load_message


class AudioInfoInput:
    """The subscription of ``audio_info``.

    It is published at the start of a source and every few seconds. What a source said is
    forgotten when another one comes or all are gone, since it need not hold for the next.

    Args:
        node: who subscribes.
        topic: relative name of the topic.

    Raises:
        MissingMessageError: the package of the message is not installed.
    """

    def __init__(self, node: Node, topic: str) -> None:
        self.format: AudioFormat | None = None
        self._node = node
        self._name = node.resolve_topic_name(topic)
        self._known: set[bytes] = set()
        self._is_news = False
        self._subscription: Any = node.create_subscription(
            load_message('audio_common_msgs/msg/AudioInfo', 'coding_format'), topic, self._take,
            1, qos_overriding_options=qos.overridable())

    def follow(self) -> None:
        """Look who publishes; to be called regularly."""
        present = {bytes(info.endpoint_gid)
                   for info in self._node.get_publishers_info_by_topic(self._name)}
        # A newcomer may speak before the graph shows it: what was said just now is its word.
        if not present or (present - self._known and not self._is_news):
            self.format = None
        self._known, self._is_news = present, False

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)

    def _take(self, message: Any) -> None:
        self.format, self._is_news = format_of_info(message), True
