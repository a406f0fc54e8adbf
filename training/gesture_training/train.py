"""Training: one optimiser step is one batch of face windows and one of body windows.

``python -m gesture_training.train --corpus corpus --out runs/base --minutes 60`` writes
``checkpoint.pt`` and ``curve.csv`` into the run folder; ``--resume`` goes on from there. Both
denoisers share the speech encoder; a corpus with only one channel trains that one. Several GPUs:
``torchrun --standalone --nproc-per-node 4 -m gesture_training.train ...``; ``docs/training.md``.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
import json
from pathlib import Path
import sys
import time
from typing import Protocol

import torch

from gesture_node.config import with_values
from gesture_node.exceptions import GestureError

from .checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from .config import load_config, read_values, TrainingConfig
from .corpora.pack import Pack, read_pack
from .exceptions import TrainingError
from .front_end import front_end_of_run
from .networks.assembly import parameter_counts
from .onnx_weights import bundle_checkpoint
from .parallel import first_says, join, leave, rank
from .progress import format_duration, Progress
from .statistics import measure
from .trainer import learning_rate, machine, Trainer

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


class Advances(Protocol):
    """What :func:`run` drives: a trainer or a distiller."""

    config: TrainingConfig
    device: torch.device
    windows: int
    step: int
    elapsed_s: float

    def advance(self, share: float) -> dict[str, float]:
        """Do one optimiser step and return its losses by name."""

    def checkpoint(self) -> Checkpoint:
        """Return the state of the run."""


def device_named(name: str) -> torch.device:
    """Return the device ``cpu`` or ``cuda``; ``auto`` takes a GPU where there is one."""
    if name == 'auto':
        name = 'cuda' if torch.cuda.is_available() else 'cpu'
    return torch.device(name)


def run(trainer: Advances, budget: Budget, out: Path) -> None:
    """Train until the budget is used, with checkpoints on the way and one at the end.

    Raises:
        TrainingError: training became unstable; the last checkpoint is left as it was.
    """
    out.mkdir(parents=True, exist_ok=True)
    progress = Progress(out / 'curve.csv', trainer.windows) if rank() == 0 else None
    earlier_s, begun_s = trainer.elapsed_s, time.monotonic()
    saved_s = begun_s
    while (share := first_says(budget.share(trainer.step, trainer.elapsed_s),
                               trainer.device)) < 1.0:
        losses = trainer.advance(share)
        now_s = time.monotonic()
        trainer.elapsed_s = earlier_s + now_s - begun_s
        rate = learning_rate(trainer.config, trainer.step, share)
        if progress is None:
            continue
        progress.update(trainer.step, losses, share, rate)
        if now_s - saved_s >= trainer.config.optimiser.checkpoint_s:
            save_checkpoint(trainer.checkpoint(), out)
            saved_s = now_s
    if progress is None:
        return
    progress.finish()
    save_checkpoint(trainer.checkpoint(), out)
    print(f'{trainer.step} steps in {format_duration(trainer.elapsed_s)}; '
          f'checkpoint in {out}', file=sys.stderr)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train encoder, face and body denoiser.')
    parser.add_argument('--corpus', type=Path, default=Path('corpus'))
    parser.add_argument('--out', type=Path, default=Path('runs/base'))
    parser.add_argument('--config', type=Path, nargs='+', default=[], metavar='YAML',
                        help='files that change the defaults; later ones win')
    parser.add_argument('--stages', default='+'.join(PARTS),
                        help='parts that learn, joined by + (default: %(default)s)')
    parser.add_argument('--steps', type=int, help='stop after this many optimiser steps')
    parser.add_argument('--minutes', type=float, help='stop after this much time')
    parser.add_argument('--device', default='auto', choices=('auto', 'cpu', 'cuda'))
    parser.add_argument('--weights', type=Path,
                        help='run folder or bundle to take weights and normalisation from')
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
    device = join(device_named(options.device))
    packs = open_packs(options.corpus)
    if not options.resume:
        earlier = run_or_bundle(options.weights) if options.weights else None
        statistics = earlier.statistics if earlier else measure(packs.get('body'),
                                                                packs.get('face'))
        config = _config_after(earlier, options.config) if earlier else load_config(
            *options.config)
        if earlier:
            front_end_of_run(options.corpus, config.encoder.feature_dim, earlier.corpus)
        trainer = Trainer(hearing(config, packs), packs, statistics, stages, device)
        if earlier:
            trainer.take_weights(earlier)
        return trainer
    checkpoint = load_checkpoint(options.out)
    config = _config_after(checkpoint, options.config, resumed=True)
    front_end_of_run(options.corpus, config.encoder.feature_dim, checkpoint.corpus)
    trainer = Trainer(config, packs, checkpoint.statistics, stages, device)
    trainer.restore(checkpoint)
    return trainer


def hearing(config: TrainingConfig, packs: dict[str, Pack]) -> TrainingConfig:
    """Return the config with an encoder as wide as the features of a corpus.

    Raises:
        TrainingError: the channels' features differ in width.
    """
    found = {channel: pack.features.shape[1] for channel, pack in packs.items()}
    if len(set(found.values())) > 1:
        raise TrainingError(f'the channels must have features of one front end, got '
                            f'{found} numbers per frame')
    return replace(config, encoder=replace(config.encoder, feature_dim=found.popitem()[1]))


def run_or_bundle(folder: Path) -> Checkpoint:
    """Return the checkpoint of a run folder, or a bundle as one."""
    if (folder / 'bundle.yaml').is_file():
        return bundle_checkpoint(folder)
    return load_checkpoint(folder)


def _config_after(checkpoint: Checkpoint, paths: Sequence[Path],
                  resumed: bool = False) -> TrainingConfig:
    """Return the config of a run that begins with the weights of another.

    Without files it is that run's. With files everything is as they say, but the networks are
    those of the other run where the files do not say otherwise; a resumed run keeps them.
    """
    if not paths:
        return checkpoint.config
    values = read_values(paths)
    fresh = with_values(TrainingConfig(), values)
    said = {} if resumed else {
        name: value for name, value in values.items() if name.split('.')[0] in PARTS}
    said |= {f'{channel}.batch': getattr(fresh, channel).batch for channel in CHANNELS}
    networks = with_values(checkpoint.config, said)
    return replace(fresh, encoder=networks.encoder, body=networks.body, face=networks.face)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train from the command line; returns the exit status."""
    options = _arguments(arguments)
    if options.steps is None and options.minutes is None:
        print('give --steps or --minutes', file=sys.stderr)
        return 2
    try:
        trainer = start(options)
        counts = parameter_counts(trainer.networks)
        if rank() == 0:
            print(f'{machine()}; parameters {counts}; corpus {json.dumps(trainer.corpus)}',
                  file=sys.stderr)
        run(trainer, Budget(options.steps, options.minutes), options.out)
    except GestureError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    finally:
        leave()
    return 0


if __name__ == '__main__':
    sys.exit(main())
