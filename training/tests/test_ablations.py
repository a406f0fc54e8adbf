"""Every switch of an ablation builds, learns, reaches ONNX unchanged, and does what it says."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('onnxruntime')

from gesture_training.checkpoint import save_checkpoint  # noqa: E402
from gesture_training.config import config_from, load_config, plain, TrainingConfig  # noqa: E402
from gesture_training.corpora.pack import read_pack  # noqa: E402
from gesture_training.data import WindowSampler  # noqa: E402
from gesture_training.export import (  # noqa: E402
    example_inputs,
    export_network,
    model_of_run,
    parity_error,
    PARITY_TOLERANCE,
    SIGNATURES,
)
from gesture_training.networks.assembly import GestureNetworks  # noqa: E402
from gesture_training.networks.face import OwnFrameCrossAttention  # noqa: E402
from gesture_training.statistics import Statistics  # noqa: E402
from gesture_training.trainer import Trainer  # noqa: E402

_SHAPES = [(1, 30, 40), (3, 5, 9)]
_SWITCHES: list[tuple[str, str, Any]] = [
    ('body', 'conditioning', 'cross_attention'), ('body', 'conditioning', 'add'),
    ('body', 'persona', False), ('body', 'seed_frames', 4), ('face', 'bias', False),
    ('face', 'bias_period_frames', 8), ('face', 'persona', False), ('face', 'seed_frames', 4)]
_WINDOWS: list[dict[str, dict[str, float]]] = [
    {'windows': {'full_heard_share': 1.0}}, {'windows': {'drop_share': 0.0}},
    {'losses': {'lips': 0.0, 'aperture': 0.0, 'lip_channels': 1.0, 'closure_frames': 1.0}}]


def _changed(tiny: Path, values: dict[str, dict[str, Any]]) -> TrainingConfig:
    base = plain(load_config(tiny))
    for section, changes in values.items():
        base[section] = base[section] | changes
    return config_from(base)


def _trainer(config: TrainingConfig, corpus: Path) -> Trainer:
    packs = {channel: read_pack(corpus, channel) for channel in ('body', 'face')}
    return Trainer(config, packs, Statistics.neutral(), ('encoder', 'face', 'body'),
                   torch.device('cpu'))


def _awake(networks: GestureNetworks) -> GestureNetworks:
    """Give layers that begin at zero something to say."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in networks.parameters():
            if not parameter.any():
                parameter.normal_(std=0.1)
    return networks.eval()


@pytest.mark.parametrize(('channel', 'key', 'value'), _SWITCHES)
def test_a_switched_network_learns_and_is_exported(channel: str, key: str, value: Any,
                                                   tiny_config: Path, corpus: Path,
                                                   tmp_path: Path) -> None:
    config = _changed(tiny_config, {channel: {key: value}})
    trainer = _trainer(config, corpus)
    before = [p.clone() for p in getattr(trainer.networks, channel).parameters()]
    losses = trainer.advance(0.0)
    assert all(np.isfinite(v) for v in losses.values())
    network = getattr(_awake(trainer.networks), channel)
    assert any(not torch.equal(a, b) for a, b in zip(before, network.parameters()))
    path = tmp_path / f'{channel}.onnx'
    export_network(network, channel, config, path)
    assert parity_error(network, channel, config, path, _SHAPES) < PARITY_TOLERANCE


@pytest.mark.parametrize(('drop_share', 'cues', 'guided'), [
    (0.1, False, True), (0.0, False, False), (0.1, True, False)])
def test_only_a_body_that_can_be_and_is_told_nothing_is_guided(
        drop_share: float, cues: bool, guided: bool, tiny_config: Path, corpus: Path,
        tmp_path: Path) -> None:
    config = _changed(tiny_config, {'windows': {'drop_share': drop_share},
                                    'body': {'cues': cues}})
    save_checkpoint(_trainer(config, corpus).checkpoint(), tmp_path)
    assert (model_of_run(tmp_path, 'ablation').body_guidance != 1.0) is guided


