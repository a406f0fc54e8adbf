"""A video that was written can be read, and what is heard is seen at the same time."""
from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from gesture_node.exceptions import SimulationError
from gesture_node.motion.face import BLENDSHAPE_INDEX
from gesture_node.sim import render
from gesture_node.sim.panel import WIDTH as PANEL_WIDTH
from gesture_node.sim.tracks import Sound, Track
from gesture_node.sim.video import HEIGHT, ROBOT_WIDTH, RobotMotion, write_video

RATE_HZ = 16_000
CLICK_S = (0.3, 0.72)
SECONDS = 1.0
MOUTH = np.s_[300:460, 140:290]


def clicks(seconds: float) -> np.ndarray:
    """Return bursts of 40 ms that begin at the clicks."""
    samples = np.zeros(round(seconds * RATE_HZ), np.float32)
    for at_s in CLICK_S:
        burst = np.s_[round(at_s * RATE_HZ):round((at_s + 0.04) * RATE_HZ)]
        samples[burst] = 0.8 * np.sin(2 * np.pi * 1000 * np.arange(640) / RATE_HZ)
    return samples


def jaw(start_s: float, seconds: float) -> Track:
    """Return a face whose jaw is open for 40 ms at every click."""
    times_s = start_s + np.arange(0.0, seconds, 0.02)
    weights = np.zeros((len(times_s), 52), np.float32)
    for at_s in CLICK_S:
        open_now = (times_s >= start_s + at_s - 1e-6) & (times_s < start_s + at_s + 0.039)
        weights[open_now, BLENDSHAPE_INDEX['jawOpen']] = 1.0
    return Track(times_s, weights)


def read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return picture times, their darkness around the mouth, sound times and level."""
    times, dark, sound_times, level = [], [], [], []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.video[0]):
            mouth = frame.to_ndarray(format='rgb24')[:, -PANEL_WIDTH:][MOUTH].astype(int)
            times.append(float(frame.time))
            dark.append(int((mouth.sum(axis=-1) < 230).sum()))
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.audio[0]):
            samples = frame.to_ndarray().reshape(-1)
            sound_times.append(frame.time + np.arange(len(samples)) / frame.sample_rate)
            level.append(np.abs(samples))
    return np.array(times), np.array(dark), np.concatenate(sound_times), np.concatenate(level)


@pytest.mark.parametrize('sound_late_s', [0.0, 0.2])
def test_a_click_is_heard_when_the_jaw_is_seen_open(tmp_path: Path, sound_late_s: float):
    """Face and sound begin together on the clock, or the sound's file begins later by 0.2 s."""
    path = tmp_path / 'clicks.mp4'
    cut = round(sound_late_s * RATE_HZ)
    sound = Sound(clicks(SECONDS)[cut:], RATE_HZ, 100.0 + cut / RATE_HZ)
    report = write_video(path, None, jaw(100.0, SECONDS), sound, rate_hz=25)
    assert report.start_s == pytest.approx(100.0)
    times, dark, sound_times, level = read(path)
    assert len(times) == report.pictures
    for at_s in CLICK_S:
        near = np.abs(times - at_s) < 0.2
        seen = times[near][dark[near] > 0.5 * dark.max()]
        heard = sound_times[(np.abs(sound_times - at_s) < 0.2) & (level > 0.2)]
        # Seen from the picture's begin, 1/25 s long; heard within the blur of the codec.
        assert len(seen) and abs(seen.min() - at_s) <= 0.04
        assert heard.min() == pytest.approx(at_s, abs=0.012)
        assert heard.max() == pytest.approx(at_s + 0.04, abs=0.012)


def test_a_sound_that_begins_later_is_padded_with_silence(tmp_path: Path):
    path = tmp_path / 'late.mp4'
    write_video(path, None, jaw(0.0, SECONDS), Sound(clicks(SECONDS), RATE_HZ, 0.25), rate_hz=25)
    _, _, sound_times, level = read(path)
    assert sound_times[level > 0.2].min() == pytest.approx(CLICK_S[0] + 0.25, abs=0.012)


def test_robot_face_and_progress(tmp_path: Path, monkeypatch, arm_urdf: Path):
    monkeypatch.setattr(render, 'why_no_gl', lambda: 'kept simple')
    times_s = np.arange(0.0, 0.3, 0.02)
    positions = np.stack([4.0 * times_s, -times_s], axis=-1)
    robot = RobotMotion(arm_urdf, ('shoulder', 'elbow'), Track(times_s, positions))
    seen: list[tuple[int, int]] = []
    report = write_video(tmp_path / 'out' / 'arm.mp4', robot, None, None, title='arm',
                         captions=('one', 'two'), progress=lambda *at: seen.append(at))
    assert report.is_drawn
    assert seen == [(k + 1, report.pictures) for k in range(report.pictures)]
    with av.open(str(report.path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (ROBOT_WIDTH + PANEL_WIDTH, HEIGHT)
        frames = [frame.to_ndarray(format='gray') for frame in container.decode(stream)]
    assert len(frames) == report.pictures
    assert np.abs(frames[0][:, :ROBOT_WIDTH].astype(int) - frames[-3][:, :ROBOT_WIDTH]).max() > 60


def test_nothing_to_show_is_refused(tmp_path: Path):
    with pytest.raises(SimulationError, match='got neither'):
        write_video(tmp_path / 'x.mp4', None, None, None)
    with pytest.raises(SimulationError, match='52 weights, got 3'):
        write_video(tmp_path / 'x.mp4', None, Track(np.zeros(1), np.zeros((1, 3))), None)
    assert not (tmp_path / 'x.mp4').exists()
