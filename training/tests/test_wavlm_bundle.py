"""WavLM from waveforms to gestures: corpora, a run, its bundle, its stream."""
from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path
import shutil

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip('torch')
transformers = pytest.importorskip('transformers')

from gesture_training import train, wavlm_export, wavlm_features  # noqa: E402
from gesture_training.corpora.pack import PackWriter, read_pack  # noqa: E402
from gesture_training.export import export_bundle, model_of_run, with_front_end  # noqa: E402
from gesture_training.front_end import read_front_end  # noqa: E402
from gesture_training.liveliness import measure_liveliness  # noqa: E402
from wavlm_models import GRID, speech  # noqa: E402

from gesture_node.bundle import read_bundle  # noqa: E402
from gesture_node.cli import gesture_from_file  # noqa: E402
from gesture_node.exceptions import BundleError  # noqa: E402
from gesture_node.motion.face import BLENDSHAPE_INDEX  # noqa: E402
from gesture_node.motion.skeleton import rest_pose  # noqa: E402
from gesture_node.pipeline import GesturePipeline  # noqa: E402


@pytest.fixture(scope='module')
def sounding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a corpus that kept its waveforms; motion follows the loudness."""
    from gesture_node.audio.features import waveform_features

    folder = tmp_path_factory.mktemp('sounding')
    for channel in ('body', 'face'):
        writer = PackWriter(folder, channel, keep_waveforms=True)
        for number in range(3):
            wave = speech(5.0 + 0.02 * number, number)[:320 * 250]
            features = waveform_features(wave)
            loud = np.clip(features[:, 80:81] + 8.0, 0.0, None) * 0.1
            motion = rest_pose() + 0.1 * loud[::2]
            if channel == 'face':
                motion = np.zeros((len(features), 52))
                motion[:, BLENDSHAPE_INDEX['jawOpen']] = 0.5 * loud[:, 0]
            writer.add(features, motion, name=f'{channel}{number}', source='synthetic',
                       speaker=f's{number}', split='held_out' if number == 2 else 'train',
                       licence='CC0-1.0', waveform=wave)
        writer.write()
    return folder


@pytest.fixture(scope='module')
def converted(sounding: Path, saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return that corpus with WavLM features."""
    out = tmp_path_factory.mktemp('converted')
    assert wavlm_features.main([
        '--corpus', str(sounding), '--wavlm', str(saved), '--out', str(out), '--context', '1.0',
        '--statistics', '2.0', '--block', '0.2', '--device', 'cpu', '--batch', '3', '--licence',
        'CC0-1.0']) == 0
    return out


