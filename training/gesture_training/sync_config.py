"""What training of the synchrony network may choose, read from YAML."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gesture_node.config import check, param, with_values
from gesture_node.exceptions import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncConfig:
    """Sizes, windows, disturbances and optimisation of the synchrony network."""

    window_frames: int = param(15, 'Frames of sound and lips that are compared, at 50 Hz.',
                               bounds=(8, 24))
    width: int = param(64, 'Channels of the first convolution; the next have 1.5 and 2 times as '
                           'many.', bounds=(8, 256))
    embedding: int = param(64, 'Numbers per embedding.', bounds=(4, 256))
    segments: int = param(40, 'Places of the corpus per optimiser step.', bounds=(2, 1_024))
    positions: int = param(6, 'Windows around each place, 40 to 400 ms from each other: their '
                              'sound is the hard negative of the other lips.', bounds=(1, 10))
    gain_db: float = param(6.0, 'Standard deviation of the random gain of the speech.',
                           unit='dB', bounds=(0.0, 20.0))
    tilt_db: float = param(2.0, 'Standard deviation of each term of a random smooth equaliser.',
                           unit='dB', bounds=(0.0, 20.0))
    lip_gain: float = param(0.2, 'Standard deviation of the logarithm of a random gain of the '
                                 'lips.', bounds=(0.0, 1.0))
    lip_noise: float = param(0.01, 'Largest standard deviation of noise on the lips, in weights.',
                             bounds=(0.0, 0.5))
    lip_drop_share: float = param(0.1, 'Share of lip channels that are zero in a segment.',
                                  bounds=(0.0, 0.9))
    learning_rate: float = param(2e-3, 'Highest learning rate.', bounds=(1e-7, 1.0))
    weight_decay: float = param(0.01, 'Decoupled weight decay.', bounds=(0.0, 1.0))
    warm_up_steps: int = param(50, 'Steps of linear warm-up.', bounds=(0, 10_000))
    seed: int = param(0, 'Seed of weights, windows and noise.', bounds=(0, 2_147_483_647))

    def __post_init__(self) -> None:
        check(self)


def load_sync_config(path: Path | None) -> SyncConfig:
    """Return the defaults, changed by the keys of a YAML file.

    Raises:
        ConfigError: the file is missing or not a mapping, or a key or value is not allowed.
    """
    if path is None:
        return SyncConfig()
    if not path.is_file():
        raise ConfigError(f'training config {path} does not exist')
    values: Any = yaml.safe_load(path.read_text(encoding='utf-8')) or {}
    if not isinstance(values, dict):
        raise ConfigError(f'training config {path} must hold a mapping')
    return with_values(SyncConfig(), values)
