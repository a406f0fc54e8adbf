"""A recorded run becomes a video around its sound."""
from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from gesture_node.exceptions import RobotError
from gesture_node.sim import film as film_module
from gesture_node.sim import render
from gesture_node.sim.film import film, main


@pytest.fixture
def recording(make_recording):
    made = make_recording(seconds=1.2)
    joint = np.asarray(made.positions)
    return type(made)(**{**{name: getattr(made, name) for name in made.__slots__},
                         'joint_names': ('left_elbow',), 'positions': np.abs(joint)})


def test_the_video_begins_shortly_before_the_sound(recording, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(render, 'why_no_gl', lambda: 'kept simple')
    report = film(recording, tmp_path / 'run.mp4', rate_hz=10)
    assert report.start_s == pytest.approx(recording.sound_start_s - 0.4, abs=0.011)
    with av.open(str(report.path)) as container:
        assert len(container.streams.audio) == 1
        assert sum(1 for _ in container.decode(container.streams.video[0])) == report.pictures


def test_the_command_writes_the_video_of_a_file(recording, tmp_path: Path, monkeypatch, capsys):
    written: list[tuple[Path, int]] = []

    def write(run, path, *, rate_hz, progress):
        written.append((path, rate_hz))
        return film_module.VideoReport(path, 3, 0.3, 0.0, False)

    monkeypatch.setattr(film_module, 'film', write)
    recording.save(tmp_path / 'run.npz')
    assert main([str(tmp_path / 'run.npz'), str(tmp_path / 'v.mp4'), '--rate', '10']) == 0
    assert written == [(tmp_path / 'v.mp4', 10)]
    assert 'v.mp4: 0.3 s, 3 pictures' in capsys.readouterr().out


def test_a_user_error_is_one_sentence(tmp_path: Path, recording, capsys):
    assert main([str(tmp_path / 'none.npz'), str(tmp_path / 'v.mp4')]) == 1
    error = capsys.readouterr().err
    assert error.startswith('error: ') and 'none.npz' in error and error.count('\n') == 1
    recording.notes['robot'] = 'nobody'
    with pytest.raises(RobotError, match='nobody'):
        film(recording, tmp_path / 'v.mp4')
