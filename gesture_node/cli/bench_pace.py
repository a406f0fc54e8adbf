"""When motion would be out if its speech came live, from how long windows take to compute.

Speech is fed as fast as it is computed, so a benchmark does not last as long as its speech. When
each packet would have come is known, and one worker computes one window after the other, as in
the node: a window begins when its last packet has come and the window before it is done.
"""
from __future__ import annotations

from ..latency import LatencyTracker
from ..types import StepResult


class LivePace:
    """The clock of a worker that hears live speech."""

    def __init__(self) -> None:
        self._free_s = 0.0
        self._out = LatencyTracker()

    def arrive(self, heard_s: float) -> None:
        """Take note of a packet whose last sample was said at a stream time [s]."""
        self._free_s = max(self._free_s, heard_s)

    def compute(self, result: StepResult, spent_s: float) -> None:
        """Take note of a window and of how long it took [s]."""
        self._free_s += spent_s
        for name, chunk in (('body', result.body), ('face', result.face)):
            if chunk is not None:
                self._out.add(name, self._free_s - chunk.first_frame / chunk.rate_hz)

    def percentiles(self) -> dict[str, dict[str, float]]:
        """Return for each channel how long after its first sound a hop is out, p50 to p99 [s]."""
        return self._out.percentiles()
