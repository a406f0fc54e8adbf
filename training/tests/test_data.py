"""Windows lie where they say: shapes, masks, alignment and repeatability."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from gesture_training.config import load_config, TrainingConfig, WindowConfig  # noqa: E402
from gesture_training.corpora.pack import PackWriter, read_pack  # noqa: E402
from gesture_training.data import WindowSampler  # noqa: E402
from gesture_training.exceptions import TrainingError  # noqa: E402

_PLAIN = WindowConfig(gain_db=0.0, tilt_db=0.0, seed_noise_share=0.0, drop_share=0.0)
_DIMS = {'body': 84, 'face': 52}


@pytest.fixture(scope='module')
def counting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a pack in which every number tells the time of its frame."""
    folder = tmp_path_factory.mktemp('counting')
    for channel, ratio in (('body', 2), ('face', 1)):
        writer = PackWriter(folder, channel)
        for number in range(3):
            count = 500 + 40 * number
            time = np.arange(count)
            features = np.repeat(time[:, None] / 50.0, 83, axis=1)
            motion = np.repeat(time[::ratio, None] / 50.0, _DIMS[channel], axis=1)
            writer.add(features, motion, name=str(number), source='count', speaker='s',
                       split='train', licence='CC0-1.0', phones=(time // 8).astype(np.uint8))
        writer.write()
    return folder


def _sampler(folder: Path, channel: str, config: TrainingConfig) -> WindowSampler:
    dim = _DIMS[channel]
    return WindowSampler(read_pack(folder, channel), channel, config,
                         np.zeros(dim, np.float32), np.ones(dim, np.float32))


def _config(tiny: Path, windows: WindowConfig = _PLAIN) -> TrainingConfig:
    config = load_config(tiny)
    return replace(config, windows=windows, body=replace(config.body, batch=64),
                   face=replace(config.face, batch=64))


@pytest.mark.parametrize('channel', ['body', 'face'])
def test_speech_and_motion_of_a_window_are_of_the_same_time(counting: Path, tiny_config: Path,
                                                           channel: str) -> None:
    config = _config(tiny_config)
    batch = _sampler(counting, channel, config).draw(0, 0)
    context, ratio = config.encoder.context_frames, 2 if channel == 'body' else 1
    heard = batch.heard[:, context:][:, ::ratio] > 0
    speech = batch.features[:, context:, 82][:, ::ratio]
    both = heard & (batch.valid > 0)
    assert both.sum() > 500
    assert torch.allclose(speech[both], batch.motion[..., 0][both], atol=0.01)


@pytest.mark.parametrize('channel', ['body', 'face'])
def test_masks_are_prefixes_and_hearing_reaches_beyond_them(counting: Path, tiny_config: Path,
                                                           channel: str) -> None:
    config = _config(tiny_config)
    sizes = config.body if channel == 'body' else config.face
    context, ratio = config.encoder.context_frames, 2 if channel == 'body' else 1
    sampler = _sampler(counting, channel, config)
    prefixes: set[int] = set()
    for step in range(4):
        batch = sampler.draw(0, step)
        assert batch.features.shape[1] == context + ratio * sizes.window_frames
        assert (batch.mask.diff(dim=1) <= 0).all()
        prefix = batch.mask.sum(dim=1).int()
        prefixes |= set(prefix.tolist())
        last_heard = (batch.heard * torch.arange(batch.heard.shape[1])).amax(dim=1) - context
        complete = batch.valid.all(dim=1)
        assert (last_heard[complete] >= ratio * (prefix[complete] + 2) - 1).all()
        assert torch.equal(batch.seed, batch.motion * batch.mask[..., None])
    assert min(prefixes) < sizes.seed_frames == max(prefixes)


def test_history_ends_where_hearing_ends(counting: Path, tiny_config: Path) -> None:
    batch = _sampler(counting, 'face', _config(tiny_config)).draw(0, 0)
    for row in range(len(batch.features)):
        heard = batch.heard[row] > 0
        if bool(heard[:-1].any()) and bool(batch.history_heard[row, -1] > 0):
            last = batch.features[row, heard.nonzero().max(), 82]
            assert float(last) == pytest.approx(float(batch.history[row, -1, 82]), abs=1e-6)


def test_before_the_start_nothing_is_heard_and_motion_is_held(counting: Path,
                                                              tiny_config: Path) -> None:
    windows = replace(_PLAIN, before_start_share=1.0)
    config = _config(tiny_config, windows)
    batch = _sampler(counting, 'body', config).draw(0, 0)
    context = config.encoder.context_frames
    assert (batch.heard[:, :context] == 0).all()
    early = batch.heard[:, context] == 0
    assert early.sum() > 32
    assert (batch.motion[early, 0] == 0).all() and (batch.valid[early, 0] == 1).all()


def test_phones_are_known_only_where_heard(counting: Path, tiny_config: Path) -> None:
    batch = _sampler(counting, 'face', _config(tiny_config)).draw(0, 1)
    heard = batch.heard > 0
    assert (batch.phones[~heard] == 255).all()
    frame = (batch.features[..., 82] * 50.0).round().long()
    assert torch.equal(batch.phones[heard], (frame // 8)[heard])


def test_a_batch_follows_from_seed_and_step(counting: Path, tiny_config: Path) -> None:
    sampler = _sampler(counting, 'face', _config(tiny_config, WindowConfig()))
    one, same, other = sampler.draw(3, 9), sampler.draw(3, 9), sampler.draw(3, 10)
    assert torch.equal(one.features, same.features) and torch.equal(one.seed, same.seed)
    assert not torch.equal(one.features, other.features)


def test_gain_changes_the_mel_bands_and_not_the_pitch(corpus: Path, tiny_config: Path) -> None:
    loud = _config(tiny_config, replace(_PLAIN, gain_db=6.0, tilt_db=3.0))
    plain, changed = (_sampler(corpus, 'face', config).draw(0, 0)
                      for config in (_config(tiny_config), loud))
    assert torch.equal(plain.features[..., 81:], changed.features[..., 81:])
    assert (plain.features[..., :80] - changed.features[..., :80]).abs().max() > 0.5
    assert torch.isfinite(changed.features).all()


def test_held_out_takes_are_never_drawn(corpus: Path, tiny_config: Path) -> None:
    pack = read_pack(corpus, 'face')
    held_out = next(take for take in pack.takes if take.split == 'held_out')
    rows = pack.motion[held_out.first_frame:held_out.first_frame + held_out.frames, 17]
    only_there = set(np.unique(rows)) - {
        value for take in pack.takes if take.split == 'train'
        for value in np.unique(pack.motion[take.first_frame:take.first_frame + take.frames, 17])}
    batch = _sampler(corpus, 'face', _config(tiny_config)).draw(0, 0)
    assert only_there
    assert not only_there & set(np.unique(batch.motion[..., 17].numpy().astype(np.float16)))


def test_a_corpus_of_crumbs_is_refused(tmp_path: Path, tiny_config: Path) -> None:
    writer = PackWriter(tmp_path, 'face')
    writer.add(np.zeros((10, 83)), np.zeros((10, 52)), name='a', source='s', speaker='s',
               split='train', licence='CC0-1.0')
    writer.write()
    with pytest.raises(TrainingError, match='no train take of at least 32 frames'):
        _sampler(tmp_path, 'face', _config(tiny_config))
