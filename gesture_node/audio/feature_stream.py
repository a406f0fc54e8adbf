"""Features of a growing stream, by absolute frame index."""
from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..timeline import FEATURE_RATE_HZ, first_sample, frames_before, samples_per_frame
from ..types import Float32Array
from .features import FEATURE_DIM, features_after, HISTORY_SAMPLES
from .ring_buffer import RingBuffer

_HOP = samples_per_frame(FEATURE_RATE_HZ)


class FeatureSource(Protocol):
    """Sound in, feature frames at 50 Hz out, both by absolute index: a front end of one stream.

    What a frame is depends on its index and the sound alone, never on how the sound arrived.
    """

    @property
    def dim(self) -> int:
        """Numbers per feature frame."""

    @property
    def block_frames(self) -> int:
        """Frames that become available together."""

    @property
    def samples_accepted(self) -> int:
        """Samples appended since the start."""

    @property
    def frames_available(self) -> int:
        """Feature frames that the audio so far suffices for."""

    def samples_for(self, frames: int) -> int:
        """Return how many samples must have arrived for the first ``frames`` frames."""

    def append(self, samples: Float32Array) -> None:
        """Append 16 kHz mono samples ``(n,)``."""

    def get(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return frames ``[start, stop)``, shape ``(n, dim)``; zeros before frame 0.

        Threads may call it at the same time, while none appends or drops anything.
        """

    def drop_before(self, frame: int) -> None:
        """Forget frames that no window will need again."""


FrontEnd = Callable[[], FeatureSource]
"""Makes the features of a new stream."""


class FeatureStream:
    """Turns a 16 kHz stream into feature frames, computed once each, when first asked for."""

    def __init__(self) -> None:
        self._samples = RingBuffer(capacity=32_768)
        self._features = RingBuffer((FEATURE_DIM,), capacity=2_048)
        self._lock = Lock()

    @property
    def dim(self) -> int:
        """Numbers per feature frame."""
        return FEATURE_DIM

    @property
    def block_frames(self) -> int:
        """Frames that become available together."""
        return 1

    @property
    def samples_accepted(self) -> int:
        """Samples appended since the start."""
        return self._samples.head

    @property
    def frames_available(self) -> int:
        """Feature frames that the audio so far suffices for."""
        return frames_before(self._samples.head, FEATURE_RATE_HZ)

    def samples_for(self, frames: int) -> int:
        """Return how many samples must have arrived for the first ``frames`` frames."""
        return first_sample(max(0, frames), FEATURE_RATE_HZ)

    def append(self, samples: Float32Array) -> None:
        """Append 16 kHz mono samples ``(n,)``."""
        self._samples.append(samples)

    def get(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return frames ``[start, stop)``, shape ``(n, 83)``; zeros before frame 0.

        Raises:
            IndexError: the audio of a frame has not arrived, or a frame was dropped.
        """
        with self._lock:
            first, end = self._features.head, min(stop, self.frames_available)
            if end > first:
                self._features.append(features_after(
                    self._samples.get(first * _HOP - HISTORY_SAMPLES, end * _HOP)))
            self._samples.drop_before(self._features.head * _HOP - HISTORY_SAMPLES)
            return self._features.get(start, stop)

    def drop_before(self, frame: int) -> None:
        """Forget frames that no window will need again."""
        self._features.drop_before(frame)
