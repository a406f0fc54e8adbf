"""A sampler whose number of denoiser calls may change from window to window."""
from __future__ import annotations

from dataclasses import replace

from ..types import Float32Array
from .denoiser import Conditioning, Denoiser
from .sampler import Sampler


class AdjustableSampler:
    """Stands where a :class:`Sampler` stands.

    Args:
        sampler: what to begin with.
    """

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    @property
    def steps(self) -> int:
        """Denoiser calls per window."""
        return self._sampler.steps

    @property
    def guidance(self) -> float:
        """Strength of the conditioning."""
        return self._sampler.guidance

    @property
    def steady(self) -> tuple[int, ...]:
        """Channels that keep the estimate of the first call."""
        return self._sampler.steady

    def set_steps(self, steps: int) -> None:
        """Take another number of calls, from the next window on.

        Raises:
            ConfigError: the schedule has no such number of levels.
        """
        if steps != self._sampler.steps:
            self._sampler = replace(self._sampler, steps=steps)

    def sample(self, denoiser: Denoiser, conditioning: Conditioning,
               noise: Float32Array) -> Float32Array:
        """Return the denoised window; see :meth:`Sampler.sample`."""
        return self._sampler.sample(denoiser, conditioning, noise)
