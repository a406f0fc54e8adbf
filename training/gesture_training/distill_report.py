"""What distillation kept: the student's samples beside the teacher's, on held-out speech.

Error alone flatters a student that always gives the average motion, so movement and the spread
over noise stand beside it.
"""
from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from gesture_node.motion.skeleton import JOINT_INDEX
from gesture_node.timeline import BODY_RATE_HZ

from .config import TrainingConfig
from .corpora.pack import Pack
from .data import WindowBatch, WindowSampler
from .losses import joint_positions, mouth_aperture
from .networks.assembly import GestureNetworks
from .sampling import predictor, sample, SamplingPlan
from .statistics import Statistics

_BATCHES, _NOISES = 2, 3


def compare(teacher: GestureNetworks, student: GestureNetworks, config: TrainingConfig,
            channel: str, pack: Pack, statistics: Statistics) -> dict[str, dict[str, float]]:
    """Return figures by sampler: ``teacher 8``, ``teacher 2``, ``teacher 1``, ``student 2``, ...

    The teacher is guided as it was for its student (``distill.guidance``). Each holds, for windows
    of held-out takes (or of the training takes if none are held out):

    * ``error``: root mean square distance to the sample that the teacher makes from the same
      noise with all its calls, normalised units; ``teacher`` with all its calls has 0;
    * ``spread``: standard deviation over noise, normalised units, mean over frames and channels;
    * ``movement``: mean wrist speed [m/s] of the body, deviation over time of the mouth aperture
      of the face.
    """
    split = 'held_out' if any(t.split == 'held_out' for t in pack.takes) else 'train'
    mean, std = (getattr(statistics, f'{channel}_{key}') for key in ('mean', 'std'))
    calm = replace(config, windows=replace(config.windows, drop_share=0.0))
    sampler = WindowSampler(pack, channel, calm, mean, std, split)
    device = next(teacher.parameters()).device
    batches = [sampler.draw(1, number).to(device) for number in range(_BATCHES)]
    many, few = config.distill.teacher_calls, config.distill.calls
    guided = config.distill.guidance
    runs = {f'teacher {n}': (teacher, n, guided) for n in dict.fromkeys((many, few, 1))}
    runs |= {f'student {n}': (student, n, 1.0) for n in dict.fromkeys((few, 1))}
    motions = {name: _samples(networks, config, channel, batches, calls, guidance)
               for name, (networks, calls, guidance) in runs.items()}
    truth = motions[f'teacher {many}']
    free = torch.cat([batch.mask for batch in batches]) < 0.5
    scale, offset = torch.from_numpy(std).to(device), torch.from_numpy(mean).to(device)
    return {name: {
        'error': _rounded(((motion - truth)[:, free] ** 2).mean().sqrt()),
        'spread': _rounded(motion.std(dim=0)[free].mean()),
        'movement': _rounded(_movement(channel, motion * scale + offset))}
        for name, motion in motions.items()}


def _samples(networks: GestureNetworks, config: TrainingConfig, channel: str,
             batches: list[WindowBatch], calls: int, guidance: float) -> Tensor:
    """Return ``(noises, windows, W, D)``, the same noise whatever the networks and calls."""
    plan = SamplingPlan.of(config, channel, calls)
    made: list[Tensor] = []
    for number, batch in enumerate(batches):
        predict = predictor(networks, config, channel, batch, guidance=guidance)
        random = torch.Generator().manual_seed(number)
        made.append(torch.stack([
            sample(predict, torch.randn(batch.motion.shape, generator=random).to(
                batch.motion.device), batch.seed, batch.mask, plan) for _ in range(_NOISES)]))
    return torch.cat(made, dim=1)


def _movement(channel: str, motion: Tensor) -> Tensor:
    if channel == 'face':
        return mouth_aperture(motion).clamp(min=0.0).std(dim=-1).mean()
    wrists = [JOINT_INDEX['left_wrist'], JOINT_INDEX['right_wrist']]
    positions = joint_positions(motion)[..., wrists, :]
    return (positions[..., 1:, :, :] - positions[..., :-1, :, :]).norm(
        dim=-1).mean() * BODY_RATE_HZ


def _rounded(value: Tensor) -> float:
    return round(float(value), 5)
