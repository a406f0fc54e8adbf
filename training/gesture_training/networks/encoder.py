"""Speech encoder: features to local tokens, persona token and emotion token.

Local tokens see the frames they are given and nothing else; the persona and emotion tokens are
pooled from the history alone. So far context changes who is heard, never what is heard (the two
levels of Persona-Gestor's fuzzy feature inference, Zhang et al. 2024).
"""
from __future__ import annotations

import torch
from torch import nn, Tensor
from torch.nn import functional

from ..config import EncoderConfig
from .layers import EncoderBlock, ResidualConvolution
from .lips import LipHead

_POOL_STRIDE = 4


class HistoryPool(nn.Module):
    """Attentive mean and deviation over the heard frames of the history (Okabe et al. 2018)."""

    def __init__(self, width: int, feature_dim: int) -> None:
        super().__init__()
        self.frame = nn.Linear(feature_dim, width)
        self.convolution = nn.Conv1d(width, width, 5, stride=_POOL_STRIDE, padding=2)
        self.score = nn.Linear(width, 1)

    def forward(self, history: Tensor, heard: Tensor) -> Tensor:
        """Return ``(B, 2 * width)``, zero where nothing was heard.

        Args:
            history: shape (B, P, D), normalised features.
            heard: shape (B, P), 1 for frames that were heard.
        """
        hidden = functional.gelu(self.frame(history)) * heard[..., None]
        hidden = functional.gelu(self.convolution(hidden.transpose(1, 2))).transpose(1, 2).float()
        share = functional.avg_pool1d(heard[:, None, :], 5, stride=_POOL_STRIDE, padding=2)[:, 0]
        weight = torch.exp(5.0 * torch.tanh(self.score(hidden)[..., 0].float() / 5.0)) * share
        weight = (weight / (weight.sum(dim=1, keepdim=True) + 1e-3))[..., None]
        mean = (weight * hidden).sum(dim=1)
        spread = (weight * (hidden - mean[:, None, :]) ** 2).sum(dim=1)
        return torch.cat([mean, torch.sqrt(spread + 1e-6)], dim=-1)


class SpeechEncoder(nn.Module):
    """Features at 50 Hz to the conditioning of both denoisers.

    Args:
        config: sizes.
        phone_classes: outputs of the phone head. The heads (phones, lips, accents, effort,
            manner) teach the encoder to listen; only training uses them.
    """

    feature_mean: Tensor
    feature_std: Tensor

    def __init__(self, config: EncoderConfig, phone_classes: int) -> None:
        super().__init__()
        width, feature_dim = config.width, config.feature_dim
        self.register_buffer('feature_mean', torch.zeros(feature_dim))
        self.register_buffer('feature_std', torch.ones(feature_dim))
        self.unheard = nn.Parameter(torch.zeros(feature_dim))
        self.stem = nn.Conv1d(feature_dim + 1, width, 5, padding=2)
        self.convolutions = nn.ModuleList(
            ResidualConvolution(width, 2 ** layer) for layer in range(config.conv_layers))
        self.blocks = nn.ModuleList(
            EncoderBlock(width, config.heads) for _ in range(config.transformer_layers))
        self.norm = nn.LayerNorm(width)
        self.pool = HistoryPool(config.pool_width, feature_dim)
        self.persona = nn.Linear(2 * config.pool_width, config.persona_dim)
        self.persona_norm = nn.LayerNorm(config.persona_dim, elementwise_affine=False)
        self.emotion = nn.Linear(2 * config.pool_width, config.emotion_dim)
        nn.init.normal_(self.emotion.weight, std=1e-3)
        nn.init.zeros_(self.emotion.bias)
        self.phones = nn.Linear(width, phone_classes)
        self.lips = LipHead(width)
        self.accents = nn.Linear(width, 1)
        self.effort = nn.Linear(2 * width, 1)
        self.manner = nn.Linear(config.persona_dim, 2)

    def set_normalisation(self, mean: Tensor, std: Tensor) -> None:
        """Set the statistics ``(D,)`` that raw features are normalised by."""
        self.feature_mean.copy_(mean)
        self.feature_std.copy_(std)

    def forward(self, features: Tensor, heard: Tensor, history: Tensor,
                history_heard: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return local tokens (B, F, C), persona (B, Q) and emotion (B, E).

        Args:
            features: shape (B, F, D), raw features of context and window.
            heard: shape (B, F), 1 where the frame may be heard.
            history: shape (B, P, D), raw features before the end of what is heard.
            history_heard: shape (B, P), 1 where the history exists.
        """
        shown = self._normalise(features)
        shown = torch.where(heard[..., None] > 0.5, shown, self.unheard)
        x = torch.cat([shown, heard[..., None]], dim=-1)
        x = functional.gelu(self.stem(x.transpose(1, 2))).transpose(1, 2)
        for layer in [*self.convolutions, *self.blocks]:
            x = layer(x)
        pooled = self.pool(self._normalise(history), history_heard)
        return self.norm(x), self.persona_norm(self.persona(pooled)), self.emotion(pooled)

    def phone_logits(self, local: Tensor) -> Tensor:
        """Return phone-class logits ``(B, F, classes)`` of local tokens."""
        return self.phones(local)

    def lip_weights(self, local: Tensor) -> Tensor:
        """Return blendshape weights ``(B, F, 52)`` read off local tokens, for training alone."""
        weights: Tensor = self.lips(local)
        return weights

    def accent_logits(self, local: Tensor) -> Tensor:
        """Return logits ``(B, F)`` of the accent curve, for training alone."""
        return self.accents(local)[..., 0]

    def gesture_manner(self, persona: Tensor) -> Tensor:
        """Return log speed and reach of the wrists ``(B, 2)`` that a voice suggests.

        For training alone: it makes the persona token tell large gestures from small ones.
        """
        return self.manner(persona)

    def wrist_effort(self, local: Tensor) -> Tensor:
        """Return the expected wrist speed ``(B, F / 2)`` [m/s] at 25 fps, for training alone."""
        return self.effort(local.reshape(local.shape[0], -1, 2 * local.shape[2]))[..., 0]

    def _normalise(self, features: Tensor) -> Tensor:
        return ((features - self.feature_mean) / self.feature_std).clamp(-6.0, 6.0)
