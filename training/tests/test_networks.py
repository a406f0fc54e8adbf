"""Biases, locality, identity at the start, and what each conditioning input reaches."""
from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip('torch')

from gesture_training.config import FaceNetConfig, load_config  # noqa: E402
from gesture_training.export import example_inputs, SIGNATURES  # noqa: E402
from gesture_training.networks.biases import cross_attention_bias, head_slopes, self_attention_bias  # noqa: E402
from gesture_training.networks.face import BiasedSelfAttention, FaceBlock, OwnFrameCrossAttention  # noqa: E402
from gesture_training.networks.layers import (  # noqa: E402
    AdaptiveBlock,
    merge_heads,
    rotary_angles,
    RotaryAttention,
    rotate,
    split_heads,
    StepEmbedding,
)
from gesture_training.tiny_bundle import tiny_model  # noqa: E402


@pytest.mark.parametrize('frames', [1, 5, 13])
@pytest.mark.parametrize('period', [1, 3])
@pytest.mark.parametrize('heads', [2, 4])
def test_self_attention_bias_equals_the_slow_formula(frames: int, period: int,
                                                     heads: int) -> None:
    bias = self_attention_bias(torch.arange(frames), heads, 3, period)
    assert bias.shape == (heads, frames, 3 + frames)
    for head in range(heads):
        slope = 2.0 ** (-8.0 * (head + 1) / heads)
        for i in range(frames):
            assert bias[head, i, :3].tolist() == [0.0, 0.0, 0.0]
            for j in range(frames):
                expected = -slope * (abs(i - j) // period)
                assert float(bias[head, i, 3 + j]) == pytest.approx(expected, abs=1e-7)


def test_slopes_of_four_heads_are_the_alibi_series() -> None:
    assert head_slopes(4).tolist() == [1 / 4, 1 / 16, 1 / 64, 1 / 256]


def test_cross_attention_bias_opens_tokens_and_the_own_frame_only() -> None:
    bias = cross_attention_bias(6, 2)
    for i in range(6):
        for j in range(8):
            assert float(bias[i, j]) == (0.0 if j < 2 or j - 2 == i else -torch.inf)


def test_cross_attention_equals_full_attention_with_its_bias() -> None:
    torch.manual_seed(0)
    layer = OwnFrameCrossAttention(16, 12, 4)
    x, local, tokens = torch.randn(2, 7, 16), torch.randn(2, 7, 12), torch.randn(2, 3, 16)
    key, value = (torch.cat([split_heads(t, 4), split_heads(a, 4)], dim=2) for t, a in zip(
        layer.token(tokens).chunk(2, -1), layer.audio(local).chunk(2, -1)))
    score = split_heads(layer.query(x), 4) @ key.transpose(-1, -2) / 2.0
    weight = torch.softmax(score + cross_attention_bias(7, 3), dim=-1)
    expected = layer.output(merge_heads(weight @ value))
    assert torch.allclose(layer(x, local, tokens), expected, atol=1e-6)


def test_one_audio_frame_moves_one_face_frame_without_self_attention() -> None:
    torch.manual_seed(0)
    block = FaceBlock(FaceNetConfig(width=16, heads=2), 12)
    torch.nn.init.zeros_(block.self_attention.output.weight)
    x, local, tokens = torch.randn(1, 9, 16), torch.randn(1, 9, 12), torch.randn(1, 3, 16)
    other = local.clone()
    other[0, 4] += 1.0
    change = (block(x, other, tokens) - block(x, local, tokens)).abs().amax(dim=-1)[0]
    assert change[4] > 1e-3
    assert change[torch.arange(9) != 4].max() == 0.0


def test_self_attention_depends_on_distance_not_on_position() -> None:
    torch.manual_seed(0)
    query, key = torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)

    def score(i: int, j: int) -> float:
        turned = [rotate(v, rotary_angles(torch.tensor([p]), 8))
                  for v, p in ((query, i), (key, j))]
        return float(turned[0] @ turned[1].transpose(-1, -2))

    assert score(3, 1) == pytest.approx(score(40, 38), abs=1e-4)
    assert score(3, 1) != pytest.approx(score(1, 3), abs=1e-3)


def test_biased_self_attention_hears_tokens_in_every_frame() -> None:
    torch.manual_seed(0)
    layer, x, tokens = BiasedSelfAttention(16, 2, 1), torch.randn(1, 8, 16), torch.randn(1, 3, 16)
    for token in range(3):
        other = tokens.clone()
        other[0, token] += 1.0
        assert ((layer(x, other) - layer(x, tokens)).abs().amax(dim=-1) > 1e-6).all()


