"""Lines and curve of a run: smoothing, throughput, time left, and files that go on."""
from __future__ import annotations

import csv
from pathlib import Path

import pytest

pytest.importorskip('torch')

from gesture_training import progress as module
from gesture_training.progress import format_duration, Progress


class _Clock:
    """A clock that the test winds."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """Return the clock that progress looks at."""
    clock = _Clock()
    monkeypatch.setattr(module, 'time', clock)
    return clock


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding='utf-8') as stream:
        return list(csv.DictReader(stream))


def test_a_line_has_speed_time_left_and_losses(tmp_path: Path, clock: _Clock,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(tmp_path / 'curve.csv', windows=48, every_s=10.0)
    for step in range(1, 22):
        clock.now_s += 0.5
        progress.update(step, {'face.frames': 2.0}, step / 100, 1e-3)
    line = capsys.readouterr().err
    assert 'step 20 | 20 %' in line
    assert '2 steps/s 96 windows/s' in line
    assert '42 s left' in line
    assert 'face.frames 2.0000' in line
    row = _rows(tmp_path / 'curve.csv')[0]
    assert float(row['windows_per_s']) == pytest.approx(96.0)
    assert float(row['learning_rate']) == pytest.approx(1e-3)


def test_a_short_run_has_a_curve_too(tmp_path: Path, clock: _Clock) -> None:
    progress = Progress(tmp_path / 'curve.csv', windows=4)
    for step, loss in enumerate((4.0, 2.0), 1):
        clock.now_s += 1.0
        progress.update(step, {'face.frames': loss}, step / 2, 1e-3)
    progress.finish()
    progress.finish()
    rows = _rows(tmp_path / 'curve.csv')
    assert [row['step'] for row in rows] == ['2']
    assert float(rows[0]['face.frames']) == pytest.approx(3.0)


def test_a_curve_goes_on_and_one_with_other_terms_is_set_aside(tmp_path: Path,
                                                               clock: _Clock) -> None:
    path = tmp_path / 'curve.csv'
    for terms in ({'a': 1.0}, {'a': 2.0}, {'b': 3.0}, {'a': 4.0}):
        progress = Progress(path)
        clock.now_s += 1.0
        progress.update(1, terms, 0.5, 1e-3)
        progress.finish()
    assert [row['a'] for row in _rows(tmp_path / 'curve.1.csv')] == ['1.0', '2.0']
    assert [row['b'] for row in _rows(tmp_path / 'curve.2.csv')] == ['3.0']
    assert [row['a'] for row in _rows(path)] == ['4.0']


@pytest.mark.parametrize(('duration_s', 'text'), [
    (40.2, '40 s'), (-3.0, '0 s'), (300.0, '5 min'), (3_900.0, '1 h 05 min')])
def test_durations_read_well(duration_s: float, text: str) -> None:
    assert format_duration(duration_s) == text
