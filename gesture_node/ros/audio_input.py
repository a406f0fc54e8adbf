"""Subscribes the audio topic, whatever type its publisher has, and stores what arrives."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, TYPE_CHECKING

from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

from ..exceptions import AudioError
from . import qos
from .audio_decoder import AudioFormat
from .audio_messages import audio_type_of, AUDIO_TYPES, AudioType, format_of_info
from .inbox import AudioInbox, LossCounter, ReceivedAudio
from .problems import ProblemLog
from .steady_clock import steady_clock

if TYPE_CHECKING:
    from rclpy.subscription import MessageInfo

TOPIC = 'audio'
INFO_TOPIC = 'audio_info'
AUTO = 'auto'
_SEARCH_PERIOD_S = 0.1


class AudioInput:
    """The audio subscription of a node.

    With type ``auto`` the topic is watched until it has a publisher; its type is then
    subscribed. When that publisher leaves and one of another type comes, it is followed.
    Reliability is followed likewise.

    Args:
        node: who subscribes.
        key: value of the parameter ``audio_type``.
        reliability: value of the parameter ``audio_reliability``.
        inbox: where messages are stored.
        now_ns: reads ROS time [ns].
        problems: takes what is wrong.
        on_type: called with the type once it is known.

    Raises:
        AudioError: the type asked for is not installed.
    """

    def __init__(self, node: Node, key: str, reliability: str, inbox: AudioInbox,
                 now_ns: Callable[[], int], problems: ProblemLog,
                 on_type: Callable[[AudioType], None]) -> None:
        self.losses = LossCounter()
        self._node, self._inbox, self._now_ns = node, inbox, now_ns
        self._problems, self._on_type = problems, on_type
        self._key, self._wanted_reliability = key, reliability
        self._kind: AudioType | None = None
        self._reliability = ''
        self._subscription: Any = None
        self._info_subscription: Any = None
        self._info: AudioFormat | None = None
        if key != AUTO:
            self._subscribe(AUDIO_TYPES[key], 'best_effort' if reliability == AUTO
                            else reliability)
        self._search = node.create_timer(_SEARCH_PERIOD_S, self._find, clock=steady_clock())

    @property
    def type_name(self) -> str:
        """ROS type that is subscribed, empty while none is."""
        return '' if self._kind is None else self._kind.ros_type

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_timer(self._search)
        self._unsubscribe()

    def _find(self) -> None:
        """Follow the type and the reliability that the topic's publishers have."""
        name = self._node.resolve_topic_name(TOPIC)
        publishers = self._node.get_publishers_info_by_topic(name)
        kind = self._type_among(name, {info.topic_type for info in publishers})
        if kind is None:
            return
        reliability = self._wanted_reliability
        if reliability == AUTO:
            everyone = all(info.qos_profile.reliability == ReliabilityPolicy.RELIABLE
                           for info in publishers if info.topic_type == kind.ros_type)
            reliability = 'reliable' if everyone else 'best_effort'
        if (kind, reliability) != (self._kind, self._reliability):
            self._unsubscribe()
            self._subscribe(kind, reliability)

    def _type_among(self, name: str, ros_types: set[str]) -> AudioType | None:
        """Return the type to listen to among those published, ``None`` if there is none."""
        if self._kind is not None and (self._key != AUTO or self.type_name in ros_types):
            return self._kind if self.type_name in ros_types else None
        for ros_type in sorted(ros_types):
            try:
                kind = audio_type_of(ros_type)
                kind.load()
            except AudioError as error:
                self._problems.report('audio_type', f'topic {name}: {error}')
                continue
            return kind
        return None

    def _subscribe(self, kind: AudioType, reliability: str) -> None:
        self._kind, self._reliability = kind, reliability
        self._subscription = self._node.create_subscription(
            kind.load(), TOPIC, self._store_with_info, qos.audio_in(reliability),
            qos_overriding_options=QoSOverridingOptions.with_default_policies())
        if kind.key in ('audio_data', 'audio_data_stamped'):
            self._subscribe_info()
        self._node.get_logger().info(
            f'listening to {self._subscription.topic_name} as {kind.ros_type} ({reliability})')
        self._on_type(kind)

    def _subscribe_info(self) -> None:
        """Follow what a ros-drivers publisher says about its bytes, if it says anything."""
        from audio_common_msgs.msg import AudioInfo  # present, since AudioData was loaded from it

        self._info_subscription = self._node.create_subscription(
            AudioInfo, INFO_TOPIC, self._take_info, 1)

    def _unsubscribe(self) -> None:
        for subscription in (self._subscription, self._info_subscription):
            if subscription is not None:
                self._node.destroy_subscription(subscription)
        self._subscription = self._info_subscription = self._kind = self._info = None
        self._reliability = ''

    def _take_info(self, message: Any) -> None:
        self._info = format_of_info(message)

    def _store_with_info(self, message: Any, info: MessageInfo) -> None:
        assert self._kind is not None
        packet = self._kind.read(message)
        if self._info is not None:
            packet = packet.declared_as(self._info)
        lost = self.losses.count(info.get('publication_sequence_number'))
        if not self._inbox.put(ReceivedAudio(packet, message, self._now_ns(), lost)):
            self._problems.report('inbox_full', 'more audio arrives than fits in memory; it is '
                                                'dropped')
