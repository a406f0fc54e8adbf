"""Subscribes to everybody else: ``audio_other``, and the voices of ROS4HRI if they are wanted."""
from __future__ import annotations

from collections.abc import Callable

from rclpy.node import Node

from ..config import AudioConfig
from ..dialogue.other_voice import Cue
from .audio_discovery import AUTO
from .audio_input import AudioInput
from .dialogue_config import DialogueConfig
from .dialogue_listener import VoiceListener, VoiceSink
from .problems import ProblemLog
from .voices_input import VoicesInput

TOPIC, INFO_TOPIC = 'audio_other', 'audio_other_info'


class OtherInput:
    """The ears of an active node.

    Args:
        node: who subscribes.
        config: whom to listen to.
        audio: how audio is read whose messages do not say.
        tell: takes cues and when they came, in a thread of the listener.
        now_ns: reads ROS time [ns].
        problems: takes what is wrong.

    Raises:
        MissingMessageError: voices are wanted and ``hri_msgs`` is not installed.
    """

    def __init__(self, node: Node, config: DialogueConfig, audio: AudioConfig,
                 tell: Callable[[Cue, int], None], now_ns: Callable[[], int],
                 problems: ProblemLog) -> None:
        self.listener = VoiceListener(audio, tell, now_ns, problems)
        self._other: AudioInput | None = None
        self._voices: VoicesInput | None = None
        if config.voices:
            self._voices = VoicesInput(
                node, lambda name: VoiceSink(self.listener, f'voice {name}'),
                lambda name: self.listener.lose(f'voice {name}'), now_ns, problems)
        if config.listen:
            self._other = AudioInput(
                node, AUTO, AUTO, VoiceSink(self.listener, TOPIC), now_ns, problems,
                lambda kind: None, topic=TOPIC, info_topic=INFO_TOPIC)
        self.listener.start()

    def close(self) -> bool:
        """Unsubscribe and end the thread; return whether it ended in time."""
        if self._other is not None:
            self._other.close()
        if self._voices is not None:
            self._voices.close()
        return self.listener.stop()
