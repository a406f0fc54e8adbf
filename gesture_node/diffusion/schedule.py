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
    """

    signal: Float64Array
    noise: Float64Array

    @classmethod
    def cosine(cls, train_steps: int = 1000) -> Schedule:
        """Return the cosine schedule with ``train_steps`` levels."""
        alpha_bar = _cosine_alpha_bar(train_steps)
        return cls(np.sqrt(alpha_bar), np.sqrt(1.0 - alpha_bar))

    @property
    def train_steps(self) -> int:
        """Number of levels T."""
        return len(self.signal)

    def levels(self, steps: int) -> list[int]:
        """Return the levels visited by ``steps`` denoiser calls, from T - 1 down, evenly spaced.

        Raises:
            ConfigError: not between 1 and T steps.
        """
        if not 1 <= steps <= self.train_steps:
            raise ConfigError(f'steps must be in [1, {self.train_steps}], got {steps}')
        return [self.train_steps * (steps - i) // steps - 1 for i in range(steps)]

    def diffuse(self, x_0: Float32Array, epsilon: Float32Array, level: int) -> Float32Array:
        """Return the clean signal with the noise of a level mixed in."""
        return (self.signal[level] * x_0 + self.noise[level] * epsilon).astype(np.float32)

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
        return (scale * x_t + shift * estimate).astype(np.float32)
