"""The whole path on a synthetic corpus: train, resume exactly, export, refuse what is broken."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from gesture_training import train  # noqa: E402
from gesture_training.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from gesture_training.config import config_from, load_config, plain  # noqa: E402
from gesture_training.exceptions import TrainingError  # noqa: E402
from gesture_training.export import export_bundle, model_of_run  # noqa: E402

from gesture_node.bundle import read_bundle  # noqa: E402


def _train(corpus: Path, out: Path, config: Path, *more: str) -> int:
    return train.main(['--corpus', str(corpus), '--out', str(out), '--config', str(config),
                       '--device', 'cpu', *more])


@pytest.fixture(scope='module')
def trained(corpus: Path, tiny_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run folder after 20 steps."""
    out = tmp_path_factory.mktemp('run')
    assert _train(corpus, out, tiny_config, '--steps', '20') == 0
    return out


def test_twenty_steps_train_both_channels(trained: Path) -> None:
    checkpoint = load_checkpoint(trained)
    assert checkpoint.step == 20
    assert set(checkpoint.corpus) == {'face', 'body'}
    assert checkpoint.corpus['face']['takes'] == 5
    assert all(torch.isfinite(w).all() for w in checkpoint.weights.values())
    moved = [name for name, w in checkpoint.weights.items()
             if not torch.equal(w, checkpoint.average[name])]
    assert {name.split('.')[0] for name in moved} == {'encoder', 'body', 'face'}


def test_losses_fall(corpus: Path, tiny_config: Path, tmp_path: Path) -> None:
    options = train._arguments(['--corpus', str(corpus), '--out', str(tmp_path), '--config',
                                str(tiny_config), '--device', 'cpu', '--steps', '40'])
    trainer = train.start(options)
    losses = [trainer.advance(0.0) for _ in range(40)]
    for channel in ('face', 'body'):
        totals = [sum(v for k, v in terms.items() if k.startswith(channel)) for terms in losses]
        assert np.mean(totals[-8:]) < 0.9 * np.mean(totals[:8])


def test_a_resumed_run_equals_an_unbroken_one(corpus: Path, tiny_config: Path,
                                              tmp_path: Path) -> None:
    def trainer_for(*more: str) -> train.Trainer:
        return train.start(train._arguments([
            '--corpus', str(corpus), '--out', str(tmp_path), '--config', str(tiny_config),
            '--device', 'cpu', '--steps', '8', *more]))

    unbroken = trainer_for()
    for step in range(8):
        unbroken.advance(step / 8)
        if step == 3:
            save_checkpoint(unbroken.checkpoint(), tmp_path)
    resumed = trainer_for('--resume')
    assert resumed.step == 4
    for step in range(4, 8):
        resumed.advance(step / 8)
    for one, other in zip(unbroken.networks.parameters(), resumed.networks.parameters()):
        assert torch.allclose(one, other, atol=1e-6)


def test_a_trained_run_becomes_a_bundle_the_runtime_reads(trained: Path, tmp_path: Path) -> None:
    model = model_of_run(trained, 'smoke')
    bundle = read_bundle(export_bundle(model, tmp_path / 'bundle'))
    assert bundle.name == 'smoke'
    assert bundle.body.window_frames == model.config.body.window_frames
    assert np.allclose(bundle.face.std, model.statistics.face_std, atol=1e-6)
    assert model.statement['steps'] == 20
    assert model.statement['corpus']['body']['licences'] == ['synthetic: CC0-1.0']


def test_a_stage_that_is_left_out_does_not_learn(corpus: Path, tiny_config: Path,
                                                 tmp_path: Path) -> None:
    options = train._arguments(['--corpus', str(corpus), '--out', str(tmp_path), '--config',
                                str(tiny_config), '--device', 'cpu', '--stages', 'face'])
    trainer = train.start(options)
    before = {k: v.clone() for k, v in trainer.networks.state_dict().items()}
    trainer.advance(0.0)
    trainer.advance(0.0)
    changed = {name.split('.')[0] for name, value in trainer.networks.state_dict().items()
               if not torch.equal(value, before[name])}
    assert changed == {'face'}


def _started(*options: str) -> train.Trainer:
    return train.start(train._arguments(['--device', 'cpu', *options]))


