"""Training: one optimiser step is one batch of face windows and one of body windows.

``python -m gesture_training.train --corpus corpus --out runs/base --minutes 60`` writes
``checkpoint.pt`` and ``curve.csv`` into the run folder; ``--resume`` goes on from there. Both
denoisers share the speech encoder; a corpus with only one channel trains that one.
"""
from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
import copy
from dataclasses import dataclass, replace
import json
import math
from pathlib import Path
import platform
import sys
import time
from typing import Any

import torch
from torch import nn, Tensor

from gesture_node.exceptions import GestureError

from .checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from .config import load_config, TrainingConfig
from .corpora.pack import Pack, read_pack
from .corpora.phones import PhoneClass
from .data import WindowBatch, WindowSampler
from .exceptions import TrainingError
from .losses import BodyLoss, FaceLoss, frame_weights, phone_loss
from .networks.assembly import GestureNetworks, parameter_counts
from .progress import format_duration, Progress
from .schedule import add_noise, TRAIN_STEPS
from .statistics import measure, Statistics

CHANNELS = ('face', 'body')
PARTS = ('encoder', *CHANNELS)


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to train: until either is reached."""

    steps: int | None = None
    minutes: float | None = None

    def share(self, step: int, elapsed_s: float) -> float:
        """Return how much of the budget is used, in [0, 1]."""
        by_steps = step / self.steps if self.steps else 0.0
        by_time = elapsed_s / (60.0 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(by_steps, by_time))


def learning_rate(config: TrainingConfig, step: int, share: float) -> float:
    """Return the rate of a step: linear warm-up, then a cosine over the budget."""
    options = config.optimiser
    warm = min(1.0, (step + 1) / max(1, options.warm_up_steps))
    cosine = 0.5 * (1.0 + math.cos(math.pi * share))
    return options.learning_rate * warm * (
        options.final_rate + (1.0 - options.final_rate) * cosine)


class Trainer:
    """Weights, their average, the optimiser and the samplers of a run.

    Args:
        config: sizes and weights.
        packs: corpus by channel; at least one.
        statistics: normalisation.
        stages: which of ``encoder``, ``face`` and ``body`` learn.
        device: where to compute.
    """

    def __init__(self, config: TrainingConfig, packs: dict[str, Pack], statistics: Statistics,
                 stages: Sequence[str], device: torch.device) -> None:
        torch.manual_seed(config.optimiser.seed)
        self.config, self.statistics, self.device = config, statistics, device
        self.step, self.elapsed_s = 0, 0.0
        self.corpus = {channel: describe_corpus(pack) for channel, pack in packs.items()}
        networks = GestureNetworks(config, len(PhoneClass))
        networks.encoder.set_normalisation(torch.from_numpy(statistics.feature_mean),
                                           torch.from_numpy(statistics.feature_std))
        self.networks = networks.to(device)
        self.average = copy.deepcopy(networks).requires_grad_(False)
        self._samplers = {
            channel: WindowSampler(pack, channel, config,
                                   getattr(statistics, f'{channel}_mean'),
                                   getattr(statistics, f'{channel}_std'))
            for channel, pack in packs.items() if channel in stages}
        if not self._samplers:
            raise TrainingError(f'nothing to train: the corpus holds {", ".join(packs)} and the '
                                f'stages are {", ".join(stages)}')
        self._losses: dict[str, nn.Module] = {
            'face': FaceLoss(config.losses, torch.from_numpy(statistics.face_mean),
                             torch.from_numpy(statistics.face_std)).to(device),
            'body': BodyLoss(config.losses, torch.from_numpy(statistics.body_mean),
                             torch.from_numpy(statistics.body_std)).to(device)}
        self._optimiser = _optimiser(networks, config, {
            part for part in stages if part == 'encoder' or part in self._samplers})

    def advance(self, share: float) -> dict[str, float]:
        """Do one optimiser step and return its losses by name.

        Args:
            share: how much of the budget is used, for the learning rate.

        Raises:
            TrainingError: a loss or the gradient is not finite.
        """
        rate = learning_rate(self.config, self.step, share)
        for group in self._optimiser.param_groups:
            group['lr'] = rate
        self._optimiser.zero_grad(set_to_none=True)
        terms: dict[str, Tensor] = {}
        for channel, sampler in self._samplers.items():
            batch = sampler.draw(self.config.optimiser.seed, self.step).to(self.device)
            found = self._channel_terms(channel, batch)
            sum(found.values(), torch.zeros((), device=self.device)).backward()
            terms |= {f'{channel}.{name}': value.detach() for name, value in found.items()}
        norm = nn.utils.clip_grad_norm_(self._trained(), self.config.optimiser.clip_norm)
        losses = {name: float(value) for name, value in terms.items()}
        wrong = [name for name, value in losses.items() if not math.isfinite(value)]
        if wrong or not math.isfinite(float(norm)):
            raise TrainingError(
                f'training became unstable at step {self.step}: {", ".join(wrong) or "gradient"} '
                f'is not finite; lower optimiser.learning_rate and --resume the last checkpoint')
        self._optimiser.step()
        self._update_average()
        self.step += 1
        return losses

    def _channel_terms(self, channel: str, batch: WindowBatch) -> dict[str, Tensor]:
        bf16 = self.config.optimiser.bf16
        random = torch.Generator().manual_seed(
            (self.config.optimiser.seed * 1_000_003 + self.step) * 2 + (channel == 'body'))
        level = _draw_levels(len(batch.motion), self.config.windows.level_bias, random)
        noise = torch.randn(batch.motion.shape, generator=random).to(self.device)
        level = level.to(self.device)
        context = self.config.encoder.context_frames
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=bf16):
            local, persona, emotion = self.networks.encoder(
                batch.features, batch.heard, batch.history, batch.history_heard)
            inputs = (add_noise(batch.motion, noise, level), level, batch.seed, batch.mask,
                      local[:, context:], persona, emotion, batch.drop)
            estimate = (self.networks.face(*inputs, batch.style) if channel == 'face'
                        else self.networks.body(*inputs))
            logits = self.networks.encoder.phone_logits(local)
        heard = batch.heard[:, context:]
        if channel == 'body':
            heard = heard[:, ::2]
        weight = frame_weights(batch.mask, batch.valid, heard)
        terms: dict[str, Tensor] = self._losses[channel](estimate.float(), batch.motion, weight)
        if channel == 'face':
            terms['phones'] = self.config.losses.phones * phone_loss(logits, batch.phones)
        return terms

    def _trained(self) -> list[Tensor]:
        return [p for group in self._optimiser.param_groups for p in group['params']]

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.config.optimiser.ema_decay, (1.0 + self.step) / (10.0 + self.step))
        pairs = zip(self.average.parameters(), self.networks.parameters())
        averages, weights = zip(*pairs)
        torch._foreach_lerp_(list(averages), list(weights), 1.0 - decay)

    def checkpoint(self) -> Checkpoint:
        """Return the state of the run."""
        return Checkpoint(
            config=self.config, statistics=self.statistics, step=self.step,
            elapsed_s=self.elapsed_s, weights=self.networks.state_dict(),
            average=self.average.state_dict(), optimiser=self._optimiser.state_dict(),
            corpus=self.corpus, machine=machine())

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of a run with the same sizes and stages."""
        self.networks.load_state_dict(checkpoint.weights)
        self.average.load_state_dict(checkpoint.average)
        self._optimiser.load_state_dict(checkpoint.optimiser)
        self.step, self.elapsed_s = checkpoint.step, checkpoint.elapsed_s


