"""Lips read off speech: one small head, used by the encoder while it learns and by the face."""
from __future__ import annotations

import torch
from torch import nn, Tensor
from torch.nn import functional

from gesture_node.motion.face import FACE_DIM


class LipHead(nn.Module):
    """Blendshape weights of local tokens: a linear map and a correction that bends.

    The bend lets a closure be shut and the vowel next to it open, where a line would average.

    Args:
        width: numbers per local token.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.direct = nn.Linear(width, FACE_DIM)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, FACE_DIM)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, local: Tensor) -> Tensor:
        """Return ``(..., 52)`` of local tokens ``(..., width)``."""
        return self.direct(local) + self.outer(functional.silu(self.inner(local)))

    @torch.no_grad()
    def adopt(self, other: LipHead, rows: Tensor, mean: Tensor, std: Tensor) -> None:
        """Become another head whose output is then normalised; rows not named give zero.

        Args:
            other: head that gives weights.
            rows: channels to adopt, indices into 52.
            mean: normalisation, shape (52,).
            std: likewise.
        """
        self.inner.load_state_dict(other.inner.state_dict())
        for mine, its, offset in ((self.direct, other.direct, mean), (self.outer, other.outer,
                                                                      torch.zeros_like(mean))):
            mine.weight.zero_()
            mine.bias.zero_()
            mine.weight[rows] = its.weight[rows] / std[rows, None]
            mine.bias[rows] = (its.bias[rows] - offset[rows]) / std[rows]
