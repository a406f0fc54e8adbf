"""Face denoiser: biased attention over frames, and each frame hears its own 20 ms of speech.

Step, style and persona are tokens that stand before the keys and values of every attention, so
they reach every frame (the idea of DiffSpeaker, Ma et al. 2024). Lips read off the speech alone
stand for the estimate where the window is still noise, so that they are steady given the audio
and no less exact than what the encoder hears (the lip regressor of Audio2Photoreal, Ng et al.
2024, and the deterministic lips of Zhu et al. 2023).
"""
from __future__ import annotations

import torch
from torch import nn, Tensor

from gesture_node.motion.face import FACE_DIM, LIP_INDEX

from ..config import EncoderConfig, FaceNetConfig
from ..schedule import TRAIN_STEPS
from .biases import self_attention_bias
from .layers import FeedForward, merge_heads, rotary_angles, rotate, split_heads, StepEmbedding
from .lips import LipHead

_READ_POWER = 8.0
"""Lips read off the speech count in full at pure noise and fade as the window clears up."""
TOKENS = 3
"""Condition tokens: diffusion step, style, persona with emotion."""


class BiasedSelfAttention(nn.Module):
    """Self-attention whose keys and values begin with condition tokens, biased by distance.

    Args:
        width: numbers per frame.
        heads: attention heads.
        period: frames over which the bias is constant; None for no bias.
    """

    def __init__(self, width: int, heads: int, period: int | None) -> None:
        super().__init__()
        self._heads, self._period = heads, period
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        """Return the attended frames (B, T, width); ``tokens`` is (B, n, width)."""
        query = split_heads(self.query(x), self._heads)
        key, value = (split_heads(part, self._heads) for part in
                      self.key_value(torch.cat([tokens, x], dim=1)).chunk(2, dim=-1))
        count, positions = tokens.shape[1], torch.arange(x.shape[1], device=x.device)
        angles = rotary_angles(positions, query.shape[-1])
        near = rotate(query, angles) @ rotate(key[:, :, count:], angles).transpose(-1, -2)
        score = torch.cat([query @ key[:, :, :count].transpose(-1, -2), near], dim=-1)
        score = score * query.shape[-1] ** -0.5
        if self._period is not None:
            score = score + self_attention_bias(positions, self._heads, TOKENS, self._period)
        weight = torch.softmax(score, dim=-1)
        return self.output(merge_heads(weight.to(value.dtype) @ value))


class OwnFrameCrossAttention(nn.Module):
    """Cross-attention of frame i to audio frame i and the tokens, and to nothing else.

    Equal to full attention with :func:`~.biases.cross_attention_bias`, without the T x T scores.
    Without bias every frame attends to all audio frames, positions relative, and to the tokens.
    """

    def __init__(self, width: int, audio_width: int, heads: int, bias: bool = True) -> None:
        super().__init__()
        self._heads, self._bias = heads, bias
        self.query = nn.Linear(width, width)
        self.audio = nn.Linear(audio_width, 2 * width)
        self.token = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor, local: Tensor, tokens: Tensor) -> Tensor:
        """Return ``(B, T, width)`` of frames ``x``, audio (B, T, C) and tokens (B, n, width)."""
        query = split_heads(self.query(x), self._heads)
        key, value = (split_heads(part, self._heads)
                      for part in self.audio(local).chunk(2, dim=-1))
        token_key, token_value = (split_heads(part, self._heads)
                                  for part in self.token(tokens).chunk(2, dim=-1))
        to_tokens = query @ token_key.transpose(-1, -2)
        if self._bias:
            to_audio = (query * key).sum(dim=-1, keepdim=True)
        else:
            angles = rotary_angles(torch.arange(x.shape[1], device=x.device), query.shape[-1])
            to_audio = rotate(query, angles) @ rotate(key, angles).transpose(-1, -2)
        score = torch.cat([to_tokens, to_audio], dim=-1) * query.shape[-1] ** -0.5
        weight, count = torch.softmax(score, dim=-1).to(value.dtype), tokens.shape[1]
        of_tokens, of_audio = weight[..., :count] @ token_value, weight[..., count:]
        heard = of_audio * value if self._bias else of_audio @ value
        return self.output(merge_heads(of_tokens + heard))


