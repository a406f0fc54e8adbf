"""Trains the lip-audio synchrony network on the face channel of a corpus.

::

    python -m gesture_training.sync_train --corpus corpus --out runs/sync --minutes 5
    python -m gesture_training.sync_train --export runs/sync --bundle bundles/base

The first writes ``sync.onnx``, ``sync.json`` (what it was trained on and how well it does on
held-out speakers), ``sync.pt`` and ``curve.csv``; it always starts anew. The second adds the
network to a bundle. What is learned, and how it is scored: ``docs/sync.md``.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
import json
import math
from pathlib import Path
import sys
import time
from typing import Any

import torch

from gesture_node.bundle import SYNC_NETWORK
from gesture_node.exceptions import GestureError

from .corpora.pack import Pack, read_pack
from .evaluation.sync import evaluate_sync
from .exceptions import TrainingError
from .networks.sync import PARAMETER_LIMIT, SyncNetwork
from .progress import format_duration, Progress
from .sync_config import load_sync_config, SyncConfig
from .sync_data import clips_of, SyncSampler
from .sync_export import add_to_bundle, export_sync, STATEMENT
from .train import Budget
from .trainer import machine

CLIP_S = 4.0
"""Length of a held-out clip: as much as the node's meter looks at."""
_FINAL_RATE = 0.02
_CLIP_NORM = 1.0


class SyncTrainer:
    """Optimises a synchrony network, batch by batch.

    Args:
        config: sizes and optimisation.
        pack: face channel of the corpus.

    Raises:
        TrainingError: the sizes make it too large, or the corpus holds nothing to learn from.
    """

    def __init__(self, config: SyncConfig, pack: Pack) -> None:
        torch.manual_seed(config.seed)
        self.config, self.step = config, 0
        self.sampler = SyncSampler(pack, config)
        self.network = SyncNetwork(config)
        self.parameters = sum(p.numel() for p in self.network.parameters())
        if self.parameters > PARAMETER_LIMIT:
            raise TrainingError(f'the synchrony network has {self.parameters} parameters, allowed '
                                f'are {PARAMETER_LIMIT}; lower width or window_frames')
        self._optimiser = torch.optim.AdamW(self.network.parameters(), lr=config.learning_rate,
                                            weight_decay=config.weight_decay)

    def rate(self, share: float) -> float:
        """Return the learning rate: linear warm-up, then half a cosine over the budget."""
        warm = min(1.0, (self.step + 1) / max(1, self.config.warm_up_steps))
        decay = _FINAL_RATE + (1.0 - _FINAL_RATE) * 0.5 * (1.0 + math.cos(math.pi * share))
        return self.config.learning_rate * warm * decay

    def advance(self, share: float) -> dict[str, float]:
        """Do one step, ``share`` of the budget being used; returns loss and accuracy.

        Raises:
            TrainingError: the loss is not finite.
        """
        batch = self.sampler.draw(self.step)
        for group in self._optimiser.param_groups:
            group['lr'] = self.rate(share)
        loss, accuracy = self.network.train().loss(batch.features, batch.face)
        if not torch.isfinite(loss):
            raise TrainingError(f'training became unstable at step {self.step}: the loss is '
                                f'{loss.item()}; lower learning_rate')
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP_NORM)
        self._optimiser.step()
        self.step += 1
        return {'loss': loss.item(), 'accuracy': accuracy.item()}


def train(trainer: SyncTrainer, budget: Budget, out: Path) -> float:
    """Train until the budget is used; returns the time it took [s]."""
    out.mkdir(parents=True, exist_ok=True)
    curve = out / 'curve.csv'
    curve.unlink(missing_ok=True)
    progress, begun_s = Progress(curve), time.monotonic()
    while (share := budget.share(trainer.step, time.monotonic() - begun_s)) < 1.0:
        rate = trainer.rate(share)
        progress.update(trainer.step, trainer.advance(share), share, rate)
    return time.monotonic() - begun_s


def held_out_figures(path: Path, pack: Pack) -> dict[str, Any]:
    """Return the figures of an exported network on held-out speakers, clean and augmented."""
    found: dict[str, Any] = {'clip_s': CLIP_S}
    for variant in ('clean', 'augmented'):
        clips = clips_of(pack, 'held_out', CLIP_S, variant)
        if clips:
            found[variant] = evaluate_sync(path, clips)
    return found


def describe_corpus(sampler: SyncSampler) -> dict[str, Any]:
    """Return what the network learned from: takes, speakers, hours, licences."""
    takes = sampler.takes
    return {'takes': len(takes), 'speakers': len({take.speaker for take in takes}),
            'hours': round(sampler.hours, 2),
            'licences': sorted({f'{take.source}: {take.licence}' for take in takes})}


def run(config: SyncConfig, corpus: Path, out: Path, budget: Budget) -> dict[str, Any]:
    """Train, export and measure; returns the statement that ``sync.json`` holds.

    Raises:
        TrainingError, ConfigError: naming what is missing or went wrong.
    """
    if not (corpus / 'face_takes.json').is_file():
        raise TrainingError(f'corpus {corpus} holds no face_takes.json; prepare it with '
                            f'python -m gesture_training.corpora.face')
    pack = read_pack(corpus, 'face')
    trainer = SyncTrainer(config, pack)
    print(f'{machine()}; {trainer.parameters} parameters; {trainer.sampler.hours:.1f} h',
          file=sys.stderr)
    elapsed_s = train(trainer, budget, out)
    print(f'{trainer.step} steps in {format_duration(elapsed_s)}', file=sys.stderr)
    torch.save(trainer.network.state_dict(), out / 'sync.pt')
    path = export_sync(trainer.network, out / SYNC_NETWORK)
    statement = {
        'parameters': trainer.parameters, 'steps': trainer.step,
        'minutes': round(elapsed_s / 60.0, 1), 'machine': machine(),
        'torch': str(torch.__version__), 'config': asdict(config),
        'corpus': describe_corpus(trainer.sampler),
        'metrics': _rounded(held_out_figures(path, pack))}
    (out / STATEMENT).write_text(json.dumps(statement, indent=1) + '\n', encoding='utf-8')
    return statement


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: _rounded(value) if isinstance(value, dict) else
            round(value, 4) if isinstance(value, float) else value
            for name, value in figures.items()}


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train the lip-audio synchrony network.')
    parser.add_argument('--corpus', type=Path, default=Path('corpus'))
    parser.add_argument('--out', type=Path, default=Path('runs/sync'))
    parser.add_argument('--config', type=Path, help='YAML that changes the defaults')
    parser.add_argument('--minutes', type=float, help='stop after this much time')
    parser.add_argument('--steps', type=int, help='stop after this many optimiser steps')
    parser.add_argument('--export', type=Path, metavar='RUN',
                        help='train nothing, add the network of this run to a bundle')
    parser.add_argument('--bundle', type=Path, default=Path('bundles/base'))
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train or export from the command line; returns the exit status."""
    options = _arguments(arguments)
    try:
        if options.export is not None:
            digest = add_to_bundle(options.export, options.bundle)
            print(f'added {SYNC_NETWORK} to {options.bundle}, now {digest}')
            return 0
        if options.steps is None and options.minutes is None:
            print('give --steps or --minutes', file=sys.stderr)
            return 2
        statement = run(load_sync_config(options.config), options.corpus, options.out,
                        Budget(options.steps, options.minutes))
    except GestureError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    print(json.dumps(statement['metrics'], indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
