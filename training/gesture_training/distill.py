"""Distillation: a denoiser learns to give in one or two calls what it gave in eight.

The student begins as a copy of its teacher. For a batch of windows the teacher is sampled from
random noise, deterministically, exactly as the runtime would; the student starts from the same
noise with the same speech and seed frames, takes its one or two calls at the levels the runtime
visits with so few, and each estimate is pulled to the teacher's sample (regression of a
deterministic sampler: Luhman and Luhman, "Knowledge Distillation in Iterative Generative Models",
2021; a second call that starts from where the student's own first one led follows Salimans and Ho,
"Progressive Distillation", ICLR 2022, in spirit). The losses are those of training, so velocity,
hands and lips count here too. The speech encoder and the other channel stay as they are.

``python -m gesture_training.distill --run runs/base/body --channel body --out runs/distilled
--minutes 15`` writes a run folder that exports as any other; its bundle recommends the calls.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
import copy
from dataclasses import replace
import json
import math
from pathlib import Path
import sys

import torch
from torch import nn, Tensor

from gesture_node.exceptions import GestureError

from .checkpoint import Checkpoint, load_checkpoint, networks_of
from .config import load_config, TrainingConfig
from .corpora.pack import Pack
from .data import WindowBatch, WindowSampler
from .distill_report import compare
from .exceptions import TrainingError
from .front_end import front_end_of_run
from .losses import BodyLoss, FaceLoss, frame_weights
from .parallel import average_gradients, join, leave, mean_over_processes, rank, rows
from .sampling import estimates, predictor, sample, SamplingPlan
from .train import Budget, CHANNELS, device_named, open_packs, run, run_or_bundle
from .trainer import describe_corpus, learning_rate, machine

REPORT_NAME = 'distillation.json'


class Distiller:
    """Teacher, student, its average and the optimiser of one channel.

    Args:
        teacher: checkpoint whose averaged weights are imitated.
        pack: corpus of the channel; only its speech and seed frames are used.
        channel: ``body`` or ``face``.
        config: of the teacher, with the ``distill`` section to follow.
        device: where to compute.
    """

    def __init__(self, teacher: Checkpoint, pack: Pack, channel: str, config: TrainingConfig,
                 device: torch.device) -> None:
        torch.manual_seed(config.optimiser.seed)
        self.config = replace(config, optimiser=replace(
            config.optimiser, learning_rate=config.distill.learning_rate))
        self.step, self.elapsed_s = 0, 0.0
        self._teacher_checkpoint, self._channel, self.device = teacher, channel, device
        self._corpus = describe_corpus(pack)
        self.teacher = networks_of(teacher).to(device).eval().requires_grad_(False)
        self.student = copy.deepcopy(self.teacher)
        self._learner: nn.Module = getattr(self.student, channel).requires_grad_(True)
        self.average = copy.deepcopy(self.student).requires_grad_(False)
        statistics = teacher.statistics
        mean, std = (getattr(statistics, f'{channel}_{key}') for key in ('mean', 'std'))
        self._sampler = WindowSampler(pack, channel, config, mean, std)
        self.windows = self._sampler.batch
        kind = FaceLoss if channel == 'face' else BodyLoss
        self._loss = kind(config.losses, torch.from_numpy(mean),
                          torch.from_numpy(std)).to(device)
        self._plans = tuple(SamplingPlan.of(config, channel, calls) for calls in (
            config.distill.calls, config.distill.teacher_calls))
        self._optimiser = torch.optim.AdamW(
            self._learner.parameters(), lr=config.distill.learning_rate, betas=(0.9, 0.98),
            weight_decay=0.0)

    def advance(self, share: float) -> dict[str, float]:
        """Do one optimiser step and return its losses by name.

        Args:
            share: how much of the budget is used, for the learning rate.

        Raises:
            TrainingError: a loss or the gradient is not finite.
        """
        for group in self._optimiser.param_groups:
            group['lr'] = learning_rate(self.config, self.step, share)
        seed = self.config.optimiser.seed
        batch = self._sampler.draw(seed, self.step)
        random = torch.Generator().manual_seed((seed * 1_000_003 + self.step) * 2 + 1)
        noise = rows(torch.randn(batch.motion.shape, generator=random)).to(self.device)
        batch = rows(batch).to(self.device)
        self._optimiser.zero_grad(set_to_none=True)
        terms = self._backward(batch, noise)
        losses = dict(zip(terms, mean_over_processes(torch.stack(list(terms.values()))).tolist()))
        average_gradients(list(self._learner.parameters()))
        norm = nn.utils.clip_grad_norm_(self._learner.parameters(),
                                        self.config.optimiser.clip_norm)
        wrong = [name for name, value in losses.items() if not math.isfinite(value)]
        if wrong or not math.isfinite(float(norm)):
            raise TrainingError(
                f'distillation became unstable at step {self.step}: '
                f'{", ".join(wrong) or "gradient"} is not finite; lower distill.learning_rate')
        self._optimiser.step()
        self._update_average()
        self.step += 1
        return losses

    def _backward(self, batch: WindowBatch, noise: Tensor) -> dict[str, Tensor]:
        bf16 = self.config.optimiser.bf16
        few, many = self._plans
        teacher = predictor(self.teacher, self.config, self._channel, batch, bf16,
                            self.config.distill.guidance)
        wanted = sample(teacher, noise, batch.seed, batch.mask, many)
        predict = predictor(self.student, self.config, self._channel, batch, bf16)
        heard = batch.heard[:, self.config.encoder.context_frames:]
        heard = heard[:, ::2] if self._channel == 'body' else heard
        weight = frame_weights(batch.mask, torch.ones_like(batch.valid), heard)
        losses: dict[str, Tensor] = {}
        for call, estimate in enumerate(estimates(predict, noise, batch.seed, batch.mask, few)):
            terms: dict[str, Tensor] = self._loss(estimate, wanted, weight)
            (sum(terms.values(), torch.zeros((), device=noise.device)) / few.calls).backward()
            losses |= {f'{self._channel}.call{call + 1}.{name}': value.detach()
                       for name, value in terms.items()}
        return losses

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.config.optimiser.ema_decay, (1.0 + self.step) / (10.0 + self.step))
        averages = list(getattr(self.average, self._channel).parameters())
        torch._foreach_lerp_(averages, list(self._learner.parameters()), 1.0 - decay)

    def checkpoint(self) -> Checkpoint:
        """Return the state of the run, the teacher's but for the student's channel."""
        teacher = self._teacher_checkpoint
        said = {'calls': self.config.distill.calls,
                'teacher_calls': self.config.distill.teacher_calls,
                'teacher_guidance': self.config.distill.guidance, 'steps': self.step,
                'minutes': round(self.elapsed_s / 60.0, 1), 'corpus': self._corpus}
        return replace(
            teacher, config=self.config, step=self.step, elapsed_s=self.elapsed_s,
            weights=self.student.state_dict(), average=self.average.state_dict(),
            optimiser=self._optimiser.state_dict(), machine=machine(),
            corpus=teacher.corpus or {self._channel: self._corpus},
            distilled={**teacher.distilled, self._channel: said})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same distillation."""
        self.student.load_state_dict(checkpoint.weights)
        self.average.load_state_dict(checkpoint.average)
        self._optimiser.load_state_dict(checkpoint.optimiser)
        self.step, self.elapsed_s = checkpoint.step, checkpoint.elapsed_s


