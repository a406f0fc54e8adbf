"""How long before its time motion is at hand. Knows no ROS.

Two things are kept apart. The *lead* of a channel is a choice: motion is shown so much earlier
than its sound, to make up for a slow drive or screen. *In hand* is a measurement: how long before
it is to be shown motion was published; below zero it came too late.
"""
from __future__ import annotations

from collections import deque
from threading import Lock

import numpy as np

from ..config import GestureConfig
from ..timeline import NS_PER_S

CHANNELS = ('body', 'face')
_KEPT = 256


def lead_ns(config: GestureConfig, channel: str) -> int:
    """Return how much earlier than its sound the motion of a channel is shown [ns]."""
    lead_s = config.body.lead_s if channel == 'body' else config.face.lead_s
    return round(lead_s * NS_PER_S)


class LeadMeter:
    """What was in hand of the last chunks of each channel."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._in_hand_ms: dict[str, deque[float]] = {
            channel: deque(maxlen=_KEPT) for channel in CHANNELS}

    def note(self, channel: str, first_ns: int, now_ns: int) -> None:
        """Take note of a chunk published now, whose first frame is due at ``first_ns``."""
        with self._lock:
            self._in_hand_ms[channel].append((first_ns - now_ns) / 1e6)

    def values(self) -> dict[str, float]:
        """Return the diagnostics: half and nineteen in twenty chunks had more in hand [ms]."""
        with self._lock:
            kept = {channel: list(values) for channel, values in self._in_hand_ms.items()}
        found: dict[str, float] = {}
        for channel, values in kept.items():
            if values:
                half, few = np.percentile(values, [50, 5])
                found |= {f'{channel} in hand p50 ms': float(half),
                          f'{channel} in hand p05 ms': float(few)}
        return found
