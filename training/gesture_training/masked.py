"""Masked prediction: speech that nobody labelled teaches the encoder too.

Spans of feature frames are hidden as if they were not heard yet, and a linear head on the local
tokens says what they were, in normalised units, from what is left and right of them (the idea of
wav2vec 2.0, Baevski et al. 2020, with mel frames as targets as in Mockingjay, Liu et al. 2020).
Only windows without any phone label take part; ``losses.masked`` weighs the term and 0 leaves the
head out.
"""
from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .config import TrainingConfig
from .corpora.pack import UNKNOWN_PHONE
from .data import WindowBatch
from .networks.encoder import SpeechEncoder
from .parallel import mean_over_processes, rows, size

SPAN_FRAMES = 8
"""160 ms: longer than most phones, so that a neighbour does not give the frame away."""
START_SHARE = 0.06
"""Share of frames at which a span begins; spans overlap, so 39 % of all frames are hidden."""
_CLIP = 6.0


def masked_terms(encoder: SpeechEncoder, config: TrainingConfig, batch: WindowBatch,
                 step: int) -> dict[str, Tensor]:
    """Return the term ``masked`` of a batch; nothing while ``losses.masked`` is 0.

    Args:
        encoder: with the head that :class:`~.networks.assembly.GestureNetworks` gave it.
        config: weight, seed and precision.
        batch: windows as the sampler gave them.
        step: optimiser step, which decides the spans.
    """
    if config.losses.masked == 0.0:
        return {}
    random = torch.Generator().manual_seed(
        (config.optimiser.seed * 1_000_003 + step) * 2 + batch.features.shape[1] % 2)
    spans = rows(draw_spans(size() * len(batch.heard), batch.heard.shape[1], random))
    hidden = spans.to(batch.heard.device) * batch.heard
    chosen = (batch.phones == UNKNOWN_PHONE).all(dim=1)
    with torch.autocast(batch.features.device.type, dtype=torch.bfloat16,
                        enabled=config.optimiser.bf16):
        error = masked_error(encoder, batch, hidden, chosen)
    total = mean_over_processes(hidden[chosen].sum()).clamp(min=1.0)
    return {'masked': config.losses.masked * error / total}


def masked_error(encoder: SpeechEncoder, batch: WindowBatch, hidden: Tensor,
                 chosen: Tensor) -> Tensor:
    """Return the Huber error of hidden frames, mean over features and summed over frames.

    Args:
        encoder: with a head ``masked``.
        batch: windows.
        hidden: shape (B, F), 1 for frames to hide; all of them are heard otherwise.
        chosen: shape (B,) bool, windows that take part.
    """
    if not bool(chosen.any()):
        return batch.features.new_zeros(())
    features, hidden = batch.features[chosen], hidden[chosen]
    local, _, _ = encoder(features, batch.heard[chosen] * (1.0 - hidden), batch.history[chosen],
                          batch.history_heard[chosen])
    wanted = ((features - encoder.feature_mean) / encoder.feature_std).clamp(-_CLIP, _CLIP)
    head = encoder.get_submodule('masked')
    error = functional.smooth_l1_loss(head(local).float(), wanted, reduction='none')
    return (error.mean(dim=-1) * hidden).sum()


def draw_spans(windows: int, frames: int, random: torch.Generator) -> Tensor:
    """Return ``(windows, frames)``, 1 for frames inside a span."""
    starts = (torch.rand(windows, 1, frames, generator=random) < START_SHARE).float()
    padded = functional.pad(starts, (SPAN_FRAMES - 1, 0))
    return functional.max_pool1d(padded, SPAN_FRAMES, 1)[:, 0]
