"""The cosine noise schedule (Nichol and Dhariwal 2021) and the sampler used while training.

``alpha_bar(t) = f(t + 1) / f(0)`` with ``f(t) = cos^2((t / T + 0.008) / 1.008 * pi / 2)``; step 0
is nearly clean, step 999 is noise. The runtime has its own sampler; a test compares the two.
"""
from __future__ import annotations

from collections.abc import Callable
import math

import torch
from torch import Tensor

TRAIN_STEPS = 1000
_OFFSET = 0.008
_FLOOR = 1e-8


def alpha_bar(level: Tensor) -> Tensor:
    """Return the share of signal variance left at diffusion steps ``level`` (any shape)."""
    progress = (level.double() + 1.0) / TRAIN_STEPS
    angle = (progress + _OFFSET) / (1.0 + _OFFSET) * math.pi / 2
    start = math.cos(_OFFSET / (1.0 + _OFFSET) * math.pi / 2) ** 2
    return (torch.cos(angle) ** 2 / start).clamp(min=_FLOOR).float()


def add_noise(clean: Tensor, noise: Tensor, level: Tensor) -> Tensor:
    """Return clean frames ``(B, W, D)`` diffused to steps ``level`` (B,)."""
    signal = alpha_bar(level)[:, None, None]
    return signal.sqrt() * clean + (1.0 - signal).sqrt() * noise


def ddim_levels(steps: int) -> list[int]:
    """Return ``steps`` diffusion steps, evenly spaced from 999 downwards."""
    return [TRAIN_STEPS * (steps - i) // steps - 1 for i in range(steps)]


def ddim_sample(predict: Callable[[Tensor, Tensor], Tensor], noise: Tensor,
                steps: int) -> Tensor:
    """Return samples by deterministic DDIM (Song et al. 2021).

    Args:
        predict: maps noisy frames (B, W, D) and steps (B,) to clean frames.
        noise: shape (B, W, D), standard normal.
        steps: number of denoiser calls.
    """
    levels = ddim_levels(steps)
    x, clean = noise, noise
    for position, level in enumerate(levels):
        now = torch.full((len(x),), float(level), device=x.device)
        clean = predict(x, now)
        if position + 1 < len(levels):
            signal = alpha_bar(now)[:, None, None]
            residual = (x - signal.sqrt() * clean) / (1.0 - signal).sqrt()
            x = add_noise(clean, residual, torch.full_like(now, float(levels[position + 1])))
    return clean
