"""Trains the encoder behind the Fréchet distance, on human clips only, in about a minute.

Run::

    python -m gesture_training.evaluation.train_motion_code --data DATA

An auto-encoder learns to give back 2.4 s of human motion and its velocity from 16 numbers; its
first half is written to ``frechet_encoder.npz``, turned and scaled so that the codes of people
have no mean and unit covariance: 1 is their own spread. The seed is fixed. No composed and no
generated motion goes in: the encoder must not know the motion that it judges. Another encoder
sees other things, so distances are comparable only within one file.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import torch
from torch import nn, Tensor
from tqdm import trange

from gesture_node.motion.skeleton import mirror_pose, POSE_DIM

from .human import at_body_rate, human_clips
from .motion_code import CODE_DIM, cut_windows, KERNEL, LAYERS, PATH, STRIDE, WINDOW_FRAMES

Array = NDArray[np.float64]
CHANNELS = (POSE_DIM, 64, 64, 32)
STEPS, BATCH, LEARNING_RATE = 1_500, 64, 1e-3
LEAST_SPREAD = 0.05
"""Channels that hardly move are not blown up."""
_FRAMES = [WINDOW_FRAMES, 30, 15, 8]
_TRAIN_STRIDE_FRAMES = 2


class AutoEncoder(nn.Module):
    """Motion (B, 60, 84), normalised, to a code (B, 16) and back."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, after, KERNEL, STRIDE, KERNEL // 2)
            for before, after in zip(CHANNELS[:-1], CHANNELS[1:]))
        self.to_code = nn.Linear(CHANNELS[-1] * _FRAMES[-1], CODE_DIM)
        self.from_code = nn.Linear(CODE_DIM, CHANNELS[-1] * _FRAMES[-1])
        self.back = nn.ModuleList(
            nn.Conv1d(before, after, KERNEL, padding=KERNEL // 2)
            for before, after in zip(CHANNELS[:0:-1], CHANNELS[-2::-1]))

    def encode(self, motion: Tensor) -> Tensor:
        """Return codes (B, 16)."""
        x = motion.transpose(1, 2)
        for layer in self.convolutions:
            x = torch.relu(layer(x))
        code: Tensor = self.to_code(x.flatten(1))
        return code

    def forward(self, motion: Tensor) -> Tensor:
        """Return the motion given back, (B, 60, 84)."""
        x = self.from_code(self.encode(motion)).unflatten(1, (CHANNELS[-1], _FRAMES[-1]))
        for number, layer in enumerate(self.back):
            x = nn.functional.interpolate(x, _FRAMES[-2 - number], mode='linear')
            x = layer(torch.relu(x))
        return x.transpose(1, 2)


def human_windows(data: Path) -> Array:
    """Return windows ``(N, 60, 84)`` of all clips and of their mirror images."""
    clips = [at_body_rate(clip) for clip in human_clips(data)]
    both = [*clips, *(np.asarray(mirror_pose(clip)) for clip in clips)]
    return np.concatenate([cut_windows(clip, _TRAIN_STRIDE_FRAMES) for clip in both])


def normalised(windows: Array, mean: Array, scale: Array) -> Tensor:
    """Return windows as the networks take them."""
    return torch.from_numpy(((windows - mean) / scale).astype(np.float32))


def train(windows: Array, steps: int = STEPS, seed: int = 0) -> tuple[AutoEncoder, Array, Array]:
    """Return the trained auto-encoder with the mean and scale (84,) it takes poses with."""
    torch.manual_seed(seed)
    mean = windows.mean(axis=(0, 1))
    scale = np.maximum(windows.std(axis=(0, 1)), LEAST_SPREAD)
    motion = normalised(windows, mean, scale)
    network = AutoEncoder()
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    bar = trange(steps, desc='motion code', disable=None)
    for _ in bar:
        batch = motion[torch.randint(len(motion), (BATCH,))]
        error = network(batch) - batch
        loss = error.square().mean() + 5.0 * error.diff(dim=1).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rate.step()
        bar.set_postfix(loss=f'{loss.item():.4f}', refresh=False)
    return network.eval(), mean, scale


def whitened(matrix: Array, offset: Array, codes: Array) -> tuple[Array, Array]:
    """Return the last layer changed so that the given codes have no mean and unit covariance.

    Args:
        matrix: shape (16, F).
        offset: shape (16,).
        codes: shape (N, 16), what the layer makes of people.
    """
    values, vectors = np.linalg.eigh(np.cov(codes, rowvar=False))
    turn = (vectors / np.sqrt(np.maximum(values, 1e-9))) @ vectors.T
    return turn @ matrix, turn @ (offset - codes.mean(axis=0))


def write(path: Path, network: AutoEncoder, mean: Array, scale: Array, windows: Array) -> None:
    """Write the encoder as arrays of float32, no pickles.

    Args:
        path: file to write.
        network: trained.
        mean: shape (84,).
        scale: shape (84,).
        windows: shape (N, 60, 84), motion of people, whose codes become the unit.
    """
    with torch.no_grad():
        codes = network.encode(normalised(windows, mean, scale)).numpy().astype(np.float64)
    last = network.to_code
    matrix, offset = whitened(last.weight.detach().numpy().astype(np.float64),
                              last.bias.detach().numpy().astype(np.float64), codes)
    arrays = {'mean': mean, 'scale': scale, 'matrix': matrix, 'offset': offset}
    for number in range(LAYERS):
        layer = network.convolutions[number]
        arrays[f'kernel_{number}'] = layer.weight.detach().numpy()
        arrays[f'bias_{number}'] = layer.bias.detach().numpy()
    np.savez_compressed(path, **{name: value.astype(np.float32)
                                 for name, value in arrays.items()})


def main() -> None:
    """Train the encoder of the Fréchet distance and write it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument('--data', type=Path, required=True, help='corpora folder')
    parser.add_argument('--out', type=Path, default=PATH)
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args()
    windows = human_windows(options.data)
    network, mean, scale = train(windows, seed=options.seed)
    write(options.out, network, mean, scale, windows)
    with torch.no_grad():
        motion = normalised(windows, mean, scale)
        left = float((network(motion) - motion).square().mean() / motion.square().mean())
    print(f'{options.out}: {options.out.stat().st_size / 1000:.0f} kB, {len(windows)} windows, '
          f'{100 * left:.1f} % of the variance is lost')


if __name__ == '__main__':
    main()