@pytest.mark.parametrize('values', _WINDOWS)
def test_a_switch_of_windows_or_losses_trains(values: dict[str, dict[str, float]],
                                              tiny_config: Path, corpus: Path) -> None:
    losses = _trainer(_changed(tiny_config, values), corpus).advance(0.0)
    assert all(np.isfinite(v) for v in losses.values())
    if 'losses' in values:
        assert losses['face.aperture'] == 0.0


def test_without_future_masking_every_window_hears_its_end(tiny_config: Path,
                                                           corpus: Path) -> None:
    pack, statistics = read_pack(corpus, 'face'), Statistics.neutral()
    for share, everything in ((1.0, True), (0.0, False)):
        config = _changed(tiny_config, {'windows': {'full_heard_share': share},
                                        'face': {'batch': 64}})
        batch = WindowSampler(pack, 'face', config, statistics.face_mean,
                              statistics.face_std).draw(0, 0)
        inside = batch.valid[:, -1] > 0
        assert bool((batch.heard[inside, -1] > 0).all()) is everything


@pytest.mark.parametrize('channel', ['body', 'face'])
def test_without_persona_the_history_is_not_heard(channel: str, tiny_config: Path) -> None:
    names = list(SIGNATURES[channel].inputs)
    for heard in (True, False):
        config = _changed(tiny_config, {channel: {'persona': heard}})
        network = getattr(_awake(GestureNetworks(config, 8)), channel)
        inputs = list(example_inputs(config, channel, batch=1, frames=8))
        inputs[names.index('drop')] = torch.zeros(1)
        before = network(*inputs)
        for name in ('persona', 'emotion'):
            inputs[names.index(name)] = inputs[names.index(name)] + 1.0
        assert bool((network(*inputs) - before).abs().max() > 1e-5) is heard


@pytest.mark.parametrize(('conditioning', 'far'), [
    ('adaln', False), ('add', False), ('cross_attention', True)])
def test_which_frames_hear_speech_through_the_condition(conditioning: str, far: bool,
                                                        tiny_config: Path) -> None:
    """With self-attention silenced, only cross-attention carries speech to other frames."""
    config = _changed(tiny_config, {'body': {'conditioning': conditioning}})
    body = _awake(GestureNetworks(config, 8)).body
    for block in body.blocks:
        inner = block.block if conditioning == 'cross_attention' else block
        torch.nn.init.zeros_(inner.attention.output.weight)
    names = list(SIGNATURES['body'].inputs)
    inputs = list(example_inputs(config, 'body', batch=1, frames=10))
    inputs[names.index('drop')] = torch.zeros(1)
    before = body(*inputs)
    local = inputs[names.index('local')] = inputs[names.index('local')].clone()
    local[0, 8:10] += 1.0
    change = (body(*inputs) - before).abs().amax(dim=-1)[0]
    assert change[4] > 1e-5
    assert bool(change[torch.arange(10) != 4].max() > 1e-6) is far


def test_without_bias_a_face_frame_hears_other_audio_frames() -> None:
    for bias in (True, False):
        torch.manual_seed(0)
        layer = OwnFrameCrossAttention(16, 12, 2, bias)
        x, local, tokens = torch.randn(1, 9, 16), torch.randn(1, 9, 12), torch.randn(1, 3, 16)
        other = local.clone()
        other[0, 4] += 1.0
        change = (layer(x, other, tokens) - layer(x, local, tokens)).abs().amax(dim=-1)[0]
        assert change[4] > 1e-3
        assert bool(change[torch.arange(9) != 4].max() > 0.0) is not bias


def test_defaults_have_no_weights_of_the_switches(tiny_config: Path) -> None:
    base = GestureNetworks(load_config(tiny_config), 8)
    names = {name for name, _ in base.body.named_parameters()}
    assert 'modulation.weight' in names
    assert 'added.weight' not in names
    config = _changed(tiny_config, {'face': {'bias': False, 'persona': False},
                                    'body': {'persona': False}})
    other = GestureNetworks(config, 8).state_dict()
    assert {k: v.shape for k, v in base.state_dict().items()} == {
        k: v.shape for k, v in other.items()}
