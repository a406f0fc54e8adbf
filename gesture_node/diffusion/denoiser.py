"""What a denoiser is: noisy window, level and conditioning in; clean window out."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..types import Float32Array


@dataclass(frozen=True, slots=True)
class Conditioning:
    """What a window is conditioned on, computed once per window and reused by every call.

    Attributes:
        local: shape (F, C), one token per 20 ms of the window.
        persona: shape (Q,), style of the voice over the last seconds.
        emotion: shape (E,).
        seed: shape (W, D), normalised clean frames; zero where ``mask`` is zero.
        mask: shape (W,), 1 for seed frames.
        style: index of the face style; ignored by the body.
        cues: shape (W, 7), accents and arousal told to the body; None tells nothing.
    """

    local: Float32Array
    persona: Float32Array
    emotion: Float32Array
    seed: Float32Array
    mask: Float32Array
    style: int = 0
    cues: Float32Array | None = None


class Denoiser(Protocol):
    """Estimates the clean window x_0."""

    def __call__(self, x_t: Float32Array, level: int, conditioning: Conditioning,
                 guidance: float) -> Float32Array:
        """Return x_0.

        Args:
            x_t: shape (W, D), float32, normalised, noisy.
            level: noise level, 0 clean.
            conditioning: of this window.
            guidance: 1 gives the conditional estimate exactly, 0 the unconditional one,
                more pushes away from it (Ho and Salimans, 2022).

        Returns:
            shape (W, D), float32.
        """
        ...
