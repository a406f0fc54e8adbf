"""The runtime's sampler in torch: the same levels, seeds and steady channels, with gradients.

:mod:`gesture_node.diffusion.sampler` is the original; a test compares the two number by number.
The distiller needs the estimate of every call, the guard against dead models the last one alone.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
import math

import torch
from torch import Tensor

from gesture_node.diffusion.schedule import Schedule
from gesture_node.motion.face import LIP_INDEX

from .config import TrainingConfig
from .data import WindowBatch
from .networks.assembly import GestureNetworks
from .schedule import TRAIN_STEPS

Predict = Callable[[Tensor, Tensor], Tensor]
"""Noisy frames (B, W, D) and levels (B,) to clean frames."""


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """How a window is denoised.

    Attributes:
        schedule: noise levels, with the shift of the bundle.
        calls: denoiser calls per window.
        steady: channels that keep the estimate of the first call.
    """

    schedule: Schedule
    calls: int
    steady: tuple[int, ...] = ()

    @classmethod
    def of(cls, config: TrainingConfig, channel: str, calls: int) -> SamplingPlan:
        """Return the plan the runtime follows for a channel of a bundle with this config."""
        schedule = Schedule.cosine(TRAIN_STEPS, config.windows.level_shift)
        return cls(schedule, calls, tuple(LIP_INDEX.tolist()) if channel == 'face' else ())


def estimates(predict: Predict, noise: Tensor, seed: Tensor, mask: Tensor,
              plan: SamplingPlan) -> Iterator[Tensor]:
    """Yield the estimate of clean frames (B, W, D) of every call; the last one is the sample.

    Each call sees what the calls before it led to, without gradient; so an estimate teaches the
    call that made it and no other. Updates are those of DPM-Solver++(2M) (Lu et al., 2022).

    Args:
        predict: the denoiser.
        noise: shape (B, W, D), standard normal.
        seed: shape (B, W, D), clean frames where ``mask`` is 1.
        mask: shape (B, W), 1 for seed frames.
        plan: levels, calls and steady channels.
    """
    levels, held = plan.schedule.levels(plan.calls), mask[..., None] > 0.5
    steady = torch.zeros(noise.shape[-1], dtype=torch.bool, device=noise.device)
    steady[list(plan.steady)] = True
    x = torch.where(held, _diffused(seed, noise, plan.schedule, levels[0]), noise)
    first: Tensor | None = None
    previous: Tensor | None = None
    for number, level in enumerate(levels):
        estimate = predict(x, torch.full((len(x),), float(level), device=x.device)).float()
        if first is None:
            first = estimate.detach()
        elif plan.steady:
            estimate = torch.where(steady, first, estimate)
        yield estimate
        if number + 1 == len(levels):
            return
        clean = torch.where(held, seed, estimate.detach())
        before, lower = levels[max(0, number - 1)], levels[number + 1]
        x = _lowered(x, clean, previous, plan.schedule, (before, level, lower))
        x = torch.where(held, _diffused(seed, noise, plan.schedule, lower), x)
        previous = clean


def sample(predict: Predict, noise: Tensor, seed: Tensor, mask: Tensor,
           plan: SamplingPlan) -> Tensor:
    """Return the denoised windows (B, W, D); arguments as for :func:`estimates`."""
    with torch.no_grad():
        return list(estimates(predict, noise, seed, mask, plan))[-1]


def predictor(networks: GestureNetworks, config: TrainingConfig, channel: str, batch: WindowBatch,
              bf16: bool = False, guidance: float = 1.0) -> Predict:
    """Return a channel's denoiser with the conditioning of a batch, heard once, no gradient.

    Guidance other than 1 takes two calls: what speech changes counts ``guidance`` times
    (classifier-free guidance, Ho and Salimans 2022).
    """
    def auto() -> torch.autocast:
        return torch.autocast(batch.features.device.type, dtype=torch.bfloat16, enabled=bf16)

    with torch.no_grad(), auto():
        local, persona, emotion = networks.encoder(
            batch.features, batch.heard, batch.history, batch.history_heard)
    given = (batch.seed, batch.mask, local[:, config.encoder.context_frames:], persona, emotion)

    def call(x: Tensor, level: Tensor, drop: Tensor) -> Tensor:
        with auto():
            if channel == 'face':
                return networks.face(x, level, *given, drop, batch.style)
            return networks.body(x, level, *given, drop, batch.cues)

    def predict(x: Tensor, level: Tensor) -> Tensor:
        found = call(x, level, batch.drop)
        if guidance == 1.0:
            return found
        without = call(x, level, torch.ones_like(batch.drop))
        return without + guidance * (found - without)

    return predict


def _diffused(clean: Tensor, noise: Tensor, schedule: Schedule, level: int) -> Tensor:
    return float(schedule.signal[level]) * clean + float(schedule.noise[level]) * noise


def _lowered(x: Tensor, clean: Tensor, previous: Tensor | None, schedule: Schedule,
             levels: tuple[int, int, int]) -> Tensor:
    before, level, lower = (math.log(schedule.signal[i] / schedule.noise[i]) for i in levels)
    step, estimate = lower - level, clean
    if previous is not None:
        share = 0.5 * step / (level - before)
        estimate = (1.0 + share) * clean - share * previous
    scale = float(schedule.noise[levels[2]] / schedule.noise[levels[1]])
    shift = -float(schedule.signal[levels[2]]) * math.expm1(-step)
    return scale * x + shift * estimate
