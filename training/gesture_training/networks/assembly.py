"""The three networks together, as one module that is trained, averaged and exported."""
from __future__ import annotations

from torch import nn

from ..config import TrainingConfig
from .body import BodyDenoiser
from .encoder import SpeechEncoder
from .face import FaceDenoiser

STYLES: tuple[str, ...] = ('composed', 'facegood', 'mean')
"""Rows of the face style table; the last one is for faces of unknown style."""


class GestureNetworks(nn.Module):
    """Speech encoder and both denoisers.

    Args:
        config: sizes; with ``losses.masked`` above 0 the encoder gets one more head.
        phone_classes: outputs of the auxiliary phone head.
    """

    def __init__(self, config: TrainingConfig, phone_classes: int) -> None:
        super().__init__()
        self.encoder = SpeechEncoder(config.encoder, phone_classes)
        self.body = BodyDenoiser(config.body, config.encoder)
        self.face = FaceDenoiser(config.face, config.encoder, len(STYLES))
        if config.losses.masked > 0.0:
            # For training alone, see masked.py; the last one made, so that the other weights of a
            # seed stay what they are.
            self.encoder.masked = nn.Linear(config.encoder.width, config.encoder.feature_dim)


def parameter_counts(networks: GestureNetworks) -> dict[str, int]:
    """Return the number of parameters of each network."""
    return {name: sum(p.numel() for p in part.parameters())
            for name, part in networks.named_children()}
