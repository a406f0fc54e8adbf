"""WavLM front end on small random weights: time, windows, export."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')
transformers = pytest.importorskip('transformers')

from gesture_training.exceptions import TrainingError  # noqa: E402
from gesture_training.front_end import read_front_end  # noqa: E402
from gesture_training.networks.wavlm import load_wavlm, WavLMFrontEnd  # noqa: E402
from gesture_training.wavlm_export import (  # noqa: E402
    compare_contexts,
    difference,
    export_front_end,
    onnx_network,
    PARITY_TOLERANCE,
    torch_network,
)
from wavlm_models import CONTEXT_TOLERANCE, GRID, speech, wavlm_model  # noqa: E402

from gesture_node.audio.block_features import BlockGrid, waveform_block_features  # noqa: E402


@pytest.mark.parametrize('kind', ['saved', 'large'])
def test_it_gives_what_the_model_gives(kind: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind)
    wave = torch.from_numpy(speech(0.5))[None]
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
    wave = speech(2.3)
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
    found = compare_contexts(front_end, speech(3.4), GRID, [0, 10, 50])
    past = [of_past.mean for of_past, _ in found.values()]
    assert past[0] > 2 * past[1] > 2 * past[2]
    assert past[2] < CONTEXT_TOLERANCE
    ahead = compare_contexts(front_end, speech(3.4), replace(GRID, lookahead_frames=10), [50])
    assert ahead[50][1].mean < 0.5 * found[50][1].mean


def test_levels_are_measured_over_the_statistics(saved: Path) -> None:
    front_end = load_wavlm(str(saved))
    wave = torch.from_numpy(speech(3.4))[None]
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
    quiet = torch.from_numpy(speech(0.5))[None] * 0.0 + 1e-5 * torch.randn(1, 8_000)
    heard: list[torch.Tensor] = []
    front_end.convolutions.conv_layers[0].register_forward_pre_hook(
        lambda _, inputs: heard.append(inputs[0]))
    front_end(quiet)
    front_end(torch.from_numpy(speech(0.5))[None])
    assert float(heard[0].std()) < 0.01 and float(heard[1].std()) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(('more', 'layer', 'message'), [
    ({}, 3, r'layer must be in \[1, 2\], got 3'),
    ({'conv_stride': (5, 2, 2, 2, 2, 2, 1)}, None, 'a frame every 160 samples'),
    ({'add_adapter': True}, None, 'adapter')])
def test_a_model_that_does_not_fit_is_named(more: dict[str, object], layer: int | None,
                                            message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        WavLMFrontEnd(wavlm_model(**more), layer, normalise=False)


def test_a_folder_that_holds_no_wavlm_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match='cannot load WavLM'):
        load_wavlm(str(tmp_path))
    (tmp_path / 'config.json').write_text('{"model_type": "hubert"}', encoding='utf-8')
    with pytest.raises(TrainingError, match="type 'hubert', not wavlm"):
        load_wavlm(str(tmp_path))
