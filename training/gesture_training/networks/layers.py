"""Layers that the encoder and both denoisers share.

Tensors are float32 (or bfloat16 under autocast) of shape (B, T, width) unless said otherwise.
Everything traces to ONNX with dynamic batch and length.
"""
from __future__ import annotations

import math

import torch
from torch import nn, Tensor
from torch.nn import functional

from ..schedule import TRAIN_STEPS


def rotary_angles(frames: Tensor, head_dim: int) -> Tensor:
    """Return angles ``(T, head_dim / 2)`` [rad] of positions ``frames`` (T,) (Su et al. 2021)."""
    exponents = torch.arange(0, head_dim, 2, device=frames.device, dtype=torch.float32) / head_dim
    return frames[:, None].float() * torch.pow(torch.tensor(10_000.0), -exponents)[None, :]


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Return ``x`` (B, heads, T, head_dim) with its two halves turned by ``angles``."""
    cosine, sine = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Return ``(B, heads, T, width / heads)`` of ``x`` (B, T, width)."""
    return x.reshape(x.shape[0], x.shape[1], heads, x.shape[2] // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """Return ``(B, T, width)`` of ``x`` (B, heads, T, head_dim)."""
    return x.transpose(1, 2).flatten(2)


class RotaryAttention(nn.Module):
    """Multi-head self-attention that knows positions only relatively."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended tokens, shape of ``x``."""
        query, key, value = (split_heads(part, self._heads)
                             for part in self.project(x).chunk(3, dim=-1))
        angles = rotary_angles(torch.arange(x.shape[1], device=x.device), query.shape[-1])
        # Written out: on a CPU the fused kernel's backward pass takes longer than all the rest.
        score = rotate(query * query.shape[-1] ** -0.5, angles) @ rotate(
            key, angles).transpose(-1, -2)
        return self.output(merge_heads(torch.softmax(score, dim=-1).to(value.dtype) @ value))


class FeedForward(nn.Sequential):
    """Two linear layers with a SiLU between, ``ratio`` times as wide inside."""

    def __init__(self, width: int, ratio: int) -> None:
        super().__init__(nn.Linear(width, ratio * width), nn.SiLU(),
                         nn.Linear(ratio * width, width))


class EncoderBlock(nn.Module):
    """Pre-norm transformer block with rotary positions, ``ratio`` times as wide inside."""

    def __init__(self, width: int, heads: int, ratio: int = 2) -> None:
        super().__init__()
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = RotaryAttention(width, heads)
        self.mlp = FeedForward(width, ratio)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, shape of ``x``."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.mlp(self.mlp_norm(x))


class ResidualConvolution(nn.Module):
    """Pre-norm residual convolution of kernel 3 over time."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.convolution = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.mix = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output, shape of ``x``."""
        inner = self.convolution(self.norm(x).transpose(1, 2)).transpose(1, 2)
        return x + self.mix(functional.gelu(inner))


class AdaptiveBlock(nn.Module):
    """Transformer block modulated per frame by a condition (AdaLN-Zero, Peebles and Xie 2023).

    Unlike in image models the condition differs from frame to frame (the idea of Persona-Gestor,
    Zhang et al. 2024). Modulation starts at zero, so a new block is the identity.
    """

    def __init__(self, width: int, heads: int, condition_width: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.mlp_norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.attention = RotaryAttention(width, heads)
        self.mlp = FeedForward(width, 4)
        self.modulation = nn.Linear(condition_width, 6 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return the block's output.

        Args:
            x: shape (B, W, width).
            condition: shape (B, W, condition_width), already activated.
        """
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = \
            self.modulation(condition).chunk(6, dim=-1)
        x = x + gate * self.attention(self.attention_norm(x) * (1.0 + scale) + shift)
        return x + mlp_gate * self.mlp(self.mlp_norm(x) * (1.0 + mlp_scale) + mlp_shift)


class RotaryCrossAttention(nn.Module):
    """Attention of frames to as many frames of another sequence, positions relative."""

    def __init__(self, width: int, other_width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(other_width, 2 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """Return ``(B, T, width)`` of frames ``x`` and what they attend to (B, T, other_width)."""
        query = split_heads(self.query(x), self._heads)
        key, value = (split_heads(part, self._heads)
                      for part in self.key_value(other).chunk(2, dim=-1))
        angles = rotary_angles(torch.arange(x.shape[1], device=x.device), query.shape[-1])
        score = rotate(query * query.shape[-1] ** -0.5, angles) @ rotate(
            key, angles).transpose(-1, -2)
        return self.output(merge_heads(torch.softmax(score, dim=-1).to(value.dtype) @ value))


class AttendingBlock(nn.Module):
    """Pre-norm block that attends to a condition instead of being modulated by it.

    For comparison with :class:`AdaptiveBlock`: every frame may hear the condition of any other.
    """

    def __init__(self, width: int, heads: int, condition_width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = RotaryCrossAttention(width, condition_width, heads)
        self.block = EncoderBlock(width, heads, 4)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return the block's output; arguments as for :class:`AdaptiveBlock`."""
        return self.block(x + self.attention(self.norm(x), condition))


class StepEmbedding(nn.Module):
    """Diffusion step as sinusoids and two linear layers."""

    _SINUSOIDS = 64
    frequencies: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        half = self._SINUSOIDS // 2
        octaves = torch.arange(half, dtype=torch.float32) * (math.log(1_000.0) / (half - 1))
        self.register_buffer('frequencies', torch.exp(octaves) * math.pi / 2, persistent=False)
        self.mlp = nn.Sequential(nn.Linear(self._SINUSOIDS, width), nn.SiLU(),
                                 nn.Linear(width, width))

    def forward(self, level: Tensor) -> Tensor:
        """Return ``(B, width)`` of diffusion steps ``level`` (B,) in [0, 999]."""
        phase = (level.float() / TRAIN_STEPS)[:, None] * self.frequencies[None, :]
        return self.mlp(torch.cat([phase.sin(), phase.cos()], dim=-1))