def _draw_levels(count: int, bias: float, random: torch.Generator) -> Tensor:
    """Return diffusion steps ``(count,)``, whole numbers in [0, T - 1], denser at the noisy end."""
    share = torch.rand(count, generator=random) ** (1.0 / bias)
    return (share * TRAIN_STEPS).floor().clamp(max=TRAIN_STEPS - 1)


def _optimiser(networks: GestureNetworks, config: TrainingConfig,
               parts: set[str]) -> torch.optim.AdamW:
    matrices: list[Tensor] = []
    vectors: list[Tensor] = []
    for name, parameter in networks.named_parameters():
        if name.split('.')[0] in parts:
            (matrices if parameter.dim() > 1 else vectors).append(parameter)
        else:
            parameter.requires_grad_(False)
    options = config.optimiser
    return torch.optim.AdamW(
        [{'params': matrices, 'weight_decay': options.weight_decay},
         {'params': vectors, 'weight_decay': 0.0}],
        lr=options.learning_rate, betas=(0.9, 0.98), fused=True)


def describe_corpus(pack: Pack) -> dict[str, Any]:
    """Return what a channel is trained on: hours and takes by source, licences, speakers."""
    hours: Counter[str] = Counter()
    for take in pack.takes:
        if take.split == 'train':
            hours[take.source] += take.features / 50.0 / 3600.0  # type: ignore[assignment]
    trained = [take for take in pack.takes if take.split == 'train']
    return {
        'takes': len(trained), 'held_out_takes': len(pack.takes) - len(trained),
        'speakers': len({take.speaker for take in trained}),
        'hours': {source: round(value, 3) for source, value in sorted(hours.items())},
        'licences': sorted({f'{take.source}: {take.licence}' for take in trained}),
        'variants': dict(Counter(take.variant for take in trained)),
        'styles': dict(Counter(take.style for take in trained))}


