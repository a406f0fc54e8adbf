"""Several processes give what one gives with the whole batch: real ``torchrun``, real gloo."""
from __future__ import annotations

import csv
import os
from pathlib import Path
import subprocess
import sys

import pytest

torch = pytest.importorskip('torch')

from gesture_training import parallel, train  # noqa: E402
from gesture_training.checkpoint import load_checkpoint  # noqa: E402
from gesture_training.config import load_config  # noqa: E402
from gesture_training.corpora.pack import read_pack  # noqa: E402
from gesture_training.data import WindowSampler  # noqa: E402
from gesture_training.exceptions import TrainingError  # noqa: E402
from gesture_training.statistics import Statistics  # noqa: E402

_ROOT = Path(__file__).parents[2]
_EXACT = 'optimiser: {bf16: false}\nlosses: {masked: 0.5}\n'


def _losses(out: Path) -> dict[str, float]:
    with (out / 'curve.csv').open(encoding='utf-8') as stream:
        return {name: float(value) for name, value in list(csv.DictReader(stream))[-1].items()
                if '.' in name}


@pytest.mark.timeout(1600)
def test_two_processes_have_the_gradient_of_one(corpus: Path, tiny_config: Path,
                                                tmp_path: Path) -> None:
    """After the first step AdamW's first moment is a tenth of the (clipped) gradient."""
    exact = tmp_path / 'exact.yaml'
    exact.write_text(_EXACT, encoding='utf-8')
    options = ['--corpus', str(corpus), '--config', str(tiny_config), str(exact), '--device',
               'cpu', '--steps', '1']
    assert train.main([*options, '--out', str(tmp_path / 'one')]) == 0
    found = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2',
         '-m', 'gesture_training.train', *options, '--out', str(tmp_path / 'two')],
        env=os.environ | {'PYTHONPATH': f'{_ROOT}:{_ROOT / "training"}', 'OMP_NUM_THREADS': '1'},
        capture_output=True, text=True, timeout=1500, check=False)
    assert found.returncode == 0, found.stderr[-2000:]
    assert found.stderr.count('checkpoint in') == 1
    one, two = (load_checkpoint(tmp_path / name) for name in ('one', 'two'))
    assert two.machine.startswith('2 x ')
    moments = [run.optimiser['state'] for run in (one, two)]
    assert moments[0].keys() == moments[1].keys()
    assert len(moments[0]) > 50
    largest = max(float(state['exp_avg'].abs().max()) for state in moments[0].values())
    for key, state in moments[0].items():
        error = (state['exp_avg'] - moments[1][key]['exp_avg']).abs().max()
        assert error < 1e-5 * largest, key
    losses = [_losses(tmp_path / name) for name in ('one', 'two')]
    assert losses[0].keys() == losses[1].keys()
    assert losses[0]['body.masked'] > 0.0
    for name, value in losses[0].items():
        assert losses[1][name] == pytest.approx(value, rel=1e-4, abs=2e-6), name


def test_rows_of_all_processes_are_the_batch(corpus: Path, tiny_config: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    statistics, config = Statistics.neutral(), load_config(tiny_config)
    batch = WindowSampler(read_pack(corpus, 'face'), 'face', config, statistics.face_mean,
                          statistics.face_std).draw(0, 0)
    assert parallel.rows(batch) is batch
    monkeypatch.setattr(parallel, 'size', lambda: 2)
    parts = []
    for number in range(2):
        monkeypatch.setattr(parallel, 'rank', lambda number=number: number)
        parts.append(parallel.rows(batch))
    for number, part in enumerate(parts):
        assert torch.equal(part.features, batch.features[number::2])
        assert torch.equal(part.phones, batch.phones[number::2])
    monkeypatch.setattr(parallel, 'size', lambda: 3)
    with pytest.raises(TrainingError, match='batch of 4 windows cannot be shared by 3 processes'):
        parallel.rows(batch)


def test_alone_nothing_is_changed() -> None:
    value = torch.randn(3)
    assert parallel.mean_over_processes(value) is value
    assert parallel.first_says(0.25, torch.device('cpu')) == 0.25
    parallel.average_gradients([value])
    assert value.grad is None
