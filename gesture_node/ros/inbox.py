"""Where callbacks leave what arrived, and the worker finds it. Knows no ROS.

Callbacks only store: they run on the executor's thread, which also plays the face out on time.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Condition, Lock
from typing import Any

from .audio_packet import AudioPacket


@dataclass(frozen=True, slots=True)
class ReceivedAudio:
    """One audio message and the circumstances of its arrival.

    Attributes:
        packet: what it holds.
        message: the message itself, to be passed on.
        arrival_ns: ROS time of arrival.
        lost: messages missing right before it, by the middleware's sequence numbers.
        source: counts publishers and subscriptions; with a new one, a new stream of bytes begins.
    """

    packet: AudioPacket
    message: Any
    arrival_ns: int
    lost: int = 0
    source: int = 0


class AudioInbox:
    """Audio messages in order of arrival.

    Args:
        max_bytes: payload that may wait; more is refused and counted, so that a publisher gone
            wild cannot take all memory.
    """

    def __init__(self, max_bytes: int) -> None:
        self.arrived = Condition()
        self.refused_bytes = 0
        self.last_arrival_ns: int | None = None
        self._max_bytes = max_bytes
        self._bytes = 0
        self._waiting: deque[tuple[int, ReceivedAudio]] = deque()

    def put(self, audio: ReceivedAudio) -> bool:
        """Store a message and wake the worker; return false if there is no room."""
        size = memoryview(audio.packet.payload).nbytes
        with self.arrived:
            self.last_arrival_ns = audio.arrival_ns
            if self._bytes + size > self._max_bytes:
                self.refused_bytes += size
                return False
            self._bytes += size
            self._waiting.append((size, audio))
            self.arrived.notify()
        return True

    def take(self) -> list[ReceivedAudio]:
        """Return and remove everything that waits."""
        with self.arrived:
            taken = [audio for _, audio in self._waiting]
            self._waiting.clear()
            self._bytes = 0
        return taken

    def wait(self, timeout_s: float) -> None:
        """Sleep until something arrives, :meth:`wake` is called, or the time is over."""
        with self.arrived:
            if not self._waiting:
                self.arrived.wait(timeout_s)

    def wake(self) -> None:
        """End a :meth:`wait`."""
        with self.arrived:
            self.arrived.notify()


class LossCounter:
    """Counts messages the middleware lost, by the publisher's sequence numbers.

    Two publishers on one topic have interleaved numbers; jumps too large to be a loss, and steps
    back, are therefore taken for a change of publisher.
    """

    MAX_GAP = 1_000

    def __init__(self) -> None:
        self.lost = 0
        self._last: int | None = None

    def forget(self) -> None:
        """Begin with another publisher; the total stays."""
        self._last = None

    def count(self, sequence: int | None) -> int:
        """Return how many messages are missing between the last one and this one."""
        if sequence is None:
            return 0
        gap = 0 if self._last is None else sequence - self._last - 1
        self._last = sequence
        if not 0 < gap <= self.MAX_GAP:
            return 0
        self.lost += gap
        return gap


class MeasuredJoints:
    """The newest measured position of every joint, from any number of partial messages."""

    FRESH_NS = 500_000_000

    def __init__(self) -> None:
        self._lock = Lock()
        self._positions: dict[str, tuple[int, float]] = {}

    def put(self, positions: Mapping[str, float], now_ns: int) -> None:
        """Store positions [rad] measured now."""
        with self._lock:
            self._positions.update((name, (now_ns, value)) for name, value in positions.items())

    def fresh(self, names: tuple[str, ...], now_ns: int) -> dict[str, float] | None:
        """Return the positions [rad] of all ``names``, ``None`` if one is missing or too old."""
        with self._lock:
            found = {name: self._positions[name] for name in names if name in self._positions}
        if len(found) < len(names) or any(
                abs(now_ns - at_ns) > self.FRESH_NS for at_ns, _ in found.values()):
            return None
        return {name: value for name, (_, value) in found.items()}

    def missing(self, names: tuple[str, ...]) -> list[str]:
        """Return the joints that were never measured."""
        with self._lock:
            return [name for name in names if name not in self._positions]
