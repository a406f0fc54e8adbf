"""Attention biases of the face denoiser (the idea of DiffSpeaker, Ma et al. 2024).

Condition tokens come first among keys and are never penalised. Distances are symmetric: frame i
treats i - d and i + d alike (the original's flooring makes its zero band lopsided).
"""
from __future__ import annotations

import torch
from torch import Tensor


def head_slopes(heads: int) -> Tensor:
    """Return the ALiBi slopes ``(heads,)``: ``2 ** (-8 h / heads)`` for h = 1 .. heads."""
    return torch.pow(torch.tensor(2.0), -8.0 * torch.arange(1, heads + 1) / heads)


def self_attention_bias(positions: Tensor, heads: int, tokens: int, period: int) -> Tensor:
    """Return ``(heads, T, tokens + T)``: 0 for tokens, else ``-slope * floor(|i - j| / period)``.

    Args:
        positions: shape (T,), frame numbers 0 .. T - 1.
        heads: attention heads.
        tokens: condition tokens before the frames.
        period: frames over which the bias is constant.
    """
    distance = (positions[:, None] - positions[None, :]).abs()
    steps = torch.div(distance, period, rounding_mode='floor').float()
    bias = -head_slopes(heads).to(steps.device)[:, None, None] * steps[None]
    free = torch.zeros_like(bias[:, :, :1]).expand(-1, -1, tokens)
    return torch.cat([free, bias], dim=-1)


def cross_attention_bias(frames: int, tokens: int) -> Tensor:
    """Return ``(T, tokens + T)``: 0 for tokens and for audio frame j = i, else minus infinity."""
    own = torch.full((frames, frames), -torch.inf)
    own.fill_diagonal_(0.0)
    return torch.cat([torch.zeros(frames, tokens), own], dim=-1)
