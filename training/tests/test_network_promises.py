"""What the papers behind the networks promise, on whole networks and through the runtime.

Layers alone are tested in ``test_networks.py``. The letters are those of the lists in
``docs/training.md``: P for Persona-Gestor, D for DiffSpeaker, Z for the ICASSP 2023 talker.
"""
from __future__ import annotations

from functools import cache
import logging
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('onnxruntime')

from gesture_training.export import example_inputs, Model, SIGNATURES  # noqa: E402
from gesture_training.networks.biases import cross_attention_bias, self_attention_bias  # noqa: E402
from gesture_training.networks.face import BiasedSelfAttention, TOKENS  # noqa: E402
from gesture_training.networks.layers import (  # noqa: E402
    AdaptiveBlock,
    merge_heads,
    rotary_angles,
    rotate,
    split_heads,
)
from gesture_training.tiny_bundle import tiny_model  # noqa: E402

from gesture_node.audio.features import ENERGY_INDEX, waveform_features  # noqa: E402
from gesture_node.bundle import ChannelSpec  # noqa: E402
from gesture_node.config import FaceConfig, GestureConfig  # noqa: E402
from gesture_node.diffusion.denoiser import Conditioning  # noqa: E402
from gesture_node.diffusion.sampler import Sampler  # noqa: E402
from gesture_node.diffusion.schedule import Schedule  # noqa: E402
from gesture_node.motion.face import LIP_INDEX, UPPER_INDEX  # noqa: E402
from gesture_node.pipeline import GesturePipeline  # noqa: E402

_BUNDLE = Path(__file__).parents[2] / 'test' / 'data' / 'tiny_bundle'
_FRAMES = 40


@cache
def _pipeline() -> GesturePipeline:
    return GesturePipeline.from_bundle(_BUNDLE)


def _inputs(model: Model, channel: str, frames: int = _FRAMES) -> dict[str, torch.Tensor]:
    inputs = dict(zip(SIGNATURES[channel].inputs,
                      example_inputs(model.config, channel, batch=1, frames=frames)))
    return inputs | {'drop': torch.zeros(1), 'level': torch.tensor([700.0])}


def _without_self_attention(model: Model, channel: str) -> torch.nn.Module:
    network = getattr(model.networks, channel)
    for block in network.blocks:
        attention = block.self_attention if channel == 'face' else block.attention
        torch.nn.init.zeros_(attention.output.weight)
        torch.nn.init.zeros_(attention.output.bias)
    return network