@pytest.fixture(scope='module')
def trained(converted: Path, tiny_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of a few steps on it."""
    out = tmp_path_factory.mktemp('wavlm-run')
    assert train.main(['--corpus', str(converted), '--out', str(out), '--config',
                       str(tiny_config), '--device', 'cpu', '--steps', '4']) == 0
    return out


@pytest.fixture(scope='module')
def bundle(trained: Path, converted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return its bundle."""
    model = with_front_end(model_of_run(trained, 'wavlm'), converted)
    return export_bundle(model, tmp_path_factory.mktemp('wavlm-bundle'))


@pytest.fixture(scope='module')
def pipeline(bundle: Path) -> Iterator[GesturePipeline]:
    """Return its pipeline."""
    yield GesturePipeline.from_bundle(bundle, provider='cpu', threads=1)


def test_a_corpus_is_converted_as_the_runtime_hears_it(sounding: Path, converted: Path,
                                                       pipeline: GesturePipeline) -> None:
    for channel in ('body', 'face'):
        mel, heard = read_pack(sounding, channel), read_pack(converted, channel)
        assert heard.features.shape == (750, 24) and mel.features.shape == (750, 83)
        assert heard.takes == mel.takes and np.array_equal(heard.motion, mel.motion)
        assert not (converted / f'{channel}_waveform.npy').exists()
        sound = np.load(sounding / f'{channel}_waveform.npy')[320 * 250:320 * 500] / 32_767.0
        source = pipeline.front_end()
        source.append(sound.astype(np.float32))
        streamed = source.get(0, 250)
        kept = heard.features[250:500].astype(np.float32)
        assert np.allclose(streamed, kept, atol=2e-3, rtol=2e-3)


def test_a_run_takes_its_width_and_its_front_end_from_the_corpus(trained: Path,
                                                                 converted: Path) -> None:
    model = with_front_end(model_of_run(trained, 'wavlm'), converted)
    assert model.config.encoder.feature_dim == 24
    assert model.networks.encoder.feature_mean.shape == (24,)
    said = model.statement['corpus']['face']['front_end']
    assert said['kind'] == 'wavlm' and said['licence'] == 'CC0-1.0' and said['layer'] == 2
    packs = {channel: read_pack(converted, channel) for channel in ('body', 'face')}
    found = measure_liveliness(model.config, model.networks, model.statistics, packs)
    assert np.isfinite(list(found.values())).all()


def test_its_bundle_says_how_it_hears(bundle: Path, saved: Path) -> None:
    read = read_bundle(bundle)
    assert read.encoder.kind == 'wavlm' and read.features.dim == 24
    assert read.features.grid == GRID
    assert (bundle / 'frontend.onnx').is_file()
    assert str(saved.parent) not in (bundle / 'bundle.yaml').read_text(encoding='utf-8')


def _gestures(pipeline: GesturePipeline, packets: list[np.ndarray]) -> list[np.ndarray]:
    stream = pipeline.create_stream()
    parts: dict[str, list[np.ndarray]] = {'body': [], 'face': []}
    for number in range(len(packets) + 1):
        if number < len(packets):
            stream.accept_waveform(packets[number], 16_000)
        else:
            stream.finish()
        while stream.is_ready():
            result = stream.step()
            assert result.heard is None
            if result.body is not None:
                parts['body'].append(result.body.poses[:result.body.committed])
            if result.face is not None:
                parts['face'].append(result.face.weights)
    assert stream.finished and stream.report.nan_count == 0
    return [np.concatenate(part) for part in parts.values()]


def test_packets_do_not_change_what_it_gestures(pipeline: GesturePipeline) -> None:
    wave = speech(1.5, 5)
    whole = _gestures(pipeline, [wave])
    cut = _gestures(pipeline, np.split(wave, [7, 3_000, 3_001, 9_999, 16_000]))
    for one, other in zip(whole, cut):
        assert np.array_equal(one, other) and np.isfinite(one).all()
    assert not np.array_equal(whole[1], _gestures(pipeline, [speech(1.5, 6)])[1])


def test_latency_tells_of_the_wait_for_a_block(pipeline: GesturePipeline) -> None:
    stream, silence = pipeline.create_stream(), np.zeros(320, np.float32)
    hop_s = stream.config.face.hop_s
    latest_s, arrived_s, committed_s = 0.0, 0.0, 0.0
    for _ in range(120):
        stream.accept_waveform(silence, 16_000)
        arrived_s += 0.02
        while stream.is_ready():
            if stream.step().face is not None:
                latest_s = max(latest_s, arrived_s - committed_s)
                committed_s += hop_s
    assert latest_s == pytest.approx(stream.face_latency_s, abs=1e-6)
    assert stream.face_latency_s > hop_s + stream.config.face.foresight_s


def test_a_style_can_be_taken_from_a_voice(pipeline: GesturePipeline) -> None:
    one, other = (pipeline.persona_of(speech(2.0, seed), 16_000) for seed in (1, 2))
    assert np.isfinite(one).all() and not np.allclose(one, other)


def test_a_file_becomes_gestures(bundle: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / 'in.wav', speech(1.0), 16_000)
    assert gesture_from_file.main([
        str(tmp_path / 'in.wav'), '--bundle', str(bundle), '--out', str(tmp_path / 'out'),
        '--provider', 'cpu', '--threads', '1']) == 0
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text(encoding='utf-8'))
    assert summary['bundle'] == 'wavlm' and summary['frames'] > 50


