"""Stamps of audio on ROS time, also those of a publisher that knows wall time only. Knows no ROS.

Under simulated time a microphone driver or a speech synthesiser often goes on stamping with the
clock on the wall. Such a stamp is years away from ROS time and near to wall time: it still tells
how old its sound is, and how far apart two packets are.
"""
from __future__ import annotations

from .presentation import CREDIBLE_NS

HELD_NS = 30_000_000
"""The difference of the two clocks is kept while it is right by this much: a simulated clock moves
in steps, which are not to be seen in the stamps."""
JUMP_NS = 1_000_000_000
"""When the difference changes by more than this, a clock jumped."""


class StampClock:
    """Turns the stamps of one publisher into ROS time."""

    def __init__(self) -> None:
        self.translated = 0
        self._offset_ns: int | None = None
        self._last: tuple[int, int] | None = None

    def forget(self) -> None:
        """Begin with another publisher, or after a jump of the clock; the count stays."""
        self._offset_ns = self._last = None

    def read(self, stamp_ns: int | None, arrival_ns: int, wall_ns: int) -> int | None:
        """Return a stamp as ROS time [ns].

        Args:
            stamp_ns: stamp as it came.
            arrival_ns: ROS time of arrival.
            wall_ns: wall time of arrival.
        """
        if stamp_ns is None or not self._is_wall(stamp_ns, arrival_ns, wall_ns):
            return stamp_ns
        self.translated += 1
        offset_ns = wall_ns - arrival_ns
        if self._offset_ns is None or abs(offset_ns - self._offset_ns) > HELD_NS:
            if self._offset_ns is not None and abs(offset_ns - self._offset_ns) > JUMP_NS:
                self._last = None
            self._offset_ns = offset_ns
        found_ns = stamp_ns - self._offset_ns
        # A simulation that is slower than real time must not turn the order of packets around.
        if self._last is not None and stamp_ns > self._last[0]:
            found_ns = max(found_ns, self._last[1] + 1)
        self._last = stamp_ns, found_ns
        return found_ns

    def _is_wall(self, stamp_ns: int, arrival_ns: int, wall_ns: int) -> bool:
        """Return whether a stamp is wall time and ROS time is not."""
        from_ros_ns, from_wall_ns = abs(stamp_ns - arrival_ns), abs(stamp_ns - wall_ns)
        if from_ros_ns < CREDIBLE_NS or abs(wall_ns - arrival_ns) < 2 * CREDIBLE_NS:
            return False
        # Of speech that is sent ahead, later packets are stamped as far ahead as it is long.
        return from_wall_ns < CREDIBLE_NS or (
            self._offset_ns is not None and from_wall_ns < from_ros_ns)
