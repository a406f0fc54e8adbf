"""The guard against a dead model: does motion follow speech, and rest without it?

A network that averaged everything away gives the same still face and arms whatever it hears, with
a respectable loss. Windows of held-out speech are sampled, then the same windows with silence.
"""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gesture_node.audio.features import waveform_features
from gesture_node.motion.skeleton import JOINT_INDEX
from gesture_node.timeline import BODY_RATE_HZ, samples_per_frame

from .config import TrainingConfig, WindowConfig
from .corpora.pack import Pack
from .data import WindowBatch, WindowSampler
from .exceptions import TrainingError
from .losses import joint_positions, mouth_aperture
from .networks.assembly import GestureNetworks
from .sampling import predictor, sample, SamplingPlan
from .statistics import Statistics

CALLS = {'body': 2, 'face': 2}
"""Denoiser calls per window of networks that were not distilled."""
MIN_APERTURE_STD, MIN_APERTURE_RATIO = 0.02, 3.0
MIN_WRIST_SPEED_M_S, MIN_WRIST_RATIO = 0.03, 1.3
_BATCHES = 2
_AS_HEARD = WindowConfig(
    full_seed_share=1.0, full_heard_share=1.0, before_start_share=0.0, seed_noise_share=0.0,
    drop_share=0.0, mean_style_share=0.0, gain_db=0.0, tilt_db=0.0)


def sample_windows(networks: GestureNetworks, config: TrainingConfig, channel: str,
                   batch: WindowBatch, calls: int | None = None, seed: int = 0) -> Tensor:
    """Return normalised motion (B, W, D) sampled for the speech and seed frames of a batch."""
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn(batch.motion.shape, generator=random)
    plan = SamplingPlan.of(config, channel, calls or CALLS[channel])
    return sample(predictor(networks, config, channel, batch), noise, batch.seed, batch.mask,
                  plan)


def measure_liveliness(config: TrainingConfig, networks: GestureNetworks, statistics: Statistics,
                       packs: dict[str, Pack], calls: dict[str, int] = CALLS) -> dict[str, float]:
    """Return how much mouth and wrists move in speech and in silence, by channel in ``packs``.

    ``calls`` are the denoiser calls per window to sample with.

    Keys: ``aperture_std_speech``, ``aperture_std_silence``, ``wrist_speed_speech`` and
    ``wrist_speed_silence`` [m/s].
    """
    found: dict[str, float] = {}
    networks = networks.cpu().eval()
    for channel, pack in packs.items():
        split = 'held_out' if any(t.split == 'held_out' for t in pack.takes) else 'train'
        mean, std = (getattr(statistics, f'{channel}_{key}') for key in ('mean', 'std'))
        sampler = WindowSampler(pack, channel, replace(config, windows=_AS_HEARD), mean, std,
                                split)
        idle = (statistics.body_idle - mean) / std if channel == 'body' else -mean / std
        for name in ('speech', 'silence'):
            batches = [_from_idle(sampler.draw(1, step), idle) for step in range(_BATCHES)]
            if name == 'silence':
                batches = [_silenced(batch, _silence(pack)) for batch in batches]
            motion = torch.cat([
                sample_windows(networks, config, channel, batch, calls[channel])[
                    :, int(batch.mask[0].sum()):]
                for batch in batches]) * torch.from_numpy(std) + torch.from_numpy(mean)
            found |= _movement(channel, name, motion)
    return found


def _movement(channel: str, name: str, motion: Tensor) -> dict[str, float]:
    if channel == 'face':
        spread = mouth_aperture(motion).clamp(min=0.0).std(dim=1).mean()
        return {f'aperture_std_{name}': round(float(spread), 5)}
    wrists = joint_positions(motion)[..., [JOINT_INDEX['left_wrist'],
                                           JOINT_INDEX['right_wrist']], :]
    speed = (wrists[:, 1:] - wrists[:, :-1]).norm(dim=-1).mean() * BODY_RATE_HZ
    return {f'wrist_speed_{name}': round(float(speed), 5)}


def _from_idle(batch: WindowBatch, idle: np.ndarray) -> WindowBatch:
    pose = torch.from_numpy(idle.astype(np.float32))
    return replace(batch, seed=pose.expand_as(batch.seed) * batch.mask[..., None])


def _silence(pack: Pack) -> Tensor:
    """Return the features ``(D,)`` of digital silence."""
    if pack.front_end is not None:
        return torch.from_numpy(pack.front_end.silence)
    return torch.from_numpy(waveform_features(np.zeros(samples_per_frame(50), np.float32))[0])


def _silenced(batch: WindowBatch, silence: Tensor) -> WindowBatch:
    return replace(batch, features=silence.expand_as(batch.features).clone(),
                   history=silence.expand_as(batch.history).clone(),
                   cues=torch.zeros_like(batch.cues))


def require_alive(found: dict[str, float]) -> None:
    """Refuse a model that does not move with speech.

    Raises:
        TrainingError: mouth or wrists hardly move, or move as much without speech.
    """
    for what, key, least, ratio in (
            ('mouth', 'aperture_std', MIN_APERTURE_STD, MIN_APERTURE_RATIO),
            ('wrists', 'wrist_speed', MIN_WRIST_SPEED_M_S, MIN_WRIST_RATIO)):
        if f'{key}_speech' not in found:
            continue
        speech, silence = found[f'{key}_speech'], found[f'{key}_silence']
        if speech < least or speech < ratio * silence:
            raise TrainingError(
                f'the {what} do not follow speech: {key} is {speech:g} in speech and {silence:g} '
                f'in silence; at least {least:g} and {ratio:g} times silence are needed; '
                f'train longer')
