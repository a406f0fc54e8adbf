"""Body denoiser: a transformer whose every frame is modulated by step, speech and persona.

Frame i hears the two local tokens of its own 40 ms, so speech and motion cannot drift apart.
"""
from __future__ import annotations

import torch
from torch import nn, Tensor
from torch.nn import functional

from gesture_node.guides.cues import CUE_DIM
from gesture_node.motion.skeleton import POSE_DIM

from ..config import BodyNetConfig, EncoderConfig
from .layers import AdaptiveBlock, AttendingBlock, EncoderBlock, StepEmbedding


class BodyDenoiser(nn.Module):
    """Predicts clean pose vectors from noisy ones; see :class:`~.layers.AdaptiveBlock`.

    ``config.conditioning`` chooses two other ways in for comparison, with blocks of like size:
    ``cross_attention`` and ``add`` (Zhang et al. 2024 compare the same).
    """

    def __init__(self, config: BodyNetConfig, encoder: EncoderConfig) -> None:
        super().__init__()
        width, condition = config.width, config.condition_width
        self._way, self._hears_persona = config.conditioning, config.persona
        self._hears_cues = config.cues
        self.frames = nn.Linear(2 * POSE_DIM + 1, width)
        self.local = nn.Linear(2 * encoder.width, condition)
        self.persona = nn.Linear(encoder.persona_dim, condition, bias=False)
        self.emotion = nn.Linear(encoder.emotion_dim, condition, bias=False)
        self.cues = nn.Linear(CUE_DIM, condition, bias=False)
        self.guides = nn.Linear(CUE_DIM, width, bias=False)
        for told in (self.cues, self.guides):
            nn.init.zeros_(told.weight)
        self.null = nn.Parameter(torch.zeros(condition))
        self.step = StepEmbedding(condition)
        self.condition = nn.Linear(condition, condition)
        self.blocks = nn.ModuleList(_block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        if self._way == 'adaln':
            self.modulation = nn.Linear(condition, 2 * width)
            _zero(self.modulation)
        elif self._way == 'add':
            self.added = nn.Linear(condition, width)
        self.output = nn.Linear(width, POSE_DIM)
        _zero(self.output)

    def forward(self, x: Tensor, level: Tensor, seed: Tensor, mask: Tensor, local: Tensor,
                persona: Tensor, emotion: Tensor, drop: Tensor, cues: Tensor) -> Tensor:
        """Return clean frames (B, W, 84), normalised, with an own estimate of seed frames too.

        Args:
            x: shape (B, W, 84), noisy frames, normalised.
            level: shape (B,), diffusion step in [0, 999].
            seed: shape (B, W, 84), clean frames where ``mask`` is 1.
            mask: shape (B, W), 1 for seed frames.
            local: shape (B, 2 W, C), local tokens at 50 Hz.
            persona: shape (B, Q).
            emotion: shape (B, E).
            drop: shape (B,), 1 to ignore local, persona, emotion and cues.
            cues: shape (B, W, 131), guides and arousal, see ``gesture_node.guides.cues``.
        """
        mask, drop = mask[..., None], drop[:, None, None]
        pairs = local.reshape(x.shape[0], x.shape[1], 2 * local.shape[2])
        if not self._hears_persona:
            # The inputs stay in the exported graph, which every bundle shares.
            persona, emotion = 0.0 * persona, 0.0 * emotion
        if not self._hears_cues:
            cues = 0.0 * cues
        whole = (self.persona(persona) + self.emotion(emotion))[:, None, :]
        heard = self.local(pairs) + self.cues(cues) + whole
        speech = (1.0 - drop) * heard + drop * self.null
        condition = functional.silu(self.condition(
            functional.silu(speech + self.step(level)[:, None, :])))
        hidden = self.frames(torch.cat([x * (1.0 - mask), seed * mask, mask], dim=-1))
        hidden = hidden + (1.0 - drop) * self.guides(cues)
        if self._way == 'add':
            hidden = hidden + self.added(condition)
        for block in self.blocks:
            hidden = block(hidden) if self._way == 'add' else block(hidden, condition)
        hidden = self.norm(hidden)
        if self._way == 'adaln':
            shift, scale = self.modulation(condition).chunk(2, dim=-1)
            hidden = hidden * (1.0 + scale) + shift
        return self.output(hidden)


def _block(config: BodyNetConfig) -> nn.Module:
    if config.conditioning == 'adaln':
        return AdaptiveBlock(config.width, config.heads, config.condition_width)
    if config.conditioning == 'cross_attention':
        return AttendingBlock(config.width, config.heads, config.condition_width)
    return EncoderBlock(config.width, config.heads, 4)


def _zero(layer: nn.Linear) -> None:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
