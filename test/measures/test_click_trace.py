"""Centres of bursts and of their traces."""
import numpy as np
import pytest

from gesture_node.measures.click_trace import burst_times, trace_centres

RATE = 16_000
ORIGIN = 1_700_000_000.0


def bursts(at_s, seconds=4.0):
    t = np.arange(round(seconds * RATE)) / RATE
    envelope = sum(((t >= at) & (t < at + 0.06)).astype(float) for at in at_s)
    return ORIGIN + t, envelope * np.sin(2 * np.pi * 1_000 * t)


def test_bursts_are_found_at_their_middle():
    found = burst_times(*bursts((0.5, 1.7, 3.2)), apart_s=0.3)
    assert found - ORIGIN == pytest.approx([0.53, 1.73, 3.23], abs=1e-4)
    assert len(burst_times(np.arange(9.0), np.zeros(9), 0.3)) == 0


@pytest.mark.parametrize('late_s', [-0.03, 0.0, 0.015, 0.2])
def test_the_lateness_of_a_trace_is_found_between_its_samples(late_s):
    heard = np.array([1.0, 2.3])
    t = np.arange(0.0, 4.0, 0.01)
    phase = np.clip((t[:, None] - heard - late_s) / 0.8, 0.0, 1.0)
    trace = 0.7 + (1.0 - np.cos(2 * np.pi * phase)).sum(axis=1)
    centres = trace_centres(t, trace, heard - 0.1, 1.2)
    assert centres - heard - 0.4 == pytest.approx([late_s] * 2, abs=1e-3)


def test_what_does_not_move_has_no_centre():
    t = np.arange(0.0, 4.0, 0.01)
    assert np.isnan(trace_centres(t, np.ones_like(t), np.array([1.0, 9.0]), 0.5)).all()