class FaceBlock(nn.Module):
    """Pre-norm self-attention, cross-attention and feed-forward."""

    def __init__(self, config: FaceNetConfig, audio_width: int) -> None:
        super().__init__()
        width = config.width
        self.self_norm, self.cross_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp_norm = nn.LayerNorm(width)
        self.self_attention = BiasedSelfAttention(
            width, config.heads, config.bias_period_frames if config.bias else None)
        self.cross_attention = OwnFrameCrossAttention(width, audio_width, config.heads,
                                                      config.bias)
        self.mlp = FeedForward(width, 3)

    def forward(self, x: Tensor, local: Tensor, tokens: Tensor) -> Tensor:
        """Return the block's output, shape of ``x``."""
        x = x + self.self_attention(self.self_norm(x), tokens)
        x = x + self.cross_attention(self.cross_norm(x), local, tokens)
        return x + self.mlp(self.mlp_norm(x))


class FaceDenoiser(nn.Module):
    """Predicts clean blendshape weights from noisy ones.

    Args:
        config: sizes.
        encoder: sizes of the conditioning.
        styles: rows of the style table; the last is the mean style.
    """

    lips: Tensor

    def __init__(self, config: FaceNetConfig, encoder: EncoderConfig, styles: int) -> None:
        super().__init__()
        width, self._hears_persona = config.width, config.persona
        self.frames = nn.Linear(2 * FACE_DIM + 1, width)
        self.step = StepEmbedding(width)
        self.style = nn.Embedding(styles, width)
        self.persona = nn.Linear(encoder.persona_dim, width)
        self.emotion = nn.Linear(encoder.emotion_dim, width, bias=False)
        self.null_local = nn.Parameter(torch.zeros(encoder.width))
        self.null_persona = nn.Parameter(torch.zeros(width))
        self.token_norm = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(
            FaceBlock(config, encoder.width) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, FACE_DIM)
        self.read = LipHead(encoder.width)
        self.manner = nn.Embedding(styles, 2 * FACE_DIM)
        lips = torch.zeros(FACE_DIM)
        lips[torch.from_numpy(LIP_INDEX)] = 1.0
        self.register_buffer('lips', lips, persistent=False)
        for parameter in (self.output.weight, self.output.bias, self.manner.weight):
            nn.init.zeros_(parameter)

    @torch.no_grad()
    def adopt_lips(self, lips: LipHead, mean: Tensor, std: Tensor) -> None:
        """Read lips off local tokens as the encoder's own lip head does.

        Args:
            lips: head that gives blendshape weights from local tokens.
            mean: normalisation of the weights, shape (52,).
            std: likewise.
        """
        self.read.adopt(lips, torch.from_numpy(LIP_INDEX), mean, std)

    def forward(self, x: Tensor, level: Tensor, seed: Tensor, mask: Tensor, local: Tensor,
                persona: Tensor, emotion: Tensor, drop: Tensor, style: Tensor) -> Tensor:
        """Return clean frames (B, W, 52), normalised, with an own estimate of seed frames too.

        Args:
            x: shape (B, W, 52), noisy frames, normalised.
            level: shape (B,), diffusion step in [0, 999].
            seed: shape (B, W, 52), clean frames where ``mask`` is 1.
            mask: shape (B, W), 1 for seed frames.
            local: shape (B, W, C), local tokens at 50 Hz.
            persona: shape (B, Q).
            emotion: shape (B, E).
            drop: shape (B,), 1 to ignore local, persona and emotion.
            style: shape (B,), int64 row of the style table.
        """
        mask, drop = mask[..., None], drop[:, None]
        if not self._hears_persona:
            # The inputs stay in the exported graph, which every bundle shares.
            persona, emotion = 0.0 * persona, 0.0 * emotion
        who = (1.0 - drop) * (self.persona(persona) + self.emotion(emotion)) \
            + drop * self.null_persona
        tokens = self.token_norm(torch.stack([self.step(level), self.style(style), who], dim=1))
        drop = drop[..., None]
        local = (1.0 - drop) * local + drop * self.null_local
        hidden = self.frames(torch.cat([x * (1.0 - mask), seed * mask, mask], dim=-1))
        for block in self.blocks:
            hidden = block(hidden, local, tokens)
        trust = torch.pow((level.float() + 1.0) / TRAIN_STEPS, _READ_POWER)[:, None, None]
        trust = trust * self.lips
        gain, offset = self.manner(style)[:, None].chunk(2, dim=-1)
        read = self.read(local) * (1.0 + gain) + offset
        return (1.0 - trust) * self.output(self.norm(hidden)) + trust * read
