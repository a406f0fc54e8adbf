"""Listens to the people around by the voices that ROS4HRI (REP-155) tracks.

``/humans/voices/tracked`` lists the voices; each has ``/humans/voices/<id>/audio`` and, where
published, ``/humans/voices/<id>/is_speaking``. These are the voices of people, never the robot's
own. ``hri_msgs`` need not be installed until voices are asked for.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
import re
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Bool

from . import qos
from .audio_discovery import AUTO
from .audio_input import AudioInput, AudioSink
from .optional_messages import load_message
from .problems import ProblemLog

VOICES = '/humans/voices'
MAX_VOICES = 8
_TOKEN = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')


class Voice:
    """The subscriptions of one voice.

    Args:
        node: who subscribes.
        voice: identifier of the voice.
        sink: where its audio is stored.
        now_ns: reads ROS time [ns].
        problems: takes what is wrong.
    """

    def __init__(self, node: Node, voice: str, sink: AudioSink, now_ns: Callable[[], int],
                 problems: ProblemLog) -> None:
        self.is_speaking: bool | None = None
        self._node = node
        base = f'{VOICES}/{voice}'
        # The type is REP-155's, but its packages share a name: it is taken from the publisher.
        self._audio = AudioInput(node, AUTO, AUTO, sink, now_ns, problems,
                                 lambda kind: None, topic=f'{base}/audio',
                                 info_topic=f'{base}/audio_info')
        self._speaking: Any = node.create_subscription(
            Bool, f'{base}/is_speaking', self._take, qos.VOICES)

    def close(self) -> None:
        """Unsubscribe."""
        self._audio.close()
        self._node.destroy_subscription(self._speaking)

    def _take(self, message: Any) -> None:
        self.is_speaking = bool(message.data)


class VoicesInput:
    """Follows the list of tracked voices.

    Args:
        node: who subscribes.
        sink_of: gives the store of a voice by its identifier; called once when it appears.
        on_lost: called with the identifier of a voice that is no longer tracked.
        now_ns: reads ROS time [ns].
        problems: takes what is wrong.

    Raises:
        MissingMessageError: ``hri_msgs`` is not installed.
    """

    def __init__(self, node: Node, sink_of: Callable[[str], AudioSink],
                 on_lost: Callable[[str], None], now_ns: Callable[[], int],
                 problems: ProblemLog) -> None:
        self.voices: dict[str, Voice] = {}
        self._node, self._sink_of, self._on_lost = node, sink_of, on_lost
        self._problems = problems
        self._open = partial(Voice, node, now_ns=now_ns, problems=problems)
        self._tracked: Any = node.create_subscription(
            load_message('hri_msgs/msg/IdsList', 'ids'), f'{VOICES}/tracked', self._follow,
            qos.VOICES)

    def close(self) -> None:
        """Unsubscribe from everything."""
        self._node.destroy_subscription(self._tracked)
        for voice in self.voices.values():
            voice.close()
        self.voices.clear()

    def _follow(self, message: Any) -> None:
        """Open the voices that are new, close those that are gone."""
        wanted = self._usable(message.ids)
        for name in [name for name in self.voices if name not in wanted]:
            self.voices.pop(name).close()
            self._on_lost(name)
        for name in wanted:
            if name not in self.voices and len(self.voices) < MAX_VOICES:
                self.voices[name] = self._open(name, self._sink_of(name))

    def _usable(self, names: Any) -> list[str]:
        """Return the identifiers that can be part of a topic's name, each once, in order."""
        unique = list(dict.fromkeys(names))
        usable = [name for name in unique if _TOKEN.fullmatch(name)]
        if len(usable) < len(unique):
            wrong = next(name for name in unique if name not in usable)
            self._problems.report('voice_name', (
                f'voice {wrong!r} of {VOICES}/tracked cannot be listened to: a name has letters, '
                'digits and underscores and does not begin with a digit'))
        if len(usable) > MAX_VOICES:
            self._problems.report('many_voices', (
                f'{len(usable)} voices are tracked; no more than {MAX_VOICES} are listened to'))
        return usable