def test_a_bundle_whose_front_end_is_missing_or_of_another_size_is_refused(
        bundle: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / 'copy'))
    (copy / 'frontend.onnx').unlink()
    with pytest.raises(BundleError, match='frontend.onnx is missing'):
        read_bundle(copy)
    shutil.copy(bundle / 'frontend.onnx', copy)
    text = (copy / 'bundle.yaml').read_text(encoding='utf-8')
    (copy / 'bundle.yaml').write_text(text.replace('dim: 24', 'dim: 25', 1), encoding='utf-8')
    with pytest.raises(BundleError, match=r'not \(10, 25\)'):
        GesturePipeline.from_bundle(copy, provider='cpu', threads=1)
    (copy / 'bundle.yaml').write_text(text.replace('block_frames: 10', 'block_frames: 0', 1),
                                      encoding='utf-8')
    with pytest.raises(BundleError, match='features: block_frames must be at least 1'):
        read_bundle(copy)


def test_a_run_and_a_corpus_of_different_ears_are_refused(
        corpus: Path, converted: Path, trained: Path, tiny_config: Path, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    options = ['--out', str(tmp_path), '--config', str(tiny_config), '--device', 'cpu', '--steps',
               '1', '--weights', str(trained)]
    assert train.main(['--corpus', str(corpus), *options]) == 1
    assert 'has 83 numbers per feature frame, the run was trained with 24' in (
        capsys.readouterr().err)
    other = Path(shutil.copytree(converted, tmp_path / 'other'))
    record = (other / 'frontend.yaml').read_text(encoding='utf-8')
    sha = read_front_end(other).sha256
    (other / 'frontend.yaml').write_text(record.replace(sha, '0' * 64), encoding='utf-8')
    assert train.main(['--corpus', str(other), *options]) == 1
    assert 'trained with another front end' in capsys.readouterr().err


def test_a_corpus_without_sound_is_refused(corpus: Path, saved: Path, tmp_path: Path,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ['--corpus', str(corpus), '--wavlm', str(saved), '--device', 'cpu']
    assert wavlm_features.main([*arguments, '--out', str(tmp_path)]) == 1
    assert 'pack it again with --keep-waveforms' in capsys.readouterr().err
    np.save(tmp_path / 'face_waveform.npy', np.zeros(320, np.int16))
    for name in ('takes.json', 'features.npy', 'motion.npy'):
        shutil.copy(corpus / f'face_{name}', tmp_path)
    assert wavlm_features.main(['--corpus', str(tmp_path), '--wavlm', str(saved), '--out',
                                str(tmp_path / 'out')]) == 1
    assert 'holds 320 samples for 2400 feature frames' in capsys.readouterr().err
    assert wavlm_features.main([*arguments, '--out', str(corpus)]) == 1
    assert 'be another folder' in capsys.readouterr().err


def test_the_command_line_exports_and_compares(saved: Path, tmp_path: Path,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    assert wavlm_export.main(['--wavlm', str(saved), '--out', str(tmp_path), '--layer', '1']) == 0
    assert read_front_end(tmp_path).origin['layer'] == 1
    assert 'a block of 0.2 s takes' in capsys.readouterr().out
    soundfile.write(tmp_path / 'in.wav', speech(4.0), 16_000)
    assert wavlm_export.main(['--wavlm', str(saved), '--compare', str(tmp_path / 'in.wav')]) == 0
    assert len(capsys.readouterr().out.strip().splitlines()) == 5
    assert wavlm_export.main(['--wavlm', str(saved), '--block', '0']) == 1
    assert 'block_frames must be at least 1' in capsys.readouterr().err
