"""WavLM front end on small random weights: time, windows, export, corpora, bundle and stream."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
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
from gesture_training.exceptions import TrainingError  # noqa: E402
from gesture_training.export import export_bundle, model_of_run, with_front_end  # noqa: E402
from gesture_training.front_end import read_front_end  # noqa: E402
from gesture_training.liveliness import measure_liveliness  # noqa: E402
from gesture_training.networks.wavlm import load_wavlm, WavLMFrontEnd  # noqa: E402
from gesture_training.wavlm_export import (  # noqa: E402
    compare_contexts,
    difference,
    export_front_end,
    onnx_network,
    PARITY_TOLERANCE,
    torch_network,
)

from gesture_node.audio.block_features import BlockGrid, waveform_block_features  # noqa: E402
from gesture_node.bundle import read_bundle  # noqa: E402
from gesture_node.cli import gesture_from_file  # noqa: E402
from gesture_node.exceptions import BundleError  # noqa: E402
from gesture_node.motion.face import BLENDSHAPE_INDEX  # noqa: E402
from gesture_node.motion.skeleton import rest_pose  # noqa: E402
from gesture_node.pipeline import GesturePipeline  # noqa: E402

GRID = BlockGrid(block_frames=10, context_frames=50, statistics_frames=100)
CONTEXT_TOLERANCE = 0.05
"""Mean error of features with 1 s of context and 2 s of statistics, in deviations."""
_SIZES = {'hidden_size': 24, 'num_hidden_layers': 2, 'num_attention_heads': 2,
          'intermediate_size': 48, 'conv_dim': (12,) * 7, 'num_conv_pos_embeddings': 16,
          'num_conv_pos_embedding_groups': 4, 'num_buckets': 32, 'max_bucket_distance': 80}


def _model(**more: object) -> transformers.WavLMModel:
    torch.manual_seed(3)
    return transformers.WavLMModel(transformers.WavLMConfig(**(_SIZES | more))).eval()


@pytest.fixture(scope='module')
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small WavLM with random weights, of the Base kind."""
    folder = tmp_path_factory.mktemp('tiny-wavlm')
    _model().save_pretrained(folder)
    return folder