def start(options: argparse.Namespace) -> tuple[Distiller, Pack]:
    """Return a new or resumed distiller for the command line's options, and its corpus.

    Raises:
        TrainingError, ConfigError: naming what is missing or not allowed.
    """
    teacher = run_or_bundle(options.run)
    if options.channel in teacher.distilled:
        raise TrainingError(f'the {options.channel} of {options.run} is distilled already; '
                            f'give the run it was distilled from')
    packs = open_packs(options.corpus)
    front_end_of_run(options.corpus, teacher.config.encoder.feature_dim, teacher.corpus)
    if options.channel not in packs:
        raise TrainingError(f'corpus {options.corpus} holds no {options.channel}_takes.json')
    distiller = Distiller(teacher, packs[options.channel], options.channel,
                          _config(teacher.config, options), join(device_named(options.device)))
    if options.resume:
        distiller.restore(load_checkpoint(options.out))
    return distiller, packs[options.channel]


def _config(config: TrainingConfig, options: argparse.Namespace) -> TrainingConfig:
    """Return the teacher's config with the file's and the options' way to distil."""
    if options.config:
        fresh = load_config(*options.config)
        config = replace(config, distill=fresh.distill, optimiser=fresh.optimiser,
                         body=replace(config.body, batch=fresh.body.batch),
                         face=replace(config.face, batch=fresh.face.batch))
    given = {key: getattr(options, key) for key in ('calls', 'teacher_calls', 'learning_rate')
             if getattr(options, key) is not None}
    config = replace(config, distill=replace(config.distill, **given))
    if config.distill.calls >= config.distill.teacher_calls:
        raise TrainingError(f'the student may take fewer calls than its teacher alone: '
                            f'distill.calls is {config.distill.calls} and distill.teacher_calls '
                            f'{config.distill.teacher_calls}')
    return config


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Teach a denoiser to need one or two calls per window.')
    parser.add_argument('--run', type=Path, required=True,
                        help='run folder or bundle of the teacher')
    parser.add_argument('--channel', required=True, choices=CHANNELS)
    parser.add_argument('--out', type=Path, required=True, help='run folder of the student')
    parser.add_argument('--corpus', type=Path, default=Path('corpus'))
    parser.add_argument('--config', type=Path, nargs='+', default=[], metavar='YAML',
                        help='files whose distill and optimiser sections and batch sizes to use')
    parser.add_argument('--calls', type=int, help='denoiser calls of the student')
    parser.add_argument('--teacher-calls', type=int, help='denoiser calls of the teacher')
    parser.add_argument('--learning-rate', type=float, help='highest learning rate')
    parser.add_argument('--steps', type=int, help='stop after this many optimiser steps')
    parser.add_argument('--minutes', type=float, help='stop after this much time')
    parser.add_argument('--device', default='auto', choices=('auto', 'cpu', 'cuda'))
    parser.add_argument('--resume', action='store_true', help='go on from the out folder')
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Distil from the command line; returns the exit status."""
    options = _arguments(arguments)
    if options.steps is None and options.minutes is None:
        print('give --steps or --minutes', file=sys.stderr)
        return 2
    try:
        distiller, pack = start(options)
        print(f'{machine()}; {options.channel}: {distiller.config.distill.teacher_calls} calls '
              f'become {distiller.config.distill.calls}', file=sys.stderr)
        run(distiller, Budget(options.steps, options.minutes), options.out)
        if rank() > 0:
            return 0
        found = compare(distiller.teacher, distiller.average, distiller.config, options.channel,
                        pack, load_checkpoint(options.out).statistics)
    except GestureError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    finally:
        leave()
    text = json.dumps(found, indent=1)
    (options.out / REPORT_NAME).write_text(text + '\n', encoding='utf-8')
    print(text)
    return 0


if __name__ == '__main__':
    sys.exit(main())
