"""Notices a worker that does not come back from what it is doing. Knows no thread and no clock."""
from __future__ import annotations

from ..timeline import NS_PER_S

LONGEST_TICK_NS = NS_PER_S // 10
"""A longer pause between two looks is the watchdog's own (a suspended process, a full machine) and
counts as no more than this against the worker."""


class Watchdog:
    """Looks at a worker now and then.

    Args:
        stall_s: a worker is stalled when one piece of work takes longer.
    """

    def __init__(self, stall_s: float) -> None:
        self.stalls = 0
        self._stall_ns = round(stall_s * NS_PER_S)
        self._seen_ns: int | None = None
        self._looked_ns: int | None = None
        self._busy_ns = 0
        self._stalled = False

    @property
    def is_stalled(self) -> bool:
        """Whether the worker was stalled when last looked at."""
        return self._stalled

    @property
    def busy_s(self) -> float:
        """For how long the worker has been at its piece of work, as far as it was watched [s]."""
        return self._busy_ns / NS_PER_S

    def look(self, busy_since_ns: int | None, now_ns: int) -> bool:
        """Return true once, when a stall begins.

        Args:
            busy_since_ns: when the worker began what it is doing; ``None`` while it rests.
            now_ns: time of the same clock.
        """
        looked_ns, self._looked_ns = self._looked_ns, now_ns
        if busy_since_ns is None or busy_since_ns != self._seen_ns or looked_ns is None:
            self._seen_ns, self._busy_ns, self._stalled = busy_since_ns, 0, False
            return False
        self._busy_ns += min(max(0, now_ns - looked_ns), LONGEST_TICK_NS)
        if self._stalled or self._busy_ns < self._stall_ns:
            return False
        self._stalled = True
        self.stalls += 1
        return True
