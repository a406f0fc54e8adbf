"""Sound on ROS time, sample by sample, for a device of any rate. Knows no ROS and no device.

Samples of the device are counted from ROS time 0, so what is due at a time has a place that does
not depend on when it came. What comes too late for its place is left out, and never moves what
follows.
"""
from __future__ import annotations

from collections import deque
from fractions import Fraction
from threading import Lock

import numpy as np
import soxr

from ..timeline import NS_PER_S
from ..types import Float32Array

CONTIGUOUS_NS = 1_000_000
"""Packets that follow each other this closely are one sound; else a new one begins."""
FLUSH_NS = 100_000_000
"""What the resampler holds back of a sound is fetched when nothing more came so long before."""


class SoundTrack:
    """Sound waiting to be heard; filled by one thread, played by another.

    Args:
        rate_hz: samples per second of the device.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.late_frames = 0
        self._lock = Lock()
        self._pieces: deque[tuple[int, Float32Array]] = deque()
        self._resampler: soxr.ResampleStream | None = None
        self._source_hz = 0
        self._run_ns = 0
        self._taken_s = Fraction(0)
        self._next_frame = 0

    def frame_at(self, time_ns: int) -> int:
        """Return the number of the device's sample nearest to a ROS time."""
        return (2 * time_ns * self.rate_hz + NS_PER_S) // (2 * NS_PER_S)

    def put(self, due_ns: int, samples: Float32Array, sample_rate: int) -> None:
        """Append mono samples ``(n,)`` whose first is heard at ROS time ``due_ns``."""
        with self._lock:
            expected_ns = self._run_ns + int(self._taken_s * NS_PER_S)
            if (self._resampler is None or sample_rate != self._source_hz
                    or abs(due_ns - expected_ns) > CONTIGUOUS_NS):
                self._end_run()
                self._resampler = soxr.ResampleStream(
                    sample_rate, self.rate_hz, 1, dtype='float32')
                self._source_hz, self._run_ns, self._taken_s = sample_rate, due_ns, Fraction(0)
                self._next_frame = self.frame_at(due_ns)
            self._taken_s += Fraction(len(samples), sample_rate)
            self._append(self._resampler.resample_chunk(np.ascontiguousarray(samples)))

    def render(self, first_frame: int, count: int) -> Float32Array:
        """Return and remove the samples of ``count`` frames of the device, silence between."""
        block = np.zeros(count, np.float32)
        with self._lock:
            end_ns = self._run_ns + int(self._taken_s * NS_PER_S)
            if self._resampler is not None and (
                    (first_frame + count) * NS_PER_S // self.rate_hz > end_ns - FLUSH_NS):
                self._end_run()
            while self._pieces and self._pieces[0][0] < first_frame + count:
                start, samples = self._pieces.popleft()
                missed = min(max(0, first_frame - start), len(samples))
                self.late_frames += missed
                start, samples = start + missed, samples[missed:]
                fitting = min(len(samples), first_frame + count - start)
                block[start - first_frame:start - first_frame + fitting] = samples[:fitting]
                if fitting < len(samples):
                    self._pieces.appendleft((start + fitting, samples[fitting:]))
                    break
        return block

    def is_silent(self, first_frame: int, count: int) -> bool:
        """Return whether nothing is to be heard in ``count`` frames."""
        with self._lock:
            return not self._pieces or self._pieces[0][0] >= first_frame + count

    def clear(self) -> None:
        """Be silent at once."""
        with self._lock:
            self._pieces.clear()
            self._resampler = None

    def _end_run(self) -> None:
        """Fetch what the resampler holds back; what comes next is another sound."""
        if self._resampler is not None:
            self._append(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
            self._resampler = None

    def _append(self, samples: Float32Array) -> None:
        start = self._next_frame
        self._next_frame += len(samples)
        if self._pieces:
            # Of two sounds for the same time the first is heard.
            last, before = self._pieces[-1]
            overlap = min(max(0, last + len(before) - start), len(samples))
            start, samples = start + overlap, samples[overlap:]
        if len(samples):
            self._pieces.append((start, np.asarray(samples, np.float32)))
