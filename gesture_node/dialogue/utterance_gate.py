"""After an interruption: which of the robot's own audio still belongs to what was interrupted.

A speech synthesiser does not know that it was interrupted; it goes on sending. What it sends is
dropped until it has paused, and what comes then is the next utterance.
"""
from __future__ import annotations

from ..timeline import NS_PER_S

LONGEST_PACKET_NS = NS_PER_S
"""A longer packet is no part of a flow of packets but an utterance of its own."""


class UtteranceGate:
    """Tells the rest of an interrupted utterance from the next one.

    Args:
        pause_s: silence, or absence of audio, after which an utterance is over [s].
    """

    def __init__(self, pause_s: float) -> None:
        self.pause_s = pause_s
        self.refused = 0
        self._closed = False
        self._until_ns = 0

    @property
    def is_closed(self) -> bool:
        """Whether audio is refused."""
        return self._closed

    def close(self, now_ns: int) -> None:
        """Refuse the rest of the utterance that is interrupted now."""
        self._closed = True
        self._until_ns = now_ns + round(self.pause_s * NS_PER_S)

    def open(self) -> None:
        """Let the next packet begin an utterance."""
        self._closed = False

    def admits(self, is_audible: bool, arrival_ns: int, duration_ns: int) -> bool:
        """Return whether a packet is part of a new utterance.

        Args:
            is_audible: whether it holds more than silence; silence is refused while closed.
            arrival_ns: ROS time of arrival.
            duration_ns: how long it sounds.
        """
        if not self._closed:
            return True
        if not is_audible:
            self.refused += 1
            return False
        if arrival_ns >= self._until_ns:
            self._closed = False
            return True
        self.refused += 1
        self._until_ns = arrival_ns + round(self.pause_s * NS_PER_S) + (
            min(duration_ns, LONGEST_PACKET_NS))
        return False