def test_files_decide_over_the_networks_of_the_weights(corpus: Path, tiny_config: Path,
                                                       trained: Path, tmp_path: Path,
                                                       capsys: pytest.CaptureFixture[str]) -> None:
    rates, switch = tmp_path / 'rates.yaml', tmp_path / 'switch.yaml'
    rates.write_text('optimiser: {learning_rate: 1.0e-4}\nbody: {batch: 2}\n', encoding='utf-8')
    switch.write_text('body: {conditioning: add}\n', encoding='utf-8')
    given = ['--corpus', str(corpus), '--weights', str(trained), '--out', str(tmp_path)]
    average = load_checkpoint(trained).average
    same = _started(*given, '--config', str(rates))
    assert same.config.body == replace(load_config(tiny_config).body, batch=2)
    assert same.config.optimiser.learning_rate == 1.0e-4
    assert torch.equal(same.networks.body.frames.weight, average['body.frames.weight'])
    other = _started(*given, '--config', str(rates), str(switch))
    assert other.config.body.conditioning == 'add'
    assert 'the body is of another make' in capsys.readouterr().err
    assert not torch.equal(other.networks.body.frames.weight, average['body.frames.weight'])
    assert torch.equal(other.networks.face.frames.weight, average['face.frames.weight'])


def test_a_resumed_run_keeps_its_networks(corpus: Path, trained: Path, tmp_path: Path) -> None:
    switch = tmp_path / 'switch.yaml'
    switch.write_text('body: {layers: 3, batch: 2}\n', encoding='utf-8')
    resumed = _started('--corpus', str(corpus), '--out', str(trained), '--resume', '--config',
                       str(switch))
    assert (resumed.config.body.layers, resumed.config.body.batch) == (1, 2)


def test_a_loss_that_is_not_finite_stops_with_a_reason(corpus: Path, tiny_config: Path,
                                                       tmp_path: Path) -> None:
    trainer = train.start(train._arguments([
        '--corpus', str(corpus), '--out', str(tmp_path), '--config', str(tiny_config),
        '--device', 'cpu']))
    with torch.no_grad():
        trainer.networks.face.output.bias.fill_(float('nan'))
    with pytest.raises(TrainingError, match='unstable at step 0: face.frames'):
        trainer.advance(0.0)


@pytest.mark.parametrize(('more', 'message'), [
    (('--steps', '1', '--stages', 'legs'), "unknown stage 'legs'"),
    (('--steps', '1', '--resume'), 'no checkpoint at'),
    ((), 'give --steps or --minutes')])
def test_a_wrong_command_line_gets_one_sentence(corpus: Path, tiny_config: Path, tmp_path: Path,
                                                capsys: pytest.CaptureFixture[str],
                                                more: tuple[str, ...], message: str) -> None:
    assert _train(corpus, tmp_path, tiny_config, *more) != 0
    assert message in capsys.readouterr().err


def test_a_missing_corpus_and_a_wrong_config_key_get_one_sentence(
        corpus: Path, tiny_config: Path, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    assert _train(tmp_path, tmp_path, tiny_config, '--steps', '1') == 1
    assert 'holds neither face_takes.json nor body_takes.json' in capsys.readouterr().err
    wrong = tmp_path / 'wrong.yaml'
    wrong.write_text('face: {witdh: 3}\n', encoding='utf-8')
    assert _train(corpus, tmp_path, wrong, '--steps', '1') == 1
    assert 'witdh' in capsys.readouterr().err


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / 'checkpoint.pt').write_bytes(b'not a checkpoint')
    with pytest.raises(TrainingError, match='cannot be read'):
        load_checkpoint(tmp_path)


def test_a_config_survives_the_checkpoint(tiny_config: Path) -> None:
    config = load_config(tiny_config)
    assert config_from(plain(config)) == config


def test_the_learning_rate_warms_up_and_decays(tiny_config: Path) -> None:
    config = load_config(tiny_config)
    config = replace(config, optimiser=replace(config.optimiser, warm_up_steps=10))
    highest = config.optimiser.learning_rate
    assert train.learning_rate(config, 0, 0.0) == pytest.approx(0.1 * highest)
    assert train.learning_rate(config, 10, 0.0) == pytest.approx(highest)
    assert train.learning_rate(config, 99, 1.0) == pytest.approx(
        config.optimiser.final_rate * highest)


@pytest.mark.parametrize(('budget', 'share'), [
    (train.Budget(steps=10), 0.5), (train.Budget(minutes=2.0), 0.25),
    (train.Budget(steps=10, minutes=0.6), 5 / 6), (train.Budget(steps=2), 1.0)])
def test_a_budget_ends_by_steps_or_by_time(budget: train.Budget, share: float) -> None:
    assert budget.share(5, 30.0) == pytest.approx(share)
