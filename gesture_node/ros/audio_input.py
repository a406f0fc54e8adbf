"""Subscribes an audio topic, whatever type its publisher has, and stores what arrives."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import time
from typing import Any, Protocol, TYPE_CHECKING

from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy

from . import qos
from .audio_discovery import AudioDiscovery, AudioPublisher, Choice
from .audio_info import AudioInfoInput
from .audio_messages import AudioType, packet_of
from .inbox import LossCounter, ReceivedAudio
from .optional_messages import MissingMessageError
from .problems import ProblemLog
from .stamp_clock import StampClock
from .steady_clock import steady_clock

if TYPE_CHECKING:
    from rclpy.subscription import MessageInfo

TOPIC = 'audio'
INFO_TOPIC = 'audio_info'
_SEARCH_PERIOD_S = 0.1
_WITH_INFO = ('audio_data', 'audio_data_stamped')
_INTERLEAVED = 6
"""So many changes of publisher within as many messages: several speak at once."""


class AudioSink(Protocol):
    """What takes the messages: an ``AudioInbox``."""

    def put(self, audio: ReceivedAudio) -> bool:
        """Store a message; return false if there is no room."""


class AudioInput:
    """The subscription of one audio topic.

    With type ``auto`` the topic is watched until it has a publisher; its type is then
    subscribed, and followed when the publisher changes it (see ``audio_discovery``). Reliability
    is followed likewise, unless a parameter overrides it.

    Args:
        node: who subscribes.
        key: value of the parameter ``audio_type``.
        reliability: value of the parameter ``audio_reliability``.
        inbox: where messages are stored.
        now_ns: reads ROS time [ns].
        problems: takes what is wrong.
        on_type: called with the type once it is known.
        topic: relative name of the topic.
        info_topic: relative name of the topic that describes its bytes.

    Raises:
        AudioError: the type asked for is not installed.
    """

    def __init__(self, node: Node, key: str, reliability: str, inbox: AudioSink,
                 now_ns: Callable[[], int], problems: ProblemLog,
                 on_type: Callable[[AudioType], None], *, topic: str = TOPIC,
                 info_topic: str = INFO_TOPIC) -> None:
        self.losses = LossCounter()
        self._node, self._inbox, self._now_ns = node, inbox, now_ns
        self._problems, self._on_type = problems, on_type
        self._topic, self._info_topic = topic, info_topic
        self._name = node.resolve_topic_name(topic)
        fixed = qos.overridden_reliability(node, self._name)
        self._discovery = AudioDiscovery(self._name, key, fixed or reliability, problems)
        self._choice: Choice | None = None
        self._subscription: Any = None
        self._info: AudioInfoInput | None = None
        self._definition = ''
        self._source = self._changes = 0
        self._publisher: Any = None
        self._clock = steady_clock()
        self._stamps = StampClock()
        self._heard_ns = 0
        first = self._discovery.first_choice()
        if first is not None:
            self._subscribe(first)
        self._search = node.create_timer(_SEARCH_PERIOD_S, self._find, clock=self._clock)

    @property
    def type_name(self) -> str:
        """ROS type that is subscribed, empty while none is."""
        return '' if self._choice is None else self._choice.kind.ros_type

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_timer(self._search)
        self._unsubscribe()

    def _find(self) -> None:
        """Follow the type and the reliability that the topic's publishers have."""
        publishers = [_publisher(info) for info in
                      self._node.get_publishers_info_by_topic(self._name)]
        silent_ns = self._steady_ns() - self._heard_ns
        choice = self._discovery.choose(publishers, self._choice, self._own_definition(),
                                        silent_ns)
        if choice != self._choice:
            self._unsubscribe()
            if choice is not None:
                self._subscribe(choice)
        if self._info is not None:
            self._info.follow()

    def _subscribe(self, choice: Choice) -> None:
        kind = choice.kind
        self._subscription = self._node.create_subscription(
            kind.load(), self._topic, self._store, qos.audio_in(choice.reliability),
            qos_overriding_options=qos.overridable_audio(self._node, self._name))
        self._choice, self._definition, self._publisher = choice, '', None
        self._heard_ns = self._steady_ns()
        if kind.key in _WITH_INFO:
            try:
                self._info = AudioInfoInput(self._node, self._info_topic)
            except MissingMessageError as error:
                # Half a package: what its bytes are is then up to the parameters.
                self._problems.report('audio_info_type', str(error))
        self._node.get_logger().info(
            f'listening to {self._name} as {kind.ros_type} ({choice.reliability})')
        self._on_type(kind)

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        if self._info is not None:
            self._info.close()
        self._subscription = self._choice = self._info = None

    def _own_definition(self) -> str:
        """Return the hash of the definition that is subscribed, empty if it is not known."""
        if self._choice is not None and not self._definition:
            for info in self._node.get_subscriptions_info_by_topic(self._name):
                if info.topic_type == self.type_name and info.node_name == self._node.get_name():
                    self._definition = _definition(info)
        return self._definition

    def _steady_ns(self) -> int:
        return int(self._clock.now().nanoseconds)

    def _store(self, message: Any, info: MessageInfo) -> None:
        if self._choice is None:
            return
        self._heard_ns = self._steady_ns()
        self._note_publisher(info)
        lost = self.losses.count(info.get('publication_sequence_number'))
        packet = packet_of(self._choice.kind, message, self._problems)
        if packet is None:
            return
        if self._info is not None and self._info.format is not None:
            packet = packet.declared_as(self._info.format)
        arrival_ns = self._now_ns()
        stamp_ns = self._stamps.read(packet.stamp_ns, arrival_ns, time.time_ns())
        if stamp_ns != packet.stamp_ns:
            self._problems.report('wall_stamps', (
                f'audio on {self._name} is stamped with wall time while ROS time is simulated; '
                'its stamps are turned into ROS time'))
            packet = replace(packet, stamp_ns=stamp_ns)
        if not self._inbox.put(ReceivedAudio(packet, message, arrival_ns, lost, self._source)):
            self._problems.report('inbox_full', 'more audio arrives than fits in memory; it is '
                                                'dropped')

    def _note_publisher(self, info: MessageInfo) -> None:
        """Notice another publisher: what it sends does not continue what was sent before."""
        gid: Any = info.get('publisher_gid')
        publisher = bytes(gid['data']) if gid else b''
        if publisher == self._publisher:
            self._changes = max(0, self._changes - 1)
            return
        self._publisher = publisher
        self._source += 1
        self._stamps.forget()
        self._changes += 2
        self.losses.forget()
        if self._changes > 2 * _INTERLEAVED:
            self._problems.report('several_publishers', (
                f'several publishers send audio on {self._name} at once; it is mixed up'))


def _publisher(info: Any) -> AudioPublisher:
    return AudioPublisher(bytes(info.endpoint_gid).hex(), info.topic_type,
                          info.qos_profile.reliability == ReliabilityPolicy.RELIABLE,
                          _definition(info))


def _definition(info: Any) -> str:
    """Return the hash of a message definition; empty where ROS does not know it (Humble)."""
    definition = getattr(info, 'topic_type_hash', None)
    return str(definition) if definition is not None and any(definition.value) else ''
