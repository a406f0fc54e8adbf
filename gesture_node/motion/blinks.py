"""Blinks: a point process of its own, laid over whatever the network does with the lids.

A denoiser with few calls gives the mean of what could happen, and the mean of a blink that may
come at any time is no blink at all. So when to blink is drawn, as the stochastic part of the
ICASSP 2023 talker draws head and lids; expression and gaze of the lids stay the network's.

Intervals are gamma distributed (shape 3, a minimum of 0.35 s, 12 % double blinks); a blink closes
in 75 ms, stays shut 20 ms and opens in 190 ms (sources: ``docs/face_teacher.md``).
"""
from __future__ import annotations

from collections import deque

import numpy as np

from ..types import Float32Array
from .face import BLENDSHAPE_INDEX

_LIDS = [BLENDSHAPE_INDEX['eyeBlinkLeft'], BLENDSHAPE_INDEX['eyeBlinkRight']]
_CLOSE_S, _SHUT_S, _OPEN_S = 0.075, 0.02, 0.19
_SHAPE, _DOUBLES, _LEAST_S, _DOUBLE_S = 3.0, 0.12, 0.35, 0.42
_KEEP_S = 1.0


class BlinkTrack:
    """Blinks of one face, by absolute frame; the same whatever pieces they are asked for in.

    Args:
        seed: of the draws.
        rate_hz: frames per second.
        blinks_per_minute: mean rate, above 0.
    """

    def __init__(self, seed: int, rate_hz: int, blinks_per_minute: float) -> None:
        self._random = np.random.default_rng((seed, len(_LIDS), rate_hz))
        self._rate_hz = rate_hz
        self._mean_s = (1.0 + _DOUBLES) * 60.0 / blinks_per_minute
        self._drawn_s = -self._mean_s * self._random.random()
        self._blinks: deque[tuple[float, float, float]] = deque()

    def apply(self, first_frame: int, frames: Float32Array) -> Float32Array:
        """Return frames ``(T, 52)`` with the blinks of their time; later calls never go back.

        Args:
            first_frame: absolute number of the first frame, at most a second before the last
                call's.
            frames: shape (T, 52), blendshape weights.
        """
        time_s = (first_frame + np.arange(len(frames))) / self._rate_hz
        self._draw_until(float(time_s[-1]) if len(time_s) else 0.0)
        while self._blinks and self._blinks[0][0] < first_frame / self._rate_hz - _KEEP_S:
            self._blinks.popleft()
        result = frames.copy()
        for start_s, slowness, depth in self._blinks:
            curve = depth * _closing((time_s - start_s) / slowness)
            result[:, _LIDS] = np.maximum(result[:, _LIDS], curve[:, None])
        return np.asarray(result)

    def _draw_until(self, end_s: float) -> None:
        while self._drawn_s <= end_s:
            self._drawn_s += max(_LEAST_S, self._random.gamma(_SHAPE, self._mean_s / _SHAPE))
            slowness, depth = self._random.uniform(0.85, 1.2), self._random.uniform(0.85, 1.0)
            self._blinks.append((self._drawn_s, slowness, depth))
            if self._random.random() < _DOUBLES:
                self._drawn_s += _DOUBLE_S
                self._blinks.append((self._drawn_s, slowness, depth))


def _closing(since_s: np.ndarray) -> np.ndarray:
    """Return how far lids are shut, 0 to 1, after the start of a blink."""
    closed = 0.5 - 0.5 * np.cos(np.pi * np.clip(since_s / _CLOSE_S, 0.0, 1.0))
    opening = np.clip((since_s - _CLOSE_S - _SHUT_S) / _OPEN_S, 0.0, 1.0)
    return np.asarray(closed * (0.5 + 0.5 * np.cos(np.pi * opening)))