@pytest.fixture(scope='module')
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of one of the Large kind, with its preprocessor."""
    folder = tmp_path_factory.mktemp('tiny-wavlm-large')
    _model(feat_extract_norm='layer', do_stable_layer_norm=True).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder


def _speech(seconds: float, seed: int = 0) -> np.ndarray:
    """Return bursts of a buzzing voice with noise, of random loudness."""
    random = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * 16_000)) / 16_000
    pitch_hz = 120 + 40 * np.sin(2.2 * time_s + seed)
    voice = sum(np.sin(k * 2 * np.pi * np.cumsum(pitch_hz) / 16_000) / k for k in range(1, 8))
    loud = np.interp(time_s, np.arange(0, seconds + 0.2, 0.2),
                     random.random(len(np.arange(0, seconds + 0.2, 0.2))) ** 2)
    noise = random.standard_normal(len(time_s))
    return (loud * (0.1 * voice + 0.02 * noise) + 1e-3 * noise).astype(np.float32)


@pytest.mark.parametrize('kind', ['saved', 'large'])
def test_it_gives_what_the_model_gives(kind: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind)
    wave = torch.from_numpy(_speech(0.5))[None]
    if kind == 'large':
        extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(folder)
        heard = torch.from_numpy(extractor(wave[0].numpy(), sampling_rate=16_000).input_values[0])
    else:
        heard = wave[0]
    said = transformers.WavLMModel.from_pretrained(folder)(heard[None], output_hidden_states=True)
    assert torch.allclose(load_wavlm(str(folder))(wave), said.last_hidden_state, atol=1e-4)
    assert torch.allclose(load_wavlm(str(folder), 1)(wave), said.hidden_states[1], atol=1e-4)


def test_twenty_seconds_are_a_thousand_frames_each_of_its_own_time(saved: Path) -> None:
    front_end = load_wavlm(str(saved))
    assert front_end.receptive_samples == 400
    convolutions = front_end.convolutions
    # The model by itself: 999 frames, the first one centred at sample 200.
    assert convolutions(torch.zeros(1, 320_000)).shape[2] == 999
    # A click, seen before anything looks at more than one frame: in the windows of the runtime
    # frame k sees the 400 samples that end with its own 320, and no others.
    convolutions.conv_layers[0].layer_norm = torch.nn.Identity()
    grid = BlockGrid(5, 10, receptive_samples=front_end.receptive_samples)

    def network(waveform: np.ndarray) -> np.ndarray:
        return convolutions(torch.from_numpy(waveform[None]))[0].T.detach().numpy()

    assert waveform_block_features(np.zeros(320_000, np.float32), network, 12, grid).shape == (
        1000, 12)
    silent = waveform_block_features(np.zeros(320 * 40, np.float32), network, 12, grid)
    for sample in (320 * 20 + 5, 320 * 20 + 235, 320 * 20 + 245, 320 * 21 - 2):
        wave = np.zeros(320 * 40, np.float32)
        wave[sample - 2:sample + 3] = 1.0
        moved = np.abs(waveform_block_features(wave, network, 12, grid) - silent).sum(axis=1)
        frames = np.flatnonzero(moved > 1e-6 * moved.max())
        centres = 320 * frames + 120
        assert (np.abs(centres - sample) < 200 + 3).all() and 20 in frames


@pytest.mark.parametrize('kind', ['saved', 'large'])
def test_onnx_equals_torch_in_windows_of_every_length(kind: str, tmp_path: Path,
                                                      request: pytest.FixtureRequest) -> None:
    front_end = load_wavlm(str(request.getfixturevalue(kind)))
    record = export_front_end(front_end, GRID, tmp_path, {'source': 'random'})
    wave = _speech(2.3)
    one, other = (waveform_block_features(wave, network, record.dim, GRID) for network in (
        torch_network(front_end, GRID), onnx_network(tmp_path / 'frontend.onnx')))
    assert one.shape == (115, 24) and np.isfinite(one).all()
    assert difference(other, one).largest < PARITY_TOLERANCE
    found = read_front_end(tmp_path)
    assert (found.grid, found.dim, found.sha256) == (GRID, 24, record.sha256)
    assert found.origin == {'source': 'random', 'layer': 2, 'normalised_waveform': kind == 'large'}
    assert np.allclose(found.silence, record.silence, atol=1e-6)
    assert len(other) == len(one) and np.abs(found.silence).max() > 0


@pytest.mark.parametrize('kind', ['saved', 'large'])
def test_more_context_is_nearer_to_all_of_the_past(kind: str,
                                                   request: pytest.FixtureRequest) -> None:
    front_end = load_wavlm(str(request.getfixturevalue(kind)))
    found = compare_contexts(front_end, _speech(3.4), GRID, [0, 10, 50])
    past = [of_past.mean for of_past, _ in found.values()]
    assert past[0] > 2 * past[1] > 2 * past[2]
    assert past[2] < CONTEXT_TOLERANCE
    ahead = compare_contexts(front_end, _speech(3.4), replace(GRID, lookahead_frames=10), [50])
    assert ahead[50][1].mean < 0.5 * found[50][1].mean


def test_levels_are_measured_over_the_statistics(saved: Path) -> None:
    front_end = load_wavlm(str(saved))
    wave = torch.from_numpy(_speech(3.4))[None]
    everything, window = front_end(wave), front_end(wave, 40)
    assert window.shape == (1, 40, 24)
    entrances: list[torch.Tensor] = []
    front_end.convolutions.conv_layers[1].register_forward_pre_hook(
        lambda _, inputs: entrances.append(inputs[0]))
    front_end(wave)
    front_end(wave, 40)
    first = front_end.convolutions.conv_layers[0]
    assert torch.allclose(entrances[0], first(wave[:, None]), atol=1e-5)
    count = entrances[1].shape[2]
    assert count == 64 * 40 + 15
    assert torch.allclose(entrances[1], entrances[0][..., -count:], atol=1e-5)
    assert not torch.allclose(window, everything[:, -40:], atol=1e-3)


def test_a_pause_longer_than_a_window_is_not_blown_up(large: Path) -> None:
    front_end = load_wavlm(str(large))
    quiet = torch.from_numpy(_speech(0.5))[None] * 0.0 + 1e-5 * torch.randn(1, 8_000)
    heard: list[torch.Tensor] = []
    front_end.convolutions.conv_layers[0].register_forward_pre_hook(
        lambda _, inputs: heard.append(inputs[0]))
    front_end(quiet)
    front_end(torch.from_numpy(_speech(0.5))[None])
    assert float(heard[0].std()) < 0.01 and float(heard[1].std()) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(('more', 'layer', 'message'), [
    ({}, 3, r'layer must be in \[1, 2\], got 3'),
    ({'conv_stride': (5, 2, 2, 2, 2, 2, 1)}, None, 'a frame every 160 samples'),
    ({'add_adapter': True}, None, 'adapter')])
def test_a_model_that_does_not_fit_is_named(more: dict[str, object], layer: int | None,
                                            message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        WavLMFrontEnd(_model(**more), layer, normalise=False)


def test_a_folder_that_holds_no_wavlm_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match='cannot load WavLM'):
        load_wavlm(str(tmp_path))
    (tmp_path / 'config.json').write_text('{"model_type": "hubert"}', encoding='utf-8')
    with pytest.raises(TrainingError, match="type 'hubert', not wavlm"):
        load_wavlm(str(tmp_path))


# From here on: one small corpus, from waveforms to gestures.


@pytest.fixture(scope='module')
def sounding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a corpus that kept its waveforms; motion follows the loudness."""
    from gesture_node.audio.features import waveform_features

    folder = tmp_path_factory.mktemp('sounding')
    for channel in ('body', 'face'):
        writer = PackWriter(folder, channel, keep_waveforms=True)
        for number in range(3):
            wave = _speech(5.0 + 0.02 * number, number)[:320 * 250]
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
    wave = _speech(1.5, 5)
    whole = _gestures(pipeline, [wave])
    cut = _gestures(pipeline, np.split(wave, [7, 3_000, 3_001, 9_999, 16_000]))
    for one, other in zip(whole, cut):
        assert np.array_equal(one, other) and np.isfinite(one).all()
    assert not np.array_equal(whole[1], _gestures(pipeline, [_speech(1.5, 6)])[1])


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
    one, other = (pipeline.persona_of(_speech(2.0, seed), 16_000) for seed in (1, 2))
    assert np.isfinite(one).all() and not np.allclose(one, other)


def test_a_file_becomes_gestures(bundle: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / 'in.wav', _speech(1.0), 16_000)
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
    soundfile.write(tmp_path / 'in.wav', _speech(4.0), 16_000)
    assert wavlm_export.main(['--wavlm', str(saved), '--compare', str(tmp_path / 'in.wav')]) == 0
    assert len(capsys.readouterr().out.strip().splitlines()) == 5
    assert wavlm_export.main(['--wavlm', str(saved), '--block', '0']) == 1
    assert 'block_frames must be at least 1' in capsys.readouterr().err
