"""Few-call students: the sampler in torch, what a student learns, and what its bundle says."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from gesture_training import distill, train  # noqa: E402
from gesture_training.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from gesture_training.distill_report import compare  # noqa: E402
from gesture_training.exceptions import TrainingError  # noqa: E402
from gesture_training.export import export_bundle, model_of_run  # noqa: E402
from gesture_training.liveliness import CALLS  # noqa: E402
from gesture_training.sampling import estimates, sample, SamplingPlan  # noqa: E402

from gesture_node.bundle import read_bundle  # noqa: E402
from gesture_node.config import BodyConfig, GestureConfig  # noqa: E402
from gesture_node.diffusion.denoiser import Conditioning  # noqa: E402
from gesture_node.diffusion.sampler import Sampler  # noqa: E402
from gesture_node.diffusion.schedule import Schedule  # noqa: E402
from gesture_node.pipeline import GesturePipeline  # noqa: E402


@pytest.fixture(scope='module')
def teacher(corpus: Path, tiny_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run folder whose networks depend on noise, level and speech."""
    out = tmp_path_factory.mktemp('teacher')
    trainer = train.start(train._arguments([
        '--corpus', str(corpus), '--out', str(out), '--config', str(tiny_config), '--device',
        'cpu']))
    with torch.no_grad():
        for network in (trainer.networks.body, trainer.networks.face):
            for parameter in network.parameters():
                if not parameter.any():
                    parameter.normal_(std=0.1)
    trainer.average.load_state_dict(trainer.networks.state_dict())
    save_checkpoint(trainer.checkpoint(), out)
    return out


def _distil(corpus: Path, run: Path, out: Path, channel: str, *more: str) -> int:
    return distill.main(['--run', str(run), '--channel', channel, '--out', str(out), '--corpus',
                         str(corpus), '--device', 'cpu', *more])


