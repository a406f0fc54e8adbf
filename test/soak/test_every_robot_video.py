"""``gesture_from_file --robot X --video`` for every robot: a video that plays, and safe motion.

``SOAK_ROBOTS`` names robots, separated by commas.
"""
from __future__ import annotations

import json
import os
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from gesture_node.cli import gesture_from_file
from gesture_node.motion.robot import profile_names
from gesture_node.sim.video import HEIGHT, ROBOT_WIDTH

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3_600)]

ROOT = Path(__file__).resolve().parents[2]
CHOSEN = tuple(filter(None, os.environ.get('SOAK_ROBOTS', '').split(','))) or profile_names()
SPEECH, SECONDS = ROOT / 'examples' / 'hello.wav', 3.0
EDGE_PX, DIFFERENT = 4, 40


@pytest.mark.parametrize('name', CHOSEN)
def test_a_robot_is_filmed(name: str, tmp_path: Path) -> None:
    samples, rate = soundfile.read(SPEECH)
    soundfile.write(tmp_path / 'short.wav', samples[:round(SECONDS * rate)], rate)
    out = tmp_path / 'out'
    assert gesture_from_file.main([str(tmp_path / 'short.wav'), '--robot', name, '--out',
                                   str(out), '--video']) == 0
    summary = json.loads((out / 'summary.json').read_text())
    assert not any(summary['limit_violations'].values()) and summary['nan_count'] == 0
    joints = np.genfromtxt(out / 'joints.csv', delimiter=',', skip_header=1)
    assert np.isfinite(joints).all() and np.ptp(joints[:, 1:], axis=0).max() > 0.05
    with av.open(str(out / 'video.mp4')) as film:
        assert film.streams.video and film.streams.audio
        pictures = [frame.to_ndarray(format='rgb24')[:, :ROBOT_WIDTH].astype(int)
                    for frame in film.decode(film.streams.video[0])][::10]
    assert len(pictures) * 10 / 25.0 >= SECONDS
    for picture in pictures:
        # Head and hands are inside: neither the top nor the sides of the picture touch the robot.
        background = 0.5 * (picture[:, :1] + picture[:, -1:])
        robot = np.abs(picture - background).max(axis=-1) > DIFFERENT
        assert picture.shape[0] == HEIGHT and robot.mean() > 0.02
        assert not robot[:EDGE_PX].any() and not robot[:, :EDGE_PX].any()
        assert not robot[:, -EDGE_PX:].any()