def open_packs(corpus: Path) -> dict[str, Pack]:
    """Return the packs a corpus folder holds, by channel.

    Raises:
        TrainingError: it holds none.
    """
    packs = {channel: read_pack(corpus, channel) for channel in CHANNELS
             if (corpus / f'{channel}_takes.json').is_file()}
    if not packs:
        raise TrainingError(f'corpus {corpus} holds neither face_takes.json nor body_takes.json; '
                            f'prepare it first')
    return packs


def run(trainer: Trainer, budget: Budget, out: Path) -> None:
    """Train until the budget is used, with checkpoints on the way and one at the end.

    Raises:
        TrainingError: training became unstable; the last checkpoint is left as it was.
    """
    out.mkdir(parents=True, exist_ok=True)
    progress = Progress(out / 'curve.csv')
    earlier_s, begun_s = trainer.elapsed_s, time.monotonic()
    saved_s = begun_s
    while (share := budget.share(trainer.step, trainer.elapsed_s)) < 1.0:
        losses = trainer.advance(share)
        now_s = time.monotonic()
        trainer.elapsed_s = earlier_s + now_s - begun_s
        rate = learning_rate(trainer.config, trainer.step, share)
        progress.update(trainer.step, losses, share, rate)
        if now_s - saved_s >= trainer.config.optimiser.checkpoint_s:
            save_checkpoint(trainer.checkpoint(), out)
            saved_s = now_s
    save_checkpoint(trainer.checkpoint(), out)
    print(f'{trainer.step} steps in {format_duration(trainer.elapsed_s)}; '
          f'checkpoint in {out}', file=sys.stderr)


def machine() -> str:
    """Return what this is trained on, in words."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f'{platform.machine()} CPU, {torch.get_num_threads()} threads'


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train encoder, face and body denoiser.')
    parser.add_argument('--corpus', type=Path, default=Path('corpus'))
    parser.add_argument('--out', type=Path, default=Path('runs/base'))
    parser.add_argument('--config', type=Path, help='YAML that changes the defaults')
    parser.add_argument('--stages', default='+'.join(PARTS),
                        help='parts that learn, joined by + (default: %(default)s)')
    parser.add_argument('--steps', type=int, help='stop after this many optimiser steps')
    parser.add_argument('--minutes', type=float, help='stop after this much time')
    parser.add_argument('--device', default='auto', choices=('auto', 'cpu', 'cuda'))
    parser.add_argument('--resume', action='store_true', help='go on from the run folder')
    return parser.parse_args(arguments)


def start(options: argparse.Namespace) -> Trainer:
    """Return a new or resumed trainer for the command line's options.

    Raises:
        TrainingError, ConfigError: naming what is missing or not allowed.
    """
    stages = options.stages.split('+')
    unknown = set(stages) - set(PARTS)
    if unknown:
        raise TrainingError(f'unknown stage {sorted(unknown)[0]!r}; allowed: {", ".join(PARTS)}')
    name = options.device
    if name == 'auto':
        name = 'cuda' if torch.cuda.is_available() else 'cpu'
    packs = open_packs(options.corpus)
    if not options.resume:
        statistics = measure(packs.get('body'), packs.get('face'))
        return Trainer(load_config(options.config), packs, statistics, stages,
                       torch.device(name))
    checkpoint = load_checkpoint(options.out)
    trainer = Trainer(_resumed_config(checkpoint, options.config), packs, checkpoint.statistics,
                      stages, torch.device(name))
    trainer.restore(checkpoint)
    return trainer


def _resumed_config(checkpoint: Checkpoint, path: Path | None) -> TrainingConfig:
    """Return the checkpoint's config; a given file may change anything but the sizes."""
    if path is None:
        return checkpoint.config
    fresh = load_config(path)
    return replace(fresh, encoder=checkpoint.config.encoder,
                   body=replace(checkpoint.config.body, batch=fresh.body.batch),
                   face=replace(checkpoint.config.face, batch=fresh.face.batch))


def main(arguments: Sequence[str] | None = None) -> int:
    """Train from the command line; returns the exit status."""
    options = _arguments(arguments)
    if options.steps is None and options.minutes is None:
        print('give --steps or --minutes', file=sys.stderr)
        return 2
    try:
        trainer = start(options)
        counts = parameter_counts(trainer.networks)
        print(f'{machine()}; parameters {counts}; corpus {json.dumps(trainer.corpus)}',
              file=sys.stderr)
        run(trainer, Budget(options.steps, options.minutes), options.out)
    except GestureError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
