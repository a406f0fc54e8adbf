"""The voice on its way out: messages passed on at their time, and sound for a loudspeaker.

Knows no ROS.
"""
from __future__ import annotations

from typing import Any

from ..timeline import NS_PER_S
from .inbox import ReceivedAudio
from .playout import PlayoutQueue
from .sound_output import SoundSink
from .speech_intake import Heard

MAX_LATE_NS = 60_000_000
"""A message is passed on at most so late, unless it is longer itself. A player that plays on
arrival would else be late from then on, with everything."""


class VoiceOutput:
    """Audio until it is heard; filled by the worker, taken by the playout timer.

    Attributes:
        speaker: plays it too, if there is one.
    """

    def __init__(self) -> None:
        self.speaker: SoundSink | None = None
        self._messages: PlayoutQueue[Any] = PlayoutQueue()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def late(self) -> int:
        """Messages dropped so far because the node came to them when their sound was over."""
        return self._messages.late

    def put(self, due_ns: int, audio: ReceivedAudio, heard: Heard | None) -> None:
        """Take a message whose first sample is heard at ROS time ``due_ns``.

        Args:
            due_ns: when it is heard. What arrived later than that is passed on at once.
            audio: the message.
            heard: what it holds; ``None`` if that is not known, it is then passed on even late.
        """
        if heard is None:
            self._messages.put(due_ns, audio.message)
            return
        timing = heard.timing
        long_ns = timing.samples * NS_PER_S // timing.sample_rate
        until_ns = max(due_ns, audio.arrival_ns) + max(long_ns, MAX_LATE_NS)
        self._messages.put(due_ns, audio.message, until_ns)
        if self.speaker is not None:
            self.speaker.put(due_ns, heard.block.samples, timing.sample_rate)

    def take_due(self, now_ns: int) -> list[tuple[int, Any]]:
        """Return and remove the messages whose time has come, with their due times."""
        return self._messages.take_due(now_ns)

    def clear(self) -> None:
        """Be silent at once."""
        self._messages.clear()
        if self.speaker is not None:
            self.speaker.clear()
