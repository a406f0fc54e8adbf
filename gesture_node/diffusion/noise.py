"""Gaussian noise that belongs to absolute frames, so that overlapping windows share it.

Frame ``k`` of a channel always starts from the same noise for a given seed (a counter-based
generator: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011). The provisional
lookahead of one window and the committed frames of the next therefore agree closely, packets and
hops do not change what a frame is drawn from, and one seed repeats exactly.
"""
from __future__ import annotations

import numpy as np

from ..types import Float32Array


class FrameNoise:
    """Noise by frame index.

    Args:
        seed: user's seed.
        channel: stream of its own per channel (0 body, 1 face).
        dim: numbers per frame.
    """

    def __init__(self, seed: int, channel: int, dim: int) -> None:
        # One generator is put to the start of each frame; making one for each takes four times as
        # long and draws the same.
        self._source = np.random.Philox(counter=np.zeros(4, np.uint64),
                                        key=np.array([seed, channel], dtype=np.uint64))
        self._generator = np.random.Generator(self._source)
        self._fresh = self._source.state
        self._dim = dim
        self._cache: dict[int, Float32Array] = {}

    def get(self, start: int, stop: int) -> Float32Array:
        """Return noise of frames ``[start, stop)``, shape ``(n, dim)``, float32."""
        for frame in range(start, stop):
            if frame not in self._cache:
                self._cache[frame] = self._draw(frame)
        for frame in [k for k in self._cache if k < start]:
            del self._cache[frame]
        return np.stack([self._cache[frame] for frame in range(start, stop)])

    def _draw(self, frame: int) -> Float32Array:
        state = self._fresh['state']
        assert isinstance(state, dict)
        state['counter'][2] = frame + (1 << 32)
        self._source.state = self._fresh
        return self._generator.standard_normal(self._dim, dtype=np.float32)
