"""How long each stage takes: a small tracker with percentiles."""
from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
import time

import numpy as np

PERCENTILES = (50, 95, 99)


class LatencyTracker:
    """Keeps the last durations of named stages.

    Args:
        window: durations kept per stage.
    """

    def __init__(self, window: int = 2_000) -> None:
        self._window = window
        self._stages: dict[str, deque[float]] = {}

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
        self._stages.setdefault(stage, deque(maxlen=self._window)).append(duration_s)

    def latest(self) -> dict[str, float]:
        """Return the newest duration [s] of each stage."""
        return {stage: values[-1] for stage, values in self._stages.items()}

    def percentiles(self) -> dict[str, dict[str, float]]:
        """Return ``{stage: {p50, p95, p99}}`` in seconds."""
        return {stage: {f'p{q}': float(np.percentile(list(values), q)) for q in PERCENTILES}
                for stage, values in self._stages.items()}