def test_a_new_adaptive_block_is_the_identity() -> None:
    block, x = AdaptiveBlock(16, 2, 8), torch.randn(2, 5, 16)
    assert torch.equal(block(x, torch.randn(2, 5, 8)), x)


def test_attention_is_free_of_length() -> None:
    layer = RotaryAttention(16, 2)
    for frames in (1, 2, 100):
        assert layer(torch.randn(1, frames, 16)).shape == (1, frames, 16)


def test_step_embedding_tells_all_levels_apart() -> None:
    embedding = StepEmbedding(16)
    levels = torch.arange(0, 1000, 37).float()
    codes = embedding(levels)
    distance = torch.cdist(codes, codes) + torch.eye(len(levels))
    assert distance.min() > 1e-5


@pytest.mark.parametrize('name', ['body', 'face'])
def test_every_input_of_a_denoiser_reaches_its_output(name: str) -> None:
    model = tiny_model()
    network = getattr(model.networks, name)
    inputs = list(example_inputs(model.config, name, batch=1, frames=10))
    names = list(SIGNATURES[name].inputs)
    inputs[names.index('drop')] = torch.zeros(1)
    before = network(*inputs)
    for position, tensor in enumerate(inputs):
        changed = list(inputs)
        if names[position] == 'style':
            changed[position] = (tensor + 1) % 3
        elif names[position] in ('mask', 'drop'):
            changed[position] = 1.0 - tensor
        else:
            changed[position] = tensor + 0.7
        assert (network(*changed) - before).abs().max() > 1e-5, names[position]


@pytest.mark.parametrize('name', ['body', 'face'])
def test_a_dropped_condition_is_not_heard(name: str) -> None:
    model = tiny_model()
    network = getattr(model.networks, name)
    inputs = dict(zip(SIGNATURES[name].inputs,
                      example_inputs(model.config, name, batch=2, frames=10)))
    inputs['drop'] = torch.ones(2)
    before = network(*inputs.values())
    for key in ('local', 'persona', 'emotion'):
        inputs[key] = inputs[key] + 1.0
    assert torch.allclose(network(*inputs.values()), before, atol=1e-6)


def test_a_body_frame_is_modulated_by_its_own_speech() -> None:
    model = tiny_model()
    body = model.networks.body
    torch.nn.init.zeros_(body.blocks[0].attention.output.weight)
    inputs = list(example_inputs(model.config, 'body', batch=1, frames=10))
    inputs[7] = torch.zeros(1)
    before = body(*inputs)
    inputs[4] = inputs[4].clone()
    inputs[4][0, 8:10] += 1.0
    change = (body(*inputs) - before).abs().amax(dim=-1)[0]
    assert change[4] > 1e-5
    assert change[torch.arange(10) != 4].max() < 1e-6


def test_far_context_changes_the_persona_and_no_local_token(tiny_config: Path) -> None:
    encoder = tiny_model().networks.encoder
    features, heard, history, _ = example_inputs(load_config(tiny_config), 'encoder', batch=1,
                                                 frames=20, history=40)
    everything = torch.ones(1, 40)
    local, persona, _ = encoder(features, heard, history, everything)
    other_local, other_persona, _ = encoder(features, heard, history + 2.0, everything)
    assert torch.equal(local, other_local)
    assert (persona - other_persona).abs().max() > 1e-3


def test_what_is_not_heard_changes_nothing() -> None:
    model = tiny_model()
    features, _, history, _ = example_inputs(model.config, 'encoder', batch=1, frames=20,
                                             history=40)
    heard, past = torch.ones(1, 20), torch.ones(1, 40)
    heard[:, 12:], past[:, :30] = 0.0, 0.0
    before = model.networks.encoder(features, heard, history, past)
    features, history = features.clone(), history.clone()
    features[:, 12:] = 50.0
    history[:, :30] = -50.0
    for one, other in zip(before, model.networks.encoder(features, heard, history, past)):
        assert torch.equal(one, other)


def test_an_empty_history_gives_a_finite_persona() -> None:
    model = tiny_model()
    inputs = list(example_inputs(model.config, 'encoder', batch=1, frames=8, history=24))
    inputs[3] = torch.zeros(1, 24)
    assert all(torch.isfinite(output).all() for output in model.networks.encoder(*inputs))
