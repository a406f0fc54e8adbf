"""The figures of synchrony find what was put into a made-up run."""
from __future__ import annotations

import numpy as np
import pytest

from gesture_node.sim.sync import grid_errors, stamp_errors, summarise, tracking_lag_s


def test_messages_in_time_have_no_error(make_recording):
    figures = summarise(make_recording(face_late_s=-0.05, audio_late_s=-0.3))
    assert figures['stamp_error_s'] == {'p50': 0.0, 'p95': 0.0, 'max': 0.0}
    assert figures['face_late_s']['max'] == figures['audio_late_s']['max'] == 0.0


@pytest.mark.parametrize(('face_s', 'audio_s', 'expected_s'), [
    (0.03, 0.0, 0.03), (0.0, 0.03, -0.03), (0.03, 0.03, 0.0), (0.05, 0.02, 0.03),
    (-0.2, 0.02, -0.02)])
def test_the_error_is_how_far_sound_and_face_of_one_stamp_are_apart(
        make_recording, face_s, audio_s, expected_s):
    errors = stamp_errors(make_recording(face_late_s=face_s, audio_late_s=audio_s))
    assert len(errors) == 150
    np.testing.assert_allclose(errors, expected_s, atol=1e-9)


def test_frames_outside_the_sound_do_not_count(make_recording):
    recording = make_recording(seconds=6.0)
    short = make_recording(seconds=4.0)
    errors = stamp_errors(type(recording)(**{
        **{name: getattr(recording, name) for name in recording.__slots__},
        'sound': short.sound, 'audio_stamps_s': short.audio_stamps_s,
        'audio_arrivals_s': short.audio_arrivals_s}))
    assert len(errors) == 150


@pytest.mark.parametrize('lag_s', [0.0, 0.02, 0.075])
def test_the_lag_of_the_joints_is_found(make_recording, lag_s):
    assert tracking_lag_s(make_recording(lag_s=lag_s)) == pytest.approx(lag_s, abs=0.0015)


def test_stamps_off_the_grid_of_the_sound_are_found(make_recording):
    np.testing.assert_allclose(grid_errors(make_recording()), 0.0, atol=1e-9)
    errors = grid_errors(make_recording(grid_s=-0.007))
    assert len(errors) == 10
    np.testing.assert_allclose(errors, -0.007, atol=1e-9)
