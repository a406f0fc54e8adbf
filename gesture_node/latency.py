"""How long each stage takes: a small tracker with percentiles."""
from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
import time

import numpy as np

PERCENTILES = (50, 95, 99)


class LatencyTracker:
    """Keeps the last durations of named stages; threads may share it.

    Args:
        window: durations kept per stage.
    """

    def __init__(self, window: int = 2_000) -> None:
        self._window = window
        self._stages: dict[str, deque[float]] = {}
        self._lock = Lock()

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Time the body of a ``with`` statement."""
        start_s = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - start_s)

    def add(self, stage: str, duration_s: float) -> None:
        """Record one duration [s]."""
        with self._lock:
            self._stages.setdefault(stage, deque(maxlen=self._window)).append(duration_s)

    def latest(self) -> dict[str, float]:
        """Return the newest duration [s] of each stage."""
        with self._lock:
            return {stage: values[-1] for stage, values in self._stages.items()}

    def percentiles(self) -> dict[str, dict[str, float]]:
        """Return ``{stage: {p50, p95, p99}}`` in seconds."""
        with self._lock:
            stages = {stage: list(values) for stage, values in self._stages.items()}
        return {stage: {f'p{q}': float(np.percentile(values, q)) for q in PERCENTILES}
                for stage, values in stages.items()}