class _Toy:
    """A denoiser for both samplers: a smooth function of frames and level."""

    def __call__(self, x_t: np.ndarray, level: int, conditioning: Conditioning,
                 guidance: float) -> np.ndarray:
        return np.tanh(0.8 * x_t + level / 700.0).astype(np.float32)

    @staticmethod
    def predict(x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        return torch.tanh(0.8 * x + level[:, None, None] / 700.0)


@pytest.mark.parametrize('calls', [1, 2, 3, 8])
@pytest.mark.parametrize('steady', [(), (0, 3)])
def test_training_samples_as_the_runtime_does(calls: int, steady: tuple[int, ...]) -> None:
    random = np.random.default_rng(calls)
    noise, seed = random.standard_normal((2, 9, 4)).astype(np.float32)
    mask = (np.arange(9) < 3).astype(np.float32)
    seed *= mask[:, None]
    empty = np.zeros(0, np.float32)
    conditioning = Conditioning(np.zeros((9, 1), np.float32), empty, empty, seed, mask)
    schedule = Schedule.cosine(shift=6.0)
    expected = Sampler(schedule, calls, steady=steady).sample(_Toy(), conditioning, noise)
    found = sample(_Toy.predict, *(torch.from_numpy(v)[None] for v in (noise, seed, mask)),
                   SamplingPlan(schedule, calls, steady))
    assert np.allclose(found[0].numpy(), expected, atol=1e-5)


def test_an_estimate_teaches_its_own_call_alone() -> None:
    weights = [torch.ones(1, requires_grad=True) for _ in range(2)]
    calls = iter(weights)
    noise, mask = torch.randn(1, 5, 4), torch.zeros(1, 5)
    found = list(estimates(lambda x, level: x * next(calls), noise, torch.zeros(1, 5, 4), mask,
                           SamplingPlan(Schedule.cosine(), 2)))
    found[1].sum().backward()
    assert weights[0].grad is None
    assert weights[1].grad is not None


@pytest.mark.parametrize('channel', ['body', 'face'])
def test_a_student_comes_nearer_to_its_teacher(channel: str, corpus: Path, teacher: Path,
                                               tmp_path: Path) -> None:
    options = distill._arguments([
        '--run', str(teacher), '--channel', channel, '--out', str(tmp_path), '--corpus',
        str(corpus), '--device', 'cpu', '--learning-rate', '5e-3', '--teacher-calls', '4'])
    distiller, pack = distill.start(options)
    before = {k: v.clone() for k, v in distiller.student.state_dict().items()}
    train.run(distiller, train.Budget(steps=25), tmp_path)
    found = compare(distiller.teacher, distiller.average, distiller.config, channel, pack,
                    load_checkpoint(tmp_path).statistics)
    assert found['teacher 4']['error'] == 0.0
    assert found['student 2']['error'] < 0.8 * found['teacher 2']['error']
    changed = {name.split('.')[0] for name, value in distiller.student.state_dict().items()
               if not torch.equal(value, before[name])}
    assert changed == {channel}


def test_a_distilled_bundle_recommends_its_calls(corpus: Path, teacher: Path,
                                                 tmp_path: Path) -> None:
    assert _distil(corpus, teacher, tmp_path / 'body', 'body', '--steps', '2') == 0
    assert _distil(corpus, tmp_path / 'body', tmp_path / 'both', 'face', '--steps', '2',
                   '--calls', '1') == 0
    assert (tmp_path / 'both' / distill.REPORT_NAME).is_file()
    model = model_of_run(tmp_path / 'both', 'few')
    assert model.statement['distilled']['body']['calls'] == 2
    bundle = read_bundle(export_bundle(model, tmp_path / 'bundle'))
    assert (bundle.body.steps, bundle.face.steps) == (2, 1)
    pipeline = GesturePipeline.from_bundle(bundle.path)
    assert pipeline.create_stream().steps == (2, 1)
    more = GestureConfig(body=BodyConfig(steps=3))
    assert pipeline.create_stream(config=more).steps == (3, 1)


def test_training_on_undoes_the_recommendation_of_what_it_trains(corpus: Path, teacher: Path,
                                                                 tmp_path: Path) -> None:
    assert _distil(corpus, teacher, tmp_path / 'few', 'body', '--steps', '1', '--calls', '1') == 0
    for stage, calls in (('face', 1), ('body', CALLS['body'])):
        assert train.main([
            '--corpus', str(corpus), '--out', str(tmp_path / stage), '--weights',
            str(tmp_path / 'few'), '--stages', stage, '--steps', '1', '--device', 'cpu']) == 0
        assert model_of_run(tmp_path / stage, 'on').calls['body'] == calls


def test_distillation_resumes(corpus: Path, teacher: Path, tmp_path: Path) -> None:
    assert _distil(corpus, teacher, tmp_path / 'whole', 'body', '--steps', '4') == 0
    options = distill._arguments([
        '--run', str(teacher), '--channel', 'body', '--out', str(tmp_path / 'parts'), '--corpus',
        str(corpus), '--device', 'cpu'])
    first, _ = distill.start(options)
    for step in range(2):
        first.advance(step / 4)
    save_checkpoint(first.checkpoint(), tmp_path / 'parts')
    assert _distil(corpus, teacher, tmp_path / 'parts', 'body', '--steps', '4', '--resume') == 0
    one, other = (load_checkpoint(tmp_path / name) for name in ('whole', 'parts'))
    assert other.step == 4
    for name, value in one.average.items():
        assert torch.allclose(value, other.average[name], atol=1e-6), name


@pytest.mark.parametrize(('more', 'message'), [
    (('--steps', '1', '--calls', '8'), 'distill.calls is 8'),
    (('--steps', '1', '--teacher-calls', '1'), 'DistillConfig.teacher_calls must be in'),
    ((), 'give --steps or --minutes')])
def test_a_wrong_command_line_gets_one_sentence(corpus: Path, teacher: Path, tmp_path: Path,
                                                capsys: pytest.CaptureFixture[str],
                                                more: tuple[str, ...], message: str) -> None:
    assert _distil(corpus, teacher, tmp_path, 'body', *more) != 0
    assert message in capsys.readouterr().err


def test_a_student_is_no_teacher_of_the_same_channel(corpus: Path, teacher: Path, tmp_path: Path,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    assert _distil(corpus, teacher, tmp_path / 'once', 'body', '--steps', '1') == 0
    assert _distil(corpus, tmp_path / 'once', tmp_path / 'twice', 'body', '--steps', '1') == 1
    assert 'is distilled already' in capsys.readouterr().err


def test_a_student_that_breaks_stops_with_a_reason(corpus: Path, teacher: Path,
                                                   tmp_path: Path) -> None:
    distiller, _ = distill.start(distill._arguments([
        '--run', str(teacher), '--channel', 'face', '--out', str(tmp_path), '--corpus',
        str(corpus), '--device', 'cpu']))
    with torch.no_grad():
        distiller.student.face.output.bias.fill_(float('nan'))
    with pytest.raises(TrainingError, match=r'unstable at step 0: face\.call1\.frames'):
        distiller.advance(0.0)
