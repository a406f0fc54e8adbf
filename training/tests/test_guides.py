"""Training windows are told the guides that a stream would know, with the arms as composed."""
from dataclasses import replace
from pathlib import Path

from gesture_training.config import TrainingConfig
from gesture_training.corpora.merge import merge_packs
from gesture_training.corpora.pack import PackWriter, read_pack
from gesture_training.data import WindowSampler
from gesture_training.export import guide_poses
from gesture_training.statistics import Statistics
import numpy as np
import pytest

from gesture_node.guides.cues import ARM_INDEX, AROUSAL, CONFIRMED_S, KNOWN
from gesture_node.measures.alignment import BEAT_LAG_S

FRAMES, APEX_S, AROUSED = 300, 6.0, 0.75
STATISTICS = Statistics.neutral()


def write(folder: Path, name: str, guided: bool = True) -> Path:
    rng = np.random.default_rng(len(name))
    writer = PackWriter(folder, 'body')
    guides = np.array([[3.0, 0.5, 0.0, *np.zeros(6)], [APEX_S, 0.8, 1.0, *np.full(6, 0.1)]])
    more = {'guides': guides, 'arousal': np.full(2 * FRAMES, AROUSED)} if guided else {}
    writer.add(rng.standard_normal((2 * FRAMES, 83)), rng.standard_normal((FRAMES, 84)),
               name=name, source='test', speaker='s', split='train', licence='none', **more)
    return writer.write()


def sampler(folder: Path, **windows: float) -> WindowSampler:
    config = TrainingConfig()
    config = replace(config, windows=replace(config.windows, **windows))
    return WindowSampler(read_pack(folder, 'body'), 'body', config, STATISTICS.body_mean,
                         STATISTICS.body_std)


def test_windows_that_hear_all_are_told_the_stroke_and_its_arms(tmp_path: Path) -> None:
    write(tmp_path, 'a')
    batch = sampler(tmp_path, full_heard_share=1.0).draw(0, 0)
    pack = read_pack(tmp_path, 'body')
    pose = (pack.motion[round(APEX_S * 25)].astype(np.float64) - STATISTICS.body_mean
            ) / STATISTICS.body_std
    cues = batch.cues.numpy()
    window, frame = np.unravel_index(cues[..., 0].argmax(), cues.shape[:2])
    assert cues[window, frame, 0] > 0.9
    told = cues[window, frame, 11:71] / cues[window, frame, 2]
    np.testing.assert_allclose(told, pose[ARM_INDEX], rtol=1e-3, atol=1e-3)
    assert (cues[..., KNOWN] == 1.0).all()
    assert cues[..., AROUSAL].mean() == pytest.approx(2.0 * AROUSED - 1.0, abs=0.1)


def test_a_stroke_is_told_once_its_accent_is_heard(tmp_path: Path) -> None:
    write(tmp_path, 'a')
    draws = sampler(tmp_path, full_heard_share=0.0)
    told = hidden = 0
    for step in range(12):
        batch = draws.draw(0, step)
        heard = batch.heard[:, 32:].numpy()
        bumps = batch.cues[..., 0].numpy()
        for window in range(len(heard)):
            end = int(np.flatnonzero(heard[window])[-1] + 1) / 2 if heard[window].any() else 0
            frame = int(bumps[window].argmax())
            if bumps[window, frame] > 0.99:
                told += 1
                assert frame <= end - (CONFIRMED_S - BEAT_LAG_S) * 25 + 1
            else:
                hidden += 1
    assert told > 5 and hidden > 5


def test_takes_without_guides_are_told_nothing(tmp_path: Path) -> None:
    write(tmp_path, 'a', guided=False)
    assert not sampler(tmp_path).draw(0, 0).cues.any()


def test_guides_keep_to_their_takes_when_packs_are_merged(tmp_path: Path) -> None:
    parts = [write(tmp_path / name, name, guided) for name, guided in
             (('one', True), ('two', False), ('three', True))]
    merge_packs(parts, tmp_path / 'all', 'body')
    pack = read_pack(tmp_path / 'all', 'body')
    assert pack.guides is not None and pack.guides[:, 0].tolist() == [0, 0, 2, 2]
    assert np.isnan(pack.arousal[2 * FRAMES:4 * FRAMES]).all()


def test_a_bundle_ships_apex_poses_of_strokes(tmp_path: Path) -> None:
    write(tmp_path, 'a')
    poses = guide_poses(read_pack(tmp_path, 'body'), STATISTICS)
    assert poses is not None and poses.shape == (1, 67)
    assert poses[0, 0] == pytest.approx(AROUSED)
    np.testing.assert_allclose(poses[0, 1:7], 0.1, atol=1e-3)
    write(tmp_path / 'none', 'b', guided=False)
    assert guide_poses(read_pack(tmp_path / 'none', 'body'), STATISTICS) is None
