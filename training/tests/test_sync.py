"""The synchrony network: learns a tiny problem, fails where there is nothing to learn, ships."""
from __future__ import annotations

import json
from pathlib import Path
import shutil

import numpy as np
import pytest
import yaml

torch = pytest.importorskip('torch')
pytest.importorskip('onnxruntime')

from gesture_training import sync_train  # noqa: E402
from gesture_training.corpora.pack import PackWriter, read_pack  # noqa: E402
from gesture_training.evaluation.sync import evaluate_sync, sync_figures  # noqa: E402
from gesture_training.exceptions import TrainingError  # noqa: E402
from gesture_training.networks.sync import level_free, SyncNetwork  # noqa: E402
from gesture_training.sync_config import load_sync_config, SyncConfig  # noqa: E402
from gesture_training.sync_data import (  # noqa: E402
    clips_of,
    coloured,
    disturbed,
    spread_places,
    SyncSampler,
)
from gesture_training.sync_export import export_sync, parity_error, PARITY_TOLERANCE  # noqa: E402
from gesture_training.sync_train import SyncTrainer  # noqa: E402

from gesture_node.bundle import read_bundle  # noqa: E402
from gesture_node.exceptions import BundleError, ConfigError  # noqa: E402
from gesture_node.measures.sync_score import Embeddings, holds_speech  # noqa: E402
from gesture_node.motion.face import BLENDSHAPE_INDEX, LIP_INDEX, UPPER_INDEX  # noqa: E402

ROOT = Path(__file__).parents[2]
TINY = ROOT / 'test' / 'data' / 'tiny_bundle'
SMALL = SyncConfig(width=12, embedding=16, segments=10, positions=5, warm_up_steps=5,
                   learning_rate=5e-3)
STEPS = 40


def _wander(random: np.random.Generator, frames: int) -> np.ndarray:
    """Return (frames, 2) numbers in [0, 1] that change about as fast as a mouth does."""
    rough = random.standard_normal((frames + 8, 2))
    smooth = sum(rough[n:n + frames] for n in range(8)) / 8 ** 0.5
    return np.clip(0.5 + 0.4 * smooth, 0.0, 1.0)


def _pack(folder: Path, related: bool) -> Path:
    """Write speech of two bands and a mouth that follows them, or follows something else."""
    random, writer = np.random.default_rng(1), PackWriter(folder, 'face')
    for number in range(8):
        drive = _wander(random, 450)
        features = -9.0 + 0.3 * random.standard_normal((450, 83))
        features[:, :40] += 6.0 * drive[:, :1]
        features[:, 40:80] += 6.0 * drive[:, 1:]
        features[:, 82] = 0.9
        mouth = drive if related else _wander(random, 450)
        weights = np.zeros((450, 52))
        weights[:, BLENDSHAPE_INDEX['jawOpen']] = 0.7 * mouth[:, 0]
        weights[:, BLENDSHAPE_INDEX['mouthPucker']] = 0.7 * mouth[:, 1]
        writer.add(features, weights, name=f'take{number}', source='synthetic',
                   speaker=f's{number}', split='held_out' if number >= 6 else 'train',
                   licence='CC0-1.0')
    return writer.write()


@pytest.fixture(scope='module')
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _pack(tmp_path_factory.mktemp('related'), related=True)


