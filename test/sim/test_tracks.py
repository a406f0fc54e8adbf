"""Values and sound at times."""
from __future__ import annotations

import numpy as np
import pytest

from gesture_node.exceptions import SimulationError
from gesture_node.sim.tracks import Sound, Track


def test_a_track_is_linear_between_samples_and_held_outside():
    track = Track(np.array([1.0, 2.0, 4.0]), np.array([[0.0, 1.0], [1.0, 3.0], [5.0, 3.0]]))
    np.testing.assert_allclose(track.at(0.0), [0.0, 1.0])
    np.testing.assert_allclose(track.at(1.5), [0.5, 2.0])
    np.testing.assert_allclose(track.at(3.0), [3.0, 3.0])
    np.testing.assert_allclose(track.at(9.0), [5.0, 3.0])


def test_two_samples_at_one_time_are_a_step():
    track = Track(np.array([0.0, 1.0, 1.0]), np.array([[0.0], [1.0], [7.0]]))
    np.testing.assert_allclose(track.at(1.0), [7.0])
    np.testing.assert_allclose(track.at(0.999), [0.999])


def test_a_stretch_of_a_track():
    track = Track(np.arange(5.0), np.arange(5.0)[:, None])
    np.testing.assert_allclose(track.between(0.5, 3.0).times_s, [1.0, 2.0, 3.0])
    np.testing.assert_allclose(track.between(9.0, 10.0).times_s, [4.0])


@pytest.mark.parametrize(('times', 'values'), [
    (np.zeros(2), np.zeros((3, 1))), (np.zeros(2), np.zeros(2)), (np.zeros(0), np.zeros((0, 4))),
    (np.array([1.0, 0.0]), np.zeros((2, 1)))])
def test_what_is_no_track_is_refused(times, values):
    with pytest.raises(SimulationError, match='track'):
        Track(times, values)


def test_sound_from_a_time():
    sound = Sound(np.arange(1, 5, dtype=np.float32), 2, start_s=1.0)
    assert sound.end_s == 3.0
    np.testing.assert_allclose(sound.from_time(0.0), [0, 0, 1, 2, 3, 4])
    np.testing.assert_allclose(sound.from_time(2.0), [3, 4])
    assert len(sound.from_time(9.0)) == 0