def _change(network: torch.nn.Module, before: dict[str, torch.Tensor],
            after: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the largest change per frame of the only window."""
    with torch.no_grad():
        return (network(*after.values()) - network(*before.values())).abs().amax(dim=-1)[0]


@pytest.mark.parametrize(('frames', 'period', 'heads'), [
    (1, 1, 1), (7, 1, 4), (12, 5, 2), (31, 25, 8), (9, 40, 3)])
def test_d1_attention_uses_exactly_the_slow_bias(frames: int, period: int, heads: int) -> None:
    """The layer against full attention with biases written out element by element."""
    torch.manual_seed(0)
    width = 8 * heads
    layer = BiasedSelfAttention(width, heads, period)
    x, tokens = torch.randn(2, frames, width), torch.randn(2, TOKENS, width)
    bias = torch.zeros(heads, frames, TOKENS + frames)
    for head in range(heads):
        for i in range(frames):
            for j in range(frames):
                bias[head, i, TOKENS + j] = -(abs(i - j) // period) / 2.0 ** (
                    8.0 * (head + 1) / heads)
    found = self_attention_bias(torch.arange(frames), heads, TOKENS, period)
    assert torch.allclose(found, bias, atol=1e-6)
    query = split_heads(layer.query(x), heads)
    key, value = (split_heads(part, heads) for part in layer.key_value(
        torch.cat([tokens, x], dim=1)).chunk(2, dim=-1))
    angles = rotary_angles(torch.arange(frames), 8)
    score = torch.cat([query @ key[:, :, :TOKENS].transpose(-1, -2),
                       rotate(query, angles) @ rotate(key[:, :, TOKENS:], angles).transpose(
                           -1, -2)], dim=-1)
    weight = torch.softmax(score / 8.0 ** 0.5 + bias, dim=-1)
    assert torch.allclose(layer(x, tokens), layer.output(merge_heads(weight @ value)), atol=1e-5)


@pytest.mark.parametrize('frames', [1, 4, 20])
@pytest.mark.parametrize('tokens', [0, 2, 3])
def test_d1_the_cross_attention_bias_equals_the_slow_formula(frames: int, tokens: int) -> None:
    bias = cross_attention_bias(frames, tokens)
    assert bias.shape == (frames, tokens + frames)
    for i in range(frames):
        for j in range(tokens + frames):
            open_ = j < tokens or j - tokens == i
            assert float(bias[i, j]) == (0.0 if open_ else -torch.inf)


@pytest.mark.parametrize('frame', [0, 17, _FRAMES - 1])
def test_d2_speech_of_a_frame_moves_that_frame_alone(frame: int) -> None:
    model = tiny_model()
    face, inputs = _without_self_attention(model, 'face'), _inputs(model, 'face')
    local = inputs['local'].clone()
    local[0, frame] += 1.0
    change = _change(face, inputs, inputs | {'local': local})
    assert change[frame] > 1e-4
    assert change[torch.arange(_FRAMES) != frame].max() == 0.0


@pytest.mark.parametrize('token', ['level', 'style', 'persona'])
@pytest.mark.parametrize('alone', [False, True])
def test_d3_a_condition_token_reaches_every_frame(token: str, alone: bool) -> None:
    """With self-attention silenced too: cross-attention by itself brings the tokens."""
    model = tiny_model()
    face = _without_self_attention(model, 'face') if alone else model.networks.face
    inputs = _inputs(model, 'face')
    other = {'level': torch.tensor([320.0]), 'style': (inputs['style'] + 1) % 3,
             'persona': inputs['persona'] + 1.0}[token]
    assert _change(face, inputs, inputs | {token: other}).min() > 1e-5


@pytest.mark.parametrize(('asked', 'row', 'warned'), [
    ('', 0, False), ('composed', 0, False), ('facegood', 1, False), ('mean', 2, False),
    ('somebody', 2, True)])
def test_d7_an_unknown_style_is_the_mean_with_a_warning(
        asked: str, row: int, warned: bool, caplog: pytest.LogCaptureFixture) -> None:
    spec: ChannelSpec = _pipeline().bundle.face
    with caplog.at_level(logging.WARNING):
        assert spec.style_index(asked) == row
    assert bool(caplog.records) is warned
    if warned:
        assert "'somebody' is not in the bundle" in caplog.text
        assert "using 'mean'" in caplog.text


def test_p2_far_sound_changes_the_persona_token_and_no_local_token() -> None:
    """Two recordings that differ only seconds before a window, heard through the runtime."""
    random = np.random.default_rng(0)
    wave = (0.1 * random.standard_normal(16_000 * 8)).astype(np.float32)
    other = wave.copy()
    other[:16_000 * 3] = 0.3 * np.sin(np.arange(16_000 * 3) * 2 * np.pi * 150 / 16_000)
    pipeline = _pipeline()
    spec = pipeline.bundle.encoder
    start, end = 300, 380
    tokens = []
    for heard in (wave, other):
        rows = waveform_features(heard).astype(np.float32)
        tokens.append(pipeline.body.encoder(
            rows[start - spec.context_frames:end],
            np.ones(end - start + spec.context_frames, np.float32),
            rows[max(0, end - spec.history_frames):end],
            np.ones(min(end, spec.history_frames), np.float32)))
    assert np.array_equal(tokens[0].local, tokens[1].local)
    assert np.abs(tokens[0].persona - tokens[1].persona).max() > 1e-3


def test_p3_gates_at_zero_make_a_block_the_identity_whatever_its_condition() -> None:
    block, x = AdaptiveBlock(16, 2, 8), torch.randn(2, 5, 16)
    for scale in (0.0, 1.0, 100.0):
        assert torch.equal(block(x, scale * torch.randn(2, 5, 8)), x)


def test_p3_modulation_is_of_step_and_speech_frame_by_frame() -> None:
    model = tiny_model()
    body, inputs = model.networks.body, _inputs(model, 'body')
    seen: list[torch.Tensor] = []
    body.blocks[0].modulation.register_forward_hook(lambda _m, _i, out: seen.append(out[0]))
    local = inputs['local'].clone()
    local[0, 34:36] += 1.0
    for changes in ({}, {'local': local}, {'level': torch.tensor([320.0])},
                    {'x': inputs['x'] + 1.0}):
        with torch.no_grad():
            body(*(inputs | changes).values())
    speech, step, noise = ((other - seen[0]).abs().amax(dim=-1) for other in seen[1:])
    assert speech[17] > 1e-5
    assert speech[torch.arange(_FRAMES) != 17].max() == 0.0
    assert step.min() > 1e-5
    assert noise.max() == 0.0


@pytest.mark.parametrize('channel', ['body', 'face'])
def test_p8_an_impulse_moves_the_frames_around_its_own_time_at_every_lag(channel: str) -> None:
    """Features to motion; attention off, convolutions reach equally far to both sides."""
    model = tiny_model()
    encoder, network = model.networks.encoder, _without_self_attention(model, channel)
    for block in encoder.blocks:
        torch.nn.init.zeros_(block.attention.output.weight)
        torch.nn.init.zeros_(block.attention.output.bias)
    reach = 2 + sum(2 ** layer for layer in range(model.config.encoder.conv_layers))
    ratio = 2 if channel == 'body' else 1
    context = model.config.encoder.context_frames
    count = context + ratio * _FRAMES
    features = torch.randn(1, count, 83, generator=torch.Generator().manual_seed(0)) * 3.0 - 8.0
    ones, inputs = torch.ones(1, count), _inputs(model, channel)

    def moved(heard: torch.Tensor) -> dict[str, torch.Tensor]:
        with torch.no_grad():
            local, _, _ = encoder(heard, ones, features[:, :30], ones[:, :30])
        return inputs | {'local': local[:, context:]}

    before = moved(features)
    for at in (10, 33, ratio * _FRAMES - 12):
        impulse = features.clone()
        impulse[0, context + at] += 4.0
        change = _change(network, before, moved(impulse))
        first, last = (at - reach) // ratio, (at + reach) // ratio
        inside = (torch.arange(_FRAMES) >= first) & (torch.arange(_FRAMES) <= last)
        assert change[~inside].max() == 0.0
        assert change[inside].min() > 0.0
        assert change[at // ratio] > 1e-4


@pytest.mark.parametrize('sample', [16_000, 40_123, 70_000])
def test_p8_a_click_is_heard_in_the_frame_of_its_time(sample: int) -> None:
    wave = np.zeros(80_000, np.float32)
    wave[sample] = 0.9
    energy = waveform_features(wave)[:, ENERGY_INDEX]
    loud = np.flatnonzero(energy > energy.min() + 1.0)
    assert abs(loud.mean() * 320 + 160 - sample) <= 320


def _lips_and_rest(steps: int, steady: bool) -> tuple[np.ndarray, np.ndarray]:
    denoiser = _pipeline().face.denoiser
    model = tiny_model()
    inputs = {k: v[0].numpy() for k, v in _inputs(model, 'face').items()}
    conditioning = Conditioning(inputs['local'], inputs['persona'], inputs['emotion'],
                                inputs['seed'] * inputs['mask'][:, None], inputs['mask'])
    noise = np.random.default_rng(0).standard_normal((_FRAMES, 52)).astype(np.float32)
    face = Sampler(Schedule.cosine(shift=6.0), steps,
                   steady=tuple(LIP_INDEX) if steady else ()).sample(
                       denoiser, conditioning, noise)
    return face[:, LIP_INDEX], face[:, UPPER_INDEX]


def test_z5_further_calls_change_lids_and_brows_and_no_lip() -> None:
    (lips, rest), (same, other) = (_lips_and_rest(steps, steady=True) for steps in (1, 4))
    assert np.array_equal(lips, same)
    assert np.abs(rest - other).max() > 1e-4
    assert np.abs(_lips_and_rest(4, steady=False)[0] - lips).max() > 1e-4


def _face_of(config: FaceConfig) -> np.ndarray:
    """Return the face a stream gives for noise."""
    wave = (0.2 * np.random.default_rng(1).standard_normal(24_000)).astype(np.float32)
    stream = _pipeline().create_stream(config=GestureConfig(face=config))
    stream.accept_waveform(wave, 16_000)
    chunks = []
    while stream.is_ready():
        result = stream.step()
        if result.face is not None:
            chunks.append(result.face.weights)
    return np.concatenate(chunks)


def test_d7_a_stream_wears_the_style_it_is_given() -> None:
    faces = {style: _face_of(FaceConfig(style=style)) for style in ('', 'composed', 'mean', 'x')}
    assert np.array_equal(faces[''], faces['composed'])
    assert np.array_equal(faces['mean'], faces['x'])
    assert np.abs(faces['mean'] - faces['composed']).max() > 1e-3


def test_z5_other_lips_leave_lids_and_brows_as_they_are() -> None:
    faces = [_face_of(FaceConfig(lip_strength=strength)) for strength in (1.0, 0.3)]
    assert np.array_equal(faces[0][:, UPPER_INDEX], faces[1][:, UPPER_INDEX])
    assert np.abs(faces[0][:, LIP_INDEX] - faces[1][:, LIP_INDEX]).max() > 1e-3
