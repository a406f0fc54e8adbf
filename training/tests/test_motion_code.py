"""The encoder behind the Fréchet distance: NumPy and torch agree, what ships is usable."""
from __future__ import annotations

from pathlib import Path

from gesture_training.evaluation.motion_code import (
    CODE_DIM,
    cut_windows,
    MotionEncoder,
    PATH,
    WINDOW_FRAMES,
)
from gesture_training.evaluation.train_motion_code import AutoEncoder, normalised, train, write
from gesture_training.exceptions import TrainingError
import numpy as np
import pytest
import torch

from gesture_node.measures.frechet import Cloud, frechet_distance
from gesture_node.motion.skeleton import POSE_DIM, project_pose, rest_pose


def motions(count: int, speed: float = 1.0, seed: int = 0) -> np.ndarray:
    """Return windows of poses that swing about the rest pose."""
    random = np.random.default_rng(seed)
    time = np.arange(WINDOW_FRAMES) / 25
    phase, size = random.uniform(0, 6.28, (2, count, 1, POSE_DIM))
    swing = 0.05 * size * np.sin(2 * np.pi * speed * time[None, :, None] + phase)
    return np.asarray(project_pose(rest_pose() + swing))


def test_numpy_equals_torch_and_people_are_the_unit(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network, mean = AutoEncoder().eval(), rest_pose()
    scale, windows = np.linspace(0.5, 2.0, POSE_DIM), motions(60)
    write(tmp_path / 'encoder.npz', network, mean, scale, windows)
    with torch.no_grad():
        plain = network.encode(normalised(windows, mean, scale)).numpy().astype(np.float64)
        assert network(normalised(windows, mean, scale)).shape == windows.shape
    codes = MotionEncoder.load(tmp_path / 'encoder.npz')(windows)
    assert codes.shape == (60, CODE_DIM)
    assert np.allclose(codes.mean(axis=0), 0.0, atol=1e-3)
    assert np.allclose(np.cov(codes, rowvar=False), np.eye(CODE_DIM), atol=5e-3)
    # Nothing but a turn and a scale lies between: each follows from the other, linearly.
    centred = plain - plain.mean(axis=0)
    given_back = codes @ np.linalg.lstsq(codes, centred, rcond=None)[0]
    assert np.allclose(given_back, centred, atol=1e-3 * np.abs(centred).max())


def test_training_learns_and_repeats() -> None:
    # Motion of a few shapes, as people's is.
    shapes = motions(3)
    windows = np.concatenate([shapes * share + shapes[::-1] * (1.0 - share)
                              for share in np.linspace(0.0, 1.0, 10)])
    network, mean, scale = train(windows, steps=20)
    again, _, _ = train(windows, steps=20)
    motion = normalised(windows, mean, scale)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters()))
    with torch.no_grad():
        untrained, _, _ = train(windows, steps=0)
        assert (network(motion) - motion).square().mean() < 0.9 * (
            untrained(motion) - motion).square().mean()


def test_what_ships_tells_motions_apart() -> None:
    assert PATH.stat().st_size < 1_000_000
    encoder = MotionEncoder.load()
    slow, same, fast = (encoder(motions(80, speed, seed)) for speed, seed in (
        (0.5, 0), (0.5, 1), (2.0, 2)))
    still = encoder(np.repeat(rest_pose()[None, None], 80, axis=0).repeat(WINDOW_FRAMES, axis=1))
    reference = Cloud.of(slow)
    near, far, dead = (frechet_distance(reference, Cloud.of(codes))
                       for codes in (same, fast, still))
    assert np.isfinite(slow).all() and near < 0.5 * far and near < 0.5 * dead


def test_windows_are_cut_with_a_stride() -> None:
    poses = np.arange(100.0)[:, None] * np.ones(POSE_DIM)
    windows = cut_windows(poses, 10)
    assert windows.shape == (5, WINDOW_FRAMES, POSE_DIM)
    assert (windows[2] == poses[20:20 + WINDOW_FRAMES]).all()
    assert cut_windows(poses[:59], 10).shape == (0, WINDOW_FRAMES, POSE_DIM)
    assert MotionEncoder.load()(cut_windows(poses[:59], 10)).shape == (0, CODE_DIM)


def test_a_file_that_is_no_encoder_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / 'other.npz', weights=np.zeros(3))
    for path in (tmp_path / 'other.npz', tmp_path / 'none.npz'):
        with pytest.raises(TrainingError, match=f'{path.name} is no motion encoder'):
            MotionEncoder.load(path)
