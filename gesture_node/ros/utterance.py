"""When the current utterance begins and ends, in ROS time of its sound. Knows no ROS."""
from __future__ import annotations

from ..timeline import NS_PER_S
from .presentation import PacketTiming

GAP_NS = NS_PER_S
"""Sound after a longer pause is another utterance."""
AHEAD_NS = 300_000_000
"""Sound that is known this long before it is heard came at once, not live."""
QUIET_NS = 150_000_000
"""An utterance that came at once is taken for complete when nothing has come for this long."""


class UtteranceTimes:
    """Begin and end of what is said, as far as it is known."""

    def __init__(self) -> None:
        self._begin_ns: int | None = None
        self._end_ns = self._heard_ns = 0
        self._ahead_ns = 0

    def forget(self) -> None:
        """Forget the utterance."""
        self._begin_ns = None

    def note(self, packet: PacketTiming, sounds_ns: int, now_ns: int, delay_ns: int) -> None:
        """Take note of a packet of sound.

        Args:
            packet: how long it is, and whether it is audible.
            sounds_ns: ROS time at which it begins to be heard.
            now_ns: ROS time.
            delay_ns: presentation delay, by which live sound is ahead.
        """
        self._heard_ns = now_ns
        if not packet.audible:
            return
        duration_ns = packet.samples * NS_PER_S // packet.sample_rate
        if self._begin_ns is None or sounds_ns - self._end_ns > GAP_NS:
            self._begin_ns, self._end_ns = sounds_ns, sounds_ns
        self._end_ns = max(self._end_ns, sounds_ns + duration_ns)
        self._ahead_ns = self._end_ns - now_ns - delay_ns

    def at(self, fraction: float, length_s: float | None, now_ns: int) -> int | None:
        """Return the ROS time [ns] of a fraction of the utterance, ``None`` while unknown.

        Args:
            fraction: in [0, 1].
            length_s: of the utterance, if it is known otherwise.
            now_ns: ROS time.
        """
        if not self._is_current(now_ns, length_s):
            return None
        assert self._begin_ns is not None
        length_ns = self._end_ns - self._begin_ns
        if length_s is not None:
            length_ns = round(length_s * NS_PER_S)
        elif self._ahead_ns < AHEAD_NS or now_ns - self._heard_ns < QUIET_NS:
            return None
        return self._begin_ns + round(fraction * length_ns)

    def why_unknown(self, now_ns: int) -> str:
        """Return why :meth:`at` knows no time."""
        if not self._is_current(now_ns, None):
            return 'there is no utterance of which this could be a fraction'
        return ('the utterance comes live, so its length is not known; give it in seconds, '
                'such as of=3.5')

    def _is_current(self, now_ns: int, length_s: float | None) -> bool:
        if self._begin_ns is None:
            return False
        length_ns = 0 if length_s is None else round(length_s * NS_PER_S)
        return now_ns <= max(self._end_ns, self._begin_ns + length_ns)
