"""Which message type and reliability an audio topic is to be subscribed with. Knows no ROS.

The graph is looked at again and again: publishers come late, leave, and come back as another type.
A process that was killed stays in the graph for many seconds, so the type that is listened to is
also left when it is silent and a publisher of another type has come since.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..exceptions import AudioError
from ..timeline import NS_PER_S
from .audio_messages import audio_type_of, AUDIO_TYPES, AudioType
from .problems import ProblemLog

AUTO = 'auto'
SILENT_NS = NS_PER_S // 2
"""After so long without a message, a newcomer of another type is preferred."""


@dataclass(frozen=True, slots=True)
class AudioPublisher:
    """One publisher of the topic, as the graph shows it.

    Attributes:
        identity: unique in the graph.
        ros_type: name of its message type.
        reliable: whether it offers reliable delivery.
        definition: hash of its message definition; empty if the graph does not tell.
    """

    identity: str
    ros_type: str
    reliable: bool
    definition: str = ''


@dataclass(frozen=True, slots=True)
class Choice:
    """How to subscribe: the type and ``'reliable'`` or ``'best_effort'``."""

    kind: AudioType
    reliability: str


class AudioDiscovery:
    """Chooses among the publishers of one topic.

    Args:
        topic: its full name, for what is said.
        key: value of the parameter ``audio_type``.
        reliability: value of the parameter ``audio_reliability``.
        problems: takes what cannot be listened to.
    """

    def __init__(self, topic: str, key: str, reliability: str, problems: ProblemLog) -> None:
        self._topic, self._key, self._reliability = topic, key, reliability
        self._problems = problems
        self._first_seen: dict[str, int] = {}
        self._looks = 0
        self._said: set[tuple[str, str]] = set()
        self._not_loadable: dict[str, str] = {}
        self._other_definitions: set[tuple[str, str]] = set()

    def first_choice(self) -> Choice | None:
        """Return how to subscribe before any publisher is there; ``None`` for not at all."""
        if self._key == AUTO:
            return None
        return Choice(AUDIO_TYPES[self._key], self._reliability_for([]))

    def choose(self, publishers: Iterable[AudioPublisher], current: Choice | None,
               own_definition: str, silent_ns: int) -> Choice | None:
        """Return how to subscribe now; the current choice where nothing better is known.

        ``None`` means not at all: nobody is there yet, or everybody who is there publishes
        something else under the name of the type that was subscribed.

        Args:
            publishers: all that the graph shows.
            current: how the topic is subscribed.
            own_definition: hash of the definition that is subscribed, empty if unknown.
            silent_ns: for how long no message has come [ns].
        """
        present = list(publishers)
        usable = self._usable(present, current, own_definition)
        self._note_newcomers(usable)
        if not usable:
            is_other = current is not None and any(
                one.ros_type == current.kind.ros_type
                and (one.ros_type, one.definition) in self._other_definitions for one in present)
            return None if is_other else current
        kind = self._kind_among(usable, current, silent_ns)
        return Choice(kind, self._reliability_for(
            [one for one in usable if one.ros_type == kind.ros_type]))

    def _kind_among(self, usable: list[AudioPublisher], current: Choice | None,
                    silent_ns: int) -> AudioType:
        if len({one.ros_type for one in usable}) > 1:
            self._problems.report('several_audio_types', (
                f'topic {self._topic} is published as several types '
                f'({", ".join(sorted({one.ros_type for one in usable}))}); only one of them is '
                'listened to'))
        newest = max(usable, key=lambda one: (self._first_seen[one.identity], one.identity))
        if current is not None:
            staying = [one for one in usable if one.ros_type == current.kind.ros_type]
            newer = [one for one in staying
                     if self._first_seen[one.identity] >= self._first_seen[newest.identity]]
            if newer or (staying and silent_ns < SILENT_NS):
                return current.kind
        return audio_type_of(newest.ros_type)

    def _usable(self, publishers: list[AudioPublisher], current: Choice | None,
                own_definition: str) -> list[AudioPublisher]:
        """Return the publishers that can be listened to; say of the others why not."""
        usable, refused = [], set()
        for one in publishers:
            reason = self._why_not(one, current, own_definition)
            if not reason:
                usable.append(one)
                continue
            refused.add((one.identity, reason))
            if (one.identity, reason) not in self._said:
                self._problems.report(f'audio_type {one.ros_type}',
                                      f'topic {self._topic}: {reason}')
        self._said = refused
        return usable

    def _why_not(self, one: AudioPublisher, current: Choice | None, own_definition: str) -> str:
        reason = self._why_not_loadable(one.ros_type)
        if reason:
            return reason
        if self._key not in (AUTO, audio_type_of(one.ros_type).key):
            return (f'it is published as {one.ros_type}, but the parameter audio_type is '
                    f'{self._key}')
        definition = (one.ros_type, one.definition)
        if (current is not None and current.kind.ros_type == one.ros_type and own_definition
                and one.definition and one.definition != own_definition):
            self._other_definitions.add(definition)
        if definition in self._other_definitions:
            return (f'a publisher of {one.ros_type} uses another definition of that type than '
                    'the one installed here')
        return ''

    def _why_not_loadable(self, ros_type: str) -> str:
        # A failing import is slow, and would be tried ten times a second.
        if ros_type not in self._not_loadable:
            try:
                audio_type_of(ros_type).load()
                self._not_loadable[ros_type] = ''
            except AudioError as error:
                self._not_loadable[ros_type] = str(error)
        return self._not_loadable[ros_type]

    def _note_newcomers(self, usable: list[AudioPublisher]) -> None:
        self._looks += 1
        seen = {one.identity for one in usable}
        self._first_seen = {identity: look for identity, look in self._first_seen.items()
                            if identity in seen}
        for identity in seen:
            self._first_seen.setdefault(identity, self._looks)

    def _reliability_for(self, publishers: list[AudioPublisher]) -> str:
        if self._reliability != AUTO:
            return self._reliability
        everyone = bool(publishers) and all(one.reliable for one in publishers)
        return 'reliable' if everyone else 'best_effort'
