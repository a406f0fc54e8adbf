"""The loop that denoises one window: a fixed number of denoiser calls, all frames together.

Seed frames are imposed at every level (with the noise of that level), as in the overlapped
prediction of Chen et al., "DiffSHEG", CVPR 2024, besides being an input of the denoiser.

*Steady* channels keep the estimate of the first call, made from pure noise and therefore from the
speech alone: lips are nearly deterministic, what is around them is sampled (the split of Zhu et
al., "Audio-Driven Talking Head Video Generation with Diffusion Model", ICASSP 2023).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exceptions import ConfigError
from ..types import Float32Array
from .denoiser import Conditioning, Denoiser
from .schedule import Schedule

SOLVERS = ('dpm', 'ddim')


@dataclass(frozen=True, slots=True)
class Sampler:
    """Denoises windows with one schedule.

    Attributes:
        schedule: noise levels the denoiser was trained on.
        steps: denoiser calls per window.
        guidance: strength of the conditioning.
        solver: ``dpm`` (DPM-Solver++(2M), second order) or ``ddim``; one step is the same in both.
        steady: channels that keep the estimate of the first call.
    """

    schedule: Schedule
    steps: int
    guidance: float = 1.0
    solver: str = 'dpm'
    steady: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Check the choice.

        Raises:
            ConfigError: the solver is unknown, or the steps are none the schedule has.
        """
        if self.solver not in SOLVERS:
            raise ConfigError(f'sampler must be one of {", ".join(SOLVERS)}, got {self.solver!r}')
        self.schedule.levels(self.steps)

    def sample(self, denoiser: Denoiser, conditioning: Conditioning,
               noise: Float32Array) -> Float32Array:
        """Return the denoised window.

        Args:
            denoiser: network.
            conditioning: of this window.
            noise: shape (W, D), standard normal.

        Returns:
            shape (W, D), float32, the network's own estimate also on seed frames, so that the
            caller can see and spread its error there.
        """
        levels = self.schedule.levels(self.steps)
        held = conditioning.mask[:, None] > 0
        x_t = np.where(held, self.schedule.diffuse(conditioning.seed, noise, levels[0]), noise)
        previous: Float32Array | None = None
        for i, level in enumerate(levels):
            estimate = denoiser(x_t, level, conditioning, self.guidance)
            if previous is None:
                steady = estimate[:, self.steady].copy()
            estimate[:, self.steady] = steady
            if i + 1 == len(levels):
                return estimate
            x_0 = np.where(held, conditioning.seed, estimate)
            before = levels[i - 1] if i else level
            x_t = self._lower(x_t, x_0, previous, (before, level, levels[i + 1]))
            x_t = np.where(
                held, self.schedule.diffuse(conditioning.seed, noise, levels[i + 1]), x_t)
            previous = x_0
        raise AssertionError('a schedule has at least one level')

    def _lower(self, x_t: Float32Array, x_0: Float32Array, previous: Float32Array | None,
               levels: tuple[int, int, int]) -> Float32Array:
        if self.solver == 'ddim':
            return self.schedule.ddim(x_t, x_0, levels[1], levels[2])
        return self.schedule.dpm_solver(x_t, x_0, previous, levels)
