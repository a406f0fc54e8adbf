"""Noise levels and the update formulas. Level 0 is the clean end, level T - 1 nearly pure noise.

Cosine schedule of Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models",
ICML 2021. Updates predict the clean signal x_0 and move to a lower level by DDIM (Song et al.,
ICLR 2021, eta = 0) or by DPM-Solver++(2M) (Lu et al., 2022).
"""
from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np

from ..exceptions import ConfigError
from ..types import Float32Array, Float64Array

_OFFSET = 0.008


def _cosine_alpha_bar(train_steps: int) -> Float64Array:
    time = (np.arange(train_steps) + 1) / train_steps
    curve = np.cos((time + _OFFSET) / (1 + _OFFSET) * math.pi / 2) ** 2
    start = math.cos(_OFFSET / (1 + _OFFSET) * math.pi / 2) ** 2
    return np.clip(curve / start, 1e-8, 1.0)


@dataclass(frozen=True)
class Schedule:
    """Signal and noise shares per level: ``x_t = signal[t] * x_0 + noise[t] * epsilon``.

    Attributes:
        signal: shape (T,), square root of alpha-bar.
        noise: shape (T,), square root of one minus alpha-bar.
        shift: how strongly visited levels crowd at the noisy end; 1 spaces them evenly. Motion
            is redundant over channels and time, so what it will be is decided at the noisiest
            levels (as Hoogeboom et al., "simple diffusion", ICML 2023, found for large images).
    """

    signal: Float64Array
    noise: Float64Array
    shift: float = 1.0

    @classmethod
    def cosine(cls, train_steps: int = 1000, shift: float = 1.0) -> Schedule:
        """Return the cosine schedule with ``train_steps`` levels.

        Raises:
            ValueError: the shift is below 1.
        """
        if not 1.0 <= shift < math.inf:
            raise ValueError(f'schedule shift must be at least 1, got {shift}')
        alpha_bar = _cosine_alpha_bar(train_steps)
        return cls(np.sqrt(alpha_bar), np.sqrt(1.0 - alpha_bar), shift)

    @property
    def train_steps(self) -> int:
        """Number of levels T."""
        return len(self.signal)

    def levels(self, steps: int) -> list[int]:
        """Return the levels visited by ``steps`` denoiser calls, falling from T - 1.

        With a shift, neighbouring levels may coincide when there are very many steps; they are
        then kept apart by one.

        Raises:
            ConfigError: not between 1 and T steps.
        """
        if not 1 <= steps <= self.train_steps:
            raise ConfigError(f'steps must be in [1, {self.train_steps}], got {steps}')
        share = (np.arange(steps, 0, -1) / steps) ** (1.0 / self.shift)
        wanted = np.floor(self.train_steps * share + 1e-9).astype(int) - 1
        top = self.train_steps - 1 - np.arange(steps)
        falling = np.minimum.accumulate(wanted + np.arange(steps)) - np.arange(steps)
        floor = np.arange(steps)[::-1]
        return [int(level) for level in np.maximum(np.minimum(falling, top), floor)]

    def diffuse(self, x_0: Float32Array, epsilon: Float32Array, level: int) -> Float32Array:
        """Return the clean signal with the noise of a level mixed in."""
        mixed: Float32Array = (self.signal[level] * x_0 + self.noise[level] * epsilon).astype(
            np.float32)
        return mixed

    def ddim(self, x_t: Float32Array, x_0: Float32Array, level: int, lower: int) -> Float32Array:
        """Return the sample at ``lower`` from the one at ``level`` and its x_0 estimate."""
        epsilon = (x_t - self.signal[level] * x_0) / self.noise[level]
        return self.diffuse(x_0, epsilon, lower)

    def dpm_solver(self, x_t: Float32Array, x_0: Float32Array, previous: Float32Array | None,
                   levels: tuple[int, int, int]) -> Float32Array:
        """Return the sample at the lower level by the second-order multistep update.

        Args:
            x_t: sample at the current level.
            x_0: estimate at the current level.
            previous: estimate at the level before, or None at the first step (then first order).
            levels: (level before, current level, lower level); the first is ignored at the first.
        """
        before, level, lower = levels
        log_snr = np.log(self.signal[[before, level, lower]] / self.noise[[before, level, lower]])
        step = log_snr[2] - log_snr[1]
        estimate = x_0
        if previous is not None:
            ratio = (log_snr[1] - log_snr[0]) / step
            estimate = (1 + 0.5 / ratio) * x_0 - 0.5 / ratio * previous
        scale = self.noise[lower] / self.noise[level]
        shift = -self.signal[lower] * np.expm1(-step)
        lowered: Float32Array = (scale * x_t + shift * estimate).astype(np.float32)
        return lowered
