"""Synchrony network: windows of sound and of lips to unit vectors that meet when they belong.

Two towers of convolutions, far smaller than those of SyncNet (Chung and Zisserman, "Out of time",
2016), since both inputs are already what matters: log-mel frames and blendshape weights. Trained
with a symmetric InfoNCE loss (van den Oord et al. 2018; Radford et al. 2021) instead of the
paper's pairs.
"""
from __future__ import annotations

import math

import torch
from torch import nn, Tensor
from torch.nn import functional

from gesture_node.audio.features import ENERGY_INDEX, FEATURE_DIM, MEL_BANDS, VOICING_INDEX
from gesture_node.motion.face import LIP_INDEX

from ..sync_config import SyncConfig

_QUIET = -11.0
"""Log power under which sound counts as silence and is not lifted to a common level."""
_STD_FLOOR = 0.05
"""Channels that hardly move in the corpus must not be magnified when they do."""
_MAX_LOG_SCALE = math.log(50.0)
PARAMETER_LIMIT = 400_000


def level_free(features: Tensor) -> Tensor:
    """Return sound without its gain: shape (B, W, 82), from features (B, W, 83).

    The level of a window is the mean over the louder third of its frames, which neither a click
    nor a pause moves much. Pitch is left out: lips say nothing about it.
    """
    loudness = features[..., :MEL_BANDS].mean(dim=-1)
    level = loudness.topk(max(1, features.shape[1] // 3), dim=1).values.mean(dim=1)
    level = level.clamp(min=_QUIET)[:, None, None]
    power = (features[..., :ENERGY_INDEX + 1] - level).clamp(-8.0, 8.0)
    return torch.cat([power, features[..., VOICING_INDEX:VOICING_INDEX + 1]], dim=-1)


class Tower(nn.Module):
    """Windows of one kind to unit vectors.

    Args:
        channels: numbers per frame.
        config: sizes.
    """

    def __init__(self, channels: int, config: SyncConfig) -> None:
        super().__init__()
        widths = [config.width, 3 * config.width // 2, 2 * config.width]
        self.scale = nn.BatchNorm1d(channels, eps=_STD_FLOOR ** 2, affine=False)
        layers: list[nn.Module] = []
        inputs, frames = channels, config.window_frames
        for stride, width in zip((1, 2, 2), widths):
            layers += [nn.Conv1d(inputs, width, 3, stride=stride, padding=1, bias=False),
                       nn.BatchNorm1d(width), nn.ReLU()]
            inputs, frames = width, (frames - 1) // stride + 1
        self.layers = nn.Sequential(*layers)
        self.project = nn.Linear(inputs * frames, config.embedding)

    def forward(self, x: Tensor) -> Tensor:
        """Return shape (B, E), rows of unit length, of windows (B, W, channels)."""
        hidden = self.layers(self.scale(x.transpose(1, 2)))
        return functional.normalize(self.project(hidden.flatten(1)), dim=-1, eps=1e-6)


class SyncNetwork(nn.Module):
    """Both towers and the temperature of their comparison."""

    lip_index: Tensor

    def __init__(self, config: SyncConfig) -> None:
        super().__init__()
        self.config = config
        self.audio = Tower(FEATURE_DIM - 1, config)
        self.lips = Tower(len(LIP_INDEX), config)
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.0)))
        self.register_buffer('lip_index', torch.from_numpy(LIP_INDEX.astype('int64')),
                             persistent=False)

    def forward(self, features: Tensor, face: Tensor) -> tuple[Tensor, Tensor]:
        """Return embeddings of sound (A, E) and of lips (V, E).

        Args:
            features: shape (A, W, 83), raw features.
            face: shape (V, W, 52), blendshape weights; only jaw, lips and tongue are looked at.
        """
        return (self.audio(level_free(features)),
                self.lips(face.index_select(2, self.lip_index)))

    def loss(self, features: Tensor, face: Tensor) -> tuple[Tensor, Tensor]:
        """Return the InfoNCE loss and the share of lips whose own sound is the nearest of all.

        Args:
            features: shape (N, W, 83).
            face: shape (N, W, 52); row n belongs to sound n and to no other.
        """
        sound, lips = self(features, face)
        likeness = self.log_scale.clamp(max=_MAX_LOG_SCALE).exp() * (lips @ sound.T)
        own = torch.arange(len(likeness), device=likeness.device)
        loss = 0.5 * (functional.cross_entropy(likeness, own)
                      + functional.cross_entropy(likeness.T, own))
        return loss, (likeness.argmax(dim=1) == own).float().mean()
