"""Masked prediction: spans, who takes part, and that it can be learned."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip('torch')

from gesture_training import masked  # noqa: E402
from gesture_training.config import load_config, TrainingConfig  # noqa: E402
from gesture_training.corpora.pack import Pack, read_pack, UNKNOWN_PHONE  # noqa: E402
from gesture_training.data import WindowBatch, WindowSampler  # noqa: E402
from gesture_training.networks.assembly import GestureNetworks  # noqa: E402
from gesture_training.statistics import measure, Statistics  # noqa: E402
from gesture_training.trainer import Trainer  # noqa: E402


@pytest.fixture
def config(tiny_config: Path) -> TrainingConfig:
    """Return the tiny config with masked prediction."""
    base = load_config(tiny_config)
    return replace(base, losses=replace(base.losses, masked=1.0))


def _batch(config: TrainingConfig, pack: Pack) -> WindowBatch:
    statistics = Statistics.neutral()
    return WindowSampler(pack, 'face', config, statistics.face_mean,
                         statistics.face_std).draw(0, 0)


def test_spans_are_as_long_and_as_many_as_stated() -> None:
    spans = masked.draw_spans(200, 500, torch.Generator().manual_seed(0))
    expected = 1.0 - (1.0 - masked.START_SHARE) ** masked.SPAN_FRAMES
    assert float(spans.mean()) == pytest.approx(expected, abs=0.02)
    for row in spans[:20, :-masked.SPAN_FRAMES]:
        runs = ''.join(str(int(v)) for v in row).strip('1').split('0')
        assert all(len(run) >= masked.SPAN_FRAMES for run in runs if run)


def test_without_its_weight_there_is_neither_head_nor_term(tiny_config: Path,
                                                           corpus: Path) -> None:
    config = load_config(tiny_config)
    networks = GestureNetworks(config, 8)
    assert not hasattr(networks.encoder, 'masked')
    batch = _batch(config, read_pack(corpus, 'face'))
    assert masked.masked_terms(networks.encoder, config, batch, 0) == {}


def test_labelled_windows_do_not_take_part(config: TrainingConfig, corpus: Path) -> None:
    torch.manual_seed(0)
    encoder = GestureNetworks(config, 8).encoder
    batch = _batch(config, read_pack(corpus, 'face'))
    labelled = replace(batch, phones=torch.zeros_like(batch.phones))
    assert float(masked.masked_terms(encoder, config, labelled, 0)['masked']) == 0.0
    bare = replace(batch, phones=torch.full_like(batch.phones, UNKNOWN_PHONE))
    assert float(masked.masked_terms(encoder, config, bare, 0)['masked'].detach()) > 0.1


def test_hidden_frames_are_not_seen_and_shown_ones_cost_nothing(config: TrainingConfig,
                                                                corpus: Path) -> None:
    torch.manual_seed(0)
    encoder = GestureNetworks(config, 8).encoder
    batch = _batch(config, read_pack(corpus, 'face'))
    everyone = torch.ones(len(batch.heard), dtype=torch.bool)
    hidden = torch.zeros_like(batch.heard)
    hidden[:, 40:48] = batch.heard[:, 40:48]
    seen: list[torch.Tensor] = []
    encoder.stem.register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0].detach()))
    masked.masked_error(encoder, batch, hidden, everyone)
    louder = batch.features.clone()
    louder[:, 40:48] += 3.0 * hidden[:, 40:48, None]
    masked.masked_error(encoder, replace(batch, features=louder), hidden, everyone)
    assert torch.equal(seen[0], seen[1])
    assert float(masked.masked_error(encoder, batch, 0.0 * hidden, everyone).detach()) == 0.0


def test_the_encoder_learns_what_was_hidden(config: TrainingConfig, corpus: Path) -> None:
    """Better than the mean, which is what a head that heard nothing would say."""
    pack = replace(read_pack(corpus, 'face'), phones=None)
    config = replace(
        config, encoder=replace(config.encoder, width=32), face=replace(config.face, batch=8),
        optimiser=replace(config.optimiser, learning_rate=2e-2, bf16=False))
    trainer = Trainer(config, {'face': pack}, measure(None, pack), ('encoder',),
                      torch.device('cpu'))
    encoder, silent = trainer.networks.encoder, torch.no_grad()

    def error() -> float:
        with silent:
            return float(masked.masked_terms(encoder, config, _batch(config, pack), 1)['masked'])

    for _ in range(45):
        trainer.advance(0.0)
    learned = error()
    with silent:
        encoder.masked.weight.zero_()
        encoder.masked.bias.zero_()
    assert learned < 0.85 * error()
    assert not torch.equal(encoder.masked.weight, trainer.average.encoder.masked.weight)
