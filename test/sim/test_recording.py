"""A recording survives its file, and sound is joined at its time."""
from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from gesture_node.exceptions import SimulationError
from gesture_node.sim.recording import FaceRecorder, SimRecording, SoundRecorder

MS = 1_000_000
START_NS = 5_000_000_000
RATE_HZ = 16_000


def test_a_recording_is_read_as_it_was_written(make_recording, tmp_path: Path):
    recording = make_recording()
    path = tmp_path / 'new' / 'run.npz'
    recording.save(path)
    back = SimRecording.load(path)
    for item in fields(SimRecording):
        expected, found = getattr(recording, item.name), getattr(back, item.name)
        if isinstance(expected, np.ndarray):
            np.testing.assert_array_equal(found, expected)
        else:
            assert found == expected and type(found) is type(expected), item.name


def test_what_is_no_recording_is_named(tmp_path: Path):
    with pytest.raises(SimulationError, match='missing.npz'):
        SimRecording.load(tmp_path / 'missing.npz')
    other = tmp_path / 'other.npz'
    np.savez(other, x=np.zeros(2))
    with pytest.raises(SimulationError, match='other.npz'):
        SimRecording.load(other)
    text = tmp_path / 'text.npz'
    text.write_text('hello')
    with pytest.raises(SimulationError, match='text.npz'):
        SimRecording.load(text)


def test_tracks_of_a_recording(make_recording):
    recording = make_recording()
    assert recording.motion().values.shape == (400, 1)
    assert recording.face().values.shape == (150, 52)
    assert recording.heard().start_s == 1.0


def packet(value: float, samples: int = 320) -> np.ndarray:
    return np.full(samples, value, np.float32)


def test_stamped_sound_is_joined_and_gaps_are_filled():
    recorder = SoundRecorder()
    recorder.add(packet(0.1), RATE_HZ, START_NS, START_NS - 5 * MS)
    recorder.add(packet(0.2), RATE_HZ, START_NS + 21 * MS, START_NS)
    recorder.add(packet(0.3), RATE_HZ, START_NS + 100 * MS, START_NS)
    sound = recorder.sound()
    assert recorder.start_ns == START_NS
    np.testing.assert_allclose(sound[320:640], 0.2)
    np.testing.assert_allclose(sound[640:1600], 0.0)
    np.testing.assert_allclose(sound[1600:], 0.3)


def test_sound_without_stamps_is_heard_on_arrival_and_jitter_is_no_gap():
    recorder = SoundRecorder()
    for index, late_ms in enumerate((0, 30, 5, 60)):
        recorder.add(packet(0.1), RATE_HZ, None, START_NS + (20 * index + late_ms) * MS)
    assert recorder.start_ns == START_NS
    assert len(recorder.sound()) == 4 * 320
    recorder.add(packet(0.4), RATE_HZ, None, START_NS + 500 * MS)
    assert len(recorder.sound()) == RATE_HZ // 2 + 320
    assert recorder.stamps_ns == sorted(recorder.stamps_ns)


def test_another_rate_is_resampled_to_the_first():
    recorder = SoundRecorder()
    recorder.add(packet(0.1), RATE_HZ, START_NS, START_NS)
    recorder.add(packet(0.1, 960), 48_000, START_NS + 20 * MS, START_NS)
    assert len(recorder.sound()) == 640


def test_without_anything_recorded_there_is_nothing(make_recording):
    assert len(SoundRecorder().sound()) == 0
    assert FaceRecorder().weights().shape == (0, 52)
    assert make_recording(seconds=1.0).face() is None
    assert make_recording(seconds=1.0).heard() is None
