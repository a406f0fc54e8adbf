"""A tiny bundle of random weights, for tests of the runtime.

``python -m gesture_training.tiny_bundle test/data/tiny_bundle`` writes it again. It knows nothing,
but its output depends on every input, stays near zero and is always the same.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from gesture_node.guides.poses import POSE_DIM

from .config import load_config
from .export import export_bundle, Model
from .networks.assembly import GestureNetworks
from .statistics import Statistics

_CONFIG = Path(__file__).parents[1] / 'config' / 'tiny.yaml'
_PHONE_CLASSES = 8


def tiny_model(seed: int = 7) -> Model:
    """Return a small model with random weights, zero-initialised layers included."""
    torch.manual_seed(seed)
    config, statistics = load_config(_CONFIG), Statistics.neutral()
    networks = GestureNetworks(config, _PHONE_CLASSES).eval()
    networks.encoder.set_normalisation(torch.from_numpy(statistics.feature_mean),
                                       torch.from_numpy(statistics.feature_std))
    with torch.no_grad():
        for parameter in networks.parameters():
            if not parameter.any():
                parameter.normal_(std=0.1)
    guides = np.random.default_rng(seed).uniform(-0.3, 0.3, (40, POSE_DIM))
    guides[:, 0] = np.linspace(0.0, 1.0, len(guides))
    return Model(config, networks, statistics, {
        'name': 'tiny', 'data': 'none: random weights for tests', 'steps': 0, 'seed': seed},
        guides=guides)


def main() -> None:
    """Write the bundle into the folder given on the command line."""
    parser = argparse.ArgumentParser(description='Write the tiny random-weight test bundle.')
    parser.add_argument('folder', type=Path)
    folder = export_bundle(tiny_model(), parser.parse_args().folder)
    total = sum(path.stat().st_size for path in folder.iterdir())
    print(f'wrote {folder} ({total / 1000:.0f} kB)')


if __name__ == '__main__':
    main()