@pytest.fixture(scope='module')
def trained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run folder made by the command line."""
    out = tmp_path_factory.mktemp('run')
    config = out / 'small.yaml'
    config.write_text(yaml.safe_dump({name: getattr(SMALL, name) for name in (
        'width', 'embedding', 'segments', 'positions', 'warm_up_steps', 'learning_rate')}))
    assert sync_train.main(['--corpus', str(corpus), '--out', str(out), '--config', str(config),
                            '--steps', str(STEPS)]) == 0
    return out


def test_it_hears_what_belongs_together_in_speakers_it_never_saw(trained: Path,
                                                                 corpus: Path) -> None:
    clips = clips_of(read_pack(corpus, 'face'), 'held_out', 3.0)
    found = evaluate_sync(trained / 'sync.onnx', clips)
    assert found['clips'] == 6 and found['windows'] > 6 * 90
    matched, shifted, shuffled = (found[key] for key in ('matched', 'shifted', 'shuffled'))
    assert matched['within_one_frame'] >= 0.8 and abs(matched['offset_s']) <= 0.02
    assert shifted['within_one_frame'] >= 0.8 and shifted['offset_s'] == pytest.approx(
        0.2, abs=0.021)
    assert matched['confidence'] > 2.0 * shuffled['confidence']
    assert matched['beats_shifted'] >= 0.8 and shuffled['matched_beats_shuffled'] >= 0.8
    assert shifted['confidence_at_zero'] < 0.5 * matched['confidence']


def test_it_finds_nothing_where_there_is_nothing(tmp_path: Path) -> None:
    """The same network and training on a mouth that follows something else than the sound."""
    pack = read_pack(_pack(tmp_path, related=False), 'face')
    trainer = SyncTrainer(SMALL, pack)
    for step in range(STEPS):
        trainer.advance(step / STEPS)
    path = export_sync(trainer.network, tmp_path / 'sync.onnx')
    found = evaluate_sync(path, clips_of(pack, 'held_out', 3.0))
    assert found['matched']['within_one_frame'] < 0.6
    assert found['matched']['confidence'] < 2.0 * found['shuffled']['confidence']


def test_a_run_says_what_it_is(trained: Path) -> None:
    statement = json.loads((trained / 'sync.json').read_text())
    assert statement['steps'] == STEPS and statement['corpus']['takes'] == 6
    assert statement['corpus']['licences'] == ['synthetic: CC0-1.0']
    assert statement['metrics']['clean']['clips'] == 4
    assert set(torch.load(trained / 'sync.pt', weights_only=True)) == set(
        SyncNetwork(SMALL).state_dict())


def test_the_shipped_sizes_are_small() -> None:
    for path in (None, ROOT / 'training' / 'config' / 'sync.yaml'):
        network = SyncNetwork(load_sync_config(path))
        assert sum(p.numel() for p in network.parameters()) < 400_000


def test_a_network_too_large_is_refused(corpus: Path) -> None:
    with pytest.raises(TrainingError, match='parameters, allowed are 400000'):
        SyncTrainer(SyncConfig(width=256), read_pack(corpus, 'face'))


def test_loudness_and_upper_face_change_nothing() -> None:
    network = SyncNetwork(SMALL).eval()
    features = torch.randn(3, 15, 83) - 6.0
    face = torch.rand(3, 15, 52)
    sound, lips = network(features, face)
    louder = features.clone()
    louder[..., :81] += 2.0
    other = face.clone()
    other[..., torch.from_numpy(UPPER_INDEX)] = 0.5
    again, same = network(louder, other)
    assert torch.allclose(sound, again, atol=1e-5) and torch.equal(lips, same)
    other[..., int(LIP_INDEX[3])] += 0.3
    assert not torch.allclose(lips, network(features, other)[1], atol=1e-5)
    assert torch.allclose(sound.norm(dim=1), torch.ones(3)) and level_free(features).shape[2] == 82


def test_silence_is_not_lifted_to_the_level_of_speech() -> None:
    silence = torch.full((1, 15, 83), -13.8)
    assert (level_free(silence)[..., :81] < -2.5).all()


def test_onnx_equals_torch(tmp_path: Path) -> None:
    network = SyncNetwork(SyncConfig(width=8, window_frames=11))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    path = export_sync(network, tmp_path / 'sync.onnx')
    assert parity_error(network, path) < PARITY_TOLERANCE
    with torch.no_grad():
        network.lips.project.weight += 0.1
    assert parity_error(network, path) > PARITY_TOLERANCE


def test_windows_of_a_segment_are_40_to_400_ms_apart() -> None:
    places = spread_places(np.random.default_rng(0), 500, 6)
    gaps = np.diff(places, axis=1)
    assert gaps.min() == 2 and places.min() == 0 and places.max() == 20
    assert set(places.ravel()) == set(range(21))


def test_rows_of_a_batch_belong_together(corpus: Path) -> None:
    plain = SyncConfig(segments=6, positions=4, gain_db=0.0, tilt_db=0.0, lip_gain=0.0,
                       lip_noise=0.0, lip_drop_share=0.0)
    sampler = SyncSampler(read_pack(corpus, 'face'), plain)
    batch, again, other = sampler.draw(3), sampler.draw(3), sampler.draw(4)
    assert torch.equal(batch.features, again.features) and torch.equal(batch.face, again.face)
    assert not torch.equal(batch.face, other.face)
    assert batch.features.shape == (24, 15, 83) and batch.face.shape == (24, 15, 52)
    loud = batch.features[..., :40].mean(dim=-1).flatten()
    jaw = batch.face[..., BLENDSHAPE_INDEX['jawOpen']].flatten()
    assert torch.corrcoef(torch.stack([loud, jaw]))[0, 1] > 0.9
    late = torch.corrcoef(torch.stack([loud, jaw.roll(15 * 7)]))[0, 1]
    assert late < 0.6


def test_disturbances_keep_time_and_range() -> None:
    random, config = np.random.default_rng(0), SyncConfig(lip_drop_share=0.0)
    face = np.zeros((4, 35, 52), np.float32)
    face[:, 17] = 0.6
    moved = disturbed(face, random, config)
    assert (moved.sum(axis=2).argmax(axis=1) == 17).all()
    assert moved.min() >= 0.0 and moved.max() <= 1.0 and not np.array_equal(moved, face)
    features = np.full((4, 35, 83), -8.0, np.float32)
    louder = coloured(features, random, config)
    assert np.array_equal(louder[..., 81:], features[..., 81:])
    assert np.ptp(louder[..., :81], axis=1).max() < 1e-5 < np.ptp(louder[:, 0, :80], axis=1).min()


def test_takes_are_cut_into_whole_clips(corpus: Path) -> None:
    pack = read_pack(corpus, 'face')
    assert [len(f) for f, _ in clips_of(pack, 'held_out', 4.0)] == [200] * 4
    assert [len(w) for _, w in clips_of(pack, 'held_out')] == [450] * 2
    assert clips_of(pack, 'held_out', variant='augmented') == []


def test_speech_is_needed_to_learn_and_to_measure(corpus: Path, tmp_path: Path) -> None:
    writer = PackWriter(tmp_path, 'face')
    writer.add(np.full((300, 83), -13.0), np.zeros((300, 52)), name='hush', source='none',
               speaker='x', split='train', licence='CC0-1.0')
    with pytest.raises(TrainingError, match='holds no train take .* with speech'):
        SyncSampler(read_pack(writer.write(), 'face'), SMALL)

    class Unused:
        window_frames = 5

        def embed(self, features: np.ndarray, weights: np.ndarray) -> Embeddings:
            speech = holds_speech(features, 5)
            return Embeddings(*np.ones((2, len(speech), 2), np.float32), speech)

    found = sync_figures(Unused(), [(np.full((300, 83), -13.0), np.zeros((300, 52)))])
    assert found['clips'] == 0 and np.isnan(found['matched']['confidence'])


def test_a_bundle_takes_the_network_and_its_hash_changes(trained: Path, tmp_path: Path,
                                                         capsys: pytest.CaptureFixture[str],
                                                         ) -> None:
    folder = Path(shutil.copytree(TINY, tmp_path / 'bundle'))
    with pytest.raises(TrainingError, match='has no sync.onnx; add one with'):
        evaluate_sync(folder, [])
    before, plain = read_bundle(folder), yaml.safe_load((folder / 'bundle.yaml').read_text())
    arguments = ['--export', str(trained), '--bundle', str(folder)]
    assert sync_train.main(arguments) == 0
    after = read_bundle(folder)
    assert before.sync is None and after.sync == folder / 'sync.onnx'
    assert after.hash != before.hash and after.hash in capsys.readouterr().out
    data = yaml.safe_load((folder / 'bundle.yaml').read_text())
    assert data.pop('sync')['steps'] == STEPS and len(data['files'].pop('sync.onnx')) == 64
    assert data == plain
    text = (folder / 'bundle.yaml').read_bytes()
    assert sync_train.main(arguments) == 0 and read_bundle(folder).hash == after.hash
    assert (folder / 'bundle.yaml').read_bytes() == text
    assert evaluate_sync(folder, [])['clips'] == 0 == evaluate_sync(after, [])['clips']
    (folder / 'sync.onnx').write_bytes(b'')
    with pytest.raises(BundleError, match='sync.onnx is truncated or altered'):
        read_bundle(folder)


def test_mistakes_get_one_sentence(corpus: Path, tmp_path: Path,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    def told(*arguments: str) -> str:
        assert sync_train.main([*arguments]) != 0
        return capsys.readouterr().err

    assert 'holds no face_takes.json' in told('--corpus', str(tmp_path), '--steps', '1')
    assert 'give --steps or --minutes' in told('--corpus', str(corpus))
    assert 'has no sync.onnx; train it first' in told('--export', str(tmp_path))
    assert 'does not exist' in told('--config', str(tmp_path / 'no.yaml'), '--steps', '1')
    (tmp_path / 'wrong.yaml').write_text('widht: 3\n')
    with pytest.raises(ConfigError, match='widht'):
        load_sync_config(tmp_path / 'wrong.yaml')


def test_a_loss_that_is_not_finite_stops_with_a_reason(corpus: Path) -> None:
    trainer = SyncTrainer(SMALL, read_pack(corpus, 'face'))
    with torch.no_grad():
        trainer.network.log_scale.fill_(float('nan'))
    with pytest.raises(TrainingError, match='unstable at step 0'):
        trainer.advance(0.0)
