"""What a run leaves behind, without any of its processes."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from gesture_node.ros.sim_recorder import recording_path, SimRecorder
from gesture_node.sim.rig import Tick

MS = 1_000_000
START_NS = 1_700_000_000_000_000_000


def tick(index: int) -> Tick:
    values = np.full(2, 0.001 * index)
    return Tick(START_NS + index * 5 * MS, values, values - 0.01, values + 1.0)


def filled(max_s: float = 100.0) -> SimRecorder:
    """Return a recorder after one second at 200 Hz with 25 face frames and packets."""
    recorder = SimRecorder(('a', 'b'), 200.0, max_s)
    for index in range(200):
        recorder.add_tick(tick(index))
        if index % 8 == 0:
            at_ns = START_NS + index * 5 * MS
            recorder.add_face(np.full(52, 0.5, np.float32), at_ns, at_ns + 2 * MS)
            recorder.add_sound(np.zeros(640, np.float32), 16_000, at_ns, at_ns - 30 * MS)
            recorder.add_trajectory(at_ns if index else 0, at_ns)
    return recorder


def test_everything_is_kept_on_one_clock_at_100_hz():
    recording = filled().recording({'robot': 'x'})
    assert recording.start_ns == START_NS
    np.testing.assert_allclose(recording.times_s, np.arange(0.0, 1.0, 0.01), atol=1e-9)
    np.testing.assert_allclose(recording.commanded - recording.positions, 0.01, atol=1e-6)
    np.testing.assert_allclose(recording.face_stamps_s, np.arange(0.0, 1.0, 0.04), atol=1e-9)
    assert recording.face_weights.shape == (25, 52)
    assert len(recording.sound) == 16_000 and recording.sound_start_s == 0.0
    assert np.isnan(recording.trajectory_stamps_s[0])
    figures = recording.notes['figures']
    assert figures['stamp_error_s']['max'] == 0.002
    assert figures['face_frames'] == figures['trajectories'] == 25


def test_what_comes_beyond_the_longest_recording_is_counted():
    recorder = filled(max_s=0.5)
    recording = recorder.recording({})
    assert recording.times_s[-1] <= 0.5 and recorder.beyond > 50


def test_a_recorder_that_saw_nothing_has_an_empty_recording():
    recording = SimRecorder(('a', 'b'), 200.0, 10.0).recording({})
    assert recording.positions.shape == (0, 2)
    assert recording.face() is None and recording.heard() is None
    assert recording.notes['figures']['stamp_error_s'] is None


def test_record_names_a_file_or_a_folder(tmp_path: Path):
    assert recording_path(str(tmp_path)) == tmp_path / 'sim_recording.npz'
    assert recording_path(str(tmp_path / 'run.npz')) == tmp_path / 'run.npz'
