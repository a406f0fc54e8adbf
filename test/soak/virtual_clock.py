"""A clock that stands still unless it is moved, or its thread computes."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import time

from gesture_node.latency import LatencyTracker
from gesture_node.timeline import NS_PER_S


class VirtualClock:
    """Stands still unless it is moved, or this thread computes."""

    def __init__(self, now_ns: int) -> None:
        self._at_ns = now_ns
        self._since_ns: int | None = None

    def now_ns(self) -> int:
        """Return the virtual time."""
        spent_ns = 0 if self._since_ns is None else time.thread_time_ns() - self._since_ns
        return self._at_ns + spent_ns

    def move_to(self, now_ns: int) -> None:
        """Go on to a time, never back."""
        self._at_ns = max(self._at_ns, now_ns)

    def charge(self, spent_ns: int) -> None:
        """Go on by what was computed before and is not computed again."""
        self._at_ns += spent_ns

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Go on by what this thread computes."""
        self._since_ns = time.thread_time_ns()
        try:
            yield
        finally:
            self._at_ns, self._since_ns = self.now_ns(), None

    @contextmanager
    def elsewhere(self, now_ns: int) -> Iterator[None]:
        """Show another time while something else happens that takes none."""
        kept_ns = self.now_ns()
        self._at_ns, self._since_ns, was_ns = now_ns, None, self._since_ns
        try:
            yield
        finally:
            self._at_ns = kept_ns
            self._since_ns = None if was_ns is None else time.thread_time_ns()


class VirtualLatency(LatencyTracker):
    """Durations of stages on a virtual clock."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        begun_ns = self._clock.now_ns()
        try:
            yield
        finally:
            self.add(stage, (self._clock.now_ns() - begun_ns) / NS_PER_S)
