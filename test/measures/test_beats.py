"""Beats are the ends of strokes, in seconds, at any frame rate."""
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.measures.beats import wrist_beats, wrist_speeds


def strokes(ends_s, fps, duration_s=6.0, travel_m=0.25, stroke_s=0.4, wrist=1):
    """Return wrists of which one moves to and fro by strokes that end at ``ends_s``."""
    times = np.arange(int(duration_s * fps)) / fps
    height = np.zeros(len(times))
    for k, end in enumerate(ends_s):
        x = np.clip((times - end + stroke_s) / stroke_s, 0.0, 1.0)
        height += (-1) ** k * travel_m * x ** 3 * (10 - 15 * x + 6 * x ** 2)
    positions = np.zeros((len(times), 2, 3))
    positions[:, wrist, 2] = height
    return positions


@pytest.mark.parametrize('fps', [20, 25, 30, 50, 120])
def test_beats_lie_at_the_ends_of_strokes(fps):
    ends = np.array([1.0, 2.1, 3.3, 4.5])
    beats = wrist_beats(strokes(ends, fps), fps)
    assert len(beats.times_s) == len(ends)
    # A minimum-jerk stroke is below a fifth of its peak speed for its last 12 %.
    assert np.abs(beats.times_s - (ends - 0.05)).max() < 0.05


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0.5, 0.9), min_size=2, max_size=6), st.floats(0.1, 0.4))
def test_frame_rate_does_not_matter(gaps, travel_m):
    ends = 0.6 + np.cumsum(gaps)
    slow = wrist_beats(strokes(ends, 25, 7.5, travel_m), 25)
    fast = wrist_beats(strokes(ends, 100, 7.5, travel_m), 100)
    assert len(slow.times_s) == len(fast.times_s)
    assert np.abs(slow.times_s - fast.times_s).max() < 0.02
    assert np.allclose(slow.speeds, fast.speeds, rtol=0.05)


def test_jitter_earns_nothing():
    rng = np.random.default_rng(0)
    ends = np.array([1.0, 2.5, 4.0])
    clean = strokes(ends, 50)
    shaky = clean + 0.001 * rng.standard_normal(clean.shape)
    assert len(wrist_beats(shaky, 50).times_s) == len(ends)


def test_both_wrists_together_are_one_beat():
    ends = np.array([1.0, 2.5])
    both = strokes(ends, 25) + strokes(ends + 0.04, 25, wrist=0)
    assert len(wrist_beats(both, 25).times_s) == len(ends)


def test_slow_sway_is_no_beat():
    times = np.arange(500) / 25
    positions = np.zeros((500, 2, 3))
    positions[:, :, 1] = 0.02 * np.sin(2 * np.pi * 0.3 * times)[:, None]
    assert len(wrist_beats(positions, 25).times_s) == 0


@pytest.mark.parametrize('frames', [0, 1, 7])
def test_too_short_motion_has_no_beats(frames):
    positions = np.zeros((frames, 2, 3))
    assert len(wrist_beats(positions, 25).times_s) == 0
    assert wrist_speeds(positions, 25)[1].shape == (0, 2)
