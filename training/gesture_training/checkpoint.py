"""Checkpoints: everything a run needs to go on, written so that a crash leaves the old one."""
from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .config import config_from, plain, TrainingConfig
from .corpora.phones import PhoneClass
from .exceptions import TrainingError
from .networks.assembly import GestureNetworks
from .statistics import Statistics

FILE_NAME = 'checkpoint.pt'
_FORMAT = 1
_HEADS = tuple(f'encoder.{head}.' for head in ('phones', 'lips', 'accents', 'effort', 'manner',
                                                  'masked'))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """State of a run after ``step`` optimiser steps.

    Attributes:
        config: what the run was started with.
        statistics: normalisation.
        step: optimiser steps done.
        elapsed_s: time spent training, over all sittings.
        weights, average: parameters and their running average, by name.
        optimiser: state of AdamW.
        corpus: what was trained on (see ``train.describe_corpus``).
        machine: where, in words.
        distilled: channels whose denoiser was distilled, each with ``calls`` (denoiser calls per
            window it is made for) and how it came about (see :mod:`.distill`).
    """

    config: TrainingConfig
    statistics: Statistics
    step: int
    elapsed_s: float
    weights: dict[str, Tensor]
    average: dict[str, Tensor]
    optimiser: dict[str, Any]
    corpus: dict[str, Any]
    machine: str
    distilled: dict[str, dict[str, Any]] = field(default_factory=dict)


def save_checkpoint(checkpoint: Checkpoint, folder: Path) -> Path:
    """Write ``checkpoint.pt`` into a run folder, atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        'format': _FORMAT, 'config': plain(checkpoint.config),
        'statistics': {k: torch.from_numpy(np.asarray(v))
                       for k, v in asdict(checkpoint.statistics).items()},
        **{name: getattr(checkpoint, name) for name in (
            'step', 'elapsed_s', 'weights', 'average', 'optimiser', 'corpus', 'machine',
            'distilled')}}
    path, fresh = folder / FILE_NAME, folder / f'{FILE_NAME}.new'
    torch.save(state, fresh)
    os.replace(fresh, path)
    return path


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read ``checkpoint.pt`` of a run folder; tensors come to the CPU.

    Raises:
        TrainingError: there is none, or it is not one of ours.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        raise TrainingError(f'no checkpoint at {path}')
    try:
        state = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:
        raise TrainingError(f'checkpoint {path} cannot be read: {error}') from error
    if not isinstance(state, dict) or state.get('format') != _FORMAT:
        raise TrainingError(f'checkpoint {path} is not of format {_FORMAT}')
    statistics = Statistics(*(state['statistics'][f.name].numpy() for f in fields(Statistics)))
    return Checkpoint(config_from(state['config']), statistics, *(state[name] for name in (
        'step', 'elapsed_s', 'weights', 'average', 'optimiser', 'corpus', 'machine')),
        distilled=state.get('distilled', {}))


def networks_of(checkpoint: Checkpoint) -> GestureNetworks:
    """Return the networks of a run with their averaged weights.

    Heads of the encoder that only training uses may be missing (a bundle has none, an older run
    not all); they stay as initialised.

    Raises:
        TrainingError: the weights are not those of the networks of this version.
    """
    networks = GestureNetworks(checkpoint.config, len(PhoneClass))
    try:
        found = networks.load_state_dict(checkpoint.average, strict=False)
    except RuntimeError as error:
        reason = ' '.join(str(error).split())
        raise TrainingError(f'the checkpoint is of other networks: {reason}') from error
    lacking = [name for name in found.missing_keys if not name.startswith(_HEADS)]
    if lacking or found.unexpected_keys:
        wrong = ', '.join([*lacking, *found.unexpected_keys][:3])
        raise TrainingError(f'the checkpoint is of other networks: they differ at {wrong}')
    return networks
